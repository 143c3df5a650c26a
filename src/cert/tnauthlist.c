/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/tnauthlist.h"

#include "cert/der.h"
#include <stdlib.h>
#include <string.h>

/* Where in the list, for messages: entries are counted from 1. */
struct place {
    size_t number;
    struct stk_error *error;
};

static enum stirkeep_status broken(const struct place *place, const char *what)
{
    return stk_error_set(place->error, STIRKEEP_CERT_INVALID, "TNAuthList entry %zu: %s",
                         place->number, what);
}

/* An IA5String of 1-15 characters into the entry's text. */
static bool read_text(struct stk_bytes value, struct stk_tnauth_entry *ret_entry)
{
    if (value.length == 0 || value.length >= sizeof(ret_entry->text))
        return false;
    memcpy(ret_entry->text, value.data, value.length);
    ret_entry->text[value.length] = '\0';
    return true;
}

/* All of the value: behind a NUL there would be something that nobody reads. */
static bool is_number(struct stk_bytes value, const char *alphabet)
{
    for (size_t i = 0; i < value.length; i++)
        if (value.data[i] == '\0' || strchr(alphabet, value.data[i]) == NULL)
            return false;
    return true;
}

static enum stirkeep_status read_spc(struct stk_bytes inside, const struct place *place,
                                     struct stk_tnauth_entry *ret_entry)
{
    struct stk_bytes value = {0};

    if (!stk_der_only(inside, STK_DER_IA5_STRING, &value))
        return broken(place, "an SPC is one IA5String in an explicit [0]");
    for (size_t i = 0; i < value.length; i++)
        if (value.data[i] <= 0x20 || value.data[i] >= 0x7f)
            return broken(place, "an SPC has printable ASCII characters only");
    if (!read_text(value, ret_entry))
        return broken(place, "an SPC has 1 to 15 characters");
    ret_entry->kind = STK_TNAUTH_SPC;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_one(struct stk_bytes inside, const struct place *place,
                                     struct stk_tnauth_entry *ret_entry)
{
    struct stk_bytes value = {0};

    if (!stk_der_only(inside, STK_DER_IA5_STRING, &value))
        return broken(place, "a number is one IA5String in an explicit [2]");
    if (!is_number(value, "0123456789*#") || !read_text(value, ret_entry))
        return broken(place, "a number has 1 to 15 of 0-9 * #");
    ret_entry->kind = STK_TNAUTH_ONE;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_range(struct stk_bytes inside, const struct place *place,
                                       struct stk_tnauth_entry *ret_entry)
{
    struct stk_bytes range = {0};
    struct stk_bytes start = {0};
    uint64_t count = 0;

    if (!stk_der_only(inside, STK_DER_SEQUENCE, &range) ||
        !stk_der_take(&range, STK_DER_IA5_STRING, &start) || !stk_der_take_uint(&range, &count) ||
        range.length > 0)
        return broken(place, "a range is a SEQUENCE of start and count in an explicit [1]");
    /* The numbers after a start are found by counting, so '*' and '#' have no place in it. */
    if (!is_number(start, "0123456789") || !read_text(start, ret_entry))
        return broken(place, "a range starts with a number of 1 to 15 digits");
    if (count < 2 || count > UINT32_MAX)
        return broken(place, "a range counts 2 to 4294967295 numbers");
    ret_entry->kind = STK_TNAUTH_RANGE;
    ret_entry->count = (uint32_t)count;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_entry(uint8_t tag, struct stk_bytes inside,
                                       const struct place *place,
                                       struct stk_tnauth_entry *ret_entry)
{
    switch (tag) {
    case STK_DER_CONSTRUCTED(0):
        return read_spc(inside, place, ret_entry);
    case STK_DER_CONSTRUCTED(1):
        return read_range(inside, place, ret_entry);
    case STK_DER_CONSTRUCTED(2):
        return read_one(inside, place, ret_entry);
    case STK_DER_CONTEXT(0):
    case STK_DER_CONTEXT(1):
    case STK_DER_CONTEXT(2):
        return broken(place, "tagged implicitly; RFC 8226 section 9 has explicit tags");
    default:
        return broken(place, "neither spc [0], range [1] nor one [2]");
    }
}

/* How many values there are; each must be DER. */
static enum stirkeep_status count_entries(struct stk_bytes list, size_t *ret_count,
                                          struct stk_error *error)
{
    size_t count = 0;

    while (list.length > 0) {
        if (!stk_der_next(&list, NULL, NULL, NULL))
            return stk_error_set(error, STIRKEEP_CERT_INVALID,
                                 "TNAuthList entry %zu: not DER, or cut off", count + 1);
        if (++count > STK_TNAUTH_MAX)
            return stk_error_set(error, STIRKEEP_CERT_INVALID, "TNAuthList: more than %d entries",
                                 STK_TNAUTH_MAX);
    }
    if (count == 0)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "TNAuthList: it has no entries");
    *ret_count = count;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_tnauthlist_parse(struct stk_bytes der, struct stk_tnauthlist *ret_list,
                                          struct stk_error *error)
{
    struct stk_bytes list = {0};
    struct stk_tnauth_entry *entries = NULL;
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_der_only(der, STK_DER_SEQUENCE, &list))
        return stk_error_set(error, STIRKEEP_CERT_INVALID,
                             "TNAuthList: not one DER SEQUENCE of %zu bytes", der.length);
    status = count_entries(list, &count, error);
    if (status != STIRKEEP_OK)
        return status;
    entries = calloc(count, sizeof(*entries));
    if (entries == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "TNAuthList: no memory");
    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++) {
        struct place place = {.number = i + 1, .error = error};
        struct stk_bytes inside = {0};
        uint8_t tag = 0;

        (void)stk_der_next(&list, &tag, &inside, NULL);
        status = read_entry(tag, inside, &place, &entries[i]);
    }
    if (status != STIRKEEP_OK) {
        free(entries);
        return status;
    }
    *ret_list = (struct stk_tnauthlist){.entries = entries, .count = count};
    return STIRKEEP_OK;
}

void stk_tnauthlist_free(struct stk_tnauthlist *list)
{
    free(list->entries);
    *list = (struct stk_tnauthlist){0};
}
