/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_CSR_H
#define STK_CERT_CSR_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

/*
 * A certificate request for a SHAKEN certificate: PKCS#10 (RFC 2986) with a TNAuthList of one SPC
 * (RFC 8226 section 9) in its extensionRequest (RFC 2985 section 5.4.2), to be signed with
 * ecdsa-with-SHA256. Its parts are composed here, whoever signs it: nobody hands in bytes that get
 * signed. Any thread; a request is one thread's at a time.
 */

#define STK_CSR_SPC_MAX 15 /* characters, as a TNAuthList's (cert/tnauthlist.h) */

struct stk_csr;

/*
 * Would a request for this SPC and subject be composed? `subject` is RFC 4514 text (cert/dn.h says
 * what is taken), at most 256 bytes; "" stands for "CN=SHAKEN <SPC>". INVALID with the reason: an
 * SPC that is not 1 to 15 upper-case letters and digits, a subject that is not well-formed, or one
 * whose only common name is not "SHAKEN <SPC>" (ATIS-1000080).
 */
enum stirkeep_status stk_csr_check(const char *spc, const char *subject, struct stk_error *error);

/*
 * Begin one for a P-256 key: the digest is what the key has to sign. As stk_csr_check; KEY_TYPE
 * when `spki` is not the 91 bytes of a P-256 key's. stk_csr_free.
 */
enum stirkeep_status stk_csr_begin(struct stk_bytes spki, const char *spc, const char *subject,
                                   struct stk_csr **ret_csr, uint8_t ret_digest[STK_DIGEST_LENGTH],
                                   struct stk_error *error);

/* Finish it with the signature (r||s) and append its DER to `out`. NOT_VERIFIED when the signature
 * is not of the request's own key. */
enum stirkeep_status stk_csr_finish(struct stk_csr *csr,
                                    const uint8_t signature[STK_SIGNATURE_LENGTH],
                                    struct stk_buffer *out, struct stk_error *error);

void stk_csr_free(struct stk_csr *csr);

#endif
