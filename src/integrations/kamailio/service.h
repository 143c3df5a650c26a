/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KAMAILIO_SERVICE_H
#define STK_KAMAILIO_SERVICE_H

#include <stirkeep/client.h>

/*
 * This process's one connection to stirkeep, made when it is first needed, by a child of its own
 * after a fork. No call takes longer than the time that is set (options.h), and none is held up more
 * than needed by a service that is not well:
 *
 *   nobody at the socket     refused at once; the next call looks again
 *   went away under a call   waited for within the limit, and asked again
 *   there, but silent        the first call waits for the limit; as long as nothing comes, the
 *                            others wait an eighth of it for a sign of life and are not sent, and
 *                            one each second tries the whole way on a new connection
 */

/* One signature wanted: claims, or header and payload. */
struct stk_kam_question {
    const char *name; /* of the certificate */
    const struct stirkeep_claims *claims;
    const char *header;
    const char *payload;
};

/* The texts of `ret_signature` are valid until the next call, `*ret_reason`, when it is not OK, too.
 */
enum stirkeep_status stk_kam_ask(const struct stk_kam_question *question,
                                 struct stirkeep_signature *ret_signature, const char **ret_reason);

#endif
