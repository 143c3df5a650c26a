# SPDX-License-Identifier: BSD-2-Clause
"""One kill after the other: which there are, how one goes, and what became of it."""
import collections
import random
import time
import traceback

import kills
from bed import Bed
from stirkeep import wait_until
from tap import note

VICTIMS = ("command", "intake", "keeper", "front", "stirkeepd", "everything")
MOMENT = 0.05  # a process is done with what it does after the answer
SHARE = 4  # of the moments of a service's death, one of so many


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

    # ---- one kill

    def act(self, way, is_hit):
        """Have it done, until it is or somebody was hit; the command's process."""
        process = None
        if way.starts() is None:
            way.wait(is_hit)
        else:
            process = self.bed.begin(way.argv())
            wait_until("the command has ended",
                       lambda: is_hit() or process.poll() is not None, 60, 0.002)
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

    def kill_newborn(self, way, point):
        """A room that is to be born: the porter is traced, which stands still until then."""
        porter = self.bed.service.porter.pid
        tracer = kills.newborn_at_call(f"{self.bed.logs}/log", porter, point.call, "KILL")
        self.act(way, tracer.killed)
        tracer.end()
        dead = tracer.killed()
        if porter in dead:  # it makes such calls, too
            dead.update(self.bed.rooms().values())
        self.bed.deaths[way.newborn] += 1
        return bool(dead), dead

    def kill_service(self, way, point):
        """Hold a room at its call; then its porter dies, or everybody does."""
        rooms = self.bed.rooms()
        porter = self.bed.service.porter.pid
        tracer = kills.at_call(f"{self.bed.logs}/log", rooms[point.room], point.call, "STOP")
        if tracer is None:
            return False, ()
        process = self.act(way, tracer.has_stopped)
        stopped = tracer.has_stopped()
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
        if point.room == way.newborn:
            return self.kill_newborn(way, point)
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
        bed.check_objects()
        way.tidy()
        bed.settle()
        bed.check_objects()

    def try_round(self, kind, point):
        try:
            self.round(kind, point)
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
        way = kind(bed)
        way.prepare()
        pids = {**bed.rooms(), "stirkeepd": bed.service.porter.pid}
        calls = kills.calls_of_processes(f"{bed.logs}/calls", pids,
                                         lambda: self.act(way, lambda: False),
                                         "stirkeepd", way.newborn)
        self.end_undisturbed(way)
        if way.starts() is not None:
            way = kind(bed)
            way.prepare()
            calls["command"] = kills.calls_of_command(way.argv(), bed.environment,
                                                      f"{bed.logs}/calls")
            self.end_undisturbed(way)
        points = {name: [Point(name, name, call) for call in kills.choose(calls[name], self.random)]
                  for name in calls}
        moments = [(room, call) for room in ("intake", "keeper") if room != way.newborn
                   for call in calls[room] if call.shows]
        for victim in ("stirkeepd", "everything"):
            chosen = self.random.sample(moments, -(-len(moments) // SHARE))
            points[victim] = [Point(victim, room, call) for room, call in chosen]
        self.points[kind.title] = points
        return points

    def end_undisturbed(self, way):
        self.bed.settle()
        if way.newborn is not None:
            way.finish()
        way.ended()
        way.tidy()
        self.bed.settle()
        self.bed.check_objects()

    def account(self):
        """What is true of the whole run, at its end."""
        self.bed.settle()
        self.bed.check_at_the_end()
