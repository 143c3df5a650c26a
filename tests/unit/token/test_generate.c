/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/digest.h"
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANY CK_UNAVAILABLE_INFORMATION

static struct stk_token *token;

static int open_token(void **state)
{
    (void)state;
    if (fx_module() != NULL)
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

static struct stk_key_id new_ticket(void)
{
    struct stk_key_id ticket = {0};

    stk_random(ticket.bytes, sizeof(ticket.bytes));
    return ticket;
}

/* A key made on the token, in the form that the fixture's functions take. */
static struct fx_key from_spki(const uint8_t spki[STK_TOKEN_SPKI_LENGTH])
{
    struct fx_key key = {0};
    const uint8_t *at = spki;

    memcpy(key.spki, spki, sizeof(key.spki));
    key.pkey = d2i_PUBKEY(NULL, &at, STK_TOKEN_SPKI_LENGTH);
    assert_non_null(key.pkey);
    stk_sha256(spki, STK_TOKEN_SPKI_LENGTH, key.key_id.bytes);
    return key;
}

static struct fx_key generate(const struct stk_key_id *ticket)
{
    uint8_t spki[STK_TOKEN_SPKI_LENGTH] = {0};
    struct stk_error error = {0};

    if (stk_token_generate(token, "Alpha", ticket, spki, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return from_spki(spki);
}

static void adopt(const struct stk_key_id *ticket, const struct fx_key *key)
{
    struct stk_error error = {0};

    if (stk_token_adopt(token, ticket, &key->key_id, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
}

static void assert_signs(const struct fx_key *key)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    struct stk_error error = {0};

    stk_random(digest, sizeof(digest));
    if (stk_token_sign(token, &key->key_id, digest, signature, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_true(fx_verifies(key, digest, signature));
}

static void assert_pair_under(const struct stk_key_id *id)
{
    assert_int_equal(fx_count(token, id, CKO_PRIVATE_KEY), 1);
    assert_int_equal(fx_count(token, id, CKO_PUBLIC_KEY), 1);
    assert_int_equal(fx_count(token, id, ANY), 2);
}

/* ---- generate */

static void test_a_key_is_made_on_the_token_and_says_so(void **state)
{
    struct stk_key_id ticket = new_ticket();
    struct fx_key key = {0};
    char text[STK_ATTRIBUTES_MAX] = "";

    (void)state;
    fx_require();
    key = generate(&ticket);
    assert_pair_under(&ticket);
    adopt(&ticket, &key);
    assert_pair_under(&key.key_id);
    assert_int_equal(fx_count(token, &ticket, ANY), 0);
    assert_int_equal(stk_token_attributes(token, &key.key_id, text, NULL), STIRKEEP_OK);
    assert_string_equal(text, "PRIVATE=1 SENSITIVE=1 EXTRACTABLE=0 ALWAYS_SENSITIVE=1 "
                              "NEVER_EXTRACTABLE=1 LOCAL=1");
    assert_signs(&key);
    stk_token_close(token);
    token = fx_open();
    assert_signs(&key);
    fx_key_free(&key);
}

static char bool_of(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = 0xff;
    size_t length = 0;

    if (stk_session_read(&token->custody, object, type, &value, 1, &length) != CKR_OK)
        return '?';
    return value == CK_TRUE ? '1' : '0';
}

static void assert_label(CK_OBJECT_HANDLE object)
{
    char label[64] = "";
    size_t length = 0;

    assert_int_equal(
        stk_session_read(&token->custody, object, CKA_LABEL, label, sizeof(label), &length),
        CKR_OK);
    assert_int_equal(length, strlen("stirkeep:Alpha"));
    assert_memory_equal(label, "stirkeep:Alpha", length);
}

static void test_it_only_signs_and_its_public_key_is_for_everyone(void **state)
{
    struct stk_key_id ticket = new_ticket();
    struct fx_key key = {0};
    struct stk_pair pair = {0};

    (void)state;
    fx_require();
    key = generate(&ticket);
    assert_int_equal(stk_pair_find(&token->custody, &ticket, &ticket, &key.key_id, &pair), CKR_OK);
    assert_int_equal(bool_of(pair.private, CKA_TOKEN), '1');
    assert_int_equal(bool_of(pair.private, CKA_SIGN), '1');
    assert_int_equal(bool_of(pair.private, CKA_DERIVE), '0');
    assert_int_equal(bool_of(pair.private, CKA_DECRYPT), '0');
    assert_int_equal(bool_of(pair.private, CKA_UNWRAP), '0');
    assert_int_equal(bool_of(pair.private, CKA_SIGN_RECOVER), '0');
    assert_label(pair.private);
    assert_int_equal(bool_of(pair.public, CKA_TOKEN), '1');
    assert_int_equal(bool_of(pair.public, CKA_PRIVATE), '0');
    assert_int_equal(bool_of(pair.public, CKA_VERIFY), '1');
    assert_label(pair.public);
    fx_key_free(&key);
}

static void test_the_same_ticket_gives_the_same_key(void **state)
{
    struct stk_key_id ticket = new_ticket();
    struct stk_key_id other = new_ticket();
    struct fx_key key = {0};
    struct fx_key again = {0};

    (void)state;
    fx_require();
    key = generate(&ticket);
    again = generate(&ticket);
    assert_memory_equal(key.spki, again.spki, sizeof(key.spki));
    fx_key_free(&again);
    stk_token_close(token);
    token = fx_open();
    again = generate(&ticket);
    assert_memory_equal(key.spki, again.spki, sizeof(key.spki));
    fx_key_free(&again);
    again = generate(&other);
    assert_memory_not_equal(key.spki, again.spki, sizeof(key.spki));
    assert_pair_under(&ticket);
    fx_key_free(&again);
    fx_key_free(&key);
}

static void test_what_a_cut_off_try_left_is_destroyed_first(void **state)
{
    struct stk_key_id ticket = new_ticket();
    struct fx_key planted = {0};
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&planted);
    fx_plant(token, &planted, &ticket); /* without a public key beside it */
    key = generate(&ticket);
    assert_memory_not_equal(key.spki, planted.spki, sizeof(key.spki));
    assert_pair_under(&ticket);
    fx_key_free(&planted);
    fx_key_free(&key);
}

static void assert_not_generated(const struct stk_key_id *ticket, enum stirkeep_status expected,
                                 const char *words)
{
    uint8_t spki[STK_TOKEN_SPKI_LENGTH] = {0};
    static const uint8_t untouched[STK_TOKEN_SPKI_LENGTH];
    struct stk_error error = {0};

    assert_int_equal(stk_token_generate(token, "Alpha", ticket, spki, &error), expected);
    assert_memory_equal(spki, untouched, sizeof(spki));
    if (strstr(error.message, words) == NULL || strstr(error.message, "may be left") != NULL)
        fail_msg("%s", error.message);
}

static void test_a_full_disk_leaves_no_half_pair(void **state)
{
    static const unsigned long rooms[] = {0, 7, 8, 40, 300, 600};

    (void)state;
    fx_require();
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        struct stk_key_id ticket = new_ticket();
        struct fx_key key = {0};

        fx_disk_full(rooms[i]);
        assert_not_generated(&ticket, STIRKEEP_STORAGE, rooms[i] == 0 ? "token files in" : "disk");
        fx_disk_free();
        assert_int_equal(fx_count(token, &ticket, ANY), 0);
        key = generate(&ticket); /* nothing torn is in the way */
        stk_token_close(token);
        token = fx_open();
        adopt(&ticket, &key);
        assert_signs(&key);
        fx_key_free(&key);
    }
}

static CK_RV makes_no_ec(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                         CK_ATTRIBUTE *public_attributes, CK_ULONG public_count,
                         CK_ATTRIBUTE *private_attributes, CK_ULONG private_count,
                         CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private)
{
    (void)session;
    (void)public_attributes;
    (void)public_count;
    (void)private_attributes;
    (void)private_count;
    (void)ret_public;
    (void)ret_private;
    return mechanism->mechanism == CKM_EC_KEY_PAIR_GEN ? CKR_MECHANISM_INVALID : CKR_GENERAL_ERROR;
}

static void test_a_token_that_makes_no_ec_keys_says_so(void **state)
{
    struct stk_key_id ticket = new_ticket();

    (void)state;
    fx_require();
    fx_intercept(token)->C_GenerateKeyPair = makes_no_ec;
    assert_not_generated(&ticket, STIRKEEP_UNSUPPORTED, "makes no P-256 keys");
    (void)fx_intercept(token);
    assert_int_equal(fx_count(token, &ticket, ANY), 0);
}

/* Says that all is well, and has made a key that could be taken away. */
static CK_RV makes_it_extractable(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                                  CK_ATTRIBUTE *public_attributes, CK_ULONG public_count,
                                  CK_ATTRIBUTE *private_attributes, CK_ULONG private_count,
                                  CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE changed[STK_KEY_TEMPLATE_MAX];

    for (size_t i = 0; i < private_count; i++) {
        changed[i] = private_attributes[i];
        if (changed[i].type == CKA_EXTRACTABLE)
            changed[i].pValue = &yes;
    }
    return fx_real()->C_GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                        changed, private_count, ret_public, ret_private);
}

static void test_a_token_that_makes_another_key_than_asked_for_is_not_trusted(void **state)
{
    struct stk_key_id ticket = new_ticket();

    (void)state;
    fx_require();
    fx_intercept(token)->C_GenerateKeyPair = makes_it_extractable;
    assert_not_generated(&ticket, STIRKEEP_TOKEN_ERROR, "EXTRACTABLE=1");
    (void)fx_intercept(token);
    assert_int_equal(fx_count(token, &ticket, ANY), 0);
}

/* The public key of one pair beside the private key of another. */
static CK_RV mixes_pairs(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                         CK_ATTRIBUTE *public_attributes, CK_ULONG public_count,
                         CK_ATTRIBUTE *private_attributes, CK_ULONG private_count,
                         CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private)
{
    CK_OBJECT_HANDLE public = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE private = CK_INVALID_HANDLE;
    CK_RV rv =
        fx_real()->C_GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                     private_attributes, private_count, ret_public, &private);

    if (rv == CKR_OK)
        rv = fx_real()->C_GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                          private_attributes, private_count, &public, ret_private);
    (void)fx_real()->C_DestroyObject(session, public);
    (void)fx_real()->C_DestroyObject(session, private);
    return rv;
}

static void test_a_pair_that_does_not_belong_together_is_not_kept(void **state)
{
    struct stk_key_id ticket = new_ticket();

    (void)state;
    fx_require();
    fx_intercept(token)->C_GenerateKeyPair = mixes_pairs;
    assert_not_generated(&ticket, STIRKEEP_TOKEN_ERROR, "does not sign for the public key");
    (void)fx_intercept(token);
    assert_int_equal(fx_count(token, &ticket, ANY), 0);
}

/* ---- adopt */

static void test_adopting_twice_is_adopting_once(void **state)
{
    struct stk_key_id ticket = new_ticket();
    struct fx_key key = {0};
    uint8_t spki[STK_TOKEN_SPKI_LENGTH] = {0};

    (void)state;
    fx_require();
    key = generate(&ticket);
    assert_int_equal(stk_token_spki(token, &key.key_id, spki, NULL), STIRKEEP_KEY_UNAVAILABLE);
    adopt(&ticket, &key);
    adopt(&ticket, &key);
    assert_pair_under(&key.key_id);
    assert_int_equal(stk_token_spki(token, &key.key_id, spki, NULL), STIRKEEP_OK);
    assert_memory_equal(spki, key.spki, sizeof(spki));
    stk_token_close(token);
    token = fx_open();
    adopt(&ticket, &key);
    assert_signs(&key);
    fx_key_free(&key);
}

static void test_a_key_id_that_is_not_the_pairs_is_refused(void **state)
{
    struct stk_key_id ticket = new_ticket();
    struct stk_key_id other = new_ticket();
    struct fx_key key = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    assert_int_equal(stk_token_adopt(token, &ticket, &other, &error), STIRKEEP_KEY_UNAVAILABLE);
    key = generate(&ticket);
    assert_int_equal(stk_token_adopt(token, &ticket, &other, &error), STIRKEEP_KEY_MISMATCH);
    assert_pair_under(&ticket);
    assert_int_equal(fx_count(token, &other, ANY), 0);
    adopt(&ticket, &key);
    fx_key_free(&key);
}

static void test_what_somebody_planted_under_the_key_id_is_passed_over(void **state)
{
    struct stk_key_id ticket = new_ticket();
    struct fx_key planted = {0};
    struct fx_key key = {0};

    (void)state;
    fx_require();
    fx_key_new(&planted);
    key = generate(&ticket);
    fx_plant(token, &planted, &key.key_id);
    adopt(&ticket, &key);
    assert_int_equal(fx_count(token, &ticket, ANY), 0);
    assert_signs(&key);
    fx_key_free(&planted);
    fx_key_free(&key);
}

static int sets_allowed;

static CK_RV set_so_often(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                          CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    if (sets_allowed-- <= 0)
        return CKR_ATTRIBUTE_READ_ONLY;
    return fx_real()->C_SetAttributeValue(session, object, attributes, count);
}

static void test_a_token_that_changes_no_attribute_keeps_the_pair_for_another_try(void **state)
{
    (void)state;
    fx_require();
    for (int allowed = 0; allowed < 2; allowed++) {
        struct stk_key_id ticket = new_ticket();
        struct fx_key key = generate(&ticket);
        struct stk_error error = {0};

        sets_allowed = allowed;
        fx_intercept(token)->C_SetAttributeValue = set_so_often;
        assert_int_equal(stk_token_adopt(token, &ticket, &key.key_id, &error),
                         STIRKEEP_TOKEN_ERROR);
        assert_non_null(strstr(error.message, "C_SetAttributeValue: CKR_ATTRIBUTE_READ_ONLY"));
        assert_int_equal(fx_count(token, &ticket, CKO_PRIVATE_KEY), 1);
        assert_int_equal(fx_count(token, &key.key_id, CKO_PUBLIC_KEY), (size_t)allowed);
        (void)fx_intercept(token);
        adopt(&ticket, &key);
        assert_pair_under(&key.key_id);
        assert_signs(&key);
        fx_key_free(&key);
    }
}

/* Says CKR_OK and does nothing. */
static CK_RV sets_nothing(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                          CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    (void)session;
    (void)object;
    (void)attributes;
    (void)count;
    return CKR_OK;
}

static void test_a_token_that_only_says_that_it_changed_it_is_found_out(void **state)
{
    struct stk_key_id ticket = new_ticket();
    struct fx_key key = {0};

    (void)state;
    fx_require();
    key = generate(&ticket);
    fx_intercept(token)->C_SetAttributeValue = sets_nothing;
    assert_int_equal(stk_token_adopt(token, &ticket, &key.key_id, NULL), STIRKEEP_KEY_UNAVAILABLE);
    (void)fx_intercept(token);
    assert_pair_under(&ticket);
    fx_key_free(&key);
}

static void test_without_room_on_the_disk_the_pair_is_not_touched(void **state)
{
    static const unsigned long rooms[] = {0, 8, 300, 4095};

    (void)state;
    fx_require();
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        struct stk_key_id ticket = new_ticket();
        struct fx_key key = generate(&ticket);

        fx_disk_full(rooms[i]);
        assert_int_equal(stk_token_adopt(token, &ticket, &key.key_id, NULL), STIRKEEP_STORAGE);
        fx_disk_free();
        stk_token_close(token);
        token = fx_open();
        assert_pair_under(&ticket);
        adopt(&ticket, &key);
        assert_signs(&key);
        fx_key_free(&key);
    }
}

static void test_a_signer_takes_it_once_it_has_its_key_id(void **state)
{
    struct stk_key_id ticket = new_ticket();
    struct fx_key key = {0};
    struct stk_signer *signer = NULL;
    uint8_t digest[STK_DIGEST_LENGTH] = {1, 2, 3};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};

    (void)state;
    fx_require();
    assert_int_equal(stk_signer_new(token, &signer, NULL), STIRKEEP_OK);
    key = generate(&ticket);
    assert_int_equal(stk_signer_sign(signer, &key.key_id, digest, signature, NULL),
                     STIRKEEP_KEY_UNAVAILABLE);
    adopt(&ticket, &key);
    assert_int_equal(stk_signer_sign(signer, &key.key_id, digest, signature, NULL), STIRKEEP_OK);
    assert_true(fx_verifies(&key, digest, signature));
    stk_signer_free(signer);
    fx_key_free(&key);
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

/* What intake has written down by then. */
struct written {
    struct stk_key_id ticket;
    bool has_key_id;
    uint8_t spki[STK_TOKEN_SPKI_LENGTH];
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

static void live(enum moment until, struct written *written)
{
    struct fx_key key = {0};

    death = until;
    token = fx_open();
    fx_intercept(token)->C_GenerateKeyPair = generate_and_die;
    token->p11->C_SetAttributeValue = set_and_die;
    key = generate(&written->ticket);
    memcpy(written->spki, key.spki, sizeof(key.spki));
    written->has_key_id = true;
    adopt(&written->ticket, &key);
    _exit(0);
}

static void live_until(enum moment moment, struct written *written)
{
    pid_t child = fork();
    int how = 0;

    assert_true(child >= 0);
    if (child == 0)
        live(moment, written);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void assert_nothing_under(const struct stk_key_id *id)
{
    (void)stk_token_destroy(token, id, NULL, NULL);
    assert_int_equal(fx_count(token, id, ANY), 0);
}

/* The order is carried out again; when the key is lost, what is left of it goes and it begins anew:
 * nobody has been told of that key. */
static struct fx_key go_on(struct written *written)
{
    struct fx_key key = {0};
    enum stirkeep_status status = STIRKEEP_KEY_UNAVAILABLE;

    if (written->has_key_id) {
        key = from_spki(written->spki);
        status = stk_token_adopt(token, &written->ticket, &key.key_id, NULL);
        if (status == STIRKEEP_OK)
            return key;
        assert_nothing_under(&key.key_id);
        assert_nothing_under(&written->ticket);
        fx_key_free(&key);
    }
    assert_int_equal(status, STIRKEEP_KEY_UNAVAILABLE);
    key = generate(&written->ticket);
    adopt(&written->ticket, &key);
    return key;
}

static void test_killed_at_any_moment_there_is_a_key_in_the_end_and_one_only(void **state)
{
    struct written *written = NULL;

    (void)state;
    fx_require();
    written =
        mmap(NULL, sizeof(*written), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(written, MAP_FAILED);
    stk_token_close(token); /* SoftHSM and fork do not go together */
    for (enum moment moment = BEFORE_GENERATE; moment < MOMENTS; moment++) {
        struct fx_key key = {0};

        *written = (struct written){.ticket = new_ticket()};
        live_until(moment, written);
        token = fx_open();
        key = go_on(written);
        assert_pair_under(&key.key_id);
        assert_int_equal(fx_count(token, &written->ticket, ANY), 0);
        assert_signs(&key);
        /* Only a file torn by the death costs the key. */
        assert_int_equal(memcmp(key.spki, written->spki, sizeof(key.spki)) == 0,
                         moment == BEFORE_PUBLIC || moment == AFTER_PUBLIC ||
                             moment == AFTER_PRIVATE);
        fx_key_free(&key);
        stk_token_close(token);
    }
    token = fx_open();
    (void)munmap(written, sizeof(*written));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_token, close_token)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_key_is_made_on_the_token_and_says_so),
        TEST(test_it_only_signs_and_its_public_key_is_for_everyone),
        TEST(test_the_same_ticket_gives_the_same_key),
        TEST(test_what_a_cut_off_try_left_is_destroyed_first),
        TEST(test_a_full_disk_leaves_no_half_pair),
        TEST(test_a_token_that_makes_no_ec_keys_says_so),
        TEST(test_a_token_that_makes_another_key_than_asked_for_is_not_trusted),
        TEST(test_a_pair_that_does_not_belong_together_is_not_kept),
        TEST(test_adopting_twice_is_adopting_once),
        TEST(test_a_key_id_that_is_not_the_pairs_is_refused),
        TEST(test_what_somebody_planted_under_the_key_id_is_passed_over),
        TEST(test_a_token_that_changes_no_attribute_keeps_the_pair_for_another_try),
        TEST(test_a_token_that_only_says_that_it_changed_it_is_found_out),
        TEST(test_without_room_on_the_disk_the_pair_is_not_touched),
        TEST(test_a_signer_takes_it_once_it_has_its_key_id),
        TEST(test_killed_at_any_moment_there_is_a_key_in_the_end_and_one_only),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
