/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_BIRTH_H
#define STK_STIRKEEPD_BIRTH_H

#include "stirkeepd/rooms.h"

/*
 * Start a room with what it is due: its descriptors, its environment, its user and, for the
 * keeper, the PIN's file. On OK its record has pid and control; state and times are the caller's.
 * CONFIG, TOKEN_LOCKED: there is no PIN to hand out, and `pin_needed`; without that the keeper is
 * started without one and answers that the token is locked. IO.
 */
enum stirkeep_status stk_birth_give(struct stk_rooms *rooms, enum stk_room room, bool pin_needed,
                                    struct stk_error *error);

#endif
