# SPDX-License-Identifier: BSD-2-Clause
"""Cases named as sentences, told in TAP.

    @case
    def a_tampered_passport_does_not_verify(service): ...

    run(service=...)
"""
import functools
import sys
import time
import traceback

from built import UNDER, is_slowed

BUSY_MS = 2  # an idle machine is at 0.2 and below

_cases = []
_early = []
_begun = []


class Skip(Exception):
    """Raised by a case that cannot be had here; the text says why."""


def skip_under_valgrind(why):
    """For what cannot be had where valgrind keeps memory, descriptors and files of its own."""
    if UNDER:
        raise Skip(f"under valgrind: {why}")


def case(function):
    _cases.append(function)
    return function


def _lateness():
    """Milliseconds that one in a hundred sleeps of this process, idle as it is, ends too late."""
    late = []
    for _ in range(400):
        began = time.monotonic()
        time.sleep(0.001)
        late.append((time.monotonic() - began) * 1000 - 1)
    return sorted(late)[-4]


def timed(function):
    """A case about times, which others on the machine may spoil: one good try of three is enough.

    Where this process itself is called late again and again, nothing can be said of the service;
    nor where a sanitizer or valgrind slows it: it is tried once there, for what these find.
    """
    @functools.wraps(function)
    def tried(**arguments):
        late = []
        if is_slowed():
            try:
                return function(**arguments)
            except AssertionError as why:
                raise Skip(f"the programs are slowed by what looks for faults in them: {why!r}") from why
        for left in (2, 1, 0):
            try:
                return function(**arguments)
            except AssertionError as why:
                late.append(_lateness())
                note(f"{why!r}; sleeps end {late[-1]:.1f} ms late; {left} tries left")
                if left == 0 and min(late) <= BUSY_MS:
                    raise
        raise Skip(f"others keep the processors: sleeps end {min(late):.1f} ms late")
    return case(tried)


def run(**arguments):
    """Run the cases in order with `arguments`; exit with 1 when one failed."""
    failed = 0
    print(f"TAP version 13\n1..{len(_cases)}", flush=True)
    _begun.append(True)
    note("\n".join(_early))
    for number, function in enumerate(_cases, 1):
        name = function.__name__.replace("_", " ")
        began = time.monotonic()
        try:
            function(**arguments)
            print(f"ok {number} - {name}")
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}")
        except Exception:  # a case may fail in any way
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} - {name}")
        print(f"# {time.monotonic() - began:.2f} s", flush=True)
    sys.exit(1 if failed else 0)


def note(text):
    """A figure or a fact for the log of the run."""
    for line in str(text).splitlines():
        if _begun:
            print(f"# {line}", flush=True)
        else:
            _early.append(line)  # the version has to come first


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def contains(text, part, what=""):
    if part not in text:
        raise AssertionError(f"{what}: {part!r} is not in {text!r}")
