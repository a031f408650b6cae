#!/usr/bin/env python3
"""Checks the Markdown files of this repository; prints path:line for each breach.

  links     a link to a local file, and its #heading, must exist
  snippets  a code block after a comment of the form
                <!-- from: examples/walkthrough.cc -->
            must stand in that file, line for line; common indentation does not count
"""
import pathlib
import re
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FROM = re.compile(r"<!--\s*from:\s*(\S+)\s*-->")


def markdown_files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).exists()]


def anchors(path):
    found = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            title = line.lstrip("#").strip().lower()
            found.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
    return found


def dedent(lines):
    return textwrap.dedent("\n".join(line.rstrip() for line in lines)).split("\n")


def stands_in(block, path):
    """Whether the lines of `block` stand together in the file, at whatever indentation."""
    wanted = dedent(block)
    lines = path.read_text(encoding="utf-8").splitlines()
    return any(dedent(lines[i:i + len(wanted)]) == wanted for i in range(len(lines) - len(wanted) + 1))


def check(path):
    place = path.relative_to(ROOT)
    lines = path.read_text(encoding="utf-8").splitlines()
    fenced, source, start, block, counts = False, None, 0, [], [0, 0]
    breaches = []
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            if fenced and source is not None:
                counts[1] += 1
                target = ROOT / source
                if not target.is_file():
                    breaches.append(f"{place}:{start}: quotes {source}, which does not exist")
                elif not stands_in(block, target):
                    breaches.append(f"{place}:{start}: this block does not stand in {source}")
                source = None
            fenced, start, block = not fenced, number, []
            continue
        if fenced:
            block.append(line)
            continue
        match = FROM.search(line)
        if match:
            source = match.group(1)
        for link in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", link):
                continue
            counts[0] += 1
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            if not target.exists():
                breaches.append(f"{place}:{number}: no such file: {link}")
            elif anchor and target.suffix == ".md" and anchor not in anchors(target):
                breaches.append(f"{place}:{number}: no such heading: {link}")
    return breaches, counts


def main():
    breaches, links, snippets, pages = [], 0, 0, 0
    for path in markdown_files():
        found, counts = check(path)
        breaches += found
        links, snippets, pages = links + counts[0], snippets + counts[1], pages + 1
    for line in breaches:
        print(line)
    print(f"docs: {pages} pages, {links} local links, {snippets} quoted blocks, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
