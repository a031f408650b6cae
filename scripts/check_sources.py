#!/usr/bin/env python3
"""Checks rules about the source that no compiler checks; prints path:line for each breach.

  layers      a module includes only modules below it, and no sibling
  private     lmdb.h, nlohmann/json.hpp and other private parts stay out of include/
  markers     no unfinished-work markers
  length      a file over 500 lines is reported, but does not fail
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

BELOW = {"base": []}
BELOW["schema"] = ["base"]
BELOW["column"] = ["base", "schema"]
SIBLINGS = ["registry", "transform", "aggregate", "online", "training", "io"]
for name in SIBLINGS:
    BELOW[name] = ["base", "schema", "column"]
BELOW["feature_store"] = ["base", "schema", "column"] + SIBLINGS
BELOW["cli"] = BELOW["feature_store"] + ["feature_store"]

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
PRIVATE = re.compile(r"^(lmdb\.h|nlohmann/json\.hpp|sleef\.h|re2/|zlib\.h)")
MARKER = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
CODE = {".h", ".cc"}
TEXT = CODE | {".md", ".cmake", ".txt", ".py", ".json"}


def module_of(path):
    """The module that a file of include/larder or src belongs to, or None."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "include":
        parts = parts[2:]
    elif parts[0] == "src":
        parts = parts[1:]
    else:
        return None
    if len(parts) == 1:  # include/larder/feature_store.h and the umbrella
        return "feature_store"
    return parts[0]


def included_module(name):
    name = name.removeprefix("larder/")
    head = name.split("/")[0]
    if head in BELOW:
        return head
    return "feature_store" if name in ("feature_store.h", "larder.h") else None


def files(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in TEXT and "build" not in path.relative_to(ROOT).parts:
                yield path


def check():
    breaches, notes = [], []
    for path in files("include", "src", "tests", "examples", "bench", "cmake", "docs", "scripts"):
        lines = path.read_text(encoding="utf-8").splitlines()
        place = path.relative_to(ROOT)
        module = module_of(path) if path.suffix in CODE else None
        if path.suffix in CODE and len(lines) > 500:
            notes.append(f"{place}: {len(lines)} lines; when a file wants sections, it wants splitting")
        for number, line in enumerate(lines, 1):
            if MARKER.search(line):
                breaches.append(f"{place}:{number}: unfinished-work marker")
            match = INCLUDE.match(line)
            if not match or module is None:
                continue
            name = match.group(1)
            if place.parts[0] == "include" and PRIVATE.match(name):
                breaches.append(f"{place}:{number}: {name} is private to src/")
            target = included_module(name)
            if target and target != module and target not in BELOW.get(module, []):
                breaches.append(f"{place}:{number}: {module} must not include {target} ({name})")
    return breaches, notes


def main():
    breaches, notes = check()
    for line in notes:
        print(f"note: {line}")
    for line in breaches:
        print(line)
    print(f"sources: {len(breaches)} breaches, {len(notes)} notes")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
