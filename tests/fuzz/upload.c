/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "fuzz.h"
#include "intake/spool_dir.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The directory of an upload, as intake reads it: files one after the other, each a letter ('a' is
 * the first of stk_spool_files), its content, and a line "8<" between two. What is taken belongs
 * together, and nothing was written to.
 */
#define CUT "\n8<\n"

static char root[] = "/dev/shm/stirkeep-fuzz-XXXXXX";
static char elsewhere[] = "/tmp/stirkeep-fuzz-XXXXXX";
static const char *made;
static int incoming = -1;

static void empty(int fd)
{
    for (unsigned i = 0; i < STK_SPOOL_FILE_COUNT; i++)
        (void)unlinkat(fd, stk_spool_files[i], 0);
}

static void leave(void)
{
    int fd = openat(incoming, "N", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    empty(fd);
    (void)close(fd);
    (void)unlinkat(incoming, "N", AT_REMOVEDIR);
    (void)rmdir(made);
}

static void enter(void)
{
    if (incoming >= 0)
        return;
    made = mkdtemp(root);
    if (made == NULL)
        made = mkdtemp(elsewhere);
    FUZZ_CHECK(made != NULL);
    incoming = open(made, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(incoming >= 0 && mkdirat(incoming, "N", 0700) == 0 && atexit(leave) == 0);
}

static void put_file(int directory, struct stk_bytes file)
{
    unsigned which = fuzz_byte(&file) - 'a';
    int fd = -1;

    if (which >= STK_SPOOL_FILE_COUNT)
        return;
    fd = openat(directory, stk_spool_files[which], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && stk_file_write_all(fd, file.data, file.length));
    (void)close(fd);
}

static void put_all(struct stk_bytes rest)
{
    int fd = openat(incoming, "N", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    FUZZ_CHECK(fd >= 0);
    empty(fd);
    while (rest.length > 0) {
        const uint8_t *cut = memmem(rest.data, rest.length, CUT, strlen(CUT));
        size_t length = cut != NULL ? (size_t)(cut - rest.data) : rest.length;

        put_file(fd, (struct stk_bytes){rest.data, length});
        length += cut != NULL ? strlen(CUT) : 0;
        rest = (struct stk_bytes){rest.data + length, rest.length - length};
    }
    (void)close(fd);
}

static void read_upload(const struct stk_spool_dir *dir)
{
    struct stk_material_paths paths = {0};
    struct stk_material material = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_spool_dir_paths(dir, &paths, &error);

    if (status == STIRKEEP_OK) {
        paths.directory = &dir->fd;
        status = stk_material_read(&paths, &material, &error);
    }
    if (status == STIRKEEP_OK) {
        FUZZ_CHECK(material.chain != NULL && material.leaf.p256);
        FUZZ_CHECK(material.key.pkcs8.length > 0 || material.sealed.sealed.length > 0 ||
                   material.remains);
        if (material.key.pkcs8.length > 0)
            FUZZ_CHECK(memcmp(material.key.spki, material.leaf.spki, sizeof(material.key.spki)) ==
                       0);
        (void)stk_material_remains_of(&material);
    } else {
        fuzz_refusal(status, &error);
        FUZZ_CHECK(material.key.pkcs8.data == NULL);
    }
    stk_material_free(&material);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_spool_dir dir = {.fd = -1};
    struct stk_spool_dir again = {.fd = -1};

    enter();
    put_all((struct stk_bytes){data, size});
    FUZZ_CHECK(stk_spool_dir_open(incoming, "N", &dir));
    read_upload(&dir);
    FUZZ_CHECK(stk_spool_dir_open(incoming, "N", &again));
    FUZZ_CHECK(memcmp(dir.state, again.state, sizeof(dir.state)) == 0);
    stk_spool_dir_close(&again);
    stk_spool_dir_close(&dir);
    return 0;
}
