/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/verify.h"
#include "base/file.h"
#include <dirent.h>
#include <fcntl.h>
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

enum stirkeep_status verify_path(const char *path, uint64_t *ret_records, struct stk_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum stirkeep_status status = STIRKEEP_OK;

    assert_true(fd >= 0);
    status = stk_trail_verify(fd, "trail", ret_records, error);
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
