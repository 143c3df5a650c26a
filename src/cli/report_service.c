/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the service and the trail itself went through, and which policies were in force. */

#define DETAIL_ROOM 512
#define ROTATED "rotated; "

static bool is(struct stk_bytes raw, const char *text)
{
    return stk_fields_equal(raw, text);
}

static bool begins(struct stk_bytes raw, const char *text)
{
    return raw.length >= strlen(text) && memcmp(raw.data, text, strlen(text)) == 0;
}

/* Of the period, whatever the name is. */
static bool in_period(const struct stk_report *report, int64_t real_us)
{
    return (report->filter.since_us == 0 || real_us >= report->filter.since_us) &&
           (report->filter.until_us == 0 || real_us < report->filter.until_us);
}

/* ---- policies */

/* STK_POLICY_TEXT (room/room.h) taken apart. */
static bool read_policy(struct stk_bytes detail, struct stk_report_policy *ret_policy)
{
    char text[DETAIL_ROOM] = "";
    struct stk_report_policy policy = {0};
    int end = 0;

    if (detail.length >= sizeof(text))
        return false;
    memcpy(text, detail.data, detail.length);
    if (sscanf(text, "configuration %64s attestation %64s grants %" SCNu64 " rules %" SCNu64 "%n",
               policy.configuration, policy.attestation, &policy.grants, &policy.rules,
               &end) != 4 ||
        end != (int)detail.length || strlen(policy.configuration) != 64)
        return false;
    for (const char *at = policy.configuration; *at != '\0'; at++)
        if (!isxdigit((unsigned char)*at))
            return false;
    *ret_policy = policy;
    return true;
}

static bool is_same(const struct stk_report_policy *a, const struct stk_report_policy *b)
{
    return strcmp(a->configuration, b->configuration) == 0 &&
           strcmp(a->attestation, b->attestation) == 0 && a->grants == b->grants &&
           a->rules == b->rules;
}

static bool take_policy(struct stk_report *report, const struct stk_fields *fields)
{
    struct stk_report_policy policy = {0};
    size_t count = report->policies.length / sizeof(policy);
    struct stk_report_policy *last =
        count > 0 ? &((struct stk_report_policy *)report->policies.data)[count - 1] : NULL;

    if (!read_policy(fields->detail, &policy))
        return true;
    if (last != NULL && report->policies_left_out == 0 && is_same(last, &policy))
        return true; /* a new start, or a reload that changed nothing */
    /* Which was in force before the period, only the last one tells. */
    if (last != NULL && report->policies_left_out == 0) {
        last->until_us = fields->real_us;
        if (report->filter.since_us != 0 && fields->real_us < report->filter.since_us)
            report->policies.length -= sizeof(policy);
    }
    if (report->filter.until_us != 0 && fields->real_us >= report->filter.until_us)
        return true;
    if (report->policies.length / sizeof(policy) == STK_REPORT_POLICIES_MAX) {
        report->policies_left_out++;
        return true;
    }
    policy.from_us = fields->real_us;
    policy.has_peer = fields->has_peer;
    policy.uid = fields->uid;
    return stk_buffer_add(&report->policies, &policy, sizeof(policy)) == STIRKEEP_OK;
}

/* ---- events and gaps */

static bool is_event(const struct stk_fields *fields)
{
    static const char *const acts[] = {"start",       "stop",          "audit-key", "token-lost",
                                       "token-found", "token-wrong",   "room-down", "room-up",
                                       "policy",      "admin-refused", "cut",       "rebuild"};

    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
        if (is(fields->act, acts[i]))
            return true;
    return is(fields->act, "continue") && !begins(fields->detail, ROTATED);
}

static bool add_event(struct stk_report *report, const struct stk_fields *fields)
{
    return stk_report_add(&report->events, STK_REPORT_EVENTS_MAX,
                          json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "seq",
                                    (json_int_t)fields->sequence, "time",
                                    stk_report_time(fields->real_us), "act",
                                    stk_report_text(report, fields->act), "outcome",
                                    stk_report_text(report, fields->outcome), "uid",
                                    fields->has_peer ? json_integer(fields->uid) : json_null(),
                                    "reason", stk_report_text(report, fields->reason), "detail",
                                    stk_report_text(report, fields->detail)));
}

static bool add_gap(struct stk_report *report, const struct stk_fields *fields, const char *what)
{
    return stk_report_add(
        &report->gaps, STK_REPORT_GAPS_MAX,
        json_pack("{s:I, s:o, s:o, s:s, s:o}", "seq", (json_int_t)fields->sequence, "from",
                  stk_report_time(report->before_us), "until", stk_report_time(fields->real_us),
                  "what", what, "detail", stk_report_text(report, fields->detail)));
}

static bool look_for_gap(struct stk_report *report, const struct stk_fields *fields)
{
    if (is(fields->act, "start") && report->before != 0)
        return add_gap(report, fields,
                       report->stopped ? "the service did not run"
                                       : "the keeper ended without a stop: it was killed");
    if (is(fields->act, "cut"))
        return add_gap(report, fields, "bytes that were no whole record were put aside");
    if (is(fields->act, "continue") && !begins(fields->detail, ROTATED))
        return add_gap(report, fields, "the file was not rotated by the service");
    return true;
}

/* Seals, what is done with the trail itself and audit keys come after a stop without a start. */
static void follow(struct stk_report *report, const struct stk_fields *fields)
{
    if (is(fields->act, "stop"))
        report->stopped = true;
    else if (!is(fields->act, "seal") && !is(fields->act, "continue") && !is(fields->act, "cut") &&
             !is(fields->act, "audit-key"))
        report->stopped = false;
}

bool stk_report_service(struct stk_report *report, const struct stk_fields *fields)
{
    bool done = true;

    if (is(fields->act, "policy") && is(fields->outcome, "ok"))
        done = take_policy(report, fields);
    if (done && in_period(report, fields->real_us)) {
        if (report->before_us != 0 && fields->real_us < report->before_us)
            report->backwards++;
        done = look_for_gap(report, fields) && (!is_event(fields) || add_event(report, fields));
    }
    follow(report, fields);
    return done;
}
