# SPDX-License-Identifier: BSD-2-Clause
"""A service whose token fails by a script, two clients that sign all the while, and what became of
one fault."""
import os
import signal
import threading
import time

import passports
import wire
from built import PATIENCE
from leaves import Issuer
from stirkeep import PATIENT, wait_until
from tokens import ScriptedService

CALL_TIMEOUT_MS = 700 * PATIENCE
OPEN_TIMEOUT_MS = 3000 * PATIENCE
DEADLINE_MS = 4000 * PATIENCE  # of a client's request: a keeper may be replaced within it
PAUSE = 0.01          # of a client between two requests
LIMIT = 20 * PATIENCE  # for the next good signature
DEATHS = 2            # of keepers; then a new service, before the back-off takes long
NAMES = {number: name for name, number in wire.STATUS.items()}


class Client(threading.Thread):
    """Signs by one certificate, one request after the other, and verifies each answer."""

    def __init__(self, service, name, public_key):
        super().__init__(daemon=True)
        self.service, self.name_signed, self.public_key = service, name, public_key
        self.answers = []  # (sent, answered, status)
        self.wrong = []
        self.rests = False
        self.ended = False

    def run(self):
        number = 0
        connection = None
        while not self.ended:
            if self.rests:
                time.sleep(PAUSE)
                continue
            number += 1
            sent = time.monotonic()
            try:
                if connection is None:
                    connection = wire.Connection(self.service.sign_socket, DEADLINE_MS / 1000 + 2)
                connection.send(wire.sign_request(number, self.name_signed, deadline_ms=DEADLINE_MS))
                answer = connection.receive()
                status = "closed" if answer is None else NAMES[answer.status]
            except OSError as why:  # a time-out is one, too
                answer, status = None, "unanswered" if isinstance(why, TimeoutError) else "closed"
            if answer is None and connection is not None:
                connection.close()
                connection = None
            if status == "ok" and not passports.verifies(answer.signed.identity, self.public_key):
                status = "wrong"
                self.wrong.append(answer.signed.identity)
            self.answers.append((sent, time.monotonic(), status))
            time.sleep(PAUSE)

    def good_after(self, moment):
        """When the first good answer to a request of after that moment came; None."""
        return next((answered for sent, answered, status in self.answers
                     if status == "ok" and sent >= moment), None)

    def longest_gap(self, moment):
        """Between good answers, from the last one before that moment on."""
        good = [answered for _, answered, status in self.answers if status == "ok"]
        start = max([when for when in good if when <= moment], default=moment)
        times = [start] + [when for when in good if when > start]
        return max((after - before for before, after in zip(times, times[1:])), default=0)

    def since(self, moment):
        """Statuses of what was answered after that moment."""
        return [status for _, answered, status in self.answers if answered >= moment]


class FaultBed:
    def __init__(self):
        self.service = ScriptedService(2, extra={"token": {"verify-signatures": "always"},
                                                  "audit": {"seal-seconds": "86400"},
                                                  **PATIENT})
        self.deaths = 0
        self.number = 0
        self.service.start()  # the wrapping key is made, which takes its time
        self.service.stop()
        sections = {"call-timeout-ms": str(CALL_TIMEOUT_MS), "open-timeout-ms": str(OPEN_TIMEOUT_MS)}
        self.service.configure({"token": sections})
        self.start()
        self.issuer = Issuer(self.service.lab)
        self.clients = []
        for name in ("Alpha", "Beta"):
            leaf = self.import_healthy(name)
            self.clients.append(Client(self.service, name, leaf.public_key))
        for client in self.clients:
            client.start()

    # ---- keys

    def files(self, name):
        leaf = self.issuer.leaf()
        self.issuer.files(leaf, name)
        return leaf, f"{self.service.lab}/{name}.key"

    def new_name(self, word):
        self.number += 1
        return f"{word}-{self.number}"

    def import_healthy(self, name):
        leaf, _ = self.files(name)
        self.service.import_leaf(name, name)
        return leaf

    def signature(self, name):
        """(status, identity) of one request."""
        with wire.Connection(self.service.sign_socket, 10 * PATIENCE) as connection:
            connection.send(wire.sign_request(1, name, deadline_ms=DEADLINE_MS))
            answer = connection.receive()
            return NAMES[answer.status], answer.signed.identity

    @staticmethod
    def verifies(identity, leaf):
        return passports.verifies(identity, leaf.public_key)

    def signs(self, name, leaf):
        status, identity = self.signature(name)
        assert status != "ok" or self.verifies(identity, leaf), "a wrong signature"
        return status == "ok"

    def key_ids(self):
        """What another program finds on the token."""
        return self.service.pkcs11_tool("--list-objects", "--type", "privkey").stdout.decode()

    # ---- one fault

    def start(self):
        """On a machine that stands still a call may take too long by itself: then once more."""
        self.read_log()
        try:
            self.service.start()
        except AssertionError:
            if not self.hung():
                raise
            self.service.porter.wait(20)
            self.service.stderr.close()
            self.service.start()
        self.deaths = 0

    def settle(self):
        """All is well, and the clients have seen it."""
        self.service.follow()
        for client in self.clients:
            client.rests = False
            client.answers = []
        if self.service.porter is None or self.deaths >= DEATHS:
            if self.service.porter is not None:
                self.service.stop()
            self.start()
        self.wait_good(time.monotonic())
        self.keeper = self.service.pid("keeper")

    def wait_good(self, moment):
        wait_until("both sign again",
                   lambda: all(client.good_after(moment) for client in self.clients), LIMIT, 0.005)
        return max(client.good_after(moment) for client in self.clients)

    def arm(self, *lines, at_most=1):
        self.service.forget_actions()
        self.service.follow(f"at-most {at_most}", *lines)

    def met(self, count=1):
        return self.service.actions() >= count

    def read_log(self):
        self.logged = len(self.service.said())

    def hung(self):
        """Has a call hung since the log was read?"""
        return "has hung for" in self.service.said()[self.logged:]

    def wait_replaced(self):
        """A fault that ends the keeper: it has to be another one soon."""
        wait_until("the keeper is replaced",
                   lambda: self.service.pid("keeper") not in (None, self.keeper), 5, 0.01)

    def replaced(self):
        """Is the keeper another one? It counts as a death."""
        now = self.service.pid("keeper")
        other = now != self.keeper
        self.deaths += other
        self.keeper = now
        return other

    def rest(self):
        """No client signs."""
        for client in self.clients:
            client.rests = True
        time.sleep(5 * PAUSE)

    def kill_keeper_and(self, *lines):
        """The next keeper follows these lines, and not a call of this one's does."""
        pid = self.service.pid("keeper")
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.01)
        self.arm(*lines)
        os.kill(pid, signal.SIGKILL)
        self.deaths += 1

    def touch_pin(self):
        """As somebody does who mends it: the same one, written again."""
        path = f"{self.service.token}/pin"
        with open(path) as file:
            pin = file.read()
        with open(path, "w") as file:
            file.write(pin)

    def statuses(self, moment):
        return [status for client in self.clients for status in client.since(moment)]

    def end(self):
        for client in self.clients:
            client.ended = True
        for client in self.clients:
            client.join(DEADLINE_MS / 1000 + 5)
        self.service.follow()
        self.service.remove()
