/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_PEER_H
#define STK_FRONT_PEER_H

#include "base/error.h"
#include "model/peer.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * Who is at the other end, and in which groups (SO_PEERCRED, SO_PEERGROUPS: as of their connect or
 * socketpair call). The groups include the peer's gid; free() them. False when the kernel does not
 * say.
 */
bool stk_peer_of(int fd, struct stk_peer *ret_peer, gid_t **ret_groups, size_t *ret_group_count);

#endif
