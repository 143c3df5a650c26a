/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_error.h"
#include "intake/spool_inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "room/spool.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_TIMEOUT_MS 5000
#define LOOK_MAX 64          /* generations, the newest */
#define BACK_OFF_US 1000000  /* after the first failure in passing, then doubled ... */
#define BACK_OFF_DOUBLINGS 6 /* ... so often: about a minute */
#define LASTING_TRIES 6      /* it is not in passing: the uploader is told, or it is refused */

/* ---- the end */

static void over(struct stk_spool *spool)
{
    struct stk_spool_upload *upload = &spool->upload;

    stk_spool_dir_close(&upload->dir);
    stk_spool_work_clear(&upload->work);
    stk_spool_record_free(&upload->record);
    stk_arena_reset(&upload->arena);
    upload->request = (struct stk_admin_request){0};
    upload->busy = false;
    stk_spool_go_on(spool);
    stk_intake_drain_check(spool->intake);
}

static void tell_uploader(struct stk_spool *spool, enum stk_spool_outcome outcome,
                          const struct stk_error *error)
{
    const struct stk_spool_upload *upload = &spool->upload;

    if (!stk_spool_error_write(upload->dir.fd, upload->name.text, outcome, error, upload->dir.state,
                               stk_clock_seconds()))
        stk_log(STK_LOG_WARNING, "spool: %s: error.txt cannot be written: %s", upload->name.text,
                strerror(errno));
}

/* Not tried again until something changes in it; error.txt remembers that for the next intake. */
static void refuse(struct stk_spool *spool, enum stk_spool_outcome outcome,
                   const struct stk_error *error)
{
    struct stk_spool_upload *upload = &spool->upload;
    struct stk_spool_note *note = stk_spool_note_make(&spool->notes, &upload->name);

    stk_log(STK_LOG_WARNING, "spool: %s: %s: %s", upload->name.text,
            outcome == STK_SPOOL_IMPORTED ? "imported, but STILL THERE" : "refused",
            error->message);
    tell_uploader(spool, outcome, error);
    stk_spool_pace_charge(&spool->pace, upload->dir.about.st_uid, stk_clock_mono_us());
    if (note != NULL) {
        note->refused = true;
        memcpy(note->refused_state, upload->dir.state, sizeof(note->refused_state));
        note->settling_us = 0;
        note->tries = 0;
        stk_spool_watch(spool, note);
    }
    over(spool);
}

/* It goes on being tried, ever more seldom. */
static void put_off(struct stk_spool *spool, const struct stk_error *error)
{
    const struct stk_name *name = &spool->upload.name;
    struct stk_spool_note *note = stk_spool_note_make(&spool->notes, name);
    bool tells = false;

    if (note != NULL) {
        unsigned doublings = note->tries < BACK_OFF_DOUBLINGS ? note->tries : BACK_OFF_DOUBLINGS;

        note->tries++;
        tells = stk_spool_note_tells(note, error->message);
        if (note->tries == LASTING_TRIES || (note->tries > LASTING_TRIES && tells))
            tell_uploader(spool, STK_SPOOL_LASTING, error);
        stk_spool_wake_at(spool, note, stk_clock_mono_us() + ((uint64_t)BACK_OFF_US << doublings));
    }
    if (note == NULL || tells)
        stk_log(STK_LOG_WARNING, "spool: %s: tried again soon: %s", name->text, error->message);
    over(spool);
}

/* What the service or its host is to blame for, and the upload is not. */
static bool is_passing(enum stirkeep_status status)
{
    switch (status) {
    case STIRKEEP_UNAVAILABLE:
    case STIRKEEP_TOKEN_LOCKED:
    case STIRKEEP_OVERLOADED:
    case STIRKEEP_DEADLINE:
    case STIRKEEP_AUDIT_UNAVAILABLE:
    case STIRKEEP_STORAGE:
    case STIRKEEP_NO_MEMORY:
    case STIRKEEP_TIMEOUT:
    case STIRKEEP_BUSY:
        return true;
    default:
        return false;
    }
}

/* What may be either: for a while it is taken for passing. */
static bool may_pass(struct stk_spool *spool, enum stirkeep_status status)
{
    const struct stk_spool_note *note = stk_spool_note_find(&spool->notes, spool->upload.name.text);

    return (status == STIRKEEP_IO || status == STIRKEEP_TOKEN_ERROR ||
            status == STIRKEEP_INTERNAL) &&
           (note == NULL || note->tries < LASTING_TRIES);
}

static void fail(struct stk_spool *spool, enum stk_spool_outcome outcome,
                 const struct stk_error *error)
{
    if (is_passing(error->status) || may_pass(spool, error->status))
        put_off(spool, error);
    else
        refuse(spool, outcome, error);
}

/* ---- after the import */

/* The key is in the token for good, and there is a record of it on disk. */
static void finish(struct stk_spool *spool, struct stk_spool_record *record)
{
    struct stk_spool_upload *upload = &spool->upload;
    struct stk_material *material = &upload->work.material;
    struct stk_error error = {0};
    bool whole = !material->remains;
    enum stirkeep_status status =
        stk_spool_remove(spool, &upload->name, &upload->dir, record,
                         whole ? material->source : NULL, material->passphrase, &error);

    if (status == STIRKEEP_OK) {
        stk_spool_forget(spool, stk_spool_note_find(&spool->notes, upload->name.text));
        over(spool);
        return;
    }
    (void)stk_error_set(&error, status, "it is imported, but not removed: %s", error.message);
    fail(spool, STK_SPOOL_IMPORTED, &error);
}

static void conclude(struct stk_spool *spool, struct stk_spool_facts *facts)
{
    struct stk_spool_upload *upload = &spool->upload;
    struct stk_spool_record record = {0};
    struct stk_error error = {0};

    facts->token_label = upload->token_label;
    facts->token_serial = upload->token_serial;
    facts->source = upload->source;
    facts->owner =
        (struct stk_peer){.uid = upload->dir.about.st_uid, .gid = upload->dir.about.st_gid};
    facts->now = stk_clock_seconds();
    if (!stk_spool_record_make(spool->done, &upload->dir, facts, &upload->record, &record)) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
        put_off(spool, &error);
        return;
    }
    if (stk_spool_record_save(spool->done, upload->name.text, &record)) {
        finish(spool, &record);
    } else {
        (void)stk_error_set(&error, STIRKEEP_STORAGE,
                            "it is imported, but not removed: no evidence of it can be written: %s",
                            strerror(errno));
        put_off(spool, &error);
    }
    stk_spool_record_free(&record);
}

static void imported(void *context, const struct stk_import *import, const struct stk_error *error)
{
    struct stk_spool *spool = context;
    struct stk_generation about = {.name = spool->upload.name.text};
    struct stk_spool_facts facts = {.about = &about};

    if (error != NULL) {
        const struct stk_error reason = *error;

        fail(spool, STK_SPOOL_REFUSED, &reason);
        return;
    }
    about.generation = import->generation;
    about.state = import->activate_at != 0 ? "staged" : "active";
    about.activate_at = import->activate_at;
    about.spc = import->leaf.spc;
    about.numbers = import->leaf.numbers;
    about.subject = import->leaf.subject;
    about.issuer = import->leaf.issuer;
    about.serial = import->leaf.serial;
    about.fingerprint = import->leaf.fingerprint;
    about.x5u = import->x5u;
    about.not_before = import->leaf.not_before;
    about.not_after = import->leaf.not_after;
    about.key_id = import->leaf.key_id;
    about.origin = spool->upload.request.elsewhere ? "sealed" : "imported";
    about.attributes = import->attributes;
    facts.warnings = import->warnings;
    facts.warning_count = import->warning_count;
    facts.already_held = import->held;
    conclude(spool, &facts);
}

/* ---- a removal that was cut off, and has no record */

/* The generation of this name with a certificate; NULL: none that is held. */
static const struct stk_generation *find_held(struct stk_spool *spool, const char *fingerprint)
{
    struct stk_arena *arena = &spool->upload.arena;
    struct stk_generation *all = stk_arena_take(arena, LOOK_MAX * sizeof(*all));
    size_t count = 0;

    if (all == NULL || fingerprint == NULL ||
        stk_catalog_show(spool->intake->catalog, spool->upload.name.text, arena, all, LOOK_MAX,
                         &count, NULL) != STIRKEEP_OK)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].fingerprint, fingerprint) == 0 && strcmp(all[i].state, "destroyed") != 0)
            return &all[i];
    return NULL;
}

/* There is no key in it any more: was it imported, as the remains say? */
static void look_for_former(struct stk_spool *spool)
{
    struct stk_spool_work *work = &spool->upload.work;
    const struct stk_generation *held = find_held(spool, stk_material_remains_of(&work->material));
    struct stk_spool_facts facts = {.about = held, .already_held = true};
    const struct stk_error reason = work->error;

    if (held != NULL)
        conclude(spool, &facts);
    else
        refuse(spool, STK_SPOOL_REFUSED, &reason);
}

/* ---- reading, and the import */

static void begin_import(struct stk_spool *spool)
{
    struct stk_spool_upload *upload = &spool->upload;
    const struct stk_material *material = &upload->work.material;
    const struct stk_peer peer = {.uid = upload->dir.about.st_uid, .gid = upload->dir.about.st_gid};
    struct stk_admin_request *request = &upload->request;

    /* Nobody's process has asked: the record says here who it was. */
    (void)snprintf(upload->said, sizeof(upload->said), "%.960s (owner: uid %u, gid %u)",
                   upload->source, (unsigned)peer.uid, (unsigned)peer.gid);
    *request = (struct stk_admin_request){
        .kind = STK_ADMIN_IMPORT,
        .name = upload->name,
        .chain_count = stk_chain_count(material->chain),
        .sealed = {material->sealed.sealed.data, material->sealed.sealed.length},
        .x5u = upload->work.x5u,
        .activate_at = upload->work.activate_at,
        .elsewhere = upload->work.paths.sealed != NULL,
        .source = upload->said};
    for (size_t i = 0; i < request->chain_count && i < STK_CHAIN_MAX; i++)
        request->chain[i] = stk_chain_der(material->chain, i);
    stk_import_begin(spool->intake, request, &peer, &upload->arena, imported, spool);
}

void stk_spool_upload_read(evutil_socket_t fd, short what, void *context)
{
    struct stk_spool *spool = context;
    struct stk_spool_work *work = &spool->upload.work;
    const struct stk_error *error = &work->error;
    (void)fd;
    (void)what;

    if (!stk_spool_work_end(work))
        return;
    if (error->status == STIRKEEP_OK) {
        begin_import(spool);
    } else if (work->material.remains) {
        look_for_former(spool);
    } else {
        const struct stk_error reason = *error;

        fail(spool, STK_SPOOL_REFUSED, &reason);
    }
}

/* The keeper is there, and this is what keys are sealed to: now the upload is worth reading. */
static void described(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_spool *spool = context;
    struct stk_spool_upload *upload = &spool->upload;
    struct stk_error reason = *error;

    if (status == STIRKEEP_OK && !answer->has_token)
        status = stk_error_set(&reason, STIRKEEP_INTERNAL, "the keeper did not describe its token");
    if (status == STIRKEEP_OK) {
        (void)snprintf(upload->token_label, sizeof(upload->token_label), "%s", answer->token.label);
        (void)snprintf(upload->token_serial, sizeof(upload->token_serial), "%s",
                       answer->token.serial);
        status = stk_buffer_add(&upload->work.wrapping_spki, answer->token.wrapping_spki.data,
                                answer->token.wrapping_spki.length);
        if (status != STIRKEEP_OK)
            (void)stk_error_set(&reason, STIRKEEP_NO_MEMORY, "out of memory");
        else if (!stk_spool_work_begin(&upload->work))
            reason = upload->work.error;
        status = reason.status;
    }
    if (status != STIRKEEP_OK)
        fail(spool, STK_SPOOL_REFUSED, &reason);
}

static void begin_reading(struct stk_spool *spool)
{
    struct stk_spool_upload *upload = &spool->upload;
    struct stk_spool_work *work = &upload->work;
    struct stk_custody_order order = {.kind = STK_CUSTODY_TOKEN};
    struct stk_error error = {0};

    if (stk_spool_dir_paths(&upload->dir, &work->paths, &error) != STIRKEEP_OK) {
        fail(spool, STK_SPOOL_REFUSED, &error);
        return;
    }
    work->directory = upload->dir.fd;
    work->paths.directory = &work->directory;
    work->has_x5u = upload->dir.has[STK_SPOOL_X5U];
    work->has_activate_at = upload->dir.has[STK_SPOOL_ACTIVATE_AT];
    stk_call(spool->intake, &order, TOKEN_TIMEOUT_MS, described, spool);
}

/* A former attempt got as far as the removal: is there more to do than to go on with it? */
static bool goes_on(struct stk_spool *spool)
{
    struct stk_spool_upload *upload = &spool->upload;
    struct stk_error error = {0};

    if (!stk_spool_record_load(spool->done, upload->name.text, &upload->record))
        return false;
    if (!stk_spool_record_is_of(&upload->record, &upload->dir)) {
        /* That upload's directory has gone, and this is another. */
        if (stk_spool_remove(spool, &upload->name, NULL, &upload->record, NULL, NULL, &error) !=
            STIRKEEP_OK)
            stk_log(STK_LOG_WARNING, "spool: %s: a former upload: %s", upload->name.text,
                    error.message);
        stk_spool_record_free(&upload->record);
        return false;
    }
    return stk_spool_rest_of(&upload->record, &upload->dir) != STK_SPOOL_WHOLE;
}

void stk_spool_upload_begin(struct stk_spool *spool, const struct stk_name *name,
                            struct stk_spool_dir *dir)
{
    struct stk_spool_upload *upload = &spool->upload;
    struct stk_spool_record record = {0};

    upload->busy = true;
    upload->name = *name;
    upload->dir = *dir;
    dir->fd = -1;
    (void)snprintf(upload->source, sizeof(upload->source), "%s/" STK_SPOOL_INCOMING_NAME "/%s",
                   spool->directory, name->text);
    if (goes_on(spool)) {
        record = upload->record;
        upload->record = (struct stk_spool_record){0};
        finish(spool, &record);
        stk_spool_record_free(&record);
    } else {
        begin_reading(spool);
    }
}
