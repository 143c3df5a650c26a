/* SPDX-License-Identifier: BSD-2-Clause */
#include "composed.h"

#include "base/encode.h"
#include "fuzz.h"
#include "passport/passport.h"
#include "passport/reading.h"
#include "passport/verify.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1795678800

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

/* What the keeper does with an order. */
static void fill_in(struct stk_claims *claims)
{
    if (claims->iat == 0)
        claims->iat = NOW;
    if (claims->ppt == STK_PPT_SHAKEN && claims->origid[0] == '\0')
        (void)snprintf(claims->origid, sizeof(claims->origid), "%s",
                       "123e4567-e89b-42d3-a456-426614174000");
}

static void check_canonical(const struct stk_buffer *json)
{
    struct stk_arena *arena = fuzz_arena(2, STK_IDENTITY_ARENA);
    const struct stk_json *value = NULL;
    struct stk_error error = {0};
    const char *text = NULL;

    FUZZ_OK(
        stk_json_read((const char *)json->data, json->length, "composed", arena, &value, &error),
        &error);
    text = stk_json_text_of(value, arena);
    FUZZ_CHECK(text != NULL && strlen(text) == json->length &&
               memcmp(text, json->data, json->length) == 0);
}

static void check_claims_again(const struct stk_claims *read, const struct stk_buffer *payload)
{
    struct stk_buffer again = {0};

    FUZZ_CHECK(stk_passport_payload(read, &again) == STIRKEEP_OK);
    FUZZ_CHECK(fuzz_same(&again, payload));
    stk_buffer_free(&again);
}

static void check_reading(const struct stk_buffer *header, const struct stk_buffer *payload)
{
    struct stk_claims read = {0};
    struct stk_error error = {0};
    const char *x5u = NULL;

    FUZZ_OK(stk_passport_read(view(header), view(payload), fuzz_arena(2, STK_IDENTITY_ARENA), &read,
                              &x5u, &error),
            &error);
    FUZZ_CHECK(strcmp(x5u, FUZZ_X5U) == 0);
    check_claims_again(&read, payload);
}

/* That somebody else's type is not known to whoever verifies is no fault of ours. */
static void check_judged(const struct stk_identity *identity)
{
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX];
    size_t count = stk_identity_judge(identity, NOW, 0, findings);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(findings[i].code, "PPT-UNKNOWN") == 0)
            continue;
        if (findings[i].fatal)
            (void)fprintf(stderr, "%s: %s\n", findings[i].code, findings[i].message);
        FUZZ_CHECK(!findings[i].fatal);
    }
}

static void check_identity(const struct stk_claims *claims, const struct stk_buffer *header,
                           const struct stk_buffer *payload)
{
    static const uint8_t signature[STK_SIGNATURE_LENGTH] = {1};
    static char header_text[4096];
    struct stk_identity identity = {0};
    struct stk_claims read = {0};
    struct stk_error error = {0};
    struct stk_buffer out = {0};
    uint32_t length = 0;

    FUZZ_CHECK(STK_BASE64URL_LENGTH(header->length) <= sizeof(header_text));
    FUZZ_CHECK(stk_passport_input(header_text,
                                  stk_base64url_encode(header->data, header->length, header_text),
                                  claims, &out) == STIRKEEP_OK);
    FUZZ_CHECK(stk_passport_finish(signature, claims, FUZZ_X5U, &out, &length) == STIRKEEP_OK);
    FUZZ_CHECK(length < out.length);
    FUZZ_CHECK(out.length <= stk_passport_bound(claims, strlen(FUZZ_X5U)));
    FUZZ_OK(stk_identity_parse((const char *)out.data, out.length, &identity, &error), &error);
    FUZZ_CHECK(strlen(identity.passport) == length && identity.compact == claims->compact);
    if (identity.compact)
        FUZZ_OK(stk_identity_complete(&identity, claims, NULL, &error), &error);
    FUZZ_CHECK(fuzz_same(&identity.header, header) && fuzz_same(&identity.payload, payload));
    FUZZ_CHECK(memcmp(identity.signature, signature, sizeof(signature)) == 0);
    check_judged(&identity);
    FUZZ_OK(stk_identity_claims(&identity, fuzz_arena(2, STK_IDENTITY_ARENA), &read, &error),
            &error);
    check_claims_again(&read, payload);
    stk_identity_free(&identity);
    stk_buffer_free(&out);
}

void fuzz_compose(const struct stk_claims *taken)
{
    struct stk_claims claims = *taken;
    struct stk_buffer header = {0};
    struct stk_buffer payload = {0};

    fill_in(&claims);
    FUZZ_CHECK((stk_claims_authority_tn(&claims) != NULL) !=
               (stk_claims_authority_uri(&claims) != NULL));
    FUZZ_CHECK(stk_passport_header(claims.ppt_text, FUZZ_X5U, &header) == STIRKEEP_OK);
    FUZZ_CHECK(stk_passport_payload(&claims, &payload) == STIRKEEP_OK);
    check_canonical(&header);
    check_canonical(&payload);
    check_reading(&header, &payload);
    check_identity(&claims, &header, &payload);
    stk_buffer_free(&header);
    stk_buffer_free(&payload);
}
