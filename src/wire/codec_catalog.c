/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_order.h"

#include "model/uri.h"
#include "wire/codec_constraints.h"
#include "wire/pack.h"
#include "wire/text.h"
#include "wire/unpack.h"

#include "order.pb-c.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Field numbers; proto/stirkeep/v1/order.proto. */
enum { PUSH_PUSH = 1, PUSH_FIRST, PUSH_LAST, PUSH_ENTRIES, PUSH_STATUS_WANTED, PUSH_USAGE };
enum {
    ENTRY_NAME = 1,
    ENTRY_GENERATION,
    ENTRY_KEY_ID,
    ENTRY_X5U,
    ENTRY_NOT_BEFORE,
    ENTRY_NOT_AFTER,
    ENTRY_ACTIVE,
    ENTRY_CONSTRAINTS
};
enum {
    REPORT_PUSH = 1,
    REPORT_SNAPSHOT_WANTED,
    REPORT_CONNECTIONS,
    REPORT_REFUSALS,
    REPORT_IN_FLIGHT,
    REPORT_USAGE,
    REPORT_COUNTERS
};
enum { USAGE_KIND = 1, USAGE_NAME, USAGE_DAY, USAGE_COUNT };

#define USAGE_DAY_MAX (STK_ACTIVATE_AT_MAX / 86400)

/* No less than what an entry's structures and texts take of an arena when it is decoded; its
 * constraints aside. The same of a count. */
#define ENTRY_DECODED 2048
#define COUNT_DECODED 384
static_assert(sizeof(Stirkeep__V1__Order__CatalogEntry) + sizeof(struct stk_certificate) +
                      STK_NAME_MAX + STK_X5U_MAX + STK_KEY_ID_LENGTH + 128 <
                  ENTRY_DECODED,
              "an entry takes more");
static_assert(sizeof(Stirkeep__V1__Order__Usage) + sizeof(struct stk_usage_count) +
                      STK_GRANT_NAME_MAX + 96 <
                  COUNT_DECODED,
              "a count takes more");

/* ---- what was used up */

/* A grant's name is the configuration's, in whatever encoding. */
static void write_usage(struct stk_writer *writer, uint32_t number,
                        const struct stk_usage_count *usage, size_t count)
{
    for (size_t i = 0; i < count && writer->status == STIRKEEP_OK; i++) {
        size_t mark = writer->out->length;
        char name[STK_GRANT_NAME_MAX + 1];

        stk_text_cut(usage[i].name, name, sizeof(name));
        stk_write_text(writer, USAGE_KIND, usage[i].of_certificate ? "certificate" : "grant");
        stk_write_text(writer, USAGE_NAME, name);
        stk_write_number(writer, USAGE_DAY, (uint64_t)usage[i].day);
        stk_write_number(writer, USAGE_COUNT, usage[i].count);
        stk_write_close(writer, number, mark);
    }
}

static enum stirkeep_status take_count(const Stirkeep__V1__Order__Usage *message,
                                       struct stk_usage_count *count, struct stk_error *error)
{
    size_t length = strnlen(message->name, STK_GRANT_NAME_MAX + 1);
    struct stk_name certificate = {0};

    count->of_certificate = strcmp(message->kind, "certificate") == 0;
    if (!count->of_certificate && strcmp(message->kind, "grant") != 0)
        return stk_error_set(error, STIRKEEP_INVALID, "usage.kind: is not known");
    if (length == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "usage.name: is empty");
    if (length > STK_GRANT_NAME_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "usage.name: longer than %d characters",
                             STK_GRANT_NAME_MAX);
    if (count->of_certificate && stk_name_parse(message->name, &certificate, error) != STIRKEEP_OK)
        return STIRKEEP_INVALID;
    if (message->day < 0 || message->day > USAGE_DAY_MAX)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "usage.day: is not a day of the years 1970 to 9999");
    memcpy(count->name, message->name, length + 1);
    count->day = message->day;
    count->count = message->count;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_usage(Stirkeep__V1__Order__Usage *const *messages, size_t count,
                                       struct stk_arena *arena, struct stk_usage_count **ret_usage,
                                       struct stk_error *error)
{
    struct stk_usage_count *usage = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (count > STK_USAGE_COUNTS_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "usage: more than %d",
                             STK_USAGE_COUNTS_MAX);
    usage = stk_arena_take(arena, count * sizeof(*usage));
    if (usage == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "usage: takes too much memory");
    for (size_t i = 0; i < count && status == STIRKEEP_OK; i++)
        status = take_count(messages[i], &usage[i], error);
    *ret_usage = usage;
    return status;
}

/* ---- intake -> front */

static void write_entry(struct stk_writer *writer, const struct stk_certificate *certificate)
{
    size_t mark = writer->out->length;

    stk_write_text(writer, ENTRY_NAME, certificate->name.text);
    stk_write_number(writer, ENTRY_GENERATION, certificate->generation);
    stk_write_bytes(writer, ENTRY_KEY_ID,
                    (struct stk_bytes){certificate->key_id.bytes, STK_KEY_ID_LENGTH});
    stk_write_text(writer, ENTRY_X5U, certificate->x5u);
    stk_write_number(writer, ENTRY_NOT_BEFORE, (uint64_t)certificate->not_before);
    stk_write_number(writer, ENTRY_NOT_AFTER, (uint64_t)certificate->not_after);
    stk_write_number(writer, ENTRY_ACTIVE, certificate->active);
    stk_constraints_write(writer, ENTRY_CONSTRAINTS, certificate->constraints);
    stk_write_close(writer, PUSH_ENTRIES, mark);
}

/* Front must be able to take it. */
static bool fits_an_arena(const struct stk_catalog_push *push)
{
    size_t size = push->usage_count * COUNT_DECODED;

    for (size_t i = 0; i < push->entry_count; i++)
        size += ENTRY_DECODED + stk_constraints_decoded_size(push->entries[i].constraints);
    return size <= STK_DECODE_ARENA_MAX;
}

enum stirkeep_status stk_catalog_push_encode(const struct stk_catalog_push *push,
                                             struct stk_buffer *out)
{
    struct stk_writer writer = {.out = out};
    size_t before = out->length;

    if (push->usage_count > STK_USAGE_COUNTS_MAX || !fits_an_arena(push))
        return STIRKEEP_TOO_LARGE;
    stk_write_number(&writer, PUSH_PUSH, push->push);
    stk_write_number(&writer, PUSH_FIRST, push->first);
    stk_write_number(&writer, PUSH_LAST, push->last);
    for (size_t i = 0; i < push->entry_count && writer.status == STIRKEEP_OK; i++)
        write_entry(&writer, &push->entries[i]);
    stk_write_number(&writer, PUSH_STATUS_WANTED, push->status_wanted);
    write_usage(&writer, PUSH_USAGE, push->usage, push->usage_count);
    if (writer.status == STIRKEEP_OK && out->length - before > STK_LINK_MESSAGE_MAX)
        writer.status = STIRKEEP_TOO_LARGE;
    if (writer.status != STIRKEEP_OK)
        out->length = before;
    return writer.status;
}

static enum stirkeep_status take_entry(const Stirkeep__V1__Order__CatalogEntry *entry,
                                       struct stk_arena *arena, struct stk_certificate *certificate,
                                       struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(entry->name, &certificate->name, error);

    if (status == STIRKEEP_OK)
        status = stk_take_exact(&entry->key_id, "entry.key_id", STK_KEY_ID_LENGTH,
                                certificate->key_id.bytes, error);
    if (status == STIRKEEP_OK)
        status = stk_x5u_check(entry->x5u, error);
    if (status == STIRKEEP_OK)
        status = stk_constraints_take(entry->constraints, arena, &certificate->constraints, error);
    if (status != STIRKEEP_OK)
        return status;
    (void)strcpy(certificate->x5u, entry->x5u);
    certificate->generation = entry->generation;
    certificate->not_before = entry->not_before;
    certificate->not_after = entry->not_after;
    certificate->active = entry->active != 0;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_entries(const Stirkeep__V1__Order__CatalogPush *message,
                                         struct stk_arena *arena, struct stk_catalog_push *push,
                                         struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    push->entry_count = message->n_entries;
    push->entries = stk_arena_take(arena, push->entry_count * sizeof(*push->entries));
    if (push->entries == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "catalog push: takes too much memory");
    memset(push->entries, 0, push->entry_count * sizeof(*push->entries));
    for (size_t i = 0; i < push->entry_count && status == STIRKEEP_OK; i++)
        status = take_entry(message->entries[i], arena, &push->entries[i], error);
    return status;
}

enum stirkeep_status stk_catalog_push_decode(struct stk_bytes message, struct stk_arena *arena,
                                             struct stk_catalog_push *ret_push,
                                             struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_catalog_push push = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    const Stirkeep__V1__Order__CatalogPush *unpacked =
        stk_unpack(&stirkeep__v1__order__catalog_push__descriptor, message, STK_UNKNOWN_REFUSED,
                   arena, &reason);

    if (unpacked == NULL)
        return stk_error_set(error, reason.status, "%s", reason.message);
    push.push = unpacked->push;
    push.first = unpacked->first != 0;
    push.last = unpacked->last != 0;
    push.status_wanted = unpacked->status_wanted != 0;
    push.usage_count = unpacked->n_usage;
    status = take_entries(unpacked, arena, &push, error);
    if (status == STIRKEEP_OK)
        status = take_usage(unpacked->usage, unpacked->n_usage, arena, &push.usage, error);
    if (status == STIRKEEP_OK)
        *ret_push = push;
    return status;
}

/* ---- front -> intake */

static void write_counters(struct stk_writer *writer, const struct stk_front_counters *counters)
{
    Stirkeep__V1__FrontCounters *message = NULL;

    if (counters == NULL || writer->status != STIRKEEP_OK)
        return;
    message = stk_front_counters_message(counters);
    writer->status = message == NULL
                         ? STIRKEEP_NO_MEMORY
                         : stk_pack_element(REPORT_COUNTERS, &message->base, writer->out);
    free(message);
}

enum stirkeep_status stk_front_report_encode(const struct stk_front_report *report,
                                             struct stk_buffer *out)
{
    struct stk_writer writer = {.out = out};
    size_t before = out->length;

    if (report->usage_count > STK_USAGE_COUNTS_MAX)
        return STIRKEEP_TOO_LARGE;
    stk_write_number(&writer, REPORT_PUSH, report->push);
    stk_write_number(&writer, REPORT_SNAPSHOT_WANTED, report->snapshot_wanted);
    stk_write_number(&writer, REPORT_CONNECTIONS, report->connections);
    stk_write_number(&writer, REPORT_REFUSALS, report->refusals);
    stk_write_number(&writer, REPORT_IN_FLIGHT, report->in_flight);
    write_usage(&writer, REPORT_USAGE, report->usage, report->usage_count);
    write_counters(&writer, report->counters);
    if (writer.status != STIRKEEP_OK)
        out->length = before;
    return writer.status;
}

enum stirkeep_status stk_front_report_decode(struct stk_bytes message, struct stk_arena *arena,
                                             struct stk_front_report *ret_report,
                                             struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_front_report report = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    const Stirkeep__V1__Order__FrontReport *unpacked =
        stk_unpack(&stirkeep__v1__order__front_report__descriptor, message, STK_UNKNOWN_REFUSED,
                   arena, &reason);

    if (unpacked == NULL)
        return stk_error_set(error, reason.status, "%s", reason.message);
    report = (struct stk_front_report){.push = unpacked->push,
                                       .snapshot_wanted = unpacked->snapshot_wanted != 0,
                                       .connections = unpacked->connections,
                                       .refusals = unpacked->refusals,
                                       .in_flight = unpacked->in_flight,
                                       .usage_count = unpacked->n_usage};
    status = take_usage(unpacked->usage, unpacked->n_usage, arena, &report.usage, error);
    if (status == STIRKEEP_OK)
        status = stk_front_counters_take(unpacked->counters, arena, &report.counters, error);
    if (status == STIRKEEP_OK)
        *ret_report = report;
    return status;
}
