/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_PACE_H
#define STK_FRONT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How fast the keeper is, as its answers show: how many orders it is to be given at once, and how
 * long one that comes now would wait.
 *
 * Orders wait in front, where each user has its turns, and where they can still be refused or come
 * to their deadline without being signed. The keeper gets so many that no signer waits for front: as
 * much again as they are signing, and what its outbox holds together; of a slow token's, some. One signer signs what is in a
 * message one after the other, so a message to a slow token has one order, and to a fast one
 * STK_BATCH_MAX. All of it is the event loop's.
 */
#define STK_PACE_MESSAGE_US 1000   /* so long one signer may be busy with a message */
#define STK_PACE_HELD 8            /* messages whose answers the keeper may hold together */
#define STK_PACE_HELD_ALWAYS 64    /* ... where a sync is to be shared */
#define STK_PACE_SPARE 2           /* orders to a slow token, beside half as many as signers */
#define STK_PACE_INTERVAL_US 20000 /* over which the rate is measured, at least ... */
#define STK_PACE_LONG_US 100000    /* ... unless it takes so long */
#define STK_PACE_STALL_US 20000    /* answers that stay away longer are news */
#define STK_PACE_ANSWERS_MIN 32    /* ... and so many answers */

struct stk_pace {
    unsigned signers;
    unsigned held;         /* messages */
    unsigned spare;        /* orders, to a slow token */
    uint32_t token_us;     /* the token's time for a signature: about the median; 0: not known */
    double rate;           /* answers in a microsecond, with all that it takes; 0: not known */
    bool full;             /* at the end of the last turn it had all that it takes */
    bool filled;           /* ... and at that of each one of the interval that is measured */
    uint64_t since_us;     /* the interval's beginning; 0: there is none */
    uint32_t answers;      /* in it */
    uint32_t answers_seen; /* of these, at the end of the last turn */
    uint64_t answered_us;  /* the end of the last turn that brought some, or that made it full */
};

void stk_pace_init(struct stk_pace *pace, unsigned signers, bool always);

/* An answer; `token_us`: 0 when the token made no signature. */
void stk_pace_answer(struct stk_pace *pace, uint32_t token_us);

/* The end of a turn: with so many orders at the keeper, does it have all that it takes? */
void stk_pace_turn(struct stk_pace *pace, size_t sent, uint64_t now_us);

/* The keeper is another one, or gone: what is measured is no measure. */
void stk_pace_break(struct stk_pace *pace);

/* How many orders a message may have, and how many more the keeper takes when it has `sent`. Before
 * the first signature, as many as there are. */
size_t stk_pace_message(const struct stk_pace *pace);
size_t stk_pace_room(const struct stk_pace *pace, size_t sent);

/* How long until `ahead` orders are answered; 0 when that is not known. */
uint64_t stk_pace_wait_us(const struct stk_pace *pace, size_t ahead, uint64_t now_us);

#endif
