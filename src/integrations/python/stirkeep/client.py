# SPDX-License-Identifier: BSD-2-Clause
"""The blocking client: one request at a time."""
from __future__ import annotations

import os
import select
import socket
import threading
import time
from types import TracebackType
from typing import Any, List, Literal, Optional, Sequence, Type, Union, overload

from . import _codec
from ._exchange import Ended, Exchange, Slot
from ._socket import (DEFAULT_TIMEOUT, READ_MAX, Path, named, next_delay, open_socket,
                      path_or_default, timeout_of)
from .answers import Certificate, Pong, Signature
from .claims import Claims, Input, Request, RichCallData, Shaken
from .errors import Malformed, NotConnected, StirkeepError, Timeout, TooLarge

__all__ = ["Client"]

NAMES_MAX = 100000  # certificate names that a service holds


class Client:
    """Signatures from the service at a Unix socket.

    Nothing is opened yet: the first call connects, and later ones connect again when the service
    was restarted. Every call ends within its timeout (seconds), connecting included.

    When the connection breaks before the answer, the request is repeated on a new one: a second
    signature does no harm, but is counted and recorded. Whoever is not there when a call begins is
    NotConnected at once.

    A client is one thread's at a time (RuntimeError otherwise); different ones are independent. In
    a forked child it opens a connection of its own and leaves the parent's alone.
    """

    def __init__(self, path: Path = None, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.path = path_or_default(path)
        self.timeout = timeout_of(timeout, DEFAULT_TIMEOUT)
        self._socket: Optional[socket.socket] = None
        self._closed = False
        self._own()

    def _own(self) -> None:
        """Begin anew in this process. Closing a descriptor here is nothing to another process."""
        self._drop()
        self._process = os.getpid()
        self._busy = threading.Lock()
        self._exchange = Exchange()

    # ---- what it is for

    @overload
    def sign(self, name: str, claims: Claims, *, timeout: Optional[float] = None) -> Signature: ...

    @overload
    def sign(self, name: str, *, orig: str, dest: Union[str, Sequence[str]], attest: str,
             origid: str = "", iat: int = 0, rcd: Optional[RichCallData] = None,
             timeout: Optional[float] = None) -> Signature: ...

    def sign(self, name: str, claims: Optional[Claims] = None, *, timeout: Optional[float] = None,
             **shaken: Any) -> Signature:
        """Have a PASSporT signed with the certificate called `name`: of claims of any type, or of
        the claims of a shaken one given by name."""
        what = claims_of(claims, shaken)
        signature: Signature = self._ask(_codec.sign(name, what), timeout)
        return signature

    def sign_input(self, name: str, header: str, payload: str, *,
                   timeout: Optional[float] = None) -> Signature:
        """Have a header and a payload signed that the caller composed, word for word: canonical
        JSON. NotPermitted unless the grant has sign-input."""
        signature: Signature = self._ask(_codec.sign(name, Input(header, payload)), timeout)
        return signature

    @overload
    def sign_batch(self, requests: Sequence[Request], *, whole: Literal[True],
                   timeout: Optional[float] = None) -> List[Signature]: ...

    @overload
    def sign_batch(self, requests: Sequence[Request], *, whole: bool = False,
                   timeout: Optional[float] = None) -> Sequence[Union[Signature, StirkeepError]]: ...

    def sign_batch(self, requests: Sequence[Request], *, whole: bool = False,
                   timeout: Optional[float] = None) -> Any:
        """Have 1 to 64 signed in one request; the results are in its order. One that is refused
        has its exception as its result, unless `whole`: then the first refusal is raised, and
        nothing is given out."""
        return self._ask(_codec.batch(requests, whole), timeout)

    def list(self, *, timeout: Optional[float] = None) -> List[Certificate]:
        """The certificates that this process may use, in the order of their names."""
        until = time.monotonic() + timeout_of(timeout, self.timeout)
        pages = Pages(self.path)
        while pages.more:
            pages.take(*self._ask(_codec.listing(pages.after), max(until - time.monotonic(), 1e-6)))
        return pages.found

    def ping(self, *, timeout: Optional[float] = None) -> Pong:
        """Can signatures be had now?"""
        pong: Pong = self._ask(_codec.ping(), timeout)
        return pong

    def close(self) -> None:
        """Close the connection, for good."""
        self._closed = True
        self._drop()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    # ---- one request

    def _ask(self, question: _codec.Question, timeout: Optional[float]) -> Any:
        if self._process != os.getpid():
            self._own()
        busy = self._busy
        if not busy.acquire(blocking=False):
            raise RuntimeError("a Client is one thread's at a time")
        try:
            if self._closed:
                raise RuntimeError("the client is closed")
            return self._run(question, timeout_of(timeout, self.timeout))
        finally:
            busy.release()

    def _run(self, question: _codec.Question, seconds: float) -> Any:
        until = time.monotonic() + seconds
        slot = self._exchange.begin(question, seconds)
        try:
            outcome = self._get(slot, until)
        except StirkeepError:
            raise
        except BaseException:  # an interrupt may leave half a frame behind
            self._drop()
            raise
        finally:
            self._exchange.forget(slot)
            if self._exchange.is_deaf:
                self._drop()
        if isinstance(outcome, StirkeepError):
            raise outcome
        return outcome

    def _get(self, slot: Slot, until: float) -> Any:
        if self._socket is not None:
            self._drop_stale()
        is_first = self._socket is None
        reason = ""  # why the last attempt went wrong
        delay = 0.0
        while True:
            try:
                if self._socket is None:
                    self._connect()
                is_first = False
                return self._converse(slot, until)
            except Timeout as why:
                if not reason:
                    raise
                raise Timeout(f"no answer in time; {reason}") from why
            except Ended:
                self._drop()
                reason = f"{self.path}: the connection ended"
            except BlockingIOError:
                reason = f"{self.path}: its queue of connections is full"
            except NotConnected as why:
                if is_first:
                    raise
                reason = why.message
            time.sleep(max(min(delay, until - time.monotonic()), 0))
            if time.monotonic() >= until:
                raise Timeout(f"no answer in time; {reason}")
            delay = next_delay(delay)

    def _converse(self, slot: Slot, until: float) -> Any:
        """Send it and read until its answer is there."""
        assert self._socket is not None
        out = memoryview(slot.frame)
        slot.sent = True
        while True:
            out = self._send(out)
            if not self._wait(until, len(out) > 0):
                if len(out) > 0:
                    self._drop()
                raise Timeout(f"{self.path}: no answer in time")
            try:
                for answered, outcome in self._read():
                    if answered is slot:
                        return outcome
            except StirkeepError as why:
                self._drop()
                raise named(self.path, why) from None

    def _send(self, out: memoryview) -> memoryview:
        """What is left of it. When the peer has gone, what it said last is still to be read."""
        assert self._socket is not None
        if len(out) == 0:
            return out
        try:
            return out[self._socket.send(out, socket.MSG_NOSIGNAL):]
        except BlockingIOError:
            return out
        except OSError:
            return out[len(out):]

    def _wait(self, until: float, for_room: bool) -> bool:
        """False: the time is up."""
        assert self._socket is not None
        left = until - time.monotonic()
        if left <= 0:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if for_room else 0))
        poll.poll(min(left, 1000.0) * 1000 + 1)
        return True

    def _read(self) -> Any:
        assert self._socket is not None
        try:
            data = self._socket.recv(READ_MAX)
        except BlockingIOError:
            return iter(())
        except OSError:
            raise Ended from None
        if not data:
            raise Ended
        return self._exchange.answers(data)

    # ---- the connection

    def _connect(self) -> None:
        self._socket = open_socket(self.path)
        self._exchange.restart()

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _drop_stale(self) -> None:
        """The service may have gone since the last call. Late answers are no reason to think so."""
        assert self._socket is not None
        try:
            data = self._socket.recv(READ_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        try:
            if not data:
                raise Ended
            for _ in self._exchange.answers(data):
                pass
        except (Ended, StirkeepError):
            self._drop()


def claims_of(claims: Optional[Claims], shaken: Any) -> Claims:
    if claims is None:
        return Shaken(**shaken)
    if shaken:
        raise TypeError(f"sign: claims, and {', '.join(sorted(shaken))} besides")
    return claims


class Pages:
    """A list, page by page."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: List[Certificate] = []
        self.after = ""
        self.more = True

    def take(self, page: Sequence[Certificate], more: bool) -> None:
        for certificate in page:
            # Pages that do not go forward would never end.
            if certificate.name <= self.after:
                raise Malformed(f"{self.path}: the pages of its list do not go on")
            self.after = certificate.name
        if more and not page:
            raise Malformed(f"{self.path}: the pages of its list do not go on")
        self.found += page
        if len(self.found) > NAMES_MAX:
            raise TooLarge(f"{self.path}: more than {NAMES_MAX} certificates")
        self.more = more
