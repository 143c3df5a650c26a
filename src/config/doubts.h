/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_DOUBTS_H
#define STK_CONFIG_DOUBTS_H

#include "base/buffer.h"
#include "config/config.h"

/*
 * What is taken, and yet can hardly be meant, as lines added to `out`: grants of executables that
 * are symbolic links here, or lie behind one. The kernel tells programs by the file that it leads
 * to, so such a grant is nobody's. NO_MEMORY. For checks; it looks into the file system.
 */
enum stirkeep_status stk_config_doubts(const struct stk_config *config, struct stk_buffer *out);

#endif
