/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_LOADER_H
#define STK_CONFIG_LOADER_H

#include "config/config.h"

#define STK_GRANT_LIST_MAX 1024 /* users, groups or certificates of one grant */
#define STK_SECTIONS_MAX 16
#define STK_SECTION_KEYS_MAX 16

/* A grant under way. */
struct stk_grant_draft {
    bool open;
    char name[STK_GRANT_NAME_MAX + 1];
    uid_t *uids;
    size_t uid_count;
    gid_t *gids;
    size_t gid_count;
    char **certificates;
    size_t certificate_count;
    unsigned ppts;
    unsigned attests;
};

/* A configuration being read. */
struct stk_loader {
    struct stk_config *config;
    const struct stk_section *section;    /* the current one */
    unsigned section_line;                /* where it began */
    unsigned begun[STK_SECTIONS_MAX];     /* the same of all by their place in the table */
    const struct stk_key *key;            /* what an indented line would go on with */
    unsigned given[STK_SECTION_KEYS_MAX]; /* lines of the current section's keys */
    size_t environment_count;
    struct stk_grant_draft grant;
    unsigned fault_line;       /* 0: the line that was read last */
    char where[STK_ERROR_MAX]; /* "[section] key: " of what failed */
};

/* What a key does with its value. Reasons go into `error` alone, without the key's name. */
struct stk_key {
    const char *name;
    enum stirkeep_status (*take)(struct stk_loader *loader, const struct stk_key *key,
                                 const char *value, struct stk_error *error);
    size_t offset; /* of the field in struct stk_config */
    uint32_t minimum;
    uint32_t maximum;
    bool list;     /* items with commas between; may go on in indented lines */
    bool empty;    /* "" is a value */
    bool required; /* in a grant: in each one */
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
};

/* The table. `index` below the count. */
size_t stk_section_count(void);
const struct stk_section *stk_section_at(size_t index);

/* [grant NAME]. */
enum stirkeep_status stk_grant_begin(struct stk_loader *loader, const char *name,
                                     struct stk_error *error);
enum stirkeep_status stk_grant_end(struct stk_loader *loader, struct stk_error *error);
void stk_grant_draft_free(struct stk_grant_draft *draft);

/* Takers of [grant NAME]; list items come one by one. */
enum stirkeep_status stk_config_take_grant_user(struct stk_loader *loader,
                                                const struct stk_key *key, const char *value,
                                                struct stk_error *error);
enum stirkeep_status stk_config_take_grant_group(struct stk_loader *loader,
                                                 const struct stk_key *key, const char *value,
                                                 struct stk_error *error);
enum stirkeep_status stk_config_take_grant_certificate(struct stk_loader *loader,
                                                       const struct stk_key *key, const char *value,
                                                       struct stk_error *error);
enum stirkeep_status stk_config_take_grant_ppt(struct stk_loader *loader, const struct stk_key *key,
                                               const char *value, struct stk_error *error);
enum stirkeep_status stk_config_take_grant_attest(struct stk_loader *loader,
                                                  const struct stk_key *key, const char *value,
                                                  struct stk_error *error);

#endif
