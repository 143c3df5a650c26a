# SPDX-License-Identifier: BSD-2-Clause
"""Frames, and the messages of sign.proto as classes.

The messages come from a descriptor that protoc writes when the package is built. They live in a
pool of their own: nothing is registered with the process, and any version of protobuf reads them.
"""
from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Optional

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from .errors import Malformed, TooLarge

MESSAGE_MAX = 65536  # on sign.sock
HEAD = struct.Struct(">I")


def _message_class(pool: Any, name: str) -> Any:
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):  # protobuf 4.22
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def _load() -> tuple[Any, Any]:
    made = Path(__file__).with_name("sign.binpb")
    try:
        files = descriptor_pb2.FileDescriptorSet.FromString(made.read_bytes())
    except FileNotFoundError:
        raise ImportError(f"{made} is missing: it is made when the package is built (pip, meson)"
                          ) from None
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    return _message_class(pool, "stirkeep.v1.Request"), _message_class(pool, "stirkeep.v1.Response")


RequestMessage, ResponseMessage = _load()


def frame_of(message: Any) -> bytes:
    body: bytes = message.SerializeToString()
    if len(body) > MESSAGE_MAX:
        raise TooLarge(f"request: {len(body)} bytes, the protocol takes {MESSAGE_MAX}")
    return HEAD.pack(len(body)) + body


class Frames:
    """Bytes in, messages out. It holds one unfinished frame and what was fed last, no more."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._taken = 0

    def feed(self, data: bytes) -> None:
        if self._taken:
            del self._data[:self._taken]
            self._taken = 0
        self._data += data

    def next(self) -> Optional[bytes]:
        """The next message; None: it is not there yet. Malformed: these are no frames."""
        begin = self._taken + HEAD.size
        if len(self._data) < begin:
            return None
        (length,) = HEAD.unpack_from(self._data, self._taken)
        if not 0 < length <= MESSAGE_MAX:
            raise Malformed(f"a frame of {length} bytes, the protocol takes 1 to {MESSAGE_MAX}")
        if len(self._data) < begin + length:
            return None
        self._taken = begin + length
        return bytes(self._data[begin:self._taken])
