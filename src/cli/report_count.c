/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands under one certificate's name. */

#define SUMMARY "more like it, not recorded one by one" /* tells only of others */
#define DAY_US ((int64_t)24 * 60 * 60 * 1000000)
#define NUMBER_DIGITS 7 /* so many digits in a row are a telephone number */
#define ATTESTS_MAX 16
#define PPTS_MAX 64
#define PEERS_MAX 256
#define GRANTS_MAX 256
#define REFUSALS_MAX 256
#define KEY_ROOM (2 * STK_TALLY_KEY_MAX) /* what is longer is cut by the tally */

/* Texts that belong together, as one key. */
struct key {
    uint8_t data[KEY_ROOM];
    size_t length;
};

static void add_bytes(struct key *key, struct stk_bytes text)
{
    size_t room = sizeof(key->data) - key->length;
    size_t length = text.length < room ? text.length : room;

    if (length > 0)
        memcpy(key->data + key->length, text.data, length);
    key->length += length;
}

static void add_part(struct key *key, struct stk_bytes text)
{
    if (key->length > 0)
        add_bytes(key, (struct stk_bytes){(const uint8_t *)STK_TALLY_SEPARATOR, 1});
    add_bytes(key, text);
}

static struct stk_bytes key_bytes(const struct key *key)
{
    return (struct stk_bytes){key->data, key->length};
}

static bool is(struct stk_bytes raw, const char *text)
{
    return stk_fields_equal(raw, text);
}

/* ---- names */

static void init_name(struct stk_report *report, struct stk_report_name *name)
{
    name->attests = (struct stk_tally){.most = ATTESTS_MAX, .budget = &report->rows};
    name->ppts = (struct stk_tally){.most = PPTS_MAX, .budget = &report->rows};
    name->peers = (struct stk_tally){.most = PEERS_MAX, .budget = &report->rows};
    name->grants = (struct stk_tally){.most = GRANTS_MAX, .budget = &report->rows};
    name->refusals = (struct stk_tally){.most = REFUSALS_MAX, .budget = &report->rows};
}

static bool new_name(struct stk_report *report, struct stk_bytes raw, bool held,
                     struct stk_report_name **ret_name)
{
    struct stk_report_name name = {.name = strndup((const char *)raw.data, raw.length),
                                   .held = held};
    size_t number = report->names.length / sizeof(name);

    if (raw.length == 0) {
        free(name.name);
        name.name = strdup("");
    }
    init_name(report, &name);
    if (name.name == NULL || stk_buffer_add(&report->names, &name, sizeof(name)) != STIRKEEP_OK) {
        free(name.name);
        return false;
    }
    *ret_name = &((struct stk_report_name *)report->names.data)[number];
    return stk_tally_add(&report->index, raw, 0, number + 1, 0);
}

/* Names in refusals are whatever somebody asked for: they do not use up the room of certificates. A
 * name that is longer than any certificate's is one of the others. */
static bool may_be_new(const struct stk_report *report, struct stk_bytes raw, bool held)
{
    size_t count = report->names.length / sizeof(struct stk_report_name);

    if (raw.length > STK_TALLY_KEY_MAX)
        return false;
    return held ? count - report->alleged < STK_REPORT_NAMES_MAX
                : report->alleged < STK_REPORT_ALLEGED_MAX;
}

/* NULL in `ret_name`: there is no room for it. */
static bool find_name(struct stk_report *report, struct stk_bytes raw, bool held,
                      struct stk_report_name **ret_name)
{
    const struct stk_tally_row *row = stk_tally_find(&report->index, raw);
    struct stk_report_name *name = NULL;

    *ret_name = NULL;
    if (row == NULL && !may_be_new(report, raw, held))
        return true;
    if (row == NULL) {
        report->alleged += held ? 0 : 1;
        return new_name(report, raw, held, ret_name);
    }
    name = &((struct stk_report_name *)report->names.data)[row->counts[0] - 1];
    if (held && !name->held) {
        name->held = true;
        report->alleged--;
    }
    *ret_name = name;
    return true;
}

/* ---- days */

static struct stk_report_day *find_day(struct stk_report_name *name, int64_t day, size_t *ret_at)
{
    struct stk_report_day *days = (struct stk_report_day *)name->days.data;
    size_t at = name->days.length / sizeof(*days);

    /* Times mostly go up: it is the last one, or near it. */
    while (at > 0 && days[at - 1].day > day)
        at--;
    *ret_at = at;
    return at > 0 && days[at - 1].day == day ? &days[at - 1] : NULL;
}

static bool count_day(struct stk_report *report, struct stk_report_name *name, int64_t real_us,
                      size_t which, uint64_t amount)
{
    const struct stk_report_day fresh = {.day = real_us / DAY_US};
    size_t at = 0;
    struct stk_report_day *day = find_day(name, fresh.day, &at);

    if (day == NULL && report->days_left == 0) {
        name->days_left_out[which] += amount;
        return true;
    }
    if (day == NULL) {
        size_t count = name->days.length / sizeof(fresh);

        if (stk_buffer_add(&name->days, &fresh, sizeof(fresh)) != STIRKEEP_OK)
            return false;
        day = &((struct stk_report_day *)name->days.data)[at];
        memmove(day + 1, day, (count - at) * sizeof(fresh));
        *day = fresh;
        report->days_left--;
    }
    day->counts[which] += amount;
    return true;
}

/* ---- what was done, and what was refused */

static bool count_peer(struct stk_report_name *name, const struct stk_fields *fields, size_t which,
                       uint64_t amount)
{
    struct key key = {.length = 0};
    char uid[16] = "-";

    if (fields->has_peer)
        (void)snprintf(uid, sizeof(uid), "%u", fields->uid);
    add_part(&key, (struct stk_bytes){(const uint8_t *)uid, strlen(uid)});
    add_part(&key, fields->grant);
    add_part(&key, fields->executable); /* the longest one last: it is cut when one has to be */
    return stk_tally_add(&name->peers, key_bytes(&key), which, amount, fields->real_us);
}

static bool count_attest(struct stk_report_name *name, const struct stk_fields *fields)
{
    struct key key = {.length = 0};

    if (fields->attest.length == 0)
        return true;
    add_part(&key, fields->attest);
    if (fields->attest_asked.length > 0)
        add_part(&key, fields->attest_asked);
    return stk_tally_add(&name->attests, key_bytes(&key), STK_REPORT_SIGNED, 1, fields->real_us);
}

/* Reasons that differ in nothing but the number that was asked for are one reason. */
static void add_reason(struct key *key, struct stk_bytes reason)
{
    size_t at = 0;

    add_part(key, (struct stk_bytes){0});
    while (at < reason.length) {
        size_t end = at;

        while (end < reason.length && reason.data[end] >= '0' && reason.data[end] <= '9')
            end++;
        if (end - at >= NUMBER_DIGITS)
            add_bytes(key, (struct stk_bytes){(const uint8_t *)"#", 1});
        else if (end > at)
            add_bytes(key, (struct stk_bytes){reason.data + at, end - at});
        else
            add_bytes(key, (struct stk_bytes){reason.data + end++, 1});
        at = end;
    }
}

static bool count_refusal(struct stk_report_name *name, const struct stk_fields *fields,
                          size_t which, uint64_t amount)
{
    struct key key = {.length = 0};

    add_part(&key, fields->act);
    add_part(&key, fields->outcome);
    add_reason(&key, fields->reason);
    return stk_tally_add(&name->refusals, key_bytes(&key), which, amount, fields->real_us);
}

static bool count_signed(struct stk_report_name *name, const struct stk_fields *fields)
{
    return count_attest(name, fields) &&
           stk_tally_add(&name->ppts, fields->ppt, STK_REPORT_SIGNED, 1, fields->real_us) &&
           (fields->grant.length == 0 ||
            stk_tally_add(&name->grants, fields->grant, STK_REPORT_SIGNED, 1, fields->real_us)) &&
           count_peer(name, fields, STK_REPORT_SIGNED, 1);
}

static bool note_life(struct stk_report *report, struct stk_report_name *name,
                      const struct stk_fields *fields)
{
    struct stk_report_list list = {name->life, name->life_left_out};
    bool done = true;

    if (list.items == NULL)
        list.items = json_array();
    if (list.items == NULL)
        return false;
    if (report->rows.left == 0) {
        list.left_out++;
    } else {
        report->rows.left--;
        done = stk_report_add(&list, STK_REPORT_LIFE_MAX,
                              json_pack("{s:I, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "seq",
                                        (json_int_t)fields->sequence, "time",
                                        stk_report_time(fields->real_us), "act",
                                        stk_report_text(report, fields->act), "outcome",
                                        stk_report_text(report, fields->outcome), "generation",
                                        (json_int_t)fields->generation, "key_id",
                                        stk_report_text(report, fields->key_id), "uid",
                                        fields->has_peer ? json_integer(fields->uid) : json_null(),
                                        "reason", stk_report_text(report, fields->reason), "detail",
                                        stk_report_text(report, fields->detail)));
    }
    name->life = list.items;
    name->life_left_out = list.left_out;
    return done;
}

/* ---- one record */

struct counted {
    size_t which;
    uint64_t amount; /* 0 or 1; 0: it tells only of suppressed ones */
    bool held;       /* the name is that of a certificate, not only what somebody asked for */
    bool life;
};

static struct counted judge(const struct stk_fields *fields)
{
    bool sign = is(fields->act, "sign");
    bool refuse = is(fields->act, "refuse");
    bool good = is(fields->outcome, "ok") || is(fields->outcome, "begun");
    struct counted counted = {.amount = 1, .held = sign || (good && !refuse)};

    counted.life = !sign && !refuse;
    counted.which = refuse ? STK_REPORT_REFUSED : good ? STK_REPORT_SIGNED : STK_REPORT_FAILED;
    if (refuse && is(fields->reason, SUMMARY))
        counted.amount = 0;
    return counted;
}

static bool count_under(struct stk_report *report, struct stk_report_name *name,
                        const struct stk_fields *fields, const struct counted *counted)
{
    bool bad = counted->which != STK_REPORT_SIGNED;
    bool done = true;

    if (name->first == 0) {
        name->first = fields->sequence;
        name->first_us = fields->real_us;
    }
    name->last = fields->sequence;
    name->last_us = fields->real_us;
    if (counted->life && !note_life(report, name, fields))
        return false;
    /* What administrators did is in the life; what they could not do counts as failed, too. */
    if (counted->amount > 0 && (bad || !counted->life)) {
        name->counts[counted->which]++;
        done = count_day(report, name, fields->real_us, counted->which, 1) &&
               (bad ? count_refusal(name, fields, counted->which, 1) : count_signed(name, fields));
        if (done && bad && !counted->life)
            done = count_peer(name, fields, counted->which, 1);
    }
    if (done && fields->suppressed > 0) {
        name->counts[STK_REPORT_SUPPRESSED] += fields->suppressed;
        done =
            count_day(report, name, fields->real_us, STK_REPORT_SUPPRESSED, fields->suppressed) &&
            count_refusal(name, fields, STK_REPORT_SUPPRESSED, fields->suppressed) &&
            count_peer(name, fields, STK_REPORT_SUPPRESSED, fields->suppressed);
    }
    return done;
}

bool stk_report_count(struct stk_report *report, const struct stk_fields *fields)
{
    const struct counted counted = judge(fields);
    struct stk_report_name *name = NULL;

    if (fields->name.length == 0 && counted.life)
        return true; /* the service's own; stk_report_service has it */
    if (!find_name(report, fields->name, counted.held && fields->name.length > 0, &name))
        return false;
    if (name != NULL)
        return count_under(report, name, fields, &counted);
    report->names_left_out[counted.which] += counted.amount;
    report->names_left_out[STK_REPORT_SUPPRESSED] += fields->suppressed;
    return true;
}
