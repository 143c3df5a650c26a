/* SPDX-License-Identifier: BSD-2-Clause */
#include "kill.h"

#include "base/file.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t kill_start(struct fixture *fixture, void (*work)(struct fixture *, int), int argument)
{
    pid_t child = 0;

    fixture_close(fixture);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (stk_catalog_open(fixture->path, &fixture->catalog, NULL) != STIRKEEP_OK)
            _exit(3);
        work(fixture, argument);
        _exit(4);
    }
    return child;
}

bool kill_happened(pid_t child)
{
    int status = 0;

    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 0);
        return false;
    }
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    return true;
}

void kill_await(pid_t child)
{
    assert_true(kill_happened(child));
}

static int left;

static void die_at_row(void *unused, int what, const char *db, const char *table, sqlite3_int64 row)
{
    (void)unused;
    (void)what;
    (void)db;
    (void)table;
    (void)row;
    if (left-- == 0)
        (void)raise(SIGKILL);
}

void kill_at_row(sqlite3 *db, int rows)
{
    left = rows;
    (void)sqlite3_update_hook(db, die_at_row, NULL);
}

static int die(void *unused)
{
    (void)unused;
    return raise(SIGKILL);
}

void kill_at_commit(sqlite3 *db)
{
    (void)sqlite3_commit_hook(db, die, NULL);
}

static int die_after_commit(unsigned type, void *unused, void *statement, void *unused_too)
{
    (void)type;
    (void)unused;
    (void)unused_too;
    return strcmp(sqlite3_sql(statement), "COMMIT") == 0 ? raise(SIGKILL) : 0;
}

/* Not by the hook for commits to the log, which sqlite3_open takes for itself. */
void kill_after_commit(sqlite3 *db)
{
    (void)sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, die_after_commit, NULL);
}

void kill_at_step(sqlite3 *db, int steps)
{
    sqlite3_progress_handler(db, steps, die, NULL);
}

static int die_at_statement(unsigned type, void *unused, void *statement, void *unused_too)
{
    (void)type;
    (void)unused;
    (void)statement;
    (void)unused_too;
    return left-- == 0 ? raise(SIGKILL) : 0;
}

void kill_at_statement(sqlite3 *db, int statements)
{
    left = statements;
    (void)sqlite3_trace_v2(db, SQLITE_TRACE_STMT, die_at_statement, NULL);
}

void kill_put_file(const char *path, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_true(stk_file_write_all(fd, data, length));
    (void)close(fd);
}
