/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_STIRKEEPD_SERVICE_H
#define TESTS_STIRKEEPD_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * A stirkeepd with rooms that are fakes, in a directory of its own. Run by root each room has a
 * user of its own, as in production.
 */
struct service {
    char base[64];
    char config[128];
    char libexec[128];
    char sign[128];
    char admin[128];
    char pin[128];
    pid_t porter;
    bool without_standard;    /* is to be started with 0, 1 and 2 closed: then there is no log */
    bool ignoring_interrupts; /* is to be started as a shell starts a background job */
    int given;                /* a listening socket for it to be started with (0: none) */
};

/* What main() was given: the programs under test. */
void service_programs(int argc, char **argv);

void service_make(struct service *service);
void service_remove(struct service *service); /* kills it when it still runs */

/* The same as cmocka's fixtures: the state is the service. */
int service_set_up(void **state);
int service_tear_down(void **state);

/* Text into a file of the directory, replacing what it held. */
void service_write(const struct service *service, const char *name, mode_t mode, const char *text);
void service_write_config(const struct service *service, bool with_rooms);
/* The configuration with one text of it replaced by another. */
void service_change_config(const struct service *service, const char *from, const char *to);
void service_mode(const struct service *service, const char *room, const char *mode);

/* All that a file of the directory holds; free() it. */
char *service_read(const struct service *service, const char *name);

/* Start stirkeepd with its configuration and one more argument (or NULL); what it says goes to
 * the file `log`. With `ready`, all rooms have to be. */
void service_start(struct service *service, const char *argument, bool ready);
/* Another one of the same configuration; its exit status. Says to the file `other-log`. */
int service_start_other(const struct service *service, const char *argument);

/* The same, which goes on and says to the file `log`: its process. */
pid_t service_begin_other(const struct service *service, const char *argument);

/* Wait until the file holds `text` `count` times; the test fails when that takes too long. */
void service_wait(const struct service *service, const char *file, const char *text,
                  unsigned count);
unsigned service_count(const struct service *service, const char *file, const char *text);
/* Does `first` come before `second` in the file? */
bool service_before(const struct service *service, const char *file, const char *first,
                    const char *second);

/* The last line of `events` with which the room began; free() it. */
char *service_start_line(const struct service *service, const char *room);

/* Does anybody listen there? */
bool service_connects(const char *path);

/* Process id of the room's last start. */
pid_t service_room(const struct service *service, const char *room);

/* Send a signal (0: none), wait for the end; the exit status. */
int service_end(struct service *service, int signal);

#endif
