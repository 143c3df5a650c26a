/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"

#include <stddef.h>

#define AT(member) offsetof(struct stk_config, member)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define LABEL_MAX 32 /* PKCS#11: CK_TOKEN_INFO.label */

/* docs/stirkeep.conf.example explains each key; a test compares the two. */
static const struct stk_key token[] = {
    {.name = "module", .take = stk_config_take_path, .offset = AT(token.module)},
    {.name = "label",
     .take = stk_config_take_text,
     .offset = AT(token.label),
     .maximum = LABEL_MAX,
     .required = true},
    {.name = "pin-file", .take = stk_config_take_path, .offset = AT(token.pin_file), .empty = true},
    {.name = "directory",
     .take = stk_config_take_path,
     .offset = AT(token.directory),
     .empty = true},
    {.name = "sessions",
     .take = stk_config_take_number,
     .offset = AT(token.sessions),
     .maximum = STK_SIGNERS_MAX},
    {.name = "call-timeout-ms",
     .take = stk_config_take_number,
     .offset = AT(token.call_timeout_ms),
     .minimum = 50,
     .maximum = 600000},
    {.name = "require-hardware",
     .take = stk_config_take_switch,
     .offset = AT(token.require_hardware)},
};

static const struct stk_key sockets[] = {
    {.name = "sign", .take = stk_config_take_socket, .offset = AT(sockets.sign)},
    {.name = "admin", .take = stk_config_take_socket, .offset = AT(sockets.admin)},
    {.name = "client-timeout-ms",
     .take = stk_config_take_number,
     .offset = AT(sockets.client_timeout_ms),
     .minimum = 50,
     .maximum = 600000},
};

static const struct stk_key storage[] = {
    {.name = "catalog", .take = stk_config_take_path, .offset = AT(storage.catalog)},
    {.name = "spool", .take = stk_config_take_path, .offset = AT(storage.spool), .empty = true},
};

static const struct stk_key audit[] = {
    {.name = "file", .take = stk_config_take_path, .offset = AT(audit.file)},
    {.name = "sync", .take = stk_config_take_sync, .offset = AT(audit.sync)},
};

static const struct stk_key signing[] = {
    {.name = "x5u-template",
     .take = stk_config_take_template,
     .offset = AT(signing.x5u_template),
     .empty = true},
    {.name = "deadline-ms",
     .take = stk_config_take_number,
     .offset = AT(signing.deadline_ms),
     .minimum = 10,
     .maximum = 60000},
    {.name = "iat-window-s",
     .take = stk_config_take_number,
     .offset = AT(signing.iat_window_s),
     .minimum = 1,
     .maximum = 86400},
};

static const struct stk_key import[] = {
    {.name = "profile", .take = stk_config_take_profile, .offset = AT(signing.profile)},
};

static const struct stk_key admin[] = {
    {.name = "user", .take = stk_config_take_admin, .list = true},
};

static const struct stk_key rooms[] = {
    {.name = "front-user", .take = stk_config_take_room_user, .minimum = STK_ROOM_FRONT},
    {.name = "intake-user", .take = stk_config_take_room_user, .minimum = STK_ROOM_INTAKE},
    {.name = "keeper-user", .take = stk_config_take_room_user, .minimum = STK_ROOM_KEEPER},
};

static const struct stk_key grant[] = {
    {.name = "user", .take = stk_config_take_grant_user, .list = true},
    {.name = "group", .take = stk_config_take_grant_group, .list = true},
    {.name = "certificates",
     .take = stk_config_take_grant_certificate,
     .list = true,
     .required = true},
    {.name = "ppt", .take = stk_config_take_grant_ppt, .list = true},
    {.name = "attest", .take = stk_config_take_grant_attest, .list = true},
};

static const struct stk_section sections[] = {
    {.name = "token", .keys = token, .key_count = COUNT(token)},
    {.name = "token-environment", .kind = STK_SECTION_FREE},
    {.name = "sockets", .keys = sockets, .key_count = COUNT(sockets)},
    {.name = "storage", .keys = storage, .key_count = COUNT(storage)},
    {.name = "audit", .keys = audit, .key_count = COUNT(audit)},
    {.name = "signing", .keys = signing, .key_count = COUNT(signing)},
    {.name = "import", .keys = import, .key_count = COUNT(import)},
    {.name = "admin", .keys = admin, .key_count = COUNT(admin)},
    {.name = "rooms", .keys = rooms, .key_count = COUNT(rooms)},
    {.name = "grant", .kind = STK_SECTION_NAMED, .keys = grant, .key_count = COUNT(grant)},
};

_Static_assert(COUNT(sections) <= STK_SECTIONS_MAX, "STK_SECTIONS_MAX is too small");
_Static_assert(COUNT(token) <= STK_SECTION_KEYS_MAX, "STK_SECTION_KEYS_MAX is too small");

size_t stk_section_count(void)
{
    return COUNT(sections);
}

const struct stk_section *stk_section_at(size_t index)
{
    return &sections[index];
}
