# SPDX-License-Identifier: BSD-2-Clause
"""Requests under way on one connection, and which answer belongs to which: no sockets in here."""
from __future__ import annotations

from typing import Any, Dict, Iterator, Tuple

from . import _codec
from ._wire import Frames
from .errors import Malformed, Status, error_of

FORGOTTEN_MAX = 1024  # answers outstanding that nobody waits for any more
NUMBER_MAX = (1 << 64) - 1


class Ended(Exception):
    """The service has given up on the connection: as if it had broken."""


class Slot:
    """A request without an answer."""
    __slots__ = ("number", "question", "frame", "sent", "future")

    def __init__(self, number: int, question: _codec.Question, frame: bytes) -> None:
        self.number = number
        self.question = question
        self.frame = frame
        self.sent = False  # or a part of it
        self.future: Any = None  # who waits for it, in asyncio


class Exchange:
    def __init__(self) -> None:
        self.slots: Dict[int, Slot] = {}
        self._last = 0
        self._forgotten: set[int] = set()
        self._frames = Frames()

    def begin(self, question: _codec.Question, seconds: float) -> Slot:
        """A request to be sent that has so long. The service is told a little less, so that its own
        word on a late one arrives in time."""
        told_ms = min(max(int(seconds * 875), 1), 0xFFFFFFFF)
        number = self._last % NUMBER_MAX + 1
        slot = Slot(number, question, _codec.encode(question, number, told_ms))
        self._last = number
        self.slots[number] = slot
        return slot

    def forget(self, slot: Slot) -> None:
        """Nobody waits for it any more; its answer may still come, once."""
        if self.slots.pop(slot.number, None) is not None and slot.sent:
            self._forgotten.add(slot.number)

    @property
    def is_deaf(self) -> bool:
        """So much was never answered that the connection is good for nothing."""
        return len(self._forgotten) > FORGOTTEN_MAX

    def restart(self) -> None:
        """There is a new connection: everything under way has to be sent again."""
        self._frames = Frames()
        self._forgotten.clear()
        for slot in self.slots.values():
            slot.sent = False

    def answers(self, data: bytes) -> Iterator[Tuple[Slot, Any]]:
        """Each request that is answered by what has been read, with its answer or its refusal.
        Ended: the connection is. StirkeepError: so is everything that is under way on it."""
        self._frames.feed(data)
        while True:
            message = self._frames.next()
            if message is None:
                return
            answer = _codec.decode(message)
            if answer.id == 0:
                self._last_word(answer)
            slot = self.slots.get(answer.id)
            if slot is None or not slot.sent:
                if answer.id not in self._forgotten:
                    raise Malformed(f"an answer with the id {answer.id}, which nothing asked for")
                self._forgotten.remove(answer.id)
                continue
            outcome = _codec.refusal_of(answer) or _codec.answer_of(slot.question, answer)
            del self.slots[slot.number]
            yield slot, outcome

    @staticmethod
    def _last_word(answer: Any) -> None:
        """It had given up on us while we were idle, and we had begun again; or it is final."""
        if answer.status == Status.TIMEOUT:
            raise Ended
        if answer.status == 0:
            raise Malformed("an answer with the id 0, which nothing asked for")
        raise error_of(answer.status, answer.message)
