/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "base/digest.h"
#include "base/file.h"
#include <dirent.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int scratch_set_up(void **state)
{
    struct scratch *scratch = calloc(1, sizeof(*scratch));

    if (scratch == NULL)
        return -1;
    (void)snprintf(scratch->directory, sizeof(scratch->directory), "/tmp/stk-audit-XXXXXX");
    if (mkdtemp(scratch->directory) == NULL)
        return -1;
    (void)snprintf(scratch->path, sizeof(scratch->path), "%s/audit.jsonl", scratch->directory);
    *state = scratch;
    return 0;
}

int scratch_tear_down(void **state)
{
    struct scratch *scratch = *state;
    DIR *directory = opendir(scratch->directory);
    const struct dirent *entry = NULL;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory != NULL)
        (void)closedir(directory);
    (void)rmdir(scratch->directory);
    free(scratch);
    return 0;
}

struct stk_record sign_record(uint64_t request_id)
{
    static const struct stk_key_id key_id = {{0xab, 0xcd, 0xef}};
    static const struct stk_peer peer = {.uid = 1000, .gid = 1001, .pid = 4321};
    static const uint8_t digest[STK_DIGEST_LENGTH] = {0x5a};
    static const char *const dest[] = {"12155550131"};

    return (struct stk_record){.act = "sign",
                               .outcome = "ok",
                               .name = "Alpha",
                               .generation = 2,
                               .key_id = &key_id,
                               .ppt = "shaken",
                               .orig = "12155550121",
                               .dest = dest,
                               .dest_count = 1,
                               .attest = "A",
                               .origid = "123e4567-e89b-12d3-a456-426655440000",
                               .iat = 1443208345,
                               .peer = &peer,
                               .grant = "kamailio",
                               .request_id = request_id,
                               .signature_digest = digest};
}

struct stk_trail *open_trail(const struct scratch *scratch, enum stk_trail_sync sync)
{
    struct stk_trail *trail = NULL;
    struct stk_error error = {0};

    if (stk_trail_open(scratch->path, sync, NOW_US, &trail, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return trail;
}

void append_some(struct stk_trail *trail, uint64_t first, size_t count)
{
    struct stk_error error = {0};

    for (size_t i = 0; i < count; i++) {
        struct stk_record record = sign_record(first + i);
        if (stk_trail_append(trail, &record, 1, NOW_US, &error) != STIRKEEP_OK)
            fail_msg("%s", error.message);
    }
}

struct stk_buffer read_whole(const char *path)
{
    struct stk_buffer data = {0};
    struct stk_error error = {0};

    if (stk_file_read(path, (size_t)1 << 30, &data, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return data;
}

void write_whole(const char *path, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_true(stk_file_write_all(fd, data, length));
    (void)close(fd);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

void find_files(const struct scratch *scratch, struct files *ret_files)
{
    DIR *directory = opendir(scratch->directory);
    const struct dirent *entry = NULL;

    assert_non_null(directory);
    ret_files->count = 0;
    while ((entry = readdir(directory)) != NULL) {
        const char *number = strstr(entry->d_name, "audit.jsonl.");

        if (number == NULL || strspn(number + 12, "0123456789") != 12)
            continue;
        assert_true(ret_files->count < FILES_MAX - 1);
        (void)snprintf(ret_files->paths[ret_files->count++], PATH_MAX, "%s/%s", scratch->directory,
                       entry->d_name);
    }
    (void)closedir(directory);
    qsort(ret_files->paths, ret_files->count, sizeof(ret_files->paths[0]), by_name);
    if (access(scratch->path, F_OK) == 0)
        (void)snprintf(ret_files->paths[ret_files->count++], PATH_MAX, "%s", scratch->path);
}

enum stirkeep_status verify_files(const struct files *files,
                                  const struct stk_verifier_options *options,
                                  struct stk_verdict *ret_verdict, struct stk_error *error)
{
    static const struct stk_verifier_options none;
    struct stk_verifier *verifier = NULL;
    enum stirkeep_status status =
        stk_verifier_new(options != NULL ? options : &none, &verifier, error);

    for (size_t i = 0; i < files->count && status == STIRKEEP_OK; i++) {
        int fd = open(files->paths[i], O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        status = stk_verifier_file(verifier, fd, strrchr(files->paths[i], '/') + 1, error);
        (void)close(fd);
    }
    if (status == STIRKEEP_OK)
        status = stk_verifier_end(verifier, ret_verdict, error);
    stk_verifier_free(verifier);
    return status;
}

struct stk_verdict verdict_of(const struct scratch *scratch,
                              const struct stk_verifier_options *options)
{
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    struct files *files = calloc(1, sizeof(*files));

    assert_non_null(files);
    find_files(scratch, files);
    if (verify_files(files, options, &verdict, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    free(files);
    return verdict;
}

enum stirkeep_status verify_path(const char *path, uint64_t *ret_records, struct stk_error *error)
{
    static const struct stk_verifier_options none;
    struct stk_verifier *verifier = NULL;
    struct stk_verdict verdict = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(stk_verifier_new(&none, &verifier, error), STIRKEEP_OK);
    status = stk_verifier_file(verifier, fd, "trail", error);
    if (status == STIRKEEP_OK)
        status = stk_verifier_end(verifier, &verdict, error);
    if (status == STIRKEEP_OK)
        *ret_records = verdict.records;
    stk_verifier_free(verifier);
    (void)close(fd);
    return status;
}

uint64_t records_in(const char *path)
{
    uint64_t records = 0;
    struct stk_error error = {0};

    if (verify_path(path, &records, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return records;
}

struct audit_key audit_key_make(void)
{
    struct audit_key key = {.pkey = EVP_EC_gen("P-256")};
    uint8_t *at = key.spki[0];

    assert_non_null(key.pkey);
    assert_int_equal(i2d_PUBKEY(key.pkey, NULL), STK_SPKI_LENGTH);
    assert_int_equal(i2d_PUBKEY(key.pkey, &at), STK_SPKI_LENGTH);
    stk_sha256(key.spki[0], STK_SPKI_LENGTH, key.key_id.bytes);
    return key;
}

void audit_key_free(struct audit_key *key)
{
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}

void sign_seal(const struct audit_key *key, struct stk_seal *seal)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);
    uint8_t digest[STK_DIGEST_LENGTH];
    uint8_t der[80];
    const uint8_t *at = der;
    size_t length = sizeof(der);
    ECDSA_SIG *pair = NULL;

    stk_clock_text(NOW_US, seal->time);
    seal->key_id = key->key_id;
    stk_seal_digest(seal, digest);
    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_sign(context, der, &length, digest, sizeof(digest)), 1);
    pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    assert_non_null(pair);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), seal->signature, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), seal->signature + 32, 32), 32);
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX_free(context);
}

struct stk_seal seal_trail(struct stk_trail *trail, const struct audit_key *key,
                           struct stk_buffer *witness)
{
    struct stk_buffer line = {0};
    struct stk_seal seal = {0};
    struct stk_error error = {0};

    assert_true(stk_trail_seal_begin(trail, &seal));
    sign_seal(key, &seal);
    if (stk_trail_seal_end(trail, &seal, NOW_US, &line, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    if (witness != NULL) {
        assert_int_equal(stk_buffer_add(witness, line.data, line.length), STIRKEEP_OK);
        assert_int_equal(stk_buffer_add(witness, "\n", 1), STIRKEEP_OK);
    }
    stk_buffer_free(&line);
    return seal;
}

bool find_aside(const struct scratch *scratch, const char *kind, char ret_path[PATH_MAX])
{
    DIR *directory = opendir(scratch->directory);
    const struct dirent *entry = NULL;
    char pattern[32] = "";
    bool found = false;

    assert_non_null(directory);
    (void)snprintf(pattern, sizeof(pattern), ".%s-", kind);
    while (!found && (entry = readdir(directory)) != NULL) {
        found = strstr(entry->d_name, pattern) != NULL;
        if (found)
            (void)snprintf(ret_path, PATH_MAX, "%s/%s", scratch->directory, entry->d_name);
    }
    (void)closedir(directory);
    return found;
}
