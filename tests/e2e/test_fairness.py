# SPDX-License-Identifier: BSD-2-Clause
"""Who floods waits for it alone: the others are served as if nobody did."""
import contextlib
import os
import time

from stirkeep import ROOT, STRANGER
from tap import Skip, case, equal, note, run
from tokens import ScriptedService, begin_bench, bench, end_bench

RATE = 100           # requests a second of the modest client
SECONDS = 3
FLOODS = 1, 50       # connections
# So many requests a second: three times and more of what there is.
SLOW, REAL = ("slow", ["C_Sign * delay 5"], 5000), ("real", [], 100000)
# A flood takes the processors, too; and in front of whoever comes there are always the orders that
# the keeper was given: some milliseconds' worth at the real token, part of a signature's at a slow one.
FACTOR = 2
SPARE_US = {"slow": 10000, "real": 60000}
GRANTS = "".join(f"[grant {name}]\nuser = {uid}\ncertificates = *\nppt = base, shaken\nattest = A\n"
                 for name, uid in (("modest", os.geteuid()), ("flooder", STRANGER)))


@contextlib.contextmanager
def flood(service, connections, rate, **who):
    process = begin_bench(service, connections, 1, SECONDS + 2, "--rate", str(rate), **who)
    try:
        time.sleep(1)
        yield
        equal(process.poll(), None, "the flood ended too early")
    finally:
        told = end_bench(process)
    note(f"{connections} connections flooded: {told['signatures_per_second']:.0f} a second signed, p99 "
         f"{told['p99_us']} us, {told['failed']}, {told['unsent']} not sent")


def modest(service):
    told = bench(service, 1, 1, SECONDS, "--rate", str(RATE))
    note(f"the modest one: p50 {told['p50_us']} us, p99 {told['p99_us']} us, {told['failed']}")
    equal(told["failures"], 0, "failures of the modest one")
    return told["p99_us"]


def holds(service, kind, lines, rate, floods, **who):
    service.follow(*lines)
    bench(service, 4, 16, 1)
    quiet = modest(service)
    for connections in floods:
        with flood(service, connections, rate, **who):
            flooded = modest(service)
        assert flooded <= FACTOR * quiet + SPARE_US[kind], (flooded, quiet)


@case
def one_connection_that_floods_keeps_none_of_the_same_user_waiting(service):
    for token in (SLOW, REAL):
        holds(service, *token, FLOODS[:1])


@case
def a_user_whose_many_connections_flood_keeps_no_other_user_waiting(service):
    if not ROOT:
        raise Skip("only root can be two users")
    for token in (SLOW, REAL):
        holds(service, *token, FLOODS, uid=STRANGER)


@case
def so_it_is_with_requests_that_are_refused(service):
    """Reading them takes turns, too."""
    if not ROOT:
        raise Skip("only root can be two users")
    holds(service, *REAL, FLOODS, uid=STRANGER, name="Nobody")


with ScriptedService(8, GRANTS) as the_service:
    the_service.start()
    the_service.import_leaf()
    run(service=the_service)
