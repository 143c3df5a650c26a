/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/import_report.h"

#include "base/encode.h"
#include "base/time_text.h"
#include "cli/output.h"
#include <stdio.h>

enum stirkeep_status stk_activation_parse(const char *text, int64_t *ret_seconds,
                                          struct stk_error *error)
{
    if (text == NULL)
        return STIRKEEP_OK;
    if (stk_time_parse(text, stk_clock_seconds(), ret_seconds, error) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_INVALID, "--activate-at: %s", error->message);
    return STIRKEEP_OK;
}

void stk_import_report(json_t *report, const struct stk_admin_response *response)
{
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";
    json_t *warnings = json_array();

    stk_hex_encode(response->key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    for (size_t i = 0; i < response->warning_count; i++)
        (void)json_array_append_new(warnings, stk_json_text(response->warnings[i]));
    (void)json_object_update_new(
        report, json_pack("{s:I, s:b, s:s, s:o, s:o, s:s, s:o, s:o}", "generation",
                          (json_int_t)response->generation, "already_held", response->already_held,
                          "state", response->activate_at != 0 ? "staged" : "active", "activate_at",
                          response->activate_at != 0 ? stk_json_seconds(response->activate_at)
                                                     : json_null(),
                          "x5u", stk_json_text(response->x5u), "key_id", key_id, "attributes",
                          stk_json_text(response->attributes), "warnings", warnings));
}

static const char *text_of(const json_t *report, const char *member)
{
    return json_string_value(json_object_get(report, member));
}

static void print_generation(const json_t *report)
{
    const char *until = text_of(report, "activate_at");

    (void)printf("%-14s %u, ", "generation",
                 (unsigned)json_integer_value(json_object_get(report, "generation")));
    if (until != NULL)
        (void)printf("staged: it becomes active at %s\n", until);
    else
        (void)puts("active");
}

void stk_import_print(const json_t *report, const char *kept)
{
    const json_t *warnings = json_object_get(report, "warnings");

    stk_print_field("name", text_of(report, "name"));
    print_generation(report);
    stk_print_field("result", json_is_true(json_object_get(report, "already_held"))
                                  ? "held already, nothing changed"
                                  : "it signs");
    stk_print_field("token", text_of(report, "token"));
    stk_print_field("token serial", text_of(report, "token_serial"));
    stk_print_field("x5u", text_of(report, "x5u"));
    stk_print_field("key id", text_of(report, "key_id"));
    stk_print_field("key", text_of(report, "attributes"));
    for (size_t i = 0; i < json_array_size(warnings); i++)
        stk_print_field("warning", json_string_value(json_array_get(warnings, i)));
    stk_print_field("key file", text_of(report, "source"));
    stk_print_field("", kept);
    stk_print_field("", text_of(report, "source_how"));
}
