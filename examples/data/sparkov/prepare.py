#!/usr/bin/env python3
"""Cuts the sample in this folder out of a whole simulation.

usage: prepare.py SRC DST

SRC holds sparkov_transactions.psv.gz. The same input gives the same bytes. Prints the counts that README.md states.
"""
import csv
import gzip
import io
import pathlib
import sys
import zlib
from datetime import datetime, timezone

KEEP = 3  # one card in so many
FIRST, LAST = (int(datetime(2024, month, 1, tzinfo=timezone.utc).timestamp()) for month in (1, 10))
COLUMNS = ["trans_num", "cc_num", "unix_time", "category", "amt", "is_fraud", "merchant"]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    with gzip.open(source / "sparkov_transactions.psv.gz", "rt", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="|")
                if zlib.crc32(row["cc_num"].encode()) % KEEP == 0 and FIRST <= int(row["unix_time"]) < LAST]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter="|", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    path = target / "sparkov_transactions.psv.gz"
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.getvalue().encode())
    print(f"transactions {len(rows)}, cards {len({row['cc_num'] for row in rows})}, "
          f"merchants {len({row['merchant'] for row in rows})}, fraud {sum(row['is_fraud'] == '1' for row in rows)}, "
          f"{path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
