/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_MERKLE_H
#define STK_AUDIT_MERKLE_H

#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The Merkle tree over the records that a seal covers: as RFC 9162 section 2.1 builds it with
 * SHA-256, the entries being the records' digests (SHA-256 of the line): a leaf is SHA-256(0x00 ||
 * digest), a node SHA-256(0x01 || left || right). Pure; any thread.
 */

#define STK_MERKLE_DEPTH_MAX 40 /* hashes in a path: trees of up to 2^40 records */

/* A root grown leaf by leaf, in memory that does not grow with the tree. {0} is empty. */
struct stk_merkle {
    uint64_t count;
    uint8_t peaks[STK_MERKLE_DEPTH_MAX][STK_DIGEST_LENGTH]; /* of the complete subtrees, by size */
};

void stk_merkle_add(struct stk_merkle *tree, const uint8_t record_digest[STK_DIGEST_LENGTH]);

/* Of an empty tree: SHA-256 of nothing. */
void stk_merkle_root(const struct stk_merkle *tree, uint8_t ret_root[STK_DIGEST_LENGTH]);

/* The way from a record to the root (RFC 9162 section 2.1.3.1); audit/merkle_whole.h makes it. */
struct stk_merkle_path {
    size_t count;
    uint8_t hashes[STK_MERKLE_DEPTH_MAX][STK_DIGEST_LENGTH];
};

/* Does the path lead from the record to the root (RFC 9162 section 2.1.3.2)? */
bool stk_merkle_path_leads(const struct stk_merkle_path *path,
                           const uint8_t record_digest[STK_DIGEST_LENGTH], uint64_t index,
                           uint64_t count, const uint8_t root[STK_DIGEST_LENGTH]);

/* The hashes that trees are made of, for audit/merkle_whole.h. `ret_node` may be one of the two. */
void stk_merkle_leaf(const uint8_t record_digest[STK_DIGEST_LENGTH],
                     uint8_t ret_leaf[STK_DIGEST_LENGTH]);
void stk_merkle_node(const uint8_t left[STK_DIGEST_LENGTH], const uint8_t right[STK_DIGEST_LENGTH],
                     uint8_t ret_node[STK_DIGEST_LENGTH]);

#endif
