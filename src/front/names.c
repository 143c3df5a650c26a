/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/names.h"

#include "base/fetch.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 64
#define USED_AT_ONCE (sizeof(struct stk_held) + 64) /* with a name and most of an x5u */

struct table {
    struct stk_held **held; /* in the order of names */
    size_t count;
    size_t capacity;
    struct stk_held **buckets; /* NULL before the first name */
    size_t bucket_count;       /* at least as many as names, a power of two */
};

struct stk_names {
    struct table current;
    struct table next; /* a snapshot under way */
    bool gathering;
    bool complete;
    uint64_t version;
};

static void held_free(struct stk_held *held)
{
    if (held == NULL)
        return;
    free(held->constraints);
    free(held);
}

static void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        held_free(table->held[i]);
    free(table->held);
    free(table->buckets);
    *table = (struct table){0};
}

struct stk_names *stk_names_new(void)
{
    return calloc(1, sizeof(struct stk_names));
}

void stk_names_free(struct stk_names *names)
{
    if (names == NULL)
        return;
    table_clear(&names->current);
    table_clear(&names->next);
    free(names);
}

/* The first place whose name is not before `name`. */
static size_t place_of(const struct table *table, const char *name)
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(table->held[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct table *table, size_t place, const char *name)
{
    return place < table->count && strcmp(table->held[place]->name, name) == 0;
}

static struct stk_held *held_new(const struct stk_certificate *certificate)
{
    size_t name_size = strlen(certificate->name.text) + 1;
    size_t x5u_size = strlen(certificate->x5u) + 1;
    struct stk_held *held = malloc(sizeof(*held) + name_size + x5u_size);

    if (held == NULL)
        return NULL;
    held->key_id = certificate->key_id;
    held->not_before = certificate->not_before;
    held->not_after = certificate->not_after;
    held->generation = certificate->generation;
    held->active = certificate->active;
    held->tally_number = 0;
    memcpy(held->name, certificate->name.text, name_size);
    memcpy(held->name + name_size, certificate->x5u, x5u_size);
    held->x5u = held->name + name_size;
    held->constraints = NULL;
    if (!stk_constraints_any(certificate->constraints))
        return held;
    held->constraints = stk_constraints_clone(certificate->constraints);
    if (held->constraints != NULL)
        return held;
    held_free(held);
    return NULL;
}

/* Only names that are held are in it, and who imports them is trusted: no secret is needed. */
static struct stk_held **bucket_of(const struct table *table, const char *name, size_t length)
{
    return &table->buckets[stk_hash(name, length, 0) & (table->bucket_count - 1)];
}

static void chain(const struct table *table, struct stk_held *held)
{
    struct stk_held **bucket = bucket_of(table, held->name, strlen(held->name));

    held->chain = *bucket;
    *bucket = held;
}

static void unchain(const struct table *table, const struct stk_held *held)
{
    struct stk_held **link = bucket_of(table, held->name, strlen(held->name));

    while (*link != held)
        link = &(*link)->chain;
    *link = held->chain;
}

static bool make_buckets(struct table *table)
{
    size_t count = table->bucket_count > 0 ? table->bucket_count * 2 : BUCKETS_FIRST;
    struct stk_held **buckets = NULL;

    if (table->count < table->bucket_count)
        return true;
    buckets = calloc(count, sizeof(struct stk_held *));
    if (buckets == NULL)
        return false;
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = count;
    for (size_t i = 0; i < table->count; i++)
        chain(table, table->held[i]);
    return true;
}

static bool make_room(struct table *table)
{
    size_t capacity = table->capacity > 0 ? table->capacity * 2 : 64;
    struct stk_held **held = NULL;

    if (table->count < table->capacity)
        return true;
    held = reallocarray(table->held, capacity, sizeof(struct stk_held *));
    if (held == NULL)
        return false;
    table->held = held;
    table->capacity = capacity;
    return true;
}

static enum stirkeep_status table_put(struct table *table, const struct stk_certificate *entry)
{
    size_t place = table->count;
    struct stk_held *held = NULL;

    /* Snapshots come in the order of names: mostly the place is the end. */
    if (place > 0 && strcmp(table->held[place - 1]->name, entry->name.text) >= 0)
        place = place_of(table, entry->name.text);
    if (!is_at(table, place, entry->name.text) && table->count == STK_NAMES_MAX)
        return STIRKEEP_TOO_LARGE;
    held = held_new(entry);
    if (held == NULL || !make_room(table) || !make_buckets(table)) {
        held_free(held);
        return STIRKEEP_NO_MEMORY;
    }
    if (is_at(table, place, held->name)) {
        unchain(table, table->held[place]);
        held_free(table->held[place]);
    } else {
        memmove(&table->held[place + 1], &table->held[place],
                (table->count - place) * sizeof(struct stk_held *));
        table->count++;
    }
    table->held[place] = held;
    chain(table, held);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_names_apply(struct stk_names *names, bool first, bool last,
                                     const struct stk_certificate *entries, size_t count)
{
    struct table *table = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (first) {
        table_clear(&names->next);
        names->gathering = true;
    }
    if (!names->gathering && !names->complete)
        return STIRKEEP_OK;
    table = names->gathering ? &names->next : &names->current;
    if (!names->gathering)
        names->version++;
    for (size_t i = 0; status == STIRKEEP_OK && i < count; i++)
        status = table_put(table, &entries[i]);
    if (status != STIRKEEP_OK) {
        table_clear(&names->next);
        names->gathering = false;
    } else if (names->gathering && last) {
        table_clear(&names->current);
        names->current = names->next;
        names->next = (struct table){0};
        names->gathering = false;
        names->complete = true;
        names->version++;
    }
    return status;
}

bool stk_names_complete(const struct stk_names *names)
{
    return names->complete;
}

/* With names that are asked for seldom, nothing of it is in the processor's caches: it is fetched. */
static struct stk_held *first_of_bucket(const struct stk_names *names, const char *name,
                                        size_t length)
{
    struct stk_held *held =
        names->current.count == 0 ? NULL : *bucket_of(&names->current, name, length);

    if (held != NULL)
        stk_fetch(held, USED_AT_ONCE);
    return held;
}

void stk_names_expect(const struct stk_names *names, struct stk_bytes name)
{
    if (name.length > 0 && name.length <= STK_NAME_MAX)
        (void)first_of_bucket(names, (const char *)name.data, name.length);
}

struct stk_held *stk_names_find(const struct stk_names *names, const char *name)
{
    struct stk_held *held = first_of_bucket(names, name, strlen(name));

    while (held != NULL && strcmp(held->name, name) != 0)
        held = held->chain;
    return held;
}

size_t stk_names_after(const struct stk_names *names, const char *after)
{
    size_t place = place_of(&names->current, after);

    return is_at(&names->current, place, after) ? place + 1 : place;
}

const struct stk_held *stk_names_at(const struct stk_names *names, size_t place)
{
    return place < names->current.count ? names->current.held[place] : NULL;
}

size_t stk_names_count(const struct stk_names *names)
{
    return names->current.count;
}

uint64_t stk_names_version(const struct stk_names *names)
{
    return names->version;
}
