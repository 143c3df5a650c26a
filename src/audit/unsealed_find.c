/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/line.h"
#include "audit/reader.h"
#include "audit/seal.h"
#include "audit/trail.h"
#include "audit/unsealed.h"
#include <string.h>

#define BLOCK_LEAST ((size_t)64 * 1024) /* read first; doubled until ... */
#define BLOCK_MOST ((size_t)2 * STK_LINE_MAX)

/* On the way back from the end of a file. */
struct search {
    int fd;
    off_t end;         /* of the file's last line */
    off_t start;       /* of the first line found so far that is unsealed */
    uint64_t next;     /* the number of the line at `start` */
    uint64_t sealed;   /* what the last seal covers; 0: it was not met yet */
    uint64_t records;  /* found */
    size_t block_size; /* to read next */
    struct stk_buffer block;
};

/* The line before `start`. False: the search is over, and the line not part of what is found. */
static bool take_line(struct search *search, const uint8_t *data, size_t length)
{
    struct stk_line_start line = {0};
    struct stk_line whole = {0};
    struct stk_seal seal = {0};

    if (!stk_line_begins(data, length, &line) || line.sequence != search->next - 1 ||
        (search->sealed != 0 && line.sequence <= search->sealed) ||
        search->records == STK_SEAL_RECORDS_MAX ||
        search->end - search->start > STK_UNSEALED_FIND_MAX)
        return false;
    if (line.seals && search->sealed == 0) {
        if (stk_line_read(data, length, &whole) != NULL || !stk_seal_read(data, length, &seal))
            return false;
        search->sealed = seal.through;
    }
    search->start -= (off_t)length + 1;
    search->next = line.sequence;
    search->records++;
    return true;
}

/* Read the block that ends at `start`, and take its lines from the last to the first. False: the
 * search is over. */
static bool take_block(struct search *search)
{
    size_t size =
        search->start < (off_t)search->block_size ? (size_t)search->start : search->block_size;
    off_t at = search->start - (off_t)size;
    size_t end = size;
    bool taken = false;

    search->block.length = 0;
    if (size == 0 || stk_buffer_reserve(&search->block, size) != STIRKEEP_OK ||
        !stk_tail_read(search->fd, search->block.data, size, at))
        return false;
    while (end > 0) {
        const uint8_t *newline = memrchr(search->block.data, '\n', end - 1);
        size_t start = newline != NULL ? (size_t)(newline - search->block.data) + 1 : 0;

        if (newline == NULL && at > 0)
            break; /* it begins before the block */
        if (!take_line(search, search->block.data + start, end - 1 - start))
            return false;
        taken = true;
        end = start;
    }
    if (!taken && search->block_size == BLOCK_MOST)
        return false;
    if (search->block_size < BLOCK_MOST)
        search->block_size *= 2;
    return true;
}

/* From `start` on, each line checked and added. */
static void add_lines(struct stk_unsealed *unsealed, const struct search *search,
                      const struct stk_chain *end)
{
    struct stk_reader reader = {.fd = search->fd, .at = search->start};
    struct stk_chain chain = {0};
    const uint8_t *data = NULL;
    size_t length = 0;

    while (chain.sequence != end->sequence &&
           stk_reader_next(&reader, &data, &length) == STK_READER_LINE) {
        struct stk_line_start start = {0};
        struct stk_line line = {0};

        if (stk_line_read(data, length, &line) != NULL || !stk_line_begins(data, length, &start))
            break;
        if (chain.sequence != 0 && stk_line_follow(&line, &chain) != NULL)
            break;
        chain.sequence = line.sequence;
        memcpy(chain.digest, line.digest, sizeof(chain.digest));
        stk_unsealed_add(unsealed, line.sequence, line.digest, line.seals, start.real_us);
    }
    stk_reader_free(&reader);
    if (chain.sequence != end->sequence ||
        memcmp(chain.digest, end->digest, sizeof(chain.digest)) != 0)
        stk_unsealed_leave(unsealed);
}

void stk_unsealed_find(struct stk_unsealed *unsealed, int fd, const struct stk_position *position)
{
    struct search search = {.fd = fd,
                            .end = position->end,
                            .start = position->end,
                            .next = position->chain.sequence + 1,
                            .block_size = BLOCK_LEAST};

    while (take_block(&search))
        continue;
    stk_buffer_free(&search.block);
    unsealed->sealed = search.sealed;
    if (search.records > 0)
        add_lines(unsealed, &search, &position->chain);
}
