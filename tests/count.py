#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Count the cases of a meson test run, and of the second run of the programs that failed in it.

count.py --failed LOG.json             the programs that meson found bad, by name: one that hung or
                                       died behind its last case, too
count.py STATUS LOG.junit.xml [LOG]    what failed and what was skipped, then
                                       "N passed, N failed, N skipped"

STATUS is that of the last `meson test`. A program of the second log stands for the one of that name
in the first. Exits with 0 only when something passed, nothing failed and meson agrees.
"""
import json
import sys
import xml.etree.ElementTree as ET


def cases_of(path):
    """{program: {case: element}}; a program that tells no cases of its own is its one case."""
    programs = {}
    for suite in ET.parse(path).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            name = suite.get("name") if " / " in suite.get("name") else case.get("name")
            programs.setdefault(name, {})[case.get("name")] = case
    return programs


def failed(case):
    return case.find("failure") is not None or case.find("error") is not None


def print_failed(path):
    with open(path) as file:
        for program in map(json.loads, file):
            if program["result"] not in ("OK", "EXPECTEDFAIL", "SKIP"):
                print(program["name"].rpartition(" / ")[2])


def main():
    if sys.argv[1] == "--failed":
        print_failed(sys.argv[2])
        return 0
    programs = cases_of(sys.argv[2])
    again = cases_of(sys.argv[3]) if len(sys.argv) > 3 else {}
    for program, cases in again.items():
        print(f"failed beside others, so run again alone: {program}")
        for name in (name for name, case in programs.get(program, {}).items() if failed(case)):
            print(f"    {name}")
        programs[program] = cases
    told = [(f"{program}: {name}", case) for program, cases in programs.items()
            for name, case in cases.items()]
    bad = [name for name, case in told if failed(case)]
    skipped = [name for name, case in told if case.find("skipped") is not None]
    if int(sys.argv[1]) != 0 and not bad:
        bad.append(f"meson test: exit status {sys.argv[1]}")
    for name in skipped:
        print(f"skipped: {name}")
    for name in bad:
        print(f"FAILED: {name}")
    passed = len(told) - len(bad) - len(skipped)
    print(f"{passed} passed, {len(bad)} failed, {len(skipped)} skipped")
    return 0 if passed and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
