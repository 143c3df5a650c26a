/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include "base/encode.h"
#include "lab.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    const struct ran *ran = NULL;
    (void)state;

    memset(text, 'a', sizeof(text) - 1);
    failed(program(text, "verify", "--cert", place("leaf.pem")), 1, "standard input");
    ran = program(text, "verify", "--json", "--cert", place("leaf.pem"));
    assert_non_null(strstr(ran->out, "\"good\": false"));
    assert_non_null(strstr(ran->out, "\"code\": 438"));
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

/* ---- types */

static const char *const called[] = {"12155550131"};

static struct stk_claims_input input_of(const char *ppt)
{
    return (struct stk_claims_input){.ppt = ppt,
                                     .orig_tn = "12155550121",
                                     .dest_tn = called,
                                     .dest_tn_count = 1,
                                     .iat = time(NULL) - 5};
}

static void good(const struct stk_claims_input *input, const char *shown)
{
    char *value = lab_sign(lab.key, input);
    const struct ran *ran = verify(value);

    program_done(ran);
    if (strstr(ran->out, shown) == NULL)
        fail_msg("no %s in %s", shown, ran->out);
    free(value);
}

static void every_type_is_verified(void **state)
{
    static const char *const priority[] = {"ets.0", "wps.1"};
    static const struct stk_pair keys[] = {
        {"sha-256", "02a1b2c3d4e5f60718293a4b5c6d7e8f02a1b2c3d4e5f60718293a4b5c6d7e8f"}};
    struct stk_claims_input input = input_of("");
    char *inner = NULL;
    (void)state;

    input.mky = keys;
    input.mky_count = 1;
    good(&input, "02A1");
    input = input_of("div");
    input.div_tn = "12155550199";
    input.div_hi = "1.2";
    good(&input, "12155550199");
    inner = lab_identity(lab.key, 5);
    *strchr(inner, ';') = '\0';
    input.ppt = "div-o";
    input.opt = inner;
    good(&input, "opt");
    free(inner);
    input = input_of("rph");
    input.rph_auth = priority;
    input.rph_auth_count = 2;
    good(&input, "wps.1");
    input = input_of("rcd");
    input.rcd_nam = "Z\xc3\xbcrich \"Bank\"";
    input.crn = "Your card";
    good(&input, "Your card");
    input = input_of("shaken");
    input.attest = "B";
    input.origid = "123e4567-e89b-12d3-a456-426655440000";
    input.rcd_nam = "Alice";
    good(&input, "Alice");
}

static void a_type_that_is_not_known_is_good_when_it_is_named(void **state)
{
    struct stk_claims_input input = input_of("msgi");
    char *value = NULL;
    const struct ran *ran = NULL;
    (void)state;

    input.other = "{\"msgi\":\"sha256-RFCxyz\"}";
    value = lab_sign(lab.key, &input);
    failed(verify(value), 1, "ppt \"msgi\" is not known");
    failed(program(NULL, "verify", "--cert", place("leaf.pem"), "--ppt", "msg", value), 1,
           "ppt \"msgi\" is not known");
    ran = program(NULL, "verify", "--cert", place("leaf.pem"), "--ppt", "msgi", value);
    program_done(ran);
    assert_non_null(strstr(ran->out, "sha256-RFCxyz"));
    assert_non_null(strstr(ran->out, "PPT-UNKNOWN"));
    free(value);
}

/* ---- the compact form */

static const struct ran *verify_compact(const char *value, const char *orig, const char *dest,
                                        const char *iat)
{
    return program(NULL, "verify", "--cert", place("leaf.pem"), "--orig", orig, "--dest", dest,
                   "--iat", iat, value);
}

static void a_compact_value_is_verified_with_the_calls_claims(void **state)
{
    struct stk_claims_input input = input_of("");
    char *value = NULL;
    char iat[32] = "";
    (void)state;

    input.compact = true;
    value = lab_sign(lab.key, &input);
    (void)snprintf(iat, sizeof(iat), "%lld", (long long)input.iat);
    assert_memory_equal(value, "..", 2);
    program_done(verify_compact(value, "+1 (215) 555-0121", "12155550131", iat));
    failed(verify_compact(value, "12155550122", "12155550131", iat), 1, "signature");
    failed(verify_compact(value, "12155550121", "12155550132", iat), 1, "signature");
    failed(verify_compact(value, "12155550121", "12155550131", "1471375418"), 1, "signature");
    failed(program(NULL, "verify", "--cert", place("leaf.pem"), "--orig", "12155550121", "--dest",
                   "12155550131", "--iat", iat, "--x5u", "https://other.example.com/a.pem", value),
           1, "signature");
    failed(program(NULL, "verify", "--cert", place("leaf.pem"), value), 1, "--orig");
    failed(verify_compact(value, "x", "12155550131", iat), 1, "orig.tn");
    failed(program(NULL, "verify", "--orig", "1", "--dest", "2", value), 2, "--iat");
    failed(program(NULL, "verify", "--orig", "1", "--iat", "2", value), 2, "--dest");
    failed(program(NULL, "verify", "--x5u", "https://a/b", value), 2, "--orig");
    /* The full form says them itself. */
    failed(verify_compact(lab.good, "12155550121", "12155550131", iat), 1, "compact form");
    free(value);
}

/* ---- what the certificate itself allows */

/* A certificate with an extension, of the good value's key. */
static const struct ran *verify_by(const char *oid, const char *value, const char *identity)
{
    const char *const extensions[] = {oid, value, NULL};

    lab_write_certificate_with("bound", lab.key, "ca", lab.ca_key, extensions);
    return program(NULL, "verify", "--json", "--cert", place("bound.pem"), "--ca", place("ca.pem"),
                   identity);
}

#define TNAUTHLIST "1.3.6.1.5.5.7.1.26"
#define CONSTRAINTS "1.3.6.1.5.5.7.1.33"

static void the_numbers_of_a_tnauthlist_bind(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    /* an SPC; 12155550121; 100 numbers from 12155550100; 12155550122 */
    program_done(verify_by(TNAUTHLIST, "DER:3008a006160436313648", lab.good));
    program_done(verify_by(TNAUTHLIST, "DER:300fa20d160b3132313535353530313231", lab.good));
    program_done(
        verify_by(TNAUTHLIST, "DER:3014a1123010160b3132313535353530313030020164", lab.good));
    ran = verify_by(TNAUTHLIST, "DER:300fa20d160b3132313535353530313232", lab.good);
    failed(ran, 1, "TNAuthList", "12155550121");
    assert_non_null(strstr(ran->out, "\"code\": \"CERT-NUMBERS\""));
    assert_non_null(strstr(ran->out, "\"code\": 437"));
    ran = verify_by(TNAUTHLIST, "DER:3000", lab.good);
    failed(ran, 1, "TNAuthList");
    assert_non_null(strstr(ran->out, "\"code\": \"CERT-CONSTRAINTS\""));
}

static void claim_constraints_bind(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    /* attest may be A; attest may be B; no rcd; no attest; rcd is needed */
    program_done(
        verify_by(CONSTRAINTS, "DER:3013a111300f300d160661747465737430030c0141", lab.good));
    ran = verify_by(CONSTRAINTS, "DER:3013a111300f300d160661747465737430030c0142", lab.good);
    failed(ran, 1, "certificate: ", "attest");
    assert_non_null(strstr(ran->out, "\"code\": \"CERT-CLAIMS\""));
    assert_non_null(strstr(ran->out, "\"code\": 438"));
    program_done(verify_by(CONSTRAINTS, "DER:3009a20730051603726364", lab.good));
    failed(verify_by(CONSTRAINTS, "DER:300ca20a30081606617474657374", lab.good), 1, "attest");
    failed(verify_by(CONSTRAINTS, "DER:3009a00730051603726364", lab.good), 1, "rcd");
}

/* ---- what a verification service answers */

static void sip(const struct ran *ran, int code, const char *reason)
{
    char text[80] = "";

    assert_int_equal(ran->status, code == 0 ? 0 : 1);
    (void)snprintf(text, sizeof(text),
                   code == 0 ? "\"sip\": null" : "\"code\": %d,\n    \"reason\": \"%s\"", code,
                   reason);
    if (strstr(ran->out, text) == NULL)
        fail_msg("no %s in %s", text, ran->out);
}
#define verify_json(...) program(NULL, "verify", "--json", __VA_ARGS__)

static void each_verdict_has_its_sip_response(void **state)
{
    char text[IDENTITY_MAX] = "";
    char leaf[PATH_MAX] = "";
    (void)state;

    (void)snprintf(leaf, sizeof(leaf), "%s", place("leaf.pem"));
    free(lab.good); /* under valgrind it has grown old meanwhile */
    lab.good = lab_identity(lab.key, 5);
    sip(verify_json("--cert", leaf, "--max-age", "60", lab.good), 0, "");
    sip(verify_json("--cert", leaf, "--max-age", "60", lab.old), 403, "Stale Date");
    sip(verify_json("--cert", leaf, ""), 428, "Use Identity Header");
    sip(program("\r\n", "verify", "--json", "--cert", leaf), 428, "Use Identity Header");
    sip(verify_json(lab.good), 436, "Bad Identity Info");
    (void)snprintf(text, sizeof(text), "%s", lab.good);
    memcpy(strstr(text, "info=<https://certs"), "info=<https://carts", 19);
    sip(verify_json("--cert", leaf, text), 436, "Bad Identity Info");
    sip(verify_json("--cert", leaf, "--ca", place("other-ca.pem"), lab.good), 437,
        "Unsupported Credential");
    sip(verify_json("--cert", place("other.pem"), lab.good), 438, "Invalid Identity Header");
    sip(verify_json("--cert", leaf, "not an identity"), 438, "Invalid Identity Header");
    sip(verify_json("--cert", leaf, changed(1, ",\"orig\"", ", \"orig\"")), 438,
        "Invalid Identity Header");
}

static void what_is_missing_is_told_once(void **state)
{
    const struct ran *ran = verify(changed(1, "\"iat\":", "\"iau\":"));
    (void)state;

    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "iat: has to be a number of seconds"));
    assert_null(strstr(ran->out, "IAT-OUTSIDE-VALIDITY"));
    assert_null(strstr(ran->out, "CLAIMS-NOT-CANONICAL"));
}

static void who_gives_a_leaf_as_ca_is_told(void **state)
{
    const struct ran *ran =
        program(NULL, "verify", "--cert", place("leaf.pem"), "--ca", place("leaf.pem"), lab.good);
    (void)state;

    program_done(ran);
    assert_non_null(strstr(ran->out, "CA-IS-NONE"));
    assert_null(strstr(verify(lab.good)->out, "CA-IS-NONE"));
}

static void the_gravest_thing_is_the_result_and_all_are_told(void **state)
{
    const struct ran *ran = program(NULL, "verify", "--json", "--cert", place("other.pem"), "--ca",
                                    place("other-ca.pem"), "--max-age", "60", lab.old);
    (void)state;

    sip(ran, 438, "Invalid Identity Header");
    assert_non_null(strstr(ran->out, "\"sip\": 403"));
    assert_non_null(strstr(ran->out, "\"sip\": 437"));
    assert_non_null(strstr(ran->out, "\"sip\": 438"));
    failed(ran, 1, "the signature is not this certificate's");
    ran = program(NULL, "verify", "--cert", place("leaf.pem"), "--max-age", "60", lab.old);
    assert_non_null(strstr(ran->out, "SIP response   403 Stale Date"));
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
        cmocka_unit_test(every_type_is_verified),
        cmocka_unit_test(a_type_that_is_not_known_is_good_when_it_is_named),
        cmocka_unit_test(a_compact_value_is_verified_with_the_calls_claims),
        cmocka_unit_test(the_numbers_of_a_tnauthlist_bind),
        cmocka_unit_test(claim_constraints_bind),
        cmocka_unit_test(each_verdict_has_its_sip_response),
        cmocka_unit_test(what_is_missing_is_told_once),
        cmocka_unit_test(who_gives_a_leaf_as_ca_is_told),
        cmocka_unit_test(the_gravest_thing_is_the_result_and_all_are_told),
    };

    if (argc < 2)
        return 2;
    program_set(argv[1]);
    return cmocka_run_group_tests_name("cli verify", tests, set_up, tear_down);
}
