/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/verb.h"

#include "cli/output.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <stirkeep/client.h>
#include <string.h>

#define OPTIONS_MAX 48 /* of one verb, the common ones included */
#define ADMIN_SOCKET_DEFAULT "/run/stirkeep/admin.sock"

const struct stk_verb *const stk_verbs[] = {&stk_verb_import,
                                            &stk_verb_seal,
                                            &stk_verb_lint,
                                            &stk_verb_generate,
                                            &stk_verb_install,
                                            &stk_verb_list,
                                            &stk_verb_show,
                                            &stk_verb_publish,
                                            &stk_verb_rollback,
                                            &stk_verb_retire,
                                            &stk_verb_destroy,
                                            &stk_verb_sign,
                                            &stk_verb_verify,
                                            &stk_verb_policy_check,
                                            &stk_verb_policy_explain,
                                            &stk_verb_reload,
                                            &stk_verb_status,
                                            &stk_verb_doctor,
                                            &stk_verb_bench,
                                            &stk_verb_audit_verify,
                                            &stk_verb_audit_key,
                                            &stk_verb_audit_show,
                                            &stk_verb_audit_prove,
                                            &stk_verb_audit_check_proof,
                                            &stk_verb_audit_export,
                                            &stk_verb_audit_check_export,
                                            &stk_verb_audit_report,
                                            &stk_verb_audit_prune,
                                            &stk_verb_lab,
                                            &stk_verb_completion,
                                            NULL};

/* Options that a verb has by its flags; they write into struct stk_cli. */
static const struct {
    unsigned flag; /* 0: all verbs */
    struct stk_option option;
} common[] = {
    {STK_VERB_JSON,
     {"json", NULL, STK_OPTION_SWITCH, offsetof(struct stk_cli, json), "print JSON", 0, 0}},
    {STK_VERB_SIGN_SOCKET,
     {"sign-socket", "PATH", STK_OPTION_TEXT, offsetof(struct stk_cli, sign_socket),
      "socket for signing (else STIRKEEP_SIGN_SOCKET, else " STIRKEEP_DEFAULT_SIGN_SOCKET ")", 0,
      0}},
    {STK_VERB_ADMIN_SOCKET,
     {"admin-socket", "PATH", STK_OPTION_TEXT, offsetof(struct stk_cli, admin_socket),
      "socket for administration (else STIRKEEP_ADMIN_SOCKET, else " ADMIN_SOCKET_DEFAULT ")", 0,
      0}},
    {0, {"help", NULL, STK_OPTION_SWITCH, 0, "print this (also -h)", 0, 0}},
};
#define COMMON_COUNT (sizeof(common) / sizeof(common[0]))

/* What getopt_long needs beside what the table says. */
struct line {
    struct option known[OPTIONS_MAX + 1];
    const struct stk_option *options[OPTIONS_MAX];
    void *into[OPTIONS_MAX];
    bool given[OPTIONS_MAX];
    int count;
};

const struct stk_verb *stk_verb_find(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; stk_verbs[i] != NULL; i++) {
        const char *name = stk_verbs[i]->name;
        const char *space = strchr(name, ' ');
        size_t first = space != NULL ? (size_t)(space - name) : strlen(name);

        if (strncmp(argv[0], name, first) != 0 || argv[0][first] != '\0')
            continue;
        *ret_words = space != NULL ? 2 : 1;
        if (space == NULL || (argc > 1 && strcmp(argv[1], space + 1) == 0))
            return stk_verbs[i];
    }
    return NULL;
}

const struct stk_option *stk_verb_option(const struct stk_verb *verb, size_t index)
{
    size_t own = 0;

    for (; verb->options[own].name != NULL; own++)
        if (own == index)
            return &verb->options[own];
    index -= own;
    for (size_t i = 0; i < COMMON_COUNT; i++)
        if ((common[i].flag == 0 || (verb->flags & common[i].flag) != 0) && index-- == 0)
            return &common[i].option;
    return NULL;
}

static void print_option(const struct stk_option *option)
{
    char left[64] = "";

    (void)snprintf(left, sizeof(left), "--%s%s%s", option->name,
                   option->argument != NULL ? " " : "",
                   option->argument != NULL ? option->argument : "");
    (void)printf("  %-24s %s\n", left, option->help);
}

void stk_verb_usage_print(const struct stk_verb *verb)
{
    (void)printf("usage: stirkeep %s%s%s%s%s\n\n%s.\n\n", verb->name,
                 verb->positional != NULL ? " " : "",
                 verb->positional != NULL ? verb->positional : "",
                 verb->synopsis[0] != '\0' ? " " : "", verb->synopsis, verb->summary);
    for (size_t i = 0; stk_verb_option(verb, i) != NULL; i++)
        print_option(stk_verb_option(verb, i));
}

void stk_usage_print(void)
{
    (void)printf("usage: stirkeep VERB [...]\n"
                 "       stirkeep VERB --help\n"
                 "       stirkeep --version\n\n");
    for (size_t i = 0; stk_verbs[i] != NULL; i++)
        (void)printf("  %-18s %s\n", stk_verbs[i]->name, stk_verbs[i]->summary);
    (void)printf("\nexit status: 0 done, 1 refused or failed, 2 wrong usage\n");
}

static enum stk_exit wrong(const struct stk_verb *verb, const char *what, const char *name)
{
    stk_complain(verb->name, "%s%s (see stirkeep %s --help)", what, name, verb->name);
    return STK_EXIT_USAGE;
}

static void add_option(struct line *line, const struct stk_option *option, void *into)
{
    line->known[line->count] =
        (struct option){.name = option->name,
                        .has_arg = option->argument != NULL ? required_argument : no_argument,
                        .val = line->count + 1};
    line->options[line->count] = option;
    line->into[line->count] = (char *)into + option->offset;
    line->count++;
}

static void make_line(struct line *line, const struct stk_verb *verb, struct stk_cli *cli,
                      void *options)
{
    for (const struct stk_option *option = verb->options; option->name != NULL; option++)
        add_option(line, option, options);
    for (size_t i = 0; i < COMMON_COUNT; i++)
        if (common[i].flag == 0 || (verb->flags & common[i].flag) != 0)
            add_option(line, &common[i].option, cli);
}

static bool take_text(struct stk_texts *texts, char *value)
{
    if (texts->count == STK_TEXTS_MAX)
        return false;
    texts->items[texts->count++] = value;
    return true;
}

static bool take_texts(struct stk_texts *texts, char *value)
{
    char *rest = NULL;

    for (char *item = strtok_r(value, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest))
        if (!take_text(texts, item))
            return false;
    return true;
}

static bool take_number(const struct stk_option *option, const char *text, long long *ret_number)
{
    char *end = NULL;
    long long number = 0;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < option->least ||
        number > option->most)
        return false;
    *ret_number = number;
    return true;
}

/* NULL: taken; otherwise what is wrong with it. */
static const char *take(struct line *line, int index, char *value)
{
    const struct stk_option *option = line->options[index];

    if (line->given[index] &&
        (option->kind == STK_OPTION_TEXT || option->kind == STK_OPTION_NUMBER))
        return "given twice: --";
    line->given[index] = true;
    switch (option->kind) {
    case STK_OPTION_SWITCH:
        *(bool *)line->into[index] = true;
        return NULL;
    case STK_OPTION_TEXT:
        *(const char **)line->into[index] = value;
        return NULL;
    case STK_OPTION_TEXTS:
        return take_texts(line->into[index], value) ? NULL : "given too often: --";
    case STK_OPTION_URIS:
        return take_text(line->into[index], value) ? NULL : "given too often: --";
    case STK_OPTION_NUMBER:
        return take_number(option, value, line->into[index]) ? NULL
                                                             : "not a number in its range: --";
    }
    return NULL;
}

static enum stk_exit take_positional(struct stk_cli *cli, int argc, char **argv)
{
    const struct stk_verb *verb = cli->verb;
    bool takes_several = verb->positional != NULL && strstr(verb->positional, "...") != NULL;

    cli->positionals = argv + optind;
    if (optind < argc && (verb->flags & STK_VERB_COMMAND) != 0 && optind > 1 &&
        strcmp(argv[optind - 1], "--") == 0) {
        cli->command = argv + optind;
        return STK_EXIT_DONE;
    }
    if (optind < argc && verb->positional != NULL)
        cli->positional = argv[optind++];
    if (takes_several)
        optind = argc;
    cli->positional_count = (int)(argv + optind - cli->positionals);
    if (optind < argc)
        return wrong(verb, "one argument too many: ", argv[optind]);
    if (cli->positional == NULL && verb->positional != NULL && verb->positional[0] != '[')
        return wrong(verb, "missing: ", verb->positional);
    return STK_EXIT_DONE;
}

/* getopt_long takes any beginning of an option for it; a word that destroys a key is to be whole. */
static const char *find_abbreviation(const struct line *line, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        size_t length = strcspn(argv[i], "=");
        const struct option *known = line->known;

        if (strncmp(argv[i], "--", 2) != 0)
            continue;
        while (known->name != NULL && (strlen(known->name) != length - 2 ||
                                       strncmp(known->name, argv[i] + 2, length - 2) != 0))
            known++;
        if (known->name == NULL)
            return argv[i];
        if (known->has_arg == required_argument && argv[i][length] == '\0')
            i++; /* its value */
    }
    return NULL;
}

static enum stk_exit take_line(struct line *line, struct stk_cli *cli, int argc, char **argv,
                               bool *ret_help)
{
    const char *abbreviated = find_abbreviation(line, argc, argv);
    int taken = 0;

    if (abbreviated != NULL)
        return wrong(cli->verb, "no such option: ", abbreviated);
    opterr = 0;
    optind = 0; /* getopt_long starts afresh, whatever was read before */
    /* A command's own options are its own: nothing is looked for behind what is no option. */
    while (
        (taken = getopt_long(argc, argv, (cli->verb->flags & STK_VERB_COMMAND) != 0 ? "+:h" : ":h",
                             line->known, NULL)) != -1) {
        const char *problem = NULL;

        if (taken == ':')
            return wrong(cli->verb, "a value is missing after ", argv[optind - 1]);
        if (taken == '?')
            return wrong(cli->verb, "no such option: ", argv[optind - 1]);
        if (taken == 'h' || strcmp(line->options[taken - 1]->name, "help") == 0) {
            *ret_help = true;
            return STK_EXIT_DONE;
        }
        problem = take(line, taken - 1, optarg);
        if (problem != NULL)
            return wrong(cli->verb, problem, line->options[taken - 1]->name);
    }
    return take_positional(cli, argc, argv);
}

static const char *from_environment(const char *name, const char *otherwise)
{
    const char *value = secure_getenv(name);

    return value != NULL && value[0] != '\0' ? value : otherwise;
}

enum stk_exit stk_verb_main(const struct stk_verb *verb, int argc, char **argv)
{
    struct stk_cli cli = {
        .verb = verb,
        .sign_socket = from_environment("STIRKEEP_SIGN_SOCKET", STIRKEEP_DEFAULT_SIGN_SOCKET),
        .admin_socket = from_environment("STIRKEEP_ADMIN_SOCKET", ADMIN_SOCKET_DEFAULT)};
    void *options = calloc(1, verb->options_size > 0 ? verb->options_size : 1);
    enum stk_exit result = STK_EXIT_FAILED;
    struct line line = {0};
    bool help = false;

    if (options == NULL) {
        stk_complain(verb->name, "out of memory");
        return STK_EXIT_FAILED;
    }
    if (verb->defaults != NULL)
        memcpy(options, verb->defaults, verb->options_size);
    make_line(&line, verb, &cli, options);
    result = take_line(&line, &cli, argc, argv, &help);
    if (help)
        stk_verb_usage_print(verb);
    else if (result == STK_EXIT_DONE)
        result = verb->run(&cli, options);
    free(options);
    return result;
}
