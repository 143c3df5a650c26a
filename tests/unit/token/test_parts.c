/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/digest.h"
#include "token/key_table.h"
#include <stdlib.h>
#include <string.h>

static struct stk_key_id id_of(uint32_t number)
{
    struct stk_key_id key_id = {0};

    /* All in one bucket: only the end differs. */
    memcpy(key_id.bytes + 28, &number, sizeof(number));
    return key_id;
}

static unsigned long handle_of(struct stk_key_table *table, uint32_t number)
{
    struct stk_key_id key_id = id_of(number);
    const struct stk_key_entry *entry = stk_key_table_find(table, &key_id);

    return entry == NULL ? 0 : entry->handle;
}

/* As a signer does it. Returns the handle that had to go. */
static unsigned long add(struct stk_key_table *table, uint32_t number)
{
    struct stk_key_id key_id = id_of(number);
    struct stk_key_entry *oldest = stk_key_table_oldest_when_full(table);
    unsigned long gone = oldest == NULL ? 0 : oldest->handle;

    if (oldest != NULL)
        stk_key_table_remove(table, oldest);
    stk_key_table_add(table, &key_id)->handle = number;
    return gone;
}

static void test_the_least_recently_used_key_goes_first(void **state)
{
    struct stk_key_table table = {0};

    (void)state;
    assert_int_equal(stk_key_table_new(&table, 3), STIRKEEP_OK);
    assert_int_equal(handle_of(&table, 1), 0);
    for (uint32_t number = 1; number <= 3; number++)
        assert_int_equal(add(&table, number), 0);
    assert_int_equal(handle_of(&table, 1), 1); /* used again */
    assert_int_equal(add(&table, 4), 2);
    assert_int_equal(handle_of(&table, 2), 0);
    assert_int_equal(add(&table, 5), 3);
    assert_int_equal(add(&table, 6), 1);
    assert_int_equal(handle_of(&table, 4), 4);
    assert_int_equal(table.count, 3);
    stk_key_table_clear(&table);
    assert_int_equal(table.count, 0);
    for (uint32_t number = 1; number <= 6; number++)
        assert_int_equal(handle_of(&table, number), 0);
    assert_int_equal(add(&table, 7), 0);
    assert_int_equal(handle_of(&table, 7), 7);
    stk_key_table_free(&table);
}

/* Nothing is to be let go yet: to keep the order would cost more than it is worth. */
static void test_below_half_the_order_is_that_in_which_they_came(void **state)
{
    struct stk_key_table table = {0};

    (void)state;
    assert_int_equal(stk_key_table_new(&table, 8), STIRKEEP_OK);
    for (uint32_t number = 1; number <= 3; number++)
        assert_int_equal(add(&table, number), 0);
    assert_int_equal(handle_of(&table, 1), 1); /* used, but not noted */
    for (uint32_t number = 4; number <= 8; number++)
        assert_int_equal(add(&table, number), 0);
    assert_int_equal(handle_of(&table, 2), 2); /* noted */
    assert_int_equal(add(&table, 9), 1);
    assert_int_equal(add(&table, 10), 3);
    assert_int_equal(handle_of(&table, 2), 2);
    stk_key_table_free(&table);
}

/* Against an array in order of use. */
static void test_the_table_holds_what_a_simple_one_would(void **state)
{
    enum { CAPACITY = 16, NUMBERS = 40, STEPS = 20000 };
    struct stk_key_table table = {0};
    uint32_t model[CAPACITY] = {0};
    size_t count = 0;
    uint32_t seed = 1;

    (void)state;
    assert_int_equal(stk_key_table_new(&table, CAPACITY), STIRKEEP_OK);
    for (int step = 0; step < STEPS; step++) {
        uint32_t number = 0;
        size_t at = 0;

        seed = seed * 1103515245 + 12345;
        number = (seed >> 16) % NUMBERS + 1;
        while (at < count && model[at] != number)
            at++;
        assert_int_equal(handle_of(&table, number), at < count ? number : 0);
        if (at < count && (seed >> 8) % 4 == 0) {
            struct stk_key_id key_id = id_of(number);

            stk_key_table_remove(&table, stk_key_table_find(&table, &key_id));
            memmove(model + at, model + at + 1, (--count - at) * sizeof(model[0]));
            continue;
        }
        if (at == count) {
            assert_int_equal(add(&table, number), count == CAPACITY ? model[CAPACITY - 1] : 0);
            at = count == CAPACITY ? CAPACITY - 1 : count++;
        }
        memmove(model + 1, model, at * sizeof(model[0]));
        model[0] = number;
        assert_int_equal(table.count, count);
    }
    stk_key_table_free(&table);
}

static void put(uint8_t *data, size_t *length, uint64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        data[(*length)++] = (uint8_t)(number >> shift);
}

static bool whole(const uint8_t *data, size_t length)
{
    /* In memory of its own, so that reading past the end is found. */
    uint8_t *copy = malloc(length == 0 ? 1 : length);
    bool is = false;

    memcpy(copy, data, length);
    is = stk_softhsm_object_whole((struct stk_bytes){copy, length});
    free(copy);
    return is;
}

static void test_an_object_file_is_empty_until_something_is_in_it(void **state)
{
    uint8_t file[256] = {0};
    size_t length = 0;

    (void)state;
    put(file, &length, 1); /* generation */
    assert_false(stk_softhsm_object_empty((struct stk_bytes){file, length}));
    put(file, &length, CKA_CLASS), put(file, &length, 2), put(file, &length, 3);
    put(file, &length, CKA_ID), put(file, &length, 3), put(file, &length, 0);
    put(file, &length, CKA_LABEL), put(file, &length, 3), put(file, &length, 0);
    assert_true(stk_softhsm_object_empty((struct stk_bytes){file, length}));
    assert_false(stk_softhsm_object_empty((struct stk_bytes){file, length - 1}));
    put(file, &length, CKA_VALUE), put(file, &length, 3), put(file, &length, 1), length++;
    assert_false(stk_softhsm_object_empty((struct stk_bytes){file, length}));
}

static void test_an_object_file_is_whole_at_its_ends_only(void **state)
{
    uint8_t file[256] = {0};
    size_t length = 0;
    size_t ends[5] = {0};
    size_t end = 0;

    (void)state;
    put(file, &length, 1); /* generation */
    put(file, &length, CKA_TOKEN), put(file, &length, 1), file[length++] = 1;
    ends[0] = length;
    put(file, &length, CKA_CLASS), put(file, &length, 2), put(file, &length, 3);
    ends[1] = length;
    put(file, &length, CKA_ID), put(file, &length, 3), put(file, &length, 5), length += 5;
    ends[2] = length;
    put(file, &length, CKA_LABEL), put(file, &length, 3), put(file, &length, 0);
    ends[3] = length;
    put(file, &length, CKA_ALLOWED_MECHANISMS), put(file, &length, 5), put(file, &length, 2);
    length += 16;
    ends[4] = length;
    for (size_t cut = 0; cut <= length; cut++) {
        bool expected = cut == ends[end];

        assert_int_equal(whole(file, cut), expected);
        end += expected ? 1 : 0;
    }
}

static void test_lengths_of_any_size_do_not_deceive(void **state)
{
    static const uint64_t lengths[] = {1, UINT64_MAX, UINT64_MAX / 8 + 1, 1ULL << 63, 1ULL << 61};

    (void)state;
    for (uint64_t kind = 0; kind < 8; kind++)
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            uint8_t file[64] = {0};
            size_t length = 0;

            put(file, &length, 1);
            put(file, &length, CKA_ID);
            put(file, &length, kind);
            put(file, &length, lengths[i]);
            /* Only a number can end here. */
            assert_int_equal(whole(file, length), kind == 2);
        }
}

static void test_a_public_key_on_p256_is_known_from_all_others(void **state)
{
    struct fx_key key = {0};
    EVP_PKEY *other = EVP_EC_gen("P-384");
    struct stk_buffer certificate = {0};
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};

    (void)state;
    fx_key_new(&key);
    assert_true(stk_spki_is_p256((struct stk_bytes){key.spki, sizeof(key.spki)}));
    assert_false(stk_spki_is_p256((struct stk_bytes){key.spki, sizeof(key.spki) - 1}));
    assert_false(stk_spki_is_p256((struct stk_bytes){NULL, 0}));
    for (size_t i = 0; i < STK_P256_SPKI_LENGTH - 64; i++) {
        key.spki[i] ^= 1;
        assert_false(stk_spki_is_p256((struct stk_bytes){key.spki, sizeof(key.spki)}));
        key.spki[i] ^= 1;
    }
    assert_true(stk_certificate_spki(
        (struct stk_bytes){key.certificate.data, key.certificate.length}, spki));
    assert_memory_equal(spki, key.spki, sizeof(spki));
    assert_false(stk_certificate_spki(
        (struct stk_bytes){key.certificate.data, key.certificate.length - 1}, spki));
    assert_int_equal(stk_buffer_add(&key.certificate, "", 1), STIRKEEP_OK);
    assert_false(stk_certificate_spki(
        (struct stk_bytes){key.certificate.data, key.certificate.length}, spki));
    fx_certificate(other, &certificate);
    assert_false(
        stk_certificate_spki((struct stk_bytes){certificate.data, certificate.length}, spki));
    stk_buffer_free(&certificate);
    EVP_PKEY_free(other);
    fx_key_free(&key);
}

static void test_a_signature_of_zeros_or_noise_does_not_verify(void **state)
{
    struct fx_key key = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};

    (void)state;
    fx_key_new(&key);
    assert_false(stk_signature_verifies(key.spki, digest, signature));
    memset(signature, 0xff, sizeof(signature));
    assert_false(stk_signature_verifies(key.spki, digest, signature));
    for (int i = 0; i < 20; i++) {
        stk_random(signature, sizeof(signature));
        assert_false(stk_signature_verifies(key.spki, digest, signature));
    }
    memset(key.spki + 27, 0x55, 64); /* no point of the curve */
    assert_false(stk_signature_verifies(key.spki, digest, signature));
    fx_key_free(&key);
}

static void test_every_refusal_of_a_pin_means_locked(void **state)
{
    static const CK_RV pins[] = {CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE,
                                 CKR_PIN_EXPIRED, CKR_PIN_LOCKED};
    struct stk_error error = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++)
        assert_int_equal(stk_ckr_error(&error, "C_Login", pins[i]), STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(stk_ckr_error(&error, "C_Sign", CKR_DEVICE_ERROR), STIRKEEP_TOKEN_ERROR);
    assert_string_equal(error.message, "C_Sign: CKR_DEVICE_ERROR");
    assert_int_equal(stk_ckr_error(&error, "C_Sign", 0x80000123UL), STIRKEEP_TOKEN_ERROR);
    assert_string_equal(error.message, "C_Sign: CKR 0x80000123");
    assert_int_equal(stk_ckr_error(NULL, "C_Sign", CKR_HOST_MEMORY), STIRKEEP_NO_MEMORY);
    assert_int_equal(stk_login_verdict(CKF_LOGIN_REQUIRED, &error), STIRKEEP_TOKEN_ERROR);
    assert_int_equal(stk_login_verdict(CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED, &error),
                     STIRKEEP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_least_recently_used_key_goes_first),
        cmocka_unit_test(test_below_half_the_order_is_that_in_which_they_came),
        cmocka_unit_test(test_the_table_holds_what_a_simple_one_would),
        cmocka_unit_test(test_an_object_file_is_whole_at_its_ends_only),
        cmocka_unit_test(test_an_object_file_is_empty_until_something_is_in_it),
        cmocka_unit_test(test_lengths_of_any_size_do_not_deceive),
        cmocka_unit_test(test_a_public_key_on_p256_is_known_from_all_others),
        cmocka_unit_test(test_a_signature_of_zeros_or_noise_does_not_verify),
        cmocka_unit_test(test_every_refusal_of_a_pin_means_locked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
