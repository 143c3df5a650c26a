/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/digest.h"
#include <stdio.h>
#include <string.h>

#define ANY CK_UNAVAILABLE_INFORMATION
#define SIGNERS 3

static struct stk_token *token;
static struct stk_signer *signers[SIGNERS];

static int begin(void **state)
{
    (void)state;
    if (fx_module() == NULL)
        return 0;
    token = fx_open();
    for (size_t i = 0; i < SIGNERS; i++)
        if (stk_signer_new(token, &signers[i], NULL) != STIRKEEP_OK)
            return -1;
    return 0;
}

static void close_all(void)
{
    for (size_t i = 0; i < SIGNERS; i++) {
        stk_signer_free(signers[i]);
        signers[i] = NULL;
    }
    stk_token_close(token);
    token = NULL;
}

static int end(void **state)
{
    (void)state;
    close_all();
    return 0;
}

static enum stirkeep_status try_sign(struct stk_signer *signer, const struct fx_key *key,
                                     struct stk_error *error)
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

/* All signers hold a copy; often enough for one of its own as well as for a shared one. */
static void hold_copies(const struct fx_key *key)
{
    for (size_t i = 0; i < SIGNERS; i++)
        for (int k = 0; k < 200; k++)
            assert_int_equal(try_sign(signers[i], key, NULL), STIRKEEP_OK);
}

/* Everything with this CKA_ID, session objects of all sessions too. */
static size_t count_everywhere(const struct stk_key_id *key_id)
{
    CK_ATTRIBUTE attribute = {CKA_ID, (void *)key_id->bytes, sizeof(key_id->bytes)};
    struct stk_handles found = {0};
    size_t count = 0;

    assert_int_equal(stk_session_find(&token->custody, &attribute, 1, &found), CKR_OK);
    count = found.count;
    stk_handles_free(&found);
    return count;
}

static void test_a_destroyed_key_is_gone_and_the_proof_says_how(void **state)
{
    struct fx_key key = {0};
    struct stk_token_destroyed destroyed = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(stk_token_destroy(token, &key.key_id, &destroyed, NULL), STIRKEEP_OK);
    assert_int_equal(destroyed.objects, 2);
    assert_string_equal(destroyed.proof,
                        "2 objects destroyed; C_SignInit with the former handle: "
                        "CKR_OBJECT_HANDLE_INVALID; nothing is found under the CKA_ID");
    assert_int_equal(count_everywhere(&key.key_id), 0);
    assert_int_equal(stk_token_destroy(token, &key.key_id, &destroyed, NULL),
                     STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(destroyed.objects, 2); /* untouched */
    close_all();
    token = fx_open();
    assert_int_equal(count_everywhere(&key.key_id), 0);
    fx_key_free(&key);
}

static void test_the_copies_of_signers_are_destroyed_too(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};
    struct stk_token_destroyed destroyed = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_import(token, &key);
    fx_import(token, &other);
    hold_copies(&key);
    hold_copies(&other);
    assert_true(count_everywhere(&key.key_id) > 2);
    assert_int_equal(stk_token_destroy(token, &key.key_id, &destroyed, NULL), STIRKEEP_OK);
    assert_int_equal(destroyed.objects, 2);
    assert_non_null(strstr(destroyed.proof, "2 objects and "));
    assert_non_null(
        strstr(destroyed.proof, " of it destroyed; C_SignInit with the former handles"));
    assert_int_equal(count_everywhere(&key.key_id), 0);
    /* A signer who has not been told has nothing to sign with, and goes on with other keys. */
    for (size_t i = 0; i < SIGNERS; i++) {
        struct stk_error error = {0};

        assert_int_equal(try_sign(signers[i], &key, &error), STIRKEEP_KEY_UNAVAILABLE);
        assert_non_null(strstr(error.message, "is not on the token"));
        assert_int_equal(try_sign(signers[i], &other, NULL), STIRKEEP_OK);
        stk_signer_forget(signers[i], &key.key_id);
        assert_int_equal(try_sign(signers[i], &key, NULL), STIRKEEP_KEY_UNAVAILABLE);
    }
    assert_true(count_everywhere(&other.key_id) > 2);
    fx_import(token, &key);
    assert_int_equal(try_sign(signers[0], &key, NULL), STIRKEEP_OK);
    fx_key_free(&other);
    fx_key_free(&key);
}

static void test_a_pair_made_on_the_token_ends_by_its_ticket_or_its_key_id(void **state)
{
    struct stk_key_id ticket = {{1, 2, 3}};
    struct stk_key_id key_id = {0};
    uint8_t spki[STK_TOKEN_SPKI_LENGTH] = {0};
    struct stk_token_destroyed destroyed = {0};

    (void)state;
    fx_require();
    assert_int_equal(stk_token_generate(token, "Alpha", &ticket, spki, NULL), STIRKEEP_OK);
    assert_int_equal(stk_token_destroy(token, &ticket, &destroyed, NULL), STIRKEEP_OK);
    assert_int_equal(destroyed.objects, 2);
    assert_int_equal(count_everywhere(&ticket), 0);
    assert_int_equal(stk_token_generate(token, "Alpha", &ticket, spki, NULL), STIRKEEP_OK);
    stk_sha256(spki, sizeof(spki), key_id.bytes);
    assert_int_equal(stk_token_adopt(token, &ticket, &key_id, NULL), STIRKEEP_OK);
    assert_int_equal(stk_token_destroy(token, &ticket, NULL, NULL), STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(stk_token_destroy(token, &key_id, &destroyed, NULL), STIRKEEP_OK);
    assert_int_equal(destroyed.objects, 2);
    assert_int_equal(count_everywhere(&key_id), 0);
}

static void test_what_was_left_without_a_private_key_goes_as_well(void **state)
{
    struct fx_key key = {0};
    CK_OBJECT_HANDLE private = CK_INVALID_HANDLE;

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(stk_custody_find(token, &key.key_id, &private, NULL), STIRKEEP_OK);
    assert_int_equal(stk_session_destroy(&token->custody, private), CKR_OK);
    assert_int_equal(count_everywhere(&key.key_id), 1);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(count_everywhere(&key.key_id), 0);
    fx_key_free(&key);
}

static CK_RV destroys_nothing(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    (void)session;
    (void)object;
    return CKR_OK;
}

static void test_a_token_that_only_says_that_it_destroyed_is_found_out(void **state)
{
    struct fx_key key = {0};
    struct stk_token_destroyed destroyed = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    fx_intercept(token)->C_DestroyObject = destroys_nothing;
    assert_int_equal(stk_token_destroy(token, &key.key_id, &destroyed, &error),
                     STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "objects are still found"));
    assert_int_equal(destroyed.proof[0], '\0');
    (void)fx_intercept(token);
    assert_int_equal(stk_token_destroy(token, &key.key_id, &destroyed, &error), STIRKEEP_OK);
    fx_key_free(&key);
}

/* Shows nothing any more, and keeps everything. */
static bool hides;

static CK_RV finds_nothing(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG room,
                           CK_ULONG *ret_count)
{
    if (!hides)
        return fx_real()->C_FindObjects(session, objects, room, ret_count);
    *ret_count = 0;
    return CKR_OK;
}

static CK_RV hides_instead(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    (void)session;
    (void)object;
    hides = true;
    return CKR_OK;
}

static void test_a_former_handle_that_still_signs_is_told_loudly(void **state)
{
    struct fx_key key = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_import(token, &key);
    hides = false;
    fx_intercept(token)->C_DestroyObject = hides_instead;
    token->p11->C_FindObjects = finds_nothing;
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "STILL SIGNS"));
    /* And that it is not found proves nothing the next time. */
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "restart stirkeepd"));
    hides = false;
    (void)fx_intercept(token);
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, &error), STIRKEEP_OK);
    fx_key_free(&key);
}

/* The handle that was the key's is another object's by now. */
static CK_OBJECT_HANDLE reused;
static CK_OBJECT_HANDLE heir;

static CK_RV destroys_and_gives_the_handle_on(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    return fx_real()->C_DestroyObject(session, object);
}

static CK_RV signs_with_the_heir(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                                 CK_OBJECT_HANDLE key)
{
    return fx_real()->C_SignInit(session, mechanism, key == reused ? heir : key);
}

static CK_RV reads_the_heir(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                            CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    return fx_real()->C_GetAttributeValue(
        session, object == reused && attributes[0].type == CKA_ID && count == 1 ? heir : object,
        attributes, count);
}

static void test_a_handle_given_to_another_key_is_no_proof_against(void **state)
{
    struct fx_key key = {0};
    struct fx_key other = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&other);
    fx_import(token, &key);
    fx_import(token, &other);
    assert_int_equal(stk_custody_find(token, &key.key_id, &reused, NULL), STIRKEEP_OK);
    assert_int_equal(stk_custody_find(token, &other.key_id, &heir, NULL), STIRKEEP_OK);
    fx_intercept(token)->C_DestroyObject = destroys_and_gives_the_handle_on;
    token->p11->C_SignInit = signs_with_the_heir;
    token->p11->C_GetAttributeValue = reads_the_heir;
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, NULL), STIRKEEP_OK);
    (void)fx_intercept(token);
    assert_int_equal(count_everywhere(&key.key_id), 0);
    assert_int_equal(try_sign(signers[0], &other, NULL), STIRKEEP_OK);
    fx_key_free(&other);
    fx_key_free(&key);
}

/* As SoftHSM when it cannot unlink the file: the object is not shown any more, until the next start. */
static CK_RV cannot_unlink(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    (void)session;
    (void)object;
    hides = true;
    return CKR_FUNCTION_FAILED;
}

static void test_what_could_not_be_destroyed_is_not_taken_for_destroyed_later(void **state)
{
    struct fx_key key = {0};
    struct fx_key never = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    fx_key_new(&key);
    fx_key_new(&never);
    fx_import(token, &key);
    hides = false;
    fx_intercept(token)->C_DestroyObject = cannot_unlink;
    token->p11->C_FindObjects = finds_nothing;
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "C_DestroyObject: CKR_FUNCTION_FAILED"));
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "proves nothing"));
    (void)fx_intercept(token);
    assert_int_equal(stk_token_destroy(token, &never.key_id, NULL, &error),
                     STIRKEEP_KEY_UNAVAILABLE);
    close_all();
    token = fx_open();
    assert_int_equal(stk_token_destroy(token, &key.key_id, NULL, &error), STIRKEEP_OK);
    fx_key_free(&never);
    fx_key_free(&key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_destroyed_key_is_gone_and_the_proof_says_how),
        TEST(test_the_copies_of_signers_are_destroyed_too),
        TEST(test_a_pair_made_on_the_token_ends_by_its_ticket_or_its_key_id),
        TEST(test_what_was_left_without_a_private_key_goes_as_well),
        TEST(test_a_token_that_only_says_that_it_destroyed_is_found_out),
        TEST(test_a_former_handle_that_still_signs_is_told_loudly),
        TEST(test_a_handle_given_to_another_key_is_no_proof_against),
        TEST(test_what_could_not_be_destroyed_is_not_taken_for_destroyed_later),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
