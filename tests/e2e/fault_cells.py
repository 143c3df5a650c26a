# SPDX-License-Identifier: BSD-2-Clause
"""Which faults a token may have, and where in a service's life they are tried: the cells of the
matrix."""
import collections
import random

# What a PKCS#11 call may return instead of its work, by the class that the keeper tells apart.
RETURNS = {
    "CKR_SESSION_HANDLE_INVALID": 0xB3, "CKR_OBJECT_HANDLE_INVALID": 0x82,
    "CKR_USER_NOT_LOGGED_IN": 0x101, "CKR_DEVICE_ERROR": 0x30, "CKR_DEVICE_REMOVED": 0x32,
    "CKR_GENERAL_ERROR": 0x5, "CKR_HOST_MEMORY": 0x2, "CKR_FUNCTION_NOT_SUPPORTED": 0x54,
    "CKR_CRYPTOKI_NOT_INITIALIZED": 0x190, "CKR 0x80000001": 0x80000001,
}
MORE_RETURNS = {  # of those that sign
    "CKR_SESSION_CLOSED": 0xB0, "CKR_KEY_HANDLE_INVALID": 0x60, "CKR_TOKEN_NOT_PRESENT": 0xE0,
    "CKR_FUNCTION_FAILED": 0x6, "CKR_DEVICE_MEMORY": 0x31, "CKR_OPERATION_ACTIVE": 0x90,
    "CKR_OPERATION_NOT_INITIALIZED": 0x91, "CKR_SESSION_COUNT": 0xB1,
}
PINS = {"CKR_PIN_INCORRECT": 0xA0, "CKR_PIN_INVALID": 0xA1, "CKR_PIN_LEN_RANGE": 0xA2,
        "CKR_PIN_EXPIRED": 0xA3, "CKR_PIN_LOCKED": 0xA4}
# The work is done, and the answer says that it is not.
LOST = {"done, CKR_DEVICE_ERROR": 0x30, "done, CKR_USER_ALREADY_LOGGED_IN": 0x100}
STOPS = ("hang", "delay past the timeout", "crash")
LOSSES = ("logout", "all sessions closed")
SIGNATURES = ("wrong signature", "short signature", "empty signature")
FATAL = {*STOPS, *LOSSES, "CKR_DEVICE_REMOVED", "CKR_TOKEN_NOT_PRESENT",
         "CKR_CRYPTOKI_NOT_INITIALIZED"}

# In which part of its life a service calls what. The first part in which a function stands has all
# of its faults, the others have a few.
PARTS = {
    "signing": ["C_SignInit", "C_Sign"],
    "first use of a key": ["C_CopyObject", "C_GetAttributeValue"],
    "opening a session again": ["C_OpenSession", "C_CloseSession", "C_GetSessionInfo"],
    "import": ["C_GetSessionInfo", "C_CreateObject", "C_UnwrapKey", "C_GetAttributeValue",
               "C_DestroyObject", "C_SignInit", "C_Sign"],
    "generate": ["C_GenerateKeyPair", "C_SetAttributeValue", "C_FindObjectsInit", "C_FindObjects",
                 "C_FindObjectsFinal", "C_GetAttributeValue", "C_SignInit", "C_Sign"],
    "destroy": ["C_DestroyObject", "C_FindObjectsInit", "C_FindObjects", "C_GetAttributeValue",
                "C_SignInit"],
    "doctor": ["C_GetMechanismList", "C_GetMechanismInfo", "C_GetInfo", "C_GetSlotInfo",
               "C_GetTokenInfo", "C_DecryptInit", "C_GenerateKeyPair"],
    "opening": ["C_GetFunctionList", "C_Initialize", "C_GetInfo", "C_GetSlotList", "C_GetSlotInfo",
                "C_GetTokenInfo", "C_Login", "C_DecryptInit", "C_Decrypt", "C_OpenSession",
                "C_GetSessionInfo", "C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal",
                "C_GetAttributeValue", "C_CopyObject", "C_DestroyObject", "C_UnwrapKey",
                "C_SignInit", "C_Sign"],
    "ending": ["C_CloseSession", "C_Logout", "C_CloseAllSessions", "C_Finalize", "C_Sign"],
}
FEW = ("CKR_SESSION_HANDLE_INVALID", "CKR_DEVICE_REMOVED", "hang", "crash")
WITHOUT_SESSION = {"C_GetFunctionList", "C_Initialize", "C_Finalize", "C_GetInfo", "C_GetSlotList",
                   "C_GetSlotInfo", "C_GetTokenInfo", "C_GetMechanismList", "C_GetMechanismInfo",
                   "C_OpenSession", "C_CloseAllSessions"}
MAKERS = {"C_CreateObject", "C_CopyObject", "C_UnwrapKey", "C_GenerateKeyPair", "C_DestroyObject",
          "C_SetAttributeValue", "C_OpenSession", "C_Login", "C_Sign"}
WRITING = {"import", "generate", "destroy", "doctor"}  # on custody's session


class Cell(collections.namedtuple("Cell", "part function fault")):
    def __str__(self):
        return f"{self.part}: {self.function}: {self.fault}"

    @property
    def whose(self):
        if self.function in WITHOUT_SESSION or self.part in ("opening", "ending"):
            return ""
        return "rw:" if self.part in WRITING else "ro:"

    @property
    def is_fatal(self):
        """Has the keeper to be another process afterwards? After all others, the same one."""
        return self.fault in FATAL or (
            # There it is the answer to the question whether the login is gone.
            self[:2] == ("opening a session again", "C_GetSessionInfo")
            and self.fault == "CKR_USER_NOT_LOGGED_IN")

    def action(self, timeout_ms):
        if self.fault in LOST:
            return f"lose {LOST[self.fault]:#x}"
        for known in (RETURNS, MORE_RETURNS, PINS):
            if self.fault in known:
                return f"return {known[self.fault]:#x}"
        return {"hang": "hang", "delay past the timeout": "slow", "crash": "crash",
                "logout": "logout", "all sessions closed": "sessions", "wrong signature": "wrong",
                "short signature": "short", "empty signature": "empty"}[self.fault].replace(
                    "slow", f"sleep {3 * timeout_ms}")


def faults_of(part, function, first):
    if not first:
        few = list(FEW)
        if part in WRITING and function not in WITHOUT_SESSION:
            few += LOSSES
        if function == "C_Sign":
            few += SIGNATURES
        return few
    found = [*RETURNS, *STOPS]
    if part == "signing":
        found += MORE_RETURNS
    if function == "C_Sign":
        found += SIGNATURES
    if function == "C_Login":
        found += [*PINS, "done, CKR_USER_ALREADY_LOGGED_IN"]
    if function in MAKERS:
        found.append("done, CKR_DEVICE_ERROR")
    if function not in WITHOUT_SESSION and part != "ending":
        found += LOSSES
    return found


def all_cells():
    cells, seen = [], set()
    for part, functions in PARTS.items():
        for function in functions:
            cells += [Cell(part, function, fault)
                      for fault in faults_of(part, function, function not in seen)]
            seen.add(function)
    return cells


def sample(count, seed):
    """So many, with every function, every fault and every part among them; in the order of all."""
    cells = all_cells()
    if count == 0 or count >= len(cells):
        return cells
    mixed = cells[:]
    random.Random(seed).shuffle(mixed)
    chosen, wanted = set(), {word for cell in cells for word in cell}
    while len(chosen) < count:
        best = max((cell for cell in mixed if cell not in chosen),
                   key=lambda cell: len(wanted.intersection(cell)))
        chosen.add(best)
        wanted.difference_update(best)
    return [cell for cell in cells if cell in chosen]
