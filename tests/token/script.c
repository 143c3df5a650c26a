/* SPDX-License-Identifier: BSD-2-Clause */
#include "script.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCRIPT_MAX (64 * 1024)
#define RULES_MAX 512
#define FRESH_NS                                                                                   \
    50000000L /* the clock of files is coarse: a file so young may have changed again */

static const char *const function_names[] = {
#define FUNCTION(name, session, parameters, arguments) #name,
#include "functions.h"
#undef FUNCTION
    "C_GetFunctionList",
};

static const char *const action_names[ACTION_COUNT] = {"delay", "return", "lose",    "sleep",
                                                       "hang",  "crash",  "wrong",   "short",
                                                       "empty", "logout", "sessions"};

struct rule {
    int function; /* -1: all */
    enum whose whose;
    uint64_t first;
    uint64_t last;
    uint64_t delay_us;
    enum action action;
    CK_RV rv;
};

/* One reading of the script: its calls are counted from 1. Never freed while the module lives, since
 * any thread may be using it; scripts are few. */
struct script {
    struct script *before;
    atomic_uint_fast64_t calls[WHOSE_COUNT][FUNCTION_COUNT];
    int at_most; /* so many actions, delays apart, over all processes; 0: any number */
    int asks_whose;
    size_t rule_count;
    struct rule rules[RULES_MAX];
    char text[];
};

static int script_fd = -1;
static atomic_uint_fast64_t *counts;
static _Atomic(struct script *) current;
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
static struct stat seen; /* by who reads */
static int seen_young;

/* ---- reading */

static int parse_which(const char *word, struct rule *rule)
{
    char *rest = NULL;

    if (strncmp(word, "rw:", 3) == 0)
        rule->whose = WHOSE_WRITER;
    else if (strncmp(word, "ro:", 3) == 0)
        rule->whose = WHOSE_READER;
    word += rule->whose == WHOSE_ANY ? 0 : 3;
    rule->first = 1;
    rule->last = UINT64_MAX;
    if (strcmp(word, "*") == 0)
        return 1;
    rule->first = strtoull(word, &rest, 10);
    rule->last = rule->first;
    if (rest == word || rule->first == 0)
        return 0;
    if (*rest == '-') {
        rule->last = rest[1] == '\0' ? UINT64_MAX : strtoull(rest + 1, &rest, 10);
        return rule->last >= rule->first;
    }
    return *rest == '\0';
}

static int parse_function(const char *word, struct rule *rule)
{
    rule->function = -1;
    for (int i = 0; i < FUNCTION_COUNT && rule->function < 0; i++)
        if (strcmp(word, function_names[i]) == 0)
            rule->function = i;
    return rule->function >= 0 || strcmp(word, "*") == 0;
}

static int parse_action(const char *word, const char *value, struct rule *rule)
{
    for (int i = 0; i < ACTION_COUNT; i++)
        if (strcmp(word, action_names[i]) == 0) {
            rule->action = (enum action)i;
            rule->delay_us = i == ACTION_NONE ? (uint64_t)(strtod(value, NULL) * 1000) : 0;
            rule->rv = strtoul(value, NULL, 0);
            return 1;
        }
    return 0;
}

static void complain(const char *line)
{
    (void)fprintf(stderr, "wrap: script: cannot be read, and does nothing: %s\n", line);
}

static int parse_line(const char *line, struct script *script)
{
    struct rule *rule = &script->rules[script->rule_count];
    char function[64] = "";
    char which[64] = "";
    char action[64] = "";
    char value[64] = "0";

    if (line[0] == '\0' || line[0] == '#' || sscanf(line, "at-most %d", &script->at_most) == 1)
        return 1;
    if (script->rule_count == RULES_MAX ||
        sscanf(line, "%63s %63s %63s %63s", function, which, action, value) < 3 ||
        !parse_function(function, rule) || !parse_which(which, rule) ||
        !parse_action(action, value, rule))
        return 0;
    script->asks_whose |= rule->whose != WHOSE_ANY;
    script->rule_count++;
    return 1;
}

/* NULL: it is not whole (its last line is "end"), or cannot be read. */
static struct script *parse(const char *text, size_t length)
{
    struct script *script = NULL;
    char *copy = NULL;
    char *state = NULL;
    int ended = 0;

    if (length < 4 || strcmp(text + length - 4, "end\n") != 0)
        return NULL;
    script = calloc(1, sizeof(*script) + length + 1);
    copy = strdup(text);
    if (script == NULL || copy == NULL)
        abort();
    memcpy(script->text, text, length + 1);
    for (char *line = strtok_r(copy, "\n", &state); line != NULL && !ended;
         line = strtok_r(NULL, "\n", &state)) {
        ended = strcmp(line, "end") == 0;
        if (!ended && !parse_line(line, script))
            complain(line);
    }
    free(copy);
    return script;
}

static void read_it(void)
{
    static char text[SCRIPT_MAX];
    ssize_t length = pread(script_fd, text, sizeof(text) - 1, 0);
    struct script *now = atomic_load(&current);
    struct script *next = NULL;

    if (length < 0)
        return;
    text[length] = '\0';
    if (now != NULL && strcmp(now->text, text) == 0)
        return;
    next = parse(text, (size_t)length);
    if (next == NULL)
        return;
    next->before = now;
    atomic_store(&current, next);
}

static int is_young(const struct stat *about)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec - about->st_mtim.tv_sec) * 1000000000L + now.tv_nsec -
               about->st_mtim.tv_nsec <
           FRESH_NS;
}

/* Who comes while another one reads goes by what was. */
static void look(void)
{
    struct stat about = {0};

    if (script_fd < 0)
        return;
    /* Who went on while another thread reads would do what the former script says. */
    (void)pthread_mutex_lock(&reading);
    if (fstat(script_fd, &about) == 0 && (seen_young || about.st_size != seen.st_size ||
                                          about.st_mtim.tv_sec != seen.st_mtim.tv_sec ||
                                          about.st_mtim.tv_nsec != seen.st_mtim.tv_nsec)) {
        seen = about;
        seen_young = is_young(&about);
        read_it();
    }
    (void)pthread_mutex_unlock(&reading);
}

/* ---- its use */

static void *map_counts(const char *path)
{
    size_t size = (FUNCTION_COUNT + 1) * sizeof(*counts);
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    struct stat about = {0};
    void *map = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &about) == 0 && (size_t)about.st_size >= size)
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        (void)close(fd);
    return map != MAP_FAILED ? map : NULL;
}

void script_open(const char *script, const char *counts_path)
{
    script_fd = script != NULL ? open(script, O_RDONLY | O_CLOEXEC) : -1;
    if (script != NULL && script_fd < 0)
        perror("wrap: script");
    counts = map_counts(counts_path);
}

/* Behind the functions' counts is that of actions. False: there were enough. */
static int may_act(const struct script *script)
{
    uint64_t before = counts != NULL ? atomic_load(&counts[FUNCTION_COUNT]) : 0;

    if (counts == NULL)
        return 1;
    do {
        if (script->at_most > 0 && before >= (uint64_t)script->at_most)
            return 0;
    } while (!atomic_compare_exchange_weak(&counts[FUNCTION_COUNT], &before, before + 1));
    return 1;
}

void script_turn(enum function function, int (*is_writer)(CK_SESSION_HANDLE),
                 CK_SESSION_HANDLE session, struct turn *ret_turn)
{
    struct script *script = NULL;
    uint64_t numbers[WHOSE_COUNT] = {0};
    enum whose whose = WHOSE_ANY;

    look();
    if (counts != NULL)
        (void)atomic_fetch_add(&counts[function], 1);
    script = atomic_load(&current);
    if (script == NULL)
        return;
    numbers[WHOSE_ANY] = atomic_fetch_add(&script->calls[WHOSE_ANY][function], 1) + 1;
    if (script->asks_whose && session != 0) {
        whose = is_writer(session) ? WHOSE_WRITER : WHOSE_READER;
        numbers[whose] = atomic_fetch_add(&script->calls[whose][function], 1) + 1;
    }
    for (size_t i = 0; i < script->rule_count; i++) {
        const struct rule *rule = &script->rules[i];

        if ((rule->function >= 0 && rule->function != (int)function) ||
            numbers[rule->whose] < rule->first || numbers[rule->whose] > rule->last)
            continue;
        if (rule->action == ACTION_NONE) {
            ret_turn->delay_us = rule->delay_us;
        } else {
            ret_turn->action = rule->action;
            ret_turn->rv = rule->rv;
        }
    }
    if (ret_turn->action != ACTION_NONE && !may_act(script))
        *ret_turn = (struct turn){.delay_us = ret_turn->delay_us};
}
