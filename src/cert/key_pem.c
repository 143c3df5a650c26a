/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/key_open.h"

#include "cert/der.h"
#include "cert/key_plain.h"
#include "cert/kind.h"
#include "cert/pem.h"
#include <string.h>

/* What a file of PEM blocks has. */
struct blocks {
    struct stk_pem_block key; /* the first private key */
    size_t keys;
    struct stk_pem_block curve; /* EC PARAMETERS */
    struct stk_pem_block other;
};

static bool is_private_key(const struct stk_pem_block *block)
{
    static const char ending[] = "PRIVATE KEY";
    size_t length = strlen(ending);

    return block->label.length >= length &&
           memcmp(block->label.data + block->label.length - length, ending, length) == 0;
}

static enum stirkeep_status sort_blocks(struct stk_bytes file, struct blocks *blocks,
                                        struct stk_error *error)
{
    struct stk_pem_reader reader = {.rest = file};
    struct stk_pem_block block = {0};

    for (;;) {
        enum stirkeep_status status = stk_pem_next(&reader, &block, error);

        if (status != STIRKEEP_OK)
            return status;
        if (block.label.length == 0)
            return STIRKEEP_OK;
        if (stk_pem_labelled(&block, "EC PARAMETERS"))
            blocks->curve = block;
        else if (!is_private_key(&block))
            blocks->other = block;
        else if (blocks->keys++ == 0)
            blocks->key = block;
    }
}

/* What there is instead of a private key. */
static enum stirkeep_status none_found(const struct blocks *blocks, struct stk_error *error)
{
    static const struct {
        const char *label;
        enum stk_file_kind kind;
    } known[] = {
        {"CERTIFICATE", STK_FILE_CERTIFICATE},
        {"X509 CERTIFICATE", STK_FILE_CERTIFICATE},
        {"TRUSTED CERTIFICATE", STK_FILE_CERTIFICATE},
        {"CERTIFICATE REQUEST", STK_FILE_REQUEST},
        {"NEW CERTIFICATE REQUEST", STK_FILE_REQUEST},
        {"PUBLIC KEY", STK_FILE_PUBLIC_KEY},
        {"PKCS7", STK_FILE_PKCS7},
    };
    const struct stk_pem_block *other = &blocks->other;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (stk_pem_labelled(other, known[i].label))
            return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "no private key in it; it is %s",
                                 stk_file_kind_text(known[i].kind));
    if (other->label.length == 0)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "no private key in it; it is %s",
                             stk_file_kind_text(STK_FILE_CURVE));
    return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "no private key in it; found %.*s",
                         (int)other->label.length, (const char *)other->label.data);
}

/* The body of a block in secret memory. */
static enum stirkeep_status decode(const struct stk_pem_block *block, struct stk_secret *ret_der,
                                   struct stk_error *error)
{
    struct stk_secret der = {0};

    if (stk_secret_new(&der, stk_pem_body_room(block)) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "no memory");
    if (!stk_pem_decode(block, der.data, &der.length)) {
        stk_secret_free(&der);
        return stk_error_set(
            error, STIRKEEP_KEY_UNREADABLE, "the %.*s of line %zu is not base64, or cut off",
            (int)block->label.length, (const char *)block->label.data, block->line);
    }
    *ret_der = der;
    return STIRKEEP_OK;
}

/* "Proc-Type: 4,ENCRYPTED": SEC1 below a cipher that the next line names. */
static enum stirkeep_status
open_traditional(const struct stk_pem_block *block, const struct stk_secret *sealed,
                 struct stk_bytes curve, struct stk_passphrase *passphrase,
                 struct stk_private_key *ret_key, struct stk_error *error)
{
    struct stk_secret plain = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (passphrase->text == NULL)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "the private key is encrypted; its passphrase is needed");
    status = stk_decrypt_pem(stk_pem_header(block, "DEK-Info"),
                             (struct stk_bytes){sealed->data, sealed->length}, passphrase, &plain,
                             error);
    if (status != STIRKEEP_OK)
        return status;
    if (stk_file_kind_of((struct stk_bytes){plain.data, plain.length}) == STK_FILE_UNKNOWN)
        status = stk_decrypt_refused(error);
    else
        status = stk_key_open_value((struct stk_bytes){plain.data, plain.length}, curve, true,
                                    passphrase, ret_key, error);
    stk_secret_free(&plain);
    if (status == STIRKEEP_OK)
        ret_key->form = "encrypted SEC1 PEM";
    return status;
}

/* The label tells what cannot be read, or need not be decrypted. */
static enum stirkeep_status check_label(const struct stk_pem_block *block, bool encrypted,
                                        struct stk_error *error)
{
    if (stk_pem_labelled(block, "OPENSSH PRIVATE KEY"))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "it is an OpenSSH key; ssh-keygen -p -m PKCS8 makes it readable");
    if (encrypted && stk_pem_labelled(block, "RSA PRIVATE KEY"))
        return stk_key_refuse_type("encrypted RSA key", error);
    if (encrypted && stk_pem_labelled(block, "DSA PRIVATE KEY"))
        return stk_key_refuse_type("encrypted DSA key", error);
    return STIRKEEP_OK;
}

static enum stirkeep_status open_block(const struct stk_pem_block *block, struct stk_bytes curve,
                                       struct stk_passphrase *passphrase,
                                       struct stk_private_key *ret_key, struct stk_error *error)
{
    struct stk_secret der = {0};
    struct stk_bytes type = stk_pem_header(block, "Proc-Type");
    bool encrypted = type.length > 0 && memmem(type.data, type.length, "ENCRYPTED", 9) != NULL;
    enum stirkeep_status status = check_label(block, encrypted, error);

    if (status == STIRKEEP_OK)
        status = decode(block, &der, error);
    if (status != STIRKEEP_OK)
        return status;
    if (encrypted)
        status = open_traditional(block, &der, curve, passphrase, ret_key, error);
    else
        status = stk_key_open_value((struct stk_bytes){der.data, der.length}, curve, true,
                                    passphrase, ret_key, error);
    stk_secret_free(&der);
    return status;
}

enum stirkeep_status stk_key_open_pem(struct stk_bytes file, struct stk_passphrase *passphrase,
                                      struct stk_private_key *ret_key, struct stk_error *error)
{
    struct blocks blocks = {0};
    struct stk_secret curve = {0};
    enum stirkeep_status status = sort_blocks(file, &blocks, error);

    if (status != STIRKEEP_OK)
        return status;
    if (blocks.keys == 0)
        return none_found(&blocks, error);
    if (blocks.keys > 1)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "%zu private keys in it; one is wanted", blocks.keys);
    if (blocks.curve.label.length > 0)
        status = decode(&blocks.curve, &curve, error);
    if (status == STIRKEEP_OK)
        status = open_block(&blocks.key, (struct stk_bytes){curve.data, curve.length}, passphrase,
                            ret_key, error);
    stk_secret_free(&curve);
    return status;
}
