# SPDX-License-Identifier: BSD-2-Clause
"""What grants ask for besides the user: whether it can be had here, and pretending to be it."""
import contextlib
import os
import socket

from tap import Skip

SO_PEERPIDFD = 77


@contextlib.contextmanager
def in_unit(unit):
    """This process in a cgroup of that path, as systemd would put it there."""
    mounts = [line.split() for line in open("/proc/self/mounts")]
    with open("/proc/self/cgroup") as file:
        own = [line.rstrip("\n").split(":", 2) for line in file]
    named = next((path for _, controllers, path in own if controllers == "name=systemd"), None)
    unified = next((path for number, _, path in own if number == "0"), None)
    before = unified if named is None else named
    root = next((fields[1] for fields in mounts if
                 (fields[2] == "cgroup2" if named is None else
                  fields[2] == "cgroup" and "name=systemd" in fields[3].split(","))), None)
    if root is None or before is None:
        raise Skip("no cgroups are mounted that systemd would use")
    made = []
    try:
        path = root
        for part in unit.split("/"):
            path += "/" + part
            if not os.path.exists(path):
                os.mkdir(path)
                made.append(path)
        with open(f"{path}/cgroup.procs", "w") as file:
            file.write(str(os.getpid()))
    except OSError as why:
        for path in reversed(made):
            os.rmdir(path)
        raise Skip(f"a cgroup cannot be made here: {why}") from None
    try:
        yield
    finally:
        with open(f"{root}{before}/cgroup.procs", "w") as file:
            file.write(str(os.getpid()))
        for path in reversed(made):
            os.rmdir(path)


def need_peerpidfd():
    """Does the kernel tell which process has connected?"""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        try:
            os.close(int.from_bytes(ours.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD, 4), "little"))
        except OSError as why:
            raise Skip(f"SO_PEERPIDFD: {why}") from None
