/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/number_hash.h"
#include <string.h>

static struct stk_number_key make(const char *key, size_t length)
{
    struct stk_number_key made = {0};

    assert_int_equal(stk_number_key_make(key, length, &made, NULL), STIRKEEP_OK);
    return made;
}

/* Expected: printf TEXT | openssl dgst -sha256 -hmac KEY. */
static void it_is_hmac_sha_256(void **state)
{
    static const char key_32[] = "0123456789abcdef0123456789abcdef";
    char long_key[200];
    struct stk_number_key key = make(key_32, 32);
    char text[STK_NUMBER_HASH_TEXT] = "";
    (void)state;

    stk_number_hash(&key, "14155550100", text);
    assert_string_equal(text, "h:7e7e0605e3e4da245dd0983de8dbe2a2");
    memset(long_key, 'k', sizeof(long_key));
    key = make(long_key, sizeof(long_key));
    stk_number_hash(&key, "sip:alice@example.com", text);
    assert_string_equal(text, "h:b40c7e23434e60861eddbb829f1c36cf");
}

static void a_number_is_the_same_however_it_is_written(void **state)
{
    struct stk_number_key key = make("0123456789abcdef0123456789abcdef", 32);
    char text[STK_NUMBER_HASH_TEXT] = "";
    char other[STK_NUMBER_HASH_TEXT] = "";
    (void)state;

    stk_number_hash(&key, "14155550100", text);
    stk_number_hash(&key, "+1 (415) 555-0100", other);
    assert_string_equal(text, other);
    stk_number_hash(&key, "14155550101", other);
    assert_string_not_equal(text, other);
    stk_number_hash(&key, "not a number at all", other);
    assert_int_equal(strlen(other), STK_NUMBER_HASH_TEXT - 1);
    stk_number_hash(&key, "", other);
    assert_string_equal(other, "");
    stk_number_hash(&key, NULL, other);
    assert_string_equal(other, "");
}

static void another_key_gives_another_hash(void **state)
{
    struct stk_number_key one = make("0123456789abcdef0123456789abcdef", 32);
    struct stk_number_key two = make("0123456789abcdef0123456789abcdeg", 32);
    char text[STK_NUMBER_HASH_TEXT] = "";
    char other[STK_NUMBER_HASH_TEXT] = "";
    (void)state;

    stk_number_hash(&one, "1", text);
    stk_number_hash(&two, "1", other);
    assert_string_not_equal(text, other);
}

static void a_short_or_endless_key_is_none(void **state)
{
    static char bytes[STK_NUMBER_KEY_MAX + 1];
    struct stk_number_key key = {0};
    static const struct stk_number_key untouched;
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_number_key_make(bytes, 31, &key, &error), STIRKEEP_INVALID);
    assert_non_null(strstr(error.message, "31 bytes"));
    assert_int_equal(stk_number_key_make(bytes, 0, &key, NULL), STIRKEEP_INVALID);
    assert_int_equal(stk_number_key_make(bytes, sizeof(bytes), &key, NULL), STIRKEEP_INVALID);
    assert_memory_equal(&key, &untouched, sizeof(key));
    assert_int_equal(stk_number_key_make(bytes, STK_NUMBER_KEY_MAX, &key, NULL), STIRKEEP_OK);
}

static void sentences_lose_their_numbers_and_nothing_else(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"no grant allows it", "no grant allows it"},
        {"certificate: its TNAuthList does not cover orig 14155550100",
         "certificate: its TNAuthList does not cover orig ..."},
        {"dest: more than 15 digits", "dest: more than 15 digits"},
        {"claim orig: {\"tn\":\"14155550100\"}", "claim orig: {...:...}"},
        {"orig sip:alice@example.com is not", "orig ... is not"},
        {"+14155550100, 12", "+..., 12"},
        {"an end \"without its mark 1", "an end ..."},
        {"415 5550100", "415 ..."},
        {"grant a: orig 911 is not allowed", "grant a: orig ... is not allowed"},
        {"TNAuthList does not cover div *67", "TNAuthList does not cover div ..."},
        {"attest A for 112: line 25 of it", "attest A for ...: line 25 of it"},
        {"character 7: orig 1, 2 and 3", "character 7: orig ..., 2 and 3"},
    };
    char text[64] = "";
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        stk_number_hide(cases[i][0], text, sizeof(text));
        assert_string_equal(text, cases[i][1]);
    }
}

static void a_long_sentence_is_cut_and_never_past_the_end(void **state)
{
    char text[9] = "12345678";
    (void)state;

    for (size_t size = 1; size < sizeof(text); size++) {
        memset(text, 'x', sizeof(text));
        stk_number_hide("a number 4155550100", text, size);
        assert_int_equal(strlen(text), size - 1);
        assert_int_equal(text[size], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_hmac_sha_256),
        cmocka_unit_test(a_number_is_the_same_however_it_is_written),
        cmocka_unit_test(another_key_gives_another_hash),
        cmocka_unit_test(a_short_or_endless_key_is_none),
        cmocka_unit_test(sentences_lose_their_numbers_and_nothing_else),
        cmocka_unit_test(a_long_sentence_is_cut_and_never_past_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
