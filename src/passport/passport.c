/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/passport.h"

#include "base/encode.h"
#include "passport/payload.h"
#include <assert.h>
#include <string.h>

static void put_header(struct stk_canonical *json, const char *ppt, const char *x5u)
{
    stk_canonical_raw(json, "{\"alg\":\"ES256\"");
    if (ppt[0] != '\0') {
        stk_canonical_raw(json, ",\"ppt\":");
        stk_canonical_text(json, ppt);
    }
    stk_canonical_raw(json, ",\"typ\":\"passport\",\"x5u\":");
    stk_canonical_text(json, x5u);
    stk_canonical_raw(json, "}");
}

enum stirkeep_status stk_passport_header(const char *ppt, const char *x5u, struct stk_buffer *out)
{
    struct stk_canonical json = stk_canonical_begin(out);

    put_header(&json, ppt, x5u);
    return stk_canonical_end(&json);
}

enum stirkeep_status stk_passport_payload(const struct stk_claims *claims, struct stk_buffer *out)
{
    struct stk_canonical json = stk_canonical_begin(out);

    assert(claims->iat > 0);
    assert((claims->attest != 0) == (claims->ppt == STK_PPT_SHAKEN));
    assert((claims->origid[0] != '\0') == (claims->ppt == STK_PPT_SHAKEN));
    stk_payload_write(claims, &json);
    return stk_canonical_end(&json);
}

enum stirkeep_status stk_passport_input(const char *header_text, size_t header_length,
                                        const struct stk_claims *claims, struct stk_buffer *out)
{
    const size_t start = out->length;
    size_t plain_at = 0;
    size_t plain_length = 0;
    size_t encoded = 0;
    enum stirkeep_status status = stk_buffer_add(out, header_text, header_length);

    if (status == STIRKEEP_OK)
        status = stk_buffer_add(out, ".", 1);
    plain_at = out->length;
    if (status == STIRKEEP_OK)
        status = stk_passport_payload(claims, out);
    plain_length = out->length - plain_at;
    if (status == STIRKEEP_OK)
        status = stk_buffer_reserve(out, STK_BASE64URL_LENGTH(plain_length));
    if (status != STIRKEEP_OK) {
        out->length = start;
        return status;
    }
    /* Encoded behind the plain text, then moved over it: no second buffer. */
    encoded = stk_base64url_encode(out->data + plain_at, plain_length,
                                   (char *)out->data + plain_at + plain_length);
    memmove(out->data + plain_at, out->data + plain_at + plain_length, encoded);
    out->length = plain_at + encoded;
    return STIRKEEP_OK;
}

#define SIGNATURE_TEXT STK_BASE64URL_LENGTH(STK_SIGNATURE_LENGTH)
#define PARAMETERS_MAX 5

/* What follows the PASSporT in an Identity header value; returns its length. */
static size_t parameters_of(const struct stk_claims *claims, const char *x5u,
                            const char *ret_parameters[PARAMETERS_MAX])
{
    const bool base = claims->ppt == STK_PPT_BASE;
    const char *const parameters[PARAMETERS_MAX] = {";info=<", x5u, ">;alg=ES256",
                                                    base ? "" : ";ppt=", claims->ppt_text};
    size_t length = 0;

    memcpy(ret_parameters, parameters, sizeof(parameters));
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        length += strlen(parameters[i]);
    return length;
}

enum stirkeep_status stk_passport_finish(const uint8_t signature[STK_SIGNATURE_LENGTH],
                                         const struct stk_claims *claims, const char *x5u,
                                         struct stk_buffer *out, uint32_t *ret_passport_length)
{
    char text[2 + SIGNATURE_TEXT] = "..";
    const char *parameters[PARAMETERS_MAX] = {0};
    const size_t parameters_length = parameters_of(claims, x5u, parameters);
    const size_t dots = claims->compact ? 2 : 1;
    enum stirkeep_status status =
        stk_buffer_reserve(out, dots + SIGNATURE_TEXT + parameters_length);

    if (status == STIRKEEP_OK && out->length > UINT32_MAX - sizeof(text))
        status = STIRKEEP_TOO_LARGE;
    if (status != STIRKEEP_OK)
        return status;
    /* There is room for all of it: nothing fails from here on. */
    if (claims->compact)
        out->length = 0;
    (void)stk_base64url_encode(signature, STK_SIGNATURE_LENGTH, text + dots);
    (void)stk_buffer_add(out, text, dots + SIGNATURE_TEXT);
    *ret_passport_length = (uint32_t)out->length;
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        (void)stk_buffer_add_text(out, parameters[i]);
    return STIRKEEP_OK;
}

/* Characters of the header's JSON whatever the ppt and the x5u are. */
#define HEADER_FRAME                                                                               \
    (sizeof("{\"alg\":\"ES256\",\"ppt\":\"\",\"typ\":\"passport\",\"x5u\":\"\"}") - 1)

size_t stk_passport_bound(const struct stk_claims *claims, size_t x5u_length)
{
    struct stk_canonical json = stk_canonical_begin(NULL);
    struct stk_claims whole = *claims;
    const char *parameters[PARAMETERS_MAX] = {0};
    size_t length = parameters_of(claims, "", parameters) + x5u_length + 2 + SIGNATURE_TEXT;

    if (claims->compact)
        return length;
    if (whole.iat == 0)
        whole.iat = INT64_MAX;
    if (whole.ppt == STK_PPT_SHAKEN && whole.origid[0] == '\0')
        stk_uuid4((const uint8_t[16]){0}, whole.origid);
    stk_payload_write(&whole, &json);
    return length + STK_BASE64URL_LENGTH(json.length) +
           STK_BASE64URL_LENGTH(HEADER_FRAME + strlen(claims->ppt_text) + x5u_length);
}

void stk_uuid4(const uint8_t random[16], char ret_text[STK_ORIGID_LENGTH + 1])
{
    uint8_t bytes[16] = {0};
    char hex[2 * sizeof(bytes) + 1] = "";
    char *at = ret_text;

    memcpy(bytes, random, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* variant, RFC 9562 section 4.1 */
    stk_hex_encode(bytes, sizeof(bytes), hex);
    for (size_t i = 0; i < 2 * sizeof(bytes); i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *at++ = '-';
        *at++ = hex[i];
    }
    *at = '\0';
}
