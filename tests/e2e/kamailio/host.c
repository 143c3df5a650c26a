/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a modproc object as Kamailio's secsipid module does, without a Kamailio around it, and
 * calls what standard input says: a function's name and its arguments with tabs between them, one
 * call a line; "\N" is NULL, "\n" in a text an end of line. Answers with "RESULT MICROSECONDS
 * TEXT" each.
 *
 *     host OBJECT TABLE-SIZE
 */
#include <assert.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX (256 * 1024)
#define ARGUMENTS_MAX 8
#define REPORTS 10

/* As Kamailio's core has them: what modules compare themselves with. */
const char full_version[] = "kamailio 5.6.3 (x86_64/linux) abcdef";
const char ver_version[] = "5.6.3";
const char ver_flags[] = "USE_TCP, USE_TLS";
int log_stderr = 1;

/* Of the three sizes that Kamailio has had, and two that it has not. */
typedef void function(void);
function *table_9[9];
function *table_10[10];
function *table_11[11];
function *table_12[12];
function *table_13[13];

typedef int sign_function(char *, char *, char *, char **);
typedef int identity_function(char *, char *, char *, char *, char *, char *, char **);
typedef int check_function(char *, int, int, char *, int);
typedef int check_data_function(char *, int, int, char *, int);
typedef int cache_function(char *, int);
typedef int url_function(char *, int, char **, int *);
typedef int text_function(char *, char *);
typedef int number_function(char *, int);
typedef int pair_function(char *);

static struct {
    sign_function *sign;
    sign_function *sign_data; /* from 12 on */
    identity_function *identity;
    identity_function *identity_data; /* from 11 on */
    check_function *check;
    check_function *check_full;
    check_data_function *check_full_data;
    cache_function *cache;
    url_function *url;
    text_function *text;
    number_function *number;
    pair_function *pair;
} papi;

static uint64_t now_us(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static long memory_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size = 0;
    long resident = 0;

    if (file == NULL || fscanf(file, "%ld %ld", &size, &resident) != 2)
        resident = -1;
    if (file != NULL)
        (void)fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* The content of a file; NULL: none. */
static char *content_of(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, LINE_MAX);

    if (file != NULL && text != NULL)
        text[fread(text, 1, LINE_MAX - 1, file)] = '\0';
    if (file != NULL)
        (void)fclose(file);
    return text;
}

/* An argument as it was meant. */
static char *meant(char *text)
{
    char *to = text;

    if (text == NULL || strcmp(text, "\\N") == 0)
        return NULL;
    for (const char *from = text; *from != '\0'; from++) {
        if (from[0] == '\\' && from[1] == 'n') {
            *to++ = '\n';
            from++;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return text;
}

/* ---- calls */

static void loop(long count, char *key)
{
    char orig[] = "12155551212";
    char dest[] = "12155551213";
    char attest[] = "A";
    char nothing[] = "";
    long failed = 0;

    for (long i = 1; i <= count; i++) {
        char *text = NULL;

        if (papi.identity(orig, dest, attest, nothing, nothing, key, &text) <= 0)
            failed++;
        free(text);
        if (i % (count / REPORTS > 0 ? count / REPORTS : 1) == 0)
            printf("rss %ld %ld\n", i, memory_kib());
    }
    printf("failed %ld\n", failed);
}

static int call(char **a, int count, char **ret_text)
{
    int length = 0;

    if (strcmp(a[0], "identity") == 0 && count == 7)
        return papi.identity(a[1], a[2], a[3], a[4], a[5], a[6], ret_text);
    if (strcmp(a[0], "identity-data") == 0 && count == 7)
        return papi.identity_data(a[1], a[2], a[3], a[4], a[5], a[6], ret_text);
    if (strcmp(a[0], "sign") == 0 && count == 4)
        return papi.sign(a[1], a[2], a[3], ret_text);
    if (strcmp(a[0], "sign-data") == 0 && count == 4)
        return papi.sign_data(a[1], a[2], a[3], ret_text);
    if (strcmp(a[0], "check") == 0 && count == 4)
        return papi.check_full(a[1], a[1] != NULL ? (int)strlen(a[1]) : 0, atoi(a[2]), a[3], 1);
    if (strcmp(a[0], "check-passport") == 0 && count == 4)
        return papi.check(a[1], 0, atoi(a[2]), a[3], 1);
    if (strcmp(a[0], "cache") == 0 && count == 3)
        return papi.cache(a[1], atoi(a[2]));
    if (strcmp(a[0], "url") == 0 && count == 2)
        return papi.url(a[1], 1, ret_text, &length);
    if (strcmp(a[0], "option") == 0 && count == 2)
        return papi.pair(a[1]);
    if (strcmp(a[0], "option-text") == 0 && count == 3)
        return papi.text(a[1], a[2]);
    if (strcmp(a[0], "option-number") == 0 && count == 3)
        return papi.number(a[1], atoi(a[2]));
    fprintf(stderr, "no such call: %s with %d\n", a[0], count - 1);
    exit(2);
}

static int check_with_content(char **a)
{
    char *key = a[3] != NULL ? content_of(a[3]) : NULL;
    int result =
        papi.check_full_data(a[1], a[1] != NULL ? (int)strlen(a[1]) : 0, atoi(a[2]), key, 0);

    free(key);
    return result;
}

static void answer(char **a, int count)
{
    char *text = NULL;
    uint64_t began = now_us();
    int result = strcmp(a[0], "check-data") == 0 && count == 4 ? check_with_content(a)
                                                               : call(a, count, &text);

    for (char *at = text; at != NULL && *at != '\0'; at++)
        if (*at == '\n')
            *at = ' ';
    printf("%d %llu %s\n", result, (unsigned long long)(now_us() - began),
           text != NULL ? text : "");
    free(text);
}

/* As a worker forks after it has connected; the parent answers when the child has ended. */
static void go_on_in_child(void)
{
    pid_t child = fork();

    if (child != 0) {
        (void)waitpid(child, NULL, 0);
        return;
    }
    printf("0 0 %d\n", (int)getpid());
}

static void serve(void)
{
    static char line[LINE_MAX];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *arguments[ARGUMENTS_MAX] = {0};
        char *rest = line;
        int count = 0;

        line[strcspn(line, "\n")] = '\0';
        while (rest != NULL && count < ARGUMENTS_MAX)
            arguments[count++] = meant(strsep(&rest, "\t"));
        if (strcmp(line, "end") == 0)
            return;
        if (strcmp(line, "fork") == 0)
            go_on_in_child();
        else if (strcmp(line, "loop") == 0 && count == 3)
            loop(atol(arguments[1]), arguments[2]);
        else
            answer(arguments, count);
        (void)fflush(stdout);
    }
}

/* ---- loading */

static function **table_of(size_t size)
{
    function **tables[] = {table_9, table_10, table_11, table_12, table_13};

    assert(size >= 9 && size <= 13);
    return tables[size - 9];
}

static void take(function **table, size_t size)
{
    function **place = (function **)&papi;

    for (size_t i = 0; i < 12; i++)
        if ((i != 1 || size >= 12) && (i != 3 || size >= 11))
            place[i] = *table++;
}

/* As Kamailio compares a module with itself. */
static int is_of_this_version(void *object)
{
    char **version = dlsym(object, "module_version");
    char **flags = dlsym(object, "module_flags");

    return version != NULL && flags != NULL &&
           strcmp(*version, "kamailio 5.6.3 (x86_64/linux)") == 0 && strcmp(*flags, ver_flags) == 0;
}

int main(int argc, char **argv)
{
    size_t size = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    void *object = size != 0 ? dlopen(argv[1], RTLD_NOW) : NULL;
    int (*bind)(void *) = NULL;
    void *found = NULL;

    if (object == NULL) {
        fprintf(stderr, "%s\n", size != 0 ? dlerror() : "usage: host OBJECT TABLE-SIZE");
        return 2;
    }
    found = dlsym(object, "secsipid_proc_bind");
    if (found == NULL || !is_of_this_version(object)) {
        fprintf(stderr, "not a module of this version\n");
        return 3;
    }
    memcpy(&bind, &found, sizeof(bind));
    if (bind(table_of(size)) != 0)
        return 4;
    take(table_of(size), size);
    /* A child reads no line that is its parent's. */
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    printf("bound %d\n", (int)getpid());
    (void)fflush(stdout);
    serve();
    return 0;
}
