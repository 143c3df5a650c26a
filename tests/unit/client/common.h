/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_COMMON_H
#define STK_TEST_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <stirkeep/client.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const one_dest[] = {"12155550131"};
static const struct stirkeep_claims good_claims = {.ppt = "shaken",
                                                   .orig_tn = "12155550121",
                                                   .dest_tn = one_dest,
                                                   .dest_tn_count = 1,
                                                   .attest = "A"};

static inline uint64_t now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline struct stirkeep_client *client_of(const struct fake *fake, uint32_t timeout_ms)
{
    struct stirkeep_client *client = NULL;

    assert_int_equal(stirkeep_client_new(fake->path, timeout_ms, &client), STIRKEEP_OK);
    return client;
}

/* Submit a request whose certificate name and tag are the number, so that answers tell. */
static inline enum stirkeep_status submit_numbered(struct stirkeep_client *client, uint64_t number,
                                                   uint32_t deadline_ms)
{
    char name[32] = "";

    (void)snprintf(name, sizeof(name), "n%llu", (unsigned long long)number);
    return stirkeep_submit(client, name, &good_claims, deadline_ms, number);
}

static inline bool answers_its_request(const struct stirkeep_answer *answer)
{
    char expected[64] = "";

    (void)snprintf(expected, sizeof(expected), "n%llu/%s", (unsigned long long)answer->tag,
                   one_dest[0]);
    return answer->status == STIRKEEP_OK && strcmp(answer->signature.identity, expected) == 0 &&
           answer->signature.identity_length == strlen(expected) &&
           answer->signature.passport_length == strlen(expected) - strlen(one_dest[0]) - 1;
}

#endif
