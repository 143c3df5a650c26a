/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_CONFIG_H
#define STK_CONFIG_CONFIG_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "policy/policy.h"

enum stk_sync { STK_SYNC_INTERVAL, STK_SYNC_ALWAYS, STK_SYNC_NONE };
/* In this order: each asks for what the one before it does, too. */
enum stk_require { STK_REQUIRE_NOTHING, STK_REQUIRE_SECCOMP, STK_REQUIRE_LANDLOCK };
enum stk_keeper_lock { STK_KEEPER_STRICT, STK_KEEPER_MODULE };
enum stk_profile { STK_PROFILE_STRICT, STK_PROFILE_TEST };
enum stk_room { STK_ROOM_KEEPER, STK_ROOM_INTAKE, STK_ROOM_FRONT, STK_ROOM_COUNT };

#define STK_TOKEN_ENVIRONMENT_MAX 16
#define STK_ADMIN_USERS_MAX 16

/* An [attest NUMBERS] section. */
struct stk_config_attest {
    struct stk_number_pattern numbers;
    enum stk_level level;
    uint32_t line;
};

/* The configuration file as values: checked, with defaults filled in (docs/stirkeep.conf.example
 * has every key). Texts are owned. Immutable once loaded, then any thread. */
struct stk_config {
    struct {
        char *module;      /* PKCS#11 module */
        char *label;       /* token label */
        char *pin_file;    /* "" when the PIN is the systemd credential "pin" */
        char *directory;   /* the token's files, to be made durable; "": found from SoftHSM's
                                  configuration when the module is SoftHSM, else nothing to do */
        unsigned sessions; /* signers; 0: see stk_config_signers */
        unsigned call_timeout_ms;
        unsigned open_timeout_ms; /* all of opening the token */
        bool verify_sampled;      /* else every signature is verified before it is given out */
        bool require_hardware;    /* refuse a token without CKF_HW_SLOT */
        char *environment[STK_TOKEN_ENVIRONMENT_MAX + 1]; /* "NAME=value", for the module */
    } token;
    struct {
        char *sign;
        char *admin;
        unsigned client_timeout_ms; /* for the first request, and for a started one */
    } sockets;
    struct {
        char *catalog;
        char *spool; /* where uploads are dropped; "": nowhere */
    } storage;
    struct {
        char *file;
        enum stk_sync sync;
        unsigned seal_records; /* so many unsealed records are sealed at once ... */
        unsigned seal_seconds; /* ... and fewer when the oldest has waited so long */
        char *witness;         /* a file that gets each seal too; "": none */
        char *witness_command; /* a program and its arguments, which does; "": none */
        uint64_t rotate_size;  /* bytes; 0: a file of any size goes on */
        uint64_t rotate_age_s; /* the same of its age */
        bool compress;         /* files that were rotated */
        char *number_key;      /* "": the systemd credential "number-key" */
        bool numbers_hashed;   /* telephone numbers and URIs stand in records as keyed hashes */
    } audit;
    struct {
        char *x5u_template; /* with {name} and {fingerprint}; "": every import states its x5u */
        unsigned deadline_ms;
        unsigned iat_window_s;
        unsigned tn_digits;       /* the longest telephone number that is signed, 1 to STK_TN_MAX */
        enum stk_profile profile; /* import gate */
    } signing;
    struct {
        uid_t users[STK_ADMIN_USERS_MAX]; /* who may use admin.sock */
        size_t user_count;
    } admin;
    struct {
        /* Only used when run by root: each room's own user. */
        bool given[STK_ROOM_COUNT];
        uid_t uid[STK_ROOM_COUNT];
        gid_t gid[STK_ROOM_COUNT];
    } rooms;
    struct {
        enum stk_require require;    /* without what a room does not start */
        enum stk_keeper_lock keeper; /* which system calls its module may make */
        char *module_paths;          /* what the module needs besides, with commas between */
    } lock_down;
    struct {
        char *file;                        /* CSV of attestation rules; "": none */
        bool lower;                        /* what exceeds its rule is lowered, not refused */
        enum stk_level otherwise;          /* of numbers without a rule */
        struct stk_config_attest *inline_; /* [attest NUMBERS] sections; NULL: none */
        size_t inline_count;
    } attestation;
    struct stk_policy *policy; /* without its attestation rules: stk_policy_attest_rules */
    char *name;                /* of the configuration, for messages */
};

/*
 * Read a configuration. `name` is for messages, which read "NAME:LINE: [section] key: reason".
 * CONFIG for an unknown section or key, a key given twice, a bad or a missing value, a user who
 * does not exist. `ret_config` is untouched on failure.
 */
enum stirkeep_status stk_config_parse(const char *text, size_t length, const char *name,
                                      struct stk_config **ret_config, struct stk_error *error);
void stk_config_free(struct stk_config *config);

/*
 * How many signers the keeper is to have, of at most STK_SIGNERS_MAX: as many as are configured, or
 * one more than there are processors: while one waits for a lock of the module's, another signs.
 */
unsigned stk_config_signers(const struct stk_config *config);

/*
 * The same for who may ask the system's user database and hands the configuration on:
 * `ret_resolved` gets the text and, before it, which user and group each name was found to be.
 * stk_config_parse_resolved makes the same configuration of it without asking anybody, so that a
 * room opens no file, waits for no directory service, and means the same user. CONFIG, and
 * MALFORMED when it is not such a text.
 */
#define STK_CONFIG_RESOLVED_MAX (16 * STK_CONFIG_MAX) /* no text gives a longer one */
enum stirkeep_status stk_config_resolve(const char *text, size_t length, const char *name,
                                        struct stk_config **ret_config,
                                        struct stk_buffer *ret_resolved, struct stk_error *error);
enum stirkeep_status stk_config_parse_resolved(const char *text, size_t length, const char *name,
                                               struct stk_config **ret_config,
                                               struct stk_error *error);

/*
 * The attestation rules: those in the configuration and those of attestation.file, compiled into
 * `image`, which stays empty when there are none of either: neither a file nor a section. A file
 * without a rule gives an image, by which the default decides for every number. `ret_digest` is the
 * SHA-256 of the file (zero without one). The file is read once and whole: at most
 * STK_ATTEST_FILE_MAX, regular, no symbolic link, not to be written to by everybody, and not being
 * changed meanwhile. CONFIG with the file, line and reason, IO. `ret_count`: how many rules.
 */
#define STK_ATTEST_FILE_MAX (128 * 1024 * 1024)
enum stirkeep_status stk_config_attest_image(const struct stk_config *config,
                                             struct stk_buffer *image,
                                             uint8_t ret_digest[STK_DIGEST_LENGTH],
                                             size_t *ret_count, struct stk_error *error);

/*
 * May `next` take over from `now` without a restart? That is so when they differ in nothing but
 * [grant], [certificate], [attestation], [attest] and [admin]. CONFIG naming the first other key:
 * "[token] sessions: only a restart takes a change of it".
 */
enum stirkeep_status stk_config_replaces(const struct stk_config *now,
                                         const struct stk_config *next, struct stk_error *error);

/*
 * The x5u of a certificate by signing.x5u_template. `fingerprint` is the SHA-256 of its DER, in
 * lower-case hex. A template that stk_config_parse has taken gives a valid x5u for every name.
 * TOO_LARGE past STK_X5U_MAX. Any thread.
 */
enum stirkeep_status stk_config_x5u(const char *x5u_template, const char *name,
                                    const char *fingerprint, char ret_x5u[STK_X5U_MAX + 1]);

#endif
