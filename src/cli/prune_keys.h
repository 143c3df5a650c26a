/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_PRUNE_KEYS_H
#define STK_CLI_PRUNE_KEYS_H

#include "cli/report_tally.h"
#include "cli/trail_files.h"
#include "model/key_id.h"

/*
 * Which keys a trail has records of, in which of its files, and when each of them ended. A key has
 * ended when the trail says that it was destroyed (and nothing was done with it after that), else
 * when the last of its certificates expires, where that is known. A key that was only refused has
 * never been one. The audit key, which every file has, is not among them. One thread.
 */
#define STK_PRUNE_KEYS_MAX 1000000

struct stk_prune_key {
    char id[2 * STK_KEY_ID_LENGTH + 1];
    char name[STK_NAME_MAX + 1]; /* "": none is known */
    bool held;                   /* it was on the token */
    int64_t destroyed_us;        /* 0: not by the trail */
    int64_t last_us;             /* its last record */
    int64_t not_after_s;         /* of its certificates; 0: not known */
    uint32_t last_file;
};

/* A key has records in a file. */
struct stk_prune_place {
    uint32_t key, file;
};

struct stk_prune_keys {
    struct stk_tally index; /* counts[0]: number in `keys` + 1 */
    struct stk_buffer keys; /* of struct stk_prune_key */
    struct stk_buffer places;
};

void stk_prune_keys_init(struct stk_prune_keys *keys);
void stk_prune_keys_free(struct stk_prune_keys *keys);

/* A record of the file with this number. NO_MEMORY, TOO_LARGE past STK_PRUNE_KEYS_MAX. */
enum stirkeep_status stk_prune_keys_note(struct stk_prune_keys *keys,
                                         const struct stk_fields *fields, uint32_t file,
                                         struct stk_error *error);

size_t stk_prune_keys_count(const struct stk_prune_keys *keys);
struct stk_prune_key *stk_prune_keys_at(const struct stk_prune_keys *keys, size_t index);

/* A certificate of this key expires then; the latest one counts. */
void stk_prune_keys_expire(struct stk_prune_keys *keys, const struct stk_key_id *key_id,
                           int64_t not_after_s);

/* When a key ended, in seconds since 1970. False: it lives, or nobody knows. */
bool stk_prune_key_end(const struct stk_prune_key *key, int64_t *ret_end_s);

#endif
