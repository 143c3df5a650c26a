/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/examine.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/encode.h"
#include "model/proof.h"
#include "token/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PROVEN_MAX 16          /* keys that are made to prove themselves */
#define MEASURING_US 200000ULL /* for each figure, at most */
#define TOLD_MAX 8             /* keys that are named one by one */

/* ---- a key pair for a trial */

static CK_RV generate(struct stk_session *session, CK_OBJECT_HANDLE *ret_public,
                      CK_OBJECT_HANDLE *ret_private)
{
    static const CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE public[] = {
        {CKA_TOKEN, &no, sizeof(no)},
        {CKA_VERIFY, &yes, sizeof(yes)},
        {CKA_EC_PARAMS, (void *)p256, sizeof(p256)},
    };
    CK_ATTRIBUTE private[] = {
        {CKA_TOKEN, &no, sizeof(no)},       {CKA_PRIVATE, &yes, sizeof(yes)},
        {CKA_SENSITIVE, &yes, sizeof(yes)}, {CKA_EXTRACTABLE, &no, sizeof(no)},
        {CKA_SIGN, &yes, sizeof(yes)},
    };

    return stk_session_generate(
        session, &mechanism, &(struct stk_template){public, sizeof(public) / sizeof(public[0])},
        &(struct stk_template){private, sizeof(private) / sizeof(private[0])}, ret_public,
        ret_private);
}

CK_RV stk_examine_generate(struct stk_session *session, CK_OBJECT_HANDLE *ret_private)
{
    CK_OBJECT_HANDLE public = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE private = CK_INVALID_HANDLE;
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};
    bool proven = false;
    CK_RV rv = generate(session, &public, &private);

    if (rv != CKR_OK)
        return rv;
    if (!stk_public_key_spki(session, public, spki))
        rv = CKR_GENERAL_ERROR;
    if (rv == CKR_OK)
        rv = stk_key_prove(session, private, spki, &proven);
    if (rv == CKR_OK && !proven)
        rv = CKR_SIGNATURE_INVALID;
    (void)stk_session_destroy(session, public);
    if (rv == CKR_OK)
        *ret_private = private;
    else
        (void)stk_session_destroy(session, private);
    return rv;
}

/* ---- how fast it signs */

/* Proofs, so that no signature is made that could be used for anything. */
static CK_RV measure(struct stk_session *session, CK_OBJECT_HANDLE key, uint64_t time_us,
                     uint64_t *ret_per_second)
{
    uint8_t challenge[STK_CHALLENGE_LENGTH] = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    uint64_t begin = stk_clock_mono_us();
    uint64_t now = begin;
    uint64_t count = 0;
    CK_RV rv = CKR_OK;

    stk_random(challenge, sizeof(challenge));
    stk_proof_digest(challenge, digest);
    for (; rv == CKR_OK && now - begin < time_us; now = stk_clock_mono_us()) {
        rv = stk_session_sign(session, key, digest, signature);
        count++;
    }
    if (rv == CKR_OK)
        *ret_per_second = count * 1000000 / (now - begin);
    return rv;
}

static void describe_rate(struct stk_session *session, CK_OBJECT_HANDLE key, uint64_t time_us,
                          const char *name, const char *with, struct stk_diagnosis *diagnosis)
{
    char buffer[STK_CKR_TEXT] = "";
    uint64_t per_second = 0;
    CK_RV rv = measure(session, key, time_us, &per_second);

    if (rv == CKR_OK)
        stk_diagnosis_fact(diagnosis, name, "%" PRIu64 " a second in one session, with %s",
                           per_second, with);
    else
        stk_diagnosis_fact(diagnosis, name, "not measured: C_Sign: %s", stk_ckr_name(rv, buffer));
}

/* With a key of ours when one proves itself, else with one that is made for it. */
static void describe_rates(struct stk_token *token, CK_OBJECT_HANDLE ours, uint64_t time_us,
                           struct stk_diagnosis *diagnosis)
{
    struct stk_session *session = &token->custody;
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

    if (ours != CK_INVALID_HANDLE)
        describe_rate(session, ours, time_us, "signatures", "a token object", diagnosis);
    if (ours != CK_INVALID_HANDLE && token->info.copies &&
        stk_session_copy(session, ours, &key) == CKR_OK)
        describe_rate(session, key, time_us, "signatures, copied", "a session copy", diagnosis);
    else if (ours == CK_INVALID_HANDLE && stk_examine_generate(session, &key) == CKR_OK)
        describe_rate(session, key, time_us, "signatures", "a session object", diagnosis);
    else
        return;
    (void)stk_session_destroy(session, key);
}

/* ---- what is held */

struct holding {
    struct stk_token *token;
    struct stk_diagnosis *diagnosis;
    const struct stk_inventory *inventory;
    uint64_t until_us;
    size_t tried;
    size_t proven;
    size_t bare;           /* keys that have no certificate */
    CK_OBJECT_HANDLE good; /* one that has proven itself */
};

/* One key id may have several private keys, of which the first stands for all. */
static const struct stk_inventory_item *next_id(const struct stk_inventory *inventory,
                                                const struct stk_inventory_item *item)
{
    return stk_inventory_next(inventory, &item->key_id);
}

/* The certificates of a key id come behind its private keys. */
static bool has_certificate(const struct stk_inventory *inventory,
                            const struct stk_inventory_item *item)
{
    const struct stk_inventory_item *end = inventory->items + inventory->count;
    const struct stk_key_id *key_id = &item->key_id;

    while (item < end && item->is_key && memcmp(&item->key_id, key_id, sizeof(*key_id)) == 0)
        item++;
    return item < end && !item->is_key && memcmp(&item->key_id, key_id, sizeof(*key_id)) == 0;
}

static void tell_unproven(struct holding *holding, const struct stk_key_id *key_id, bool certified,
                          const struct stk_error *why)
{
    char id[2 * STK_KEY_ID_LENGTH + 1] = "";

    if (holding->tried - holding->proven > TOLD_MAX)
        return;
    stk_hex_encode(key_id->bytes, STK_KEY_ID_LENGTH, id);
    if (certified)
        stk_diagnosis_trouble(holding->diagnosis, STK_SEVERE,
                              "import it again from its source, or a key and certificate that "
                              "replace it",
                              "a private key does not prove itself (CKA_ID %s): %s", id,
                              why->message);
    else
        stk_diagnosis_trouble(
            holding->diagnosis, STK_SLIGHT,
            "nothing signs with it; if nobody waits for a certificate for it, stop the service and "
            "remove it: pkcs11-tool --delete-object --type privkey --id CKA_ID",
            "a private key has neither a certificate nor a public key of its own, as generating or "
            "importing leaves it when it is cut off (CKA_ID %s)",
            id);
}

/* False when the token fails. */
static bool try_one(struct holding *holding, const struct stk_inventory_item *item)
{
    struct stk_error why = {0};
    struct stk_proven key = {0};
    CK_RV rv = CKR_OK;
    enum stirkeep_status status =
        stk_key_find(&holding->token->custody, &item->key_id, STK_KEY_ON_TOKEN, &key, &rv, &why);

    if (status != STIRKEEP_OK && status != STIRKEEP_KEY_UNAVAILABLE)
        return false;
    holding->tried++;
    if (status == STIRKEEP_OK) {
        holding->proven++;
        holding->good = key.handle;
    } else {
        tell_unproven(holding, &item->key_id, has_certificate(holding->inventory, item), &why);
    }
    return true;
}

/* Those without a certificate first; then some of the others, spread over all of them. */
static bool try_some(struct holding *holding, bool bare)
{
    const struct stk_inventory *inventory = holding->inventory;
    const struct stk_key_id first = {0};
    size_t step = bare ? 1 : inventory->keys / PROVEN_MAX + 1;
    size_t number = 0;
    bool works = true;

    for (const struct stk_inventory_item *item = stk_inventory_next(inventory, &first);
         works && item != NULL; item = next_id(inventory, item)) {
        bool certified = has_certificate(inventory, item);

        if (bare && !certified)
            holding->bare++;
        if (certified == bare || number++ % step != 0 || holding->tried >= PROVEN_MAX ||
            stk_clock_mono_us() >= holding->until_us)
            continue;
        works = try_one(holding, item);
    }
    return works;
}

static void describe_holding(const struct holding *holding)
{
    const struct stk_inventory *inventory = holding->inventory;
    struct stk_diagnosis *diagnosis = holding->diagnosis;

    stk_diagnosis_fact(diagnosis, "keys",
                       "%zu of ours, %zu without a certificate; %zu of them asked for a proof, %zu "
                       "gave it",
                       inventory->keys, holding->bare, holding->tried, holding->proven);
    stk_diagnosis_fact(diagnosis, "certificates", "%zu", inventory->certificates);
    stk_diagnosis_fact(diagnosis, "other keys", "%zu private keys of somebody else's: left alone",
                       inventory->foreign);
    if (inventory->nameless > 0)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT,
                              "nothing signs with them; if nobody else uses this token, stop the "
                              "service and remove them",
                              "%zu private keys on the token have neither a label nor a CKA_ID, as "
                              "SoftHSM leaves them when it is killed while it makes one",
                              inventory->nameless);
    if (inventory->torn > 0)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT,
                              "nothing signs with them; stop the service and remove them",
                              "%zu private keys on the token have a label of ours and no key id or "
                              "no certificate name",
                              inventory->torn);
}

enum stirkeep_status stk_examine_keys(struct stk_token *token, uint64_t budget_us,
                                      struct stk_diagnosis *diagnosis, struct stk_error *error)
{
    uint64_t measuring_us = budget_us / 4 < MEASURING_US ? budget_us / 4 : MEASURING_US;
    struct stk_inventory inventory = {0};
    struct holding holding = {.token = token, .diagnosis = diagnosis, .inventory = &inventory};
    CK_RV rv = stk_inventory_take(&token->custody, &inventory);

    if (rv != CKR_OK) {
        token->custody_stale = true;
        return stk_ckr_error(error, "listing what the token holds", rv);
    }
    holding.until_us = stk_clock_mono_us() + budget_us - 2 * measuring_us;
    if (!try_some(&holding, true) || !try_some(&holding, false))
        token->custody_stale = true;
    describe_holding(&holding);
    describe_rates(token, holding.good, measuring_us, diagnosis);
    stk_inventory_free(&inventory);
    return STIRKEEP_OK;
}
