/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CATALOG_VERSION_1_H
#define TEST_CATALOG_VERSION_1_H

/* What stirkeep made of an empty file when its catalog was of version 1, to the letter. */
extern const char version_1_schema[];

/* Rows of every kind that it allowed. */
extern const char version_1_rows[];

#endif
