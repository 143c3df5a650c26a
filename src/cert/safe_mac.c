/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/safe.h"

#include "base/wipe.h"
#include "cert/der.h"
#include "cert/kind.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pkcs12.h>

/* MacData {DigestInfo {digestAlgorithm, digest}, macSalt, iterations DEFAULT 1}. */
struct mac {
    struct stk_algorithm digest;
    struct stk_bytes expected;
    struct stk_bytes salt;
    uint64_t iterations;
};

static bool read_mac(struct stk_bytes mac_data, struct mac *ret_mac)
{
    struct stk_bytes info = {0};
    struct mac mac = {.iterations = 1};

    if (!stk_der_take(&mac_data, STK_DER_SEQUENCE, &info) ||
        !stk_algorithm_take(&info, &mac.digest) ||
        !stk_der_only(info, STK_DER_OCTET_STRING, &mac.expected) ||
        !stk_der_take(&mac_data, STK_DER_OCTET_STRING, &mac.salt))
        return false;
    if (mac_data.length > 0 && !stk_der_take_uint(&mac_data, &mac.iterations))
        return false;
    *ret_mac = mac;
    return mac_data.length == 0 && mac.iterations > 0;
}

/* RFC 7292 appendix B with ID 3, then HMAC. */
static bool mac_matches(const struct mac *mac, const EVP_MD *md, struct stk_bytes content,
                        const struct stk_passphrase *passphrase)
{
    uint8_t key[EVP_MAX_MD_SIZE] = {0};
    uint8_t made[EVP_MAX_MD_SIZE] = {0};
    unsigned made_length = 0;
    int size = EVP_MD_get_size(md);
    bool ok = PKCS12_key_gen_utf8_ex(passphrase->text, (int)passphrase->length,
                                     (unsigned char *)mac->salt.data, (int)mac->salt.length,
                                     PKCS12_MAC_ID, (int)mac->iterations, size, key, md, NULL,
                                     NULL) == 1 &&
              HMAC(md, key, size, content.data, content.length, made, &made_length) != NULL &&
              mac->expected.length == made_length &&
              CRYPTO_memcmp(made, mac->expected.data, made_length) == 0;

    stk_wipe(key, sizeof(key));
    return ok;
}

enum stirkeep_status stk_safe_check_mac(struct stk_bytes mac_data, struct stk_bytes content,
                                        struct stk_passphrase *passphrase, struct stk_error *error)
{
    struct mac mac = {0};
    char oid[STK_OID_TEXT];
    EVP_MD *md = NULL;
    bool ok = false;

    if (!read_mac(mac_data, &mac))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "its integrity code is not well-formed");
    if (!stk_passphrase_work(passphrase, mac.iterations))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "its integrity code asks for more work than %d iterations",
                             STK_PBE_WORK_MAX);
    stk_der_oid_text(mac.digest.oid, oid);
    md = EVP_MD_fetch(NULL, oid, NULL);
    if (md == NULL) {
        ERR_clear_error();
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "its integrity code (%s) is not supported", oid);
    }
    ok = mac_matches(&mac, md, content, passphrase);
    EVP_MD_free(md);
    ERR_clear_error();
    return ok ? STIRKEEP_OK : stk_decrypt_refused(error);
}
