/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

static const char head[] = "# bash completion for stirkeep, made by: stirkeep completion bash\n";

/* `--option=value` comes as three words where '=' is among COMP_WORDBREAKS. */
static const char body[] =
    "_stirkeep_paths() {\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
    "}\n"
    "_stirkeep() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
    "verb=${COMP_WORDS[1]}\n"
    "    local first=2 i options= value= positional=\n"
    "    COMPREPLY=()\n"
    "    if [ \"$cur\" = = ]; then\n"
    "        cur=\n"
    "    elif [ \"$prev\" = = ] && [ \"$COMP_CWORD\" -gt 2 ]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        COMPREPLY=($(compgen -W \"$_stirkeep_verbs --help --version\" -- \"$cur\"))\n"
    "        return 0\n"
    "    fi\n"
    "    if _stirkeep_seconds \"$verb\"; then\n"
    "        if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
    "            COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
    "            return 0\n"
    "        fi\n"
    "        verb=\"$verb ${COMP_WORDS[2]}\"\n"
    "        first=3\n"
    "    fi\n"
    "    for ((i = first; i < COMP_CWORD; i++)); do\n"
    "        if [ \"$verb ${COMP_WORDS[i]}\" = 'lab --' ]; then\n"
    "            if [ \"$i\" -eq $((COMP_CWORD - 1)) ]; then\n"
    "                COMPREPLY=($(compgen -c -- \"$cur\"))\n"
    "            else\n"
    "                _stirkeep_paths -f\n"
    "            fi\n"
    "            return 0\n"
    "        fi\n"
    "    done\n"
    "    _stirkeep_verb \"$verb\" \"$prev\" || return 0\n"
    "    if [ -z \"$value\" ] && [ \"${cur#-}\" != \"$cur\" ]; then\n"
    "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
    "        return 0\n"
    "    fi\n"
    "    [ -n \"$value\" ] || value=$positional\n"
    "    case $value in\n"
    "    files) _stirkeep_paths -f ;;\n"
    "    directories) _stirkeep_paths -d ;;\n"
    "    names) COMPREPLY=($(compgen -W \"$(_stirkeep_names)\" -- \"$cur\")) ;;\n"
    "    nothing | '') ;;\n"
    "    *) COMPREPLY=($(compgen -W \"$value\" -- \"$cur\")) ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _stirkeep stirkeep\n";

/* What $value is to be. */
static void print_value(const char *value)
{
    switch (stk_completes(value)) {
    case STK_COMPLETES_FILES:
        (void)fputs("files", stdout);
        break;
    case STK_COMPLETES_DIRECTORIES:
        (void)fputs("directories", stdout);
        break;
    case STK_COMPLETES_NAMES:
        (void)fputs("names", stdout);
        break;
    case STK_COMPLETES_WORDS:
        (void)putchar('\'');
        for (const char *at = value; *at != '\0'; at++)
            if (strchr("[]", *at) == NULL)
                (void)putchar(*at == '|' ? ' ' : *at);
        (void)putchar('\'');
        break;
    case STK_COMPLETES_NOTHING:
        (void)fputs("nothing", stdout);
        break;
    }
}

static size_t first_word(const struct stk_verb *verb)
{
    return strcspn(verb->name, " ");
}

/* Verbs of the same first word stand together, and that word once. */
static bool is_again(size_t number)
{
    return number > 0 && first_word(stk_verbs[number]) == first_word(stk_verbs[number - 1]) &&
           strncmp(stk_verbs[number]->name, stk_verbs[number - 1]->name,
                   first_word(stk_verbs[number])) == 0;
}

static void print_first_words(void)
{
    (void)printf("_stirkeep_verbs='");
    for (size_t i = 0; stk_verbs[i] != NULL; i++)
        if (!is_again(i))
            (void)printf("%s%.*s", i > 0 ? " " : "", (int)first_word(stk_verbs[i]),
                         stk_verbs[i]->name);
    (void)printf("'\n");
}

/* Sets $options to the second words of a verb that has two; fails for others. */
static void print_second_words(void)
{
    (void)printf("_stirkeep_seconds() {\n    case $1 in\n");
    for (size_t i = 0; stk_verbs[i] != NULL; i++) {
        const char *name = stk_verbs[i]->name;
        size_t length = first_word(stk_verbs[i]);

        if (name[length] == '\0')
            continue;
        if (!is_again(i))
            (void)printf("    %.*s) options='", (int)length, name);
        else
            (void)putchar(' ');
        (void)fputs(name + length + 1, stdout);
        if (stk_verbs[i + 1] == NULL || !is_again(i + 1))
            (void)printf("' ;;\n");
    }
    (void)printf("    *) return 1 ;;\n    esac\n}\n");
}

static void print_verb(const struct stk_verb *verb)
{
    const struct stk_option *option = NULL;

    (void)printf("    '%s')\n        options='", verb->name);
    for (size_t i = 0; (option = stk_verb_option(verb, i)) != NULL; i++)
        (void)printf("%s--%s", i > 0 ? " " : "", option->name);
    (void)printf("'\n        positional=");
    if (strcmp(verb->name, "completion") == 0)
        (void)printf("'bash zsh'");
    else
        print_value(verb->positional);
    (void)printf("\n        case $2 in\n");
    for (size_t i = 0; (option = stk_verb_option(verb, i)) != NULL; i++) {
        if (option->argument == NULL)
            continue;
        (void)printf("        --%s) value=", option->name);
        print_value(option->argument);
        (void)printf(" ;;\n");
    }
    (void)printf("        esac ;;\n");
}

void stk_completion_bash(void)
{
    (void)fputs(head, stdout);
    (void)fputs(stk_completion_names, stdout);
    print_first_words();
    print_second_words();
    (void)printf(
        "# Sets $options, $positional and $value for a verb ($1) and the word before ($2).\n"
        "_stirkeep_verb() {\n    case $1 in\n");
    for (size_t i = 0; stk_verbs[i] != NULL; i++)
        print_verb(stk_verbs[i]);
    (void)printf("    *) return 1 ;;\n    esac\n}\n");
    (void)fputs(body, stdout);
}
