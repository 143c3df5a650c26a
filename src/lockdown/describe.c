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

static void describe_files(const char *word, char *ret_text, size_t size)
{
    static const char landlock[] = "landlock ";
    unsigned long abi = strncmp(word, landlock, sizeof(landlock) - 1) == 0
                            ? strtoul(word + sizeof(landlock) - 1, NULL, 10)
                            : 0;

    if (abi > 0)
        (void)snprintf(ret_text, size, "Landlock %lu", abi);
    else
        (void)snprintf(ret_text, size, "no Landlock");
}

static const char *calls_of(const struct facts *facts, const char *word)
{
    if (strcmp(word, "relaxed") == 0 || STK_LOCKDOWN_RELAXED)
        return "a build for sanitizers that is not locked down";
    return facts->filtered ? "system calls filtered" : "system calls not filtered";
}

bool stk_lockdown_describe(int pid, const char *word, const struct stk_config *config,
                           char ret_text[STK_LOCKDOWN_TEXT])
{
    const struct facts facts = look(pid);
    const bool is_porter = strcmp(word, "porter") == 0;
    char files[32] = "";

    if (!facts.known) {
        (void)snprintf(ret_text, STK_LOCKDOWN_TEXT, "not known: /proc does not tell");
        return config->lock_down.require == STK_REQUIRE_NOTHING;
    }
    if (!is_porter)
        describe_files(word, files, sizeof(files));
    (void)snprintf(ret_text, STK_LOCKDOWN_TEXT, "%s%s%s, %s, %s", calls_of(&facts, word),
                   is_porter ? "" : ", ", files,
                   facts.no_new_privileges ? "no new privileges" : "may get new privileges",
                   facts.capabilities == 0 ? "no capabilities" : "capabilities");
    return config->lock_down.require == STK_REQUIRE_NOTHING || facts.filtered;
}
