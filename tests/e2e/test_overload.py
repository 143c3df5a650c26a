# SPDX-License-Identifier: BSD-2-Clause
"""Three times the load that the service can serve: what it takes is served by its deadline, the rest
is refused at once, and memory stays as it is.

    test_overload.py [SECONDS]      how long each load lasts; 60 for the figure in the documentation
"""
import sys

from stirkeep import wait_until
from tap import case, equal, note, run
from tokens import ScriptedService, bench, resident_kib

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
TIMES = 3
DEADLINE_MS = 500  # [signing] deadline-ms by default


def top_rate(service, *way):
    bench(service, *way, 1)
    return bench(service, *way, 2)["signatures_per_second"]


def overload(service, top, connections, refused_ms, *more, deadline_ms=DEADLINE_MS, served=0.9):
    told = bench(service, connections, 1, SECONDS, "--rate", str(int(TIMES * top)), *more)
    failed = told["failed_us"]
    note(f"{connections} connections, {TIMES * top:.0f} a second: {told['signatures_per_second']:.0f} "
         f"signed, p50 {told['p50_us'] / 1000:.1f} ms, p99 {told['p99_us'] / 1000:.1f} ms; "
         f"{told['failed']}, p50 {failed['p50'] / 1000:.2f} ms, p99 {failed['p99'] / 1000:.2f} ms, "
         f"longest {failed['max'] / 1000:.1f} ms")
    assert told["signatures_per_second"] >= served * top, (told["signatures_per_second"], top)
    assert told["p99_us"] <= deadline_ms * 1000, told["p99_us"]
    assert failed["p99"] <= refused_ms * 1000, failed["p99"]
    late = told["failed"].pop("deadline", 0)
    equal(set(told["failed"]), {"overloaded"}, "what failed")
    assert late <= told["signatures"] / 100, f"{late} came to their deadline"


def flat(service, load):
    """The first load makes buffers as large as they get."""
    load()
    before = resident_kib(service)
    load()
    after = resident_kib(service)
    note(f"KiB before {before}, after {after}")
    for room in before:
        assert after[room] <= before[room] * 1.1 + 8192, (room, before, after)


@case
def a_slow_token_is_asked_for_three_times_what_it_can_do(service):
    service.follow("C_Sign * delay 5")
    top = top_rate(service, 4, 16)
    flat(service, lambda: overload(service, top, 16, 5))


@case
def so_from_one_connection_and_from_many(service):
    top = top_rate(service, 4, 16)
    for connections in (1, 64):
        overload(service, top, connections, 5)


@case
def nearer_deadlines_are_kept_likewise(service):
    top = top_rate(service, 4, 16)
    overload(service, top, 16, 5, "--deadline-ms", "50", deadline_ms=50)


@case
def a_token_that_becomes_slower_is_asked_for_less(service):
    service.follow("C_Sign * delay 1")
    bench(service, 4, 16, 1)
    service.follow("C_Sign * delay 20")
    told = bench(service, 16, 1, 2, "--rate", str(int(TIMES * 4 / 0.02)))
    note(f"while it becomes so: {told['failed']}")
    overload(service, 4 / 0.02, 16, 5)


@case
def the_real_token_is_asked_for_three_times_what_it_can_do(service):
    """The client takes its share of the processors, and of the time that is told."""
    service.follow()
    top = top_rate(service, 8, 16)
    flat(service, lambda: overload(service, top, 16, 50, served=0.2))
    wait_until("it is served again", lambda: service.sign(check=False).returncode == 0, 5)


with ScriptedService(4) as the_service:
    the_service.start()
    the_service.import_leaf()
    run(service=the_service)
