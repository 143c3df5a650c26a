# SPDX-License-Identifier: BSD-2-Clause
"""What a PASSporT shall say: one class for each type, with the claims that it may have.

docs/PROTOCOL.md says what the service checks; nothing is checked twice here. A party is a text: a
URI when there is a ':' in it, else a telephone number, which the service makes canonical. Tn and
Uri say it outright.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence, Union

__all__ = ["Tn", "Uri", "MediaKey", "RichCallData", "Claims", "Base", "Shaken", "Div", "DivO",
           "Rph", "Rcd", "Other", "Input", "Request", "is_uri"]


class Tn(str):
    """A telephone number, whatever is in it."""


class Uri(str):
    """A URI."""


def is_uri(party: str) -> bool:
    return isinstance(party, Uri) or (not isinstance(party, Tn) and ":" in party)


@dataclass(frozen=True)
class MediaKey:
    """mky, RFC 8225 section 5.2.2: alg is "sha-256", dig is hex."""
    alg: str
    dig: str


@dataclass(frozen=True)
class RichCallData:
    """rcd, crn and rcdi (RFC 9795)."""
    nam: str = ""
    apn: str = ""
    icn: str = ""
    #: A jCard (RFC 7095): a list as Python's json has it, or its JSON text. Not with jcl.
    jcd: Union[str, Sequence[Any], None] = None
    jcl: str = ""
    crn: str = ""
    #: JSON pointer: digest ("sha256-...")
    rcdi: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """Common to all types; use one of the classes below."""
    orig: str
    dest: Union[str, Sequence[str]]
    #: Seconds since 1970; 0: now.
    iat: int = 0


@dataclass(frozen=True, kw_only=True)
class Base(Claims):
    """Without a ppt (RFC 8225)."""
    mky: Sequence[MediaKey] = ()
    #: "..signature", RFC 8225 section 7
    compact: bool = False


@dataclass(frozen=True, kw_only=True)
class Shaken(Claims):
    """RFC 8588. An origid is made by the service unless there is one."""
    attest: str
    origid: str = ""
    rcd: Union[RichCallData, None] = None


@dataclass(frozen=True, kw_only=True)
class Div(Claims):
    """RFC 8946: `div` is whom the call was retargeted from, `hi` an index of History-Info."""
    div: str
    hi: str = ""
    mky: Sequence[MediaKey] = ()


@dataclass(frozen=True, kw_only=True)
class DivO(Div):
    """div-o: `opt` is the complete inner PASSporT."""
    opt: str


@dataclass(frozen=True, kw_only=True)
class Rph(Claims):
    """RFC 8443, RFC 9027: `auth` is ["ets.0", ...]."""
    auth: Sequence[str]
    sph: str = ""
    mky: Sequence[MediaKey] = ()


@dataclass(frozen=True, kw_only=True)
class Rcd(Claims):
    """RFC 9795."""
    rcd: RichCallData
    mky: Sequence[MediaKey] = ()


@dataclass(frozen=True, kw_only=True)
class Other(Claims):
    """A type that stirkeep does not know and a grant names. `other` has its claims, as a mapping
    or as the text of a JSON object."""
    ppt: str
    other: Union[str, Mapping[str, Any]] = ""
    mky: Sequence[MediaKey] = ()


@dataclass(frozen=True)
class Input:
    """A header and a payload that the caller composed: canonical JSON (RFC 8225 section 9)."""
    header: str
    payload: str


@dataclass(frozen=True)
class Request:
    """One of a batch: what the certificate of that name shall sign."""
    name: str
    what: Union[Claims, Input]
