/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_TALLY_H
#define STK_KEEPER_TALLY_H

#include "base/histogram.h"

struct stk_keeper;
struct stk_keeper_counters;

/* What one signer measures, its own thread alone. */
struct stk_signer_tally {
    _Alignas(64) struct stk_histogram queue; /* as in stk_keeper_counters, like all here */
    struct stk_histogram token;
};

/* A signature was made, from `began_us` to `ended_us`; it was asked for at `asked_us`. */
void stk_tally_signature(struct stk_signer_tally *tally, uint64_t asked_us, uint64_t began_us,
                         uint64_t ended_us);

/* All signers' together, and the rest. Any thread, once the signers are there. */
void stk_tally_all(struct stk_keeper *keeper, struct stk_keeper_counters *ret_counters);

#endif
