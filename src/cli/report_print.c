/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"
#include "cli/report_render.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 6
#define NUMBER_ROOM 24

static void head(const char *text)
{
    (void)printf("\n%s\n", text);
}

static void field(const char *label, const char *text)
{
    (void)printf("  ");
    stk_print_field(label, text);
}

static void number(const char *label, uint64_t value)
{
    char text[NUMBER_ROOM] = "";

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    field(label, text);
}

/* A cell: a text, or a number into `room`. */
static const char *cell(const json_t *row, const char *name, char room[NUMBER_ROOM])
{
    const json_t *value = json_object_get(row, name);

    if (!json_is_integer(value))
        return stk_report_member(row, name);
    (void)snprintf(room, NUMBER_ROOM, "%" PRIu64, (uint64_t)json_integer_value(value));
    return room;
}

/* `members` and their heads, up to NULL. */
static bool print_rows(const json_t *rows, const char *const *members, const char *const *heads)
{
    size_t columns = 0;
    struct stk_table *table = NULL;
    size_t count = json_array_size(rows);
    bool done = true;

    while (columns < COLUMNS_MAX && members[columns] != NULL)
        columns++;
    if (count == 0)
        return true;
    table = stk_table_new(heads, columns);
    for (size_t i = 0; i < count && i < STK_REPORT_TEXT_ROWS; i++) {
        char room[COLUMNS_MAX][NUMBER_ROOM];
        const char *cells[COLUMNS_MAX] = {NULL};

        for (size_t at = 0; at < columns; at++)
            cells[at] = cell(json_array_get(rows, i), members[at], room[at]);
        stk_table_row(table, cells);
    }
    done = stk_table_print(table);
    if (count > STK_REPORT_TEXT_ROWS)
        (void)printf("(%zu more rows: --html or --json)\n", count - STK_REPORT_TEXT_ROWS);
    return done;
}

static void print_left_out(const char *what, uint64_t count)
{
    if (count > 0)
        (void)printf("(left out, as there are too many different ones: %" PRIu64 " %s)\n", count,
                     what);
}

static bool print_tally(const char *title, const json_t *tally, const char *const *members,
                        const char *const *heads)
{
    const json_t *rows = json_object_get(tally, "rows");
    bool done = true;

    if (json_array_size(rows) == 0)
        return true;
    head(title);
    done = print_rows(rows, members, heads);
    print_left_out("records", stk_report_sum(json_object_get(tally, "left_out")));
    return done;
}

/* ---- the parts */

static void print_trail(const json_t *document)
{
    const json_t *trail = json_object_get(document, "trail");
    char text[256] = "";

    (void)printf("audit report, made %s\n", stk_report_member(document, "made"));
    if (!json_is_true(json_object_get(trail, "verified"))) {
        (void)printf("NOT VERIFIED: ");
        stk_print_safe(stk_report_member(trail, "problem"));
        (void)printf(
            "\nWhat follows is only what stands before that, and may have been changed.\n");
    } else {
        (void)snprintf(text, sizeof(text),
                       "verified: records %" PRIu64 " to %" PRIu64 " in %" PRIu64 " files",
                       stk_report_number(trail, "first"), stk_report_number(trail, "last"),
                       stk_report_number(trail, "files"));
        field("trail", text);
        (void)snprintf(text, sizeof(text), "through record %" PRIu64 " by %" PRIu64 " seals, %s",
                       stk_report_number(trail, "sealed"), stk_report_number(trail, "seals"),
                       json_is_true(json_object_get(trail, "signatures_checked"))
                           ? "each signed by an audit key that was given"
                           : "whose signatures were NOT checked: no --key");
        field("sealed", text);
        number("not sealed", stk_report_number(trail, "unsealed"));
        number("chain alone", stk_report_number(trail, "uncovered"));
        if (stk_report_number(trail, "first") > 1)
            number("not given to", stk_report_number(trail, "first") - 1);
    }
    field("since", stk_report_member(document, "since"));
    field("until", stk_report_member(document, "until"));
    field("name", stk_report_member(document, "name"));
    number("records", stk_report_number(document, "records"));
}

static bool print_policies(const json_t *document)
{
    static const char *const members[] = {"from",   "until", "configuration",
                                          "grants", "rules", "text"};
    static const char *const heads[] = {"FROM",   "UNTIL", "CONFIGURATION",
                                        "GRANTS", "RULES", "TEXT"};
    const json_t *policies = json_object_get(document, "policies");
    bool done = true;

    head("policies that were in force");
    if (json_array_size(policies) == 0)
        (void)puts("the trail has no record of one");
    done = print_rows(policies, members, heads);
    print_left_out("policies", stk_report_number(document, "policies_left_out"));
    return done;
}

static void print_uses(const json_t *certificate)
{
    const json_t *uses = json_object_get(certificate, "could_use");
    size_t count = json_array_size(uses);

    if (count == 0)
        return;
    head("who could use it, by the policies whose text was given");
    for (size_t i = 0; i < count && i < STK_REPORT_TEXT_ROWS; i++) {
        const json_t *use = json_array_get(uses, i);
        const json_t *grants = json_object_get(use, "grants");

        (void)printf("%s to %s: ", stk_report_member(use, "from"), stk_report_member(use, "until"));
        for (size_t at = 0; at < json_array_size(grants); at++) {
            (void)printf(at > 0 ? ", " : "");
            stk_print_safe(json_string_value(json_array_get(grants, at)));
        }
        (void)puts(json_array_size(grants) == 0 ? "nobody" : "");
    }
    if (count > STK_REPORT_TEXT_ROWS)
        (void)printf("(%zu more: --html or --json)\n", count - STK_REPORT_TEXT_ROWS);
}

static bool print_certificate(const json_t *certificate)
{
    static const char *const days[] = {"day", "signed", "failed", "refused", "suppressed", NULL};
    static const char *const days_heads[] = {"DAY", "SIGNED", "FAILED", "REFUSED", "SUPPRESSED"};
    static const char *const attest[] = {"attest", "asked", "signed", NULL};
    static const char *const attest_heads[] = {"ATTEST", "ASKED FOR", "SIGNED"};
    static const char *const ppt[] = {"ppt", "signed", NULL};
    static const char *const ppt_heads[] = {"PPT", "SIGNED"};
    static const char *const peer[] = {"uid", "grant", "executable", "signed", "failed", "refused"};
    static const char *const peer_heads[] = {"UID",    "GRANT",  "EXECUTABLE",
                                             "SIGNED", "FAILED", "REFUSED"};
    static const char *const grant[] = {"grant", "signed", "first", "last", NULL};
    static const char *const grant_heads[] = {"GRANT", "SIGNED", "FIRST", "LAST"};
    static const char *const why[] = {"act",     "outcome",    "failed",
                                      "refused", "suppressed", "reason"};
    static const char *const why_heads[] = {"ACT",     "OUTCOME",    "FAILED",
                                            "REFUSED", "SUPPRESSED", "REASON"};
    static const char *const life[] = {"time", "act", "outcome", "generation", "uid", "detail"};
    static const char *const life_heads[] = {"TIME", "ACT", "OUTCOME", "GEN", "UID", "DETAIL"};
    const json_t *acts = json_object_get(certificate, "life");
    const char *name = stk_report_member(certificate, "name");
    bool done = true;

    (void)printf("\n---- ");
    stk_print_safe(name[0] != '\0' ? name : "records without a name");
    (void)puts(name[0] == '\0' || json_is_true(json_object_get(certificate, "held"))
                   ? ""
                   : " (no certificate that anything was done with)");
    number("signed", stk_report_number(certificate, "signed"));
    number("failed", stk_report_number(certificate, "failed"));
    number("refused", stk_report_number(certificate, "refused"));
    number("not recorded", stk_report_number(certificate, "suppressed"));
    print_uses(certificate);
    head("by day");
    done = print_rows(json_object_get(certificate, "days"), days, days_heads);
    print_left_out("records", stk_report_sum(json_object_get(certificate, "days_left_out")));
    done = done && print_tally("by attestation", json_object_get(certificate, "attests"), attest,
                               attest_heads);
    done = done && print_tally("by type", json_object_get(certificate, "ppts"), ppt, ppt_heads);
    done = done && print_tally("by peer", json_object_get(certificate, "peers"), peer, peer_heads);
    done =
        done && print_tally("by grant", json_object_get(certificate, "grants"), grant, grant_heads);
    done = done && print_tally("refused or failed", json_object_get(certificate, "refusals"), why,
                               why_heads);
    if (done && json_array_size(acts) > 0) {
        head("its life");
        done = print_rows(acts, life, life_heads);
        print_left_out("acts", stk_report_number(certificate, "life_left_out"));
    }
    return done;
}

static bool print_others(const json_t *certificates, size_t top)
{
    static const char *const heads[] = {"NAME", "SIGNED", "FAILED", "REFUSED", "SUPPRESSED"};
    static const char *const members[] = {"name", "signed", "failed", "refused", "suppressed"};
    size_t count = json_array_size(certificates);
    struct stk_table *table = NULL;
    bool done = true;

    if (count <= top)
        return true;
    head("other names, in short");
    table = stk_table_new(heads, 5);
    for (size_t i = top; i < count && i < top + STK_REPORT_BRIEF_MAX; i++) {
        char room[5][NUMBER_ROOM];
        const char *cells[5] = {NULL};

        for (size_t at = 0; at < 5; at++)
            cells[at] = cell(json_array_get(certificates, i), members[at], room[at]);
        stk_table_row(table, cells);
    }
    done = stk_table_print(table);
    if (count > top + STK_REPORT_BRIEF_MAX)
        (void)printf("(%zu more names: --json)\n", count - top - STK_REPORT_BRIEF_MAX);
    return done;
}

static bool print_service(const json_t *document)
{
    static const char *const event[] = {"time", "act", "outcome", "uid", "reason", "detail"};
    static const char *const event_heads[] = {"TIME", "ACT", "OUTCOME", "UID", "REASON", "DETAIL"};
    static const char *const gap[] = {"from", "until", "what", NULL};
    static const char *const gap_heads[] = {"FROM", "UNTIL", "WHAT"};
    bool done = true;

    head("the service");
    done = print_rows(json_object_get(document, "events"), event, event_heads);
    print_left_out("events", stk_report_number(document, "events_left_out"));
    head("gaps");
    if (json_array_size(json_object_get(document, "gaps")) == 0)
        (void)puts("none");
    done = done && print_rows(json_object_get(document, "gaps"), gap, gap_heads);
    print_left_out("gaps", stk_report_number(document, "gaps_left_out"));
    if (stk_report_number(document, "clock_went_back") > 0)
        (void)printf("the clock went back: %" PRIu64 " times\n",
                     stk_report_number(document, "clock_went_back"));
    return done;
}

bool stk_report_print(const json_t *document, size_t top)
{
    const json_t *certificates = json_object_get(document, "certificates");
    const json_t *left_out = json_object_get(document, "certificates_left_out");
    bool done = true;

    print_trail(document);
    done = print_policies(document);
    for (size_t i = 0; i < json_array_size(certificates) && i < top && done; i++)
        done = print_certificate(json_array_get(certificates, i));
    done = done && print_others(certificates, top);
    print_left_out("records of names that no certificate has", stk_report_sum(left_out));
    return done && print_service(document);
}
