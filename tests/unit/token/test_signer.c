/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/clock.h"
#include "base/digest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct stk_token *token;
static struct stk_signer *signer;
static CK_FUNCTION_LIST *calls;

static _Atomic unsigned searches;
static _Atomic unsigned copies;
static _Atomic unsigned signatures;

static CK_RV count_search(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    searches++;
    return fx_real()->C_FindObjectsInit(session, attributes, count);
}

static CK_RV count_copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                        CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *ret_copy)
{
    copies++;
    return fx_real()->C_CopyObject(session, object, attributes, count, ret_copy);
}

static CK_RV count_signature(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
                             CK_BYTE *ret_signature, CK_ULONG *ret_length)
{
    signatures++;
    return fx_real()->C_Sign(session, data, length, ret_signature, ret_length);
}

static void count_from_now(void)
{
    searches = copies = signatures = 0;
}

static int begin(void **state)
{
    struct stk_error error = {0};

    (void)state;
    if (fx_module() == NULL)
        return 0;
    token = fx_open();
    if (stk_signer_new(token, &signer, &error) != STIRKEEP_OK)
        return -1;
    calls = fx_intercept(token);
    calls->C_FindObjectsInit = count_search;
    calls->C_CopyObject = count_copy;
    calls->C_Sign = count_signature;
    count_from_now();
    return 0;
}

static int end(void **state)
{
    (void)state;
    stk_signer_free(signer);
    stk_token_close(token);
    signer = NULL;
    token = NULL;
    return 0;
}

static enum stirkeep_status try_sign(const struct fx_key *key, struct stk_error *error)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_random(digest, sizeof(digest));
    status = stk_signer_sign(signer, &key->key_id, digest, signature, error);
    if (status == STIRKEEP_OK)
        assert_true(fx_verifies(key, digest, signature));
    return status;
}

static void assert_signs(const struct fx_key *key)
{
    struct stk_error error = {0};

    if (try_sign(key, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
}

static void assert_unavailable(const struct fx_key *key, const char *reason)
{
    struct stk_error error = {0};

    assert_int_equal(try_sign(key, &error), STIRKEEP_KEY_UNAVAILABLE);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, reason);
}

static void test_a_key_is_known_copied_and_proven_once(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    count_from_now();
    assert_signs(&key);
    assert_int_equal(searches, 0);
    assert_int_equal(copies, 1);
    assert_int_equal(signatures, 2); /* the proof is one */
    for (int i = 0; i < 100; i++)
        assert_signs(&key);
    assert_int_equal(searches, 0);
    assert_int_equal(copies, 1);
    assert_int_equal(signatures, 102);
    fx_key_free(&key);
}

static void test_among_a_thousand_keys_signing_searches_nothing(void **state)
{
    struct fx_key keys[3] = {0};
    struct fx_key filler = {0};

    (void)state;
    fx_require();
    fx_key_new(&filler);
    for (unsigned i = 0; i < 1000; i++) {
        struct stk_key_id key_id = {0};

        memcpy(key_id.bytes, &i, sizeof(i));
        fx_plant(token, &filler, &key_id);
    }
    for (size_t i = 0; i < 3; i++) {
        fx_key_new(&keys[i]);
        fx_import(token, &keys[i]);
    }
    count_from_now();
    for (size_t i = 0; i < 3; i++)
        assert_signs(&keys[i]);
    for (size_t i = 0; i < 300; i++)
        assert_signs(&keys[i % 3]);
    assert_int_equal(searches, 0);
    assert_int_equal(signatures, 306);
    for (size_t i = 0; i < 3; i++)
        fx_key_free(&keys[i]);
    fx_key_free(&filler);
    end(NULL);
    fx_renew();
}

static CK_RV refuse_copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                         CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *ret_copy)
{
    (void)session;
    (void)object;
    (void)attributes;
    (void)count;
    (void)ret_copy;
    return CKR_ACTION_PROHIBITED;
}

static void test_a_key_that_may_not_be_copied_signs_by_the_token_object(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    calls->C_CopyObject = refuse_copy;
    count_from_now();
    assert_signs(&key);
    assert_signs(&key);
    assert_int_equal(signatures, 3);
    fx_key_free(&key);
}

static void test_a_copy_is_kept_as_well_as_the_key(void **state)
{
    struct fx_key key = {0};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
    CK_BBOOL sensitive = CK_FALSE;
    CK_BBOOL extractable = CK_TRUE;
    uint8_t value[64] = {0};
    size_t length = 0;

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(stk_custody_find(token, &key.key_id, &object, NULL), STIRKEEP_OK);
    assert_int_equal(stk_session_copy(&token->custody, object, &copy), CKR_OK);
    assert_int_equal(stk_session_read(&token->custody, copy, CKA_SENSITIVE, &sensitive, 1, &length),
                     CKR_OK);
    assert_int_equal(
        stk_session_read(&token->custody, copy, CKA_EXTRACTABLE, &extractable, 1, &length), CKR_OK);
    assert_int_equal(sensitive, CK_TRUE);
    assert_int_equal(extractable, CK_FALSE);
    assert_int_equal(
        stk_session_read(&token->custody, copy, CKA_VALUE, value, sizeof(value), &length),
        CKR_ATTRIBUTE_SENSITIVE);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PRIVATE_KEY), 1); /* it is no token object */
    assert_int_equal(stk_session_destroy(&token->custody, copy), CKR_OK);
    fx_key_free(&key);
}

static void test_a_destroyed_key_signs_no_more_and_an_imported_one_at_once(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    assert_unavailable(&key, "is not on the token");
    fx_import(token, &key);
    assert_signs(&key);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_OK);
    stk_signer_forget(signer, &key.key_id);
    assert_unavailable(&key, "is not on the token");
    fx_import(token, &key);
    assert_signs(&key);
    fx_key_free(&key);
}

static void test_more_to_forget_than_the_queue_holds_is_forgotten(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_signs(&key);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_OK);
    for (unsigned i = 0; i < 200; i++) {
        struct stk_key_id other = {0};

        memcpy(other.bytes, &i, sizeof(i));
        stk_signer_forget(signer, &other);
    }
    stk_signer_forget(signer, &key.key_id);
    assert_unavailable(&key, "is not on the token");
    fx_key_free(&key);
}

static void test_asking_for_a_missing_key_searches_once_a_second_at_most(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    count_from_now();
    assert_unavailable(&key, "is not on the token");
    for (int i = 0; i < 50; i++)
        assert_unavailable(&key, "a moment ago");
    assert_int_equal(searches, 1);
    fx_key_free(&key);
}

static void test_a_key_is_not_believed_without_its_own_certificate(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_plant(token, &key, &key.key_id);
    assert_unavailable(&key, "no certificate");
    fx_key_free(&key);
}

static void test_a_key_that_signs_as_another_is_not_used(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};
    struct stk_handles found = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_import(token, &key);
    assert_int_equal(stk_key_objects(&token->custody, &key.key_id, CKO_PRIVATE_KEY, &found),
                     CKR_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(stk_session_destroy(&token->custody, found.items[0]), CKR_OK);
    fx_plant(token, &other, &key.key_id);
    assert_unavailable(&key, "signs as another key");
    stk_handles_free(&found);
    /* Beside it the right one is found, in whatever order. */
    fx_plant(token, &key, &key.key_id);
    token->epoch++;
    assert_signs(&key);
    fx_key_free(&other);
    fx_key_free(&key);
}

static void test_a_key_with_the_certificate_of_its_own_but_anothers_id_is_not_used(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};
    struct stk_buffer none = {0};
    struct stk_bytes chain[1] = {0};
    struct stk_token_import import = {0};
    struct stk_certificates_stored made = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    import = fx_import_of(&other, &none, chain);
    import.key_id = key.key_id;
    fx_plant(token, &other, &key.key_id);
    assert_int_equal(stk_certificates_store(token, &import, &made, NULL), STIRKEEP_OK);
    assert_int_equal(made.made_count, 1);
    assert_unavailable(&key, "no certificate of its own");
    fx_key_free(&other);
    fx_key_free(&key);
}

/* ---- the one lock */

static unsigned calls_without_lock;
static unsigned calls_with_lock;

static void note_lock(void)
{
    if (pthread_mutex_trylock(&token->objects) != 0) {
        calls_with_lock++;
        return;
    }
    calls_without_lock++;
    (void)pthread_mutex_unlock(&token->objects);
}

static CK_RV locked_find(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    note_lock();
    return fx_real()->C_FindObjectsInit(session, attributes, count);
}

static CK_RV locked_copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                         CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *ret_copy)
{
    note_lock();
    return fx_real()->C_CopyObject(session, object, attributes, count, ret_copy);
}

static CK_RV locked_create(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count,
                           CK_OBJECT_HANDLE *ret_object)
{
    note_lock();
    return fx_real()->C_CreateObject(session, attributes, count, ret_object);
}

static CK_RV locked_destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    note_lock();
    return fx_real()->C_DestroyObject(session, object);
}

static CK_RV locked_unwrap(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                           CK_BYTE *wrapped, CK_ULONG length, CK_ATTRIBUTE *attributes,
                           CK_ULONG count, CK_OBJECT_HANDLE *ret_object)
{
    note_lock();
    return fx_real()->C_UnwrapKey(session, mechanism, key, wrapped, length, attributes, count,
                                  ret_object);
}

static CK_RV unlocked_sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
                           CK_BYTE *ret_signature, CK_ULONG *ret_length)
{
    note_lock();
    return fx_real()->C_Sign(session, data, length, ret_signature, ret_length);
}

static void test_objects_are_touched_under_one_lock_and_signing_takes_none(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    calls->C_FindObjectsInit = locked_find;
    calls->C_CopyObject = locked_copy;
    calls->C_CreateObject = locked_create;
    calls->C_DestroyObject = locked_destroy;
    calls->C_UnwrapKey = locked_unwrap;
    calls_with_lock = calls_without_lock = 0;
    fx_import(token, &key);
    assert_signs(&key);
    stk_signer_forget(signer, &key.key_id);
    assert_signs(&key);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_OK);
    assert_int_equal(calls_without_lock, 0);
    assert_true(calls_with_lock > 10);
    fx_import(token, &key);
    calls->C_Sign = unlocked_sign;
    assert_signs(&key);
    calls_with_lock = calls_without_lock = 0;
    for (int i = 0; i < 10; i++)
        assert_signs(&key);
    assert_int_equal(calls_without_lock, 10);
    assert_int_equal(calls_with_lock, 0);
    fx_key_free(&key);
}

static CK_RV fail_with;
static unsigned fail_times;

static CK_RV failing_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                               CK_OBJECT_HANDLE key)
{
    if (fail_times > 0) {
        fail_times--;
        return fail_with;
    }
    return fx_real()->C_SignInit(session, mechanism, key);
}

static void test_what_went_stale_is_opened_found_and_proven_again(void **state)
{
    static const CK_RV stale[] = {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,
                                  CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID,
                                  CKR_USER_NOT_LOGGED_IN};
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    calls->C_SignInit = failing_sign_init;
    for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++) {
        assert_signs(&key);
        count_from_now();
        fail_with = stale[i];
        fail_times = 1;
        assert_signs(&key);
        assert_int_equal(signatures, 2); /* proven again */
    }
    assert_false(stk_token_login_lost(token));
    fx_key_free(&key);
}

static void test_it_tries_once_more_and_not_for_ever(void **state)
{
    struct fx_key key = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_signs(&key);
    calls->C_SignInit = failing_sign_init;
    fail_with = CKR_SESSION_CLOSED;
    fail_times = 1000;
    assert_int_equal(try_sign(&key, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "CKR_SESSION_CLOSED"));
    assert_int_equal(fail_times, 998);
    fail_with = CKR_DEVICE_ERROR; /* not stale: no second try */
    assert_int_equal(try_sign(&key, &error), STIRKEEP_TOKEN_ERROR);
    assert_int_equal(fail_times, 997);
    fail_times = 0;
    assert_signs(&key);
    fx_key_free(&key);
}

static void test_a_handle_that_means_another_object_is_looked_up_again(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_signs(&key);
    calls->C_SignInit = failing_sign_init;
    fail_with = CKR_KEY_TYPE_INCONSISTENT;
    fail_times = 1;
    assert_int_equal(try_sign(&key, NULL), STIRKEEP_TOKEN_ERROR);
    count_from_now();
    assert_signs(&key);
    assert_int_equal(signatures, 2);
    fx_key_free(&key);
}

static void test_a_lost_login_is_told_and_not_repaired_in_secret(void **state)
{
    struct fx_key key = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_signs(&key);
    assert_int_equal(fx_real()->C_Logout(token->home.handle), CKR_OK);
    assert_int_equal(try_sign(&key, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "CKR_USER_NOT_LOGGED_IN"));
    assert_true(stk_token_login_lost(token));
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_TOKEN_ERROR);
    fx_key_free(&key);
}

static uint64_t seen_busy_since;
static uint64_t custody_seen_busy_since;

static CK_RV look_at_the_clock(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
                               CK_BYTE *ret_signature, CK_ULONG *ret_length)
{
    seen_busy_since = stk_signer_busy_since(signer);
    custody_seen_busy_since = stk_token_busy_since(token);
    return fx_real()->C_Sign(session, data, length, ret_signature, ret_length);
}

static void test_a_call_under_way_is_seen_by_the_watchdog(void **state)
{
    struct fx_key key = {0};
    uint8_t bytes[STK_SIGNATURE_LENGTH] = {0};
    uint64_t before = stk_clock_mono_us();

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    calls->C_Sign = look_at_the_clock;
    assert_int_equal(stk_signer_busy_since(signer), 0);
    assert_signs(&key);
    assert_in_range(seen_busy_since, before, stk_clock_mono_us());
    assert_int_equal(custody_seen_busy_since, 0);
    assert_int_equal(stk_signer_busy_since(signer), 0);
    assert_int_equal(stk_token_sign(token, &key.key_id, bytes, bytes, NULL), STIRKEEP_OK);
    assert_in_range(custody_seen_busy_since, before, stk_clock_mono_us());
    assert_int_equal(seen_busy_since, 0);
    assert_int_equal(stk_token_busy_since(token), 0);
    fx_key_free(&key);
}

/* ---- threads */

#define THREADS 2
#define STEADY 3
#define ROUNDS 8

struct worker {
    pthread_t thread;
    struct stk_signer *signer;
    const struct fx_key *steady;
    const struct fx_key *fleeting;
    atomic_bool *stop;
    unsigned signed_steady;
    unsigned signed_fleeting;
    unsigned refused_fleeting;
    char failure[STK_ERROR_MAX];
};

static enum stirkeep_status work_once(struct worker *self, const struct fx_key *key,
                                      struct stk_error *error)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_random(digest, sizeof(digest));
    status = stk_signer_sign(self->signer, &key->key_id, digest, signature, error);
    if (status == STIRKEEP_OK && !fx_verifies(key, digest, signature))
        (void)snprintf(self->failure, sizeof(self->failure), "a signature does not verify");
    return status;
}

static void *work(void *argument)
{
    struct worker *self = argument;

    for (unsigned i = 0; !atomic_load(self->stop) && self->failure[0] == '\0'; i++) {
        struct stk_error error = {0};

        if (work_once(self, &self->steady[i % STEADY], &error) != STIRKEEP_OK)
            (void)snprintf(self->failure, sizeof(self->failure), "%s", error.message);
        else
            self->signed_steady++;
        if (i % 4 != 0)
            continue;
        switch (work_once(self, self->fleeting, &error)) {
        case STIRKEEP_OK:
            self->signed_fleeting++;
            break;
        case STIRKEEP_KEY_UNAVAILABLE:
            self->refused_fleeting++;
            break;
        default:
            (void)snprintf(self->failure, sizeof(self->failure), "fleeting: %.300s", error.message);
        }
    }
    return NULL;
}

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000};

    (void)nanosleep(&pause, NULL);
}

static void test_two_threads_sign_while_keys_come_and_go(void **state)
{
    struct worker workers[THREADS] = {0};
    struct fx_key steady[STEADY] = {0};
    struct fx_key fleeting = {0};
    atomic_bool stop = false;

    (void)state;
    fx_require();
    fx_key_new(&fleeting);
    for (size_t i = 0; i < STEADY; i++) {
        fx_key_new(&steady[i]);
        fx_import(token, &steady[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.steady = steady, .fleeting = &fleeting, .stop = &stop};
        assert_int_equal(stk_signer_new(token, &workers[i].signer, NULL), STIRKEEP_OK);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        fx_import(token, &fleeting);
        pause_ms(40);
        assert_int_equal(stk_token_destroy(token, &fleeting.key_id, NULL, NULL), STIRKEEP_OK);
        for (size_t i = 0; i < THREADS; i++)
            stk_signer_forget(workers[i].signer, &fleeting.key_id);
        pause_ms(10);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < THREADS; i++) {
        if (workers[i].failure[0] != '\0')
            fail_msg("%s", workers[i].failure);
        assert_true(workers[i].signed_steady > 100);
        assert_true(workers[i].signed_fleeting > 0);
        assert_true(workers[i].refused_fleeting > 0);
        stk_signer_free(workers[i].signer);
    }
    assert_unavailable(&fleeting, "is not on the token");
    for (size_t i = 0; i < STEADY; i++)
        fx_key_free(&steady[i]);
    fx_key_free(&fleeting);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_key_is_known_copied_and_proven_once),
        TEST(test_among_a_thousand_keys_signing_searches_nothing),
        TEST(test_a_key_that_may_not_be_copied_signs_by_the_token_object),
        TEST(test_a_copy_is_kept_as_well_as_the_key),
        TEST(test_a_destroyed_key_signs_no_more_and_an_imported_one_at_once),
        TEST(test_more_to_forget_than_the_queue_holds_is_forgotten),
        TEST(test_asking_for_a_missing_key_searches_once_a_second_at_most),
        TEST(test_a_key_is_not_believed_without_its_own_certificate),
        TEST(test_a_key_that_signs_as_another_is_not_used),
        TEST(test_a_key_with_the_certificate_of_its_own_but_anothers_id_is_not_used),
        TEST(test_objects_are_touched_under_one_lock_and_signing_takes_none),
        TEST(test_what_went_stale_is_opened_found_and_proven_again),
        TEST(test_it_tries_once_more_and_not_for_ever),
        TEST(test_a_handle_that_means_another_object_is_looked_up_again),
        TEST(test_a_lost_login_is_told_and_not_repaired_in_secret),
        TEST(test_a_call_under_way_is_seen_by_the_watchdog),
        TEST(test_two_threads_sign_while_keys_come_and_go),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
