/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void fuzz_broken(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

void fuzz_ok(const char *file, int line, enum stirkeep_status status, const struct stk_error *error)
{
    if (status == STIRKEEP_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", stirkeep_status_name(status), error->message);
    fuzz_broken(file, line, "it succeeds");
}

void fuzz_refusal(enum stirkeep_status status, const struct stk_error *error)
{
    const size_t length = strnlen(error->message, sizeof(error->message));

    FUZZ_CHECK(status != STIRKEEP_OK && error->status == status);
    FUZZ_CHECK(length > 0 && length < sizeof(error->message));
    for (size_t i = 0; i < length; i++)
        FUZZ_CHECK((unsigned char)error->message[i] >= ' ' && error->message[i] != 0x7f);
}

uint8_t fuzz_byte(struct stk_bytes *rest)
{
    if (rest->length == 0)
        return 0;
    rest->length--;
    return *rest->data++;
}

struct stk_bytes fuzz_line(struct stk_bytes *rest)
{
    const uint8_t *end = rest->length > 0 ? memchr(rest->data, '\n', rest->length) : NULL;
    struct stk_bytes line = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->length};

    rest->length -= line.length + (end != NULL ? 1 : 0);
    rest->data = end != NULL ? end + 1 : rest->data + line.length;
    return line;
}

char *fuzz_text(struct stk_bytes bytes)
{
    char *text = malloc(bytes.length + 1);

    FUZZ_CHECK(text != NULL);
    if (bytes.length > 0)
        memcpy(text, bytes.data, bytes.length);
    text[bytes.length] = '\0';
    return text;
}

uint8_t *fuzz_copy(struct stk_bytes bytes)
{
    uint8_t *copy = malloc(bytes.length > 0 ? bytes.length : 1);

    FUZZ_CHECK(copy != NULL);
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    return copy;
}

bool fuzz_same(const struct stk_buffer *one, const struct stk_buffer *other)
{
    return one->length == other->length &&
           (one->length == 0 || memcmp(one->data, other->data, one->length) == 0);
}

void fuzz_secret(struct stk_bytes bytes, struct stk_secret *ret_secret)
{
    FUZZ_CHECK(stk_secret_new(ret_secret, bytes.length > 0 ? bytes.length : 1) == STIRKEEP_OK);
    if (bytes.length > 0)
        memcpy(ret_secret->data, bytes.data, bytes.length);
    ret_secret->length = bytes.length;
}

int fuzz_file(struct stk_bytes bytes)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0);
    for (size_t at = 0; at < bytes.length;) {
        ssize_t put = pwrite(fd, bytes.data + at, bytes.length - at, (off_t)at);

        FUZZ_CHECK(put > 0);
        at += (size_t)put;
    }
    return fd;
}

struct stk_arena *fuzz_arena(unsigned which, size_t capacity)
{
    static struct stk_arena arenas[FUZZ_ARENAS];
    struct stk_arena *arena = &arenas[which];

    FUZZ_CHECK(which < FUZZ_ARENAS);
    if (arena->capacity != capacity) {
        stk_arena_free(arena);
        FUZZ_CHECK(stk_arena_new(arena, capacity) == STIRKEEP_OK);
    }
    stk_arena_reset(arena);
    return arena;
}
