/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_LOADER_H
#define STK_CONFIG_LOADER_H

#include "config/config.h"
#include "config/ini_lines.h"
#include "config/list.h"
#include "config/people.h"

#define STK_SECTIONS_MAX 16
#define STK_SECTION_KEYS_MAX 16

/* A [grant NAME] under way. */
struct stk_grant_draft {
    struct stk_list uids; /* uid_t */
    struct stk_list gids; /* gid_t */
    struct stk_list executables;
    struct stk_list units;
    struct stk_list certificates;
    unsigned ppts;
    struct stk_list other_ppts;
    unsigned attests;
    struct stk_list numbers; /* struct stk_number_pattern */
    struct stk_list uris;
    bool sign_input;
};

/* A configuration being read. */
struct stk_loader {
    struct stk_config *config;
    struct stk_people *people;
    const struct stk_section *section;    /* the current one */
    char name[STK_INI_LINE_MAX + 1];      /* NAME of the current [grant NAME] */
    unsigned section_line;                /* where it began */
    unsigned begun[STK_SECTIONS_MAX];     /* the same of all by their place in the table */
    struct stk_notes named;               /* "grant NAME": its line is `first` */
    const struct stk_key *key;            /* what an indented line would go on with */
    unsigned given[STK_SECTION_KEYS_MAX]; /* lines of the current section's keys */
    size_t environment_count;
    struct stk_grant_draft grant;
    struct stk_rate rate; /* of the current grant or certificate */
    enum stk_level level; /* of the current [attest NUMBERS] ... */
    struct stk_number_pattern numbers;
    struct stk_list attest;     /* ... and those before, struct stk_config_attest */
    const struct stk_key *idle; /* the first [attestation] key that means nothing without rules */
    unsigned idle_line;         /* of its section */
    unsigned witness_line;
    unsigned number_key_line;
    unsigned fault_line;       /* 0: the line that was read last */
    char where[STK_ERROR_MAX]; /* "[section] key: " of what failed */
};

/* What a key's field is, for comparing two configurations. */
enum stk_field {
    STK_FIELD_NONE, /* nothing to be compared */
    STK_FIELD_TEXT,
    STK_FIELD_NUMBER, /* unsigned, or an enum */
    STK_FIELD_AMOUNT, /* uint64_t */
    STK_FIELD_SWITCH,
    STK_FIELD_ROOM, /* rooms.*[minimum] */
};

/* What a key does with its value. Reasons go into `error` alone, without the key's name. */
struct stk_key {
    const char *name;
    enum stirkeep_status (*take)(struct stk_loader *loader, const struct stk_key *key,
                                 const char *value, struct stk_error *error);
    size_t offset; /* of the field: in struct stk_config; in a named section in struct stk_loader */
    enum stk_field field;
    uint64_t minimum;
    uint64_t maximum;
    bool list;     /* items with commas between; may go on in indented lines */
    bool empty;    /* "" is a value */
    bool required; /* in a named section: in each one */
};

enum stk_section_kind {
    STK_SECTION_PLAIN,
    STK_SECTION_FREE,  /* any key */
    STK_SECTION_NAMED, /* [grant NAME], any number of them */
};

struct stk_section {
    const char *name;
    enum stk_section_kind kind;
    const struct stk_key *keys;
    size_t key_count;
    bool reload;       /* may differ in the next configuration without a restart */
    const char *named; /* NAMED: what the name is, as it is documented */
    /* NAMED: before its first key, and when it is over. `loader->name` is its name. */
    enum stirkeep_status (*begin)(struct stk_loader *loader, struct stk_error *error);
    enum stirkeep_status (*end)(struct stk_loader *loader, struct stk_error *error);
};

/* The table. `index` below the count. */
size_t stk_section_count(void);
const struct stk_section *stk_section_at(size_t index);

/* With the defaults; NULL: out of memory. */
struct stk_config *stk_config_new(const char *name);

/* Parse, with `people` to ask for users and groups: what is behind the functions of config.h. */
enum stirkeep_status stk_config_load(const char *text, size_t length, const char *name,
                                     struct stk_people *people, struct stk_config **ret_config,
                                     struct stk_error *error);

/* Named sections. */
enum stirkeep_status stk_grant_begin(struct stk_loader *loader, struct stk_error *error);
enum stirkeep_status stk_grant_end(struct stk_loader *loader, struct stk_error *error);
void stk_grant_draft_free(struct stk_grant_draft *draft);
enum stirkeep_status stk_certificate_begin(struct stk_loader *loader, struct stk_error *error);
enum stirkeep_status stk_certificate_end(struct stk_loader *loader, struct stk_error *error);
enum stirkeep_status stk_attest_begin(struct stk_loader *loader, struct stk_error *error);
enum stirkeep_status stk_attest_end(struct stk_loader *loader, struct stk_error *error);

/* No two ranges of [attest NUMBERS] overlap without one lying within the other. */
enum stirkeep_status stk_attest_check(struct stk_loader *loader, struct stk_error *error);

/* Another folder's refusal as one of the configuration: `status`, and in `error`, CONFIG instead of
 * INVALID or TOO_LARGE. */
enum stirkeep_status stk_config_fault(enum stirkeep_status status, struct stk_error *error);

#endif
