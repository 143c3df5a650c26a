/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_document.h"

#include "base/digest.h"
#include "base/encode.h"
#include "cli/output.h"
#include <stdlib.h>
#include <string.h>

#define US_IN_SECOND 1000000

const char *const stk_report_counts[STK_TALLY_COUNTS] = {"signed", "failed", "refused",
                                                         "suppressed"};

bool stk_report_add_counts(json_t *object, const uint64_t counts[STK_TALLY_COUNTS])
{
    bool done = object != NULL;

    for (size_t i = 0; i < STK_TALLY_COUNTS && done; i++)
        done = json_object_set_new(object, stk_report_counts[i],
                                   json_integer((json_int_t)counts[i])) == 0;
    return done;
}

static json_t *seconds_or_null(int64_t real_us)
{
    return real_us != 0 ? stk_json_seconds(real_us / US_IN_SECOND) : json_null();
}

static json_t *kept(json_t *value, bool done)
{
    if (done)
        return value;
    json_decref(value);
    return NULL;
}

/* ---- the trail */

static bool was_given(const struct stk_audit_keys *keys, const char *key_id)
{
    for (size_t i = 0; i < keys->count; i++) {
        uint8_t digest[STK_DIGEST_LENGTH] = {0};
        char text[2 * STK_DIGEST_LENGTH + 1] = "";

        stk_sha256(keys->spki[i], STK_SPKI_LENGTH, digest);
        stk_hex_encode(digest, sizeof(digest), text);
        if (strcmp(text, key_id) == 0)
            return true;
    }
    return false;
}

static json_t *keys_json(const struct stk_report_about *about)
{
    const struct stk_tally *keys = &about->report->keys;
    json_t *array = json_array();
    bool done = array != NULL;

    for (size_t i = 0; i < keys->count && done; i++)
        done = json_array_append_new(
                   array, json_pack("{s:o, s:I, s:b}", "key_id", stk_json_text(keys->rows[i].key),
                                    "seals", (json_int_t)keys->rows[i].counts[0], "given",
                                    was_given(about->keys, keys->rows[i].key))) == 0;
    return kept(array, done);
}

static json_t *trail_json(const struct stk_report_about *about)
{
    const struct stk_verdict *verdict = about->verdict;
    uint64_t unsealed = verdict->sealed > 0 ? verdict->last - verdict->sealed : verdict->records;

    return json_pack("{s:b, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "verified",
                     about->problem == NULL, "problem",
                     about->problem != NULL ? stk_json_text(about->problem) : json_null(),
                     "signatures_checked", about->keys->count > 0, "records",
                     (json_int_t)verdict->records, "first", (json_int_t)verdict->first, "last",
                     (json_int_t)verdict->last, "files", (json_int_t)verdict->files, "seals",
                     (json_int_t)verdict->seals, "sealed", (json_int_t)verdict->sealed, "unsealed",
                     (json_int_t)unsealed, "uncovered", (json_int_t)verdict->uncovered, "keys",
                     keys_json(about));
}

/* ---- policies */

static json_t *text_of_policy(const struct stk_report_config *config)
{
    if (config == NULL)
        return json_string("not given");
    return config->config != NULL ? json_string("given") : json_string("cannot be read here");
}

static json_t *policy_json(const struct stk_report_policy *policy,
                           const struct stk_report_config *config)
{
    bool read = config != NULL && config->config != NULL;

    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "configuration",
                     policy->configuration, "attestation", policy->attestation, "grants",
                     (json_int_t)policy->grants, "rules", (json_int_t)policy->rules, "from",
                     stk_report_time(policy->from_us), "until", stk_report_time(policy->until_us),
                     "uid", policy->has_peer ? json_integer(policy->uid) : json_null(), "text",
                     text_of_policy(config), "file",
                     config != NULL ? stk_json_text(config->path) : json_null(), "why",
                     config != NULL && !read ? stk_json_text(config->why.message) : json_null(),
                     "granted", read ? stk_report_config_grants(config->config) : json_null());
}

static json_t *policies_json(const struct stk_report_about *about)
{
    const struct stk_buffer *held = &about->report->policies;
    const struct stk_report_policy *policies = (const struct stk_report_policy *)held->data;
    json_t *array = json_array();
    bool done = array != NULL;

    for (size_t i = 0; i < held->length / sizeof(*policies) && done; i++)
        done = json_array_append_new(
                   array,
                   policy_json(&policies[i], stk_report_configs_find(
                                                 about->configs, policies[i].configuration))) == 0;
    return kept(array, done);
}

/* ---- names */

/* Those with the most records first; records without a name last. */
static int by_records(const void *a, const void *b)
{
    const struct stk_report_name *left = a;
    const struct stk_report_name *right = b;
    uint64_t sums[2] = {0};

    if (left->held != right->held)
        return left->held ? -1 : 1;
    if ((left->name[0] == '\0') != (right->name[0] == '\0'))
        return left->name[0] == '\0' ? 1 : -1;
    for (size_t i = 0; i < STK_TALLY_COUNTS; i++) {
        sums[0] += left->counts[i];
        sums[1] += right->counts[i];
    }
    if (sums[0] != sums[1])
        return sums[0] < sums[1] ? 1 : -1;
    return strcmp(left->name, right->name);
}

/* The index does not know their places afterwards. */
static json_t *names_json(const struct stk_report_about *about)
{
    struct stk_report *report = about->report;
    struct stk_report_name *names = (struct stk_report_name *)report->names.data;
    size_t count = report->names.length / sizeof(*names);
    json_t *array = json_array();
    bool done = array != NULL;

    stk_tally_free(&report->index);
    if (count > 1)
        qsort(names, count, sizeof(*names), by_records);
    for (size_t i = 0; i < count && done; i++)
        done = json_array_append_new(array, stk_report_certificate(about, &names[i])) == 0;
    return kept(array, done);
}

static json_t *totals_json(const struct stk_report *report)
{
    const struct stk_report_name *names = (const struct stk_report_name *)report->names.data;
    uint64_t totals[STK_TALLY_COUNTS] = {0};
    json_t *object = json_object();

    for (size_t i = 0; i < STK_TALLY_COUNTS; i++) {
        totals[i] = report->names_left_out[i];
        for (size_t at = 0; at < report->names.length / sizeof(*names); at++)
            totals[i] += names[at].counts[i];
    }
    return kept(object, stk_report_add_counts(object, totals));
}

static json_t *names_left_out_json(const struct stk_report *report)
{
    json_t *object = json_object();

    return kept(object, stk_report_add_counts(object, report->names_left_out));
}

json_t *stk_report_document(const struct stk_report_about *about)
{
    struct stk_report *report = about->report;
    const char *name = report->filter.name;

    return json_pack(
        "{s:i, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:I, s:o, s:o, s:O, s:I, s:O, s:I, s:I}",
        "stirkeep-audit-report", 1, "made", stk_json_seconds(about->now_s), "since",
        seconds_or_null(report->filter.since_us), "until", seconds_or_null(report->filter.until_us),
        "name", name != NULL ? stk_json_text(name) : json_null(), "trail", trail_json(about),
        "records", (json_int_t)report->records, "totals", totals_json(report), "policies",
        policies_json(about), "policies_left_out", (json_int_t)report->policies_left_out,
        "certificates", names_json(about), "certificates_left_out", names_left_out_json(report),
        "events", report->events.items, "events_left_out", (json_int_t)report->events.left_out,
        "gaps", report->gaps.items, "gaps_left_out", (json_int_t)report->gaps.left_out,
        "clock_went_back", (json_int_t)report->backwards);
}
