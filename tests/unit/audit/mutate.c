/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 */
uint64_t random_next(uint64_t *seed)
{
    uint64_t value = *seed += 0x9e3779b97f4a7c15U;

    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27) * 0x94d049bb133111ebU;
    return value ^ value >> 31;
}

size_t random_below(uint64_t *seed, size_t count)
{
    return (size_t)(random_next(seed) % count);
}

static void add(struct stk_buffer *buffer, const void *data, size_t length)
{
    assert_int_equal(stk_buffer_add(buffer, data, length), STIRKEEP_OK);
}

/* ---- bytes, by somebody who knows nothing of hashes */

static void copy_files(const struct original *original, struct mutant *mutant)
{
    mutant->count = original->trail.files;
    for (size_t i = 0; i < mutant->count; i++)
        add(&mutant->files[i], original->files[i].data, original->files[i].length);
}

/* A place in any of the files. */
static struct stk_buffer *any_place(struct mutant *mutant, uint64_t *seed, size_t *ret_at)
{
    struct stk_buffer *file = &mutant->files[random_below(seed, mutant->count)];

    *ret_at = random_below(seed, file->length);
    return file;
}

static void replace(struct stk_buffer *file, size_t at, size_t length, const void *by, size_t count)
{
    struct stk_buffer made = {0};

    add(&made, file->data, at);
    add(&made, by, count);
    add(&made, file->data + at + length, file->length - at - length);
    stk_buffer_free(file);
    *file = made;
}

static void flip_bit(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 0;
    struct stk_buffer *file = any_place(mutant, seed, &at);

    file->data[at] ^= (uint8_t)(1U << random_below(seed, 8));
}

static void change_byte(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 0;
    struct stk_buffer *file = any_place(mutant, seed, &at);

    file->data[at] = (uint8_t)random_next(seed);
}

static void put_in_byte(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 0;
    struct stk_buffer *file = any_place(mutant, seed, &at);
    uint8_t byte = (uint8_t)random_next(seed);

    replace(file, at, 0, &byte, 1);
}

/* A run of bytes from `at`, mostly short, sometimes up to the end. */
static size_t run_from(const struct stk_buffer *file, size_t at, uint64_t *seed)
{
    size_t left = file->length - at;
    size_t most = random_below(seed, 2) == 0 ? 16 : 5000;

    return 1 + random_below(seed, left < most ? left : most);
}

static void take_out_bytes(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 0;
    struct stk_buffer *file = any_place(mutant, seed, &at);

    replace(file, at, run_from(file, at, seed), "", 0);
}

static void zero_bytes(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 0;
    struct stk_buffer *file = any_place(mutant, seed, &at);

    memset(file->data + at, 0, run_from(file, at, seed));
}

static void copy_bytes_over_others(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 0;
    struct stk_buffer *file = any_place(mutant, seed, &at);
    size_t length = run_from(file, at, seed);

    memmove(file->data + random_below(seed, file->length - length + 1), file->data + at, length);
}

static void put_in_bytes_again(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 0;
    struct stk_buffer *file = any_place(mutant, seed, &at);
    struct stk_buffer copy = {0};

    add(&copy, file->data + at, run_from(file, at, seed));
    replace(file, random_below(seed, file->length), 0, copy.data, copy.length);
    stk_buffer_free(&copy);
}

/* Of one file, which the others follow still. */
static void cut_end_of_a_file(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 0;
    struct stk_buffer *file = any_place(mutant, seed, &at);

    file->length = at;
}

/* And nothing follows. */
static void cut_trail(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 0;
    struct stk_buffer *file = any_place(mutant, seed, &at);

    file->length = at;
    while (&mutant->files[mutant->count - 1] != file)
        stk_buffer_free(&mutant->files[--mutant->count]);
}

static void exchange_files(struct mutant *mutant, uint64_t *seed)
{
    size_t a = random_below(seed, mutant->count);
    size_t b = random_below(seed, mutant->count);
    struct stk_buffer file = mutant->files[a];

    mutant->files[a] = mutant->files[b];
    mutant->files[b] = file;
}

static void give_a_file_twice(struct mutant *mutant, uint64_t *seed)
{
    size_t from = random_below(seed, mutant->count);
    size_t to = random_below(seed, mutant->count + 1);
    struct stk_buffer copy = {0};

    add(&copy, mutant->files[from].data, mutant->files[from].length);
    memmove(mutant->files + to + 1, mutant->files + to,
            (mutant->count - to) * sizeof(*mutant->files));
    mutant->files[to] = copy;
    mutant->count++;
}

static void take_away_a_file(struct mutant *mutant, uint64_t *seed)
{
    size_t at = 1 + random_below(seed, mutant->count - 1); /* without the first it begins later */

    stk_buffer_free(&mutant->files[at]);
    mutant->count--;
    memmove(mutant->files + at, mutant->files + at + 1,
            (mutant->count - at) * sizeof(*mutant->files));
    mutant->files[mutant->count] = (struct stk_buffer){0};
}

/* ---- lines, by somebody who knows the format, up to all that can be done without the key */

/* What a line-wise forger works on. */
struct work {
    struct forgery trail;
    const struct original *original;
    uint64_t *seed;
    size_t touched;
};

static size_t any_line(struct work *work)
{
    return random_below(work->seed, work->trail.count);
}

/* One that a seal covers. */
static size_t any_sealed_line(struct work *work)
{
    return random_below(work->seed, work->original->sealed + 1);
}

/* Another letter or digit somewhere between a line's two ends. */
static void edit(struct work *work, size_t at)
{
    char *text = work->trail.lines[at].text;
    size_t from = (size_t)(strstr(text, "\"act\":") - text);
    size_t to = (size_t)(strstr(text, ",\"prev\":\"") - text);
    size_t place = from + random_below(work->seed, to - from);
    char now = text[place];

    work->touched = at;
    do {
        text[place] = (char)('0' + random_below(work->seed, 75));
    } while (text[place] == now);
}

static void remove_lines(struct work *work)
{
    size_t at = any_line(work);
    size_t most = work->trail.count - at < 5 ? work->trail.count - at : 5;

    work->touched = at;
    for (size_t i = 1 + random_below(work->seed, most); i > 0; i--)
        forgery_remove(&work->trail, at);
}

static void exchange_lines(struct work *work)
{
    size_t a = any_line(work);
    size_t b = any_line(work);
    char *text = work->trail.lines[a].text;

    work->touched = a < b ? a : b;
    work->trail.lines[a].text = work->trail.lines[b].text;
    work->trail.lines[b].text = text;
}

static void put_in_line_again(struct work *work)
{
    size_t at = any_line(work);

    work->touched = at;
    forgery_insert(&work->trail, at, work->trail.lines[any_line(work)].text);
}

/* Number, link and sum of its own fit; the next one's link does not. */
static void put_in_forged_line(struct work *work)
{
    size_t at = any_line(work);

    work->touched = at;
    forgery_insert(&work->trail, at, work->trail.lines[at].text);
    edit(work, at);
    forgery_relink(&work->trail, at);
}

static void change_line_and_its_hashes(struct work *work)
{
    size_t at = random_below(work->seed, work->trail.count - 1);

    edit(work, at);
    forgery_relink(&work->trail, at);
}

static void change_line_and_all_hashes(struct work *work)
{
    size_t at = any_sealed_line(work);

    edit(work, at);
    forgery_rechain(&work->trail, at);
}

static void put_in_line_and_change_all_hashes(struct work *work)
{
    size_t at = any_sealed_line(work);

    work->touched = at;
    forgery_insert(&work->trail, at, work->trail.lines[any_line(work)].text);
    forgery_rechain(&work->trail, at > 0 ? at : 1);
}

static void take_out_line_and_change_all_hashes(struct work *work)
{
    size_t at = any_sealed_line(work);

    work->touched = at;
    forgery_remove(&work->trail, at);
    if (at == 0)
        forgery_replace(&work->trail, 0, "{\"seq\":2,", "{\"seq\":1,");
    forgery_rechain(&work->trail, at);
}

static void exchange_lines_and_change_all_hashes(struct work *work)
{
    size_t at = random_below(work->seed, work->original->sealed);
    char *text = work->trail.lines[at].text;

    work->touched = at;
    work->trail.lines[at].text = work->trail.lines[at + 1].text;
    work->trail.lines[at + 1].text = text;
    if (at == 0)
        forgery_replace(&work->trail, 0, "{\"seq\":2,", "{\"seq\":1,");
    forgery_rechain(&work->trail, at);
}

/* Without the seals that would tell: what is left is a good trail by itself. */
static void change_line_and_drop_the_seals(struct work *work)
{
    size_t at = any_sealed_line(work);

    work->touched = at;
    for (size_t i = work->trail.count; i-- > at;)
        if (forgery_is_seal(&work->trail, i))
            forgery_remove(&work->trail, i);
    if (at < work->trail.count) {
        edit(work, at);
        forgery_rechain(&work->trail, at);
    }
}

/* The same, and seals of one's own in their places. */
static void change_line_and_seal_anew(struct work *work)
{
    size_t at = any_sealed_line(work);

    while (forgery_is_seal(&work->trail, at))
        at--;
    edit(work, at);
    forgery_rechain(&work->trail, at);
    for (size_t i = at; i < work->trail.count; i++)
        if (forgery_is_seal(&work->trail, i)) {
            forgery_reseal(&work->trail, i, work->original->other_key);
            forgery_rechain(&work->trail, i);
        }
}

/* An old copy, which went on from there with other records. */
static void put_back_old_copy_and_go_on(struct work *work)
{
    size_t at = 1 + random_below(work->seed, work->original->sealed);
    size_t more = random_below(work->seed, work->trail.count);

    work->touched = at - 1;
    while (work->trail.count > at)
        forgery_remove(&work->trail, work->trail.count - 1);
    work->trail.files = work->trail.lines[at - 1].file + 1;
    for (size_t i = 0; i < more; i++) {
        size_t end = work->trail.count;

        forgery_insert(&work->trail, end - 1, work->original->trail.lines[i].text);
        if (forgery_is_seal(&work->trail, end - 1))
            forgery_remove(&work->trail, end - 1);
    }
    forgery_rechain(&work->trail, at > 1 ? at - 1 : 1);
}

static void use_a_seal_again_at_the_end(struct work *work)
{
    size_t at = any_line(work);

    while (!forgery_is_seal(&work->trail, at))
        at = (at + 1) % work->trail.count;
    forgery_insert(&work->trail, work->trail.count - 1, work->trail.lines[at].text);
    forgery_rechain(&work->trail, work->trail.count - 2);
}

/* ---- */

struct way {
    const char *name;
    void (*bytes)(struct mutant *mutant, uint64_t *seed);
    void (*lines)(struct work *work);
};

#define BYTES(way)                                                                                 \
    {                                                                                              \
#way, way, NULL                                                                            \
    }
#define LINES(way)                                                                                 \
    {                                                                                              \
#way, NULL, way                                                                            \
    }

static const struct way ways[] = {
    BYTES(flip_bit),
    BYTES(change_byte),
    BYTES(put_in_byte),
    BYTES(take_out_bytes),
    BYTES(zero_bytes),
    BYTES(copy_bytes_over_others),
    BYTES(put_in_bytes_again),
    BYTES(cut_end_of_a_file),
    BYTES(cut_trail),
    BYTES(exchange_files),
    BYTES(give_a_file_twice),
    BYTES(take_away_a_file),
    LINES(remove_lines),
    LINES(exchange_lines),
    LINES(put_in_line_again),
    LINES(put_in_forged_line),
    LINES(change_line_and_its_hashes),
    LINES(change_line_and_all_hashes),
    LINES(put_in_line_and_change_all_hashes),
    LINES(take_out_line_and_change_all_hashes),
    LINES(exchange_lines_and_change_all_hashes),
    LINES(change_line_and_drop_the_seals),
    LINES(change_line_and_seal_anew),
    LINES(put_back_old_copy_and_go_on),
    LINES(use_a_seal_again_at_the_end),
};

const size_t mutate_ways = sizeof(ways) / sizeof(ways[0]);

static struct stk_buffer all_of(const struct stk_buffer *files, size_t count)
{
    struct stk_buffer all = {0};

    for (size_t i = 0; i < count; i++)
        add(&all, files[i].data, files[i].length);
    return all;
}

/* Is it the trail itself, or its beginning up to the end of a line behind the last sealed record?
 * Nobody can tell that from a trail as it once was. */
static bool is_none(const struct original *original, const struct mutant *mutant)
{
    struct stk_buffer old = all_of(original->files, original->trail.files);
    struct stk_buffer now = all_of(mutant->files, mutant->count);
    size_t sealed = 0;
    bool none = false;

    for (size_t i = 0; i <= original->sealed; i++)
        sealed += strlen(original->trail.lines[i].text) + 1;
    none = now.length >= sealed && now.length <= old.length && now.data[now.length - 1] == '\n' &&
           memcmp(old.data, now.data, now.length) == 0;
    stk_buffer_free(&old);
    stk_buffer_free(&now);
    return none;
}

bool mutate(const struct original *original, size_t way, uint64_t *seed, struct mutant *ret_mutant)
{
    struct mutant mutant = {.how = ways[way].name};

    if (ways[way].bytes != NULL) {
        copy_files(original, &mutant);
        ways[way].bytes(&mutant, seed);
    } else {
        struct work work = {
            .trail = forgery_copy(&original->trail), .original = original, .seed = seed};

        ways[way].lines(&work);
        mutant.count = work.trail.files;
        mutant.touched = work.touched;
        for (size_t i = 0; i < mutant.count; i++)
            mutant.files[i] = forgery_file(&work.trail, i);
        forgery_free(&work.trail);
    }
    if (is_none(original, &mutant)) {
        mutant_free(&mutant);
        return false;
    }
    *ret_mutant = mutant;
    return true;
}

void mutant_free(struct mutant *mutant)
{
    for (size_t i = 0; i < mutant->count; i++)
        stk_buffer_free(&mutant->files[i]);
}
