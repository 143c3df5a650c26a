/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_render.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS_MAX 7

/* A column: its member, its head, and whether it is the number that bars are drawn of. */
struct column {
    const char *member;
    const char *head;
    bool bar;
};

static uint64_t most_of(const json_t *rows, const char *member)
{
    uint64_t most = 0;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        uint64_t value = stk_report_number(json_array_get(rows, i), member);

        most = value > most ? value : most;
    }
    return most;
}

static void add_cell(struct stk_html *html, const json_t *row, const struct column *column,
                     uint64_t most)
{
    const json_t *value = json_object_get(row, column->member);

    if (json_is_integer(value)) {
        stk_html_add(html, "<td class=\"n\">%" PRIu64 "</td>", (uint64_t)json_integer_value(value));
    } else {
        stk_html_add(html, "<td>");
        stk_html_text(html, stk_report_member(row, column->member));
        stk_html_add(html, "</td>");
    }
    if (!column->bar)
        return;
    stk_html_add(html, "<td class=\"b\">");
    stk_html_bar(html, stk_report_number(row, column->member), most);
    stk_html_add(html, "</td>");
}

/* `columns` ends with a member of NULL. */
static void add_rows(struct stk_html *html, const char *caption, const json_t *rows,
                     const struct column *columns)
{
    uint64_t most = 0;

    if (json_array_size(rows) == 0)
        return;
    stk_html_add(html, "<table><caption>%s</caption>\n<tr>", caption);
    for (size_t i = 0; columns[i].member != NULL; i++) {
        stk_html_add(html, "<th scope=\"col\">%s</th>%s", columns[i].head,
                     columns[i].bar ? "<td></td>" : "");
        if (columns[i].bar)
            most = most_of(rows, columns[i].member);
    }
    stk_html_add(html, "</tr>\n");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        stk_html_add(html, "<tr>");
        for (size_t at = 0; columns[at].member != NULL; at++)
            add_cell(html, json_array_get(rows, i), &columns[at], most);
        stk_html_add(html, "</tr>\n");
    }
    stk_html_add(html, "</table>\n");
}

static void add_left_out(struct stk_html *html, uint64_t count, const char *what)
{
    if (count > 0)
        stk_html_add(html,
                     "<p>Left out, as there are too many different ones: %" PRIu64 " %s.</p>\n",
                     count, what);
}

static void add_tally(struct stk_html *html, const char *caption, const json_t *tally,
                      const struct column *columns)
{
    add_rows(html, caption, json_object_get(tally, "rows"), columns);
    add_left_out(html, stk_report_sum(json_object_get(tally, "left_out")), "records");
}

/* ---- policies */

static void add_list(struct stk_html *html, const json_t *list)
{
    stk_html_add(html, "<td>");
    if (json_array_size(list) == 0)
        stk_html_add(html, "any");
    for (size_t i = 0; i < json_array_size(list); i++) {
        stk_html_add(html, i > 0 ? ", " : "");
        stk_html_text(html, json_string_value(json_array_get(list, i)));
    }
    stk_html_add(html, "</td>");
}

static void add_granted(struct stk_html *html, const json_t *policy)
{
    const json_t *granted = json_object_get(policy, "granted");

    if (!json_is_array(granted))
        return;
    stk_html_add(html,
                 "<details><summary>The grants of configuration <code>%.12s</code>...: "
                 "%zu</summary>\n<table><tr><th>grant</th><th>who</th><th>certificates</th>"
                 "<th>ppt</th><th>attest</th><th>orig</th></tr>\n",
                 stk_report_member(policy, "configuration"), json_array_size(granted));
    for (size_t i = 0; i < json_array_size(granted); i++) {
        const json_t *grant = json_array_get(granted, i);

        stk_html_add(html, "<tr><td>");
        stk_html_text(html, stk_report_member(grant, "grant"));
        stk_html_add(html, "</td>");
        add_list(html, json_object_get(grant, "who"));
        add_list(html, json_object_get(grant, "certificates"));
        add_list(html, json_object_get(grant, "ppt"));
        add_list(html, json_object_get(grant, "attest"));
        add_list(html, json_object_get(grant, "orig"));
        stk_html_add(html, "</tr>\n");
    }
    stk_html_add(html, "</table></details>\n");
}

void stk_html_policies(struct stk_html *html, const json_t *document)
{
    static const struct column columns[] = {{"from", "from", false},
                                            {"until", "until", false},
                                            {"configuration", "configuration", false},
                                            {"grants", "grants", false},
                                            {"rules", "rules", false},
                                            {"text", "its text was", false},
                                            {"why", "why not", false},
                                            {0}};
    const json_t *policies = json_object_get(document, "policies");

    stk_html_add(html, "<h2>Policies that were in force</h2>\n");
    if (json_array_size(policies) == 0)
        stk_html_add(html, "<p>The trail has no record of one.</p>\n");
    add_rows(html, "By the SHA-256 of the configuration", policies, columns);
    add_left_out(html, stk_report_number(document, "policies_left_out"), "policies");
    for (size_t i = 0; i < json_array_size(policies); i++)
        add_granted(html, json_array_get(policies, i));
}

/* ---- a certificate */

static void add_uses(struct stk_html *html, const json_t *certificate)
{
    const json_t *uses = json_object_get(certificate, "could_use");

    if (json_array_size(uses) == 0) {
        stk_html_add(html, "<p>Who could use it: the text of no policy was given; see above which "
                           "were in force, and below by which grants it signed.</p>\n");
        return;
    }
    stk_html_add(html, "<table><caption>Who could use it, by the policies whose text was "
                       "given</caption>\n<tr><th>from</th><th>until</th><th>configuration</th>"
                       "<th>grants</th></tr>\n");
    for (size_t i = 0; i < json_array_size(uses); i++) {
        const json_t *use = json_array_get(uses, i);
        const json_t *grants = json_object_get(use, "grants");

        stk_html_add(html, "<tr><td>%s</td><td>%s</td><td><code>%.12s...</code></td>",
                     stk_report_member(use, "from"), stk_report_member(use, "until"),
                     stk_report_member(use, "configuration"));
        if (json_array_size(grants) == 0)
            stk_html_add(html, "<td>nobody</td>");
        else
            add_list(html, grants);
        stk_html_add(html, "</tr>\n");
    }
    stk_html_add(html, "</table>\n");
}

static void add_sums(struct stk_html *html, const json_t *certificate)
{
    stk_html_add(html,
                 "<p>Signed: <strong>%" PRIu64 "</strong>. Failed: <strong>%" PRIu64
                 "</strong>. Refused: <strong>%" PRIu64
                 "</strong>, and not recorded one by one: <strong>%" PRIu64 "</strong>.</p>\n",
                 stk_report_number(certificate, "signed"), stk_report_number(certificate, "failed"),
                 stk_report_number(certificate, "refused"),
                 stk_report_number(certificate, "suppressed"));
}

static void add_tallies(struct stk_html *html, const json_t *certificate)
{
    static const struct column attest[] = {{"attest", "attest", false},
                                           {"asked", "asked for", false},
                                           {"signed", "signed", true},
                                           {0}};
    static const struct column ppt[] = {{"ppt", "ppt", false}, {"signed", "signed", true}, {0}};
    static const struct column peer[] = {{"uid", "uid", false},
                                         {"grant", "grant", false},
                                         {"executable", "executable", false},
                                         {"signed", "signed", true},
                                         {"failed", "failed", false},
                                         {"refused", "refused", false},
                                         {0}};
    static const struct column grant[] = {{"grant", "grant", false},
                                          {"signed", "signed", true},
                                          {"first", "first", false},
                                          {"last", "last", false},
                                          {0}};
    static const struct column why[] = {{"act", "act", false},
                                        {"outcome", "outcome", false},
                                        {"reason", "reason", false},
                                        {"failed", "failed", false},
                                        {"refused", "refused", true},
                                        {"suppressed", "not recorded one by one", false},
                                        {0}};

    add_tally(html, "Signed, by attestation", json_object_get(certificate, "attests"), attest);
    add_tally(html, "Signed, by type", json_object_get(certificate, "ppts"), ppt);
    add_tally(html, "By peer", json_object_get(certificate, "peers"), peer);
    add_tally(html, "Signed, by grant", json_object_get(certificate, "grants"), grant);
    add_tally(html, "Refused or failed (a number of 7 digits and more stands as #)",
              json_object_get(certificate, "refusals"), why);
}

void stk_html_certificate(struct stk_html *html, const json_t *certificate, size_t number)
{
    static const struct column days[] = {{"day", "day", false},
                                         {"signed", "signed", true},
                                         {"failed", "failed", false},
                                         {"refused", "refused", false},
                                         {"suppressed", "not recorded one by one", false},
                                         {0}};
    static const struct column life[] = {
        {"time", "time", false},       {"act", "act", false},
        {"outcome", "outcome", false}, {"generation", "generation", false},
        {"uid", "uid", false},         {"key_id", "key id", false},
        {"detail", "detail", false},   {0}};
    const char *name = stk_report_member(certificate, "name");
    const json_t *rows = json_object_get(certificate, "days");

    stk_html_add(html, "<section aria-labelledby=\"n%zu\">\n<h2 id=\"n%zu\">", number, number);
    stk_html_text(html, name[0] != '\0' ? name : "(records without a name)");
    stk_html_add(html, "</h2>\n");
    if (name[0] != '\0' && !json_is_true(json_object_get(certificate, "held")))
        stk_html_add(html, "<p>No certificate that anything was done with: only what somebody "
                           "asked for.</p>\n");
    add_sums(html, certificate);
    if (name[0] != '\0')
        add_uses(html, certificate);
    stk_html_days(html, rows, name);
    if (json_array_size(rows) > 0) {
        stk_html_add(html, "<details><summary>By day, as a table: %zu days</summary>\n",
                     json_array_size(rows));
        add_rows(html, "By day", rows, days);
        stk_html_add(html, "</details>\n");
    }
    add_left_out(html, stk_report_sum(json_object_get(certificate, "days_left_out")), "records");
    add_tallies(html, certificate);
    add_rows(html, "Its life", json_object_get(certificate, "life"), life);
    add_left_out(html, stk_report_number(certificate, "life_left_out"), "acts");
    stk_html_add(html, "</section>\n");
}

/* ---- the service */

void stk_html_service(struct stk_html *html, const json_t *document)
{
    static const struct column event[] = {{"time", "time", false},
                                          {"act", "act", false},
                                          {"outcome", "outcome", false},
                                          {"uid", "uid", false},
                                          {"reason", "reason", false},
                                          {"detail", "detail", false},
                                          {0}};
    static const struct column gap[] = {{"from", "from", false},
                                        {"until", "until", false},
                                        {"what", "what", false},
                                        {"detail", "detail", false},
                                        {0}};
    const json_t *gaps = json_object_get(document, "gaps");

    stk_html_add(html, "<h2>The service</h2>\n");
    add_rows(html, "Starts, stops, token, rooms, reloads", json_object_get(document, "events"),
             event);
    add_left_out(html, stk_report_number(document, "events_left_out"), "events");
    stk_html_add(html, "<h2>Gaps</h2>\n");
    if (json_array_size(gaps) == 0)
        stk_html_add(html, "<p>None.</p>\n");
    add_rows(html, "Times and places that the trail has nothing of", gaps, gap);
    add_left_out(html, stk_report_number(document, "gaps_left_out"), "gaps");
    if (stk_report_number(document, "clock_went_back") > 0)
        stk_html_add(html, "<p>The clock went back %" PRIu64 " times.</p>\n",
                     stk_report_number(document, "clock_went_back"));
}
