/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/number_hash.h"

#include "base/digest.h"
#include "base/encode.h"
#include "model/tn.h"
#include <openssl/crypto.h>
#include <stdbool.h>
#include <string.h>

#define PREFIX "h:"
#define SHOWN 16       /* bytes of the HMAC */
#define DIGITS_SHOWN 3 /* more of them in a row may be of a number */
#define HIDDEN "..."

enum stirkeep_status stk_number_key_make(const void *data, size_t length,
                                         struct stk_number_key *ret_key, struct stk_error *error)
{
    uint8_t block[STK_NUMBER_KEY_BLOCK] = {0};

    if (length < STK_NUMBER_KEY_MIN || length > STK_NUMBER_KEY_MAX)
        return stk_error_set(error, STIRKEEP_INVALID, "%zu bytes: a key for numbers has %d to %d",
                             length, STK_NUMBER_KEY_MIN, STK_NUMBER_KEY_MAX);
    if (length <= sizeof(block))
        memcpy(block, data, length);
    else
        stk_sha256(data, length, block);
    for (size_t i = 0; i < sizeof(block); i++) {
        ret_key->inner[i] = block[i] ^ 0x36;
        ret_key->outer[i] = block[i] ^ 0x5c;
    }
    OPENSSL_cleanse(block, sizeof(block));
    return STIRKEEP_OK;
}

void stk_number_hash(const struct stk_number_key *key, const char *text,
                     char ret_text[STK_NUMBER_HASH_TEXT])
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct stk_tn tn = {0};

    ret_text[0] = '\0';
    if (text == NULL || text[0] == '\0')
        return;
    if (stk_tn_parse(text, "", &tn, NULL) == STIRKEEP_OK)
        text = tn.text;
    stk_sha256_two(key->inner, sizeof(key->inner), text, strlen(text), digest);
    stk_sha256_two(key->outer, sizeof(key->outer), digest, sizeof(digest), digest);
    memcpy(ret_text, PREFIX, sizeof(PREFIX));
    stk_hex_encode(digest, SHOWN, ret_text + sizeof(PREFIX) - 1);
}

/* ---- sentences */

/* What is being written, and whether it had room so far. */
struct writing {
    char *text;
    size_t size;
    size_t length;
};

static void write_part(struct writing *writing, const char *part, size_t length)
{
    if (length > writing->size - 1 - writing->length)
        length = writing->size - 1 - writing->length;
    memcpy(writing->text + writing->length, part, length);
    writing->length += length;
}

static bool is_address(const char *word, size_t length)
{
    return memchr(word, '@', length) != NULL ||
           (length > 0 && memchr(word, ':', length - 1) != NULL);
}

/* What a number stands behind in a reason: then a short one is a number as well, 911 say. */
static bool announces(const char *word, size_t length)
{
    static const char *const words[] = {"orig", "dest", "div", "for"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == length && memcmp(words[i], word, length) == 0)
            return true;
    return false;
}

/* `shown`: so many digits in a row stay. */
static void write_word(struct writing *writing, const char *word, size_t length, size_t shown)
{
    static const char digits[] = "0123456789*#";
    size_t at = 0;

    if (is_address(word, length)) {
        write_part(writing, HIDDEN, sizeof(HIDDEN) - 1);
        return;
    }
    while (at < length) {
        size_t run = strspn(word + at, digits);

        if (run > length - at)
            run = length - at;
        if (run > shown)
            write_part(writing, HIDDEN, sizeof(HIDDEN) - 1);
        else
            write_part(writing, word + at, run > 0 ? run : 1);
        at += run > 0 ? run : 1;
    }
}

void stk_number_hide(const char *sentence, char *ret_text, size_t size)
{
    struct writing writing = {.text = ret_text, .size = size};
    size_t shown = DIGITS_SHOWN;

    while (*sentence != '\0') {
        size_t length = strcspn(sentence, " \"");

        write_word(&writing, sentence, length, shown);
        shown = announces(sentence, length) ? 0 : DIGITS_SHOWN;
        sentence += length;
        if (*sentence == '"') {
            const char *end = strchr(sentence + 1, '"');

            write_part(&writing, HIDDEN, sizeof(HIDDEN) - 1);
            sentence = end == NULL ? sentence + strlen(sentence) : end + 1;
        } else if (*sentence == ' ') {
            write_part(&writing, sentence++, 1);
        }
    }
    ret_text[writing.length] = '\0';
}
