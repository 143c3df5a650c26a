/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_counters.h"

#include "wire/pack.h"

#include "counters.pb-c.h"
#include <stdlib.h>

typedef Stirkeep__V1__HistogramClass class_message;
typedef Stirkeep__V1__StatusCount status_message;

struct histogram {
    Stirkeep__V1__Histogram message;
    class_message *pointers[STK_HISTOGRAM_CLASSES];
    class_message classes[STK_HISTOGRAM_CLASSES];
};

struct statuses {
    status_message *pointers[STIRKEEP_STATUS_COUNT];
    status_message counts[STIRKEEP_STATUS_COUNT];
};

struct front {
    Stirkeep__V1__FrontCounters message;
    Stirkeep__V1__RoomUse room;
    struct histogram served;
    struct statuses refused;
    struct statuses failed;
    Stirkeep__V1__NameCount *pointers[STK_NAME_COUNTS_MAX];
    Stirkeep__V1__NameCount names[STK_NAME_COUNTS_MAX];
};

struct keeper {
    Stirkeep__V1__KeeperCounters message;
    Stirkeep__V1__RoomUse room;
    struct histogram queue;
    struct histogram token;
    struct histogram audit;
    Stirkeep__V1__SignerUse *pointers[STK_SIGNERS_MAX];
    Stirkeep__V1__SignerUse signers[STK_SIGNERS_MAX];
};

static Stirkeep__V1__RoomUse *fill_room(Stirkeep__V1__RoomUse *message,
                                        const struct stk_room_use *use)
{
    stirkeep__v1__room_use__init(message);
    message->cpu_us = use->cpu_us;
    message->up_us = use->up_us;
    return message;
}

static Stirkeep__V1__Histogram *fill_histogram(struct histogram *out,
                                               const struct stk_histogram *histogram)
{
    size_t count = 0;

    stirkeep__v1__histogram__init(&out->message);
    for (unsigned i = 0; i < STK_HISTOGRAM_CLASSES; i++) {
        if (histogram->classes[i] == 0)
            continue;
        stirkeep__v1__histogram_class__init(&out->classes[count]);
        out->classes[count].up_to_us = stk_histogram_class_end(i);
        out->classes[count].count = histogram->classes[i];
        out->pointers[count] = &out->classes[count];
        count++;
    }
    out->message.sum_us = histogram->sum;
    out->message.longest_us = histogram->longest;
    out->message.classes = out->pointers;
    out->message.n_classes = count;
    return &out->message;
}

static status_message **
fill_statuses(struct statuses *out, const uint64_t counts[STIRKEEP_STATUS_COUNT], size_t *ret_count)
{
    size_t count = 0;

    for (uint32_t i = 0; i < STIRKEEP_STATUS_COUNT; i++) {
        if (counts[i] == 0)
            continue;
        stirkeep__v1__status_count__init(&out->counts[count]);
        out->counts[count].status = i;
        out->counts[count].count = counts[i];
        out->pointers[count] = &out->counts[count];
        count++;
    }
    *ret_count = count;
    return out->pointers;
}

Stirkeep__V1__FrontCounters *stk_front_counters_message(const struct stk_front_counters *counters)
{
    struct front *front = calloc(1, sizeof(*front));

    if (front == NULL)
        return NULL;
    stirkeep__v1__front_counters__init(&front->message);
    front->message.room = fill_room(&front->room, &counters->room);
    front->message.served = fill_histogram(&front->served, &counters->served);
    front->message.refused =
        fill_statuses(&front->refused, counters->refused, &front->message.n_refused);
    front->message.failed =
        fill_statuses(&front->failed, counters->failed, &front->message.n_failed);
    for (size_t i = 0; i < counters->name_count && i < STK_NAME_COUNTS_MAX; i++) {
        stirkeep__v1__name_count__init(&front->names[i]);
        front->names[i].name = stk_pack_text(counters->names[i].name);
        front->names[i].signatures = counters->names[i].signatures;
        front->pointers[front->message.n_names++] = &front->names[i];
    }
    front->message.names = front->pointers;
    front->message.names_used = counters->names_used;
    front->message.other_signatures = counters->other_signatures;
    front->message.in_flight = counters->in_flight;
    return &front->message;
}

Stirkeep__V1__KeeperCounters *
stk_keeper_counters_message(const struct stk_keeper_counters *counters)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));

    if (keeper == NULL)
        return NULL;
    stirkeep__v1__keeper_counters__init(&keeper->message);
    keeper->message.room = fill_room(&keeper->room, &counters->room);
    keeper->message.queue = fill_histogram(&keeper->queue, &counters->queue);
    keeper->message.token = fill_histogram(&keeper->token, &counters->token);
    keeper->message.audit = fill_histogram(&keeper->audit, &counters->audit);
    for (size_t i = 0; i < counters->signer_count && i < STK_SIGNERS_MAX; i++) {
        stirkeep__v1__signer_use__init(&keeper->signers[i]);
        keeper->signers[i].signatures = counters->signers[i].signatures;
        keeper->signers[i].token_us = counters->signers[i].token_us;
        keeper->pointers[keeper->message.n_signers++] = &keeper->signers[i];
    }
    keeper->message.signers = keeper->pointers;
    keeper->message.busy = counters->busy;
    return &keeper->message;
}
