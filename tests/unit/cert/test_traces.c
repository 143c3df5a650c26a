/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cert/key.h"
#include "pki.h"
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Once a key has been read and freed, no piece of it is left in the memory of this process: not in
 * the heap, not on the stack. A child makes the files and hands them over masked, and what is
 * looked for is masked, too, so that this process has only the reader's copies.
 */

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define MASK 0xa5
#define PIECE 12 /* octets: half a piece of key is a find */
#define SCALAR 32
#define REGION_MAX (64UL << 20) /* sanitizers map terabytes of their own */
#define DEPTH (32 * 1024)

/* The private number of RFC 6979 A.2.5, masked. */
static const uint8_t masked_scalar[SCALAR] = {
    0x6c, 0x0a, 0x0c, 0x7d, 0xe0, 0x1f, 0xd0, 0xb3, 0xce, 0xf9, 0x84, 0xf2, 0xc2, 0x14, 0x73, 0x36,
    0xeb, 0xf5, 0x66, 0x7e, 0x93, 0x4d, 0x3e, 0xb7, 0xde, 0x2f, 0xc7, 0x8e, 0xb7, 0xaa, 0xc2, 0x84};

enum form { PKCS8_PEM, SEC1_PEM, SEALED_PKCS8_PEM, SEALED_SEC1_PEM, SEC1_DER, PKCS12_FILE, FORMS };

static const char passphrase[] = "x";

/* ---- the child */

static void write_form(BIO *bio, enum form form, EVP_PKEY *key)
{
    void *phrase = (void *)(uintptr_t)passphrase;
    PKCS12 *store = NULL;

    switch (form) {
    case PKCS8_PEM:
        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
        break;
    case SEC1_PEM:
        PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
        break;
    case SEALED_PKCS8_PEM:
        PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), NULL, 0, NULL, phrase);
        break;
    case SEALED_SEC1_PEM:
        PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_256_cbc(), NULL, 0, NULL, phrase);
        break;
    case SEC1_DER:
        i2d_PrivateKey_bio(bio, key);
        break;
    default:
        store = PKCS12_create(passphrase, NULL, key, NULL, NULL, 0, 0, 2048, 2048, 0);
        i2d_PKCS12_bio(bio, store);
        PKCS12_free(store);
    }
}

static void hand_over(int fd, enum form form)
{
    EVP_PKEY *key = pki_rfc6979_key();
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    long length = 0;

    write_form(bio, form, key);
    length = BIO_get_mem_data(bio, &data);
    for (long i = 0; i < length; i++)
        data[i] = (char)((uint8_t)data[i] ^ MASK);
    _exit(length > 0 && write(fd, data, (size_t)length) == length ? 0 : 1);
}

static size_t masked_file(enum form form, uint8_t *ret_masked, size_t room)
{
    int ends[2] = {-1, -1};
    int outcome = 0;
    size_t length = 0;
    ssize_t got = 0;
    pid_t child = -1;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        hand_over(ends[1], form);
    close(ends[1]);
    while ((got = read(ends[0], ret_masked + length, room - length)) > 0)
        length += (size_t)got;
    close(ends[0]);
    assert_int_equal(waitpid(child, &outcome, 0), child);
    assert_int_equal(outcome, 0);
    return length;
}

/* ---- looking for it */

/* A piece of masked octets, forwards, or backwards as a big number's limbs lie. */
static bool has_piece(const uint8_t *window, size_t length, const uint8_t *piece)
{
    uint8_t turned[PIECE];

    for (size_t i = 0; i < PIECE; i++)
        turned[i] = piece[PIECE - 1 - i];
    return memmem(window, length, piece, PIECE) != NULL ||
           memmem(window, length, turned, PIECE) != NULL;
}

/* Masks the window, so that it is no copy itself. */
static size_t count_in(uint8_t *window, size_t length, const uint8_t *masked, size_t whole)
{
    size_t found = 0;

    for (size_t i = 0; i < length; i++)
        window[i] ^= MASK;
    for (size_t piece = 0; piece + PIECE <= whole; piece += 4)
        found += has_piece(window, length, masked + piece) ? 1 : 0;
    return found;
}

/* In how many places do pieces of `masked` lie in what this process can write to? */
static size_t count_traces(const uint8_t *masked, size_t whole)
{
    static uint8_t window[1 << 16];
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[512];
    size_t found = 0;

    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from = 0;
        unsigned long to = 0;
        char rights[5] = "";

        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[0] != 'r' ||
            rights[1] != 'w' || to - from > REGION_MAX)
            continue;
        /* Windows overlap, so that nothing hides at their border. */
        for (unsigned long at = from; at < to; at += sizeof(window) - SCALAR) {
            ssize_t got = pread(memory, window, sizeof(window), (off_t)at);

            if (got > 0)
                found += count_in(window, (size_t)got, masked, whole);
        }
    }
    (void)fclose(maps);
    close(memory);
    return found;
}

/* ---- the tests */

/* Unmask into secret memory, as a program's reader would put it there. */
static struct stk_secret unmask(const uint8_t *masked, size_t length)
{
    struct stk_secret data = {0};
    volatile uint8_t mask = MASK;

    assert_int_equal(stk_secret_new(&data, length), STIRKEEP_OK);
    for (size_t i = 0; i < length; i++)
        data.data[i] = masked[i] ^ mask;
    data.length = length;
    return data;
}

/* Read so deep in the stack that the search, which comes from above, overwrites nothing there. */
static __attribute__((noinline)) enum stirkeep_status read_deep(const struct stk_secret *data,
                                                                const struct stk_secret *phrase,
                                                                struct stk_private_key *ret_key,
                                                                struct stk_error *error)
{
    volatile uint8_t space[DEPTH];
    enum stirkeep_status status = STIRKEEP_OK;

    space[0] = 1;
    status = stk_private_key_read(data, "leaf.key", phrase, ret_key, error);
    space[DEPTH - 1] = space[0];
    return status;
}

static void leaves_no_trace(enum form form)
{
    static uint8_t masked[8192];
    size_t length = masked_file(form, masked, sizeof(masked));
    struct stk_secret data = unmask(masked, length);
    struct stk_secret phrase = pki_secret(passphrase, strlen(passphrase));
    struct stk_private_key key = {0};
    struct stk_error error = {0};
    size_t middle = length / 2 - SCALAR / 2;

    if (read_deep(&data, &phrase, &key, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    /* As long as it is held it is found: the search can see. */
    assert_true(count_traces(masked_scalar, SCALAR) > 0);
    stk_private_key_free(&key);
    stk_secret_free(&data);
    stk_secret_free(&phrase);
    assert_int_equal(count_traces(masked_scalar, SCALAR), 0);
    if (form == PKCS8_PEM || form == SEC1_PEM)
        assert_int_equal(count_traces(masked + middle, SCALAR), 0);
}

static void plain_keys_leave_no_trace(void **state)
{
    (void)state;
    leaves_no_trace(PKCS8_PEM);
    leaves_no_trace(SEC1_PEM);
    leaves_no_trace(SEC1_DER);
}

static void encrypted_keys_leave_no_trace(void **state)
{
    (void)state;
    leaves_no_trace(SEALED_PKCS8_PEM);
    leaves_no_trace(SEALED_SEC1_PEM);
    leaves_no_trace(PKCS12_FILE);
}

static void a_refused_key_leaves_no_trace(void **state)
{
    static uint8_t masked[8192];
    size_t length = masked_file(SEC1_DER, masked, sizeof(masked));
    struct stk_private_key key = {0};
    struct stk_secret data = {0};
    (void)state;

    masked[length - 1] ^= 1; /* the public key behind it is another one */
    data = unmask(masked, length);
    assert_int_equal(read_deep(&data, NULL, &key, NULL), STIRKEEP_KEY_UNREADABLE);
    stk_secret_free(&data);
    assert_int_equal(count_traces(masked_scalar, SCALAR), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_keys_leave_no_trace),
        cmocka_unit_test(encrypted_keys_leave_no_trace),
        cmocka_unit_test(a_refused_key_leaves_no_trace),
    };

    return cmocka_run_group_tests_name("traces", tests, NULL, NULL);
}
