/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/reading.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include "config/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define DIGEST_TEXT (2 * STK_DIGEST_LENGTH + 1)

/* Sealed: no room can change what another one, or its own successor, will read. */
static enum stirkeep_status seal(const char *name, const struct stk_buffer *data, int *ret_fd,
                                 struct stk_error *error)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && stk_file_write_all(fd, data->data, data->length) &&
        fcntl(fd, F_ADD_SEALS, SEALS) == 0) {
        *ret_fd = fd;
        return STIRKEEP_OK;
    }
    (void)stk_error_set(error, STIRKEEP_IO, "%s for the rooms: %s", name, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return STIRKEEP_IO;
}

static void describe(const struct stk_buffer *text, const uint8_t rules[STK_DIGEST_LENGTH],
                     struct stk_reading *reading)
{
    static const uint8_t none[STK_DIGEST_LENGTH];
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    char configuration[DIGEST_TEXT] = "";
    char attestation[DIGEST_TEXT] = "-";

    stk_sha256(text->data, text->length, digest);
    stk_hex_encode(digest, sizeof(digest), configuration);
    if (memcmp(rules, none, sizeof(none)) != 0)
        stk_hex_encode(rules, STK_DIGEST_LENGTH, attestation);
    (void)snprintf(reading->text, sizeof(reading->text), STK_POLICY_TEXT, configuration,
                   attestation, reading->grant_count, reading->rule_count);
}

static enum stirkeep_status compile(const struct stk_buffer *text, struct stk_reading *reading,
                                    struct stk_error *error)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct stk_buffer image = {0};
    enum stirkeep_status status =
        stk_config_attest_image(reading->config, &image, digest, &reading->rule_count, error);

    if (status == STIRKEEP_OK && image.length > 0)
        status = seal("attestation rules", &image, &reading->rules_fd, error);
    if (status == STIRKEEP_OK) {
        reading->grant_count = stk_policy_grant_count(reading->config->policy);
        describe(text, digest, reading);
    }
    stk_buffer_free(&image);
    return status;
}

/* A file that is just being written is half of one, and might pass for a whole. */
static bool is_unchanged(const char *path, const struct stat *before, size_t length)
{
    struct stat after = {0};

    return stat(path, &after) == 0 && after.st_dev == before->st_dev &&
           after.st_ino == before->st_ino && after.st_size == before->st_size &&
           (size_t)after.st_size == length && after.st_mtim.tv_sec == before->st_mtim.tv_sec &&
           after.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

static enum stirkeep_status take_text(const char *path, const struct stk_buffer *text,
                                      const struct stk_config *now, struct stk_reading *reading,
                                      struct stk_error *error)
{
    struct stk_buffer resolved = {0};
    enum stirkeep_status status = stk_config_resolve((const char *)text->data, text->length, path,
                                                     &reading->config, &resolved, error);

    if (status == STIRKEEP_OK && now != NULL) {
        status = stk_config_replaces(now, reading->config, error);
        if (status != STIRKEEP_OK)
            (void)stk_error_prefix(error, path);
    }
    if (status == STIRKEEP_OK)
        status = seal("configuration", &resolved, &reading->config_fd, error);
    if (status == STIRKEEP_OK)
        status = compile(text, reading, error);
    stk_buffer_free(&resolved);
    return status;
}

enum stirkeep_status stk_reading_take(const char *path, const struct stk_config *now,
                                      struct stk_reading *ret_reading, struct stk_error *error)
{
    struct stk_reading reading = {.config_fd = -1, .rules_fd = -1};
    struct stk_buffer text = {0};
    struct stat before = {0};
    bool is_there = stat(path, &before) == 0;
    enum stirkeep_status status = stk_config_read(path, &text, error);

    if (status == STIRKEEP_OK) {
        status = take_text(path, &text, now, &reading, error);
        if (is_there && !is_unchanged(path, &before, text.length))
            status = stk_error_set(error, STIRKEEP_CONFIG, "%s: changed while it was read", path);
    }
    stk_buffer_free(&text);
    if (status != STIRKEEP_OK) {
        stk_reading_free(&reading);
        return status;
    }
    *ret_reading = reading;
    return STIRKEEP_OK;
}

void stk_reading_free(struct stk_reading *reading)
{
    stk_config_free(reading->config);
    if (reading->config_fd >= 0)
        (void)close(reading->config_fd);
    if (reading->rules_fd >= 0)
        (void)close(reading->rules_fd);
    *reading = (struct stk_reading){.config_fd = -1, .rules_fd = -1};
}
