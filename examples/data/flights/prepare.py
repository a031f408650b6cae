#!/usr/bin/env python3
"""Cuts the sample in this folder out of the published files.

usage: prepare.py SRC DST

SRC holds pnw14_flights.csv.gz, pnw14_weather.csv.gz, pnw14_airports.csv and pnw14_airlines.csv.
The same input gives the same bytes. Prints the counts that README.md states.
"""
import csv
import gzip
import io
import pathlib
import statistics
import sys
from collections import defaultdict
from datetime import datetime, timedelta

FIRST, LAST = datetime(2014, 10, 1), datetime(2015, 1, 1)  # UTC, half open
DST_2014 = datetime(2014, 3, 9, 2), datetime(2014, 11, 2, 2)  # US, local time
MINUTE = timedelta(minutes=1)

FLIGHT_COLUMNS = ["flight_id", "sched_dep_utc", "dep_utc", "arr_utc", "carrier", "flight", "tailnum", "origin",
                  "dest", "distance", "dep_delay", "arr_delay", "cancelled"]
WEATHER_COLUMNS = ["origin", "obs_utc", "temp", "wind_speed", "wind_gust", "visib", "precip", "pressure", "humid"]


def read(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def write_gz(path, columns, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.getvalue().encode())


def instant(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ") if text else None


def utc_of_local(local, zone):
    """The instants at which a clock in `zone` = (hours from UTC, dst flag) shows `local`: none, one or two."""
    hours, dst = zone
    found = []
    for summer in (False, True):
        if summer and dst != "A":
            continue
        start, end = DST_2014
        if summer and not start + timedelta(hours=1) <= local < end:
            continue
        if not summer and dst == "A" and start <= local < end - timedelta(hours=1):
            continue
        found.append(local - timedelta(hours=hours + summer))
    return found


def arrival(row, zones):
    """When the flight reached its gate: the reading of the local HHMM nearest to departure + time in the air."""
    zone = zones.get(row["dest"])
    if not (row["dep_utc"] and row["arr_time"] and row["air_time"] and zone):
        return None
    expected = instant(row["dep_utc"]) + int(row["air_time"]) * MINUTE
    hhmm = int(row["arr_time"])
    clock = timedelta(hours=hhmm // 100, minutes=hhmm % 100)  # 2400 is the end of the day
    midnight = (expected + timedelta(hours=zone[0])).replace(hour=0, minute=0, second=0)
    candidates = [utc for days in (-2, -1, 0, 1, 2)
                  for utc in utc_of_local(midnight + timedelta(days=days) + clock, zone)]
    return min(candidates, key=lambda utc: abs(utc - expected))


def flights(source, zones):
    for row in read(source / "pnw14_flights.csv.gz"):
        date = datetime(int(row["year"]), int(row["month"]), int(row["day"]))
        when = instant(row["sched_dep_utc"]) or date
        if not FIRST <= when < LAST:
            continue
        arrived = arrival(row, zones)
        row["arr_utc"] = arrived.strftime("%Y-%m-%dT%H:%M:%SZ") if arrived else ""
        row["cancelled"] = "false" if row["dep_utc"] else "true"
        row["flight_id"] = f'{date:%Y%m%d}-{row["carrier"]}-{row["flight"]}-{row["origin"]}-{row["dest"]}'
        yield row


def check_arrivals(rows):
    """Two tests of arr_utc that do not use how it was made; returns (rows, share passing each)."""
    block = defaultdict(list)
    known = [row for row in rows if row["arr_utc"] and row["arr_delay"]]
    for row in known:
        arrived, left = instant(row["arr_utc"]), instant(row["dep_utc"])
        row["elapsed"] = (arrived - left) / MINUTE
        row["block"] = row["elapsed"] - int(row["arr_delay"]) + int(row["dep_delay"])
        block[row["origin"], row["dest"]].append(row["block"])
    usual = {route: statistics.median(minutes) for route, minutes in block.items()}
    scheduled = sum(abs(row["block"] - usual[row["origin"], row["dest"]]) <= 30 for row in known)
    physical = sum(0 <= row["elapsed"] - int(row["air_time"]) <= 180 for row in known)
    return len(known), scheduled / len(known), physical / len(known)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)

    zones = {row["faa"]: (float(row["tz"]), row["dst"]) for row in read(source / "pnw14_airports.csv")}
    rows = list(flights(source, zones))
    if len({row["flight_id"] for row in rows}) != len(rows):
        sys.exit("flight_id is not unique")
    write_gz(target / "flights.csv.gz", FLIGHT_COLUMNS, rows)

    weather = [row for row in read(source / "pnw14_weather.csv.gz") if FIRST <= instant(row["obs_utc"]) < LAST]
    write_gz(target / "weather.csv.gz", WEATHER_COLUMNS, weather)
    for name in ("airports.csv", "airlines.csv"):
        (target / name).write_bytes((source / f"pnw14_{name}").read_bytes())

    known, scheduled, physical = check_arrivals(rows)
    print(f"flights {len(rows)}: cancelled {sum(r['cancelled'] == 'true' for r in rows)}, "
          f"no tailnum {sum(not r['tailnum'] for r in rows)}, no arr_utc {sum(not r['arr_utc'] for r in rows)}, "
          f"departed without arr_utc {sum(bool(r['dep_utc']) and not r['arr_utc'] for r in rows)}")
    print(f"weather {len(weather)}; airports {len(zones)}")
    print(f"arr_utc of {known} flights: arr_utc - arr_delay within 30 min of the route's usual schedule "
          f"{scheduled:.4%}; 0 to 180 min longer than in the air {physical:.4%}")


if __name__ == "__main__":
    main()
