# SPDX-License-Identifier: BSD-2-Clause
"""Random texts, numbers, URIs and JSON, as they may stand in claims."""
import base64
import json

import awkward
from reference import encoded


class Words:
    def __init__(self, random):
        self.random = random

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
                piece = self.one_of(*awkward.PIECES)
            elif draw < 0.4 and controls:
                piece = self.one_of(*awkward.CONTROLS[1:])
            else:
                piece = chr(self.random.randint(*self.one_of(*awkward.PLACES)))
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
        text = "".join(digit + self.one_of("", "", "", "-", ".", " ", "(", ")", "- ")
                       for digit in digits)
        return self.one_of("", "+", " ", "(") + text \
            + self.one_of("", "", ";ext=3", ";phone-context=+1;x=\u00e9")

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
        return self.one_of(0, 1, -1, self.random.randint(-10**6, 10**6), (1 << 53) - 1,
                           1 - (1 << 53), 1 << self.random.randint(0, 52))

    def value(self, depth, controls=True):
        draw = self.random.random()
        if draw < 0.35 or depth == 0:
            return self.one_of(None, True, False, self.integer(), self.text(20, controls), "")
        if draw < 0.65:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 4))]
        return {self.text(12, True): self.value(depth - 1)
                for _ in range(self.random.randint(0, 4))}

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
            return self.one_of(self.text(20, True), self.integer(),
                               True, False, "", self.url(), "HTTP:x")

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
