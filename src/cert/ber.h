/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_BER_H
#define STK_CERT_BER_H

#include "base/bytes.h"
#include "base/secret.h"

/*
 * The first BER value of `ber` (X.690 section 8) in definite, minimal lengths and with its OCTET
 * STRINGs in one piece: PKCS#12 files are BER, and some programs write indefinite lengths. What
 * the OCTET STRINGs hold is not touched. Into secret memory, since there may be a key in it.
 * KEY_UNREADABLE: not BER, cut off, nested too deeply, or something behind it.
 */
enum stirkeep_status stk_ber_to_der(struct stk_bytes ber, struct stk_secret *ret_der);

#endif
