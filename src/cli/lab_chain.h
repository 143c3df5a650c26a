/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_LAB_CHAIN_H
#define STK_CLI_LAB_CHAIN_H

#include "base/buffer.h"
#include "base/secret.h"
#include "cli/lab.h"

/* A laboratory STI-CA as in ATIS-1000080: a root and an intermediate, whose keys live in this
 * process alone. One thread. */
struct stk_lab_ca;

/* INTERNAL, NO_MEMORY. */
enum stirkeep_status stk_lab_ca_new(struct stk_lab_ca **ret_ca, struct stk_error *error);
void stk_lab_ca_free(struct stk_lab_ca *ca); /* NULL is allowed */

/* Append one of its certificates as PEM. */
enum stirkeep_status stk_lab_ca_root_pem(const struct stk_lab_ca *ca, struct stk_buffer *out,
                                         struct stk_error *error);
enum stirkeep_status stk_lab_ca_intermediate_pem(const struct stk_lab_ca *ca,
                                                 struct stk_buffer *out, struct stk_error *error);

/* Issue a certificate with a TNAuthList for a new P-256 key: leaf and intermediate as PEM, and the
 * key as PKCS#8 DER. */
enum stirkeep_status stk_lab_ca_issue(struct stk_lab_ca *ca,
                                      const struct stk_lab_certificate *certificate,
                                      struct stk_buffer *ret_chain, struct stk_secret *ret_key,
                                      struct stk_error *error);

#endif
