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

/*
 * Single numbers lie in cells by the first bits of a hash, without gaps: a search reads one place
 * of the directory and one run of a few entries, both of which can be fetched while something else
 * is done. The hash is a permutation, so an entry holds it instead of the key; nobody who writes
 * rules knows the seed, so nobody fills a cell on purpose.
 */
struct stk_rules_entry {
    uint32_t hash[2]; /* the upper half first */
    uint32_t value;
};
#define STK_RULES_CELL 16      /* entries of a cell at most, in the mean */
#define STK_RULES_CELL_MAX 255 /* of any */
#define STK_RULES_CELL_BITS_MAX 24
#define STK_HASH_FIRST UINT64_C(0xff51afd7ed558ccd)
#define STK_HASH_SECOND UINT64_C(0xc4ceb9fe1a85ec53)

static inline uint64_t stk_rules_hash(uint64_t key, uint64_t seed)
{
    uint64_t hash = key ^ seed;

    hash = (hash ^ hash >> 33) * STK_HASH_FIRST;
    hash = (hash ^ hash >> 33) * STK_HASH_SECOND;
    return hash ^ hash >> 33;
}
uint64_t stk_rules_unhash(uint64_t hash, uint64_t seed);

static inline size_t stk_rules_cell(uint64_t hash, unsigned cell_bits)
{
    return cell_bits > 0 ? hash >> (64 - cell_bits) : 0;
}

/* The other two parts of an image. Of rules that may lie within each other, what is left is where
 * another one begins to decide: runs without a rule have the value STK_RULE_NONE. */
enum stk_rules_part { STK_RULES_RANGES, STK_RULES_PREFIXES, STK_RULES_PARTS };

/*
 * The image: this head, filled up to STK_RULES_HEAD bytes, the directory of cells and where the
 * last one ends, the entries, and a table for each part; all begin at a multiple of
 * STK_RULES_ALIGN. It never leaves the machine, so it is in the machine's byte order. Where
 * something lies follows from the counts.
 */
#define STK_RULES_MAGIC "STKRULE" /* and its '\0' */
#define STK_RULES_VERSION 1
#define STK_RULES_HEAD 128
#define STK_RULES_ALIGN 64
struct stk_rules_head {
    char magic[8];
    uint32_t version;
    uint32_t otherwise; /* enum stk_level of numbers without a rule */
    uint64_t size;      /* of the whole image */
    uint64_t rules;
    uint64_t seed;
    uint64_t cell_bits;
    uint64_t ones;
    uint64_t counts[STK_RULES_PARTS];
};
#define STK_RULES_PART_MAX (2 * (uint64_t)STK_RULES_MAX + 1)

struct stk_rules_layout {
    size_t cells;
    size_t entries;
    size_t tables[STK_RULES_PARTS];
    size_t size;
};
struct stk_rules_layout stk_rules_lay(const struct stk_rules_head *head);

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
    uint64_t seed;
    unsigned cell_bits;
    size_t ones;
    const uint32_t *cells;
    const struct stk_rules_entry *entries;
    struct stk_table tables[STK_RULES_PARTS];
};

/*
 * The rule of a number by its key (model/number.h). It waits for memory that is in no cache;
 * whoever has something else to do meanwhile calls _soon, does some of that, calls _next, does the
 * rest, and then asks.
 */
struct stk_rule_found stk_rules_find_key(const struct stk_rules *rules, uint64_t key);
void stk_rules_find_soon(const struct stk_rules *rules, uint64_t key);
void stk_rules_find_next(const struct stk_rules *rules, uint64_t key);

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

/* CONFIG: two rules are for the same numbers, or overlap. */
enum stirkeep_status stk_rules_conflict(const struct stk_rules_draft *draft, bool are_prefixes,
                                        const struct stk_rule_span *a,
                                        const struct stk_rule_span *b, struct stk_error *error);

/* How many bits of the hash choose the cell of one of `count` numbers. */
unsigned stk_rules_cell_bits(size_t count);

/* Put the single numbers into an image, whose head has their count and the bits already and gets
 * the seed. CONFIG: two are the same. */
enum stirkeep_status stk_rules_place_ones(const struct stk_rules_draft *draft,
                                          struct stk_rules_head *head, uint32_t *cells,
                                          struct stk_rules_entry *entries, struct stk_error *error);

/* The end of a file's name. */
void stk_rules_file(const char *name, char ret_file[STK_RULES_FILE_MAX + 1]);

/* Where a rule stands: "attest.csv:17", "line 17 of the configuration". */
#define STK_RULE_PLACE (STK_RULES_FILE_MAX + 32)
void stk_rule_place(unsigned source, uint32_t line, const char *file,
                    char ret_place[STK_RULE_PLACE]);

#endif
