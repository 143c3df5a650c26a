/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/verify.h"
#include "cli/output.h"
#include "cli/verb.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct stk_option table[] = {{0}};

static bool print(const struct stk_cli *cli, uint64_t records)
{
    if (cli->json)
        return stk_json_print(json_pack("{s:o, s:b, s:I}", "file", stk_json_text(cli->positional),
                                        "good", true, "records", (json_int_t)records));
    (void)printf("good: %" PRIu64 " records, from the first to the last\n", records);
    return true;
}

/* Reads the file alone: it needs no service, and an auditor may run it elsewhere. */
static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    struct stk_error error = {0};
    uint64_t records = 0;
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = open(cli->positional, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    (void)given;
    if (fd < 0) {
        stk_complain(cli->positional, "%s", strerror(errno));
        return STK_EXIT_FAILED;
    }
    status = stk_trail_verify(fd, cli->positional, &records, &error);
    (void)close(fd);
    if (status != STIRKEEP_OK) {
        stk_complain(cli->positional, "%s", error.message);
        return STK_EXIT_FAILED;
    }
    return print(cli, records) ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_audit_verify = {
    .name = "audit verify",
    .positional = "FILE",
    .synopsis = "",
    .summary = "Check an audit trail: every record whole, in sequence, chained to the one before",
    .flags = STK_VERB_JSON,
    .options = table,
    .run = run,
};
