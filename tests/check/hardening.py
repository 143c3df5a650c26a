#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the compiler and linker were to do for a program's safety is in the program.

    hardening.py PROGRAM-OR-LIBRARY...
"""
import subprocess
import sys


def readelf(option, path):
    return subprocess.run(["readelf", "-W", option, path], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def missing(path):
    header, segments = readelf("-h", path), readelf("-l", path)
    dynamic, symbols = readelf("-d", path), readelf("-s", path)
    stack = [line for line in segments.splitlines() if "GNU_STACK" in line]
    wanted = {
        "position independent": "DYN" in header,
        "relocations read-only": "GNU_RELRO" in segments,
        "bound at start": "BIND_NOW" in dynamic or "NOW" in dynamic,
        "stack not executable": bool(stack) and "RWE" not in stack[0],
        "stack protector": "__stack_chk_fail" in symbols,
        "no run-time search path": "RPATH" not in dynamic,
    }
    return [what for what, there in wanted.items() if not there]


def main(paths):
    bad = {path: missing(path) for path in paths}
    for path, what in bad.items():
        print(f"{path}: {'without: ' + ', '.join(what) if what else 'ok'}")
    return 1 if any(bad.values()) or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
