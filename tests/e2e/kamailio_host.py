# SPDX-License-Identifier: BSD-2-Clause
"""The modproc object in a process of its own, called as Kamailio's secsipid module calls it."""
import collections
import os
import shutil
import subprocess

from built import BUILD

OBJECT = f"{BUILD}/src/integrations/kamailio/secsipid_stirkeep.so"
HOST = f"{BUILD}/tests/e2e/kamailio/kamailio_host"

Answer = collections.namedtuple("Answer", "result ms text")


class Host:
    def __init__(self, service, size=11, command=(), uid=None, **environment):
        self.log = f"{service.base}/host.log"
        self.stderr = open(self.log, "wb")
        programs, user = (HOST, OBJECT), {}
        if uid is not None:  # who may not enter the build folder
            programs = [shutil.copy(one, service.base) for one in programs]
            user = {"user": uid, "group": uid, "extra_groups": []}
        self.process = subprocess.Popen(
            [*command, *programs, str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.stderr, text=True, **user,
            env={**os.environ, "STIRKEEP_SIGN_SOCKET": service.sign_socket, **environment})
        line = self.process.stdout.readline().split()
        if line[:1] != ["bound"]:
            self.process.stdin.close()
            raise AssertionError(f"exit {self.process.wait()}: {self.said()}")
        self.pid = int(line[1])

    def said(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def tell(self, *words):
        """None is NULL."""
        words = ["\\N" if word is None else word.replace("\n", "\\n") for word in words]
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()

    def ask(self, *words):
        self.tell(*words)
        line = self.process.stdout.readline().rstrip("\n")
        if not line:
            raise AssertionError(f"no answer to {words}: exit {self.process.poll()}: {self.said()}")
        result, us, text = line.split(" ", 2)
        return Answer(int(result), int(us) / 1000, text)

    def sign(self, key="Alpha", orig="12155551212", dest="12155551213", attest="A", origid="",
             x5u="", data=False):
        return self.ask("identity-data" if data else "identity", orig, dest, attest, origid, x5u, key)

    def loop(self, count, key="Alpha"):
        """([resident KiB], calls that failed)"""
        self.tell("loop", str(count), key)
        resident = []
        while True:
            word, *numbers = self.process.stdout.readline().split()
            if word == "failed":
                return resident, int(numbers[0])
            resident.append(int(numbers[1]))

    def descriptors(self):
        return sorted(os.readlink(f"/proc/{self.pid}/fd/{name}")
                      for name in os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def end(self):
        if self.process.poll() is None:
            self.tell("end")
            self.process.stdin.close()
            status = self.process.wait(60)
            assert status == 0, f"exit {status}: {self.said()}"
        self.process.stdout.close()
        self.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.process.kill()
            self.process.wait()
        else:
            self.end()
