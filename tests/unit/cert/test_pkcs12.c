/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cert/der.h"
#include "cert/pkcs12.h"
#include "pki.h"
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

/* PKCS#12: one file with the key, its certificate and the issuers, as control panels hand it out. */

#define MORE_WORK 70000 /* iterations that take three octets, so that a patch keeps all lengths */

static struct pki_chain pki;

static int setup(void **state)
{
    (void)state;
    pki = pki_chain_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pki_chain_free(&pki);
    return 0;
}

struct wish {
    const char *passphrase;
    EVP_PKEY *key;  /* NULL: none */
    X509 *leaf;     /* NULL: none */
    X509 *more[3];  /* in this order */
    int cipher;     /* NID; -1: not encrypted */
    int iterations; /* of the ciphers and the integrity code; -1: no integrity code */
};

static void take(struct pki_text *text, PKCS12 *store)
{
    unsigned char *der = NULL;
    int length = 0;

    assert_non_null(store);
    length = i2d_PKCS12(store, &der);
    assert_true(length > 0);
    text->length = 0;
    pki_add(text, der, (size_t)length);
    OPENSSL_free(der);
    PKCS12_free(store);
}

static void make(struct pki_text *text, const struct wish *wish)
{
    STACK_OF(X509) *more = sk_X509_new_null();

    for (size_t i = 0; i < 3; i++)
        if (wish->more[i] != NULL)
            assert_true(sk_X509_push(more, wish->more[i]) > 0);
    take(text, PKCS12_create(wish->passphrase, "leaf", wish->key, wish->leaf, more, wish->cipher,
                             wish->cipher, wish->iterations, wish->iterations, 0));
    sk_X509_free(more);
}

static struct wish usual(void)
{
    return (struct wish){.passphrase = "secret words",
                         .key = pki.leaf_key,
                         .leaf = pki.leaf,
                         .more = {pki.intermediate},
                         .cipher = NID_aes_256_cbc,
                         .iterations = 2048};
}

static enum stirkeep_status read_all(const struct pki_text *text, const char *passphrase,
                                     struct stk_private_key *ret_key, struct stk_chain **ret_chain,
                                     struct stk_error *error)
{
    struct stk_secret data = pki_secret(text->data, text->length);
    struct stk_secret phrase = pki_secret(passphrase, passphrase != NULL ? strlen(passphrase) : 0);
    enum stirkeep_status status = stk_pkcs12_read(
        &data, "bundle.p12", passphrase != NULL ? &phrase : NULL, ret_key, ret_chain, error);

    stk_secret_free(&data);
    stk_secret_free(&phrase);
    return status;
}

static void expect_at(const struct stk_chain *chain, size_t index, X509 *wanted)
{
    struct pki_text der = {0};

    pki_add_der(&der, wanted);
    assert_int_equal(stk_chain_der(chain, index).length, der.length);
    assert_memory_equal(stk_chain_der(chain, index).data, der.data, der.length);
}

/* Read, with the leaf and `count` - 1 issuers in order. */
static void expect_chain(const struct pki_text *text, const char *passphrase, size_t count)
{
    X509 *wanted[3] = {pki.leaf, pki.intermediate, pki.root};
    struct stk_private_key key = {0};
    struct stk_chain *chain = NULL;
    struct stk_error error = {0};
    unsigned char *spki = NULL;

    if (read_all(text, passphrase, &key, &chain, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_string_equal(key.form, "PKCS#12");
    assert_int_equal(i2d_PUBKEY(pki.leaf_key, &spki), sizeof(key.spki));
    assert_memory_equal(spki, key.spki, sizeof(key.spki));
    assert_int_equal(stk_chain_count(chain), count);
    for (size_t i = 0; i < count; i++)
        expect_at(chain, i, wanted[i]);
    OPENSSL_free(spki);
    stk_chain_free(chain);
    stk_private_key_free(&key);
}

static void expect_refusal(const struct pki_text *text, const char *passphrase,
                           enum stirkeep_status wanted, const char *words)
{
    struct stk_private_key key = {0};
    struct stk_chain *chain = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = read_all(text, passphrase, &key, &chain, &error);

    if (status != wanted || strstr(error.message, words) == NULL)
        fail_msg("%d, \"%s\"; wanted %d, \"%s\"", status, error.message, wanted, words);
    assert_null(chain);
    assert_null(key.pkcs8.data);
}

static void the_chain_is_put_in_order_and_strangers_are_left_out(void **state)
{
    struct pki_chain other = pki_chain_new();
    struct pki_text text = {0};
    struct wish wish = usual();
    (void)state;

    make(&text, &wish);
    expect_chain(&text, "secret words", 2);
    wish.more[0] = pki.root;
    wish.more[1] = other.leaf;
    wish.more[2] = pki.intermediate;
    make(&text, &wish);
    expect_chain(&text, "secret words", 3);
    wish.more[1] = wish.more[2] = NULL; /* the root does not follow the leaf */
    make(&text, &wish);
    expect_chain(&text, "secret words", 1);
    pki_chain_free(&other);
}

static void an_issuer_is_found_by_its_key_not_by_its_name(void **state)
{
    struct pki_chain other = pki_chain_new(); /* with the same names */
    struct pki_text text = {0};
    struct wish wish = usual();
    (void)state;

    wish.more[0] = other.intermediate;
    wish.more[1] = pki.intermediate;
    make(&text, &wish);
    expect_chain(&text, "secret words", 2);
    pki_chain_free(&other);
}

static void no_passphrase_the_empty_one_and_no_encryption(void **state)
{
    struct pki_text text = {0};
    struct wish wish = usual();
    (void)state;

    wish.passphrase = "";
    make(&text, &wish);
    expect_chain(&text, NULL, 2);
    expect_chain(&text, "", 2);
    expect_refusal(&text, "wrong", STIRKEEP_KEY_UNREADABLE, "passphrase is wrong");
    wish.passphrase = NULL;
    make(&text, &wish);
    expect_chain(&text, NULL, 2);
    wish.cipher = -1;
    wish.iterations = -1;
    make(&text, &wish);
    expect_chain(&text, NULL, 2);
}

static void passphrases_of_any_letters(void **state)
{
    struct pki_text text = {0};
    struct wish wish = usual();
    (void)state;

    wish.passphrase = "Schl\xc3\xbcssel \xe2\x82\xac";
    make(&text, &wish);
    expect_chain(&text, wish.passphrase, 2);
    expect_refusal(&text, "Schluessel", STIRKEEP_KEY_UNREADABLE, "passphrase is wrong");
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "passphrase is needed");
}

static void the_old_triple_des_form(void **state)
{
    struct pki_text text = {0};
    struct wish wish = usual();
    (void)state;

    wish.cipher = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
    make(&text, &wish);
    expect_chain(&text, "secret words", 2);
}

static void write_value(struct pki_text *text, uint8_t tag, struct stk_bytes contents)
{
    uint8_t header[4] = {tag, 0x82, (uint8_t)(contents.length >> 8), (uint8_t)contents.length};

    pki_add(text, header, sizeof(header));
    pki_add(text, contents.data, contents.length);
}

/* The same file with indefinite lengths and its content in pieces, as some Java programs write. */
static void as_ber(const struct pki_text *der, struct pki_text *ber)
{
    struct stk_bytes pfx = {0};
    struct stk_bytes info = {0};
    struct stk_bytes oid = {0};
    struct stk_bytes tagged = {0};
    struct stk_bytes content = {0};
    struct stk_bytes piece = {0};

    assert_true(stk_der_only(pki_bytes(der), STK_DER_SEQUENCE, &pfx));
    assert_true(stk_der_next(&pfx, NULL, NULL, NULL));
    assert_true(stk_der_take(&pfx, STK_DER_SEQUENCE, &info));
    assert_true(stk_der_next(&info, NULL, NULL, &oid));
    assert_true(stk_der_only(info, STK_DER_CONSTRUCTED(0), &tagged));
    assert_true(stk_der_only(tagged, STK_DER_OCTET_STRING, &content));
    ber->length = 0;
    pki_add(ber, "\x30\x80\x02\x01\x03\x30\x80", 7);
    pki_add(ber, oid.data, oid.length);
    pki_add(ber, "\xa0\x80\x24\x80", 4);
    while (content.length > 0) {
        piece = content;
        piece.length = content.length < 300 ? content.length : 300;
        write_value(ber, STK_DER_OCTET_STRING, piece);
        content.data += piece.length;
        content.length -= piece.length;
    }
    pki_add(ber, "\0\0\0\0\0\0", 6);
    pki_add(ber, pfx.data, pfx.length); /* MacData */
    pki_add(ber, "\0\0", 2);
}

static void indefinite_lengths_and_pieces_are_read(void **state)
{
    struct pki_text der = {0};
    struct pki_text ber = {0};
    struct wish wish = usual();
    (void)state;

    make(&der, &wish);
    as_ber(&der, &ber);
    expect_chain(&ber, "secret words", 2);
    ber.length--;
    expect_refusal(&ber, "secret words", STIRKEEP_KEY_UNREADABLE, "not a well-formed PKCS#12");
}

static void nested_without_end_it_is_refused(void **state)
{
    struct pki_text text = {0};
    (void)state;

    for (int i = 0; i < 50000; i++)
        pki_add(&text, "\x30\x80", 2);
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "not a well-formed PKCS#12");
    for (size_t i = 0; i < text.length; i += 2)
        text.data[i] = 0x24;
    expect_refusal(&text, NULL, STIRKEEP_KEY_UNREADABLE, "not a well-formed PKCS#12");
}

static void what_is_missing_or_does_not_belong_is_told(void **state)
{
    EVP_PKEY *rsa = pki_rsa_key();
    struct pki_text text = {0};
    struct wish wish = usual();
    (void)state;

    wish.key = NULL;
    make(&text, &wish);
    expect_refusal(&text, "secret words", STIRKEEP_KEY_UNREADABLE, "no private key in it");
    wish = usual();
    wish.leaf = NULL;
    make(&text, &wish);
    expect_refusal(&text, "secret words", STIRKEEP_KEY_MISMATCH,
                   "none of its 1 certificates belongs to its key");
    wish.more[0] = NULL;
    make(&text, &wish);
    expect_refusal(&text, "secret words", STIRKEEP_CERT_INVALID, "no certificate in it");
    wish.key = rsa;
    make(&text, &wish);
    expect_refusal(&text, "secret words", STIRKEEP_KEY_TYPE, "RSA 2048 key");
    EVP_PKEY_free(rsa);
}

/* Two key bags; the second with `other`. */
static void make_two_keys(struct pki_text *text, EVP_PKEY *other)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    STACK_OF(PKCS7) *safes = NULL;
    PKCS12 *store = NULL;

    assert_non_null(PKCS12_add_key(&bags, pki.leaf_key, 0, 2048, NID_aes_128_cbc, "x"));
    assert_non_null(PKCS12_add_key(&bags, other, 0, 2048, NID_aes_128_cbc, "x"));
    assert_non_null(PKCS12_add_cert(&bags, pki.leaf));
    assert_int_equal(PKCS12_add_safe(&safes, bags, -1, 0, NULL), 1);
    store = PKCS12_add_safes(safes, 0);
    assert_int_equal(PKCS12_set_mac(store, "x", -1, NULL, 0, 1, NULL), 1);
    take(text, store);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(safes, PKCS7_free);
}

static void two_keys_are_one_too_many(void **state)
{
    struct pki_text text = {0};
    (void)state;

    make_two_keys(&text, pki.root_key);
    expect_refusal(&text, "x", STIRKEEP_KEY_UNREADABLE, "2 private keys in it");
}

static void the_same_key_twice_is_one(void **state)
{
    struct pki_text text = {0};
    (void)state;

    make_two_keys(&text, pki.leaf_key); /* as GnuTLS' certtool writes it */
    expect_chain(&text, "x", 1);
}

static void a_file_that_asks_for_endless_work_is_refused_at_once(void **state)
{
    static const uint8_t modest[] = {0x02, 0x03, 0x01, 0x11, 0x70};
    static const uint8_t endless[] = {0x02, 0x03, 0x7f, 0xff, 0xff};
    struct pki_text text = {0};
    struct wish wish = usual();
    size_t found = 0;
    (void)state;

    wish.iterations = MORE_WORK;
    make(&text, &wish);
    for (size_t i = 0; i + sizeof(modest) <= text.length; i++)
        if (memcmp(text.data + i, modest, sizeof(modest)) == 0) {
            memcpy(text.data + i, endless, sizeof(endless));
            found++;
        }
    assert_true(found > 0);
    expect_refusal(&text, "secret words", STIRKEEP_KEY_UNREADABLE, "asks for more work");
}

static void noise_is_survived(void **state)
{
    static struct pki_text text;
    struct wish wish = usual();
    unsigned seed = 20261126;
    size_t refused = 0;
    (void)state;

    /* Without an integrity code and encryption the noise gets to the inside. */
    wish.passphrase = NULL;
    wish.cipher = -1;
    wish.iterations = -1;
    make(&text, &wish);
    for (int round = 0; round < 1500; round++) {
        struct stk_private_key key = {0};
        struct stk_chain *chain = NULL;
        size_t at = (size_t)rand_r(&seed) % text.length;
        size_t length = text.length;
        uint8_t before = text.data[at];

        text.data[at] = (uint8_t)rand_r(&seed);
        if (round % 9 == 0)
            text.length = at;
        if (read_all(&text, NULL, &key, &chain, NULL) != STIRKEEP_OK)
            refused++;
        stk_chain_free(chain);
        stk_private_key_free(&key);
        text.data[at] = before;
        text.length = length;
    }
    assert_in_range(refused, 100, 1499);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_is_put_in_order_and_strangers_are_left_out),
        cmocka_unit_test(an_issuer_is_found_by_its_key_not_by_its_name),
        cmocka_unit_test(no_passphrase_the_empty_one_and_no_encryption),
        cmocka_unit_test(passphrases_of_any_letters),
        cmocka_unit_test(the_old_triple_des_form),
        cmocka_unit_test(indefinite_lengths_and_pieces_are_read),
        cmocka_unit_test(nested_without_end_it_is_refused),
        cmocka_unit_test(what_is_missing_or_does_not_belong_is_told),
        cmocka_unit_test(two_keys_are_one_too_many),
        cmocka_unit_test(the_same_key_twice_is_one),
        cmocka_unit_test(a_file_that_asks_for_endless_work_is_refused_at_once),
        cmocka_unit_test(noise_is_survived),
    };

    return cmocka_run_group_tests_name("pkcs12", tests, setup, teardown);
}
