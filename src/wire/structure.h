/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_STRUCTURE_H
#define STK_WIRE_STRUCTURE_H

#include "base/arena.h"
#include "base/bytes.h"
#include <protobuf-c/protobuf-c.h>

/*
 * Make protobuf-c's structure of a message that stk_scan_check found well-formed, in the arena
 * alone. It stands in for protobuf_c_message_unpack, which judges all bytes once more and takes up
 * to 64 bytes beside each field that cannot be given back to an arena. Fields that are not known are
 * left out. NULL when the arena is used up. Any thread.
 */
void *stk_structure_make(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                         struct stk_arena *arena);

#endif
