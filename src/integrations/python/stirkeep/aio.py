# SPDX-License-Identifier: BSD-2-Clause
"""The asyncio client: many requests in flight on one connection."""
from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from types import TracebackType
from typing import Any, Deque, List, Literal, Optional, Sequence, Type, Union, overload

from . import _codec
from ._exchange import Ended, Exchange, Slot
from ._places import Places
from ._socket import (DEFAULT_TIMEOUT, READ_MAX, Path, named, next_delay, open_socket,
                      path_or_default, timeout_of)
from .answers import Certificate, Pong, Signature
from .claims import Claims, Input, Request, RichCallData
from .client import Pages, claims_of
from .errors import NotConnected, StirkeepError, Timeout

__all__ = ["AsyncClient"]

IN_FLIGHT_MAX = 1024  # of one connection, by the protocol
WRITE_MAX = 65536     # gathered for one write


class AsyncClient:
    """As Client, for the tasks of one event loop: `in_flight` requests at most are under way on the
    one connection, further ones wait for a place within their timeout (then Overloaded).

    A task may be cancelled at any time: its request is not sent any more, or its answer is
    forgotten. When the connection breaks, everything under way is sent again on a new one; what
    begins while nobody is there and nothing is under way is NotConnected at once.

    Not for several threads. A further event loop may use it once nothing is under way in the one
    before. In a forked child, with a loop of its own, it opens a connection of its own.
    """

    def __init__(self, path: Path = None, *, timeout: float = DEFAULT_TIMEOUT,
                 in_flight: int = 256) -> None:
        if not 0 < in_flight <= IN_FLIGHT_MAX:
            raise ValueError(f"in_flight: 1 to {IN_FLIGHT_MAX}")
        self.path = path_or_default(path)
        self.timeout = timeout_of(timeout, DEFAULT_TIMEOUT)
        self.in_flight = in_flight
        self._socket: Optional[socket.socket] = None
        self._closed = False
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._own(None)

    def _own(self, loop: Optional[asyncio.AbstractEventLoop]) -> None:
        """Begin anew in this process and loop. The loop before is not told: it has ended, or it is
        another process's, whose epoll it would change."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._process = os.getpid()
        self._loop = loop
        self._exchange = Exchange()
        self._places = Places(self.in_flight)
        self._unsent: Deque[Slot] = deque()
        self._out = b""  # the rest of a write
        self._is_writing = False  # the loop waits for room
        self._is_due = False  # a flush
        self._attempt: Optional[asyncio.TimerHandle] = None  # to connect again
        self._delay = 0.0  # above 0: the attempts in a row go wrong
        self._reason = ""  # why

    # ---- what it is for

    @overload
    async def sign(self, name: str, claims: Claims, *,
                   timeout: Optional[float] = None) -> Signature: ...

    @overload
    async def sign(self, name: str, *, orig: str, dest: Union[str, Sequence[str]], attest: str,
                   origid: str = "", iat: int = 0, rcd: Optional[RichCallData] = None,
                   timeout: Optional[float] = None) -> Signature: ...

    async def sign(self, name: str, claims: Optional[Claims] = None, *,
                   timeout: Optional[float] = None, **shaken: Any) -> Signature:
        """As Client.sign."""
        what = claims_of(claims, shaken)
        signature: Signature = await self._ask(_codec.sign(name, what), timeout)
        return signature

    async def sign_input(self, name: str, header: str, payload: str, *,
                         timeout: Optional[float] = None) -> Signature:
        """As Client.sign_input."""
        signature: Signature = await self._ask(_codec.sign(name, Input(header, payload)), timeout)
        return signature

    @overload
    async def sign_batch(self, requests: Sequence[Request], *, whole: Literal[True],
                         timeout: Optional[float] = None) -> List[Signature]: ...

    @overload
    async def sign_batch(
        self, requests: Sequence[Request], *, whole: bool = False,
        timeout: Optional[float] = None) -> Sequence[Union[Signature, StirkeepError]]: ...

    async def sign_batch(self, requests: Sequence[Request], *, whole: bool = False,
                         timeout: Optional[float] = None) -> Any:
        """As Client.sign_batch."""
        return await self._ask(_codec.batch(requests, whole), timeout)

    async def list(self, *, timeout: Optional[float] = None) -> List[Certificate]:
        """As Client.list."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_of(timeout, self.timeout)
        pages = Pages(self.path)
        while pages.more:
            pages.take(*await self._ask(_codec.listing(pages.after),
                                        max(until - loop.time(), 1e-6)))
        return pages.found

    async def ping(self, *, timeout: Optional[float] = None) -> Pong:
        """As Client.ping."""
        pong: Pong = await self._ask(_codec.ping(), timeout)
        return pong

    def close(self) -> None:
        """Close the connection, for good: what is under way is NotConnected."""
        self._closed = True
        if self._process != os.getpid() or self._loop is None or self._loop.is_closed():
            self._own(None)
            return
        self._stop_attempt()
        self._give_up(NotConnected("the client was closed"))
        self._places.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        self.close()

    # ---- one request

    def _enter(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if self._process != os.getpid():
            self._own(loop)
        elif self._loop is not loop:
            if self._loop is not None and not self._loop.is_closed():
                if self._loop.is_running() or self._exchange.slots:
                    raise RuntimeError("an AsyncClient is one event loop's at a time")
                self._drop()
            self._own(loop)
        if self._closed:
            raise RuntimeError("the client is closed")
        return loop

    async def _ask(self, question: _codec.Question, timeout: Optional[float]) -> Any:
        loop = self._enter()
        until = loop.time() + timeout_of(timeout, self.timeout)
        places = self._places
        await places.take(loop, until)
        try:
            if self._closed:
                raise NotConnected("the client was closed")
            exchange = self._exchange
            if not exchange.slots:
                self._look_again()
            slot = exchange.begin(question, until - loop.time())
            slot.future = loop.create_future()
            timer = loop.call_at(until, self._expire, slot)
            try:
                self._submit(slot)
                return await slot.future
            finally:
                timer.cancel()
                exchange.forget(slot)
                if exchange.is_deaf and exchange is self._exchange:
                    self._broken("too many requests were never answered")
        finally:
            places.give()

    def _expire(self, slot: Slot) -> None:
        why = f"no answer in time; {self._reason}" if self._delay > 0 else \
            f"{self.path}: no answer in time"
        finish(slot, Timeout(why))

    def _look_again(self) -> None:
        """The service may have gone, or come, since the last request."""
        self._delay = 0.0
        self._stop_attempt()
        if self._socket is not None:
            self._readable(self._socket)

    def _submit(self, slot: Slot) -> None:
        if self._socket is not None:
            self._unsent.append(slot)
            self._flush_soon()
        elif len(self._exchange.slots) == 1:
            self._connect(is_first=True)
        # Others are under way: the service is being waited for already.

    # ---- the connection

    def _connect(self, is_first: bool = False) -> None:
        """NotConnected: only for the first in a row."""
        loop = self._loop
        assert loop is not None and self._socket is None
        try:
            self._socket = open_socket(self.path)
        except BlockingIOError:
            self._reason = f"{self.path}: its queue of connections is full"
            self._retry_later()
            return
        except NotConnected as why:
            self._reason = why.message
            if is_first:
                raise
            self._retry_later()
            return
        self._exchange.restart()
        self._unsent = deque(self._exchange.slots.values())
        self._out = b""
        loop.add_reader(self._socket, self._readable, self._socket)
        self._flush_soon()

    def _retry_later(self) -> None:
        assert self._loop is not None
        if self._attempt is None:
            self._attempt = self._loop.call_later(self._delay, self._retry, self._exchange)
            self._delay = next_delay(self._delay)

    def _retry(self, exchange: Exchange) -> None:
        if exchange is not self._exchange:
            return
        self._attempt = None
        if self._socket is None and exchange.slots:
            self._connect()

    def _stop_attempt(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None

    def _drop(self) -> None:
        sock, self._socket = self._socket, None
        if sock is None:
            return
        assert self._loop is not None
        self._loop.remove_reader(sock)
        if self._is_writing:
            self._loop.remove_writer(sock)
            self._is_writing = False
        sock.close()

    def _broken(self, reason: str) -> None:
        self._drop()
        self._reason = f"{self.path}: {reason}"
        if self._exchange.slots:
            self._retry_later()
        self._unsent.clear()

    def _give_up(self, fault: StirkeepError, *, prefix: bool = False) -> None:
        """Nobody who speaks like this is asked again: everything under way ends."""
        self._drop()
        self._unsent.clear()
        for slot in list(self._exchange.slots.values()):
            del self._exchange.slots[slot.number]
            finish(slot, named(self.path, fault) if prefix else type(fault)(fault.message))

    def _readable(self, sock: socket.socket) -> None:
        if sock is not self._socket:
            return
        try:
            data = sock.recv(READ_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        try:
            if not data:
                raise Ended
            for slot, outcome in self._exchange.answers(data):
                self._delay = 0.0
                finish(slot, outcome)
        except Ended:
            self._broken("the connection ended")
        except StirkeepError as why:
            self._give_up(why, prefix=True)

    # ---- sending: what several tasks submit in one turn of the loop leaves in one write

    def _flush_soon(self) -> None:
        assert self._loop is not None
        if not self._is_due and not self._is_writing:
            self._is_due = True
            self._loop.call_soon(self._flush, self._exchange)

    def _flush(self, exchange: Exchange) -> None:
        if exchange is not self._exchange:
            return
        self._is_due = False
        sock = self._socket  # another one than it was asked for is as good
        if sock is None:
            return
        while self._out or self._unsent:
            if not self._out:
                self._out = self._gather()
            try:
                self._out = self._out[sock.send(self._out, socket.MSG_NOSIGNAL):]
            except BlockingIOError:
                self._wait_for_room(sock)
                return
            except OSError:  # what the service said last is still to be read, then the end comes
                self._out = b""
                self._unsent.clear()
        self._stop_waiting_for_room(sock)

    def _gather(self) -> bytes:
        frames: List[bytes] = []
        length = 0
        while self._unsent and length < WRITE_MAX:
            slot = self._unsent.popleft()
            if not slot.future.done():  # else it was cancelled
                slot.sent = True
                frames.append(slot.frame)
                length += len(slot.frame)
        return b"".join(frames)

    def _wait_for_room(self, sock: socket.socket) -> None:
        assert self._loop is not None
        if not self._is_writing:
            self._is_writing = True
            self._loop.add_writer(sock, self._flush, self._exchange)

    def _stop_waiting_for_room(self, sock: socket.socket) -> None:
        assert self._loop is not None
        if self._is_writing:
            self._is_writing = False
            self._loop.remove_writer(sock)


def finish(slot: Slot, outcome: Any) -> None:
    if slot.future.done():
        return
    if isinstance(outcome, StirkeepError):
        slot.future.set_exception(outcome)
    else:
        slot.future.set_result(outcome)
