# SPDX-License-Identifier: BSD-2-Clause
"""What the service answers."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Union

__all__ = ["Signature", "Certificate", "Pong", "identity_header"]


@dataclass(frozen=True)
class Signature:
    #: The complete Identity header value (RFC 8224 section 4): printable ASCII on one line.
    identity: str
    passport_length: int
    #: Which of the name's certificates signed, as `stirkeep show` numbers them.
    generation: int
    iat: int
    #: "" where the type has none.
    origid: str
    #: As given: the service may have lowered it; "" where the type has none.
    attest: str

    @property
    def passport(self) -> str:
        """The PASSporT alone."""
        return self.identity[:self.passport_length]

    @property
    def header(self) -> str:
        """The SIP header, without an end of line."""
        return identity_header(self)


@dataclass(frozen=True)
class Certificate:
    """One that this process may use."""
    name: str
    generation: int
    x5u: str
    not_before: int
    not_after: int
    #: False: retired, it does not sign.
    active: bool


@dataclass(frozen=True)
class Pong:
    #: Signatures can be had now.
    ready: bool
    #: Of the service.
    version: str
    #: When not ready: why.
    detail: str
    #: How many names the grants name.
    certificates: int


def identity_header(identity: Union[Signature, str]) -> str:
    """"Identity: ..." for a SIP message, without an end of line. ValueError: the value is not one
    line of printable ASCII, and would put something else into the message."""
    value = identity.identity if isinstance(identity, Signature) else identity
    if not value or not value.isascii() or not value.isprintable():
        raise ValueError("not the value of an Identity header")
    return f"Identity: {value}"
