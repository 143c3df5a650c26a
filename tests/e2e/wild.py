# SPDX-License-Identifier: BSD-2-Clause
"""Random claims of every type: about half of them as they may be, the others spoilt somewhere."""
import base64
import json

import wire
from reference import ALLOWED, NEEDED, OWN_CLAIMS, elsewhere, encoded

KINDS = ("base", "shaken", "div", "div-o", "rph", "rcd", "other")
OTHER_PPTS = ("msec", "msg", "x.Trace_1-b", "Z")  # what the service's grant has to have
HASHES = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}

# One or more of everything that writers of JSON, UTF-8 and numbers have stumbled over.
PLACES = ((0x20, 0x7e), (0xa0, 0xff), (0x300, 0x36f), (0x590, 0x6ff), (0x900, 0xdff),
          (0x2000, 0x206f), (0x4e00, 0x9fff), (0xe000, 0xf8ff), (0xfe00, 0xfeff), (0xfff0, 0xfffd),
          (0x10000, 0x10ffd), (0x1f300, 0x1faff), (0x20000, 0x2a6df), (0xe0001, 0xe007f),
          (0x10fff0, 0x10ffff))
AWKWARD = ('"', "\\", "/", "\u2028", "\u2029", "\u202e", "\u2066", "\ufeff", "\u0130", "\ufffe",
           "e\u0301", "\u1100\u1161\u11a8", "</script>", "%00", "\\u0041", "\U0001f469\u200d\U0001f4bb")
CONTROLS = [chr(code) for code in (*range(0, 0x20), *range(0x7f, 0xa0))]


NASTY = (
    "", " ", "x", "A", "0", "\0", "a\0b", "-", "*", ".", ";", "\"", "\\", "\n", "null", "[]",
    "{}", "sip:", ":", "https://", "+", "1" * 16, "1" * 300, "12155551212 ", "\t12155551212",
    "\u0661\u0662\u0663", "\uff11\uff12", "sip:\u00e9@x", "sip:a b", "sip:%zz", "sip:%2", "sip:%2g", "sip:a%",
    "1sip:x", "sip:" + "a" * 253, "sip:" + "a" * 252, "javascript:alert(1)", "https://?x", "http://x",
    "x" * 5000, "\U0001f600" * 200, "psap-callback ", "ets", "ets.", ".0", "ets.0.1", "1..2",
    "1.2.", "shaken", "BASE", "A\u200b")
JSON_TEXTS = (
    "{", "[]", "null", "\"x\"", "{}x", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"a\":1.0}",
    "{\"a\":1e3}", "{\"a\":9007199254740992}", "{\"a\":-9007199254740992}", "{\"a\":-0}",
    "{\"a\":01}", "{\"a\":+1}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":\"\\ud800\"}",
    "{\"a\":\"\\udc00\\ud800\"}", "{\"a\":\"\\u0000\"}", "{\"\\u0000\":1}", "{\"a\":\"\x01\"}",
    "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{'a':1}", "{\"a\":1,}", "{,}", "{\"a\" 1}", "\ufeff{}",
    "{\"a\":tru}", "{\"a\":True}", "{\"a\":" + "[" * 7 + "]" * 7 + "}",
    "{\"a\":" + "[" * 8 + "]" * 8 + "}", "{\"a\":" * 8 + "1" + "}" * 8, "{\"a\":" * 9 + "1" + "}" * 9,
    "[" * 5000, "{\"a\":" * 3000, "{\"orig\":{\"tn\":\"1\"}}", "{\"iat\":1}", "{\"attest\":\"A\"}",
    "{\"\\u0069at\":1}", "{\"iat \":1}", "{\"Iat\":1}", "{\"a\":\"" + "x" * 16377 + "\"}",
    "{\"a\":\"" + "x" * 16376 + "\"}", "{\"a\":[" + "1," * 1000 + "1]}", "/**/{}", "{\"a\":\"\\ud83d\\ude00\"}",
    "{\"a\":\"\\ud83d\\u0041\"}", "{\"a\":1}\n", "\v{}", "{\"a\":\"\\/\"}", "{\"a\":-}", "{\"a\":--1}",
    "{\"a\":0x1}", "{\"a\":1" + "0" * 400 + "}", "[\"vcard\"]", "[\"vcard\",[]]", "[\"vcard\",{}]",
    "[\"vcard\",[[\"fn\",{},\"text\"]]]", "[\"vcard\",[[\"fn\",{},\"text\",null]]]",
    "[\"vcard\",[[\"fn\",{},\"text\",{}]]]", "[\"vcard\",[[\"fn\",{},\"text\",[[[\"x\"]]]]]]",
    "[\"vcard\",[[\"fn\",{\"a\":1},\"text\",\"x\"]]]", "[\"vcard\",[[\"fn\",[],\"text\",\"x\"]]]",
    "[\"VCARD\",[[\"fn\",{},\"text\",\"x\"]]]", "[\"vcard\",[[\"fn\",{},\"text\",\"x\"]],1]",
    "[\"vcard\",[[\"fn\",{},\"text\",\"" + "x" * 8300 + "\"]]]")
POINTERS = ("", "/", "nam", "/nam", "/nam/0", "/nam/", "/jcd", "/jcd/2", "/jcd/01", "/jcd/-",
    "/jcd/1/0/1/x", "/jcl", "/jcl/", "/jclx", "/icn", "/icn#", "/apn", "/x", "/~", "/nam~2", "/n~0am",
    "/jcl/~", "/jcl/\x01", "/jcl/" + "a" * 130)
BAD_DIGESTS = ("", "sha256-", "sha1-" + "A" * 28,
    "sha256-" + "A" * 43 + "=", "sha256-" + "A" * 42 + "B=", "sha256-" + "_" * 43 + "=",
    "SHA256-" + "A" * 43 + "=", "sha384-" + "A" * 43 + "=")
DIGS = ()
JSON_TEXTS += tuple(f'{{"{name}":"A"}}' for name in sorted(OWN_CLAIMS)) + (
    '{"a":"\\udc00\\udc01"}', '{"a":"\\ud800\\ud801"}', '{"a":"\\ud83d"}', '{"a":"\\ud83d\\ude0"}', '{"a":9007199254740991}',
    '{"a":-9007199254740991}', '{"a":"\\u007f\\u0080"}', '{"\x7f":1}', '{"~":1}', '{"!":1}', '{"":1}', '{"\u00e9":1}',
    '{"a":{"":{"\u00e9":null}}}', '{"b":1,"a":2,"B":3,"aa":4}', '{"a":{"\ue000":1,"\U00010000":2,"\ud7ff":3}}')
UUID = "123e4567-e89b-12d3-a456-426655440000"
UUIDS = (UUID, UUID.upper(), "{" + UUID + "}", UUID.replace("-", ""), UUID[:-1], UUID + "0", UUID.replace("1", "g"),
         *(UUID[:place] + "0" + UUID[place + 1:] for place in (8, 13, 18, 23)), UUID[:9] + "-" + UUID[10:],
         "00000000-0000-0000-0000-000000000000", "urn:uuid:" + UUID)
R_VALUES = ("ets.0", "ets.0.1", "ets", "ets.", ".0", "e ts.0", "ets:0", "ets.0 ", "\u00e9ts.0", "-!%*_+`'~.-!%*_+`'~", "ets/x.0",
            "q735.4\n")
INDICES = ("1", "1.2.3", "0", "01.1", "1.", ".1", "1..1", "1.a", "1 ", "-1", "1,1", "1" * 64, "1" * 65)


class Wild:
    def __init__(self, random, now, window):
        self.random = random
        self.now = now
        self.window = window

    # ---- words

    def chance(self, share):
        return self.random.random() < share

    def one_of(self, *choices):
        return self.random.choice(choices)

    def text(self, longest=40, controls=False):
        """Text in characters of all planes, at most `longest` bytes of UTF-8, not empty."""
        out, left = [], self.random.randint(1, longest)
        while left > 0:
            draw = self.random.random()
            if draw < 0.3:
                piece = self.one_of(*AWKWARD)
            elif draw < 0.4 and controls:
                piece = self.one_of(*CONTROLS[1:])
            else:
                piece = chr(self.random.randint(*self.one_of(*PLACES)))
            left -= len(piece.encode())
            if left >= 0 or not out:
                out.append(piece)
        return "".join(out)

    def word(self, alphabet, longest):
        return "".join(self.random.choices(alphabet, k=self.random.randint(1, longest)))

    def number(self):
        """A telephone number as people write them."""
        digits = self.random.choices("0123456789" * 6 + "*#", k=self.random.randint(1, 15))
        if self.chance(0.5):
            return "".join(digits)
        text = "".join(digit + self.one_of("", "", "", "-", ".", " ", "(", ")", "- ") for digit in digits)
        return self.one_of("", "+", " ", "(") + text + self.one_of("", "", ";ext=3", ";phone-context=+1;x=\u00e9")

    def uri(self):
        scheme = self.one_of("sip", "sips", "tel", "mailto", "urn", "http", "x-a.b+1", "S")
        return f"{scheme}:" + self.word("abcXYZ019-._~:/?#[]@!$&'()*+,;=", 40) \
            + self.one_of("", "%20", "%7eb", "%C3%a9")

    def url(self, longest=80):
        return "https://" + self.word("abcXYZ019-._~", 20) \
            + self.word("abcXYZ019-._~:/?#[]@!$&'()*+,;=", longest)

    def uuid(self):
        text = "-".join(self.random.randbytes(length).hex() for length in (4, 2, 2, 2, 6))
        return self.one_of(text, text, text.upper())

    def digest(self):
        name, length = self.one_of(("sha256", 32), ("sha384", 48), ("sha512", 64))
        value = base64.b64encode(self.random.randbytes(length)).decode()
        return f"{name}-" + self.one_of(value, value.rstrip("="))

    def inner_passport(self, size=200):
        header = {"alg": "ES256", "ppt": self.one_of("shaken", "div"), "typ": "passport",
                  "x5u": self.url()}
        return ".".join((encoded(json.dumps(header).encode()),
                         encoded(self.random.randbytes(self.random.randint(1, size))),
                         encoded(self.random.randbytes(64))))

    # ---- JSON

    def integer(self):
        return self.one_of(0, 1, -1, self.random.randint(-10**6, 10**6), (1 << 53) - 1, 1 - (1 << 53),
                           1 << self.random.randint(0, 52))

    def value(self, depth, controls=True):
        draw = self.random.random()
        if draw < 0.35 or depth == 0:
            return self.one_of(None, True, False, self.integer(), self.text(20, controls), "")
        if draw < 0.65:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 4))]
        return {self.text(12, True): self.value(depth - 1) for _ in range(self.random.randint(0, 4))}

    def json(self, value):
        """Any spelling of it: members in any order, escapes or none, white space here and there."""
        if isinstance(value, dict):
            members = list(value.items())
            self.random.shuffle(members)
            inner = (self.json(key) + self.space() + ":" + self.json(one) for key, one in members)
            return "{" + self.space() + ",".join(inner) + self.space() + "}"
        if isinstance(value, list):
            return "[" + (self.space() + ",").join(map(self.json, value)) + self.space() + "]"
        text = json.dumps(value, ensure_ascii=self.chance(0.3))
        if isinstance(value, str) and self.chance(0.1):
            text = text.replace("/", "\\/")
        return self.space() + text

    def space(self):
        return self.one_of("", "", "", "", " ", "\n", "\t\r ")

    def jcard(self):
        def one():
            return self.one_of(self.text(20, True), self.integer(), True, False, "", self.url(), "HTTP:x")

        def item():
            return self.one_of(one(), one(), [one(), one()], [[one()], one(), []], [])
        properties = [["version", {}, "text", "4.0"]] + [
            [self.one_of("fn", "n", "org", "tel", "logo", "x-" + self.word("abc-", 5)),
             {self.text(8): self.one_of(self.text(8), [self.text(8), ""], [])
              for _ in range(self.random.randint(0, 2))},
             self.one_of("text", "uri", "boolean", "unknown")] + [item()] + [
                 item() for _ in range(self.random.randint(0, 2))]
            for _ in range(self.random.randint(0, 4))]
        return ["vcard", properties]

    # ---- claims as they may be

    def claims(self):
        """Claims of a random type; legal but where spoil() was at work."""
        claims = wire.sign_pb2.Claims()
        kind = self.random.choice(KINDS)
        claims.ppt = {"base": "", "other": self.one_of(*OTHER_PPTS)}.get(kind, kind)
        self.put_orig(claims)
        self.put_dest(claims)
        if self.chance(0.3):
            claims.iat = self.now + self.random.randint(-self.window + 60, self.window - 60)
        for field in NEEDED[kind]:
            if field != "rcd" or self.chance(0.9):
                self.put(claims, field)
        optional = {"base": ("mky", "compact"), "shaken": ("origid", "rcd", "crn"), "div": ("mky",),
                    "div-o": ("mky",), "rph": ("sph", "mky"), "rcd": ("crn", "rcdi", "mky"),
                    "other": ("other", "other", "mky")}[kind]
        for field in optional:
            if self.chance(0.5):
                self.put(claims, field)
        if kind == "shaken" and claims.rcd.nam and self.chance(0.5):
            self.put(claims, "rcdi")
        for _ in range(self.one_of(0, 0, 0, 0, 0, 1, 1, 1, 2, 3)):
            self.spoil(claims)
        return claims

    def put(self, claims, field):
        getattr(self, f"put_{field}")(claims)

    def put_party(self, party):
        party.Clear()
        if self.chance(0.7):
            party.tn = self.number()
        else:
            party.uri = self.uri()

    def put_orig(self, claims):
        self.put_party(claims.orig)

    def put_dest(self, claims):
        claims.dest.Clear()
        most = self.one_of(1, 1, 1, 2, 4, 32)
        numbers = self.random.randint(0, most)
        claims.dest.tn.extend(self.number() for _ in range(numbers))
        claims.dest.uri.extend(self.uri() for _ in range(self.random.randint(0 if numbers else 1,
                                                                            max(most - numbers, 0 if numbers else 1))))
        if 1 < len(claims.dest.tn) < 16 and self.chance(0.3):
            claims.dest.tn.append(claims.dest.tn[0])

    def put_attest(self, claims):
        claims.attest = self.one_of("A", "B", "C")

    def put_origid(self, claims):
        claims.origid = self.uuid()

    def put_div(self, claims):
        self.put_party(claims.div)
        if self.chance(0.4):
            claims.div.hi = ".".join(self.word("0123456789", 3) for _ in range(self.random.randint(1, 5)))

    def put_opt(self, claims):
        claims.opt = self.inner_passport(self.one_of(200, 200, 3000))

    def put_rph(self, claims):
        auth = {self.word("etswpn-!%*_+`'~", 8) + "." + self.word("0123abc", 4)
                for _ in range(self.one_of(1, 2, 16))} | {self.one_of("ets.0", "wps.1", "esnet.2")}
        auth = sorted(auth)[:16]
        self.random.shuffle(auth)
        claims.rph.auth[:] = auth

    def put_sph(self, claims):
        claims.rph.sph = "psap-callback"
        if 0 < len(claims.rph.auth) < 16 and "esnet.1" not in claims.rph.auth and self.chance(0.9):
            claims.rph.auth.insert(self.random.randint(0, len(claims.rph.auth)), "esnet.1")

    def put_rcd(self, claims):
        rcd = claims.rcd
        rcd.nam = self.text(self.one_of(10, 60, 512))
        if self.chance(0.4):
            rcd.apn = self.number()
        if self.chance(0.4):
            rcd.icn = self.one_of(self.url(self.one_of(80, 450)), "data:image/" + self.word("abc/+;,=", 60))
        if self.chance(0.6):
            if self.chance(0.7):
                rcd.jcd = self.json(self.jcard())
            else:
                rcd.jcl = self.url()
        if self.chance(0.95):
            self.put_rcdi(claims)

    def put_crn(self, claims):
        claims.rcd.crn = self.text(self.one_of(30, 30, 512))

    def put_rcdi(self, claims):
        rcd = claims.rcd
        pointers = [f"/{key}" for key in ("nam", "apn", "icn", "jcd", "jcl") if getattr(rcd, key)]
        if rcd.jcd:
            pointers += ["/jcd/0", "/jcd/1/0/3", "/jcd/1/0/1"]
        if rcd.jcl:
            pointers += ["/jcl/1/2/3", "/jcl/~0~1" + self.text(20)]
        del rcd.rcdi[:]
        try:
            found = {"icn": rcd.icn, **({"jcl": rcd.jcl} if rcd.jcl else {}),
                     "jcd": json.loads(rcd.jcd or "null")}
            needed = set(elsewhere(found, [""])) if self.chance(0.95) else set()
        except ValueError:
            needed = set()
        chosen = needed | set(self.random.sample(pointers, self.random.randint(0, len(pointers))))
        chosen = sorted(chosen)
        self.random.shuffle(chosen)
        for pointer in chosen:
            rcd.rcdi.add(pointer=pointer, digest=self.digest())

    def put_mky(self, claims):
        del claims.mky[:]
        for _ in range(self.one_of(1, 2, 8)):
            alg = self.random.choice(list(HASHES))
            dig = self.random.randbytes(HASHES[alg]).hex()
            claims.mky.add(alg=alg, dig=self.one_of(dig, dig.upper(), dig.upper(), ":".join(
                dig[i:i + 2] for i in range(0, len(dig), 2))))
        if 1 < len(claims.mky) < 8:
            claims.mky.append(claims.mky[0])

    def put_compact(self, claims):
        claims.compact = True

    def put_other(self, claims):
        size = self.one_of(3, 3, 3, 20)
        claims.other = self.json({
            self.word("!#abyzAZ09~{}\"\\/", 8) if self.chance(0.97) else self.text(10, True):
            self.value(self.random.randint(0, 6)) for _ in range(self.random.randint(0, size))})

    # ---- claims as they may not be

    def spoil(self, claims):
        getattr(self, "spoil_" + self.one_of(*SPOILS))(claims)

    def nasty(self):
        """A text that is right nowhere, or in few places."""
        return self.one_of(*NASTY, self.text(60, True), self.word("abc.", 90), self.random.randbytes(8).hex())

    def fields_of(self, claims):
        """(setter, getter) of every text."""
        yield from ((message, name) for message, names in (
            (claims, ("ppt", "attest", "origid", "opt", "other")), (claims.orig, ("tn", "uri")),
            (claims.div, ("tn", "uri", "hi")), (claims.rph, ("sph",)),
            (claims.rcd, ("nam", "apn", "icn", "jcd", "jcl", "crn"))) for name in names)
        yield from ((one, name) for one in claims.rcd.rcdi for name in ("pointer", "digest"))
        yield from ((one, name) for one in claims.mky for name in ("alg", "dig"))

    def spoil_text(self, claims):
        """Any text field at all."""
        message, name = self.random.choice(list(self.fields_of(claims)))
        setattr(message, name, self.nasty())

    def spoil_given_text(self, claims):
        """One that is there: another text, or one character of it."""
        given = [(message, name) for message, name in self.fields_of(claims) if getattr(message, name)]
        if not given:
            return
        message, name = self.random.choice(given)
        text = getattr(message, name)
        place = self.random.randrange(len(text))
        setattr(message, name, self.one_of(
            self.nasty(), "", text + self.nasty(), text[:place] + text[place + 1:],
            text[:place] + self.one_of("\0", "\"", "\x1f", "\x7f", "\u0085", "~", "%", ":", " ", "\u00e9", "0")
            + text[place + 1:], text * 2, text.swapcase(), text[:place]))

    def spoil_list(self, claims):
        """Entries of a list."""
        texts = self.one_of(claims.dest.tn, claims.dest.uri, claims.rph.auth)
        draw = self.random.random()
        if draw < 0.3 or len(texts) == 0:
            texts.insert(self.random.randint(0, len(texts)), self.nasty())
        elif draw < 0.5:
            texts[self.random.randrange(len(texts))] = self.nasty()
        elif draw < 0.6:
            texts.extend(list(texts))
        elif draw < 0.8:
            texts.extend(str(place) for place in range(self.one_of(16, 31, 32, 33, 40)))
        else:
            del texts[:]

    def spoil_presence(self, claims):
        """A field too few, or one that this type may not have."""
        field = self.one_of("attest", "origid", "div", "opt", "rph", "sph", "rcd", "crn", "rcdi", "mky",
                            "other", "compact", "orig", "dest")
        if self.chance(0.5):
            self.put(claims, field)
        elif field == "sph":
            claims.rph.sph = ""
        elif field == "crn":
            claims.rcd.crn = ""
        elif field == "rcdi":
            del claims.rcd.rcdi[:]
        else:
            claims.ClearField(field)

    def spoil_kind(self, claims):
        claims.ppt = self.one_of("", "base", "other", "Shaken", "SHAKEN", "shaken ", "div", "div-o", "rph",
                                 "rcd", "shaken", "msec", "Div-O", "x" * 17, "x" * 16, "1x", "\u0455haken")

    def spoil_iat(self, claims):
        claims.iat = self.one_of(-1, 1, -self.now, self.now + self.window + 60, self.now - self.window - 60,
                                 self.now * 1000, 1 << 53, (1 << 63) - 1, -(1 << 63),
                                 self.now + (1 << 32))

    def spoil_pairs(self, claims):
        draw = self.random.random()
        if draw < 0.3:
            for _ in range(self.one_of(1, 8, 9)):
                claims.mky.add(alg=self.one_of("sha-256", "md5", "SHA-256", ""), dig=self.one_of(
                    *DIGS))
        elif draw < 0.8:
            texts.extend(str(place) for place in range(self.one_of(16, 31, 32, 33, 40)))
        else:
            del texts[:]

    def spoil_presence(self, claims):
        """A field too few, or one that this type may not have."""
        field = self.one_of("attest", "origid", "div", "opt", "rph", "sph", "rcd", "crn", "rcdi", "mky",
                            "other", "compact", "orig", "dest")
        if self.chance(0.5):
            self.put(claims, field)
        elif field == "sph":
            claims.rph.sph = ""
        elif field == "crn":
            claims.rcd.crn = ""
        elif field == "rcdi":
            del claims.rcd.rcdi[:]
        else:
            claims.ClearField(field)

    def spoil_kind(self, claims):
        claims.ppt = self.one_of("", "base", "other", "Shaken", "SHAKEN", "shaken ", "div", "div-o", "rph",
                                 "rcd", "shaken", "msec", "Div-O", "x" * 17, "x" * 16, "1x", "\u0455haken")

    def spoil_iat(self, claims):
        claims.iat = self.one_of(-1, 1, -self.now, self.now + self.window + 60, self.now - self.window - 60,
                                 self.now * 1000, 1 << 53, (1 << 63) - 1, -(1 << 63),
                                 self.now + (1 << 32))

    def spoil_pairs(self, claims):
        draw = self.random.random()
        if draw < 0.3:
            for _ in range(self.one_of(1, 8, 9)):
                claims.mky.add(alg=self.one_of("sha-256", "md5", "SHA-256", ""), dig=self.one_of(
                    "00" * 32, "0" * 63, "00" * 33, ":" * 64, "00:" * 32, ":" + "00" * 32, "0:0" + "00" * 31,
                    "g0" * 32, ""))
        elif draw < 0.8:
            for pointer in self.random.sample(
                    POINTERS, self.one_of(1, 2, 17)):
                claims.rcd.rcdi.add(pointer=pointer, digest=self.one_of(
                    self.digest(), self.digest(), self.digest(), *BAD_DIGESTS))
        else:
            for _ in range(17):
                claims.rcd.rcdi.add(pointer="/nam", digest=self.digest())

    def spoil_json(self, claims):
        """Text that is no JSON, or is JSON that a PASSporT may not carry."""
        text = self.one_of(*JSON_TEXTS)
        if claims.other or (not claims.rcd.jcd and self.chance(0.5)):
            claims.other = text
        else:
            claims.rcd.jcd = text

    def spoil_length(self, claims):
        """At a limit, or one past it."""
        more = self.one_of(0, 1)
        draw = self.random.randrange(12)
        if draw == 0:
            claims.rcd.nam = "\u00e9" * 255 + "x" * (2 + more)
        elif draw == 1:
            claims.rcd.crn = "\"" * (512 + more)
        elif draw == 2:
            claims.rcd.icn = "https://" + "x" * (504 + more)
        elif draw == 3:
            claims.rcd.jcl = "https://" + "x" * (504 + more)
            claims.rcd.rcdi.add(pointer="/jcl", digest=self.digest())
        elif draw == 4:
            text = "[\"vcard\",[[\"fn\",{},\"text\",\"\"]]]"
            claims.rcd.jcd = text[:-4] + "x" * (8192 - len(text) + more) + text[-4:]
        elif draw == 5 and claims.rcd.jcl:
            claims.rcd.rcdi.add(pointer="/jcl/" + "x" * (123 + more), digest=self.digest())
        elif draw == 6:
            claims.div.hi = "1" * (64 + more)
        elif draw == 7:
            claims.rph.auth.append("x" * 62 + "." + "1" * (1 + more))
        elif draw == 8:
            header, _, signature = self.inner_passport().split(".")
            room = 8192 - len(header) - len(signature) - 2
            claims.opt = f"{header}.{'A' * (room + more)}.{signature}"
        elif draw == 9:
            claims.orig.ClearField("tn")
            claims.orig.uri = "sip:" + "x" * (252 + more)
        elif draw == 10:
            claims.ppt = self.one_of("a", "Z") + "9" * (15 + more)
        else:  # all of it long
            del claims.dest.tn[:], claims.dest.uri[:]
            claims.dest.uri.extend(f"sip:{place}" + "x" * 250 for place in range(10, 42))
            if claims.other:
                size = self.random.randint(15500, 16370)
                claims.other = "{\"a\":\"" + "x" * size + "\"}"

    def spoil_opt(self, claims):
        whole = self.inner_passport()
        header, payload, signature = whole.split(".")
        claims.opt = self.one_of(
            f"{header}.{payload}", f"{whole}.x", f"..{signature}", f"{header}..{signature}", f"{whole}=",
            f"{header}.{payload}.{signature[:-1]}", f"{header}.{payload}.{encoded(bytes(63))}",
            f"{header}.{payload}!.{signature}", f"{header[:-1]}.{payload}.{signature}",
            f"{encoded(b'{}')}.{payload}.{signature}", f"{encoded(b'[1]')}.{payload}.{signature}",
            f"{encoded(b'no')}.{payload}.{signature}", self.inner_passport(9000), whole + "\n",
            f"{encoded(b'{' + b'x' * 20)}.{payload}.{signature}", f"{header}.{payload}.{signature[:-1]}B")


    # ---- claims that all are asked for once, whatever the dice say

    def legal(self, kind):
        """Claims with all that the type may have, but for what excludes another."""
        claims = wire.sign_pb2.Claims(ppt={"base": "", "other": OTHER_PPTS[0]}.get(kind, kind))
        for field in ("orig", "dest", *sorted(ALLOWED[kind] - {"compact"})):
            self.put(claims, field)
        if kind in ("div", "div-o"):
            claims.div.hi = "1.2"
        if kind == "rph" and "esnet.1" not in claims.rph.auth:
            claims.rph.auth[0] = "esnet.1"
        if "rcd" in ALLOWED[kind]:
            claims.rcd.Clear()
            claims.rcd.nam, claims.rcd.apn, claims.rcd.icn, claims.rcd.crn = "Q", "1", "https://x/y", "why"
            claims.rcd.jcd = '["vcard",[["fn",{},"text","Q"]]]'
            for pointer in ("/icn", "/nam"):
                claims.rcd.rcdi.add(pointer=pointer, digest=self.digest())
        return claims

    def catalogue(self):
        """Every awkward text in every field that is there, for every type."""
        for kind in KINDS:
            legal = self.legal(kind)
            yield legal
            for place, (part, name) in enumerate(self.fields_of(legal)):
                if not getattr(part, name):
                    continue
                own = {"jcd": JSON_TEXTS, "other": JSON_TEXTS, "digest": BAD_DIGESTS, "pointer": POINTERS,
                       "dig": DIGS, "hi": INDICES, "origid": UUIDS}
                for text in (*NASTY, *own.get(name, ())):
                    claims = wire.sign_pb2.Claims()
                    claims.CopyFrom(legal)
                    part, _ = list(self.fields_of(claims))[place]
                    setattr(part, name, text)
                    yield claims
            for field in ("tn", "uri"):
                for text in NASTY:
                    claims = wire.sign_pb2.Claims()
                    claims.CopyFrom(legal)
                    getattr(claims.dest, field).append(text)
                    yield claims
            for text in (*NASTY, *R_VALUES, legal.rph.auth[0]) if kind == "rph" else ():
                claims = wire.sign_pb2.Claims()
                claims.CopyFrom(legal)
                claims.rph.auth.append(text)
                yield claims

    # ---- header and payload as somebody else composes them

    def bend(self, header, payload):
        """A canonical header and payload, and about half of the time something else."""
        for _ in range(self.one_of(0, 0, 0, 1, 1, 1, 2)):
            if self.chance(0.5) and parses(header) and parses(payload):
                header, payload = self.bend_values(json.loads(header), json.loads(payload))
            elif self.chance(0.2):
                header = self.bend_text(header)
            else:
                payload = self.bend_text(payload)
        return header, payload

    def bend_text(self, text):
        place = self.random.randrange(len(text) + 1)
        before, after = text[:place], text[place:]
        return self.one_of(
            f"{before} {after}", text + "\n", " " + text, "\ufeff" + text, text + "{}", text[:-1], "",
            before + after[1:], before + self.one_of("\"", "\\", "0", "}", ",", "a", "\0") + after[1:],
            text.replace("/", "\\/"), text.replace("1", "\\u0031", 1), text.replace(":", ": ", 1),
            text.replace("a", "\\u0061", 1), text.replace("{", "{\"a\":1,", 1), text[:-1] + ",\"zz\":1}",
            text[:-1] + "," + text[1:], self.json(json.loads(text)) if parses(text) else text)

    def bend_values(self, header, payload):
        draw = self.random.random()
        if draw < 0.25:
            key = self.one_of("alg", "ppt", "typ", "x5u", "kid", "crit")
            if self.chance(0.3):
                header.pop(key, None)
            else:
                header[key] = self.one_of("none", "HS256", "ES384", "JWT", "shaken", "div", "base", "msec", "",
                                          1, None, ["x"], "https://certs.example.com/x.pem", "PASSporT")
        elif draw < 0.45:
            payload.pop(self.random.choice(list(payload)))
        elif draw < 0.6:
            key = self.random.choice(list(payload))
            payload[key] = self.one_of(str(payload[key]), [payload[key]], {"tn": payload[key]}, None, True, 1, "",
                                       [], {}, 1.5)
        elif draw < 0.75:
            payload["dest"] = self.one_of(
                {"tn": "1"}, {"tn": ["2", "1"]}, {"tn": ["1", "1"]}, {"tn": []}, {}, {"tn": ["+1"]}, {"uri": "sip:a@b"},
                {"tn": ["1"], "uri": []}, {"tn": ["1"], "x": ["1"]}, ["1"], {"tn": [1]}, {"tn": ["1", "2"]},
                {"uri": ["sip:b@x", "sip:a@x"]}, {"tn": ["1"], "uri": ["sip:a@b"]}, {"tn": [None]})
        elif draw < 0.85:
            payload["orig"] = self.one_of({"tn": "1", "uri": "sip:a@b"}, {"tn": ["1"]}, {"tn": 1}, {"tn": ""}, {},
                                          {"uri": "a"}, "1", {"tn": "+1"}, {"tn": "1", "x": "1"}, {"tn": "*1#"})
        elif draw < 0.95:
            payload["iat"] = self.one_of(str(self.now), self.now + 0.5, 0, -1, None, self.now + 2 * self.window,
                                         self.now * 1000, True, 10**20, self.now)
        else:
            payload[self.one_of(self.text(10, True), self.word("abz\"\\/", 4))] = self.value(2)
        return written(header), written(payload)


def parses(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


def written(value):
    """With numbers that are none of a PASSporT's."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


SPOILS = [name[len("spoil_"):] for name in vars(Wild) if name.startswith("spoil_")] \
    + 4 * ["given_text"] + 2 * ["text", "list"]
