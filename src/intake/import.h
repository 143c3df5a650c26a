/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_IMPORT_H
#define STK_INTAKE_IMPORT_H

#include "base/arena.h"
#include "cert/cert.h"
#include "intake/replay.h"
#include "model/peer.h"
#include "wire/codec_admin.h"
#include <sys/queue.h>

struct stk_intake;
struct stk_import;

/*
 * What an import or an installation has come to, within the call only. `error` is NULL when it is
 * done: front and the trail know it then.
 */
typedef void stk_import_done(void *context, const struct stk_import *import,
                             const struct stk_error *error);

/*
 * A certificate on its way into service, by whichever door it came: an import (with the key,
 * sealed) or an installation (its key is held already).
 */
struct stk_import {
    struct stk_intake *intake;
    const struct stk_admin_request *request; /* IMPORT or INSTALL; the caller's, until it is done */
    struct stk_arena *arena;                 /* the same */
    struct stk_peer peer;                    /* who asked, for the record */
    stk_import_done *done;
    void *context;

    struct stk_chain *chain;
    struct stk_leaf leaf; /* texts in the arena */
    char x5u[STK_X5U_MAX + 1];
    uint8_t challenge[STK_CHALLENGE_LENGTH];
    struct stk_claim claim; /* to its intent */
    bool held;              /* all that is asked for is a generation of this name already ... */
    bool staged;            /* ... which is not active yet */
    uint32_t generation;
    int64_t activate_at; /* 0: it is active */
    char attributes[STK_ATTRIBUTES_MAX + 1];
    const char *const *warnings; /* of the gate; in the arena */
    size_t warning_count;
    struct stk_error reason; /* while it is cleaned up: why */
    TAILQ_ENTRY(stk_import) entry;
};

TAILQ_HEAD(stk_import_list, stk_import);

/* Begin; `done` is called exactly once, perhaps before this returns, unless the program ends. */
void stk_import_begin(struct stk_intake *intake, const struct stk_admin_request *request,
                      const struct stk_peer *peer, struct stk_arena *arena, stk_import_done *done,
                      void *context);

/* Is the chain fit to sign with, and the key free for this name (or held by it)? Fills in the
 * import; with OK the intent is committed. */
enum stirkeep_status stk_import_check(struct stk_import *import, struct stk_error *error);

/* Free those that are under way. For the end of the program; their intents are the next intake's. */
void stk_imports_free(struct stk_import_list *imports);

#endif
