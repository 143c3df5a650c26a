/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"
#include "cli/report_document.h"
#include <stdlib.h>
#include <string.h>

#define DAY_S ((int64_t)24 * 60 * 60)
#define PARTS_MAX 3

static json_t *kept(json_t *value, bool done)
{
    if (done)
        return value;
    json_decref(value);
    return NULL;
}

static bool set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

/* ---- days */

static json_t *day_json(const struct stk_report_day *day)
{
    char text[STK_SECONDS_TEXT] = "";
    json_t *object = json_object();

    stk_seconds_text(day->day * DAY_S, text);
    text[sizeof("2026-11-25") - 1] = '\0';
    return kept(object, object != NULL && set(object, "day", json_string(text)) &&
                            stk_report_add_counts(object, day->counts));
}

static json_t *days_json(const struct stk_report_name *name)
{
    const struct stk_report_day *days = (const struct stk_report_day *)name->days.data;
    json_t *array = json_array();
    bool done = array != NULL;

    for (size_t i = 0; i < name->days.length / sizeof(*days) && done; i++)
        done = json_array_append_new(array, day_json(&days[i])) == 0;
    return kept(array, done);
}

static json_t *counts_json(const uint64_t counts[STK_TALLY_COUNTS])
{
    json_t *object = json_object();

    return kept(object, stk_report_add_counts(object, counts));
}

/* ---- tallies */

/* The parts of a row's text, each under its name; those missing are null. */
static bool set_parts(struct stk_report *report, json_t *object, const struct stk_tally_row *row,
                      const char *const *names)
{
    const char *at = row->key;
    const char *end = row->key + row->length;
    bool done = true;

    for (size_t i = 0; i < PARTS_MAX && names[i] != NULL && done; i++) {
        const char *stop = at < end ? memchr(at, STK_TALLY_SEPARATOR[0], (size_t)(end - at)) : NULL;
        size_t length = at < end ? (size_t)((stop != NULL ? stop : end) - at) : 0;

        done = set(object, names[i],
                   stk_report_text(report, (struct stk_bytes){(const uint8_t *)at, length}));
        at = stop != NULL ? stop + 1 : end;
    }
    return done;
}

static json_t *row_json(struct stk_report *report, const struct stk_tally_row *row,
                        const char *const *names)
{
    json_t *object = json_object();

    return kept(object, object != NULL && set_parts(report, object, row, names) &&
                            set(object, "first", stk_report_time(row->first_us)) &&
                            set(object, "last", stk_report_time(row->last_us)) &&
                            stk_report_add_counts(object, row->counts));
}

/* The rows, and what found none. */
static json_t *tally_json(struct stk_report *report, struct stk_tally *tally,
                          const char *const *names)
{
    json_t *array = json_array();
    bool done = array != NULL;

    stk_tally_sort_by_count(tally);
    for (size_t i = 0; i < tally->count && done; i++)
        done = json_array_append_new(array, row_json(report, &tally->rows[i], names)) == 0;
    if (!done) {
        json_decref(array);
        return NULL;
    }
    return json_pack("{s:o, s:o}", "rows", array, "left_out", counts_json(tally->others));
}

/* ---- who could use it */

static json_t *use_json(const struct stk_report_policy *policy,
                        const struct stk_report_config *config, const char *name)
{
    bool read = config != NULL && config->config != NULL;

    return json_pack("{s:s, s:o, s:o, s:o}", "configuration", policy->configuration, "from",
                     stk_report_time(policy->from_us), "until", stk_report_time(policy->until_us),
                     "grants",
                     read ? stk_report_config_allowing(config->config, name) : json_null());
}

/* Only the policies whose text was given: of the others, the list of all policies says enough. */
static json_t *could_use_json(const struct stk_report_about *about, const char *name)
{
    const struct stk_buffer *held = &about->report->policies;
    const struct stk_report_policy *policies = (const struct stk_report_policy *)held->data;
    json_t *array = json_array();
    bool done = array != NULL;

    for (size_t i = 0; i < held->length / sizeof(*policies) && done; i++) {
        const struct stk_report_config *config =
            stk_report_configs_find(about->configs, policies[i].configuration);

        if (config != NULL && config->config != NULL)
            done = json_array_append_new(array, use_json(&policies[i], config, name)) == 0;
    }
    return kept(array, done);
}

json_t *stk_report_certificate(const struct stk_report_about *about, struct stk_report_name *name)
{
    static const char *const attest[] = {"attest", "asked", NULL};
    static const char *const ppt[] = {"ppt", NULL};
    static const char *const peer[] = {"uid", "grant", "executable"};
    static const char *const grant[] = {"grant", NULL};
    static const char *const refusal[] = {"act", "outcome", "reason"};
    struct stk_report *report = about->report;
    struct stk_bytes text = {(const uint8_t *)name->name, strlen(name->name)};
    json_t *shown = text.length > 0 ? stk_report_text(report, text) : json_string("");
    json_t *object = json_pack(
        "{s:o, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:O?, s:I}", "name",
        shown, "held", name->held, "first", (json_int_t)name->first, "last", (json_int_t)name->last,
        "first_time", stk_report_time(name->first_us), "last_time", stk_report_time(name->last_us),
        "could_use", could_use_json(about, name->name), "days", days_json(name), "days_left_out",
        counts_json(name->days_left_out), "attests", tally_json(report, &name->attests, attest),
        "ppts", tally_json(report, &name->ppts, ppt), "peers",
        tally_json(report, &name->peers, peer), "grants", tally_json(report, &name->grants, grant),
        "refusals", tally_json(report, &name->refusals, refusal), "life", name->life,
        "life_left_out", (json_int_t)name->life_left_out);

    return kept(object, stk_report_add_counts(object, name->counts));
}
