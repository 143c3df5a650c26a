# SPDX-License-Identifier: BSD-2-Clause
"""Keys on their way in: by the command, and by the spool."""
import glob
import os

import spool
from stirkeep import ROOMS, STRANGER, wait_until
from way import AGAIN_LIMIT, Way, content


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
        self.whole = content(self.upload)

    def command(self):
        return ["import", self.name, *self.options]

    def is_whole(self):
        return content(self.upload) == self.whole

    def holds(self):
        signs = self.bed.signs(self.name) == self.leaf.fingerprint
        assert signs or self.is_whole(), \
            f"{self.name}: the key is nowhere: {self.bed.answer(self.name)}"

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
        for name in os.listdir(self.directory):
            data = content(f"{self.directory}/{name}")
            assert b"PRIVATE" not in data and self.leaf.scalar not in data, \
                f"the key is in {self.directory}/{name}"


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
        return all(content(f"{self.upload}/{name}") == data for name, data in self.whole.items())

    def holds(self):
        signs = self.bed.signs(self.name) == self.leaf.fingerprint
        assert signs or self.is_whole(), \
            f"{self.name}: the key is nowhere: {self.bed.answer(self.name)}"

    def finish(self):
        try:
            wait_until("the service has seen it", self.is_seen, 1)
        except AssertionError:
            self.mark_ready()  # a rename that nobody saw makes nothing whole
        self.await_gone()

    def is_seen(self):
        """It is gone, or going; or the service has noted that it was renamed into place."""
        return not self.is_whole() or os.path.exists(f"{self.upload}/ready")

    def await_gone(self):
        wait_until(f"{self.name}: it is gone from the spool",
                   lambda: not os.path.exists(self.upload), AGAIN_LIMIT, 0.02)

    def mark_ready(self):
        """With its owner from the first: what is changed once the service has read it is new to it."""
        aside = f"{self.bed.service.staging}/{self.name}.ready"
        descriptor = os.open(aside, os.O_CREAT | os.O_WRONLY, 0o660)
        os.fchown(descriptor, STRANGER, ROOMS["intake"])
        os.close(descriptor)
        try:
            os.rename(aside, f"{self.upload}/ready")
        except FileNotFoundError:
            os.unlink(aside)  # it is gone by now

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
        os.rmdir(self.directory)
        self.directory = self.upload
        os.mkdir(self.directory)
        super().prepare()

    def material(self):
        return {"bundle.p12": self.bed.issuer.pkcs12(self.leaf, b"laboratory"),
                "passphrase": b"laboratory\n"}

    def begin(self):
        self.mark_ready()

    def finish(self):
        self.await_gone()
