/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/unpack.h"

#include "model/diagnosis.h"
#include "model/uri.h"
#include "wire/structure.h"
#include <stdio.h>
#include <string.h>

void *stk_unpack_checked(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                         struct stk_arena *arena, struct stk_error *error)
{
    void *unpacked = stk_structure_make(type, message, arena);

    if (unpacked == NULL)
        (void)stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: takes too much memory",
                            type->short_name);
    return unpacked;
}

void *stk_unpack(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                 enum stk_unknown unknown, struct stk_arena *arena, struct stk_error *error)
{
    if (stk_scan_check(type, message, unknown, error) != STIRKEEP_OK)
        return NULL;
    return stk_unpack_checked(type, message, arena, error);
}

enum stirkeep_status stk_take_text(const char *text, const char *field, size_t max,
                                   struct stk_error *error)
{
    if (strnlen(text, max + 1) > max)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: longer than %zu characters", field,
                             max);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_take_exact(const ProtobufCBinaryData *bytes, const char *field,
                                    size_t length, uint8_t *ret_bytes, struct stk_error *error)
{
    if (bytes->len != length)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: must have %zu bytes, has %zu", field,
                             length, bytes->len);
    memcpy(ret_bytes, bytes->data, length);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_take_bytes(const ProtobufCBinaryData *bytes, const char *field, size_t max,
                                    struct stk_bytes *ret_bytes, struct stk_error *error)
{
    if (bytes->len == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: is empty", field);
    if (bytes->len > max)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: more than %zu bytes", field, max);
    *ret_bytes = (struct stk_bytes){bytes->data, bytes->len};
    return STIRKEEP_OK;
}

enum stirkeep_status stk_take_chain(const ProtobufCBinaryData *chain, size_t count,
                                    struct stk_bytes ret_chain[], size_t *ret_count,
                                    struct stk_error *error)
{
    char field[32] = "";

    if (count == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "chain: no certificate in it");
    if (count > STK_CHAIN_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "chain: more than %d certificates",
                             STK_CHAIN_MAX);
    for (size_t i = 0; i < count; i++) {
        enum stirkeep_status status = STIRKEEP_OK;

        (void)snprintf(field, sizeof(field), "chain[%zu]", i);
        status = stk_take_bytes(&chain[i], field, STK_CERT_DER_MAX, &ret_chain[i], error);
        if (status != STIRKEEP_OK)
            return status;
    }
    *ret_count = count;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_take_id_or_none(const ProtobufCBinaryData *bytes, const char *field,
                                         struct stk_key_id *ret_id, struct stk_error *error)
{
    static const struct stk_key_id none;

    if (bytes->len == 0) {
        *ret_id = none;
        return STIRKEEP_OK;
    }
    if (bytes->len == sizeof(none.bytes) && memcmp(bytes->data, none.bytes, bytes->len) == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: is all zero", field);
    return stk_take_exact(bytes, field, sizeof(none.bytes), ret_id->bytes, error);
}

enum stirkeep_status stk_take_x5u(const char *x5u, struct stk_error *error)
{
    return x5u[0] == '\0' ? STIRKEEP_OK : stk_x5u_check(x5u, error);
}

enum stirkeep_status stk_take_activate_at(int64_t activate_at, struct stk_error *error)
{
    if (activate_at < 0 || activate_at > STK_ACTIVATE_AT_MAX)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "activate_at: is not a time of the years 1970 to 9999");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_take_spc(const char *spc, struct stk_error *error)
{
    size_t length = strspn(spc, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

    if (length == 0 || length > STK_SPC_MAX || spc[length] != '\0')
        return stk_error_set(error, STIRKEEP_INVALID, "spc: must be 1 to %d of A-Z and 0-9",
                             STK_SPC_MAX);
    return STIRKEEP_OK;
}

/* C0, DEL, and C1, which UTF-8 has as 0xc2 and a byte below 0xa0. */
static bool has_control(const char *text)
{
    for (const uint8_t *at = (const uint8_t *)text; *at != 0; at++)
        if (*at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0))
            return true;
    return false;
}

enum stirkeep_status stk_take_subject(const char *subject, struct stk_error *error)
{
    enum stirkeep_status status = stk_take_text(subject, "subject", STK_SUBJECT_MAX, error);

    if (status == STIRKEEP_OK && has_control(subject))
        return stk_error_set(error, STIRKEEP_INVALID, "subject: has a control character in it");
    return status;
}

enum stirkeep_status stk_take_texts(char *const *texts, size_t count, const char *field, size_t max,
                                    struct stk_error *error)
{
    if (count > max)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: more than %zu", field, max);
    for (size_t i = 0; i < count; i++) {
        enum stirkeep_status status = stk_take_text(texts[i], field, STK_DIAGNOSIS_TEXT_MAX, error);

        if (status != STIRKEEP_OK)
            return status;
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_take_status(uint32_t number)
{
    return number < STIRKEEP_STATUS_COUNT ? (enum stirkeep_status)number : STIRKEEP_INTERNAL;
}
