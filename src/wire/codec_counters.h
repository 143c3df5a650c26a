/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_CODEC_COUNTERS_H
#define STK_WIRE_CODEC_COUNTERS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/histogram.h"
#include "base/limits.h"
#include <stddef.h>

/* What the rooms have counted and measured: counters.proto. */

struct stk_room_use {
    uint64_t cpu_us; /* processor time since it started */
    uint64_t up_us;  /* time since it started */
};

#define STK_NAME_COUNTS_MAX 100 /* certificates that are told of one by one */

struct stk_name_count {
    char name[STK_NAME_MAX + 1];
    uint64_t signatures;
};

struct stk_front_counters {
    struct stk_room_use room;
    struct stk_histogram served; /* from a request's arrival until its signature was sent */
    uint64_t refused[STIRKEEP_STATUS_COUNT]; /* by front itself */
    uint64_t failed[STIRKEEP_STATUS_COUNT];  /* that went to the keeper and came to no signature */
    struct stk_name_count names[STK_NAME_COUNTS_MAX]; /* the most used ones, the most first */
    size_t name_count;
    uint32_t names_used;
    uint64_t other_signatures; /* by those that are not in `names` */
    uint32_t in_flight;        /* now */
};

struct stk_signer_use {
    uint64_t signatures;
    uint64_t token_us; /* that its session spent signing */
};

struct stk_keeper_counters {
    struct stk_room_use room;
    struct stk_histogram queue; /* from a request's arrival until its signature was begun */
    struct stk_histogram token; /* C_SignInit and C_Sign */
    struct stk_histogram audit; /* from the signature until its record was in the trail */
    struct stk_signer_use signers[STK_SIGNERS_MAX];
    size_t signer_count;
    uint32_t busy; /* signers in a call to the token, now */
};

struct Stirkeep__V1__FrontCounters;
struct Stirkeep__V1__KeeperCounters;

/* As protobuf-c wants them, in one piece of memory which points to what it was made of: free().
 * NULL: out of memory. */
struct Stirkeep__V1__FrontCounters *
stk_front_counters_message(const struct stk_front_counters *counters);
struct Stirkeep__V1__KeeperCounters *
stk_keeper_counters_message(const struct stk_keeper_counters *counters);

/* Out of a message; NULL stays NULL. TOO_LARGE, INVALID. */
enum stirkeep_status stk_front_counters_take(const struct Stirkeep__V1__FrontCounters *message,
                                             struct stk_arena *arena,
                                             const struct stk_front_counters **ret_counters,
                                             struct stk_error *error);
enum stirkeep_status stk_keeper_counters_take(const struct Stirkeep__V1__KeeperCounters *message,
                                              struct stk_arena *arena,
                                              const struct stk_keeper_counters **ret_counters,
                                              struct stk_error *error);

#endif
