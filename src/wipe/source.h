/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIPE_SOURCE_H
#define STK_WIPE_SOURCE_H

#include "base/error.h"
#include "base/secret.h"
#include <stdbool.h>

/*
 * An uploaded key file, read with the aim of removing it: opened without following a symbolic
 * link, identified by device, inode, size, times and content, so that what is removed is what was
 * read. Owned by the caller; one thread.
 */
struct stk_source;

/*
 * Open and read it into `ret_data` (owned by the caller). IO, TOO_LARGE, SOURCE_UNSAFE (symbolic
 * link, not a regular file, other hard links) with path and reason. With `keep` true (it will not
 * be removed) links are fine.
 */
enum stirkeep_status stk_source_open(const char *path, bool keep, struct stk_source **ret_source,
                                     struct stk_secret *ret_data, struct stk_error *error);

/* The same for the file `name` in an open directory, wherever that is by now; `path` is what
 * messages call it. */
enum stirkeep_status stk_source_open_at(int directory, const char *name, const char *path,
                                        bool keep, struct stk_source **ret_source,
                                        struct stk_secret *ret_data, struct stk_error *error);

/*
 * Could it be removed, as far as can be told now: is the path still this file, unchanged, without
 * other links, and may the caller write to it and to its directory? To be asked before the key is
 * imported. SOURCE_UNSAFE with the reason.
 */
enum stirkeep_status stk_source_removable(const struct stk_source *source, struct stk_error *error);

/*
 * Overwrite, sync, unlink, sync the directory (in that order; verified each). `ret_how` tells what
 * was done and what this file system can promise; it tells too when the directory could not be
 * synced, by which no key is left. SOURCE_UNSAFE when it changed since it was read: then nothing
 * was touched, or somebody else removed it meanwhile. IO: how far it got is in the message; what
 * was overwritten and not unlinked is there as remains.
 */
#define STK_SOURCE_HOW 256 /* with its end */
enum stirkeep_status stk_source_remove(struct stk_source *source, char ret_how[STK_SOURCE_HOW],
                                       struct stk_error *error);

/*
 * Is this the content of a key file whose removal was cut off between overwriting and unlinking?
 * It begins with a mark then.
 */
bool stk_source_is_remains(const struct stk_secret *data);

/*
 * One line that is to stand behind the mark, where the file has room for it: whoever finds the
 * remains learns from it what they are of. Nobody vouches for what is read there.
 */
#define STK_SOURCE_NOTE 128 /* with its end */
void stk_source_set_note(struct stk_source *source, const char *note);

/* The note in remains; false when there is none. */
bool stk_source_remains_note(const struct stk_secret *data, char ret_note[STK_SOURCE_NOTE]);

void stk_source_free(struct stk_source *source);

#endif
