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

static size_t aligned(size_t size)
{
    return (size + STK_RULES_ALIGN - 1) / STK_RULES_ALIGN * STK_RULES_ALIGN;
}

struct stk_rules_layout stk_rules_lay(const uint64_t counts[STK_RULES_PARTS])
{
    struct stk_rules_layout layout = {.size = aligned(sizeof(struct stk_rules_head))};

    for (unsigned part = 0; part < STK_RULES_PARTS; part++) {
        layout.keys[part] = layout.size;
        layout.size += aligned(stk_table_words(counts[part]) * sizeof(uint64_t));
        layout.values[part] = layout.size;
        layout.size += aligned(counts[part] * sizeof(uint32_t));
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
    for (unsigned part = 0; part < STK_RULES_PARTS; part++)
        if (head->counts[part] > STK_RULES_PART_MAX)
            return "it has too many rules";
    if (head->size != length || stk_rules_lay(head->counts).size != length)
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

    if (image.length < sizeof(head))
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
    layout = stk_rules_lay(head.counts);
    rules->count = head.rules;
    rules->otherwise = (enum stk_level)head.otherwise;
    for (unsigned part = 0; part < STK_RULES_PARTS; part++) {
        stk_table_map(&rules->tables[part],
                      (const uint64_t *)(const void *)(image.data + layout.keys[part]),
                      head.counts[part]);
        rules->values[part] = (const uint32_t *)(const void *)(image.data + layout.values[part]);
    }
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

/* The value at the last place that is not above the key. */
static uint32_t value_at(const struct stk_rules *rules, enum stk_rules_part part, uint64_t key)
{
    const struct stk_table *table = &rules->tables[part];
    size_t place = stk_table_find(table, rules->values[part], key);

    if (place == STK_TABLE_NONE || (part == STK_RULES_ONES && table->levels[0][place] != key))
        return STK_RULE_NONE;
    return rules->values[part][place];
}

struct stk_rule_found stk_rules_find_key(const struct stk_rules *rules, uint64_t key)
{
    uint32_t value = value_at(rules, STK_RULES_ONES, key);

    if (value == STK_RULE_NONE && !stk_number_is_marked(key))
        value = value_at(rules, STK_RULES_RANGES, key);
    if (value == STK_RULE_NONE)
        value = value_at(rules, STK_RULES_PREFIXES, stk_rules_left(key));
    if (value == STK_RULE_NONE)
        return (struct stk_rule_found){.level = rules->otherwise};
    return stk_rule_unpack(value);
}

struct stk_rule_found stk_rules_find(const struct stk_rules *rules, const char *tn)
{
    return stk_rules_find_key(rules, stk_number_key(tn));
}
