/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_PIN_H
#define STK_STIRKEEPD_PIN_H

#include "base/error.h"
#include "config/config.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/*
 * The PIN's file: opened here, since the keeper may not have the right to, and never read here.
 */

/* Which file, in which state. */
struct stk_pin_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

/* Of files that were refused, so many are remembered: this one's own, and those that another stirkeepd
 * or an earlier configuration had. */
#define STK_PIN_REFUSED_MAX 3

/* What the porter remembers of it. */
struct stk_pin {
    struct stk_pin_identity handed;                       /* to the keeper that runs */
    struct stk_pin_identity refused[STK_PIN_REFUSED_MAX]; /* a further try may lock the token; the
                                                             newest first */
    struct stk_pin_identity taken; /* by the token: a keeper that dies while it logs in with it does
                                      not do so for a wrong PIN */
    struct stk_pin_identity looked; /* at, the last time; zeros: there was none to hand out */
    uint64_t token;                 /* which token that is (stk_pin_init) */
    size_t refused_count;
    unsigned unheard; /* tries with `handed` of which nobody came back to tell */
    bool is_handed;
    bool is_taken;
    bool is_tried;  /* the token has been given it, and nobody has told what it said */
    bool logged_in; /* the keeper that runs has logged in with it */
};

/* So often. */
#define STK_PIN_UNHEARD_MAX 2

/* Of the token of this configuration. */
void stk_pin_init(struct stk_pin *pin, const struct stk_config *config);

/* Open `path`, or $CREDENTIALS_DIRECTORY/pin when it is "", as secret_file.h says. CONFIG with path
 * and reason. */
enum stirkeep_status stk_pin_open(const char *path, uid_t keeper_uid, int *ret_fd,
                                  struct stk_pin_identity *ret_identity, struct stk_error *error);

/*
 * The descriptor for the next keeper. TOKEN_LOCKED when the token has refused this very file
 * before: `error` says so, and nothing is handed out.
 */
enum stirkeep_status stk_pin_hand_out(struct stk_pin *pin, const char *path, uid_t keeper_uid,
                                      int *ret_fd, struct stk_error *error);

/* The keeper says that the token refused what it was handed. False: that is known. */
bool stk_pin_note_refused(struct stk_pin *pin);

/* It says that the token is about to be given it; then that it was taken, or that the call failed for
 * another reason. */
void stk_pin_note_tried(struct stk_pin *pin);
void stk_pin_note_taken(struct stk_pin *pin);
void stk_pin_note_unjudged(struct stk_pin *pin);

/* What became of a try that was under way when the keeper ended. */
enum stk_pin_end {
    STK_PIN_NO_TRY,  /* there was none, or the PIN was taken before */
    STK_PIN_UNHEARD, /* nobody knows: one more */
    STK_PIN_GIVEN_UP /* for the second time: it counts as refused from now on */
};
enum stk_pin_end stk_pin_note_end(struct stk_pin *pin);

/* Has the keeper that runs no PIN, or one that was refused? */
bool stk_pin_is_lacking(const struct stk_pin *pin);

/* What this token has refused, for another stirkeepd: "", or words with a blank before each. */
#define STK_PIN_WORDS 400
void stk_pin_words(const struct stk_pin *pin, char ret_words[STK_PIN_WORDS]);
/* The other way round; what another token has refused is left out. False: these are no such words. */
bool stk_pin_take_words(struct stk_pin *pin, const char *words);

/*
 * Is there a file now that would be handed out? True only when it is as it was at the last look, so
 * that one in the middle of being written is not tried.
 */
bool stk_pin_look(struct stk_pin *pin, const char *path, uid_t keeper_uid);

#endif
