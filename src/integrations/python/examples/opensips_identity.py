# SPDX-License-Identifier: BSD-2-Clause
"""OpenSIPS's python module: sign an INVITE and append its Identity header.

    loadmodule "sipmsgops.so"
    loadmodule "python.so"
    modparam("python", "script_name", "/etc/opensips/opensips_identity.py")
    ...
    if (!python_exec("sign", "$fU,$rU,A"))    # calling number, called number, attestation
        xlog("call $ci goes unsigned\\n");     # or send_reply(503, ...): the script's choice

The module is loaded before the workers are forked: each opens its own connection with its first
call. No worker is held up longer than TIMEOUT.
"""
import stirkeep

CERTIFICATE = "Alpha"
TIMEOUT = 0.2


class Identity:
    def __init__(self):
        self.client = stirkeep.Client(timeout=TIMEOUT)

    def child_init(self, rank):
        return 0

    def sign(self, msg, args):
        orig, dest, attest = args.split(",")
        try:
            signature = self.client.sign(CERTIFICATE, orig=orig, dest=dest, attest=attest)
        except stirkeep.StirkeepError as why:
            log(f"stirkeep: {why.status.title}: {why}\n")
            return -1
        msg.call_function("append_hf", signature.header + "\r\n")
        return 1


def log(text):
    from OpenSIPS import LM_ERR  # there is one only inside of OpenSIPS
    LM_ERR(text)


def mod_init():
    return Identity()
