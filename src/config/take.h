/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_TAKE_H
#define STK_CONFIG_TAKE_H

#include "config/loader.h"

/* Takers of keys (see struct stk_key). */
#define STK_TAKER(name)                                                                            \
    enum stirkeep_status name(struct stk_loader *loader, const struct stk_key *key,                \
                              const char *value, struct stk_error *error)

/* A key's field, in the configuration or in the draft of a named section. */
void *stk_config_field(struct stk_loader *loader, const struct stk_key *key);

STK_TAKER(stk_config_take_text);
STK_TAKER(stk_config_take_path);
STK_TAKER(stk_config_take_socket);
STK_TAKER(stk_config_take_number); /* unsigned; "" is 0 */
STK_TAKER(stk_config_take_amount); /* the same as uint64_t */
STK_TAKER(stk_config_take_switch);
STK_TAKER(stk_config_take_sync);
STK_TAKER(stk_config_take_verify); /* bool: sampled */
STK_TAKER(stk_config_take_profile);
STK_TAKER(stk_config_take_size); /* uint64_t, in bytes */
STK_TAKER(stk_config_take_age);  /* uint64_t, in seconds */
STK_TAKER(stk_config_take_witness);
STK_TAKER(stk_config_take_command);
STK_TAKER(stk_config_take_number_key);
STK_TAKER(stk_config_take_numbers);
STK_TAKER(stk_config_take_template);
STK_TAKER(stk_config_take_admin);
STK_TAKER(stk_config_take_room_user); /* key->minimum is the room */
STK_TAKER(stk_config_take_require);
STK_TAKER(stk_config_take_keeper);
STK_TAKER(stk_config_take_module_path);
STK_TAKER(stk_config_take_level);     /* of a rule */
STK_TAKER(stk_config_take_default);   /* of numbers without one */
STK_TAKER(stk_config_take_exceed);

/* Takers of [grant NAME]; list items come one by one. */
STK_TAKER(stk_config_take_grant_user);
STK_TAKER(stk_config_take_grant_group);
STK_TAKER(stk_config_take_grant_executable);
STK_TAKER(stk_config_take_grant_unit);
STK_TAKER(stk_config_take_grant_certificate);
STK_TAKER(stk_config_take_grant_ppt);
STK_TAKER(stk_config_take_grant_attest);
STK_TAKER(stk_config_take_grant_orig);

/* One variable of [token-environment]. */
enum stirkeep_status stk_environment_add(struct stk_loader *loader, const char *name,
                                         const char *value, struct stk_error *error);

#endif
