/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "room/spool.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/*
 * In this order: the record is on disk before this begins; the key's file is overwritten and
 * unlinked; the act is in the catalog; the evidence is on disk; the directory goes; the record goes.
 * Wherever it is cut off, the record says that it began, and the same can be done again.
 */

static const char sealed_how[] =
    "unlinked; it was sealed elsewhere, and only the token can open it";
static const char cut_off_how[] =
    "overwritten, synced and unlinked by a run of the service that was cut off, unless its owner "
    "took it away";

static enum stirkeep_status failed(struct stk_error *error, const char *what)
{
    return stk_error_set(error, STIRKEEP_STORAGE, "%s: %s", what, strerror(errno));
}

enum stk_spool_rest stk_spool_rest_of(const struct stk_spool_record *record,
                                      const struct stk_spool_dir *dir)
{
    const char *name = stk_spool_files[record->key];
    struct stk_source *source = NULL;
    struct stk_secret data = {0};
    enum stk_spool_rest rest = STK_SPOOL_WHOLE;

    if (!dir->has[record->key])
        return STK_SPOOL_GONE;
    if (stk_source_open_at(dir->fd, name, name, false, &source, &data, NULL) == STIRKEEP_OK &&
        stk_source_is_remains(&data))
        rest = STK_SPOOL_REMAINS;
    stk_source_free(source);
    stk_secret_free(&data);
    return rest;
}

/* A file as it is now. */
static enum stirkeep_status remove_now(const struct stk_spool_dir *dir, enum stk_spool_file file,
                                       char how[STK_SOURCE_HOW], struct stk_error *error)
{
    const char *name = stk_spool_files[file];
    struct stk_source *source = NULL;
    struct stk_secret data = {0};
    enum stirkeep_status status =
        stk_source_open_at(dir->fd, name, name, false, &source, &data, error);

    stk_secret_free(&data);
    if (status == STIRKEEP_OK)
        status = stk_source_remove(source, how, error);
    stk_source_free(source);
    return status;
}

/* The file with the key, unless that was done before. */
static enum stirkeep_status remove_key(const struct stk_spool_dir *dir,
                                       struct stk_spool_record *record, struct stk_source *source,
                                       struct stk_error *error)
{
    char how[STK_SOURCE_HOW] = "";
    enum stirkeep_status status = STIRKEEP_OK;

    if (source != NULL)
        status = stk_source_remove(source, how, error);
    else if (record->key == STK_SPOOL_SEALED)
        (void)strcpy(how, sealed_how);
    else if (dir != NULL && stk_spool_rest_of(record, dir) == STK_SPOOL_REMAINS)
        status = remove_now(dir, record->key, how, error);
    else if (stk_spool_record_how(record) == NULL)
        (void)strcpy(how, cut_off_how);
    if (status == STIRKEEP_OK && how[0] != '\0')
        stk_spool_record_set_how(record, "how", how, stk_clock_seconds());
    return status;
}

static enum stirkeep_status remove_passphrase(const struct stk_spool_dir *dir,
                                              struct stk_spool_record *record,
                                              struct stk_source *passphrase,
                                              struct stk_error *error)
{
    char how[STK_SOURCE_HOW] = "";
    enum stirkeep_status status = STIRKEEP_OK;

    if (passphrase != NULL)
        status = stk_source_remove(passphrase, how, error);
    else if (dir != NULL && dir->has[STK_SPOOL_PASSPHRASE])
        status = remove_now(dir, STK_SPOOL_PASSPHRASE, how, error);
    if (status == STIRKEEP_OK && how[0] != '\0')
        stk_spool_record_set_how(record, "passphrase_how", how, stk_clock_seconds());
    return status;
}

/* It is done: on record, once, except when it is cut off just here. */
static enum stirkeep_status record_act(struct stk_spool *spool, const struct stk_name *name,
                                       struct stk_spool_record *record, struct stk_error *error)
{
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = stk_spool_record_act(record, detail);
    enum stirkeep_status status = STIRKEEP_OK;

    if (record->recorded)
        return STIRKEEP_OK;
    status = stk_catalog_act(spool->intake->catalog, &act, error);
    if (status != STIRKEEP_OK)
        return status;
    record->recorded = true;
    spool->intake->acts_waiting = true;
    stk_acts_flush(spool->intake);
    (void)stk_spool_record_save(spool->done, name->text, record);
    return STIRKEEP_OK;
}

/* What is left in the directory is not secret. What has come into it since stays, and so does it. */
static enum stirkeep_status remove_directory(struct stk_spool *spool, const struct stk_name *name,
                                             const struct stk_spool_dir *dir,
                                             struct stk_error *error)
{
    if (!stk_spool_dir_clear(dir))
        return failed(error, "its directory");
    if (!stk_spool_dir_is(dir, spool->incoming, name->text))
        return STIRKEEP_OK; /* its owner has moved it */
    if (unlinkat(spool->incoming, name->text, AT_REMOVEDIR) != 0) {
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
            return failed(error, "its directory");
        stk_log(STK_LOG_WARNING, "spool: %s: its directory stays: there is something new in it",
                name->text);
    }
    return fsync(spool->incoming) == 0 ? STIRKEEP_OK : failed(error, STK_SPOOL_INCOMING_NAME);
}

static void tell(const struct stk_name *name, const struct stk_spool_record *record)
{
    const json_t *evidence = record->evidence;
    const char *state = json_string_value(json_object_get(evidence, "state"));
    const char *how = stk_spool_record_how(record);

    stk_log(STK_LOG_INFO, "spool: %s: imported as generation %" PRIu32 ", %s; %s: %s", name->text,
            (uint32_t)json_integer_value(json_object_get(evidence, "generation")),
            state != NULL ? state : "", stk_spool_files[record->key], how != NULL ? how : "");
}

enum stirkeep_status stk_spool_remove(struct stk_spool *spool, const struct stk_name *name,
                                      const struct stk_spool_dir *dir,
                                      struct stk_spool_record *record, struct stk_source *source,
                                      struct stk_source *passphrase, struct stk_error *error)
{
    enum stirkeep_status status = remove_key(dir, record, source, error);

    if (status == STIRKEEP_OK)
        (void)stk_spool_record_save(spool->done, name->text, record);
    if (status == STIRKEEP_OK)
        status = remove_passphrase(dir, record, passphrase, error);
    if (status == STIRKEEP_OK)
        status = record_act(spool, name, record, error);
    if (status == STIRKEEP_OK && !stk_spool_record_publish(spool->done, record))
        status = failed(error, "the evidence");
    if (status == STIRKEEP_OK && dir != NULL)
        status = remove_directory(spool, name, dir, error);
    if (status != STIRKEEP_OK)
        return status;
    tell(name, record);
    stk_spool_record_drop(spool->done, name->text);
    return STIRKEEP_OK;
}
