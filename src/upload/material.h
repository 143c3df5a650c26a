/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_UPLOAD_MATERIAL_H
#define STK_UPLOAD_MATERIAL_H

#include "cert/cert.h"
#include "cert/key.h"
#include "upload/sealed_file.h"
#include "wipe/source.h"

/* The files of an import, read and found to belong together. One thread. */
struct stk_material {
    struct stk_arena arena;
    struct stk_chain *chain;
    struct stk_leaf leaf;          /* texts in arena */
    struct stk_source *source;     /* the file with the key: the key's own, or the bundle */
    struct stk_source *passphrase; /* its file; only of an upload's directory, else NULL */
    struct stk_private_key key;    /* of the key's file or the bundle ... */
    struct stk_sealed_file sealed; /* ... or, sealed elsewhere, this */
    bool remains;                  /* the file with the key is what a removal that was cut off has
                                       left; no key was read ... */
    char note[STK_SOURCE_NOTE];    /* ... and this stood in it */
};

/* Have somebody say the passphrase of `thing`; the caller frees it. */
typedef enum stirkeep_status
stk_passphrase_asked(const char *thing, struct stk_secret *ret_passphrase, struct stk_error *error);

/* Which files; NULL: there is none. */
struct stk_material_paths {
    const char *cert;          /* certificate; its chain may follow */
    const char *chain;         /* more certificates */
    const char *key;           /* the same file as `cert`, by whatever path: it is a bundle */
    const char *bundle;        /* in the place of both: a PEM file with key and chain, or PKCS#12 */
    const char *sealed;        /* in the place of `key`: sealed elsewhere */
    const char *passphrase;    /* file; its first line */
    stk_passphrase_asked *ask; /* when there is no such file and one is needed; NULL: nobody is
                                  there */
    bool keep_source;          /* otherwise the file with the key must be removable afterwards */
    /* The directory of somebody who may be hostile, in which the paths are names; NULL: the paths
     * are the caller's own. There, no file is followed, shared (hard links) or kept. */
    const int *directory;
};

/*
 * Read the files and check what can be checked before the service is asked: the certificate's key
 * is P-256; the private key is readable and belongs to it (KEY_MISMATCH names both fingerprints);
 * no private key would stay behind among the certificates; the files could be removed
 * (SOURCE_UNSAFE). Nothing is written to. On failure no key is left in it; follow with
 * stk_material_free all the same.
 */
enum stirkeep_status stk_material_read(const struct stk_material_paths *paths,
                                       struct stk_material *material, struct stk_error *error);

/* Its parts: `cert` and `chain` alone; the key file alone (P-256, readable). */
enum stirkeep_status stk_material_read_certificates(const struct stk_material_paths *paths,
                                                    struct stk_material *material,
                                                    struct stk_error *error);
enum stirkeep_status stk_material_read_key(const struct stk_material_paths *paths,
                                           struct stk_material *material, struct stk_error *error);

/*
 * The key, sealed to the token's wrapping key, into material->sealed: the plaintext is wiped,
 * whatever comes of it. What was sealed elsewhere must be for this token (KEY_UNREADABLE).
 */
enum stirkeep_status stk_material_seal(const struct stk_material_paths *paths,
                                       struct stk_bytes wrapping_spki,
                                       struct stk_material *material, struct stk_error *error);

/* The fingerprint of the certificate whose key was in the file that has been overwritten: of the
 * certificate that was read, or else as the remains say. NULL: not known. */
const char *stk_material_remains_of(const struct stk_material *material);

void stk_material_free(struct stk_material *material);

/* Read a certificate file. */
enum stirkeep_status stk_chain_file(const char *path, struct stk_chain **ret_chain,
                                    struct stk_error *error);

/* Is it a PKCS#12 file, as far as can be seen? */
bool stk_is_pkcs12_file(const char *path);

/* Is there a private key in PEM in a text that is taken for public? */
bool stk_holds_private_key(struct stk_bytes text);

#endif
