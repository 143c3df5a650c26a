# SPDX-License-Identifier: BSD-2-Clause
"""What is cut off by a kill: how it is prepared, what the command is, what has to be true when the
service has settled, and how it ends when the same command is given again.

A Way is made anew for each kill. Its methods, in the order in which they are called:
    prepare()   what has to be there before
    command()   the command that a process is killed in; None: none, it goes on by itself
    holds()     after the kill, once the service has settled
    finish()    the same command again, until it says that all is done
    ended()     what is true in the end
"""
import glob
import os
import time

from cryptography import x509

import spool
from leaves import key_id_of
from stirkeep import ROOMS, STRANGER, wait_until

NOT_ACTIVE = (5, 6)  # unknown name, not active
AGAIN_LIMIT = 20


class Way:
    title = None
    needs = "import"  # a word of the command's help that this way needs

    def __init__(self, bed):
        self.bed = bed
        self.name = bed.new_name(type(self).__name__)
        self.directory = f"{bed.uploads}/{self.name}"
        os.mkdir(self.directory)

    @classmethod
    def is_there(cls, bed):
        verb, _, option = cls.needs.partition(" ")
        done = bed.run(verb, "--help")
        return done.returncode == 0 and option in done.stdout

    def write(self, name, data):
        path = f"{self.directory}/{name}"
        with open(path, "wb") as file:
            file.write(data)
        return path

    def give(self, leaf, stem="new"):
        """The options that import a leaf by --cert and --key, from files in the directory."""
        self.key = self.write(f"{stem}.key", self.bed.issuer.key_pem(leaf))
        self.chain = self.write(f"{stem}.pem", self.bed.issuer.chain_pem(leaf))
        return ["--cert", self.chain, "--key", self.key]

    def import_leaf(self, leaf, *more):
        self.bed.must("import", self.name, *self.give(leaf, "old"), *more)

    def argv(self):
        return [self.bed.program, *self.command()]

    def finish(self):
        wait_until(f"{self.name}: the same command is done", self.again, AGAIN_LIMIT, 0.05)

    def again(self):
        done = self.bed.run(*self.command())
        return done.returncode == 0 or self.is_over(done)

    def is_over(self, done):
        """Was it over before, so that there was nothing to do again?"""
        return False

    def tidy(self):
        """Nothing of it is left on the token."""
        if self.bed.shown(self.name) is not None:
            self.bed.run("destroy", self.name, "--yes")


# ---- ways in


class ByKey(Way):
    """A key file: whole, or it signs; in the end it is gone, and nothing in its directory has the
    key."""
    title = "import --key"

    def prepare(self):
        self.leaf = self.bed.leaf()
        self.options = self.give(self.leaf)
        self.upload = self.key
        self.keep()

    def keep(self):
        with open(self.upload, "rb") as file:
            self.whole = file.read()

    def command(self):
        return ["import", self.name, *self.options]

    def is_whole(self):
        return os.path.exists(self.upload) and open(self.upload, "rb").read() == self.whole

    def holds(self):
        signs = self.bed.signs(self.name) == self.leaf.fingerprint
        assert signs or self.is_whole(), f"{self.name}: the key is nowhere: {self.bed.answer(self.name)}"

    def again(self):
        # It was cut off after its last step.
        return not os.path.exists(self.upload) or super().again()

    def ended(self):
        assert self.bed.signs(self.name) == self.leaf.fingerprint, f"{self.name}: does not sign"
        assert self.bed.states(self.name) == {self.leaf.fingerprint: "active"}, \
            f"{self.name}: {self.bed.states(self.name)}"
        self.check_removed()

    def check_removed(self):
        assert not os.path.exists(self.upload), f"{self.upload} is still there"
        for path in glob.glob(f"{self.directory}/*") + glob.glob(f"{self.directory}/.*"):
            if os.path.isfile(path):
                data = open(path, "rb").read()
                assert b"PRIVATE" not in data and self.leaf.scalar not in data, f"the key is in {path}"


class Sealed(ByKey):
    """A sealed file stays where it is: only the token can open it."""
    title = "import --sealed"

    def prepare(self):
        self.leaf = self.bed.leaf()
        self.give(self.leaf)
        self.upload = f"{self.directory}/sealed"
        self.bed.must("seal", "--to", self.bed.wrapping, "--key", self.key, "--out", self.upload)
        os.remove(self.key)
        self.options = ["--cert", self.chain, "--sealed", self.upload]
        self.keep()

    def again(self):
        return Way.again(self)

    def check_removed(self):
        assert self.is_whole(), f"{self.upload}: changed"


class Bundle(ByKey):
    """Key and chain in one PEM file."""
    title = "import --bundle PEM"
    needs = "import --bundle"

    def prepare(self):
        self.leaf = self.bed.leaf()
        self.upload = self.write("bundle.pem", self.bed.issuer.key_pem(self.leaf)
                                 + self.bed.issuer.chain_pem(self.leaf))
        self.options = ["--bundle", self.upload]
        self.keep()


class Pkcs12(Bundle):
    title = "import --bundle PKCS#12"

    def prepare(self):
        self.leaf = self.bed.leaf()
        self.upload = self.write("bundle.p12", self.bed.issuer.pkcs12(self.leaf, b"laboratory"))
        self.options = ["--bundle", self.upload,
                        "--passphrase-file", self.write("passphrase", b"laboratory\n")]
        self.keep()


class Upload(Way):
    """An upload that is renamed into the spool: whole there, or it signs; in the end it is gone,
    with evidence."""
    title = "spool, renamed"
    needs = "import"
    files = ("cert.pem", "key.pem")

    def __init__(self, bed):
        super().__init__(bed)
        os.rmdir(self.directory)
        self.directory = f"{bed.service.staging}/{self.name}"
        os.mkdir(self.directory)
        self.upload = f"{bed.service.incoming}/{self.name}"

    def prepare(self):
        self.leaf = self.bed.leaf()
        self.whole = self.material()
        for name, data in self.whole.items():
            os.chmod(self.write(name, data), 0o660)
        for path in (self.directory, *glob.glob(f"{self.directory}/*")):
            os.chown(path, STRANGER, ROOMS["intake"])
        os.chmod(self.directory, 0o2770)

    def material(self):
        return {"cert.pem": self.bed.issuer.chain_pem(self.leaf),
                "key.pem": self.bed.issuer.key_pem(self.leaf)}

    def command(self):
        return None

    def wait(self, is_hit):
        """Make it whole, and wait until it is gone or a process was killed."""
        self.begin()
        wait_until("it is imported", lambda: is_hit() or not os.path.exists(self.upload), 20, 0.005)

    def begin(self):
        os.rename(self.directory, self.upload)

    def is_whole(self):
        return all(os.path.exists(f"{self.upload}/{name}")
                   and open(f"{self.upload}/{name}", "rb").read() == data
                   for name, data in self.whole.items())

    def holds(self):
        signs = self.bed.signs(self.name) == self.leaf.fingerprint
        assert signs or self.is_whole(), f"{self.name}: the key is nowhere: {self.bed.answer(self.name)}"

    def finish(self):
        # A rename that nobody saw makes nothing whole.
        if os.path.exists(self.upload) and self.is_whole():
            self.mark_ready()
        wait_until(f"{self.name}: it is gone from the spool", lambda: not os.path.exists(self.upload),
                   AGAIN_LIMIT, 0.02)

    def mark_ready(self):
        path = f"{self.upload}/ready"
        if not os.path.exists(path):
            descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o660)
            os.fchown(descriptor, STRANGER, ROOMS["intake"])
            os.close(descriptor)

    def ended(self):
        assert self.bed.signs(self.name) == self.leaf.fingerprint, f"{self.name}: does not sign"
        assert self.bed.states(self.name) == {self.leaf.fingerprint: "active"}, \
            f"{self.name}: {self.bed.states(self.name)}"
        told = spool.evidence(self.bed.service, self.name)
        assert any(one["source_removed"] and one["fingerprint"] == self.leaf.fingerprint
                   for one in told), f"{self.name}: {told}"
        left = glob.glob(f"{self.bed.service.spool}/*/.*{self.name}*")
        assert left == [], f"{self.name}: left behind: {left}"


class Ready(Upload):
    """A locked PKCS#12 file that lies in the spool when `ready` is put beside it."""
    title = "spool, ready"

    def prepare(self):
        super().prepare()
        os.rename(self.directory, f"{self.bed.service.incoming}/.{self.name}")
        self.directory = self.upload
        os.rename(f"{self.bed.service.incoming}/.{self.name}", self.upload)

    def material(self):
        return {"bundle.p12": self.bed.issuer.pkcs12(self.leaf, b"laboratory"),
                "passphrase": b"laboratory\n"}

    def begin(self):
        self.mark_ready()

    def finish(self):
        wait_until(f"{self.name}: it is gone from the spool", lambda: not os.path.exists(self.upload),
                   AGAIN_LIMIT, 0.02)


# ---- generations


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
    needs = "install"

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
    needs = "import --activate-at"

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


class Activation(Way):
    """The time of a staged generation comes, and with it the kill: nobody has to do anything."""
    title = "activation"
    needs = "import --activate-at"

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
        """Until its time has come and it is done, or a process was killed."""
        wait_until("its time has come", lambda: is_hit() or (time.time() > self.at
                                                             and self.is_active()), 20, 0.01)

    def holds(self):
        assert self.bed.signs(self.name) in (self.old.fingerprint, self.leaf.fingerprint), \
            f"{self.name}: neither signs: {self.bed.answer(self.name)}"

    def finish(self):
        wait_until(f"{self.name}: it is active by itself", self.is_active, AGAIN_LIMIT, 0.05)

    def ended(self):
        Over.ended(self)

    def check_removed(self):
        pass


# ---- keys made on the token


class Generate(Way):
    """No key, or one that waits for its certificate; the same command gives a request for it."""
    title = "generate"
    needs = "generate"

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


# ---- ends


class Retire(Way):
    """It signs or is retired; its key stays on the token."""
    title = "retire"

    def prepare(self):
        self.leaf = self.bed.leaf()
        self.import_leaf(self.leaf)

    def command(self):
        return [self.title, self.name]

    def holds(self):
        answer = self.bed.answer(self.name)
        assert answer.fingerprint == self.leaf.fingerprint or answer.status in NOT_ACTIVE, answer

    def is_over(self, done):
        return self.bed.answer(self.name).status in NOT_ACTIVE

    def ended(self):
        assert self.bed.answer(self.name).status in NOT_ACTIVE, f"{self.name}: it signs still"
        assert self.bed.states(self.name) == {self.leaf.fingerprint: "retired"}


class Destroy(Retire):
    """It signs as before, or is destroyed, without any further command; its record stays."""
    title = "destroy"
    needs = "destroy"

    def command(self):
        return [self.title, self.name, "--yes"]

    def holds(self):
        super().holds()
        states = self.bed.states(self.name)
        state = "active" if self.bed.signs(self.name) else "destroyed"
        assert states == {self.leaf.fingerprint: state}, f"{self.name}: {states}"

    def ended(self):
        assert self.bed.answer(self.name).status in NOT_ACTIVE, f"{self.name}: it signs still"
        assert self.bed.states(self.name) == {self.leaf.fingerprint: "destroyed"}


class DestroyOne(Destroy):
    """One old key of a name, which signs on with another."""
    title = "destroy --key-id"
    needs = "destroy --key-id"

    def prepare(self):
        self.old, self.leaf = self.bed.leaf(), self.bed.leaf()
        self.import_leaf(self.old)
        self.import_leaf(self.leaf)

    def command(self):
        return ["destroy", self.name, "--yes", "--key-id", self.old.key_id]

    def holds(self):
        assert self.bed.signs(self.name) == self.leaf.fingerprint, f"{self.name}: does not sign on"
        states = self.bed.states(self.name)
        assert states[self.leaf.fingerprint] == "active" and \
            states[self.old.fingerprint] in ("previous", "destroyed"), f"{self.name}: {states}"

    def is_over(self, done):
        return self.bed.states(self.name)[self.old.fingerprint] == "destroyed"

    def ended(self):
        assert self.bed.signs(self.name) == self.leaf.fingerprint, f"{self.name}: does not sign on"
        assert self.bed.states(self.name) == {self.old.fingerprint: "destroyed",
                                              self.leaf.fingerprint: "active"}


WAYS = (ByKey, Sealed, Bundle, Pkcs12, Upload, Ready, Over, Stage, Activation, Generate, InstallIssued, Install,
        Rollback, Retire, Destroy, DestroyOne)
