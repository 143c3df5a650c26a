# SPDX-License-Identifier: BSD-2-Clause
"""One generation after the other, and keys that are made on the token."""
import os
import time

from cryptography import x509

from leaves import key_id_of
from stirkeep import wait_until
from way import AGAIN_LIMIT, NOT_ACTIVE, Way
from ways_in import ByKey


class Over(ByKey):
    """Over a name that signs: the old one or the new one at any time, never anything mixed."""
    title = "import over"

    def prepare(self):
        self.old = self.bed.leaf()
        self.import_leaf(self.old)
        super().prepare()

    def holds(self):
        signs = self.bed.signs(self.name)
        assert signs in (self.old.fingerprint, self.leaf.fingerprint), \
            f"{self.name}: neither the old nor the new one signs: {self.bed.answer(self.name)}"
        assert signs == self.leaf.fingerprint or self.is_whole(), \
            f"{self.name}: the new key is nowhere"

    def ended(self):
        assert self.bed.signs(self.name) == self.leaf.fingerprint, f"{self.name}: the old one signs"
        assert self.bed.states(self.name) == {self.old.fingerprint: "previous",
                                              self.leaf.fingerprint: "active"}
        self.check_removed()


class Install(Way):
    """A renewed certificate for a key that is held: the old one signs or the new one."""
    title = "install renewed"

    def prepare(self):
        self.old = self.bed.leaf()
        self.import_leaf(self.old)
        self.leaf = self.bed.leaf(key=self.old.key)
        self.chain = self.write("new.pem", self.bed.issuer.chain_pem(self.leaf))

    def command(self):
        return ["install", self.name, "--cert", self.chain]

    def holds(self):
        assert self.bed.signs(self.name) in (self.old.fingerprint, self.leaf.fingerprint), \
            f"{self.name}: neither the old nor the new one signs: {self.bed.answer(self.name)}"

    def ended(self):
        assert self.bed.signs(self.name) == self.leaf.fingerprint, f"{self.name}: the old one signs"
        assert self.bed.states(self.name) == {self.old.fingerprint: "previous",
                                              self.leaf.fingerprint: "active"}


class Rollback(Way):
    """Two generations with keys of their own: the one signs or the other, in the end the first."""
    title = "rollback"

    def prepare(self):
        self.old, self.leaf = self.bed.leaf(), self.bed.leaf()
        self.import_leaf(self.old)
        self.import_leaf(self.leaf)

    def command(self):
        return ["rollback", self.name]

    def holds(self):
        assert self.bed.signs(self.name) in (self.old.fingerprint, self.leaf.fingerprint), \
            f"{self.name}: neither signs: {self.bed.answer(self.name)}"

    def is_over(self, done):
        return self.bed.signs(self.name) == self.old.fingerprint

    def ended(self):
        assert self.bed.signs(self.name) == self.old.fingerprint, f"{self.name}: not rolled back"
        states = self.bed.states(self.name)
        assert states[self.old.fingerprint] == "active" and "active" not in \
            states[self.leaf.fingerprint], f"{self.name}: {states}"


class Stage(Over):
    """Staged for later: the old one signs on; the new one is staged, or its key file is whole."""
    title = "import --activate-at"

    def command(self):
        return [*super().command(), "--activate-at", "+2h"]

    def holds(self):
        assert self.bed.signs(self.name) == self.old.fingerprint, \
            f"{self.name}: the old one does not sign: {self.bed.answer(self.name)}"
        assert self.is_staged() or self.is_whole(), f"{self.name}: the new key is nowhere"

    def is_staged(self):
        return self.bed.states(self.name).get(self.leaf.fingerprint) == "staged"

    def ended(self):
        assert self.is_staged(), f"{self.name}: not staged"
        self.check_removed()
        self.bed.must("install", self.name, "--cert", self.chain)
        super().ended()


class Activation(Over):
    """The time of a staged generation comes, and with it the kill: nobody has to do anything."""
    title = "activation"

    def prepare(self):
        self.old, self.leaf = self.bed.leaf(), self.bed.leaf()
        self.import_leaf(self.old)
        self.options = self.give(self.leaf)
        # The service counts in whole seconds, and strace has to be there before.
        self.at = int(time.time() + 0.7) + 1
        self.bed.must("import", self.name, *self.options, "--activate-at", f"@{self.at}")

    def command(self):
        return None

    def is_active(self):
        return self.bed.states(self.name).get(self.leaf.fingerprint) == "active"

    def wait(self, is_hit):
        """Until its time has come and it is done, or a process was killed or stopped. Intake is not
        asked, which may be the one that stands still."""
        wait_until("its time has come", lambda: is_hit() or (
            time.time() > self.at and self.bed.signs(self.name) == self.leaf.fingerprint), 20, 0.01)

    def holds(self):
        assert self.bed.signs(self.name) in (self.old.fingerprint, self.leaf.fingerprint), \
            f"{self.name}: neither signs: {self.bed.answer(self.name)}"

    def finish(self):
        wait_until(f"{self.name}: it is active by itself", self.is_active, AGAIN_LIMIT, 0.05)

    def check_removed(self):
        pass  # it was, before the kill


# ---- keys made on the token


class Generate(Way):
    """No key, or one that waits for its certificate; the same command gives a request for it."""
    title = "generate"

    def prepare(self):
        self.out = f"{self.directory}/request.pem"
        self.before = []

    def command(self):
        return ["generate", self.name, "--spc", "709J", "--csr-out", self.out]

    def keys(self):
        return self.bed.catalog(
            "select lower(hex(key_id)) from key join name on name.id = key.name "
            "where name.name = ? and key.state <> 'destroyed'", self.name)

    def holds(self):
        self.before = self.keys()
        assert len(self.before) <= 1, f"{self.name}: {len(self.before)} keys"

    def again(self):
        return os.path.exists(self.out) or super().again()

    def ended(self):
        keys = self.keys()
        assert len(keys) == 1 and self.before in ([], keys), f"{self.name}: {self.before} {keys}"
        key_id = self.check_request()
        assert keys == [(key_id,)], f"{self.name}: the request is for another key"

    def check_request(self):
        with open(self.out, "rb") as file:
            request = x509.load_pem_x509_csr(file.read())
        assert request.is_signature_valid, f"{self.name}: the request is not signed by its key"
        self.public_key = request.public_key()
        return key_id_of(self.public_key)

    def tidy(self):
        for key_id, in self.keys():
            self.bed.run("destroy", self.name, "--yes", "--key-id", key_id)


class InstallIssued(Generate):
    """The certificate that was issued for a key made on the token: it signs, or the key waits."""
    title = "install issued"

    def prepare(self):
        super().prepare()
        self.bed.must(*Generate.command(self))
        self.check_request()
        self.before = self.keys()
        self.leaf = self.bed.leaf(public_key=self.public_key)
        self.chain = self.write("new.pem", self.bed.issuer.chain_pem(self.leaf))

    def command(self):
        return ["install", self.name, "--cert", self.chain]

    def holds(self):
        answer = self.bed.answer(self.name)
        assert answer.fingerprint == self.leaf.fingerprint or answer.status in NOT_ACTIVE, answer
        assert self.keys() == self.before, f"{self.name}: its key is not held any more"

    def again(self):
        return Way.again(self)

    def ended(self):
        assert self.bed.signs(self.name) == self.leaf.fingerprint, f"{self.name}: does not sign"
        assert self.bed.states(self.name) == {self.leaf.fingerprint: "active"}
        assert self.keys() == self.before
