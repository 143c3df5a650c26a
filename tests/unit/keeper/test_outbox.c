/* SPDX-License-Identifier: BSD-2-Clause */
/* The outbox alone, with a trail that does as it is told, on a link of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "keeper/outbox.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOON_MS 2000

static struct {
    atomic_int appends;
    atomic_size_t parcels; /* that had records, in all appends */
    atomic_size_t most;    /* in one */
    atomic_int takes_ms;
    atomic_bool fails;
} trail;

enum stirkeep_status stk_recorder_append_composed(struct stk_recorder *recorder,
                                                  const struct stk_buffer *const *bodies,
                                                  size_t count, struct stk_error *error)
{
    struct timespec pause = {.tv_nsec = trail.takes_ms * 1000000L};
    (void)recorder;
    (void)bodies;

    (void)nanosleep(&pause, NULL);
    trail.appends++;
    trail.parcels += count;
    if (count > trail.most)
        trail.most = count;
    return trail.fails ? stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "told so") : STIRKEEP_OK;
}

struct bed {
    struct stk_outbox outbox;
    struct stk_arena arena;
    int front;
};

static int set_up(void **state)
{
    struct bed *bed = calloc(1, sizeof(*bed));
    int ends[2];

    assert_non_null(bed);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    bed->front = fcntl(ends[0], F_DUPFD_CLOEXEC, 64);
    assert_true(bed->front >= 0);
    assert_int_equal(dup2(ends[1], STK_FD_KEEPER_FRONT), STK_FD_KEEPER_FRONT);
    for (int i = 0; i < 2; i++)
        if (ends[i] != STK_FD_KEEPER_FRONT)
            (void)close(ends[i]);
    assert_int_equal(stk_arena_new(&bed->arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    memset(&trail, 0, sizeof(trail));
    *state = bed;
    return 0;
}

/* The threads of an outbox have no end but the process's, so it is left as it is. */
static int tear_down(void **state)
{
    struct bed *bed = *state;

    (void)close(bed->front);
    (void)close(STK_FD_KEEPER_FRONT);
    stk_arena_free(&bed->arena);
    return 0;
}

static void begin(struct bed *bed, bool always)
{
    stk_outbox_init(&bed->outbox, NULL, always);
    assert_int_equal(pthread_create(&bed->outbox.thread, NULL, stk_outbox_run, &bed->outbox), 0);
    (void)pthread_detach(bed->outbox.thread);
}

/* As a signer fills it: one answer with this id, and a record. */
static void put(struct bed *bed, uint64_t id, bool unrecorded)
{
    const struct stk_answer answer = {.id = id,
                                      .identity = "x",
                                      .identity_length = 1,
                                      .passport_length = 1,
                                      .iat = 1,
                                      .message = ""};
    struct stk_parcel *parcel = stk_outbox_take(&bed->outbox);

    assert_non_null(parcel);
    assert_int_equal(stk_answer_append(&answer, &parcel->messages), STIRKEEP_OK);
    parcel->ends[parcel->message_count++] = parcel->messages.length;
    parcel->ids[parcel->id_count++] = id;
    parcel->asked = 100;
    parcel->signatures = 1;
    parcel->unrecorded = unrecorded;
    if (!unrecorded)
        assert_int_equal(stk_buffer_add_text(&parcel->bodies, "record"), STIRKEEP_OK);
    stk_outbox_put(&bed->outbox, parcel);
}

/* Orders that wait on the link, so many bytes. */
static void queue(struct bed *bed, size_t bytes)
{
    static const uint8_t orders[STK_LINK_MESSAGE_MAX];

    assert_int_equal(send(bed->front, orders, bytes, 0), (ssize_t)bytes);
}

static void expect(struct bed *bed, uint64_t id, enum stirkeep_status status)
{
    static uint8_t message[STK_LINK_MESSAGE_MAX];
    struct stk_answer *answers = NULL;
    size_t length = 0;
    size_t count = 0;

    assert_int_equal(stk_link_receive(bed->front, SOON_MS, message, &length, NULL), STIRKEEP_OK);
    stk_arena_reset(&bed->arena);
    assert_int_equal(stk_answers_decode((struct stk_bytes){message, length}, &bed->arena, &answers,
                                        &count, NULL),
                     STIRKEEP_OK);
    assert_int_equal(count, 1);
    assert_int_equal(answers[0].id, id);
    assert_int_equal(answers[0].status, status);
    assert_int_equal(answers[0].identity_length, status == STIRKEEP_OK ? 1 : 0);
}

static void expect_nothing(const struct bed *bed)
{
    uint8_t byte = 0;

    assert_int_equal(recv(bed->front, &byte, 1, MSG_DONTWAIT), -1);
}

static void wait_sent(struct bed *bed)
{
    for (int i = 0; i < SOON_MS && atomic_load(&bed->outbox.under_way) > 0; i++) {
        struct timespec pause = {.tv_nsec = 1000000};

        (void)nanosleep(&pause, NULL);
    }
    assert_int_equal(atomic_load(&bed->outbox.under_way), 0);
}

static void when_nothing_waits_to_be_signed_an_answer_is_sent_at_once(void **state)
{
    struct bed *bed = *state;

    begin(bed, false);
    put(bed, 1, false);
    assert_int_equal(trail.appends, 1); /* by the signer itself */
    expect(bed, 1, STIRKEEP_OK);
    assert_int_equal(atomic_load(&bed->outbox.signatures), 1);
}

static void answers_are_recorded_together_while_more_waits_and_not_for_long(void **state)
{
    struct bed *bed = *state;

    begin(bed, false);
    queue(bed, 1000);
    for (uint64_t id = 1; id <= 3; id++)
        put(bed, id, false);
    stk_outbox_leave(&bed->outbox); /* and then the signer is busy for long */
    for (uint64_t id = 1; id <= 3; id++)
        expect(bed, id, STIRKEEP_OK);
    wait_sent(bed);
    assert_int_equal(trail.parcels, 3);
    assert_true(trail.appends <= 3);
}

static void enough_of_them_are_recorded_by_whoever_puts_the_last(void **state)
{
    struct bed *bed = *state;

    begin(bed, false);
    queue(bed, 100000);
    for (uint64_t id = 1; id <= STK_OUTBOX_ENOUGH; id++)
        put(bed, id, false);
    wait_sent(bed);
    assert_int_equal(trail.parcels, STK_OUTBOX_ENOUGH);
    for (uint64_t id = 1; id <= STK_OUTBOX_ENOUGH; id++)
        expect(bed, id, STIRKEEP_OK);
}

static void a_signer_that_has_nothing_to_do_sends_what_lies_there(void **state)
{
    struct bed *bed = *state;
    uint8_t order[100];

    begin(bed, false);
    queue(bed, sizeof(order));
    put(bed, 1, false);
    assert_int_equal(recv(STK_FD_KEEPER_FRONT, order, sizeof(order), 0), sizeof(order));
    stk_outbox_rest(&bed->outbox);
    wait_sent(bed);
    expect(bed, 1, STIRKEEP_OK);
}

static void no_signature_leaves_that_is_not_recorded(void **state)
{
    struct bed *bed = *state;

    begin(bed, false);
    trail.fails = true;
    put(bed, 1, false);
    expect(bed, 1, STIRKEEP_AUDIT_UNAVAILABLE);
    trail.fails = false;
    put(bed, 2, true);
    expect(bed, 2, STIRKEEP_AUDIT_UNAVAILABLE);
    put(bed, 3, false);
    expect(bed, 3, STIRKEEP_OK);
    assert_int_equal(atomic_load(&bed->outbox.signatures), 1);
    expect_nothing(bed);
}

static void with_always_signers_do_not_wait_for_the_disk_and_share_its_syncs(void **state)
{
    struct bed *bed = *state;
    uint64_t began = 0;

    begin(bed, true);
    trail.takes_ms = 100;
    began = stk_clock_mono_us();
    for (uint64_t id = 1; id <= 40; id++)
        put(bed, id, false);
    assert_true(stk_clock_mono_us() - began < 90000);
    expect_nothing(bed);
    wait_sent(bed);
    for (uint64_t id = 1; id <= 40; id++)
        expect(bed, id, STIRKEEP_OK);
    assert_int_equal(trail.parcels, 40);
    assert_true(trail.appends <= 4);
}

static void with_always_none_of_those_that_waited_leaves_when_the_disk_fails(void **state)
{
    struct bed *bed = *state;

    begin(bed, true);
    trail.takes_ms = 20;
    trail.fails = true;
    for (uint64_t id = 1; id <= 10; id++)
        put(bed, id, false);
    for (uint64_t id = 1; id <= 10; id++)
        expect(bed, id, STIRKEEP_AUDIT_UNAVAILABLE);
    wait_sent(bed);
    assert_int_equal(atomic_load(&bed->outbox.signatures), 0);
}

static void *put_many(void *argument)
{
    struct bed *bed = argument;

    for (uint64_t id = 1; id <= (uint64_t)3 * STK_OUTBOX_MAX; id++)
        put(bed, id, false);
    return NULL;
}

static void a_disk_that_is_slow_holds_no_more_than_there_is_room_for(void **state)
{
    struct bed *bed = *state;
    pthread_t signer;

    begin(bed, true);
    trail.takes_ms = 2;
    assert_int_equal(pthread_create(&signer, NULL, put_many, bed), 0);
    for (uint64_t id = 1; id <= (uint64_t)3 * STK_OUTBOX_MAX; id++) {
        assert_true(atomic_load(&bed->outbox.under_way) <= STK_OUTBOX_MAX);
        expect(bed, id, STIRKEEP_OK);
    }
    assert_int_equal(pthread_join(signer, NULL), 0);
    assert_true(trail.most <= STK_OUTBOX_TOGETHER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(when_nothing_waits_to_be_signed_an_answer_is_sent_at_once),
        TEST(answers_are_recorded_together_while_more_waits_and_not_for_long),
        TEST(enough_of_them_are_recorded_by_whoever_puts_the_last),
        TEST(a_signer_that_has_nothing_to_do_sends_what_lies_there),
        TEST(no_signature_leaves_that_is_not_recorded),
        TEST(with_always_signers_do_not_wait_for_the_disk_and_share_its_syncs),
        TEST(with_always_none_of_those_that_waited_leaves_when_the_disk_fails),
        TEST(a_disk_that_is_slow_holds_no_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
