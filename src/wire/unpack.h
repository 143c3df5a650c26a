/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_UNPACK_H
#define STK_WIRE_UNPACK_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "model/key_id.h"
#include "wire/bounds.h"
#include "wire/scan.h"

/* The structure of a message that stk_scan_check found well-formed (wire/structure.h). NULL:
 * TOO_LARGE. */
void *stk_unpack_checked(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                         struct stk_arena *arena, struct stk_error *error);

/* Both in one: NULL with `error` filled in as stk_scan_check does, and TOO_LARGE. `error` must not
 * be NULL. */
void *stk_unpack(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                 enum stk_unknown unknown, struct stk_arena *arena, struct stk_error *error);

/* ---- checks that several decoders make; all end with INVALID or TOO_LARGE naming `field` */

/* At most `max` characters. */
enum stirkeep_status stk_take_text(const char *text, const char *field, size_t max,
                                   struct stk_error *error);

/* Exactly `length` bytes, copied. */
enum stirkeep_status stk_take_exact(const ProtobufCBinaryData *bytes, const char *field,
                                    size_t length, uint8_t *ret_bytes, struct stk_error *error);

/* One to `max` bytes; the view stays the message's. */
enum stirkeep_status stk_take_bytes(const ProtobufCBinaryData *bytes, const char *field, size_t max,
                                    struct stk_bytes *ret_bytes, struct stk_error *error);

/* One to STK_CHAIN_MAX certificates of one to STK_CERT_DER_MAX bytes. */
enum stirkeep_status stk_take_chain(const ProtobufCBinaryData *chain, size_t count,
                                    struct stk_bytes ret_chain[], size_t *ret_count,
                                    struct stk_error *error);

/* A key id or a ticket, or none: zero. Bytes that are all zero would be taken for none: INVALID. */
enum stirkeep_status stk_take_id_or_none(const ProtobufCBinaryData *bytes, const char *field,
                                         struct stk_key_id *ret_id, struct stk_error *error);

/* Fit for x5u, or none: "". */
enum stirkeep_status stk_take_x5u(const char *x5u, struct stk_error *error);

/* 0, or a time of the years 1970 to 9999. */
enum stirkeep_status stk_take_activate_at(int64_t activate_at, struct stk_error *error);

/* A service provider code: 1 to STK_SPC_MAX of A-Z 0-9. */
enum stirkeep_status stk_take_spc(const char *spc, struct stk_error *error);

/* At most STK_SUBJECT_MAX bytes, none of them of a control character. Whether it is a name as RFC
 * 4514 writes them is for who composes the request. */
enum stirkeep_status stk_take_subject(const char *subject, struct stk_error *error);

/* At most `max` texts, each of at most STK_DIAGNOSIS_TEXT_MAX characters. */
enum stirkeep_status stk_take_texts(char *const *texts, size_t count, const char *field, size_t max,
                                    struct stk_error *error);

/* A status as it came: a number that this version does not know counts as INTERNAL. */
enum stirkeep_status stk_take_status(uint32_t number);

#endif
