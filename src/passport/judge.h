/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_JUDGE_H
#define STK_PASSPORT_JUDGE_H

#include "base/arena.h"
#include "passport/verify.h"
#include "json/json.h"

/* What judging a PASSporT goes by; only for src/passport. */
struct stk_inquiry {
    const struct stk_identity *identity;
    const struct stk_json *header;
    const struct stk_json *payload;
    bool payload_canonical;
    struct stk_arena *arena;
    struct stk_finding *findings;
    size_t count;
};

void stk_judge_find(struct stk_inquiry *inquiry, bool fatal, int sip_code, const char *code,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The text of a member, "" when it is not there or no string. */
const char *stk_judge_text(const struct stk_json *object, const char *key);

/* Of header and payload, which are objects. */
void stk_judge_claims(struct stk_inquiry *inquiry);

#endif
