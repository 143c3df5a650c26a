/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_OPTIONS_H
#define STK_STIRKEEPD_OPTIONS_H

#include <stdbool.h>

#define STK_DEFAULT_CONFIG "/etc/stirkeep/stirkeep.conf"

/* The command line. Texts are argv's or constants. */
struct stk_options {
    const char *config;
    const char *libexec; /* where the rooms' programs are */
    bool check;
    bool take_over; /* from the stirkeepd that serves with this configuration, if there is one */
};

enum stk_options_result { STK_OPTIONS_RUN, STK_OPTIONS_DONE, STK_OPTIONS_WRONG };

/* DONE: --help or --version, which were printed. WRONG: told on standard error. */
enum stk_options_result stk_options_read(int argc, char **argv, struct stk_options *ret_options);

#endif
