/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdbool.h>

/*
 * Deriving a key with much work fails at once (the linker puts these functions in the place of
 * OpenSSL's): a fuzzer shall not spend its hours on what a file may cost, which STK_PBE_WORK_MAX
 * bounds and unit tests hold. The corpora's files ask for little.
 */
#define ITERATIONS_MAX 64

#define KEY_GEN_PARAMETERS                                                                         \
    const char *pass, int pass_length, unsigned char *salt, int salt_length, int id,               \
        int iterations, int length, unsigned char *out, const EVP_MD *digest,                      \
        OSSL_LIB_CTX *library, const char *query
#define INIT_PARAMETERS                                                                            \
    ASN1_OBJECT *oid, const char *pass, int pass_length, ASN1_TYPE *parameter,                     \
        EVP_CIPHER_CTX *context, int encrypts, OSSL_LIB_CTX *library, const char *query

int __real_PKCS12_key_gen_utf8_ex(KEY_GEN_PARAMETERS);
int __wrap_PKCS12_key_gen_utf8_ex(KEY_GEN_PARAMETERS);
int __real_EVP_PBE_CipherInit_ex(INIT_PARAMETERS);
int __wrap_EVP_PBE_CipherInit_ex(INIT_PARAMETERS);

int __wrap_PKCS12_key_gen_utf8_ex(KEY_GEN_PARAMETERS)
{
    return iterations <= ITERATIONS_MAX &&
           __real_PKCS12_key_gen_utf8_ex(pass, pass_length, salt, salt_length, id, iterations,
                                         length, out, digest, library, query);
}

static bool is_little(const ASN1_INTEGER *iterations)
{
    return iterations != NULL && ASN1_INTEGER_get(iterations) <= ITERATIONS_MAX;
}

static bool pbes2_is_cheap(const ASN1_TYPE *parameter)
{
    PBE2PARAM *both = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), parameter);
    PBKDF2PARAM *derivation = NULL;
    bool cheap = false;

    if (both != NULL && OBJ_obj2nid(both->keyfunc->algorithm) == NID_id_pbkdf2)
        derivation =
            ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), both->keyfunc->parameter);
    cheap = derivation != NULL && is_little(derivation->iter);
    PBKDF2PARAM_free(derivation);
    PBE2PARAM_free(both);
    return cheap;
}

static bool pbes1_is_cheap(const ASN1_TYPE *parameter)
{
    PBEPARAM *derivation = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), parameter);
    bool cheap = derivation != NULL && is_little(derivation->iter);

    PBEPARAM_free(derivation);
    return cheap;
}

int __wrap_EVP_PBE_CipherInit_ex(INIT_PARAMETERS)
{
    if (parameter == NULL ||
        !(OBJ_obj2nid(oid) == NID_pbes2 ? pbes2_is_cheap(parameter) : pbes1_is_cheap(parameter)))
        return 0;
    return __real_EVP_PBE_CipherInit_ex(oid, pass, pass_length, parameter, context, encrypts,
                                        library, query);
}
