/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_TAKE_H
#define STK_CONFIG_TAKE_H

#include "config/loader.h"

/* Takers for the keys of the fixed sections (see struct stk_key). */
#define STK_TAKER(name)                                                                            \
    enum stirkeep_status name(struct stk_loader *loader, const struct stk_key *key,                \
                              const char *value, struct stk_error *error)

STK_TAKER(stk_config_take_text);
STK_TAKER(stk_config_take_path);
STK_TAKER(stk_config_take_socket);
STK_TAKER(stk_config_take_number);
STK_TAKER(stk_config_take_switch);
STK_TAKER(stk_config_take_sync);
STK_TAKER(stk_config_take_profile);
STK_TAKER(stk_config_take_template);
STK_TAKER(stk_config_take_admin);
STK_TAKER(stk_config_take_room_user); /* key->minimum is the room */

/* One variable of [token-environment]. */
enum stirkeep_status stk_environment_add(struct stk_loader *loader, const char *name,
                                         const char *value, struct stk_error *error);

#endif
