#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""libstirkeep exports what src/client/libstirkeep.map says, which is what the public headers
declare, and nothing else; and it is called what programs were linked with.

    symbols.py LIBSTIRKEEP.SO
"""
import os
import re
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SONAME = "libstirkeep.so.0"


def in_map():
    """Symbol -> version."""
    with open(f"{SOURCE}/src/client/libstirkeep.map") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
    found = {}
    for version, body in re.findall(r"(\w+)\s*\{(.*?)\}", text, re.DOTALL):
        for symbol in re.findall(r"\w+(?=\s*;)", re.sub(r"local:.*", "", body, flags=re.DOTALL)):
            found[symbol] = version
    return found


def in_headers():
    found = set()
    for name in ("client.h", "status.h"):
        with open(f"{SOURCE}/include/stirkeep/{name}") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
        found |= set(re.findall(r"^STIRKEEP_API\s[^;(]*?(\w+)\s*\(", text, re.MULTILINE))
    return found


def readelf(library, option):
    return subprocess.run(["readelf", "--wide", option, library], check=True, text=True,
                          stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}).stdout


def exported(library):
    """Symbol -> version of every definition that others can bind to."""
    found = {}
    for line in readelf(library, "--dyn-syms").splitlines():
        fields = line.split()
        if len(fields) < 8 or fields[4] not in ("GLOBAL", "WEAK", "UNIQUE") or fields[6] == "UND":
            continue
        name, _, version = fields[7].partition("@")
        if fields[6] == "ABS" and not version:
            continue  # the version itself
        found[name] = version.lstrip("@")
    return found


def compare(what, got, wanted):
    problems = [f"{what}: {name} is too much" for name in sorted(set(got) - set(wanted))]
    return problems + [f"{what}: {name} is missing" for name in sorted(set(wanted) - set(got))]


def main():
    library = sys.argv[1]
    wanted = in_map()
    got = exported(library)
    sonames = re.findall(r"\(SONAME\).*\[(.*)\]", readelf(library, "--dynamic"))
    checks = {
        "the library exports exactly what its map says": compare("exports", got, wanted) + [
            f"{name}: version '{got[name]}', the map has '{wanted[name]}'"
            for name in sorted(set(got) & set(wanted)) if got[name] != wanted[name]],
        "the map says exactly what the public headers declare":
            compare("map", wanted, in_headers()) + ([] if wanted else ["the map is empty"]),
        f"its name is {SONAME}": [] if sonames == [SONAME] else [f"SONAME: {sonames}"],
    }
    print(f"TAP version 13\n1..{len(checks)}")
    for number, (name, problems) in enumerate(checks.items(), 1):
        for problem in problems:
            print(f"# {problem}")
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    return 1 if any(checks.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
