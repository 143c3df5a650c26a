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
static _Atomic unsigned search_takes_ms;
static _Atomic unsigned read_takes_ms;

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000};

    if (ms > 0)
        (void)nanosleep(&pause, NULL);
}

static CK_RV count_search(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    searches++;
    pause_ms(search_takes_ms);
    return fx_real()->C_FindObjectsInit(session, attributes, count);
}

static CK_RV count_copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                        CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *ret_copy)
{
    copies++;
    return fx_real()->C_CopyObject(session, object, attributes, count, ret_copy);
}

static CK_RV read_slowly(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                         CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    pause_ms(read_takes_ms);
    return fx_real()->C_GetAttributeValue(session, object, attributes, count);
}

static void intercept(void)
{
    calls = fx_intercept(token);
    calls->C_FindObjectsInit = count_search;
    calls->C_CopyObject = count_copy;
    calls->C_GetAttributeValue = read_slowly;
    searches = copies = search_takes_ms = read_takes_ms = 0;
}

static int begin(void **state)
{
    (void)state;
    if (fx_module() == NULL)
        return 0;
    token = fx_open();
    if (stk_signer_new(token, &signer, NULL) != STIRKEEP_OK)
        return -1;
    intercept();
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

static void open_again(void)
{
    (void)end(NULL);
    assert_int_equal(begin(NULL), 0);
}

static enum stirkeep_status try_sign(struct stk_signer *with, const struct fx_key *key)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_random(digest, sizeof(digest));
    status = stk_signer_sign(with, &key->key_id, digest, signature, NULL);
    if (status == STIRKEEP_OK)
        assert_true(fx_verifies(key, digest, signature));
    return status;
}

static enum stirkeep_status custody_signs(const struct fx_key *key)
{
    uint8_t bytes[STK_SIGNATURE_LENGTH] = {0};

    return stk_token_sign(token, &key->key_id, bytes, bytes, NULL);
}

/* Its private key, without asking the index. */
static CK_OBJECT_HANDLE private_of(const struct fx_key *key)
{
    struct stk_indexed_list found = {0};
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;

    assert_int_equal(stk_lookup_search(&token->custody, &key->key_id, &found), CKR_OK);
    for (size_t i = 0; i < found.count; i++)
        if (found.items[i].class == CKO_PRIVATE_KEY)
            handle = found.items[i].handle;
    stk_indexed_free(&found);
    return handle;
}

static void test_what_lies_on_the_token_is_known_when_it_is_opened(void **state)
{
    enum { KEYS = 5 };
    struct fx_key keys[KEYS] = {0};

    (void)state;
    fx_require();
    for (size_t i = 0; i < KEYS; i++) {
        fx_key_new(&keys[i]);
        fx_import(token, &keys[i]);
    }
    open_again();
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(try_sign(signer, &keys[i]), STIRKEEP_OK);
    assert_int_equal(searches, 0);
    for (size_t i = 0; i < KEYS; i++)
        fx_key_free(&keys[i]);
}

static void test_an_import_searches_nothing_and_destroying_makes_sure(void **state)
{
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    assert_int_equal(custody_signs(&key), STIRKEEP_OK);
    fx_import(token, &key); /* again */
    assert_int_equal(searches, 0);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_OK);
    assert_true(searches > 0);
    searches = 0;
    assert_int_equal(custody_signs(&key), STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(searches, 1); /* that it does not sign is no belief */
    fx_key_free(&key);
}

static void test_an_object_planted_past_the_index_is_destroyed_too(void **state)
{
    struct fx_key key = {0};
    CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE on_token = {CKA_TOKEN, &yes, sizeof(yes)};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(
        token->p11->C_CopyObject(token->custody.handle, private_of(&key), &on_token, 1, &copy),
        CKR_OK);
    assert_int_equal(fx_count(token, &key.key_id, CKO_PRIVATE_KEY), 2);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_OK);
    assert_int_equal(fx_count(token, &key.key_id, CK_UNAVAILABLE_INFORMATION), 0);
    fx_key_free(&key);
}

static void test_a_handle_that_is_gone_is_searched_for(void **state)
{
    struct fx_key key = {0};
    CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE old = CK_INVALID_HANDLE;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE on_token = {CKA_TOKEN, &yes, sizeof(yes)};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    old = private_of(&key);
    assert_int_equal(token->p11->C_CopyObject(token->custody.handle, old, &on_token, 1, &copy),
                     CKR_OK);
    assert_int_equal(token->p11->C_DestroyObject(token->custody.handle, old), CKR_OK);
    searches = 0;
    assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    assert_int_equal(searches, 1);
    stk_signer_forget(signer, &key.key_id);
    assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    assert_int_equal(searches, 1); /* from now on it is known */
    fx_key_free(&key);
}

/* As after a recovery that gave the handles to others. */
static void test_a_handle_that_names_another_key_signs_nothing(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};
    struct stk_indexed_list swapped = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_import(token, &key);
    fx_import(token, &other);
    assert_int_equal(stk_lookup_search(&token->custody, &other.key_id, &swapped), CKR_OK);
    assert_int_equal(stk_index_search_ended(token->index, &key.key_id,
                                            stk_index_search_begins(token->index, &key.key_id),
                                            &swapped),
                     CK_INVALID_HANDLE);
    stk_indexed_free(&swapped);
    searches = 0;
    assert_int_equal(try_sign(signer, &key), STIRKEEP_OK); /* and verifies */
    assert_int_equal(searches, 1);
    assert_int_equal(try_sign(signer, &other), STIRKEEP_OK);
    fx_key_free(&other);
    fx_key_free(&key);
}

static void test_when_all_handles_have_changed_all_are_read_again_once(void **state)
{
    enum { KEYS = 14 };
    struct fx_key keys[KEYS] = {0};
    struct stk_index_walked walked[KEYS] = {0};

    (void)state;
    fx_require();
    for (size_t i = 0; i < KEYS; i++) {
        fx_key_new(&keys[i]);
        fx_import(token, &keys[i]);
        walked[i] = (struct stk_index_walked){keys[i].key_id, {1000000 + i, CKO_PRIVATE_KEY}};
    }
    stk_index_walk_ended(token->index, stk_index_walk_begins(token->index), walked, KEYS);
    searches = 0;
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(try_sign(signer, &keys[i]), STIRKEEP_OK);
    assert_int_equal(searches, 8);
    for (size_t i = 0; i < KEYS; i++)
        fx_key_free(&keys[i]);
}

static void test_a_token_that_is_slow_to_read_is_searched_instead(void **state)
{
    struct fx_key keys[8] = {0};

    (void)state;
    fx_require();
    for (size_t i = 0; i < 8; i++) {
        fx_key_new(&keys[i]);
        fx_import(token, &keys[i]);
    }
    stk_index_free(token->index);
    assert_int_equal(stk_index_new(&token->index), STIRKEEP_OK);
    read_takes_ms = 15; /* a round trip: reading 16 objects takes longer than listing them */
    assert_int_equal(stk_lookup_walk(&token->custody), CKR_FUNCTION_CANCELED);
    assert_false(stk_index_is_complete(token->index));
    read_takes_ms = searches = 0;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(try_sign(signer, &keys[i]), STIRKEEP_OK);
    assert_int_equal(searches, 8);
    for (size_t i = 0; i < 8; i++) {
        stk_signer_forget(signer, &keys[i].key_id);
        assert_int_equal(try_sign(signer, &keys[i]), STIRKEEP_OK);
        fx_key_free(&keys[i]);
    }
    assert_int_equal(searches, 8); /* what was found is kept */
}

static void test_keys_that_are_missing_do_not_keep_the_token_searching(void **state)
{
    struct fx_key key = {0};
    uint8_t bytes[STK_SIGNATURE_LENGTH] = {0};
    uint64_t before = 0;
    uint64_t took = 0;

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    search_takes_ms = 20;
    before = stk_clock_mono_us();
    for (unsigned i = 0; i < 50; i++) {
        struct stk_key_id missing = {{0xfe}};

        memcpy(missing.bytes + 8, &i, sizeof(i));
        assert_int_equal(stk_signer_sign(signer, &missing, bytes, bytes, NULL),
                         STIRKEEP_KEY_UNAVAILABLE);
        assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    }
    took = stk_clock_mono_us() - before;
    assert_true(searches >= 1 && searches <= 1 + took / 200000);
    /* Custody finds out each time. */
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_OK);
    searches = 0;
    assert_int_equal(custody_signs(&key), STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(custody_signs(&key), STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(searches, 2);
    fx_key_free(&key);
}

static size_t count_copies(const struct fx_key *key)
{
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE attributes[] = {
        {CKA_TOKEN, &no, sizeof(no)},
        {CKA_ID, (void *)key->key_id.bytes, sizeof(key->key_id.bytes)},
    };
    struct stk_handles found = {0};
    size_t count = 0;

    assert_int_equal(stk_session_find(&token->custody, attributes, 2, &found), CKR_OK);
    count = found.count;
    stk_handles_free(&found);
    return count;
}

static void test_signers_share_one_copy_until_a_key_is_used_a_lot(void **state)
{
    struct stk_signer *other = NULL;
    struct fx_key key = {0};

    (void)state;
    fx_require();
    assert_int_equal(stk_signer_new(token, &other, NULL), STIRKEEP_OK);
    fx_key_new(&key);
    fx_import(token, &key);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
        assert_int_equal(try_sign(other, &key), STIRKEEP_OK);
    }
    assert_int_equal(copies, 1);
    for (int i = 0; i < STK_SIGNER_OWN_USES; i++)
        assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    assert_int_equal(copies, 2);
    assert_int_equal(count_copies(&key), 2);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_OK);
    stk_signer_forget(signer, &key.key_id);
    stk_signer_forget(other, &key.key_id);
    assert_int_equal(count_copies(&key), 0);
    assert_int_equal(try_sign(signer, &key), STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(try_sign(other, &key), STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(count_copies(&key), 0);
    stk_signer_free(other);
    fx_key_free(&key);
}

static void test_no_signer_has_more_copies_of_its_own_than_allowed(void **state)
{
    enum { KEYS = STK_SIGNER_OWN_MAX + 4 };
    struct fx_key *keys = calloc(KEYS, sizeof(*keys));

    (void)state;
    if (fx_module() == NULL)
        free(keys);
    fx_require();
    assert_non_null(keys);
    for (size_t i = 0; i < KEYS; i++) {
        struct stk_bytes chain[1] = {0};
        struct stk_buffer none = {0};
        struct stk_token_import import = {0};

        fx_key_new(&keys[i]);
        import = fx_import_of(&keys[i], &none, chain);
        import.pkcs8 = &keys[i].pkcs8;
        assert_int_equal(stk_token_import(token, &import, NULL), STIRKEEP_OK);
    }
    for (int round = 0; round < STK_SIGNER_OWN_USES + 2; round++)
        for (size_t i = 0; i < KEYS; i++) {
            uint8_t bytes[STK_SIGNATURE_LENGTH] = {0};

            assert_int_equal(stk_signer_sign(signer, &keys[i].key_id, bytes, bytes, NULL),
                             STIRKEEP_OK);
        }
    assert_int_equal(copies, KEYS + STK_SIGNER_OWN_MAX);
    for (size_t i = 0; i < KEYS; i++)
        fx_key_free(&keys[i]);
    free(keys);
}

static void test_a_signer_that_goes_leaves_the_copy_to_the_others(void **state)
{
    struct stk_signer *other = NULL;
    struct fx_key key = {0};

    (void)state;
    fx_require();
    assert_int_equal(stk_signer_new(token, &other, NULL), STIRKEEP_OK);
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(try_sign(other, &key), STIRKEEP_OK); /* the one that makes it */
    assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    stk_signer_free(other);
    for (int i = 0; i < 10; i++)
        assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    assert_int_equal(copies, 1);
    fx_key_free(&key);
}

static void test_where_sessions_share_no_objects_each_signer_has_its_own(void **state)
{
    struct stk_signer *other = NULL;
    struct fx_key key = {0};

    (void)state;
    fx_require();
    assert_true(token->copies_for_all); /* SoftHSM's do */
    token->copies_for_all = false;
    assert_int_equal(stk_signer_new(token, &other, NULL), STIRKEEP_OK);
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    assert_int_equal(try_sign(other, &key), STIRKEEP_OK);
    assert_int_equal(copies, 2);
    stk_signer_free(other);
    assert_int_equal(count_copies(&key), 1);
    fx_key_free(&key);
}

static void test_a_shared_copy_that_has_gone_is_made_again(void **state)
{
    struct fx_key key = {0};
    struct stk_index_copy *copy = NULL;

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    copy = stk_index_copy_take(token->index, &key.key_id);
    assert_non_null(copy);
    assert_int_equal(token->p11->C_DestroyObject(token->home.handle, copy->handle), CKR_OK);
    (void)stk_index_copy_release(token->index, &key.key_id, copy, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(try_sign(signer, &key), STIRKEEP_OK);
    assert_int_equal(copies, 2);
    assert_int_equal(searches, 0);
    fx_key_free(&key);
}

static uint64_t busy_from;

static CK_RV note_busy(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    busy_from = stk_token_busy_since(token);
    return fx_real()->C_FindObjectsInit(session, attributes, count);
}

static void test_a_search_among_many_objects_may_take_its_time(void **state)
{
    struct stk_key_id key_id = {{1}};
    struct stk_handles found = {0};

    (void)state;
    fx_require();
    calls->C_FindObjectsInit = note_busy;
    atomic_store(&token->object_count, 100000);
    assert_int_equal(stk_key_objects(&token->custody, &key_id, CK_UNAVAILABLE_INFORMATION, &found),
                     CKR_OK);
    /* The watchdog counts from a time that is still to come. */
    assert_true(busy_from > stk_clock_mono_us() + 1000000);
    assert_true(busy_from < stk_clock_mono_us() + 60000000);
    assert_int_equal(stk_token_busy_since(token), 0);
    stk_handles_free(&found);
}

/* ---- threads */

#define THREADS 3
#define STEADY 6
#define ROUNDS 6

struct worker {
    pthread_t thread;
    struct stk_signer *signer;
    const struct fx_key *steady;
    const struct fx_key *fleeting;
    atomic_bool *stop;
    unsigned signed_steady;
    unsigned signed_fleeting;
    char failure[STK_ERROR_MAX];
};

static void work_once(struct worker *self, const struct fx_key *key, bool may_be_gone)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_random(digest, sizeof(digest));
    status = stk_signer_sign(self->signer, &key->key_id, digest, signature, &error);
    if (status == STIRKEEP_OK && !fx_verifies(key, digest, signature))
        (void)snprintf(self->failure, sizeof(self->failure), "a signature does not verify");
    else if (status == STIRKEEP_OK)
        *(may_be_gone ? &self->signed_fleeting : &self->signed_steady) += 1;
    else if (!may_be_gone || status != STIRKEEP_KEY_UNAVAILABLE)
        (void)snprintf(self->failure, sizeof(self->failure), "%s", error.message);
}

static void *work(void *argument)
{
    struct worker *self = argument;

    for (unsigned i = 0; !atomic_load(self->stop) && self->failure[0] == '\0'; i++) {
        const struct fx_key *steady = &self->steady[i % STEADY];

        work_once(self, steady, false);
        if (i % 5 == 0)
            stk_signer_forget(self->signer, &steady->key_id);
        if (i % 3 == 0)
            work_once(self, self->fleeting, true);
    }
    return NULL;
}

/* Handles of the steady keys that are none, as if they had changed. */
static void confuse(const struct fx_key *steady)
{
    for (size_t i = 0; i < STEADY; i++) {
        struct stk_indexed wrong[] = {{2000000 + i, CKO_PRIVATE_KEY}};
        uint64_t begun = stk_index_search_begins(token->index, &steady[i].key_id);

        (void)stk_index_search_ended(token->index, &steady[i].key_id, begun,
                                     &(struct stk_indexed_list){wrong, 1});
    }
}

static void change_things(const struct fx_key *steady, const struct fx_key *fleeting,
                          struct worker *workers)
{
    for (int round = 0; round < ROUNDS; round++) {
        CK_RV rv = CKR_OK;

        fx_import(token, fleeting);
        pause_ms(30);
        rv = stk_lookup_walk(&token->custody);
        /* On a slow machine it takes too long and is given up. */
        assert_true(rv == CKR_OK || rv == CKR_FUNCTION_CANCELED);
        assert_int_equal(stk_token_destroy(token, &fleeting->key_id, NULL, NULL), STIRKEEP_OK);
        for (size_t i = 0; i < THREADS; i++)
            stk_signer_forget(workers[i].signer, &fleeting->key_id);
        confuse(steady);
        pause_ms(20);
    }
}

static void test_signers_look_up_while_custody_changes_everything(void **state)
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
    change_things(steady, &fleeting, workers);
    atomic_store(&stop, true);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < THREADS; i++) {
        if (workers[i].failure[0] != '\0')
            fail_msg("%s", workers[i].failure);
        assert_true(workers[i].signed_steady > 20);
        assert_true(workers[i].signed_fleeting > 0);
        stk_signer_free(workers[i].signer);
    }
    assert_int_equal(count_copies(&fleeting), 0);
    for (size_t i = 0; i < STEADY; i++)
        fx_key_free(&steady[i]);
    fx_key_free(&fleeting);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_lies_on_the_token_is_known_when_it_is_opened),
        TEST(test_an_import_searches_nothing_and_destroying_makes_sure),
        TEST(test_an_object_planted_past_the_index_is_destroyed_too),
        TEST(test_a_handle_that_is_gone_is_searched_for),
        TEST(test_a_handle_that_names_another_key_signs_nothing),
        TEST(test_when_all_handles_have_changed_all_are_read_again_once),
        TEST(test_a_token_that_is_slow_to_read_is_searched_instead),
        TEST(test_keys_that_are_missing_do_not_keep_the_token_searching),
        TEST(test_signers_share_one_copy_until_a_key_is_used_a_lot),
        TEST(test_no_signer_has_more_copies_of_its_own_than_allowed),
        TEST(test_a_signer_that_goes_leaves_the_copy_to_the_others),
        TEST(test_where_sessions_share_no_objects_each_signer_has_its_own),
        TEST(test_a_shared_copy_that_has_gone_is_made_again),
        TEST(test_a_search_among_many_objects_may_take_its_time),
        TEST(test_signers_look_up_while_custody_changes_everything),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
