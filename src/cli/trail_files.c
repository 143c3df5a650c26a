/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/trail_files.h"

#include "base/file.h"
#include "cert/pem.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE_MAX ((size_t)64 * 1024)

/* All PUBLIC KEY blocks of a file. */
static enum stirkeep_status read_blocks(struct stk_audit_keys *keys, struct stk_bytes text,
                                        const char *path, struct stk_error *error)
{
    struct stk_pem_reader reader = {.rest = text};
    struct stk_pem_block block = {0};
    uint8_t der[KEY_FILE_MAX];
    size_t length = 0;
    size_t before = keys->count;
    enum stirkeep_status status = STIRKEEP_OK;

    while ((status = stk_pem_next(&reader, &block, error)) == STIRKEEP_OK &&
           block.label.length > 0) {
        if (!stk_pem_labelled(&block, "PUBLIC KEY"))
            continue;
        if (keys->count == STK_AUDIT_KEYS_MAX)
            return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: too many keys", path);
        if (stk_pem_body_room(&block) > sizeof(der) || !stk_pem_decode(&block, der, &length) ||
            length != STK_SPKI_LENGTH)
            return stk_error_set(error, STIRKEEP_KEY_TYPE, "%s: line %zu: not a P-256 public key",
                                 path, block.line);
        memcpy(keys->spki[keys->count++], der, STK_SPKI_LENGTH);
    }
    if (status != STIRKEEP_OK)
        return stk_error_prefix(error, path);
    if (keys->count == before)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "%s: no PUBLIC KEY in PEM", path);
    return status;
}

enum stirkeep_status stk_audit_keys_read(const struct stk_texts *paths,
                                         struct stk_audit_keys *ret_keys, struct stk_error *error)
{
    struct stk_audit_keys keys = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < paths->count && status == STIRKEEP_OK; i++) {
        struct stk_buffer data = {0};

        status = stk_file_read(paths->items[i], KEY_FILE_MAX, &data, error);
        if (status == STIRKEEP_OK)
            status = read_blocks(&keys, (struct stk_bytes){data.data, data.length}, paths->items[i],
                                 error);
        stk_buffer_free(&data);
    }
    if (status == STIRKEEP_OK)
        *ret_keys = keys;
    return status;
}

static enum stirkeep_status open_file(const char *path, int *ret_fd, struct stk_error *error)
{
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return *ret_fd >= 0 ? STIRKEEP_OK
                        : stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
}

enum stirkeep_status stk_audit_witness_read(const char *path, struct stk_seal **ret_seals,
                                            size_t *ret_count, size_t *ret_passed_over,
                                            struct stk_error *error)
{
    int fd = -1;
    enum stirkeep_status status = STIRKEEP_OK;

    if (path == NULL) {
        *ret_seals = NULL;
        *ret_count = 0;
        *ret_passed_over = 0;
        return STIRKEEP_OK;
    }
    status = open_file(path, &fd, error);
    if (status != STIRKEEP_OK)
        return status;
    status = stk_witness_read(fd, path, ret_seals, ret_count, ret_passed_over, error);
    (void)close(fd);
    if (status == STIRKEEP_OK && *ret_count == 0)
        status = stk_error_set(error, STIRKEEP_INVALID, "%s: it holds no seal", path);
    return status;
}

enum stirkeep_status stk_trail_files_pass(const struct stk_cli *cli,
                                          const struct stk_verifier_options *options,
                                          struct stk_verdict *ret_verdict, struct stk_error *error)
{
    struct stk_verifier *verifier = NULL;
    enum stirkeep_status status = stk_verifier_new(options, &verifier, error);

    for (int i = 0; i < cli->positional_count && status == STIRKEEP_OK; i++) {
        int fd = -1;

        status = open_file(cli->positionals[i], &fd, error);
        if (status != STIRKEEP_OK)
            break;
        status = stk_verifier_file(verifier, fd, cli->positionals[i], error);
        (void)close(fd);
    }
    if (status == STIRKEEP_OK)
        status = stk_verifier_end(verifier, ret_verdict, error);
    stk_verifier_free(verifier);
    return status;
}
