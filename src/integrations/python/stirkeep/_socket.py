# SPDX-License-Identifier: BSD-2-Clause
"""Where the service is, and how to get there."""
from __future__ import annotations

import os
import socket
from typing import Optional, Union

from .errors import Invalid, NotConnected, StirkeepError, error_of

DEFAULT_SIGN_SOCKET = "/run/stirkeep/sign.sock"
DEFAULT_TIMEOUT = 2.0
PATH_MAX = 107  # sun_path, with a '\0' behind it
READ_MAX = 65536
RETRY_FIRST = 0.005  # before the second attempt in a row; the first is at once
RETRY_MAX = 0.2

Path = Union[str, "os.PathLike[str]", None]


def path_or_default(path: Path) -> str:
    found = os.fspath(path) if path is not None else \
        os.environ.get("STIRKEEP_SIGN_SOCKET") or DEFAULT_SIGN_SOCKET
    raw = os.fsencode(found)
    if not raw or len(raw) > PATH_MAX or b"\0" in raw:
        raise Invalid(f"socket path: {found!r} is not of 1 to {PATH_MAX} bytes")
    return found


def timeout_of(timeout: Optional[float], default: float) -> float:
    if timeout is None:
        return default
    if not timeout > 0:  # nor is it no number
        raise ValueError("timeout: a number of seconds above 0 is wanted")
    return min(float(timeout), 1e6)


def open_socket(path: str) -> socket.socket:
    """A connection that never blocks. BlockingIOError: the queue of those who wait to be taken is
    full; NotConnected: nobody is there."""
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as why:
        raise NotConnected(f"{path}: {why.strerror}") from None
    try:
        sock.setblocking(False)
        sock.connect(path)
    except BlockingIOError:
        sock.close()
        raise
    except OSError as why:
        sock.close()
        raise NotConnected(f"{path}: {why.strerror}") from None
    except BaseException:
        sock.close()
        raise
    return sock


def next_delay(delay: float) -> float:
    return min(max(delay * 2, RETRY_FIRST), RETRY_MAX)


def named(path: str, fault: StirkeepError) -> StirkeepError:
    """A fault of a whole connection, anew for each request that it ends."""
    return error_of(fault.status, f"{path}: {fault.message}")
