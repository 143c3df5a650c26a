# SPDX-License-Identifier: BSD-2-Clause
"""Which system calls processes make, and their death at one of them, by strace.

strace counts the calls of each thread by itself, so a call is named by its thread (the place among
the threads of its process), its name and how many of that name the thread made before it. A process
that is killed at a call dies on entering it: the call is not made.
"""
import collections
import glob
import os
import re
import shutil
import subprocess
import time

from stirkeep import ROOT, wait_until
from tap import Skip, skip_under_valgrind

CALL = re.compile(r"^([a-z_0-9]+)\(")
# What a thread waits in when it has nothing to do: the first call that strace sees of it.
WAITS = "recvmsg,epoll_wait,poll,futex,restart_syscall,clock_nanosleep"
# What others can see of a thread: other processes, and who looks at the files afterwards.
SHOWS = re.compile(
    r"(write|pwrite64|writev|pwritev2?|send(to|msg|mmsg)|recv(from|msg|mmsg)|f(data)?sync|syncfs"
    r"|sync|sync_file_range|ftruncate|fallocate|unlink(at)?|rename(at2?)?|link(at)?|symlink(at)?"
    r"|mkdir(at)?|rmdir|fchmod(at)?|chmod|fchown(at)?|utimensat|connect|accept4?|bind|listen"
    r"|shutdown|execve|clone3?|v?fork|kill|tgkill|exit_group|copy_file_range|sendfile)\(")
CREATES = re.compile(r"openat\([^\"]*\"([^\"]*)\".*O_(CREAT|TRUNC)")
CLOSES_SOCKET = re.compile(r"close\(\d+<(UNIX|socket)")

SILENT = 3
STOPPED = "--- stopped by SIGSTOP ---"
KILLED = re.compile(r"^(\d+) +\+\+\+ killed by SIGKILL", re.M)

Call = collections.namedtuple("Call", "thread name number shows")


def read_calls(thread, lines):
    """The calls of a thread in their order."""
    counts, created, calls = collections.Counter(), set(), []
    for line in lines:
        match = CALL.match(line)
        if match is None:
            continue
        name = match[1]
        counts[name] += 1
        shows = bool(SHOWS.match(line) or CLOSES_SOCKET.match(line))
        creates = CREATES.match(line)
        if creates and (creates[1] not in created or creates[2] == "TRUNC"):
            created.add(creates[1])
            shows = True
        calls.append(Call(thread, name, counts[name], shows))
    return calls


def choose(calls, random):
    """Each call that shows; and at one call, drawn by lot, of each SILENT-th row of others between
    two of these: to be killed at any call of a row leaves the same behind as at the next that
    shows."""
    chosen, row, rows = [], [], 0
    for call in [*calls, None]:
        if call is not None and not call.shows and (not row or row[-1].thread == call.thread):
            row.append(call)
            continue
        if row:
            if rows % SILENT == 0:
                chosen.append(random.choice(row))
            rows, row = rows + 1, []
        if call is not None:
            chosen += [call] if call.shows else []
            row = [] if call.shows else [call]
    return chosen


# ---- processes


def status_of(pid, field):
    """A line of /proc/PID/status; None when there is no such process any more."""
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return line.split()[1]
    except OSError:
        pass
    return None


def is_alive(pid):
    return status_of(pid, "State") not in (None, "Z", "X")


def threads_of(pid):
    try:
        return sorted(map(int, os.listdir(f"/proc/{pid}/task")))
    except OSError:
        return []


def children_of(pid):
    """{name: pid} of the children of a process that are alive."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = map(int, file.read().split())
    except OSError:
        return {}
    return {status_of(child, "Name"): child for child in children if is_alive(child)}


def kill(pid, signal=9):
    try:
        os.kill(pid, signal)
    except ProcessLookupError:
        pass


# ---- strace


def has_begun(log):
    return os.path.exists(log) and os.path.getsize(log) > 0


class Tracer:
    """strace on a thread (or, with `every`, on each of a process and those that it is to have, with
    a log for each), its log in `log`."""

    def __init__(self, log, pid, *options, every=False):
        self.log = log
        self.before = 0  # so often it was stopped before
        for old in glob.glob(glob.escape(log) + "*"):
            os.remove(old)
        self.process = subprocess.Popen(
            ["strace", "-qq", *(("-ff",) if every else ()), *options, "-o", log, "-p", str(pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        logs = {f"{log}.{thread}": thread for thread in threads_of(pid)} if every else {log: pid}
        wait_until("strace sees the threads", lambda: self.has_ended() or
                   all(has_begun(log) or not is_alive(thread) for log, thread in logs.items()),
                   20, 0.002)
        self.before = self.told().count(STOPPED) if not every else 0

    def has_ended(self):
        return self.process.poll() is not None

    def told(self):
        try:
            with open(self.log) as file:
                return file.read()
        except OSError:
            return ""

    def has_stopped(self):
        return self.told().count(STOPPED) > self.before

    def killed(self):
        """Those that it killed, of all whose births it follows."""
        return set(map(int, KILLED.findall(self.told())))

    def end(self):
        """Leave the process alone. It goes on."""
        if not self.has_ended():
            self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


def options_for(call, signal):
    return ("-e", f"trace={call.name},{WAITS}",
            "-e", f"inject={call.name}:signal={signal}:when={call.number}")


def at_call(log, pid, call, signal):
    """A tracer that sends `signal` to the process at this call of this thread; None when there is
    no such thread."""
    threads = threads_of(pid)
    if call.thread >= len(threads):
        return None
    return Tracer(log, threads[call.thread], *options_for(call, signal))


def newborn_at_call(log, parent, call, signal):
    """The same for a process that does not live yet, by the tracer of its parent."""
    return Tracer(log, parent, "-f", *options_for(call, signal))


def killed_at(call, command, environment, log):
    """Run a command that is killed at a call of its own; what became of it (-9: killed)."""
    done = subprocess.run(["strace", "-qq", "-o", log, *options_for(call, "KILL"), *command],
                          env=environment, timeout=60, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode


def calls_of_command(command, environment, log):
    subprocess.run(["strace", "-qq", "-y", "-o", log, *command], env=environment, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(log) as lines:
        return read_calls(0, lines)[1:]  # its beginning, execve, is not its own


def calls_of_processes(log, pids, act, parent=None, newborn=None):
    """{name: calls} of processes while `act` goes on; each thread's first call is what it waited
    in. With `newborn`, also of the process of that name that `parent` gives birth to."""
    threads = {name: threads_of(pid) for name, pid in pids.items()}
    tracers = [Tracer(f"{log}-{name}", pid, "-y", every=True) for name, pid in pids.items()]
    try:
        act()
    finally:
        for tracer in tracers:
            tracer.end()
    calls = {}
    for name, numbers in threads.items():
        calls[name] = []
        for place, number in enumerate(numbers):
            with open(f"{log}-{name}.{number}") as lines:
                calls[name] += read_calls(place, lines)[1:]
    for path in glob.glob(f"{log}-{parent}.*") if newborn else ():
        if int(path.rsplit(".", 1)[1]) not in threads[parent]:
            with open(path) as lines:
                calls[newborn] = read_calls(0, lines)
    return calls


def may_attach():
    if shutil.which("strace") is None:
        return False
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-p", str(sleeper.pid)],
                                  stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        may = tracer.poll() is None
        sleeper.kill()
        tracer.wait(10)
    return may


def need_tracer():
    """Skip a case where nobody can be traced, or calls that are not the process's own would be counted."""
    skip_under_valgrind("strace counts its calls, and finds its name on each process")
    if not ROOT or not may_attach():
        raise Skip("needs root, strace, and a machine that lets it attach")
