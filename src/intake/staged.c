/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/staged.h"

#include "base/clock.h"
#include "base/log.h"
#include "intake/intake.h"
#include "intake/proof.h"
#include <string.h>

#define LOOK_MS 30000         /* at least so often: the clock may be set */
#define CATALOG_AGAIN_MS 5000 /* after the catalog could not be used */
#define TOKEN_AGAIN_S 5       /* after the token did not do it */
#define VALID_AGAIN_S 60      /* after the certificate was not valid */
#define STALE_US 120000000    /* put off, and not met again since: it is not staged any more */

static struct stk_act act_of(const struct stk_certificate *certificate, enum stirkeep_status status,
                             const char *detail)
{
    return (struct stk_act){.act = "activate",
                            .outcome = stirkeep_status_name(status),
                            .name = certificate->name.text,
                            .generation = certificate->generation,
                            .key_id = certificate->key_id,
                            .detail = detail};
}

/* ---- what is put off */

static bool is_of(const struct stk_deferred *deferred, const struct stk_certificate *certificate)
{
    return deferred->generation == certificate->generation &&
           strcmp(deferred->name.text, certificate->name.text) == 0;
}

static struct stk_deferred *find_deferred(struct stk_staged *staged,
                                          const struct stk_certificate *certificate)
{
    for (size_t i = 0; i < STK_DEFERRED_MAX; i++)
        if (is_of(&staged->deferred[i], certificate))
            return &staged->deferred[i];
    return NULL;
}

/* A free place, or that of the one which is due the soonest. */
static struct stk_deferred *make_deferred(struct stk_staged *staged,
                                          const struct stk_certificate *certificate)
{
    struct stk_deferred *place = find_deferred(staged, certificate);

    if (place != NULL)
        return place;
    place = &staged->deferred[0];
    for (size_t i = 0; i < STK_DEFERRED_MAX && place->name.text[0] != '\0'; i++)
        if (staged->deferred[i].name.text[0] == '\0' ||
            staged->deferred[i].until_us < place->until_us)
            place = &staged->deferred[i];
    *place =
        (struct stk_deferred){.name = certificate->name, .generation = certificate->generation};
    return place;
}

static void drop_deferred(struct stk_staged *staged, const struct stk_certificate *certificate)
{
    struct stk_deferred *deferred = find_deferred(staged, certificate);

    if (deferred != NULL)
        *deferred = (struct stk_deferred){0};
}

static void drop_stale(struct stk_staged *staged, uint64_t now_us)
{
    for (size_t i = 0; i < STK_DEFERRED_MAX; i++)
        if (staged->deferred[i].until_us + STALE_US < now_us)
            staged->deferred[i] = (struct stk_deferred){0};
}

/* Told once for each reason. */
static void put_off(struct stk_intake *intake, const struct stk_certificate *certificate,
                    unsigned seconds, const struct stk_error *error)
{
    struct stk_deferred *deferred = make_deferred(&intake->staged, certificate);
    struct stk_act act = act_of(certificate, error->status, error->message);
    bool told = strcmp(deferred->why.message, error->message) == 0;

    deferred->until_us = stk_clock_mono_us() + (uint64_t)seconds * 1000000;
    deferred->why = *error;
    if (told)
        return;
    stk_log(STK_LOG_ERROR, "%s: generation %u is to become active, and cannot: %s",
            certificate->name.text, certificate->generation, error->message);
    stk_acts_note(intake, &act);
}

/* ---- one whose time has come */

static void done(struct stk_intake *intake, const struct stk_certificate *certificate,
                 const char *what)
{
    stk_log(STK_LOG_INFO, "%s: generation %u %s", certificate->name.text, certificate->generation,
            what);
    drop_deferred(&intake->staged, certificate);
    intake->acts_waiting = true;
    stk_acts_flush(intake);
    (void)stk_push_name(intake, &certificate->name);
}

static void settle(struct stk_intake *intake, const struct stk_certificate *certificate,
                   enum stirkeep_status status, const char *what, const struct stk_error *error)
{
    if (status == STIRKEEP_OK)
        done(intake, certificate, what);
    else if (status == STIRKEEP_BUSY)
        drop_deferred(&intake->staged, certificate);
    else
        put_off(intake, certificate, TOKEN_AGAIN_S, error);
}

static void activate(struct stk_intake *intake)
{
    const struct stk_certificate *certificate = &intake->staged.next.certificate;
    struct stk_act act = act_of(certificate, STIRKEEP_OK, "its time has come; proven to sign");
    struct stk_error error = {0};
    enum stirkeep_status status = stk_catalog_activate(intake->catalog, certificate->name.text,
                                                       certificate->generation, &act, &error);

    settle(intake, certificate, status, "is active, as was staged", &error);
}

/* What is active now was to come after it, or came after its time: that stays. */
static void supersede(struct stk_intake *intake, const struct stk_certificate *certificate)
{
    struct stk_act act = act_of(certificate, STIRKEEP_CONFLICT,
                                "it could not become active in time, and what is active now came "
                                "after it: it is a previous one");
    struct stk_error error = {0};
    enum stirkeep_status status = stk_catalog_supersede(intake->catalog, certificate->name.text,
                                                        certificate->generation, &act, &error);

    settle(intake, certificate, status, "was late: what is active came after it, and stays",
           &error);
}

static void proven(void *context, const struct stk_error *error)
{
    struct stk_intake *intake = context;

    intake->staged.proving = false;
    if (error != NULL)
        put_off(intake, &intake->staged.next.certificate, TOKEN_AGAIN_S, error);
    else
        activate(intake);
    stk_staged_look(intake);
}

static enum stirkeep_status check_validity(const struct stk_certificate *certificate, int64_t now,
                                           struct stk_error *error)
{
    if (now < certificate->not_before)
        return stk_error_set(error, STIRKEEP_CERT_NOT_YET_VALID,
                             "its certificate is not valid yet");
    if (now > certificate->not_after)
        return stk_error_set(error, STIRKEEP_CERT_EXPIRED, "its certificate has expired");
    return STIRKEEP_OK;
}

/* False: it was settled at once, or put off. */
static bool begin(struct stk_intake *intake, const struct stk_staged_generation *staged,
                  int64_t now)
{
    struct stk_error error = {0};

    if (check_validity(&staged->certificate, now, &error) != STIRKEEP_OK) {
        put_off(intake, &staged->certificate, VALID_AGAIN_S, &error);
        return false;
    }
    if (staged->late) {
        supersede(intake, &staged->certificate);
        return false;
    }
    intake->staged.next = *staged;
    intake->staged.proving = true;
    stk_prove(intake, &intake->staged.next.certificate, proven, intake);
    return true;
}

/* ---- what comes next */

static unsigned sooner(unsigned wait_ms, uint64_t other_ms)
{
    return other_ms < wait_ms ? (unsigned)other_ms : wait_ms;
}

/* False: one is being proven. Otherwise look again after `*ret_wait_ms`. */
static bool look(struct stk_intake *intake, unsigned *ret_wait_ms)
{
    struct stk_staged_generation staged = {0};
    const struct stk_staged_generation *after = NULL;
    struct stk_error error = {0};
    int64_t now = stk_clock_seconds();
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_wait_ms = LOOK_MS;
    while ((status = stk_catalog_next_staged(intake->catalog, after, &staged, &error)) ==
               STIRKEEP_OK &&
           staged.activate_at <= now) {
        const struct stk_deferred *deferred = find_deferred(&intake->staged, &staged.certificate);
        uint64_t now_us = stk_clock_mono_us();

        if (deferred != NULL && deferred->until_us > now_us)
            *ret_wait_ms = sooner(*ret_wait_ms, (deferred->until_us - now_us) / 1000 + 1);
        else if (begin(intake, &staged, now))
            return false;
        after = &staged;
    }
    if (status == STIRKEEP_OK)
        *ret_wait_ms = sooner(*ret_wait_ms, (uint64_t)(staged.activate_at - now) * 1000);
    else if (status != STIRKEEP_UNKNOWN_NAME) {
        stk_log(STK_LOG_ERROR, "%s", error.message);
        *ret_wait_ms = CATALOG_AGAIN_MS;
    }
    return true;
}

void stk_staged_look(struct stk_intake *intake)
{
    struct stk_staged *staged = &intake->staged;
    unsigned wait_ms = 0;

    if (staged->proving || intake->draining)
        return;
    (void)event_del(&staged->timer);
    drop_stale(staged, stk_clock_mono_us());
    if (look(intake, &wait_ms))
        stk_intake_timer(&staged->timer, wait_ms);
}

static void due(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    stk_staged_look(context);
}

bool stk_staged_start(struct stk_intake *intake)
{
    if (evtimer_assign(&intake->staged.timer, intake->base, due, intake) != 0)
        return false;
    stk_staged_look(intake);
    return true;
}
