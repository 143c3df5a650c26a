#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""SIGKILL to each process at the system calls that it makes for each operation with a key, one kill
at a time, and what is left afterwards.

    kill_matrix.py [SECONDS]    a sample of so long; 0: all of them
        --seed N    --jobs N    --way TITLE    --victim NAME    --at "ROOM THREAD CALL NUMBER"

What is killed (ways.py says what has to be true afterwards):
    command, intake, keeper, front    at each of its own calls that others can see the effect of; of
                                      the rows of other calls between two of these, which leave
                                      nothing else behind than the next one would, at one call,
                                      drawn by lot, of each third row
    stirkeepd                         while intake or the keeper is about to make such a call: at
                                      each fourth of these moments, drawn by lot
    everything                        the same, all rooms and the command with it
"""
import argparse
import collections
import multiprocessing
import os
import queue
import signal
import sys
import time

import kills
from matrix import VICTIMS, Matrix, Point
from tap import case, equal, note, run
from ways import UNDOING, WAYS

KINDS = WAYS + UNDOING
FAILURES_MAX = 10


class Worker:
    """A matrix of its own: ways from a queue until it is empty; in a sample then at random."""

    def __init__(self, options, number):
        self.options = options
        self.matrix = Matrix(f"{options.seed} {number}")
        self.end = time.monotonic() + options.seconds if options.seconds else None
        self.mine = []

    def has_time(self):
        return len(self.matrix.failures) < FAILURES_MAX and \
            (self.end is None or time.monotonic() < self.end)

    def victims_of(self, kind):
        return [victim for victim in VICTIMS if self.options.victim in (None, victim)
                and self.matrix.points_of(kind).get(victim)]

    def every(self, kind):
        for victim in self.victims_of(kind):
            points = self.matrix.points_of(kind)[victim]
            began = time.monotonic()
            for point in points:
                if self.has_time():
                    self.matrix.try_round(kind, point)
            note(f"{kind.title}, {victim}: killed at {self.matrix.kills[kind.title, victim]} of "
                 f"{len(points)} calls, in {time.monotonic() - began:.0f} s")

    def one(self, kind, victim):
        if self.has_time():
            self.matrix.try_round(kind, self.matrix.random.choice(
                self.matrix.points_of(kind)[victim]))

    def take(self, kind):
        self.mine.append(kind)
        if self.options.at:
            self.matrix.try_round(kind, Point.of(self.options.victim, self.options.at))
        elif self.end is None:
            self.every(kind)
        else:
            for victim in self.victims_of(kind):
                self.one(kind, victim)

    def work(self, kinds):
        try:
            while self.has_time():
                self.take(kinds.get_nowait())
        except queue.Empty:
            pass
        while self.mine and self.end is not None and not self.options.at and self.has_time():
            kind = self.matrix.random.choice(self.mine)
            self.one(kind, self.matrix.random.choice(self.victims_of(kind)))
        self.matrix.account()


def work(options, number, kinds, results):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    worker = Worker(options, number)
    matrix = worker.matrix
    try:
        worker.work(kinds)
    except Exception:  # of a recording, or of the account in the end
        matrix.fail("outside of a kill")
    finally:
        results.put((matrix.kills, matrix.rounds, matrix.failures))
        matrix.end_bed()


def all_of(options):
    """(kills, operations, failures) of the workers."""
    kinds, results = multiprocessing.Queue(), multiprocessing.Queue()
    for kind in KINDS:
        if options.way in (None, kind.title):
            kinds.put(kind)
    workers = [multiprocessing.Process(target=work, args=(options, number, kinds, results))
               for number in range(options.jobs)]
    for worker in workers:
        worker.start()
    told = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    return (sum((one[0] for one in told), collections.Counter()),
            sum((one[1] for one in told), collections.Counter()),
            [failure for one in told for failure in one[2]])


def table(killed):
    """As docs/KEY-LIFE.md has it."""
    note("| | " + " | ".join(VICTIMS) + " | all |")
    note("|---|" + "---:|" * (len(VICTIMS) + 1))
    for kind in KINDS:
        counts = [killed[kind.title, victim] for victim in VICTIMS]
        if sum(counts):
            note(f"| {kind.title} | " + " | ".join(map(str, counts)) + f" | {sum(counts)} |")
    totals = [sum(killed[kind.title, victim] for kind in KINDS) for victim in VICTIMS]
    note("| all | " + " | ".join(map(str, totals)) + f" | {sum(totals)} |")


@case
def whatever_is_killed_nothing_is_lost_and_in_the_end_all_is_as_it_was_to_be(options):
    kills.need_tracer()
    began = time.monotonic()
    killed, rounds, failures = all_of(options)
    table(killed)
    note(f"{sum(killed.values())} kills in {sum(rounds.values())} operations, "
         f"{time.monotonic() - began:.0f} s")
    if options.seconds and not options.at:
        missed = [f"{kind.title}/{victim}" for kind in KINDS for victim in VICTIMS
                  if not rounds[kind.title, victim] and options.way in (None, kind.title)]
        note(f"not in this sample, or not to be had: {', '.join(missed)}")
    equal(len(failures), 0, "failures")
    assert sum(killed.values()) > 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", nargs="?", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count()))
    parser.add_argument("--way")
    parser.add_argument("--victim", choices=VICTIMS)
    parser.add_argument("--at", help="only this one, as a failure tells it")
    run(options=parser.parse_args())
