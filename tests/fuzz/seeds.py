# SPDX-License-Identifier: BSD-2-Clause
"""What the corpora begin with, beside the messages (seeds.c): real files of each kind, made here.

   seeds.py [CORPUS-DIRECTORY]

Keys are the same whenever this runs, and of no use to anybody; files that are there are kept."""
import base64
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CORPUS = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "corpus")
X5U = "https://certs.example.com/a.pem"


def put(target, name, data):
    path = os.path.join(CORPUS, target, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())


def key_of(number):
    return ec.derive_private_key(number, ec.SECP256R1())


# ---- certificates and keys

def der(tag, *parts):
    inside = b"".join(parts)
    length = len(inside)
    if length < 128:
        return bytes([tag, length]) + inside
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + inside


def spc(text):
    return der(0xa0, der(0x16, text.encode()))


def number_range(first, count):
    return der(0xa1, der(0x30, der(0x16, first.encode()),
                         der(0x02, count.to_bytes(count.bit_length() // 8 + 1, "big"))))


def number(text):
    return der(0xa2, der(0x16, text.encode()))


TNAUTH = {
    "spc": der(0x30, spc("616H")),
    "numbers": der(0x30, number("12155550100"), number_range("12155550200", 100)),
    "mixed": der(0x30, spc("1234"), number("112"), number_range("1", 2)),
    "none": der(0x30),
}


def names_of(*names):
    return der(0x30, *[der(0x16, name.encode()) for name in names])


def values_of(claim, *values):
    return der(0x30, der(0x16, claim.encode()),
               der(0x30, *[der(0x0c, value.encode()) for value in values]))


INCLUDE = der(0xa0, names_of("attest", "origid"))
PERMITTED = der(0xa1, der(0x30, values_of("attest", "A", "B"), values_of("crn", "because")))
EXCLUDE = der(0xa2, names_of("rcd", "sph"))
CONSTRAINTS = {
    "include": (False, der(0x30, INCLUDE)),
    "permitted": (False, der(0x30, PERMITTED)),
    "both": (False, der(0x30, INCLUDE, PERMITTED)),
    "enhanced": (True, der(0x30, INCLUDE, PERMITTED, EXCLUDE)),
    "exclude": (True, der(0x30, EXCLUDE)),
}


def name_of(common):
    return x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "US"),
                      x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example"),
                      x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def certificate(subject, key, issuer, signer, ca=False, extensions=()):
    begin = datetime.datetime(2026, 1, 1)
    builder = (x509.CertificateBuilder().subject_name(name_of(subject)).issuer_name(name_of(issuer))
               .public_key(key.public_key()).serial_number(0x1234567890abcdef)
               .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=730)))
    builder = builder.add_extension(x509.BasicConstraints(ca, None), True)
    builder = builder.add_extension(
        x509.KeyUsage(not ca, False, False, False, False, ca, False, False, False), True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    if not ca:
        builder = builder.add_extension(x509.CertificatePolicies([x509.PolicyInformation(
            x509.ObjectIdentifier("2.16.840.1.114569.1.1.3"), None)]), False)
        builder = builder.add_extension(x509.CRLDistributionPoints([x509.DistributionPoint(
            [x509.UniformResourceIdentifier("https://crl.example.com/crl")], None, None,
            [x509.DirectoryName(name_of("SHAKEN CRL"))])]), False)
    for oid, value in extensions:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), False)
    return builder.sign(signer, hashes.SHA256())


def as_pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def certificates():
    leaf_key, root_key = key_of(0xa11ce), key_of(0xca)
    root = certificate("SHAKEN root", root_key, "SHAKEN root", root_key, ca=True)
    tnauth = "1.3.6.1.5.5.7.1.26"
    leaves = {name: certificate("SHAKEN 616H", leaf_key, "SHAKEN root", root_key,
                                extensions=[(tnauth, value)]) for name, value in TNAUTH.items()}
    for name, (enhanced, value) in CONSTRAINTS.items():
        oid = "1.3.6.1.5.5.7.1.33" if enhanced else "1.3.6.1.5.5.7.1.27"
        leaves[name] = certificate("SHAKEN 616H", leaf_key, "SHAKEN root", root_key,
                                   extensions=[(tnauth, TNAUTH["spc"]), (oid, value)])
        put("claim_constraints", "sample-" + name, bytes([enhanced]) + value)
    for name, value in TNAUTH.items():
        put("tnauthlist", "sample-" + name, value)
    for name, leaf in leaves.items():
        put("certificate", "sample-%s.der" % name, leaf.public_bytes(serialization.Encoding.DER))
    put("der", "sample-certificate", leaves["both"].public_bytes(serialization.Encoding.DER))
    chain = as_pem(leaves["spc"], root)
    put("certificate", "sample-chain.pem", chain)
    put("certificate", "sample-text.pem", b"Bag Attributes\r\n" + chain.replace(b"\n", b"\r\n"))
    put("pem", "sample-chain", chain)
    return leaves["spc"], root


def uploads(leaf, root):
    """Letters as in upload.c: a cert, b chain, c key, d sealed, e bundle, f PKCS#12, g passphrase, h x5u,
    i activate-at, j ready, k error."""
    def key(name):
        with open(os.path.join(CORPUS, "key", name), "rb") as file:
            return file.read()

    chain = as_pem(leaf, root)
    with open(os.path.join(CORPUS, "pkcs12", "sample-plain"), "rb") as file:
        pkcs12 = file.read()
    for name, parts in {
            "two": [b"a" + chain, b"c" + key("sample-sec1.pem"), b"j"],
            "three": [b"a" + as_pem(leaf), b"b" + as_pem(root), b"c" + key("sample-pkcs8.der")],
            "passphrase": [b"a" + chain, b"c" + key("sample-pbes2.pem"), b"gsecret\n"],
            "bundle": [b"e" + key("sample-bundle.pem")],
            "pkcs12": [b"f" + pkcs12, b"g\n", b"hhttps://x.example.com/a"],
            "wrong": [b"a" + chain, b"c" + key("sample-p384.pem"), b"i@1", b"kno"]}.items():
        put("upload", "sample-" + name, b"\n8<\n".join(parts))
    unified = "0::/system.slice/kamailio.service\n"
    put("program_unit", "made-unified", unified)
    put("program_unit", "made-old", "12:pids:/a\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n"
        + unified)


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout


def keys(leaf, root):
    key = key_of(0xa11ce)
    sec1 = key.private_bytes(serialization.Encoding.PEM,
                             serialization.PrivateFormat.TraditionalOpenSSL,
                             serialization.NoEncryption())
    few = ["-iter", "8", "-passout", "pass:secret"]
    parameters = openssl("ecparam", "-name", "prime256v1")
    forms = {
        "sec1.pem": sec1,
        "sec1-parameters.pem": parameters + sec1,
        "sec1.der": openssl("ec", "-outform", "DER", data=sec1),
        "pkcs8.pem": openssl("pkcs8", "-topk8", "-nocrypt", data=sec1),
        "pkcs8.der": openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", data=sec1),
        "pbes2.pem": openssl("pkcs8", "-topk8", "-v2", "aes256", *few, data=sec1),
        "pbes2.der": openssl("pkcs8", "-topk8", "-v2", "aes128", "-outform", "DER", *few, data=sec1),
        "pbes1.der": openssl("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-outform", "DER", *few,
                             data=sec1),
        "scrypt.der": openssl("pkcs8", "-topk8", "-scrypt", "-scrypt_N", "2", "-scrypt_r", "1",
                              "-outform", "DER", "-passout", "pass:secret", data=sec1),
        "traditional.pem": openssl("ec", "-aes256", "-passout", "pass:secret", data=sec1),
        "p384.pem": openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout"),
        "explicit.pem": openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout",
                                "-param_enc", "explicit"),
        "ed25519.pem": openssl("genpkey", "-algorithm", "ed25519"),
        "rsa.der": openssl("genrsa", "-traditional", "1024"),
        "bundle.pem": b"\xef\xbb\xbfa text before\r\n" + sec1 + as_pem(leaf, root),
        "public.pem": openssl("ec", "-pubout", data=sec1),
    }
    for name, data in forms.items():
        put("key", "sample-" + name, data)
        put("pem" if name.endswith("pem") else "der", "sample-" + name, data)
    bundles(sec1, leaf, root)


def bundles(sec1, leaf, root):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "all.pem")
        with open(path, "wb") as file:
            file.write(sec1 + as_pem(leaf, root))

        def export(*arguments):
            return openssl("pkcs12", "-export", "-in", path, "-iter", "8", *arguments)

        plain = ["-keypbe", "NONE", "-certpbe", "NONE"]
        made = {
            "plain": export("-passout", "pass:", *plain, "-nomac"),
            "plain-mac": export("-passout", "pass:secret", *plain, "-maciter"),
            "aes": export("-passout", "pass:secret"),
            "pbes1": export("-passout", "pass:secret", "-keypbe", "PBE-SHA1-3DES", "-certpbe",
                            "PBE-SHA1-3DES", "-macalg", "sha1"),
            "key-only": export("-passout", "pass:", *plain, "-nomac", "-nocerts"),
            "named": export("-passout", "pass:", *plain, "-nomac", "-name", "a name"),
        }
    for name, data in made.items():
        put("pkcs12", "sample-" + name, data)
        put("der", "sample-p12-" + name, data)
        put("key", "sample-p12-" + name, data)
    # BER as some programs write it: indefinite lengths, an octet string in pieces.
    put("der", "sample-indefinite", bytes.fromhex("3080020103248004020102040103000000 00".replace(
        " ", "")))


# ---- PASSporTs

def passports():
    with open(os.path.join(TOP, "tests/unit/passport/test_examples.c")) as file:
        source = file.read()
    table = source[source.index("examples[] = {"):source.index("};", source.index("examples[] = {"))]
    for number, entry in enumerate(re.findall(r"\{(\"RFC.*?)\},\n", table, re.S)):
        texts = split_c(entry)
        if len(texts) < 4:
            continue
        passport(number, texts[1], texts[2], texts[3])


    number += 1
    inner = "%s.%s.%s" % (b64(b'{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"%s"}' % X5U.encode()),
                          b64(b'{"attest":"A"}'), b64(bytes(64)))
    payload = ('{"dest":{"tn":["12155551214"]},"div":{"tn":"121555551213"},"iat":1443208345,"opt":"%s",'
               '"orig":{"tn":"12155551212"}}' % inner)
    passport(number, "div-o", payload, payload)


def split_c(entry):
    """The strings of an initialiser, neighbours joined as C does."""
    texts, at, current = [], 0, None
    while at < len(entry):
        if entry[at] == '"':
            end = at + 1
            while entry[end] != '"':
                end += 2 if entry[end] == "\\" else 1
            current = (current or "") + json.loads(entry[at:end + 1])
            at = end
        elif entry[at] == ",":
            texts.append(current or "")
            current = None
        at += 1
    if current is not None:
        texts.append(current)
    return texts


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def passport(number, ppt, printed, payload):
    header = {"alg": "ES256", "typ": "passport", "x5u": X5U}
    if ppt:
        header["ppt"] = ppt
    header = json.dumps(header, sort_keys=True, separators=(",", ":"))
    put("passport_input", "sample-%02d" % number, header + "\n" + payload)
    put("json", "sample-%02d" % number, printed)
    value = "%s.%s.%s;info=<%s>;alg=ES256" % (b64(header.encode()), b64(payload.encode()),
                                              b64(bytes(64)), X5U)
    if ppt:
        value += ";ppt=\"%s\"" % ppt if number % 2 else ";ppt=" + ppt
    put("identity", "sample-%02d" % number, value)
    if number == 0:
        put("identity", "sample-compact", "Identity: ..%s;info=<%s>" % (b64(bytes(64)), X5U))


def jsons():
    for number, text in enumerate([
            '{"a":[1,-2,9007199254740991,null,true,false,"\\u00e9\\ud83d\\ude00\\n"],"b":{}}',
            '[[[[[[[]]]]]]]', ' "x" ', '{"\\u0061":1,"b":{"":0}}', '-0', '1e3', '{"a":1,"a":2}',
            '"\\u0000"', '"\\ud800"', '\ufeff{}', '[1,]', '9007199254740992']):
        put("json", "made-%02d" % number, text)


# ---- files of the service

def configurations():
    with open(os.path.join(TOP, "docs/stirkeep.conf.example")) as file:
        example = file.read()
    every = re.sub(r"(?m)^#(?=[a-z\[])", "", example)
    put("config", "example", example)
    parts = {
        "least": "[token]\nlabel = l\npin-file = /p\n[admin]\nuser = 0\n",
        "grants": "[token]\nlabel = l\npin-file = /p\n[admin]\nuser = 0, 1\n[grant a]\nuser = 0\n"
                  "group = 0\nexecutable = /usr/sbin/kamailio\nunit = kamailio.service\n"
                  "certificates = Alpha, Beta-*,\n  Gamma\nppt = base, shaken, foo\nattest = A, B\n"
                  "orig = 1415555*, 12025550100-12025550199, sip:*@example.com\nrate = 500\n"
                  "burst = 5\nquota = 100\nsign-input = yes\n[certificate Beta-*]\nrate = 1\n",
        "attest": "[token]\nlabel = l\npin-file = /p\n[admin]\nuser = 0\n[attestation]\n"
                  "default = C\nexceed = lower\n[attest 1415*]\nlevel = A\n[attest 14155550100]\n"
                  "level = none\n[attest 1-9]\nlevel = B\n",
        "rest": "\ufeff[token]\r\nlabel = l ; a remark\r\npin-file = /p\r\nsessions = 4\r\n"
                "[token-environment]\r\nSOFTHSM2_CONF = /c\r\n[sockets]\r\nsign = /s\r\n"
                "[rooms]\r\nkeeper-user = 61001\r\nintake-user = 61002\r\nfront-user = 61003\r\n[audit]\r\n"
                "file = /a\r\nsync = always\r\n[signing]\r\n"
                "x5u-template = https://c.example.com/{name}/{fingerprint}.pem\r\n",
    }
    for name, text in parts.items():
        put("config", "made-" + name, text)
    if len(every) < 64 * 1024:
        put("config", "example-every", every)
    return parts


def resolved(parts):
    """As stk_config_resolve writes it; config_resolved.c fills the length in."""
    start = "stirkeep-resolved 1\nuser 0 0 0\nuser kamailio 1000 1000\ngroup 0 0\nuser 1 1 1\n"
    for name, text in parts.items():
        used = [line + "\n" for line, word in (("user 0 0 0", "user = 0"), ("user 1 1 1", ", 1\n"),
                                               ("group 0 0", "group = 0")) if word in text]
        put("config_resolved", "made-" + name,
            "stirkeep-resolved 1\n" + "".join(used) + "text =\n" + text)
    put("config_resolved", "made-unused", start + "text =\n[token]\nlabel = l\npin-file = /p\n")


def rules():
    for name, text in {
            "plain": "number,level\n14155550100,A\n12025550100-12025550199,B\n1415555*,C\n*,none\n",
            "nested": "1-9,A\n2-8,B\n3-7,C\n5,none\n100-199,A\n1*,B\n10*,C\n100*,A\n",
            "written": "\ufeff number , level \r\n# a remark\r\n+1 202 555 0100 - +1 202 555 0199,A\r\n"
                       "+#31#,A\r\n",
            "overlap": "1-5,A\n3-9,B\n", "twice": "1,A\n1,A\n", "marks": "*1-*9,B\n9**-9**,A\n",
            "fault": "1,A,\n"}.items():
        put("rules_csv", "made-" + name, text)


def texts():
    for number, (first, second) in enumerate([
            ("+1 (215) 555-0100;phone-context=x", "12155550100"), ("1215555*", "12155550100"),
            ("12155550100-12155550199", "12155550150"), ("Alpha-1.b_c", "A"),
            ("sip:a%20b@example.com;user=phone", ""), ("https://certs.example.com:8443/a.pem", ""),
            ("Beta-*-*x", "Beta-1-2x"), ("2026-12-31T00:00:00+01:30", ""), ("@1798675200", ""),
            ("+30m", ""), ("+7d", ""), ("https://c.example.com/{name}/{fingerprint}.pem", ""),
            ("orig 12155550100 may not, dest 911: \"x\" sip:a@b", ""), ("AAECAwQF", ""),
            ("h\u00e9 \ud83d\ude00", ""), ("shaken", ""), ("sip:*@example.com", "sip:a@example.com")]):
        put("text", "made-%02d" % number,
            (first + "\n" + second).encode("utf-16", "surrogatepass").decode("utf-16").encode())


def subjects():
    for number, (code, subject) in enumerate([
            ("616H", ""), ("616H", "CN=SHAKEN 616H"), ("1234", "C=US, O=Example\\, Inc., CN=SHAKEN 1234"),
            ("616H", "CN=SHAKEN 616H+OU=a,STREET=\"x\",DC=d,UID=u"), ("616h", ""),
            ("616H", "2.5.4.3=#0c0b5348414b454e2036313648"),
            ("616H", "O=\\C3\\A9 \\#x,serialNumber=1,CN=SHAKEN 616H")]):
        put("subject", "made-%02d" % number, code + "\n" + subject)


def batch_lines():
    for number, value in enumerate([
            {"name": "Alpha", "attest": "A", "orig": {"tn": "12155550121"},
             "dest": {"tn": ["12155550131"]}},
            {"name": "Alpha", "ppt": "base", "compact": True, "orig": {"uri": "sip:a@b"},
             "dest": {"uri": "sip:c@d", "tn": "112"}, "iat": 1795678800,
             "mky": [{"alg": "sha-256", "dig": "00"}]},
            {"name": "Alpha", "ppt": "rcd", "rcd": {"nam": "N", "jcd": ["vcard", []]}, "crn": "c",
             "rcdi": {"/nam": "sha256-x"}, "orig": {"tn": "1"}, "dest": {"tn": "2"}},
            {"name": "Alpha", "ppt": "div-o", "div": {"tn": "1", "hi": "1.2"}, "opt": "a.b.c",
             "orig": {"tn": "1"}, "dest": {"tn": "2"}},
            {"name": "Alpha", "ppt": "rph", "rph": {"auth": ["ets.0"]}, "sph": "psap-callback",
             "orig": {"tn": "1"}, "dest": {"tn": "2"}},
            {"name": "Alpha", "ppt": "foo", "claims": {"bar": [1]}, "orig": {"tn": "1"},
             "dest": {"tn": "2"}},
            {"name": "Alpha", "header": "{}", "payload": "{}"}]):
        put("batch_line", "made-%02d" % number, json.dumps(value))


def spools():
    evidence = {"name": "N", "generation": 1, "key_id": "ab" * 32, "fingerprint": "cd" * 32,
                "source": "/var/spool/stirkeep/incoming/N", "owner": {"uid": 1, "gid": 1},
                "warnings": [], "source_removed": True, "how": "overwritten", "removed": None}
    record = {"evidence": evidence, "file": "N-20261126T025917Z-g1.json", "ino": 17,
              "born_ns": 1795678800000000000, "key": "key.pem", "recorded": False}
    put("spool_record", "made", ".N.removing\n" + json.dumps(record, indent=2) + "\n")
    put("spool_record", "made-path", ".../x.removing\n" + json.dumps(dict(record, file="../x")))
    put("spool_record", "made-key", ".removing\n" + json.dumps(dict(record, key="x")))
    sealed = base64.b64encode(bytes(range(256)) + bytes(168)).decode()
    lines = "\n".join(sealed[i:i + 64] for i in range(0, len(sealed), 64))
    put("sealed_file", "made", "-----BEGIN STIRKEEP SEALED KEY-----\nKey-Id: %s\nWrapping-Key: %s\n\n"
        "%s\n-----END STIRKEEP SEALED KEY-----\n" % ("ab" * 32, "cd" * 32, lines))
    put("sealed_file", "made-passphrase", "secret\r\nand more\n")


def controls():
    def message(kind, room, status, fds, number, text):
        parts = [kind, room, status, fds]
        return (b"".join(part.to_bytes(4, "little") for part in parts) +
                number.to_bytes(8, "little") + text + b"\0")

    for kind in range(1, 14):
        fds = {11: 2, 6: 1}.get(kind, 0)
        put("control", "made-%02d" % kind, bytes([fds]) + message(kind, 0, 0, fds, 7, b"text\nmore"))
    put("control", "made-unwanted-fds", bytes([5]) + message(1, 0, 0, 0, 0, b""))


# ---- the trail

TIME = "2026-11-26T12:00:00.123456Z"
BODIES = [
    '"act":"start","outcome":"ok","detail":"stirkeep 0.1.0"',
    '"act":"sign","outcome":"ok","peer":{"uid":1000,"gid":1000,"pid":17},"request_id":"1",'
    '"grant":"kamailio","name":"Alpha","generation":1,"key_id":"%s","ppt":"shaken",'
    '"orig":"12155550100","dest":["12155550199","sip:a@example.com"],"attest":"B",'
    '"attest_asked":"A","origid":"123e4567-e89b-42d3-a456-426614174000","iat":1795678800,'
    '"sig":"%s"' % ("ab" * 32, "cd" * 32),
    '"act":"refuse","outcome":"not-permitted","reason":"no grant \\u0007 \\"x\\"","suppressed":3',
]


def line_of(sequence, body, previous):
    start = '{"seq":%d,"time":"%s",%s,"prev":"%s"' % (sequence, TIME, body, previous.hex())
    return start + ',"sum":"%s"}' % hashlib.sha256(start.encode()).digest()[:8].hex()


def leaf_hash(digest):
    return hashlib.sha256(b"\0" + digest).digest()


def root_of(digests):
    if len(digests) == 1:
        return leaf_hash(digests[0])
    half = 1
    while 2 * half < len(digests):
        half *= 2
    return hashlib.sha256(b"\1" + root_of(digests[:half]) + root_of(digests[half:])).digest()


def seal_body(first, through, head, root, signature, key_id):
    return ('"act":"seal","outcome":"ok","key_id":"%s","from":%d,"through":%d,"head":"%s",'
            '"root":"%s","sealed":"%s","seal":"%s"' % (key_id, first, through, head, root, TIME,
                                                       signature))


def signed(key, first, through, head, root, key_id):
    text = "stirkeep audit seal 1\n%d\n%d\n%s\n%s\n%s\n%s\n" % (first, through, head, root, TIME,
                                                                 key_id)
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return (r.to_bytes(32, "big") + s.to_bytes(32, "big")).hex()


def trails():
    key = key_of(1)  # whose public half audit_proof.c has
    spki = key.public_key().public_bytes(serialization.Encoding.DER,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)
    key_id = hashlib.sha256(spki).hexdigest()
    lines, digests = [], []

    def append(body):
        previous = digests[-1] if digests else bytes(32)
        lines.append(line_of(len(lines) + 1, body, previous))
        digests.append(hashlib.sha256(lines[-1].encode()).digest())

    for body in BODIES:
        append(body)
    head, root = digests[-1].hex(), root_of(digests).hex()
    append(seal_body(1, 3, head, root, signed(key, 1, 3, head, root, key_id), key_id))
    append(BODIES[0])
    trail = "".join(line + "\n" for line in lines)
    put("audit_trail", "sample-whole", "R" + trail)
    put("audit_trail", "sample-torn", "R" + trail[:-40])
    put("audit_trail", "sample-packed", b"R" + subprocess.run(
        ["zstd", "-q", "-c"], input=trail.encode(), stdout=subprocess.PIPE, check=True).stdout)
    bodies = BODIES + [seal_body(1, 3, "HEAD", "ROOT", "00" * 64, key_id), BODIES[0]]
    put("audit_trail", "made-sealed", "C" + "\n".join(bodies) + "\n")
    put("audit_trail", "made-continued", "C" + "\n".join(['"act":"continue"'] + BODIES) + "\n")
    for number, line in enumerate(lines):
        put("audit_line", "sample-%d" % number, line)
    path = [leaf_hash(digests[1]).hex(), leaf_hash(digests[2]).hex()]
    put("audit_proof", "sample-proof", json.dumps(
        {"stirkeep-audit-proof": 1, "record": lines[0], "path": path, "seal": lines[3]},
        separators=(",", ":")) + "\n")
    put("audit_proof", "sample-witness", lines[3] + "\ntorn" + lines[3][:50] + "\n")
    put("audit_record", "made-sign", b"\x1f" + "\n".join(
        ["sign", "ok", "", "", "Alpha", "shaken", "12155550100", "A", "", "origid", "/usr/bin/x",
         "kamailio", "", "", "12155550199", "sip:b@example.com"]).encode())
    put("audit_record", "made-awkward", b"\x04" + "\n".join(
        ["seal", "\u202e\u2028\x07\x85", "\x7f\t\"\\", "{}", "a", "b", "", "\U0010ffff"]).encode() +
        b"\n\xc0\x80\xff\xed\xa0\x80\n")


def images():
    """The head of an image without a rule, and one with two numbers; what is behind them anything."""
    def head(size, bits, ones, ranges, prefixes, rules):
        return (b"STKRULE\0" + (1).to_bytes(4, "little") + (1).to_bytes(4, "little") +
                b"".join(n.to_bytes(8, "little")
                         for n in (size, rules, 0x1234, bits, ones, ranges, prefixes)))

    for name, (size, bits, ones, ranges, prefixes) in {
            "none": (192, 0, 0, 0, 0), "ones": (256, 0, 2, 0, 0), "ranges": (448, 0, 0, 2, 0),
            "prefixes": (448, 0, 0, 0, 2)}.items():
        put("rules_image", "made-" + name,
            head(size, bits, ones, ranges, prefixes, ones + ranges + prefixes).ljust(128, b"\0") +
            (bytes(4) + ones.to_bytes(4, "little")).ljust(size - 128, b"\x11"))


def main():
    leaf, root = certificates()
    keys(leaf, root)
    uploads(leaf, root)
    passports()
    jsons()
    resolved(configurations())
    rules()
    texts()
    subjects()
    batch_lines()
    spools()
    controls()
    trails()
    images()


main()
