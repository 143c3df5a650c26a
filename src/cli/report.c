/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report.h"

#include "cli/output.h"
#include <inttypes.h>
#include <stdlib.h>

#define TEXT_MAX ((size_t)64 * 1024)

struct stk_report *stk_report_new(const struct stk_trail_filter *filter)
{
    struct stk_report *report = calloc(1, sizeof(*report));

    if (report == NULL)
        return NULL;
    report->filter = *filter;
    report->index.most = STK_REPORT_NAMES_MAX + STK_REPORT_ALLEGED_MAX;
    report->keys.most = STK_REPORT_KEYS_MAX;
    report->rows.left = STK_REPORT_ROWS_MAX;
    report->days_left = STK_REPORT_DAYS_MAX;
    report->events.items = json_array();
    report->gaps.items = json_array();
    report->stopped = true;
    report->text.ceiling = TEXT_MAX;
    if (report->events.items == NULL || report->gaps.items == NULL) {
        stk_report_free(report);
        return NULL;
    }
    return report;
}

static void free_name(struct stk_report_name *name)
{
    free(name->name);
    stk_buffer_free(&name->days);
    stk_tally_free(&name->attests);
    stk_tally_free(&name->ppts);
    stk_tally_free(&name->peers);
    stk_tally_free(&name->grants);
    stk_tally_free(&name->refusals);
    json_decref(name->life);
}

void stk_report_free(struct stk_report *report)
{
    struct stk_report_name *names = NULL;

    if (report == NULL)
        return;
    names = (struct stk_report_name *)report->names.data;
    for (size_t i = 0; i < report->names.length / sizeof(*names); i++)
        free_name(&names[i]);
    stk_buffer_free(&report->names);
    stk_buffer_free(&report->policies);
    stk_buffer_free(&report->text);
    stk_tally_free(&report->index);
    stk_tally_free(&report->keys);
    json_decref(report->events.items);
    json_decref(report->gaps.items);
    free(report);
}

bool stk_report_add(struct stk_report_list *list, size_t most, json_t *item)
{
    if (item == NULL)
        return false;
    if (json_array_size(list->items) < most)
        return json_array_append_new(list->items, item) == 0;
    list->left_out++;
    json_decref(item);
    return true;
}

json_t *stk_report_text(struct stk_report *report, struct stk_bytes raw)
{
    if (raw.length == 0)
        return json_null();
    report->text.length = 0;
    if (stk_fields_text(raw, &report->text) != STIRKEEP_OK ||
        stk_buffer_add(&report->text, "", 1) != STIRKEEP_OK)
        return NULL;
    return stk_json_text((const char *)report->text.data);
}

json_t *stk_report_time(int64_t real_us)
{
    char text[STK_TIME_TEXT] = "";

    if (real_us == 0)
        return json_null();
    stk_clock_text(real_us, text);
    return json_string(text);
}

enum stirkeep_status stk_report_each(void *context, struct stk_verifier *verifier,
                                     const struct stk_verified *record, struct stk_error *error)
{
    struct stk_report *report = context;
    struct stk_fields fields = {0};
    bool done = true;

    (void)verifier;
    if (!stk_fields_read(record->line, &fields))
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "%s: line %" PRIu64 " (record %" PRIu64
                             "): it has members that this version does not know",
                             record->file, record->line_number, record->sequence);
    if (record->seal != NULL)
        done = stk_tally_add(&report->keys, fields.key_id, 0, 1, 0);
    done = done && stk_report_service(report, &fields);
    if (done && stk_trail_filter_takes(&report->filter, &fields)) {
        report->records++;
        done = stk_report_count(report, &fields);
    }
    report->before = fields.sequence;
    report->before_us = fields.real_us;
    return done ? STIRKEEP_OK : stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
}
