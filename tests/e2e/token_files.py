# SPDX-License-Identifier: BSD-2-Clause
"""What lies on a SoftHSM token, read from its object files: without a PIN, in a millisecond, and
with what SoftHSM itself passes over because it is torn.

An object file holds a number (how often it was written), then attributes: their type, their kind,
their value; a number is eight bytes, the highest first.
"""
import collections
import glob

CKA_CLASS, CKA_ID = 0, 0x102
CLASSES = {1: "certificate", 2: "public", 3: "private"}
BOOLEAN, NUMBER, BYTES, ATTRIBUTES, MECHANISMS = 1, 2, 3, 4, 5


def number_at(data, at):
    if at + 8 > len(data):
        raise ValueError("cut off")
    return int.from_bytes(data[at:at + 8], "big"), at + 8


def skip_value(data, at, kind):
    if kind == BOOLEAN:
        at += 1
    elif kind == NUMBER:
        at += 8
    else:
        count, at = number_at(data, at)
        at += 8 * count if kind == MECHANISMS else count
    if at > len(data) or not BOOLEAN <= kind <= MECHANISMS:
        raise ValueError("cut off")
    return at


def class_of(path):
    """"private", "public", "certificate"; "torn" for a file that is none of them, or not as far as
    to say for which key it is: no search finds it."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        _, at = number_at(data, 0)
        found, has_id = None, False
        while at < len(data):
            kind, at = number_at(data, at)
            value, at = number_at(data, at)
            if (kind, value) == (CKA_CLASS, NUMBER):
                found = number_at(data, at)[0]
            if kind == CKA_ID:
                has_id = number_at(data, at)[0] > 0
            at = skip_value(data, at, value)
        return CLASSES[found] if has_id else "torn"
    except (OSError, ValueError, KeyError):
        return "torn"


def objects_on(token):
    """How many objects of which class are in the directory of a SoftHSM token."""
    return collections.Counter(class_of(path) for path in glob.glob(f"{token}/tokens/*/*.object")
                               if not path.endswith("/token.object"))  # which is the token itself
