# SPDX-License-Identifier: BSD-2-Clause
"""[lock-down] on systems that have it, that have less, and with a module that needs more."""
import array
import contextlib
import os
import shutil
import signal
import socket
import struct
import time

from built import BUILD
from stirkeep import ROOMS, ROOT, Service, wait_until
from tap import Skip, case, contains, equal, run

RELAXED = "is not locked down"


class LessService(Service):
    """Where some system calls are not there."""

    def __init__(self, *calls, **lock_down):
        super().__init__(extra={"lock-down": {key.replace("_", "-"): value
                                              for key, value in lock_down.items()}})
        self.calls = calls

    def command(self):
        before = [f"{BUILD}/tests/lockdown/without", *self.calls, "--"] if self.calls else []
        return before + super().command()


def refused(service, *parts):
    service.start(ready=False)
    equal(service.porter.wait(60), 1, "exit status")
    said = service.said_of_itself()
    wanted = [line for line in said if "locked down" in line]
    equal(len(wanted), 1, f"lines that say why: {said}")
    for part in parts:
        contains(wanted[0], part, "the log")


def has_landlock(service):
    return "Landlock" in service.cli("status").stdout and \
        "no Landlock" not in service.cli("status").stdout


@case
def without_seccomp_it_does_not_start_and_says_so():
    with LessService("seccomp") as service:
        refused(service, "seccomp", "takes no filter", "[lock-down] require")


@case
def without_seccomp_it_goes_on_where_nothing_is_required_and_warns():
    with LessService("seccomp", "landlock_create_ruleset", require="nothing") as service:
        service.start()
        service.import_leaf()
        service.sign()
        status = service.cli("status").stdout
        for name in ("stirkeepd", *ROOMS):
            contains(status, f"warning        {name}: system calls not filtered", "status")
        contains(status, "no Landlock", "status")
        contains(service.cli("doctor", check=False).stdout,
                 "warning: front: system calls not filtered", "doctor")
        contains(service.said(), "goes without: seccomp", "the log")


@case
def without_landlock_it_goes_on_and_says_so():
    with LessService("landlock_create_ruleset") as service:
        service.start()
        service.import_leaf()
        service.sign()
        contains(service.cli("status").stdout,
                 "front: system calls filtered, no Landlock, no new privileges", "status")
        contains(service.said(), "goes without: Landlock", "the log")


@case
def where_landlock_is_required_it_does_not_start_without():
    with LessService("landlock_create_ruleset", require="landlock") as service:
        refused(service, "Landlock", "[lock-down] require")


@case
def where_landlock_is_required_and_there_it_starts():
    with LessService() as service:
        service.start()
        if not has_landlock(service):
            raise Skip("this system has no Landlock")
    with LessService(require="landlock") as service:
        service.start()
        service.import_leaf()
        service.sign()


def slow_to_close():
    """A TCP socket whose last close() waits for a reader that does not read; and what belongs to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    sender = socket.create_connection(listener.getsockname())
    reader, _ = listener.accept()
    sender.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            sender.send(bytes(65536))
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 100))
    return sender, (reader, listener)


def give_away(path, room):
    """The last of a slow descriptor to `room`, which reads there; what belongs to it, and was it refused?"""
    sender, keep = slow_to_close()
    refused = False
    os.kill(room, signal.SIGSTOP)  # so that it is not ours to close last
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [sender.fileno()]))]
        try:
            connection.sendmsg([b"\0"], beside)
        except PermissionError:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            refused = True
        sender.close()
        os.kill(room, signal.SIGCONT)
    return keep, refused


def nobody_waits_for_a_descriptor_that_is_slow_to_close(service, can_refuse):
    service.start()
    service.import_leaf()
    lives = [service.pid(room) for room in ROOMS]
    kept = []
    for path, room in ((service.sign_socket, "front"), (service.admin_socket, "intake")):
        for _ in range(3):
            keep, refused = give_away(path, service.pid(room))
            kept.append(keep)
            assert can_refuse or not refused, "who was to refuse it?"
        # Longer than either takes to answer, and shorter than the wait that is to be none.
        began = time.monotonic()
        service.sign()
        service.cli("list", timeout=20)
        assert time.monotonic() - began < 10, "a room waited"
    equal([service.pid(room) for room in ROOMS], lives, "the rooms")


@case
def a_client_cannot_hold_up_who_reads_by_a_descriptor_that_is_slow_to_close():
    with LessService() as service:
        nobody_waits_for_a_descriptor_that_is_slow_to_close(service, True)


@case
def nor_where_the_kernel_cannot_refuse_descriptors():
    with LessService("SO_PASSRIGHTS") as service:
        nobody_waits_for_a_descriptor_that_is_slow_to_close(service, False)


@case
def a_module_may_have_more():
    with LessService(keeper="module") as service:
        service.start()
        service.import_leaf()
        service.sign()
        contains(service.cli("status").stdout, "keeper: system calls filtered", "status")
        contains(service.cli("doctor").stdout, "keeper: system calls filtered", "doctor")


@case
def a_module_may_have_more_calls_and_few_files():
    with LessService(keeper="module", module_paths="/opt, /srv") as service:
        service.start()
        service.import_leaf()
        service.sign()


@case
def a_token_in_a_directory_that_is_not_thekeepers_is_not_opened():
    """The variable's file names another directory than what the keeper was given at its start."""
    with LessService() as service:
        service.start()
        if not has_landlock(service):
            raise Skip("this system has no Landlock")
        service.import_leaf()
        service.stop()
        elsewhere = f"{service.base}/elsewhere"
        shutil.copytree(f"{service.token}/tokens", elsewhere)
        if ROOT:
            service.give(elsewhere, "keeper")
        # [token] directory is believed for where the files are, and SoftHSM goes by its own.
        with open(f"{service.token}/softhsm2.conf") as file:
            text = file.read()
        with open(f"{service.token}/softhsm2.conf", "w") as file:
            file.write(text.replace(f"{service.token}/tokens", elsewhere))
        service.write_config(extra={"token": {"directory": f"{service.token}/tokens"}})
        service.start(ready=False)
        equal(service.porter.wait(60), 1, "exit status")


@case
def another_directory_in_the_place_of_the_trails_is_the_nextkeepers():
    with Service() as service:
        service.start()
        service.import_leaf()
        service.sign()
        first = service.pid("keeper")
        os.rename(service.log, f"{service.log}-aside")
        shutil.copytree(f"{service.log}-aside", service.log)
        if ROOT:
            service.give(service.log, "keeper")
        os.rename(f"{service.log}-aside", f"{service.base}/gone")
        # As after a mount over it: the file that is open is not there any more.
        wait_until("it signs again", lambda: service.sign(check=False).returncode == 0, 30)
        service.sign()
        if has_landlock(service):
            wait_until("a keeper signs",
                       lambda: service.pid("keeper") is not None and
                       service.sign(check=False).returncode == 0, 30)
        assert first is not None


if __name__ == "__main__":
    with Service() as probe:
        probe.start()
        relaxed = RELAXED in probe.said()
    if relaxed:
        print("1..1\nok 1 - a build for sanitizers: nothing is locked down # SKIP")
    else:
        run()
