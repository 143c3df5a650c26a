/* SPDX-License-Identifier: BSD-2-Clause */
#include "parse.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the system's database of users: these stand in for the C library's */

static unsigned asked;
static int trouble;   /* what every look-up fails with */
static size_t needed; /* bytes for an entry; a smaller buffer is too small */

static bool may_answer(size_t length, int *ret_code)
{
    asked++;
    *ret_code = trouble != 0 ? trouble : length < needed ? ERANGE : 0;
    return *ret_code == 0;
}

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t length,
               struct passwd **ret_found)
{
    int code = 0;
    (void)buffer;

    *ret_found = NULL;
    if (may_answer(length, &code) && strcmp(name, "nil") == 0) {
        *entry = (struct passwd){.pw_uid = (uid_t)-1};
        *ret_found = entry;
    } else if (code == 0 && (strcmp(name, "root") == 0 || strcmp(name, "kam") == 0)) {
        *entry =
            (struct passwd){.pw_uid = name[0] == 'r' ? 0 : 998, .pw_gid = name[0] == 'r' ? 0 : 997};
        *ret_found = entry;
    }
    return code;
}

int getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t length,
               struct passwd **ret_found)
{
    int code = 0;
    (void)buffer;

    *ret_found = NULL;
    if (may_answer(length, &code) && uid == 1234) {
        *entry = (struct passwd){.pw_uid = 1234, .pw_gid = 4321};
        *ret_found = entry;
    }
    return code;
}

int getgrnam_r(const char *name, struct group *entry, char *buffer, size_t length,
               struct group **ret_found)
{
    int code = 0;
    (void)buffer;

    *ret_found = NULL;
    if (may_answer(length, &code) && strcmp(name, "voice") == 0) {
        *entry = (struct group){.gr_gid = 1};
        *ret_found = entry;
    }
    return code;
}

/* ---- */

static const char sample[] =
    "[token]\nlabel = t\n[admin]\nuser = root, 1234\n[rooms]\nfront-user = 60001\n"
    "[grant one]\nuser = root, kam\ngroup = voice, 77\ncertificates = a\nattest = A\n"
    "orig = 1415*, sip:*\n[certificate a]\nrate = 5\n[attest 1*]\nlevel = B\n";

static struct stk_config *resolved(const char *text, struct stk_buffer *ret_resolved)
{
    struct stk_config *config = NULL;
    struct stk_error error = {0};

    if (stk_config_resolve(text, strlen(text), "conf", &config, ret_resolved, &error) !=
        STIRKEEP_OK)
        fail_msg("%s", error.message);
    return config;
}

static struct stk_config *taken(const char *text, size_t length)
{
    struct stk_config *config = NULL;
    struct stk_error error = {0};

    if (stk_config_parse_resolved(text, length, "room", &config, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return config;
}

static void refused(const char *text, size_t length, enum stirkeep_status status,
                    const char *message)
{
    struct stk_config *config = NULL;
    struct stk_error error = {0};

    assert_int_equal(stk_config_parse_resolved(text, length, "room", &config, &error), status);
    assert_null(config);
    assert_int_equal(error.status, status);
    assert_string_equal(error.message, message);
    assert_int_equal(stk_config_parse_resolved(text, length, "room", &config, NULL), status);
}

/* A head, and the smallest configuration with something behind it. */
static char *compose(const char *head, const char *more)
{
    char *text = NULL;

    assert_true(asprintf(&text, "%stext %zu\n" SMALLEST "%s", head, strlen(SMALLEST) + strlen(more),
                         more) > 0);
    return text;
}

static void the_form_is_as_documented(void **state)
{
    struct stk_buffer out = {0};
    struct stk_config *config = resolved(sample, &out);
    char expected[1024] = "";
    (void)state;

    (void)snprintf(expected, sizeof(expected),
                   "stirkeep-resolved 1\nuser root 0 0\nuser 1234 1234 4321\n"
                   "user 60001 60001 60001\nuser kam 998 997\ngroup voice 1\ngroup 77 77\n"
                   "text %zu\n%s",
                   strlen(sample), sample);
    assert_int_equal(out.length, strlen(expected));
    assert_memory_equal(out.data, expected, out.length);
    stk_config_free(config);
    stk_buffer_free(&out);
}

static void each_name_is_asked_for_once(void **state)
{
    struct stk_buffer out = {0};
    struct stk_config *config = NULL;
    (void)state;

    asked = 0;
    config = resolved(sample, &out);
    assert_int_equal(asked, 5); /* root, 1234, 60001, kam; voice, not 77 */
    stk_config_free(config);
    config = taken((const char *)out.data, out.length);
    assert_int_equal(asked, 5);
    stk_config_free(config);
    stk_buffer_free(&out);
}

static void a_database_in_trouble_is_no_database_without_the_user(void **state)
{
    struct stk_config *config = NULL;
    (void)state;

    trouble = EIO;
    bad(SMALLEST "[admin]\nuser = root\n",
        "conf:4: [admin] user: user root cannot be looked up: Input/output error");
    /* Not the group of the same number, which might be another's. */
    bad(SMALLEST "[rooms]\nfront-user = 1234\n",
        "conf:4: [rooms] front-user: user 1234 cannot be looked up: Input/output error");
    bad(SMALLEST "[grant k]\ngroup = voice\n",
        "conf:4: [grant k] group: group voice cannot be looked up: Input/output error");
    trouble = ENOENT;
    bad(SMALLEST "[admin]\nuser = root\n", "conf:4: [admin] user: no such user: root");
    bad(SMALLEST "[grant k]\ngroup = voice\n", "conf:4: [grant k] group: no such group: voice");
    trouble = 0;
    bad(SMALLEST "[rooms]\nfront-user = nil\n",
        "conf:4: [rooms] front-user: user nil has the number -1");
    needed = 100000;
    config = good(SMALLEST "[admin]\nuser = kam\n[rooms]\nfront-user = 1234\n");
    assert_int_equal(config->admin.users[0], 998);
    assert_int_equal(config->rooms.gid[STK_ROOM_FRONT], 4321);
    stk_config_free(config);
    needed = (size_t)1 << 30;
    bad(SMALLEST "[admin]\nuser = kam\n",
        "conf:4: [admin] user: user kam cannot be looked up: Numerical result out of range");
    needed = 0;
}

static void what_is_resolved_is_read_as_the_same_configuration(void **state)
{
    struct stk_buffer out = {0};
    struct stk_config *config = resolved(sample, &out);
    struct stk_config *again = taken((const char *)out.data, out.length);
    const struct stk_grant *grant = stk_policy_grant(again->policy, 0);
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_config_replaces(config, again, &error), STIRKEEP_OK);
    assert_int_equal(again->admin.user_count, 2);
    assert_int_equal(again->admin.users[0], 0);
    assert_int_equal(again->admin.users[1], 1234);
    assert_int_equal(again->rooms.gid[STK_ROOM_FRONT], config->rooms.gid[STK_ROOM_FRONT]);
    assert_int_equal(grant->uid_count, 2);
    assert_int_equal(grant->uids[1], 998);
    assert_int_equal(grant->gid_count, 2);
    assert_int_equal(grant->gids[1], 77);
    assert_int_equal(grant->number_count, 1);
    assert_int_equal(again->attestation.inline_count, 1);
    assert_int_equal(again->attestation.inline_[0].line, 15);
    stk_config_free(config);
    stk_config_free(again);
    stk_buffer_free(&out);
}

static void names_mean_what_the_recording_says_and_nobody_is_asked(void **state)
{
    /* No such user is on any system; and root is somebody else. */
    char *text = compose("stirkeep-resolved 1\nuser only in here! 4711 4712\n"
                         "group domain users 815\nuser root 5 6\n",
                         "[grant k]\nuser = only in here!, root\ngroup = domain users\n"
                         "certificates = a\nattest = A\n[rooms]\nfront-user = only in here!\n");
    const struct stk_grant *grant = NULL;
    struct stk_config *config = NULL;
    (void)state;

    asked = 0;
    config = taken(text, strlen(text));
    assert_int_equal(asked, 0);
    grant = stk_policy_grant(config->policy, 0);
    assert_int_equal(grant->uid_count, 2);
    assert_int_equal(grant->uids[0] + grant->uids[1], 4711 + 5);
    assert_int_equal(grant->gids[0], 815);
    assert_int_equal(config->rooms.uid[STK_ROOM_FRONT], 4711);
    assert_int_equal(config->rooms.gid[STK_ROOM_FRONT], 4712);
    stk_config_free(config);
    free(text);
}

static void who_is_not_recorded_is_not_found_although_the_system_has_him(void **state)
{
    char *text = compose("stirkeep-resolved 1\n", "[admin]\nuser = root\n");
    (void)state;

    refused(text, strlen(text), STIRKEEP_MALFORMED,
            "room:4: [admin] user: user root is not among those that were found");
    free(text);
    text = compose("stirkeep-resolved 1\nuser root 0 0\n", "[grant k]\nuser=root\ngroup = voice\n");
    refused(text, strlen(text), STIRKEEP_MALFORMED,
            "room:5: [grant k] group: group voice is not among those that were found");
    free(text);
    text = compose("stirkeep-resolved 1\n", "[admin]\nuser = 0\n");
    refused(text, strlen(text), STIRKEEP_MALFORMED,
            "room:4: [admin] user: user 0 is not among those that were found");
    free(text);
}

static void what_the_text_does_not_name_is_refused(void **state)
{
    char *text =
        compose("stirkeep-resolved 1\nuser root 0 0\nuser x 1 1\n", "[admin]\nuser = root\n");
    (void)state;

    refused(text, strlen(text), STIRKEEP_MALFORMED,
            "room: user x was found, and is not in the configuration");
    free(text);
}

static void a_bad_text_is_refused_as_ever(void **state)
{
    char *text = compose("stirkeep-resolved 1\n", "[nowhere]\n");
    struct stk_buffer out = {0};
    struct stk_config *config = NULL;
    struct stk_error error = {0};
    (void)state;

    refused(text, strlen(text), STIRKEEP_CONFIG, "room:3: [nowhere]: no such section");
    free(text);
    assert_int_equal(stk_config_resolve("[x]\n", 4, "conf", &config, &out, &error),
                     STIRKEEP_CONFIG);
    assert_string_equal(error.message, "conf:1: [x]: no such section");
    assert_null(config);
    assert_null(out.data);
    assert_int_equal(out.length, 0);
}

static void every_other_head_is_refused(void **state)
{
    static const char *const heads[] = {
        "",
        "stirkeep-resolved 2\n",
        "stirkeep-resolved 1",
        " stirkeep-resolved 1\n",
        "stirkeep-resolved 1\r\n",
        "STIRKEEP-RESOLVED 1\n",
        "\nstirkeep-resolved 1\n",
        "stirkeep-resolved 1\n\n",
        "stirkeep-resolved 1\nstirkeep-resolved 1\n",
        "stirkeep-resolved 1\nuser a 1\n",
        "stirkeep-resolved 1\nuser a\n",
        "stirkeep-resolved 1\nuser  1 1\n",
        "stirkeep-resolved 1\nuser 1 1\n",
        "stirkeep-resolved 1\nuser a 01 1\n",
        "stirkeep-resolved 1\nuser a 1 00\n",
        "stirkeep-resolved 1\nuser a +1 1\n",
        "stirkeep-resolved 1\nuser a -1 1\n",
        "stirkeep-resolved 1\nuser a 1 1 \n",
        "stirkeep-resolved 1\nuser a 1  \n",
        "stirkeep-resolved 1\nuser a 4294967295 1\n",
        "stirkeep-resolved 1\nuser a 1 4294967295\n",
        "stirkeep-resolved 1\ngroup a 4294967295\n",
        "stirkeep-resolved 1\nuser a 4294967296 1\n",
        "stirkeep-resolved 1\nuser a 1 18446744073709551617\n",
        "stirkeep-resolved 1\nuser a 1 1\nuser a 1 1\n",
        "stirkeep-resolved 1\ngroup a\n",
        "stirkeep-resolved 1\ngroup  1\n",
        "stirkeep-resolved 1\ngroup a x\n",
        "stirkeep-resolved 1\nGroup a 1\n",
        "stirkeep-resolved 1\nfile a 1\n",
        "stirkeep-resolved 1\ntext 5\n",
        "stirkeep-resolved 1\ntext 0\n",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        char *text = compose(heads[i], "");

        refused(text, strlen(text), STIRKEEP_MALFORMED, "room: not a resolved configuration");
        free(text);
    }
    refused(NULL, 0, STIRKEEP_MALFORMED, "room: not a resolved configuration");
    refused("\0", 1, STIRKEEP_MALFORMED, "room: not a resolved configuration");
    refused("stirkeep-resolved 1\nuser a\0b 1 1\ntext 0\n", 39, STIRKEEP_MALFORMED,
            "room: not a resolved configuration");
    {
        char head[512] = "stirkeep-resolved 1\nuser ";
        char *text = NULL;

        memset(head + strlen(head), 'n', 300);
        (void)strcat(head, " 1 1\n");
        text = compose(head, "");
        refused(text, strlen(text), STIRKEEP_MALFORMED, "room: not a resolved configuration");
        free(text);
    }
}

/* Also of the plain text itself, which a room would once have been given. */
static void no_part_of_a_resolved_text_is_taken_for_the_whole(void **state)
{
    struct stk_buffer out = {0};
    struct stk_config *config = resolved(sample, &out);
    (void)state;

    for (size_t length = 0; length < out.length; length++) {
        /* A copy of its own size, so that reading past it shows. */
        char *part = malloc(length + 1);
        struct stk_config *taken_from_part = NULL;

        assert_non_null(part);
        memcpy(part, out.data, length);
        part = realloc(part, length > 0 ? length : 1);
        assert_int_equal(stk_config_parse_resolved(part, length, "room", &taken_from_part, NULL),
                         STIRKEEP_MALFORMED);
        free(part);
    }
    assert_int_equal(stk_buffer_add(&out, "\n", 1), STIRKEEP_OK);
    refused((char *)out.data, out.length, STIRKEEP_MALFORMED, "room: not a resolved configuration");
    refused(sample, strlen(sample), STIRKEEP_MALFORMED, "room: not a resolved configuration");
    stk_config_free(config);
    stk_buffer_free(&out);
}

/* It is taken or refused, and taken means the whole of it. */
static void a_changed_byte_anywhere_is_no_trouble(void **state)
{
    static const char bytes[] = {'\0', '\n', ' ', '0', '9', 'x', '[', '\xff'};
    struct stk_buffer out = {0};
    struct stk_config *config = resolved(sample, &out);
    (void)state;

    stk_config_free(config);
    for (size_t i = 0; i < out.length; i++) {
        uint8_t saved = out.data[i];

        for (size_t j = 0; j < sizeof(bytes); j++) {
            struct stk_error error = {0};
            enum stirkeep_status status = STIRKEEP_OK;

            config = NULL;
            out.data[i] = (uint8_t)bytes[j];
            status =
                stk_config_parse_resolved((char *)out.data, out.length, "room", &config, &error);
            assert_true(status == STIRKEEP_OK || status == STIRKEEP_CONFIG ||
                        status == STIRKEEP_MALFORMED);
            assert_int_equal(config != NULL, status == STIRKEEP_OK);
            assert_int_equal(error.status, status);
            stk_config_free(config);
        }
        out.data[i] = saved;
    }
    stk_buffer_free(&out);
}

/* The most that a text can name. */
static void no_text_resolves_to_more_than_the_limit(void **state)
{
    char *text = malloc(STK_CONFIG_MAX + 1);
    size_t length = 0;
    unsigned name = 0;
    struct stk_buffer out = {0};
    struct stk_config *config = NULL;
    (void)state;

    assert_non_null(text);
    length = (size_t)snprintf(text, STK_CONFIG_MAX, SMALLEST);
    for (unsigned grant = 0; length < STK_CONFIG_MAX - 64 * 1024; grant++) {
        length += (size_t)snprintf(text + length, STK_CONFIG_MAX - length,
                                   "[grant g%u]\ncertificates=a\nattest=A\ngroup=", grant);
        for (unsigned i = 0; i < 4000; i++, name++)
            length +=
                (size_t)snprintf(text + length, STK_CONFIG_MAX - length, "%s%u%s",
                                 i > 0 && i % 26 == 0 ? "\n " : "", name, i < 3999 ? "," : "\n");
    }
    assert_true(length <= STK_CONFIG_MAX);
    config = resolved(text, &out);
    assert_true(out.length > STK_CONFIG_MAX);
    assert_true(out.length <= STK_CONFIG_RESOLVED_MAX);
    stk_config_free(config);
    config = taken((const char *)out.data, out.length);
    assert_int_equal(stk_policy_grant(config->policy, 1)->gids[0], 4000);
    stk_config_free(config);
    stk_buffer_free(&out);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_is_as_documented),
        cmocka_unit_test(each_name_is_asked_for_once),
        cmocka_unit_test(a_database_in_trouble_is_no_database_without_the_user),
        cmocka_unit_test(what_is_resolved_is_read_as_the_same_configuration),
        cmocka_unit_test(names_mean_what_the_recording_says_and_nobody_is_asked),
        cmocka_unit_test(who_is_not_recorded_is_not_found_although_the_system_has_him),
        cmocka_unit_test(what_the_text_does_not_name_is_refused),
        cmocka_unit_test(a_bad_text_is_refused_as_ever),
        cmocka_unit_test(every_other_head_is_refused),
        cmocka_unit_test(no_part_of_a_resolved_text_is_taken_for_the_whole),
        cmocka_unit_test(a_changed_byte_anywhere_is_no_trouble),
        cmocka_unit_test(no_text_resolves_to_more_than_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
