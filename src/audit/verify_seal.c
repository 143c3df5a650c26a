/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/merkle.h"
#include "audit/trail.h"
#include "audit/verifier.h"
#include "base/encode.h"
#include <inttypes.h>
#include <string.h>

#define KEY_SHOWN 8 /* bytes of a key's id in a message */

/* Signed by one of the keys, if there are any? */
static bool is_signed(const struct stk_verifier *verifier, const struct stk_seal *seal)
{
    for (size_t i = 0; i < verifier->key_count; i++)
        if (stk_checker_signed(&verifier->keys[i], seal))
            return true;
    return verifier->key_count == 0;
}

static bool is_known_key(const struct stk_verifier *verifier, const struct stk_key_id *key_id)
{
    for (size_t i = 0; i < verifier->key_count; i++)
        if (memcmp(verifier->keys[i].key_id.bytes, key_id->bytes, sizeof(key_id->bytes)) == 0)
            return true;
    return false;
}

static enum stirkeep_status check_signature(const struct stk_verifier *verifier,
                                            const struct stk_seal *seal, struct stk_error *error)
{
    char key[2 * KEY_SHOWN + 1];

    if (is_signed(verifier, seal))
        return STIRKEEP_OK;
    stk_hex_encode(seal->key_id.bytes, KEY_SHOWN, key);
    if (is_known_key(verifier, &seal->key_id))
        return stk_verifier_wrong(verifier, verifier->chain.sequence, error,
                                  "the seal's signature is not by its audit key %s...: it is "
                                  "forged, or was changed",
                                  key);
    return stk_verifier_wrong(verifier, verifier->chain.sequence, error,
                              "the seal is by key %s..., which is none of those given", key);
}

/* Are those covered ones that a seal may cover? */
static enum stirkeep_status check_extent(const struct stk_verifier *verifier,
                                         const struct stk_seal *seal, struct stk_error *error)
{
    uint64_t self = verifier->chain.sequence;

    if (seal->through - seal->from >= STK_SEAL_RECORDS_MAX ||
        self - seal->through > STK_SEAL_RECORDS_MAX)
        return stk_verifier_wrong(verifier, self, error,
                                  "the seal covers records %" PRIu64 " to %" PRIu64
                                  ", more or farther back than a seal does",
                                  seal->from, seal->through);
    if (seal->from <= verifier->through)
        return stk_verifier_wrong(verifier, self, error,
                                  "the seal covers record %" PRIu64
                                  ", which the seal before it covers already",
                                  seal->from);
    return STIRKEEP_OK;
}

/* The digest that a record had, or the one before the first; NULL: the record was not given. */
static const uint8_t *digest_of(const struct stk_verifier *verifier, uint64_t sequence)
{
    const struct stk_window_entry *entry = stk_window_at(&verifier->window, sequence);

    if (entry != NULL)
        return entry->digest;
    return sequence == verifier->verdict.first - 1 ? verifier->before : NULL;
}

/* Are the digests of all records in its tree known? */
static bool has_tree(const struct stk_verifier *verifier, const struct stk_seal *seal)
{
    return seal->from + 1 >= verifier->verdict.first;
}

static bool has_root(const struct stk_verifier *verifier, const struct stk_seal *seal)
{
    struct stk_merkle tree = {0};
    uint8_t root[STK_DIGEST_LENGTH];

    for (uint64_t at = seal->from; at <= seal->through; at++)
        stk_merkle_add(&tree, digest_of(verifier, at));
    stk_merkle_root(&tree, root);
    return memcmp(root, seal->root, sizeof(root)) == 0;
}

static enum stirkeep_status check_content(const struct stk_verifier *verifier,
                                          const struct stk_seal *seal, struct stk_error *error)
{
    const uint8_t *head = digest_of(verifier, seal->through);
    uint64_t self = verifier->chain.sequence;

    if (head != NULL && memcmp(head, seal->head, sizeof(seal->head)) != 0)
        return stk_verifier_wrong(verifier, self, error,
                                  "the seal is not over record %" PRIu64
                                  " as it is now: that one or others since record %" PRIu64
                                  " were changed, put in or taken out",
                                  seal->through, verifier->through + 1);
    if (has_tree(verifier, seal) && !has_root(verifier, seal))
        return stk_verifier_wrong(verifier, self, error,
                                  "the seal's tree is not that of records %" PRIu64 " to %" PRIu64,
                                  seal->from, seal->through);
    return STIRKEEP_OK;
}

static void count(struct stk_verifier *verifier, const struct stk_seal *seal)
{
    struct stk_verdict *verdict = &verifier->verdict;
    uint64_t next = verdict->sealed != 0 ? verdict->sealed + 1 : verdict->first;

    verdict->seals++;
    verifier->through = seal->through;
    if (seal->through < verdict->first)
        return;
    if (!has_tree(verifier, seal))
        verdict->uncovered += seal->through - next + 1;
    else if (seal->from > next)
        verdict->uncovered += seal->from - next;
    verdict->sealed = seal->through;
}

enum stirkeep_status stk_verifier_seal(struct stk_verifier *verifier, const void *data,
                                       size_t length, struct stk_seal *seal,
                                       struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_seal_read(data, length, seal))
        return stk_verifier_wrong(verifier, verifier->chain.sequence, error,
                                  "it is no seal as one is written");
    status = check_extent(verifier, seal, error);
    if (status == STIRKEEP_OK)
        status = check_content(verifier, seal, error);
    if (status == STIRKEEP_OK)
        status = check_signature(verifier, seal, error);
    if (status == STIRKEEP_OK) {
        count(verifier, seal);
        verifier->seal = seal;
    }
    return status;
}

void stk_verifier_seal_done(struct stk_verifier *verifier)
{
    if (verifier->seal == NULL)
        return;
    stk_window_drop_through(&verifier->window, verifier->seal->through);
    stk_merkle_whole_free(&verifier->whole);
    verifier->seal = NULL;
}

static bool grow_whole(struct stk_verifier *verifier, const struct stk_seal *seal)
{
    struct stk_merkle_whole *whole = &verifier->whole;

    if (whole->count > 0)
        return true;
    if (!stk_merkle_whole_make(seal->through - seal->from + 1, whole))
        return false;
    for (uint64_t at = seal->from; at <= seal->through; at++)
        stk_merkle_whole_leaf(whole, at - seal->from, digest_of(verifier, at));
    stk_merkle_whole_finish(whole);
    return true;
}

bool stk_verifier_path(struct stk_verifier *verifier, uint64_t sequence,
                       struct stk_merkle_path *ret_path)
{
    const struct stk_seal *seal = verifier->seal;

    if (seal == NULL || sequence < seal->from || sequence > seal->through ||
        sequence < verifier->verdict.first || !has_tree(verifier, seal) ||
        !grow_whole(verifier, seal))
        return false;
    stk_merkle_whole_path(&verifier->whole, sequence - seal->from, ret_path);
    return true;
}

/* Before a trail is accused, is the witness's seal a real one? */
static enum stirkeep_status forged_witness(const struct stk_seal *seal, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                         "the witness's seal through record %" PRIu64
                         " is not by an audit key that was given",
                         seal->through);
}

enum stirkeep_status stk_verifier_witness(struct stk_verifier *verifier, struct stk_error *error)
{
    const struct stk_chain *chain = &verifier->chain;

    for (; verifier->witnessed < verifier->witness_count; verifier->witnessed++) {
        const struct stk_seal *seal = &verifier->witness[verifier->witnessed];
        bool is_before = seal->through == verifier->verdict.first - 1;
        const uint8_t *digest = is_before ? verifier->before : chain->digest;

        if (seal->through > chain->sequence)
            break;
        if (seal->through != chain->sequence && !is_before) {
            verifier->verdict.unwitnessed++;
            continue;
        }
        verifier->verdict.witnessed++;
        if (memcmp(digest, seal->head, sizeof(seal->head)) == 0)
            continue;
        if (!is_signed(verifier, seal))
            return forged_witness(seal, error);
        return stk_verifier_wrong(verifier, seal->through, error,
                                  "it is not the record that the witness has seen sealed at %s: "
                                  "the trail was written anew up to here, or put back",
                                  seal->time);
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_verifier_witness_end(struct stk_verifier *verifier,
                                              struct stk_error *error)
{
    for (; verifier->witnessed < verifier->witness_count; verifier->witnessed++) {
        const struct stk_seal *seal = &verifier->witness[verifier->witnessed];

        if (!is_signed(verifier, seal))
            return forged_witness(seal, error);
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "the trail ends with record %" PRIu64
                             ", but the witness has seen record %" PRIu64
                             " sealed at %s: it was cut off, or is an old copy",
                             verifier->chain.sequence, seal->through, seal->time);
    }
    /* Whoever begins a trail of their own behind all that the witness has seen is not found by it. */
    if (verifier->witness_count > 0 && verifier->verdict.witnessed == 0)
        return stk_error_set(
            error, STIRKEEP_NOT_VERIFIED,
            "the witness shows nothing of what was given: it has seen sealed "
            "through record %" PRIu64 ", and the first one given is record %" PRIu64,
            verifier->witness[verifier->witness_count - 1].through, verifier->verdict.first);
    return STIRKEEP_OK;
}
