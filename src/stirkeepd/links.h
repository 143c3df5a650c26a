/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_LINKS_H
#define STK_STIRKEEPD_LINKS_H

#include "base/error.h"
#include <stdbool.h>

/*
 * The links between rooms: each a SOCK_SEQPACKET pair, both ends held here for life, so that what
 * is queued for a room that died waits for its successor.
 */
enum stk_link {
    STK_LINK_FRONT_KEEPER,
    STK_LINK_INTAKE_KEEPER,
    STK_LINK_FRONT_INTAKE,
    STK_LINK_COUNT
};

struct stk_links {
    int ends[STK_LINK_COUNT][2]; /* [0]: of the room named first */
};

/* IO. */
enum stirkeep_status stk_links_make(struct stk_links *ret_links, struct stk_error *error);
void stk_links_close(struct stk_links *links);

/*
 * Has a room shut a link down? That outlives the room, since the socket is shared; only one that
 * has gone astray does so, and then new links are needed, by all rooms.
 */
bool stk_links_are_cut(const struct stk_links *links);

#endif
