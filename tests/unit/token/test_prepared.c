/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/prepared.h"

#include "fixture.h"
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#define THREADS 4
#define ROUNDS 2000
#define MASK 32 /* octets that SoftHSM asks for at a time */
#define MASKS 1000

static const unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const unsigned char p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};

/* A curve from `length` octets of `der`, which has `rest` octets that are not read. */
static void reads(const unsigned char *der, size_t length, size_t rest, int curve)
{
    EC_GROUP *made = EC_GROUP_new_by_curve_name(curve);
    const unsigned char *in = der;
    EC_GROUP *group = d2i_ECPKParameters(NULL, &in, (long)length);

    assert_non_null(group);
    assert_ptr_equal(in, der + length - rest);
    assert_int_equal(EC_GROUP_cmp(group, made, NULL), 0);
    assert_int_equal(EC_GROUP_get_curve_name(group), curve);
    assert_int_equal(EC_GROUP_get_asn1_flag(group), OPENSSL_EC_NAMED_CURVE);
    EC_GROUP_free(group);
    EC_GROUP_free(made);
}

static void reads_all(void)
{
    unsigned char more[sizeof(p256) + 3] = {0};

    reads(p256, sizeof(p256), 0, NID_X9_62_prime256v1);
    reads(p384, sizeof(p384), 0, NID_secp384r1);
    memcpy(more, p256, sizeof(p256));
    reads(more, sizeof(more), 3, NID_X9_62_prime256v1);
}

static void a_curve_is_read_as_openssl_reads_it(void **state)
{
    (void)state;
    reads_all();
    stk_prepared_make();
    reads_all();
    stk_prepared_make();
    reads_all();
}

static void one_that_is_given_is_written_to(void **state)
{
    const unsigned char *in = p256;
    EC_GROUP *given = EC_GROUP_new_by_curve_name(NID_secp384r1);
    EC_GROUP *group = NULL;
    (void)state;

    stk_prepared_make();
    group = d2i_ECPKParameters(&given, &in, (long)sizeof(p256));
    assert_non_null(group);
    assert_ptr_equal(given, group);
    assert_int_equal(EC_GROUP_get_curve_name(given), NID_X9_62_prime256v1);
    EC_GROUP_free(given);
}

static void what_is_no_curve_is_none(void **state)
{
    (void)state;
    stk_prepared_make();
    for (size_t length = 0; length < sizeof(p256); length++) {
        const unsigned char *in = p256;

        assert_null(d2i_ECPKParameters(NULL, &in, (long)length));
        assert_ptr_equal(in, p256);
    }
    for (size_t at = 0; at < sizeof(p256); at++) {
        unsigned char spoilt[sizeof(p256)] = {0};
        const unsigned char *in = spoilt;
        EC_GROUP *group = NULL;

        memcpy(spoilt, p256, sizeof(p256));
        spoilt[at] ^= 0x40;
        group = d2i_ECPKParameters(NULL, &in, (long)sizeof(spoilt));
        if (group != NULL)
            assert_int_not_equal(EC_GROUP_get_curve_name(group), NID_X9_62_prime256v1);
        EC_GROUP_free(group);
    }
}

/* Decrypts what another implementation, asked for by its name, encrypted. */
static void the_cipher_is_aes(void **state)
{
    static const unsigned char key[32] = {1, 2, 3};
    static const unsigned char iv[16] = {4, 5, 6};
    static const unsigned char text[40] = "as the module encrypts a private key";
    unsigned char sealed[64] = {0};
    unsigned char opened[64] = {0};
    int length = 0;
    int more = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *fetched = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    (void)state;

    stk_prepared_make();
    assert_int_equal(EVP_EncryptInit_ex(context, fetched, NULL, key, iv), 1);
    assert_int_equal(EVP_EncryptUpdate(context, sealed, &length, text, sizeof(text)), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, sealed + length, &more), 1);
    length += more;
    EVP_CIPHER_CTX_reset(context);
    assert_int_equal(EVP_DecryptInit_ex(context, EVP_aes_256_cbc(), NULL, key, iv), 1);
    assert_int_equal(EVP_DecryptUpdate(context, opened, &more, sealed, length), 1);
    length = more;
    assert_int_equal(EVP_DecryptFinal_ex(context, opened + length, &more), 1);
    assert_int_equal(length + more, sizeof(text));
    assert_memory_equal(opened, text, sizeof(text));
    assert_int_equal(EVP_CIPHER_get_key_length(EVP_aes_256_cbc()), 32);
    assert_int_equal(EVP_CIPHER_get_nid(EVP_aes_256_cbc()), NID_aes_256_cbc);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(fetched);
}

static void *reads_again_and_again(void *unused)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        const unsigned char *in = p256;

        EC_GROUP_free(d2i_ECPKParameters(NULL, &in, (long)sizeof(p256)));
    }
    return unused;
}

static void many_threads_read_it_while_it_is_made(void **state)
{
    pthread_t threads[THREADS];
    (void)state;

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reads_again_and_again, NULL), 0);
    stk_prepared_make();
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    reads_all();
}

/* ---- while a signature begins */

static EC_GROUP *read_p256(void)
{
    const unsigned char *in = p256;

    return d2i_ECPKParameters(NULL, &in, (long)sizeof(p256));
}

/* As SoftHSM does: it is read, copied into a key, and freed. */
static void the_curve_is_there_only_once(void **state)
{
    EC_GROUP *copy = NULL;
    EC_GROUP *one = NULL;
    EC_GROUP *other = NULL;
    (void)state;

    stk_prepared_make();
    stk_prepared_begin();
    reads_all();
    one = read_p256();
    copy = EC_GROUP_dup(one);
    EC_GROUP_free(one);
    EC_GROUP_free(one);
    assert_ptr_equal(read_p256(), one);
    assert_ptr_not_equal(copy, one);
    stk_prepared_end();
    other = read_p256();
    assert_ptr_not_equal(other, one);
    assert_int_equal(EC_GROUP_cmp(other, one, NULL), 0);
    EC_GROUP_free(other);
    EC_GROUP_free(NULL);
    EC_GROUP_free(copy);
    reads_all();
}

static int compare_masks(const void *left, const void *right)
{
    return memcmp(left, right, MASK);
}

static void draw(unsigned char masks[][MASK], size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(RAND_bytes(masks[i], MASK), 1);
}

static void all_differ(unsigned char masks[][MASK], size_t count)
{
    qsort(masks, count, MASK, compare_masks);
    for (size_t i = 1; i < count; i++)
        assert_memory_not_equal(masks[i - 1], masks[i], MASK);
}

static void *draw_on_a_thread(void *masks)
{
    stk_prepared_begin();
    draw(masks, MASKS);
    stk_prepared_end();
    return masks;
}

static void no_random_octets_are_given_twice(void **state)
{
    static unsigned char masks[(THREADS + 2) * MASKS][MASK];
    pthread_t threads[THREADS];
    (void)state;

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw_on_a_thread, masks[i * MASKS]), 0);
    (void)draw_on_a_thread(masks[THREADS * MASKS]);
    draw(&masks[(THREADS + 1) * MASKS], MASKS);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    all_differ(masks, (THREADS + 2) * MASKS);
}

/* All of what was asked for is set, and nothing behind it. */
static void random_octets_are_as_many_as_were_asked_for(void **state)
{
    unsigned char octets[4 * STK_PREPARED_RANDOM_MAX];
    (void)state;

    stk_prepared_begin();
    for (size_t length = 0; length < sizeof(octets) - 16; length++) {
        static const unsigned char nothing[16];
        size_t zeros = 0;

        memset(octets, 0, sizeof(octets));
        assert_int_equal(RAND_bytes(octets, (int)length), 1);
        assert_memory_equal(octets + length, nothing, sizeof(nothing));
        for (size_t i = 0; i < length; i++)
            zeros += octets[i] == 0 ? 1 : 0;
        assert_true(zeros < 16); /* by chance once in 10^14 */
    }
    assert_int_not_equal(RAND_bytes(octets, -1), 1);
    stk_prepared_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_read_it_while_it_is_made),
        cmocka_unit_test(a_curve_is_read_as_openssl_reads_it),
        cmocka_unit_test(one_that_is_given_is_written_to),
        cmocka_unit_test(what_is_no_curve_is_none),
        cmocka_unit_test(the_cipher_is_aes),
        cmocka_unit_test(the_curve_is_there_only_once),
        cmocka_unit_test(no_random_octets_are_given_twice),
        cmocka_unit_test(random_octets_are_as_many_as_were_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
