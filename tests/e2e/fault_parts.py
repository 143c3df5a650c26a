# SPDX-License-Identifier: BSD-2-Clause
"""The parts of a service's life in which its token has a fault. Each has the fault met, and then
checks what is its own: `answer` is what was answered, `began` when the fault was met."""
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

from cryptography import x509

from built import PATIENCE
from stirkeep import wait_until
from way import content

COMMAND_LIMIT = 40 * PATIENCE
STOP_LIMIT = 8 * PATIENCE  # stirkeepd gives each room 5 s
LOCKED_FOR = 1.2      # seconds for which a PIN is seen not to be tried again
WORST = ("wrong", "unanswered", "closed", "internal", "token-locked", "token-error", "no-memory",
         "key-unavailable", "unavailable", "deadline", "overloaded", "ok")


class NotMet(Exception):
    """The call that should fail was not made."""


def worst(statuses):
    return min(statuses or ["ok"], key=lambda status: WORST.index(status)
               if status in WORST else -1)


class Part:
    others_wait = False  # may others' requests fail though the keeper stays the same?

    def __init__(self, bed, cell, timeout_ms, number):
        self.bed, self.cell, self.number = bed, cell, number
        self.line = f"{cell.function} {cell.whose}{number} {cell.action(timeout_ms)}"
        self.answer = None
        self.began = None

    def meet(self, limit=5.0):
        end = time.monotonic() + limit * PATIENCE
        while not self.bed.met():
            if time.monotonic() > end:
                raise NotMet(self.line)
            time.sleep(0.001)
        self.began = time.monotonic()

    def ended(self):
        """When the first good signature came after it."""
        return self.bed.wait_good(self.began)


class Signing(Part):
    def run(self):
        armed = time.monotonic()
        self.bed.arm(self.line)
        self.meet()
        good = self.ended()
        self.answer = worst(self.bed.statuses(armed))
        return good


class FirstUse(Part):
    """Of a key by the keeper's signers."""

    def run(self):
        name = self.bed.new_name("First")
        leaf = self.bed.import_healthy(name)
        self.bed.arm(self.line)
        self.answer, identity = self.bed.signature(name)
        self.meet(0)
        if self.answer == "ok":
            assert self.bed.verifies(identity, leaf), "a wrong signature"
        wait_until(f"{name} signs", lambda: self.bed.signs(name, leaf), 10, 0.01)
        good = max(time.monotonic(), self.ended())
        self.bed.service.cli("destroy", name, "--yes")
        return good


class OpeningAgain(Part):
    def meet_both(self):
        wait_until("both faults are met", lambda: self.bed.met(2), 5, 0.001)
        self.began = time.monotonic()

    def run(self):
        armed = time.monotonic()
        self.bed.arm("C_Sign ro:1 return 0xb3", self.line, at_most=2)
        self.meet_both()
        good = self.ended()
        self.answer = worst(self.bed.statuses(armed))
        return good


class Command(Part):
    """Of an administrator."""
    act = None

    def prepare(self):
        self.name = self.bed.new_name(type(self).__name__)

    def run(self):
        self.prepare()
        self.bed.arm(self.line)
        self.code = self.run_it()
        self.meet(0)
        self.answer = self.outcome()
        self.holds(self.code == 0)
        good = self.ended()
        if self.code != 0:
            try:
                wait_until(f"{self.act} {self.name} is done", self.finish, 15, 0.05)
            except AssertionError as why:
                raise AssertionError(f"{why}: {self.told}") from None
        self.complete()
        return good

    def run_it(self):
        """The command's exit status; and the moment when the fault is met is taken."""
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(self.again)
            while not self.bed.met() and not done.done():
                time.sleep(0.001)
            self.met_at = time.monotonic()
            return done.result().returncode

    def meet(self, limit=0):
        super().meet(limit)
        self.began = self.met_at

    def again(self):
        return self.bed.service.cli(*self.command(), check=False, timeout=COMMAND_LIMIT)

    def finish(self):
        done = self.again()
        self.told = done.stderr
        return done.returncode == 0

    def recorded(self):
        for line in reversed(self.bed.service.records()[-400:]):
            record = json.loads(line)
            if record.get("act") == self.act and record.get("name") == self.name:
                return record["outcome"]
        return None

    def outcome(self):
        """As the trail has it."""
        if self.code == 0:
            return "ok"
        end = time.monotonic() + PATIENCE
        while self.recorded() is None and time.monotonic() < end:
            time.sleep(0.02)
        return self.recorded() or "refused"

    def holds(self, done):
        pass

    def complete(self):
        pass

    def destroy(self):
        self.bed.service.cli("destroy", self.name, "--yes")


class Import(Command):
    """The key signs, or its file is whole; in the end it signs, and the file is gone."""
    act = "import"

    def prepare(self):
        super().prepare()
        self.leaf, self.key = self.bed.files(self.name)
        self.whole = content(self.key)

    def command(self):
        return ["import", self.name, "--cert", f"{self.bed.service.lab}/{self.name}-chain.pem",
                "--key", self.key]

    def holds(self, done):
        if done or content(self.key) != self.whole:
            wait_until("the key signs", lambda: self.bed.signs(self.name, self.leaf), 10, 0.02)
        assert not done or not os.path.exists(self.key), "imported, and the key's file is there"

    def finish(self):
        return super().finish() or (not os.path.exists(self.key)
                                    and self.bed.signs(self.name, self.leaf))

    def complete(self):
        assert self.bed.signs(self.name, self.leaf), "it does not sign"
        assert not os.path.exists(self.key), "the key's file is there"
        self.destroy()


class Generate(Command):
    act = "generate"

    def command(self):
        self.csr = f"{self.bed.service.base}/{self.name}.csr"
        return ["generate", self.name, "--spc", "709J", "--csr-out", self.csr]

    def again(self):
        if os.path.exists(f"{self.bed.service.base}/{self.name}.csr"):
            os.remove(self.csr)
        return super().again()

    def complete(self):
        """What the CA answers to the request can be installed, and signs."""
        with open(self.csr, "rb") as file:
            public_key = x509.load_pem_x509_csr(file.read()).public_key()
        leaf = self.bed.issuer.leaf(public_key=public_key)
        path = f"{self.bed.service.base}/{self.name}.pem"
        with open(path, "wb") as file:
            file.write(self.bed.issuer.chain_pem(leaf))
        self.bed.service.cli("install", self.name, "--cert", path)
        assert self.bed.signs(self.name, leaf), "it does not sign"
        self.destroy()


class Destroy(Command):
    """Whoever is told that a key is destroyed is told the truth."""
    act = "destroy"

    def prepare(self):
        super().prepare()
        self.leaf = self.bed.import_healthy(self.name)

    def command(self):
        return ["destroy", self.name, "--yes"]

    def finish(self):
        """The service may have gone on with it by itself."""
        return super().finish() or "no key is held under this name any more" in self.told

    def holds(self, done):
        if done:
            self.complete()

    def complete(self):
        status, _ = self.bed.signature(self.name)
        assert status != "ok", "it was destroyed, and signs"
        assert self.leaf.key_id not in self.bed.key_ids(), "it was destroyed, and is there"


class Doctor(Command):
    act = "doctor"

    def command(self):
        return ["doctor", "--json"]

    def outcome(self):
        return {0: "ok", 1: "troubles"}.get(self.code, "usage")

    def finish(self):
        return True


class Opening(Part):
    others_wait = True

    def run(self):
        armed = time.monotonic()
        logins = self.bed.service.called("C_Login")
        self.bed.kill_keeper_and(self.line)
        self.meet(10)
        if self.cell.fault.startswith("CKR_PIN"):
            self.check_locked(logins)
        good = self.ended()
        self.answer = worst(self.bed.statuses(armed))
        self.bed.deaths = 99
        return good

    def check_locked(self, logins):
        """One try, and no other: not for requests, not for time, not by the next keeper."""
        service = self.bed.service
        wait_until("it answers that it is locked",
                   lambda: self.bed.signature("Alpha")[0] == "token-locked", 10, 0.02)
        time.sleep(LOCKED_FOR)
        service.kill("keeper")
        time.sleep(0.3)
        wait_until("so does the next keeper",
                   lambda: self.bed.signature("Alpha")[0] == "token-locked", 10, 0.02)
        assert service.called("C_Login") == logins + 1, \
            f"C_Login was called {service.called('C_Login') - logins} times"
        told = service.cli("status", check=False)
        assert "PIN" in told.stdout + told.stderr, f"status does not say it: {told}"
        assert "the token refused the PIN" in service.said()[-4000:], "the log does not say it"
        self.bed.touch_pin()
        self.began = time.monotonic()


class Ending(Part):
    others_wait = True

    def run(self):
        self.bed.rest()
        self.bed.arm(self.line)
        began = time.monotonic()
        code = self.bed.service.stop()
        took = time.monotonic() - began
        assert took < STOP_LIMIT, f"it took {took:.1f} s to end"
        self.meet(0)
        self.answer = f"exit {code}"
        self.bed.start()
        for client in self.bed.clients:
            client.rests = False
        return self.ended()


KINDS = {"signing": Signing, "first use of a key": FirstUse, "opening a session again": OpeningAgain,
         "import": Import, "generate": Generate, "destroy": Destroy, "doctor": Doctor,
         "opening": Opening, "ending": Ending}
