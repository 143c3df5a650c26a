# SPDX-License-Identifier: BSD-2-Clause
"""Throw-away services (`stirkeep lab`), started from an installation of a test's own, by root or by
an ordinary user, and what is left of them."""
import glob
import os
import shutil
import subprocess
import tempfile

from built import BUILD
from stirkeep import CLI, PORTER, ROOMS, ROOT, STRANGER, wait_until

SIGN = ("--orig", "12155551212", "--dest", "12155551213", "--attest", "A")


class Installation:
    """Programs where everybody reaches them, and a temporary directory."""

    def __init__(self):
        self.base = tempfile.mkdtemp(prefix="lab-test-")
        os.chmod(self.base, 0o755)
        for directory in ("bin", "sbin", "libexec/stirkeep", "tmp"):
            os.makedirs(f"{self.base}/{directory}", mode=0o755)
        shutil.copy(CLI, f"{self.base}/bin")
        shutil.copy(PORTER, f"{self.base}/sbin")
        for room in ROOMS:
            shutil.copy(f"{BUILD}/src/{room}/stirkeep-{room}", f"{self.base}/libexec/stirkeep")
        self.program = f"{self.base}/bin/stirkeep"
        self.tmp = f"{self.base}/tmp"
        os.chmod(self.tmp, 0o1777)
        self.started = []

    def remove(self):
        for lab in self.started:  # a case that failed leaves it running
            if lab.poll() is None:
                lab.kill()
                lab.wait()
        shutil.rmtree(self.base)

    def settings(self, ordinary=True, **environment):
        """Keywords for subprocess: the environment, and (run by root) the user."""
        known = {"PATH": f"{self.base}/bin:/usr/bin:/bin", "LANG": "C", "HOME": "/nonexistent",
                 "TMPDIR": self.tmp, **environment}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                known[name] = os.environ[name]
        user = {"user": STRANGER, "group": STRANGER, "extra_groups": []} if ROOT and ordinary else {}
        return {"env": known, "cwd": self.tmp, **user}

    def run(self, *arguments, ordinary=True, timeout=60, stdin=subprocess.DEVNULL, **environment):
        return subprocess.run([self.program, "lab", *arguments], stdin=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                              **self.settings(ordinary, **environment))

    def start(self, *arguments, ordinary=True, **keys):
        self.started.append(subprocess.Popen(
            [self.program, "lab", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, **{"stdin": subprocess.DEVNULL, **self.settings(ordinary), **keys}))
        return self.started[-1]

    def left(self):
        return sorted(os.listdir(self.tmp))

    def running(self):
        """Processes of its programs, and those that were started with its settings."""
        mark, found = self.base.encode(), []
        for path in glob.glob("/proc/[0-9]*"):
            texts = b""
            for name in ("cmdline", "environ"):
                try:
                    with open(f"{path}/{name}", "rb") as file:
                        texts += file.read()
                except OSError:  # gone, or a room's, which nobody may look into
                    continue
            if mark in texts:
                found.append(int(path.split("/")[2]))
        return found

    def nothing_is_left(self, processes=()):
        wait_until(f"the processes {sorted(processes)} are gone",
                   lambda: not any(map(is_alive, processes)), 8)
        wait_until(f"the temporary directory is empty: {self.left()}", lambda: not self.left(), 8)


def stat_of(pid):
    """(parent, when it began, state) of a process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[1]), int(fields[19]), fields[0]


def tree(pid):
    """{(pid, when it began)} of a process and all below it."""
    stats = {int(path.split("/")[2]): None for path in glob.glob("/proc/[0-9]*")}
    stats = {one: stat for one in stats if (stat := stat_of(one)) is not None}
    found, new = set(), {pid}
    while new:
        found |= new
        new = {one for one, stat in stats.items() if stat[0] in found} - found
    return {(one, stats[one][1]) for one in found if one in stats}


def is_alive(process):
    stat = stat_of(process[0])
    return stat is not None and stat[1] == process[1] and stat[2] != "Z"


def guardian_of(lab):
    """The process id of the child of a lab."""
    def find():
        return [pid for pid, _ in tree(lab.pid) if (stat_of(pid) or (0,))[0] == lab.pid]
    return wait_until("there is a guardian", find)[0]
