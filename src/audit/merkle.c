/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/merkle.h"

#include "base/digest.h"
#include <assert.h>
#include <string.h>

#define LEAF 0x00
#define NODE 0x01

void stk_merkle_leaf(const uint8_t record_digest[STK_DIGEST_LENGTH],
                     uint8_t ret_leaf[STK_DIGEST_LENGTH])
{
    uint8_t entry[1 + STK_DIGEST_LENGTH] = {LEAF};

    memcpy(entry + 1, record_digest, STK_DIGEST_LENGTH);
    stk_sha256(entry, sizeof(entry), ret_leaf);
}

void stk_merkle_node(const uint8_t left[STK_DIGEST_LENGTH], const uint8_t right[STK_DIGEST_LENGTH],
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

    stk_merkle_leaf(record_digest, hash);
    for (; (tree->count >> level & 1) != 0; level++)
        stk_merkle_node(tree->peaks[level], hash, hash);
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
            stk_merkle_node(tree->peaks[level], root, root);
        else
            memcpy(root, tree->peaks[level], sizeof(root));
        begun = true;
    }
    memcpy(ret_root, root, sizeof(root));
}

bool stk_merkle_path_leads(const struct stk_merkle_path *path,
                           const uint8_t record_digest[STK_DIGEST_LENGTH], uint64_t index,
                           uint64_t count, const uint8_t root[STK_DIGEST_LENGTH])
{
    uint8_t hash[STK_DIGEST_LENGTH];
    uint64_t last = count - 1;

    if (index >= count || path->count > STK_MERKLE_DEPTH_MAX)
        return false;
    stk_merkle_leaf(record_digest, hash);
    for (size_t i = 0; i < path->count; i++) {
        if (last == 0)
            return false;
        if ((index & 1) != 0 || index == last) {
            stk_merkle_node(path->hashes[i], hash, hash);
            while ((index & 1) == 0 && index != 0) {
                index >>= 1;
                last >>= 1;
            }
        } else {
            stk_merkle_node(hash, path->hashes[i], hash);
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(hash, root, sizeof(hash)) == 0;
}
