/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_VERB_H
#define STK_CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The commands as a table: what each takes is written down once, for reading the command line and
 * for the help alike.
 */

enum stk_exit { STK_EXIT_DONE = 0, STK_EXIT_FAILED = 1, STK_EXIT_USAGE = 2 };

#define STK_TEXTS_MAX 64 /* values of one option that may be repeated */

/* Values of an option that may be given several times. */
struct stk_texts {
    const char *items[STK_TEXTS_MAX];
    size_t count;
};

enum stk_option_kind {
    STK_OPTION_SWITCH, /* bool */
    STK_OPTION_TEXT,   /* const char *; NULL when not given */
    STK_OPTION_TEXTS,  /* struct stk_texts; several with commas or by repeating */
    STK_OPTION_URIS,   /* struct stk_texts; by repeating only: URIs may have commas */
    STK_OPTION_NUMBER  /* long long, within least and most; left as it is when not given */
};

struct stk_option {
    const char *name;     /* without the dashes */
    const char *argument; /* what the help calls its value; NULL for a switch */
    enum stk_option_kind kind;
    size_t offset; /* of the field in the verb's options */
    const char *help;
    long long least;
    long long most;
};

enum stk_verb_flags {
    STK_VERB_JSON = 1,         /* takes --json */
    STK_VERB_SIGN_SOCKET = 2,  /* takes --sign-socket */
    STK_VERB_ADMIN_SOCKET = 4, /* takes --admin-socket */
    STK_VERB_COMMAND = 8       /* may have "-- COMMAND ..." at its end */
};

/* What all verbs are given. */
struct stk_cli {
    const struct stk_verb *verb;
    bool json;
    const char *sign_socket; /* never NULL */
    const char *admin_socket;
    const char *positional;   /* NULL when not given */
    char *const *positionals; /* of a verb that takes several, with the first one */
    int positional_count;
    char **command; /* what stands after "--", ends with NULL; NULL when there is none */
};

struct stk_verb {
    const char *name;
    const char
        *positional;      /* what it is called: "NAME"; "[NAME]" when it may be left out; "FILE..."
                               for one or more; NULL */
    const char *synopsis; /* the options that usually matter, for the one-line usage */
    const char *summary;
    unsigned flags;
    const struct stk_option *options; /* ends with a name of NULL */
    size_t options_size;
    const void *defaults; /* options_size bytes; NULL: zeros */
    enum stk_exit (*run)(struct stk_cli *cli, const void *options);
};

/* All verbs, in the order of the help; ends with NULL. */
extern const struct stk_verb *const stk_verbs[];

/* The verb that the words (argc of them) begin with, and how many words its name has; NULL: none. */
const struct stk_verb *stk_verb_find(int argc, char **argv, int *ret_words);

/* The options of a verb by number, its own first and then the common ones; NULL past the last. */
const struct stk_option *stk_verb_option(const struct stk_verb *verb, size_t index);

/* Usage of everything, and of one verb, printed from the tables. */
void stk_usage_print(void);
void stk_verb_usage_print(const struct stk_verb *verb);

/*
 * Read the command line of a verb (argv[0] is its name) and run it. A wrong line is one line on
 * standard error and USAGE. `argv` texts may be cut at commas.
 */
enum stk_exit stk_verb_main(const struct stk_verb *verb, int argc, char **argv);

extern const struct stk_verb stk_verb_import;
extern const struct stk_verb stk_verb_generate;
extern const struct stk_verb stk_verb_install;
extern const struct stk_verb stk_verb_list;
extern const struct stk_verb stk_verb_show;
extern const struct stk_verb stk_verb_publish;
extern const struct stk_verb stk_verb_rollback;
extern const struct stk_verb stk_verb_retire;
extern const struct stk_verb stk_verb_destroy;
extern const struct stk_verb stk_verb_sign;
extern const struct stk_verb stk_verb_verify;
extern const struct stk_verb stk_verb_status;
extern const struct stk_verb stk_verb_policy_check;
extern const struct stk_verb stk_verb_policy_explain;
extern const struct stk_verb stk_verb_reload;
extern const struct stk_verb stk_verb_doctor;
extern const struct stk_verb stk_verb_bench;
extern const struct stk_verb stk_verb_audit_verify;
extern const struct stk_verb stk_verb_audit_key;
extern const struct stk_verb stk_verb_audit_show;
extern const struct stk_verb stk_verb_audit_prove;
extern const struct stk_verb stk_verb_audit_check_proof;
extern const struct stk_verb stk_verb_audit_export;
extern const struct stk_verb stk_verb_audit_check_export;
extern const struct stk_verb stk_verb_audit_report;
extern const struct stk_verb stk_verb_audit_prune;
extern const struct stk_verb stk_verb_lint;
extern const struct stk_verb stk_verb_seal;
extern const struct stk_verb stk_verb_lab;
extern const struct stk_verb stk_verb_completion;

#endif
