#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each call by which a key's ways (ways.py) reach a file fails, once or from then on.

    test_write_faults.py [SECONDS]    a sample of so long; 0: each call, each error
        --seed N    --way TITLE    --who NAME    --call NAME    --file NAME

Afterwards: the command succeeded wholly, or it exited with 1 and one line that names the thing and
the reason, and nothing is lost; every room is the same process as before; the same command again
finishes it; a name that nobody touched signs, and a key that comes now comes in.
"""
import argparse
import collections
import errno
import os
import random
import re
import time
import traceback

import kills
import storage
from bed import Bed
from tap import case, equal, note, run
from ways import WAYS

ROUNDS = 100  # with one service; then a fresh one
FAILURES_MAX = 20
PATIENCE = 20
DISK = ("ENOSPC", "EIO", "EROFS")
# What each call can return, of what this test is about.
ERRORS = {"write": DISK, "pwrite64": DISK, "writev": DISK, "pwritev": DISK, "fallocate": DISK,
          "ftruncate": ("EIO", "EROFS"), "fsync": DISK, "fdatasync": DISK, "rename": DISK,
          "renameat": DISK, "renameat2": DISK, "unlink": ("EIO", "EROFS"),
          "unlinkat": ("EIO", "EROFS"), "openat": ("EMFILE", "ENFILE", "EIO"), "mkdir": DISK,
          "mkdirat": DISK, "rmdir": ("EIO", "EROFS"), "link": DISK, "linkat": DISK,
          "fchmod": ("EIO", "EROFS"), "fchown": ("EIO", "EROFS")}
CREATING = ("ENOSPC", "EROFS")  # an openat that creates can return these too
HOW = {"once": "", "from then on": "+"}
# What tells the reason where nobody hears of an errno: SoftHSM keeps it to itself.
SAID = ("database or disk is full", "disk I/O error", "is the disk full?",
        "could not read all of its files", "CKR_")
VAGUE = ("unknown error", "Success", "(null)")
DIFFERS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|\d{3,}")


def wait_for(check):
    """What has to be true soon by itself: the keeper may be opening its token anew."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(0.2)


class Fault(collections.namedtuple("Fault", "call error how")):
    def __str__(self):
        return f"{self.call}: {self.error} {self.how}"

    @property
    def kind(self):
        return self.call.who, self.call.name, self.call.file


class Faults:
    """Services, one after the other, and what became of them."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.bed = None
        self.known, self.failures = {}, []
        self.told, self.vague = collections.Counter(), {}
        self.rounds = self.met = self.refused = self.replaced = 0

    def ready(self):
        if self.bed is None:
            self.bed = Bed(self.random)
        return self.bed

    def close(self):
        bed, self.bed = self.bed, None
        if bed is not None:
            with bed.service:
                bed.settle()
                bed.check_at_the_end()

    def kinds(self):
        return [kind for kind in WAYS if self.options.way in (None, kind.title)]

    def faults_of(self, kind):
        if kind not in self.known:
            bed = self.ready()
            calls = storage.calls_of(bed, kind, bed.service.base)
            self.known[kind] = [
                Fault(call, error, how) for who in storage.WHO for call in calls[who]
                for error in ERRORS[call.name] + (CREATING if call.creates else ())
                for how in HOW if self.is_wanted(call, how)]
        return self.known[kind]

    def is_wanted(self, call, how):
        # A command whose writes all fail cannot say anything either.
        return self.options.who in (None, call.who) and self.options.call in (None, call.name) \
            and (self.options.file or "") in call.file \
            and (how == "once" or (call.who, call.name) != ("command", "write"))

    # ---- one fault

    def round(self, kind, fault):
        if self.rounds % ROUNDS == ROUNDS - 1:
            self.close()
        self.rounds += 1
        bed = self.ready()
        what = f"--way \"{kind.title}\", {fault}"
        try:
            way = kind(bed)
            way.prepare()
            pids = bed.rooms()
            met, done = self.disturb(way, fault)
            self.met += met
            bed.settle()
            wait_for(way.holds)
            wait_for(bed.check_bystander)
            if not self.is_done(way, fault, met, done):
                self.finish(way)
                wait_for(way.ended)
            self.check_rooms(fault, pids)
            bed.check_objects()
            self.another()
            way.tidy()
        except Exception:  # a round may fail in any way
            self.fail(what)

    def disturb(self, way, fault):
        call = fault.call
        disturbed = storage.Disturbed(self.bed, way, call.who, f"{self.bed.logs}/fault", storage.inject(
            call, f"error={fault.error}:when={call.number}{HOW[fault.how]}"), call.thread)
        try:
            disturbed.wait(is_enough=disturbed.was_hit)
        finally:
            done = disturbed.end()
        return disturbed.was_hit(), done

    def is_done(self, way, fault, met, done):
        """Did the command say that all was done, and was it so? What it says else is looked at."""
        if done is None:
            return False
        assert done.returncode in (0, 1), f"exit {done.returncode}: {done.stdout}{done.stderr}"
        if done.returncode == 0:
            equal(done.stderr, "", "stderr of a success")
            way.ended()
            return True
        self.refused += 1
        equal(len(done.stderr.splitlines()), 1, f"lines on stderr: {done.stderr}")
        assert met, f"refused, and no call had failed: {done.stderr}"
        line = done.stderr.strip().replace(self.bed.service.base, "BASE").replace(way.name, "NAME")
        told = f"{fault.error}: {DIFFERS.sub('#', line)}"
        self.told[told] += 1
        reasons = (os.strerror(getattr(errno, fault.error)), *SAID)
        if any(word in line for word in VAGUE) or not any(reason in line for reason in reasons):
            self.vague[told] = f"--way \"{way.title}\", {fault}"
        return False

    def finish(self, way):
        """As the administrator does it; an upload in the spool is tried again when it changes."""
        upload = getattr(way, "upload", "")
        if way.command() is None and os.path.exists(f"{upload}/error.txt"):
            for entry in os.scandir(upload):
                os.utime(entry.path)
        way.finish()
        self.bed.settle()

    def check_rooms(self, fault, pids):
        now = self.bed.rooms()
        if now["keeper"] != pids["keeper"] and fault.call.who == "keeper" \
                and "does not see all of its objects" in self.bed.service.said():
            self.replaced += 1
            pids["keeper"] = now["keeper"]
        equal(now, pids, "the rooms' processes")

    def another(self):
        """A key that comes now comes in at once."""
        way = WAYS[0](self.bed)
        way.prepare()
        self.bed.must(*way.command())
        way.ended()
        way.tidy()

    def fail(self, what):
        bed, self.bed = self.bed, None
        self.failures.append(f"{what}: {traceback.format_exc()}")
        note(f"{self.failures[-1]}\n{bed.service.said()[-2000:]}")
        try:
            bed.service.remove()
        except Exception:
            note(f"not removed: {traceback.format_exc()}")

    # ---- runs

    def sample(self, end):
        """Each kind of call to each kind of file once, before any comes again."""
        kinds = self.kinds()
        self.random.shuffle(kinds)
        rows = []
        while time.monotonic() < end and len(self.failures) < FAILURES_MAX:
            if not rows:
                for kind in kinds:
                    groups = {}
                    for fault in self.faults_of(kind):
                        groups.setdefault(fault.kind, []).append(fault)
                    rows += [(kind, self.random.choice(group)) for group in groups.values()]
                    if time.monotonic() > end - self.options.seconds / 2:
                        break
                self.random.shuffle(rows)
            if rows:
                self.round(*rows.pop())

    def every(self):
        for kind in self.kinds():
            began, before = time.monotonic(), self.rounds
            for fault in self.faults_of(kind):
                if len(self.failures) < FAILURES_MAX:
                    self.round(kind, fault)
            note(f"{kind.title}: {self.rounds - before} faults in {time.monotonic() - began:.0f} s")


@case
def whatever_fails_is_told_loses_nothing_and_ends_no_room(options):
    kills.need_tracer()
    faults = Faults(options)
    try:
        if options.seconds > 0:
            faults.sample(time.monotonic() + options.seconds)
        else:
            faults.every()
        faults.close()
    finally:
        note(f"seed {options.seed}: {faults.rounds} faults, {faults.met} of them met, "
             f"{faults.refused} told by the command, {faults.replaced} for which the keeper was "
             "replaced")
        for told, count in sorted(faults.told.items()):
            note(f"{count:4} {told}")
        for told, what in faults.vague.items():
            note(f"VAGUE, {what}: {told}")
        if faults.bed is not None:
            faults.bed.service.remove()
    equal(len(faults.failures), 0, "failures")
    equal(sorted(faults.vague), [], "lines that do not name the reason")
    assert faults.met > 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", nargs="?", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--way")
    parser.add_argument("--who", choices=storage.WHO)
    parser.add_argument("--call")
    parser.add_argument("--file")
    run(options=parser.parse_args())
