/* SPDX-License-Identifier: BSD-2-Clause */
#include "json/canonical.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct stk_canonical stk_canonical_begin(struct stk_buffer *out)
{
    return (struct stk_canonical){
        .out = out, .start = out != NULL ? out->length : 0, .status = STIRKEEP_OK};
}

enum stirkeep_status stk_canonical_end(struct stk_canonical *json)
{
    if (json->status != STIRKEEP_OK && json->out != NULL)
        json->out->length = json->start;
    return json->status;
}

static void put(struct stk_canonical *json, const void *data, size_t length)
{
    json->length += length;
    if (json->out != NULL && json->status == STIRKEEP_OK)
        json->status = stk_buffer_add(json->out, data, length);
}

void stk_canonical_raw(struct stk_canonical *json, const char *text)
{
    put(json, text, strlen(text));
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void put_escape(struct stk_canonical *json, unsigned char c)
{
    static const char named[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    const char *found = c == '\0' ? NULL : strchr(named, c);
    char escape[8] = "";

    if (found != NULL)
        (void)snprintf(escape, sizeof(escape), "\\%c", letters[found - named]);
    else
        (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)c);
    stk_canonical_raw(json, escape);
}

void stk_canonical_string(struct stk_canonical *json, const char *text, size_t length)
{
    size_t run = 0;

    put(json, "\"", 1);
    for (size_t at = 0; at < length; at++) {
        if (!needs_escape((unsigned char)text[at]))
            continue;
        put(json, text + run, at - run);
        put_escape(json, (unsigned char)text[at]);
        run = at + 1;
    }
    put(json, text + run, length - run);
    put(json, "\"", 1);
}

void stk_canonical_text(struct stk_canonical *json, const char *text)
{
    stk_canonical_string(json, text, strlen(text));
}

void stk_canonical_integer(struct stk_canonical *json, int64_t value)
{
    char text[24] = "";

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    stk_canonical_raw(json, text);
}
