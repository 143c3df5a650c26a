/* SPDX-License-Identifier: BSD-2-Clause */
#include "yard.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400
#define FILE_MAX (300 * 1024)

const char *yard_at(const struct yard *yard, const char *name)
{
    static char paths[8][512];
    static unsigned turn;
    char *path = paths[turn++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", yard->path, name);
    return path;
}

void yard_write(const struct yard *yard, const char *name, const void *data, size_t length)
{
    FILE *file = fopen(yard_at(yard, name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

void yard_text(const struct yard *yard, const char *name, const char *text)
{
    yard_write(yard, name, text, strlen(text));
}

const char *yard_read(const struct yard *yard, const char *name)
{
    static char texts[8][FILE_MAX];
    static unsigned turn;
    char *text = texts[turn++ % 8];
    FILE *file = fopen(yard_at(yard, name), "r");

    assert_non_null(file);
    text[fread(text, 1, FILE_MAX - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

void yard_join(const struct yard *yard, const char *name, const char *one, const char *other)
{
    char text[16384] = "";

    (void)snprintf(text, sizeof(text), "%s%s", yard_read(yard, one), yard_read(yard, other));
    yard_text(yard, name, text);
}

bool yard_has(const struct yard *yard, const char *name)
{
    return access(yard_at(yard, name), F_OK) == 0;
}

static void write_key(const struct yard *yard, const char *name, EVP_PKEY *key,
                      const char *passphrase)
{
    FILE *file = fopen(yard_at(yard, name), "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_PKCS8PrivateKey(
                         file, key, passphrase != NULL ? EVP_aes_256_cbc() : NULL, passphrase,
                         passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL),
                     1);
    assert_int_equal(fclose(file), 0);
}

static void extend(X509 *x509, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void set_name(X509_NAME *name, const char *text)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)text, -1, -1, 0),
                     1);
}

static X509 *certify(const struct yard *yard, const char *name, EVP_PKEY *key, bool ca)
{
    char file_name[64] = "";
    X509 *x509 = X509_new();
    FILE *file = NULL;

    (void)snprintf(file_name, sizeof(file_name), "%s.pem", name);
    assert_int_equal(X509_set_version(x509, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), ca ? 1 : 4711), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), -DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 30L * DAY));
    set_name(X509_get_subject_name(x509), name);
    set_name(X509_get_issuer_name(x509), "ca");
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    extend(x509, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    assert_true(X509_sign(x509, yard->ca_key, EVP_sha256()) > 0);
    file = fopen(yard_at(yard, file_name), "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, x509), 1);
    assert_int_equal(fclose(file), 0);
    return x509;
}

static void write_pkcs12(const struct yard *yard, const char *name, const char *passphrase)
{
    STACK_OF(X509) *more = sk_X509_new_null();
    PKCS12 *pkcs12 = NULL;
    FILE *file = fopen(yard_at(yard, name), "w");

    assert_non_null(file);
    assert_true(sk_X509_push(more, yard->ca) > 0);
    pkcs12 = PKCS12_create(passphrase, "leaf", yard->key, yard->leaf, more, 0, 0, 2048, 2048, 0);
    assert_non_null(pkcs12);
    assert_int_equal(i2d_PKCS12_fp(file, pkcs12), 1);
    assert_int_equal(fclose(file), 0);
    PKCS12_free(pkcs12);
    sk_X509_free(more);
}

static void fill(struct yard *yard)
{
    X509 *other = NULL;

    yard->ca = certify(yard, "ca", yard->ca_key, true);
    yard->leaf = certify(yard, "leaf", yard->key, false);
    other = certify(yard, "other", yard->other, false);
    write_key(yard, "leaf.key", yard->key, NULL);
    write_key(yard, "locked.key", yard->key, YARD_PASSPHRASE);
    write_key(yard, "other.key", yard->other, NULL);
    yard_join(yard, "chain.pem", "leaf.pem", "ca.pem");
    yard_join(yard, "bundle.pem", "leaf.key", "chain.pem");
    yard_join(yard, "locked.pem", "chain.pem", "locked.key");
    write_pkcs12(yard, "bundle.p12", YARD_PASSPHRASE);
    write_pkcs12(yard, "open.p12", "");
    X509_free(other);
}

int yard_set_up(void **state)
{
    struct yard *yard = calloc(1, sizeof(*yard));

    (void)snprintf(yard->path, sizeof(yard->path), "/tmp/stk-upload-XXXXXX");
    assert_non_null(mkdtemp(yard->path));
    yard->directory = open(yard->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(yard->directory >= 0);
    yard->ca_key = EVP_EC_gen("P-256");
    yard->key = EVP_EC_gen("P-256");
    yard->other = EVP_EC_gen("P-256");
    fill(yard);
    *state = yard;
    return 0;
}

int yard_tear_down(void **state)
{
    struct yard *yard = *state;
    DIR *directory = opendir(yard->path);

    stk_material_free(&yard->material);
    (void)fchmod(yard->directory, 0700);
    for (struct dirent *entry = NULL; (entry = readdir(directory)) != NULL;)
        if (unlinkat(yard->directory, entry->d_name, 0) != 0)
            (void)unlinkat(yard->directory, entry->d_name, AT_REMOVEDIR);
    (void)closedir(directory);
    (void)close(yard->directory);
    assert_int_equal(rmdir(yard->path), 0);
    X509_free(yard->ca);
    X509_free(yard->leaf);
    EVP_PKEY_free(yard->ca_key);
    EVP_PKEY_free(yard->key);
    EVP_PKEY_free(yard->other);
    free(yard);
    return 0;
}

enum stirkeep_status yard_material(struct yard *yard, const struct stk_material_paths *paths)
{
    stk_material_free(&yard->material);
    yard->error = (struct stk_error){0};
    return stk_material_read(paths, &yard->material, &yard->error);
}

void yard_refused(struct yard *yard, const struct stk_material_paths *paths,
                  enum stirkeep_status status, const char *one, const char *other)
{
    enum stirkeep_status found = yard_material(yard, paths);

    if (found != status || strstr(yard->error.message, one) == NULL ||
        strstr(yard->error.message, other) == NULL)
        fail_msg("%s (%s) instead of %s with '%s' and '%s'", stirkeep_status_name(found),
                 yard->error.message, stirkeep_status_name(status), one, other);
    assert_int_equal(yard->error.status, status);
    assert_null(yard->material.key.pkcs8.data);
    assert_null(yard->material.sealed.sealed.data);
}
