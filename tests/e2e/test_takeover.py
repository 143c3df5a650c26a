# SPDX-License-Identifier: BSD-2-Clause
"""A front that was taken over: the real one, locked down as it is, with somebody else's code in it
(tests/lockdown/takeover.c), under the real stirkeepd. It reads no key and no PIN, opens no file,
starts no program, traces nothing, and gets nothing signed that no client could ask for."""
import json
import os
import re
import shutil
import time

from built import BUILD
from stirkeep import Service, wait_until
from tap import case, contains, equal, run

SURVIVED = ("descriptors", "limits", "noise", "orders", "custody")
KILLED = ("read-pin", "read-keeper", "exec", "fork", "ptrace", "copy-keeper", "socket", "kill",
          "own-memory", "stat", "thread", "map-code", "make-code", "memfd", "tgkill", "pidfd",
          "connect", "io_uring", "bpf", "dumpable", "unshare", "cut-link", "cut-listener",
          "give-link", "block-listener")
AT_ONCE = 7  # deaths of one service, before its back-off takes long
DEATH = "front: killed by SIGSYS: a system call its filter does not allow"
RELAXED = "is not locked down"


def new_service():
    service = Service()
    shutil.copy(f"{BUILD}/tests/lockdown/takeover_front", f"{service.libexec}/stirkeep-front")
    service.plan = f"{service.libexec}/plan"
    plan(service, 9999)
    return service


def plan(service, number):
    with open(service.plan, "w") as file:
        file.write(f"{number:04d} {service.token}/pin\n")
    os.chmod(service.plan, 0o666)


class Life:
    """What the log says from here on."""

    def __init__(self, service):
        self.service = service
        self.begin = len(service.said())

    def said(self):
        return self.service.said()[self.begin:]

    def wait(self, text, limit=30):
        wait_until(text, lambda: text in self.said(), limit)
        return self.said()


def found_nothing(said):
    assert "FOUND" not in said, said


@case
def it_does_its_work_as_well(service):
    service.sign()


@case
def it_has_no_descriptors_but_its_sockets(service):
    said = service.attacks
    kinds = dict(re.findall(r"takeover: descriptor (\d+) (\w+)", said))
    log = [kinds.pop(number) for number in ("0", "1", "2")]
    equal(log, ["device", "file", "file"], "standard input, and the log")  # of this test
    equal({number: kinds.pop(number) for number in ("3", "5", "6", "7")},
          {"3": "link", "5": "listening", "6": "link", "7": "link"}, "what it was born with")
    equal(set(kinds.values()) - {"anonymous", "pipe", "socket"}, set(), "what it made")


@case
def it_can_lift_no_limit(service):
    contains(service.attacks, "takeover: more processes: Operation not permitted", "the log")


@case
def noise_and_orders_that_no_client_could_give_get_no_signature(service):
    for name in SURVIVED:
        contains(service.attacks, f"takeover: survives {name}\n", "the log")
    found_nothing(service.attacks)
    equal(service.pid("keeper"), service.keeper, "the keeper has survived")


@case
def what_it_had_signed_is_a_passport_and_in_the_trail(service):
    """A front can ask for what clients ask for: the keeper composes it, and records it."""
    forged = [json.loads(line) for line in service.records() if '"forged"' in line]
    signed = [record for record in forged if record.get("outcome") == "ok"]
    equal(len(signed), 1, "signatures of forged orders")
    equal(signed[0]["act"], "sign", "the act")


@case
def custody_is_not_the_fronts(service):
    service.sign()  # its key was not destroyed
    for line in service.records():
        assert '"destroy"' not in line, line


@case
def everything_else_ends_it(service):
    for first in range(0, len(KILLED), AT_ONCE):
        part = KILLED[first:first + AT_ONCE]
        service.stop()
        plan(service, len(SURVIVED) + first)
        life = Life(service)
        service.start(ready=False)
        for name in part:
            life.wait(f"takeover: tries {name}\n")
        wait_until("it has died of all", lambda: life.said().count(DEATH) >= len(part), 30)
        plan(service, 9999)
        found_nothing(life.said())
        for name in part:
            assert f"survives {name}\n" not in life.said(), f"{name}\n{life.said()}"
    service.stop()


@case
def what_only_other_rooms_say_ends_it_too(service):
    plan(service, len(SURVIVED) + len(KILLED))
    life = Life(service)
    service.start(ready=False)
    said = life.wait("front: says what a room does not say: killed")
    assert "refused the PIN" not in said, said
    plan(service, 9999)


@case
def afterwards_the_service_signs(service):
    wait_until("it is ready", lambda: service.cli("status", check=False).returncode == 0, 30)
    service.sign()
    equal(service.cli("audit", "verify", service.audit).returncode, 0, "the trail")


if __name__ == "__main__":
    with new_service() as the_service:
        the_service.start()
        if RELAXED in the_service.said():
            print("1..1\nok 1 - a build for sanitizers: nothing is locked down # SKIP")
        else:
            the_service.import_leaf()
            the_service.keeper = the_service.pid("keeper")
            # One life of those that it survives; the next one ends it, so it stops before.
            the_life = Life(the_service)
            plan(the_service, 0)
            the_service.kill("front")
            the_life.wait(f"takeover: survives {SURVIVED[-1]}\n", 60)
            plan(the_service, 9999)
            the_service.attacks = the_life.said()
            time.sleep(0.5)
            run(service=the_service)
