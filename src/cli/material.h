/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_MATERIAL_H
#define STK_CLI_MATERIAL_H

#include "cert/cert.h"
#include "cert/key.h"
#include "wipe/source.h"

/* The files of an import, read and found to belong together. */
struct stk_material {
    struct stk_arena arena;
    struct stk_chain *chain;
    struct stk_leaf leaf; /* texts in arena */
    struct stk_source *source;
    struct stk_private_key key;
    bool remains; /* the key file is what a removal that was cut off has left; no key was read */
};

struct stk_material_paths {
    const char *cert;
    const char *chain;      /* NULL: none */
    const char *key;        /* never written to here */
    const char *passphrase; /* file; NULL: ask on the terminal when one is needed */
    bool keep_source;       /* otherwise it must be removable afterwards */
};

/*
 * Read the files and check what can be checked before the service is asked: the certificate's key
 * is P-256, the private key is readable and belongs to it (KEY_MISMATCH names both
 * fingerprints), the key file could be removed. Follow with stk_material_free, also on failure.
 */
enum stirkeep_status stk_material_read(const struct stk_material_paths *paths,
                                       struct stk_material *material, struct stk_error *error);

/* Its parts: the certificates alone; the key file alone (P-256, readable). */
enum stirkeep_status stk_material_read_certificates(const struct stk_material_paths *paths,
                                                    struct stk_material *material,
                                                    struct stk_error *error);
enum stirkeep_status stk_material_read_key(const struct stk_material_paths *paths,
                                           struct stk_material *material, struct stk_error *error);

/* Is `id` the key of the certificate? KEY_MISMATCH names both. */
enum stirkeep_status stk_material_check_match(const struct stk_material *material,
                                              const struct stk_key_id *id, struct stk_error *error);

/* Wipe the private key; the rest stays. */
void stk_material_wipe_key(struct stk_material *material);
void stk_material_free(struct stk_material *material);

/* Read a certificate file. */
enum stirkeep_status stk_chain_file(const char *path, struct stk_chain **ret_chain,
                                    struct stk_error *error);

#endif
