#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/IMPORT-GATE.md has every finding of the import gate, with its weight, and no other.

    gate.py SOURCE-ROOT
"""
import glob
import re
import sys

ROW = re.compile(r"^\| `([A-Z0-9-]+)` \| (error|warning) \| (error|warning) \|", re.MULTILINE)
WEIGHTS = {"ALWAYS": ("error", "error"), "STRICT": ("error", "warning"),
           "ADVICE": ("warning", "warning")}


def in_source(root):
    found = {}
    for path in sorted(glob.glob(f"{root}/src/cert/gate*.c")):
        with open(path) as file:
            text = file.read()
        for weight, code in re.findall(r'STK_GATE_(ALWAYS|STRICT|ADVICE),\s*"([A-Z0-9-]+)"', text):
            found.setdefault(code, set()).add(WEIGHTS[weight])
    return found


def main(root):
    source = in_source(root)
    with open(f"{root}/docs/IMPORT-GATE.md") as file:
        page = {code: {(strict, test)} for code, strict, test in ROW.findall(file.read())}
    wrong = [f"{code}: the source has {source.get(code)}, the page {page.get(code)}"
             for code in sorted(source.keys() | page.keys()) if source.get(code) != page.get(code)]
    if not source:
        wrong.append("no finding in src/cert/gate*.c")
    print("\n".join(wrong) if wrong else f"{len(source)} findings, all on the page")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
