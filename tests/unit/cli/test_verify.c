/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include "base/encode.h"
#include "lab.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITY_MAX 4096

static struct {
    EVP_PKEY *ca_key;
    EVP_PKEY *key;
    char *good; /* issued 5 s ago */
    char *old;  /* issued an hour ago */
} lab;

static int set_up(void **state)
{
    EVP_PKEY *other = NULL;

    if (place_set_up(state) != 0)
        return -1;
    lab.ca_key = lab_key("P-256");
    lab.key = lab_key("P-256");
    other = lab_key("P-256");
    lab_write_certificate("ca", lab.ca_key, NULL, NULL);
    lab_write_certificate("other-ca", other, NULL, NULL);
    lab_write_certificate("leaf", lab.key, "ca", lab.ca_key);
    lab_write_certificate("other", other, "ca", lab.ca_key);
    lab.good = lab_identity(lab.key, 5);
    lab.old = lab_identity(lab.key, 3600);
    EVP_PKEY_free(other);
    return 0;
}

static int tear_down(void **state)
{
    EVP_PKEY_free(lab.ca_key);
    EVP_PKEY_free(lab.key);
    free(lab.good);
    free(lab.old);
    return place_tear_down(state);
}

static const struct ran *verify(const char *identity)
{
    return program(NULL, "verify", "--cert", place("leaf.pem"), "--ca", place("ca.pem"), identity);
}

/* The good value with `from` replaced by `to` in what its part decodes to. */
static const char *changed(unsigned part, const char *from, const char *to)
{
    static char text[IDENTITY_MAX];
    char json[1024] = "";
    char other[1100] = "";
    const char *begin = lab.good;
    const char *end = NULL;
    const char *at = NULL;
    size_t length = 0;

    for (; part > 0; part--)
        begin = strchr(begin, '.') + 1;
    end = begin + strcspn(begin, ".;");
    assert_true(stk_base64url_decode(begin, (size_t)(end - begin), (uint8_t *)json,
                                     sizeof(json) - 1, &length));
    at = strstr(json, from);
    assert_non_null(at);
    (void)snprintf(other, sizeof(other), "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    length = (size_t)(begin - lab.good);
    memcpy(text, lab.good, length);
    length += stk_base64url_encode(other, strlen(other), text + length);
    (void)snprintf(text + length, sizeof(text) - length, "%s", end);
    return text;
}

static void a_good_value_is_good_given_in_any_way(void **state)
{
    char field[IDENTITY_MAX] = "";
    char file[PATH_MAX] = "";
    const struct ran *ran = verify(lab.good);
    (void)state;

    program_done(ran);
    assert_non_null(strstr(ran->out, "signature      good"));
    assert_non_null(strstr(ran->out, "chain          trusted"));
    assert_non_null(strstr(ran->out, "12155550131"));
    (void)snprintf(field, sizeof(field), "Identity: %s\r\n", lab.good);
    program_done(program(field, "verify", "--cert", place("leaf.pem")));
    program_done(program(field, "verify", "--cert", place("leaf.pem"), "-"));
    place_text("identity", field);
    (void)snprintf(file, sizeof(file), "@%s", place("identity"));
    program_done(program(NULL, "verify", "--cert", place("leaf.pem"), "--max-age", "60", file));
    ran = program(NULL, "verify", "--json", "--cert", place("leaf.pem"), lab.good);
    program_done(ran);
    assert_non_null(strstr(ran->out, "\"good\": true"));
    assert_non_null(strstr(ran->out, "\"chain\": \"unchecked\""));
}

static void a_change_anywhere_is_found(void **state)
{
    char text[IDENTITY_MAX] = "";
    (void)state;

    failed(verify(changed(0, "lab.pem", "mal.pem")), 1, "signature");
    failed(verify(changed(1, "\"attest\":\"A\"", "\"attest\":\"B\"")), 1, "signature");
    failed(verify(changed(1, "0121", "0122")), 1, "signature");
    failed(verify(changed(1, "\"iat\":1", "\"iat\":2")), 1, "signature");
    failed(verify(changed(1, ",\"orig\"", ", \"orig\"")), 1, "signature");
    (void)snprintf(text, sizeof(text), "%s", lab.good);
    text[strcspn(text, ";") - 10] ^= 1;
    failed(verify(text), 1, "signature");
    /* The parameters are not signed, but they have to say what the PASSporT says. */
    (void)snprintf(text, sizeof(text), "%s", lab.good);
    memcpy(strstr(text, "info=<https://certs"), "info=<https://carts", 19);
    failed(verify(text), 1, "x5u");
    (void)snprintf(text, sizeof(text), "%s", lab.good);
    memcpy(strstr(text, "alg=ES256"), "alg=ES384", 9);
    failed(verify(text), 1, "alg");
}

static void each_json_verdict_says_what_was_bad(void **state)
{
    const struct ran *ran =
        program(NULL, "verify", "--json", "--cert", place("leaf.pem"), "--ca",
                place("other-ca.pem"), changed(1, "\"attest\":\"A\"", "\"attest\":\"C\""));
    (void)state;

    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "\"good\": false"));
    assert_non_null(strstr(ran->out, "\"signature\": \"bad\""));
    assert_non_null(strstr(ran->out, "\"chain\": \"not trusted\""));
}

static void what_is_no_identity_value_is_refused_with_the_part(void **state)
{
    char text[IDENTITY_MAX] = "";
    (void)state;

    failed(verify(""), 1, "verify");
    failed(verify("..;info=<x>"), 1, "verify");
    failed(verify("not an identity"), 1, "PASSporT");
    (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(lab.good, ";") - 4, lab.good);
    failed(verify(text), 1, "signature");
    failed(program("", "verify", "--cert", place("leaf.pem"), "-"), 1, "verify");
}

static void more_than_any_value_is_refused_and_not_swallowed(void **state)
{
    static char text[64 * 1024];
    (void)state;

    memset(text, 'a', sizeof(text) - 1);
    failed(program(text, "verify", "--cert", place("leaf.pem")), 1, "standard input");
}

static void another_certificate_or_ca_is_not_good(void **state)
{
    (void)state;
    failed(program(NULL, "verify", "--cert", place("other.pem"), lab.good), 1, "signature");
    failed(program(NULL, "verify", "--cert", place("leaf.pem"), "--ca", place("other-ca.pem"),
                   lab.good),
           1, "verify");
}

static void an_old_value_is_good_unless_its_age_is_judged(void **state)
{
    (void)state;
    program_done(verify(lab.old));
    failed(program(NULL, "verify", "--cert", place("leaf.pem"), "--max-age", "60", lab.old), 1,
           "iat");
}

static void without_a_certificate_nothing_is_good(void **state)
{
    const struct ran *ran = program(NULL, "verify", lab.good);
    (void)state;

    failed(ran, 1, "--cert");
    assert_non_null(strstr(ran->out, "signature      unchecked"));
}

static void missing_and_wrong_certificate_files_are_named(void **state)
{
    (void)state;
    failed(program(NULL, "verify", "--cert", place("none.pem"), lab.good), 1, "/none.pem",
           "No such file");
    place_text("text.pem", "no certificate\n");
    failed(program(NULL, "verify", "--cert", place("text.pem"), lab.good), 1, "/text.pem");
    failed(
        program(NULL, "verify", "--cert", place("leaf.pem"), "--ca", place("none.pem"), lab.good),
        1, "/none.pem");
    failed(program(NULL, "verify", "--cert", place("leaf.pem"), "@/nonexistent/file"), 1,
           "/nonexistent/file");
}

static void claims_that_steer_a_terminal_are_shown_harmless(void **state)
{
    const struct ran *ran =
        program(NULL, "verify", changed(1, "12155550121", "\\u001b[2J\xc2\x9b"));
    (void)state;

    assert_int_equal(ran->status, 1);
    for (const char *at = ran->out; *at != '\0'; at++)
        assert_true(*at != '\033' && (unsigned char)*at != 0x9b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_value_is_good_given_in_any_way),
        cmocka_unit_test(a_change_anywhere_is_found),
        cmocka_unit_test(each_json_verdict_says_what_was_bad),
        cmocka_unit_test(what_is_no_identity_value_is_refused_with_the_part),
        cmocka_unit_test(more_than_any_value_is_refused_and_not_swallowed),
        cmocka_unit_test(another_certificate_or_ca_is_not_good),
        cmocka_unit_test(an_old_value_is_good_unless_its_age_is_judged),
        cmocka_unit_test(without_a_certificate_nothing_is_good),
        cmocka_unit_test(missing_and_wrong_certificate_files_are_named),
        cmocka_unit_test(claims_that_steer_a_terminal_are_shown_harmless),
    };

    if (argc < 2)
        return 2;
    program_set(argv[1]);
    return cmocka_run_group_tests_name("cli verify", tests, set_up, tear_down);
}
