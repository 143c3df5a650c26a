# SPDX-License-Identifier: BSD-2-Clause
"""A restart that no client notices, and rooms that die all the time.

    test_handover.py [HAND-OVERS [SECONDS]]     8 and 20; the figures to hold are of 50 and 300
"""
import contextlib
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import steady
from built import PATIENCE
from handover import TAKE_OVER_LIMIT, start_next, take_over
from stirkeep import PATIENT, PORTER, ROOMS, ROOT, START_LIMIT, STRANGER, Service, wait_if_slowed, wait_until
from tap import Skip, case, contains, equal, note, run

HAND_OVERS = int(sys.argv[1]) if len(sys.argv) > 1 else 8
KILL_SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 20
OPEN_SECONDS = 5 * PATIENCE  # what its keeper may take to open the token

# One that takes over and then does nothing.
HANGS = """
import socket, sys, time
old = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
old.connect(sys.argv[1])
old.send(b"TAKE 1 x")
assert old.recv(600) == b"OFFER"
old.send(b"GO")
assert old.recv(600) == b"GONE"
time.sleep(600)
"""

# A room that stands by, and does what the word says as soon as it may go on.
FAKE_ROOM = """#!/usr/bin/python3
import socket, struct, sys, time
control = socket.socket(fileno=3)
assert sys.argv[1:] == ["stand-by"], sys.argv
control.send(struct.pack("=4LQ", {kind}, {room}, 0, 0, 0) + b"\\0")
control.recv(4096)
{then}
"""
FAKES = {"fails": "sys.exit(1)", "hangs": "time.sleep(600)"}


def control_kind(name):
    """Its number in src/room/room.h."""
    with open(f"{os.environ['STIRKEEP_SOURCE']}/src/room/room.h") as file:
        text = file.read()
    kinds = [line.strip().split()[0].rstrip(",") for line in
             text[text.index("enum stk_control_kind"):text.index("STK_CONTROL_KIND_END")]
             .splitlines() if line.strip().startswith("STK_CONTROL_")]
    return kinds.index(f"STK_CONTROL_{name}") + 1


def refused(service, *more):
    """It does not take over, and the old one signs at once; the exit status."""
    following = start_next(service, *more)
    status = following.wait(TAKE_OVER_LIMIT)
    equal(service.porter.poll(), None, f"the old one ended\n{service.said()}")
    wait_if_slowed("it signs", lambda: service.sign(check=False).returncode == 0)
    service.sign()
    return status


def another_libexec(service, name, **replaced):
    """A directory of programs, some of which are other ones."""
    directory = f"{service.base}/{name}"
    shutil.copytree(service.libexec, directory)
    os.chmod(directory, 0o755)
    for room, text in replaced.items():
        path = f"{directory}/stirkeep-{room}"
        os.unlink(path)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, 0o755)
    return directory


def fake_room(room, then):
    return FAKE_ROOM.format(kind=control_kind("STANDING_BY"),
                            room=["keeper", "intake", "front"].index(room), then=FAKES[then])


@case
def a_hand_over_under_load_is_noticed_by_nobody(service):
    load = steady.Load(service)
    took = []
    try:
        time.sleep(0.5)
        for _ in range(HAND_OVERS):
            took.append(take_over(service))
            time.sleep(0.3)
    finally:
        figures = load.end()
    note(f"{HAND_OVERS} hand-overs of {min(took) * 1000:.0f} to {max(took) * 1000:.0f} ms")
    note(steady.told(figures))
    equal(figures["refused"], {}, load.said())
    service.cli("audit", "verify", service.audit)
    load.check_trail()


@case
def administrators_find_it_after_a_hand_over_and_imports_go_on(service):
    take_over(service)
    service.make_chain("709J", "after")
    service.import_leaf("After", "after")
    service.sign("After")
    names = os.listdir(service.run)
    equal(sorted(names), ["admin.sock", "admin.sock.lock", "sign.sock", "sign.sock.handover",
                          "sign.sock.lock"], "what is in its directory")


@case
def a_configuration_with_a_fault_leaves_the_old_one_serving(service):
    with open(service.config) as file:
        good = file.read()
    try:
        with open(service.config, "a") as out:
            out.write("[nonsense]\nkey = 1\n")
        equal(refused(service), 1, "exit status")
        with open(service.config, "w") as out:
            out.write(good.replace("module = ", "module = /nowhere"))
        equal(refused(service), 1, "exit status")
        with open(service.config, "w") as out:
            out.write(good.replace("admin.sock", "other.sock"))
        equal(refused(service), 1, "exit status")
    finally:
        with open(service.config, "w") as out:
            out.write(good)
    contains(service.said(), "only a restart takes a change of it")


@case
def a_version_that_does_not_come_up_leaves_the_old_one_serving(service):
    for room in ROOMS:
        broken = another_libexec(service, f"broken-{room}", **{room: "#!/bin/sh\nexit 3\n"})
        load = steady.Load(service)
        time.sleep(0.2)
        equal(refused(service, "--libexec", broken), 1, "exit status")
        equal(load.end()["refused"], {}, f"with a broken {room}")


@case
def one_that_fails_when_the_old_one_has_ended_gives_back_what_it_took(service):
    for room in ("intake", "front"):
        broken = another_libexec(service, f"failing-{room}", **{room: fake_room(room, "fails")})
        load = steady.Load(service)
        time.sleep(0.2)
        equal(refused(service, "--libexec", broken), 1, "exit status")
        figures = load.end()
        note(f"{room}: {steady.told(figures)}")
        equal(figures["refused"], {}, f"with a failing {room}: {load.said()}")
    contains(service.said(), "the stirkeepd that was taking over has ended: serving again")
    service.cli("status")


@case
def one_that_is_killed_in_the_middle_gives_back_what_it_took(service):
    broken = another_libexec(service, "hanging", intake=fake_room("intake", "hangs"))
    before = service.said().count("handing over")
    load = steady.Load(service)
    try:
        following = start_next(service, "--libexec", broken)
        wait_until("the old one ends", lambda: service.said().count("handing over") > before, 20)
        time.sleep(0.5)
        following.kill()
        following.wait()
        time.sleep(0.5)
    finally:
        figures = load.end()
    note(steady.told(figures))
    equal(figures["refused"], {}, load.said())
    equal(service.porter.poll(), None, "the old one ended")
    service.wait_ready()


@case
def a_stop_while_somebody_prepares_to_take_over_is_a_stop(service):
    hanging = another_libexec(
        service, "never", front="#!/bin/sh\nexec /bin/sleep 600\n")
    following = start_next(service, "--libexec", hanging)
    wait_until("it prepares", lambda: f"pid {following.pid}, version" in service.said(), 20)
    equal(service.stop(), 0, "exit status of the old one")
    equal(following.wait(TAKE_OVER_LIMIT), 1, "exit status of the new one")
    equal(sorted(os.listdir(service.run)), ["admin.sock.lock", "sign.sock.lock"], "left behind")


@case
def with_nobody_to_take_over_from_it_starts(service):
    service.stderr = open(f"{service.base}/service.log", "ab")
    service.porter = start_next(service)
    service.wait_ready()
    contains(service.said(), "nobody is there to take over from")
    service.sign()


@case
def nobody_else_can_take_over(service):
    path = f"{service.sign_socket}.handover"
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode")
    if not ROOT:
        raise Skip("needs another user")
    done = subprocess.run([PORTER, "-c", service.config, "--take-over"], user=STRANGER,
                          group=STRANGER, extra_groups=[], stderr=subprocess.PIPE, text=True)
    equal(done.returncode, 1, done.stderr)
    service.sign()


@case
def what_is_no_hand_over_is_turned_away(service):
    for words in ([b"GO"], [b"UP"], [b"TAKE 2 9.9"], [b"\xff" * 600], [b"TAKE 1 x", b"UP"],
                  [b"TAKE 1 x", b"TAKE 1 x"], [b""]):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as knocking:
            knocking.connect(f"{service.sign_socket}.handover")
            for word in words:
                try:
                    knocking.send(word)
                except OSError:
                    pass
                time.sleep(0.02)
        service.sign()
    equal(service.porter.poll(), None, service.said())
    take_over(service)


@case
def one_that_took_over_and_hangs_is_ended_and_the_old_one_serves_again(service):
    """It has a service of its own, with less time for it; the other one is not disturbed."""
    with Service(extra={"token": {"open-timeout-ms": f"{OPEN_SECONDS}000"}}) as own:
        own.start()
        own.import_leaf()
        hung = subprocess.Popen([sys.executable, "-c", HANGS, f"{own.sign_socket}.handover"],
                                stdin=subprocess.DEVNULL)
        equal(hung.wait(OPEN_SECONDS + 30), -signal.SIGKILL, f"how it ended\n{own.said()}")
        contains(own.said(), f"pid {hung.pid} has taken over and does not serve in time: killed")
        wait_until("it signs again", lambda: own.sign(check=False).returncode == 0, START_LIMIT)
        equal(own.porter.poll(), None, service.said())
        take_over(own)
        own.sign()
    service.sign()


@case
def who_knocks_and_is_silent_is_in_nobodys_way(service):
    """More of them than there is room for, and one that takes the offer and says no more."""
    path = f"{service.sign_socket}.handover"
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
                  for _ in range(40)]
        for one in silent:
            one.settimeout(20)
            one.connect(path)
        before = service.porter.pid
        take_over(service)
        assert service.porter.pid != before, "it was not taken over"
        service.sign()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.settimeout(20)
        silent.connect(path)
        began = time.monotonic()
        equal(silent.recv(600), b"", "what one that is silent is told")
        note(f"one that is silent is parted with after {time.monotonic() - began:.1f} s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as first:
        first.connect(path)
        first.send(b"TAKE 1 x")
        equal(first.recv(600), b"OFFER", "the answer")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as second:
            second.connect(path)
            second.send(b"TAKE 1 x")
            equal(second.recv(600), b"NO another one is taking over", "the answer")
    take_over(service)
    service.sign()


@case
def killed_every_second_it_goes_on_for_libstirkeep(service):
    chance = random.Random(7)
    load = steady.Load(service)
    end = time.monotonic() + KILL_SECONDS * PATIENCE
    killed = {name: 0 for name in (*ROOMS, "stirkeepd")}
    try:
        while time.monotonic() < end:
            began = time.monotonic()
            victim = chance.choice(list(killed))
            if victim == "stirkeepd":
                service.porter.kill()
                service.porter.wait()
                service.stderr.close()
                service.start(ready=False)
            else:
                pid = service.pid(victim)
                if pid is None:
                    continue
                os.kill(pid, signal.SIGKILL)
            killed[victim] += 1
            time.sleep(max(0.0, PATIENCE - (time.monotonic() - began)))
        service.wait_ready()
        time.sleep(0.5)
    finally:
        figures = load.end()
    note(f"killed: {killed}")
    note(steady.told(figures))
    equal(figures["refused"], {}, load.said())
    service.wait_ready()
    service.cli("audit", "verify", service.audit)
    load.check_trail()


if __name__ == "__main__":
    with Service(extra=PATIENT) as the_service:
        the_service.start()
        steady.publish(the_service)
        the_service.import_leaf()
        run(service=the_service)
