/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_TALLY_H
#define STK_FRONT_TALLY_H

#include "wire/codec_counters.h"

/*
 * What came of the requests, since this room started: for whoever asks for the service's status. It
 * asks for no time of its own, and for memory with a certificate's first signature alone. One thread.
 */

#define STK_TALLY_ANSWERED_MAX 1024 /* more in one turn have a moment of their own */

struct stk_tally_name {
    uint32_t number; /* 0: free */
    char name[STK_NAME_MAX + 1];
};

struct stk_tally {
    uint64_t started_us;
    struct stk_histogram served;
    uint64_t failed[STIRKEEP_STATUS_COUNT];
    struct stk_tally_name *names; /* a hash table of so many places, a power of two, or none */
    uint64_t *signatures;         /* by a name's number: close together, for there may be many */
    size_t place_count;
    size_t name_count;                         /* their numbers are 1 to this */
    uint64_t unnamed;                          /* signatures by names that it had no room for */
    uint64_t answered[STK_TALLY_ANSWERED_MAX]; /* in this turn: when they were asked for */
    size_t answered_count;
};

void stk_tally_start(struct stk_tally *tally, uint64_t now_us);
void stk_tally_clear(struct stk_tally *tally);

/* By what a name's signatures are counted from now on, until the end; 0: there is no room. */
uint32_t stk_tally_number(struct stk_tally *tally, const char *name);

/* An order came to this; it was asked for at `asked_us`, of the name with this number. */
void stk_tally_answer(struct stk_tally *tally, enum stirkeep_status status, uint32_t number,
                      uint64_t asked_us);

/* All answers so far were sent by now. */
void stk_tally_sent(struct stk_tally *tally, uint64_t now_us);

/* All but `refused` and `in_flight`. */
void stk_tally_report(const struct stk_tally *tally, struct stk_front_counters *ret_counters);

#endif
