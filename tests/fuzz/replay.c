/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * A main for a fuzz target without libFuzzer: give it each file, and each file of each directory.
 *   TARGET FILE|DIRECTORY...
 * In TAP, one case for each argument: a directory without a file in it is a failure, too.
 */
#define INPUT_MAX (2 * 1024 * 1024)

/* What is being replayed, for whoever reads why it died. */
static void replay_file(const char *path)
{
    struct stk_buffer input = {0};
    struct stk_error error = {0};
    uint8_t *exact = NULL;

    FUZZ_OK(stk_file_read(path, INPUT_MAX, &input, &error), &error);
    (void)fprintf(stderr, "%s (%zu bytes)\n", path, input.length);
    exact = fuzz_copy((struct stk_bytes){input.data, input.length});
    (void)LLVMFuzzerTestOneInput(exact, input.length);
    free(exact);
    stk_buffer_free(&input);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static size_t replay(const char *path)
{
    struct stat about = {0};
    struct dirent **entries = NULL;
    size_t replayed = 0;
    int count = 0;

    if (stat(path, &about) != 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 0;
    }
    if (!S_ISDIR(about.st_mode)) {
        replay_file(path);
        return 1;
    }
    count = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        char *inside = NULL;

        FUZZ_CHECK(asprintf(&inside, "%s/%s", path, entries[i]->d_name) > 0);
        replayed += replay(inside);
        free(inside);
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv)
{
    bool good = argc > 1;

    (void)printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        size_t replayed = replay(argv[i]);

        (void)printf("%s %d - %s: %zu inputs\n", replayed > 0 ? "ok" : "not ok", i, argv[i],
                     replayed);
        good = good && replayed > 0;
    }
    return good ? 0 : 1;
}
