/* SPDX-License-Identifier: BSD-2-Clause */
#include "../cert/pki.h"
#include "base/clock.h"
#include "ends.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* What front is told with each name, and of quotas. */

#define DAY_S 86400

struct desk {
    struct ends *ends;
    EVP_PKEY *key;
};

static EVP_PKEY *leaf_key(void)
{
    static EVP_PKEY *key;

    if (key == NULL)
        key = pki_ec_key("P-256");
    return key;
}

/* A certificate with these two extensions (NULL: as usual, none). */
static struct stk_buffer certificate_with(const char *tnauthlist, const char *constraints)
{
    struct pki_spec spec = pki_leaf_spec(leaf_key(), leaf_key(), NULL);
    struct stk_buffer der = {0};
    X509 *leaf = NULL;
    unsigned char *data = NULL;
    int length = 0;

    spec.signer = leaf_key();
    pki_extend(&spec, "authorityKeyIdentifier", NULL);
    if (tnauthlist != NULL)
        pki_extend(&spec, "1.3.6.1.5.5.7.1.26", tnauthlist);
    if (constraints != NULL)
        pki_extend(&spec, "1.3.6.1.5.5.7.1.33", constraints);
    leaf = pki_certificate(&spec);
    length = i2d_X509(leaf, &data);
    assert_true(length > 0);
    assert_int_equal(stk_buffer_add(&der, data, (size_t)length), STIRKEEP_OK);
    OPENSSL_free(data);
    X509_free(leaf);
    return der;
}

/* Names in the catalog with that certificate: PREFIX0000, ... */
static void fill(const struct ends *ends, const char *prefix, int names, struct stk_bytes der)
{
    struct stk_catalog *catalog = ends_catalog(ends);
    struct stk_error error = {0};

    for (int i = 0; i < names; i++) {
        char name[32] = "";
        uint32_t number = 0;
        struct stk_generation about = {
            .name = name,
            .spc = "616H",
            .numbers = "",
            .subject = "CN=SHAKEN",
            .issuer = "CN=CA",
            .serial = "01",
            .fingerprint = "ab",
            .x5u = "https://certs.example.com/a.pem",
            .not_after = 4000000000,
            .key_id = {{(uint8_t)(i >> 8), (uint8_t)i, (uint8_t)prefix[0]}},
            .origin = "imported",
            .attributes = ""};
        struct stk_new_generation generation = {.about = &about, .chain = &der, .chain_count = 1};

        (void)snprintf(name, sizeof(name), "%s%04d", prefix, i);
        if (stk_catalog_add(catalog, &generation, &number, &error) != STIRKEEP_OK)
            fail_msg("%s", error.message);
    }
    stk_catalog_close(catalog);
}

static void fill_one(const struct ends *ends, const char *prefix, const char *tnauthlist,
                     const char *constraints)
{
    struct stk_buffer der = certificate_with(tnauthlist, constraints);

    fill(ends, prefix, 1, (struct stk_bytes){der.data, der.length});
    stk_buffer_free(&der);
}

static void a_name_comes_with_what_its_certificate_may_sign(void **state)
{
    struct ends *ends = *state;
    const struct stk_certificate *known = NULL;

    fill_one(ends, "Plain", NULL, NULL);
    /* the number 14155550100; attest may be B */
    fill_one(ends, "Numbers", "DER:300fa20d160b3134313535353530313030", NULL);
    fill_one(ends, "Claims", NULL, "DER:3013a111300f300d160661747465737430030c0142");
    ends_start(ends);
    ends_await_snapshot(ends, 1);
    known = ends_known(ends, "Plain0000");
    assert_true(known->active);
    assert_null(known->constraints);
    known = ends_known(ends, "Numbers0000");
    assert_true(known->active && known->constraints->numbers_only);
    assert_int_equal(known->constraints->range_count, 1);
    assert_int_equal(known->constraints->ranges[0].first, stk_number_key("14155550100"));
    known = ends_known(ends, "Claims0000");
    assert_true(known->active && !known->constraints->numbers_only);
    assert_int_equal(known->constraints->permitted_count, 1);
    assert_string_equal(known->constraints->permitted[0].claim, "attest");
    assert_string_equal(known->constraints->permitted[0].values[0], "B");
}

static void an_import_is_told_with_its_constraints_at_once(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    struct stk_buffer leaf = {0};
    struct pki_spec spec = pki_leaf_spec(alpha.key, leaf_key(), NULL);
    X509 *x509 = NULL;
    unsigned char *data = NULL;
    int length = 0;

    spec.not_before = time(NULL) - DAY_S;
    spec.not_after = time(NULL) + 300 * (int64_t)DAY_S;
    pki_extend(&spec, "authorityKeyIdentifier", NULL);
    pki_extend(&spec, "1.3.6.1.5.5.7.1.33", "DER:3009a20730051603726364"); /* no rcd */
    x509 = pki_certificate(&spec);
    length = i2d_X509(x509, &data);
    assert_int_equal(stk_buffer_add(&leaf, data, (size_t)length), STIRKEEP_OK);
    OPENSSL_free(data);
    X509_free(x509);
    stk_buffer_free(&alpha.der[0]);
    alpha.der[0] = leaf;
    ends->profile = "test";
    ends_start(ends);
    (void)import_done(ends, &alpha, "Alpha");
    assert_string_equal(ends_known(ends, "Alpha")->constraints->must_exclude[0], "rcd");
    material_free(&alpha);
}

static void one_whose_constraints_cannot_be_read_does_not_sign(void **state)
{
    static const uint8_t junk[] = "no certificate";
    struct ends *ends = *state;
    struct stk_admin_response response = {0};

    fill_one(ends, "Malformed", NULL, "DER:3000");
    fill_one(ends, "Cut", "DER:30:08:a0:06:16:04:36:31:36", NULL);
    fill(ends, "Junk", 1, (struct stk_bytes){junk, sizeof(junk)});
    fill_one(ends, "Sound", NULL, NULL);
    ends_start(ends);
    ends_await_snapshot(ends, 1);
    assert_false(ends_known(ends, "Malformed0000")->active);
    assert_false(ends_known(ends, "Cut0000")->active);
    assert_false(ends_known(ends, "Junk0000")->active);
    assert_true(ends_known(ends, "Sound0000")->active);
    /* Who looks at the status is told the last one. */
    response = call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS});
    assert_true(response.service.warning_count > 0);
    assert_non_null(
        strstr(response.service.warnings[0], "Malformed0000: generation 1 does not sign"));
}

/* A TNAuthList of so many single numbers, none beside another. */
static const char *many_numbers(int count)
{
    static char text[256 * 1024];
    size_t inside = (size_t)count * 9;
    size_t length = (size_t)snprintf(text, sizeof(text), "DER:3082%04zx", inside);

    for (int i = 0; i < count; i++) {
        char number[8] = "";

        (void)snprintf(number, sizeof(number), "%05d", 10000 + 2 * i);
        length +=
            (size_t)snprintf(text + length, sizeof(text) - length, "a2071605%02x%02x%02x%02x%02x",
                             number[0], number[1], number[2], number[3], number[4]);
    }
    return text;
}

static void pages_hold_as_many_names_as_their_bytes_allow(void **state)
{
    enum { NAMES = 100, NUMBERS = 1700 };
    struct ends *ends = *state;
    struct stk_buffer der = certificate_with(many_numbers(NUMBERS), NULL);

    fill(ends, "Big", NAMES, (struct stk_bytes){der.data, der.length});
    fill_one(ends, "Small", NULL, NULL);
    ends_start(ends);
    ends_await_snapshot(ends, 1);
    assert_int_equal(ends->known_count, NAMES + 1);
    for (int i = 0; i < NAMES; i++) {
        char name[32] = "";
        const struct stk_certificate *known = NULL;

        (void)snprintf(name, sizeof(name), "Big%04d", i);
        known = ends_known(ends, name);
        assert_true(known != NULL && known->active);
        assert_int_equal(known->constraints->range_count, NUMBERS);
    }
    assert_true(ends->longest <= STK_LINK_MESSAGE_MAX);
    print_message("# %u pages, the longest %zu bytes\n", ends->pages, ends->longest);
    assert_true(ends->pages > 10);
    stk_buffer_free(&der);
}

static void the_largest_list_of_numbers_fits_one_page(void **state)
{
    struct ends *ends = *state;
    /* 1780 numbers take all that a certificate may have beside its other parts. */
    struct stk_buffer der = certificate_with(many_numbers(1740), NULL);

    assert_true(der.length <= STK_CERT_DER_MAX && der.length > STK_CERT_DER_MAX - 400);
    fill(ends, "Big", 3, (struct stk_bytes){der.data, der.length});
    ends_start(ends);
    ends_await_snapshot(ends, 1);
    assert_int_equal(ends_known(ends, "Big0002")->constraints->range_count, 1740);
    stk_buffer_free(&der);
}

/* ---- usage */

static int64_t today(void)
{
    return time(NULL) / DAY_S;
}

static struct stk_usage_count count_of(bool of_certificate, const char *name, int64_t day,
                                       uint64_t count)
{
    struct stk_usage_count one = {.of_certificate = of_certificate, .day = day, .count = count};

    (void)snprintf(one.name, sizeof(one.name), "%s", name);
    return one;
}

/* Of today; 0: it was not told. */
static uint64_t told(const struct ends *ends, bool of_certificate, const char *name)
{
    for (size_t i = 0; i < ends->count_count; i++)
        if (ends->counts[i].of_certificate == of_certificate && ends->counts[i].day == today() &&
            strcmp(ends->counts[i].name, name) == 0)
            return ends->counts[i].count;
    return 0;
}

static void what_was_used_up_is_told_the_next_front(void **state)
{
    struct ends *ends = *state;
    const struct stk_usage_count counts[] = {
        count_of(false, "kamailio", today(), 7), count_of(true, "Alpha", today(), 9),
        count_of(false, "kamailio", today() - 1, 100), count_of(false, "old", today() - 5, 1),
        count_of(false, "future", today() + 9, 1)};
    const struct stk_usage_count less = count_of(false, "kamailio", today(), 3);

    ends_start(ends);
    ends_await_snapshot(ends, 1);
    assert_int_equal(ends->count_count, 0);
    ends_report(ends, counts, 5, false);
    ends_report(ends, &less, 1, true);
    ends_await_snapshot(ends, 2);
    assert_int_equal(ends->count_count, 2);
    assert_int_equal(told(ends, false, "kamailio"), 7);
    assert_int_equal(told(ends, true, "Alpha"), 9);
    /* also when intake was killed meanwhile */
    born_kill(&ends->born);
    ends_start(ends);
    ends_await_snapshot(ends, 3);
    assert_int_equal(told(ends, false, "kamailio"), 7);
}

static void more_counts_than_one_page_holds_come_with_the_next_ones(void **state)
{
    enum { NAMES = 700 };
    struct ends *ends = *state;
    static struct stk_usage_count counts[NAMES];

    for (int i = 0; i < NAMES; i++) {
        char name[32] = "";

        (void)snprintf(name, sizeof(name), "N%04d", i);
        counts[i] = count_of(true, name, today(), (uint64_t)i + 1);
    }
    ends_start(ends);
    ends_await_snapshot(ends, 1);
    for (int i = 0; i < NAMES; i += 250)
        ends_report(ends, counts + i, i + 250 < NAMES ? 250 : (size_t)(NAMES - i), false);
    ends_report(ends, NULL, 0, true);
    ends_await_snapshot(ends, 2);
    assert_int_equal(ends->count_count, NAMES);
    for (int i = 0; i < NAMES; i++)
        assert_int_equal(told(ends, true, counts[i].name), i + 1);
}

static void a_catalog_that_cannot_be_written_does_not_stop_pushes(void **state)
{
    struct ends *ends = *state;
    const struct stk_usage_count counts[] = {count_of(false, "kamailio", today(), 7),
                                             count_of(false, "kamailio", today(), 8)};
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};

    fill_one(ends, "Plain", NULL, NULL);
    ends_start(ends);
    ends_await_snapshot(ends, 1);
    assert_int_equal(prlimit(ends->born.pid, RLIMIT_FSIZE, &limit, NULL), 0);
    ends_report(ends, counts, 1, false);
    ends_report(ends, NULL, 0, true);
    ends_await_snapshot(ends, 2);
    assert_int_equal(told(ends, false, "kamailio"), 7); /* kept in memory meanwhile */
    assert_non_null(ends_known(ends, "Plain0000"));
    limit.rlim_cur = RLIM_INFINITY;
    assert_int_equal(prlimit(ends->born.pid, RLIMIT_FSIZE, &limit, NULL), 0);
    (void)usleep(2500000); /* it is stored without another report */
    born_kill(&ends->born);
    ends_start(ends);
    ends_await_snapshot(ends, 3);
    assert_int_equal(told(ends, false, "kamailio"), 7);
    ends_report(ends, counts + 1, 1, false);
    ends_report(ends, NULL, 0, true);
    ends_await_snapshot(ends, 4);
    assert_int_equal(told(ends, false, "kamailio"), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, ends_set_up, ends_tear_down)
        TEST(a_name_comes_with_what_its_certificate_may_sign),
        TEST(an_import_is_told_with_its_constraints_at_once),
        TEST(one_whose_constraints_cannot_be_read_does_not_sign),
        TEST(pages_hold_as_many_names_as_their_bytes_allow),
        TEST(the_largest_list_of_numbers_fits_one_page),
        TEST(what_was_used_up_is_told_the_next_front),
        TEST(more_counts_than_one_page_holds_come_with_the_next_ones),
        TEST(a_catalog_that_cannot_be_written_does_not_stop_pushes),
    };

    return cmocka_run_group_tests_name("intake pushes", tests, NULL, NULL);
}
