#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/STANDARDS.md against the tests: each line of its tables names a test that there is, and that
is run.

A test is named as `FILE`: `name`, `name`, ...: in C a cmocka test of that name, in Python a case.
"""
import pathlib
import re
import sys

TEST = re.compile(r"`(tests/[A-Za-z0-9_/.-]+)`: ((?:`[a-z0-9_]+`(?:, )?)+)")


def tables(text):
    """(number, cells) of each row that is no head."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        is_rule = re.fullmatch(r"\|[-| :]+\|", line) is not None
        is_head = number < len(lines) and re.fullmatch(r"\|[-| :]+\|", lines[number]) is not None
        if line.startswith("|") and not is_rule and not is_head:
            yield number, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def is_run(file, name):
    """Is there such a test, and does its file run it?"""
    text = file.read_text()
    if file.suffix == ".c":
        # A file that is part of a test program has its tests listed in another one beside it.
        listed = "".join(other.read_text() for other in file.parent.glob("*.c"))
        return re.search(rf"\bvoid\s+{name}\(void \*\*", text) is not None and \
            re.search(rf"\b(cmocka_unit_test[a-z_]*|TEST)\(\s*{name}\b", listed) is not None
    return re.search(rf"^@case\ndef {name}\(", text, re.M) is not None


def built(root, file):
    """Is the file in some meson.build beside it or above?"""
    stem = re.sub("^test_", "", file.stem)
    names = (file.name, f"'{stem}'", f"'{stem.replace('_', '-')}'")
    return any(name in (parent / "meson.build").read_text() for parent in file.parents
               if parent != root and root in parent.parents and (parent / "meson.build").exists()
               for name in names)


def faults(root):
    rows = 0
    for number, cells in tables((root / "docs/STANDARDS.md").read_text()):
        rows += 1
        if len(cells) < 2 or not all(cells[:2]):
            yield f"{number}: a row without a line or without a test"
            continue
        named = TEST.findall(" ".join(cells[1:]))
        if not named:
            yield f"{number}: no test is named: {cells[0]}"
        rest = TEST.sub("", " ".join(cells[1:]))
        for left in re.findall(r"`[^`]*`", rest):
            yield f"{number}: {left}: neither a test's file nor its name"
        for path, names in named:
            file = root / path
            if not file.is_file():
                yield f"{number}: {path}: no such file"
                continue
            if not built(root, file):
                yield f"{number}: {path}: no meson.build names it"
            for name in re.findall(r"`([a-z0-9_]+)`", names):
                if not is_run(file, name):
                    yield f"{number}: {path}: no test {name}"
    if rows == 0:
        yield "0: no tables"


def main():
    found = list(faults(pathlib.Path(sys.argv[1]).resolve()))
    for fault in found:
        print(f"docs/STANDARDS.md:{fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
