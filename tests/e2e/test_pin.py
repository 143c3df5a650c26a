# SPDX-License-Identifier: BSD-2-Clause
"""A PIN that the token refuses is given to it once: however the module behaves afterwards, whoever
takes over, and if nobody can tell whether it was refused, twice."""
import os
import time

from built import PATIENCE
from handover import TAKE_OVER_LIMIT, start_next
from stirkeep import wait_until
from tap import case, contains, equal, run
from tokens import ScriptedService

REFUSED = 0xA0  # CKR_PIN_INCORRECT
CALL_TIMEOUT_MS = 700 * PATIENCE
OPEN_TIMEOUT_MS = 3000 * PATIENCE
A_WHILE = 2.5  # seconds in which a keeper would have been started again, and again
TIMES = {"token": {"call-timeout-ms": str(CALL_TIMEOUT_MS), "open-timeout-ms": str(OPEN_TIMEOUT_MS)}}


class PinService(ScriptedService):
    """One that has served, and is stopped."""

    def __init__(self):
        super().__init__(2)
        self.start()
        self.import_leaf()
        self.stop()
        self.configure(TIMES)

    def logins(self):
        return self.called("C_Login")

    def write_pin(self, path=None):
        """The same as it was, in a file that is another one. By rename, as a file that is in the middle
        of being written would be a third."""
        path = path or f"{self.token}/pin"
        with open(f"{self.token}/pin") as file:
            pin = file.read()
        with open(f"{path}.new", "w") as file:
            file.write(pin)
        os.chmod(f"{path}.new", 0o600)
        os.rename(f"{path}.new", path)

    def locked(self):
        return "PIN" in self.sign(check=False).stderr

    def wait_locked(self):
        wait_until("it says that it is locked", self.locked, 20, 0.05)

    def stays_locked(self, before, tries):
        """It comes to it, and has tried the PIN no more than so often since `before`."""
        self.wait_locked()
        time.sleep(A_WHILE)
        assert self.locked(), self.said()
        equal((self.logins() - before, self.porter.poll()), (tries, None),
              f"C_Login; stirkeepd\n{self.said()}")

    def start_locked(self, tries, *lines):
        """With a token that does that."""
        self.follow(*lines)
        before = self.logins()
        self.start(ready=False)
        self.stays_locked(before, tries)

    def wait_signs(self):
        wait_until("it signs", lambda: self.sign(check=False).returncode == 0, 20, 0.05)

    def mended(self):
        """It signs again by itself once its file is another one."""
        self.follow()
        self.write_pin()
        self.wait_signs()


def refused_once(service, *lines):
    """By a token that refuses the PIN, and does that besides."""
    service.start_locked(1, f"C_Login * return {REFUSED:#x}", *lines)
    service.mended()
    equal(service.stop(), 0, "exit status")


@case
def whatever_the_module_would_do_after_it_is_not_asked(service):
    for function in ("C_Logout", "C_Finalize"):
        for fault in ("crash", "hang"):
            refused_once(service, f"{function} * {fault}")


@case
def a_token_that_takes_its_time_to_refuse_is_heard(service):
    refused_once(service, f"C_Login * delay {CALL_TIMEOUT_MS * 3 // 2}")


@case
def a_slow_login_is_a_login(service):
    service.follow(f"C_Login * delay {CALL_TIMEOUT_MS * 3 // 2}")
    before = service.logins()
    service.start()
    service.sign()
    equal(service.logins() - before, 1, "C_Login")
    service.stop()


@case
def when_the_keeper_dies_of_it_a_pin_that_was_never_right_is_tried_twice(service):
    service.start_locked(1, f"C_Login * return {REFUSED:#x}")
    for fault in ("crash", "hang"):
        before = service.logins()
        service.follow(f"C_Login * {fault}")
        service.write_pin()
        wait_until("it was tried twice", lambda: service.logins() - before == 2,  # noqa: B023
                   4 * OPEN_TIMEOUT_MS / 1000, 0.05)
        service.stays_locked(before, 2)
        contains(service.said(), "ended twice while the token was given the PIN")
    service.mended()


@case
def so_it_is_when_the_service_starts(service):
    """Who starts it again after each end would have it tried for ever."""
    equal(service.stop(), 0, "exit status")
    service.start_locked(2, "C_Login * crash")
    service.mended()


@case
def a_pin_that_has_expired_is_known_after_the_login_and_not_tried_again(service):
    equal(service.stop(), 0, "exit status")
    service.start_locked(1, "C_FindObjectsInit * return 0xA3")
    service.mended()


@case
def one_that_was_right_is_tried_until_it_is_answered(service):
    before = service.logins()
    service.follow("C_Login 1 crash")
    service.kill("keeper")
    wait_until("it was tried three times", lambda: service.logins() - before >= 3, 30, 0.05)
    service.follow()
    service.wait_signs()
    equal(service.stop(), 0, "exit status")


@case
def who_takes_over_from_one_that_is_locked_does_not_try_it_again(service):
    service.start_locked(1, f"C_Login * return {REFUSED:#x}")
    before = service.logins()
    following = start_next(service)
    equal(following.wait(TAKE_OVER_LIMIT), 1, "exit status")
    contains(service.said(), "the token has refused the PIN, and its file has not changed")
    equal((service.logins() - before, service.porter.poll()), (0, None), "C_Login; the old one")
    service.mended()


@case
def who_takes_over_with_a_wrong_one_gives_back_what_it_took(service):
    """SoftHSM's files are one process's: it logs in when the old one has ended."""
    with open(service.config) as file:
        good = file.read()
    service.write_pin(f"{service.base}/other-pin")
    before = service.logins()
    with open(service.config, "w") as file:
        file.write(good.replace(f"{service.token}/pin", f"{service.base}/other-pin"))
    service.follow(f"C_Login 1 return {REFUSED:#x}")
    following = start_next(service)
    try:
        wait_until("it was refused", lambda: service.logins() > before, 30, 0.001)
        service.follow()
        equal(following.wait(TAKE_OVER_LIMIT), 1, "exit status")
    finally:
        with open(service.config, "w") as file:
            file.write(good)
    service.wait_signs()
    equal((service.logins() - before, service.porter.poll()), (2, None), "C_Login; the old one")
    contains(service.said(), "the stirkeepd that was taking over has ended: serving again")


@case
def what_it_gives_back_it_has_told_about_the_pin(service):
    """Both have the same file, and it was changed on the token meanwhile."""
    before = service.logins()
    service.follow(f"C_Login * return {REFUSED:#x}")
    following = start_next(service)
    equal(following.wait(TAKE_OVER_LIMIT), 1, "exit status")
    service.stays_locked(before, 1)
    service.mended()


if __name__ == "__main__":
    with PinService() as the_service:
        run(service=the_service)
