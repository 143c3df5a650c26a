/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"

#include <stddef.h>

#define AT(member) offsetof(struct stk_config, member)
#define DRAFT(member) offsetof(struct stk_loader, member)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define LABEL_MAX 32 /* PKCS#11: CK_TOKEN_INFO.label */
#define RATE_MAX 1000000
#define QUOTA_MAX 1000000000000
#define SEAL_RECORDS_MAX 1000000 /* the trail can seal a few more at once */
#define ROTATE_SIZE_MIN 16384
#define ROTATE_SIZE_MAX 1099511627776
#define ROTATE_AGE_MAX 315360000

/* docs/stirkeep.conf.example explains each key; a test compares the two. */
static const struct stk_key token[] = {
    {.name = "module",
     .take = stk_config_take_path,
     .field = STK_FIELD_TEXT,
     .offset = AT(token.module)},
    {.name = "label",
     .take = stk_config_take_text,
     .field = STK_FIELD_TEXT,
     .offset = AT(token.label),
     .maximum = LABEL_MAX,
     .required = true},
    {.name = "pin-file",
     .take = stk_config_take_path,
     .field = STK_FIELD_TEXT,
     .offset = AT(token.pin_file),
     .empty = true},
    {.name = "directory",
     .take = stk_config_take_path,
     .field = STK_FIELD_TEXT,
     .offset = AT(token.directory),
     .empty = true},
    {.name = "sessions",
     .take = stk_config_take_number,
     .field = STK_FIELD_NUMBER,
     .offset = AT(token.sessions),
     .maximum = STK_SIGNERS_MAX},
    {.name = "call-timeout-ms",
     .take = stk_config_take_number,
     .field = STK_FIELD_NUMBER,
     .offset = AT(token.call_timeout_ms),
     .minimum = 50,
     .maximum = 600000},
    {.name = "open-timeout-ms",
     .take = stk_config_take_number,
     .field = STK_FIELD_NUMBER,
     .offset = AT(token.open_timeout_ms),
     .minimum = 1000,
     .maximum = 3600000},
    {.name = "verify-signatures",
     .take = stk_config_take_verify,
     .field = STK_FIELD_SWITCH,
     .offset = AT(token.verify_sampled)},
    {.name = "require-hardware",
     .take = stk_config_take_switch,
     .field = STK_FIELD_SWITCH,
     .offset = AT(token.require_hardware)},
};

static const struct stk_key sockets[] = {
    {.name = "sign",
     .take = stk_config_take_socket,
     .field = STK_FIELD_TEXT,
     .offset = AT(sockets.sign)},
    {.name = "admin",
     .take = stk_config_take_socket,
     .field = STK_FIELD_TEXT,
     .offset = AT(sockets.admin)},
    {.name = "client-timeout-ms",
     .take = stk_config_take_number,
     .field = STK_FIELD_NUMBER,
     .offset = AT(sockets.client_timeout_ms),
     .minimum = 50,
     .maximum = 600000},
};

static const struct stk_key storage[] = {
    {.name = "catalog",
     .take = stk_config_take_path,
     .field = STK_FIELD_TEXT,
     .offset = AT(storage.catalog)},
    {.name = "spool",
     .take = stk_config_take_path,
     .field = STK_FIELD_TEXT,
     .offset = AT(storage.spool),
     .empty = true},
};

static const struct stk_key audit[] = {
    {.name = "file",
     .take = stk_config_take_path,
     .field = STK_FIELD_TEXT,
     .offset = AT(audit.file)},
    {.name = "sync",
     .take = stk_config_take_sync,
     .field = STK_FIELD_NUMBER,
     .offset = AT(audit.sync)},
    {.name = "seal-records",
     .take = stk_config_take_number,
     .field = STK_FIELD_NUMBER,
     .offset = AT(audit.seal_records),
     .minimum = 1,
     .maximum = SEAL_RECORDS_MAX},
    {.name = "seal-seconds",
     .take = stk_config_take_number,
     .field = STK_FIELD_NUMBER,
     .offset = AT(audit.seal_seconds),
     .minimum = 1,
     .maximum = 86400},
    {.name = "witness",
     .take = stk_config_take_witness,
     .field = STK_FIELD_TEXT,
     .offset = AT(audit.witness),
     .empty = true},
    {.name = "witness-command",
     .take = stk_config_take_command,
     .field = STK_FIELD_TEXT,
     .offset = AT(audit.witness_command),
     .empty = true},
    {.name = "rotate-size",
     .take = stk_config_take_size,
     .field = STK_FIELD_AMOUNT,
     .offset = AT(audit.rotate_size),
     .minimum = ROTATE_SIZE_MIN,
     .maximum = ROTATE_SIZE_MAX},
    {.name = "rotate-age",
     .take = stk_config_take_age,
     .field = STK_FIELD_AMOUNT,
     .offset = AT(audit.rotate_age_s),
     .maximum = ROTATE_AGE_MAX},
    {.name = "compress",
     .take = stk_config_take_switch,
     .field = STK_FIELD_SWITCH,
     .offset = AT(audit.compress)},
    {.name = "number-key",
     .take = stk_config_take_number_key,
     .field = STK_FIELD_TEXT,
     .offset = AT(audit.number_key),
     .empty = true},
    {.name = "numbers",
     .take = stk_config_take_numbers,
     .field = STK_FIELD_SWITCH,
     .offset = AT(audit.numbers_hashed)},
};

static const struct stk_key signing[] = {
    {.name = "x5u-template",
     .take = stk_config_take_template,
     .field = STK_FIELD_TEXT,
     .offset = AT(signing.x5u_template),
     .empty = true},
    {.name = "deadline-ms",
     .take = stk_config_take_number,
     .field = STK_FIELD_NUMBER,
     .offset = AT(signing.deadline_ms),
     .minimum = 10,
     .maximum = 60000},
    {.name = "iat-window-s",
     .take = stk_config_take_number,
     .field = STK_FIELD_NUMBER,
     .offset = AT(signing.iat_window_s),
     .minimum = 1,
     .maximum = 86400},
    {.name = "tn-digits",
     .take = stk_config_take_number,
     .offset = AT(signing.tn_digits),
     .field = STK_FIELD_NUMBER,
     .minimum = 1,
     .maximum = STK_TN_MAX},
};

static const struct stk_key import[] = {
    {.name = "profile",
     .take = stk_config_take_profile,
     .field = STK_FIELD_NUMBER,
     .offset = AT(signing.profile)},
};

static const struct stk_key admin[] = {
    {.name = "user", .take = stk_config_take_admin, .list = true},
};

static const struct stk_key rooms[] = {
    {.name = "front-user",
     .take = stk_config_take_room_user,
     .field = STK_FIELD_ROOM,
     .minimum = STK_ROOM_FRONT},
    {.name = "intake-user",
     .take = stk_config_take_room_user,
     .field = STK_FIELD_ROOM,
     .minimum = STK_ROOM_INTAKE},
    {.name = "keeper-user",
     .take = stk_config_take_room_user,
     .field = STK_FIELD_ROOM,
     .minimum = STK_ROOM_KEEPER},
};

static const struct stk_key lock_down[] = {
    {.name = "require",
     .take = stk_config_take_require,
     .field = STK_FIELD_NUMBER,
     .offset = AT(lock_down.require)},
    {.name = "keeper",
     .take = stk_config_take_keeper,
     .field = STK_FIELD_NUMBER,
     .offset = AT(lock_down.keeper)},
    {.name = "module-paths",
     .take = stk_config_take_module_path,
     .field = STK_FIELD_TEXT,
     .offset = AT(lock_down.module_paths),
     .list = true,
     .empty = true},
};

#define RATE_KEYS                                                                                  \
    {.name = "rate",                                                                               \
     .take = stk_config_take_number,                                                               \
     .offset = DRAFT(rate.rate),                                                                   \
     .minimum = 1,                                                                                 \
     .maximum = RATE_MAX,                                                                          \
     .empty = true},                                                                               \
        {.name = "burst",                                                                          \
         .take = stk_config_take_number,                                                           \
         .offset = DRAFT(rate.burst),                                                              \
         .minimum = 1,                                                                             \
         .maximum = RATE_MAX,                                                                      \
         .empty = true},                                                                           \
    {                                                                                              \
        .name = "quota", .take = stk_config_take_amount, .offset = DRAFT(rate.quota),              \
        .minimum = 1, .maximum = QUOTA_MAX, .empty = true                                          \
    }

static const struct stk_key grant[] = {
    {.name = "user", .take = stk_config_take_grant_user, .list = true},
    {.name = "group", .take = stk_config_take_grant_group, .list = true},
    {.name = "executable", .take = stk_config_take_grant_executable, .list = true},
    {.name = "unit", .take = stk_config_take_grant_unit, .list = true},
    {.name = "certificates",
     .take = stk_config_take_grant_certificate,
     .list = true,
     .required = true},
    {.name = "ppt", .take = stk_config_take_grant_ppt, .list = true},
    {.name = "attest", .take = stk_config_take_grant_attest, .list = true},
    {.name = "orig", .take = stk_config_take_grant_orig, .list = true},
    {.name = "sign-input", .take = stk_config_take_switch, .offset = DRAFT(grant.sign_input)},
    RATE_KEYS,
};

static const struct stk_key certificate[] = {RATE_KEYS};

static const struct stk_key attestation[] = {
    {.name = "file",
     .take = stk_config_take_path,
     .offset = AT(attestation.file),
     .field = STK_FIELD_TEXT,
     .empty = true},
    {.name = "default",
     .take = stk_config_take_default,
     .offset = AT(attestation.otherwise),
     .field = STK_FIELD_NUMBER},
    {.name = "exceed",
     .take = stk_config_take_exceed,
     .offset = AT(attestation.lower),
     .field = STK_FIELD_SWITCH},
};

static const struct stk_key attest[] = {
    {.name = "level", .take = stk_config_take_level, .offset = DRAFT(level), .required = true},
};

static const struct stk_section sections[] = {
    {.name = "token", .keys = token, .key_count = COUNT(token)},
    {.name = "token-environment", .kind = STK_SECTION_FREE},
    {.name = "sockets", .keys = sockets, .key_count = COUNT(sockets)},
    {.name = "storage", .keys = storage, .key_count = COUNT(storage)},
    {.name = "audit", .keys = audit, .key_count = COUNT(audit)},
    {.name = "signing", .keys = signing, .key_count = COUNT(signing)},
    {.name = "import", .keys = import, .key_count = COUNT(import)},
    {.name = "admin", .keys = admin, .key_count = COUNT(admin), .reload = true},
    {.name = "rooms", .keys = rooms, .key_count = COUNT(rooms)},
    {.name = "lock-down", .keys = lock_down, .key_count = COUNT(lock_down)},
    {.name = "grant",
     .kind = STK_SECTION_NAMED,
     .keys = grant,
     .key_count = COUNT(grant),
     .reload = true,
     .named = "NAME",
     .begin = stk_grant_begin,
     .end = stk_grant_end},
    {.name = "certificate",
     .kind = STK_SECTION_NAMED,
     .keys = certificate,
     .key_count = COUNT(certificate),
     .reload = true,
     .named = "PATTERN",
     .begin = stk_certificate_begin,
     .end = stk_certificate_end},
    {.name = "attestation", .keys = attestation, .key_count = COUNT(attestation), .reload = true},
    {.name = "attest",
     .kind = STK_SECTION_NAMED,
     .keys = attest,
     .key_count = COUNT(attest),
     .reload = true,
     .named = "NUMBERS",
     .begin = stk_attest_begin,
     .end = stk_attest_end},
};

_Static_assert(COUNT(sections) <= STK_SECTIONS_MAX, "STK_SECTIONS_MAX is too small");
_Static_assert(COUNT(token) <= STK_SECTION_KEYS_MAX, "STK_SECTION_KEYS_MAX is too small");
_Static_assert(COUNT(grant) <= STK_SECTION_KEYS_MAX, "STK_SECTION_KEYS_MAX is too small");

size_t stk_section_count(void)
{
    return COUNT(sections);
}

const struct stk_section *stk_section_at(size_t index)
{
    return &sections[index];
}
