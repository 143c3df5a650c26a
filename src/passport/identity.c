/* SPDX-License-Identifier: BSD-2-Clause */
#include "passport/verify.h"

#include "base/encode.h"
#include "passport/passport.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Taking an Identity header value apart (RFC 8224 section 4). */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cut white space off both ends, in place. */
static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (is_space(*text))
        text++;
    while (end > text && is_space(end[-1]))
        *--end = '\0';
    return text;
}

/* "Identity:" in front is allowed: people paste whole header lines. */
static char *skip_field_name(char *text)
{
    static const char name[] = "identity";
    char *rest = text + strlen(name);

    if (strncasecmp(text, name, strlen(name)) != 0)
        return text;
    while (is_space(*rest))
        rest++;
    return *rest == ':' ? trim(rest + 1) : text;
}

/*
 * The next ';' outside quotes and angle brackets; NULL when there is none. What is not closed would
 * hide from us what another reader takes for parameters: `ret_open` says so.
 */
static char *parameter_end(char *text, bool *ret_open)
{
    bool quoted = false;
    bool bracketed = false;

    for (; *text != '\0'; text++) {
        if (quoted && *text == '\\' && text[1] != '\0')
            text++;
        else if (*text == '"' && !bracketed)
            quoted = !quoted;
        else if (!quoted && (*text == '<' || *text == '>'))
            bracketed = *text == '<';
        else if (*text == ';' && !quoted && !bracketed)
            return text;
    }
    *ret_open = quoted || bracketed;
    return NULL;
}

/* A value without the pair of characters around it, when it has them. */
static char *unwrap(char *value, char first, char last)
{
    size_t length = strlen(value);

    if (length < 2 || value[0] != first || value[length - 1] != last)
        return value;
    value[length - 1] = '\0';
    return value + 1;
}

/* Told apart by its address from what is there and empty. */
static const char absent[] = "";

static enum stirkeep_status take_parameter(char *text, struct stk_identity *identity,
                                           struct stk_error *error)
{
    char *value = strchr(text, '=');
    const char *name = NULL;
    const char **into = NULL;

    if (value == NULL)
        return stk_error_set(error, STIRKEEP_MALFORMED, "parameter \"%.40s\": has no value", text);
    *value++ = '\0';
    name = trim(text);
    value = trim(value);
    if (strcasecmp(name, "info") == 0)
        into = &identity->info;
    else if (strcasecmp(name, "alg") == 0)
        into = &identity->alg;
    else if (strcasecmp(name, "ppt") == 0)
        into = &identity->ppt;
    else
        return STIRKEEP_OK; /* generic-param: nothing to do with it */
    if (*into != absent)
        return stk_error_set(error, STIRKEEP_MALFORMED, "parameter %s: given twice", name);
    *into = into == &identity->info ? unwrap(value, '<', '>') : unwrap(value, '"', '"');
    if (into == &identity->info && *into == value && *value != '\0')
        return stk_error_set(error, STIRKEEP_MALFORMED, "parameter info: not between < and >");
    if (into != &identity->info && **into == '\0')
        return stk_error_set(error, STIRKEEP_MALFORMED, "parameter %s: has no value", name);
    return STIRKEEP_OK;
}

static enum stirkeep_status take_parameters(char *text, struct stk_identity *identity,
                                            struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    while (status == STIRKEEP_OK && text != NULL) {
        bool open = false;
        char *end = parameter_end(text, &open);

        if (open)
            return stk_error_set(error, STIRKEEP_MALFORMED,
                                 "parameter \"%.40s\": a quote or a bracket is not closed", text);
        if (end != NULL)
            *end++ = '\0';
        status = take_parameter(trim(text), identity, error);
        text = end;
    }
    return status;
}

static enum stirkeep_status decode_part(const char *part, size_t length, const char *what,
                                        struct stk_buffer *ret_json, struct stk_error *error)
{
    size_t decoded = 0;

    if (length == 0)
        return stk_error_set(error, STIRKEEP_MALFORMED, "%s: empty", what);
    if (stk_buffer_reserve(ret_json, length) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (!stk_base64url_decode(part, length, ret_json->data, ret_json->capacity, &decoded))
        return stk_error_set(error, STIRKEEP_MALFORMED, "%s: not base64url without padding", what);
    ret_json->length = decoded;
    return STIRKEEP_OK;
}

static enum stirkeep_status decode_signature(const char *part, struct stk_identity *identity,
                                             struct stk_error *error)
{
    uint8_t decoded[128];
    size_t length = 0;

    if (!stk_base64url_decode(part, strlen(part), decoded, sizeof(decoded), &length))
        return stk_error_set(error, STIRKEEP_MALFORMED,
                             "signature: not base64url without padding, or far too long");
    if (length != sizeof(identity->signature))
        return stk_error_set(error, STIRKEEP_MALFORMED, "signature: %zu bytes, ES256 has %zu",
                             length, sizeof(identity->signature));
    memcpy(identity->signature, decoded, length);
    return STIRKEEP_OK;
}

static enum stirkeep_status take_passport(char *text, struct stk_identity *identity,
                                          struct stk_error *error)
{
    const char *payload = strchr(text, '.');
    const char *signature = payload != NULL ? strchr(payload + 1, '.') : NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (signature == NULL || strchr(signature + 1, '.') != NULL)
        return stk_error_set(error, STIRKEEP_MALFORMED, "PASSporT: not three parts");
    identity->passport = text;
    identity->compact = payload == text && signature == payload + 1;
    if (identity->compact)
        return decode_signature(signature + 1, identity, error);
    identity->signing_input =
        (struct stk_buffer){.data = (uint8_t *)text, .length = (size_t)(signature - text)};
    status = decode_part(text, (size_t)(payload - text), "header", &identity->header, error);
    if (status == STIRKEEP_OK)
        status = decode_part(payload + 1, (size_t)(signature - payload - 1), "payload",
                             &identity->payload, error);
    if (status == STIRKEEP_OK)
        status = decode_signature(signature + 1, identity, error);
    return status;
}

static enum stirkeep_status take_apart(struct stk_identity *identity, struct stk_error *error)
{
    char *text = skip_field_name(trim(identity->text));
    char *parameters = strchr(text, ';'); /* before it is the PASSporT, which has no quotes */
    enum stirkeep_status status = STIRKEEP_OK;

    if (*text == '\0')
        return stk_error_set(error, STIRKEEP_MALFORMED, "Identity header: empty");
    if (parameters != NULL) {
        *parameters++ = '\0';
        status = take_parameters(parameters, identity, error);
    }
    if (status == STIRKEEP_OK)
        status = take_passport(trim(text), identity, error);
    return status;
}

enum stirkeep_status stk_identity_parse(const char *value, size_t length,
                                        struct stk_identity *ret_identity, struct stk_error *error)
{
    struct stk_identity identity = {.info = absent, .alg = absent, .ppt = absent};
    enum stirkeep_status status = STIRKEEP_OK;

    if (length > STK_IDENTITY_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "Identity header: more than %d bytes",
                             STK_IDENTITY_MAX);
    if (length > 0 && memchr(value, '\0', length) != NULL)
        return stk_error_set(error, STIRKEEP_MALFORMED, "Identity header: has a NUL in it");
    identity.text = strndup(length > 0 ? value : "", length);
    if (identity.text == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = take_apart(&identity, error);
    if (status == STIRKEEP_OK)
        *ret_identity = identity;
    else
        stk_identity_free(&identity);
    return status;
}

void stk_identity_free(struct stk_identity *identity)
{
    free(identity->text);
    stk_buffer_free(&identity->header);
    stk_buffer_free(&identity->payload);
    stk_buffer_free(&identity->composed);
    *identity = (struct stk_identity){0};
}

enum stirkeep_status stk_identity_complete(struct stk_identity *identity,
                                           const struct stk_claims *claims, const char *x5u,
                                           struct stk_error *error)
{
    struct stk_buffer header = {0};
    struct stk_buffer payload = {0};
    struct stk_buffer composed = {0};
    char *header_text = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (x5u == NULL)
        x5u = identity->info;
    if (claims->ppt != STK_PPT_BASE || claims->iat == 0)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "claims: the compact form needs base claims with an iat");
    if (x5u[0] == '\0')
        return stk_error_set(error, STIRKEEP_INVALID, "x5u: missing, and there is no info");
    status = stk_passport_header(claims->ppt_text, x5u, &header);
    if (status == STIRKEEP_OK)
        status = stk_passport_payload(claims, &payload);
    header_text = malloc(STK_BASE64URL_LENGTH(header.length) + 1);
    if (status == STIRKEEP_OK && header_text != NULL)
        status = stk_passport_input(header_text,
                                    stk_base64url_encode(header.data, header.length, header_text),
                                    claims, &composed);
    if (status != STIRKEEP_OK || header_text == NULL) {
        stk_buffer_free(&header);
        stk_buffer_free(&payload);
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
        goto out;
    }
    stk_buffer_free(&identity->header);
    stk_buffer_free(&identity->payload);
    stk_buffer_free(&identity->composed);
    identity->header = header;
    identity->payload = payload;
    identity->composed = composed;
    identity->signing_input = (struct stk_buffer){.data = composed.data, .length = composed.length};
out:
    free(header_text);
    return status;
}
