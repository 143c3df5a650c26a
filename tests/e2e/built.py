# SPDX-License-Identifier: BSD-2-Clause
"""The build that is tested, and what makes its programs slow."""
import functools
import os

BUILD = os.environ["STIRKEEP_BUILD"]
# A program under which stirkeepd and its rooms run (tests/sanitize/valgrind.sh), many times slower.
UNDER = os.environ.get("STIRKEEP_UNDER", "").split()
# How much longer than otherwise is waited under it.
PATIENCE = 15 if UNDER else 1


@functools.lru_cache(maxsize=None)
def is_built_with(*sanitizers):
    """Of "asan", which keeps freed memory, and "tsan"; valgrind can run neither."""
    with open(f"{BUILD}/src/front/stirkeep-front", "rb") as file:
        program = file.read()
    return any(f"__{one}_init".encode() in program for one in sanitizers)


def is_slowed():
    """No time can be judged then."""
    return bool(UNDER) or is_built_with("asan", "tsan")
