/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sealed trail of three files, for readers that are not ours: audit.jsonl and those before it,
 * key.pem, witness.jsonl.
 *
 *   make_trail DIRECTORY
 */
#include "scratch.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

static void write_key(const struct scratch *scratch, const struct audit_key *key)
{
    char path[PATH_MAX] = "";
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/key.pem", scratch->directory);
    file = fopen(path, "we");
    if (file == NULL || PEM_write_PUBKEY(file, key->pkey) != 1 || fclose(file) != 0)
        abort();
}

static void part(struct stk_trail *trail, const struct audit_key *key, struct stk_buffer *witness,
                 uint64_t first)
{
    append_some(trail, first, 11);
    (void)seal_trail(trail, key, witness);
    append_some(trail, first + 11, 2);
}

int main(int argc, char **argv)
{
    struct scratch scratch = {0};
    struct audit_key key = audit_key_make();
    struct stk_buffer witness = {0};
    struct stk_trail *trail = NULL;
    char name[PATH_MAX] = "";

    if (argc != 2)
        return 2;
    (void)snprintf(scratch.directory, sizeof(scratch.directory), "%s", argv[1]);
    (void)snprintf(scratch.path, sizeof(scratch.path), "%s/audit.jsonl", argv[1]);
    trail = open_trail(&scratch, STK_TRAIL_NONE);
    part(trail, &key, &witness, 1);
    if (stk_trail_rotate(trail, NOW_US, name, NULL) != STIRKEEP_OK)
        return 1;
    part(trail, &key, &witness, 14);
    if (stk_trail_rotate(trail, NOW_US, name, NULL) != STIRKEEP_OK)
        return 1;
    part(trail, &key, &witness, 27);
    stk_trail_close(trail);
    write_key(&scratch, &key);
    (void)snprintf(name, sizeof(name), "%s/witness.jsonl", argv[1]);
    write_whole(name, witness.data, witness.length);
    stk_buffer_free(&witness);
    audit_key_free(&key);
    return 0;
}
