# SPDX-License-Identifier: BSD-2-Clause
"""What is cut off by a kill: how it is prepared, what the command is, what has to be true when the
service has settled, and how it ends when the same command is given again.

A Way is made anew for each kill. Its methods, in the order in which they are called:
    prepare()   what has to be there before
    starts()    the command that a process is killed in; None: none, it goes on by itself, and
                wait() waits for that
    holds()     after the kill, once the service has settled
    finish()    the same command again, until it says that all is done
    ended()     what is true in the end
"""
import os

from stirkeep import wait_until

NOT_ACTIVE = (5, 6)  # unknown name, not active
AGAIN_LIMIT = 20


def content(path):
    """Of a file; None when there is none (any more)."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


class Way:
    title = None
    newborn = None    # a room that does not live before, and is born in it

    def __init__(self, bed):
        self.bed = bed
        self.name = bed.new_name(type(self).__name__)
        self.directory = f"{bed.uploads}/{self.name}"
        os.mkdir(self.directory)

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

    def starts(self):
        return self.command()

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
