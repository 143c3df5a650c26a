/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/line.h"
#include "audit/reader.h"
#include "audit/verify.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct seals {
    struct stk_seal *items;
    size_t count;
    size_t room;
};

static enum stirkeep_status add(struct seals *seals, const struct stk_seal *seal)
{
    size_t room = seals->room > 0 ? seals->room * 2 : 64;
    struct stk_seal *items = NULL;

    if (seals->count == STK_WITNESS_MAX)
        return STIRKEEP_TOO_LARGE;
    if (seals->count == seals->room) {
        items = reallocarray(seals->items, room, sizeof(*items));
        if (items == NULL)
            return STIRKEEP_NO_MEMORY;
        seals->items = items;
        seals->room = room;
    }
    seals->items[seals->count++] = *seal;
    return STIRKEEP_OK;
}

static bool is_seal(const uint8_t *data, size_t length, struct stk_seal *ret_seal)
{
    struct stk_line line = {0};

    return stk_line_read(data, length, &line) == NULL && line.seals &&
           stk_seal_read(data, length, ret_seal);
}

enum stirkeep_status stk_witness_read(int fd, const char *name, struct stk_seal **ret_seals,
                                      size_t *ret_count, size_t *ret_passed_over,
                                      struct stk_error *error)
{
    struct stk_reader reader = {.fd = fd, .at = -1, .may_be_packed = true};
    enum stk_reader_state state = STK_READER_LINE;
    enum stirkeep_status status = STIRKEEP_OK;
    struct seals seals = {0};
    size_t passed_over = 0;
    const uint8_t *data = NULL;
    size_t length = 0;

    while (status == STIRKEEP_OK &&
           (state = stk_reader_next(&reader, &data, &length)) == STK_READER_LINE) {
        struct stk_seal seal = {0};

        if (is_seal(data, length, &seal))
            status = add(&seals, &seal);
        else
            passed_over++;
    }
    if (status != STIRKEEP_OK)
        stk_error_set(error, status, "%s: %s", name,
                      status == STIRKEEP_NO_MEMORY ? "out of memory" : "too many seals");
    else if (state == STK_READER_ERROR || state == STK_READER_DAMAGED || state == STK_READER_LONG)
        status = stk_error_set(error, STIRKEEP_IO, "%s: %s", name,
                               state == STK_READER_ERROR     ? strerror(errno)
                               : state == STK_READER_DAMAGED ? reader.why
                                                             : "a line is too long");
    passed_over += state == STK_READER_TORN;
    stk_reader_free(&reader);
    if (status != STIRKEEP_OK) {
        free(seals.items);
        return status;
    }
    *ret_seals = seals.items;
    *ret_count = seals.count;
    *ret_passed_over = passed_over;
    return STIRKEEP_OK;
}
