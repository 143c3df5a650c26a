/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_RULES_H
#define STK_POLICY_RULES_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "model/number.h"

/*
 * Attestation rules: which attestation a calling number may get. Up to a million of them and more,
 * compiled into one flat image that whoever read the file (the porter, which may open it) hands to
 * whoever decides (front, which may not) and that is used where it lies. The most specific rule
 * decides: a single number before a range, a range before a prefix, of ranges the one with fewer
 * numbers, of prefixes the longer one. Two rules for exactly the same numbers are a conflict, also
 * when they agree; ranges that overlap without one lying within the other are one, too.
 */
#define STK_RULES_MAX 4000000
#define STK_RULES_LINE_MAX 536870910 /* lines of a file; what STK_ATTEST_FILE_MAX holds are fewer */

enum stk_level { STK_LEVEL_NONE, STK_LEVEL_C, STK_LEVEL_B, STK_LEVEL_A };

/* "A", "B", "C", "none"; false when it is none of them. */
bool stk_level_read(const char *text, enum stk_level *ret_level);
const char *stk_level_name(enum stk_level level);

/* ---- building */

struct stk_rules_draft;

struct stk_rules_draft *stk_rules_draft_new(void); /* NULL: out of memory */
void stk_rules_draft_free(struct stk_rules_draft *draft);

/* `source` and `line` say where it stands, for refusals: 0 is the configuration, 1 the file.
 * TOO_LARGE past STK_RULES_MAX or STK_RULES_LINE_MAX, INVALID for a pattern that is none, NO_MEMORY. */
enum stirkeep_status stk_rules_draft_add(struct stk_rules_draft *draft,
                                         const struct stk_number_pattern *pattern,
                                         enum stk_level level, unsigned source, uint32_t line);
size_t stk_rules_draft_count(const struct stk_rules_draft *draft);

/* The level of numbers without a rule; none at first. */
void stk_rules_draft_default(struct stk_rules_draft *draft, enum stk_level level);

/*
 * Rules as CSV (RFC 4180 without quotes): "number or range or prefix,level", one to a line; empty
 * lines, lines that begin with '#' and a first line "number,level" are passed over (a number that
 * begins with '#' is written with a '+' before it); a byte order mark, CRLF and blanks around
 * what is written are taken. CONFIG: the message is "ATTEST.CSV:17: reason" with the file `name`,
 * of which a copy is kept for conflicts.
 */
enum stirkeep_status stk_rules_draft_csv(struct stk_rules_draft *draft, const char *text,
                                         size_t length, const char *name, struct stk_error *error);

/* Compile: append the image to `out`, whose length is a multiple of 8 before. CONFIG naming both
 * lines of a conflict. The draft is used up (its rules are sorted), but still to be freed. */
enum stirkeep_status stk_rules_build(struct stk_rules_draft *draft, struct stk_buffer *out,
                                     struct stk_error *error);

/* ---- using */

/* An image that is used in place: aligned to 8 bytes, unchanged as long as this is in use. */
struct stk_rules;

/* Checks what keeps every lookup within the image (in a time that does not grow with it).
 * MALFORMED. `*ret_rules` is freed by stk_rules_close; the image stays the caller's. */
enum stirkeep_status stk_rules_open(struct stk_bytes image, struct stk_rules **ret_rules,
                                    struct stk_error *error);
void stk_rules_close(struct stk_rules *rules);

size_t stk_rules_count(const struct stk_rules *rules);

struct stk_rule_found {
    enum stk_level level;
    bool found;      /* false: no rule, `level` is the default */
    unsigned source; /* of the rule */
    uint32_t line;
};

/* The rule of a canonical number. Of single numbers two places in memory are read, of ranges and
 * prefixes as many as their logarithm to the base of 16. Any thread. */
struct stk_rule_found stk_rules_find(const struct stk_rules *rules, const char *tn);

#endif
