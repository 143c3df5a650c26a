# SPDX-License-Identifier: BSD-2-Clause
"""PASSporT signatures from a stirkeep service over its Unix socket.

    with stirkeep.Client() as client:
        signature = client.sign("Alpha", orig="12155551212", dest="12155551213", attest="A")
        print(signature.header)

No global state, no threads, no signal handlers, no output; nothing is needed but protobuf.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors
from ._codec import BATCH_MAX
from ._socket import DEFAULT_SIGN_SOCKET
from ._version import __version__
from .answers import Certificate, Pong, Signature, identity_header
from .claims import (Base, Claims, Div, DivO, Input, MediaKey, Other, Rcd, Request, RichCallData,
                     Rph, Shaken, Tn, Uri)
from .client import Client
from .errors import (AuditUnavailable, Busy, CertExpired, CertInvalid, CertNotYetValid, Config,
                     Conflict, Deadline, Internal, Invalid, Io, KeyMismatch, KeyType,
                     KeyUnavailable, KeyUnreadable, Malformed, NoMemory, NotActive, NotConnected,
                     NotPermitted, NotVerified, Overloaded, RateLimited, SourceUnsafe, Status,
                     StirkeepError, Storage, Timeout, TokenFailure, TokenLocked, TooLarge,
                     Unavailable, UnknownName, Unsupported)

if TYPE_CHECKING:
    from .aio import AsyncClient

__all__ = [
    "AsyncClient", "AuditUnavailable", "BATCH_MAX", "Base", "Busy", "CertExpired", "CertInvalid",
    "CertNotYetValid", "Certificate", "Claims", "Client", "Config", "Conflict",
    "DEFAULT_SIGN_SOCKET", "Deadline", "Div", "DivO", "Input", "Internal", "Invalid", "Io",
    "KeyMismatch", "KeyType", "KeyUnavailable", "KeyUnreadable", "Malformed", "MediaKey",
    "NoMemory", "NotActive", "NotConnected", "NotPermitted", "NotVerified", "Other", "Overloaded",
    "Pong", "RateLimited", "Rcd", "Request", "RichCallData", "Rph", "Shaken", "Signature",
    "SourceUnsafe", "Status", "StirkeepError", "Storage", "Timeout", "Tn", "TokenFailure",
    "TokenLocked", "TooLarge", "Unavailable", "UnknownName", "Unsupported", "Uri", "__version__",
    "errors", "identity_header"]


def __getattr__(name: str) -> Any:
    """asyncio is read when it is wanted: a script that signs one call starts sooner without."""
    if name == "AsyncClient":
        from .aio import AsyncClient
        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
