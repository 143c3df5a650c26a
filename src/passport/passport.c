/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/passport.h"

#include "base/encode.h"
#include "json/canonical.h"
#include <assert.h>
#include <string.h>

enum stirkeep_status stk_passport_header(enum stk_ppt ppt, const char *x5u, struct stk_buffer *out)
{
    struct stk_canonical json = stk_canonical_begin(out);

    stk_canonical_raw(&json, "{\"alg\":\"ES256\"");
    if (ppt != STK_PPT_BASE) {
        stk_canonical_raw(&json, ",\"ppt\":");
        stk_canonical_text(&json, stk_ppt_name(ppt));
    }
    stk_canonical_raw(&json, ",\"typ\":\"passport\",\"x5u\":");
    stk_canonical_text(&json, x5u);
    stk_canonical_raw(&json, "}");
    return stk_canonical_end(&json);
}

static void put_list(struct stk_canonical *json, const char *key, const char *const *texts,
                     size_t count)
{
    stk_canonical_raw(json, key);
    for (size_t i = 0; i < count; i++) {
        stk_canonical_raw(json, i == 0 ? "[" : ",");
        stk_canonical_text(json, texts[i]);
    }
    stk_canonical_raw(json, "]");
}

static void put_dest(struct stk_canonical *json, const struct stk_claims *claims)
{
    stk_canonical_raw(json, "\"dest\":{");
    if (claims->dest_tn_count > 0)
        put_list(json, "\"tn\":", (const char *const *)claims->dest_tn, claims->dest_tn_count);
    if (claims->dest_tn_count > 0 && claims->dest_uri_count > 0)
        stk_canonical_raw(json, ",");
    if (claims->dest_uri_count > 0)
        put_list(json, "\"uri\":", (const char *const *)claims->dest_uri, claims->dest_uri_count);
    stk_canonical_raw(json, "}");
}

enum stirkeep_status stk_passport_payload(const struct stk_claims *claims, struct stk_buffer *out)
{
    const bool shaken = claims->ppt == STK_PPT_SHAKEN;
    struct stk_canonical json = stk_canonical_begin(out);

    assert(claims->iat > 0);
    assert((claims->orig_tn != NULL) != (claims->orig_uri != NULL));
    assert(claims->dest_tn_count + claims->dest_uri_count > 0);
    assert(!shaken || (claims->attest >= 'A' && claims->attest <= 'C' && claims->origid[0] != 0));

    stk_canonical_raw(&json, "{");
    if (shaken) {
        stk_canonical_raw(&json, "\"attest\":");
        stk_canonical_string(&json, &claims->attest, 1);
        stk_canonical_raw(&json, ",");
    }
    put_dest(&json, claims);
    stk_canonical_raw(&json, ",\"iat\":");
    stk_canonical_integer(&json, claims->iat);
    stk_canonical_raw(&json,
                      claims->orig_tn != NULL ? ",\"orig\":{\"tn\":" : ",\"orig\":{\"uri\":");
    stk_canonical_text(&json, claims->orig_tn != NULL ? claims->orig_tn : claims->orig_uri);
    stk_canonical_raw(&json, "}");
    if (shaken) {
        stk_canonical_raw(&json, ",\"origid\":");
        stk_canonical_text(&json, claims->origid);
    }
    stk_canonical_raw(&json, "}");
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

enum stirkeep_status stk_passport_finish(const uint8_t signature[STK_SIGNATURE_LENGTH],
                                         enum stk_ppt ppt, const char *x5u, struct stk_buffer *out,
                                         uint32_t *ret_passport_length)
{
    char text[1 + STK_BASE64URL_LENGTH(STK_SIGNATURE_LENGTH)] = ".";
    const char *const parameters[] = {
        ";info=<", x5u, ">;alg=ES256",
        ppt == STK_PPT_BASE ? "" : ";ppt=", ppt == STK_PPT_BASE ? "" : stk_ppt_name(ppt)};
    const size_t start = out->length;
    size_t passport_length = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    (void)stk_base64url_encode(signature, STK_SIGNATURE_LENGTH, text + 1);
    status = stk_buffer_add(out, text, sizeof(text));
    passport_length = out->length;
    for (size_t i = 0; status == STIRKEEP_OK && i < sizeof(parameters) / sizeof(*parameters); i++)
        status = stk_buffer_add_text(out, parameters[i]);
    if (status == STIRKEEP_OK && passport_length > UINT32_MAX)
        status = STIRKEEP_TOO_LARGE;
    if (status != STIRKEEP_OK) {
        out->length = start;
        return status;
    }
    *ret_passport_length = (uint32_t)passport_length;
    return STIRKEEP_OK;
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
