/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_SPOOL_H
#define STK_INTAKE_SPOOL_H

#include <stdbool.h>

/*
 * The spool ([storage] spool): uploads that are dropped into incoming/NAME are imported, removed,
 * and their evidence is put into done/. One at a time; docs/SPOOL.md says what people see of it.
 * One thread, but for the reading of an upload (spool_work.h).
 */

struct stk_intake;
struct stk_spool;

/* False when it cannot be set up at all (memory, event loop). Directories that cannot be used are
 * told, and looked at again: the rest of the service goes on. */
bool stk_spool_start(struct stk_intake *intake);
/* For the end of the program. What is under way is the next intake's. */
void stk_spool_stop(struct stk_intake *intake);
/* Is no upload under way? When draining, none is begun. */
bool stk_spool_idle(const struct stk_intake *intake);
/* The keeper is there again: what waits for it need not wait longer. */
void stk_spool_again(struct stk_intake *intake);
/* What an operator has to know of it; "" when all is well. */
const char *stk_spool_trouble(const struct stk_intake *intake);

#endif
