# SPDX-License-Identifier: BSD-2-Clause
"""Token, catalog and trail on one small disk that fills up under load: what is refused, that nothing
is lost, and that it goes on by itself. test_audit.py fills up the trail's disk alone."""
import collections
import json
import os
import shutil
import tempfile
import threading

import steady
import wire
from abuse import lives
from disk import Memory, fill
from passports import public_key, verifies
from stirkeep import Service, wait_until
from tap import case, contains, equal, note, run

ROUNDS = 3
OK, FULL = 0, wire.STATUS["audit-unavailable"]


class Client(threading.Thread):
    """Signs one after the other until it is stopped, and verifies what it gets."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.path, self.key = service.sign_socket, public_key(f"{service.lab}/leaf-chain.pem")
        self.signed, self.told = [], collections.Counter()
        self.stopping, self.trouble = threading.Event(), None

    def run(self):
        try:
            with wire.Connection(self.path, 30) as connection:
                while not self.stopping.is_set():
                    self.ask(connection)
        except Exception as why:  # told by who joins it
            self.trouble = why

    def ask(self, connection):
        connection.send(wire.sign_request(1))
        answer = connection.receive()
        assert answer is not None, "the service has hung up"
        self.told[answer.status] += 1
        if answer.status == OK:
            assert verifies(answer.signed.identity, self.key), "it does not verify"
            self.signed.append(answer.signed.origid)

    def finish(self):
        self.stopping.set()
        self.join(40)
        assert not self.is_alive(), "a client is not answered"
        if self.trouble is not None:
            raise self.trouble


def sources(service, name):
    """Make a key and a certificate to be imported; the key's file, and what is in it."""
    key = f"{service.lab}/{name}.key"
    service.make_chain("709J", name)
    with open(key, "rb") as file:
        return key, file.read()


def fill_once(service, client, mounted, name):
    key, text = sources(service, name)
    filler = fill(mounted)
    before = client.told[FULL]
    wait_until("it is refused", lambda: client.told[FULL] > before + 50, 30)
    done = service.import_leaf(name, name, check=False)
    assert done.returncode != 0, "imported on a full disk"
    with open(key, "rb") as file:
        equal(file.read(), text, "the key's file after an import that failed")
    told = json.loads(service.cli("status", "--json", check=False).stdout)
    equal(told["ready"], False, "status")
    contains(told["detail"], "audit trail cannot be written", "status")
    had = len(client.signed)
    os.unlink(filler)
    wait_until("it signs again by itself", lambda: len(client.signed) > had + 20, 10)
    service.import_leaf(name, name)
    assert not os.path.exists(key), "the key's file is there after its import"
    service.sign(name)
    return done.stderr.strip()


@case
def a_full_disk_loses_nothing_and_nobody_is_restarted():
    with Memory(64 << 20) as small:
        lab = tempfile.mkdtemp(prefix="stirkeep-full-lab-")
        try:
            with Service(directory=small.mounted, lab=lab,
                         extra={"audit": {"rotate-size": "1M", "compress": "no"}}) as service:
                service.start()
                service.import_leaf()
                before = lives(service)
                client = Client(service)
                client.start()
                wait_until("it signs", lambda: len(client.signed) > 50)
                for number in range(ROUNDS):
                    note(fill_once(service, client, small.mounted, f"Name{number}"))
                client.finish()
                note(f"{dict(client.told)} by status")
                equal(set(client.told), {OK, FULL}, "what clients were told")
                equal(lives(service), before, "process ids of the rooms")
                service.cli("audit", "verify", service.audit)
                steady.expect_recorded(service, client.signed)
                equal(service.cli("status", check=False).returncode, 0, "status")
                contains(service.said(), "nothing is signed until it can be written", "the log")
                equal(service.stop(), 0, "exit status")
                service.start()
                for number in range(ROUNDS):
                    service.sign(f"Name{number}")
        finally:
            shutil.rmtree(lab)


run()
