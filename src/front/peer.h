/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_PEER_H
#define STK_FRONT_PEER_H

#include "model/peer.h"
#include "policy/policy.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * Who is at the other end, and in which groups (SO_PEERCRED, SO_PEERGROUPS: as of their connect or
 * socketpair call, however often it is asked). The groups include the peer's gid; free() them.
 * False when the kernel does not say.
 */
bool stk_peer_of(int fd, struct stk_peer *ret_peer, gid_t **ret_groups, size_t *ret_group_count);

/* The grants of whoever is at the other end, by a program that was found out (NULL: not known);
 * free() them. NULL: out of memory, or the kernel does not say. */
struct stk_grants *stk_peer_grants(int fd, const struct stk_policy *policy, const char *executable,
                                   const char *unit);

/* Does the process at the other end live still, so that its number is its own? False with errno: it
 * is gone, or (ENOPROTOOPT) the kernel cannot say (SO_PEERPIDFD, Linux 6.5). */
bool stk_peer_lives(int fd);

#endif
