/* SPDX-License-Identifier: BSD-2-Clause */
#include "../cert/pki.h"
#include "base/digest.h"
#include "ends.h"
#include <string.h>
#include <time.h>

static struct stk_key_id id_of(EVP_PKEY *key)
{
    struct stk_key_id id = {0};
    unsigned char *spki = NULL;
    int length = i2d_PUBKEY(key, &spki);

    assert_true(length > 0);
    stk_sha256(spki, (size_t)length, id.bytes);
    OPENSSL_free(spki);
    return id;
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

static void spoil(struct pki_spec *leaf, enum flaw flaw)
{
    const char *tnauthlist = "1.3.6.1.5.5.7.1.26";

    if (flaw == EXPIRED)
        leaf->not_after = time(NULL) - PKI_DAY;
    else if (flaw == TNAUTHLIST_BROKEN)
        pki_extend(leaf, tnauthlist, "DER:30:08:a0:06:16:04:36:31:36");
    else if (flaw == TNAUTHLIST_MISSING)
        pki_extend(leaf, tnauthlist, NULL);
}

static X509 *certificate(struct pki_spec spec)
{
    spec.not_before = time(NULL) - 10 * (int64_t)PKI_DAY;
    if (spec.not_after >= PKI_NOW + 300 * (int64_t)PKI_DAY)
        spec.not_after = time(NULL) + 365 * (int64_t)PKI_DAY;
    return pki_certificate(&spec);
}

struct material material_new(EVP_PKEY *key, enum flaw flaw)
{
    struct material material = {.key = key};
    EVP_PKEY *root_key = pki_ec_key("P-256");
    EVP_PKEY *middle_key = pki_ec_key("P-256");
    X509 *root = certificate(pki_root_spec(root_key));
    X509 *middle = certificate(pki_intermediate_spec(middle_key, root_key, root));
    struct pki_spec spec = {0};
    X509 *leaf = NULL;

    if (key != NULL)
        (void)EVP_PKEY_up_ref(key);
    else
        material.key = flaw == RSA_KEY ? pki_rsa_key() : pki_ec_key("P-256");
    material.id = id_of(material.key);
    spec = pki_leaf_spec(material.key, middle_key, middle);
    spoil(&spec, flaw);
    leaf = certificate(spec);
    material.der[0] = der_of(leaf);
    material.der[1] = der_of(middle);
    X509_free(root);
    X509_free(middle);
    X509_free(leaf);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(middle_key);
    return material;
}

void material_free(struct material *material)
{
    EVP_PKEY_free(material->key);
    stk_buffer_free(&material->der[0]);
    stk_buffer_free(&material->der[1]);
}

struct stk_admin_request import_of(const struct material *material, const char *name)
{
    static const uint8_t sealed[300] = {1, 2, 3};
    struct stk_admin_request request = {.kind = STK_ADMIN_IMPORT,
                                        .chain = {{material->der[0].data, material->der[0].length},
                                                  {material->der[1].data, material->der[1].length}},
                                        .chain_count = 2,
                                        .sealed = {sealed, sizeof(sealed)},
                                        .x5u = "",
                                        .source = "/etc/keys/alpha.pem"};

    assert_int_equal(stk_name_parse(name, &request.name, NULL), STIRKEEP_OK);
    return request;
}

struct stk_admin_request install_of(const struct material *material, const char *name)
{
    struct stk_admin_request request = import_of(material, name);

    request.kind = STK_ADMIN_INSTALL;
    request.sealed = (struct stk_bytes){0};
    request.source = NULL;
    return request;
}

struct stk_admin_response import_done(struct ends *ends, const struct material *material,
                                      const char *name)
{
    struct stk_admin_response response = {0};

    ends->prover = material->key;
    response = call(ends, import_of(material, name));
    if (response.status != STIRKEEP_OK)
        fail_msg("%s", response.message);
    return response;
}
