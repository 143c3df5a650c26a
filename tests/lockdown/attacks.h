/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_LOCKDOWN_ATTACKS_H
#define TEST_LOCKDOWN_ATTACKS_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

/* What there is to be had. */
struct stk_front;
struct prey {
    struct stk_front *front;
    char pin[PATH_MAX];
    pid_t keeper;
};

/* Most end the process; the others tell in the log what they found. */
struct attack {
    const char *name;
    void (*run)(const struct prey *prey);
};

/* NULL past the last one. */
const struct attack *attack_at(unsigned number);

/* ---- forged.c: messages that no front sends, to the keeper and to stirkeepd */
void attack_noise(const struct prey *prey);
void attack_orders(const struct prey *prey);
void attack_custody(const struct prey *prey);
void attack_give_link(const struct prey *prey);
void attack_control(const struct prey *prey);

#endif
