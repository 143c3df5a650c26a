/* SPDX-License-Identifier: BSD-2-Clause */
#include "pki.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

EVP_PKEY *pki_ec_key(const char *curve)
{
    EVP_PKEY *key = EVP_EC_gen(curve);

    assert(key != NULL);
    return key;
}

EVP_PKEY *pki_rsa_key(void)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);

    assert(key != NULL);
    return key;
}

EVP_PKEY *pki_rfc6979_key(void)
{
    static const char scalar[] = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
    static const char point[] = "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
                                "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *number = NULL;
    uint8_t public[65];
    size_t length = 0;
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    assert(BN_hex2bn(&number, scalar) > 0);
    assert(OPENSSL_hexstr2buf_ex(public, sizeof(public), &length, point, '\0') == 1);
    assert(OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1);
    assert(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1);
    assert(OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, public, length) == 1);
    parameters = OSSL_PARAM_BLD_to_param(builder);
    assert(EVP_PKEY_fromdata_init(context) == 1);
    assert(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) == 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    BN_free(number);
    return key;
}

void pki_extend(struct pki_spec *spec, const char *name, const char *value)
{
    size_t i = 0;

    while (i < PKI_EXTENSIONS_MAX && spec->extensions[i].name != NULL &&
           strcmp(spec->extensions[i].name, name) != 0)
        i++;
    assert(i < PKI_EXTENSIONS_MAX);
    spec->extensions[i] = (struct pki_extension){name, value};
}

static struct pki_spec common_spec(EVP_PKEY *key, EVP_PKEY *signer, X509 *issuer)
{
    return (struct pki_spec){
        .key = key,
        .signer = signer != NULL ? signer : key,
        .issuer = issuer,
        .country = "US",
        .organization = "Example Carrier",
        .serial = "1311768467463790320",
        .version = 2,
        .not_before = PKI_NOW - 10 * PKI_DAY,
        .not_after = PKI_NOW + 365 * PKI_DAY,
        .digest = EVP_sha256(),
    };
}

struct pki_spec pki_leaf_spec(EVP_PKEY *key, EVP_PKEY *signer, X509 *issuer)
{
    struct pki_spec spec = common_spec(key, signer, issuer);

    spec.common_name = "SHAKEN 616H";
    pki_extend(&spec, "basicConstraints", "critical,CA:FALSE");
    pki_extend(&spec, "keyUsage", "critical,digitalSignature");
    pki_extend(&spec, "subjectKeyIdentifier", "hash");
    pki_extend(&spec, "authorityKeyIdentifier", "keyid:always");
    pki_extend(&spec, "1.3.6.1.5.5.7.1.26", PKI_TNAUTHLIST);
    pki_extend(&spec, "certificatePolicies", "2.16.840.1.114569.1.1.3");
    pki_extend(&spec, "crlDistributionPoints", "crldp");
    return spec;
}

struct pki_spec pki_intermediate_spec(EVP_PKEY *key, EVP_PKEY *signer, X509 *issuer)
{
    struct pki_spec spec = common_spec(key, signer, issuer);

    spec.common_name = "SHAKEN Intermediate";
    spec.serial = "1311768467463790321";
    pki_extend(&spec, "basicConstraints", "critical,CA:TRUE");
    pki_extend(&spec, "keyUsage", "critical,keyCertSign");
    pki_extend(&spec, "subjectKeyIdentifier", "hash");
    pki_extend(&spec, "authorityKeyIdentifier", "keyid:always");
    return spec;
}

struct pki_spec pki_root_spec(EVP_PKEY *key)
{
    struct pki_spec spec = common_spec(key, NULL, NULL);

    spec.common_name = "SHAKEN Root";
    spec.serial = "1311768467463790322";
    pki_extend(&spec, "basicConstraints", "critical,CA:TRUE");
    pki_extend(&spec, "keyUsage", "critical,keyCertSign");
    pki_extend(&spec, "subjectKeyIdentifier", "hash");
    return spec;
}

static void set_name(X509_NAME *name, const char *field, const char *text)
{
    if (text != NULL)
        assert(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text,
                                          -1, -1, 0) == 1);
}

/* Distribution points need a section of their own in OpenSSL's configuration language. */
static CONF *distribution_points(void)
{
    static const char text[] = "[crldp]\n"
                               "fullname = URI:https://authenticate-api.iconectiv.com/crl\n"
                               "CRLissuer = dirName:issuer\n"
                               "[issuer]\n"
                               "CN = STI-PA CRL\n";
    BIO *bio = BIO_new_mem_buf(text, -1);
    CONF *conf = NCONF_new(NULL);

    assert(NCONF_load_bio(conf, bio, NULL) == 1);
    BIO_free(bio);
    return conf;
}

static void add_extensions(X509 *x509, const struct pki_spec *spec)
{
    CONF *conf = distribution_points();
    X509V3_CTX context;

    X509V3_set_ctx(&context, spec->issuer != NULL ? spec->issuer : x509, x509, NULL, NULL, 0);
    X509V3_set_nconf(&context, conf);
    for (size_t i = 0; i < PKI_EXTENSIONS_MAX && spec->extensions[i].name != NULL; i++) {
        X509_EXTENSION *extension = NULL;

        if (spec->extensions[i].value == NULL)
            continue;
        extension =
            X509V3_EXT_nconf(conf, &context, spec->extensions[i].name, spec->extensions[i].value);
        assert(extension != NULL);
        assert(X509_add_ext(x509, extension, -1) == 1);
        X509_EXTENSION_free(extension);
    }
    NCONF_free(conf);
}

X509 *pki_certificate(const struct pki_spec *spec)
{
    X509 *x509 = X509_new();
    X509_NAME *subject = X509_NAME_new();
    BIGNUM *serial = NULL;

    assert(BN_dec2bn(&serial, spec->serial) > 0);
    assert(BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509)) != NULL);
    BN_free(serial);
    assert(X509_set_version(x509, spec->version) == 1);
    set_name(subject, "C", spec->country);
    set_name(subject, "O", spec->organization);
    set_name(subject, "CN", spec->common_name);
    assert(X509_set_subject_name(x509, subject) == 1);
    assert(X509_set_issuer_name(x509, spec->issuer != NULL ? X509_get_subject_name(spec->issuer)
                                                           : subject) == 1);
    X509_NAME_free(subject);
    assert(ASN1_TIME_set(X509_getm_notBefore(x509), spec->not_before) != NULL);
    assert(ASN1_TIME_set(X509_getm_notAfter(x509), spec->not_after) != NULL);
    assert(X509_set_pubkey(x509, spec->key) == 1);
    add_extensions(x509, spec);
    assert(X509_sign(x509, spec->signer, spec->digest) > 0);
    return x509;
}

struct pki_chain pki_chain_new(void)
{
    struct pki_chain chain = {.root_key = pki_ec_key("P-256"),
                              .intermediate_key = pki_ec_key("P-256"),
                              .leaf_key = pki_ec_key("P-256")};
    struct pki_spec spec = pki_root_spec(chain.root_key);

    chain.root = pki_certificate(&spec);
    spec = pki_intermediate_spec(chain.intermediate_key, chain.root_key, chain.root);
    chain.intermediate = pki_certificate(&spec);
    spec = pki_leaf_spec(chain.leaf_key, chain.intermediate_key, chain.intermediate);
    chain.leaf = pki_certificate(&spec);
    return chain;
}

void pki_chain_free(struct pki_chain *chain)
{
    X509_free(chain->root);
    X509_free(chain->intermediate);
    X509_free(chain->leaf);
    EVP_PKEY_free(chain->root_key);
    EVP_PKEY_free(chain->intermediate_key);
    EVP_PKEY_free(chain->leaf_key);
}

void pki_add(struct pki_text *text, const void *data, size_t length)
{
    assert(sizeof(text->data) - text->length >= length);
    memcpy(text->data + text->length, data, length);
    text->length += length;
}

void pki_add_string(struct pki_text *text, const char *string)
{
    pki_add(text, string, strlen(string));
}

void pki_add_pem(struct pki_text *text, X509 *x509)
{
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);

    assert(length > 0);
    pki_add_block(text, "CERTIFICATE", (struct stk_bytes){der, (size_t)length});
    OPENSSL_free(der);
}

void pki_add_der(struct pki_text *text, X509 *x509)
{
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);

    assert(length > 0);
    pki_add(text, der, (size_t)length);
    OPENSSL_free(der);
}

struct stk_bytes pki_bytes(const struct pki_text *text)
{
    return (struct stk_bytes){text->data, text->length};
}

void pki_add_block(struct pki_text *text, const char *label, struct stk_bytes der)
{
    char mark[96];

    (void)snprintf(mark, sizeof(mark), "-----BEGIN %s-----\n", label);
    pki_add_string(text, mark);
    for (size_t at = 0; at < der.length; at += 48) {
        unsigned char line[66];
        int length = EVP_EncodeBlock(line, der.data + at,
                                     der.length - at < 48 ? (int)(der.length - at) : 48);
        line[length] = '\n';
        pki_add(text, line, (size_t)length + 1);
    }
    (void)snprintf(mark, sizeof(mark), "-----END %s-----\n", label);
    pki_add_string(text, mark);
}

struct stk_secret pki_secret(const void *data, size_t length)
{
    struct stk_secret secret = {0};

    assert(stk_secret_new(&secret, length) == STIRKEEP_OK);
    if (length > 0)
        memcpy(secret.data, data, length);
    secret.length = length;
    return secret;
}
