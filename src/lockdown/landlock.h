/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_LOCKDOWN_LANDLOCK_H
#define STK_LOCKDOWN_LANDLOCK_H

#include "lockdown/lockdown.h"

/* The ABI that the kernel has; 0: none. */
unsigned stk_landlock_abi(void);

/*
 * For this thread, and those that it starts: no files but these (NULL: any), and with `isolated` no TCP and no
 * abstract Unix sockets of others; no signals to other processes. As far as the ABI goes. `ret_abi`:
 * what is in force. UNAVAILABLE.
 */
enum stirkeep_status stk_landlock_enter(const struct stk_access *accesses, size_t count,
                                        bool isolated, unsigned *ret_abi, struct stk_error *error);

#endif
