/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_SPOOL_RECORD_H
#define STK_INTAKE_SPOOL_RECORD_H

#include "catalog/catalog.h"
#include "intake/import.h"
#include "intake/spool_dir.h"
#include <jansson.h>

/*
 * What is known of an import whose upload is being removed. It is on disk, as done/.NAME.removing,
 * from before the first byte of the upload is overwritten until its directory is gone, so that a
 * removal that is cut off anywhere can be finished; what it says is published as done/FILE. Only
 * this service writes there. Never key material.
 */
struct stk_spool_record {
    json_t *evidence; /* what is published; NULL: no record */
    char file[128];   /* under this name */
    uint64_t ino;     /* of the upload's directory; a device has other numbers after a restart */
    int64_t born_ns;
    enum stk_spool_file key; /* the file with the key */
    bool recorded;           /* the removal is in the trail */
};

/* What the evidence has from an import, or from the catalog. */
struct stk_spool_facts {
    const struct stk_generation *about;
    const char *const *warnings;
    size_t warning_count;
    bool already_held;
    const char *token_label;
    const char *token_serial;
    const char *source;
    struct stk_peer owner;
    int64_t now;
};

/*
 * A record of an upload that is imported. `before` is the one of a former attempt, or empty: of the
 * same generation, it keeps its file and time. False: out of memory.
 */
bool stk_spool_record_make(int done, const struct stk_spool_dir *dir,
                           const struct stk_spool_facts *facts,
                           const struct stk_spool_record *before,
                           struct stk_spool_record *ret_record);
void stk_spool_record_free(struct stk_spool_record *record);

/* Is it of this directory? */
bool stk_spool_record_is_of(const struct stk_spool_record *record, const struct stk_spool_dir *dir);

/* How the source was removed, or NULL; set it, with the time. */
const char *stk_spool_record_how(const struct stk_spool_record *record);
void stk_spool_record_set_how(struct stk_spool_record *record, const char *member, const char *how,
                              int64_t now);

/* The act that goes into the trail; its texts live as long as record and `detail`. */
struct stk_act stk_spool_record_act(const struct stk_spool_record *record,
                                    char detail[STK_ACT_DETAIL_MAX]);

/* The record of a name on disk: false with errno. Loading: ENOENT when there is none; one that
 * another user has written, or that cannot be read, is none (EBADMSG). */
bool stk_spool_record_save(int done, const char *name, const struct stk_spool_record *record);
bool stk_spool_record_load(int done, const char *name, struct stk_spool_record *ret_record);
bool stk_spool_record_exists(int done, const char *name);
void stk_spool_record_drop(int done, const char *name);
/* The name whose record a file of `done` is; false when it is something else. */
bool stk_spool_record_name(const char *file, struct stk_name *ret_name);

/* Write the evidence to its file; false with errno. */
bool stk_spool_record_publish(int done, const struct stk_spool_record *record);

#endif
