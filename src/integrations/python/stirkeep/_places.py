# SPDX-License-Identifier: BSD-2-Clause
"""A bounded number of requests in flight; the others wait in their order."""
from __future__ import annotations

import asyncio
from collections import deque
from typing import Deque

from .errors import NotConnected, Overloaded


class Places:
    def __init__(self, count: int) -> None:
        self._count = count
        self._free = count
        self._waiters: Deque["asyncio.Future[None]"] = deque()

    async def take(self, loop: asyncio.AbstractEventLoop, until: float) -> None:
        """Overloaded: none was free in time."""
        if self._free > 0:
            self._free -= 1
            return
        waiter: "asyncio.Future[None]" = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_at(until, self._refuse, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give()  # it had been given the place in the same moment
            raise
        finally:
            timer.cancel()

    def _refuse(self, waiter: "asyncio.Future[None]") -> None:
        if not waiter.done():
            self._waiters.remove(waiter)
            waiter.set_exception(Overloaded(f"{self._count} requests are in flight already"))

    def give(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1

    def close(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(NotConnected("the client was closed"))
