/* SPDX-License-Identifier: BSD-2-Clause */
#include "composed.h"
#include "fuzz.h"
#include "passport/passport.h"
#include "passport/reading.h"
#include <string.h>

/* SignInput: a header that somebody else composed, a newline, and the payload. What is taken is
 * what this service would have composed of the claims that it was found to have. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes payload = {data, size};
    struct stk_bytes header = fuzz_line(&payload);
    struct stk_claims claims = {0};
    struct stk_error error = {0};
    struct stk_buffer out = {0};
    const char *x5u = NULL;
    enum stirkeep_status status = stk_passport_read(
        header, payload, fuzz_arena(0, STK_DECODE_ARENA_MAX), &claims, &x5u, &error);

    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        return 0;
    }
    FUZZ_CHECK(stk_passport_header(claims.ppt_text, x5u, &out) == STIRKEEP_OK);
    FUZZ_CHECK(out.length == header.length && memcmp(out.data, header.data, header.length) == 0);
    out.length = 0;
    FUZZ_CHECK(stk_passport_payload(&claims, &out) == STIRKEEP_OK);
    FUZZ_CHECK(out.length == payload.length && memcmp(out.data, payload.data, payload.length) == 0);
    stk_buffer_free(&out);
    fuzz_compose(&claims);
    return 0;
}
