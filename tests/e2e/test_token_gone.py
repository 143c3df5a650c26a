# SPDX-License-Identifier: BSD-2-Clause
"""The token goes away for real, under load, and comes back: the process that has it is killed (a
module behind `p11-kit server`), and its directory is moved away (SoftHSM)."""
import contextlib
import glob
import os
import shutil
import subprocess
import time

from fault_bed import Client
from leaves import Issuer
from stirkeep import ROOMS, ROOT, Service, softhsm_module, wait_until
from tap import Skip, case, equal, note, run

ROUNDS = 5
LIMIT = 20                 # seconds for the next good signature, back-off of the keeper included
AWAY = 0.1, 0.4, 1, 2, 0.1 # seconds
LOAD = 4                   # clients
STATUSES = {"ok", "token-error", "unavailable", "deadline", "overloaded", "key-unavailable"}


def client_module():
    found = glob.glob("/usr/lib/*/pkcs11/p11-kit-client.so") + \
        glob.glob("/usr/lib/pkcs11/p11-kit-client.so")
    if not found or shutil.which("p11-kit") is None:
        raise Skip("p11-kit is not installed")
    return found[0]


class Load:
    """Clients that sign all the while, by two certificates."""

    def __init__(self, service):
        self.service = service
        self.issuer = Issuer(service.lab)
        self.keys = {}
        for name in ("Alpha", "Beta"):
            leaf = self.issuer.leaf()
            self.issuer.files(leaf, name)
            service.import_leaf(name, name)
            self.keys[name] = leaf.public_key
        self.clients = [Client(service, ("Alpha", "Beta")[i % 2], self.keys[("Alpha", "Beta")[i % 2]])
                        for i in range(LOAD)]
        for client in self.clients:
            client.start()
        self.wait_good("before")

    def wait_good(self, what):
        """Seconds until each has a good signature that was asked for after now."""
        began = time.monotonic()
        wait_until(f"{what}: all sign again",
                   lambda: all(client.good_after(began) for client in self.clients), LIMIT)
        return max(client.good_after(began) for client in self.clients) - began

    def check(self):
        statuses = [answer[2] for client in self.clients for answer in client.answers]
        counts = {status: statuses.count(status) for status in sorted(set(statuses))}
        note(counts)
        assert not any(client.wrong for client in self.clients), "a wrong signature left"
        assert set(counts) <= STATUSES, counts
        for client in self.clients:
            client.answers = []
        return counts

    def import_one(self, name):
        leaf = self.issuer.leaf()
        self.issuer.files(leaf, name)
        self.service.import_leaf(name, name)
        assert "." in self.service.sign(name).stdout

    def end(self):
        for client in self.clients:
            client.ended = True
        for client in self.clients:
            client.join(10)


@contextlib.contextmanager
def loaded(service):
    with service:
        service.start()
        load = Load(service)
        try:
            yield load
            equal(service.cli("audit", "verify", service.audit).returncode, 0, "the trail")
        finally:
            load.end()


class Served:
    """SoftHSM in a process of its own: `p11-kit server`."""

    def __init__(self, service):
        self.service = service
        directory = f"{service.base}/p11"
        os.mkdir(directory, 0o700)
        if ROOT:
            os.chown(directory, ROOMS["keeper"], ROOMS["keeper"])
        self.socket = f"{directory}/socket"
        self.process = None

    def start(self):
        if os.path.exists(self.socket):
            os.remove(self.socket)
        who = {"user": ROOMS["keeper"], "group": ROOMS["keeper"], "extra_groups": []} if ROOT else {}
        self.process = subprocess.Popen(
            ["p11-kit", "server", "--foreground", "--name", self.socket, "--provider",
             softhsm_module(), "pkcs11:token=stirkeep"], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "SOFTHSM2_CONF": f"{self.service.token}/softhsm2.conf"}, **who)
        wait_until("p11-kit server", lambda: os.path.exists(self.socket))

    def kill(self):
        """It and the process that it has for each client."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()
        self.process = None


@case
def a_token_whose_process_is_killed_is_used_again_when_there_is_another():
    module = client_module()
    service = Service()
    served = Served(service)
    service.write_config(extra={
        "lock-down": {"keeper": "module"},  # which has a socket
        "token": {"module": module, "directory": f"{service.token}/tokens"},
        "token-environment": {"P11_KIT_SERVER_ADDRESS": f"unix:path={served.socket}"}})
    served.start()
    try:
        with loaded(service) as load:
            for away in AWAY[:ROUNDS]:
                served.kill()
                time.sleep(away)
                served.start()
                took = load.wait_good(f"killed for {away} s")
                note(f"away for {away} s: all signed again after {took * 1000:.0f} ms")
                load.check()
            load.import_one("Gamma")
            assert "CKR_PIN" not in service.said()
    finally:
        served.kill()


@case
def a_token_whose_directory_is_moved_away_and_back_is_used_again():
    """By keepers that have it open, and by new ones that cannot open it."""
    service = Service()
    tokens, elsewhere = f"{service.token}/tokens", f"{service.token}/elsewhere"
    with loaded(service) as load:
        for number, away in enumerate(AWAY[:ROUNDS]):
            os.rename(tokens, elsewhere)
            if number % 2 == 1:
                service.kill("keeper")
            time.sleep(away)
            listed = service.cli("list").stdout
            assert "Alpha" in listed and "Beta" in listed, listed
            os.rename(elsewhere, tokens)
            took = load.wait_good(f"moved away for {away} s")
            note(f"away for {away} s{', a new keeper' if number % 2 else ''}: all signed again after "
                 f"{took * 1000:.0f} ms")
            load.check()
        load.import_one("Gamma")


@case
def an_import_without_the_tokens_directory_is_refused_and_its_file_stays():
    service = Service()
    tokens, elsewhere = f"{service.token}/tokens", f"{service.token}/elsewhere"
    with loaded(service) as load:
        leaf = load.issuer.leaf()
        load.issuer.files(leaf, "Delta")
        with open(f"{service.lab}/Delta.key", "rb") as file:
            whole = file.read()
        os.rename(tokens, elsewhere)
        done = service.import_leaf("Delta", "Delta", check=False)
        note(done.stderr.strip())
        with open(f"{service.lab}/Delta.key", "rb") as file:
            equal(file.read(), whole, "the upload")
        assert done.returncode != 0, "it was taken"
        os.rename(elsewhere, tokens)
        load.wait_good("moved back")
        wait_until("it is taken", lambda: service.import_leaf("Delta", "Delta", check=False).returncode == 0)
        assert "." in service.sign("Delta").stdout
        load.check()


run()
