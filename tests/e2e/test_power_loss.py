#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The power goes at the calls by which a key's ways (ways.py) get onto the disk, one after the other,
and only what was on the disk then is there afterwards.

    test_power_loss.py [SECONDS]    a sample of so long; 0: each call, in each mode
        --seed N    --way TITLE    --kind KIND    --mode MODE

Token, catalog, audit trail and uploads are on an ext4 image of their own. At the cut one thread is
at the beginning of a call, or it is any moment; all processes are killed, and the file system is
shut down by the ioctl that file systems have for such tests: what the kernel had not given to the
device is gone. The rest is mounted again, and the service started on it.
"""
import argparse
import glob
import os
import random
import shutil
import sqlite3
import tempfile
import time
import traceback

import kills
import storage
from bed import Bed
from disk import KINDS, Disk, DoublyClaimed
from stirkeep import FOUND, wait_until
from tap import Skip, case, equal, note, run
from ways import WAYS

AWAY = ("libexec", "strace", "service.log")  # what is not to be lost of a service's directory
ROUNDS = 100  # on one disk; then a fresh one
REMEMBERED = 4  # ways that ended before the cut: nothing of them may be lost by it
MOMENTS = 40  # cuts at any moment, of each way in each mode, when all is run
FAILURES_MAX = 10
CUT_AT = ("write", "pwrite64", "ftruncate", "fallocate", "fsync", "fdatasync", "rename", "renameat",
          "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "openat")
# What has reached the disk beside what was synced: nothing; all names and lengths, but not what is
# in the files; some pages of some files; everything.
MODES = ("synced", "metadata", "some", "all")


class Machine:
    """A service on a disk that loses its power."""

    def __init__(self, kind, seed):
        self.random = random.Random(seed)
        self.remembered = []  # (way, what was true of its name in the end)
        self.bed = Bed(self.random)
        self.disk, self.away = None, tempfile.mkdtemp(prefix="stirkeep-away-")
        try:
            self.move(kind)
        except BaseException:
            self.remove()
            raise

    def move(self, kind):
        service = self.bed.service
        service.stop()
        os.chmod(self.away, 0o711)
        for name in AWAY:
            shutil.move(f"{service.base}/{name}", f"{self.away}/{name}")
            os.symlink(f"{self.away}/{name}", f"{service.base}/{name}")
        self.disk = Disk(kind)
        self.disk.move(service.base)
        service.start()
        self.disk.sync()

    def prepare(self, kind):
        """A way whose uploads are on the disk before anything is told of them."""
        way = kind(self.bed)
        way.prepare()
        self.sync_uploads(way)
        if hasattr(way, "begin"):
            begin = way.begin
            way.begin = lambda: (begin(), self.sync_uploads(way))
        return way

    def sync_uploads(self, way):
        service = self.bed.service
        places = [service.incoming, service.staging, self.bed.uploads]
        for place in (way.directory, getattr(way, "upload", way.directory)):
            if os.path.isdir(place):
                places += [place, *(entry.path for entry in os.scandir(place))]
        for path in places:
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError:  # it is imported already
                continue
            os.fsync(descriptor)
            os.close(descriptor)

    def cut(self, mode, processes):
        for pid in processes:
            kills.kill(pid)
        if mode == "all":
            self.disk.sync()
        elif mode == "some":
            self.disk.write_some(self.random)
        self.disk.cut(mode == "metadata" or (mode == "some" and self.random.random() < 0.3))
        # A room that the porter had started anew before it died itself.
        wait_until("all processes are gone", self.nobody_lives, 10)

    def nobody_lives(self):
        nobody = True
        for link in glob.glob("/proc/[0-9]*/exe"):
            try:
                if os.readlink(link).startswith(f"{self.away}/libexec/stirkeep-"):
                    nobody = False
                    kills.kill(int(link.split("/")[2]))
            except OSError:  # it has gone
                pass
        return nobody

    def start(self):
        """The machine starts again, and stirkeepd on it."""
        service = self.bed.service
        service.porter.wait(20)
        service.stderr.close()
        service.porter = None
        self.disk.again()
        service.start()
        self.bed.settle()

    def look(self):
        """What was done before the cut is done still, and all files are in order."""
        bed = self.bed
        with sqlite3.connect(f"file:{bed.service.state}/catalog.db?mode=ro", uri=True) as catalog:
            equal(catalog.execute("pragma integrity_check").fetchall(), [("ok",)], "the catalog")
            equal(catalog.execute("pragma foreign_key_check").fetchall(), [], "the catalog")
        catalog.close()
        bed.check_bystander()
        for way, was in self.remembered:
            equal(self.truth_of(way), was, f"{way.name}, which was done before")
        bed.check_keys()
        bed.check_trail()

    def truth_of(self, way):
        return self.bed.states(way.name), self.bed.signs(way.name)

    def remember(self, way):
        self.remembered.append((way, self.truth_of(way)))
        if len(self.remembered) > REMEMBERED:
            self.remembered.pop(0)[0].tidy()

    def remove(self):
        service = self.bed.service
        if service.porter is not None and service.porter.poll() is not None:
            service.porter = None
        service.stop()
        said = service.said()
        if self.disk is not None:
            self.disk.remove()
        shutil.rmtree(service.base)
        shutil.rmtree(self.away)
        assert not FOUND.search(said), said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class Cuts:
    """Machines, one after the other, and what became of them."""

    def __init__(self, disk, options):
        self.disk, self.options = disk, options
        self.random = random.Random(f"{options.seed} {disk}")
        self.machine = None
        self.known, self.failures = {}, []
        self.machines = self.rounds = self.at_call = self.answered = self.spoilt = 0

    def ready(self):
        if self.machine is None:
            self.machines += 1
            self.machine = Machine(self.disk, self.random.random())
        return self.machine

    def close(self):
        if self.machine is not None:
            try:
                self.machine.bed.settle()
                self.machine.bed.check_at_the_end()
            except Exception:
                self.fail("in the end")
                return
            machine, self.machine = self.machine, None
            machine.remove()

    def kinds(self):
        return [kind for kind in WAYS if self.options.way in (None, kind.title)]

    def modes(self):
        return [mode for mode in MODES if self.options.mode in (None, mode)]

    def calls_of(self, kind):
        if kind not in self.known:
            machine = self.ready()
            try:
                calls = storage.calls_of(machine.bed, kind, machine.disk.mounted)
            except Exception:
                self.fail(f"{kind.title}, undisturbed")
                raise
            self.known[kind] = [call for who in storage.WHO for call in calls[who]
                                if call.name in CUT_AT and (call.name != "openat" or call.creates)]
        return self.known[kind]

    def round(self, kind, mode, call):
        """`call` None: at any moment."""
        if self.rounds % ROUNDS == ROUNDS - 1:
            self.close()
        what = f"--kind {self.disk} --mode {mode} --way \"{kind.title}\", at {call or 'a moment'}"
        machine = self.ready()
        try:
            way = machine.prepare(kind)
            came, done = self.disturb(machine, way, mode, call)
            machine.start()
            way.holds()
            machine.look()
            if done is None or done.returncode != 0:
                way.finish()
                machine.bed.settle()
            way.ended()  # without a further command when it had said that all was done
            machine.remember(way)
            machine.bed.check_objects()
        except DoublyClaimed:
            self.spoilt += 1
            self.drop()
            return False
        except Exception:  # a round may fail in any way
            if self.disk == "no-journal" and machine.disk.lost_names:
                note(f"{what}: something is missing, and the file system lost names")
                self.spoilt += 1
                self.drop()
            else:
                self.fail(what)
            return False
        self.rounds += 1
        self.at_call += came
        self.answered += done is not None and done.returncode == 0
        return came

    def disturb(self, machine, way, mode, call):
        bed = machine.bed
        processes = [bed.service.porter.pid, *bed.rooms().values()]
        log = f"{bed.logs}/cut"
        if call is not None:
            disturbed = storage.Disturbed(bed, way, call.who, log, storage.inject(
                call, f"signal=KILL:when={call.number}"), call.thread)
            came = disturbed.wait()
        else:
            disturbed = storage.Disturbed(bed, way, "command", log, ("-e", "trace=none"))
            if hasattr(way, "begin"):
                way.begin()
            time.sleep(self.random.uniform(0, 0.2))
            came = False
        ended = disturbed.process is not None and disturbed.process.poll() is not None
        machine.cut(mode, processes)
        done = disturbed.end(at_once=True)
        return came, done if ended else None

    def fail(self, what):
        self.failures.append(f"{what}: {traceback.format_exc()}")
        note(f"{self.failures[-1]}\n{self.machine.bed.service.said()[-20000:]}")
        self.drop()

    def drop(self):
        machine, self.machine = self.machine, None
        try:
            machine.remove()
        except Exception:
            note(f"not removed: {traceback.format_exc()}")

    # ---- runs

    def sample(self, end):
        kinds, modes = self.kinds(), self.modes()
        self.random.shuffle(kinds)
        while time.monotonic() < end and len(self.failures) < FAILURES_MAX:
            kind = kinds[self.rounds % len(kinds)]
            calls = self.calls_of(kind)
            at = [self.random.choice(calls) for _ in range(4 if calls else 0)] + [None]
            for call in at:
                if time.monotonic() < end:
                    self.round(kind, self.random.choice(modes[:1] * 3 + modes), call)

    def every(self):
        for kind in self.kinds():
            for mode in self.modes():
                began, calls = time.monotonic(), self.calls_of(kind)
                came = 0
                for call in calls + [None] * MOMENTS:
                    if len(self.failures) < FAILURES_MAX:
                        came += self.round(kind, mode, call)
                note(f"{self.disk}, {kind.title}, {mode}: cut at {came} of {len(calls)} calls and at "
                     f"{MOMENTS} moments, in {time.monotonic() - began:.0f} s")


def cut_on(kind, options):
    kills.need_tracer()
    if options.kind not in (None, kind):
        raise Skip("not asked for")
    cuts = Cuts(kind, options)
    try:
        if options.seconds > 0:
            cuts.sample(time.monotonic() + options.seconds / len(KINDS))
        else:
            cuts.every()
        cuts.close()
    finally:
        note(f"{kind}, seed {options.seed}: {cuts.rounds} cuts, {cuts.at_call} of them at a call, "
             f"{cuts.answered} after the command had said that all was done; on {cuts.machines} disks, "
             f"{cuts.spoilt} of which their file system spoilt")
        if cuts.machine is not None:
            cuts.machine.remove()
    equal(len(cuts.failures), 0, "failures")
    assert cuts.rounds > 2 * cuts.spoilt, "hardly any cut leaves a file system that is one"


@case
def what_nobody_synced_is_gone_after_a_cut(**_):
    for kind in KINDS:
        with Disk(kind) as disk:
            with open(f"{disk.mounted}/synced", "w") as file:
                file.write("here")
                file.flush()
                os.fsync(file.fileno())
            with open(f"{disk.mounted}/unsynced", "w") as file:
                file.write("gone")
            with open(f"{disk.mounted}/synced", "a") as file:
                file.write("gone too")
            disk.cut()
            disk.again()
            with open(f"{disk.mounted}/synced") as file:
                equal(file.read(), "here", kind)
            if os.path.exists(f"{disk.mounted}/unsynced"):
                equal(os.path.getsize(f"{disk.mounted}/unsynced"), 0, kind)


@case
def a_room_whose_syncs_do_nothing_is_found_out(**_):
    kills.need_tracer()
    for kind in KINDS:
        for who, call in (("keeper", "fsync"), ("intake", "fdatasync")):
            with Machine(kind, 1) as machine:
                way = machine.prepare(WAYS[0])
                bed = machine.bed
                processes = [bed.service.porter.pid, *bed.rooms().values()]
                disturbed = storage.Disturbed(bed, way, who, f"{bed.logs}/lie", (
                    *storage.trace([call]), "-e", f"inject={call}:retval=0"))
                disturbed.wait(linger=0)
                machine.cut("synced", processes)
                equal(disturbed.end(at_once=True).returncode, 0, "the import")
                try:
                    machine.start()
                    way.holds()
                except AssertionError as why:
                    note(f"{kind}, {who} without {call}: {str(why).splitlines()[0]}")
                    continue
                raise AssertionError(f"{kind}, {who} without {call}: nothing was noticed")


@case
def on_a_disk_with_a_journal_nothing_is_lost_and_nothing_is_left(options):
    cut_on("journal", options)


@case
def on_a_disk_without_a_journal_too(options):
    cut_on("no-journal", options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", nargs="?", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--way")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--mode", choices=MODES)
    run(options=parser.parse_args())
