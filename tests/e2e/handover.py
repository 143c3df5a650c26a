# SPDX-License-Identifier: BSD-2-Clause
"""One stirkeepd after the other, without a gap."""
import subprocess
import time

from built import PATIENCE
from tap import equal

TAKE_OVER_LIMIT = 30 * PATIENCE


def start_next(service, *more):
    return subprocess.Popen([*service.command(), "--take-over", *more], stdin=subprocess.DEVNULL,
                            stdout=service.stderr, stderr=service.stderr)


def take_over(service):
    """The next one serves, the one before is gone; seconds that took."""
    began = time.monotonic()
    following = start_next(service)
    equal(service.porter.wait(TAKE_OVER_LIMIT), 0, f"exit status of the old one\n{service.said()}")
    service.porter = following
    equal(following.poll(), None, "the new one ended")
    return time.monotonic() - began
