/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_KEY_ID_H
#define STK_MODEL_KEY_ID_H

#include "base/limits.h"
#include <stdint.h>

/* SHA-256 of the DER SubjectPublicKeyInfo; the CKA_ID of every object of the key on the token. */
struct stk_key_id {
    uint8_t bytes[STK_KEY_ID_LENGTH];
};

#endif
