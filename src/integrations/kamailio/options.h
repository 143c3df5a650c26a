/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KAMAILIO_OPTIONS_H
#define STK_KAMAILIO_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the script has set by `modparam("secsipid", "libopt", "NAME=VALUE")`, per process. stirkeep's
 * own, each of which can be set in the environment instead:
 *
 *     stirkeep_socket       STIRKEEP_SIGN_SOCKET     path; default as libstirkeep's
 *     stirkeep_timeout      STIRKEEP_SIGN_TIMEOUT    milliseconds that a call may wait at most
 *     stirkeep_libsecsipid  STIRKEEP_LIBSECSIPID     library that verifies; "none": stirkeep itself
 *
 * All others are libsecsipid's: kept for it until it is loaded, and for the own verifier.
 */
#define STK_KAM_TIMEOUT_DEFAULT_MS 200
#define STK_KAM_TIMEOUT_MIN_MS 10
#define STK_KAM_TIMEOUT_MAX_MS 10000
#define STK_KAM_LIBRARY "libsecsipid.so.1"

/* NULL: not set. */
const char *stk_kam_socket(void);
uint32_t stk_kam_timeout_ms(void);
const char *stk_kam_library(void); /* never NULL; "none": none is wanted */

/* Changes with each change of socket or timeout. */
unsigned stk_kam_options_version(void);

/* ---- libsecsipid's */

enum stk_kam_option_kind { STK_KAM_OPTION_PAIR, STK_KAM_OPTION_TEXT, STK_KAM_OPTION_NUMBER };

/* Call `hand_over` with each in the order in which they were set. */
typedef void stk_kam_hand_over(enum stk_kam_option_kind kind, const char *name, const char *value);
void stk_kam_options_each(stk_kam_hand_over *hand_over);

/* The value of the one set last by that name; `otherwise` when there is none. */
const char *stk_kam_option(const char *name, const char *otherwise);
int stk_kam_option_int(const char *name, int otherwise);

#endif
