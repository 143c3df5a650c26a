/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_LOCKDOWN_RIGHTS_H
#define STK_LOCKDOWN_RIGHTS_H

#include <stdbool.h>

/* No process or thread from now on, no memory that is locked, and no file that grows, unless its log
 * is one. */
bool stk_rights_of_front(void);

/* As root: no capabilities but what the porter's work takes, for what it starts, too. */
bool stk_rights_of_porter(void);

#endif
