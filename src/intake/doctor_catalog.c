/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/doctor.h"

#include "base/clock.h"
#include "base/file.h"
#include "intake/intake.h"
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 64
#define TOLD_MAX 8 /* names that are told one by one; of others, how many they are */
#define DAY_S 86400

static const char import_cure[] =
    "import the key again from its source, or a new key and certificate";

static void unreadable(struct stk_diagnosis *diagnosis, const struct stk_error *error)
{
    stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                          "see the disk and intake's log; a file that is damaged can be restored "
                          "from a backup or rebuilt: stirkeep doctor --rebuild-catalog",
                          "the catalog cannot be read: %s", error->message);
}

static void describe_catalog(struct stk_intake *intake, struct stk_diagnosis *diagnosis)
{
    const char *path = intake->config->storage.catalog;
    struct stk_error error = {0};
    uint32_t names = 0;

    stk_diagnosis_disk(diagnosis, "catalog", path);
    if (stk_catalog_in_place(intake->catalog, &error) != STIRKEEP_OK)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "put the file that was there back, by its name; a restart takes what "
                              "is there then",
                              "%s", error.message);
    if (stk_catalog_count(intake->catalog, &names, &error) != STIRKEEP_OK)
        unreadable(diagnosis, &error);
    else
        stk_diagnosis_fact(diagnosis, "names", "%" PRIu32, names);
}

static void describe_configuration(const struct stk_intake *intake, struct stk_diagnosis *diagnosis)
{
    const char *x5u = intake->config->signing.x5u_template;

    stk_diagnosis_fact(diagnosis, "x5u template", "%s",
                       x5u[0] != '\0' ? x5u : "none: each import has to state its x5u");
    if (intake->config->signing.profile == STK_PROFILE_TEST)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT,
                              "take [import] profile = test out of the configuration where calls "
                              "are real",
                              "certificates that only a laboratory would take are imported");
}

/* Lines of certificates that are over, or will be soon. */
static void tell_expiring(struct stk_intake *intake, int64_t from, int64_t until,
                          const char *severity, struct stk_diagnosis *diagnosis)
{
    const char *lines[STK_EXPIRY_LINES_MAX] = {NULL};
    size_t count = stk_expiry_lines(intake, diagnosis->arena, from, until, lines);

    for (size_t i = 0; i < count; i++)
        stk_diagnosis_trouble(diagnosis, severity,
                              "have it renewed: stirkeep install NAME --cert FILE for the same "
                              "key, or import the new key and certificate",
                              "%s", lines[i]);
}

static void tell_early(struct stk_intake *intake, struct stk_diagnosis *diagnosis)
{
    const char *lines[STK_EXPIRY_LINES_MAX] = {NULL};
    size_t count = stk_early_lines(intake, diagnosis->arena, lines);

    for (size_t i = 0; i < count; i++)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "wait for its notBefore; see whether this clock is right; or go "
                              "back: stirkeep rollback NAME",
                              "%s", lines[i]);
}

static void tell_waiting(const struct stk_intake *intake, struct stk_diagnosis *diagnosis)
{
    if (!intake->front_up)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE, "see front's log",
                              "front, which signing clients talk to, is not up");
    if (intake->replay.why.status != STIRKEEP_OK)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT,
                              "it is tried again every few seconds; mend what it waits for",
                              "something that was cut off waits to be undone or finished: %s",
                              intake->replay.why.message);
    if (intake->acts_told)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "see the disk of the audit trail and the keeper's log",
                              "acts of administrators wait for the audit trail");
    for (size_t i = 0; i < STK_DEFERRED_MAX; i++)
        if (intake->staged.deferred[i].name.text[0] != '\0')
            stk_diagnosis_trouble(diagnosis, STK_SLIGHT,
                                  "mend what it waits for; it is tried again by itself",
                                  "%s: generation %u is to become active, and cannot: %s",
                                  intake->staged.deferred[i].name.text,
                                  (unsigned)intake->staged.deferred[i].generation,
                                  intake->staged.deferred[i].why.message);
    if (stk_spool_trouble(intake)[0] != '\0')
        stk_diagnosis_trouble(
            diagnosis, STK_SLIGHT,
            "mend the directory (stirkeepd --check); it is looked at again by itself", "%s",
            stk_spool_trouble(intake));
    if (intake->rebuild != NULL)
        stk_diagnosis_fact(diagnosis, "rebuild", "the catalog is being rebuilt at the moment");
}

void stk_doctor_catalog(struct stk_intake *intake, struct stk_diagnosis *diagnosis)
{
    int64_t now = stk_clock_seconds();

    describe_catalog(intake, diagnosis);
    describe_configuration(intake, diagnosis);
    tell_expiring(intake, INT64_MIN, now, STK_SEVERE, diagnosis);
    tell_expiring(intake, now, now + (int64_t)STK_EXPIRY_DAYS * DAY_S, STK_SLIGHT, diagnosis);
    tell_early(intake, diagnosis);
    tell_waiting(intake, diagnosis);
}

/* ---- against the token */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct stk_key_id));
}

static bool is_there(const struct stk_token_keys *keys, const struct stk_key_id *key_id)
{
    return keys->count > 0 &&
           bsearch(key_id, keys->ids, keys->count, sizeof(*keys->ids), compare_ids) != NULL;
}

static void tell_missing(const struct stk_held_key *key, struct stk_diagnosis *diagnosis)
{
    if (key->active)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE, import_cure,
                              "%s: its key is not on the token: it does not sign", key->name.text);
    else
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT, import_cure,
                              "%s: a key that is held under it, and does not sign now, is not on "
                              "the token",
                              key->name.text);
}

void stk_doctor_compare(struct stk_intake *intake, const struct stk_token_keys *keys,
                        struct stk_diagnosis *diagnosis)
{
    struct stk_held_key page[PAGE];
    struct stk_error error = {0};
    int64_t after = 0;
    size_t missing = 0;
    size_t active = 0;
    size_t count = PAGE;

    while (count == PAGE) {
        if (stk_catalog_held(intake->catalog, after, page, PAGE, &count, &error) != STIRKEEP_OK) {
            unreadable(diagnosis, &error);
            return;
        }
        for (size_t i = 0; i < count; i++) {
            after = page[i].row;
            if (is_there(keys, &page[i].key_id))
                continue;
            active += page[i].active ? 1 : 0;
            if (missing++ < TOLD_MAX)
                tell_missing(&page[i], diagnosis);
        }
    }
    if (missing > TOLD_MAX)
        stk_diagnosis_trouble(diagnosis, active > 0 ? STK_SEVERE : STK_SLIGHT, import_cure,
                              "%zu keys that the catalog holds are not on the token in all, %zu of "
                              "them in use",
                              missing, active);
}
