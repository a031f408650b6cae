#!/usr/bin/env python3
"""What was known of a patient at each visit, as a training set that is audited for leaks and read by other programs.

usage: patient_history.py --larder PROGRAM [--data DIR] [--out DIR]

The sample in examples/data/synthea unless --data names a folder with Synthea's own tables (synthea_patients.csv and so on).
Exit code 1 when a value is not what this program works out itself, when the audit finds a leak in the set or none in one that
has some, or when another program reads something else than was written.
"""
import argparse
import csv
import importlib
import json
import math
import os
import pathlib
import subprocess
import sys
from datetime import datetime, timedelta, timezone

HERE = pathlib.Path(__file__).resolve().parent
SAMPLE = HERE.parent / "data" / "synthea"
YEAR = timedelta(days=365)
LABEL = "returns_90d"


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def utc(text):
    return datetime.fromisoformat(text.replace("Z", "")).replace(tzinfo=timezone.utc)


def prepared(arguments):
    """The folder with the tables that definitions.json names."""
    if arguments.data is None:
        return SAMPLE
    sys.path.insert(0, str(SAMPLE))
    sys.dont_write_bytecode = True
    folder = arguments.out / "data"
    folder.mkdir(parents=True, exist_ok=True)
    importlib.import_module("prepare").prepare(arguments.data, folder)
    return folder


def write_visits(data, path):
    """The spine: a visit a row, and whether the patient is back within 90 days, where that can be known."""
    visits = read(data / "encounters.csv")
    seen_until = max(utc(visit["start"]) for visit in visits)
    starts = {}
    for visit in visits:
        starts.setdefault(visit["patient"], []).append(utc(visit["start"]))
    ahead = timedelta(days=90)
    rows = []
    for visit in visits:
        at = utc(visit["start"])
        if at + ahead <= seen_until:
            back = any(at < other <= at + ahead for other in starts[visit["patient"]])
            rows.append({"encounter": visit["encounter"], "patient": visit["patient"], "at": visit["start"],
                         LABEL: str(back).lower()})
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def expected(data, visits):
    """The features by their definitions, in the plainest way."""
    by_patient = {}
    for name in ("labs", "conditions", "encounters"):
        for row in read(data / f"{name}.csv"):
            by_patient.setdefault((name, row["patient"]), []).append(row)
    for visit in visits:
        at, patient = utc(visit["at"]), visit["patient"]
        labs = [row for row in by_patient.get(("labs", patient), [])
                if utc(row["measured"]) < at and utc(row["reported"]) <= at and utc(row["measured"]) >= at - 2 * YEAR]
        lab = max(labs, key=lambda row: utc(row["measured"]), default={})
        days = [utc(row["start"]) for row in by_patient.get(("conditions", patient), [])]
        known = [day for day in days if day + timedelta(days=1) <= at]
        earlier = [row for row in by_patient[("encounters", patient)] if utc(row["start"]) < at]
        recent = [row for row in earlier if utc(row["start"]) >= at - YEAR]
        yield {"bmi": lab.get("bmi", ""), "systolic": lab.get("systolic", ""), "heart_rate": lab.get("heart_rate", ""),
               "conditions_ever": len(known), "conditions_1y": sum(day >= at - YEAR for day in known),
               "visits_1y": len(recent), "cost_1y": math.fsum(float(row["cost"]) for row in recent),
               "emergencies_ever": sum(row["class"] == "emergency" for row in earlier)}


class Larder:
    def __init__(self, program, out, data):
        self.words = [str(program.resolve())]
        self.variables = {**os.environ, "LARDER_STORE": str(out / "store"), "DATA": str(data.resolve())}

    def run(self, *words):
        return subprocess.run([*self.words, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, env=self.variables)

    def do(self, *words):
        done = self.run(*words)
        if done.returncode != 0:
            sys.exit(f"patient_history.py: larder {words[0]}: {done.stderr}")
        return done.stdout

    def train(self, spine, output, *words):
        return ["get-historical-features", "--service", "readmission", "--spine", spine, "--time", "at", "--label", LABEL,
                "--output", output, "--force", *words]


def same(found, wanted):
    if found == "" or wanted == "":
        return found == wanted
    return math.isclose(float(found), float(wanted), rel_tol=1e-6)


def check_values(rows, wanted):
    wrong = 0
    for number, (row, features) in enumerate(zip(rows, wanted)):
        for name, value in features.items():
            if not same(row[name], value):
                wrong += 1
                print(f"row {number}: {name} is {row[name]!r}, expected {value!r}")
    return wrong


# ---- other programs read what was written; each gives the matrix of features as rows of floats, nulls as NaN

def numpy_reader(out, features):
    import numpy

    with numpy.load(out / "visits.npz") as arrays:
        assert list(arrays["names"]) == features
        return arrays["X"].tolist(), arrays["y"].tolist()


def sklearn_reader(out, features):
    from sklearn.datasets import load_svmlight_file

    x, y = load_svmlight_file(str(out / "visits.libsvm"), n_features=len(features), zero_based=False)
    dense = x.toarray()
    x.data[:] = 1
    there = x.toarray()
    return [[value if is_there else math.nan for value, is_there in zip(row, marks)]
            for row, marks in zip(dense.tolist(), there.tolist())], y.tolist()


def xgboost_reader(out, features):
    import xgboost

    matrix = xgboost.DMatrix(f"{out / 'visits.libsvm'}?format=libsvm")
    assert matrix.num_row() > 0 and matrix.num_col() == len(features) + 1  # numbered from 1
    return None, matrix.get_label().tolist()


def as_floats(columns, features):
    label = [1.0 if value in (True, "true") else 0.0 for value in columns[LABEL]]
    rows = zip(*(columns[name] for name in features))
    return [[math.nan if value is None else float(value) for value in row] for row in rows], label


def duckdb_reader(out, features):
    import duckdb

    names = ", ".join(f'"{name}"' for name in [*features, LABEL])
    rows = duckdb.sql(f"select {names} from read_csv('{out / 'visits.csv'}', header=true)").fetchall()
    columns = dict(zip([*features, LABEL], zip(*rows)))
    return as_floats(columns, features)


def pyarrow_reader(out, features):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(out / "visits.parquet")
    return as_floats(table.to_pydict(), features)


READERS = {"numpy": numpy_reader, "sklearn": sklearn_reader, "xgboost": xgboost_reader, "duckdb": duckdb_reader,
           "pyarrow": pyarrow_reader}


def read_back(out, rows, features, has_parquet):
    wanted = [[float(row[name]) if row[name] != "" else math.nan for name in features] for row in rows]
    labels = [1.0 if row[LABEL] == "true" else 0.0 for row in rows]

    def alike(a, b):
        return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-6)

    for name, reader in READERS.items():
        try:
            importlib.import_module(name)
        except ImportError:
            print(f"{name}: not installed, not tried")
            continue
        if name == "pyarrow" and not has_parquet:
            print("pyarrow: no Parquet was written, DuckDB is not installed")
            continue
        matrix, label = reader(out, features)
        assert label == labels, f"{name}: labels differ"
        if matrix is not None:
            assert len(matrix) == len(wanted), f"{name}: rows differ"
            assert all(alike(a, b) for found, row in zip(matrix, wanted) for a, b in zip(found, row)), f"{name}: values differ"
        print(f"{name}: reads back {len(labels)} rows")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--larder", required=True, type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/patient_history"))
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    data = prepared(arguments)
    spine = out / "visits_spine.csv"
    visits = write_visits(data, spine)
    larder = Larder(arguments.larder, out, data)
    larder.do("apply", HERE / "definitions.json")

    made = json.loads(larder.do(*larder.train(spine, out / "visits.csv", "--audit", "--format", "json")))
    features = [feature["name"] for feature in made["features"]]
    rows = read(out / "visits.csv")
    wrong = check_values(rows, expected(data, visits))
    newest = read(out / "visits.csv.audit.csv")
    for row, visit in zip(newest, visits):
        for name, text in row.items():
            if name.endswith("_time") and text != "" and utc(text) > utc(visit["at"]):
                wrong += 1
                print(f"row {row['row']}: {name} {text} is after {visit['at']}")
    back = sum(visit[LABEL] == "true" for visit in visits)
    print(f"{len(rows)} visits, {back} of them followed by another within 90 days; {wrong} values are wrong")
    print(f"audit: {made['audit']['leaks']} leaks")

    # The same set from conditions as they are dated, at the beginning of their day, is of no use: some were found at the visit.
    careless = larder.run(*larder.train(spine, out / "careless.csv", "--known-at", "any", "--audit"))
    told = [line.strip() for line in careless.stderr.splitlines() if "late_arrival" in line]
    print("with --known-at any:", told[0] if told else "no leak")

    for name in ("visits.npz", "visits.libsvm"):
        larder.do(*larder.train(spine, out / name))
    has_parquet = larder.run(*larder.train(spine, out / "visits.parquet")).returncode == 0
    read_back(out, rows, features, has_parquet)
    is_caught = careless.returncode == 1 and bool(told) and not (out / "careless.csv").exists()
    return 0 if wrong == 0 and made["audit"]["leaks"] == 0 and is_caught else 1


if __name__ == "__main__":
    sys.exit(main())
