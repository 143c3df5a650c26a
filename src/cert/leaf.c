/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/chain.h"

#include "base/digest.h"
#include "base/encode.h"
#include "cert/tnauthlist.h"
#include <assert.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define NUMBERS_TOLD 4 /* entries in words */
#define NUMBERS_TEXT 256

/* A name as RFC 2253 text; control and other characters come out escaped. NULL without memory. */
static const char *name_text(const X509_NAME *name, struct stk_arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *text = NULL;
    char *data = NULL;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        long length = BIO_get_mem_data(bio, &data);
        text = stk_arena_copy(arena, data, length > 0 ? (size_t)length : 0);
    }
    BIO_free(bio);
    return text;
}

static const char *serial_text(const X509 *x509, struct stk_arena *arena)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    const char *text = hex != NULL ? stk_arena_copy(arena, hex, strlen(hex)) : NULL;

    OPENSSL_free(hex);
    BN_free(number);
    return text;
}

/* The list of a certificate; empty when it has none or is not well-formed (which the gate reports). */
static struct stk_tnauthlist read_list(const X509 *x509)
{
    struct stk_tnauthlist list = {0};
    struct stk_bytes der = {0};

    if (stk_extension_find(x509, STK_OID_TNAUTHLIST, &der))
        (void)stk_tnauthlist_parse(der, &list, NULL);
    return list;
}

/* The first SPC; "" when there is none. */
static const char *spc_text(const struct stk_tnauthlist *list, struct stk_arena *arena)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].kind == STK_TNAUTH_SPC)
            return stk_arena_copy(arena, list->entries[i].text, strlen(list->entries[i].text));
    return "";
}

/* "12025550100 and 99 more, 12025550300 (3 more entries)"; "" when there are none. */
static const char *numbers_text(const struct stk_tnauthlist *list, struct stk_arena *arena)
{
    char text[NUMBERS_TEXT] = "";
    size_t length = 0;
    size_t told = 0;
    size_t entries = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct stk_tnauth_entry *entry = &list->entries[i];
        char more[32] = "";

        if (entry->kind == STK_TNAUTH_SPC || entries++ >= NUMBERS_TOLD)
            continue;
        if (entry->kind == STK_TNAUTH_RANGE)
            (void)snprintf(more, sizeof(more), " and %u more", (unsigned)entry->count - 1);
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s",
                                   told++ > 0 ? ", " : "", entry->text, more);
    }
    if (entries > told)
        (void)snprintf(text + length, sizeof(text) - length, " (%zu more entries)", entries - told);
    return stk_arena_copy(arena, text, strlen(text));
}

enum stirkeep_status stk_chain_leaf(const struct stk_chain *chain, struct stk_arena *arena,
                                    struct stk_leaf *ret_leaf, struct stk_error *error)
{
    const struct stk_chain_item *item = &chain->items[0];
    struct stk_tnauthlist list = read_list(item->x509);
    uint8_t digest[STK_DIGEST_LENGTH];
    struct stk_leaf leaf = {
        .not_before = item->not_before,
        .not_after = item->not_after,
        .key_id = item->key.id,
        .p256 = item->key.p256,
    };

    assert(chain->count > 0);
    leaf.subject = name_text(X509_get_subject_name(item->x509), arena);
    leaf.issuer = name_text(X509_get_issuer_name(item->x509), arena);
    leaf.serial = serial_text(item->x509, arena);
    leaf.key = stk_arena_copy(arena, item->key.kind, strlen(item->key.kind));
    leaf.spc = spc_text(&list, arena);
    leaf.numbers = numbers_text(&list, arena);
    stk_tnauthlist_free(&list);
    ERR_clear_error();
    if (leaf.subject == NULL || leaf.issuer == NULL || leaf.serial == NULL || leaf.key == NULL ||
        leaf.spc == NULL || leaf.numbers == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "certificate: no memory for its texts");
    stk_sha256(item->der.data, item->der.length, digest);
    stk_hex_encode(digest, sizeof(digest), leaf.fingerprint);
    memcpy(leaf.spki, item->key.spki, sizeof(leaf.spki));
    *ret_leaf = leaf;
    return STIRKEEP_OK;
}

bool stk_spki_verifies(const uint8_t spki[STK_SPKI_LENGTH], const uint8_t digest[STK_DIGEST_LENGTH],
                       const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    EVP_PKEY *pkey = stk_p256_pkey((struct stk_bytes){spki, STK_SPKI_LENGTH});
    bool ok = pkey != NULL && stk_p256_verifies(pkey, digest, signature);

    EVP_PKEY_free(pkey);
    return ok;
}

bool stk_chain_verifies(const struct stk_chain *chain, const uint8_t digest[STK_DIGEST_LENGTH],
                        const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    const struct stk_subject_key *key = &chain->items[0].key;

    return key->p256 && stk_spki_verifies(key->spki, digest, signature);
}
