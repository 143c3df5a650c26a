/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_POLICY_H
#define STK_POLICY_POLICY_H

#include "base/error.h"
#include "model/claims.h"
#include "model/name.h"
#include "model/peer.h"

/*
 * Who may have which PASSporTs signed. A grant is complete in itself: all its conditions hold
 * together. The grants are a union: a request is allowed when one grant allows it, and nobody may
 * without one. Pure decisions; immutable once built, then any thread.
 */
struct stk_policy;

/* One [grant NAME] section. Lists are copied. */
struct stk_grant {
    char name[STK_GRANT_NAME_MAX + 1];
    const uid_t *uids; /* a peer belongs when one of these is its uid ... */
    size_t uid_count;
    const gid_t *gids; /* ... or one of these its gid or a supplementary group of its user */
    size_t gid_count;
    const char *const *certificates; /* names, or patterns with '*' for any run of characters */
    size_t certificate_count;
    unsigned ppts;    /* enum stk_ppt bits; 0: shaken alone */
    unsigned attests; /* bit 0 'A', 1 'B', 2 'C'; 0: none, then no shaken PASSporT is signed */
};

enum stirkeep_status stk_policy_new(struct stk_policy **ret_policy);
void stk_policy_free(struct stk_policy *policy);

/* CONFIG with the reason: no peer named, no certificate named, a name used twice, ... */
enum stirkeep_status stk_policy_add(struct stk_policy *policy, const struct stk_grant *grant,
                                    struct stk_error *error);

/* The grants that apply to a peer, found once per connection. Owned by the caller; freed by free().
 * `groups` are the peer's groups (its gid included). NULL on lack of memory. */
struct stk_grants {
    size_t count;
    const struct stk_grant *grants[]; /* into the policy, which must live as long */
};
struct stk_grants *stk_policy_grants_for(const struct stk_policy *policy, uid_t uid,
                                         const gid_t *groups, size_t group_count);

/*
 * Is it allowed? OK: `*ret_grant` is the grant that allows it. NOT_PERMITTED: `error` names what
 * failed, from the grant that came nearest ("grant kamailio: attest A is not allowed (B, C)").
 */
enum stirkeep_status stk_policy_decide(const struct stk_grants *grants, const char *name,
                                       const struct stk_claims *claims,
                                       const struct stk_grant **ret_grant, struct stk_error *error);

/* May the peer know of the certificate: does some grant name it? For listing. */
bool stk_policy_may_see(const struct stk_grants *grants, const char *name);

#endif
