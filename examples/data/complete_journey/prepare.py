#!/usr/bin/env python3
"""Cuts the sample in this folder out of the published tables.

usage: prepare.py SRC DST

SRC holds cj_transactions_sample.csv.gz, cj_products.csv.gz and cj_demographics.csv.gz. The same input gives the same
bytes. Prints the counts that README.md states.
"""
import csv
import gzip
import io
import pathlib
import sys
import zlib

KEEP = 6  # one household in so many


def read(path):
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return reader.fieldnames, list(reader)


def write(path, columns, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.getvalue().encode())


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    _, lines = read(source / "cj_transactions_sample.csv.gz")
    kept = [row for row in lines if zlib.crc32(row["household_id"].encode()) % KEEP == 0]
    households = {row["household_id"] for row in kept}
    bought = {row["product_id"] for row in kept}
    columns = ["household_id", "basket_id", "product_id", "quantity", "sales_value", "transaction_timestamp"]
    write(target / "cj_transactions_sample.csv.gz", columns, kept)
    columns, products = read(source / "cj_products.csv.gz")
    products = [row for row in products if row["product_id"] in bought]
    write(target / "cj_products.csv.gz", columns, products)
    columns, people = read(source / "cj_demographics.csv.gz")
    people = [row for row in people if row["household_id"] in households]
    write(target / "cj_demographics.csv.gz", columns, people)
    print(f"lines {len(kept)}, households {len(households)}, baskets {len({row['basket_id'] for row in kept})}, "
          f"products {len(products)} of {len(bought)}, demographics {len(people)}")


if __name__ == "__main__":
    main()
