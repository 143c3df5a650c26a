#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""SIGKILL to a process at each system call that an import makes, one after the other, and what is
left afterwards.

    kill_matrix.py [SECONDS [SEED]]        a sample of so long; SECONDS 0: each call of each process

The invariant, after the service has settled: the key is whole where it was uploaded, or it signs;
and the same command given again ends with: it signs, and it is not where it was uploaded.
"""
import collections
import glob
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time

import passports
from stirkeep import ROOMS, ROOT, Service, wait_until
from tap import Skip, case, equal, note, run

VICTIMS = ("command", "intake", "keeper", "front", "stirkeepd")
WAYS = ("key", "sealed")
LEAVES = 40  # certificates made at once
CALL = re.compile(r"^\d+ +([a-z_0-9]+)\(")


class Matrix:
    def __init__(self, service, seed):
        self.service = service
        self.random = random.Random(seed)
        self.number = 0
        self.kills = dict.fromkeys(VICTIMS, 0)
        self.rounds = 0
        self.leaves = []
        self.known = {}
        self.wrapping = f"{service.base}/wrapping.pem"
        with open(self.wrapping, "w") as file:
            file.write(service.cli("show", "--wrapping-key").stdout)

    # ---- one import

    def new_leaf(self):
        if not self.leaves:
            self.leaves = [f"k{self.number + n}" for n in range(LEAVES)]
            self.number += LEAVES
            self.service.make_chain("709J", *self.leaves)
        return self.leaves.pop()

    def upload(self, leaf, way):
        """What is given to the import, and the options that give it."""
        key = f"{self.service.lab}/{leaf}.key"
        if way == "key":
            return key, ["--key", key]
        sealed = f"{self.service.lab}/{leaf}.sealed"
        self.service.cli("seal", "--to", self.wrapping, "--key", key, "--out", sealed)
        os.remove(key)
        return sealed, ["--sealed", sealed]

    def command(self, leaf, options):
        return [f"{self.service.libexec}/stirkeep", "import", leaf, "--cert",
                f"{self.service.lab}/{leaf}-chain.pem", *options]

    def strace(self, victim, command, *options):
        """Run the import with strace on the victim; was the victim killed?"""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = self.service.environment()
        if victim == "command":
            done = subprocess.run(["strace", "-f", "-qq", *options, *command], env=environment,
                                  timeout=60, **quiet)
            return done.returncode not in (0, 1)
        pid = self.service.porter.pid if victim == "stirkeepd" else self.service.pid(victim)
        tracer = subprocess.Popen(["strace", "-f", "-qq", *options, "-p", str(pid)], **quiet)
        wait_until("strace has attached", lambda: traced(pid) or tracer.poll() is not None)
        done = subprocess.Popen(command, env=environment, **quiet)
        end = time.monotonic() + 15
        while done.poll() is None and time.monotonic() < end and alive(pid):
            time.sleep(0.002)
        if not alive(pid) and victim == "stirkeepd":
            self.restart()
        done.wait(60)
        killed = not alive(pid)
        if not killed:
            tracer.terminate()
        tracer.wait(20)
        if victim == "stirkeepd" and self.service.porter.poll() is not None:
            self.restart()
        return killed

    def calls_of(self, victim, way):
        """(name, number) of each call of an import that nobody disturbs."""
        if (victim, way) not in self.known:
            leaf = self.new_leaf()
            log = f"{self.service.base}/strace.log"
            self.strace(victim, self.command(leaf, self.upload(leaf, way)[1]), "-o", log)
            with open(log) as lines:
                names = [match[1] for match in map(CALL.match, lines) if match]
            counts = collections.Counter()
            calls = []
            for name in names:
                counts[name] += 1
                calls.append((name, counts[name]))
            self.known[victim, way] = calls
        return self.known[victim, way]

    def cut(self, victim, call, command):
        return self.strace(victim, command, "-o", "/dev/null", "-e", f"trace={call[0]}", "-e",
                           f"inject={call[0]}:signal=KILL:when={call[1]}")

    # ---- the service

    def restart(self):
        """A new service: after a killed porter, and so that the rooms' back-off begins anew."""
        if self.service.porter.poll() is None:
            self.service.stop()
        else:
            self.service.porter.wait()
            self.service.stderr.close()
        wait_until("the rooms are gone", lambda: not self.rooms_left(), 20)
        self.service.start()

    def rooms_left(self):
        for link in glob.glob("/proc/[0-9]*/exe"):
            try:
                if os.readlink(link).startswith(self.service.libexec):
                    return True
            except OSError:
                continue
        return False

    def holds(self, leaf, upload, whole):
        """Does the invariant hold now? And is the key usable?"""
        signed = self.service.sign(leaf, check=False)
        end = time.monotonic() + 10
        # Not the key's fault: the keeper is starting, or a first look at the token takes its time.
        while any(word in signed.stderr for word in ("time was up", "starting")) \
                and time.monotonic() < end:
            time.sleep(0.1)
            signed = self.service.sign(leaf, check=False)
        usable = signed.returncode == 0
        if usable:
            assert passports.verifies(signed.stdout, passports.public_key(
                f"{self.service.lab}/{leaf}.pem")), f"{leaf}: a signature that does not verify"
        there = os.path.exists(upload) and open(upload, "rb").read() == whole
        assert usable or there, f"{leaf}: the key is nowhere ({signed.stderr.strip()})"
        return usable

    def round(self, victim, way, call):
        leaf = self.new_leaf()
        upload, options = self.upload(leaf, way)
        with open(upload, "rb") as file:
            whole = file.read()
        command = self.command(leaf, options)
        killed = self.cut(victim, call, command)
        self.service.wait_ready()
        try:
            self.holds(leaf, upload, whole)
            self.finish(leaf, way, upload, command)
        except AssertionError as why:
            raise AssertionError(f"{victim} killed at {call[0]} number {call[1]} of an import by "
                                 f"--{way}: {why}\n"
                                 f"{self.service.said()[-3000:]}") from None
        self.rounds += 1
        self.kills[victim] += killed
        if killed and victim in ROOMS and self.kills[victim] % 4 == 0:
            self.restart()
        return killed

    def finish(self, leaf, way, upload, command):
        """The same command again, as often as it says that it has to be: then all is done."""
        def again():
            if way == "key" and not os.path.exists(upload):
                return True  # it was cut off after its last step
            done = subprocess.run(command, env=self.service.environment(), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
            return done.returncode == 0
        wait_until(f"{leaf}: the import is done", again, 20, 0.1)
        assert self.holds(leaf, upload, b""), f"{leaf}: it does not sign in the end"
        if way == "key":
            assert not os.path.exists(upload), f"{leaf}: the key file is still there"


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def traced(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            return "TracerPid:\t0\n" not in file.read()
    except OSError:
        return True


def every_call(matrix):
    for way in WAYS:
        for victim in VICTIMS:
            calls = matrix.calls_of(victim, way)
            killed = sum(matrix.round(victim, way, call) for call in calls)
            note(f"--{way}, {victim}: killed at {killed} of {len(calls)} calls")


def sample(matrix, end):
    while time.monotonic() < end:
        victim, way = matrix.random.choice(VICTIMS), matrix.random.choice(WAYS)
        matrix.round(victim, way, matrix.random.choice(matrix.calls_of(victim, way)))


def may_trace():
    if shutil.which("strace") is None:
        return False
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-p", str(sleeper.pid)],
                                  stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        may = tracer.poll() is None
        sleeper.kill()
        tracer.wait(10)
    return may


@case
def whatever_is_killed_the_key_is_whole_or_signs_and_in_the_end_not_both(seconds, seed):
    if not ROOT or not may_trace():
        raise Skip("needs root, strace, and a machine that lets it attach")
    with Service() as service:
        service.start()
        service.import_leaf()
        matrix = Matrix(service, seed)
        try:
            if seconds > 0:
                sample(matrix, time.monotonic() + seconds)
            else:
                every_call(matrix)
        finally:
            kills = sum(matrix.kills.values())
            note(f"{kills} kills in {matrix.rounds} imports: "
                 + ", ".join(f"{victim} {count}" for victim, count in matrix.kills.items()))
        assert matrix.rounds > 0
        service.cli("audit", "verify", service.audit)
        service.stop()
        with sqlite3.connect(f"{service.state}/catalog.db") as catalog:
            equal(catalog.execute("select count(*) from intent").fetchone()[0], 0, "open intents")


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]] + [60, 20261126][len(sys.argv) - 1:]
    run(seconds=arguments[0], seed=arguments[1])
