/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/witness.h"

#include "base/buffer.h"
#include "base/log.h"
#include "stirkeepd/lives.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define HEX_DIGITS "0123456789abcdef"
#define HEAD_LENGTH 64

static const char *target_of(const struct stk_witness *witness, unsigned kind)
{
    return kind == STK_WITNESS_FILE ? witness->file : witness->command;
}

static const char *line_at(const struct stk_witness *witness, uint64_t number)
{
    return witness->lines[number % STK_WITNESS_WAITING];
}

void stk_witness_init(struct stk_witness *witness, const struct stk_config *config)
{
    *witness = (struct stk_witness){.file = config->audit.witness,
                                    .command = config->audit.witness_command};
    for (unsigned kind = 0; kind < STK_WITNESS_KINDS; kind++)
        witness->ways[kind].due_us = STK_DUE_NEVER;
}

/* What it has started goes with it. */
static void end_job(const struct stk_witness_way *way)
{
    if (way->pid > 0 && kill(-way->pid, SIGKILL) != 0)
        (void)kill(way->pid, SIGKILL);
}

void stk_witness_free(struct stk_witness *witness)
{
    for (unsigned kind = 0; kind < STK_WITNESS_KINDS; kind++)
        end_job(&witness->ways[kind]);
    for (size_t i = 0; i < STK_WITNESS_WAITING; i++)
        free(witness->lines[i]);
    *witness = (struct stk_witness){.file = "", .command = ""};
}

/* ---- a line comes */

/* What a keeper writes, and nothing else that could stand in a log or a file of others. */
static const char *head_of(const char *line)
{
    static const char begin[] = "{\"seq\":";
    static const char mark[] = ",\"head\":\"";
    const char *head = NULL;

    for (const char *at = line; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            return NULL;
    if (strncmp(line, begin, sizeof(begin) - 1) != 0 ||
        strstr(line, ",\"act\":\"seal\",") == NULL || line[strlen(line) - 1] != '}')
        return NULL;
    head = strstr(line, mark);
    if (head == NULL)
        return NULL;
    head += sizeof(mark) - 1;
    return strspn(head, HEX_DIGITS) == HEAD_LENGTH && head[HEAD_LENGTH] == '"' ? head : NULL;
}

/* The oldest line makes room. */
static void lose(struct stk_witness *witness, uint64_t number)
{
    for (unsigned kind = 0; kind < STK_WITNESS_KINDS; kind++) {
        struct stk_witness_way *way = &witness->ways[kind];

        if (target_of(witness, kind)[0] == '\0' || way->next > number)
            continue;
        if (!way->told_lost)
            stk_log(STK_LOG_ERROR, "audit witness %s: seals are lost to it: %d newer ones wait",
                    target_of(witness, kind), STK_WITNESS_WAITING);
        way->told_lost = true;
        way->next = number + 1;
    }
}

bool stk_witness_take(struct stk_witness *witness, const char *line, uint64_t through)
{
    const char *head = head_of(line);
    char **place = &witness->lines[witness->count % STK_WITNESS_WAITING];
    char *copy = NULL;

    if (head == NULL)
        return false;
    stk_log(STK_LOG_INFO, "audit seal through %" PRIu64 " head %.*s", through, HEAD_LENGTH, head);
    if (witness->file[0] == '\0' && witness->command[0] == '\0')
        return true;
    copy = strdup(line);
    if (copy == NULL) {
        stk_log(STK_LOG_ERROR, "audit witness: a seal is lost: out of memory");
        return true;
    }
    if (witness->count >= STK_WITNESS_WAITING)
        lose(witness, witness->count - STK_WITNESS_WAITING);
    free(*place);
    *place = copy;
    witness->count++;
    return true;
}

/* ---- a try */

static void begin(struct stk_witness *witness, unsigned kind, uint64_t now_us)
{
    struct stk_witness_way *way = &witness->ways[kind];
    struct stk_buffer lines = {0};
    bool made = true;

    way->until = kind == STK_WITNESS_FILE ? witness->count : way->next + 1;
    if (kind == STK_WITNESS_FILE) {
        for (uint64_t i = way->next; made && i < way->until; i++)
            made = stk_buffer_add_text(&lines, line_at(witness, i)) == STIRKEEP_OK &&
                   stk_buffer_add_text(&lines, "\n") == STIRKEEP_OK;
        errno = ENOMEM;
        way->pid =
            made ? stk_witness_append(witness->file, (const char *)lines.data, lines.length) : -1;
        stk_buffer_free(&lines);
    } else {
        way->pid = stk_witness_run(witness->command, line_at(witness, way->next));
    }
    way->due_us = stk_due_after(now_us, STK_WITNESS_TRY_MS);
    if (way->pid > 0)
        return;
    stk_log(STK_LOG_ERROR, "audit witness: no new process: %s", strerror(errno));
    way->pid = 0;
    way->due_us = stk_due_after(now_us, STK_WITNESS_AGAIN_MS);
}

const char *stk_witness_fault(int fault)
{
    switch (fault) {
    case STK_WITNESS_NOT_A_FILE:
        return "not a regular file with one name";
    case STK_WITNESS_NOT_OURS:
        return "owned by somebody who is neither root nor the user of stirkeepd";
    case STK_WITNESS_OPEN_TO_OTHERS:
        return "may be written by others (chmod go-w)";
    default:
        return strerror(fault);
    }
}

static const char *why_of(unsigned kind, int wait_status)
{
    if (WIFSIGNALED(wait_status))
        return WTERMSIG(wait_status) == SIGKILL ? "it took too long" : "it was ended by a signal";
    if (kind == STK_WITNESS_COMMAND)
        return "it did not end with status 0";
    return stk_witness_fault(WEXITSTATUS(wait_status));
}

static void failed(struct stk_witness *witness, unsigned kind, const char *why, uint64_t now_us)
{
    struct stk_witness_way *way = &witness->ways[kind];

    if (!way->told)
        stk_log(STK_LOG_ERROR, "audit witness %s: %s: %s", target_of(witness, kind), why,
                way->hurried ? "it has not got the last seals" : "it is tried again");
    way->told = true;
    way->again_ms = way->again_ms == 0 ? STK_WITNESS_AGAIN_MS : way->again_ms * 2;
    if (way->again_ms > STK_WITNESS_AGAIN_LAST_MS)
        way->again_ms = STK_WITNESS_AGAIN_LAST_MS;
    way->due_us = stk_due_after(now_us, way->again_ms);
}

static void succeeded(struct stk_witness *witness, unsigned kind)
{
    struct stk_witness_way *way = &witness->ways[kind];

    if (way->told)
        stk_log(STK_LOG_INFO, "audit witness %s: has the seals again", target_of(witness, kind));
    way->told = false;
    way->told_lost = false;
    way->again_ms = 0;
    way->due_us = STK_DUE_NEVER;
    if (way->next < way->until)
        way->next = way->until;
}

void stk_witness_bury(struct stk_witness *witness, pid_t pid, int wait_status, uint64_t now_us)
{
    for (unsigned kind = 0; kind < STK_WITNESS_KINDS; kind++) {
        struct stk_witness_way *way = &witness->ways[kind];

        if (way->pid != pid || pid <= 0)
            continue;
        way->pid = 0;
        if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
            succeeded(witness, kind);
        else
            failed(witness, kind, why_of(kind, wait_status), now_us);
    }
}

static bool has_work(const struct stk_witness *witness, unsigned kind)
{
    return target_of(witness, kind)[0] != '\0' && witness->ways[kind].next < witness->count;
}

static void be_due(struct stk_witness *witness, unsigned kind, uint64_t now_us)
{
    struct stk_witness_way *way = &witness->ways[kind];

    if (way->pid > 0) {
        if (way->due_us <= now_us) {
            end_job(way);
            way->due_us = STK_DUE_NEVER; /* it is waited for */
        }
        return;
    }
    if (!has_work(witness, kind))
        way->due_us = STK_DUE_NEVER;
    else if (way->due_us == STK_DUE_NEVER || way->due_us <= now_us)
        begin(witness, kind, now_us);
}

uint64_t stk_witness_tick(struct stk_witness *witness, uint64_t now_us)
{
    uint64_t next_us = STK_DUE_NEVER;

    for (unsigned kind = 0; kind < STK_WITNESS_KINDS; kind++) {
        if (!(witness->ways[kind].hurried && witness->ways[kind].told &&
              witness->ways[kind].pid == 0))
            be_due(witness, kind, now_us);
        if (witness->ways[kind].due_us < next_us)
            next_us = witness->ways[kind].due_us;
    }
    return next_us;
}

/* ---- the end */

void stk_witness_hurry(struct stk_witness *witness)
{
    for (unsigned kind = 0; kind < STK_WITNESS_KINDS; kind++) {
        struct stk_witness_way *way = &witness->ways[kind];

        way->hurried = true;
        way->told = false;
        if (way->pid == 0)
            way->due_us = STK_DUE_NEVER;
    }
}

bool stk_witness_is_done(const struct stk_witness *witness)
{
    for (unsigned kind = 0; kind < STK_WITNESS_KINDS; kind++) {
        const struct stk_witness_way *way = &witness->ways[kind];

        if (way->pid > 0 || (has_work(witness, kind) && !way->told))
            return false;
    }
    return true;
}
