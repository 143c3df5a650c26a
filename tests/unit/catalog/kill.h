/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CATALOG_KILL_H
#define TEST_CATALOG_KILL_H

#include "fixture.h"
#include <sys/types.h>

/* Close the catalog, and run `work` in a child that opens it for itself. */
pid_t kill_start(struct fixture *fixture, void (*work)(struct fixture *, int), int argument);

/* Wait for its end by SIGKILL; by SIGKILL (true) or by its own will, with status 0. */
void kill_await(pid_t child);
bool kill_happened(pid_t child);

/* Let the process kill itself when so many rows were changed; when all is done but the commit; when
 * the commit is in the log; when a statement took so many steps; when so many statements began. */
void kill_at_row(sqlite3 *db, int rows);
void kill_at_commit(sqlite3 *db);
void kill_after_commit(sqlite3 *db);
void kill_at_step(sqlite3 *db, int steps);
void kill_at_statement(sqlite3 *db, int statements);

void kill_put_file(const char *path, const void *data, size_t length);

#endif
