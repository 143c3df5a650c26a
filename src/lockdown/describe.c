/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/lockdown.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the kernel says of a process. */
struct facts {
    bool known;
    bool filtered;
    bool no_new_privileges;
    uint64_t capabilities; /* that it has, or could get */
};

static const char *value_of(const char *line, const char *name)
{
    size_t length = strlen(name);

    return strncmp(line, name, length) == 0 && line[length] == ':' ? line + length + 1 : NULL;
}

static void take_line(const char *line, struct facts *facts)
{
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    const char *value = value_of(line, "Seccomp");

    if (value != NULL) {
        facts->filtered = strtol(value, NULL, 10) == 2; /* SECCOMP_MODE_FILTER */
        facts->known = true;
    }
    value = value_of(line, "NoNewPrivs");
    if (value != NULL)
        facts->no_new_privileges = strtol(value, NULL, 10) == 1;
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        value = value_of(line, sets[i]);
        /* What a process without rights could get by a program it gets not with no_new_privs. */
        if (value != NULL && strcmp(sets[i], "CapBnd") != 0)
            facts->capabilities |= strtoull(value, NULL, 16);
    }
}

static struct facts look(int pid)
{
    struct facts facts = {0};
    char path[64] = "";
    char line[512] = "";
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        take_line(line, &facts);
    if (file != NULL)
        (void)fclose(file);
    return facts;
}

/* What the process says itself. */
struct word {
    bool relaxed;
    bool filtered;
    bool has_files; /* stirkeepd opens what rooms are to have */
    unsigned landlock;
};

static struct word read_word(const char *text)
{
    struct word word = {0};
    char first[16] = "";
    char second[16] = "";
    int count = sscanf(text, "%15s %15s %9u", first, second, &word.landlock);

    word.relaxed = count > 0 && strcmp(first, "relaxed") == 0;
    word.filtered = count > 0 && strcmp(first, "filtered") == 0;
    word.has_files = count < 2 || strcmp(second, "porter") != 0;
    return word;
}

static const char *files_of(const struct word *word, char space[32])
{
    if (!word->has_files)
        return "";
    if (word->landlock == 0)
        return ", no Landlock";
    (void)snprintf(space, 32, ", Landlock %u", word->landlock);
    return space;
}

bool stk_lockdown_describe(int pid, const char *said, char ret_text[STK_LOCKDOWN_TEXT])
{
    const struct facts facts = look(pid);
    const struct word word = read_word(said);
    const bool filtered = facts.filtered && word.filtered;
    char space[32] = "";

    if (!facts.known)
        (void)snprintf(ret_text, STK_LOCKDOWN_TEXT, "not known: /proc does not tell");
    else
        (void)snprintf(ret_text, STK_LOCKDOWN_TEXT, "%s%s, %s, %s",
                       word.relaxed ? "a build for sanitizers that is not locked down"
                       : filtered   ? "system calls filtered"
                                    : "system calls not filtered",
                       files_of(&word, space),
                       facts.no_new_privileges ? "no new privileges" : "may get new privileges",
                       facts.capabilities == 0 ? "no capabilities" : "capabilities");
    return filtered && facts.no_new_privileges;
}
