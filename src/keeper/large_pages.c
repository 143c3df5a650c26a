/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/large_pages.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Octets of memory that are in use; 0: not known. */
static size_t size_now(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Writable memory of the process's own, no file's and none that others share. */
static bool is_own(const char *line, uintptr_t *ret_from, uintptr_t *ret_to)
{
    char rights[5] = "";
    unsigned long inode = 0;

    return sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu", ret_from, ret_to, rights,
                  &inode) == 4 &&
           strcmp(rights, "rw-p") == 0 && inode == 0;
}

static void find_ranges(struct stk_large_pages *self)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char line[512] = "";

    self->count = 0;
    while (file != NULL && self->count < STK_LARGE_RANGES_MAX &&
           fgets(line, sizeof(line), file) != NULL) {
        struct stk_large_range range = {0};

        if (!is_own(line, &range.from, &range.to))
            continue;
        range.from = (range.from + STK_LARGE_PAGE - 1) / STK_LARGE_PAGE * STK_LARGE_PAGE;
        range.to = range.to / STK_LARGE_PAGE * STK_LARGE_PAGE;
        if (range.from < range.to)
            self->ranges[self->count++] = range;
    }
    if (file != NULL)
        (void)fclose(file);
}

/* A thread's stack is 8 MiB of which it uses a few pages. Not by /proc/self/pagemap, which is not for
 * who does not dump core. */
static bool is_used(uintptr_t at)
{
    unsigned char present[STK_LARGE_PAGE / 4096] = {0}; /* of pages of at least 4 KiB */
    const size_t count = STK_LARGE_PAGE / (size_t)sysconf(_SC_PAGESIZE);
    size_t used = 0;

    if (mincore((void *)at, STK_LARGE_PAGE, present) != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        used += present[i] & 1;
    return used >= count / 2;
}

/* Memory that is gone by now, or that the kernel has no large page for: left as it is. */
static size_t move(struct stk_large_pages *self)
{
    size_t moved = 0;

    for (unsigned looked = 0; looked < STK_LARGE_TURN && self->count > 0; looked++) {
        struct stk_large_range *range = &self->ranges[self->count - 1];
        const uintptr_t at = range->from;

        range->from += STK_LARGE_PAGE;
        if (range->from == range->to)
            self->count--;
        moved += is_used(at) && madvise((void *)at, STK_LARGE_PAGE, MADV_COLLAPSE) == 0;
    }
    return moved;
}

size_t stk_large_pages_turn(struct stk_large_pages *self, uint64_t now_us)
{
    size_t size = 0;

    if (self->count == 0) {
        if (now_us < self->look_us)
            return 0;
        self->look_us = now_us + STK_LARGE_LOOK_US;
        size = size_now();
        if (size < STK_LARGE_FROM || size < self->size + STK_LARGE_MORE)
            return 0;
        self->size = size;
        find_ranges(self);
    }
    return move(self);
}
