/* SPDX-License-Identifier: BSD-2-Clause */
#include "ends.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/encode.h"
#include <string.h>

/* What intake tells of the trail's seals, and of the key that makes them. */

static const uint8_t audit_spki[STK_SPKI_LENGTH] = "an audit key";

/* What the keeper says of them. */
struct seals {
    bool has_key;
    uint64_t sealed;
    uint64_t unsealed;
    int64_t since;
    enum stirkeep_status status;
};

static bool describe(void *context, const struct stk_custody_order *order,
                     struct stk_custody_answer *answer)
{
    const struct seals *seals = context;

    if (order->kind != STK_CUSTODY_TOKEN)
        return false;
    answer->status = seals->status;
    answer->message = seals->status == STIRKEEP_OK ? "" : "no token now";
    answer->has_token = seals->status == STIRKEEP_OK;
    answer->token = (struct stk_token_report){.label = "stirkeep",
                                              .serial = "0123",
                                              .model = "test",
                                              .seal_way = "rsa",
                                              .sign_way = "ecdsa",
                                              .signers = 1,
                                              .audit_writable = true,
                                              .audit_attributes = "LOCAL=1",
                                              .audit_sealed = seals->sealed,
                                              .audit_unsealed = seals->unsealed,
                                              .audit_unsealed_since = seals->since};
    if (seals->has_key)
        answer->token.audit_spki = (struct stk_bytes){audit_spki, sizeof(audit_spki)};
    return true;
}

static void start(struct ends *ends, struct seals *seals)
{
    ends->instead = describe;
    ends->instead_context = seals;
    ends_start(ends);
}

static struct stk_admin_response status_of(struct ends *ends)
{
    struct stk_admin_response response =
        call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS});

    assert_int_equal(response.status, STIRKEEP_OK);
    assert_true(response.service.ready); /* seals hold nothing up */
    return response;
}

static void the_audit_key_is_told_with_its_id(void **state)
{
    struct seals seals = {.has_key = true};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct stk_admin_response response = {0};
    char hex[2 * STK_DIGEST_LENGTH + 1] = "";

    start(*state, &seals);
    response = call(*state, (struct stk_admin_request){.kind = STK_ADMIN_AUDIT_KEY});
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_int_equal(response.kind, STK_ADMIN_AUDIT_KEY);
    assert_int_equal(response.spki.length, sizeof(audit_spki));
    assert_memory_equal(response.spki.data, audit_spki, sizeof(audit_spki));
    stk_sha256(audit_spki, sizeof(audit_spki), digest);
    assert_memory_equal(response.key_id.bytes, digest, sizeof(digest));
    assert_string_equal(response.attributes, "LOCAL=1");
    assert_string_equal(response.token_label, "stirkeep");
    stk_hex_encode(digest, sizeof(digest), hex);
    assert_string_equal(status_of(*state).service.audit_key, hex);
}

static void without_an_audit_key_it_is_said_so_and_status_warns(void **state)
{
    struct seals seals = {.unsealed = 3, .since = stk_clock_seconds()};
    struct stk_admin_response response = {0};

    start(*state, &seals);
    response = call(*state, (struct stk_admin_request){.kind = STK_ADMIN_AUDIT_KEY});
    assert_int_equal(response.status, STIRKEEP_KEY_UNAVAILABLE);
    assert_non_null(strstr(response.message, "no audit key"));
    response = status_of(*state);
    assert_string_equal(response.service.audit_key, "");
    assert_int_equal(response.service.warning_count, 1);
    assert_non_null(strstr(response.service.warnings[0], "no audit key"));
}

static void a_token_that_is_away_is_what_is_told(void **state)
{
    struct seals seals = {.status = STIRKEEP_TOKEN_LOCKED};

    start(*state, &seals);
    assert_int_equal(call(*state, (struct stk_admin_request){.kind = STK_ADMIN_AUDIT_KEY}).status,
                     STIRKEEP_TOKEN_LOCKED);
}

/* seal-seconds is 10. */
static void what_is_unsealed_for_long_is_a_warning(void **state)
{
    struct seals seals = {.has_key = true, .sealed = 100, .unsealed = 7};
    struct stk_admin_response response = {0};

    seals.since = stk_clock_seconds() - 60;
    start(*state, &seals);
    response = status_of(*state);
    assert_int_equal(response.service.warning_count, 0);
    assert_int_equal(response.service.audit_sealed, 100);
    assert_int_equal(response.service.audit_unsealed, 7);
    assert_int_equal(response.service.audit_unsealed_since, seals.since);
    seals.since = stk_clock_seconds() - 200;
    response = status_of(*state);
    assert_int_equal(response.service.warning_count, 1);
    assert_non_null(strstr(response.service.warnings[0], "7 records"));
    /* A clock that was put back. */
    seals.since = stk_clock_seconds() + 1000;
    assert_int_equal(status_of(*state).service.warning_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ends_set_up, ends_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_audit_key_is_told_with_its_id),
        TEST(without_an_audit_key_it_is_said_so_and_status_warns),
        TEST(a_token_that_is_away_is_what_is_told),
        TEST(what_is_unsealed_for_long_is_a_warning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
