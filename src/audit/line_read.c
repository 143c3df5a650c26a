/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/form.h"
#include "audit/line.h"
#include "audit/pass.h"
#include "audit/scan.h"
#include <string.h>

/* Where the last two members begin, from the line's end. */
#define SUM_AT                                                                                     \
    (STK_FORM_LENGTH(STK_FORM_SUM) + 2 * STK_LINE_SUM_LENGTH + STK_FORM_LENGTH(STK_FORM_END))
#define PREV_AT (SUM_AT + 2 * STK_DIGEST_LENGTH + STK_FORM_LENGTH(STK_FORM_PREV))

static bool end_of(const char *data, size_t length, uint8_t ret_previous[STK_DIGEST_LENGTH],
                   uint8_t ret_sum[STK_LINE_SUM_LENGTH])
{
    struct stk_scan scan = {.at = data + length - PREV_AT, .end = data + length};

    return STK_SCAN_IS(&scan, STK_FORM_PREV) &&
           stk_scan_hex(&scan, ret_previous, STK_DIGEST_LENGTH) &&
           STK_SCAN_IS(&scan, STK_FORM_SUM) && stk_scan_hex(&scan, ret_sum, STK_LINE_SUM_LENGTH) &&
           STK_SCAN_IS(&scan, STK_FORM_END);
}

/* Number and time, up to the quote that ends the time; the time is not looked into. */
static bool start_of(struct stk_scan *scan, uint64_t *ret_sequence)
{
    if (!STK_SCAN_IS(scan, STK_FORM_SEQ) || !stk_scan_number(scan, ret_sequence) ||
        !STK_SCAN_IS(scan, STK_FORM_TIME) || scan->end - scan->at < STK_SCAN_TIME_LENGTH)
        return false;
    scan->at += STK_SCAN_TIME_LENGTH;
    return scan->at[-1] == 'Z';
}

static bool acts(const struct stk_scan *scan, const char *form, size_t length)
{
    struct stk_scan copy = *scan;

    return stk_scan_bytes(&copy, form, length);
}

#define ACTS(scan, form) acts((scan), (form), STK_FORM_LENGTH(form))

const char *stk_line_read(const void *data, size_t length, struct stk_line *ret_line)
{
    const char *text = data;
    struct stk_scan scan = {.at = text, .end = text + length};
    struct stk_line line = {0};
    uint8_t sum[STK_LINE_SUM_LENGTH];
    uint8_t digest[STK_DIGEST_LENGTH];
    size_t summed = 0;

    if (length < PREV_AT || !end_of(text, length, line.previous, sum))
        return "it does not end like a record";
    summed = length - SUM_AT + 1;
    stk_pass_begin(data, summed, digest);
    if (memcmp(sum, digest, sizeof(sum)) != 0)
        return "its sum does not match: it was changed";
    if (!start_of(&scan, &line.sequence) || !ACTS(&scan, STK_FORM_ACT))
        return "it does not begin like a record";
    line.continues = ACTS(&scan, STK_FORM_ACT "continue\",");
    line.seals = ACTS(&scan, STK_FORM_SEAL);
    stk_pass_end(text + summed, length - summed, line.digest);
    *ret_line = line;
    return NULL;
}

bool stk_line_begins(const void *data, size_t length, struct stk_line_start *ret_start)
{
    const char *text = data;
    struct stk_scan scan = {.at = text, .end = text + length};
    struct stk_line_start start = {0};
    struct stk_scan time = scan;

    if (!start_of(&scan, &start.sequence) || !ACTS(&scan, STK_FORM_ACT))
        return false;
    time.at = scan.at - STK_SCAN_TIME_LENGTH;
    if (!stk_scan_time(&time, &start.real_us))
        return false;
    start.seals = ACTS(&scan, STK_FORM_SEAL);
    *ret_start = start;
    return true;
}

const char *stk_line_follow(const struct stk_line *line, struct stk_chain *chain)
{
    if (line->sequence != chain->sequence + 1)
        return "its number does not follow the line before: lines are missing or added";
    if (memcmp(line->previous, chain->digest, sizeof(line->previous)) != 0)
        return "it is not chained to the line before, which was changed or replaced";
    chain->sequence = line->sequence;
    memcpy(chain->digest, line->digest, sizeof(chain->digest));
    return NULL;
}
