#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every test that docs/STANDARDS.md names is there, and every demand has one."""
import os
import re
import sys

SHORT = {"`standards`": "tests/unit/passport/test_standards.c",
         "`examples`": "tests/unit/passport/test_examples.c"}
DEMANDS = ("PASSporT", "Certificates")


def rows(page):
    """(line, demand, tests) of the tables that have tests."""
    section = None
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("## "):
            section = line[3:].strip()
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if section in DEMANDS and line.startswith("| ") and cells[0] != "demand":
            yield number, cells[0], cells[-1]


def named(tests):
    """(file, name) of each test in a cell: "file: `a`, `b`; other: `c`"."""
    for part in tests.split("; "):
        where, _, names = part.partition(": ")
        for name in re.findall(r"`([a-z0-9_]+)`", names):
            yield SHORT.get(where, where), name


def problems(root):
    with open(os.path.join(root, "docs/STANDARDS.md")) as page:
        text = page.read()
    sources = {}
    for number, demand, tests in rows(text):
        found = list(named(tests))
        if not found:
            yield f"line {number}: no test for {demand[:60]}"
        for path, name in found:
            if path not in sources:
                try:
                    with open(os.path.join(root, path)) as source:
                        sources[path] = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", source.read()))
                except OSError as why:
                    sources[path] = set()
                    yield f"line {number}: {path}: {why.strerror}"
            if name not in sources[path]:
                yield f"line {number}: {path} has no {name}"


def main():
    found = list(problems(sys.argv[1]))
    print("1..1")
    for problem in found:
        print(f"# {problem}")
    print(("not ok" if found else "ok") + " 1 - every demand of docs/STANDARDS.md has a test that exists")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
