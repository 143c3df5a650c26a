/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/secret.h"
#include "keeper/keeper.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The porter opened the file and checked whose it is; it never reads it. */
static enum stirkeep_status read_all(struct stk_secret *secret, struct stk_error *error)
{
    while (secret->length < secret->capacity) {
        ssize_t got = pread(STK_FD_KEEPER_NUMBERS, secret->data + secret->length,
                            secret->capacity - secret->length, (off_t)secret->length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return stk_error_set(error, STIRKEEP_CONFIG, "number key: %s", strerror(errno));
        if (got == 0)
            break;
        secret->length += (size_t)got;
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_keeper_read_number_key(struct stk_keeper *keeper, struct stk_error *error)
{
    struct stk_secret place = {0};
    struct stk_secret secret = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!keeper->config->audit.numbers_hashed)
        return STIRKEEP_OK;
    /* It lives as long as the process. */
    if (stk_secret_new(&place, sizeof(*keeper->number_key)) != STIRKEEP_OK ||
        stk_secret_new(&secret, STK_NUMBER_KEY_MAX + 1) != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "number key: out of memory");
    if (status == STIRKEEP_OK)
        status = read_all(&secret, error);
    if (status == STIRKEEP_OK) {
        status = stk_number_key_make(secret.data, secret.length, (void *)place.data, error);
        if (status != STIRKEEP_OK)
            (void)stk_error_prefix(error, "number key");
    }
    (void)close(STK_FD_KEEPER_NUMBERS);
    stk_secret_free(&secret);
    if (status != STIRKEEP_OK) {
        stk_secret_free(&place);
        return status;
    }
    keeper->number_key = (void *)place.data;
    return STIRKEEP_OK;
}
