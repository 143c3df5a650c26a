/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_IMAGE_H
#define STK_FRONT_IMAGE_H

#include "policy/rules.h"

/* Attestation rules as the porter compiled them, used where they lie: millions of them, in memory
 * that is not copied. */
struct stk_image {
    void *map;
    size_t length;
    struct stk_rules *rules; /* NULL: there are none */
};

/*
 * Map the rules of a descriptor, which stays the caller's; -1: there are none. It has to be sealed
 * against writing and shrinking, so that what was checked is what is used. CONFIG, MALFORMED, IO.
 */
enum stirkeep_status stk_image_open(int fd, struct stk_image *ret_image, struct stk_error *error);

/* An empty one ({0}) is allowed. */
void stk_image_close(struct stk_image *image);

#endif
