/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_OUTCOMES_H
#define STK_STIRKEEPD_OUTCOMES_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who asks for a reload, and what came of it: intake records it and answers its administrators. */

#define STK_ASKERS_MAX 32   /* more than intake lets ask at a time */
#define STK_OUTCOMES_MAX 96 /* of two sets of askers, and what intake was not there to hear */

/* Numbers of intake's; 0: a signal, or somebody whom intake does not know any more. */
struct stk_askers {
    size_t count;
    uint64_t numbers[STK_ASKERS_MAX];
};

/* 0 is there once. False when there are too many. */
bool stk_askers_add(struct stk_askers *askers, uint64_t number);
/* intake died: all that it asked for has nobody to answer. */
void stk_askers_forget(struct stk_askers *askers);

struct stk_outcome {
    uint64_t number;
    enum stirkeep_status status;
    char text[STK_ERROR_MAX];
};

/* In the order in which intake is to hear of them. */
struct stk_outcomes {
    size_t count;
    struct stk_outcome list[STK_OUTCOMES_MAX];
    uint64_t again_us; /* intake's channel was full; 0: it was not */
};

/* False when there is no room. */
bool stk_outcomes_add(struct stk_outcomes *outcomes, uint64_t number, enum stirkeep_status status,
                      const char *text);
/* The same for each of the askers, who are none afterwards. */
void stk_outcomes_add_all(struct stk_outcomes *outcomes, struct stk_askers *askers,
                          enum stirkeep_status status, const char *text);
/* Is intake going to hear that this policy is in force? */
bool stk_outcomes_tell_of(const struct stk_outcomes *outcomes, const char *policy);
/* intake died: who asked is nobody, and one word for each thing that happened is enough. */
void stk_outcomes_forget(struct stk_outcomes *outcomes);

/* Tell intake as far as its channel takes it, if it is time; when to go on (UINT64_MAX: all is
 * told). */
uint64_t stk_outcomes_tell(struct stk_outcomes *outcomes, int control, uint64_t now_us);

#endif
