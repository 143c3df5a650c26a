/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_POLICY_H
#define STK_POLICY_POLICY_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/claims.h"
#include "model/name.h"
#include "model/number.h"
#include "model/peer.h"
#include "policy/rules.h"

/*
 * Who may have which PASSporTs signed. A grant is complete in itself: all its conditions hold
 * together. The grants are a union: a request is allowed when one grant allows it, and nobody may
 * without one; the first in the file's order that allows it and has tokens left is the one that is
 * charged and recorded. Pure decisions; a policy is immutable once built, then any thread.
 */
struct stk_policy;

#define STK_GRANTS_MAX 4096
#define STK_CERTIFICATE_LIMITS_MAX 4096
#define STK_UNIT_MAX 255 /* characters of a systemd unit's name */

/* How fast and how much: 0 is without a limit. */
struct stk_rate {
    uint32_t rate;  /* signatures a second */
    uint32_t burst; /* at once; 0: as many as `rate` */
    uint64_t quota; /* on one day (UTC) */
};

/* One [grant NAME] section. Lists are copied. */
struct stk_grant {
    char name[STK_GRANT_NAME_MAX + 1];
    /* Who: a peer belongs when each of the three kinds that are given has a match. */
    const uid_t *uids; /* user or group: one of these is its uid ... */
    size_t uid_count;
    const gid_t *gids; /* ... or one of these its gid or a supplementary group of its user */
    size_t gid_count;
    const char *const *executables; /* absolute paths, as /proc/PID/exe says */
    size_t executable_count;
    const char *const *units; /* names of systemd system units: "kamailio.service" */
    size_t unit_count;
    /* For what. */
    const char *const *certificates; /* names, or patterns with '*' for any run of characters */
    size_t certificate_count;
    unsigned ppts;                 /* enum stk_ppt bits; 0 and no other_ppts: shaken alone */
    const char *const *other_ppts; /* names of types that are not typed here */
    size_t other_ppt_count;
    unsigned attests; /* bit 0 'A', 1 'B', 2 'C'; 0: none, then no shaken PASSporT is signed */
    const struct stk_number_pattern *numbers; /* authority numbers (model/claims.h) ... */
    size_t number_count;
    const char *const *uris; /* ... and URIs, patterns with '*'; neither given: any */
    size_t uri_count;
    bool sign_input;
    struct stk_rate rate;
};

/* One [certificate PATTERN] section: each certificate that it is the first to match has a bucket
 * and a quota of its own, whoever asks. */
struct stk_certificate_limit {
    const char *pattern;
    struct stk_rate rate;
};

enum stirkeep_status stk_policy_new(struct stk_policy **ret_policy);
void stk_policy_free(struct stk_policy *policy);

/* CONFIG with the reason: nobody named, no certificate named, a name used twice, ... */
enum stirkeep_status stk_policy_add(struct stk_policy *policy, const struct stk_grant *grant,
                                    struct stk_error *error);
enum stirkeep_status stk_policy_limit(struct stk_policy *policy,
                                      const struct stk_certificate_limit *limit,
                                      struct stk_error *error);

/* Attestation rules; `rules` is NULL (none: every number may get what the grant allows) or an
 * opened image that must live as long as the policy. `lower`: what exceeds its rule is lowered to
 * it, to a level that the grant need not list; else refused. `file` is the name of the rules' file
 * for refusals, "" when there is none; it is copied. Who answers by a URI has no rule, so the
 * default. Not after the policy is in use. */
void stk_policy_attest_rules(struct stk_policy *policy, const struct stk_rules *rules, bool lower,
                             const char *file);

size_t stk_policy_grant_count(const struct stk_policy *policy);
const struct stk_grant *stk_policy_grant(const struct stk_policy *policy, size_t index);

/* Does some grant ask for an executable or a unit? Then it has to be found out of each peer. */
bool stk_policy_needs_program(const struct stk_policy *policy);

/* Who asks. */
struct stk_who {
    uid_t uid;
    const gid_t *groups; /* the peer's gid included */
    size_t group_count;
    const char *executable; /* NULL: not known, then no grant with an executable applies */
    const char *unit;
};

/* The grants that apply to a peer, found once per connection and policy. Owned by the caller; freed
 * by free(). NULL on lack of memory. The first call ends the building of a policy: no grant and no
 * limit is added after it. */
struct stk_grants {
    const struct stk_policy *policy; /* must live as long */
    const uint64_t *bits;            /* which of the policy's grants, a bit each */
    size_t count;
    const struct stk_grant *grants[]; /* into the policy */
};
struct stk_grants *stk_policy_grants_for(const struct stk_policy *policy,
                                         const struct stk_who *who);

/* What is asked. */
struct stk_question {
    const char *name;
    const struct stk_claims *claims;
    bool is_input; /* SignInput */
};

struct stk_decision {
    const struct stk_grant *grant;
    char attest;        /* as it is given; 0 where the type has none */
    bool lowered;       /* lower than asked */
    struct {            /* by policy/usage.h, for giving it back, when the policy may be gone */
        uint64_t grant; /* which counter; 0: none */
        int64_t grant_day;
        bool certificate; /* that one, too */
        int64_t certificate_day;
    } charged;
};

/*
 * Is it allowed? OK: `*ret_decision` says by which grant and with which attestation. NOT_PERMITTED:
 * `error` names the rule that failed, of the grant that came nearest ("grant kamailio: attest A is
 * not allowed (B, C)", "attest A for 14155550100: /etc/stirkeep/attest.csv:17 allows B").
 * The conditions are asked in the order certificate, ppt, sign-input, orig, attest.
 * Nothing is charged: policy/usage.h does that.
 */
enum stirkeep_status stk_policy_decide(const struct stk_policy *policy,
                                       const struct stk_grants *grants,
                                       const struct stk_question *question,
                                       struct stk_decision *ret_decision, struct stk_error *error);

/* May the peer know of the certificate: does some grant name it? For listing. */
bool stk_policy_may_see(const struct stk_grants *grants, const char *name);

/*
 * Why? Every grant with what it says to the question, in the file's order, one line each, and last
 * the verdict; for `stirkeep policy explain`. The lines go into `out`. The status is that of
 * stk_policy_decide.
 */
enum stirkeep_status stk_policy_explain(const struct stk_policy *policy, const struct stk_who *who,
                                        const struct stk_question *question,
                                        struct stk_buffer *out);

#endif
