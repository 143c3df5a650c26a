# SPDX-License-Identifier: BSD-2-Clause
"""A good client that goes on while others do what they should not, and what the rooms hold.

Run as a program it is that client (a process of its own, so that what this one does to others does not
count as the service's time): one line for each answer, on standard output, until standard input ends.

    abuse.py SOCKET CERTIFICATE NAME PER_SECOND
"""
import contextlib
import os
import select
import subprocess
import sys
import time

import wire
from passports import decode, public_key, verifies
from stirkeep import ROOT

LIMIT = 10.0     # seconds that anything may take before it counts as not served
REFUSED = "refused: too much to do"
NEWCOMER = 0.25  # seconds between two connections that are made to ask one thing; but a user who
                 # is the attackers' user, too, has no more places than they leave


def sign_once(connection, number, key):
    """One signature, verified; why not, else None."""
    orig = f"1215555{number % 10000:04d}"
    connection.send(wire.sign_request(number, orig=orig))
    answer = connection.receive()
    if answer is None:
        return "the connection was closed"
    if answer.id == number and answer.status in (wire.STATUS["overloaded"], wire.STATUS["deadline"]):
        return REFUSED
    if answer.id != number or answer.status != 0:
        return f"request {number}: answer {answer.id}, status {answer.status}: {answer.message}"
    if orig.encode() not in decode(answer.signed.identity.split(".")[1]):
        return f"request {number}: the answer is another one's"
    return None if verifies(answer.signed.identity, key) else f"request {number}: does not verify"


def tell(kind, began, problem):
    print(f"{kind} {began:.6f} {time.monotonic() - began:.6f} {problem or 'ok'}", flush=True)


def newcomer(path, stack):
    """As connect() does it that waits."""
    end = time.monotonic() + LIMIT
    while True:
        try:
            return stack.enter_context(wire.Connection(path, LIMIT))
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(0.002)


def try_one(connect, number, key):
    try:
        with contextlib.ExitStack() as stack:
            return sign_once(connect(stack), number, key)
    except OSError as why:
        return f"request {number}: {why}"


def be_good(path, certificate, name, per_second):
    """One connection for all requests, and now and then a new one."""
    key = public_key(certificate)
    old = wire.Connection(path, LIMIT)
    due = next_new = time.monotonic()
    number = 0
    while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
        number += 1
        due = max(due + 1 / per_second, time.monotonic() - 1)
        began = time.monotonic()
        tell("old", began, try_one(lambda stack: old, number, key))
        if ROOT and began >= next_new:
            next_new = began + NEWCOMER
            number += 1
            began = time.monotonic()
            tell("new", began, try_one(lambda stack: newcomer(path, stack), number, key))


class Good:
    """The good client's process, and what it has told."""

    def __init__(self, service, per_second=40):
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), service.sign_socket,
             f"{service.lab}/leaf-chain.pem", "Alpha", str(per_second)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.rest = ""
        self.told = []  # (kind, when, seconds, problem or "ok")

    def look(self):
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.process.stdout.fileno(), 1 << 16):
                self.rest += data.decode()
        lines = self.rest.split("\n")
        self.rest = lines.pop()
        for line in lines:
            kind, when, seconds, problem = line.split(" ", 3)
            self.told.append((kind, float(when), float(seconds), problem))

    def since(self, when):
        """(its latencies in order, those of newcomers, problems) of what began since then. That there
        is too much to do may be said, now and then: see refused()."""
        self.look()
        here = [one for one in self.told if one[1] >= when]
        return (sorted(seconds for kind, _, seconds, problem in here if kind == "old"),
                sorted(seconds for kind, _, seconds, problem in here if kind == "new"),
                [problem for _, _, _, problem in here if problem not in ("ok", REFUSED)])

    def refused(self):
        self.look()
        return sum(problem == REFUSED for _, _, _, problem in self.told)

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(2 * LIMIT)
        self.look()
        assert status == 0, f"the good client ended with {status}"


def quantile(values, part):
    return values[min(len(values) - 1, int(part * len(values)))] if values else 0.0


# ---- what rooms hold

def descriptors(service):
    """How many each room has; of rooms into which this user may not look, none."""
    counted = {}
    for room in ("front", "intake", "keeper"):
        with contextlib.suppress(PermissionError):
            counted[room] = len(os.listdir(f"/proc/{service.pid(room)}/fd"))
    return counted


def lives(service):
    return {room: service.pid(room) for room in ("front", "intake", "keeper")}


if __name__ == "__main__":
    be_good(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
