/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_WIRE_FILLS_H
#define TEST_WIRE_FILLS_H

#include "samples.h"

/* What the files of samples share. */

#define SAMPLE_X5U "https://x5u.example/a.pem"

/* As many bytes as a sample has of each, all of this value. Filled when the first sample is. */
extern uint8_t fill_bytes[20][96];

#define BYTES(number)                                                                              \
    (struct stk_bytes)                                                                             \
    {                                                                                              \
        fill_bytes[number], sizeof(fill_bytes[number])                                             \
    }

void fill_key_id(struct stk_key_id *key_id, int number);
void fill_name(struct stk_name *name, const char *text);
void fill_diagnosis(const struct stk_fact **ret_facts, size_t *ret_fact_count,
                    const struct stk_trouble **ret_troubles, size_t *ret_trouble_count);

/* samples_claims.c: claims of every type, each field by itself somewhere */
typedef void fill_claims(struct stk_claims *claims);
fill_claims fill_claims_shaken;
fill_claims fill_claims_base;
fill_claims fill_claims_div;
fill_claims fill_claims_div_o;
fill_claims fill_claims_rph;
fill_claims fill_claims_rcd;
fill_claims fill_claims_shaken_rcd;
fill_claims fill_claims_other;

typedef void fill(union decoded *value);

/* samples_admin.c */
fill fill_admin_wrapping_key;
fill fill_admin_import;
fill fill_admin_source_removed;
fill fill_admin_list;
fill fill_admin_show;
fill fill_admin_retire;
fill fill_admin_rollback;
fill fill_admin_status;
fill fill_admin_generate;
fill fill_admin_install;
fill fill_admin_destroy;
fill fill_admin_doctor;
fill fill_admin_rebuild;
fill fill_admin_reload;
fill fill_admin_audit_key;
fill fill_answered_wrapping_key;
fill fill_answered_import;
fill fill_answered_install;
fill fill_answered_generate;
fill fill_answered_destroy;
fill fill_answered_doctor;
fill fill_answered_rebuild;
fill fill_answered_reload;
fill fill_answered_audit_key;
fill fill_answered_source_removed;
fill fill_answered_list;
fill fill_answered_requested;
fill fill_answered_show;
fill fill_answered_retire;
fill fill_answered_rollback;
fill fill_answered_status;
fill fill_answered_error;

/* samples_custody.c */
fill fill_custody_token;
fill fill_custody_import;
fill fill_custody_install;
fill fill_custody_generate;
fill fill_custody_request;
fill fill_custody_examine;
fill fill_custody_inventory;
fill fill_custody_prove;
fill fill_custody_destroy;
fill fill_custody_record;
fill fill_token_answer;
fill fill_proof_answer;
fill fill_generate_answer;
fill fill_request_answer;
fill fill_destroy_answer;
fill fill_examine_answer;
fill fill_inventory_answer;
fill fill_custody_error;

#endif
