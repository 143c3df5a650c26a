# SPDX-License-Identifier: BSD-2-Clause
"""A service on a token that a script makes slow or faulty while it runs (tests/token/README.md)."""
import json
import os
import re
import shutil
import struct
import subprocess

from built import BUILD
from stirkeep import SOURCE, Service, softhsm_module


def functions():
    with open(f"{SOURCE}/tests/token/functions.h") as file:
        return re.findall(r"^FUNCTION\((C_\w+),", file.read(), re.M) + ["C_GetFunctionList"]


class ScriptedService(Service):
    def __init__(self, sessions=0, grants=None, extra=None):
        super().__init__(grants)
        module = f"{self.libexec}/softhsm-wrap.so"  # by the name the keeper knows that files are to be guarded
        shutil.copy(f"{BUILD}/tests/token/wrap.so", module)
        self.script_file = f"{self.base}/script"
        self.counts_file = f"{self.base}/counts"
        self.functions = functions()
        with open(self.counts_file, "wb") as file:
            file.write(bytes(8 * (len(self.functions) + 1)))
        os.chmod(self.counts_file, 0o666)
        self.follow()
        # Most who use it measure rates; who does not, asks for "always".
        sections = {"token": {"module": module, "sessions": str(sessions),
                              "verify-signatures": "sampled"},
                    "token-environment": {"STIRKEEP_WRAP_MODULE": softhsm_module(),
                                          "STIRKEEP_WRAP_SCRIPT": self.script_file,
                                          "STIRKEEP_WRAP_COUNTS": self.counts_file}}
        self.grants, self.sections = grants, sections
        self.configure(extra)

    def configure(self, extra=None):
        """Further keys, for the next start."""
        for section, keys in (extra or {}).items():
            self.sections.setdefault(section, {}).update(keys)
        self.write_config(self.grants, extra=self.sections)

    def follow(self, *lines):
        """From the next call on, the token does what these lines say, and nothing else."""
        with open(self.script_file, "w") as file:
            file.write("".join(f"{line}\n" for line in (*lines, "end")))
        os.chmod(self.script_file, 0o644)

    def called(self, function):
        """How often, over all processes."""
        return self.counts()[self.functions.index(function)]

    def counts(self):
        with open(self.counts_file, "rb") as file:
            return struct.unpack(f"={len(self.functions) + 1}Q", file.read())

    def actions(self):
        """How many were carried out since forget_actions."""
        return self.counts()[-1]

    def forget_actions(self):
        with open(self.counts_file, "r+b") as file:
            file.seek(8 * len(self.functions))
            file.write(bytes(8))


def begin_bench(service, connections, window, seconds, *more, uid=None, name="Alpha"):
    return subprocess.Popen(
        [f"{service.libexec}/stirkeep", "bench", name, "--json", "--seconds", str(seconds),
         "--connections", str(connections), "--window", str(window), *more],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=service.environment(),
        **({"user": uid, "group": uid, "extra_groups": []} if uid else {}))


def end_bench(process):
    return json.loads(process.communicate(timeout=180)[0])


def bench(*arguments, **keys):
    return end_bench(begin_bench(*arguments, **keys))


def resident_kib(service):
    """Of each room."""
    found = {}
    for room in ("front", "intake", "keeper"):
        with open(f"/proc/{service.pid(room)}/status") as file:
            found[room] = next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
    return found
