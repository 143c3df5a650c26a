/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_record.h"
#include "base/file.h"
#include "fuzz.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A file of the spool's done/: its name on the first line, then what is in it, the journal of a
 * removal that was cut off. What was read, saved and read again says the same.
 */
#define FILE_NAME ".N.removing"
#define AGAIN_NAME ".M.removing"

static char directory[] = "/dev/shm/stirkeep-fuzz-XXXXXX";
static char elsewhere[] = "/tmp/stirkeep-fuzz-XXXXXX";
static const char *made;
static int done = -1;

static void leave(void)
{
    (void)unlinkat(done, FILE_NAME, 0);
    (void)unlinkat(done, AGAIN_NAME, 0);
    (void)rmdir(made);
}

/* In memory where there is such a place: what is saved is synced. */
static void enter(void)
{
    if (done >= 0)
        return;
    made = mkdtemp(directory);
    if (made == NULL)
        made = mkdtemp(elsewhere);
    FUZZ_CHECK(made != NULL);
    done = open(made, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(done >= 0 && atexit(leave) == 0);
}

static void put_file(struct stk_bytes content)
{
    int fd = openat(done, FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0 && stk_file_write_all(fd, content.data, content.length));
    (void)close(fd);
}

static void check_act(const struct stk_spool_record *record)
{
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = stk_spool_record_act(record, detail);

    FUZZ_CHECK(act.name != NULL && act.detail == detail);
    FUZZ_CHECK(memchr(detail, '\0', sizeof(detail)) != NULL);
}

static void check_saved(const struct stk_spool_record *record)
{
    struct stk_spool_record again = {0};

    FUZZ_CHECK(stk_spool_record_save(done, "M", record));
    FUZZ_CHECK(stk_spool_record_load(done, "M", &again));
    FUZZ_CHECK(json_equal(record->evidence, again.evidence));
    FUZZ_CHECK(strcmp(record->file, again.file) == 0 && record->ino == again.ino);
    FUZZ_CHECK(record->born_ns == again.born_ns && record->key == again.key);
    FUZZ_CHECK(record->recorded == again.recorded);
    stk_spool_record_free(&again);
}

static void check_name(const char *file)
{
    struct stk_name name = {""};

    if (stk_spool_record_name(file, &name)) {
        FUZZ_CHECK(strlen(name.text) + strlen("..removing") == strlen(file));
        FUZZ_CHECK(strchr(name.text, '/') == NULL && name.text[0] != '.');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes rest = {data, size};
    struct stk_spool_record record = {0};
    char *file = fuzz_text(fuzz_line(&rest));

    enter();
    check_name(file);
    put_file(rest);
    if (stk_spool_record_load(done, "N", &record)) {
        FUZZ_CHECK(strchr(record.file, '/') == NULL && record.key < STK_SPOOL_FILE_COUNT);
        check_act(&record);
        check_saved(&record);
    }
    stk_spool_record_free(&record);
    free(file);
    return 0;
}
