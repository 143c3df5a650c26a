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

static struct stk_act act_of(const struct stk_staged *staged, const struct stk_error *error)
{
    return (struct stk_act){.act = "activate",
                            .outcome = stirkeep_status_name(error->status),
                            .name = staged->certificate.name.text,
                            .generation = staged->certificate.generation,
                            .key_id = staged->certificate.key_id,
                            .detail = error->message};
}

/* Once for each reason. */
static void tell(struct stk_intake *intake, const struct stk_error *error)
{
    struct stk_staged *staged = &intake->staged;
    struct stk_act act = act_of(staged, error);

    if (strcmp(staged->told_name.text, staged->certificate.name.text) == 0 &&
        strcmp(staged->told.message, error->message) == 0)
        return;
    staged->told_name = staged->certificate.name;
    staged->told = *error;
    stk_log(STK_LOG_ERROR, "%s: generation %u is to become active, and cannot: %s",
            staged->certificate.name.text, staged->certificate.generation, error->message);
    stk_acts_note(intake, &act);
}

/* It goes behind the others, so that they do not wait for it. */
static void put_off(struct stk_intake *intake, int64_t seconds, const struct stk_error *error)
{
    const struct stk_certificate *certificate = &intake->staged.certificate;
    struct stk_error why = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    tell(intake, error);
    status = stk_catalog_restage(intake->catalog, certificate->name.text, certificate->generation,
                                 stk_clock_seconds() + seconds, NULL, &why);
    if (status != STIRKEEP_OK && status != STIRKEEP_BUSY) {
        stk_log(STK_LOG_ERROR, "%s", why.message);
        stk_intake_timer(&intake->staged.timer, CATALOG_AGAIN_MS);
        return;
    }
    stk_staged_look(intake);
}

static void activate(struct stk_intake *intake)
{
    const struct stk_certificate *certificate = &intake->staged.certificate;
    struct stk_error error = {.message = "its time has come; proven to sign"};
    struct stk_act act = act_of(&intake->staged, &error);
    enum stirkeep_status status = stk_catalog_activate(intake->catalog, certificate->name.text,
                                                       certificate->generation, &act, &error);

    if (status == STIRKEEP_OK) {
        stk_log(STK_LOG_INFO, "%s: generation %u is active, as was staged", certificate->name.text,
                certificate->generation);
        intake->acts_waiting = true;
        stk_acts_flush(intake);
        (void)stk_push_name(intake, &certificate->name);
    }
    if (status == STIRKEEP_OK || status == STIRKEEP_BUSY)
        stk_staged_look(intake);
    else
        put_off(intake, TOKEN_AGAIN_S, &error);
}

static void proven(void *context, const struct stk_error *error)
{
    struct stk_intake *intake = context;

    intake->staged.proving = false;
    if (error != NULL)
        put_off(intake, TOKEN_AGAIN_S, error);
    else
        activate(intake);
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

static void begin(struct stk_intake *intake, int64_t now)
{
    struct stk_staged *staged = &intake->staged;
    struct stk_error error = {0};

    if (check_validity(&staged->certificate, now, &error) != STIRKEEP_OK) {
        put_off(intake, VALID_AGAIN_S, &error);
        return;
    }
    staged->proving = true;
    stk_prove(intake, &staged->certificate, proven, intake);
}

void stk_staged_look(struct stk_intake *intake)
{
    struct stk_staged *staged = &intake->staged;
    struct stk_error error = {0};
    int64_t now = stk_clock_seconds();
    int64_t at = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (staged->proving || intake->draining)
        return;
    (void)event_del(&staged->timer);
    status = stk_catalog_next_staged(intake->catalog, &staged->certificate, &at, &error);
    if (status == STIRKEEP_UNKNOWN_NAME)
        return;
    if (status == STIRKEEP_OK && at <= now) {
        begin(intake, now);
        return;
    }
    if (status != STIRKEEP_OK) {
        stk_log(STK_LOG_ERROR, "%s", error.message);
        stk_intake_timer(&staged->timer, CATALOG_AGAIN_MS);
        return;
    }
    stk_intake_timer(&staged->timer,
                     at - now < LOOK_MS / 1000 ? (unsigned)(at - now) * 1000 : LOOK_MS);
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
