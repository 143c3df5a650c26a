/* SPDX-License-Identifier: BSD-2-Clause */
#include "json/json.h"

#include "json/scan.h"
#include <assert.h>
#include <string.h>

/* A value, and where its key stands, for telling of one that is given twice. */
struct node {
    struct stk_json json;
    uint32_t key_at;
};

/* A list that grows at its end. */
struct list {
    struct node *first;
    struct node *last;
    size_t count;
};

static struct node *next_of(const struct node *node)
{
    return (struct node *)node->json.next;
}

static void set_next(struct node *node, struct node *next)
{
    node->json.next = next != NULL ? &next->json : NULL;
}

static void append(struct list *list, struct node *node)
{
    assert(node != NULL);
    if (list->last != NULL)
        set_next(list->last, node);
    else
        list->first = node;
    list->last = node;
    list->count++;
}

/* ---- members in order */

/* UTF-8 has the property that the order of bytes is the order of code points. */
static int compare_keys(const struct stk_json *a, const struct stk_json *b)
{
    size_t common = a->key_length < b->key_length ? a->key_length : b->key_length;
    int order = memcmp(a->key, b->key, common);

    if (order != 0)
        return order;
    return (a->key_length > b->key_length) - (a->key_length < b->key_length);
}

static struct node *merge(struct node *left, struct node *right)
{
    struct list merged = {0};

    assert(left != NULL && right != NULL);
    while (left != NULL && right != NULL) {
        struct node **smaller = compare_keys(&left->json, &right->json) <= 0 ? &left : &right;
        struct node *node = *smaller;

        *smaller = next_of(node);
        append(&merged, node);
    }
    assert(merged.last != NULL);
    set_next(merged.last, left != NULL ? left : right);
    return merged.first;
}

#define RUNS_MAX 32 /* of 1, 2, 4, ... members; more than 2^32 - 1 bytes are never read */

/* Merge sort from below: hostile keys cost no more than others. */
static struct node *sort_members(struct node *members)
{
    struct node *runs[RUNS_MAX] = {0};
    struct node *sorted = NULL;

    while (members != NULL) {
        struct node *run = members;
        size_t i = 0;

        members = next_of(members);
        set_next(run, NULL);
        for (; runs[i] != NULL; i++) {
            run = merge(runs[i], run);
            runs[i] = NULL;
        }
        runs[i] = run;
    }
    for (size_t i = 0; i < RUNS_MAX; i++)
        if (runs[i] != NULL)
            sorted = sorted == NULL ? runs[i] : merge(runs[i], sorted);
    return sorted;
}

/* The later one of two members with the same key; NULL when there are none. Runs are merged with
 * the earlier one first, so equal keys are in the order of the text. */
static const struct node *second_of_equals(const struct node *members)
{
    for (; members != NULL && next_of(members) != NULL; members = next_of(members))
        if (compare_keys(&members->json, members->json.next) == 0)
            return next_of(members);
    return NULL;
}

/* ---- reading */

static enum stirkeep_status read_value(struct stk_scan *scan, unsigned depth,
                                       struct node **ret_node);

static enum stirkeep_status read_array(struct stk_scan *scan, unsigned depth,
                                       struct stk_json *array)
{
    struct list list = {0};

    array->kind = STK_JSON_ARRAY;
    scan->at++;
    if (stk_scan_take(scan, ']'))
        return STIRKEEP_OK;
    do {
        struct node *node = NULL;
        enum stirkeep_status status = read_value(scan, depth + 1, &node);

        if (status != STIRKEEP_OK)
            return status;
        append(&list, node);
    } while (stk_scan_take(scan, ','));
    if (!stk_scan_take(scan, ']'))
        return stk_scan_refuse(scan, scan->at, "',' or ']' is missing");
    assert(list.first != NULL);
    array->first = &list.first->json;
    array->count = list.count;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_member(struct stk_scan *scan, unsigned depth,
                                        struct node **ret_node)
{
    const char *key = NULL;
    size_t key_length = 0;
    size_t key_at = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (stk_scan_next(scan) != '"')
        return stk_scan_refuse(scan, scan->at, "a key is missing");
    key_at = scan->at;
    status = stk_scan_string(scan, &key, &key_length);
    if (status != STIRKEEP_OK)
        return status;
    if (!stk_scan_take(scan, ':'))
        return stk_scan_refuse(scan, scan->at, "':' is missing");
    status = read_value(scan, depth, ret_node);
    if (status == STIRKEEP_OK) {
        (*ret_node)->json.key = key;
        (*ret_node)->json.key_length = key_length;
        (*ret_node)->key_at = (uint32_t)key_at;
    }
    return status;
}

static enum stirkeep_status read_object(struct stk_scan *scan, unsigned depth,
                                        struct stk_json *object)
{
    const struct node *twice = NULL;
    struct list list = {0};

    object->kind = STK_JSON_OBJECT;
    scan->at++;
    if (stk_scan_take(scan, '}'))
        return STIRKEEP_OK;
    do {
        struct node *node = NULL;
        enum stirkeep_status status = read_member(scan, depth + 1, &node);

        if (status != STIRKEEP_OK)
            return status;
        append(&list, node);
    } while (stk_scan_take(scan, ','));
    if (!stk_scan_take(scan, '}'))
        return stk_scan_refuse(scan, scan->at, "',' or '}' is missing");
    list.first = sort_members(list.first);
    assert(list.first != NULL);
    twice = second_of_equals(list.first);
    if (twice != NULL)
        return stk_scan_refuse(scan, twice->key_at, "a key is given twice");
    object->first = &list.first->json;
    object->count = list.count;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_word(struct stk_scan *scan, struct stk_json *json)
{
    static const char *const words[] = {"null", "false", "true"};
    static const enum stk_json_kind kinds[] = {STK_JSON_NULL, STK_JSON_FALSE, STK_JSON_TRUE};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t length = strlen(words[i]);

        if (scan->length - scan->at >= length &&
            memcmp(scan->text + scan->at, words[i], length) == 0) {
            scan->at += length;
            json->kind = kinds[i];
            return STIRKEEP_OK;
        }
    }
    return stk_scan_refuse(scan, scan->at,
                           scan->at == scan->length ? "ends too early" : "is no JSON value");
}

static enum stirkeep_status read_scalar(struct stk_scan *scan, struct stk_json *json)
{
    char c = stk_scan_next(scan);

    if (c == '"') {
        json->kind = STK_JSON_STRING;
        return stk_scan_string(scan, &json->text, &json->length);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        json->kind = STK_JSON_INTEGER;
        return stk_scan_integer(scan, &json->integer);
    }
    return read_word(scan, json);
}

/* `depth` is the number of arrays and objects around it: the recursion ends at
 * STK_JSON_DEPTH_MAX. */
static enum stirkeep_status read_value(struct stk_scan *scan, unsigned depth,
                                       struct node **ret_node)
{
    struct node *node = stk_arena_take(scan->arena, sizeof(*node));
    char c = stk_scan_next(scan);

    if (node == NULL)
        return stk_scan_no_room(scan);
    *node = (struct node){0};
    *ret_node = node;
    if (c != '[' && c != '{')
        return read_scalar(scan, &node->json);
    if (depth == STK_JSON_DEPTH_MAX)
        return stk_scan_refuse(scan, scan->at, "nested too deeply");
    return c == '[' ? read_array(scan, depth, &node->json) : read_object(scan, depth, &node->json);
}

enum stirkeep_status stk_json_read(const char *text, size_t length, const char *field,
                                   struct stk_arena *arena, const struct stk_json **ret_json,
                                   struct stk_error *error)
{
    struct stk_scan scan = {
        .text = text, .length = length, .field = field, .arena = arena, .error = error};
    struct node *node = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (length > UINT32_MAX)
        return stk_scan_no_room(&scan);
    status = read_value(&scan, 0, &node);
    if (status != STIRKEEP_OK)
        return status;
    (void)stk_scan_next(&scan);
    if (scan.at < scan.length)
        return stk_scan_refuse(&scan, scan.at, "something behind the value");
    *ret_json = &node->json;
    return STIRKEEP_OK;
}
