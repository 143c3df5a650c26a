#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Look at a private key through PKCS#11 as an intruder with the PIN would: a program of its own,
since a module is used once to a process.

    token_reader.py MODULE LABEL PIN-FILE CKA_ID-IN-HEX
prints what each attribute reads as, or how reading it is refused (PKCS#11 section 5.7.5).
"""
import ctypes
import sys

ULONG = ctypes.c_ulong
CKF_RW_SESSION, CKF_SERIAL_SESSION, CKU_USER, CKO_PRIVATE_KEY = 2, 4, 1, 3
CKA_CLASS, CKA_ID = 0x0, 0x102
READ = {"CKA_TOKEN": 0x1, "CKA_PRIVATE": 0x2, "CKA_SENSITIVE": 0x103, "CKA_EXTRACTABLE": 0x162,
        "CKA_SIGN": 0x108, "CKA_DECRYPT": 0x105, "CKA_UNWRAP": 0x107, "CKA_VALUE": 0x11}
REFUSED = {0x11: "CKR_ATTRIBUTE_SENSITIVE", 0x12: "CKR_ATTRIBUTE_TYPE_INVALID"}


class Attribute(ctypes.Structure):
    _fields_ = [("type", ULONG), ("value", ctypes.c_void_p), ("length", ULONG)]


def attribute(kind, data):
    buffer = ctypes.create_string_buffer(data, len(data))
    return Attribute(kind, ctypes.cast(buffer, ctypes.c_void_p), len(data))


def must(code, what):
    if code != 0:
        sys.exit(f"{what}: 0x{code:x}")


def slot_of(module, label):
    slots, count = (ULONG * 16)(), ULONG(16)
    must(module.C_GetSlotList(1, slots, ctypes.byref(count)), "C_GetSlotList")
    for slot in slots[:count.value]:
        info = ctypes.create_string_buffer(512)
        if module.C_GetTokenInfo(ULONG(slot), info) == 0 and \
                info.raw[:32].decode().rstrip() == label:
            return slot
    sys.exit(f"no token {label}")


def find(module, session, key_id):
    template = (Attribute * 2)(attribute(CKA_CLASS, CKO_PRIVATE_KEY.to_bytes(8, "little")),
                               attribute(CKA_ID, key_id))
    found, count = (ULONG * 2)(), ULONG(0)
    must(module.C_FindObjectsInit(session, template, ULONG(2)), "C_FindObjectsInit")
    must(module.C_FindObjects(session, found, ULONG(2), ctypes.byref(count)), "C_FindObjects")
    must(module.C_FindObjectsFinal(session), "C_FindObjectsFinal")
    if count.value != 1:
        sys.exit(f"{count.value} private keys with this CKA_ID")
    return ULONG(found[0])


def main(path, label, pin_file, key_id):
    with open(pin_file, "rb") as file:
        pin = file.read().rstrip(b"\n")
    module = ctypes.CDLL(path)
    must(module.C_Initialize(None), "C_Initialize")
    session = ULONG()
    must(module.C_OpenSession(ULONG(slot_of(module, label)),
                              ULONG(CKF_SERIAL_SESSION | CKF_RW_SESSION), None, None,
                              ctypes.byref(session)), "C_OpenSession")
    must(module.C_Login(session, ULONG(CKU_USER), pin, ULONG(len(pin))), "C_Login")
    key = find(module, session, bytes.fromhex(key_id))
    for name, kind in READ.items():
        asked = attribute(kind, bytes(64))
        code = module.C_GetAttributeValue(session, key, ctypes.byref(asked), ULONG(1))
        said = REFUSED.get(code, f"0x{code:x}")
        if code == 0:
            said = ctypes.string_at(asked.value, asked.length).hex()
        print(f"{name} {said}")
    must(module.C_Finalize(None), "C_Finalize")


if __name__ == "__main__":
    main(*sys.argv[1:])
