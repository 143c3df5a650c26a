/* SPDX-License-Identifier: BSD-2-Clause */
#include "integrations/kamailio/service.h"

#include "base/clock.h"
#include "integrations/kamailio/options.h"
#include "integrations/kamailio/say.h"
#include <poll.h>

#define SILENCE_SHARE 8 /* of the limit: what a call waits for a sign of life */
#define AFRESH_US 1000000

/* Kamailio's functions have no argument for a state of ours: it is the process's. */
static struct {
    struct stirkeep_client *client;
    uint32_t timeout_ms; /* of the client */
    unsigned options;    /* that it was made with */
    bool silent;         /* it let a whole limit pass, and nothing has come since */
    uint64_t asked_us;   /* when it was last given the whole limit */
    uint64_t unsigned_calls;
} service;

static uint32_t silence_ms(void)
{
    return stk_kam_timeout_ms() / SILENCE_SHARE;
}

static enum stirkeep_status have_client(uint32_t timeout_ms)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (service.client != NULL && service.timeout_ms == timeout_ms &&
        service.options == stk_kam_options_version())
        return STIRKEEP_OK;
    stirkeep_client_free(service.client);
    service.client = NULL;
    service.timeout_ms = timeout_ms;
    service.options = stk_kam_options_version();
    status = stirkeep_client_new(stk_kam_socket(), timeout_ms, &service.client);
    if (status == STIRKEEP_OK)
        stirkeep_set_patience(service.client, 0); /* a call that rings is not kept waiting */
    return status;
}

static bool shows_life(int wait_ms)
{
    struct pollfd item = {.fd = stirkeep_fd(service.client, NULL), .events = POLLIN};

    return poll(&item, 1, wait_ms) > 0;
}

/*
 * A client that the call may use. With the part of the limit that a sign of life may have been waited
 * for before, its time is the limit.
 */
static enum stirkeep_status prepare(void)
{
    uint32_t whole_ms = stk_kam_timeout_ms() - silence_ms();
    uint64_t now_us = stk_clock_mono_us();

    if (!service.silent || service.client == NULL || service.options != stk_kam_options_version()) {
        service.silent = false;
    } else if (now_us - service.asked_us >= AFRESH_US) {
        stirkeep_client_free(service.client);
        service.client = NULL;
    } else if (stirkeep_fd(service.client, NULL) < 0) {
        return have_client(silence_ms()); /* its queue of new connections was full */
    } else if (!shows_life((int)silence_ms())) {
        return STIRKEEP_TIMEOUT;
    }
    service.asked_us = now_us;
    return have_client(whole_ms);
}

static bool is_for_want_of_service(enum stirkeep_status status)
{
    return status == STIRKEEP_TIMEOUT || status == STIRKEEP_NOT_CONNECTED ||
           status == STIRKEEP_UNAVAILABLE || status == STIRKEEP_OVERLOADED ||
           status == STIRKEEP_DEADLINE;
}

static void remember(enum stirkeep_status status)
{
    service.silent = status == STIRKEEP_TIMEOUT;
    if (is_for_want_of_service(status)) {
        service.unsigned_calls++;
        return;
    }
    if (service.unsigned_calls > 0)
        stk_kam_say(STK_KAM_LOG_INFO,
                    "stirkeep answers again; %llu calls of this process went "
                    "without a signature",
                    (unsigned long long)service.unsigned_calls);
    service.unsigned_calls = 0;
}

enum stirkeep_status stk_kam_ask(const struct stk_kam_question *question,
                                 struct stirkeep_signature *ret_signature, const char **ret_reason)
{
    enum stirkeep_status status = prepare();

    *ret_reason = "the service has been silent since an earlier call";
    if (status == STIRKEEP_INVALID) { /* not what is to be signed: scripts tell that apart */
        *ret_reason = "a socket's path has 1 to 107 characters";
        return STIRKEEP_NOT_CONNECTED;
    }
    if (status != STIRKEEP_OK && status != STIRKEEP_TIMEOUT) {
        *ret_reason = stirkeep_status_text(status);
        return status;
    }
    if (status == STIRKEEP_OK) {
        status =
            question->claims != NULL
                ? stirkeep_sign(service.client, question->name, question->claims, ret_signature)
                : stirkeep_sign_input(service.client, question->name, question->header,
                                      question->payload, ret_signature);
        *ret_reason = stirkeep_client_error(service.client);
    }
    remember(status);
    return status;
}
