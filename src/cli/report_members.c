/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_render.h"

const char *stk_report_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "-";
}

uint64_t stk_report_number(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

uint64_t stk_report_sum(const json_t *object)
{
    return stk_report_number(object, "signed") + stk_report_number(object, "failed") +
           stk_report_number(object, "refused") + stk_report_number(object, "suppressed");
}
