# SPDX-License-Identifier: BSD-2-Clause
"""Claims, headers and payloads with something in them that may not be, or may just be."""
import json

import awkward
from reference import encoded
from words import Words
LENGTHS = 15  # that lengthen() knows
HEADER_VALUES = ("none", "HS256", "ES384", "JWT", "shaken", "div", "base", "msec", "", 1, None,
                 ["x"], "https://certs.example.com/x.pem", "PASSporT")
ORIGS = ({}, "1", {"tn": "1", "uri": "sip:a@b"}, {"tn": ["1"]}, {"tn": 1}, {"tn": ""},
         {"uri": "a"}, {"tn": "+1"}, {"tn": "1", "x": "1"}, {"tn": "*1#"})
DESTS = ({}, ["1"], {"tn": "1"}, {"tn": ["2", "1"]}, {"tn": ["1", "1"]}, {"tn": []},
         {"tn": ["+1"]}, {"tn": [1]}, {"tn": [None]}, {"tn": ["1", "2"]}, {"uri": "sip:a@b"},
         {"tn": ["1"], "uri": []}, {"tn": ["1"], "x": ["1"]},
         {"uri": ["sip:b@x", "sip:a@x"]}, {"tn": ["1"], "uri": ["sip:a@b"]})


class Spoilt(Words):
    """What has `put` and `put_FIELD`, which set a field as it may be, and `now` and `window`."""

    def spoil(self, claims):
        getattr(self, "spoil_" + self.one_of(*SPOILS))(claims)

    def nasty(self):
        """A text that is right nowhere, or in few places."""
        return self.one_of(*awkward.NASTY, self.text(60, True),
                           self.word("abc.", 90), self.random.randbytes(8).hex())

    def fields_of(self, claims):
        """(message, name) of every text."""
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
        given = [(message, name) for message, name in self.fields_of(claims)
                 if getattr(message, name)]
        if not given:
            return
        message, name = self.random.choice(given)
        text = getattr(message, name)
        place = self.random.randrange(len(text))
        setattr(message, name, self.one_of(
            self.nasty(), "", text + self.nasty(), text[:place] + text[place + 1:],
            text[:place] + self.one_of("\0", "\"", "\x1f", "\x7f", "\u0085",
                                       "~", "%", ":", " ", "\u00e9", "0")
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
        field = self.one_of("attest", "origid", "div", "opt", "rph", "sph", "rcd", "crn", "rcdi",
                            "mky", "other", "compact", "orig", "dest")
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
        claims.ppt = self.one_of(*awkward.PPTS)

    def spoil_iat(self, claims):
        claims.iat = self.one_of(-1, 1, -self.now, self.now + self.window + 60,
                                 self.now - self.window - 60, self.now * 1000, 1 << 53,
                                 (1 << 63) - 1, -(1 << 63), self.now + (1 << 32))

    def spoil_pairs(self, claims):
        draw = self.random.random()
        if draw < 0.3:
            for _ in range(self.one_of(1, 8, 9)):
                claims.mky.add(alg=self.one_of("sha-256", "md5", "SHA-256", ""),
                               dig=self.one_of(*awkward.DIGS))
        elif draw < 0.8:
            for pointer in self.random.sample(awkward.POINTERS, self.one_of(1, 2, 17)):
                claims.rcd.rcdi.add(pointer=pointer, digest=self.one_of(
                    self.digest(), self.digest(), self.digest(), *awkward.BAD_DIGESTS))
        else:
            for _ in range(17):
                claims.rcd.rcdi.add(pointer="/nam", digest=self.digest())

    def spoil_json(self, claims):
        """Text that is no JSON, or is JSON that a PASSporT may not carry."""
        text = self.one_of(*awkward.JSON_TEXTS)
        if claims.other or (not claims.rcd.jcd and self.chance(0.5)):
            claims.other = text
        else:
            claims.rcd.jcd = text

    def spoil_length(self, claims):
        self.lengthen(claims, self.random.randrange(LENGTHS), self.one_of(0, 1))

    def lengthen(self, claims, which, more):
        """One of them at its limit, or (`more` is 1) one past it."""
        if which == 0:
            claims.rcd.nam = "\u00e9" * 255 + "x" * (2 + more)
        elif which == 1:
            claims.rcd.crn = '"' * (512 + more)
        elif which == 2:
            claims.rcd.icn = "https://" + "x" * (504 + more)
        elif which == 3:
            claims.rcd.jcd, claims.rcd.jcl = "", "https://" + "x" * (504 + more)
            claims.rcd.rcdi.add(pointer="/jcl", digest=self.digest())
        elif which == 4:
            text = '["vcard",[["fn",{},"text",""]]]'
            claims.rcd.jcd = text[:-4] + "x" * (8192 - len(text) + more) + text[-4:]
        elif which == 5:
            claims.rcd.jcd, claims.rcd.jcl = "", "https://x"
            for pointer in ("/jcl", "/jcl/" + "x" * (123 + more)):
                claims.rcd.rcdi.add(pointer=pointer, digest=self.digest())
        elif which == 6:
            claims.div.hi = "1" * (64 + more)
        elif which == 7:
            claims.rph.auth.append("x" * 62 + "." + "1" * (1 + more))
        elif which == 8:
            header, _, signature = self.inner_passport().split(".")
            room = 8192 - len(header) - len(signature) - 2
            claims.opt = f"{header}.{'A' * (room + more)}.{signature}"
        elif which == 9:
            claims.orig.ClearField("tn")
            claims.orig.uri = "sip:" + "x" * (252 + more)
        elif which == 10:
            del claims.dest.tn[:], claims.dest.uri[:]
            claims.dest.tn.extend(map(str, range(32 + more)))
        elif which == 11:
            del claims.rph.auth[:]
            claims.rph.auth.extend(f"esnet.{place}" for place in range(16 + more))
        elif which == 12:
            del claims.mky[:]
            for place in range(8 + more):
                claims.mky.add(alg="sha-1", dig=f"{place:040x}")
        elif which == 13:
            claims.rcd.jcd, claims.rcd.jcl = "", "https://x"
            del claims.rcd.rcdi[:]
            for pointer in ("/jcl", "/icn", *(f"/jcl/{place}" for place in range(14 + more))):
                claims.rcd.rcdi.add(pointer=pointer, digest=self.digest())
        else:  # all of it long
            del claims.dest.tn[:], claims.dest.uri[:]
            claims.dest.uri.extend(f"sip:{place}" + "x" * 250 for place in range(10, 42))
            if claims.other:
                size = self.random.randint(15500, 16370)
                claims.other = '{"a":"' + "x" * size + '"}'

    def spoil_opt(self, claims):
        whole = self.inner_passport()
        header, payload, signature = whole.split(".")
        claims.opt = self.one_of(
            f"{header}.{payload}", f"{whole}.x", f"..{signature}", f"{header}..{signature}",
            f"{whole}=", f"{header}.{payload}.{signature[:-1]}",
            f"{header}.{payload}.{encoded(bytes(63))}",
            f"{header}.{payload}!.{signature}", f"{header[:-1]}.{payload}.{signature}",
            f"{encoded(b'{}')}.{payload}.{signature}", f"{encoded(b'[1]')}.{payload}.{signature}",
            f"{encoded(b'no')}.{payload}.{signature}", self.inner_passport(9000), whole + "\n",
            f"{encoded(b'{' + b'x' * 20)}.{payload}.{signature}",
            f"{header}.{payload}.{signature[:-1]}B")

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
            f"{before} {after}", text + "\n", " " + text, "\ufeff" + text, text + "{}", text[:-1],
            "", before + after[1:],
            before + self.one_of('"', "\\", "0", "}", ",", "a", "\0") + after[1:],
            text.replace("/", "\\/"), text.replace("1", "\\u0031", 1), text.replace(":", ": ", 1),
            text.replace("a", "\\u0061", 1), text.replace("{", '{"a":1,', 1),
            text[:-1] + ',"zz":1}', text[:-1] + "," + text[1:],
            self.json(json.loads(text)) if parses(text) else text)

    def bend_values(self, header, payload):
        draw = self.random.random()
        if draw < 0.25:
            key = self.one_of("alg", "ppt", "typ", "x5u", "kid", "crit")
            if self.chance(0.3):
                header.pop(key, None)
            else:
                header[key] = self.one_of(*HEADER_VALUES)
        elif draw < 0.45:
            payload.pop(self.random.choice(list(payload)))
        elif draw < 0.6:
            key = self.random.choice(list(payload))
            payload[key] = self.one_of(str(payload[key]), [payload[key]], {"tn": payload[key]},
                                       None, True, 1, "", [], {}, 1.5)
        elif draw < 0.75:
            payload["dest"] = self.one_of(*DESTS)
        elif draw < 0.85:
            payload["orig"] = self.one_of(*ORIGS)
        elif draw < 0.95:
            payload["iat"] = self.one_of(str(self.now), self.now + 0.5, 0, -1, None, True, 10**20,
                                         self.now + 2 * self.window, self.now * 1000, self.now)
        else:
            payload[self.one_of(self.text(10, True), self.word('abz"\\/', 4))] = self.value(2)
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


SPOILS = [name[len("spoil_"):] for name in vars(Spoilt) if name.startswith("spoil_")] \
    + 4 * ["given_text"] + 2 * ["text", "list"]
