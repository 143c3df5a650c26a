# SPDX-License-Identifier: BSD-2-Clause
"""The service as its systemd unit runs it: sockets handed over, the PIN as a credential, readiness and
watchdog told, and of root's capabilities only those of the unit."""
import ctypes
import os
import re
import shutil
import socket
import time

from built import BUILD
from stirkeep import ROOMS, ROOT, Service, wait_until
from tap import Skip, case, contains, equal, run, skip_under_valgrind

WATCHDOG_S = 2
UNIT = f"{BUILD}/src/stirkeepd/systemd/stirkeep.service"
NUMBERS = {"CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_SETPCAP": 8, "CAP_SYS_PTRACE": 19}
PR_CAPBSET_READ, PR_CAPBSET_DROP, CAPABILITIES = 23, 24, 64


def of_unit(key):
    with open(UNIT) as file:
        return [line.split("=", 1)[1].strip() for line in file if line.startswith(f"{key}=")]


def as_the_unit():
    """In the child: no capabilities but the unit's, and sockets from descriptor 3 on are its."""
    os.environ["LISTEN_PID"] = str(os.getpid())
    if ROOT:
        kept = {NUMBERS[name] for name in " ".join(of_unit("CapabilityBoundingSet")).split()}
        libc = ctypes.CDLL(None)
        for number in range(CAPABILITIES):
            if number not in kept and libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1:
                libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)


class UnitService(Service):
    """Listens itself, as systemd does, and starts it by hand-over."""

    def __init__(self):
        super().__init__(extra={"token": {"pin-file": ""}})
        self.credentials = f"{self.base}/credentials"
        os.mkdir(self.credentials, 0o700)
        shutil.move(f"{self.token}/pin", f"{self.credentials}/pin")
        os.chmod(f"{self.credentials}/pin", 0o400)
        self.listeners = []
        for path in (self.admin_socket, self.sign_socket):
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(path)
            os.chmod(path, 0o666)
            listener.listen(64)
            self.listeners.append(listener)
        self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.channel.bind(f"{self.base}/notify")
        self.channel.setblocking(False)
        self.said_to_manager = []

    def start(self, ready=True, **environment):
        self.stderr = open(f"{self.base}/service.log", "ab")
        pid = os.fork()
        if pid == 0:
            try:
                moved = [os.dup(listener.fileno()) for listener in self.listeners]
                moved = [os.dup(fd) for fd in moved]
                for number, fd in enumerate(moved):
                    os.dup2(fd, 100 + number)
                for number in range(len(moved)):
                    os.dup2(100 + number, 3 + number, inheritable=True)
                os.dup2(self.stderr.fileno(), 1)
                os.dup2(self.stderr.fileno(), 2)
                os.environ.update(environment, LISTEN_FDS=str(len(moved)),
                                  NOTIFY_SOCKET=f"{self.base}/notify",
                                  WATCHDOG_USEC=str(WATCHDOG_S * 1000000),
                                  CREDENTIALS_DIRECTORY=self.credentials)
                as_the_unit()
                os.execv(self.command()[0], self.command())
            finally:
                os._exit(127)
        self.porter = Started(pid)
        if ready:
            wait_until("READY=1", lambda: any("READY=1" in text for text in self.heard()), 60)
        return self

    def heard(self):
        while True:
            try:
                self.said_to_manager.append(self.channel.recv(4096).decode())
            except BlockingIOError:
                return self.said_to_manager


class Started:
    """As much of subprocess.Popen as a Service uses."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, limit=20):
        wait_until("stirkeepd ends", lambda: self.poll() is not None, limit)
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        os.kill(self.pid, 9)


@case
def it_signs_with_no_more_than_the_unit_gives(service):
    service.import_leaf()
    service.sign()
    if not ROOT:
        raise Skip("the unit's capabilities are root's")
    with open(f"/proc/{service.porter.pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    kept = sum(1 << NUMBERS[name] for name in " ".join(of_unit("CapabilityBoundingSet")).split())
    equal(int(status["CapBnd"], 16) & ~kept, 0, "stirkeepd's bounding set")
    for room in ROOMS:
        with open(f"/proc/{service.pid(room)}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            equal(int(status[name], 16), 0, f"{room}: {name}")


@case
def it_and_its_rooms_have_filters_of_system_calls(service):
    skip_under_valgrind("it has no seccomp(2)")
    for pid in (service.porter.pid, *map(service.pid, ROOMS)):
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        equal(status["Seccomp"], "2", f"{status['Name']}: filter")


@case
def status_says_how_each_process_is_locked_down(service):
    said = service.cli("status").stdout
    for name in ("stirkeepd", *ROOMS):
        found = re.search(rf"\b{name}: (.*)", said)
        assert found, said
        contains(found[1], "no new privileges", name)
        if "is not locked down" not in service.said():
            contains(found[1], "system calls filtered", name)


@case
def the_watchdog_is_told(service):
    before = service.heard().count("WATCHDOG=1")
    time.sleep(2 * WATCHDOG_S)
    after = service.heard().count("WATCHDOG=1")
    assert after - before >= 3, f"{after - before} pings in twice its time"


@case
def a_stirkeepd_that_hangs_does_not_tell_it(service):
    service.heard()
    os.kill(service.porter.pid, 19)
    try:
        time.sleep(0.2)
        before = service.heard().count("WATCHDOG=1")
        time.sleep(WATCHDOG_S)
        equal(service.heard().count("WATCHDOG=1"), before, "pings of a stopped one")
    finally:
        os.kill(service.porter.pid, 18)


@case
def the_sockets_outlive_it_and_nobody_is_refused(service):
    equal(service.stop(), 0, "exit status")
    contains("".join(service.heard()), "STOPPING=1", "notification")
    equal(os.path.exists(service.sign_socket), True, "the socket is the service manager's")
    waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    waiting.connect(service.sign_socket)  # while there is no stirkeepd
    service.said_to_manager.clear()
    service.start()
    service.sign()
    waiting.close()


@case
def it_says_which_grants_are_nobodys_without_a_capability(service):
    if not ROOT or "CAP_SYS_PTRACE" in " ".join(of_unit("CapabilityBoundingSet")):
        raise Skip("of root, without CAP_SYS_PTRACE")
    service.stop()
    with open(service.config, "a") as file:
        file.write(f"[grant program]\nuser = {os.geteuid()}\ncertificates = *\nattest = A\n"
                   "executable = /usr/bin/true\n")
    service.said_to_manager.clear()
    service.start()
    contains(service.said(), "grants with an executable or a unit are nobody's", "the log")


if __name__ == "__main__":
    with UnitService() as the_service:
        the_service.start()
        run(service=the_service)
