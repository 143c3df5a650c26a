#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The systemd units: what systemd itself says of their exposure, and whether they fit the programs.

    units.py SOURCE-ROOT SERVICE-UNIT

What systemd-analyze has to judge is left out where there is none that can judge a file by itself
(systemd 250): it is a note then, and no failure.
"""
import re
import subprocess
import sys

EXPOSURE_MAX = 15  # tenths
problems = []


def analyze(*arguments):
    try:
        return subprocess.run(["systemd-analyze", "--no-pager", *arguments], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        return None


def read(path):
    with open(path) as file:
        return file.read()


def values(text, key):
    return [line.split("=", 1)[1] for line in text.splitlines() if line.startswith(f"{key}=")]


def check_exposure(unit):
    version = analyze("--version")
    if version is None or int(re.search(r"systemd (\d+)", version.stdout)[1]) < 250:
        print("# no systemd-analyze that judges a file by itself")
        return
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit)
    print(f"# {done.stdout.strip().splitlines()[-1]}")
    if done.returncode != 0:
        problems.append(f"{unit}: exposed more than {EXPOSURE_MAX / 10}")


def call_sets():
    """Name -> calls, of the sets that this systemd has."""
    sets, current = {}, None
    done = analyze("syscall-filter")
    for line in done.stdout.splitlines() if done is not None and done.returncode == 0 else ():
        if line.startswith("@"):
            current = sets.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#") and current is not None:
            current.append(line.strip())
    return sets


def expand(names, sets):
    found = set()
    for name in names:
        found |= expand(sets.get(name, ()), sets) if name.startswith("@") else {name}
    return found


def check_calls(root, unit):
    """Whatever a room's list allows, the unit has to."""
    sets = call_sets()
    if not sets:
        return
    allowed = set()
    for value in values(read(unit), "SystemCallFilter"):
        calls = expand(value.lstrip("~").split(), sets)
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    known = expand(sets, sets)
    for room in ("common", "front", "intake", "keeper"):
        text = read(f"{root}/src/lockdown/list_{room}.c").split("static const struct stk_syscall never")[0]
        text = text.split("static const struct stk_syscall module")[0]
        for name, when in re.findall(r'\{"(\w+)", (\w+),', text):
            if not when.startswith(("STK_FAILS", "STK_KILLS")) and name in known - allowed:
                problems.append(f"{name}: allowed in list_{room}.c, but not by {unit}")


def check_paths(root):
    socket = read(f"{root}/src/stirkeepd/systemd/stirkeep.socket")
    example = read(f"{root}/docs/stirkeep.conf.example")
    directories = read(f"{root}/src/stirkeepd/systemd/tmpfiles.conf")
    defaults = dict(re.findall(r"^#?(sign|admin|catalog|file) = (/\S+)$", example, re.M))
    for key in ("sign", "admin"):
        if defaults[key] not in values(socket, "ListenStream"):
            problems.append(f"stirkeep.socket: does not listen at {defaults[key]}")
    for path in defaults.values():
        if f"d {path.rsplit('/', 1)[0]} " not in directories:
            problems.append(f"tmpfiles.conf: no directory for {path}")


def check_directories(root, unit):
    """What tmpfiles makes for the rooms they have to be able to write."""
    writable = " ".join(values(read(unit), "ReadWritePaths")).split()
    for path, mode, user in re.findall(r"^d (\S+) (\d+) (\S+)",
                                       read(f"{root}/src/stirkeepd/systemd/tmpfiles.conf"), re.M):
        if user != "root" and path not in writable:
            problems.append(f"{unit}: {path} is not in ReadWritePaths")
        if user != "root" and mode != "0700":
            problems.append(f"tmpfiles.conf: {path} is open to others")
        if user != "root" and f"u {user} " not in read(f"{root}/src/stirkeepd/systemd/sysusers.conf"):
            problems.append(f"sysusers.conf: no {user}")


def check_users(root):
    """systemd-sysusers makes no user whose description has a colon, which separates passwd's fields."""
    for user, description in re.findall(r'^u (\S+) \S+ "(.*)"$',
                                        read(f"{root}/src/stirkeepd/systemd/sysusers.conf"), re.M):
        if ":" in description:
            problems.append(f"sysusers.conf: {user}: a colon in its description")


def main(root, unit):
    check_exposure(unit)
    check_calls(root, unit)
    check_paths(root)
    check_directories(root, unit)
    check_users(root)
    for problem in problems:
        print(f"# {problem}")
    print("1..1\n" + ("not ok" if problems else "ok") + " 1 - the units are tight, and fit")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
