/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_UPLOAD_INSIDE_H
#define STK_UPLOAD_INSIDE_H

#include "cert/pkcs12.h"
#include "upload/material.h"

/* What the files of this folder share. */

/* A file by its path, or its name in the upload's directory. `keep` as for stk_source_open; in an
 * upload's directory nothing is kept. */
enum stirkeep_status stk_material_open(const struct stk_material_paths *paths, const char *path,
                                       bool keep, struct stk_source **ret_source,
                                       struct stk_secret *ret_data, struct stk_error *error);

/* The file with the key into material->source, its key into material->key, and, of a bundle, its
 * chain. */
enum stirkeep_status stk_material_open_key(const struct stk_material_paths *paths, const char *path,
                                           bool bundle, struct stk_material *material,
                                           struct stk_error *error);

#endif
