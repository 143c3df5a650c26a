/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../valgrind.h"
#include "base/clock.h"
#include "room/room.h"
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t received[STK_LINK_MESSAGE_MAX];

static void make_pair(int ends[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_pair(const int ends[2])
{
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* ---- control */

static void a_control_message_arrives_as_it_was_sent(void **state)
{
    struct stk_control_message got = {0};
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    assert_true(stk_control_send(ends[0], STK_CONTROL_FAILED, STK_ROOM_FRONT, "no such file"));
    assert_true(stk_control_send(ends[0], STK_CONTROL_READY, STK_ROOM_KEEPER, NULL));
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_OK);
    assert_int_equal(got.kind, STK_CONTROL_FAILED);
    assert_int_equal(got.room, STK_ROOM_FRONT);
    assert_string_equal(got.text, "no such file");
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_OK);
    assert_int_equal(got.kind, STK_CONTROL_READY);
    assert_string_equal(got.text, "");
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_UNAVAILABLE);
    close_pair(ends);
}

static void a_last_word_is_heard_after_its_sender_died(void **state)
{
    struct stk_control_message got = {0};
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    assert_true(stk_control_send(ends[0], STK_CONTROL_FAILED, STK_ROOM_KEEPER, "token: gone"));
    (void)close(ends[0]);
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_OK);
    assert_string_equal(got.text, "token: gone");
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_NOT_CONNECTED);
    assert_false(stk_control_send(ends[1], STK_CONTROL_DRAIN, STK_ROOM_KEEPER, NULL));
    (void)close(ends[1]);
}

static void a_last_word_is_heard_from_one_who_left_without_listening(void **state)
{
    struct stk_control_message got = {0};
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    assert_true(stk_control_send(ends[1], STK_CONTROL_ROOM_UP, STK_ROOM_FRONT, NULL));
    assert_true(stk_control_send(ends[0], STK_CONTROL_FAILED, STK_ROOM_KEEPER, "token: gone"));
    (void)close(ends[0]);
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_OK);
    assert_string_equal(got.text, "token: gone");
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_NOT_CONNECTED);
    assert_false(stk_control_send(ends[1], STK_CONTROL_DRAIN, STK_ROOM_KEEPER, NULL));
    (void)close(ends[1]);
}

static void a_text_too_long_is_cut_and_still_ends(void **state)
{
    struct stk_control_message got = {0};
    char text[2 * STK_CONTROL_TEXT_MAX] = "";
    int ends[2] = {-1, -1};
    (void)state;

    memset(text, 'x', sizeof(text) - 1);
    make_pair(ends);
    assert_true(stk_control_send(ends[0], STK_CONTROL_FAILED, STK_ROOM_KEEPER, text));
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_OK);
    assert_int_equal(strlen(got.text), STK_CONTROL_TEXT_MAX - 1);
    close_pair(ends);
}

/* Bytes and descriptors as a room that has gone astray sends them. */
static void send_raw(int fd, const void *data, size_t length, const int *fds, size_t fd_count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } beside = {0};
    struct iovec part = {.iov_base = (void *)data, .iov_len = length};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    assert_true(fd_count <= 8);
    if (fd_count > 0) {
        header.msg_control = &beside;
        header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        beside.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                         .cmsg_type = SCM_RIGHTS,
                                         .cmsg_len = CMSG_LEN(fd_count * sizeof(int))};
        memcpy(CMSG_DATA(&beside.header), fds, fd_count * sizeof(int));
    }
    assert_int_equal(sendmsg(fd, &header, 0), length);
}

#define EMPTY_TEXT (offsetof(struct stk_control_message, text) + 1) /* bytes of such a message */
#define LONGEST offsetof(struct stk_control_message, fds)

static void a_control_message_that_is_not_one_is_told_apart(void **state)
{
    struct stk_control_message bad[] = {
        {.kind = 0},
        {.kind = STK_CONTROL_KIND_END},
        {.kind = UINT32_MAX},
        {.kind = STK_CONTROL_READY, .room = STK_ROOM_COUNT},
        {.kind = STK_CONTROL_READY, .text = "x"}, /* a text without an end */
        {.kind = STK_CONTROL_READY, .fd_count = 1},
        {.kind = STK_CONTROL_READY, .fd_count = UINT32_MAX},
        {.kind = STK_CONTROL_CONFIG, .fd_count = 1},
        {.kind = STK_CONTROL_WHO, .fd_count = 1},
        {.kind = STK_CONTROL_RELOADED, .status = STIRKEEP_STATUS_COUNT},
    };
    struct stk_control_message good = {.kind = STK_CONTROL_READY};
    struct stk_control_message got = {.kind = 99};
    uint8_t large[sizeof(good) + 1] = {0};
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    for (size_t i = 0; i < COUNT(bad); i++) {
        send_raw(ends[0], &bad[i], EMPTY_TEXT, NULL, 0);
        assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
    }
    send_raw(ends[0], &good, EMPTY_TEXT - 1, NULL, 0);
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
    send_raw(ends[0], &good, EMPTY_TEXT + 1, NULL, 0); /* something behind the text's end */
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
    memcpy(large, &good, sizeof(good));
    memset(large + EMPTY_TEXT - 1, 'x', sizeof(good.text));
    send_raw(ends[0], large, LONGEST, NULL, 0);
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
    send_raw(ends[0], large, LONGEST + 1, NULL, 0);
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
    send_raw(ends[0], "", 0, NULL, 0); /* not the end of the conversation */
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
    assert_int_equal(got.kind, 99);
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_UNAVAILABLE);
    close_pair(ends);
}

static unsigned count_open(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void descriptors_travel_with_the_kinds_that_have_them(void **state)
{
    struct stk_control_message sent = {.kind = STK_CONTROL_CONFIG,
                                       .room = STK_ROOM_FRONT,
                                       .status = STIRKEEP_CONFIG,
                                       .fd_count = 2,
                                       .number = UINT64_MAX,
                                       .text = "attest.csv:17: why"};
    struct stk_control_message got = {0};
    unsigned before = 0;
    char read_back[2] = "";
    int ends[2] = {-1, -1};
    int pipes[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    assert_int_equal(pipe(pipes), 0);
    before = count_open();
    memcpy(sent.fds, pipes, sizeof(pipes));
    assert_true(stk_control_send_message(ends[0], &sent));
    assert_int_equal(count_open(), before); /* they stay the sender's */
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_OK);
    assert_int_equal(got.kind, STK_CONTROL_CONFIG);
    assert_int_equal(got.room, STK_ROOM_FRONT);
    assert_int_equal(got.status, STIRKEEP_CONFIG);
    assert_true(got.number == UINT64_MAX);
    assert_string_equal(got.text, "attest.csv:17: why");
    assert_int_equal(got.fd_count, 2);
    assert_int_equal(fcntl(got.fds[0], F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(got.fds[1], F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(got.fds[1], "y", 1), 1);
    assert_int_equal(read(pipes[0], read_back, 1), 1);
    stk_control_drop(&got);
    assert_int_equal(count_open(), before);
    stk_control_drop(&got); /* again: nothing is left of them */

    sent = (struct stk_control_message){
        .kind = STK_CONTROL_CONFIG, .room = STK_ROOM_INTAKE, .fd_count = 1, .fds = {pipes[0]}};
    assert_true(stk_control_send_message(ends[0], &sent));
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_OK);
    assert_int_equal(got.fd_count, 1);
    assert_int_equal(got.fds[1], -1);
    stk_control_drop(&got);
    close_pair(ends);
    close_pair(pipes);
}

/* Whoever takes what nobody should have sent must not keep it open. */
static void descriptors_that_do_not_belong_there_are_closed(void **state)
{
    static const struct {
        enum stk_control_kind kind;
        uint32_t said;
        size_t given;
    } bad[] = {{STK_CONTROL_READY, 0, 1},   {STK_CONTROL_READY, 1, 1},  {STK_CONTROL_WHO, 1, 2},
               {STK_CONTROL_WHO, 2, 2},     {STK_CONTROL_CONFIG, 1, 2}, {STK_CONTROL_CONFIG, 2, 1},
               {STK_CONTROL_CONFIG, 3, 3},  {STK_CONTROL_CONFIG, 2, 8}, {STK_CONTROL_DRAIN, 0, 8},
               {STK_CONTROL_KIND_END, 1, 1}};
    struct stk_control_message got = {.kind = 99};
    unsigned before = 0;
    int ends[2] = {-1, -1};
    int fds[8] = {0};
    (void)state;

    make_pair(ends);
    before = count_open();
    for (size_t i = 0; i < COUNT(bad); i++) {
        const struct stk_control_message sent = {.kind = bad[i].kind, .fd_count = bad[i].said};

        send_raw(ends[0], &sent, EMPTY_TEXT, fds, bad[i].given);
        assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
        assert_int_equal(count_open(), before);
    }
    send_raw(ends[0], "x", 1, fds, 2);
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
    send_raw(ends[0], "", 0, fds, 1);
    (void)close(ends[0]); /* an empty message with one, and then the end */
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
    assert_int_equal(count_open(), before - 1);
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_NOT_CONNECTED);
    assert_int_equal(got.kind, 99);
    (void)close(ends[1]);
}

static void descriptors_for_which_there_is_no_room_make_no_half_message(void **state)
{
    const struct stk_control_message sent = {
        .kind = STK_CONTROL_CONFIG, .fd_count = 2, .fds = {STDIN_FILENO, STDOUT_FILENO}};
    struct stk_control_message got = {0};
    struct rlimit limit = {0};
    struct rlimit low = {0};
    unsigned before = 0;
    int ends[2] = {-1, -1};
    int last = -1;
    (void)state;

    if (is_under_valgrind("it keeps the limit of open files itself, and not for what is passed"))
        return;
    make_pair(ends);
    assert_true(stk_control_send_message(ends[0], &sent));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    before = count_open();
    last = dup(STDIN_FILENO); /* the first free place, and one more is free behind it */
    (void)close(last);
    low = (struct rlimit){(rlim_t)last + 1, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(stk_control_receive(ends[1], &got), STIRKEEP_MALFORMED);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(count_open(), before);
    close_pair(ends);
}

static void a_full_control_channel_does_not_hold_up_its_sender(void **state)
{
    int ends[2] = {-1, -1};
    unsigned sent = 0;
    (void)state;

    make_pair(ends);
    while (sent < 100000 && stk_control_send(ends[0], STK_CONTROL_DRAIN, STK_ROOM_FRONT, NULL))
        sent++;
    assert_in_range(sent, 10, 99999);
    close_pair(ends);
}

static void each_room_has_its_name(void **state)
{
    (void)state;

    assert_string_equal(stk_room_name(STK_ROOM_KEEPER), "keeper");
    assert_string_equal(stk_room_name(STK_ROOM_INTAKE), "intake");
    assert_string_equal(stk_room_name(STK_ROOM_FRONT), "front");
    assert_string_equal(stk_room_name(STK_ROOM_COUNT), "unknown");
}

/* ---- links */

static void messages_of_every_length_stay_whole(void **state)
{
    static const size_t lengths[] = {0, 1, 4096, STK_LINK_MESSAGE_MAX};
    static uint8_t sent[STK_LINK_MESSAGE_MAX];
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    memset(sent, 0xa5, sizeof(sent));
    for (size_t i = 0; i < COUNT(lengths); i++) {
        size_t length = 999;
        assert_int_equal(stk_link_send(ends[0], sent, lengths[i], 0, NULL), STIRKEEP_OK);
        assert_int_equal(stk_link_receive(ends[1], 0, received, &length, NULL), STIRKEEP_OK);
        assert_int_equal(length, lengths[i]);
        assert_memory_equal(received, sent, length);
    }
    close_pair(ends);
}

static void a_message_past_the_limit_is_neither_sent_nor_taken(void **state)
{
    static uint8_t large[STK_LINK_MESSAGE_MAX + 1];
    struct stk_error error = {0};
    size_t length = 7;
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    assert_int_equal(stk_link_send(ends[0], large, sizeof(large), -1, &error), STIRKEEP_TOO_LARGE);
    assert_string_equal(error.message, "link between rooms: message too long");
    assert_int_equal(send(ends[0], large, sizeof(large), 0), sizeof(large));
    assert_int_equal(stk_link_receive(ends[1], 0, received, &length, &error), STIRKEEP_TOO_LARGE);
    assert_int_equal(length, 7);
    /* It is gone, and the next one is read. */
    assert_int_equal(stk_link_send(ends[0], "ok", 2, 0, NULL), STIRKEEP_OK);
    assert_int_equal(stk_link_receive(ends[1], -1, received, &length, NULL), STIRKEEP_OK);
    assert_int_equal(length, 2);
    close_pair(ends);
}

static void an_empty_link_makes_its_reader_wait_as_long_as_it_said(void **state)
{
    struct stk_error error = {0};
    size_t length = 0;
    uint64_t began = stk_clock_mono_us();
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    assert_int_equal(stk_link_receive(ends[1], 0, received, &length, &error), STIRKEEP_UNAVAILABLE);
    assert_true(stk_clock_mono_us() - began < 20000);
    began = stk_clock_mono_us();
    assert_int_equal(stk_link_receive(ends[1], 30, received, &length, NULL), STIRKEEP_UNAVAILABLE);
    assert_true(stk_clock_mono_us() - began >= 30000);
    close_pair(ends);
}

static void a_full_link_makes_its_sender_wait_as_long_as_it_said(void **state)
{
    uint64_t began = 0;
    unsigned sent = 0;
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    while (sent < 1000 && stk_link_send(ends[0], received, 4096, 0, NULL) == STIRKEEP_OK)
        sent++;
    assert_in_range(sent, 4, 999);
    began = stk_clock_mono_us();
    assert_int_equal(stk_link_send(ends[0], received, 4096, 30, NULL), STIRKEEP_UNAVAILABLE);
    assert_true(stk_clock_mono_us() - began >= 30000);
    /* The descriptors stayed as they were: other processes share them. */
    assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close_pair(ends);
}

static void *read_soon(void *context)
{
    const int *fd = context;
    size_t length = 0;
    uint8_t data[STK_LINK_MESSAGE_MAX];

    (void)usleep(20000);
    while (stk_link_receive(*fd, 0, data, &length, NULL) == STIRKEEP_OK)
        continue;
    return NULL;
}

static void a_sender_goes_on_when_there_is_room_again(void **state)
{
    pthread_t reader = {0};
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    for (int round = 0; round < 2; round++) {
        while (stk_link_send(ends[0], received, 4096, 0, NULL) == STIRKEEP_OK)
            continue;
        assert_int_equal(pthread_create(&reader, NULL, read_soon, &ends[1]), 0);
        assert_int_equal(stk_link_send(ends[0], "x", 1, round == 0 ? 2000 : -1, NULL), STIRKEEP_OK);
        assert_int_equal(pthread_join(reader, NULL), 0);
    }
    close_pair(ends);
}

static void the_end_of_a_link_is_not_an_empty_message(void **state)
{
    struct stk_error error = {0};
    size_t length = 9;
    int ends[2] = {-1, -1};
    (void)state;

    make_pair(ends);
    assert_int_equal(stk_link_send(ends[0], "", 0, 0, NULL), STIRKEEP_OK);
    assert_int_equal(stk_link_receive(ends[1], 0, received, &length, NULL), STIRKEEP_OK);
    assert_int_equal(length, 0);
    (void)close(ends[0]);
    assert_int_equal(stk_link_receive(ends[1], 0, received, &length, &error),
                     STIRKEEP_NOT_CONNECTED);
    assert_int_equal(stk_link_receive(ends[1], -1, received, &length, &error),
                     STIRKEEP_NOT_CONNECTED);
    assert_int_equal(stk_link_receive(ends[1], 1000, received, &length, &error),
                     STIRKEEP_NOT_CONNECTED);
    /* No SIGPIPE either. */
    assert_int_equal(stk_link_send(ends[1], "x", 1, -1, &error), STIRKEEP_NOT_CONNECTED);
    assert_string_equal(error.message, "link between rooms: closed");
    (void)close(ends[1]);
}

static void what_was_queued_outlives_the_process_that_should_have_read_it(void **state)
{
    size_t length = 0;
    int ends[2] = {-1, -1};
    int twin = -1;
    (void)state;

    make_pair(ends);
    twin = dup(ends[1]); /* the porter's */
    assert_int_equal(stk_link_send(ends[0], "order", 5, 0, NULL), STIRKEEP_OK);
    (void)close(ends[1]);
    assert_int_equal(stk_link_send(ends[0], "second", 6, 0, NULL), STIRKEEP_OK);
    assert_int_equal(stk_link_receive(twin, 0, received, &length, NULL), STIRKEEP_OK);
    assert_int_equal(length, 5);
    assert_int_equal(stk_link_receive(twin, 0, received, &length, NULL), STIRKEEP_OK);
    assert_int_equal(length, 6);
    (void)close(twin);
    (void)close(ends[0]);
}

static void descriptors_that_a_peer_passes_are_not_kept(void **state)
{
    char room[CMSG_SPACE(sizeof(int))] = "";
    struct iovec data = {.iov_base = (char[]){"x"}, .iov_len = 1};
    struct msghdr header = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
    struct cmsghdr *passed = CMSG_FIRSTHDR(&header);
    int ends[2] = {-1, -1};
    int ends_of_passed[2] = {-1, -1};
    size_t length = 0;
    char byte = 0;
    (void)state;

    make_pair(ends);
    assert_int_equal(pipe(ends_of_passed), 0);
    passed->cmsg_level = SOL_SOCKET;
    passed->cmsg_type = SCM_RIGHTS;
    passed->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(passed), &ends_of_passed[1], sizeof(int));
    assert_int_equal(sendmsg(ends[0], &header, 0), 1);
    (void)close(ends_of_passed[1]);
    assert_int_equal(stk_link_receive(ends[1], 0, received, &length, NULL), STIRKEEP_OK);
    /* End of file: nobody holds the pipe's writing end any more. */
    assert_int_equal(read(ends_of_passed[0], &byte, 1), 0);
    (void)close(ends_of_passed[0]);
    close_pair(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_control_message_arrives_as_it_was_sent),
        cmocka_unit_test(a_last_word_is_heard_after_its_sender_died),
        cmocka_unit_test(a_last_word_is_heard_from_one_who_left_without_listening),
        cmocka_unit_test(a_text_too_long_is_cut_and_still_ends),
        cmocka_unit_test(a_control_message_that_is_not_one_is_told_apart),
        cmocka_unit_test(descriptors_travel_with_the_kinds_that_have_them),
        cmocka_unit_test(descriptors_that_do_not_belong_there_are_closed),
        cmocka_unit_test(descriptors_for_which_there_is_no_room_make_no_half_message),
        cmocka_unit_test(a_full_control_channel_does_not_hold_up_its_sender),
        cmocka_unit_test(each_room_has_its_name),
        cmocka_unit_test(messages_of_every_length_stay_whole),
        cmocka_unit_test(a_message_past_the_limit_is_neither_sent_nor_taken),
        cmocka_unit_test(an_empty_link_makes_its_reader_wait_as_long_as_it_said),
        cmocka_unit_test(a_full_link_makes_its_sender_wait_as_long_as_it_said),
        cmocka_unit_test(a_sender_goes_on_when_there_is_room_again),
        cmocka_unit_test(the_end_of_a_link_is_not_an_empty_message),
        cmocka_unit_test(what_was_queued_outlives_the_process_that_should_have_read_it),
        cmocka_unit_test(descriptors_that_a_peer_passes_are_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
