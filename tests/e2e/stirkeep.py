# SPDX-License-Identifier: BSD-2-Clause
"""A stirkeep service of a test's own: token, laboratory chain, configuration, real programs.

Run by root, each room has a user of its own, as in production; run by anyone else, all rooms run
as that user. The programs are copied to where these users reach them.
"""
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from built import BUILD, PATIENCE, UNDER

SOURCE = os.environ["STIRKEEP_SOURCE"]
ROOT = os.geteuid() == 0
ROOMS = {"front": 61001, "intake": 61002, "keeper": 61003}
STRANGER = 61009  # a user whom nothing is granted
CLI = f"{BUILD}/src/cli/stirkeep"
PORTER = f"{BUILD}/src/stirkeepd/stirkeepd"
# Seconds; the wrapping key is generated at the first start.
START_LIMIT = 60
# What sanitizers say in a room's log when they have found something.
FOUND = re.compile("runtime error: |ERROR: [A-Za-z]+Sanitizer|WARNING: ThreadSanitizer|"
                   r"(?m:^==\d+== (?!Warning))")  # valgrind
# LeakSanitizer does not work in what strace traces.
TRACED = {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"}
# Where others on the machine may hold up requests.
PATIENT = {"signing": {"deadline-ms": "60000" if UNDER else "5000"}}
# Ignored by nohup, and by a shell in the background: else the programs leave it so.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


def softhsm_module():
    for pattern in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so"):
        for path in glob.glob(pattern):
            return path
    raise RuntimeError("SoftHSM is not installed")


def wait_until(what, condition, limit=10.0, step=0.01):
    """`limit`: seconds, and as many times more as the programs are slower."""
    end = time.monotonic() + limit * PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(step)
    raise AssertionError(f"{what}: not within {limit} s")


def wait_if_slowed(what, condition):
    """Under valgrind: until that is so which otherwise has to be so at once, as is asserted next."""
    if UNDER:
        wait_until(what, condition)


class Service:
    """Directories are made by __init__, processes by start(); stop() and remove() end it."""

    def __init__(self, grants=None, extra=None, softhsm_lines=(), label="stirkeep", directory=None,
                 lab=None):
        """`directory`: where its directory is made; `lab`: where the laboratory chain is."""
        self.base = tempfile.mkdtemp(prefix="stirkeep-e2e-", dir=directory)
        os.chmod(self.base, 0o711)
        os.umask(0o022)  # a configuration that one's group may write to is refused
        self.token = f"{self.base}/token"
        self.lab = lab or f"{self.base}/lab"
        self.state = f"{self.base}/state"
        self.log = f"{self.base}/log"
        self.run = f"{self.base}/run"
        self.libexec = f"{self.base}/libexec"
        self.config = f"{self.base}/stirkeep.conf"
        self.sign_socket = f"{self.run}/sign.sock"
        self.admin_socket = f"{self.run}/admin.sock"
        self.audit = f"{self.log}/audit.jsonl"
        self.porter = None
        for directory in (self.state, self.log):
            os.mkdir(directory, 0o700)
        for directory in (self.run, self.libexec):
            os.mkdir(directory, 0o755)
        for room in ROOMS:
            shutil.copy(f"{BUILD}/src/{room}/stirkeep-{room}", self.libexec)
        shutil.copy(CLI, self.libexec)
        self.script("token-setup.sh", self.token, label)
        with open(f"{self.token}/softhsm2.conf", "a") as out:
            for line in softhsm_lines:
                out.write(line + "\n")
        self.make_chain("709J", "leaf")
        self.write_config(grants, extra, label)
        if ROOT:
            self.give(self.token, "keeper")
            self.give(self.log, "keeper")
            self.give(self.state, "intake")
            os.chown(f"{self.token}/pin", 0, 0)

    @staticmethod
    def give(directory, room):
        for path, _, files in os.walk(directory):
            os.chown(path, ROOMS[room], ROOMS[room])
            for name in files:
                os.chown(f"{path}/{name}", ROOMS[room], ROOMS[room])

    @staticmethod
    def script(name, *arguments, **environment):
        subprocess.run(["sh", f"{SOURCE}/softhsm-conf/{name}", *arguments], check=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       env={**os.environ, **environment})

    def make_chain(self, spc, *leaves, days=None):
        self.script("lab-chain.sh", self.lab, spc, *leaves, **({"LAB_DAYS": str(days)} if days else {}))

    def write_config(self, grants=None, extra=None, label="stirkeep"):
        """`grants`: text of grant sections; `extra`: {section: {key: value}} on top."""
        sections = {
            "token": {"module": softhsm_module(), "label": label, "pin-file": f"{self.token}/pin"},
            "token-environment": {"SOFTHSM2_CONF": f"{self.token}/softhsm2.conf"},
            "sockets": {"sign": self.sign_socket, "admin": self.admin_socket},
            "storage": {"catalog": f"{self.state}/catalog.db"},
            "audit": {"file": self.audit},
            "signing": {"x5u-template": "https://certs.example.com/{name}/{fingerprint}.pem"},
            "admin": {"user": str(os.geteuid())},
        }
        if ROOT:
            sections["rooms"] = {f"{room}-user": str(uid) for room, uid in ROOMS.items()}
        if "TSAN_OPTIONS" in os.environ:  # what is to be forgiven the module; rooms inherit nothing
            sections["token-environment"]["TSAN_OPTIONS"] = os.environ["TSAN_OPTIONS"]
        if UNDER:
            sections["signing"].update(PATIENT["signing"])
            sections["token"]["call-timeout-ms"] = "60000"
            sections["token"]["open-timeout-ms"] = "600000"
        for section, keys in (extra or {}).items():
            sections.setdefault(section, {}).update(keys)
        text = ""
        for section, keys in sections.items():
            text += f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items())
        text += grants or (f"[grant test]\nuser = {os.geteuid()}\ncertificates = *\n"
                           "ppt = base, shaken\nattest = A, B, C\n")
        with open(self.config, "w") as out:
            out.write(text)

    # ---- processes

    def command(self):
        return [*UNDER, PORTER, "-c", self.config, "--libexec", self.libexec]

    def start(self, ready=True, **environment):
        self.stderr = open(f"{self.base}/service.log", "ab")
        self.porter = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.stderr,
                                       stderr=self.stderr, env={**os.environ, **environment})
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            if self.porter.poll() is not None:
                raise AssertionError(f"stirkeepd ended with {self.porter.returncode}:\n{self.said()}")
            return self.cli("status", check=False).returncode == 0
        try:
            wait_until("the service is ready", ready, START_LIMIT, 0.05)
        except AssertionError as why:
            raise AssertionError(f"{why}\n{self.said()}") from None

    def said(self):
        if not os.path.exists(f"{self.base}/service.log"):
            return ""
        with open(f"{self.base}/service.log", errors="replace") as log:
            return log.read()

    def said_of_itself(self):
        """The log's lines without those that hand seals of the audit trail on, and what valgrind takes away."""
        return [line for line in self.said().splitlines()
                if not line.startswith("stirkeepd: audit seal through ") and
                not (UNDER and line.startswith("stirkeepd: goes without: seccomp: "))]

    def stop(self, limit=20):
        """SIGTERM; the exit status."""
        if self.porter is None:
            return None
        self.porter.send_signal(signal.SIGTERM)
        try:
            return self.porter.wait(limit * PATIENCE)
        finally:
            if self.porter.poll() is None:
                self.porter.kill()
                self.porter.wait()
            self.stderr.close()
            self.porter = None

    def remove(self):
        self.stop()
        said = self.said()
        shutil.rmtree(self.base)
        assert not FOUND.search(said), said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def pid(self, room):
        """Process id of a room, None while there is none."""
        for stat in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(stat) as file:
                    text = file.read()
                if int(text[text.rindex(")") + 2:].split()[1]) != self.porter.pid:
                    continue
                with open(f"{stat[:-len('stat')]}cmdline") as file:  # empty when it ended
                    words = file.read().split("\0")
            except OSError:
                continue
            if f"stirkeep-{room}" in (os.path.basename(word) for word in words):
                return int(stat.split("/")[2])
        return None

    def may_look_into(self, room):
        """May this user read the memory map of a room? Root may, but not in every container."""
        try:
            with open(f"/proc/{self.pid(room)}/maps") as maps:
                return maps.read() != ""
        except OSError:
            return False

    def kill(self, room):
        pid = wait_until(f"{room} runs", lambda: self.pid(room))
        os.kill(pid, signal.SIGKILL)
        return pid

    # ---- commands

    def environment(self):
        return {**os.environ, "STIRKEEP_SIGN_SOCKET": self.sign_socket,
                "STIRKEEP_ADMIN_SOCKET": self.admin_socket}

    def cli(self, *arguments, check=True, uid=None, stdin=None, timeout=60):
        """Run the command; with `check` it must exit with 0. `uid`: as that user (root only)."""
        done = subprocess.run([f"{self.libexec}/stirkeep", *arguments], env=self.environment(),
                              input=stdin, timeout=timeout * PATIENCE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              **({"user": uid, "group": uid, "extra_groups": []} if uid else {}))
        if check and done.returncode != 0:
            raise AssertionError(f"stirkeep {' '.join(arguments)}: exit {done.returncode}: "
                                 f"{done.stdout}{done.stderr}\n{self.said()}")
        return done

    def import_leaf(self, name="Alpha", leaf="leaf", *more, check=True):
        return self.cli("import", name, "--cert", f"{self.lab}/{leaf}-chain.pem",
                        "--key", f"{self.lab}/{leaf}.key", *more, check=check)

    def sign(self, name="Alpha", *more, check=True):
        return self.cli("sign", name, "--orig", "12155551212", "--dest", "12155551213",
                        "--attest", "A", *more, check=check)

    def pin(self):
        with open(f"{self.token}/pin") as file:
            return file.read().strip()

    def pkcs11_tool(self, *arguments):
        """Another program that looks at the token."""
        environment = {**os.environ, "SOFTHSM2_CONF": f"{self.token}/softhsm2.conf",
                       "STIRKEEP_TEST_PIN": self.pin()}
        return subprocess.run(["pkcs11-tool", "--module", softhsm_module(), "--token-label",
                               "stirkeep", "--login", "--pin", "env:STIRKEEP_TEST_PIN", *arguments],
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def records(self):
        """The audit trail, line by line, as its text."""
        with open(self.audit) as file:
            return file.read().splitlines()
