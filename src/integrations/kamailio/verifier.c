/* SPDX-License-Identifier: BSD-2-Clause */
#include "integrations/kamailio/verifier.h"

#include "base/digest.h"
#include "cert/cert.h"
#include "integrations/kamailio/codes.h"
#include "integrations/kamailio/options.h"
#include "passport/verify.h"
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

/* ---- the key */

/* A public key by itself, as P-256 SubjectPublicKeyInfo. */
static int spki_of_key(struct stk_bytes pem, uint8_t ret_spki[STK_SPKI_LENGTH])
{
    BIO *memory = BIO_new_mem_buf(pem.data, (int)pem.length);
    EVP_PKEY *key = memory != NULL ? PEM_read_bio_PUBKEY(memory, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL;
    int length = key != NULL ? i2d_PUBKEY(key, &der) : 0;
    int result = STK_KAM_CERT_INVALID;

    if (length == STK_SPKI_LENGTH) {
        memcpy(ret_spki, der, STK_SPKI_LENGTH);
        result = STK_KAM_OK;
    } else if (key != NULL) {
        result = STK_KAM_CERT_NOT_EC;
    }
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    BIO_free(memory);
    return result;
}

static int spki_of_certificate(struct stk_bytes pem, uint8_t ret_spki[STK_SPKI_LENGTH])
{
    struct stk_chain *chain = NULL;
    struct stk_arena arena = {0};
    struct stk_leaf leaf = {0};
    int result = STK_KAM_CERT_INVALID;

    if (stk_chain_read(pem, "certificate", &chain, NULL) == STIRKEEP_OK &&
        stk_arena_new(&arena, STK_CERT_FILE_MAX) == STIRKEEP_OK &&
        stk_chain_leaf(chain, &arena, &leaf, NULL) == STIRKEEP_OK) {
        memcpy(ret_spki, leaf.spki, STK_SPKI_LENGTH);
        result = leaf.p256 ? STK_KAM_OK : STK_KAM_CERT_NOT_EC;
    }
    stk_arena_free(&arena);
    stk_chain_free(chain);
    return result;
}

static int spki_of(struct stk_bytes key, uint8_t ret_spki[STK_SPKI_LENGTH])
{
    if (key.length == 0 || key.length > STK_CERT_FILE_MAX)
        return STK_KAM_CERT_FORMAT;
    if (memmem(key.data, key.length, "BEGIN PUBLIC KEY", strlen("BEGIN PUBLIC KEY")) != NULL)
        return spki_of_key(key, ret_spki);
    return spki_of_certificate(key, ret_spki);
}

/* ---- the value */

static int code_of(const struct stk_finding *finding)
{
    static const struct {
        const char *finding;
        int code;
    } codes[] = {{"HEADER-X5U", STK_KAM_HEADER_X5U}, {"INFO-NOT-X5U", STK_KAM_HEADER_X5U},
                 {"HEADER-ALG", STK_KAM_HEADER_ALG}, {"HEADER-TYP", STK_KAM_HEADER_TYP},
                 {"HEADER-PPT", STK_KAM_HEADER_PPT}, {"PPT-PARAMETER", STK_KAM_SIP_PPT},
                 {"ALG-PARAMETER", STK_KAM_SIP_ALG}, {"IAT-AGE", STK_KAM_PAYLOAD_STALE}};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(codes[i].finding, finding->code) == 0)
            return codes[i].code;
    return strncmp(finding->code, "HEADER", strlen("HEADER")) == 0 ? STK_KAM_HEADER
                                                                   : STK_KAM_PAYLOAD;
}

/* What libsecsipid leaves to parameters, and to whoever fetches. */
static bool is_of_info(const struct stk_finding *finding)
{
    return strcmp(finding->code, "INFO-MISSING") == 0 || strcmp(finding->code, "X5U-FORM") == 0;
}

static int judge(const struct stk_identity *identity, const struct stk_kam_verification *what)
{
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX] = {{0}};
    size_t count = stk_identity_judge(identity, what->now, what->expire_s, findings);

    for (size_t i = 0; i < count; i++)
        if (findings[i].fatal && !is_of_info(&findings[i]))
            return code_of(&findings[i]);
    return STK_KAM_OK;
}

/* As libsecsipid: of the types it is SHAKEN alone, and info has to be there. */
static int judge_parameters(const struct stk_identity *identity,
                            const struct stk_kam_verification *what)
{
    bool any = memchr(what->identity, ';', what->length) != NULL;

    if (what->parameters == STK_KAM_IGNORED || (!any && what->parameters == STK_KAM_OPTIONAL))
        return STK_KAM_OK;
    if (!any)
        return STK_KAM_SIP_HEADER;
    if (stk_kam_option_int("AttrsVerify", 1) == 0)
        return STK_KAM_OK;
    if (identity->ppt[0] != '\0' && strcmp(identity->ppt, "shaken") != 0)
        return STK_KAM_SIP_PPT;
    return identity->info[0] == '\0' ? STK_KAM_SIP_INFO : STK_KAM_OK;
}

static int parse(const struct stk_kam_verification *what, struct stk_identity *ret_identity)
{
    if (stk_identity_parse(what->identity, what->length, ret_identity, NULL) != STIRKEEP_OK)
        return STK_KAM_SIP_HEADER;
    if (!ret_identity->compact)
        return STK_KAM_OK;
    stk_identity_free(ret_identity);
    return STK_KAM_SIP_HEADER;
}

static int check_signature(const struct stk_identity *identity, struct stk_bytes key)
{
    uint8_t spki[STK_SPKI_LENGTH] = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    int result = spki_of(key, spki);

    if (result != STK_KAM_OK)
        return result;
    stk_sha256(identity->signing_input.data, identity->signing_input.length, digest);
    return stk_spki_verifies(spki, digest, identity->signature) ? STK_KAM_OK
                                                                : STK_KAM_SIGNATURE_INVALID;
}

int stk_kam_verify(const struct stk_kam_verification *what, struct stk_bytes key)
{
    struct stk_identity identity = {0};
    int result = parse(what, &identity);

    if (result != STK_KAM_OK)
        return result;
    result = judge(&identity, what);
    if (result == STK_KAM_OK)
        result = stk_kam_chain_check(key, what->now);
    if (result == STK_KAM_OK)
        result = check_signature(&identity, key);
    if (result == STK_KAM_OK)
        result = judge_parameters(&identity, what);
    stk_identity_free(&identity);
    return result;
}

int stk_kam_verify_at(const struct stk_kam_verification *what, const char *place)
{
    struct stk_identity identity = {0};
    struct stk_buffer content = {0};
    int result = STK_KAM_OK;

    if (place[0] == '\0') {
        result = parse(what, &identity);
        place = result == STK_KAM_OK ? identity.info : "";
        if (result == STK_KAM_OK && place[0] == '\0')
            result = STK_KAM_SIP_INFO;
        else if (result == STK_KAM_OK && strncmp(place, "http", strlen("http")) != 0)
            result = STK_KAM_URL_INVALID; /* a caller names no file of ours */
    }
    if (result == STK_KAM_OK)
        result = stk_kam_content(place, what->now, &content);
    if (result == STK_KAM_OK)
        result = stk_kam_verify(what, (struct stk_bytes){content.data, content.length});
    stk_buffer_free(&content);
    stk_identity_free(&identity);
    return result;
}
