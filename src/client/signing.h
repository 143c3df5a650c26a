/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLIENT_SIGNING_H
#define STK_CLIENT_SIGNING_H

#include "client/exchange.h"

/* One thing to be signed, as the codec takes it; it refers to itself and to the caller's texts, so
 * that it must not be moved. */
struct stk_client_signing {
    struct stk_signing_input input;
    struct stk_claims_input claims;
    struct stk_pair rcdi[STK_RCDI_MAX];
    struct stk_pair mky[STK_MKY_MAX];
};

/* Only what could not be sent at all is refused here (INVALID, with the client's error): what claims
 * may say is the service's. */
enum stirkeep_status stk_client_signing_of(struct stirkeep_client *client,
                                           const struct stirkeep_request *request,
                                           struct stk_client_signing *ret_signing);

/* The signature as callers get it, in the client's arena. MALFORMED: it does not fit. */
enum stirkeep_status stk_client_signature_of(struct stirkeep_client *client,
                                             const struct stk_response_signed *body,
                                             struct stirkeep_signature *ret_signature);

/* What there is of a signature with a refusal. */
extern const struct stirkeep_signature stk_no_signature;

#endif
