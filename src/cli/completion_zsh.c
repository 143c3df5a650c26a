/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

static const char body[] = "_stirkeep() {\n"
                           "    local context state state_descr line verb\n"
                           "    typeset -A opt_args\n"
                           "    _arguments -C '(- *)--help[print the usage]' \\\n"
                           "        '(- *)--version[print the version]' '1:verb:->verb' "
                           "'*:: :->rest' && return\n"
                           "    case $state in\n"
                           "    verb) _describe -t verbs verb _stirkeep_verbs ;;\n"
                           "    rest)\n"
                           "        verb=$line[1]\n"
                           "        if [[ -n ${_stirkeep_seconds[$verb]} ]]; then\n"
                           "            if (( CURRENT == 2 )); then\n"
                           "                compadd -- ${(z)_stirkeep_seconds[$verb]}\n"
                           "                return\n"
                           "            fi\n"
                           "            verb=\"$verb $words[2]\"\n"
                           "            shift words\n"
                           "            (( CURRENT-- ))\n"
                           "        fi\n"
                           "        _stirkeep_verb $verb\n"
                           "        ;;\n"
                           "    esac\n"
                           "}\n"
                           "_stirkeep \"$@\"\n";

/* Text inside '...[...]' of _arguments or _describe. */
static void print_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text) != NULL)
            (void)printf("\\%c", *text);
        else
            (void)putchar(*text);
    }
}

/* ":what it is called:what completes it". */
static void print_value(const char *value)
{
    (void)putchar(':');
    print_text(value);
    (void)putchar(':');
    switch (stk_completes(value)) {
    case STK_COMPLETES_FILES:
        (void)fputs("_files", stdout);
        break;
    case STK_COMPLETES_DIRECTORIES:
        (void)fputs("_files -/", stdout);
        break;
    case STK_COMPLETES_NAMES:
        (void)fputs("_stirkeep_name", stdout);
        break;
    case STK_COMPLETES_WORDS:
        (void)putchar('(');
        for (const char *at = value; *at != '\0'; at++)
            if (strchr("[]", *at) == NULL)
                (void)putchar(*at == '|' ? ' ' : *at);
        (void)putchar(')');
        break;
    case STK_COMPLETES_NOTHING:
        (void)putchar(' ');
        break;
    }
}

static void print_verb(const struct stk_verb *verb)
{
    const struct stk_option *option = NULL;

    (void)printf("    '%s')\n        _arguments -S", verb->name);
    for (size_t i = 0; (option = stk_verb_option(verb, i)) != NULL; i++) {
        bool again = option->kind == STK_OPTION_TEXTS || option->kind == STK_OPTION_URIS;

        (void)printf(" \\\n            '%s--%s%s[", again ? "*" : "", option->name,
                     option->argument != NULL ? "=" : "");
        print_text(option->help);
        (void)putchar(']');
        if (option->argument != NULL)
            print_value(option->argument);
        (void)putchar('\'');
    }
    if (strcmp(verb->name, "completion") == 0)
        (void)printf(" \\\n            '1:shell:(bash zsh)'");
    else if (verb->positional != NULL) {
        /* The only one, or each of several. */
        (void)printf(" \\\n            '%c", strstr(verb->positional, "...") != NULL ? '*' : '1');
        print_value(verb->positional);
        (void)putchar('\'');
    }
    if ((verb->flags & STK_VERB_COMMAND) != 0)
        (void)printf(" \\\n            '*::command:_normal'");
    (void)printf(" ;;\n");
}

/* "word" or the first word of two, with its summary. */
static void print_descriptions(void)
{
    const char *before = "";

    (void)printf("_stirkeep_verbs=(\n");
    for (size_t i = 0; stk_verbs[i] != NULL; i++) {
        const char *name = stk_verbs[i]->name;
        size_t length = strcspn(name, " ");

        if (strncmp(before, name, length) == 0 && before[length] == ' ')
            continue;
        before = name;
        (void)printf("    '%.*s:", (int)length, name);
        print_text(stk_verbs[i]->summary);
        (void)printf("'\n");
    }
    (void)printf(")\n");
}

/* The second words of a verb that has two. */
static void print_second_words(void)
{
    const char *before = "";

    (void)printf("typeset -A _stirkeep_seconds\n_stirkeep_seconds=(");
    for (size_t i = 0; stk_verbs[i] != NULL; i++) {
        const char *name = stk_verbs[i]->name;
        size_t length = strcspn(name, " ");

        if (name[length] == '\0')
            continue;
        if (strncmp(before, name, length + 1) == 0)
            (void)printf(" %s", name + length + 1);
        else
            (void)printf("%s%.*s '%s", before[0] != '\0' ? "' " : "", (int)length, name,
                         name + length + 1);
        before = name;
    }
    (void)printf("%s)\n", before[0] != '\0' ? "'" : "");
}

void stk_completion_zsh(void)
{
    (void)printf("#compdef stirkeep\n"
                 "# zsh completion for stirkeep, made by: stirkeep completion zsh\n");
    (void)fputs(stk_completion_names, stdout);
    (void)printf("_stirkeep_name() { compadd -- ${(f)\"$(_stirkeep_names)\"} }\n"
                 "typeset -a _stirkeep_verbs\n");
    print_descriptions();
    print_second_words();
    (void)printf("_stirkeep_verb() {\n    case $1 in\n");
    for (size_t i = 0; stk_verbs[i] != NULL; i++)
        print_verb(stk_verbs[i]);
    (void)printf("    esac\n}\n");
    (void)fputs(body, stdout);
}
