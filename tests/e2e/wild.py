# SPDX-License-Identifier: BSD-2-Clause
"""Random claims of every type: about half of them as they may be, the others spoilt somewhere."""
import json

import awkward
import wire
from reference import ALLOWED, NEEDED, elsewhere
from spoilt import LENGTHS, Spoilt

KINDS = ("base", "shaken", "div", "div-o", "rph", "rcd", "other")
OTHER_PPTS = ("msec", "msg", "x.Trace_1-b", "Z")  # what the service's grant has to have
HASHES = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}
# Texts that were made for a field, beside the nasty ones.
OWN_TEXTS = {"ppt": awkward.PPTS, "jcd": awkward.JSON_TEXTS, "other": awkward.JSON_TEXTS,
             "digest": awkward.BAD_DIGESTS, "pointer": awkward.POINTERS, "dig": awkward.DIGS,
             "hi": awkward.INDICES, "origid": awkward.UUIDS}


class Wild(Spoilt):
    def __init__(self, random, now, window):
        super().__init__(random)
        self.now = now
        self.window = window

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
        least = 0 if numbers else 1
        uris = self.random.randint(least, max(most - numbers, least))
        claims.dest.uri.extend(self.uri() for _ in range(uris))
        if 1 < len(claims.dest.tn) < 16 and self.chance(0.3):
            claims.dest.tn.append(claims.dest.tn[0])

    def put_attest(self, claims):
        claims.attest = self.one_of("A", "B", "C")

    def put_origid(self, claims):
        claims.origid = self.uuid()

    def put_div(self, claims):
        self.put_party(claims.div)
        if self.chance(0.4):
            claims.div.hi = ".".join(self.word("0123456789", 3)
                                     for _ in range(self.random.randint(1, 5)))

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
            rcd.icn = self.one_of(self.url(self.one_of(80, 450)),
                                  "data:image/" + self.word("abc/+;,=", 60))
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
        except (ValueError, RecursionError):  # spoilt before
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
            claims.rcd.nam, claims.rcd.apn, claims.rcd.crn = "Q", "1", "why"
            claims.rcd.icn = "https://x/y"
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
                for text in (*awkward.NASTY, *OWN_TEXTS.get(name, ())):
                    claims = wire.sign_pb2.Claims()
                    claims.CopyFrom(legal)
                    part, _ = list(self.fields_of(claims))[place]
                    setattr(part, name, text)
                    yield claims
            for field in ("tn", "uri"):
                for text in awkward.NASTY:
                    claims = wire.sign_pb2.Claims()
                    claims.CopyFrom(legal)
                    getattr(claims.dest, field).append(text)
                    yield claims
            for which in range(LENGTHS):
                for more in (0, 1):
                    claims = wire.sign_pb2.Claims()
                    claims.CopyFrom(legal)
                    self.lengthen(claims, which, more)
                    yield claims
            values = (*awkward.NASTY, *awkward.R_VALUES, *legal.rph.auth)
            for text in values if kind == "rph" else ():
                claims = wire.sign_pb2.Claims()
                claims.CopyFrom(legal)
                claims.rph.auth.append(text)
                yield claims
