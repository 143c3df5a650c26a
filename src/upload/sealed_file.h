/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_UPLOAD_SEALED_FILE_H
#define STK_UPLOAD_SEALED_FILE_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "model/key_id.h"

/*
 * A private key that was sealed on another machine, as a file: one PEM block (RFC 7468) with two
 * headers that say to whom it belongs and who can open it. There is nothing secret in it.
 *
 *   -----BEGIN STIRKEEP SEALED KEY-----
 *   Key-Id: <SHA-256 of the key's SubjectPublicKeyInfo, hex>
 *   Wrapping-Key: <SHA-256 of the wrapping key's SubjectPublicKeyInfo, hex>
 *
 *   <base64 of what stk_seal made>
 *   -----END STIRKEEP SEALED KEY-----
 */
struct stk_sealed_file {
    struct stk_key_id key_id;
    struct stk_key_id wrapping_key;
    struct stk_buffer sealed;
};

/* Append it as text. NO_MEMORY. */
enum stirkeep_status stk_sealed_file_write(const struct stk_sealed_file *file,
                                           struct stk_buffer *ret_text);

/* KEY_UNREADABLE with what is wrong; TOO_LARGE, IO. The caller frees `ret_file->sealed`. */
enum stirkeep_status stk_sealed_file_read(const char *path, struct stk_sealed_file *ret_file,
                                          struct stk_error *error);

/* The same of a file's content; `name` is for messages. */
enum stirkeep_status stk_sealed_file_parse(struct stk_bytes text, const char *name,
                                           struct stk_sealed_file *ret_file,
                                           struct stk_error *error);

/* Is it sealed to this wrapping key (SubjectPublicKeyInfo)? KEY_UNREADABLE when not. */
enum stirkeep_status stk_sealed_file_check(const struct stk_sealed_file *file,
                                           struct stk_bytes wrapping_spki, const char *name,
                                           struct stk_error *error);

/* A wrapping key as `stirkeep show --wrapping-key` prints it, one PEM block: append its
 * SubjectPublicKeyInfo. INVALID with what is wrong; TOO_LARGE, IO. */
enum stirkeep_status stk_wrapping_key_read(const char *path, struct stk_buffer *ret_spki,
                                           struct stk_error *error);

#endif
