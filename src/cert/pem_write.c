/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/pem.h"

#include <openssl/evp.h>

#define LINE_BYTES 48 /* 64 characters */

static enum stirkeep_status add_mark(struct stk_buffer *out, const char *which, const char *label)
{
    enum stirkeep_status status = stk_buffer_add_text(out, which);

    if (status == STIRKEEP_OK)
        status = stk_buffer_add_text(out, label);
    return status == STIRKEEP_OK ? stk_buffer_add_text(out, "-----\n") : status;
}

static enum stirkeep_status add_body(struct stk_buffer *out, struct stk_bytes der)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t at = 0; status == STIRKEEP_OK && at < der.length; at += LINE_BYTES) {
        size_t piece = der.length - at < LINE_BYTES ? der.length - at : LINE_BYTES;
        unsigned char line[LINE_BYTES / 3 * 4 + 2];
        int length = EVP_EncodeBlock(line, der.data + at, (int)piece);

        line[length] = '\n';
        status = stk_buffer_add(out, line, (size_t)length + 1);
    }
    return status;
}

enum stirkeep_status stk_pem_add(struct stk_buffer *out, const char *label, const char *headers,
                                 struct stk_bytes der)
{
    size_t before = out->length;
    enum stirkeep_status status = add_mark(out, "-----BEGIN ", label);

    if (status == STIRKEEP_OK && headers[0] != '\0')
        status = stk_buffer_add_text(out, headers);
    if (status == STIRKEEP_OK && headers[0] != '\0')
        status = stk_buffer_add_text(out, "\n");
    if (status == STIRKEEP_OK)
        status = add_body(out, der);
    if (status == STIRKEEP_OK)
        status = add_mark(out, "-----END ", label);
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}
