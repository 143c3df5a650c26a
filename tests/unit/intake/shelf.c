/* SPDX-License-Identifier: BSD-2-Clause */
#include "shelf.h"

#include "../cert/pki.h"
#include "base/digest.h"
#include <string.h>
#include <time.h>

static struct shelf_key *next(struct shelf *shelf, const struct stk_key_id *after)
{
    struct shelf_key *best = NULL;

    for (size_t i = 0; i < shelf->count; i++)
        if (memcmp(&shelf->keys[i].id, after, sizeof(*after)) > 0 &&
            (best == NULL || memcmp(&shelf->keys[i].id, &best->id, sizeof(*after)) < 0))
            best = &shelf->keys[i];
    return best;
}

static void take_inventory(struct shelf *shelf, const struct stk_custody_order *order,
                           struct stk_custody_answer *answer)
{
    static struct stk_bytes certificates[SHELF_CERTIFICATES];
    struct shelf_key *key = next(shelf, &order->key_id);

    answer->has_inventory = true;
    if (key == NULL)
        return;
    for (size_t i = 0; i < key->count; i++)
        certificates[i] = (struct stk_bytes){key->der[i].data, key->der[i].length};
    answer->key_id = key->id;
    answer->name = key->name;
    answer->attributes = key->attributes;
    answer->certificates = certificates;
    answer->x5u = key->x5u;
    answer->certificate_count = key->count;
}

static void prove(struct shelf *shelf, const struct stk_custody_order *order,
                  struct stk_custody_answer *answer)
{
    struct shelf_key *key = NULL;

    for (size_t i = 0; i < shelf->count; i++)
        if (memcmp(&shelf->keys[i].id, &order->key_id, sizeof(order->key_id)) == 0)
            key = &shelf->keys[i];
    answer->status = key == NULL ? STIRKEEP_KEY_UNAVAILABLE : key->proves;
    answer->message = answer->status == STIRKEEP_OK ? "" : "it does not sign";
    answer->has_proof = answer->status == STIRKEEP_OK;
    if (!answer->has_proof)
        return;
    answer->attributes = key->attributes;
    ends_sign_proof(key->signs_as != NULL ? key->signs_as : key->key, order->challenge,
                    answer->signature);
}

static void examine(const struct shelf *shelf, struct stk_custody_answer *answer)
{
    static const struct stk_fact facts[] = {{"token", "under test"}, {"keys", "some"}};
    static const struct stk_trouble troubles[] = {{"warning", "it is slow", "wait for it"}};

    answer->status = shelf->examines;
    answer->message = answer->status == STIRKEEP_OK ? "" : "the token is locked";
    answer->has_examined = answer->status == STIRKEEP_OK;
    answer->facts = facts;
    answer->fact_count = 2;
    answer->troubles = troubles;
    answer->trouble_count = 1;
}

static bool answers(void *context, const struct stk_custody_order *order,
                    struct stk_custody_answer *answer)
{
    struct shelf *shelf = context;

    if (order->kind == STK_CUSTODY_EXAMINE) {
        examine(shelf, answer);
        return true;
    }
    if (order->kind != STK_CUSTODY_INVENTORY && order->kind != STK_CUSTODY_PROVE)
        return false;
    if (order->kind == STK_CUSTODY_INVENTORY)
        take_inventory(shelf, order, answer);
    else
        prove(shelf, order, answer);
    shelf->answered++;
    if (shelf->answered == shelf->stop_after)
        shelf->ends->keeper_silent = true;
    return true;
}

void shelf_new(struct shelf *shelf, struct ends *ends)
{
    struct pki_spec spec = {0};
    EVP_PKEY *root_key = pki_ec_key("P-256");
    X509 *root = NULL;

    *shelf = (struct shelf){.ends = ends, .middle_key = pki_ec_key("P-256")};
    spec = pki_root_spec(root_key);
    root = pki_certificate(&spec);
    spec = pki_intermediate_spec(shelf->middle_key, root_key, root);
    shelf->middle = pki_certificate(&spec);
    X509_free(root);
    EVP_PKEY_free(root_key);
    ends->instead = answers;
    ends->instead_context = shelf;
}

void shelf_free(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) {
        for (size_t k = 0; k < shelf->keys[i].count; k++)
            stk_buffer_free(&shelf->keys[i].der[k]);
        EVP_PKEY_free(shelf->keys[i].key);
    }
    X509_free(shelf->middle);
    EVP_PKEY_free(shelf->middle_key);
}

static struct stk_buffer der_of(X509 *certificate)
{
    struct stk_buffer out = {0};
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);

    assert_true(length > 0);
    assert_int_equal(stk_buffer_add(&out, der, (size_t)length), STIRKEEP_OK);
    OPENSSL_free(der);
    return out;
}

struct shelf_key *shelf_key(struct shelf *shelf, const char *name)
{
    struct shelf_key *key = &shelf->keys[shelf->count++];
    unsigned char *spki = NULL;
    int length = 0;

    assert_true(shelf->count <= SHELF_KEYS);
    *key =
        (struct shelf_key){.name = name, .key = pki_ec_key("P-256"), .attributes = SHELF_IMPORTED};
    length = i2d_PUBKEY(key->key, &spki);
    assert_true(length > 0);
    stk_sha256(spki, (size_t)length, key->id.bytes);
    OPENSSL_free(spki);
    return key;
}

static void put(struct shelf_key *key, X509 *certificate, const char *x5u)
{
    assert_true(key->count < SHELF_CERTIFICATES);
    key->der[key->count] = der_of(certificate);
    key->x5u[key->count++] = x5u;
}

void shelf_certify(struct shelf *shelf, struct shelf_key *key, int from_days, int until_days,
                   const char *x5u)
{
    struct pki_spec spec = pki_leaf_spec(key->key, shelf->middle_key, shelf->middle);
    int64_t now = time(NULL);
    X509 *leaf = NULL;

    spec.not_before = now + (int64_t)from_days * PKI_DAY;
    spec.not_after = now + (int64_t)until_days * PKI_DAY;
    leaf = pki_certificate(&spec);
    if (key->count == 0) /* before its leaf: the token tells them in no order */
        put(key, shelf->middle, "");
    put(key, leaf, x5u);
    X509_free(leaf);
}

struct shelf_key *shelf_add(struct shelf *shelf, const char *name, int from_days, int until_days,
                            const char *x5u)
{
    struct shelf_key *key = shelf_key(shelf, name);

    shelf_certify(shelf, key, from_days, until_days, x5u);
    return key;
}
