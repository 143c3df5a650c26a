/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/digest.h"
#include "token/examine.h"
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANY CK_UNAVAILABLE_INFORMATION

static struct stk_token *token;

static void find_labelled(CK_OBJECT_CLASS class, struct stk_handles *ret_found)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE attributes[] = {
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_LABEL, (void *)STK_AUDIT_LABEL, sizeof(STK_AUDIT_LABEL) - 1},
        {CKA_CLASS, &class, sizeof(class)},
    };

    assert_int_equal(stk_session_find(&token->custody, attributes, class == ANY ? 2 : 3, ret_found),
                     CKR_OK);
}

static void destroy_all(void)
{
    struct stk_handles found = {0};

    find_labelled(ANY, &found);
    for (size_t i = 0; i < found.count; i++)
        assert_int_equal(stk_session_destroy(&token->custody, found.items[i]), CKR_OK);
    stk_handles_free(&found);
}

/* Without an audit key; what else is there stays from test to test. */
static int open_token(void **state)
{
    (void)state;
    if (fx_module() == NULL)
        return 0;
    token = fx_open();
    destroy_all();
    stk_token_close(token);
    token = fx_open();
    return 0;
}

static int close_token(void **state)
{
    (void)state;
    stk_token_close(token);
    token = NULL;
    return 0;
}

static void reopen(void)
{
    stk_token_close(token);
    token = fx_open();
}

static struct stk_token_audit_key audit_key(void)
{
    struct stk_token_audit_key key = {0};
    struct stk_error error = {0};

    if (stk_token_audit_key(token, &key, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return key;
}

static void assert_refused(enum stirkeep_status expected, const char *words)
{
    struct stk_token_audit_key key = {0};
    static const struct stk_token_audit_key untouched;
    struct stk_error error = {0};

    assert_int_equal(stk_token_audit_key(token, &key, &error), expected);
    assert_memory_equal(&key, &untouched, sizeof(key));
    if (strstr(error.message, words) == NULL || strstr(error.message, "may be left") != NULL)
        fail_msg("%s", error.message);
}

static size_t labelled(CK_OBJECT_CLASS class)
{
    struct stk_handles found = {0};
    size_t count = 0;

    find_labelled(class, &found);
    count = found.count;
    stk_handles_free(&found);
    return count;
}

static void assert_pair(const struct stk_token_audit_key *key)
{
    uint8_t hash[STK_DIGEST_LENGTH] = {0};

    stk_sha256(key->spki, sizeof(key->spki), hash);
    assert_memory_equal(hash, key->key_id.bytes, sizeof(hash));
    assert_int_equal(fx_count(token, &key->key_id, CKO_PRIVATE_KEY), 1);
    assert_int_equal(fx_count(token, &key->key_id, CKO_PUBLIC_KEY), 1);
    assert_int_equal(fx_count(token, &key->key_id, ANY), 2);
}

static void assert_seals(const struct stk_token_audit_key *key)
{
    struct stk_signer *signer = NULL;
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_error error = {0};

    stk_random(digest, sizeof(digest));
    assert_int_equal(stk_signer_new(token, &signer, NULL), STIRKEEP_OK);
    if (stk_signer_seal(signer, &key->key_id, digest, signature, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_true(stk_signature_verifies(key->spki, digest, signature));
    stk_signer_free(signer);
}

/* ---- made once */

static void it_is_made_once_and_found_again(void **state)
{
    struct stk_token_audit_key key = {0};
    struct stk_token_audit_key again = {0};

    (void)state;
    fx_require();
    assert_int_equal(labelled(CKO_PRIVATE_KEY), 0);
    key = audit_key();
    assert_true(key.made);
    assert_int_equal(key.others, 0);
    assert_pair(&key);
    assert_seals(&key);
    again = audit_key();
    assert_false(again.made);
    assert_memory_equal(&again.key_id, &key.key_id, sizeof(key.key_id));
    reopen();
    again = audit_key();
    assert_false(again.made);
    assert_memory_equal(again.spki, key.spki, sizeof(key.spki));
    assert_pair(&again);
    assert_seals(&again);
    assert_int_equal(labelled(CKO_PRIVATE_KEY), 1);
    assert_int_equal(labelled(CKO_PUBLIC_KEY), 1);
}

static void it_never_leaves_the_token_and_only_signs(void **state)
{
    struct stk_token_audit_key key = {0};
    struct stk_pair pair = {0};

    (void)state;
    fx_require();
    key = audit_key();
    assert_string_equal(key.attributes, "PRIVATE=1 SENSITIVE=1 EXTRACTABLE=0 ALWAYS_SENSITIVE=1 "
                                        "NEVER_EXTRACTABLE=1 LOCAL=1");
    assert_int_equal(stk_pair_find(&token->custody, &key.key_id, &key.key_id, &key.key_id, &pair),
                     CKR_OK);
    assert_int_equal(stk_attributes_check_sealing(&token->custody, pair.private, NULL),
                     STIRKEEP_OK);
}

/* ---- nothing else */

static void assert_not_permitted(enum stirkeep_status status, struct stk_error *error)
{
    assert_int_equal(status, STIRKEEP_NOT_PERMITTED);
    assert_non_null(strstr(error->message, "is the audit key"));
    *error = (struct stk_error){0};
}

static void no_order_uses_it(void **state)
{
    struct stk_token_audit_key key = {0};
    struct stk_key_id ticket = {"some other ticket"};
    struct stk_token_import import = {0};
    struct stk_signer *signer = NULL;
    uint8_t digest[STK_DIGEST_LENGTH] = {1};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    uint8_t spki[STK_TOKEN_SPKI_LENGTH] = {0};
    char text[STK_ATTRIBUTES_MAX] = "";
    struct stk_error error = {0};

    (void)state;
    fx_require();
    key = audit_key();
    import = (struct stk_token_import){
        .key_id = key.key_id, .spki = {key.spki, sizeof(key.spki)}, .name = "Alpha"};
    assert_int_equal(stk_signer_new(token, &signer, NULL), STIRKEEP_OK);
    assert_not_permitted(stk_signer_sign(signer, &key.key_id, digest, signature, &error), &error);
    assert_not_permitted(stk_token_sign(token, &key.key_id, digest, signature, &error), &error);
    assert_not_permitted(stk_token_destroy(token, &key.key_id, NULL, &error), &error);
    assert_not_permitted(stk_token_import(token, &import, &error), &error);
    assert_not_permitted(stk_token_generate(token, "Alpha", &key.key_id, spki, &error), &error);
    assert_not_permitted(stk_token_adopt(token, &ticket, &key.key_id, &error), &error);
    assert_not_permitted(stk_token_adopt(token, &key.key_id, &ticket, &error), &error);
    assert_not_permitted(stk_token_spki(token, &key.key_id, spki, &error), &error);
    assert_not_permitted(stk_token_attributes(token, &key.key_id, text, &error), &error);
    assert_int_equal(signature[0] | spki[0] | text[0], 0);
    assert_pair(&key);
    assert_seals(&key);
    stk_signer_free(signer);
}

static void its_ticket_is_nobody_elses(void **state)
{
    struct stk_key_id ticket = {"stirkeep audit key in the making"};
    uint8_t spki[STK_TOKEN_SPKI_LENGTH] = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    assert_not_permitted(stk_token_generate(token, "Alpha", &ticket, spki, &error), &error);
    assert_int_equal(fx_count(token, &ticket, ANY), 0);
}

static void no_other_key_seals(void **state)
{
    struct stk_signer *signer = NULL;
    uint8_t digest[STK_DIGEST_LENGTH] = {1};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_error error = {0};
    struct fx_key other = {0};

    (void)state;
    fx_require();
    fx_key_new(&other);
    fx_import(token, &other);
    (void)audit_key();
    assert_int_equal(stk_signer_new(token, &signer, NULL), STIRKEEP_OK);
    assert_int_equal(stk_signer_seal(signer, &other.key_id, digest, signature, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_non_null(strstr(error.message, "no audit key"));
    assert_int_equal(stk_signer_sign(signer, &other.key_id, digest, signature, NULL), STIRKEEP_OK);
    assert_int_equal(stk_token_destroy(token, &other.key_id, NULL, NULL), STIRKEEP_OK);
    stk_signer_free(signer);
    fx_key_free(&other);
}

static void the_inventory_has_it_not(void **state)
{
    static const struct stk_key_id first;
    struct stk_token_held held = {0};
    struct stk_inventory inventory = {0};
    struct stk_arena arena = {0};

    (void)state;
    fx_require();
    (void)audit_key();
    assert_int_equal(stk_arena_new(&arena, 1024 * 1024), STIRKEEP_OK);
    assert_int_equal(stk_token_inventory(token, &first, &arena, &held, NULL), STIRKEEP_OK);
    assert_memory_equal(&held.key_id, &first, sizeof(first));
    assert_int_equal(stk_inventory_take(&token->custody, &inventory), CKR_OK);
    assert_int_equal(inventory.foreign + inventory.torn + inventory.nameless + inventory.keys, 0);
    stk_inventory_free(&inventory);
    stk_arena_free(&arena);
}

/* ---- others */

/* A whole pair with the label, as another host with the same token could have made it. */
static struct stk_key_id make_another(void)
{
    struct stk_key_id ticket = {"another host's"};
    struct stk_key_id key_id = {0};
    uint8_t spki[STK_TOKEN_SPKI_LENGTH] = {0};

    assert_int_equal(stk_pair_generate(token, STK_AUDIT_LABEL, &ticket, spki, NULL), STIRKEEP_OK);
    stk_sha256(spki, sizeof(spki), key_id.bytes);
    assert_int_equal(stk_pair_adopt(token, &ticket, &key_id, NULL), STIRKEEP_OK);
    return key_id;
}

static void of_several_the_lowest_is_used_and_none_does_anything_else(void **state)
{
    struct stk_key_id ids[3] = {0};
    struct stk_token_audit_key key = {0};
    struct stk_error error = {0};
    size_t lowest = 0;

    (void)state;
    fx_require();
    for (size_t i = 0; i < 3; i++) {
        ids[i] = make_another();
        if (memcmp(&ids[i], &ids[lowest], sizeof(ids[i])) < 0)
            lowest = i;
    }
    for (int round = 0; round < 2; round++) {
        key = audit_key();
        assert_false(key.made);
        assert_int_equal(key.fit, 3);
        assert_int_equal(key.others, 2);
        assert_memory_equal(&key.key_id, &ids[lowest], sizeof(key.key_id));
        for (size_t i = 0; i < 3; i++)
            assert_not_permitted(stk_token_destroy(token, &ids[i], NULL, &error), &error);
        reopen();
    }
    assert_int_equal(labelled(CKO_PRIVATE_KEY), 3);
}

/* Its private key was outside of the token once: whoever has it forges seals. */
static void a_key_that_was_brought_in_under_the_label_is_not_used(void **state)
{
    struct stk_token_audit_key key = {0};
    struct stk_key_template template = {0};
    struct stk_key_template public = {0};
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    struct fx_key planted = {0};
    uint8_t point[2 + STK_P256_POINT_LENGTH] = {0x04, STK_P256_POINT_LENGTH};

    (void)state;
    fx_require();
    fx_key_new(&planted);
    stk_template_ec(&template, STK_AUDIT_LABEL, &planted.key_id, true);
    assert_int_equal(stk_create(token, &planted.pkcs8, &template, &handle, NULL), STIRKEEP_OK);
    memcpy(point + 2, planted.spki + sizeof(planted.spki) - STK_P256_POINT_LENGTH,
           STK_P256_POINT_LENGTH);
    stk_template_ec_public(&public, STK_AUDIT_LABEL, &planted.key_id);
    stk_template_add(&public, CKA_EC_POINT, point, sizeof(point));
    assert_int_equal(stk_session_create(&token->custody, public.attributes, public.count, &handle),
                     CKR_OK);
    assert_int_equal(fx_count(token, &planted.key_id, ANY), 2);
    key = audit_key();
    assert_true(key.made);
    assert_int_equal(key.fit, 1);
    assert_int_equal(key.others, 1);
    assert_memory_not_equal(&key.key_id, &planted.key_id, sizeof(key.key_id));
    assert_seals(&key);
    fx_key_free(&planted);
}

/* ---- a token that fails */

static CK_RV makes_no_ec(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                         CK_ATTRIBUTE *public_attributes, CK_ULONG public_count,
                         CK_ATTRIBUTE *private_attributes, CK_ULONG private_count,
                         CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private)
{
    (void)session;
    (void)mechanism;
    (void)public_attributes;
    (void)public_count;
    (void)private_attributes;
    (void)private_count;
    (void)ret_public;
    (void)ret_private;
    return CKR_MECHANISM_INVALID;
}

static void a_token_that_makes_no_ec_keys_says_so(void **state)
{
    (void)state;
    fx_require();
    fx_intercept(token)->C_GenerateKeyPair = makes_no_ec;
    assert_refused(STIRKEEP_UNSUPPORTED, "makes no P-256 keys");
    (void)fx_intercept(token);
    assert_int_equal(labelled(CKO_PRIVATE_KEY), 0);
    (void)audit_key();
}

static CK_ATTRIBUTE_TYPE turned; /* of the private key, to the opposite */

static CK_RV makes_another_than_asked(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                                      CK_ATTRIBUTE *public_attributes, CK_ULONG public_count,
                                      CK_ATTRIBUTE *private_attributes, CK_ULONG private_count,
                                      CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private)
{
    CK_BBOOL values[2] = {CK_FALSE, CK_TRUE};
    CK_ATTRIBUTE changed[STK_KEY_TEMPLATE_MAX];

    for (size_t i = 0; i < private_count; i++) {
        changed[i] = private_attributes[i];
        if (changed[i].type == turned)
            changed[i].pValue = *(CK_BBOOL *)changed[i].pValue == CK_FALSE ? &values[1] : values;
    }
    return fx_real()->C_GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                        changed, private_count, ret_public, ret_private);
}

static void a_key_that_can_do_more_than_sign_is_not_kept(void **state)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        const char *words;
    } cases[] = {
        {CKA_EXTRACTABLE, "EXTRACTABLE=1"},
        {CKA_DECRYPT, "DECRYPT=1"},
        {CKA_DERIVE, "DERIVE=1"},
        {CKA_SIGN_RECOVER, "SIGN_RECOVER=1"},
    };

    (void)state;
    fx_require();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        turned = cases[i].type;
        fx_intercept(token)->C_GenerateKeyPair = makes_another_than_asked;
        assert_refused(STIRKEEP_TOKEN_ERROR, cases[i].words);
        (void)fx_intercept(token);
        assert_int_equal(labelled(CKO_PRIVATE_KEY), 0);
        assert_int_equal(labelled(CKO_PUBLIC_KEY), 0);
    }
    (void)audit_key();
}

static CK_RV does_not_sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
                           CK_BYTE *ret_signature, CK_ULONG *ret_length)
{
    (void)session;
    (void)data;
    (void)length;
    (void)ret_signature;
    (void)ret_length;
    return CKR_DEVICE_ERROR;
}

static void for_a_passing_trouble_no_second_key_is_made(void **state)
{
    struct stk_token_audit_key key = {0};
    struct stk_token_audit_key again = {0};

    (void)state;
    fx_require();
    key = audit_key();
    reopen();
    fx_intercept(token)->C_Sign = does_not_sign;
    assert_refused(STIRKEEP_TOKEN_ERROR, "CKR_DEVICE_ERROR");
    (void)fx_intercept(token);
    again = audit_key();
    assert_memory_equal(&again.key_id, &key.key_id, sizeof(key.key_id));
    assert_int_equal(labelled(CKO_PRIVATE_KEY), 1);
}

/* As SoftHSM when it could not open the files. */
static CK_RV finds_nothing(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG most,
                           CK_ULONG *ret_count)
{
    (void)session;
    (void)objects;
    (void)most;
    *ret_count = 0;
    return CKR_OK;
}

static void while_files_are_hidden_no_second_key_is_made(void **state)
{
    struct stk_token_audit_key key = {0};
    struct stk_token_audit_key again = {0};

    (void)state;
    fx_require();
    key = audit_key();
    reopen();
    fx_intercept(token)->C_FindObjects = finds_nothing;
    assert_refused(STIRKEEP_TOKEN_ERROR, "not shown");
    (void)fx_intercept(token);
    again = audit_key();
    assert_memory_equal(&again.key_id, &key.key_id, sizeof(key.key_id));
    assert_int_equal(labelled(CKO_PRIVATE_KEY), 1);
}

static void a_full_disk_leaves_nothing_that_seals_later(void **state)
{
    static const unsigned long rooms[] = {0, 8, 300, 600};

    (void)state;
    fx_require();
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        struct stk_token_audit_key key = {0};

        fx_disk_full(rooms[i]);
        assert_refused(STIRKEEP_STORAGE, "");
        fx_disk_free();
        reopen();
        key = audit_key();
        reopen();
        assert_pair(&key);
        assert_int_equal(labelled(CKO_PRIVATE_KEY), 1);
        destroy_all();
        reopen();
    }
}

/* ---- killed: a child does it, and is gone in the middle */

enum moment {
    BEFORE_GENERATE,
    AFTER_GENERATE,
    BEFORE_PUBLIC,
    TORN_PUBLIC,
    AFTER_PUBLIC,
    TORN_PRIVATE,
    AFTER_PRIVATE,
    MOMENTS
};

static enum moment death;
static int sets_seen;

static void die_if(enum moment moment)
{
    if (death == moment)
        (void)kill(getpid(), SIGKILL);
}

static CK_RV generate_and_die(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                              CK_ATTRIBUTE *public_attributes, CK_ULONG public_count,
                              CK_ATTRIBUTE *private_attributes, CK_ULONG private_count,
                              CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private)
{
    CK_RV rv = CKR_OK;

    die_if(BEFORE_GENERATE);
    rv = fx_real()->C_GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                      private_attributes, private_count, ret_public, ret_private);
    die_if(AFTER_GENERATE);
    return rv;
}

/* A file that is being written anew when the process dies is empty, or torn. */
static CK_RV set_and_die(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                         CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    bool is_public = sets_seen++ == 0;
    CK_RV rv = CKR_OK;

    die_if(is_public ? BEFORE_PUBLIC : MOMENTS);
    if (death == (is_public ? TORN_PUBLIC : TORN_PRIVATE))
        fx_disk_full(100);
    rv = fx_real()->C_SetAttributeValue(session, object, attributes, count);
    die_if(is_public ? TORN_PUBLIC : TORN_PRIVATE);
    die_if(is_public ? AFTER_PUBLIC : AFTER_PRIVATE);
    return rv;
}

static void live_until(enum moment moment)
{
    pid_t child = fork();
    int how = 0;

    assert_true(child >= 0);
    if (child == 0) {
        death = moment;
        token = fx_open();
        fx_intercept(token)->C_GenerateKeyPair = generate_and_die;
        token->p11->C_SetAttributeValue = set_and_die;
        (void)audit_key();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void killed_at_any_moment_there_is_one_key_in_the_end(void **state)
{
    static const struct stk_key_id ticket = {"stirkeep audit key in the making"};

    (void)state;
    fx_require();
    stk_token_close(token); /* SoftHSM and fork do not go together */
    for (enum moment moment = BEFORE_GENERATE; moment < MOMENTS; moment++) {
        struct stk_token_audit_key key = {0};

        live_until(moment);
        token = fx_open();
        key = audit_key();
        assert_pair(&key);
        assert_seals(&key);
        assert_int_equal(fx_count(token, &ticket, ANY), 0);
        assert_int_equal(labelled(CKO_PRIVATE_KEY), 1);
        /* One that was whole is not made anew. */
        if (moment == AFTER_PUBLIC || moment == AFTER_PRIVATE)
            assert_false(key.made);
        destroy_all();
        stk_token_close(token);
    }
    token = fx_open();
}

/* ---- the doctor */

static void the_doctor_names_it_and_says_when_it_does_not_sign(void **state)
{
    struct stk_diagnosis diagnosis = {0};
    struct stk_arena arena = {0};

    (void)state;
    fx_require();
    assert_int_equal(stk_arena_new(&arena, 1024 * 1024), STIRKEEP_OK);
    diagnosis.arena = &arena;
    stk_examine_audit_key(token, &diagnosis);
    assert_string_equal(diagnosis.facts[0].value, "none");
    (void)audit_key();
    diagnosis = (struct stk_diagnosis){.arena = &arena};
    stk_examine_audit_key(token, &diagnosis);
    assert_string_equal(diagnosis.facts[0].name, "audit key");
    assert_non_null(strstr(diagnosis.facts[0].value, "NEVER_EXTRACTABLE=1"));
    assert_int_equal(diagnosis.trouble_count, 0);
    (void)make_another();
    (void)audit_key();
    fx_intercept(token)->C_Sign = does_not_sign;
    diagnosis = (struct stk_diagnosis){.arena = &arena};
    stk_examine_audit_key(token, &diagnosis);
    (void)fx_intercept(token);
    assert_int_equal(diagnosis.trouble_count, 2);
    assert_non_null(strstr(diagnosis.troubles[0].what, "does not sign"));
    assert_non_null(strstr(diagnosis.troubles[1].what, "1 other keys"));
    stk_arena_free(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_token, close_token)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_made_once_and_found_again),
        TEST(it_never_leaves_the_token_and_only_signs),
        TEST(no_order_uses_it),
        TEST(its_ticket_is_nobody_elses),
        TEST(no_other_key_seals),
        TEST(the_inventory_has_it_not),
        TEST(of_several_the_lowest_is_used_and_none_does_anything_else),
        TEST(a_key_that_was_brought_in_under_the_label_is_not_used),
        TEST(a_token_that_makes_no_ec_keys_says_so),
        TEST(a_key_that_can_do_more_than_sign_is_not_kept),
        TEST(for_a_passing_trouble_no_second_key_is_made),
        TEST(while_files_are_hidden_no_second_key_is_made),
        TEST(a_full_disk_leaves_nothing_that_seals_later),
        TEST(killed_at_any_moment_there_is_one_key_in_the_end),
        TEST(the_doctor_names_it_and_says_when_it_does_not_sign),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
