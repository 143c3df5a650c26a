/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/seal.h"

#include "audit/checker.h"
#include "audit/form.h"
#include "audit/scan.h"
#include "base/digest.h"
#include "base/encode.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEX(length) (2 * (length) + 1)
#define SIGNED_MAX 512 /* the longest text that is signed, with its end */

void stk_seal_digest(const struct stk_seal *seal, uint8_t ret_digest[STK_DIGEST_LENGTH])
{
    char head[HEX(STK_DIGEST_LENGTH)];
    char root[HEX(STK_DIGEST_LENGTH)];
    char key[HEX(STK_KEY_ID_LENGTH)];
    char text[SIGNED_MAX];
    int length = 0;

    stk_hex_encode(seal->head, sizeof(seal->head), head);
    stk_hex_encode(seal->root, sizeof(seal->root), root);
    stk_hex_encode(seal->key_id.bytes, sizeof(seal->key_id.bytes), key);
    length = snprintf(
        text, sizeof(text), "stirkeep audit seal 1\n%" PRIu64 "\n%" PRIu64 "\n%s\n%s\n%.*s\n%s\n",
        seal->from, seal->through, head, root, (int)sizeof(seal->time) - 1, seal->time, key);
    stk_sha256(text, (size_t)length, ret_digest);
}

static bool quoted_hex(struct stk_scan *scan, uint8_t *ret_data, size_t length)
{
    return STK_SCAN_IS(scan, "\"") && stk_scan_hex(scan, ret_data, length) &&
           STK_SCAN_IS(scan, "\"");
}

static bool quoted_time(struct stk_scan *scan, char ret_time[STK_TIME_TEXT])
{
    const char *time = scan->at + 1;
    int64_t real_us = 0;

    if (!STK_SCAN_IS(scan, "\"") || !stk_scan_time(scan, &real_us) || !STK_SCAN_IS(scan, "\""))
        return false;
    memcpy(ret_time, time, STK_SCAN_TIME_LENGTH);
    ret_time[STK_SCAN_TIME_LENGTH] = '\0';
    return true;
}

bool stk_seal_read(const void *line, size_t length, struct stk_seal *ret_seal)
{
    struct stk_scan scan = {.at = line, .end = (const char *)line + length};
    struct stk_seal seal = {0};
    uint64_t sequence = 0;
    int64_t real_us = 0;

    if (!STK_SCAN_IS(&scan, STK_FORM_SEQ) || !stk_scan_number(&scan, &sequence) ||
        !STK_SCAN_IS(&scan, STK_FORM_TIME) || !stk_scan_time(&scan, &real_us) ||
        !STK_SCAN_IS(&scan, STK_FORM_SEAL_KEY) ||
        !stk_scan_hex(&scan, seal.key_id.bytes, sizeof(seal.key_id.bytes)) ||
        !STK_SCAN_IS(&scan, "\"" STK_FORM_FROM) || !stk_scan_number(&scan, &seal.from) ||
        !STK_SCAN_IS(&scan, STK_FORM_THROUGH) || !stk_scan_number(&scan, &seal.through) ||
        !STK_SCAN_IS(&scan, STK_FORM_HEAD) || !quoted_hex(&scan, seal.head, sizeof(seal.head)) ||
        !STK_SCAN_IS(&scan, STK_FORM_ROOT) || !quoted_hex(&scan, seal.root, sizeof(seal.root)) ||
        !STK_SCAN_IS(&scan, STK_FORM_SEALED) || !quoted_time(&scan, seal.time) ||
        !STK_SCAN_IS(&scan, STK_FORM_SIGNATURE) ||
        !quoted_hex(&scan, seal.signature, sizeof(seal.signature)) ||
        !STK_SCAN_IS(&scan, STK_FORM_PREV))
        return false;
    if (seal.from > seal.through || seal.through >= sequence)
        return false;
    *ret_seal = seal;
    return true;
}

bool stk_seal_signed_by(const struct stk_seal *seal, const uint8_t spki[STK_SPKI_LENGTH])
{
    struct stk_checker checker = {0};
    bool is_signed = stk_checker_make(spki, &checker) && stk_checker_signed(&checker, seal);

    stk_checker_free(&checker);
    return is_signed;
}
