/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_MERKLE_WHOLE_H
#define STK_AUDIT_MERKLE_WHOLE_H

#include "audit/merkle.h"

/*
 * All nodes of a tree (audit/merkle.h), 64 bytes a record, out of which the path of any record is
 * read. {0} holds nothing. One thread while it is made; then any.
 */
struct stk_merkle_whole {
    uint64_t count;                      /* records; 0: nothing is held */
    uint8_t (*nodes)[STK_DIGEST_LENGTH]; /* level by level, leaves first */
};

/* Room for a tree of `count` records, 1 at least. False without memory. */
bool stk_merkle_whole_make(uint64_t count, struct stk_merkle_whole *ret_whole);
void stk_merkle_whole_free(struct stk_merkle_whole *whole);

/* Record `index`; then, when all are there, the nodes above them. */
void stk_merkle_whole_leaf(struct stk_merkle_whole *whole, uint64_t index,
                           const uint8_t record_digest[STK_DIGEST_LENGTH]);
void stk_merkle_whole_finish(struct stk_merkle_whole *whole);

/* The way from record `index` to the root (RFC 9162 section 2.1.3.1). */
void stk_merkle_whole_path(const struct stk_merkle_whole *whole, uint64_t index,
                           struct stk_merkle_path *ret_path);

#endif
