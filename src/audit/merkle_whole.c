/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/merkle_whole.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * Nodes are joined in pairs from the left, and one that is left over goes up as it is: that is the
 * tree of RFC 9162, whose left half is the largest complete one that there can be.
 */

static uint64_t above(uint64_t count)
{
    return count / 2 + count % 2;
}

static uint64_t nodes_of(uint64_t count)
{
    uint64_t nodes = count;

    for (; count > 1; nodes += count)
        count = above(count);
    return nodes;
}

bool stk_merkle_whole_make(uint64_t count, struct stk_merkle_whole *ret_whole)
{
    struct stk_merkle_whole whole = {.count = count};

    assert(count > 0 && count >> STK_MERKLE_DEPTH_MAX == 0);
    whole.nodes = calloc(nodes_of(count), sizeof(*whole.nodes));
    if (whole.nodes == NULL)
        return false;
    *ret_whole = whole;
    return true;
}

void stk_merkle_whole_free(struct stk_merkle_whole *whole)
{
    free(whole->nodes);
    *whole = (struct stk_merkle_whole){0};
}

void stk_merkle_whole_leaf(struct stk_merkle_whole *whole, uint64_t index,
                           const uint8_t record_digest[STK_DIGEST_LENGTH])
{
    assert(index < whole->count);
    stk_merkle_leaf(record_digest, whole->nodes[index]);
}

void stk_merkle_whole_finish(struct stk_merkle_whole *whole)
{
    uint8_t(*level)[STK_DIGEST_LENGTH] = whole->nodes;

    for (uint64_t count = whole->count; count > 1; count = above(count)) {
        uint8_t(*next)[STK_DIGEST_LENGTH] = level + count;

        for (uint64_t i = 0; i < count / 2; i++)
            stk_merkle_node(level[2 * i], level[2 * i + 1], next[i]);
        if (count % 2 != 0)
            memcpy(next[count / 2], level[count - 1], STK_DIGEST_LENGTH);
        level = next;
    }
}

void stk_merkle_whole_path(const struct stk_merkle_whole *whole, uint64_t index,
                           struct stk_merkle_path *ret_path)
{
    const uint8_t(*level)[STK_DIGEST_LENGTH] = (const uint8_t(*)[STK_DIGEST_LENGTH])whole->nodes;
    struct stk_merkle_path path = {0};

    assert(index < whole->count);
    for (uint64_t count = whole->count; count > 1; count = above(count)) {
        uint64_t other = index ^ 1;

        if (other < count)
            memcpy(path.hashes[path.count++], level[other], STK_DIGEST_LENGTH);
        level += count;
        index /= 2;
    }
    *ret_path = path;
}
