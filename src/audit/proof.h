/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_PROOF_H
#define STK_AUDIT_PROOF_H

#include "audit/merkle.h"
#include "audit/seal.h"
#include "base/buffer.h"
#include "base/bytes.h"

/*
 * Proof that one record is in a trail, without the trail: its line, the way to the root of the tree
 * it is in, and the seal that signs this root. As one JSON object (docs/AUDIT.md "Proofs"):
 *
 *   {"stirkeep-audit-proof":1,"record":"<line>","path":["<64 hex>",...],"seal":"<line of the seal>"}
 *
 * Both lines are strings that hold the lines byte by byte, so that their digests can be computed by
 * anybody. A proof is below 2 KiB beside its record. Any thread.
 */
#define STK_PROOF_FORM "stirkeep-audit-proof"
#define STK_PROOF_MAX ((size_t)4 * 1024 * 1024) /* bytes of a proof that is read */

struct stk_proof {
    struct stk_buffer record; /* line without newline */
    struct stk_buffer seal_line;
    struct stk_seal seal; /* read out of seal_line */
    uint64_t sequence;    /* read out of record */
    struct stk_merkle_path path;
};

/* Append as JSON with a newline. On failure `out` is as it was: INVALID (a line is no UTF-8, which
 * no trail's is), NO_MEMORY, TOO_LARGE. */
enum stirkeep_status stk_proof_write(struct stk_bytes record, const struct stk_merkle_path *path,
                                     struct stk_bytes seal_line, struct stk_buffer *out);

/* INVALID with what is not as it should be; `name` is for messages. After OK, free it; else it is
 * untouched. NO_MEMORY. */
enum stirkeep_status stk_proof_read(const void *data, size_t length, const char *name,
                                    struct stk_proof *ret_proof, struct stk_error *error);
void stk_proof_free(struct stk_proof *proof);

/*
 * Is the record whole, does the path lead from it to the seal's root, and is the seal signed by one
 * of the keys? NOT_VERIFIED says which of them is not. With no keys: NOT_VERIFIED too; a proof
 * without the signature proves nothing.
 */
enum stirkeep_status stk_proof_check(const struct stk_proof *proof,
                                     const uint8_t (*keys)[STK_SPKI_LENGTH], size_t key_count,
                                     const char *name, struct stk_error *error);

#endif
