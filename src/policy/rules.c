/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/rules_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_names[] = {"none", "C", "B", "A"};
#define LEVELS (sizeof(level_names) / sizeof(level_names[0]))

bool stk_level_read(const char *text, enum stk_level *ret_level)
{
    for (size_t i = 0; i < LEVELS; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum stk_level)i;
            return true;
        }
    }
    return false;
}

const char *stk_level_name(enum stk_level level)
{
    return (size_t)level < LEVELS ? level_names[level] : "none";
}

void stk_rules_file(const char *name, char ret_file[STK_RULES_FILE_MAX + 1])
{
    size_t length = strlen(name);

    if (length > STK_RULES_FILE_MAX)
        name += length - STK_RULES_FILE_MAX;
    (void)snprintf(ret_file, STK_RULES_FILE_MAX + 1, "%s", name);
}

void stk_rule_place(unsigned source, uint32_t line, const char *file,
                    char ret_place[STK_RULE_PLACE])
{
    if (source == 0)
        (void)snprintf(ret_place, STK_RULE_PLACE, "line %u of the configuration", line);
    else if (file[0] == '\0')
        (void)snprintf(ret_place, STK_RULE_PLACE, "line %u of the attestation file", line);
    else
        (void)snprintf(ret_place, STK_RULE_PLACE, "%s:%u", file, line);
}

uint64_t stk_rules_unhash(uint64_t hash, uint64_t seed)
{
    /* The inverses of the factors modulo 2^64; a shift by more than half undoes itself. */
    hash = (hash ^ hash >> 33) * UINT64_C(0x9cb4b2f8129337db);
    hash = (hash ^ hash >> 33) * UINT64_C(0x4f74430c22a54005);
    return hash ^ hash >> 33 ^ seed;
}

static size_t aligned(size_t size)
{
    return (size + STK_RULES_ALIGN - 1) / STK_RULES_ALIGN * STK_RULES_ALIGN;
}

struct stk_rules_layout stk_rules_lay(const struct stk_rules_head *head)
{
    struct stk_rules_layout layout = {.cells = STK_RULES_HEAD};
    size_t cells = ((size_t)1 << head->cell_bits) + 1;

    _Static_assert(sizeof(struct stk_rules_head) <= STK_RULES_HEAD, "the head fits");
    layout.entries = layout.cells + aligned(cells * sizeof(uint32_t));
    layout.size = layout.entries + aligned(head->ones * sizeof(struct stk_rules_entry));
    for (unsigned part = 0; part < STK_RULES_PARTS; part++) {
        layout.tables[part] = layout.size;
        layout.size += stk_table_size(head->counts[part]);
    }
    return layout;
}

static const char *head_fault(const struct stk_rules_head *head, size_t length)
{
    if (memcmp(head->magic, STK_RULES_MAGIC, sizeof(head->magic)) != 0)
        return "it is no such image";
    if (head->version != STK_RULES_VERSION)
        return "it is of another version";
    if (head->otherwise >= LEVELS)
        return "its default is no level";
    if (head->rules > STK_RULES_MAX)
        return "it has too many rules";
    if (head->ones > STK_RULES_MAX || head->cell_bits > STK_RULES_CELL_BITS_MAX)
        return "it has too many rules";
    for (unsigned part = 0; part < STK_RULES_PARTS; part++)
        if (head->counts[part] > STK_RULES_PART_MAX)
            return "it has too many rules";
    if (head->size != length || stk_rules_lay(head).size != length)
        return "it is not as long as it should be";
    return NULL;
}

enum stirkeep_status stk_rules_open(struct stk_bytes image, struct stk_rules **ret_rules,
                                    struct stk_error *error)
{
    struct stk_rules_head head = {0};
    struct stk_rules_layout layout = {0};
    struct stk_rules *rules = NULL;
    const char *fault = NULL;

    if (image.length < STK_RULES_HEAD)
        fault = "it is too short";
    else if ((uintptr_t)image.data % _Alignof(uint64_t) != 0)
        fault = "it is not aligned";
    if (fault == NULL) {
        memcpy(&head, image.data, sizeof(head));
        fault = head_fault(&head, image.length);
    }
    if (fault != NULL)
        return stk_error_set(error, STIRKEEP_MALFORMED, "image of attestation rules: %s", fault);
    rules = calloc(1, sizeof(*rules));
    if (rules == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    layout = stk_rules_lay(&head);
    *rules = (struct stk_rules){
        .count = head.rules,
        .otherwise = (enum stk_level)head.otherwise,
        .seed = head.seed,
        .cell_bits = (unsigned)head.cell_bits,
        .ones = head.ones,
        .cells = (const uint32_t *)(const void *)(image.data + layout.cells),
        .entries = (const struct stk_rules_entry *)(const void *)(image.data + layout.entries)};
    for (unsigned part = 0; part < STK_RULES_PARTS; part++)
        stk_table_map(&rules->tables[part], image.data + layout.tables[part], head.counts[part]);
    *ret_rules = rules;
    return STIRKEEP_OK;
}

void stk_rules_close(struct stk_rules *rules)
{
    free(rules);
}

size_t stk_rules_count(const struct stk_rules *rules)
{
    return rules->count;
}

/* The entries of a hash's cell: `*ret_end` is behind the last. Whatever the directory says, they
 * are there and are few. */
static size_t run_of(const struct stk_rules *rules, uint64_t hash, size_t *ret_end)
{
    size_t cell = stk_rules_cell(hash, rules->cell_bits);
    size_t first = rules->cells[cell];
    size_t end = rules->cells[cell + 1];

    if (end > rules->ones)
        end = rules->ones;
    if (first > end)
        first = end;
    if (end - first > STK_RULES_CELL_MAX)
        end = first + STK_RULES_CELL_MAX;
    *ret_end = end;
    return first;
}

static uint32_t one_value(const struct stk_rules *rules, uint64_t key)
{
    uint64_t hash = stk_rules_hash(key, rules->seed);
    size_t end = 0;

    for (size_t i = run_of(rules, hash, &end); i < end; i++) {
        const struct stk_rules_entry *entry = &rules->entries[i];

        if (entry->hash[1] == (uint32_t)hash && entry->hash[0] == (uint32_t)(hash >> 32))
            return entry->value;
    }
    return STK_RULE_NONE;
}

static uint32_t run_value(const struct stk_table *table, uint64_t key)
{
    size_t place = stk_table_find(table, key);

    return place != STK_TABLE_NONE ? stk_table_value(table, place) : STK_RULE_NONE;
}

void stk_rules_find_soon(const struct stk_rules *rules, uint64_t key)
{
    __builtin_prefetch(
        &rules->cells[stk_rules_cell(stk_rules_hash(key, rules->seed), rules->cell_bits)]);
}

void stk_rules_find_next(const struct stk_rules *rules, uint64_t key)
{
    size_t end = 0;
    size_t first = run_of(rules, stk_rules_hash(key, rules->seed), &end);

    for (size_t i = first; i < end; i += STK_RULES_ALIGN / sizeof(*rules->entries))
        __builtin_prefetch(&rules->entries[i]);
}

struct stk_rule_found stk_rules_find_key(const struct stk_rules *rules, uint64_t key)
{
    uint32_t value = one_value(rules, key);

    if (value == STK_RULE_NONE && !stk_number_is_marked(key))
        value = run_value(&rules->tables[STK_RULES_RANGES], key);
    if (value == STK_RULE_NONE)
        value = run_value(&rules->tables[STK_RULES_PREFIXES], stk_rules_left(key));
    if (value == STK_RULE_NONE)
        return (struct stk_rule_found){.level = rules->otherwise};
    return stk_rule_unpack(value);
}

struct stk_rule_found stk_rules_find(const struct stk_rules *rules, const char *tn)
{
    return stk_rules_find_key(rules, stk_number_key(tn));
}
