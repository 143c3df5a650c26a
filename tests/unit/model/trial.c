/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trial.h"
#include <string.h>

const char trial_opt[] =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly93d3cuZXhhbXBsZS5jb20vY2VydC5jZX"
    "IifQ.eyJkZXN0Ijp7InRuIjpbIjEyMTU1NTUxMjEzIl19LCJpYXQiOjE0NDMyMDgzNDUsIm9yaWciOnsidG4iOiIxMjE1N"
    "TU1MTIxMiJ9fQ.1bEzkzcNbKvgz4QoMx0_DJ2T8qFMDC1sPqHPXl1WvbauzRJRvYlZqQ0qgGTlS8tJ_wXjVe07Z3wvDrdA"
    "pHhhYw";

struct stk_claims_input trial_base(void)
{
    static const char *const dest[] = {"12155551214"};

    return (struct stk_claims_input){
        .orig_tn = "12155551212", .dest_tn = dest, .dest_tn_count = 1, .iat = 1443208345};
}

static struct stk_claims_input trial_of(const char *ppt)
{
    struct stk_claims_input input = trial_base();

    input.ppt = ppt;
    return input;
}

struct stk_claims_input trial_shaken(void)
{
    struct stk_claims_input input = trial_of("shaken");

    input.attest = "A";
    input.origid = "123e4567-e89b-12d3-a456-426655440000";
    return input;
}

struct stk_claims_input trial_div(void)
{
    struct stk_claims_input input = trial_of("div");

    input.div_tn = "12155551213";
    return input;
}

struct stk_claims_input trial_div_o(void)
{
    struct stk_claims_input input = trial_of("div-o");

    input.div_tn = "12155551213";
    input.opt = trial_opt;
    return input;
}

struct stk_claims_input trial_rph(void)
{
    static const char *const auth[] = {"ets.0", "wps.0"};
    struct stk_claims_input input = trial_of("rph");

    input.rph_auth = auth;
    input.rph_auth_count = 2;
    return input;
}

struct stk_claims_input trial_rcd(void)
{
    struct stk_claims_input input = trial_of("rcd");

    input.rcd_nam = "James Bond";
    return input;
}

struct stk_claims_input trial_other(void)
{
    struct stk_claims_input input = trial_of("msec");

    input.other = "{\"zeta\":[1,{\"b\":1,\"a\":null}],\"bar\":\"beyond all recognition\"}";
    return input;
}

int trial_begin(void **state)
{
    static struct stk_arena arena;

    *state = &arena;
    return stk_arena_new(&arena, TRIAL_ARENA) == STIRKEEP_OK ? 0 : -1;
}

int trial_end(void **state)
{
    stk_arena_free(*state);
    return 0;
}

struct stk_claims trial_made(struct stk_arena *arena, const struct stk_claims_input *input)
{
    struct stk_claims claims = {0};
    struct stk_error error = {0};

    if (stk_claims_make(input, arena, &claims, &error) != STIRKEEP_OK)
        fail_msg("refused: %s", error.message);
    return claims;
}

void trial_refused(struct stk_arena *arena, const struct stk_claims_input *input,
                   enum stirkeep_status status, const char *begin)
{
    struct stk_claims claims = {.iat = 42};
    struct stk_error error = {0};
    enum stirkeep_status got = STIRKEEP_OK;

    stk_arena_reset(arena);
    got = stk_claims_make(input, arena, &claims, &error);
    if (got != status || strncmp(error.message, begin, strlen(begin)) != 0)
        fail_msg("status %d \"%s\", not %d \"%s\"", (int)got, error.message, (int)status, begin);
    assert_int_equal(claims.iat, 42);
    assert_int_equal(error.status, status);
    stk_arena_reset(arena);
}
