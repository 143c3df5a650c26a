# SPDX-License-Identifier: BSD-2-Clause
"""A service for being killed: what is true of it once it has settled, and what was lost."""
import collections
import json
import os
import re
import sqlite3
import subprocess
import time

import kills
import lives
import passports
import spool
import wire
from leaves import Issuer
from stirkeep import ROOMS, TRACED, wait_until
from token_files import objects_on

# Not a name's fault: a room is starting, or the token is being looked through for the first time.
PASSING = {14: "unavailable", 18: "overloaded", 19: "deadline", 24: "timeout"}
BYSTANDER = "Alpha"
SETTLE_LIMIT = 30
COMMAND_LIMIT = 60
DEATHS = 2  # of one room: then a new service, before its back-off takes long

Answer = collections.namedtuple("Answer", "fingerprint status message")


class Bed:
    def __init__(self, random):
        self.random = random
        self.service = spool.new_service()
        self.environment = {**self.service.environment(), **TRACED}
        self.program = f"{self.service.libexec}/stirkeep"
        self.deaths = collections.Counter()
        self.detail = ""  # of a service that is not ready
        self.number = 0
        self.keys = {}  # fingerprint: public key, of each certificate that was made
        self.logs = f"{self.service.base}/strace"
        os.mkdir(self.logs)
        self.uploads = f"{self.service.base}/uploads"
        os.mkdir(self.uploads, 0o700)
        self.service.start()
        self.service.import_leaf(BYSTANDER)
        self.issuer = Issuer(self.service.lab)
        self.bystander = lives.fingerprint(self.service, "leaf")
        self.keys[self.bystander] = passports.public_key(f"{self.service.lab}/leaf.pem")
        self.wrapping = f"{self.service.base}/wrapping.pem"
        with open(self.wrapping, "w") as file:
            file.write(self.service.cli("show", "--wrapping-key").stdout)

    def leaf(self, **keys):
        leaf = self.issuer.leaf(**keys)
        self.keys[leaf.fingerprint] = leaf.public_key
        return leaf

    def new_name(self, word):
        self.number += 1
        return f"{word}-{self.number}"

    # ---- commands

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], env=self.environment,
                              timeout=COMMAND_LIMIT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def must(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def begin(self, command):
        return subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def shown(self, name):
        done = self.run("show", name, "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def states(self, name):
        shown = self.shown(name)
        return {} if shown is None else {
            entry["fingerprint"]: entry["state"] for entry in shown["generations"]}

    # ---- processes

    def rooms(self):
        """{room: pid} of those that live."""
        found = kills.children_of(self.service.porter.pid)
        return {room: found[f"stirkeep-{room}"] for room in ROOMS if f"stirkeep-{room}" in found}

    def restart(self, pids=()):
        """A new service, once nothing is left of the old one (and of its rooms, `pids`)."""
        if self.service.porter.pid in pids:
            self.service.porter.wait(20)
            self.service.stderr.close()
        else:
            pids = self.rooms().values()
            self.service.stop()
        wait_until("the rooms are gone", lambda: not any(map(kills.is_alive, pids)), 20)
        self.deaths.clear()
        self.service.start()

    def is_ready(self):
        request = wire.admin_pb2.AdminRequest(id=1)
        request.status.SetInParent()
        try:
            with wire.Connection(self.service.admin_socket,
                                 response=wire.admin_pb2.AdminResponse) as connection:
                connection.send(request)
                answer = connection.receive()
        except OSError as why:
            self.detail = str(why)
            return False
        self.detail = str(answer)
        return answer is not None and answer.service_status.ready

    def settle(self, dead=()):
        """Wait until all rooms are there again (none of them among the `dead`), and nothing that
        was begun is left undone."""
        if self.service.porter.pid in dead:
            self.restart(dead)

        def rooms_are_up():
            rooms = self.rooms()
            return len(rooms) == len(ROOMS) and not set(rooms.values()) & set(dead) \
                and self.is_ready()
        try:
            wait_until("the rooms are up", rooms_are_up, SETTLE_LIMIT, 0.01)
        except AssertionError as why:
            raise AssertionError(f"{why}: {self.rooms()}, the dead are {dead}: "
                                 f"{self.detail}") from None
        wait_until("nothing is left undone", lambda: not self.open_intents(), SETTLE_LIMIT, 0.01)

    def renew(self):
        """A new service before a room's back-off takes long."""
        if max(self.deaths.values(), default=0) >= DEATHS:
            self.restart()

    # ---- what is true

    def catalog(self, sql, *values):
        uri = f"file:{self.service.state}/catalog.db?mode=ro"
        with sqlite3.connect(uri, uri=True, timeout=10) as connection:
            rows = connection.execute(sql, values).fetchall()
        connection.close()
        return rows

    def open_intents(self):
        return self.catalog("select kind, name from intent where state = 'intent'")

    def answer(self, name):
        """What a signing client gets; never anything mixed."""
        end = time.monotonic() + 10
        while True:
            got = self.ask(name)
            if got is not None and (got.status not in PASSING or time.monotonic() > end):
                break
            assert time.monotonic() < end, f"{name}: no answer"
            time.sleep(0.02)
        if got.status != 0:
            return Answer(None, got.status, got.message)
        identity = got.signed.identity
        found = re.search(r"/([0-9a-f]{64})\.pem$", lives.x5u_of(identity))
        assert found and found[1] in self.keys, f"{name}: an x5u that nobody gave it"
        assert passports.verifies(identity, self.keys[found[1]]), \
            f"{name}: a mixed answer: the certificate at its x5u does not verify it"
        return Answer(found[1], 0, "")

    def ask(self, name):
        try:
            with wire.Connection(self.service.sign_socket) as connection:
                connection.send(wire.sign_request(1, name=name))
                return connection.receive()
        except OSError:
            return None

    def signs(self, name):
        """By which certificate; None when it does not."""
        return self.answer(name).fingerprint

    def check_bystander(self):
        assert self.signs(BYSTANDER) == self.bystander, f"{BYSTANDER} does not sign any more"

    def objects_wanted(self):
        """How many objects of which class the token has to have by what the catalog says."""
        keys = self.catalog("select id, origin from key where state <> 'destroyed'")
        certificates = self.catalog(
            "select count(*) from (select distinct generation.key, chain.der from generation "
            "join key on key.id = generation.key and key.state <> 'destroyed' "
            "join chain on chain.generation = generation.id)")[0][0]
        made = sum(origin == "generated" for _, origin in keys)
        return collections.Counter(  # two pairs are the wrapping key and the audit key
            {"private": len(keys) + 2, "public": made + 2, "certificate": certificates})

    def check_keys(self):
        """No key is on the token that the catalog does not have, and none is missing. The spool may
        be at work."""
        def is_so():
            found, wanted = objects_on(self.service.token), self.objects_wanted()
            self.detail = f"on the token: {dict(found)}; by the catalog: {dict(wanted)}"
            return all(found[kind] == wanted[kind] for kind in ("private", "public"))
        try:
            wait_until("the token has the keys that the catalog has", is_so, 5)
        except AssertionError as why:
            raise AssertionError(f"{why}: {self.detail}") from None

    def check_objects(self):
        """The same of all objects, with what a kill tore."""
        found, wanted = objects_on(self.service.token), self.objects_wanted()
        assert found == wanted, f"on the token: {dict(found)}; by the catalog: {dict(wanted)}"

    # ---- the whole run

    def check_at_the_end(self):
        """Every act is in the trail, which verifies; every object on the token has its place."""
        self.check_trail()
        self.check_listing()

    def check_trail(self):
        """Whatever the catalog says has come about, the trail says who did it."""
        wait_until("all acts are in the trail",
                   lambda: self.catalog("select count(*) from act")[0][0] == 0, SETTLE_LIMIT, 0.05)
        self.must("audit", "verify", self.service.audit)
        records = [json.loads(line) for line in self.service.records()]
        told = {(record.get("name"), record.get("generation")) for record in records
                if record["act"] in ("import", "install") and record["outcome"] == "ok"}
        for name, number in self.catalog("select name.name, generation.number from generation "
                                         "join name on name.id = generation.name"):
            assert (name, number) in told, f"{name}, generation {number}: not in the trail"
        ended = {record.get("key_id") for record in records
                 if record["act"] == "destroy" and record["outcome"] == "ok"}
        for key_id, in self.catalog("select lower(hex(key_id)) from key where state = 'destroyed'"):
            assert key_id in ended, f"key {key_id}: its destruction is not in the trail"

    def check_listing(self):
        """As another program sees the token: each object is of a key that the catalog has."""
        text = self.service.pkcs11_tool("--list-objects").stdout.decode()
        found = collections.Counter(re.findall(r"^(Private Key|Public Key|Certificate) Object",
                                               text, re.M))
        wanted = self.objects_wanted()
        held = {key_id for key_id, in self.catalog(
            "select lower(hex(key_id)) from key where state <> 'destroyed'")}
        held.add(json.loads(self.must("status", "--json"))["audit_key"])
        ids = set(re.findall(r"^  ID: +([0-9a-f]{64})$", text, re.M))
        assert ids == held, f"key ids on the token: {ids}; in the catalog: {held}"
        assert found == {"Private Key": wanted["private"], "Public Key": wanted["public"],
                         "Certificate": wanted["certificate"]}, f"{dict(found)}: {dict(wanted)}"
