/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/import_report.h"

#include "cli/output.h"
#include <stdio.h>

static void print_member(const json_t *report, const char *label, const char *member)
{
    stk_print_field(label, json_string_value(json_object_get(report, member)));
}

void stk_import_print(const json_t *report, const char *kept)
{
    const json_t *warnings = json_object_get(report, "warnings");

    print_member(report, "name", "name");
    (void)printf("%-14s %u, active\n", "generation",
                 (unsigned)json_integer_value(json_object_get(report, "generation")));
    stk_print_field("imported", json_is_true(json_object_get(report, "already_held"))
                                    ? "held already, nothing changed"
                                    : "yes, and it signs");
    print_member(report, "token", "token");
    print_member(report, "token serial", "token_serial");
    print_member(report, "x5u", "x5u");
    print_member(report, "key id", "key_id");
    print_member(report, "key", "attributes");
    for (size_t i = 0; i < json_array_size(warnings); i++)
        stk_print_field("warning", json_string_value(json_array_get(warnings, i)));
    print_member(report, "key file", "source");
    stk_print_field("", kept);
    print_member(report, "", "source_how");
}
