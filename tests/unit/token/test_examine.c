/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS 12
#define BUDGET_US 1000000

static struct stk_token *token;
static struct stk_arena arena;
static struct stk_diagnosis diagnosis;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(stk_arena_new(&arena, (size_t)512 * 1024), STIRKEEP_OK);
    if (fx_module() != NULL)
        token = fx_open();
    return 0;
}

/* All but the wrapping key, which takes long to make. */
static void empty(void)
{
    struct stk_handles found = {0};
    char label[64] = "";
    size_t length = 0;

    assert_int_equal(stk_session_find(&token->custody, NULL, 0, &found), CKR_OK);
    for (size_t i = 0; i < found.count; i++)
        if (stk_session_read(&token->custody, found.items[i], CKA_LABEL, label, sizeof(label),
                             &length) != CKR_OK ||
            length != strlen(STK_WRAPPING_LABEL) || memcmp(label, STK_WRAPPING_LABEL, length) != 0)
            assert_int_equal(stk_session_destroy(&token->custody, found.items[i]), CKR_OK);
    stk_handles_free(&found);
}

static int tear_down(void **state)
{
    (void)state;
    if (token != NULL)
        empty();
    stk_token_close(token);
    token = NULL;
    stk_arena_free(&arena);
    return 0;
}

static void examine(void)
{
    struct stk_error error = {0};

    stk_arena_reset(&arena);
    diagnosis = (struct stk_diagnosis){.arena = &arena};
    if (stk_token_examine(token, BUDGET_US, &diagnosis, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
}

static const char *fact(const char *name)
{
    for (size_t i = 0; i < diagnosis.fact_count; i++)
        if (strcmp(diagnosis.facts[i].name, name) == 0)
            return diagnosis.facts[i].value;
    fail_msg("no fact \"%s\"", name);
    return NULL;
}

/* The trouble whose text has this in it. */
static const struct stk_trouble *trouble(const char *part)
{
    for (size_t i = 0; i < diagnosis.trouble_count; i++)
        if (strstr(diagnosis.troubles[i].what, part) != NULL)
            return &diagnosis.troubles[i];
    return NULL;
}

static void assert_told(const char *part, const char *severity)
{
    const struct stk_trouble *found = trouble(part);

    if (found == NULL) {
        fail_msg("nothing is told of \"%s\"", part);
        return;
    }
    assert_string_equal(found->severity, severity);
    assert_true(strlen(found->cure) > 10);
}

static void assert_no_trouble(void)
{
    for (size_t i = 0; i < diagnosis.trouble_count; i++)
        print_error("%s: %s\n", diagnosis.troubles[i].severity, diagnosis.troubles[i].what);
    assert_int_equal(diagnosis.trouble_count, 0);
}

static size_t objects(void)
{
    struct stk_handles found = {0};
    size_t count = 0;

    assert_int_equal(stk_session_find(&token->custody, NULL, 0, &found), CKR_OK);
    count = found.count;
    stk_handles_free(&found);
    return count;
}

/* ---- examining */

static void an_empty_token_is_told_without_a_trouble_and_nothing_is_left_on_it(void **state)
{
    size_t before = 0;
    (void)state;

    fx_require();
    before = objects();
    examine();
    assert_no_trouble();
    assert_int_equal(objects(), before);
    assert_non_null(strstr(fact("library"), "SoftHSM"));
    assert_non_null(strstr(fact("token"), FX_LABEL));
    assert_non_null(strstr(fact("protection"), "not a validated module"));
    assert_non_null(strstr(fact("PIN"), "no flag"));
    assert_non_null(strstr(fact("CKM_ECDSA"), "sign"));
    assert_non_null(strstr(fact("key pairs"), "generates P-256"));
    assert_non_null(strstr(fact("signatures"), "a session object"));
    assert_non_null(strstr(fact("keys"), "0 of ours"));
    assert_non_null(strstr(fact("token files"), fx_directory()));
}

static void the_wrapping_key_is_told_by_its_size_and_64_hex_digits(void **state)
{
    const char *id = NULL;
    (void)state;

    fx_require();
    examine();
    id = strstr(fact("wrapping key"), "RSA 3072, ");
    assert_non_null(id);
    assert_int_equal(strspn(id + strlen("RSA 3072, "), "0123456789abcdef"), 64);
}

static void keys_of_ours_are_counted_proven_and_measured(void **state)
{
    struct fx_key key[3] = {0};
    (void)state;

    fx_require();
    for (size_t i = 0; i < 3; i++) {
        fx_key_new(&key[i]);
        fx_import(token, &key[i]);
    }
    examine();
    assert_no_trouble();
    assert_non_null(strstr(fact("keys"), "3 of ours, 0 without a certificate; 3 of them"));
    assert_non_null(strstr(fact("keys"), "3 gave it"));
    assert_string_equal(fact("certificates"), "3");
    assert_non_null(strstr(fact("signatures"), "a token object"));
    assert_non_null(strstr(fact("signatures, copied"), "a session copy"));
    assert_true(strtoul(fact("signatures"), NULL, 10) > 0);
    for (size_t i = 0; i < 3; i++)
        fx_key_free(&key[i]);
}

static CK_FLAGS raised;

static CK_RV token_info_with_flags(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = fx_real()->C_GetTokenInfo(slot, info);

    info->flags |= raised;
    return rv;
}

static void flags_of_the_pin_are_troubles(void **state)
{
    (void)state;

    fx_require();
    fx_intercept(token)->C_GetTokenInfo = token_info_with_flags;
    raised = CKF_USER_PIN_COUNT_LOW;
    examine();
    assert_told("a wrong PIN has been tried", "warning");
    assert_int_equal(diagnosis.trouble_count, 1);
    raised = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
    examine();
    assert_told("one more wrong PIN locks", "error");
    assert_non_null(strstr(fact("PIN"), "one more wrong PIN"));
    raised = CKF_USER_PIN_LOCKED | CKF_USER_PIN_TO_BE_CHANGED;
    examine();
    assert_told("locked", "error");
    assert_told("wants its PIN changed", "warning");
}

static CK_RV no_mechanism(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    (void)slot;
    (void)type;
    (void)info;
    return CKR_MECHANISM_INVALID;
}

static CK_RV no_generation(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public,
                           CK_ULONG public_count, CK_ATTRIBUTE *private, CK_ULONG private_count,
                           CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    (void)session;
    (void)mechanism;
    (void)public;
    (void)public_count;
    (void)private;
    (void)private_count;
    (void)public_key;
    (void)private_key;
    return CKR_MECHANISM_INVALID;
}

static void what_a_token_cannot_do_is_told_by_trying_it(void **state)
{
    (void)state;

    fx_require();
    fx_intercept(token)->C_GenerateKeyPair = no_generation;
    token->info.copies = false;
    examine();
    assert_told("stirkeep generate will not work", "warning");
    assert_told("copies no keys", "warning");
    assert_int_equal(diagnosis.trouble_count, 2);
    fx_intercept(token)->C_GetMechanismInfo = no_mechanism;
    examine();
    assert_told("CKM_ECDSA", "error");
}

static bool every_call_was_noted;

static CK_RV info_noted(CK_INFO *info)
{
    every_call_was_noted = stk_token_busy_since(token) != 0;
    return fx_real()->C_GetInfo(info);
}

static CK_RV mechanism_noted(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    every_call_was_noted = every_call_was_noted && stk_token_busy_since(token) != 0;
    return fx_real()->C_GetMechanismInfo(slot, type, info);
}

static void calls_are_noted_for_the_watchdog(void **state)
{
    (void)state;

    fx_require();
    fx_intercept(token)->C_GetInfo = info_noted;
    fx_intercept(token)->C_GetInfo = info_noted;
    token->p11->C_GetMechanismInfo = mechanism_noted;
    examine();
    assert_true(every_call_was_noted);
    assert_int_equal(stk_token_busy_since(token), 0);
}

static CK_RV device_is_gone(CK_INFO *info)
{
    (void)info;
    return CKR_DEVICE_REMOVED;
}

static void a_token_that_fails_ends_the_examination_with_its_word(void **state)
{
    struct stk_error error = {0};
    (void)state;

    fx_require();
    fx_intercept(token)->C_GetInfo = device_is_gone;
    diagnosis = (struct stk_diagnosis){.arena = &arena};
    assert_int_equal(stk_token_examine(token, BUDGET_US, &diagnosis, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "CKR_DEVICE_REMOVED"));
}

static void a_small_budget_is_kept(void **state)
{
    struct fx_key key[3] = {0};
    uint64_t begin = 0;
    (void)state;

    fx_require();
    for (size_t i = 0; i < 3; i++) {
        fx_key_new(&key[i]);
        fx_import(token, &key[i]);
    }
    stk_arena_reset(&arena);
    diagnosis = (struct stk_diagnosis){.arena = &arena};
    begin = stk_clock_mono_us();
    assert_int_equal(stk_token_examine(token, 20000, &diagnosis, NULL), STIRKEEP_OK);
    assert_true(stk_clock_mono_us() - begin < 300000);
    assert_non_null(strstr(fact("keys"), "3 of ours"));
    assert_true(strtoul(fact("signatures"), NULL, 10) > 0);
    for (size_t i = 0; i < 3; i++)
        fx_key_free(&key[i]);
}

/* ---- what lies on the token */

static void destroy(const struct stk_key_id *key_id, CK_OBJECT_CLASS class)
{
    struct stk_handles found = {0};

    assert_int_equal(stk_key_objects(&token->custody, key_id, class, &found), CKR_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(stk_session_destroy(&token->custody, found.items[0]), CKR_OK);
    stk_handles_free(&found);
}

static void a_key_that_signs_as_another_is_an_error(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};
    (void)state;

    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_import(token, &key);
    destroy(&key.key_id, CKO_PRIVATE_KEY);
    fx_plant(token, &other, &key.key_id);
    examine();
    assert_told("signs as another key", "error");
    assert_non_null(strstr(fact("keys"), "1 of ours, 0 without a certificate; 1 of them"));
    assert_non_null(strstr(fact("keys"), "0 gave it"));
    fx_key_free(&key);
    fx_key_free(&other);
}

static void a_key_with_neither_certificate_nor_public_key_is_told(void **state)
{
    struct fx_key key = {0};
    char id[2 * STK_KEY_ID_LENGTH + 1] = "";
    (void)state;

    fx_require();
    fx_key_new(&key);
    fx_plant(token, &key, &key.key_id);
    examine();
    for (size_t i = 0; i < STK_KEY_ID_LENGTH; i++)
        (void)snprintf(id + 2 * i, 3, "%02x", key.key_id.bytes[i]);
    assert_told("neither a certificate nor a public key", "warning");
    assert_told(id, "warning");
    assert_non_null(strstr(fact("keys"), "1 of ours, 1 without a certificate"));
    fx_key_free(&key);
}

/* A private key as others make them. */
static void make_foreign(const struct fx_key *key, const char *label, const char *id)
{
    static const struct stk_key_id none;
    struct stk_key_template template = {0};
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    struct stk_error error = {0};

    stk_template_ec(&template, "", &none, true);
    for (size_t i = 0; i < template.count; i++) {
        CK_ATTRIBUTE *attribute = &template.attributes[i];

        if (attribute->type == CKA_LABEL)
            *attribute = (CK_ATTRIBUTE){CKA_LABEL, (void *)label, strlen(label)};
        if (attribute->type == CKA_ID)
            *attribute = (CK_ATTRIBUTE){CKA_ID, (void *)id, strlen(id)};
    }
    if (stk_create(token, &key->pkcs8, &template, &handle, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
}

static void foreign_and_torn_keys_are_counted_and_left_alone(void **state)
{
    struct stk_token_held held = {0};
    struct stk_key_id first = {0};
    struct fx_key key = {0};
    size_t before = 0;
    (void)state;

    fx_require();
    fx_key_new(&key);
    make_foreign(&key, "somebody's", "07");
    make_foreign(&key, "stirkeepers", "0123456789abcdef0123456789abcdef");
    make_foreign(&key, "", "");
    make_foreign(&key, "stirkeep:Alpha", "");
    make_foreign(&key, "stirkeep:Beta", "0123456789abcdef0123456789abcdefX");
    make_foreign(&key, "stirkeep:a name with blanks", "0123456789abcdef0123456789abcdef");
    before = objects();
    examine();
    assert_non_null(strstr(fact("keys"), "0 of ours"));
    assert_non_null(strstr(fact("other keys"), "2 private keys"));
    assert_told("1 private keys on the token have neither a label nor a CKA_ID", "warning");
    assert_told("3 private keys on the token have a label of ours", "warning");
    assert_int_equal(objects(), before);
    assert_int_equal(stk_token_inventory(token, &first, &arena, &held, NULL), STIRKEEP_OK);
    assert_memory_equal(&held.key_id, &first, sizeof(first));
    fx_key_free(&key);
}

static void files_that_are_not_as_they_should_be_are_told(void **state)
{
    char path[256] = "";
    FILE *file = NULL;
    (void)state;

    fx_require();
    fx_token_file("00000000-0000-0000-0000-000000000000.object", path, sizeof(path));
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite("\0\0\0\0\0\0\0\1\0\0\0", 1, 11, file), 11);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0640), 0);
    fx_token_file("", path, sizeof(path));
    assert_int_equal(chmod(path, 0750), 0);
    examine();
    assert_told("1 object files in", "warning");
    assert_told("1 files in", "warning");
    assert_told("can be read or written by others", "warning");
    assert_told("others may look into the token's directory", "warning");
    assert_int_equal(chmod(path, 0700), 0);
    fx_token_file("00000000-0000-0000-0000-000000000000.object", path, sizeof(path));
    assert_int_equal(unlink(path), 0); /* which it has left alone */
}

/* ---- the inventory */

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct fx_key *)a)->key_id.bytes,
                  ((const struct fx_key *)b)->key_id.bytes, STK_KEY_ID_LENGTH);
}

static void import_all(struct fx_key keys[KEYS])
{
    for (size_t i = 0; i < KEYS; i++) {
        fx_key_new(&keys[i]);
        fx_import(token, &keys[i]);
    }
    qsort(keys, KEYS, sizeof(keys[0]), by_id);
}

static void free_all(struct fx_key keys[KEYS])
{
    for (size_t i = 0; i < KEYS; i++)
        fx_key_free(&keys[i]);
}

static struct stk_token_held held_after(const struct stk_key_id *after)
{
    struct stk_token_held held = {0};
    struct stk_error error = {0};

    stk_arena_reset(&arena);
    if (stk_token_inventory(token, after, &arena, &held, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return held;
}

static unsigned searches;

static CK_RV count_search(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    searches++;
    return fx_real()->C_FindObjectsInit(session, attributes, count);
}

static void an_inventory_tells_all_keys_in_order_and_searches_once(void **state)
{
    static const struct stk_key_id none;
    struct fx_key keys[KEYS] = {0};
    struct stk_key_id after = {0};
    (void)state;

    fx_require();
    import_all(keys);
    for (int round = 0; round < 2; round++) {
        searches = 0;
        fx_intercept(token)->C_FindObjectsInit = count_search;
        after = none;
        for (size_t i = 0; i < KEYS; i++) {
            struct stk_token_held held = held_after(&after);

            assert_memory_equal(&held.key_id, &keys[i].key_id, sizeof(held.key_id));
            assert_string_equal(held.name.text, "Alpha");
            assert_non_null(strstr(held.attributes, "SENSITIVE=1 EXTRACTABLE=0"));
            assert_int_equal(held.certificate_count, 1);
            assert_int_equal(held.certificates[0].length, keys[i].certificate.length);
            assert_memory_equal(held.certificates[0].data, keys[i].certificate.data,
                                keys[i].certificate.length);
            assert_string_equal(held.x5u[0], "");
            after = held.key_id;
        }
        after = held_after(&after).key_id;
        assert_memory_equal(&after, &none, sizeof(none));
        assert_int_equal(searches, 2);
    }
    free_all(keys);
}

static void a_key_destroyed_meanwhile_is_passed_over_and_a_new_one_waits(void **state)
{
    static const struct stk_key_id none;
    struct fx_key keys[KEYS] = {0};
    struct fx_key late = {0};
    struct stk_key_id after = {0};
    size_t told = 0;
    (void)state;

    fx_require();
    import_all(keys);
    after = held_after(&none).key_id;
    assert_int_equal(stk_token_destroy(token, &keys[1].key_id, NULL, NULL), STIRKEEP_OK);
    fx_key_new(&late);
    fx_import(token, &late);
    after = held_after(&after).key_id;
    assert_memory_equal(&after, &keys[2].key_id, sizeof(after));
    for (after = none, told = 0;; told++) {
        after = held_after(&after).key_id;
        if (memcmp(&after, &none, sizeof(after)) == 0)
            break;
    }
    assert_int_equal(told, KEYS); /* one less, one more */
    fx_key_free(&late);
    free_all(keys);
}

/* As another part of the project stores them: with the address that they are published at. */
static void store_certificate(const struct stk_key_id *key_id, const struct stk_buffer *der,
                              const char *url)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_BYTE hash[20] = {0};
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_CERTIFICATE_TYPE, &type, sizeof(type)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &no, sizeof(no)},
        {CKA_ID, (void *)key_id->bytes, sizeof(key_id->bytes)},
        {CKA_SUBJECT, (void *)"0", 1},
        {CKA_VALUE, der->data, der->length},
        {CKA_URL, (void *)url, strlen(url)},
        {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, hash, sizeof(hash)},
        {CKA_HASH_OF_ISSUER_PUBLIC_KEY, hash, sizeof(hash)},
    };
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

    assert_int_equal(stk_session_create(&token->custody, attributes,
                                        sizeof(attributes) / sizeof(attributes[0]), &object),
                     CKR_OK);
}

static void its_own_certificates_come_first_with_the_address_they_are_published_at(void **state)
{
    static const struct stk_key_id none;
    static const char url[] = "https://certs.example.com/Alpha.pem";
    struct fx_key key = {0};
    struct fx_key issuer = {0};
    struct stk_token_held held = {0};
    (void)state;

    fx_require();
    fx_key_new(&key);
    fx_key_new(&issuer);
    store_certificate(&key.key_id, &issuer.certificate, "");
    store_certificate(&key.key_id, &key.certificate, url);
    fx_plant(token, &key, &key.key_id);
    held = held_after(&none);
    assert_int_equal(held.certificate_count, 2);
    assert_string_equal(held.x5u[0], url);
    assert_memory_equal(held.certificates[0].data, key.certificate.data, key.certificate.length);
    assert_string_equal(held.x5u[1], "");
    assert_string_equal(held.name.text, "planted");
    fx_key_free(&key);
    fx_key_free(&issuer);
}

static void too_many_certificates_of_one_key_are_cut_and_its_own_kept(void **state)
{
    static const struct stk_key_id none;
    struct fx_key key = {0};
    struct fx_key issuer = {0};
    struct stk_token_held held = {0};
    (void)state;

    fx_require();
    fx_key_new(&key);
    for (size_t i = 0; i < STK_TOKEN_HELD_MAX; i++) {
        fx_key_new(&issuer);
        store_certificate(&key.key_id, &issuer.certificate, "");
        fx_key_free(&issuer);
    }
    fx_import(token, &key);
    held = held_after(&none);
    assert_int_equal(held.certificate_count, STK_TOKEN_HELD_MAX);
    assert_memory_equal(held.certificates[0].data, key.certificate.data, key.certificate.length);
    fx_key_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_empty_token_is_told_without_a_trouble_and_nothing_is_left_on_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_wrapping_key_is_told_by_its_size_and_64_hex_digits,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_of_ours_are_counted_proven_and_measured, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(flags_of_the_pin_are_troubles, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_token_cannot_do_is_told_by_trying_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(calls_are_noted_for_the_watchdog, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_fails_ends_the_examination_with_its_word,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_small_budget_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_signs_as_another_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_with_neither_certificate_nor_public_key_is_told,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(foreign_and_torn_keys_are_counted_and_left_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(files_that_are_not_as_they_should_be_are_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_inventory_tells_all_keys_in_order_and_searches_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_key_destroyed_meanwhile_is_passed_over_and_a_new_one_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            its_own_certificates_come_first_with_the_address_they_are_published_at, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(too_many_certificates_of_one_key_are_cut_and_its_own_kept,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
