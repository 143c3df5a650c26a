# SPDX-License-Identifier: BSD-2-Clause
"""The calls by which the command, intake and keeper reach the files of a key's way, and a way (see
ways.py) with one of them disturbed."""
import glob
import os
import re
import select
import signal
import subprocess
import time
from typing import NamedTuple

import kills

WHO = ("command", "intake", "keeper")
LINE = re.compile(r"^([a-z_0-9]+)\((.*)")
PATHS = re.compile(r'"(/[^"]*)"|<(/[^>]*)>')
NAMES = re.compile(r'"([^"/]+)"')
DIFFERS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,}|\d+")
BY_DESCRIPTOR = ("write", "pwrite64", "writev", "pwritev", "ftruncate", "fallocate", "fsync",
                 "fdatasync", "fchmod", "fchown")
BY_NAME = ("?rename", "renameat", "renameat2", "?unlink", "unlinkat", "openat", "?mkdir", "mkdirat",
           "?rmdir", "?link", "linkat")  # '?': a machine need not have the older ones
LINGER = 0.25  # seconds for what goes on after the answer: the trail's interval
LIMIT = 60


class Call(NamedTuple):
    who: str
    thread: int  # its place among the threads of its process
    name: str
    number: int  # which of the thread's calls of this name
    file: str    # what it is about, without what differs each time
    creates: bool

    def __str__(self):
        return f"{self.name} number {self.number} of {self.who}, thread {self.thread} ({self.file})"


def file_of(name, text, base):
    """What a line of strace's is about; None: nothing under `base`."""
    by_name = name not in BY_DESCRIPTOR
    inside = [path for path in (one if by_name and one else other for one, other in PATHS.findall(text))
              if path.startswith(base)]
    if not inside:
        return None
    names = [os.path.basename(path) for path in inside] + (NAMES.findall(text) if by_name else [])
    return "/".join(dict.fromkeys(DIFFERS.sub("#", name) for name in names[:3]))


def read_log(path, who, thread, base):
    calls, counts = [], {}
    with open(path, errors="replace") as log:
        for match in filter(None, map(LINE.match, log)):
            name, text = match[1], match[2]
            counts[name] = counts.get(name, 0) + 1
            about = None if name in kills.WAITS.split(",") else file_of(name, text, base)
            if about is not None:
                calls.append(Call(who, thread, name, counts[name], about,
                                  "O_CREAT" in text or "O_TMPFILE" in text))
    return calls


def trace(names):
    return ("-e", "trace=" + ",".join((*names, kills.WAITS)))


class Disturbed:
    """A way's command, going on while a process of its own or a room is traced."""

    def __init__(self, bed, way, who, log, options, thread=None):
        """`thread`: the only one of the room's that is traced; None: all."""
        self.bed, self.way, self.who = bed, way, who
        self.log, self.tracer, self.process = log, None, None
        command = way.command() and way.argv()
        if who == "command":
            for old in glob.glob(glob.escape(log) + "*"):
                os.remove(old)
            command = command and ["strace", "-qq", "-y", *options, "-o", log, *command]
        else:
            self.room = bed.rooms()[who]
            pid = self.room if thread is None else kills.threads_of(self.room)[thread]
            self.tracer = kills.Tracer(log, pid, "-y", *options, every=thread is None)
        if command:
            self.process = subprocess.Popen(
                command, env=bed.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def wait(self, linger=LINGER, is_enough=lambda: False):
        """Until the command has ended, and `linger` after it, or the room has died. Is a process
        dead that should not be? `is_enough`: of what goes on without a command."""
        if self.process is None:
            self.way.wait(lambda: not kills.is_alive(self.room) or is_enough())
            time.sleep(linger)
            return not kills.is_alive(self.room)
        watched = {os.pidfd_open(self.process.pid): "command"}
        try:
            if self.who != "command":
                watched[os.pidfd_open(self.room)] = "room"
            return self.watch(watched, linger)
        except ProcessLookupError:  # as soon as that
            return True
        finally:
            for descriptor in watched:
                os.close(descriptor)

    def watch(self, watched, linger):
        end, left = time.monotonic() + LIMIT, list(watched)
        while (seconds := end - time.monotonic()) > 0 and left:
            ready, _, _ = select.select(left, [], [], seconds)
            if any(watched[one] == "room" for one in ready):
                return True
            if ready:
                left = [one for one in left if watched[one] == "room"]
                end = min(end, time.monotonic() + linger)
        return self.who == "command" and self.process.wait(LIMIT) < 0

    def was_hit(self):
        with open(self.log, errors="replace") as log:
            return "(INJECTED)" in log.read()

    def end(self, at_once=False):
        """Nobody is traced any more. What the command said; None: there is none."""
        if self.tracer is not None:
            if at_once:
                self.tracer.process.kill()
            self.tracer.end()
        if self.process is None:
            return None
        if at_once and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        out, err = self.process.communicate(timeout=LIMIT)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)


def inject(call, what):
    return (*trace([call.name]), "-e", f"inject={call.name}:{what}")


def calls_of(bed, kind, base):
    """{who: calls} of a way that nobody disturbs, about files under `base`."""
    found = {}
    for who in WHO:
        way = kind(bed)
        way.prepare()
        log = f"{bed.logs}/calls-{who}"
        threads = [] if who == "command" else kills.threads_of(bed.rooms()[who])
        logs = []
        if who == "command" and way.command() is None:
            way.wait(lambda: False)
        else:
            disturbed = Disturbed(bed, way, who, log, trace(BY_DESCRIPTOR + BY_NAME))
            disturbed.wait()
            done = disturbed.end()
            assert done is None or done.returncode == 0, f"{kind.title}: {done.stderr}"
            # A thread for one piece of work has ended; there is none at its place the next time.
            logs = [f"{log}.{thread}" for thread in threads if kills.is_alive(thread)] or [log]
        found[who] = [call for thread, log in enumerate(logs)
                      for call in read_log(log, who, thread, base)]
        bed.settle()
        if way.command() is None:
            way.finish()
        way.ended()
        way.tidy()
    bed.settle()
    return found
