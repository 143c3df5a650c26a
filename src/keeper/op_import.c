/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/secret.h"
#include "cert/cert.h"
#include "keeper/keeper.h"
#include "seal/seal.h"
#include <string.h>

/* The leaf's public key, which has to be the one that the order names. */
static enum stirkeep_status read_leaf(struct stk_custody_thread *self,
                                      const struct stk_custody_order *order,
                                      struct stk_leaf *ret_leaf, struct stk_error *error)
{
    struct stk_chain *chain = NULL;
    struct stk_leaf leaf = {0};
    enum stirkeep_status status =
        stk_chain_from_der(order->chain, order->chain_count, &chain, error);

    if (status == STIRKEEP_OK)
        status = stk_chain_leaf(chain, &self->arena, &leaf, error);
    stk_chain_free(chain);
    if (status != STIRKEEP_OK)
        return status;
    if (!leaf.p256)
        return stk_error_set(error, STIRKEEP_KEY_TYPE, "certificate: its key is not a P-256 key");
    if (memcmp(&leaf.key_id, &order->key_id, sizeof(leaf.key_id)) != 0)
        return stk_error_set(error, STIRKEEP_KEY_MISMATCH,
                             "certificate: its key is not the one that the order names");
    *ret_leaf = leaf;
    return STIRKEEP_OK;
}

/* For a token that does not unwrap: it decrypts the AES key, the rest is done here. */
static enum stirkeep_status open_seal(struct stk_keeper *keeper, struct stk_bytes sealed,
                                      struct stk_secret *ret_pkcs8, struct stk_error *error)
{
    struct stk_secret aes_key = {0};
    struct stk_bytes rsa_part = {sealed.data, keeper->rsa_length};
    struct stk_bytes wrapped = {sealed.data + keeper->rsa_length, 0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (sealed.length <= keeper->rsa_length)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "sealed key: too short for this token's wrapping key");
    wrapped.length = sealed.length - keeper->rsa_length;
    status = stk_token_decrypt(keeper->token, rsa_part, &aes_key, error);
    if (status == STIRKEEP_OK)
        status = stk_seal_open(&aes_key, wrapped, ret_pkcs8, error);
    stk_secret_free(&aes_key);
    if (status == STIRKEEP_NOT_VERIFIED)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "%s", error->message);
    return status;
}

static enum stirkeep_status bring_in(struct stk_custody_thread *self,
                                     const struct stk_custody_order *order,
                                     const struct stk_leaf *leaf, struct stk_error *error)
{
    struct stk_keeper *keeper = self->keeper;
    struct stk_secret pkcs8 = {0};
    struct stk_token_import import = {.key_id = order->key_id,
                                      .spki = {leaf->spki, sizeof(leaf->spki)},
                                      .name = order->name.text,
                                      .sealed = order->sealed,
                                      .chain = order->chain,
                                      .chain_count = order->chain_count,
                                      .x5u = order->x5u};
    enum stirkeep_status status = STIRKEEP_OK;

    if (order->sealed.length > 0 && !stk_token_info(keeper->token)->unwraps) {
        status = open_seal(keeper, order->sealed, &pkcs8, error);
        import.pkcs8 = &pkcs8;
    }
    if (status == STIRKEEP_OK)
        status = stk_token_import(keeper->token, &import, error);
    stk_secret_free(&pkcs8);
    return status;
}

/* Bring a sealed key onto the token, or a certificate for a key that is there (nothing sealed), and
 * prove that it signs. */
enum stirkeep_status stk_op_import(struct stk_custody_thread *self,
                                   const struct stk_custody_order *order,
                                   struct stk_custody_answer *answer, struct stk_error *error)
{
    struct stk_keeper *keeper = self->keeper;
    struct stk_leaf leaf = {0};
    struct stk_record record = {.act = "token-import",
                                .outcome = STK_OUTCOME_BEGUN,
                                .name = order->name.text,
                                .key_id = &order->key_id};
    enum stirkeep_status status = stk_recorder_append(&keeper->recorder, &record, 1, error);

    if (status != STIRKEEP_OK)
        return status;
    status = read_leaf(self, order, &leaf, error);
    if (status == STIRKEEP_OK)
        status = bring_in(self, order, &leaf, error);
    stk_custody_forget(keeper, &order->key_id);
    if (status == STIRKEEP_OK)
        status = stk_custody_prove(self, order, answer, error);
    record.outcome = stirkeep_status_name(status);
    record.reason = status == STIRKEEP_OK ? NULL : error->message;
    record.detail = status == STIRKEEP_OK ? answer->attributes : NULL;
    if (status != STIRKEEP_OK) {
        (void)stk_recorder_append(&keeper->recorder, &record, 1, NULL);
        return status;
    }
    return stk_recorder_append(&keeper->recorder, &record, 1, error);
}
