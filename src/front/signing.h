/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_SIGNING_H
#define STK_FRONT_SIGNING_H

#include "front/front.h"

/*
 * One PASSporT's way to the keeper: decided, charged, placed. In this order, and one after the
 * other for each of a batch's. Nothing is charged before all that can be refused was asked.
 */

/* What may be signed. */
struct stk_permit {
    struct stk_decision decision;
    struct stk_held *held; /* valid as long as the request is handled */
};

/*
 * May it be signed? An input's claims are read out of its header and payload into the signing, and
 * what they are into its sketch. Policy comes before anything that tells of a certificate: whoever
 * may not use a name does not learn whether it is there. INVALID, NOT_PERMITTED, UNAVAILABLE,
 * UNKNOWN_NAME, NOT_ACTIVE, CERT_NOT_YET_VALID, CERT_EXPIRED, TOO_LARGE.
 */
enum stirkeep_status stk_signing_decide(const struct stk_ask *ask, struct stk_signing *signing,
                                        struct stk_permit *ret_permit, struct stk_error *error);

/* RATE_LIMITED; else it counts, and the grant of the permit may be another one. */
enum stirkeep_status stk_signing_charge(const struct stk_ask *ask,
                                        const struct stk_signing *signing,
                                        struct stk_permit *permit, struct stk_error *error);
void stk_signing_refund(const struct stk_ask *ask, const struct stk_signing *signing,
                        const struct stk_permit *permit);

/* An order for it, which is sent at the end of the turn. OVERLOADED, TOO_LARGE, NO_MEMORY. */
enum stirkeep_status stk_signing_place(const struct stk_ask *ask, const struct stk_signing *signing,
                                       const struct stk_permit *permit, struct stk_slot **ret_slot,
                                       struct stk_error *error);

#endif
