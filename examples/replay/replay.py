#!/usr/bin/env python3
"""Replays real histories with `larder replay`: what is served as events come is what training says afterwards.

usage: replay.py --larder PROGRAM [--sparkov FILE] [--diabetes FILE] [--flights DIR] [--apart N] [--seed N] [--out DIR]

Requests are asked at instants about N events apart (default 500; of flights N flights), so that so many events go in between two
of them: in one push of each source, in an order drawn from the seed. Prints a line per history, and is exit code 1 when a value that was
served is not the one of the training set.
"""
import argparse
import bisect
import csv
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

HERE = pathlib.Path(__file__).resolve().parent
KEYS_PER_INSTANT = 60


def read(path, **how):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file, **how)


def utc(text):
    return datetime.fromisoformat(text.replace("Z", "").replace(" ", "T")).replace(tzinfo=timezone.utc)


def instants(times, apart, draw):
    """About every `apart` events: half of the instants are an event's own, half are some seconds after one."""
    times = sorted(times)
    chosen = []
    for at in range(apart, len(times), apart):
        late = timedelta(seconds=draw.randrange(0, 1800)) if draw.random() < 0.5 else timedelta()
        chosen.append(times[at] + late)
    return sorted(set(chosen))


def sparkov(path, apart, draw):
    """Cards, merchants, categories and amounts of transactions around the instant."""
    rows = sorted((int(row["unix_time"]), row["cc_num"], row["merchant"], row["category"], row["amt"])
                  for row in read(path, delimiter="|"))
    times = [row[0] for row in rows]
    for at in instants([datetime.fromtimestamp(t, timezone.utc) for t in times], apart, draw):
        middle = bisect.bisect(times, at.timestamp())
        near = rows[max(0, middle - 300):middle + 300]
        for _, card, merchant, category, amount in draw.sample(near, min(KEYS_PER_INSTANT, len(near))):
            yield {"cc_num": card, "merchant": merchant, "category": category, "amt": amount, "t": at}


def diabetes(path, apart, draw):
    """Every patient."""
    rows = list(read(path))
    patients = sorted({row["patient_id"] for row in rows})
    for at in instants([utc(row["ts_local"]) for row in rows if row["ts_local"]], apart, draw):
        for patient in patients:
            yield {"patient_id": patient, "t": at}


def flights(folder, apart, draw):
    """The next flights that are scheduled."""
    rows = sorted((utc(row["sched_dep_utc"]), row["origin"], row["dest"], row["carrier"], row["tailnum"])
                  for row in read(folder / "pnw14_flights.csv.gz") if row["sched_dep_utc"])
    times = [row[0] for row in rows]
    for at in instants(times, apart, draw):
        first = bisect.bisect_left(times, at)
        for _, origin, dest, carrier, tailnum in rows[first:first + KEYS_PER_INSTANT]:
            yield {"origin": origin, "dest": dest, "carrier": carrier, "tailnum": tailnum, "t": at}


def replay(arguments, name, definitions, variable, data, requests):
    path = arguments.out / f"{name}_requests.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(requests[0]), lineterminator="\n")
        writer.writeheader()
        for row in requests:
            writer.writerow({**row, "t": row["t"].strftime("%Y-%m-%dT%H:%M:%SZ")})
    command = [arguments.larder, "replay", "--definitions", definitions, "--requests", path, "--time", "t", "--batch-size", str(4 * arguments.apart),
               "--shuffle", str(arguments.seed), "--scratch", arguments.out, "--format", "json"]
    begun = time.monotonic()
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False,
                          env={**os.environ, variable: str(data.resolve())})
    seconds = time.monotonic() - begun
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"replay.py: {name}: exit code {done.returncode}")
    report = json.loads(done.stdout)
    events = sum(source["pushed"] for source in report["sources"])
    print(f"{name:10} {events:8} {report['pushes']:7} {events / report['pushes']:8.0f} {report['instants']:9} "
          f"{report['checked']:10} {report['mismatches']:10} {seconds:8.1f}", flush=True)
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--larder", required=True, type=pathlib.Path)
    parser.add_argument("--sparkov", type=pathlib.Path)
    parser.add_argument("--diabetes", type=pathlib.Path)
    parser.add_argument("--flights", type=pathlib.Path)
    parser.add_argument("--apart", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/replay"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    histories = [("sparkov", HERE.parent / "fraud" / "definitions.json", "DATA", arguments.sparkov, sparkov),
                 ("diabetes", HERE / "diabetes.json", "DIABETES", arguments.diabetes, diabetes),
                 ("flights", HERE / "flights.json", "FLIGHTS", arguments.flights, flights)]
    print("history      events  pushes  of each  instants     values mismatches  seconds", flush=True)
    good = True
    for name, definitions, variable, data, make in histories:
        if data is None:
            continue
        draw = random.Random(f"{name} {arguments.seed}")
        requests = list(make(data, arguments.apart, draw))
        good = replay(arguments, name, definitions, variable, data, requests) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
