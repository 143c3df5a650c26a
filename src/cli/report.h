/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_REPORT_H
#define STK_CLI_REPORT_H

#include "cli/report_tally.h"
#include "cli/trail_files.h"
#include <jansson.h>

/*
 * What a trail says about each certificate, counted while it is verified. Memory has a bound
 * whatever stands in the trail: each kind of row has a largest number, and what finds no row is
 * counted among the others. Numbers are whole: nothing is estimated. One thread.
 */

enum stk_report_count {
    STK_REPORT_SIGNED,
    STK_REPORT_FAILED,    /* allowed, and could not be signed; or an act that was not done */
    STK_REPORT_REFUSED,   /* recorded refusals */
    STK_REPORT_SUPPRESSED /* refusals that were not recorded one by one */
};

#define STK_REPORT_NAMES_MAX STK_NAMES_MAX /* certificates that something was done with */
#define STK_REPORT_ALLEGED_MAX 1000        /* names that were only asked for */
#define STK_REPORT_ROWS_MAX 262144         /* of all tallies and lists of names together */
#define STK_REPORT_DAYS_MAX 2000000        /* days with something on them, of all names together */
#define STK_REPORT_LIFE_MAX 1000           /* acts in the life of one name */
#define STK_REPORT_EVENTS_MAX 1000         /* of the service */
#define STK_REPORT_GAPS_MAX 1000
#define STK_REPORT_POLICIES_MAX 1000
#define STK_REPORT_KEYS_MAX 64 /* audit keys that have sealed */

struct stk_report_day {
    int64_t day; /* since 1970 */
    uint64_t counts[STK_TALLY_COUNTS];
};

/* What is known of one name; "" is that of records without one. */
struct stk_report_name {
    char *name;
    bool held; /* something was done with it, so that it is not only a word in a refusal */
    uint64_t counts[STK_TALLY_COUNTS];
    uint64_t first, last; /* records */
    int64_t first_us, last_us;
    struct stk_buffer days; /* of struct stk_report_day, in their order */
    uint64_t days_left_out[STK_TALLY_COUNTS];
    struct stk_tally attests; /* "B", or "B\x1f" "A" when A was asked for */
    struct stk_tally ppts;
    struct stk_tally peers; /* uid, grant, executable */
    struct stk_tally grants;
    struct stk_tally refusals; /* act, outcome, reason */
    json_t *life;              /* an array; NULL: none yet */
    uint64_t life_left_out;
};

/* What a list of limited length holds, and how much it does not. */
struct stk_report_list {
    json_t *items;
    uint64_t left_out;
};

/* A policy that was in force. */
struct stk_report_policy {
    char configuration[65], attestation[65];
    uint64_t grants, rules;
    int64_t from_us, until_us; /* 0: to the end */
    bool has_peer;             /* who asked for it */
    uint32_t uid;
};

struct stk_report {
    struct stk_trail_filter filter;
    uint64_t records;        /* that the filter takes */
    struct stk_tally index;  /* names; counts[0]: number in `names` + 1 */
    struct stk_buffer names; /* of struct stk_report_name */
    size_t alleged;
    uint64_t names_left_out[STK_TALLY_COUNTS];
    struct stk_tally_budget rows;
    size_t days_left;
    struct stk_buffer policies; /* of struct stk_report_policy */
    uint64_t policies_left_out;
    struct stk_tally keys; /* audit keys by their id; counts[0]: seals */
    struct stk_report_list events;
    struct stk_report_list gaps;
    uint64_t backwards; /* records whose time is before that of the one before */
    /* of the record before */
    uint64_t before;
    int64_t before_us;
    bool stopped; /* it ended a keeper's work */
    struct stk_buffer text;
};

/* NULL without memory. */
struct stk_report *stk_report_new(const struct stk_trail_filter *filter);
void stk_report_free(struct stk_report *report);

/* For struct stk_verifier_options; `context` is the report. */
enum stirkeep_status stk_report_each(void *context, struct stk_verifier *verifier,
                                     const struct stk_verified *record, struct stk_error *error);

/* ---- the parts of it */

/* Count a record under its name. False without memory. */
bool stk_report_count(struct stk_report *report, const struct stk_fields *fields);

/* The service's own life: policies, starts and stops, the token, the trail itself. The same. */
bool stk_report_service(struct stk_report *report, const struct stk_fields *fields);

/* Append to a list unless it is full; takes `item` over. False without memory (item NULL, too). */
bool stk_report_add(struct stk_report_list *list, size_t most, json_t *item);

/* A text of a record with its escapes resolved; NULL without memory, null when it is not there. */
json_t *stk_report_text(struct stk_report *report, struct stk_bytes raw);

/* A time as "2026-11-25T20:06:24.123456Z"; null for 0. */
json_t *stk_report_time(int64_t real_us);

#endif
