/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_render.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIDTH 900
#define HEIGHT 200
#define LEFT 70 /* room for the scale */
#define BELOW 20
#define DAYS_MAX 92    /* longer than that: by month */
#define MONTHS_MAX 360 /* longer than that: no chart */
#define KINDS 3
#define DAY_S (24 * 60 * 60)

static const char *const classes[KINDS] = {"good", "fail", "bad"};
static const char *const words[KINDS] = {"signed", "failed", "refused"};

struct columns {
    bool months;
    int64_t first; /* day or month */
    size_t count;
    uint64_t (*values)[KINDS];
    uint64_t most; /* of their sums */
};

static bool read_day(const char *text, struct tm *ret_day)
{
    *ret_day = (struct tm){0};
    if (sscanf(text, "%d-%d-%d", &ret_day->tm_year, &ret_day->tm_mon, &ret_day->tm_mday) != 3)
        return false;
    ret_day->tm_year -= 1900;
    ret_day->tm_mon -= 1;
    return true;
}

/* Which column a row is in. */
static int64_t place_of(const json_t *row, bool months)
{
    struct tm day = {0};

    if (!read_day(stk_report_member(row, "day"), &day))
        return 0;
    if (months)
        return (int64_t)day.tm_year * 12 + day.tm_mon;
    return timegm(&day) / DAY_S;
}

static void fill(struct columns *columns, const json_t *days)
{
    for (size_t i = 0; i < json_array_size(days); i++) {
        const json_t *row = json_array_get(days, i);
        size_t at = (size_t)(place_of(row, columns->months) - columns->first);
        uint64_t sum = 0;

        if (at >= columns->count)
            continue;
        columns->values[at][0] += stk_report_number(row, "signed");
        columns->values[at][1] += stk_report_number(row, "failed");
        columns->values[at][2] +=
            stk_report_number(row, "refused") + stk_report_number(row, "suppressed");
        for (size_t kind = 0; kind < KINDS; kind++)
            sum += columns->values[at][kind];
        columns->most = sum > columns->most ? sum : columns->most;
    }
}

/* False: there is nothing to draw, or too much. */
static bool make_columns(const json_t *days, struct columns *ret_columns)
{
    const json_t *first = json_array_get(days, 0);
    const json_t *last = json_array_get(days, json_array_size(days) - 1);
    struct columns columns = {0};

    if (json_array_size(days) == 0)
        return false;
    columns.months = place_of(last, false) - place_of(first, false) >= DAYS_MAX;
    columns.first = place_of(first, columns.months);
    columns.count = (size_t)(place_of(last, columns.months) - columns.first + 1);
    if (columns.count > MONTHS_MAX)
        return false;
    columns.values = calloc(columns.count, sizeof(*columns.values));
    if (columns.values == NULL)
        return false;
    fill(&columns, days);
    *ret_columns = columns;
    return true;
}

static void name_place(const struct columns *columns, size_t at, char ret_text[16])
{
    int64_t place = columns->first + (int64_t)at;
    time_t seconds = (time_t)place * DAY_S;
    struct tm day = {0};

    if (columns->months) {
        (void)snprintf(ret_text, 16, "%04d-%02d", (int)(place / 12 + 1900) % 10000,
                       (int)(place % 12 + 1) % 100);
        return;
    }
    (void)gmtime_r(&seconds, &day);
    (void)strftime(ret_text, 16, "%Y-%m-%d", &day);
}

static void draw_column(struct stk_html *html, const struct columns *columns, size_t at)
{
    double step = (double)(WIDTH - LEFT) / (double)columns->count;
    double below = HEIGHT;
    char place[16] = "";

    name_place(columns, at, place);
    for (size_t kind = 0; kind < KINDS; kind++) {
        uint64_t value = columns->values[at][kind];
        double height = (double)value * HEIGHT / (double)columns->most;

        if (value == 0)
            continue;
        below -= height;
        stk_html_add(html,
                     "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">"
                     "<title>%s: %" PRIu64 " %s</title></rect>\n",
                     classes[kind], LEFT + step * (double)at + step * 0.08, below, step * 0.84,
                     height, place, value, words[kind]);
    }
}

static void draw_frame(struct stk_html *html, const struct columns *columns)
{
    char place[16] = "";

    stk_html_add(html,
                 "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n"
                 "<line class=\"axis\" x1=\"%d\" y1=\"0\" x2=\"%d\" y2=\"%d\"/>\n"
                 "<text x=\"%d\" y=\"10\" text-anchor=\"end\">%" PRIu64 "</text>\n"
                 "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n",
                 LEFT, HEIGHT, WIDTH, HEIGHT, LEFT, LEFT, HEIGHT, LEFT - 5, columns->most, LEFT - 5,
                 HEIGHT);
    name_place(columns, 0, place);
    stk_html_add(html, "<text x=\"%d\" y=\"%d\">%s</text>\n", LEFT, HEIGHT + 14, place);
    name_place(columns, columns->count - 1, place);
    if (columns->count > 1)
        stk_html_add(html, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", WIDTH,
                     HEIGHT + 14, place);
}

static void draw_legend(struct stk_html *html)
{
    stk_html_add(html, "<p>");
    for (size_t kind = 0; kind < KINDS; kind++)
        stk_html_add(html,
                     "<svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"%s\" "
                     "width=\"12\" height=\"12\"/></svg> %s &nbsp; ",
                     classes[kind], words[kind]);
    stk_html_add(html, "</p>\n");
}

void stk_html_days(struct stk_html *html, const json_t *days, const char *name)
{
    struct columns columns = {0};

    if (!make_columns(days, &columns)) {
        if (json_array_size(days) > 0)
            stk_html_add(html, "<p>The days lie too far apart for a chart; the table has "
                               "them.</p>\n");
        return;
    }
    stk_html_add(html,
                 "<figure><figcaption>By %s</figcaption>\n<svg role=\"img\" viewBox=\"0 0 %d %d\" "
                 "width=\"%d\" height=\"%d\"><title>",
                 columns.months ? "month" : "day", WIDTH, HEIGHT + BELOW, WIDTH, HEIGHT + BELOW);
    stk_html_escape(html, name);
    stk_html_add(html, ": signed, failed and refused by %s; the table below has the days</title>\n",
                 columns.months ? "month" : "day");
    draw_frame(html, &columns);
    for (size_t i = 0; i < columns.count && html->status == STIRKEEP_OK; i++)
        draw_column(html, &columns, i);
    stk_html_add(html, "</svg>\n");
    draw_legend(html);
    stk_html_add(html, "</figure>\n");
    free(columns.values);
}

void stk_html_bar(struct stk_html *html, uint64_t value, uint64_t most)
{
    double width = most > 0 ? (double)value * 100 / (double)most : 0;

    stk_html_add(html,
                 "<svg aria-hidden=\"true\" width=\"120\" height=\"12\" viewBox=\"0 0 100 10\" "
                 "preserveAspectRatio=\"none\"><rect class=\"good\" width=\"%.2f\" "
                 "height=\"10\"/></svg>",
                 width);
}
