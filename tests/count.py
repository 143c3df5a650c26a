#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Count the cases of a meson test run: count.py testlog.junit.xml MESON-STATUS

Prints the failed and the skipped ones, then "N passed, N failed, N skipped"; exits with 0 only when
something passed, nothing failed and meson agrees.
"""
import sys
import xml.etree.ElementTree as ET


def main():
    passed, failed, skipped = 0, [], []
    for suite in ET.parse(sys.argv[1]).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            name = f"{suite.get('name')}: {case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(name)
            elif case.find("skipped") is not None:
                skipped.append(name)
            else:
                passed += 1
    meson = int(sys.argv[2])
    if meson != 0 and not failed:
        failed.append(f"meson test: exit status {meson}")
    for name in skipped:
        print(f"skipped: {name}")
    for name in failed:
        print(f"FAILED: {name}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
