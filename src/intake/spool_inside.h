/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_SPOOL_INSIDE_H
#define STK_INTAKE_SPOOL_INSIDE_H

#include "intake/intake.h"
#include "intake/spool.h"
#include "intake/spool_dir.h"
#include "intake/spool_note.h"
#include "intake/spool_record.h"
#include "intake/spool_work.h"
#include <dirent.h>

/*
 * What the spool's files share.
 *
 * spool.c        its life, and whose turn it is
 * spool_look.c   is this directory an upload that is to be tried now?
 * spool_watch.c  inotify: what has changed
 * spool_upload.c one upload's way: wrapping key, reading (spool_work.c), import
 * spool_remove.c what was imported is removed, and the evidence written
 */

/* The upload under way. */
struct stk_spool_upload {
    bool busy;
    struct stk_name name;
    struct stk_spool_dir dir;
    struct stk_spool_record record; /* of a former attempt, or empty */
    struct stk_spool_work work;
    struct stk_admin_request request;
    struct stk_arena arena;      /* of the import */
    char source[STK_SOURCE_MAX]; /* the directory */
    char said[STK_SOURCE_MAX];   /* the same and whose it is */
    char token_label[64];
    char token_serial[64];
};

struct stk_spool {
    struct stk_intake *intake;
    const char *directory; /* the configuration's */
    int incoming;          /* -1: not open, so nothing is done */
    int done;
    char trouble[STK_ERROR_MAX];

    int inotify;
    int incoming_watch;
    struct event changes;

    struct stk_spool_notes notes;
    struct stk_spool_pace pace;
    unsigned pass; /* number of the pass over all of incoming */
    DIR *listing;  /* of the pass that goes on; NULL: none */
    unsigned told; /* lines of the log about names, in it */
    bool pass_wanted;
    bool rescan_soon;    /* something was missed: another pass, not long after this one */
    uint64_t looking_us; /* that the pass has taken so far */
    uint64_t wake_us;    /* when the next one that waits for a time is due; 0: none */
    struct event step;   /* look at the next ones */
    struct event soon;   /* the same in a moment: changes come in swarms */
    struct event wake;
    struct event rescan;

    struct stk_spool_upload upload;
};

/* ---- spool.c */

/* Let the loop go on, when nothing is under way. */
void stk_spool_go_on(struct stk_spool *spool);
/* In a moment: changes come in swarms. */
void stk_spool_soon(struct stk_spool *spool);
/* At everything, soon: something was missed, or there is another incoming. */
void stk_spool_rescan_soon(struct stk_spool *spool);
/* Look at it again then. */
void stk_spool_wake_at(struct stk_spool *spool, struct stk_spool_note *note, uint64_t at_us);
/* Forget it, and watch it no more. NULL is allowed. */
void stk_spool_forget(struct stk_spool *spool, struct stk_spool_note *note);
/* Something may have changed with this name. */
void stk_spool_hint(struct stk_spool *spool, const struct stk_name *name);

/* ---- spool_look.c */

/* Look at a name of incoming, and begin with its upload when it is due. */
void stk_spool_look(struct stk_spool *spool, const char *name);
/* Those whose removal was cut off and whose directory is gone are brought to their end; the others
 * are looked at soon. */
void stk_spool_recover(struct stk_spool *spool);

/* ---- spool_watch.c */

/* False with errno. */
bool stk_spool_watch_start(struct stk_spool *spool);
void stk_spool_watch_stop(struct stk_spool *spool);
/* Watch incoming, newly opened. */
bool stk_spool_watch_incoming(struct stk_spool *spool);
/* Watch an upload's directory for what changes in it, as far as there is room. */
void stk_spool_watch(struct stk_spool *spool, struct stk_spool_note *note);
void stk_spool_unwatch(struct stk_spool *spool, struct stk_spool_note *note);

/* ---- spool_upload.c */

/* Begin with a directory, which is taken over; spool->upload is busy until it is over. */
void stk_spool_upload_begin(struct stk_spool *spool, const struct stk_name *name,
                            struct stk_spool_dir *dir);
/* The reading thread has ended. */
void stk_spool_upload_read(evutil_socket_t fd, short what, void *context);

/* ---- spool_remove.c */

/* What is left where the file with the key was. */
enum stk_spool_rest { STK_SPOOL_WHOLE, STK_SPOOL_REMAINS, STK_SPOOL_GONE };
enum stk_spool_rest stk_spool_rest_of(const struct stk_spool_record *record,
                                      const struct stk_spool_dir *dir);

/*
 * Bring a record to its end: the source is removed (`source`, `passphrase`: as they were read; NULL:
 * what is left of them is removed), the act is in the catalog, the evidence written, the directory
 * gone, the record dropped. `dir` NULL: the directory is gone. Otherwise the status says why not, and
 * the same may be asked again.
 */
enum stirkeep_status stk_spool_remove(struct stk_spool *spool, const struct stk_name *name,
                                      const struct stk_spool_dir *dir,
                                      struct stk_spool_record *record, struct stk_source *source,
                                      struct stk_source *passphrase, struct stk_error *error);

#endif
