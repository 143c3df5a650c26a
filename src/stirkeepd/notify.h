/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_NOTIFY_H
#define STK_STIRKEEPD_NOTIFY_H

/*
 * Tell the service manager (sd_notify(3)): "READY=1", "STOPPING=1", "STATUS=...". Nothing happens
 * without NOTIFY_SOCKET. The protocol is one datagram and promised to stay (its manual page gives
 * it for copying), so the process that holds root's rights links no further library for it.
 */
void stk_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
