/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/encode.h"
#include "lives.h"
#include "stirkeepd/lives.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Another configuration takes over, with the clock in our hands. */

static struct stk_reload *reload_of(struct lives *lives)
{
    return &lives->rooms.reload;
}

static void ask(struct lives *lives, uint64_t number)
{
    assert_true(stk_reload_ask(&lives->rooms, number));
}

/* Until the reader has a result. */
static void read_only(struct lives *lives)
{
    struct pollfd watch = {.fd = reload_of(lives)->reader.fd, .events = POLLIN};

    assert_int_equal(reload_of(lives)->state, STK_RELOAD_READING);
    assert_int_equal(poll(&watch, 1, 10000), 1);
    stk_reload_read(&lives->rooms);
    (void)waitpid(reload_of(lives)->reader.pid, NULL, 0);
    stk_reader_bury(&reload_of(lives)->reader, reload_of(lives)->reader.pid);
}

/* And until intake has recorded what is to come of it. */
static void read_on(struct lives *lives)
{
    read_only(lives);
    if (reload_of(lives)->state != STK_RELOAD_RECORDING)
        return;
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
}

static void begin(struct lives *lives, uint64_t number)
{
    ask(lives, number);
    (void)tick(lives);
    read_on(lives);
}

/* The grant that the configuration names first becomes another. */
static void write_policy(struct lives *lives, const char *grant)
{
    char line[64] = "";
    char *held = service_read(&lives->service, "stirkeep.conf");
    char *at = strstr(held, "[grant ");

    assert_non_null(at);
    at[strcspn(at, "\n")] = '\0';
    (void)snprintf(line, sizeof(line), "[grant %s]", grant);
    service_change_config(&lives->service, at, line);
    free(held);
}

static void await(struct lives *lives, const char *event)
{
    service_wait(&lives->service, "events", event, 1);
}

static unsigned count(struct lives *lives, const char *event)
{
    return service_count(&lives->service, "events", event);
}

static void assert_in_force(struct lives *lives, const char *grant)
{
    struct stk_config *config = NULL;

    assert_int_equal(reload_of(lives)->state, STK_RELOAD_IDLE);
    assert_int_equal(stk_room_read_config(lives->rooms.in_force.config_fd, &config, NULL),
                     STIRKEEP_OK);
    assert_string_equal(stk_policy_grant(config->policy, 0)->name, grant);
    stk_config_free(config);
}

/* Front takes it, intake takes it. */
static void take_all(struct lives *lives)
{
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
}

static void start_with(struct lives *lives, const char *front, const char *intake)
{
    service_mode(&lives->service, "front", front);
    service_mode(&lives->service, "intake", intake);
    start_all(lives);
    await(lives, "intake records ok configuration ");
    write_policy(lives, "new");
}

/* It is started after a back-off; until then there is no process. */
static void have_it_wait(struct lives *lives, enum stk_room room)
{
    kill_and_bury(lives, room);
    (void)tick(lives);
    kill_and_bury(lives, room);
    assert_int_equal(record_of(lives, room)->state, STK_ROOM_WAITING);
}

/* ---- the good way */

static void a_good_one_goes_to_front_then_to_intake_and_is_told(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    ask(lives, 7);
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_IDLE);
    (void)tick(lives);
    read_on(lives);
    assert_int_equal(count(lives, "front config"), 0);
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    await(lives, "front config fds=1 first=new ");
    assert_int_equal(count(lives, "intake config"), 0); /* not before front has taken it */
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    assert_int_equal(tick(lives), -1);
    await(lives, "intake config fds=1 first=new ");
    await(lives, "intake reloaded 7 ok configuration ");
    assert_in_force(lives, "new");
    assert_int_equal(count(lives, "keeper config"), 0);
}

static void what_is_told_names_the_files_by_their_digests(void **state)
{
    struct lives *lives = *state;
    char *text = NULL;
    char wanted[256] = "intake reloaded 3 ok configuration ";
    char hex[2 * STK_DIGEST_LENGTH + 1] = "";
    uint8_t digest[STK_DIGEST_LENGTH] = {0};

    start_with(lives, "ready", "ready");
    text = service_read(&lives->service, "stirkeep.conf");
    stk_sha256(text, strlen(text), digest);
    stk_hex_encode(digest, sizeof(digest), hex);
    free(text);
    begin(lives, 3);
    take_all(lives);
    (void)strcat(wanted, hex);
    (void)strcat(wanted, " attestation - grants 1 rules 0\n");
    await(lives, wanted);
}

static void whoever_is_born_afterwards_has_the_new_one(void **state)
{
    static const enum stk_room rooms[] = {STK_ROOM_FRONT, STK_ROOM_INTAKE, STK_ROOM_KEEPER};
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    begin(lives, 1);
    take_all(lives);
    for (size_t i = 0; i < 3; i++) {
        char *line = NULL;

        kill_and_bury(lives, rooms[i]);
        (void)tick(lives);
        hear(lives, rooms[i]);
        line = service_start_line(&lives->service, stk_room_name(rooms[i]));
        assert_non_null(strstr(line, " first=new "));
        free(line);
    }
}

static void attestation_rules_go_to_front_alone(void **state)
{
    struct lives *lives = *state;
    char *line = NULL;

    start_with(lives, "ready", "ready");
    service_change_config(&lives->service, "[grant new]",
                          "[attest 1415555*]\nlevel = A\n[grant new]");
    begin(lives, 1);
    take_all(lives);
    await(lives, "front config fds=2 first=new ");
    await(lives, "intake config fds=1 first=new ");
    await(lives, "attestation - grants 1 rules 1\n");
    assert_int_equal(count(lives, "rules=0"), 1); /* intake's */
    kill_and_bury(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    line = service_start_line(&lives->service, "front");
    assert_non_null(strstr(line, " fds=0,1,2,3,4,5,6,7,8, "));
    free(line);
    /* And away again. */
    service_change_config(&lives->service, "[attest 1415555*]\nlevel = A\n", "");
    begin(lives, 2);
    take_all(lives);
    assert_int_equal(lives->rooms.in_force.rules_fd, -1);
    assert_int_equal(count(lives, "front config fds=1 first=new "), 1);
}

/* ---- faults */

static void assert_refused(struct lives *lives, const char *told)
{
    (void)tick(lives);
    await(lives, told);
    assert_in_force(lives, "g");
    assert_int_equal(count(lives, "front config"), 0);
    assert_int_equal(count(lives, "intake config"), 0);
}

static void a_faulty_file_changes_nothing_and_is_told_with_its_line(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    service_change_config(&lives->service, "attest = A\n", "attest = A\ncolour = green\n");
    begin(lives, 9);
    (void)tick(lives);
    await(lives, "intake reloaded 9 config ");
    await(lives, "[grant new] colour: no such key\n");
    await(lives, "/stirkeep.conf:");
    assert_refused(lives, "intake reloaded 9 config ");
}

static void a_missing_file_is_a_fault_of_the_configuration(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    assert_int_equal(unlink(lives->service.config), 0);
    begin(lives, 9);
    assert_refused(lives, "intake reloaded 9 config ");
    await(lives, "/stirkeep.conf: No such file or directory\n");
}

static void a_file_that_others_may_write_to_is_not_taken(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    write_policy(lives, "mine");
    assert_int_equal(chmod(lives->service.config, 0666), 0);
    begin(lives, 9);
    assert_refused(lives, "intake reloaded 9 config ");
    await(lives, "/stirkeep.conf: everybody may write to it (mode 0666)\n");
}

static void what_only_a_restart_takes_is_refused_by_name(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    service_change_config(&lives->service, "label = t\n", "label = other\n");
    begin(lives, 9);
    assert_refused(lives, "intake reloaded 9 config ");
    await(lives, "/stirkeep.conf: [token] label: only a restart takes a change of it\n");
}

static void a_file_of_rules_that_is_not_there_is_named(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    service_change_config(&lives->service, "[grant new]",
                          "[attestation]\nfile = /nowhere/attest.csv\n[grant new]");
    begin(lives, 9);
    assert_refused(lives, "intake reloaded 9 config ");
    await(lives, "/nowhere/attest.csv: No such file or directory\n");
}

static void a_reader_that_dies_is_told(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    ask(lives, 9);
    (void)tick(lives);
    (void)kill(reload_of(lives)->reader.pid, SIGSTOP); /* before it is done, mostly */
    (void)kill(reload_of(lives)->reader.pid, SIGKILL);
    read_on(lives);
    if (reload_of(lives)->state == STK_RELOAD_IDLE)
        assert_refused(lives, "reloaded 9 internal the process that reads the configuration died");
}

static void a_reading_that_takes_too_long_is_given_up(void **state)
{
    struct lives *lives = *state;
    pid_t pid = 0;
    int status = 0;

    start_with(lives, "ready", "ready");
    ask(lives, 9);
    assert_true(tick(lives) <= 60000);
    pid = reload_of(lives)->reader.pid;
    lives->now += 60 * SECOND - 1;
    assert_int_equal(tick(lives), 1);
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_READING);
    lives->now += 1;
    assert_refused(lives, "reloaded 9 unavailable the configuration could not be read in time");
    assert_int_equal(reload_of(lives)->reader.fd, -1);
    assert_int_equal(waitpid(pid, &status, 0), pid); /* it was killed, or was done already */
    stk_reader_bury(&reload_of(lives)->reader, pid);
}

static unsigned count_open(void)
{
    unsigned open = 0;

    for (int fd = 0; fd < 256; fd++)
        open += fcntl(fd, F_GETFD) >= 0;
    return open;
}

static void reloads_leave_no_descriptor_open(void **state)
{
    struct lives *lives = *state;
    unsigned before = 0;

    start_with(lives, "ready", "ready");
    service_change_config(&lives->service, "[grant new]",
                          "[attest 1415555*]\nlevel = A\n[grant new]");
    for (unsigned round = 0; round < 20; round++) {
        begin(lives, 0);
        take_all(lives);
        service_change_config(&lives->service, "level = A", "level = Z");
        begin(lives, 0);
        (void)tick(lives);
        service_change_config(&lives->service, "level = Z", "level = A");
        if (round == 0)
            before = count_open();
    }
    assert_int_equal(count_open(), before);
}

/* ---- a file being written */

static void a_file_that_changes_while_it_is_read_is_not_taken(void **state)
{
    struct lives *lives = *state;
    struct stk_reading reading = {.config_fd = -1, .rules_fd = -1};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    uint64_t start_us = stk_clock_mono_us();
    unsigned changed = 0;
    pid_t writer = 0;

    writer = fork();
    assert_true(writer >= 0);
    if (writer == 0)
        for (;;)
            service_write_config(&lives->service, true);
    /* On a busy machine the two may take turns for long. */
    for (unsigned round = 0;
         round < 300 || (changed == 0 && stk_clock_mono_us() < start_us + 20 * SECOND); round++) {
        status = stk_reading_take(lives->service.config, NULL, &reading, &error);
        /* Whole or nothing: what was cut off would show in what is missing. */
        if (status == STIRKEEP_OK)
            assert_int_equal(reading.grant_count, 1);
        else
            changed += strstr(error.message, "changed while it was read") != NULL;
        if (status == STIRKEEP_OK)
            stk_reading_free(&reading);
    }
    (void)kill(writer, SIGKILL);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    assert_true(changed > 0);
}

/* ---- front */

static void front_may_say_no_and_nothing_changes(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "keeps", "ready");
    begin(lives, 9);
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    await(lives, "intake reloaded 9 no-memory front: no room for it\n");
    assert_in_force(lives, "g");
    assert_int_equal(count(lives, "intake config"), 0);
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_UP);
}

static void front_that_does_not_answer_in_time_is_given_the_old_one(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ignores", "ready");
    begin(lives, 9);
    assert_int_equal(tick(lives), 5000);
    lives->now += 5 * SECOND - 1;
    assert_int_equal(tick(lives), 1);
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_FRONT);
    lives->now += 1;
    assert_int_equal(tick(lives), -1);
    await(lives, "intake reloaded 9 unavailable front: did not take the configuration in time\n");
    await(lives, "front config fds=1 first=new ");
    await(lives, "front config fds=1 first=g ");
    assert_true(service_before(&lives->service, "events", "config fds=1 first=new ",
                               "config fds=1 first=g "));
    assert_in_force(lives, "g");
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_UP);
    assert_int_equal(count(lives, "intake config"), 0);
}

static void only_the_answer_to_this_offer_counts(void **state)
{
    struct lives *lives = *state;
    struct stk_control_message taken = {.kind = STK_CONTROL_TAKEN, .room = STK_ROOM_FRONT};

    start_with(lives, "ignores", "ready");
    stk_reload_taken(&lives->rooms, STK_ROOM_FRONT, &taken); /* nobody has asked */
    begin(lives, 9);
    taken.number = reload_of(lives)->number;
    stk_reload_taken(&lives->rooms, STK_ROOM_FRONT, &taken); /* not offered yet */
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_FRONT);
    (void)tick(lives);
    stk_reload_taken(&lives->rooms, STK_ROOM_FRONT, &taken); /* the number of the one before */
    taken.number = reload_of(lives)->number;
    taken.room = STK_ROOM_INTAKE;
    stk_reload_taken(&lives->rooms, STK_ROOM_INTAKE, &taken); /* not asked */
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_FRONT);
    lives->now += 5 * SECOND;
    (void)tick(lives);
    stk_reload_taken(&lives->rooms, STK_ROOM_FRONT, &taken); /* too late */
    assert_in_force(lives, "g");
}

static void front_that_muddles_its_numbers_is_heard_all_the_same(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "muddles", "ready");
    begin(lives, 9);
    (void)tick(lives);
    while (reload_of(lives)->state == STK_RELOAD_FRONT)
        hear(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    assert_in_force(lives, "new");
}

static void front_that_dies_of_it_is_born_with_the_old_one(void **state)
{
    struct lives *lives = *state;
    char *line = NULL;

    start_with(lives, "dies", "ready");
    begin(lives, 9);
    (void)tick(lives);
    (void)bury(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    await(lives, "intake reloaded 9 unavailable front: died when it was to take");
    assert_in_force(lives, "g");
    hear(lives, STK_ROOM_FRONT);
    line = service_start_line(&lives->service, "front");
    assert_non_null(strstr(line, " first=g "));
    free(line);
}

static void front_that_is_not_there_is_born_with_the_new_one(void **state)
{
    struct lives *lives = *state;
    char *line = NULL;

    start_with(lives, "ready", "ready");
    have_it_wait(lives, STK_ROOM_FRONT);
    begin(lives, 9);
    (void)tick(lives);
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_INTAKE);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    await(lives, "intake reloaded 9 ok ");
    assert_in_force(lives, "new");
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_WAITING);
    lives->now += SECOND;
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    line = service_start_line(&lives->service, "front");
    assert_non_null(strstr(line, " first=new "));
    free(line);
    assert_int_equal(count(lives, "front config"), 0);
}

static void front_that_is_starting_is_waited_for(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    kill_and_bury(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_STARTING);
    begin(lives, 9); /* it was born with the old one */
    lives->now += 5 * SECOND;
    (void)tick(lives);
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_FRONT);
    assert_int_equal(count(lives, "reloaded 9"), 0);
    hear(lives, STK_ROOM_FRONT);
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_UP);
    take_all(lives);
    await(lives, "front config fds=1 first=new ");
    await(lives, "intake reloaded 9 ok ");
    assert_in_force(lives, "new");
}

static void front_that_never_gets_ready_is_not_waited_for_for_ever(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    service_mode(&lives->service, "front", "hang");
    kill_and_bury(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    begin(lives, 9);
    lives->now += 30 * SECOND;
    (void)tick(lives); /* killed by then */
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_FRONT);
    (void)bury(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    await(lives, "intake reloaded 9 ok ");
    assert_in_force(lives, "new");
}

/* ---- intake */

static void assert_intake_replaced(struct lives *lives)
{
    char *line = NULL;

    assert_in_force(lives, "new");
    (void)bury(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    line = service_start_line(&lives->service, "intake");
    assert_non_null(strstr(line, " first=new "));
    free(line);
    /* Nobody's by now, and told once. */
    await(lives, "keeper hears up intake");
    await(lives, "intake reloaded 0 ok ");
    assert_int_equal(count(lives, "intake reloaded"), 1);
}

static void intake_that_does_not_answer_in_time_is_replaced(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ignores");
    begin(lives, 9);
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    assert_int_equal(tick(lives), 5000);
    lives->now += 5 * SECOND - 1;
    (void)tick(lives);
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_INTAKE);
    lives->now += 1;
    (void)tick(lives);
    assert_true(record_of(lives, STK_ROOM_INTAKE)->killed);
    assert_intake_replaced(lives);
}

static void intake_that_says_no_is_replaced(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "keeps");
    begin(lives, 9);
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    assert_true(record_of(lives, STK_ROOM_INTAKE)->killed);
    assert_intake_replaced(lives);
}

static void intake_that_dies_meanwhile_is_born_with_the_new_one(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "dies");
    begin(lives, 9);
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    service_mode(&lives->service, "intake", "ready");
    (void)bury(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    assert_in_force(lives, "new");
    await(lives, "intake reloaded 0 ok ");
    assert_int_equal(count(lives, "intake reloaded"), 1);
}

static void a_new_intake_hears_what_is_in_force_without_a_reload(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    kill_and_bury(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    await(lives, "intake reloaded 0 ok configuration ");
}

static void what_intake_was_not_there_to_hear_it_hears_later_and_in_order(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    begin(lives, 0);
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    have_it_wait(lives, STK_ROOM_INTAKE);
    (void)tick(lives); /* done: there is no intake that could take it */
    assert_in_force(lives, "new");
    service_change_config(&lives->service, "attest = A\n", "attest = Z\n");
    begin(lives, 0);
    assert_int_equal(count(lives, "reloaded"), 0);
    lives->now += SECOND;
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    await(lives, "intake reloaded 0 config ");
    assert_int_equal(count(lives, "intake reloaded 0 ok "), 1);
    assert_int_equal(count(lives, "intake reloaded"), 2);
}

static void without_intake_there_are_not_more_reloads_than_can_be_recorded(void **state)
{
    struct lives *lives = *state;
    unsigned done = 0;

    start_with(lives, "ready", "ready");
    service_change_config(&lives->service, "attest = A\n", "attest = Z\n");
    have_it_wait(lives, STK_ROOM_INTAKE);
    for (;; done++) {
        ask(lives, 0);
        (void)tick(lives);
        if (reload_of(lives)->state == STK_RELOAD_IDLE)
            break;
        read_on(lives);
        assert_true(done < 50);
    }
    assert_int_equal(done, STK_RELOAD_UNTOLD_MAX + 1);
    assert_int_equal(reload_of(lives)->waiting.count, 1);
    lives->now += SECOND;
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives); /* they are told, and the one that waits begins */
    read_on(lives);
    (void)tick(lives);
    service_wait(&lives->service, "events", "intake reloaded 0 config ", done + 1);
}

/* ---- the record */

static void front_is_not_born_before_the_policy_is_recorded(void **state)
{
    struct lives *lives = *state;

    service_mode(&lives->service, "intake", "late");
    stk_rooms_begin(&lives->rooms, lives->now);
    hear(lives, STK_ROOM_KEEPER);
    hear(lives, STK_ROOM_INTAKE);
    assert_int_equal(count(lives, "intake records"), 0);
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    await(lives, "intake records ok configuration ");
    assert_false(stk_room_is_alive(record_of(lives, STK_ROOM_FRONT)));
    assert_int_equal(tick(lives), 1000);
    assert_int_equal(count(lives, "intake records"), 1);
    ask(lives, 9); /* who would wait until there is room is told at once */
    (void)tick(lives);
    await(lives, "intake reloaded 9 audit-unavailable the policy of the start is not recorded yet");
    lives->now += SECOND;
    (void)tick(lives);
    assert_false(stk_room_is_alive(record_of(lives, STK_ROOM_FRONT)));
    hear(lives, STK_ROOM_INTAKE);
    hear(lives, STK_ROOM_FRONT);
    assert_int_equal(lives->rooms.phase, STK_PHASE_RUNNING);
    assert_int_equal(count(lives, "intake records ok configuration "), 2);
    assert_true(service_before(&lives->service, "events", "intake records ok", "front starts"));
    assert_int_equal(count(lives, "intake reloaded"), 1); /* it is told once */
}

static void a_policy_is_recorded_before_front_hears_of_it(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    begin(lives, 9);
    assert_int_equal(count(lives, "intake records begun configuration "), 1);
    assert_int_equal(count(lives, "front config"), 0);
    take_all(lives);
    await(lives, "intake reloaded 9 ok ");
    assert_in_force(lives, "new");
}

static void what_cannot_be_recorded_does_not_take_over(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "unrecorded");
    begin(lives, 9);
    assert_refused(lives, "intake reloaded 9 audit-unavailable the policy cannot be recorded: no "
                          "space left\n");
}

static void intake_that_dies_recording_it_leaves_the_old_one(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "dies-recording");
    ask(lives, 9);
    (void)tick(lives);
    read_only(lives);
    (void)tick(lives);
    service_mode(&lives->service, "intake", "ready");
    (void)bury(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    assert_in_force(lives, "g");
    hear(lives, STK_ROOM_INTAKE);
    assert_refused(lives, "intake reloaded 0 audit-unavailable intake: died when it was to");
    await(lives, "intake reloaded 0 ok "); /* which is told after it */
}

static void without_intake_nothing_takes_over(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    service_mode(&lives->service, "intake", "hang");
    have_it_wait(lives, STK_ROOM_INTAKE);
    ask(lives, 0);
    (void)tick(lives);
    read_only(lives);
    (void)tick(lives);
    lives->now += 10 * SECOND - 1;
    (void)tick(lives);
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_RECORDING);
    lives->now += 1;
    (void)tick(lives);
    assert_in_force(lives, "g");
    assert_int_equal(count(lives, "front config"), 0);
}

/* ---- several at once */

static void who_asks_meanwhile_is_served_by_the_next(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    begin(lives, 1);
    write_policy(lives, "newer");
    ask(lives, 2);
    ask(lives, 0);
    ask(lives, 0);
    write_policy(lives, "newest");
    ask(lives, 3);
    take_all(lives); /* and begins the next */
    await(lives, "intake reloaded 1 ok ");
    assert_int_equal(count(lives, "reloaded 2"), 0);
    read_on(lives);
    take_all(lives);
    assert_in_force(lives, "newest");
    await(lives, "intake reloaded 2 ok ");
    await(lives, "intake reloaded 3 ok ");
    await(lives, "intake reloaded 0 ok ");
    assert_int_equal(count(lives, "intake reloaded"), 4);
    assert_int_equal(count(lives, "front config"), 2);
    assert_int_equal(tick(lives), -1);
}

static void who_asks_too_much_has_gone_astray(void **state)
{
    struct lives *lives = *state;
    struct stk_control_message message = {.kind = STK_CONTROL_RELOAD, .room = STK_ROOM_INTAKE};

    start_with(lives, "ready", "ready");
    for (message.number = 1; message.number <= STK_ASKERS_MAX; message.number++)
        assert_true(stk_reload_ask(&lives->rooms, message.number));
    assert_false(stk_reload_ask(&lives->rooms, message.number));
    kill_and_bury(lives, STK_ROOM_INTAKE); /* then there is room again: they are nobody's */
    assert_int_equal(reload_of(lives)->waiting.count, 1);
}

static void reloads_wait_until_all_rooms_were_up_once(void **state)
{
    struct lives *lives = *state;

    stk_rooms_begin(&lives->rooms, lives->now);
    ask(lives, 0);
    (void)tick(lives);
    assert_int_equal(reload_of(lives)->state, STK_RELOAD_IDLE);
    hear(lives, STK_ROOM_KEEPER);
    hear(lives, STK_ROOM_INTAKE);
    (void)tick(lives);
    hear(lives, STK_ROOM_INTAKE);
    hear(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    read_on(lives);
    take_all(lives);
    assert_in_force(lives, "g");
}

/* ---- the end of the service */

static void who_asked_is_told_that_the_service_stops(void **state)
{
    struct lives *lives = *state;
    pid_t reader = 0;

    start_with(lives, "stay", "stay");
    ask(lives, 1);
    (void)tick(lives);
    reader = reload_of(lives)->reader.pid;
    ask(lives, 2);
    stk_rooms_stop(&lives->rooms, 0, lives->now);
    ask(lives, 3);
    (void)tick(lives);
    for (unsigned i = 1; i <= 3; i++) {
        char told[80] = "";

        (void)snprintf(told, sizeof(told),
                       "intake reloaded %u unavailable the service is stopping\n", i);
        await(lives, told);
    }
    assert_in_force(lives, "g");
    assert_int_equal(waitpid(reader, NULL, 0), reader);
    stk_reader_bury(&reload_of(lives)->reader, reader);
}

static void what_front_has_taken_is_told_as_taken_when_the_service_stops(void **state)
{
    struct lives *lives = *state;

    start_with(lives, "stay", "stay");
    begin(lives, 1);
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    stk_rooms_stop(&lives->rooms, 0, lives->now);
    await(lives, "intake reloaded 1 ok ");
    assert_in_force(lives, "new");
}

/* ---- rooms that have gone astray */

static void what_is_not_a_rooms_to_say_kills_it(void **state)
{
    static const struct {
        enum stk_room room;
        struct stk_control_message message;
    } said[] = {
        {STK_ROOM_KEEPER, {.kind = STK_CONTROL_TAKEN}},
        {STK_ROOM_KEEPER, {.kind = STK_CONTROL_RELOAD, .number = 1}},
        {STK_ROOM_KEEPER, {.kind = STK_CONTROL_WHO, .text = "1"}},
        {STK_ROOM_FRONT, {.kind = STK_CONTROL_RELOAD, .number = 1}},
        {STK_ROOM_INTAKE, {.kind = STK_CONTROL_WHO, .text = "1"}},
        {STK_ROOM_FRONT, {.kind = STK_CONTROL_WHO, .text = ""}},
        {STK_ROOM_FRONT, {.kind = STK_CONTROL_WHO, .text = "1 "}},
        {STK_ROOM_FRONT, {.kind = STK_CONTROL_WHO, .text = "0"}},
        {STK_ROOM_FRONT, {.kind = STK_CONTROL_WHO, .text = "-1"}},
        {STK_ROOM_FRONT, {.kind = STK_CONTROL_WHO, .text = "4294967297"}},
        {STK_ROOM_INTAKE, {.kind = STK_CONTROL_RELOAD, .number = 0}},
        {STK_ROOM_FRONT, {.kind = STK_CONTROL_RELOADED}},
        {STK_ROOM_INTAKE, {.kind = STK_CONTROL_CONFIG, .fd_count = 1}},
        {STK_ROOM_FRONT, {.kind = STK_CONTROL_PROGRAM}},
    };
    struct lives *lives = *state;

    start_with(lives, "ready", "ready");
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        struct stk_control_message message = said[i].message;
        enum stk_room room = said[i].room;

        message.room = room;
        assert_false(stk_rooms_take_message(&lives->rooms, room, &message, lives->now));
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, lives_setup, lives_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_one_goes_to_front_then_to_intake_and_is_told),
        TEST(what_is_told_names_the_files_by_their_digests),
        TEST(whoever_is_born_afterwards_has_the_new_one),
        TEST(attestation_rules_go_to_front_alone),
        TEST(a_faulty_file_changes_nothing_and_is_told_with_its_line),
        TEST(a_missing_file_is_a_fault_of_the_configuration),
        TEST(a_file_that_others_may_write_to_is_not_taken),
        TEST(what_only_a_restart_takes_is_refused_by_name),
        TEST(a_file_of_rules_that_is_not_there_is_named),
        TEST(a_reader_that_dies_is_told),
        TEST(a_reading_that_takes_too_long_is_given_up),
        TEST(reloads_leave_no_descriptor_open),
        TEST(a_file_that_changes_while_it_is_read_is_not_taken),
        TEST(front_may_say_no_and_nothing_changes),
        TEST(front_that_does_not_answer_in_time_is_given_the_old_one),
        TEST(only_the_answer_to_this_offer_counts),
        TEST(front_that_muddles_its_numbers_is_heard_all_the_same),
        TEST(front_that_dies_of_it_is_born_with_the_old_one),
        TEST(front_that_is_not_there_is_born_with_the_new_one),
        TEST(front_that_is_starting_is_waited_for),
        TEST(front_that_never_gets_ready_is_not_waited_for_for_ever),
        TEST(intake_that_does_not_answer_in_time_is_replaced),
        TEST(intake_that_says_no_is_replaced),
        TEST(intake_that_dies_meanwhile_is_born_with_the_new_one),
        TEST(a_new_intake_hears_what_is_in_force_without_a_reload),
        TEST(what_intake_was_not_there_to_hear_it_hears_later_and_in_order),
        TEST(without_intake_there_are_not_more_reloads_than_can_be_recorded),
        TEST(front_is_not_born_before_the_policy_is_recorded),
        TEST(a_policy_is_recorded_before_front_hears_of_it),
        TEST(what_cannot_be_recorded_does_not_take_over),
        TEST(intake_that_dies_recording_it_leaves_the_old_one),
        TEST(without_intake_nothing_takes_over),
        TEST(who_asks_meanwhile_is_served_by_the_next),
        TEST(who_asks_too_much_has_gone_astray),
        TEST(reloads_wait_until_all_rooms_were_up_once),
        TEST(who_asked_is_told_that_the_service_stops),
        TEST(what_front_has_taken_is_told_as_taken_when_the_service_stops),
        TEST(what_is_not_a_rooms_to_say_kills_it),
    };

    service_programs(argc, argv);
    return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
