/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_REPORT_RENDER_H
#define STK_CLI_REPORT_RENDER_H

#include "base/buffer.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The report for people, out of its document (report_document.h). */

/* Names that are shown in full: those with the most records. Of the others, their sums. */
#define STK_REPORT_TOP_DEFAULT 50
#define STK_REPORT_TOP_MAX 1000
#define STK_REPORT_BRIEF_MAX 1000 /* of the others: rows with their sums */
#define STK_REPORT_TEXT_ROWS 20   /* rows of a list in the text; the page has all of them */

/* On standard output. False when memory had run out. */
bool stk_report_print(const json_t *document, size_t top);

/* One HTML page with inline SVG: no script, no network, every text escaped. NO_MEMORY. */
enum stirkeep_status stk_report_html(const json_t *document, size_t top, struct stk_buffer *out);

/* ---- its parts */

/* Text of a member; "-" when it is null or not there. Numbers through stk_report_number. */
const char *stk_report_member(const json_t *object, const char *name);
uint64_t stk_report_number(const json_t *object, const char *name);
uint64_t stk_report_sum(const json_t *object); /* of its four counts */

/* HTML that is appended; the first failure sticks. */
struct stk_html {
    struct stk_buffer *out;
    enum stirkeep_status status;
};

/* Markup as it is, with printf's words; nothing of the trail's may be among its arguments. */
void stk_html_add(struct stk_html *html, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A text that may be anything: '&', '<', '>' and quotes escaped; control characters, line
 * separators and what turns the direction of writing written out as \uXXXX; in a <bdi>. */
void stk_html_text(struct stk_html *html, const char *text);

/* The same without the element: for attributes and titles. */
void stk_html_escape(struct stk_html *html, const char *text);

/* The chart of the days (an array as the document has it). */
void stk_html_days(struct stk_html *html, const json_t *days, const char *name);

/* A bar for a row of a table: `value` of `most`. */
void stk_html_bar(struct stk_html *html, uint64_t value, uint64_t most);

/* One certificate's section, `number` of the page. */
void stk_html_certificate(struct stk_html *html, const json_t *certificate, size_t number);

/* The rest of the page: what stands before and behind the certificates. */
void stk_html_begin(struct stk_html *html, const json_t *document);
void stk_html_policies(struct stk_html *html, const json_t *document);
void stk_html_service(struct stk_html *html, const json_t *document);

#endif
