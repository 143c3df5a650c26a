/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_SOFTHSM_H
#define STK_TOKEN_SOFTHSM_H

#include "base/bytes.h"
#include "base/error.h"
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * What is known of SoftHSM's files, to guard them where SoftHSM does not. Each login rewrites the
 * token's token.object in place: truncated first, written after, the result not looked at. A full
 * disk or a kill in between loses the key that every object is encrypted with. So a copy is on the
 * disk before the login, and goes back when the file did not survive it. And as torn objects are
 * cleared away, only one process may write objects: it has a lock on the token's directory.
 * One thread.
 */
struct stk_softhsm {
    char tokens[PATH_MAX]; /* the directory of tokens; "": not SoftHSM, or not found */
    char token[PATH_MAX];  /* the token's own directory; "": not known (yet) */
    off_t guarded;         /* size of token.object when it was copied; 0: no copy */
    int lock;              /* the token's own directory, locked; -1: not locked */
};

/*
 * Is the module SoftHSM by its file name, and where are its tokens: `directory`, or when that is
 * "" the configuration that SoftHSM itself will read.
 */
void stk_softhsm_recognise(struct stk_softhsm *softhsm, const char *module, const char *directory);

/* What SoftHSM will open, whichever module brings it in: its configuration ("": too long), and the
 * directory of tokens: `directory`, or when that is "" what the configuration says. */
void stk_softhsm_files(const char *directory, char ret_configuration[PATH_MAX],
                       char ret_tokens[PATH_MAX]);

/*
 * SoftHSM says of nothing why it could not begin, or why it does not show a token: add to `error` when
 * its configuration, its directory of tokens or a token in there cannot be used by this process.
 */
void stk_softhsm_explain(const struct stk_softhsm *softhsm, struct stk_error *error);

/* Put back what a login cut off by a kill or a power cut lost. Before C_Initialize. Logs. */
void stk_softhsm_recover(const struct stk_softhsm *softhsm);

/* Find the token's own directory by its serial number. */
void stk_softhsm_find(struct stk_softhsm *softhsm, const char *serial);

/*
 * Before a login: be the only one who uses the token's directory. Waits for a former keeper that is
 * still ending; BUSY when another one goes on.
 */
enum stirkeep_status stk_softhsm_claim(struct stk_softhsm *softhsm, struct stk_error *error);
void stk_softhsm_release(struct stk_softhsm *softhsm);

/* Before a login: make the copy. STORAGE when there is no room for it: do not log in then. */
enum stirkeep_status stk_softhsm_guard(struct stk_softhsm *softhsm, struct stk_error *error);

/*
 * After a login, whatever its result: make token.object durable and drop the copy, or put it
 * back. STORAGE when it was put back: the module has lost its view of the token. Logs.
 */
enum stirkeep_status stk_softhsm_settle(struct stk_softhsm *softhsm, struct stk_error *error);

/* Is this the name of a file with an object in it, not the token itself? */
bool stk_softhsm_is_object_file(const char *name);

/* Are these the bytes of a whole object file: a generation number and attributes to the end? */
bool stk_softhsm_object_whole(struct stk_bytes file);

/*
 * Of a whole one: is there nothing in it, no label, no CKA_ID, no value? SoftHSM writes an object
 * many times while it makes it, and that is what it is until the last time.
 */
bool stk_softhsm_object_empty(struct stk_bytes file);

/*
 * Remove what a keeper that was killed left torn in the token's own directory: object files that are
 * not whole, or empty. Nobody can find or use such an object. Those that lost their lock file get
 * one. Once the directory is claimed. Logs.
 */
void stk_softhsm_mend(const struct stk_softhsm *softhsm);

#endif
