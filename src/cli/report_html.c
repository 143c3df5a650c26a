/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_render.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void stk_html_add(struct stk_html *html, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    int length = 0;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        html->status = STIRKEEP_NO_MEMORY;
    if (html->status == STIRKEEP_OK)
        html->status = stk_buffer_add(html->out, text, (size_t)length);
    if (length >= 0)
        free(text);
}

/* The code of the UTF-8 character at `at`, which jansson has checked, and its bytes. */
static unsigned code_at(const unsigned char *at, size_t *ret_length)
{
    unsigned code = *at;

    *ret_length = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    if (*ret_length > 1)
        code = *at & (0xffU >> (*ret_length + 1));
    for (size_t i = 1; i < *ret_length; i++)
        code = code << 6 | (at[i] & 0x3fU);
    return code;
}

/* Control characters, ends of lines, and what changes the direction of writing or cannot be seen. */
static bool steers(unsigned code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code & 0xffffff00U) == 0xe0000U;
}

void stk_html_escape(struct stk_html *html, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0' && html->status == STIRKEEP_OK) {
        size_t length = 0;
        unsigned code = code_at(at, &length);

        if (code == '&' || code == '<' || code == '>' || code == '"' || code == '\'')
            stk_html_add(html, "&#%u;", code);
        else if (steers(code))
            stk_html_add(html, "\\u%04x", code);
        else
            html->status = stk_buffer_add(html->out, at, length);
        at += length;
    }
}

void stk_html_text(struct stk_html *html, const char *text)
{
    stk_html_add(html, "<bdi>");
    stk_html_escape(html, text);
    stk_html_add(html, "</bdi>");
}

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark;--fore:#1b1b1b;--back:#fff;--line:#8884;--soft:#8882;"
    "--good:#1769aa;--fail:#b26a00;--bad:#b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--fore:#e6e6e6;--back:#16181b;--good:#6cb2eb;"
    "--fail:#f0b04a;--bad:#f2827a}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--fore);background:var(--back);"
    "max-width:72rem;margin:0 auto;padding:1rem}\n"
    "h2{margin-top:2.5rem;border-bottom:2px solid var(--line)}\n"
    "table{border-collapse:collapse;margin:.5rem 0 1rem}\n"
    "caption{text-align:left;font-weight:600;padding:.3rem 0}\n"
    "th,td{text-align:left;vertical-align:top;padding:.15rem .7rem .15rem 0;"
    "border-bottom:1px solid var(--line);overflow-wrap:anywhere}\n"
    "td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    "td.b{min-width:8rem}\n"
    "code{font-size:.9em;overflow-wrap:anywhere}\n"
    "svg text{fill:var(--fore);font-size:11px}\n"
    "svg{max-width:100%;height:auto}\n"
    ".good{fill:var(--good)}.fail{fill:var(--fail)}.bad{fill:var(--bad)}\n"
    ".axis{stroke:var(--fore);stroke-width:1}\n"
    ".alarm{border:3px solid var(--bad);padding:.7rem;font-weight:600}\n"
    ".note{background:var(--soft);padding:.5rem .7rem}\n"
    "</style>\n";

static void add_trail(struct stk_html *html, const json_t *document)
{
    const json_t *trail = json_object_get(document, "trail");

    if (!json_is_true(json_object_get(trail, "verified"))) {
        stk_html_add(html, "<p class=\"alarm\" role=\"alert\">NOT VERIFIED: ");
        stk_html_text(html, stk_report_member(trail, "problem"));
        stk_html_add(html, "<br>What follows is only what stands before that, and may have been "
                           "changed.</p>\n");
        return;
    }
    stk_html_add(html,
                 "<p class=\"note\">The trail is verified: records %" PRIu64 " to %" PRIu64
                 " in %" PRIu64 " files, each chained to the one before. Sealed through record "
                 "%" PRIu64 " by %" PRIu64 " seals, %s Not sealed yet: the last %" PRIu64
                 " records. Covered by the chain alone: %" PRIu64 " records.",
                 stk_report_number(trail, "first"), stk_report_number(trail, "last"),
                 stk_report_number(trail, "files"), stk_report_number(trail, "sealed"),
                 stk_report_number(trail, "seals"),
                 json_is_true(json_object_get(trail, "signatures_checked"))
                     ? "each signed by an audit key that was given."
                     : "<strong>whose signatures were not checked</strong>: no key was given.",
                 stk_report_number(trail, "unsealed"), stk_report_number(trail, "uncovered"));
    if (stk_report_number(trail, "first") > 1)
        stk_html_add(html, " Not given: records 1 to %" PRIu64 ".",
                     stk_report_number(trail, "first") - 1);
    stk_html_add(html, "</p>\n");
}

static void add_keys(struct stk_html *html, const json_t *document)
{
    const json_t *keys = json_object_get(json_object_get(document, "trail"), "keys");

    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);

        stk_html_add(html, "<tr><th scope=\"row\">audit key</th><td><code>");
        stk_html_escape(html, stk_report_member(key, "key_id"));
        stk_html_add(html, "</code>, %" PRIu64 " seals%s</td></tr>\n",
                     stk_report_number(key, "seals"),
                     json_is_true(json_object_get(key, "given")) ? "" : ", not given");
    }
}

void stk_html_begin(struct stk_html *html, const json_t *document)
{
    static const char *const members[] = {"made", "since", "until", "name"};

    stk_html_add(html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "style-src 'unsafe-inline'\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n"
                       "<title>Audit report</title>\n");
    stk_html_add(html, "%s</head>\n<body>\n<h1>Audit report</h1>\n", style);
    add_trail(html, document);
    stk_html_add(html, "<table><caption>What this is about</caption>\n");
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        stk_html_add(html, "<tr><th scope=\"row\">%s</th><td>", members[i]);
        stk_html_text(html, stk_report_member(document, members[i]));
        stk_html_add(html, "</td></tr>\n");
    }
    stk_html_add(html, "<tr><th scope=\"row\">records</th><td>%" PRIu64 "</td></tr>\n",
                 stk_report_number(document, "records"));
    add_keys(html, document);
    stk_html_add(html, "</table>\n");
}

static void add_others(struct stk_html *html, const json_t *certificates, size_t top)
{
    size_t count = json_array_size(certificates);

    if (count <= top)
        return;
    stk_html_add(html, "<h2>Other names, in short</h2>\n<table><tr><th>name</th><th>signed</th>"
                       "<th>failed</th><th>refused</th><th>not recorded one by one</th></tr>\n");
    for (size_t i = top; i < count && i < top + STK_REPORT_BRIEF_MAX; i++) {
        const json_t *one = json_array_get(certificates, i);

        stk_html_add(html, "<tr><td>");
        stk_html_text(html, stk_report_member(one, "name"));
        stk_html_add(html,
                     "</td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64
                     "</td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64 "</td></tr>\n",
                     stk_report_number(one, "signed"), stk_report_number(one, "failed"),
                     stk_report_number(one, "refused"), stk_report_number(one, "suppressed"));
    }
    stk_html_add(html, "</table>\n");
    if (count > top + STK_REPORT_BRIEF_MAX)
        stk_html_add(html, "<p>And %zu more names, which only the JSON report has.</p>\n",
                     count - top - STK_REPORT_BRIEF_MAX);
}

enum stirkeep_status stk_report_html(const json_t *document, size_t top, struct stk_buffer *out)
{
    struct stk_html html = {out, STIRKEEP_OK};
    const json_t *certificates = json_object_get(document, "certificates");
    uint64_t left_out = stk_report_sum(json_object_get(document, "certificates_left_out"));

    stk_html_begin(&html, document);
    stk_html_policies(&html, document);
    for (size_t i = 0; i < json_array_size(certificates) && i < top; i++)
        stk_html_certificate(&html, json_array_get(certificates, i), i + 1);
    add_others(&html, certificates, top);
    if (left_out > 0)
        stk_html_add(&html,
                     "<p>Left out, as there are too many different names that no certificate has: "
                     "%" PRIu64 " refusals.</p>\n",
                     left_out);
    stk_html_service(&html, document);
    stk_html_add(&html, "</body>\n</html>\n");
    return html.status;
}
