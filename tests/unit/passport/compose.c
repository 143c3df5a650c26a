/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compose.h"
#include "passport/passport.h"
#include "passport/reading.h"
#include <string.h>

const char inner_passport[] =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly93d3cuZXhhbXBsZS5jb20vY2VydC5jZX"
    "IifQ.eyJkZXN0Ijp7InRuIjpbIjEyMTU1NTUxMjEzIl19LCJpYXQiOjE0NDMyMDgzNDUsIm9yaWciOnsidG4iOiIxMjE1N"
    "TU1MTIxMiJ9fQ.1bEzkzcNbKvgz4QoMx0_DJ2T8qFMDC1sPqHPXl1WvbauzRJRvYlZqQ0qgGTlS8tJ_wXjVe07Z3wvDrdA"
    "pHhhYw";

int compose_begin(void **state)
{
    static struct stk_arena arena;

    *state = &arena;
    return stk_arena_new(&arena, COMPOSE_ARENA) == STIRKEEP_OK ? 0 : -1;
}

int compose_end(void **state)
{
    stk_arena_free(*state);
    return 0;
}

struct stk_bytes bytes_of(const char *text)
{
    return (struct stk_bytes){.data = (const uint8_t *)text, .length = strlen(text)};
}

void assert_holds(const struct stk_buffer *buffer, const char *text)
{
    assert_int_equal(buffer->length, strlen(text));
    assert_memory_equal(buffer->data, text, buffer->length);
}

struct stk_claims made(struct stk_arena *arena, const struct stk_claims_input *input)
{
    struct stk_claims claims = {0};
    struct stk_error error = {0};

    if (stk_claims_make(input, arena, &claims, &error) != STIRKEEP_OK)
        fail_msg("refused: %s", error.message);
    return claims;
}

static const char *kept(struct stk_arena *arena, struct stk_buffer *out)
{
    const char *text = stk_arena_copy(arena, out->data, out->length);

    assert_non_null(text);
    stk_buffer_free(out);
    return text;
}

const char *payload_of(struct stk_arena *arena, const struct stk_claims *claims)
{
    struct stk_buffer out = {0};

    assert_int_equal(stk_passport_payload(claims, &out), STIRKEEP_OK);
    return kept(arena, &out);
}

const char *header_of(struct stk_arena *arena, const char *ppt, const char *x5u)
{
    struct stk_buffer out = {0};

    assert_int_equal(stk_passport_header(ppt, x5u, &out), STIRKEEP_OK);
    return kept(arena, &out);
}

struct stk_claims claims_of(struct stk_arena *arena, const char *ppt, const char *payload)
{
    const char *header = header_of(arena, ppt, COMPOSE_X5U);
    struct stk_claims claims = {0};
    struct stk_error error = {0};
    const char *x5u = NULL;

    if (stk_passport_read(bytes_of(header), bytes_of(payload), arena, &claims, &x5u, &error) !=
        STIRKEEP_OK)
        fail_msg("%s: %s", payload, error.message);
    assert_string_equal(x5u, COMPOSE_X5U);
    return claims;
}

void assert_not_read(struct stk_arena *arena, const char *ppt, const char *header,
                     const char *payload, const char *begin)
{
    struct stk_claims claims = {.iat = 42};
    struct stk_error error = {0};
    const char *x5u = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_arena_reset(arena);
    if (header == NULL)
        header = header_of(arena, ppt, COMPOSE_X5U);
    status = stk_passport_read(bytes_of(header), bytes_of(payload), arena, &claims, &x5u, &error);
    if (status == STIRKEEP_OK || strncmp(error.message, begin, strlen(begin)) != 0)
        fail_msg("%s %s: \"%s\", not \"%s\"", header, payload, error.message, begin);
    assert_true(status == STIRKEEP_INVALID || status == STIRKEEP_UNSUPPORTED ||
                status == STIRKEEP_TOO_LARGE);
    assert_int_equal(claims.iat, 42);
    assert_null(x5u);
}
