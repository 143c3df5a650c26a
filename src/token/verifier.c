/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/verifier.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>

#define HALF 32 /* bytes of a coordinate, and of r and s */

struct stk_verifier {
    EC_GROUP *group;
    EC_POINT *key;
    EC_POINT *sum;
    BN_CTX *context;
    BIGNUM *r;
    BIGNUM *s;
    BIGNUM *z;
    BIGNUM *x;
    BIGNUM *y;
};

enum stirkeep_status stk_verifier_new(struct stk_verifier **ret_verifier)
{
    struct stk_verifier *verifier = calloc(1, sizeof(*verifier));

    if (verifier == NULL)
        return STIRKEEP_NO_MEMORY;
    verifier->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    verifier->context = BN_CTX_new();
    verifier->r = BN_new();
    verifier->s = BN_new();
    verifier->z = BN_new();
    verifier->x = BN_new();
    verifier->y = BN_new();
    if (verifier->group != NULL) {
        verifier->key = EC_POINT_new(verifier->group);
        verifier->sum = EC_POINT_new(verifier->group);
    }
    if (verifier->key == NULL || verifier->sum == NULL || verifier->context == NULL ||
        verifier->r == NULL || verifier->s == NULL || verifier->z == NULL || verifier->x == NULL ||
        verifier->y == NULL) {
        stk_verifier_free(verifier);
        return STIRKEEP_NO_MEMORY;
    }
    *ret_verifier = verifier;
    return STIRKEEP_OK;
}

void stk_verifier_free(struct stk_verifier *verifier)
{
    if (verifier == NULL)
        return;
    EC_POINT_free(verifier->key);
    EC_POINT_free(verifier->sum);
    EC_GROUP_free(verifier->group);
    BN_free(verifier->r);
    BN_free(verifier->s);
    BN_free(verifier->z);
    BN_free(verifier->x);
    BN_free(verifier->y);
    BN_CTX_free(verifier->context);
    free(verifier);
}

/* From 1 to the order - 1. */
static bool is_in_range(const BIGNUM *number, const BIGNUM *order)
{
    return !BN_is_zero(number) && BN_cmp(number, order) < 0;
}

static bool read_key(struct stk_verifier *v, const uint8_t point[STK_POINT_LENGTH])
{
    /* OpenSSL refuses what does not lie on the curve. P-256 has a cofactor of 1. */
    return BN_bin2bn(point, HALF, v->x) != NULL && BN_bin2bn(point + HALF, HALF, v->y) != NULL &&
           EC_POINT_set_affine_coordinates(v->group, v->key, v->x, v->y, v->context) == 1;
}

/* (z/s) G + (r/s) Q has r for its x, modulo the order. */
static bool equation_holds(struct stk_verifier *v, const BIGNUM *order)
{
    return BN_mod_inverse(v->s, v->s, order, v->context) != NULL &&
           BN_mod_mul(v->z, v->z, v->s, order, v->context) == 1 &&
           BN_mod_mul(v->s, v->r, v->s, order, v->context) == 1 &&
           EC_POINT_mul(v->group, v->sum, v->z, v->key, v->s, v->context) == 1 &&
           EC_POINT_is_at_infinity(v->group, v->sum) == 0 &&
           EC_POINT_get_affine_coordinates(v->group, v->sum, v->x, NULL, v->context) == 1 &&
           BN_nnmod(v->x, v->x, order, v->context) == 1 && BN_cmp(v->x, v->r) == 0;
}

bool stk_verifier_holds(struct stk_verifier *v, const uint8_t point[STK_POINT_LENGTH],
                        const uint8_t digest[STK_DIGEST_LENGTH],
                        const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    const BIGNUM *order = EC_GROUP_get0_order(v->group);
    bool holds = BN_bin2bn(signature, HALF, v->r) != NULL &&
                 BN_bin2bn(signature + HALF, HALF, v->s) != NULL &&
                 BN_bin2bn(digest, STK_DIGEST_LENGTH, v->z) != NULL && is_in_range(v->r, order) &&
                 is_in_range(v->s, order) && read_key(v, point) && equation_holds(v, order);

    if (!holds)
        ERR_clear_error();
    return holds;
}
