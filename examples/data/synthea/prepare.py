#!/usr/bin/env python3
"""Cuts the tables in this folder out of Synthea's.

usage: prepare.py SRC DST

SRC holds synthea_patients.csv, synthea_encounters.csv, synthea_observations.csv and synthea_conditions.csv. The same input
gives the same bytes. Prints the counts that README.md states.
"""
import csv
import pathlib
import sys

# Codes of LOINC, and the columns they become.
LABS = {"8302-2": "height_cm", "29463-7": "weight_kg", "39156-5": "bmi", "8480-6": "systolic", "8462-4": "diastolic",
        "8867-4": "heart_rate", "2339-0": "glucose", "38483-4": "creatinine"}
PATIENT = ["patient", "birth_date", "gender"]
ENCOUNTER = ["encounter", "patient", "start", "stop", "class", "cost"]
CONDITION = ["patient", "code", "description", "start", "stop"]


def read(source, name):
    with open(source / f"synthea_{name}.csv", newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def write(target, name, columns, rows):
    with open(target / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{name} {len(rows)}")


def prepare(source, target):
    write(target, "patients", PATIENT,
          [{"patient": row["Id"], "birth_date": row["BIRTHDATE"], "gender": row["GENDER"]}
           for row in read(source, "patients")])
    write(target, "encounters", ENCOUNTER,
          [{"encounter": row["Id"], "patient": row["PATIENT"], "start": row["START"], "stop": row["STOP"],
            "class": row["ENCOUNTERCLASS"], "cost": row["TOTAL_CLAIM_COST"]} for row in read(source, "encounters")])
    write(target, "conditions", CONDITION,
          [{"patient": row["PATIENT"], "code": row["CODE"], "description": row["DESCRIPTION"], "start": row["START"],
            "stop": row["STOP"]} for row in read(source, "conditions")])
    # One row for all that was measured of a patient at one instant; what is measured is known when the visit ends.
    stops = {row["Id"]: row["STOP"] for row in read(source, "encounters")}
    labs = {}
    for row in read(source, "observations"):
        if row["CODE"] in LABS and row["TYPE"] == "numeric" and row["ENCOUNTER"] in stops:
            lab = labs.setdefault((row["PATIENT"], row["DATE"], row["ENCOUNTER"]), {})
            lab[LABS[row["CODE"]]] = row["VALUE"]
    write(target, "labs", ["patient", "measured", "reported", *LABS.values()],
          [{"patient": patient, "measured": date, "reported": stops[encounter], **lab}
           for (patient, date, encounter), lab in labs.items()])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    prepare(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
