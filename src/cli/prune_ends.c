/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/prune_ends.h"

#include "base/file.h"
#include "cert/cert.h"
#include "cli/admin_call.h"
#include <string.h>

#define ARENA_MAX ((size_t)64 * 1024)
#define NAMES_MAX STK_NAMES_MAX

static enum stirkeep_status take_file(struct stk_prune_keys *keys, const char *path,
                                      struct stk_error *error)
{
    struct stk_buffer data = {0};
    struct stk_arena arena = {0};
    struct stk_chain *chain = NULL;
    struct stk_leaf leaf = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CERT_FILE_MAX, &data, error);

    if (status == STIRKEEP_OK)
        status = stk_chain_read((struct stk_bytes){data.data, data.length}, path, &chain, error);
    if (status == STIRKEEP_OK && stk_arena_new(&arena, ARENA_MAX) != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (status == STIRKEEP_OK)
        status = stk_chain_leaf(chain, &arena, &leaf, error);
    if (status == STIRKEEP_OK)
        stk_prune_keys_expire(keys, &leaf.key_id, leaf.not_after);
    stk_arena_free(&arena);
    stk_chain_free(chain);
    stk_buffer_free(&data);
    return status;
}

enum stirkeep_status stk_prune_ends_of_files(struct stk_prune_keys *keys,
                                             const struct stk_texts *paths, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < paths->count && status == STIRKEEP_OK; i++)
        status = take_file(keys, paths->items[i], error);
    return status;
}

/* A name that the service does not have any more says nothing; any other failure ends the asking. */
static enum stirkeep_status ask(struct stk_prune_keys *keys, struct stk_admin *admin,
                                const char *name, struct stk_error *error)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_SHOW};
    struct stk_admin_response response = {0};
    enum stirkeep_status status = stk_name_parse(name, &request.name, error);

    if (status == STIRKEEP_OK)
        status = stk_admin_call(admin, &request, &response, error);
    if (status == STIRKEEP_UNKNOWN_NAME || status == STIRKEEP_INVALID)
        return STIRKEEP_OK;
    for (size_t i = 0; i < response.generation_count && status == STIRKEEP_OK; i++)
        stk_prune_keys_expire(keys, &response.generations[i].key_id,
                              response.generations[i].not_after);
    return status;
}

/* The names of keys whose end the trail does not tell. */
static bool find_names(const struct stk_prune_keys *keys, struct stk_tally *names)
{
    bool done = true;

    for (size_t i = 0; i < stk_prune_keys_count(keys) && done; i++) {
        const struct stk_prune_key *key = stk_prune_keys_at(keys, i);

        if (key->held && key->destroyed_us == 0 && key->name[0] != '\0')
            done = stk_tally_add(
                names, (struct stk_bytes){(const uint8_t *)key->name, strlen(key->name)}, 0, 1, 0);
    }
    return done;
}

bool stk_prune_ends_of_service(struct stk_prune_keys *keys, const char *admin_socket,
                               struct stk_error *error)
{
    struct stk_tally names = {.most = NAMES_MAX};
    struct stk_admin *admin = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!find_names(keys, &names))
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (status == STIRKEEP_OK && names.count > 0)
        status = stk_admin_connect(admin_socket, STK_ADMIN_TIMEOUT_MS, &admin, error);
    for (size_t i = 0; i < names.count && status == STIRKEEP_OK; i++)
        status = ask(keys, admin, names.rows[i].key, error);
    stk_admin_close(admin);
    stk_tally_free(&names);
    return status == STIRKEEP_OK;
}
