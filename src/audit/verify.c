/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/verify.h"

#include "audit/line.h"
#include "audit/reader.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const char *check(const uint8_t *data, size_t length, bool first, struct stk_chain *chain)
{
    struct stk_line line = {0};
    const char *wrong = stk_line_read(data, length, &line);

    if (wrong != NULL)
        return wrong;
    if (first && line.continues) {
        /* The trail of a file that was taken away goes on here: the link leads to that file. */
        chain->sequence = line.sequence - 1;
        memcpy(chain->digest, line.previous, sizeof(chain->digest));
    }
    return stk_line_follow(&line, chain);
}

enum stirkeep_status stk_trail_verify(int fd, const char *name, uint64_t *ret_records,
                                      struct stk_error *error)
{
    struct stk_reader reader = {.fd = fd, .at = -1};
    struct stk_chain chain = {0};
    enum stk_reader_state state = STK_READER_LINE;
    enum stirkeep_status status = STIRKEEP_OK;
    const char *wrong = NULL;
    const uint8_t *data = NULL;
    size_t length = 0;
    uint64_t records = 0;

    while (wrong == NULL && (state = stk_reader_next(&reader, &data, &length)) == STK_READER_LINE) {
        wrong = check(data, length, records == 0, &chain);
        if (wrong == NULL)
            records++;
    }
    if (state == STK_READER_TORN)
        wrong = "it has no end: it was cut off, or is being written";
    if (state == STK_READER_LONG)
        wrong = "it is longer than any record";
    if (state == STK_READER_ERROR)
        status = stk_error_set(error, STIRKEEP_IO, "%s: %s", name, strerror(errno));
    else if (wrong != NULL)
        status = stk_error_set(error, STIRKEEP_NOT_VERIFIED, "%s: line %" PRIu64 ": %s", name,
                               records + 1, wrong);
    else
        *ret_records = records;
    stk_reader_free(&reader);
    return status;
}
