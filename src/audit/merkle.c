/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/merkle.h"

#include "base/digest.h"
#include <assert.h>
#include <string.h>

#define LEAF 0x00
#define NODE 0x01

static void leaf_of(const uint8_t record_digest[STK_DIGEST_LENGTH],
                    uint8_t ret_leaf[STK_DIGEST_LENGTH])
{
    uint8_t entry[1 + STK_DIGEST_LENGTH] = {LEAF};

    memcpy(entry + 1, record_digest, STK_DIGEST_LENGTH);
    stk_sha256(entry, sizeof(entry), ret_leaf);
}

/* `ret_node` may be one of the two. */
static void node_of(const uint8_t left[STK_DIGEST_LENGTH], const uint8_t right[STK_DIGEST_LENGTH],
                    uint8_t ret_node[STK_DIGEST_LENGTH])
{
    uint8_t both[1 + 2 * STK_DIGEST_LENGTH] = {NODE};

    memcpy(both + 1, left, STK_DIGEST_LENGTH);
    memcpy(both + 1 + STK_DIGEST_LENGTH, right, STK_DIGEST_LENGTH);
    stk_sha256(both, sizeof(both), ret_node);
}

void stk_merkle_add(struct stk_merkle *tree, const uint8_t record_digest[STK_DIGEST_LENGTH])
{
    uint8_t hash[STK_DIGEST_LENGTH];
    size_t level = 0;

    leaf_of(record_digest, hash);
    for (; (tree->count >> level & 1) != 0; level++)
        node_of(tree->peaks[level], hash, hash);
    assert(level < STK_MERKLE_DEPTH_MAX);
    memcpy(tree->peaks[level], hash, sizeof(hash));
    tree->count++;
}

void stk_merkle_root(const struct stk_merkle *tree, uint8_t ret_root[STK_DIGEST_LENGTH])
{
    uint8_t root[STK_DIGEST_LENGTH];
    bool begun = false;

    stk_sha256("", 0, root);
    for (size_t level = 0; level < STK_MERKLE_DEPTH_MAX; level++) {
        if ((tree->count >> level & 1) == 0)
            continue;
        if (begun)
            node_of(tree->peaks[level], root, root);
        else
            memcpy(root, tree->peaks[level], sizeof(root));
        begun = true;
    }
    memcpy(ret_root, root, sizeof(root));
}

static void root_of(const uint8_t (*digests)[STK_DIGEST_LENGTH], uint64_t count,
                    uint8_t ret_root[STK_DIGEST_LENGTH])
{
    struct stk_merkle tree = {0};

    for (uint64_t i = 0; i < count; i++)
        stk_merkle_add(&tree, digests[i]);
    stk_merkle_root(&tree, ret_root);
}

/* The largest power of two that is smaller than `count`, which is 2 at least. */
static uint64_t split(uint64_t count)
{
    uint64_t power = 1;

    while (power < count - power)
        power *= 2;
    return power;
}

void stk_merkle_path_make(const uint8_t (*digests)[STK_DIGEST_LENGTH], uint64_t count,
                          uint64_t index, struct stk_merkle_path *ret_path)
{
    struct stk_merkle_path down = {0}; /* from the root to the record */

    assert(index < count && count >> STK_MERKLE_DEPTH_MAX == 0);
    while (count > 1) {
        uint64_t left = split(count);

        if (index < left) {
            root_of(digests + left, count - left, down.hashes[down.count++]);
            count = left;
        } else {
            root_of(digests, left, down.hashes[down.count++]);
            digests += left;
            index -= left;
            count -= left;
        }
    }
    *ret_path = (struct stk_merkle_path){.count = down.count};
    for (size_t i = 0; i < down.count; i++)
        memcpy(ret_path->hashes[i], down.hashes[down.count - 1 - i], STK_DIGEST_LENGTH);
}

bool stk_merkle_path_leads(const struct stk_merkle_path *path,
                           const uint8_t record_digest[STK_DIGEST_LENGTH], uint64_t index,
                           uint64_t count, const uint8_t root[STK_DIGEST_LENGTH])
{
    uint8_t hash[STK_DIGEST_LENGTH];
    uint64_t last = count - 1;

    if (index >= count || path->count > STK_MERKLE_DEPTH_MAX)
        return false;
    leaf_of(record_digest, hash);
    for (size_t i = 0; i < path->count; i++) {
        if (last == 0)
            return false;
        if ((index & 1) != 0 || index == last) {
            node_of(path->hashes[i], hash, hash);
            while ((index & 1) == 0 && index != 0) {
                index >>= 1;
                last >>= 1;
            }
        } else {
            node_of(hash, path->hashes[i], hash);
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(hash, root, sizeof(hash)) == 0;
}
