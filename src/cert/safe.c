/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/safe.h"

#include "cert/ber.h"
#include "cert/der.h"
#include "cert/kind.h"
#include <openssl/crypto.h>
#include <string.h>

#define NESTING_MAX 4 /* of SafeContents in SafeContents */

static const char oid_data[] = "1.2.840.113549.1.7.1";
static const char oid_encrypted_data[] = "1.2.840.113549.1.7.6";
static const char oid_bag_key[] = "1.2.840.113549.1.12.10.1.1";
static const char oid_bag_shrouded_key[] = "1.2.840.113549.1.12.10.1.2";
static const char oid_bag_certificate[] = "1.2.840.113549.1.12.10.1.3";
static const char oid_bag_contents[] = "1.2.840.113549.1.12.10.1.6";
static const char oid_x509_certificate[] = "1.2.840.113549.1.9.22.1";

struct walk {
    struct stk_safe *safe;
    struct stk_passphrase *passphrase;
    struct stk_error *error;
};

static enum stirkeep_status broken(struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "not a well-formed PKCS#12 file");
}

/* Take an OBJECT IDENTIFIER as text. */
static bool take_oid(struct stk_bytes *in, char ret_oid[STK_OID_TEXT])
{
    struct stk_bytes oid = {0};

    if (!stk_der_take(in, STK_DER_OID, &oid))
        return false;
    stk_der_oid_text(oid, ret_oid);
    return true;
}

/* Keep a decrypted or rewritten piece until the safe is freed. */
static enum stirkeep_status keep(struct walk *walk, struct stk_secret *layer,
                                 struct stk_bytes *ret_view)
{
    struct stk_safe *safe = walk->safe;

    if (safe->layer_count == STK_SAFE_LAYERS_MAX) {
        stk_secret_free(layer);
        return stk_error_set(walk->error, STIRKEEP_TOO_LARGE, "more than %d pieces in PKCS#12",
                             STK_SAFE_LAYERS_MAX);
    }
    safe->layers[safe->layer_count++] = *layer;
    *ret_view = (struct stk_bytes){layer->data, layer->length};
    return STIRKEEP_OK;
}

/* BER into a kept piece of DER. */
static enum stirkeep_status rewrite(struct walk *walk, struct stk_bytes ber,
                                    struct stk_bytes *ret_der)
{
    struct stk_secret der = {0};
    enum stirkeep_status status = stk_ber_to_der(ber, &der);

    if (status == STIRKEEP_NO_MEMORY)
        return stk_error_set(walk->error, status, "no memory");
    if (status != STIRKEEP_OK)
        return broken(walk->error);
    return keep(walk, &der, ret_der);
}

/* Decrypt into a kept piece. */
static enum stirkeep_status decrypt(struct walk *walk, struct stk_bytes algorithm,
                                    struct stk_bytes sealed, struct stk_bytes *ret_plain)
{
    struct stk_secret plain = {0};
    enum stirkeep_status status =
        stk_decrypt_pbe(algorithm, sealed, walk->passphrase, &plain, walk->error);

    return status == STIRKEEP_OK ? keep(walk, &plain, ret_plain) : status;
}

/* GnuTLS' certtool writes the same key twice; that is one. */
static void take_key(struct stk_safe *safe, struct stk_bytes key)
{
    if (safe->key_count > 0 && safe->key.length == key.length &&
        CRYPTO_memcmp(safe->key.data, key.data, key.length) == 0)
        return;
    safe->key = key;
    safe->key_count++;
}

static enum stirkeep_status take_shrouded_key(struct walk *walk, struct stk_bytes value)
{
    struct stk_bytes inside = {0};
    struct stk_bytes algorithm = {0};
    struct stk_bytes sealed = {0};
    struct stk_bytes key = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_der_only(value, STK_DER_SEQUENCE, &inside) ||
        !stk_der_next(&inside, NULL, NULL, &algorithm) ||
        !stk_der_only(inside, STK_DER_OCTET_STRING, &sealed))
        return broken(walk->error);
    status = decrypt(walk, algorithm, sealed, &key);
    if (status == STIRKEEP_OK)
        take_key(walk->safe, key);
    return status;
}

/* CertBag {certId, [0] certValue}. */
static enum stirkeep_status take_certificate(struct walk *walk, struct stk_bytes value)
{
    struct stk_safe *safe = walk->safe;
    struct stk_bytes inside = {0};
    struct stk_bytes tagged = {0};
    struct stk_bytes der = {0};
    char oid[STK_OID_TEXT];

    if (!stk_der_only(value, STK_DER_SEQUENCE, &inside) || !take_oid(&inside, oid) ||
        !stk_der_only(inside, STK_DER_CONSTRUCTED(0), &tagged) ||
        !stk_der_only(tagged, STK_DER_OCTET_STRING, &der))
        return broken(walk->error);
    if (strcmp(oid, oid_x509_certificate) != 0)
        return STIRKEEP_OK;
    if (safe->certificate_count == STK_SAFE_CERTIFICATES_MAX)
        return stk_error_set(walk->error, STIRKEEP_TOO_LARGE, "more than %d certificates",
                             STK_SAFE_CERTIFICATES_MAX);
    safe->certificates[safe->certificate_count++] = der;
    return STIRKEEP_OK;
}

static enum stirkeep_status walk_contents(struct walk *walk, struct stk_bytes der, unsigned depth);

/* SafeBag {bagId, [0] bagValue, attributes OPTIONAL}. */
static enum stirkeep_status walk_bag(struct walk *walk, struct stk_bytes bag, unsigned depth)
{
    struct stk_bytes value = {0};
    char oid[STK_OID_TEXT];

    if (!take_oid(&bag, oid) || !stk_der_take(&bag, STK_DER_CONSTRUCTED(0), &value))
        return broken(walk->error);
    if (strcmp(oid, oid_bag_shrouded_key) == 0)
        return take_shrouded_key(walk, value);
    if (strcmp(oid, oid_bag_certificate) == 0)
        return take_certificate(walk, value);
    if (strcmp(oid, oid_bag_contents) == 0)
        return depth < NESTING_MAX ? walk_contents(walk, value, depth + 1) : broken(walk->error);
    if (strcmp(oid, oid_bag_key) == 0)
        take_key(walk->safe, value);
    return STIRKEEP_OK;
}

static enum stirkeep_status walk_contents(struct walk *walk, struct stk_bytes der, unsigned depth)
{
    struct stk_bytes bags = {0};
    struct stk_bytes bag = {0};

    if (!stk_der_only(der, STK_DER_SEQUENCE, &bags))
        return broken(walk->error);
    while (bags.length > 0) {
        enum stirkeep_status status = STIRKEEP_OK;

        if (!stk_der_take(&bags, STK_DER_SEQUENCE, &bag))
            return broken(walk->error);
        status = walk_bag(walk, bag, depth);
        if (status != STIRKEEP_OK)
            return status;
    }
    return STIRKEEP_OK;
}

/* encryptedContent [0] IMPLICIT OCTET STRING: in one piece, or (BER) in several. */
static enum stirkeep_status sealed_of(struct walk *walk, struct stk_bytes info,
                                      struct stk_bytes *ret_sealed)
{
    struct stk_bytes pieces = {0};
    struct stk_bytes piece = {0};
    struct stk_secret joined = {0};

    if (stk_der_only(info, STK_DER_CONTEXT(0), ret_sealed))
        return STIRKEEP_OK;
    if (!stk_der_only(info, STK_DER_CONSTRUCTED(0), &pieces))
        return broken(walk->error);
    if (stk_secret_new(&joined, pieces.length) != STIRKEEP_OK)
        return stk_error_set(walk->error, STIRKEEP_NO_MEMORY, "no memory");
    while (stk_der_take(&pieces, STK_DER_OCTET_STRING, &piece)) {
        memcpy(joined.data + joined.length, piece.data, piece.length);
        joined.length += piece.length;
    }
    if (pieces.length > 0) {
        stk_secret_free(&joined);
        return broken(walk->error);
    }
    return keep(walk, &joined, ret_sealed);
}

/* EncryptedData {0, {data, contentEncryptionAlgorithm, [0] encryptedContent}}. */
static enum stirkeep_status open_encrypted(struct walk *walk, struct stk_bytes tagged,
                                           struct stk_bytes *ret_contents)
{
    struct stk_bytes data = {0};
    struct stk_bytes info = {0};
    struct stk_bytes algorithm = {0};
    struct stk_bytes sealed = {0};
    uint64_t version = 0;
    char oid[STK_OID_TEXT];
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_der_only(tagged, STK_DER_SEQUENCE, &data) || !stk_der_take_uint(&data, &version) ||
        !stk_der_take(&data, STK_DER_SEQUENCE, &info) || !take_oid(&info, oid) ||
        !stk_der_next(&info, NULL, NULL, &algorithm))
        return broken(walk->error);
    status = sealed_of(walk, info, &sealed);
    return status == STIRKEEP_OK ? decrypt(walk, algorithm, sealed, ret_contents) : status;
}

/* ContentInfo {contentType, [0] content}: its SafeContents, still BER. */
static enum stirkeep_status open_content_info(struct walk *walk, struct stk_bytes info,
                                              struct stk_bytes *ret_contents)
{
    struct stk_bytes tagged = {0};
    char oid[STK_OID_TEXT];

    if (!take_oid(&info, oid) || !stk_der_only(info, STK_DER_CONSTRUCTED(0), &tagged))
        return broken(walk->error);
    if (strcmp(oid, oid_encrypted_data) == 0)
        return open_encrypted(walk, tagged, ret_contents);
    if (strcmp(oid, oid_data) != 0)
        return stk_error_set(walk->error, STIRKEEP_KEY_UNREADABLE,
                             "PKCS#12 with content of type %s is not supported", oid);
    return stk_der_only(tagged, STK_DER_OCTET_STRING, ret_contents) ? STIRKEEP_OK
                                                                    : broken(walk->error);
}

static enum stirkeep_status walk_safes(struct walk *walk, struct stk_bytes safes)
{
    struct stk_bytes info = {0};

    while (safes.length > 0) {
        struct stk_bytes contents = {0};
        enum stirkeep_status status = STIRKEEP_OK;

        if (!stk_der_take(&safes, STK_DER_SEQUENCE, &info))
            return broken(walk->error);
        status = open_content_info(walk, info, &contents);
        if (status == STIRKEEP_OK)
            status = rewrite(walk, contents, &contents);
        if (status == STIRKEEP_OK)
            status = walk_contents(walk, contents, 0);
        if (status != STIRKEEP_OK)
            return status;
    }
    return STIRKEEP_OK;
}

/* Without a passphrase PKCS#12 knows two: none, and the empty one. */
static enum stirkeep_status check_integrity(struct walk *walk, struct stk_bytes pfx,
                                            struct stk_bytes content)
{
    struct stk_bytes mac_data = {0};
    bool none_given = walk->passphrase->text == NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (pfx.length == 0) {
        if (none_given)
            walk->passphrase->text = "";
        return STIRKEEP_OK;
    }
    if (!stk_der_only(pfx, STK_DER_SEQUENCE, &mac_data))
        return broken(walk->error);
    status = stk_safe_check_mac(mac_data, content, walk->passphrase, walk->error);
    if (status == STIRKEEP_OK || !none_given)
        return status;
    walk->passphrase->text = "";
    status = stk_safe_check_mac(mac_data, content, walk->passphrase, walk->error);
    if (status == STIRKEEP_OK)
        return status;
    return stk_error_set(walk->error, STIRKEEP_KEY_UNREADABLE,
                         "the PKCS#12 file is encrypted; its passphrase is needed");
}

enum stirkeep_status stk_safe_open(struct stk_bytes file, struct stk_passphrase *passphrase,
                                   struct stk_safe *safe, struct stk_error *error)
{
    struct walk walk = {.safe = safe, .passphrase = passphrase, .error = error};
    struct stk_bytes pfx = {0};
    struct stk_bytes info = {0};
    struct stk_bytes tagged = {0};
    struct stk_bytes content = {0};
    uint64_t version = 0;
    char oid[STK_OID_TEXT];
    enum stirkeep_status status = rewrite(&walk, file, &file);

    if (status != STIRKEEP_OK)
        return status;
    if (!stk_der_only(file, STK_DER_SEQUENCE, &pfx) || !stk_der_take_uint(&pfx, &version) ||
        version != 3 || !stk_der_take(&pfx, STK_DER_SEQUENCE, &info) || !take_oid(&info, oid) ||
        !stk_der_only(info, STK_DER_CONSTRUCTED(0), &tagged))
        return broken(error);
    if (strcmp(oid, oid_data) != 0)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "PKCS#12 protected by a public key is not supported");
    if (!stk_der_only(tagged, STK_DER_OCTET_STRING, &content))
        return broken(error);
    status = check_integrity(&walk, pfx, content);
    if (status == STIRKEEP_OK)
        status = rewrite(&walk, content, &content);
    if (status != STIRKEEP_OK)
        return status;
    if (!stk_der_only(content, STK_DER_SEQUENCE, &info))
        return broken(error);
    return walk_safes(&walk, info);
}

void stk_safe_free(struct stk_safe *safe)
{
    for (size_t i = 0; i < safe->layer_count; i++)
        stk_secret_free(&safe->layers[i]);
    *safe = (struct stk_safe){0};
}
