/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/claim_list.h"
#include "fuzz.h"
#include "model/constraints.h"
#include "passport/permitted.h"
#include <stdlib.h>

/* The value of a JWTClaimConstraints or, by the first byte, EnhancedJWTClaimConstraints; then what
 * it permits of a few PASSporTs. */
#define ARENA ((size_t)1024 * 1024)

static const struct stk_claims_input asked[] = {
    {.ppt = "shaken",
     .orig_tn = "12155550100",
     .dest_tn = (const char *const[]){"12155550199"},
     .dest_tn_count = 1,
     .iat = 1795678800,
     .attest = "A",
     .origid = "123e4567-e89b-42d3-a456-426614174000"},
    {.ppt = "foo",
     .orig_uri = "sip:a@example.com",
     .dest_tn = (const char *const[]){"12155550199"},
     .dest_tn_count = 1,
     .other = "{\"x\":[1,{\"y\":null}]}"},
    {.ppt = "rcd",
     .orig_tn = "12155550100",
     .dest_tn = (const char *const[]){"12155550199"},
     .dest_tn_count = 1,
     .rcd_nam = "Alice",
     .crn = "because"},
};

static void check_permitted(const struct stk_constraints *constraints)
{
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct stk_claims claims = {0};
        struct stk_error error = {0};
        enum stirkeep_status status = STIRKEEP_OK;

        FUZZ_OK(stk_claims_make(&asked[i], fuzz_arena(1, ARENA), &claims, &error), &error);
        status = stk_passport_permitted(constraints, &claims, fuzz_arena(2, ARENA), &error);
        if (status != STIRKEEP_OK)
            fuzz_refusal(status, &error);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes der = {data, size};
    bool enhanced = (fuzz_byte(&der) & 1) != 0;
    struct stk_constraints constraints = {0};
    struct stk_constraints *clone = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_claim_lists_read(der, enhanced, fuzz_arena(0, ARENA), &constraints, &error);

    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        return 0;
    }
    FUZZ_CHECK(constraints.must_include_count <= STK_CONSTRAINT_CLAIMS_MAX);
    FUZZ_CHECK(constraints.permitted_count <= STK_CONSTRAINT_CLAIMS_MAX);
    FUZZ_CHECK(constraints.must_exclude_count <= STK_CONSTRAINT_CLAIMS_MAX);
    FUZZ_CHECK(enhanced || constraints.must_exclude_count == 0);
    clone = stk_constraints_clone(&constraints);
    FUZZ_CHECK(clone != NULL);
    check_permitted(clone);
    free(clone);
    return 0;
}
