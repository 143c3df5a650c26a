/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_KEEPER_SOFTHSM_PATHS_H
#define STK_TEST_KEEPER_SOFTHSM_PATHS_H

#include <stddef.h>

/* Where distributions put SoftHSM's module. */
static const char *const softhsm_paths[] = {
    "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", NULL};

#endif
