/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_WRAPPING_PAIR_H
#define STK_TOKEN_WRAPPING_PAIR_H

#include "token/pkcs11.h"

#define STK_WRAPPING_BITS_MIN 2048
#define STK_WRAPPING_BITS 3072 /* made when the token has none */
#define STK_WRAPPING_BITS_MAX 4096
#define STK_WRAPPING_LABEL "stirkeep wrapping key"

/* Make the RSA pair that keys are sealed to, in a session of the user's that may write. */
CK_RV stk_wrapping_generate(CK_FUNCTION_LIST *calls, CK_SESSION_HANDLE session, CK_ULONG bits);

#endif
