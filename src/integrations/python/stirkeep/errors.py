# SPDX-License-Identifier: BSD-2-Clause
"""What may come instead of an answer: an exception for each status of docs/PROTOCOL.md.

The service's refusals come with its own message: one line that names the thing and the reason.
TIMEOUT, NOT_CONNECTED, MALFORMED (what came is not the protocol), INVALID and TOO_LARGE (of a
request that does not fit the protocol) may also be this side's.
"""
from __future__ import annotations

import enum
from typing import ClassVar

__all__ = ["Status", "StirkeepError", "error_of"]


class Status(enum.IntEnum):
    """The numbers are part of the protocol: they never change."""
    OK = 0
    INVALID = 1
    MALFORMED = 2
    TOO_LARGE = 3
    NOT_PERMITTED = 4
    UNKNOWN_NAME = 5
    NOT_ACTIVE = 6
    CERT_NOT_YET_VALID = 7
    CERT_EXPIRED = 8
    KEY_TYPE = 9
    KEY_MISMATCH = 10
    CERT_INVALID = 11
    KEY_UNREADABLE = 12
    CONFLICT = 13
    UNAVAILABLE = 14
    TOKEN_LOCKED = 15
    TOKEN_ERROR = 16
    KEY_UNAVAILABLE = 17
    OVERLOADED = 18
    DEADLINE = 19
    AUDIT_UNAVAILABLE = 20
    STORAGE = 21
    IO = 22
    NO_MEMORY = 23
    TIMEOUT = 24
    NOT_CONNECTED = 25
    CONFIG = 26
    UNSUPPORTED = 27
    INTERNAL = 28
    SOURCE_UNSAFE = 29
    BUSY = 30
    NOT_VERIFIED = 31
    RATE_LIMITED = 32

    @property
    def title(self) -> str:
        """As the commands' JSON and the audit trail have it: "not-permitted"."""
        return self.name.lower().replace("_", "-")


class StirkeepError(Exception):
    """The request was refused, or got no answer. `str()` is the one line for a log."""

    status: Status = Status.INTERNAL
    #: The same request may succeed later without anybody's doing.
    again: ClassVar[bool] = False

    def __init__(self, message: str = "") -> None:
        self.message = message or self.status.title
        super().__init__(self.message)


class Invalid(StirkeepError):
    """A value in the request is not allowed; the message names it."""
    status = Status.INVALID


class Malformed(StirkeepError):
    """The bytes are not a message of the protocol: the request's, or what was answered."""
    status = Status.MALFORMED


class TooLarge(StirkeepError):
    """Past a stated limit."""
    status = Status.TOO_LARGE


class NotPermitted(StirkeepError):
    """No grant allows it."""
    status = Status.NOT_PERMITTED


class UnknownName(StirkeepError):
    """No certificate of that name."""
    status = Status.UNKNOWN_NAME


class NotActive(StirkeepError):
    """The name is held but does not sign: retired or staged."""
    status = Status.NOT_ACTIVE


class CertNotYetValid(StirkeepError):
    status = Status.CERT_NOT_YET_VALID
    again = True


class CertExpired(StirkeepError):
    status = Status.CERT_EXPIRED


class KeyType(StirkeepError):
    status = Status.KEY_TYPE


class KeyMismatch(StirkeepError):
    status = Status.KEY_MISMATCH


class CertInvalid(StirkeepError):
    status = Status.CERT_INVALID


class KeyUnreadable(StirkeepError):
    status = Status.KEY_UNREADABLE


class Conflict(StirkeepError):
    status = Status.CONFLICT


class Unavailable(StirkeepError):
    """A part of the service is (re)starting: try again."""
    status = Status.UNAVAILABLE
    again = True


class TokenLocked(StirkeepError):
    """The token refused the PIN, or its PIN is locked."""
    status = Status.TOKEN_LOCKED


class TokenFailure(StirkeepError):
    """The token failed; the message has the PKCS#11 code."""
    status = Status.TOKEN_ERROR


class KeyUnavailable(StirkeepError):
    """The key is not on the token, or does not prove itself."""
    status = Status.KEY_UNAVAILABLE


class Overloaded(StirkeepError):
    """Too many requests in flight."""
    status = Status.OVERLOADED
    again = True


class Deadline(StirkeepError):
    """The service says: the request's time was up before it was signed."""
    status = Status.DEADLINE
    again = True


class AuditUnavailable(StirkeepError):
    """The audit trail cannot be written: nothing is signed."""
    status = Status.AUDIT_UNAVAILABLE
    again = True


class Storage(StirkeepError):
    """The service's disk: full, read-only or failing."""
    status = Status.STORAGE
    again = True


class Io(StirkeepError):
    status = Status.IO


class NoMemory(StirkeepError):
    status = Status.NO_MEMORY


class Timeout(StirkeepError, TimeoutError):
    """No answer in time. The request may have been signed."""
    status = Status.TIMEOUT
    again = True


class NotConnected(StirkeepError, ConnectionError):
    """Nobody answers at the socket."""
    status = Status.NOT_CONNECTED
    again = True


class Config(StirkeepError):
    status = Status.CONFIG


class Unsupported(StirkeepError):
    """Not known to that version of the service."""
    status = Status.UNSUPPORTED


class Internal(StirkeepError):
    """A fault of the service's own, or a status that this version does not know."""
    status = Status.INTERNAL


class SourceUnsafe(StirkeepError):
    status = Status.SOURCE_UNSAFE


class Busy(StirkeepError):
    status = Status.BUSY
    again = True


class NotVerified(StirkeepError):
    status = Status.NOT_VERIFIED


class RateLimited(StirkeepError):
    """Past the grant's, or the certificate's, rate or quota."""
    status = Status.RATE_LIMITED
    again = True


_BY_STATUS = {kind.status: kind for kind in StirkeepError.__subclasses__()}
__all__ += sorted(kind.__name__ for kind in _BY_STATUS.values())


def error_of(status: int, message: str) -> StirkeepError:
    """The exception for a status number; `internal` for one that this version does not know."""
    # One line for a log, whoever said it.
    message = "".join(one if one.isprintable() else "?" for one in message)
    try:
        kind = _BY_STATUS[Status(status)]
    except (ValueError, KeyError):
        return Internal(f"status {status}: {message}" if message else f"status {status}")
    return kind(message)
