/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_order.h"

#include "model/uri.h"
#include "wire/pack.h"
#include "wire/unpack.h"

#include "order.pb-c.h"
#include <string.h>

/* ---- intake -> front */

enum stirkeep_status stk_catalog_push_encode(const struct stk_catalog_push *push,
                                             struct stk_buffer *out)
{
    enum { PUSH_ENTRIES = 4 };
    Stirkeep__V1__Order__CatalogPush message = STIRKEEP__V1__ORDER__CATALOG_PUSH__INIT;
    size_t before = out->length;
    enum stirkeep_status status = STIRKEEP_OK;

    message.push = push->push;
    message.first = push->first;
    message.last = push->last;
    message.status_wanted = push->status_wanted;
    status = stk_pack(&message.base, out);
    for (size_t i = 0; i < push->entry_count && status == STIRKEEP_OK; i++) {
        const struct stk_certificate *certificate = &push->entries[i];
        Stirkeep__V1__Order__CatalogEntry entry = STIRKEEP__V1__ORDER__CATALOG_ENTRY__INIT;

        entry.name = stk_pack_text(certificate->name.text);
        entry.generation = certificate->generation;
        entry.key_id =
            stk_pack_view((struct stk_bytes){certificate->key_id.bytes, STK_KEY_ID_LENGTH});
        entry.x5u = stk_pack_text(certificate->x5u);
        entry.not_before = certificate->not_before;
        entry.not_after = certificate->not_after;
        entry.active = certificate->active;
        status = stk_pack_element(PUSH_ENTRIES, &entry.base, out);
    }
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}

static enum stirkeep_status take_entry(const Stirkeep__V1__Order__CatalogEntry *entry,
                                       struct stk_certificate *certificate, struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(entry->name, &certificate->name, error);

    if (status == STIRKEEP_OK)
        status = stk_take_exact(&entry->key_id, "entry.key_id", STK_KEY_ID_LENGTH,
                                certificate->key_id.bytes, error);
    if (status == STIRKEEP_OK)
        status = stk_x5u_check(entry->x5u, error);
    if (status != STIRKEEP_OK)
        return status;
    (void)strcpy(certificate->x5u, entry->x5u);
    certificate->generation = entry->generation;
    certificate->not_before = entry->not_before;
    certificate->not_after = entry->not_after;
    certificate->active = entry->active != 0;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_catalog_push_decode(struct stk_bytes message, struct stk_arena *arena,
                                             struct stk_catalog_push *ret_push,
                                             struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_catalog_push push = {0};
    const Stirkeep__V1__Order__CatalogPush *unpacked =
        stk_unpack(&stirkeep__v1__order__catalog_push__descriptor, message, STK_UNKNOWN_REFUSED,
                   arena, &reason);

    if (unpacked == NULL)
        return stk_error_set(error, reason.status, "%s", reason.message);
    push.push = unpacked->push;
    push.first = unpacked->first != 0;
    push.last = unpacked->last != 0;
    push.status_wanted = unpacked->status_wanted != 0;
    push.entry_count = unpacked->n_entries;
    push.entries = stk_arena_take(arena, push.entry_count * sizeof(*push.entries));
    if (push.entries == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "catalog push: takes too much memory");
    memset(push.entries, 0, push.entry_count * sizeof(*push.entries));
    for (size_t i = 0; i < push.entry_count; i++) {
        enum stirkeep_status status = take_entry(unpacked->entries[i], &push.entries[i], error);

        if (status != STIRKEEP_OK)
            return status;
    }
    *ret_push = push;
    return STIRKEEP_OK;
}

/* ---- front -> intake */

enum stirkeep_status stk_front_report_encode(const struct stk_front_report *report,
                                             struct stk_buffer *out)
{
    Stirkeep__V1__Order__FrontReport message = STIRKEEP__V1__ORDER__FRONT_REPORT__INIT;

    message.push = report->push;
    message.snapshot_wanted = report->snapshot_wanted;
    message.connections = report->connections;
    message.refusals = report->refusals;
    message.in_flight = report->in_flight;
    return stk_pack(&message.base, out);
}

enum stirkeep_status stk_front_report_decode(struct stk_bytes message, struct stk_arena *arena,
                                             struct stk_front_report *ret_report,
                                             struct stk_error *error)
{
    struct stk_error reason = {0};
    const Stirkeep__V1__Order__FrontReport *unpacked =
        stk_unpack(&stirkeep__v1__order__front_report__descriptor, message, STK_UNKNOWN_REFUSED,
                   arena, &reason);

    if (unpacked == NULL)
        return stk_error_set(error, reason.status, "%s", reason.message);
    *ret_report = (struct stk_front_report){.push = unpacked->push,
                                            .snapshot_wanted = unpacked->snapshot_wanted != 0,
                                            .connections = unpacked->connections,
                                            .refusals = unpacked->refusals,
                                            .in_flight = unpacked->in_flight};
    return STIRKEEP_OK;
}
