/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_NAMES_H
#define STK_FRONT_NAMES_H

#include "base/bytes.h"
#include "model/certificate.h"
#include <stddef.h>

/*
 * The certificate names held, as intake tells them: front's copy of the catalog. A snapshot is
 * gathered aside and takes the place of the old one as a whole; a single change goes into what is
 * there. Found by a hash; listed in the order of names. One thread.
 */
struct stk_names;

/* One name, compact: a hundred thousand of them have to fit. */
struct stk_held {
    struct stk_key_id key_id;
    int64_t not_before;
    int64_t not_after;
    const char *x5u;
    struct stk_constraints *constraints; /* owned; NULL: none */
    struct stk_held *chain;              /* next in its bucket */
    uint32_t generation;
    uint32_t tally_number; /* its number in front's tally; 0: not asked for since this was told */
    bool active;
    char name[];
};

struct stk_names *stk_names_new(void); /* NULL: out of memory */
void stk_names_free(struct stk_names *names);

/*
 * One message of intake's: `first` begins a snapshot, `last` completes it; neither `first` nor a
 * snapshot begun: a change of what is there, which means nothing before the first snapshot is
 * complete (it is the rest of one that a former front began to read).
 * NO_MEMORY, TOO_LARGE (more than STK_NAMES_MAX): a snapshot under way is dropped.
 */
enum stirkeep_status stk_names_apply(struct stk_names *names, bool first, bool last,
                                     const struct stk_certificate *entries, size_t count);

/* Was there ever a whole snapshot? */
bool stk_names_complete(const struct stk_names *names);

/* What may be a name is about to be looked for. With names that are asked for seldom, nothing of it is
 * in the processor's caches: it is fetched, while the caller goes on. Nothing is told of whether it is
 * held: whoever asks may not be allowed to know. */
void stk_names_expect(const struct stk_names *names, struct stk_bytes name);

/* NULL when it is not held. Valid until the next stk_names_apply. Nothing of it but `tally_number`
 * may be changed. */
struct stk_held *stk_names_find(const struct stk_names *names, const char *name);

/* The place of the first name behind `after`; then by place, NULL past the end. */
size_t stk_names_after(const struct stk_names *names, const char *after);
const struct stk_held *stk_names_at(const struct stk_names *names, size_t place);

size_t stk_names_count(const struct stk_names *names);

/* Another number after every change of what can be found. */
uint64_t stk_names_version(const struct stk_names *names);

#endif
