/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_PORTER_H
#define STK_STIRKEEPD_PORTER_H

#include "config/config.h"
#include "stirkeepd/options.h"

/*
 * The configuration's text and values, the text also as a sealed memfd for the rooms. CONFIG, IO
 * with the reason. Release the parts with stk_config_free and close.
 */
enum stirkeep_status stk_porter_read_config(const char *path, struct stk_config **ret_config,
                                            int *ret_fd, struct stk_error *error);

/* Run the service until it is told to stop or fails; the exit status. */
int stk_porter_run(const struct stk_options *options);

#endif
