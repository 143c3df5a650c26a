# SPDX-License-Identifier: BSD-2-Clause
"""What a PASSporT has to look like, read from the RFCs and docs/PROTOCOL.md a second time.

Nothing of stirkeep's own code is in it: Python's json reads, a canonical writer of its own writes.
judge() says which fields of a request are not allowed, or else which header and payload have to
come of it; judge_input() the same of a header and payload that somebody composed.
"""
import base64
import json
import re
import urllib.parse

TYPED = ("base", "shaken", "div", "div-o", "rph", "rcd")
DEST_MAX = 32
URI_MAX = 256
OPT_MAX = 8 * 1024
RPH_MAX, RPH_TEXT_MAX = 16, 64
RCD_TEXT_MAX, RCD_JCD_MAX = 512, 8 * 1024
RCDI_MAX, RCDI_POINTER_MAX = 16, 128
MKY_MAX = 8
OTHER_MAX = 16 * 1024
JSON_DEPTH_MAX = 8
INTEGER_MAX = (1 << 53) - 1

# What each type has to have, and what else it may have. All have orig, dest and iat.
NEEDED = {"base": (), "shaken": ("attest",), "div": ("div",), "div-o": ("div", "opt"),
          "rph": ("rph",), "rcd": ("rcd",), "other": ()}
ALLOWED = {"base": {"mky", "compact"}, "shaken": {"attest", "origid", "rcd", "crn", "rcdi"},
           "div": {"div", "mky"}, "div-o": {"div", "opt", "mky"}, "rph": {"rph", "sph", "mky"},
           "rcd": {"rcd", "crn", "rcdi", "mky"}, "other": {"other", "mky"}}
OWN_CLAIMS = {"attest", "crn", "dest", "div", "iat", "mky", "opt", "orig", "origid", "rcd", "rcdi",
              "rph", "sph"}


# ---- canonical JSON: RFC 8225 section 9, escapes as in RFC 8785 section 3.2.2.2

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f",
           "\r": "\\r"}


def written_text(text):
    out = ['"']
    for character in text:
        if character in ESCAPES:
            out.append(ESCAPES[character])
        elif ord(character) < 0x20:
            out.append("\\u00" + format(ord(character), "02x"))
        else:
            out.append(character)
    return "".join(out) + '"'


def written(value):
    """Canonical text of a value as json.loads gives it. Python orders strings by code points."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return written_text(value)
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return "{" + ",".join(f"{written_text(key)}:{written(value[key])}"
                          for key in sorted(value)) + "}"


# ---- reading JSON

class NotRead(Exception):
    """Not JSON that a PASSporT may carry."""


def _object(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise NotRead("a key is given twice")
    return dict(pairs)


def _integer(text):
    value = int(text)
    if abs(value) > INTEGER_MAX:
        raise NotRead("a number past 2^53 - 1")
    return value


def _never(text):
    raise NotRead(f"{text} is no integer")


def _check(value, around):
    if isinstance(value, str):
        if re.search("[\0\ud800-\udfff]", value):
            raise NotRead("U+0000 or half of a surrogate pair")
    elif isinstance(value, (dict, list)):
        if around == JSON_DEPTH_MAX:
            raise NotRead("nested too deeply")
        for inner in value if isinstance(value, list) else [*value.keys(), *value.values()]:
            _check(inner, around + 1)


def read(text):
    """A value, or NotRead."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_int=_integer,
                           parse_float=_never, parse_constant=_never)
    except (ValueError, RecursionError) as why:
        raise NotRead(str(why)) from None
    _check(value, 0)
    return value


# ---- parts of claims

def telephone_number(text, digits=15):
    """RFC 8224 section 8.3; None when it is none."""
    kept = re.sub(r"[-+.() ]", "", text.split(";")[0])
    return kept if re.fullmatch(r"[0-9*#]{1,%d}" % digits, kept) else None


_URI_REST = r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:" + _URI_REST)
_URL = re.compile("https://(?=[^/?#])" + _URI_REST)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_PPT = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,15}")
_HI = re.compile(r"[0-9]+(\.[0-9]+)*")
_R_VALUE = re.compile(r"[A-Za-z0-9!%*_+`'~-]+\.[A-Za-z0-9!%*_+`'~-]+")
_DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}
_DIG = re.compile(r"[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2})*")
_HASHES = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}


def is_telephone(uri):
    """RFC 8224 section 8.1: a number by its scheme, by what it says, or by its plus."""
    scheme, rest = uri.split(":", 1)
    rest = urllib.parse.unquote(rest, encoding="latin-1")
    if scheme.lower() == "tel":
        return True
    for part in re.split("[;?&]", rest)[1:]:
        if part.split("@")[0].lower() == "user=phone" or part.lower().startswith("phone-context"):
            return True
    user = re.split("[:@;?]", rest)[0]
    before_letters = re.match("[^A-Za-z]*", user)[0]
    return "+" in before_letters and re.search("[0-9*#]", before_letters) is not None


def is_uri(text):
    return (len(text.encode()) <= URI_MAX and _URI.fullmatch(text) is not None
            and not is_telephone(text))


def is_url(text):
    return len(text.encode()) <= RCD_TEXT_MAX and _URL.fullmatch(text) is not None


def is_readable(text, longest):
    """What people read: no control characters of C0, none of C1, no DEL."""
    return 0 < len(text.encode()) <= longest and not re.search("[\0-\x1f\x7f-\x9f]", text)


def decoded(part):
    """base64url without padding (RFC 7515 section 2); None when it is not, or not the one spelling
    of its bytes."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", part) or len(part) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return data if encoded(data) == part else None


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def is_full_form(text):
    """A whole PASSporT (RFC 8225 section 6), as opt carries it."""
    parts = text.split(".")
    if len(text) > OPT_MAX or len(parts) != 3 or not all(parts):
        return False
    header, payload, signature = map(decoded, parts)
    if header is None or payload is None or signature is None or len(signature) != 64:
        return False
    try:
        header = read(header.decode())
    except (NotRead, UnicodeDecodeError):
        return False
    return isinstance(header, dict) and header.get("typ") == "passport"


def is_digest(text):
    """RFC 9795 section 6; its examples have no padding, RFC 4648 asks for it: both are taken."""
    name, _, value = text.partition("-")
    bare = value.rstrip("=")
    if name not in _DIGESTS or not re.fullmatch(r"[A-Za-z0-9+/]+", bare) or len(bare) % 4 == 1:
        return False
    data = base64.b64decode(bare + "=" * (-len(bare) % 4))
    padded = base64.b64encode(data).decode()
    return len(data) == _DIGESTS[name] and value in (padded, padded.rstrip("="))


def _is_scalar(value):
    return value is not None and not isinstance(value, (list, dict))


def _is_property(value):
    """RFC 7095 section 3.3: name, parameters, type, values."""
    if not isinstance(value, list) or len(value) < 4:
        return False
    name, parameters, kind, *values = value
    return isinstance(name, str) and isinstance(kind, str) and isinstance(parameters, dict) \
        and all(isinstance(text, str) for parameter in parameters.values()
                for text in (parameter if isinstance(parameter, list) else [parameter])) \
        and all(_is_scalar(one) for value in values
                for part in (value if isinstance(value, list) else [value])
                for one in (part if isinstance(part, list) and isinstance(value, list)
                            else [part]))


def is_jcard(value):
    return isinstance(value, list) and len(value) == 2 and value[0] == "vcard" \
        and isinstance(value[1], list) and len(value[1]) > 0 and all(map(_is_property, value[1]))


def elsewhere(rcd, rcdi):
    """Pointers at what lies behind a URL, of which there has to be a digest (RFC 9795 sections 4
    and 6.1; of an icn only when there is an rcdi at all, by section 8.3)."""
    if "jcl" in rcd:
        yield "/jcl"
    if rcdi and re.match("(?i)https?:", rcd.get("icn", "")):
        yield "/icn"
    if is_jcard(rcd.get("jcd")):
        for place, (_, _, kind, *values) in enumerate(rcd["jcd"][1]):
            for number, value in enumerate(values, 3):
                if kind == "uri" and isinstance(value, str) and re.match("(?i)https?:", value):
                    yield f"/jcd/1/{place}/{number}"


def points_into(rcd, pointer):
    """RFC 6901; what lies behind a jcl is not seen, and may be pointed into."""
    if not pointer.startswith("/") or re.search("~(?![01])", pointer):
        return False
    first, *rest = [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]
    if first not in rcd:
        return False
    if first == "jcl":
        return True
    value = rcd[first]
    for token in rest:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", token) \
                and int(token) < len(value):
            value = value[int(token)]
        else:
            return False
    return True


# ---- claims

def _given(claims):
    """Which fields of the claims are there; "" and an empty list are "not there"."""
    rcd = claims.rcd
    return {"attest": claims.attest, "origid": claims.origid,
            "div": claims.div.tn or claims.div.uri or claims.div.hi, "opt": claims.opt,
            "rph": claims.rph.auth, "sph": claims.rph.sph,
            "rcd": rcd.nam or rcd.apn or rcd.icn or rcd.jcd or rcd.jcl, "crn": rcd.crn,
            "rcdi": rcd.rcdi, "mky": claims.mky, "other": claims.other, "compact": claims.compact}


class Judged:
    """What became of a request's claims: `faults` names the fields that are not allowed; when there
    are none, `ppt` and `payload` are what has to be signed (iat 0 and origid "": the service's)."""

    def __init__(self, claims, now, window):
        self.faults = []
        self.payload = {}
        self.claims = claims
        self.ppt = claims.ppt
        kind = self.ppt or "base"
        if kind not in TYPED:
            self.need(_PPT.fullmatch(kind) and kind.lower() not in (*TYPED, "other"), "ppt")
            kind = "other"
        self.need(self.ppt != "base", "ppt")
        given = _given(claims)
        for field in NEEDED[kind]:
            self.need(given[field] or field == "rcd" and given["crn"], field)
        for field, is_there in given.items():
            if is_there and self.need(field in ALLOWED[kind], field) and field != "compact":
                getattr(self, f"take_{field}")()
        self.payload["orig"] = self.party("orig", claims.orig.tn, claims.orig.uri)
        self.take_dest()
        self.payload["iat"] = claims.iat
        self.need(claims.iat == 0 or 0 < claims.iat and abs(claims.iat - now) <= window, "iat")
        if kind == "shaken":
            self.payload.setdefault("origid", "")

    def need(self, condition, field, place=None):
        if not condition:
            self.faults.append(field if place is None else f"{field}[{place}]")
        return bool(condition)

    def is_named(self, message):
        """Does a refusal's message begin with the name of a field that is at fault?"""
        field = message.split(":")[0]
        return any(field == fault or fault.startswith((f"{field}.", f"{field}["))
                   or field.startswith((f"{fault}.", f"{fault}[")) for fault in self.faults)

    def party(self, field, tn, uri):
        if not self.need(bool(tn) != bool(uri), field):
            return {}
        if tn:
            number = telephone_number(tn)
            self.need(number, f"{field}.tn")
            return {"tn": number}
        self.need(is_uri(uri), f"{field}.uri")
        return {"uri": uri}

    def take_dest(self):
        dest = self.claims.dest
        if not self.need(1 <= len(dest.tn) + len(dest.uri) <= DEST_MAX, "dest"):
            return
        numbers = [telephone_number(tn) for tn in dest.tn]
        for place, number in enumerate(numbers):
            self.need(number, "dest.tn", place)
        for place, uri in enumerate(dest.uri):
            self.need(is_uri(uri), "dest.uri", place)
        found = {"tn": sorted({number for number in numbers if number}),
                 "uri": sorted(set(dest.uri))}
        self.payload["dest"] = {key: texts for key, texts in found.items() if texts}

    def take_attest(self):
        self.need(self.claims.attest in ("A", "B", "C"), "attest")
        self.payload["attest"] = self.claims.attest

    def take_origid(self):
        self.need(_UUID.fullmatch(self.claims.origid)
                  and not re.fullmatch("[0-]+|[Ff-]+", self.claims.origid), "origid")
        self.payload["origid"] = self.claims.origid.lower()

    def take_div(self):
        div = self.claims.div
        self.payload["div"] = self.party("div", div.tn, div.uri)
        if div.hi:
            self.need(_HI.fullmatch(div.hi) and len(div.hi) <= RPH_TEXT_MAX, "div.hi")
            self.payload["div"]["hi"] = div.hi

    def take_opt(self):
        self.need(is_full_form(self.claims.opt), "opt")
        self.payload["opt"] = self.claims.opt

    def take_rph(self):
        auth = list(self.claims.rph.auth)
        self.need(len(auth) <= RPH_MAX, "rph.auth")
        for place, text in enumerate(auth):
            self.need(_R_VALUE.fullmatch(text) and len(text) <= RPH_TEXT_MAX
                      and text not in auth[:place], "rph.auth", place)
        self.payload["rph"] = {"auth": auth}

    def take_sph(self):
        # RFC 9027 section 4: for calls back from emergency services alone.
        self.need(self.claims.rph.sph == "psap-callback"
                  and any(text.startswith("esnet.") for text in self.claims.rph.auth), "sph")
        self.payload["sph"] = self.claims.rph.sph

    def take_rcd(self):
        rcd, found = self.claims.rcd, {}
        self.need(is_readable(rcd.nam, RCD_TEXT_MAX), "rcd.nam")
        self.need(not (rcd.jcd and rcd.jcl), "rcd")
        found["nam"] = rcd.nam
        if rcd.apn:
            found["apn"] = telephone_number(rcd.apn)
            self.need(found["apn"], "rcd.apn")
        if rcd.icn:
            found["icn"] = rcd.icn
            self.need(is_url(rcd.icn) or rcd.icn.startswith("data:image/")
                      and len(rcd.icn) <= RCD_TEXT_MAX and _URI.fullmatch(rcd.icn), "rcd.icn")
        if rcd.jcl:
            found["jcl"] = rcd.jcl
            self.need(is_url(rcd.jcl), "rcd.jcl")
        if rcd.jcd:
            found["jcd"] = self.json_of(rcd.jcd, "rcd.jcd", RCD_JCD_MAX)
            self.need(is_jcard(found["jcd"]), "rcd.jcd")
        self.payload["rcd"] = found
        pointers = {one.pointer for one in rcd.rcdi}
        self.need(pointers.issuperset(elsewhere(found, pointers)), "rcdi")

    def take_crn(self):
        self.need(is_readable(self.claims.rcd.crn, RCD_TEXT_MAX), "crn")
        self.payload["crn"] = self.claims.rcd.crn

    def take_rcdi(self):
        rcd, found = self.payload.get("rcd", {}), {}
        self.need(len(self.claims.rcd.rcdi) <= RCDI_MAX and rcd, "rcdi")
        for place, one in enumerate(self.claims.rcd.rcdi):
            self.need(is_readable(one.pointer, RCDI_POINTER_MAX) and points_into(rcd, one.pointer)
                      and one.pointer not in found, "rcdi.pointer", place)
            self.need(is_digest(one.digest), "rcdi.digest", place)
            found[one.pointer] = one.digest
        self.payload["rcdi"] = found

    def take_mky(self):
        found = set()
        self.need(len(self.claims.mky) <= MKY_MAX, "mky")
        for place, one in enumerate(self.claims.mky):
            self.need(one.alg in _HASHES, "mky.alg", place)
            dig = one.dig.replace(":", "").upper()
            self.need(_DIG.fullmatch(one.dig) and len(dig) == 2 * _HASHES.get(one.alg, 0),
                      "mky.dig", place)
            found.add((one.alg, dig))
        self.payload["mky"] = [{"alg": alg, "dig": dig} for alg, dig in sorted(found)]

    def take_other(self):
        value = self.json_of(self.claims.other, "other", OTHER_MAX)
        if self.need(isinstance(value, dict) and not OWN_CLAIMS & set(value)
                     and all(re.fullmatch("[!-~]+", name) for name in value), "other"):
            self.payload.update(value)

    def json_of(self, text, field, longest):
        self.need(len(text.encode()) <= longest, field)
        try:
            return read(text)
        except NotRead:
            self.need(False, field)
            return None


def header_of(ppt, x5u):
    header = {"alg": "ES256", "typ": "passport", "x5u": x5u}
    if ppt:
        header["ppt"] = ppt
    return header


IDENTITY_MAX = 32 * 1024


def identity_length(ppt, payload, x5u, compact=False):
    """Of the Identity header value (RFC 8224 section 4)."""
    texts = [] if compact else [written(header_of(ppt, x5u)), written(payload)]
    passport = sum((len(text.encode()) * 4 + 2) // 3 for text in texts) + 2 + 86
    return passport + len(f";info=<{x5u}>;alg=ES256") + (len(f";ppt={ppt}") if ppt else 0)


def is_uuid4(text):
    """RFC 9562 section 5.4, in lower case."""
    return re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                        text) is not None


# ---- a header and payload that somebody else composed

def _texts(value, keys):
    """The members of an object, which are strings, not empty, and have no other names."""
    if not isinstance(value, dict) or set(value) - set(keys) \
            or not all(isinstance(text, str) and text for text in value.values()):
        raise NotRead(f"has to be an object of strings: {keys}")
    return value


def _strings(value):
    if not isinstance(value, list) or not value \
            or not all(isinstance(text, str) and text for text in value):
        raise NotRead("has to be an array of strings")
    return value


def _fill(claims, payload):
    """The claims that are in a payload; NotRead where one is not of its form."""
    rest = dict(payload)
    iat = rest.pop("iat", None)
    if not isinstance(iat, int) or isinstance(iat, bool) or not 0 < iat < 1 << 53:
        raise NotRead("iat")
    claims.iat = iat
    for key, fields in (("orig", ("tn", "uri")), ("div", ("tn", "uri", "hi"))):
        for name, text in _texts(rest.pop(key, {}), fields).items():
            setattr(getattr(claims, key), name, text)
    dest = rest.pop("dest", {})
    if not isinstance(dest, dict) or set(dest) - {"tn", "uri"}:
        raise NotRead("dest")
    for name, texts in dest.items():
        getattr(claims.dest, name).extend(_strings(texts))
    for key, message in (("attest", claims), ("origid", claims), ("opt", claims),
                         ("sph", claims.rph), ("crn", claims.rcd)):
        for text in _texts({key: rest.pop(key)} if key in rest else {}, (key,)).values():
            setattr(message, key, text)
    if "rph" in rest:
        rph = rest.pop("rph")
        if not isinstance(rph, dict) or set(rph) != {"auth"}:
            raise NotRead("rph")
        claims.rph.auth.extend(_strings(rph["auth"]))
    if "rcd" in rest:
        rcd = rest.pop("rcd")
        if not isinstance(rcd, dict):
            raise NotRead("rcd")
        rcd = dict(rcd)
        if "jcd" in rcd:
            claims.rcd.jcd = written(rcd.pop("jcd"))
        for name, text in _texts(rcd, ("nam", "apn", "icn", "jcl")).items():
            setattr(claims.rcd, name, text)
    if "rcdi" in rest:
        rcdi = rest.pop("rcdi")
        for pointer, digest in _texts(rcdi, rcdi).items():
            claims.rcd.rcdi.add(pointer=pointer, digest=digest)
    if "mky" in rest:
        mky = rest.pop("mky")
        if not isinstance(mky, list) or not mky:
            raise NotRead("mky")
        for one in mky:
            claims.mky.add(**_texts(one, ("alg", "dig")))
    if rest:
        claims.other = written(rest)


def input_is_legal(header, payload, x5u, claims, now, window):
    """Would the service itself have written this header and payload? `claims` is an empty message,
    which is filled with what is in them."""
    try:
        header_value, payload_value = read(header), read(payload)
        texts = _texts(header_value, ("alg", "ppt", "typ", "x5u"))
        if not isinstance(payload_value, dict):
            return False
        claims.ppt = texts.get("ppt", "")
        _fill(claims, payload_value)
    except NotRead:
        return False
    judged = Judged(claims, now, window)
    return not judged.faults and judged.payload.get("origid") != "" \
        and header == written(header_of(judged.ppt, x5u)) and payload == written(judged.payload)
