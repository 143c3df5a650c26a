# SPDX-License-Identifier: BSD-2-Clause
"""Texts that are right in few places or in none, by the field that they were made for."""
from reference import OWN_CLAIMS

# Planes and corners of Unicode, and what writers of JSON have stumbled over.
PLACES = ((0x20, 0x7e), (0xa0, 0xff), (0x300, 0x36f), (0x590, 0x6ff), (0x900, 0xdff),
          (0x2000, 0x206f), (0x4e00, 0x9fff), (0xe000, 0xf8ff), (0xfe00, 0xfeff), (0xfff0, 0xfffd),
          (0x10000, 0x10ffd), (0x1f300, 0x1faff), (0x20000, 0x2a6df), (0xe0001, 0xe007f),
          (0x10fff0, 0x10ffff))
PIECES = ('"', "\\", "/", "\u2028", "\u2029", "\u202e", "\u2066", "\ufeff", "\u0130", "\ufffe",
          "e\u0301", "\u1100\u1161\u11a8", "</script>", "%00", "\\u0041",
          "\U0001f469\u200d\U0001f4bb")
CONTROLS = [chr(code) for code in (*range(0, 0x20), *range(0x7f, 0xa0))]

NASTY = (
    "", " ", "x", "A", "0", "\0", "a\0b", "-", "*", ".", ";", '"', "\\", "\n", "null", "[]", "{}",
    ":", "+", "1" * 16, "1" * 300, "12155551212 ", "\t12155551212", "\u0661\u0662\u0663",
    "\uff11\uff12", "1..2", "1.2.",
    # for URIs
    "sip:", "sip:\u00e9@x", "sip:a b", "sip:%zz", "sip:%2", "sip:%2g", "sip:a%", "1sip:x",
    "sip:" + "a" * 252, "sip:" + "a" * 253, "javascript:alert(1)",
    "tel:+12155551212", "sip:+12155551212@x", "sip:12155551212@x", "sip:1@x;user=phone",
    "sips:%2B1@x", "sip:1;phone-context=+1@x", "sip:a@x;USER=%70hone", "https://", "https://?x",
    "http://x",
    # for names and readable texts
    "x" * 5000, "\U0001f600" * 200, "psap-callback ", "ets", "ets.", ".0", "ets.0.1", "shaken",
    "BASE", "A\u200b")

PPTS = ("", "base", "other", "Shaken", "SHAKEN", "shaken ", "div", "div-o", "rph", "rcd", "shaken",
        "msec", "Div-O", "x" * 17, "x" * 16, "1x", "\u0455haken")
UUID = "123e4567-e89b-12d3-a456-426655440000"
UUIDS = (UUID, UUID.upper(), "{" + UUID + "}", UUID.replace("-", ""), UUID[:-1], UUID + "0",
         UUID.replace("1", "g"), UUID[:9] + "-" + UUID[10:], "urn:uuid:" + UUID,
         *(UUID[:place] + "0" + UUID[place + 1:] for place in (8, 13, 18, 23)),
         "00000000-0000-0000-0000-000000000000")
INDICES = ("1", "1.2.3", "0", "01.1", "1.", ".1", "1..1", "1.a", "1 ", "-1", "1,1", "1" * 64,
           "1" * 65)
R_VALUES = ("ets.0", "ets.0.1", "ets", "ets.", ".0", "e ts.0", "ets:0", "ets.0 ", "\u00e9ts.0",
            "-!%*_+`'~.-!%*_+`'~", "ets/x.0", "q735.4\n")
DIGS = ("00" * 32, "0" * 63, "00" * 33, ":" * 64, "00:" * 32, ":" + "00" * 32,
        "0:0" + "00" * 31, "g0" * 32, ":".join(["aB"] * 32), "::".join(["00"] * 32))
POINTERS = ("", "/", "nam", "/nam", "/nam/0", "/nam/", "/jcd", "/jcd/2", "/jcd/01", "/jcd/-",
            "/jcd/1/0/1/x", "/jcl", "/jcl/", "/jclx", "/icn", "/icn#", "/apn", "/x", "/~",
            "/nam~2", "/n~0am", "/jcl/~", "/jcl/\x01", "/jcl/" + "a" * 130)
BAD_DIGESTS = ("", "sha256-", "sha1-" + "A" * 28, "sha256-" + "A" * 42 + "B=",
               "sha256-" + "_" * 43 + "=", "SHA256-" + "A" * 43 + "=", "sha384-" + "A" * 43 + "=",
               "sha256-" + "A" * 43 + "=", "sha256-" + "A" * 43)

JSON_TEXTS = (
    # no JSON
    "{", "{,}", '{"a" 1}', "{'a':1}", '{"a":1,}', "{}x", "\ufeff{}", "\v{}", "/**/{}", '{"a":tru}',
    '{"a":True}', '{"a":"\x01"}', r'{"a":"\x"}', r'{"a":"\u12g4"}', "[" * 5000, '{"a":' * 3000,
    # JSON, but no object
    "[]", "null", '"x"',
    # a key twice
    '{"a":1,"a":2}', r'{"a":1,"\u0061":2}',
    # numbers
    '{"a":1.0}', '{"a":1e3}', '{"a":01}', '{"a":+1}', '{"a":-}', '{"a":--1}', '{"a":0x1}',
    '{"a":NaN}', '{"a":Infinity}', '{"a":-0}', '{"a":9007199254740991}', '{"a":9007199254740992}',
    '{"a":-9007199254740991}', '{"a":-9007199254740992}', '{"a":1' + "0" * 400 + "}",
    # characters
    r'{"a":"\u0000"}', r'{"\u0000":1}', r'{"a":"\ud800"}', r'{"a":"\udc00\ud800"}',
    r'{"a":"\udc00\udc01"}', r'{"a":"\ud800\ud801"}', r'{"a":"\ud83d"}', r'{"a":"\ud83d\ude0"}',
    r'{"a":"\ud83d\u0041"}', r'{"a":"\ud83d\ude00"}', r'{"a":"\/"}', r'{"a":"\u007f\u0080"}',
    # names, and their order
    '{"":1}', '{"\x7f":1}', '{"~":1}', '{"!":1}', '{"\u00e9":1}', '{"a":{"":{"\u00e9":null}}}',
    '{"b":1,"a":2,"B":3,"aa":4}', '{"a":{"\ue000":1,"\U00010000":2,"\ud7ff":3}}',
    # names of claims that have a field
    *(f'{{"{name}":"A"}}' for name in sorted(OWN_CLAIMS)), r'{"\u0069at":1}', '{"iat ":1}',
    '{"Iat":1}', '{"orig":{"tn":"1"}}',
    # depth and size
    '{"a":' + "[" * 7 + "]" * 7 + "}", '{"a":' + "[" * 8 + "]" * 8 + "}",
    '{"a":' * 8 + "1" + "}" * 8, '{"a":' * 9 + "1" + "}" * 9, '{"a":"' + "x" * 16376 + '"}',
    '{"a":"' + "x" * 16377 + '"}', '{"a":[' + "1," * 1000 + "1]}", '{"a":1}\n',
    # jCards
    '["vcard"]', '["vcard",[]]', '["vcard",{}]', '["vcard",[["fn",{},"text"]]]',
    '["vcard",[["fn",{},"text",null]]]', '["vcard",[["fn",{},"text",{}]]]',
    '["vcard",[["fn",{},"text",[[["x"]]]]]]', '["vcard",[["fn",{"a":1},"text","x"]]]',
    '["vcard",[["fn",[],"text","x"]]]', '["VCARD",[["fn",{},"text","x"]]]',
    '["vcard",[["fn",{},"text","x"]],1]', '["vcard",[["fn",{},"text","' + "x" * 8300 + '"]]]',
    '["vcard",[["fn",{},"text",[["x"],[]],[]]]]', '["vcard",[["l",{},"uri","HTTPS://x"]]]')
