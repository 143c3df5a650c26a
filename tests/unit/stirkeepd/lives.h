/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_STIRKEEPD_LIVES_H
#define TESTS_STIRKEEPD_LIVES_H

#include "service.h"
#include "stirkeepd/rooms.h"

/* The porter's rooms, fakes, with the clock in the test's hands: no second passes that is not asked
 * for. */

#define MS ((uint64_t)1000)
#define SECOND ((uint64_t)1000000)

struct lives {
    struct service service;
    struct stk_config *config;
    struct stk_rooms rooms;
    uint64_t now;
};

int lives_setup(void **state);
int lives_teardown(void **state);

struct stk_room_record *record_of(struct lives *lives, enum stk_room room);

/* Until the room has said something; then let it be heard. */
void hear(struct lives *lives, enum stk_room room);

/* Until the room is dead; then let it be buried. Its wait status. */
int bury(struct lives *lives, enum stk_room room);
void kill_and_bury(struct lives *lives, enum stk_room room);

int tick(struct lives *lives);
void start_all(struct lives *lives);

#endif
