# SPDX-License-Identifier: BSD-2-Clause
"""Kamailios and phones: each proxy with a directory, a log and ports of its own on 127.0.0.1."""
import contextlib
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import uuid

from stirkeep import SOURCE, wait_until

HERE = f"{SOURCE}/tests/e2e/kamailio"


def missing():
    """What the distribution's packages have not given; "" when all is there."""
    names = {"kamailio": "kamailio", "sipp": "sip-tester"}
    packages = [package for program, package in names.items() if shutil.which(
        program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") is None]
    if modules() is None:
        packages.append("kamailio-secsipid-modules")
    return f"not installed: {', '.join(packages)}" if packages else ""


def must_be_there():
    """Is a missing package a fault, and no reason to skip? Debian 12, Ubuntu 22.04 and what came
    after them have all; a developer's machine need not."""
    return bool(os.environ.get("CI")) and os.path.exists("/etc/debian_version")


def version():
    """(major, minor) of the Kamailio."""
    said = subprocess.run(["/usr/sbin/kamailio", "-v"], stdout=subprocess.PIPE, text=True).stdout
    return tuple(map(int, re.search(r"kamailio (\d+)\.(\d+)", said).groups()))


def modules():
    """The directory of Kamailio's modules; None without the secsipid module."""
    found = glob.glob("/usr/lib/*/kamailio/modules/secsipid.so") + \
        glob.glob("/usr/lib/kamailio/modules/secsipid.so")
    return os.path.dirname(found[0]) + "/" if found else None


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def example(kind):
    """The block of that kind in docs/KAMAILIO.md."""
    with open(f"{SOURCE}/docs/KAMAILIO.md") as file:
        return re.search(rf"^```{kind}\n(.*?)^```", file.read(), re.M | re.S).group(1)


class Proxy:
    """A Kamailio in the foreground; ready when it answers."""

    def __init__(self, directory, name, config, port, defines=(), user=None, **environment):
        """`user`: whom its workers become, when root starts it."""
        self.port = port
        self.path = f"{directory}/{name}"
        os.mkdir(self.path)
        if user is not None:
            shutil.chown(self.path, user)
        with open(f"{self.path}/kamailio.cfg", "w") as out:
            out.write(config)
        self.log = open(f"{self.path}/log", "wb")
        self.process = subprocess.Popen(
            ["/usr/sbin/kamailio", "-DD", "-E", "-f", f"{self.path}/kamailio.cfg", "-Y", self.path,
             "-w", self.path, *(["-u", user] if user is not None else []), *(word for define in defines for word in ("-A", define))],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={**os.environ, **environment}, start_new_session=True)
        try:
            wait_until(f"{name} answers", self.answers, 20, 0.05)
        except AssertionError as why:
            self.stop()
            raise AssertionError(f"{why}\n{self.said()}") from None

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"kamailio ended: {self.said()}")
        with Phone(self.port) as phone:
            return phone.ask("OPTIONS", wait=0.2) is not None

    def said(self):
        with open(f"{self.path}/log", errors="replace") as file:
            return file.read()

    def workers(self):
        """Process ids of all that it forked."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            return [int(pid) for pid in file.read().split()]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        # One whose start failed leaves children behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Phone:
    """One end of a call, one datagram at a time."""

    def __init__(self, proxy_port=None):
        self.proxy_port = proxy_port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.branch = f"z9hG4bK{uuid.uuid4().hex}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, number, calling="12155551212", called="12155551213", to_tag=""):
        text = (f"{method} sip:{called}@127.0.0.1:{self.proxy_port} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={self.branch}{number}\r\n"
                f"From: <sip:{calling}@127.0.0.1:{self.port}>;tag=a{number}\r\n"
                f"To: <sip:{called}@127.0.0.1:{self.proxy_port}>{to_tag}\r\n"
                f"Call-ID: {self.branch}-{number}\r\nCSeq: 1 {method}\r\n"
                f"Contact: <sip:{calling}@127.0.0.1:{self.port}>\r\n"
                "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
        self.socket.sendto(text.encode(), ("127.0.0.1", self.proxy_port))

    def receive(self, wait):
        """A message as text; None: none came."""
        self.socket.settimeout(wait)
        try:
            return self.socket.recvfrom(65536)[0].decode()
        except TimeoutError:
            return None

    def ask(self, method, number=0, wait=5.0, **who):
        """The code of the final answer; None: none came."""
        self.send(method, number, **who)
        end = time.monotonic() + wait
        while time.monotonic() < end:
            text = self.receive(max(0.001, end - time.monotonic()))
            if text is None:
                return None
            code = int(text.split(" ", 2)[1])
            if code >= 200 and f"{self.branch}-{number}\r\n" in text:
                if method == "INVITE":
                    tag = re.search(r"^To:[^\r]*(;tag=[^\r;]+)", text, re.M)
                    self.send("ACK", number, to_tag=tag.group(1) if tag else "", **who)
                return code
        return None


class Called(Phone):
    """Declines every call with 486, and keeps what came."""

    def invite(self, wait=5.0):
        """The next INVITE that is not sent again; answered."""
        end = time.monotonic() + wait
        while time.monotonic() < end:
            text = self.receive(max(0.001, end - time.monotonic()))
            if text is None:
                return None
            if text.startswith("INVITE "):
                self.decline(text)
                return text
        return None

    def decline(self, text):
        kept = [line for line in text.split("\r\n")
                if re.match(r"(Via|From|To|Call-ID|CSeq):", line, re.I)]
        kept = [line + ";tag=z" if line.lower().startswith("to:") else line for line in kept]
        answer = "SIP/2.0 486 Busy Here\r\n" + "\r\n".join(kept) + "\r\nContent-Length: 0\r\n\r\n"
        first = re.search(r"^Via: SIP/2.0/UDP 127.0.0.1:(\d+)", text, re.M)
        self.socket.sendto(answer.encode(), ("127.0.0.1", int(first.group(1))))


def header(message, name):
    found = re.search(rf"^{name}: *([^\r]*)\r$", message, re.M | re.I)
    return found.group(1) if found else None


def sipp(directory, scenario, port, *arguments, remote=None, limit=60):
    """A sipp that runs; its messages and faults are written to files in `directory`."""
    return subprocess.Popen(
        ["sipp", *([f"127.0.0.1:{remote}"] if remote else []), "-i", "127.0.0.1", "-p", str(port),
         "-sf", f"{HERE}/{scenario}", "-nostdin", "-timeout", str(limit), "-timeout_error",
         *arguments],
        cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "dumb"})
