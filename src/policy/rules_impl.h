/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_RULES_IMPL_H
#define STK_POLICY_RULES_IMPL_H

#include "policy/rules.h"
#include "policy/table.h"

/*
 * A rule in 32 bits: its level (2), its source (1), its line (29). A value with all bits set says
 * that there is no rule; no line is that large.
 */
#define STK_RULE_LINE_BITS 29
#define STK_RULE_NONE UINT32_MAX

static inline uint32_t stk_rule_pack(enum stk_level level, unsigned source, uint32_t line)
{
    return (uint32_t)level << 30 | (uint32_t)source << STK_RULE_LINE_BITS | line;
}

static inline struct stk_rule_found stk_rule_unpack(uint32_t value)
{
    return (struct stk_rule_found){.level = (enum stk_level)(value >> 30),
                                   .found = true,
                                   .source = value >> STK_RULE_LINE_BITS & 1,
                                   .line = value & ((1u << STK_RULE_LINE_BITS) - 1)};
}

/* The three tables of an image. Of spans, which may lie within each other, what is left is where
 * another rule begins to decide: runs without a rule have the value STK_RULE_NONE. */
enum stk_rules_part { STK_RULES_ONES, STK_RULES_RANGES, STK_RULES_PREFIXES, STK_RULES_PARTS };

/*
 * The image: this head, then for each part its keys with their samples (policy/table.h) and its
 * values, each array beginning at a multiple of STK_RULES_ALIGN. It never leaves the machine, so
 * it is in the machine's byte order. Where an array lies follows from the counts.
 */
#define STK_RULES_MAGIC "STKRULE" /* and its '\0' */
#define STK_RULES_VERSION 1
#define STK_RULES_ALIGN 64
struct stk_rules_head {
    char magic[8];
    uint32_t version;
    uint32_t otherwise; /* enum stk_level of numbers without a rule */
    uint64_t size;      /* of the whole image */
    uint64_t rules;
    uint64_t counts[STK_RULES_PARTS];
};
#define STK_RULES_PART_MAX (2 * (uint64_t)STK_RULES_MAX + 1)

/* Where the arrays lie. */
struct stk_rules_layout {
    size_t keys[STK_RULES_PARTS];
    size_t values[STK_RULES_PARTS];
    size_t size;
};
struct stk_rules_layout stk_rules_lay(const uint64_t counts[STK_RULES_PARTS]);

/*
 * Prefixes are runs of another order: of the digits from the left, whatever the length, each
 * nibble one more than the digit, so that 0 is the end and "1415" comes before "14150".
 */
#define STK_LEFT_MAX ((1UL << 4 * STK_TN_MAX) - 1)
static inline uint64_t stk_rules_left(uint64_t key)
{
    unsigned length = (unsigned)(key >> 60);
    uint64_t ones = UINT64_C(0x111111111111111) & ((UINT64_C(1) << 4 * length) - 1);

    return (((key & STK_LEFT_MAX) + ones) << 4 * (STK_TN_MAX - length)) & STK_LEFT_MAX;
}

/* Is there a '*' or '#' in the number? Then it is in no range, although its key may lie between
 * those of numbers that are: 10 and 11 are the only nibbles that have both bits. */
static inline bool stk_number_is_marked(uint64_t key)
{
    return (key >> 3 & key >> 1 & UINT64_C(0x111111111111111)) != 0;
}

struct stk_rules {
    size_t count;
    enum stk_level otherwise;
    struct stk_table tables[STK_RULES_PARTS];
    const uint32_t *values[STK_RULES_PARTS];
};

/* The rule of a number by its key (model/number.h). */
struct stk_rule_found stk_rules_find_key(const struct stk_rules *rules, uint64_t key);

/* ---- the draft */

struct stk_rule_one {
    uint64_t key;
    uint32_t value;
};

struct stk_rule_span {
    uint64_t first;
    uint64_t last;
    uint32_t value;
};

struct stk_rule_spans {
    struct stk_rule_span *spans;
    size_t count;
    size_t room;
};

#define STK_RULES_FILE_MAX                                                                         \
    200 /* characters of a file's name in a message; of a longer one the end */

struct stk_rules_draft {
    struct stk_rule_one *ones;
    size_t one_count;
    size_t one_room;
    struct stk_rule_spans ranges;
    struct stk_rule_spans prefixes; /* in the order of stk_rules_left */
    enum stk_level otherwise;
    char file[STK_RULES_FILE_MAX + 1];
};

/* The end of a file's name. */
void stk_rules_file(const char *name, char ret_file[STK_RULES_FILE_MAX + 1]);

/* Where a rule stands: "attest.csv:17", "line 17 of the configuration". */
#define STK_RULE_PLACE (STK_RULES_FILE_MAX + 32)
void stk_rule_place(unsigned source, uint32_t line, const char *file,
                    char ret_place[STK_RULE_PLACE]);

#endif
