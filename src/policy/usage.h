/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_USAGE_H
#define STK_POLICY_USAGE_H

#include "policy/policy.h"

/*
 * What has been used up: token buckets and daily quotas, of grants and of certificates. One for the
 * service; it outlives a reload of the policy (what a name has used up stays used up), and its
 * daily counts outlive the process, because front tells intake. One thread.
 *
 * A bucket refills continuously and holds at most its burst. A day begins at 00:00 UTC.
 */
struct stk_usage;

struct stk_usage *stk_usage_new(void); /* NULL: out of memory */
void stk_usage_free(struct stk_usage *usage);

/* Decide by this policy from now on; counts are kept by the names of grants and certificates.
 * NO_MEMORY: as before. Call it before the policy's first charge. */
enum stirkeep_status stk_usage_adopt(struct stk_usage *usage, const struct stk_policy *policy);

/*
 * stk_policy_decide, but of the grants that allow it the first one that is not known to have nothing
 * left: however many are used up, none of them is asked again before it may have something. What
 * was decided without it can be charged as well, only not as quickly. Nothing is charged.
 */
enum stirkeep_status stk_usage_decide(struct stk_usage *usage, const struct stk_policy *policy,
                                      const struct stk_grants *grants,
                                      const struct stk_question *question, uint64_t mono_us,
                                      int64_t real_s, struct stk_decision *ret_decision,
                                      struct stk_error *error);

/*
 * Charge `count` signatures to the grant of `decision` and to the certificate: both or neither. When
 * the grant has too few left, the first other grant that allows the question and has enough pays,
 * and `decision` is changed. RATE_LIMITED: "grant kamailio: rate: 500 a second are used up" or
 * "certificate Alpha: quota: 100000 a day are used up", naming the last
 * grant that allows it.
 */
enum stirkeep_status stk_usage_charge(struct stk_usage *usage, const struct stk_policy *policy,
                                      const struct stk_grants *grants,
                                      const struct stk_question *question, uint32_t count,
                                      uint64_t mono_us, int64_t real_s,
                                      struct stk_decision *decision, struct stk_error *error);

/* Give back what was charged and then not signed. `decision` is the one that was charged; its policy
 * may be gone by now. */
void stk_usage_refund(struct stk_usage *usage, const struct stk_decision *decision,
                      const char *name, uint32_t count, uint64_t mono_us, int64_t real_s);

/* The same of the day's quota alone: it is no signature, and yet it took its turn in the rate. */
void stk_usage_refund_quota(struct stk_usage *usage, const struct stk_decision *decision,
                            const char *name, uint32_t count, uint64_t mono_us, int64_t real_s);

/* ---- what intake remembers */

enum stk_usage_kind { STK_USAGE_GRANT, STK_USAGE_CERTIFICATE };

struct stk_used {
    enum stk_usage_kind kind;
    char name[STK_GRANT_NAME_MAX + 1]; /* of the grant or the certificate */
    int64_t day;                       /* days since 1970, UTC */
    uint64_t count;
};

/* What was used before this process began: the larger count of the same day stands. NO_MEMORY. */
enum stirkeep_status stk_usage_recall(struct stk_usage *usage, const struct stk_used *used);

/* Up to `max` counts (only those with a quota) that changed since they were last asked for. */
size_t stk_usage_changes(struct stk_usage *usage, struct stk_used *ret_used, size_t max);

#endif
