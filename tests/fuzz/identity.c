/* SPDX-License-Identifier: BSD-2-Clause */
#include "composed.h"
#include "fuzz.h"
#include "passport/reading.h"
#include "passport/verify.h"
#include <string.h>

/*
 * An Identity header value, as `stirkeep verify` is given it. Of one that it finds good, with
 * nothing to remark, the claims are such as this service signs. The text itself need not be as this
 * service would have written it (the hex digits of an origid, numbers in another order): only then
 * may sign-input refuse what verify finds good.
 */
#define NOW 1795678800

static bool header_is_ours(const struct stk_buffer *header)
{
    const struct stk_json *json = NULL;
    struct stk_error error = {0};

    FUZZ_OK(stk_json_read((const char *)header->data, header->length, "header",
                          fuzz_arena(1, STK_IDENTITY_ARENA), &json, &error),
            &error);
    return json->count == 3 + (stk_json_member(json, "ppt") != NULL ? 1 : 0);
}

static void check_good(const struct stk_identity *identity)
{
    struct stk_arena *arena = fuzz_arena(0, STK_IDENTITY_ARENA);
    struct stk_claims_input input = {0};
    struct stk_claims claims = {0};
    struct stk_error error = {0};
    const char *x5u = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    FUZZ_OK(stk_identity_claims(identity, arena, &claims, &error), &error);
    /* RFC 9795 section 5.1.1 has an empty name for a caller who has none; it is verified, not signed. */
    if (claims.rcd_nam != NULL && claims.rcd_nam[0] == '\0')
        return;
    FUZZ_CHECK(stk_claims_input_of(&claims, arena, &input) == STIRKEEP_OK);
    FUZZ_OK(stk_claims_make(&input, arena, &claims, &error), &error);
    fuzz_compose(&claims);
    if (!header_is_ours(&identity->header))
        return;
    status = stk_passport_read((struct stk_bytes){identity->header.data, identity->header.length},
                               (struct stk_bytes){identity->payload.data, identity->payload.length},
                               fuzz_arena(0, STK_IDENTITY_ARENA), &claims, &x5u, &error);
    if (status == STIRKEEP_OK)
        FUZZ_CHECK(identity->info[0] == '\0' || strcmp(identity->info, x5u) == 0);
    else
        FUZZ_CHECK(strstr(error.message, "is not as in the canonical form") != NULL);
}

/* The compact form with what the call has said. */
static void complete(struct stk_identity *identity)
{
    const struct stk_claims_input call = {.ppt = "",
                                          .orig_tn = "12155550100",
                                          .dest_tn = (const char *const[]){"12155550199"},
                                          .dest_tn_count = 1,
                                          .iat = NOW};
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX];
    struct stk_claims claims = {0};
    struct stk_error error = {0};

    FUZZ_OK(stk_claims_make(&call, fuzz_arena(0, STK_IDENTITY_ARENA), &claims, &error), &error);
    FUZZ_OK(stk_identity_complete(identity, &claims, NULL, &error), &error);
    (void)stk_identity_judge(identity, NOW, 60, findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX];
    struct stk_identity identity = {0};
    struct stk_error error = {0};
    struct stk_claims claims = {0};
    size_t count = 0;
    enum stirkeep_status status = stk_identity_parse((const char *)data, size, &identity, &error);

    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        return 0;
    }
    count = stk_identity_judge(&identity, NOW, 60, findings);
    FUZZ_CHECK(count <= STK_VERIFY_FINDINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(memchr(findings[i].code, '\0', sizeof(findings[i].code)) != NULL);
        FUZZ_CHECK(memchr(findings[i].message, '\0', sizeof(findings[i].message)) != NULL);
    }
    if (identity.compact && identity.info[0] != '\0')
        complete(&identity);
    if (!identity.compact)
        (void)stk_identity_claims(&identity, fuzz_arena(0, STK_IDENTITY_ARENA), &claims, &error);
    if (!identity.compact && stk_identity_judge(&identity, NOW, 0, findings) == 0)
        check_good(&identity);
    stk_identity_free(&identity);
    return 0;
}
