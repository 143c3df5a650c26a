/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_UPLOAD_YARD_H
#define STK_TEST_UPLOAD_YARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

#include "upload/material.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

/*
 * A directory with an upload's files in all their forms, made at run time: ca.pem, leaf.pem,
 * leaf.key, locked.key (passphrase below), other.key and other.pem (another pair), chain.pem,
 * bundle.pem (key, leaf, CA), locked.pem (the same with the locked key), bundle.p12 (passphrase),
 * open.p12 (none). Fails by cmocka.
 */
struct yard {
    char path[64];
    int directory;
    EVP_PKEY *ca_key;
    EVP_PKEY *key;
    EVP_PKEY *other;
    X509 *ca;
    X509 *leaf;
    struct stk_material material;
    struct stk_error error;
};

#define YARD_PASSPHRASE "open sesame"

/* cmocka set-up and tear-down. */
int yard_set_up(void **state);
int yard_tear_down(void **state);

/* The whole path of a file in it; one of 8 texts, used in turns. */
const char *yard_at(const struct yard *yard, const char *name);
void yard_write(const struct yard *yard, const char *name, const void *data, size_t length);
void yard_text(const struct yard *yard, const char *name, const char *text);
/* Whole, '\0' behind it; one of 8, used in turns. */
const char *yard_read(const struct yard *yard, const char *name);
void yard_join(const struct yard *yard, const char *name, const char *one, const char *other);
bool yard_has(const struct yard *yard, const char *name);

/* Read it; what a former reading left is freed before. */
enum stirkeep_status yard_material(struct yard *yard, const struct stk_material_paths *paths);

/* It must fail with this status and all these texts in its message. */
void yard_refused(struct yard *yard, const struct stk_material_paths *paths,
                  enum stirkeep_status status, const char *one, const char *other);

#endif
