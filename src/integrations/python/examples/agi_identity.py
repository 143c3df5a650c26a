#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Asterisk AGI: sign a call, and leave the Identity header's value in a channel variable.

    exten => _1NXXNXXXXXX,1,AGI(/usr/local/bin/agi_identity.py,Alpha,A)
     same => n,Dial(PJSIP/${EXTEN}@carrier,,b(identity^s^1))

    [identity]
    exten => s,1,GotoIf($[${LEN(${STIRKEEP_IDENTITY})} = 0]?unsigned)
     same => n,Set(PJSIP_HEADER(add,Identity)=${STIRKEEP_IDENTITY})
     same => n(unsigned),Return()

When there is no signature STIRKEEP_IDENTITY is empty and STIRKEEP_STATUS says why ("not-permitted",
...): the dialplan decides whether the call goes on.
"""
import sys

import stirkeep

VALUE_MAX = 1900  # Asterisk reads lines of AGI up to 2048 bytes


def environment():
    """What Asterisk tells at the start, up to an empty line."""
    found = {}
    for line in sys.stdin:
        if line == "\n":
            break
        key, _, value = line.rstrip("\n").partition(": ")
        found[key] = value
    return found


def set_variable(name, value):
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    print(f'SET VARIABLE {name} "{quoted}"', flush=True)
    sys.stdin.readline()  # "200 result=1"


def main():
    name, attest = sys.argv[1:3]
    call = environment()
    identity, status = "", "ok"
    try:
        with stirkeep.Client(timeout=0.2) as client:
            signature = client.sign(name, orig=call.get("agi_callerid", ""),
                                    dest=call.get("agi_extension", ""), attest=attest)
        if len(signature.identity) > VALUE_MAX:
            raise stirkeep.TooLarge("Identity: too long for AGI")
        identity = signature.identity
    except stirkeep.StirkeepError as why:
        print(f"{sys.argv[0]}: {why}", file=sys.stderr)
        status = why.status.title
    set_variable("__STIRKEEP_IDENTITY", identity)  # inherited by the channel that is dialled
    set_variable("STIRKEEP_STATUS", status)


if __name__ == "__main__":
    main()
