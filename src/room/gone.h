/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_ROOM_GONE_H
#define STK_ROOM_GONE_H

#include <stdbool.h>

/*
 * Is the other side of a socket gone? To be asked after reading 0 bytes from a SOCK_SEQPACKET:
 * an empty message and the end of the conversation both read as that.
 */
bool stk_socket_gone(int fd);

#endif
