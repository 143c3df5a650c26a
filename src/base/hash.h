/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_HASH_H
#define STK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A hash of a text, for tables in memory alone: quick, and nothing that withstands somebody who
 * looks for collisions. What is found by it has to be compared.
 */
static inline uint64_t stk_hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* The last characters of a text, where names differ most, are the upper bits of a word: two rounds
 * bring them down. */
static inline uint64_t stk_hash_last(uint64_t hash, uint64_t word)
{
    return stk_hash_word(stk_hash_word(hash, word), 0);
}

static inline uint64_t stk_hash(const char *text, size_t length, uint64_t seed)
{
    uint64_t hash = seed ^ length;
    uint64_t word = 0;
    uint32_t half[2] = {0};

    for (size_t i = 0; i + sizeof(word) <= length; i += sizeof(word)) {
        memcpy(&word, text + i, sizeof(word));
        hash = stk_hash_word(hash, word);
    }
    /* The rest with some of what was there already, so that no byte is read by itself. */
    if (length >= sizeof(word)) {
        memcpy(&word, text + length - sizeof(word), sizeof(word));
        return stk_hash_last(hash, word);
    }
    if (length >= sizeof(half[0])) {
        memcpy(&half[0], text, sizeof(half[0]));
        memcpy(&half[1], text + length - sizeof(half[1]), sizeof(half[1]));
        return stk_hash_last(hash, (uint64_t)half[0] << 32 | half[1]);
    }
    if (length > 0)
        word = (uint64_t)(uint8_t)text[0] << 16 | (uint64_t)(uint8_t)text[length / 2] << 8 |
               (uint8_t)text[length - 1];
    return stk_hash_last(hash, word);
}

#endif
