# SPDX-License-Identifier: BSD-2-Clause
"""Ends of a key, and what is undone because it was cut off before."""
import time

import kills
from stirkeep import wait_until
from token_files import objects_on
from way import NOT_ACTIVE, Way
from ways_in import ByKey
from ways_on import Generate


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


# ---- what was cut off before


class Undo(ByKey):
    """An import was cut off with its key on the token: a new intake undoes that, and is cut off."""
    title = "undoing an import"
    newborn = "intake"

    def prepare(self):
        super().prepare()
        cut_off(self)

    def starts(self):
        return None

    def wait(self, is_hit):
        kills.kill(self.bed.service.porter.pid, 18)  # SIGCONT
        wait_until("it is undone", lambda: is_hit() or not self.bed.open_intents(), 20, 0.005)


class UndoGenerate(Generate):
    """The same for a key that was being made on the token."""
    title = "undoing generate"
    newborn = "intake"

    def prepare(self):
        super().prepare()
        cut_off(self)

    starts, wait = Undo.starts, Undo.wait


def cut_off(way):
    """Have the command of a way cut off when the keeper has done it: intake is dead then, and the
    porter, who has to give birth to a new one, stands still."""
    bed = way.bed
    intake, porter = bed.rooms()["intake"], bed.service.porter.pid
    before = objects_on(bed.service.token)["private"]
    process = bed.begin(way.argv())
    wait_until("there is an intent", bed.open_intents, 10, 0.0005)
    kills.kill(intake, 19)  # SIGSTOP

    def is_on_token():
        if objects_on(bed.service.token)["private"] > before:
            return True
        kills.kill(intake, 18)  # it had not asked for it yet
        time.sleep(0.0005)
        kills.kill(intake, 19)
        return False
    wait_until("the key is on the token", is_on_token, 10, 0.01)
    time.sleep(0.1)  # and the keeper has done the rest
    kills.kill(porter, 19)
    kills.kill(intake)
    bed.deaths["intake"] += 1
    wait_until("intake is dead", lambda: not kills.is_alive(intake))
    process.wait(20)
    assert bed.open_intents(), "it was done before it was cut off"
