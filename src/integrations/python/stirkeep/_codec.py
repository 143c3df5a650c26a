# SPDX-License-Identifier: BSD-2-Clause
"""Claims to messages, messages to answers."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Sequence, Union

from google.protobuf.message import DecodeError

from .answers import Certificate, Pong, Signature
from .claims import (Base, Claims, Div, DivO, Input, MediaKey, Other, Rcd, Request, RichCallData,
                     Rph, Shaken, is_uri)
from .errors import Invalid, Malformed, StirkeepError, TooLarge, error_of
from ._wire import RequestMessage, ResponseMessage, frame_of

BATCH_MAX = 64

Result = Union[Signature, StirkeepError]


@dataclass
class Question:
    """A kind of request, and what fills it in."""
    kind: str  # the answer's field
    fill: Callable[[Any], None]
    count: int = 0  # of a batch
    whole: bool = False


def encode(question: Question, number: int, deadline_ms: int) -> bytes:
    """The frame. Invalid: a value that the protocol cannot carry."""
    message = RequestMessage(id=number, deadline_ms=deadline_ms)
    try:
        question.fill(message)
        return frame_of(message)
    except (UnicodeError, ValueError) as why:  # no UTF-8; a number out of its field's range
        raise Invalid(f"request: {why}") from None


# ---- requests

def sign(name: str, what: Union[Claims, Input]) -> Question:
    return Question("signed", lambda message: _fill_sign(message.sign, name, what))


def batch(requests: Sequence[Request], whole: bool) -> Question:
    if not requests:
        raise Invalid("batch: nothing to sign")
    if len(requests) > BATCH_MAX:
        raise TooLarge(f"batch: more than {BATCH_MAX} to sign")

    def fill(message: Any) -> None:
        message.batch.whole = whole
        for request in requests:
            _fill_sign(message.batch.sign.add(), request.name, request.what)
    return Question("batch", fill, len(requests), whole)


def listing(after: str) -> Question:
    def fill(message: Any) -> None:
        message.list.SetInParent()
        message.list.after = after
    return Question("listed", fill)


def ping() -> Question:
    def fill(message: Any) -> None:
        message.ping.SetInParent()
    return Question("pong", fill)


def _fill_sign(message: Any, name: str, what: Union[Claims, Input]) -> None:
    message.certificate = name
    if isinstance(what, Input):
        message.input.header, message.input.payload = what.header, what.payload
    else:
        _fill_claims(message.claims, what)


def _fill_claims(message: Any, claims: Claims) -> None:
    fill = next((_FILLERS[kind] for kind in type(claims).__mro__ if kind in _FILLERS), None)
    if fill is None:
        raise TypeError(f"claims: a {type(claims).__name__} is none of the types of PASSporT")
    _party(message.orig, claims.orig)
    for party in (claims.dest,) if isinstance(claims.dest, str) else claims.dest:
        (message.dest.uri if is_uri(party) else message.dest.tn).append(party)
    message.iat = claims.iat
    fill(message, claims)


def _party(message: Any, party: str) -> None:
    if is_uri(party):
        message.uri = party
    else:
        message.tn = party


def _base(message: Any, claims: Base) -> None:
    message.compact = claims.compact
    _mky(message, claims.mky)


def _shaken(message: Any, claims: Shaken) -> None:
    message.ppt = "shaken"
    message.attest = claims.attest
    message.origid = claims.origid
    if claims.rcd is not None:
        _rich(message.rcd, claims.rcd)


def _div(message: Any, claims: Div) -> None:
    message.ppt = "div"
    _party(message.div, claims.div)
    message.div.hi = claims.hi
    _mky(message, claims.mky)


def _div_o(message: Any, claims: DivO) -> None:
    _div(message, claims)
    message.ppt = "div-o"
    message.opt = claims.opt


def _rph(message: Any, claims: Rph) -> None:
    message.ppt = "rph"
    if isinstance(claims.auth, str):
        raise TypeError("auth: a sequence of texts is wanted")
    message.rph.auth.extend(claims.auth)
    message.rph.sph = claims.sph
    _mky(message, claims.mky)


def _rcd(message: Any, claims: Rcd) -> None:
    message.ppt = "rcd"
    _rich(message.rcd, claims.rcd)
    _mky(message, claims.mky)


def _other(message: Any, claims: Other) -> None:
    message.ppt = claims.ppt
    message.other = _json(claims.other)
    _mky(message, claims.mky)


def _mky(message: Any, keys: Sequence[MediaKey]) -> None:
    for key in keys:
        message.mky.add(alg=key.alg, dig=key.dig)


def _rich(message: Any, rich: RichCallData) -> None:
    message.nam, message.apn, message.icn = rich.nam, rich.apn, rich.icn
    message.jcl, message.crn = rich.jcl, rich.crn
    if rich.jcd is not None:
        message.jcd = _json(rich.jcd)
    for pointer, digest in rich.rcdi.items():
        message.rcdi.add(pointer=pointer, digest=digest)


def _json(value: Any) -> str:
    """A text is JSON already."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


_FILLERS: dict[type, Callable[[Any, Any], None]] = {
    Base: _base, Shaken: _shaken, Div: _div, DivO: _div_o, Rph: _rph, Rcd: _rcd, Other: _other}


# ---- answers

def decode(data: bytes) -> Any:
    try:
        return ResponseMessage.FromString(data)
    # Some versions of protobuf warn of what stands behind a message. A program may have that raised:
    # in the midst of it, which is a SystemError.
    except (DecodeError, ValueError, RecursionError, RuntimeWarning, SystemError):
        raise Malformed("the answer is not a message of the protocol") from None


def _misfit() -> Malformed:
    return Malformed("the answer does not fit the request")


def refusal_of(message: Any) -> Optional[StirkeepError]:
    """What an answer refuses with; None: it does not."""
    return error_of(message.status, message.message) if message.status != 0 else None


def answer_of(question: Question, message: Any) -> Any:
    """What a message without a refusal says. Malformed: something else than was asked."""
    kind = question.kind
    if message.WhichOneof("body") != kind:
        raise _misfit()
    if kind == "signed":
        return _signature(message.signed)
    if kind == "batch":
        return _results(question, message.batch)
    if kind == "listed":
        return _listed(message.listed), message.listed.more
    pong = message.pong
    return Pong(pong.ready, pong.version, pong.detail, pong.certificates)


def _signature(signed: Any) -> Signature:
    identity: str = signed.identity
    # What goes into a SIP message: nobody's line ends, whoever answered.
    if not identity or not identity.isascii() or not identity.isprintable() \
            or not 0 < signed.passport_length <= len(identity):
        raise _misfit()
    return Signature(identity, signed.passport_length, signed.generation, signed.iat,
                     signed.origid, signed.attest)


def _results(question: Question, found: Any) -> List[Result]:
    if len(found.results) != question.count:
        raise _misfit()
    results: List[Result] = []
    for result in found.results:
        refusal = refusal_of(result)
        if refusal is not None and question.whole:
            raise _misfit()
        results.append(refusal if refusal is not None else _signature(result.signed))
    return results


def _listed(listed: Any) -> List[Certificate]:
    return [Certificate(one.name, one.generation, one.x5u, one.not_before, one.not_after,
                        one.active) for one in listed.certificates]
