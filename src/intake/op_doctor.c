/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/encode.h"
#include "intake/doctor.h"
#include "intake/intake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What is wrong, and how to mend it: the keeper examines its token, intake looks at what it has
 * itself, and a walk through the token's keys shows whether they are the ones of the catalog.
 */

#define EXAMINE_TIMEOUT_MS 20000
#define LIST_TIMEOUT_MS 20000
#define WALK_US 60000000ULL /* so long, and no longer, it walks */
#define TOLD_MAX 8

struct doctor {
    struct stk_errand errand;
    struct stk_task *task;
    struct stk_diagnosis diagnosis; /* in the task's arena */
    struct stk_token_keys keys;
    uint64_t until_us;
    size_t unknown;
};

static void next_key(struct doctor *doctor, const struct stk_key_id *after);

static void drop(void *errand)
{
    struct doctor *doctor = errand;

    free(doctor->keys.ids);
}

static void tell_lockdown(struct doctor *doctor)
{
    const struct stk_locked *locked = &doctor->task->intake->locked;

    for (size_t i = 0; i < locked->count; i++) {
        stk_diagnosis_fact(&doctor->diagnosis, "locked down", "%s", locked->lines[i]);
        if (locked->open[i])
            stk_diagnosis_trouble(&doctor->diagnosis, STK_SLIGHT,
                                  "let the container have seccomp, or the kernel; then set "
                                  "[lock-down] require",
                                  "%s", locked->lines[i]);
    }
}

static void finish(struct doctor *doctor)
{
    struct stk_task *task = doctor->task;
    struct stk_admin_response *response = &task->response;

    tell_lockdown(doctor);
    response->facts = doctor->diagnosis.facts;
    response->fact_count = doctor->diagnosis.fact_count;
    response->troubles = doctor->diagnosis.troubles;
    response->trouble_count = doctor->diagnosis.trouble_count;
    stk_task_answer(task, STK_ADMIN_DOCTOR);
    stk_errand_end(doctor);
}

static const char *keep(struct doctor *doctor, const char *text)
{
    const char *copy = stk_arena_copy(&doctor->task->arena, text, strlen(text));

    return copy != NULL ? copy : "";
}

/* ---- the keys */

static void tell_unknown(struct doctor *doctor)
{
    if (doctor->unknown > TOLD_MAX)
        stk_diagnosis_trouble(&doctor->diagnosis, STK_SEVERE, "stirkeep doctor --rebuild-catalog",
                              "%zu keys on the token are not in the catalog in all",
                              doctor->unknown);
}

static void tell_one(struct doctor *doctor, const struct stk_custody_answer *answer)
{
    char id[2 * STK_KEY_ID_LENGTH + 1] = "";

    if (doctor->unknown++ >= TOLD_MAX)
        return;
    stk_hex_encode(answer->key_id.bytes, STK_KEY_ID_LENGTH, id);
    stk_diagnosis_trouble(&doctor->diagnosis, STK_SEVERE,
                          "stirkeep doctor --rebuild-catalog takes it in; stirkeep destroy NAME "
                          "--key-id ID --yes then ends it, if it is not wanted",
                          "%s: a key of this name is on the token and not in the catalog (key id "
                          "%s)",
                          answer->name, id);
}

/* One that an import, a generation or a destruction has in hand is on its way. */
static void look_at(struct doctor *doctor, const struct stk_custody_answer *answer)
{
    struct stk_catalog *catalog = doctor->task->intake->catalog;
    struct stk_name holder = {0};

    if (stk_catalog_holder(catalog, &answer->key_id, &holder, NULL) == STIRKEEP_UNKNOWN_NAME &&
        stk_catalog_idle(catalog, answer->name, &answer->key_id, NULL) == STIRKEEP_OK)
        tell_one(doctor, answer);
}

static bool remember(struct stk_token_keys *keys, const struct stk_key_id *key_id)
{
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity == 0 ? 256 : keys->capacity * 2;
        struct stk_key_id *grown = reallocarray(keys->ids, capacity, sizeof(*grown));

        if (grown == NULL)
            return false;
        keys->ids = grown;
        keys->capacity = capacity;
    }
    keys->ids[keys->count++] = *key_id;
    return true;
}

static void cut_short(struct doctor *doctor, const char *why)
{
    stk_diagnosis_trouble(&doctor->diagnosis, STK_SLIGHT, "ask again when less is going on",
                          "token and catalog were compared for %zu keys only: %s",
                          doctor->keys.count, why);
    tell_unknown(doctor);
    finish(doctor);
}

static void listed(void *context, enum stirkeep_status status,
                   const struct stk_custody_answer *answer, const struct stk_error *error)
{
    static const struct stk_key_id none;
    struct doctor *doctor = context;

    if (status != STIRKEEP_OK || !answer->has_inventory) {
        cut_short(doctor, error->message);
        return;
    }
    if (memcmp(&answer->key_id, &none, sizeof(none)) == 0) {
        tell_unknown(doctor);
        stk_doctor_compare(doctor->task->intake, &doctor->keys, &doctor->diagnosis);
        finish(doctor);
        return;
    }
    look_at(doctor, answer);
    if (!remember(&doctor->keys, &answer->key_id))
        cut_short(doctor, "out of memory");
    else if (doctor->task->intake->draining || stk_clock_mono_us() >= doctor->until_us)
        cut_short(doctor, "it took too long");
    else
        next_key(doctor, &answer->key_id);
}

static void next_key(struct doctor *doctor, const struct stk_key_id *after)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_INVENTORY, .key_id = *after};

    stk_call(doctor->task->intake, &order, LIST_TIMEOUT_MS, listed, doctor);
}

/* ---- the token */

/* Texts of an answer are gone after it. */
static void take(struct doctor *doctor, const struct stk_custody_answer *answer)
{
    for (size_t i = 0; i < answer->fact_count; i++)
        stk_diagnosis_fact(&doctor->diagnosis, keep(doctor, answer->facts[i].name), "%s",
                           answer->facts[i].value);
    for (size_t i = 0; i < answer->trouble_count; i++)
        stk_diagnosis_trouble(&doctor->diagnosis, keep(doctor, answer->troubles[i].severity),
                              keep(doctor, answer->troubles[i].cure), "%s",
                              answer->troubles[i].what);
}

static void tell_keeper(struct doctor *doctor, const struct stk_error *error)
{
    const char *cure = "see the keeper's log: journalctl -u stirkeep";

    if (error->status == STIRKEEP_TOKEN_LOCKED)
        cure = "write the right PIN into the PIN file: the keeper begins anew with it; a token "
               "that is locked needs the security officer's PIN first";
    stk_diagnosis_trouble(&doctor->diagnosis, STK_SEVERE, cure, "the token cannot be examined: %s",
                          error->message);
}

static void examined(void *context, enum stirkeep_status status,
                     const struct stk_custody_answer *answer, const struct stk_error *error)
{
    static const struct stk_key_id none;
    struct doctor *doctor = context;
    struct stk_intake *intake = doctor->task->intake;
    bool has_token = status == STIRKEEP_OK && answer->has_examined;

    if (has_token)
        take(doctor, answer);
    else
        tell_keeper(doctor, error);
    stk_doctor_catalog(intake, &doctor->diagnosis);
    doctor->until_us = stk_clock_mono_us() + WALK_US;
    if (has_token && !intake->draining)
        next_key(doctor, &none);
    else
        finish(doctor);
}

void stk_op_doctor(struct stk_task *task)
{
    struct doctor *doctor = stk_errand_new(&task->intake->errands, sizeof(*doctor), drop);
    struct stk_custody_order order = {.kind = STK_CUSTODY_EXAMINE};
    struct stk_error error = {0};

    if (doctor == NULL) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
        stk_task_refuse(task, &error);
        return;
    }
    doctor->task = task;
    doctor->diagnosis.arena = &task->arena;
    stk_call(task->intake, &order, EXAMINE_TIMEOUT_MS, examined, doctor);
}
