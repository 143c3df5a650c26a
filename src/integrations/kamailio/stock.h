/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KAMAILIO_STOCK_H
#define STK_KAMAILIO_STOCK_H

#include "integrations/kamailio/options.h"
#include "integrations/kamailio/papi.h"

/*
 * The installed libsecsipid, for verifying. It brings the Go runtime with its threads into the
 * process, so it is loaded when the first verification is asked for: a worker that only signs never
 * has it.
 */
struct stk_kam_stock {
    stk_kam_check *check;
    stk_kam_check *check_full;
    stk_kam_check_data *check_full_data;
    stk_kam_set_cache *set_cache;
    stk_kam_get_url *get_url;
    stk_kam_set_text *set_text;
    stk_kam_set_number *set_number;
    stk_kam_set_pair *set_pair;
};

/* Loaded at the first call, with the options set so far. NULL: there is none, or none is wanted. */
const struct stk_kam_stock *stk_kam_stock(void);

bool stk_kam_stock_is_loaded(void);

/* Set an option of the loaded library; what it returns. */
int stk_kam_stock_option(enum stk_kam_option_kind kind, const char *name, const char *value);

#endif
