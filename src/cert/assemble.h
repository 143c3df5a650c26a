/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_ASSEMBLE_H
#define STK_CERT_ASSEMBLE_H

#include "cert/cert.h"

#define STK_ASSEMBLE_MAX 64 /* certificates to choose from */

/*
 * The chain that begins with certificates[leaf] and goes on with those of the others that issued one
 * another, by name and by signature, as far as they go; at most STK_CHAIN_MAX. Where two would do,
 * the one that is valid for longer. CERT_INVALID when the leaf is no certificate; others that are
 * none are passed over. The bytes are copied.
 */
enum stirkeep_status stk_chain_assemble(const struct stk_bytes *certificates, size_t count,
                                        size_t leaf, struct stk_chain **ret_chain,
                                        struct stk_error *error);

#endif
