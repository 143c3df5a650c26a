/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/merkle_whole.h"
#include "base/digest.h"
#include "base/encode.h"
#include <string.h>

#define MOST 300

static uint8_t digests[MOST][STK_DIGEST_LENGTH];

static int make_digests(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOST; i++) {
        uint8_t number[2] = {(uint8_t)i, (uint8_t)(i >> 8)};

        stk_sha256(number, sizeof(number), digests[i]);
    }
    return 0;
}

/* RFC 9162 section 2.1.1, word by word. */
static void root_by_definition(size_t from, size_t count, uint8_t ret_root[STK_DIGEST_LENGTH])
{
    uint8_t both[1 + 2 * STK_DIGEST_LENGTH] = {0};
    size_t left = 1;

    if (count == 0) {
        stk_sha256("", 0, ret_root);
        return;
    }
    if (count == 1) {
        memcpy(both + 1, digests[from], STK_DIGEST_LENGTH);
        stk_sha256(both, 1 + STK_DIGEST_LENGTH, ret_root);
        return;
    }
    while (left * 2 < count)
        left *= 2;
    both[0] = 1;
    root_by_definition(from, left, both + 1);
    root_by_definition(from + left, count - left, both + 1 + STK_DIGEST_LENGTH);
    stk_sha256(both, sizeof(both), ret_root);
}

static void root_of(size_t count, uint8_t ret_root[STK_DIGEST_LENGTH])
{
    struct stk_merkle tree = {0};

    for (size_t i = 0; i < count; i++)
        stk_merkle_add(&tree, digests[i]);
    stk_merkle_root(&tree, ret_root);
}

static void assert_hex(const uint8_t digest[STK_DIGEST_LENGTH], const char *expected)
{
    char hex[2 * STK_DIGEST_LENGTH + 1];

    stk_hex_encode(digest, STK_DIGEST_LENGTH, hex);
    assert_string_equal(hex, expected);
}

/* Constants from another implementation (Python, by the definition). */
static void roots_are_those_that_others_compute(void **state)
{
    static const struct {
        size_t count;
        const char *root;
    } known[] = {{0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                 {1, "d37300dc2c6e038a83ee197ca0e181a77f6875afd9f537d31ca4995876481319"},
                 {2, "04f89961dc9136b6f3c1f7b51a1d4bed9dd47e713b81fd6be8241f72663e992f"},
                 {3, "1a40fb6a7e1fccbe40993b03c1157e2f8e3c4af505db37925f5dc6adb747fb4e"},
                 {7, "f53bb4c774794b67f3c87f3a5c4734ee8e1f193fced013ff8163b8e32ffab32b"},
                 {8, "c734ee60b117aaec6b928afe2bd0f01c6d6dbe1a24e579b6f443c19fa4c404a6"},
                 {300, "57a073f1bb69a0b806cfc1de8445ed8b9816ec90c579f172575f75fd3d1de828"}};
    uint8_t root[STK_DIGEST_LENGTH];
    (void)state;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        root_of(known[i].count, root);
        assert_hex(root, known[i].root);
    }
}

static void a_root_grown_leaf_by_leaf_is_the_one_of_the_definition(void **state)
{
    uint8_t expected[STK_DIGEST_LENGTH];
    uint8_t root[STK_DIGEST_LENGTH];
    (void)state;

    for (size_t count = 0; count <= MOST; count++) {
        root_of(count, root);
        root_by_definition(0, count, expected);
        assert_memory_equal(root, expected, sizeof(root));
    }
}

static void make_path(size_t count, size_t index, struct stk_merkle_path *ret_path)
{
    struct stk_merkle_whole whole = {0};

    assert_true(stk_merkle_whole_make(count, &whole));
    for (size_t i = 0; i < count; i++)
        stk_merkle_whole_leaf(&whole, i, digests[i]);
    stk_merkle_whole_finish(&whole);
    stk_merkle_whole_path(&whole, index, ret_path);
    stk_merkle_whole_free(&whole);
    assert_null(whole.nodes);
}

static void a_path_is_the_one_that_others_compute(void **state)
{
    struct stk_merkle_path path = {0};
    (void)state;

    make_path(7, 4, &path);
    assert_int_equal(path.count, 3);
    assert_hex(path.hashes[0], "2f9b79420be3766ccdc1653149752dba6010f078602c505280f4ccb2183e6e06");
    assert_hex(path.hashes[1], "e9e8ded6393fb2d3d14d08e72683635f757e4267905c9d3f79d8953d482f6736");
    assert_hex(path.hashes[2], "7b6c3f3fa8959bcdb5c11827fa0c0eb998d5fd816d41b3e1a31757dfcf5b05ae");
}

static void the_path_of_each_record_leads_to_the_root_and_no_other_does(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 70; count++) {
        uint8_t root[STK_DIGEST_LENGTH];

        root_of(count, root);
        for (size_t index = 0; index < count; index++) {
            struct stk_merkle_path path = {0};

            make_path(count, index, &path);
            assert_true(stk_merkle_path_leads(&path, digests[index], index, count, root));
            assert_false(stk_merkle_path_leads(&path, digests[index + 1], index, count, root));
            assert_false(stk_merkle_path_leads(&path, digests[index], index ^ 1, count, root));
            for (size_t i = 0; i < path.count; i++) {
                path.hashes[i][i % STK_DIGEST_LENGTH] ^= 0x40;
                assert_false(stk_merkle_path_leads(&path, digests[index], index, count, root));
                path.hashes[i][i % STK_DIGEST_LENGTH] ^= 0x40;
            }
            path.count++;
            assert_false(stk_merkle_path_leads(&path, digests[index], index, count, root));
            if (path.count >= 2) {
                path.count -= 2;
                assert_false(stk_merkle_path_leads(&path, digests[index], index, count, root));
            }
        }
    }
}

static void a_record_outside_of_the_tree_has_no_path(void **state)
{
    struct stk_merkle_path path = {0};
    uint8_t root[STK_DIGEST_LENGTH];
    (void)state;

    root_of(1, root);
    assert_true(stk_merkle_path_leads(&path, digests[0], 0, 1, root));
    assert_false(stk_merkle_path_leads(&path, digests[0], 0, 0, root));
    assert_false(stk_merkle_path_leads(&path, digests[0], 1, 1, root));
    assert_false(stk_merkle_path_leads(&path, digests[0], UINT64_MAX, UINT64_MAX, root));
    path.count = STK_MERKLE_DEPTH_MAX + 1;
    assert_false(stk_merkle_path_leads(&path, digests[0], 0, 1, root));
    path.count = SIZE_MAX;
    assert_false(stk_merkle_path_leads(&path, digests[0], 0, 1, root));
}

/* An inner node taken for a record: the first byte that is hashed tells them apart. */
static void a_node_is_no_leaf(void **state)
{
    uint8_t leaves[2 * STK_DIGEST_LENGTH];
    uint8_t node_as_entry[STK_DIGEST_LENGTH];
    uint8_t root[STK_DIGEST_LENGTH];
    struct stk_merkle_path path = {0};
    (void)state;

    root_of(2, root);
    memcpy(leaves, digests[0], STK_DIGEST_LENGTH);
    memcpy(leaves + STK_DIGEST_LENGTH, digests[1], STK_DIGEST_LENGTH);
    stk_sha256(leaves, sizeof(leaves), node_as_entry);
    assert_false(stk_merkle_path_leads(&path, node_as_entry, 0, 1, root));
    assert_false(stk_merkle_path_leads(&path, root, 0, 1, root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_that_others_compute),
        cmocka_unit_test(a_root_grown_leaf_by_leaf_is_the_one_of_the_definition),
        cmocka_unit_test(a_path_is_the_one_that_others_compute),
        cmocka_unit_test(the_path_of_each_record_leads_to_the_root_and_no_other_does),
        cmocka_unit_test(a_record_outside_of_the_tree_has_no_path),
        cmocka_unit_test(a_node_is_no_leaf),
    };

    return cmocka_run_group_tests(tests, make_digests, NULL);
}
