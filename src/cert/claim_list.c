/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/claim_list.h"

#include "cert/der.h"
#include "json/utf8.h"
#include <string.h>

struct reader {
    const char *extension; /* for messages */
    const char *list;
    struct stk_arena *arena;
    struct stk_error *error;
};

static enum stirkeep_status broken(const struct reader *reader, const char *what)
{
    return stk_error_set(reader->error, STIRKEEP_CERT_INVALID, "%s: %s: %s", reader->extension,
                         reader->list, what);
}

static enum stirkeep_status full(const struct reader *reader)
{
    return stk_error_set(reader->error, STIRKEEP_TOO_LARGE, "%s: no room for it",
                         reader->extension);
}

/* An IA5String that can be the name of a claim. */
static bool is_name(struct stk_bytes text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < 0x20 || text.data[i] >= 0x7f)
            return false;
    return text.length > 0;
}

/* UTF-8 without a NUL, which no text of ours can hold. */
static bool is_value(struct stk_bytes text)
{
    size_t at = 0;

    while (at < text.length) {
        uint32_t character = 0;
        size_t length = stk_utf8_read((const char *)text.data + at, text.length - at, &character);

        if (length == 0 || character == 0)
            return false;
        at += length;
    }
    return true;
}

static enum stirkeep_status take_text(const struct reader *reader, struct stk_bytes *in,
                                      enum stk_der_tag tag, const char **ret_text)
{
    struct stk_bytes text = {0};
    bool name = tag == STK_DER_IA5_STRING;

    if (!stk_der_take(in, (uint8_t)tag, &text))
        return broken(reader, name ? "the name of a claim is an IA5String"
                                   : "a permitted value is a UTF8String");
    if (text.length > STK_CONSTRAINT_TEXT_MAX)
        return stk_error_set(reader->error, STIRKEEP_CERT_INVALID,
                             "%s: %s: a text of %zu bytes; it has at most %d", reader->extension,
                             reader->list, text.length, STK_CONSTRAINT_TEXT_MAX);
    if (name ? !is_name(text) : !is_value(text))
        return broken(reader, name ? "the name of a claim is printable ASCII"
                                   : "a permitted value is UTF-8 without NUL");
    *ret_text = stk_arena_copy(reader->arena, text.data, text.length);
    return *ret_text != NULL ? STIRKEEP_OK : full(reader);
}

/* How many values a SEQUENCE OF has: 1 to `max`. */
static enum stirkeep_status count(const struct reader *reader, struct stk_bytes list, size_t max,
                                  size_t *ret_count)
{
    size_t found = 0;

    while (list.length > 0) {
        if (!stk_der_next(&list, NULL, NULL, NULL))
            return broken(reader, "not DER, or cut off");
        if (++found > max)
            return stk_error_set(reader->error, STIRKEEP_CERT_INVALID,
                                 "%s: %s: more than %zu entries", reader->extension, reader->list,
                                 max);
    }
    if (found == 0)
        return broken(reader, "it has no entries");
    *ret_count = found;
    return STIRKEEP_OK;
}

/* The texts of a SEQUENCE OF with one tag. */
static enum stirkeep_status read_texts(const struct reader *reader, struct stk_bytes list,
                                       enum stk_der_tag tag, size_t max,
                                       const char *const **ret_texts, size_t *ret_count)
{
    size_t found = 0;
    enum stirkeep_status status = count(reader, list, max, &found);
    const char **texts = NULL;

    if (status != STIRKEEP_OK)
        return status;
    texts = stk_arena_take(reader->arena, found * sizeof(*texts));
    if (texts == NULL)
        return full(reader);
    for (size_t i = 0; status == STIRKEEP_OK && i < found; i++)
        status = take_text(reader, &list, tag, &texts[i]);
    if (status != STIRKEEP_OK)
        return status;
    *ret_texts = texts;
    *ret_count = found;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_names(const struct reader *reader, struct stk_bytes list,
                                       const char *const **ret_names, size_t *ret_count)
{
    return read_texts(reader, list, STK_DER_IA5_STRING, STK_CONSTRAINT_CLAIMS_MAX, ret_names,
                      ret_count);
}

static enum stirkeep_status read_permitted(const struct reader *reader, struct stk_bytes *list,
                                           struct stk_permitted *ret_permitted)
{
    struct stk_bytes entry = {0};
    struct stk_bytes values = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_der_take(list, STK_DER_SEQUENCE, &entry))
        return broken(reader, "an entry is a SEQUENCE of a claim and its values");
    status = take_text(reader, &entry, STK_DER_IA5_STRING, &ret_permitted->claim);
    if (status != STIRKEEP_OK)
        return status;
    if (!stk_der_only(entry, STK_DER_SEQUENCE, &values))
        return broken(reader, "an entry is a SEQUENCE of a claim and its values");
    return read_texts(reader, values, STK_DER_UTF8_STRING, STK_CONSTRAINT_VALUES_MAX,
                      &ret_permitted->values, &ret_permitted->count);
}

static enum stirkeep_status read_all_permitted(const struct reader *reader, struct stk_bytes list,
                                               struct stk_constraints *constraints)
{
    struct stk_permitted *permitted = NULL;
    size_t found = 0;
    enum stirkeep_status status = count(reader, list, STK_CONSTRAINT_CLAIMS_MAX, &found);

    if (status != STIRKEEP_OK)
        return status;
    permitted = stk_arena_take(reader->arena, found * sizeof(*permitted));
    if (permitted == NULL)
        return full(reader);
    for (size_t i = 0; status == STIRKEEP_OK && i < found; i++)
        status = read_permitted(reader, &list, &permitted[i]);
    if (status != STIRKEEP_OK)
        return status;
    constraints->permitted = permitted;
    constraints->permitted_count = found;
    return STIRKEEP_OK;
}

/* A component with that number: the SEQUENCE in its explicit tag; absent: `*ret_there` is false. */
static enum stirkeep_status take_component(const struct reader *reader, struct stk_bytes *in,
                                           int number, struct stk_bytes *ret_list, bool *ret_there)
{
    struct stk_bytes inside = {0};

    *ret_there = stk_der_peek(in) == STK_DER_CONSTRUCTED(number);
    if (!*ret_there)
        return STIRKEEP_OK;
    if (!stk_der_take(in, (uint8_t)STK_DER_CONSTRUCTED(number), &inside) ||
        !stk_der_only(inside, STK_DER_SEQUENCE, ret_list))
        return broken(reader, "it is one SEQUENCE in an explicit tag");
    return STIRKEEP_OK;
}

static enum stirkeep_status read_component(struct reader *reader, struct stk_bytes *in, int number,
                                           struct stk_constraints *constraints)
{
    static const char *const names[] = {"mustInclude", "permittedValues", "mustExclude"};
    struct stk_bytes list = {0};
    bool there = false;
    enum stirkeep_status status = STIRKEEP_OK;

    reader->list = names[number];
    status = take_component(reader, in, number, &list, &there);
    if (status != STIRKEEP_OK || !there)
        return status;
    if (number == 0)
        return read_names(reader, list, &constraints->must_include,
                          &constraints->must_include_count);
    if (number == 1)
        return read_all_permitted(reader, list, constraints);
    return read_names(reader, list, &constraints->must_exclude, &constraints->must_exclude_count);
}

enum stirkeep_status stk_claim_lists_read(struct stk_bytes der, bool enhanced,
                                          struct stk_arena *arena,
                                          struct stk_constraints *constraints,
                                          struct stk_error *error)
{
    const char *name = enhanced ? "EnhancedJWTClaimConstraints" : "JWTClaimConstraints";
    struct reader reader = {.extension = name, .arena = arena, .error = error};
    struct stk_bytes in = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_der_only(der, STK_DER_SEQUENCE, &in))
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "%s: not one DER SEQUENCE of %zu bytes",
                             name, der.length);
    if (in.length == 0)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "%s: it constrains nothing", name);
    for (int number = 0; status == STIRKEEP_OK && number < (enhanced ? 3 : 2); number++)
        status = read_component(&reader, &in, number, constraints);
    if (status == STIRKEEP_OK && in.length > 0)
        return stk_error_set(error, STIRKEEP_CERT_INVALID,
                             "%s: there is more in it than %s, in this order", name,
                             enhanced ? "mustInclude [0], permittedValues [1] and mustExclude [2]"
                                      : "mustInclude [0] and permittedValues [1]");
    return status;
}
