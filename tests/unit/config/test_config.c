/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/process.h"
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void the_smallest_configuration_has_the_documented_defaults(void **state)
{
    struct stk_config *config = good("[token]\nlabel = stirkeep\n");
    (void)state;

    assert_string_equal(config->token.module, "/usr/lib/softhsm/libsofthsm2.so");
    assert_string_equal(config->token.label, "stirkeep");
    assert_string_equal(config->token.pin_file, "/etc/stirkeep/pin");
    assert_string_equal(config->token.directory, "");
    assert_int_equal(config->token.sessions, 0);
    assert_int_equal(stk_config_signers(config), stk_process_processors() + 1);
    assert_int_equal(config->token.call_timeout_ms, 2000);
    assert_int_equal(config->token.open_timeout_ms, 60000);
    assert_false(config->token.verify_sampled);
    assert_false(config->token.require_hardware);
    assert_null(config->token.environment[0]);
    assert_string_equal(config->sockets.sign, "/run/stirkeep/sign.sock");
    assert_string_equal(config->sockets.admin, "/run/stirkeep/admin.sock");
    assert_int_equal(config->sockets.client_timeout_ms, 10000);
    assert_string_equal(config->storage.catalog, "/var/lib/stirkeep/catalog.db");
    assert_string_equal(config->storage.spool, "");
    assert_string_equal(config->audit.file, "/var/log/stirkeep/audit.jsonl");
    assert_int_equal(config->audit.sync, STK_SYNC_INTERVAL);
    assert_int_equal(config->audit.seal_records, 100000);
    assert_int_equal(config->audit.seal_seconds, 10);
    assert_string_equal(config->audit.witness, "");
    assert_string_equal(config->audit.witness_command, "");
    assert_int_equal(config->audit.rotate_size, 256 * 1024 * 1024);
    assert_int_equal(config->audit.rotate_age_s, 0);
    assert_true(config->audit.compress);
    assert_false(config->audit.numbers_hashed);
    assert_string_equal(config->audit.number_key, "");
    assert_string_equal(config->signing.x5u_template, "");
    assert_int_equal(config->signing.deadline_ms, 500);
    assert_int_equal(config->signing.iat_window_s, 60);
    assert_int_equal(config->signing.tn_digits, 15);
    assert_int_equal(config->signing.profile, STK_PROFILE_STRICT);
    assert_int_equal(config->lock_down.require, STK_REQUIRE_SECCOMP);
    assert_int_equal(config->lock_down.keeper, STK_KEEPER_STRICT);
    assert_string_equal(config->lock_down.module_paths, "");
    assert_string_equal(config->attestation.file, "");
    assert_false(config->attestation.lower);
    assert_int_equal(config->attestation.otherwise, STK_LEVEL_NONE);
    assert_null(config->attestation.inline_);
    assert_int_equal(config->attestation.inline_count, 0);
    assert_int_equal(config->admin.user_count, 1);
    assert_int_equal(config->admin.users[0], 0);
    assert_false(config->rooms.given[STK_ROOM_FRONT]);
    assert_non_null(config->policy);
    stk_config_free(config);
    stk_config_free(NULL);
}

static void every_key_arrives_where_it_belongs(void **state)
{
    struct stk_config *config =
        good("[token]\nmodule=/m.so\nlabel=My token\npin-file=\ndirectory=/t\nsessions=4\n"
             "call-timeout-ms=50\nrequire-hardware=yes\n"
             "open-timeout-ms=1000\nverify-signatures=sampled\n"
             "[token-environment]\nSOFTHSM2_CONF = /etc/x=y.conf\nEMPTY =\n"
             "[sockets]\nsign=/s\nadmin=/a\nclient-timeout-ms=600000\n"
             "[storage]\ncatalog=/c\nspool=/d\n[audit]\nfile=/f\nsync=always\n"
             "seal-records=7\nseal-seconds=8\nwitness=/w\nwitness-command=/bin/tee -a /x\n"
             "rotate-size=3G\nrotate-age=36h\ncompress=no\nnumbers=hashed\nnumber-key=/k\n"
             "[signing]\nx5u-template=https://c.example.com/{name}/{fingerprint}.pem\n"
             "deadline-ms=10\niat-window-s=5\ntn-digits=11\n[import]\nprofile=test\n[admin]\nuser="
             "root, 1234\n"
             "[rooms]\nfront-user=60001\nintake-user=60002\nkeeper-user=60003\n"
             "[lock-down]\nrequire=nothing\nkeeper=module\nmodule-paths=/dev/hsm, /opt/hsm\n"
             "[attestation]\nfile=/r.csv\ndefault=B\nexceed=lower\n");
    (void)state;

    assert_string_equal(config->token.module, "/m.so");
    assert_string_equal(config->token.label, "My token");
    assert_string_equal(config->token.pin_file, "");
    assert_string_equal(config->token.directory, "/t");
    assert_int_equal(config->token.sessions, 4);
    assert_int_equal(stk_config_signers(config), 4);
    assert_int_equal(config->token.call_timeout_ms, 50);
    assert_true(config->token.require_hardware);
    assert_int_equal(config->token.open_timeout_ms, 1000);
    assert_true(config->token.verify_sampled);
    assert_string_equal(config->token.environment[0], "SOFTHSM2_CONF=/etc/x=y.conf");
    assert_string_equal(config->token.environment[1], "EMPTY=");
    assert_null(config->token.environment[2]);
    assert_string_equal(config->sockets.sign, "/s");
    assert_string_equal(config->sockets.admin, "/a");
    assert_int_equal(config->sockets.client_timeout_ms, 600000);
    assert_string_equal(config->storage.catalog, "/c");
    assert_string_equal(config->storage.spool, "/d");
    assert_string_equal(config->audit.file, "/f");
    assert_int_equal(config->audit.sync, STK_SYNC_ALWAYS);
    assert_int_equal(config->audit.seal_records, 7);
    assert_int_equal(config->audit.seal_seconds, 8);
    assert_string_equal(config->audit.witness, "/w");
    assert_string_equal(config->audit.witness_command, "/bin/tee -a /x");
    assert_int_equal(config->audit.rotate_size, 3221225472);
    assert_int_equal(config->audit.rotate_age_s, 129600);
    assert_false(config->audit.compress);
    assert_true(config->audit.numbers_hashed);
    assert_string_equal(config->audit.number_key, "/k");
    assert_int_equal(config->signing.deadline_ms, 10);
    assert_int_equal(config->signing.iat_window_s, 5);
    assert_int_equal(config->signing.tn_digits, 11);
    assert_int_equal(config->lock_down.require, STK_REQUIRE_NOTHING);
    assert_int_equal(config->lock_down.keeper, STK_KEEPER_MODULE);
    assert_string_equal(config->lock_down.module_paths, "/dev/hsm,/opt/hsm");
    assert_string_equal(config->attestation.file, "/r.csv");
    assert_int_equal(config->attestation.otherwise, STK_LEVEL_B);
    assert_true(config->attestation.lower);
    assert_int_equal(config->signing.profile, STK_PROFILE_TEST);
    assert_int_equal(config->admin.user_count, 2);
    assert_int_equal(config->admin.users[1], 1234);
    assert_true(config->rooms.given[STK_ROOM_KEEPER]);
    assert_int_equal(config->rooms.uid[STK_ROOM_FRONT], 60001);
    assert_int_equal(config->rooms.gid[STK_ROOM_FRONT], 60001);
    assert_int_equal(config->rooms.uid[STK_ROOM_KEEPER], 60003);
    stk_config_free(config);
}

static void sizes_and_ages_have_units_and_ends(void **state)
{
    static const struct {
        const char *size;
        uint64_t bytes;
    } sizes[] = {{"0", 0},
                 {"16384", 16384},
                 {"16K", 16384},
                 {"1M", 1048576},
                 {"1G", 1073741824},
                 {"1024G", 1099511627776},
                 {"1099511627776", 1099511627776}};
    static const struct {
        const char *age;
        uint64_t seconds;
    } ages[] = {{"0", 0}, {"1s", 1}, {"90m", 5400}, {"24h", 86400}, {"3650d", 315360000}};
    (void)state;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char text[128] = "";
        struct stk_config *config = NULL;

        (void)snprintf(text, sizeof(text), "[token]\nlabel=t\n[audit]\nrotate-size=%s\n",
                       sizes[i].size);
        config = good(text);
        assert_int_equal(config->audit.rotate_size, sizes[i].bytes);
        stk_config_free(config);
    }
    for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        char text[128] = "";
        struct stk_config *config = NULL;

        (void)snprintf(text, sizeof(text), "[token]\nlabel=t\n[audit]\nrotate-age=%s\n",
                       ages[i].age);
        config = good(text);
        assert_int_equal(config->audit.rotate_age_s, ages[i].seconds);
        stk_config_free(config);
    }
}

static void the_trail_is_no_witness_of_itself(void **state)
{
    (void)state;

    bad("[token]\nlabel = t\n[audit]\nwitness = /f\nfile = /f\n",
        "conf:4: [audit] witness: is the trail itself");
}

static void a_key_for_numbers_that_are_not_hashed_is_refused(void **state)
{
    (void)state;

    bad("[token]\nlabel = t\n[audit]\nnumber-key = /k\nsync = none\n",
        "conf:4: [audit] number-key: decides nothing: numbers are written as they are (numbers = "
        "plain)");
    stk_config_free(good("[token]\nlabel = t\n[audit]\nnumber-key = /k\nnumbers = hashed\n"));
    stk_config_free(good("[token]\nlabel = t\n[audit]\nnumber-key =\nnumbers = plain\n"));
}

static void what_is_not_known_is_refused_with_its_line(void **state)
{
    (void)state;

    bad("[token]\nlabel = t\n[tokem]\n", "conf:3: [tokem]: no such section");
    bad("[token]\nlabel = t\nlable = u\n", "conf:3: [token] lable: no such key");
    bad("[Token]\nlabel = t\n", "conf:1: [Token]: no such section");
    bad("[token]\nlabel = t\n[grant k]\norigin = 1*\n", "conf:4: [grant k] origin: no such key");
    bad("[token]\nlabel = t\n[grant k]\nlevel = A\n", "conf:4: [grant k] level: no such key");
    bad("[token]\nlabel = t\n[certificate k]\nuser = 5\n",
        "conf:4: [certificate k] user: no such key");
    bad("[token]\nlabel = t\n[attest 1*]\nattest = A\n", "conf:4: [attest 1*] attest: no such key");
    bad("[token]\nlabel = t\n[attestation]\nlevel = A\n",
        "conf:4: [attestation] level: no such key");
    bad("label = t\n", "conf:1: label: before the first [section]");
    bad("[token]\nlabel = t\n[grants x]\n", "conf:3: [grants x]: no such section");
    bad("[token]\n\n\njust words\nlabel = t\n",
        "conf:4: neither \"key = value\" nor \"[section]\" nor a comment");
}

static void what_is_given_twice_is_refused(void **state)
{
    (void)state;

    bad("[token]\nlabel = t\nlabel = t\n", "conf:3: [token] label: given twice (first in line 2)");
    bad("[token]\nlabel = t\n[audit]\nsync = none\n[token]\nsessions = 1\n",
        "conf:5: [token]: a second one (the first is in line 1)");
    bad("[token]\nlabel = t\n[token-environment]\nA = 1\nA = 2\n",
        "conf:5: [token-environment] A: given twice");
    bad("[token]\nlabel = t\n[grant k]\nuser = 1\ncertificates = a\nattest = A\nuser = 2\n",
        "conf:7: [grant k] user: given twice (first in line 4)");
    bad("[token]\nlabel = t\n[grant k]\nuser = 1\ncertificates = a\nattest = A\n"
        "[grant k]\nuser = 1\ncertificates = a\nattest = A\n",
        "conf:7: [grant k]: a second one (the first is in line 3)");
    bad("[token]\nlabel = t\n[attestation]\nfile = /a\n[attestation]\nexceed = lower\n",
        "conf:5: [attestation]: a second one (the first is in line 3)");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;

    bad("", "conf:1: [token] label: missing");
    bad("[audit]\nsync = none\n", "conf:2: [token] label: missing");
    bad("\n[token]\nsessions = 1\n[audit]\n", "conf:2: [token] label: missing");
    bad("[token]\nlabel = t\n[grant k]\nuser = 1\nattest = A\n",
        "conf:3: [grant k] certificates: missing");
    bad("[token]\nlabel = t\n[grant k]\ncertificates = a\nattest = A\n",
        "conf:3: [grant k]: names nobody: no user, group, executable or unit");
    bad("[token]\nlabel = t\n[grant k]\nuser = 1\ncertificates = a\n\n[audit]\n",
        "conf:3: [grant k]: attest: missing (a grant for shaken says which of A, B, C)");
    bad("[token]\nlabel = t\n[grant]\nuser = 1\ncertificates = a\nattest = A\n",
        "conf:3: [grant]: without its NAME");
    bad("[token]\nlabel = t\n[grant ]\n", "conf:3: [grant ]: without its NAME");
    bad("[token]\nlabel = t\n[grant a b]\nuser = 1\ncertificates = a\nattest = A\n",
        "conf:3: [grant a b]: the grant's name: 1-64 of A-Z a-z 0-9 . _ -, first a letter or "
        "digit");
}

#define ROTATE_SIZE                                                                                \
    "[audit] rotate-size: neither 0 nor a number of bytes, or of K, M or G, from 16K to 1024G: "
#define ROTATE_AGE                                                                                 \
    "[audit] rotate-age: neither 0 nor a number of seconds, minutes, hours or days with its s, "   \
    "m, "                                                                                          \
    "h or d: "

static void bad_values_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *line;
        const char *reason;
    } cases[] = {
        {"[token]\nmodule = lib.so", "[token] module: a relative path: lib.so"},
        {"[token]\nmodule =", "[token] module: empty"},
        {"[token]\nlabel =", "[token] label: empty"},
        {"[token]\nlabel = 012345678901234567890123456789012",
         "[token] label: longer than 32 characters"},
        {"[token]\npin-file = ./pin", "[token] pin-file: a relative path: ./pin"},
        {"[token]\ndirectory = /t/", "[token] directory: ends with '/': /t/"},
        {"[token]\nsessions = -1", "[token] sessions: not a number from 0 to 128: -1"},
        {"[token]\nsessions = 129", "[token] sessions: not a number from 0 to 128: 129"},
        {"[token]\nsessions = 4294967296",
         "[token] sessions: not a number from 0 to 128: 4294967296"},
        {"[token]\nsessions = 18446744073709551617",
         "[token] sessions: not a number from 0 to 128: 18446744073709551617"},
        {"[token]\nsessions = 1x", "[token] sessions: not a number from 0 to 128: 1x"},
        {"[token]\nsessions = 0x1", "[token] sessions: not a number from 0 to 128: 0x1"},
        {"[token]\nsessions = 1 2", "[token] sessions: not a number from 0 to 128: 1 2"},
        {"[token]\nsessions =", "[token] sessions: empty"},
        {"[token]\ncall-timeout-ms = 0",
         "[token] call-timeout-ms: not a number from 50 to 600000: 0"},
        {"[token]\nopen-timeout-ms = 999",
         "[token] open-timeout-ms: not a number from 1000 to 3600000: 999"},
        {"[token]\nverify-signatures = never",
         "[token] verify-signatures: neither always nor sampled: never"},
        {"[token]\nrequire-hardware = maybe",
         "[token] require-hardware: neither yes nor no: maybe"},
        {"[sockets]\nsign = sign.sock", "[sockets] sign: a relative path: sign.sock"},
        {"[sockets]\nsign = /x\nadmin = /x", "[sockets] admin: the same path as sign"},
        {"[audit]\nsync = sometimes", "[audit] sync: none of always, interval, none: sometimes"},
        {"[audit]\nseal-records = 0", "[audit] seal-records: not a number from 1 to 1000000: 0"},
        {"[audit]\nseal-seconds = 86401",
         "[audit] seal-seconds: not a number from 1 to 86400: 86401"},
        {"[audit]\nwitness = w", "[audit] witness: a relative path: w"},
        {"[audit]\nwitness-command = logger -t x",
         "[audit] witness-command: does not begin with an absolute path: logger -t x"},
        {"[audit]\nrotate-size = 16383", ROTATE_SIZE "16383"},
        {"[audit]\nrotate-size = 1025G", ROTATE_SIZE "1025G"},
        {"[audit]\nrotate-size = 18446744073709551617", ROTATE_SIZE "18446744073709551617"},
        {"[audit]\nrotate-size = 17179869185G", ROTATE_SIZE "17179869185G"},
        {"[audit]\nrotate-size = 1m", ROTATE_SIZE "1m"},
        {"[audit]\nrotate-size = 1MB", ROTATE_SIZE "1MB"},
        {"[audit]\nrotate-size = M", ROTATE_SIZE "M"},
        {"[audit]\nrotate-size = -1M", ROTATE_SIZE "-1M"},
        {"[audit]\nrotate-size =", "[audit] rotate-size: empty"},
        {"[audit]\nrotate-age = 7", ROTATE_AGE "7"},
        {"[audit]\nrotate-age = 1w", ROTATE_AGE "1w"},
        {"[audit]\nrotate-age = 3651d", ROTATE_AGE "3651d"},
        {"[audit]\ncompress = zstd", "[audit] compress: neither yes nor no: zstd"},
        {"[audit]\nnumbers = secret", "[audit] numbers: neither plain nor hashed: secret"},
        {"[audit]\nnumber-key = k", "[audit] number-key: a relative path: k"},
        {"[import]\nprofile = lax", "[import] profile: neither strict nor test: lax"},
        {"[lock-down]\nrequire = yes",
         "[lock-down] require: none of nothing, seccomp, landlock: yes"},
        {"[lock-down]\nkeeper = lax", "[lock-down] keeper: neither strict nor module: lax"},
        {"[lock-down]\nmodule-paths = /a, b", "[lock-down] module-paths: a relative path: b"},
        {"[lock-down]\nmodule-paths = /a,, /b",
         "[lock-down] module-paths: an empty item between commas"},
        {"[signing]\ndeadline-ms = 9", "[signing] deadline-ms: not a number from 10 to 60000: 9"},
        {"[signing]\ntn-digits = 0", "[signing] tn-digits: not a number from 1 to 15: 0"},
        {"[signing]\ntn-digits = 16", "[signing] tn-digits: not a number from 1 to 15: 16"},
        {"[signing]\ntn-digits =", "[signing] tn-digits: empty"},
        {"[attestation]\nfile = a.csv", "[attestation] file: a relative path: a.csv"},
        {"[attestation]\ndefault = D", "[attestation] default: none of A, B, C, none: D"},
        {"[attestation]\ndefault = a", "[attestation] default: none of A, B, C, none: a"},
        {"[attestation]\ndefault =", "[attestation] default: empty"},
        {"[attestation]\nexceed = raise", "[attestation] exceed: neither refuse nor lower: raise"},
        {"[attestation]\nexceed =", "[attestation] exceed: empty"},
        {"[signing]\nx5u-template = https://a.example/x.pem",
         "[signing] x5u-template: has neither {name} nor {fingerprint}: all certificates would "
         "have the same URL"},
        {"[admin]\nuser = no-such-user-here", "[admin] user: no such user: no-such-user-here"},
        {"[admin]\nuser =", "[admin] user: empty"},
        {"[admin]\nuser = root,,1", "[admin] user: an empty item between commas"},
        {"[admin]\nuser = 4294967295", "[admin] user: not a user number: 4294967295"},
        {"[admin]\nuser = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
         "[admin] user: more than 16 users"},
        {"[rooms]\nfront-user = root", "[rooms] front-user: root may not be a room's user"},
        {"[rooms]\nfront-user = 60001\nkeeper-user = 60001",
         "[rooms] keeper-user: is another room's user already: 60001"},
        {"[token-environment]\n9A = x",
         "[token-environment] 9A: not the name of an environment variable"},
        {"[token-environment]\nPATH = /x", "[token-environment] PATH: is set by stirkeepd itself"},
        {"[grant k]\ngroup = no-such-group-here",
         "[grant k] group: no such group: no-such-group-here"},
        {"[grant k]\ncertificates = A b",
         "[grant k] certificates: \"A b\": a character that no certificate name has"},
        {"[grant k]\nattest = D", "[grant k] attest: none of A, B, C: D"},
        {"[grant k]\nattest = AB", "[grant k] attest: none of A, B, C: AB"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512] = "";
        char message[512] = "";
        unsigned line = 1;

        /* The bad key stands last, in the line that the message names. */
        (void)snprintf(text, sizeof(text), "%s\n", cases[i].line);
        for (const char *at = cases[i].line; *at != '\0'; at++)
            line += *at == '\n';
        if (strstr(cases[i].reason, "same path") != NULL) {
            (void)snprintf(text, sizeof(text), "[token]\nlabel = t\n%s\n", cases[i].line);
            line += 2;
        }
        (void)snprintf(message, sizeof(message), "conf:%u: %s", line, cases[i].reason);
        bad(text, message);
    }
}

static void an_x5u_template_must_give_an_x5u(void **state)
{
    char text[1024] = "";
    struct stk_config *config = NULL;
    struct stk_error error = {0};
    static const char *const templates[] = {
        "http://a.example/{name}.pem",       "https://a.example/{name}?x=1",
        "https://a.example:8080/{name}",     "https://u@a.example/{name}",
        "https://a.example/{name}/{serial}", "{name}",
        "https://a.example/{name}#f",        "https://{name}.example/a.pem",
        "https://a.{fingerprint}/{name}",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
        (void)snprintf(text, sizeof(text), "[token]\nlabel=t\n[signing]\nx5u-template = %s\n",
                       templates[i]);
        assert_int_equal(stk_config_parse(text, strlen(text), "conf", &config, &error),
                         STIRKEEP_CONFIG);
        assert_int_equal(strncmp(error.message, "conf:4: [signing] x5u-template: ", 32), 0);
    }
    bad("[token]\nlabel=t\n[signing]\nx5u-template = https://a.example/"
        "{name}{name}{name}{name}{name}{name}{name}{name}\n",
        "conf:4: [signing] x5u-template: gives a URL longer than 512 characters");
}

static void an_x5u_is_made_from_the_template(void **state)
{
    char x5u[STK_X5U_MAX + 1] = "untouched";
    (void)state;

    assert_int_equal(stk_config_x5u("https://a/{name}/{fingerprint}.pem{", "Al", "ff", x5u),
                     STIRKEEP_OK);
    assert_string_equal(x5u, "https://a/Al/ff.pem{");
    /* What is put in is not looked at again. */
    assert_int_equal(stk_config_x5u("{name}", "{fingerprint}", "ff", x5u), STIRKEEP_OK);
    assert_string_equal(x5u, "{fingerprint}");
    {
        char longest[STK_X5U_MAX + 2] = "";

        memset(longest, 'a', STK_X5U_MAX);
        assert_int_equal(stk_config_x5u(longest, "n", "f", x5u), STIRKEEP_OK);
        assert_string_equal(x5u, longest);
        longest[STK_X5U_MAX] = 'a';
        assert_int_equal(stk_config_x5u(longest, "n", "f", x5u), STIRKEEP_TOO_LARGE);
    }
}

static void bytes_that_an_editor_leaves_are_read_as_meant(void **state)
{
    struct stk_config *config =
        good("\xef\xbb\xbf; with a byte order mark\r\n[token] ; the token\r\n"
             "   label = my token   ; indented\r\n\r\n\t# note\r\n"
             "[audit]\r\n  sync : none\r\n  file = /a;b\r\n  ");
    (void)state;

    assert_string_equal(config->token.label, "my token");
    assert_int_equal(config->audit.sync, STK_SYNC_NONE);
    assert_string_equal(config->audit.file, "/a;b");
    stk_config_free(config);
}

static void nothing_is_cut_in_silence(void **state)
{
    char text[1024] = "[token]\nlabel = ";
    size_t length = strlen(text);
    (void)state;

    memset(text + length, ' ', 400);
    memcpy(text + length + 400, "t\n", 3);
    bad(text,
        "conf:2: longer than 196 characters (a list may go on in an indented line after a comma)");
    bad_bytes("[token]\nlabel = t\0x\n", 20, "conf:2: a control character (0x00) in column 10");
    bad("[token]\nlabel = t\x1b[1m\n", "conf:2: a control character (0x1b) in column 10");
    bad("[token]\rlabel = t\n", "conf:1: a control character (0x0d) in column 8");
    bad("[token\nlabel = t\n", "conf:1: a section without its ']'");
    bad("[token] label = t\n", "conf:1: text behind a section's ']'");
    bad("[token]\nlabel = t\n[sockets]\nsign = /s,\n  admin = /a\n",
        "conf:5: [sockets] sign: ends with a comma and is followed by an indented line: it is no "
        "list");
    bad("[token]\nlabel = t\n[admin]\nuser = 1\n  2\n",
        "conf:5: neither \"key = value\" nor \"[section]\" nor a comment");
    {
        char deep[256] = "[token]\nlabel=t\n[sockets]\nsign=/";
        char message[160] = "";

        memset(deep + strlen(deep), 'x', 107);
        (void)snprintf(message, sizeof(message),
                       "conf:4: [sockets] sign: longer than the 107 characters that a socket's "
                       "path may have");
        bad(deep, message);
    }
}

static void a_long_comment_and_a_long_grant_name_are_no_trouble(void **state)
{
    char text[2048] = "[token]\nlabel = t\n# ";
    char name[STK_GRANT_NAME_MAX + 2] = "";
    size_t length = strlen(text);
    struct stk_config *config = NULL;
    (void)state;

    memset(name, 'g', STK_GRANT_NAME_MAX);
    memset(text + length, 'c', 900);
    length += 900;
    (void)snprintf(text + length, sizeof(text) - length,
                   "\n[grant %s]\nuser=1\ncertificates=a\nattest=A\n"
                   "[grant %.*sh]\nuser=1\ncertificates=b\nattest=A\n",
                   name, STK_GRANT_NAME_MAX - 1, name);
    config = good(text);
    stk_config_free(config);
    name[STK_GRANT_NAME_MAX] = 'g';
    (void)snprintf(text, sizeof(text), "[token]\nlabel=t\n[grant %s]\n", name);
    {
        char message[256] = "";
        (void)snprintf(message, sizeof(message),
                       "conf:3: [grant %s]: the grant's name is longer than 64 characters", name);
        bad(text, message);
    }
}

static void the_first_fault_of_several_is_told(void **state)
{
    (void)state;

    bad("[token]\nlabel = t\nwords\nsessions = x\n",
        "conf:3: neither \"key = value\" nor \"[section]\" nor a comment");
    bad("[token]\nsessions = x\nwords\n[nowhere]\n",
        "conf:2: [token] sessions: not a number from 0 to 128: x");
}

static void a_file_of_any_size_and_garbage_is_refused(void **state)
{
    size_t length = STK_CONFIG_MAX + 1;
    char *text = malloc(length);
    char message[64] = "";
    unsigned seed = 7;
    (void)state;

    assert_non_null(text);
    memset(text, '\n', length);
    (void)snprintf(message, sizeof(message), "conf:1: larger than %d bytes", STK_CONFIG_MAX);
    bad_bytes(text, length, message);
    for (int round = 0; round < 300; round++) {
        struct stk_config *config = NULL;
        struct stk_error error = {0};
        static const char alphabet[] = "[]=;#, \t\n\r\\abgrantoken*/{}\"\xef\xbb\xbf\x01";

        for (size_t i = 0; i < 600; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        assert_int_equal(stk_config_parse(text, 600, "conf", &config, &error), STIRKEEP_CONFIG);
        assert_int_equal(strncmp(error.message, "conf:", 5), 0);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_configuration_has_the_documented_defaults),
        cmocka_unit_test(every_key_arrives_where_it_belongs),
        cmocka_unit_test(sizes_and_ages_have_units_and_ends),
        cmocka_unit_test(the_trail_is_no_witness_of_itself),
        cmocka_unit_test(a_key_for_numbers_that_are_not_hashed_is_refused),
        cmocka_unit_test(what_is_not_known_is_refused_with_its_line),
        cmocka_unit_test(what_is_given_twice_is_refused),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(bad_values_are_refused_with_the_reason),
        cmocka_unit_test(an_x5u_template_must_give_an_x5u),
        cmocka_unit_test(an_x5u_is_made_from_the_template),
        cmocka_unit_test(bytes_that_an_editor_leaves_are_read_as_meant),
        cmocka_unit_test(nothing_is_cut_in_silence),
        cmocka_unit_test(a_long_comment_and_a_long_grant_name_are_no_trouble),
        cmocka_unit_test(the_first_fault_of_several_is_told),
        cmocka_unit_test(a_file_of_any_size_and_garbage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
