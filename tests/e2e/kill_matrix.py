#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""SIGKILL to each process at the system calls that it makes for each operation with a key, one kill
at a time, and what is left afterwards.

    kill_matrix.py [SECONDS]    a sample of so long; 0: all of them
        --seed N    --jobs N    --way TITLE    --victim NAME

What is killed (ways.py says what has to be true afterwards):
    command, intake, keeper, front    at each of its own calls which others can see the effect of,
                                      and at one, drawn by lot, of each row of calls between two
    stirkeepd                         while intake or the keeper is about to make such a call
    everything                        the same, and all rooms and the command with it
"""
import argparse
import collections
import json
import multiprocessing
import os
import queue
import random
import sqlite3
import sys
import time
import traceback

import kills
from bed import Bed, Litter
from stirkeep import ROOT, wait_until
from tap import Skip, case, equal, note, run
from ways import WAYS

VICTIMS = ("command", "intake", "keeper", "front", "stirkeepd", "everything")
MOMENT = 0.05  # a process is done with what it does after the answer
SHARE = 4      # of the moments of a service's death, one of so many
FAILURES_MAX = 10


class Point(collections.namedtuple("Point", "victim room call")):
    def __str__(self):
        return (f"--victim {self.victim} --at \"{self.room} {self.call.thread} {self.call.name} "
                f"{self.call.number}\"")

    @classmethod
    def of(cls, victim, text):
        room, thread, name, number = text.split()
        return cls(victim, room, kills.Call(int(thread), name, int(number), True))



class Matrix:
    """One service after the other, and what became of it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.bed = Bed(self.random)
        self.points = {}
        self.kills = collections.Counter()
        self.rounds = collections.Counter()
        self.failures = []
        self.litter = []

    # ---- one kill

    def act(self, way, is_hit):
        """Have it done, until it is or somebody was hit; the command's process."""
        command = way.command()
        if command is None:
            way.wait(is_hit)
            return None
        process = self.bed.begin(way.argv())
        wait_until("the command has ended", lambda: is_hit() or process.poll() is not None, 60, 0.002)
        end = time.monotonic() + MOMENT
        while not is_hit() and time.monotonic() < end:
            time.sleep(0.002)
        return process

    def kill_command(self, way, point):
        """Was it killed, and which processes are not to be met any more?"""
        log = f"{self.bed.logs}/log"
        return kills.killed_at(point.call, way.argv(), self.bed.environment, log) == -9, ()

    def kill_room(self, way, point):
        pid = self.bed.rooms()[point.room]
        tracer = kills.at_call(f"{self.bed.logs}/log", pid, point.call, "KILL")
        if tracer is None:
            return False, ()
        process = self.act(way, lambda: not kills.is_alive(pid))
        killed = not kills.is_alive(pid)
        tracer.end()
        if process is not None:
            process.wait(60)
        self.bed.deaths[point.room] += killed
        return killed, (pid,) if killed else ()

    def kill_service(self, way, point):
        """Hold a room at its call; then its porter dies, or everybody does."""
        rooms = self.bed.rooms()
        porter = self.bed.service.porter.pid
        tracer = kills.at_call(f"{self.bed.logs}/log", rooms[point.room], point.call, "STOP")
        if tracer is None:
            return False, ()
        process = self.act(way, lambda: tracer.said("--- stopped by SIGSTOP ---"))
        stopped = tracer.said("--- stopped by SIGSTOP ---")
        if stopped:
            kills.kill(porter)
            for pid in rooms.values() if point.victim == "everything" else ():
                kills.kill(pid)
            if point.victim == "everything" and process is not None:
                process.kill()
        tracer.end()
        kills.kill(rooms[point.room], 18)  # SIGCONT: it may go on
        if process is not None:
            process.wait(60)
        return stopped, (porter, *rooms.values()) if stopped else ()

    def kill(self, way, point):
        if point.victim == "command":
            return self.kill_command(way, point)
        if point.victim in ("stirkeepd", "everything"):
            return self.kill_service(way, point)
        return self.kill_room(way, point)

    def round(self, kind, point):
        bed = self.bed
        bed.renew()
        way = kind(bed)
        way.prepare()
        killed, dead = self.kill(way, point)
        self.kills[kind.title, point.victim] += killed
        self.rounds[kind.title, point.victim] += 1
        bed.settle(dead)
        bed.check_bystander()
        way.holds()
        bed.check_keys()
        way.finish()
        bed.settle()
        way.ended()
        try:
            bed.check_objects()
        finally:
            way.tidy()
            bed.settle()
        bed.check_objects()

    def try_round(self, kind, point):
        try:
            self.round(kind, point)
        except Litter as why:  # nothing to keep the service from going on
            self.litter.append(f"--way \"{kind.title}\" {point}: {why}")
            note(self.litter[-1])
            self.bed.sweep()
        except Exception:  # a round may fail in any way
            self.fail(f"--way \"{kind.title}\" {point}")

    def fail(self, what):
        said = self.bed.service.said()[-3000:]
        self.failures.append(f"{what}:\n{traceback.format_exc()}\n{said}")
        note(self.failures[-1])
        self.end_bed()
        self.bed = Bed(self.random)

    def end_bed(self):
        """As far as it lets itself be ended: what failed is told already."""
        for pid in self.bed.rooms().values() if self.bed.service.porter else ():
            kills.kill(pid, 18)
        try:
            self.bed.service.remove()
        except Exception:
            note(f"not removed: {traceback.format_exc()}")

    # ---- which kills

    def points_of(self, kind):
        """{victim: points} of an operation that nobody disturbs."""
        if kind.title in self.points:
            return self.points[kind.title]
        bed = self.bed
        bed.renew()
        pids = {**bed.rooms(), "stirkeepd": bed.service.porter.pid}
        way = kind(bed)
        way.prepare()
        calls = kills.calls_of_processes(f"{bed.logs}/calls", pids,
                                         lambda: self.act(way, lambda: False))
        self.end_undisturbed(way)
        if way.command() is not None:
            way = kind(bed)
            way.prepare()
            calls["command"] = kills.calls_of_command(way.argv(), bed.environment,
                                                      f"{bed.logs}/calls")
            self.end_undisturbed(way)
        points = {name: [Point(name, name, call) for call in kills.choose(calls[name], self.random)]
                  for name in calls}
        moments = [(room, call) for room in ("intake", "keeper") for call in calls[room] if call.shows]
        for victim in ("stirkeepd", "everything"):
            chosen = self.random.sample(moments, -(-len(moments) // SHARE))
            points[victim] = [Point(victim, room, call) for room, call in chosen]
        self.points[kind.title] = points
        return points

    def end_undisturbed(self, way):
        self.bed.settle()
        way.ended()
        way.tidy()
        self.bed.settle()
        self.bed.check_objects()

    # ---- runs

    def victims_of(self, kind, only):
        return [victim for victim in VICTIMS if only in (None, victim)
                and self.points_of(kind).get(victim)]

    def every(self, kind, only):
        for victim in self.victims_of(kind, only):
            points = self.points_of(kind)[victim]
            began = time.monotonic()
            for point in points:
                if len(self.failures) < FAILURES_MAX:
                    self.try_round(kind, point)
            note(f"{kind.title}, {victim}: killed at {self.kills[kind.title, victim]} of "
                 f"{len(points)} calls, in {time.monotonic() - began:.0f} s, "
                 f"{len(self.litter)} times with litter")

    def once_each(self, kind, only, end):
        for victim in self.victims_of(kind, only):
            self.one_of(kind, victim, end)

    def one_of(self, kind, victim, end):
        if time.monotonic() < end and len(self.failures) < FAILURES_MAX:
            self.try_round(kind, self.random.choice(self.points_of(kind)[victim]))

    def account(self):
        """What is true of the whole run, at its end."""
        self.bed.settle()
        self.bed.check_at_the_end()
        self.bed.service.stop()


def work(options, number, kinds, results):
    """A worker: ways from the queue, until it is empty; in a sample then at random."""
    end = time.monotonic() + options.seconds
    matrix = Matrix(f"{options.seed} {number}")
    mine = []
    try:
        while True:
            kind = kinds.get_nowait()
            if not kind.is_there(matrix.bed):
                note(f"{kind.title}: not there")
                continue
            mine.append(kind)
            if options.at:
                matrix.try_round(kind, Point.of(options.victim, options.at))
            elif options.seconds == 0:
                matrix.every(kind, options.victim)
            else:
                matrix.once_each(kind, options.victim, end)
    except queue.Empty:
        pass
    except Exception:
        matrix.fail("recording an operation")
    try:
        while mine and not options.at and time.monotonic() < end and len(matrix.failures) < FAILURES_MAX:
            kind = matrix.random.choice(mine)
            matrix.one_of(kind, matrix.random.choice(matrix.victims_of(kind, options.victim)), end)
        matrix.account()
    except Litter as why:
        matrix.litter.append(f"in the end: {why}")
        note(matrix.litter[-1])
    except Exception:
        matrix.fail("in the end")
    results.put((matrix.kills, matrix.rounds, matrix.failures + matrix.litter))
    matrix.end_bed()


def all_of(options):
    """(kills, rounds, failures) of the workers."""
    kinds, results = multiprocessing.Queue(), multiprocessing.Queue()
    for kind in WAYS:
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


def table(kills_of):
    """As docs/KEY-LIFE.md has it."""
    note("| | " + " | ".join(VICTIMS) + " | all |")
    for kind in WAYS:
        counts = [kills_of[kind.title, victim] for victim in VICTIMS]
        if sum(counts):
            note(f"| {kind.title} | " + " | ".join(map(str, counts)) + f" | {sum(counts)} |")
    note(f"{sum(kills_of.values())} kills")


@case
def whatever_is_killed_nothing_is_lost_and_in_the_end_all_is_as_it_was_to_be(options):
    if not ROOT or not kills.may_trace():
        raise Skip("needs root, strace, and a machine that lets it attach")
    began = time.monotonic()
    killed, rounds, failures = all_of(options)
    table(killed)
    note(f"in {sum(rounds.values())} operations, {time.monotonic() - began:.0f} s")
    equal(len(failures), 0, "failures")
    assert sum(killed.values()) > 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", nargs="?", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count()))
    parser.add_argument("--way")
    parser.add_argument("--victim", choices=VICTIMS)
    parser.add_argument("--at", help="only this one: ROOM THREAD CALL NUMBER, as a failure tells it")
    run(options=parser.parse_args())
