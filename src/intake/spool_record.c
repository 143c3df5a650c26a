/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_record.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECORD_MAX (64 * 1024)
#define RECORD_START "."
#define RECORD_END ".removing"
#define EVIDENCE_MODE 0644 /* nothing secret: what others may see, the directory says */

/* ---- what the evidence says */

/* Names in certificates may be anything. */
static json_t *text_of(const char *text)
{
    json_t *value = json_string(text);
    char *copy = value == NULL ? strdup(text) : NULL;

    if (copy == NULL)
        return value;
    for (unsigned char *at = (unsigned char *)copy; *at != '\0'; at++)
        if (*at >= 0x80)
            *at = '?';
    value = json_string(copy);
    free(copy);
    return value;
}

static json_t *seconds_of(int64_t seconds)
{
    char text[STK_SECONDS_TEXT] = "";

    if (seconds == 0)
        return json_null();
    stk_seconds_text(seconds, text);
    return json_string(text);
}

static json_t *warnings_of(const struct stk_spool_facts *facts)
{
    json_t *warnings = json_array();

    for (size_t i = 0; i < facts->warning_count; i++)
        (void)json_array_append_new(warnings, text_of(facts->warnings[i]));
    return warnings;
}

static json_t *evidence_of(const struct stk_spool_facts *facts)
{
    const struct stk_generation *about = facts->about;
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";

    stk_hex_encode(about->key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    return json_pack(
        "{s:s, s:I, s:s, s:o, s:b, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:o, s:o, s:{s:I, s:I}, s:o, s:b}",
        "name", about->name, "generation", (json_int_t)about->generation, "state", about->state,
        "activate_at", seconds_of(about->activate_at), "already_held", facts->already_held,
        "origin", text_of(about->origin), "key_id", key_id, "fingerprint",
        text_of(about->fingerprint), "serial", text_of(about->serial), "spc", text_of(about->spc),
        "numbers", text_of(about->numbers), "subject", text_of(about->subject), "issuer",
        text_of(about->issuer), "x5u", text_of(about->x5u), "not_before",
        seconds_of(about->not_before), "not_after", seconds_of(about->not_after), "token",
        text_of(facts->token_label), "token_serial", text_of(facts->token_serial), "attributes",
        text_of(about->attributes), "warnings", warnings_of(facts), "source",
        text_of(facts->source), "owner", "uid", (json_int_t)facts->owner.uid, "gid",
        (json_int_t)facts->owner.gid, "imported", seconds_of(facts->now), "source_removed", 0);
}

/* NAME-20261126T025917Z-g1.json; a second one within a second is another. */
static void choose_file(int done, const struct stk_spool_facts *facts,
                        struct stk_spool_record *record)
{
    char when[32] = "";
    time_t now = facts->now;
    struct tm parts = {0};

    (void)gmtime_r(&now, &parts);
    (void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &parts);
    for (unsigned turn = 1; turn < 1000; turn++) {
        char more[16] = "";

        if (turn > 1)
            (void)snprintf(more, sizeof(more), "-%u", turn);
        (void)snprintf(record->file, sizeof(record->file), "%s-%s-g%" PRIu32 "%s.json",
                       facts->about->name, when, facts->about->generation, more);
        if (faccessat(done, record->file, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            return;
    }
}

static enum stk_spool_file key_in(const struct stk_spool_dir *dir)
{
    static const enum stk_spool_file keys[] = {STK_SPOOL_KEY, STK_SPOOL_SEALED, STK_SPOOL_BUNDLE};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (dir->has[keys[i]])
            return keys[i];
    return STK_SPOOL_PKCS12;
}

/* Two evidences of one generation. */
static bool is_same(const json_t *one, const json_t *other)
{
    return one != NULL &&
           json_equal(json_object_get(one, "generation"), json_object_get(other, "generation")) &&
           json_equal(json_object_get(one, "fingerprint"), json_object_get(other, "fingerprint"));
}

bool stk_spool_record_make(int done, const struct stk_spool_dir *dir,
                           const struct stk_spool_facts *facts,
                           const struct stk_spool_record *before,
                           struct stk_spool_record *ret_record)
{
    struct stk_spool_record record = {.evidence = evidence_of(facts),
                                      .ino = dir->about.st_ino,
                                      .born_ns = dir->born_ns,
                                      .key = key_in(dir)};

    if (record.evidence == NULL)
        return false;
    if (is_same(before->evidence, record.evidence)) {
        (void)snprintf(record.file, sizeof(record.file), "%s", before->file);
        (void)json_object_set(record.evidence, "imported",
                              json_object_get(before->evidence, "imported"));
        (void)json_object_set(record.evidence, "already_held",
                              json_object_get(before->evidence, "already_held"));
    } else {
        choose_file(done, facts, &record);
    }
    *ret_record = record;
    return true;
}

void stk_spool_record_free(struct stk_spool_record *record)
{
    json_decref(record->evidence);
    *record = (struct stk_spool_record){0};
}

bool stk_spool_record_is_of(const struct stk_spool_record *record, const struct stk_spool_dir *dir)
{
    return record->ino == dir->about.st_ino && record->born_ns == dir->born_ns;
}

const char *stk_spool_record_how(const struct stk_spool_record *record)
{
    return json_string_value(json_object_get(record->evidence, "how"));
}

void stk_spool_record_set_how(struct stk_spool_record *record, const char *member, const char *how,
                              int64_t now)
{
    (void)json_object_set_new(record->evidence, member, text_of(how));
    (void)json_object_set_new(record->evidence, "source_removed", json_true());
    (void)json_object_set_new(record->evidence, "removed", seconds_of(now));
}

struct stk_act stk_spool_record_act(const struct stk_spool_record *record,
                                    char detail[STK_ACT_DETAIL_MAX])
{
    const json_t *evidence = record->evidence;
    const json_t *owner = json_object_get(evidence, "owner");
    const char *source = json_string_value(json_object_get(evidence, "source"));
    const char *key_id = json_string_value(json_object_get(evidence, "key_id"));
    const char *how = stk_spool_record_how(record);
    struct stk_act act = {
        .act = "source-removed",
        .outcome = "ok",
        .name = json_string_value(json_object_get(evidence, "name")),
        .generation = (uint32_t)json_integer_value(json_object_get(evidence, "generation")),
        .detail = detail,
        .peer = {.uid = (uid_t)json_integer_value(json_object_get(owner, "uid")),
                 .gid = (gid_t)json_integer_value(json_object_get(owner, "gid"))}};

    if (act.name == NULL)
        act.name = "";
    if (key_id != NULL)
        (void)stk_hex_decode(key_id, act.key_id.bytes, STK_KEY_ID_LENGTH);
    (void)snprintf(detail, STK_ACT_DETAIL_MAX, "%s (owner: uid %u, gid %u): %s",
                   source != NULL ? source : "", (unsigned)act.peer.uid, (unsigned)act.peer.gid,
                   how != NULL ? how : "");
    return act;
}

/* ---- on disk */

static void record_file(const char *name, char ret_file[NAME_MAX + 1])
{
    (void)snprintf(ret_file, NAME_MAX + 1, RECORD_START "%s" RECORD_END, name);
}

bool stk_spool_record_name(const char *file, struct stk_name *ret_name)
{
    size_t length = strlen(file);
    size_t around = strlen(RECORD_START) + strlen(RECORD_END);
    char name[NAME_MAX + 1] = "";

    if (length <= around || length > NAME_MAX ||
        strncmp(file, RECORD_START, strlen(RECORD_START)) != 0 ||
        strcmp(file + length - strlen(RECORD_END), RECORD_END) != 0)
        return false;
    memcpy(name, file + strlen(RECORD_START), length - around);
    return stk_name_parse(name, ret_name, NULL) == STIRKEEP_OK;
}

/* Takes the value over; false with errno. */
static bool write_json(int done, const char *file, json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_INDENT(2));
    size_t length = text == NULL ? 0 : strlen(text);
    bool written = false;

    json_decref(value);
    if (text == NULL) {
        errno = ENOMEM;
        return false;
    }
    text[length] = '\n'; /* for those who look at it with cat; its end is not needed any more */
    written = stk_spool_write(done, file, EVIDENCE_MODE, text, length + 1);
    free(text);
    return written;
}

bool stk_spool_record_save(int done, const char *name, const struct stk_spool_record *record)
{
    char file[NAME_MAX + 1] = "";

    record_file(name, file);
    return write_json(done, file,
                      json_pack("{s:O, s:s, s:I, s:I, s:s, s:b}", "evidence", record->evidence,
                                "file", record->file, "ino", (json_int_t)record->ino, "born_ns",
                                (json_int_t)record->born_ns, "key", stk_spool_files[record->key],
                                "recorded", (int)record->recorded));
}

bool stk_spool_record_publish(int done, const struct stk_spool_record *record)
{
    return write_json(done, record->file, json_incref(record->evidence));
}

static bool take_record(json_t *root, struct stk_spool_record *record)
{
    const char *file = NULL;
    const char *key = NULL;
    json_int_t ino = 0;
    json_int_t born_ns = 0;
    int recorded = 0;

    if (json_unpack(root, "{s:O, s:s, s:I, s:I, s:s, s:b}", "evidence", &record->evidence, "file",
                    &file, "ino", &ino, "born_ns", &born_ns, "key", &key, "recorded",
                    &recorded) != 0 ||
        !json_is_object(record->evidence) || strchr(file, '/') != NULL ||
        strlen(file) >= sizeof(record->file))
        return false;
    (void)snprintf(record->file, sizeof(record->file), "%s", file);
    record->ino = (uint64_t)ino;
    record->born_ns = born_ns;
    record->recorded = recorded != 0;
    while (record->key < STK_SPOOL_FILE_COUNT && strcmp(stk_spool_files[record->key], key) != 0)
        record->key++;
    return record->key < STK_SPOOL_FILE_COUNT;
}

bool stk_spool_record_load(int done, const char *name, struct stk_spool_record *ret_record)
{
    struct stk_spool_record record = {0};
    struct stk_buffer text = {0};
    struct stat about = {0};
    char file[NAME_MAX + 1] = "";
    json_t *root = NULL;
    bool taken = false;
    int fd = -1;

    record_file(name, file);
    fd = openat(done, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return false;
    if (fstat(fd, &about) == 0 && about.st_uid == geteuid() &&
        stk_file_read_fd(fd, file, RECORD_MAX, &text, NULL) == STIRKEEP_OK)
        root = json_loadb((const char *)text.data, text.length, 0, NULL);
    (void)close(fd);
    stk_buffer_free(&text);
    taken = root != NULL && take_record(root, &record);
    json_decref(root);
    if (taken) {
        *ret_record = record;
        return true;
    }
    stk_spool_record_free(&record);
    errno = EBADMSG;
    return false;
}

bool stk_spool_record_exists(int done, const char *name)
{
    char file[NAME_MAX + 1] = "";

    record_file(name, file);
    return faccessat(done, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void stk_spool_record_drop(int done, const char *name)
{
    char file[NAME_MAX + 1] = "";

    record_file(name, file);
    if (unlinkat(done, file, 0) == 0)
        (void)fsync(done);
}
