# SPDX-License-Identifier: BSD-2-Clause
"""Hostile clients on both sockets of a running service, while a good client is served on: every
signature of its verified, in good time; afterwards no room holds more than before.

    test_abuse.py [SECONDS [SEED]]     for how long the attacks are repeated at random, and with which
                                       chance; 4 seconds by default, and a seed that is told
"""
import random
import sys
import time

import attacks
from abuse import Good, descriptors, lives, quantile
from built import UNDER, is_built_with
from passports import public_key
from stirkeep import ROOT, STRANGER, Service, wait_until
from tap import Skip, case, contains, equal, note, run, skip_under_valgrind
from tokens import resident_kib

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 4
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
# Beside a quiet service: the attacks and the good client share the processors with it.
# Half of its answers during each attack, of which some are short, and all but one in a hundred in all.
FACTOR, SPARE_HALF, SPARE = 3, 0.05, 0.15
LEAST = 0.4    # seconds that an attack goes on
FEW = 80       # descriptors: hardly more than a room needs to be born
GROWTH_KIB = 8192
EXTRA = {"sockets": {"client-timeout-ms": int(attacks.TIMEOUT * 1000)}}
GRANTS = None
if ROOT:
    GRANTS = "".join(f"[grant {name}]\nuser = {uid}\ncertificates = *\nppt = base, shaken\n"
                     f"attest = A, B, C\n" for name, uid in (("good", 0), ("hostile", STRANGER)))


class Poor(Service):
    """A service that may have few descriptors."""

    few = FEW

    def command(self):
        return ["sh", "-c", f'ulimit -n {self.few} && exec "$@"', "sh", *super().command()]


class Under:
    """What is under attack, and what was seen before."""

    def __init__(self, service):
        self.service = service
        key = public_key(f"{service.lab}/leaf-chain.pem")
        self.targets = [attacks.Target(service, key, room) for room in ("front", "intake")]
        self.chance = random.Random(SEED)
        self.good = Good(service)
        began = time.monotonic()
        old = problems = ()
        while len(old) <= 20 and not problems and time.monotonic() < began + 30:
            time.sleep(2)
            old, _, problems = self.good.since(began)
        equal(problems, [], "the good client's problems before any attack")
        assert len(old) > 20, f"the good client had {len(old)} answers"
        self.quiet_half, self.quiet = quantile(old, 0.5), quantile(old, 0.99)
        self.lives = lives(service)
        self.descriptors = descriptors(service)
        note(f"seed {SEED}; a quiet service: p50 {self.quiet_half * 1000:.1f} ms, p99 "
             f"{self.quiet * 1000:.1f} ms; descriptors {self.descriptors}")

    def attack(self, what, target):
        if what in attacks.OF_SIGN_SOCKET and not target.is_sign:
            return
        attacks.settle(target)
        began = time.monotonic()
        times = 0
        while times == 0 or time.monotonic() < began + LEAST:
            what(target, self.chance)
            times += 1
        old, new, problems = self.good.since(began)
        note(f"{what.__name__} on {target.room}, {times} times in {time.monotonic() - began:.1f} s; "
             f"the good client meanwhile: {len(old)}, p50 {quantile(old, 0.5) * 1000:.1f} ms, p99 "
             f"{quantile(old, 0.99) * 1000:.1f} ms; {len(new)} newcomers, the slowest "
             f"{quantile(new, 1) * 1000:.1f} ms")
        equal(problems, [], "the good client's problems")
        if len(old) >= 10 and not UNDER:
            assert quantile(old, 0.5) <= FACTOR * self.quiet_half + SPARE_HALF, \
                "the good client is slowed"
        equal(lives(self.service), self.lives, "process ids of the rooms")


def told(what):
    """A case for one attack, on both sockets."""
    def one(under):
        for target in under.targets:
            under.attack(what, target)
    one.__name__ = what.__name__
    return case(one)


for _attack in attacks.ALL:
    told(_attack)


@case
def again_and_again_nothing_grows(under):
    wait_until("descriptors are as before", lambda: descriptors(under.service) == under.descriptors, 10)
    before = resident_kib(under.service)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        under.attack(under.chance.choice(attacks.ALL), under.chance.choice(under.targets))
    wait_until("descriptors are as before", lambda: descriptors(under.service) == under.descriptors, 10)
    after = resident_kib(under.service)
    note(f"KiB before {before}, after {after}")
    if is_built_with("asan"):
        raise Skip("a sanitizer keeps what is freed")
    for room in before:
        assert after[room] <= before[room] * 1.1 + GROWTH_KIB, (room, before, after)


@case
def the_service_is_as_it_was(under):
    began = time.monotonic()
    wait_until("the good client goes on", lambda: len(under.good.since(began)[0]) >= 10, 10)
    under.good.end()
    old, new, problems = under.good.since(0)
    equal(problems, [], "the good client's problems in all")
    refused = under.good.refused()
    note(f"{len(old) + len(new) - refused} signatures of the good client, all verified, {refused} "
         f"refused; p50 "
         f"{quantile(old, 0.5) * 1000:.1f} ms, p99 {quantile(old, 0.99) * 1000:.1f} ms, the slowest "
         f"{quantile(old, 1) * 1000:.1f} ms")
    assert UNDER or quantile(old, 0.99) <= FACTOR * under.quiet + SPARE, "the good client was slowed"
    assert refused <= (len(old) + len(new)) / 100, "the good client was refused"
    equal(under.service.cli("status", check=False).returncode, 0, "status")
    under.service.sign()
    under.service.cli("audit", "verify", under.service.audit)


@case
def a_service_with_few_descriptors_serves_whom_it_has(under):
    skip_under_valgrind("it takes some of the descriptors for itself")
    with Poor(GRANTS, extra=EXTRA) as poor:
        poor.start()
        poor.import_leaf()
        before = lives(poor), descriptors(poor)
        key = public_key(f"{poor.lab}/leaf-chain.pem")
        for room in ("front", "intake"):
            for _ in range(3):
                attacks.descriptors_used_up(attacks.Target(poor, key, room), under.chance)
                poor.sign()
        wait_until("it is as before", lambda: (lives(poor), descriptors(poor)) == before, 5)
        equal(poor.cli("status", check=False).returncode, 0, "status")


@case
def with_too_few_descriptors_it_does_not_start_and_says_which_limit_it_is(under):
    skip_under_valgrind("it takes some of the descriptors for itself")
    with Poor(GRANTS, extra=EXTRA) as poor:
        for few in (10, FEW - 1):
            poor.few = few
            poor.start(ready=False)
            equal(poor.porter.wait(10), 1, "exit status")
            poor.porter = None
            poor.stderr.close()
            contains(poor.said(), f"no more than {few} descriptors may be open (RLIMIT_NOFILE", "the log")
            contains(poor.said(), f"and {FEW} are needed at least", "the log")


with Service(GRANTS, extra=EXTRA) as the_service:
    the_service.start()
    the_service.import_leaf()
    run(under=Under(the_service))
