#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Everything at once, for a long time, drawn by lot:

    soak.py [SECONDS [SEED [FAULT...]]]      120 seconds; 1800 before a release

While libstirkeep's clients sign (every signature is verified), storms and calms take turns. In both,
certificates are replaced, names imported, the configuration is read again, strangers send noise, the
trail begins new files; in a storm rooms are killed too, the token fails, and one stirkeepd takes over
from another. In a calm nothing may grow: descriptors, memory, the token's sessions. At the end the
trail is verified, and has every signature that was given out. FAULT: further actions of wrap.so for
C_Sign ("wrong"), where the keeper is to find them out.
"""
import collections
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

import steady
from built import is_built_with
from handover import take_over
from leaves import Issuer
from stirkeep import ROOMS, wait_until
from tap import case, equal, note, run
from tokens import ScriptedService

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 120
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
MORE_FAULTS = sys.argv[3:]
NAMES = ["Alpha", "Beta", "Gamma"]
KEPT = 2  # generations of a name
SETTLE = 6  # seconds of a calm before it is measured
EXTRA = {"signing": {"deadline-ms": "5000"},
         "token": {"call-timeout-ms": "1000"},
         "audit": {"rotate-size": "1M", "compress": "no", "seal-seconds": "2"}}
# What a client may be told in a storm, when a token fails at its very request.
TOLD = {"unavailable", "token-error", "deadline", "overloaded", "timeout", "key-unavailable",
        "token-locked", "audit-unavailable", "internal"}
FAULTS = ["C_Sign 1-3 return 0x30", "C_Sign 1-2 return 0x32", "C_Sign 1 hang", "C_Sign 1 crash",
          "C_Sign 1-20 delay 50", "C_SignInit 1-3 return 0xb3", "C_SignInit 1 logout",
          "C_SignInit 1 sessions", "C_OpenSession 1-5 return 0xb1", "C_FindObjectsInit 1-3 return 0x30",
          "C_CopyObject 1-2 return 0x31", "C_Sign 5-9 short", "C_Sign 3 empty",
          *(f"C_Sign 2-4 {fault}" for fault in MORE_FAULTS)]

Sample = collections.namedtuple("Sample", "pid descriptors resident sessions")


class Soak:
    def __init__(self, service):
        self.service = service
        self.chance = random.Random(SEED)
        self.done = collections.Counter()
        self.failed = collections.Counter()
        self.number = 0
        self.left = set()
        self.text = open(service.config).read()
        self.samples = []
        self.issuer = Issuer(service.lab)

    # ---- what happens

    def import_as(self, name):
        """A certificate with a new key; False when a storm kept it from going in."""
        self.number += 1
        leaf = f"leaf-{self.number}"
        self.issuer.files(self.issuer.leaf(), leaf)
        steady.publish(self.service, leaf)
        done = self.service.import_leaf(name, leaf, check=False)
        for end in ("-chain.pem", ".pem", ".key"):
            if os.path.exists(f"{self.service.lab}/{leaf}{end}"):
                os.unlink(f"{self.service.lab}/{leaf}{end}")
        return done.returncode == 0

    def rotate_key(self):
        name = self.chance.choice(NAMES)
        return self.import_as(name) and self.destroy_former(name)

    def generations(self, name):
        """The newest first; None: it cannot be told."""
        shown = self.service.cli("show", name, "--json", check=False)
        if shown.returncode != 0:
            return [] if "no certificate is held under this name" in shown.stderr else None
        return json.loads(shown.stdout)["generations"]

    def destroy_former(self, name):
        """All that nobody would roll back to: keys that are kept are no growth that can be told from
        one that should not be."""
        generations = self.generations(name)
        if generations is None:
            return False
        old = [one["key_id"] for one in generations[KEPT:]
               if one["state"] in ("previous", "retired")]
        return all(self.service.cli("destroy", name, "--key-id", key_id, "--yes",
                                    check=False).returncode == 0 for key_id in old)

    def import_new(self):
        name = f"more-{self.number}"
        self.left.add(name)
        return self.import_as(name) and self.destroy_left()

    def destroy_left(self):
        """Names that were imported, or may have been, and are of no further use."""
        for name in sorted(self.left):
            self.service.cli("destroy", name, "--yes", check=False)
            generations = self.generations(name)
            if generations is not None and all(one["state"] == "destroyed" for one in generations):
                self.left.discard(name)
        return not self.left

    def reload(self):
        with open(f"{self.service.config}.new", "w") as out:
            out.write(f"{self.text}[certificate none-{self.chance.randrange(1000)}]\nrate = 10\n")
        os.rename(f"{self.service.config}.new", self.service.config)
        return self.service.cli("reload", check=False).returncode == 0

    def noise(self):
        """Strangers who connect and talk nonsense, or stop half-way."""
        for _ in range(10):
            path = self.chance.choice((self.service.sign_socket, self.service.admin_socket))
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.settimeout(1)
                try:
                    stranger.connect(path)
                    stranger.send(self.chance.randbytes(self.chance.randrange(1, 2000)))
                except OSError:
                    pass
        return True

    def kill_room(self):
        pid = self.service.pid(self.chance.choice(list(ROOMS)))
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        return pid is not None

    def token_fault(self):
        self.service.follow(self.chance.choice(FAULTS))
        time.sleep(self.chance.uniform(0.2, 1))
        self.service.follow()
        return True

    def hand_over(self):
        try:
            take_over(self.service)
        except (AssertionError, subprocess.TimeoutExpired):
            # A room was down, or the token failed at it: one of the two serves.
            assert self.service.porter.poll() is None, self.service.said()[-3000:]
            return False
        return True

    CALM = (rotate_key, import_new, reload, noise, noise)
    STORM = (*CALM, kill_room, kill_room, token_fault, token_fault, hand_over)

    def something(self, of):
        what = self.chance.choice(of)
        counts = self.done if what(self) else self.failed
        counts[what.__name__.replace("_", " ")] += 1

    def go_on(self, of, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.something(of)
            time.sleep(self.chance.uniform(0.1, 1))

    # ---- what must not grow

    def sample(self):
        sessions = self.service.called("C_OpenSession") - self.service.called("C_CloseSession")
        pids = {room: self.service.pid(room) for room in ROOMS}
        pids["stirkeepd"] = self.service.porter.pid
        found = {}
        for name, pid in pids.items():
            with open(f"/proc/{pid}/status") as file:
                resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
            found[name] = Sample(pid, len(os.listdir(f"/proc/{pid}/fd")), resident, sessions)
        return found

    def least(self, seconds=3):
        """Of several looks, the least of each: descriptors of a connection that is just being closed
        are no growth."""
        looks = []
        for _ in range(seconds * 4):
            looks.append(self.sample())
            time.sleep(0.25)
        return {name: Sample(looks[-1][name].pid, *(min(look[name][i] for look in looks)
                                                    for i in (1, 2, 3))) for name in looks[0]}

    def calm(self, seconds):
        self.service.follow()
        wait_until("the service is ready", lambda: self.service.cli(
            "status", check=False).returncode == 0, 60, 0.1)
        wait_until("what the storm left is destroyed", lambda: self.destroy_left() and all(
            [self.destroy_former(name) for name in NAMES]), 60, 0.5)
        self.go_on(self.CALM, SETTLE)
        first = self.least()
        self.go_on(self.CALM, max(1, seconds - SETTLE - 6))
        last = self.least()
        for name, before in first.items():
            after = last[name]
            equal(after.pid, before.pid, f"{name} ended by itself\n{self.service.said()[-3000:]}")
            assert after.descriptors <= before.descriptors, \
                f"{name}: {before.descriptors} descriptors became {after.descriptors}"
            assert after.sessions <= before.sessions, \
                f"the token's sessions: {before.sessions} more than closed became {after.sessions}"
        self.samples.append((first, last))

    def tell_samples(self):
        """Memory of the rooms at the end of each calm: what the first ones learn is not growth, what
        goes on growing is."""
        for name in self.samples[0][0]:
            note(f"{name}: KiB resident at the end of each calm: "
                 f"{[last[name].resident for _, last in self.samples]}, growth in each: "
                 f"{[last[name].resident - first[name].resident for first, last in self.samples]}; "
                 f"descriptors: {sorted({last[name].descriptors for _, last in self.samples})}")

    def check_memory(self):
        for name in self.samples[0][0]:
            ends = [last[name].resident for _, last in self.samples]
            half = len(ends) // 2
            if half == 0:
                continue
            early, late = min(ends[:half]), min(ends[half:])
            assert late < early * 1.1 + 1024, f"{name}: {early} KiB became {late} KiB"


@case
def everything_at_once_and_nothing_is_wrong_lost_or_left_behind(service):
    soak = Soak(service)
    round_seconds = 60 if SECONDS <= 600 else 120
    rounds = max(1, SECONDS // round_seconds)
    note(f"seed {SEED}, {rounds} rounds of {round_seconds} s")
    load = steady.Load(service, names=",".join(NAMES), rate=200)
    try:
        for _ in range(rounds):
            soak.go_on(soak.STORM, round_seconds / 2)
            soak.calm(round_seconds / 2)
    finally:
        figures = load.end()
        note(steady.told(figures))
        note(f"done: {dict(soak.done)}")
        note(f"not done (a storm was in the way): {dict(soak.failed)}")
    soak.tell_samples()
    if not is_built_with("asan"):
        soak.check_memory()
    assert set(figures["refused"]) <= TOLD, figures["refused"]
    failures = sum(figures["refused"].values())
    with open(load.said_file, errors="replace") as said:
        for line, count in collections.Counter(said).most_common(10):
            note(f"{count} times {line.strip()}")
    note(f"failures that a client saw: {failures} of {figures['asked']}; token faults: "
         f"{soak.done['token fault']}, rooms killed: {soak.done['kill room']}")
    assert failures < figures["asked"] / 50, figures["refused"]
    note(service.cli("audit", "verify", *steady.trail_files(service)).stdout.strip())
    load.check_trail()
    for name in NAMES:
        service.sign(name)


if __name__ == "__main__":
    with ScriptedService(extra=EXTRA) as the_service:
        the_service.start()
        steady.publish(the_service)
        the_service.import_leaf()
        the_service.make_chain("709J", "beta", "gamma")
        for the_name in ("beta", "gamma"):
            steady.publish(the_service, the_name)
            the_service.import_leaf(the_name.capitalize(), the_name)
        run(service=the_service)
