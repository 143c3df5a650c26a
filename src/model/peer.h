/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_PEER_H
#define STK_MODEL_PEER_H

#include <sys/types.h>

/* Who is at the other end of a socket, by SO_PEERCRED (unix(7)): the kernel's word, not theirs. */
struct stk_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};

#endif
