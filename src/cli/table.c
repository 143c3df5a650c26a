/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"

#include "base/buffer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2

struct stk_table {
    size_t columns;
    size_t *widths;
    struct stk_buffer texts; /* '\0'-terminated, row by row */
    bool failed;
};

struct stk_table *stk_table_new(const char *const *heads, size_t columns)
{
    struct stk_table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return NULL;
    table->columns = columns;
    table->widths = calloc(columns, sizeof(*table->widths));
    table->failed = table->widths == NULL;
    stk_table_row(table, heads);
    return table;
}

/* Characters, not bytes, of UTF-8. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xc0) != 0x80)
            width++;
    return width;
}

void stk_table_row(struct stk_table *table, const char *const *texts)
{
    if (table == NULL || table->failed)
        return;
    for (size_t i = 0; i < table->columns; i++) {
        size_t width = width_of(texts[i]);

        if (stk_buffer_add(&table->texts, texts[i], strlen(texts[i]) + 1) != STIRKEEP_OK)
            table->failed = true;
        if (width > table->widths[i])
            table->widths[i] = width;
    }
}

static void print_rows(const struct stk_table *table)
{
    const char *at = (const char *)table->texts.data;
    const char *end = at + table->texts.length;

    for (size_t column = 0; at < end; column = (column + 1) % table->columns) {
        size_t width = width_of(at);

        stk_print_safe(at);
        if (column + 1 == table->columns)
            (void)putchar('\n');
        else
            (void)printf("%*s", (int)(table->widths[column] - width + GAP), "");
        at += strlen(at) + 1;
    }
}

bool stk_table_print(struct stk_table *table)
{
    bool done = table != NULL && !table->failed;

    if (done)
        print_rows(table);
    else
        stk_complain("output", "out of memory");
    stk_table_free(table);
    return done;
}

void stk_table_free(struct stk_table *table)
{
    if (table == NULL)
        return;
    free(table->widths);
    stk_buffer_free(&table->texts);
    free(table);
}
