# SPDX-License-Identifier: BSD-2-Clause
"""What a certificate says itself that it may sign (RFC 8226, RFC 9118), in DER written by hand."""
from cryptography import x509

TNAUTHLIST = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.26")
JWT_CLAIM_CONSTRAINTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.27")
ENHANCED_JWT_CLAIM_CONSTRAINTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.33")


def der(tag, *parts):
    content = b"".join(parts)
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def sequence(*parts):
    return der(0x30, *parts)


def explicit(number, content):
    return der(0xa0 | number, content)


def ia5(text):
    return der(0x16, text.encode())


def utf8(text):
    return der(0x0c, text.encode())


def integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def tnauthlist(spc=None, ranges=(), numbers=()):
    """`ranges`: (first number, how many)."""
    entries = [explicit(0, ia5(spc))] if spc else []
    entries += [explicit(1, sequence(ia5(start), integer(count))) for start, count in ranges]
    entries += [explicit(2, ia5(number)) for number in numbers]
    return x509.UnrecognizedExtension(TNAUTHLIST, sequence(*entries))


def _names(names):
    return sequence(*map(ia5, names))


def _values(permitted):
    return sequence(*(sequence(ia5(claim), sequence(*map(utf8, values)))
                      for claim, values in permitted.items()))


def claim_constraints(include=(), permitted=None, exclude=(), enhanced=False):
    parts = [explicit(0, _names(include))] if include else []
    parts += [explicit(1, _values(permitted))] if permitted else []
    parts += [explicit(2, _names(exclude))] if exclude else []
    assert enhanced or not exclude
    return x509.UnrecognizedExtension(
        ENHANCED_JWT_CLAIM_CONSTRAINTS if enhanced else JWT_CLAIM_CONSTRAINTS, sequence(*parts))
