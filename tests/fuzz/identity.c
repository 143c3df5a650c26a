/* SPDX-License-Identifier: BSD-2-Clause */
#include "composed.h"
#include "fuzz.h"
#include "passport/reading.h"
#include "passport/verify.h"
#include <string.h>

/*
 * An Identity header value, as `stirkeep verify` is given it. One that is found good, with nothing
 * to remark, and that has no more in its header than this service puts there, has to be one that
 * this service would have signed by sign-input.
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
    struct stk_claims claims = {0};
    struct stk_error error = {0};
    const char *x5u = NULL;

    FUZZ_OK(stk_identity_claims(identity, fuzz_arena(0, STK_IDENTITY_ARENA), &claims, &error),
            &error);
    if (!header_is_ours(&identity->header))
        return;
    FUZZ_OK(stk_passport_read((struct stk_bytes){identity->header.data, identity->header.length},
                              (struct stk_bytes){identity->payload.data, identity->payload.length},
                              fuzz_arena(0, STK_IDENTITY_ARENA), &claims, &x5u, &error),
            &error);
    FUZZ_CHECK(identity->info[0] == '\0' || strcmp(identity->info, x5u) == 0);
    fuzz_compose(&claims);
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
    if (!identity.compact)
        (void)stk_identity_claims(&identity, fuzz_arena(0, STK_IDENTITY_ARENA), &claims, &error);
    if (!identity.compact && stk_identity_judge(&identity, NOW, 0, findings) == 0)
        check_good(&identity);
    stk_identity_free(&identity);
    return 0;
}
