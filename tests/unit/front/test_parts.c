/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "front/names.h"
#include "front/orders.h"
#include "front/peer.h"
#include "front/refusals.h"
#include "wire/codec_order.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- orders */

/* A flow of the user's, for one order. */
static struct stk_slot *take(struct stk_orders *orders, uid_t uid, uint64_t deadline_us)
{
    static struct stk_flow flows[64 * 1024];
    static size_t used;
    struct stk_flow *flow = &flows[used++ % (sizeof(flows) / sizeof(flows[0]))];

    assert_true(stk_flow_open(&orders->queue, uid, flow));
    return stk_orders_take(orders, flow, deadline_us);
}

static void orders_expire_in_the_order_of_their_deadlines(void **state)
{
    struct stk_orders *orders = stk_orders_new(1);
    uint64_t before = 0;
    (void)state;

    assert_non_null(orders);
    assert_int_equal(stk_orders_next_deadline(orders), UINT64_MAX);
    for (uint64_t i = 0; i < STK_ORDERS_IN_FLIGHT_MAX; i++)
        assert_non_null(take(orders, 100 + i % 2, 1 + i * 7919 % 4099));
    assert_null(take(orders, 102, 1));
    /* Some are answered, wherever they stand. */
    for (uint64_t i = 0; i < STK_ORDERS_IN_FLIGHT_MAX; i += 3)
        stk_orders_release(orders, &orders->slots[i]);
    while (orders->count > 0) {
        struct stk_slot *slot = stk_orders_earliest(orders);

        assert_true(slot->deadline_us >= before);
        assert_int_equal(slot->deadline_us, stk_orders_next_deadline(orders));
        before = slot->deadline_us;
        stk_orders_release(orders, slot);
    }
    assert_null(stk_orders_earliest(orders));
    assert_int_equal(stk_orders_unsent(orders), 0);
    stk_orders_free(orders);
}

static void one_user_leaves_a_quarter_of_the_orders_to_others(void **state)
{
    struct stk_orders *orders = stk_orders_new(1);
    struct stk_slot *slot = NULL;
    (void)state;

    assert_non_null(orders);
    for (size_t i = 0; i < STK_ORDERS_OF_USER_MAX; i++)
        slot = take(orders, 7, 10);
    assert_non_null(slot);
    assert_null(take(orders, 7, 10));
    /* The quarter is there for any number of users, and not for the first one. */
    for (uid_t uid = 8; uid < 8 + STK_ORDERS_IN_FLIGHT_MAX / 4; uid++)
        assert_non_null(take(orders, uid, 10));
    assert_null(take(orders, 8, 10));
    stk_orders_release(orders, slot);
    assert_non_null(take(orders, 7, 10));
    stk_orders_release(orders, &orders->slots[STK_ORDERS_IN_FLIGHT_MAX - 1]);
    assert_null(take(orders, 7, 10));
    assert_non_null(take(orders, 0, 10));
    stk_orders_free(orders);
}

static void an_id_is_never_used_again_nor_found_after_its_end(void **state)
{
    struct stk_orders *orders = stk_orders_new(UINT64_MAX); /* wraps at once */
    uint64_t last = 0;
    (void)state;

    assert_null(stk_orders_find(orders, 0));
    for (int i = 0; i < 10000; i++) {
        struct stk_slot *slot = take(orders, 0, 5);
        uint64_t id = slot->id;

        assert_true(id != 0 && id != last);
        assert_ptr_equal(stk_orders_find(orders, id), slot);
        assert_null(stk_orders_find(orders, id + 1));
        stk_orders_release(orders, slot);
        assert_null(stk_orders_find(orders, id));
        last = id;
    }
    stk_orders_free(orders);
}

static void what_is_sent_again_keeps_its_place_before_what_was_not(void **state)
{
    struct stk_orders *orders = stk_orders_new(9);
    struct stk_slot *slots[6];
    struct stk_slot *slot = NULL;
    int i = 0;
    (void)state;

    for (i = 0; i < 6; i++)
        slots[i] = take(orders, 0, 10);
    for (i = 0; i < 4; i++)
        stk_orders_mark_sent(orders, slots[i]);
    assert_int_equal(stk_orders_unsent(orders), 2);
    stk_orders_release(orders, slots[1]);
    stk_orders_release(orders, slots[4]);
    stk_orders_unsend(orders);
    assert_int_equal(stk_orders_unsent(orders), 4);
    i = 0;
    while ((slot = stk_orders_next(orders)) != NULL) {
        static const int expected[] = {0, 2, 3, 5};

        assert_ptr_equal(slot, slots[expected[i++]]);
        stk_orders_mark_sent(orders, slot);
    }
    assert_int_equal(i, 4);
    stk_orders_free(orders);
}

/* ---- refusals */

static struct stk_refusal refusal_of(uid_t uid)
{
    return (struct stk_refusal){.status = STIRKEEP_NOT_PERMITTED,
                                .reason = "no",
                                .name = "",
                                .ppt = "",
                                .orig = "",
                                .dest = "",
                                .attest = "",
                                .origid = "",
                                .peer = {.uid = uid}};
}

/* Take the message; the number of its records, their counts added to `suppressed`. */
static size_t take_records(struct stk_refusals *refusals, uint64_t *suppressed)
{
    struct stk_arena arena = {0};
    struct stk_front_orders orders = {0};
    struct stk_answer bad[STK_BATCH_MAX];
    size_t bad_count = 0;
    size_t count = refusals->message_count;

    assert_int_equal(stk_arena_new(&arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    if (count > 0)
        assert_int_equal(stk_front_orders_decode(
                             (struct stk_bytes){refusals->message.data, refusals->message.length},
                             &arena, &orders, bad, &bad_count, NULL),
                         STIRKEEP_OK);
    assert_int_equal(orders.refusal_count, count);
    for (size_t i = 0; i < count; i++)
        *suppressed += orders.refusals[i].suppressed;
    stk_refusals_sent(refusals);
    stk_arena_free(&arena);
    return count;
}

static void one_users_refusals_leave_room_for_anothers(void **state)
{
    struct stk_refusals *refusals = calloc(1, sizeof(*refusals));
    struct stk_refusal loud = refusal_of(1);
    struct stk_refusal quiet = refusal_of(2);
    uint64_t suppressed = 0;
    size_t recorded = 0;
    (void)state;

    for (int i = 0; i < 10000; i++) {
        stk_refusals_note(refusals, &loud, 1000000);
        recorded += take_records(refusals, &suppressed);
    }
    assert_in_range(recorded, STK_REFUSAL_BURST, STK_REFUSAL_BURST + 1);
    stk_refusals_note(refusals, &quiet, 1000000);
    assert_int_equal(take_records(refusals, &suppressed), 1);
    assert_int_equal(suppressed, 0);
    /* Its count is told as soon as its rate allows. */
    assert_true(refusals->summary_due_us > 1000000);
    stk_refusals_summarise(refusals, refusals->summary_due_us, false);
    recorded += take_records(refusals, &suppressed);
    assert_int_equal(recorded - 1 + suppressed, 10000);
    assert_int_equal(refusals->summary_due_us, 0);
    assert_int_equal(refusals->total, 10001);
    stk_refusals_clear(refusals);
    free(refusals);
}

/* More users than are remembered: nothing is lost from the count. */
static void no_refusal_is_forgotten_for_many_users(void **state)
{
    enum { USERS = 500, EACH = 120 };
    struct stk_refusals *refusals = calloc(1, sizeof(*refusals));
    uint64_t suppressed = 0;
    size_t recorded = 0;
    size_t summaries = 0;
    (void)state;

    for (uid_t uid = 0; uid < USERS; uid++) {
        struct stk_refusal refusal = refusal_of(1000 + uid);

        for (int i = 0; i < EACH; i++) {
            stk_refusals_note(refusals, &refusal, 1000000);
            if (i % 10 == 0)
                recorded += take_records(refusals, &suppressed);
        }
    }
    recorded += take_records(refusals, &suppressed);
    for (uint64_t now = 20000000; refusals->summary_due_us != 0; now += 1000000) {
        stk_refusals_summarise(refusals, now, false);
        summaries += take_records(refusals, &suppressed);
    }
    assert_true(summaries > 0);
    assert_int_equal(recorded + suppressed, USERS * EACH);
    stk_refusals_clear(refusals);
    free(refusals);
}

/* ---- names */

static struct stk_certificate entry_of(int number, uint32_t generation)
{
    struct stk_certificate entry = {.generation = generation, .active = true};

    (void)snprintf(entry.name.text, sizeof(entry.name.text), "N%05d", number);
    (void)snprintf(entry.x5u, sizeof(entry.x5u), "https://c.example/%d", number);
    return entry;
}

/* It shows nothing but under a sanitizer: what is no name, and when there are none. */
static void whatever_may_be_a_name_can_be_expected(void **state)
{
    struct stk_names *names = stk_names_new();
    struct stk_certificate entry = entry_of(1, 1);
    (void)state;

    for (int round = 0; round < 3; round++) {
        for (size_t length = 0; length < STK_NAME_MAX + 3; length++) {
            uint8_t *text = malloc(length + 1);

            assert_non_null(text);
            memset(text, 0xff, length + 1);
            stk_names_expect(names, (struct stk_bytes){text + 1, length});
            free(text);
        }
        stk_names_expect(names, (struct stk_bytes){NULL, 0});
        stk_names_expect(names, (struct stk_bytes){(const uint8_t *)entry.name.text, 6});
        assert_int_equal(stk_names_apply(names, round == 0, round == 1, &entry, 1), STIRKEEP_OK);
    }
    assert_non_null(stk_names_find(names, entry.name.text));
    stk_names_free(names);
}

static void names_in_any_order_are_found_and_listed_in_order(void **state)
{
    struct stk_names *names = stk_names_new();
    const char *before = "";
    (void)state;

    for (int i = 0; i < 1000; i++) {
        struct stk_certificate entry = entry_of(i * 617 % 1000, 1);

        assert_int_equal(stk_names_apply(names, i == 0, i == 999, &entry, 1), STIRKEEP_OK);
        assert_true(stk_names_complete(names) == (i == 999));
    }
    assert_int_equal(stk_names_count(names), 1000);
    for (size_t i = 0; i < 1000; i++) {
        const struct stk_held *held = stk_names_at(names, i);

        assert_true(strcmp(before, held->name) < 0);
        assert_ptr_equal(stk_names_find(names, held->name), held);
        assert_int_equal(stk_names_after(names, held->name), i + 1);
        before = held->name;
    }
    for (int i = 0; i < 1000; i++) {
        struct stk_certificate entry = entry_of(i * 619 % 1000, 2);

        assert_int_equal(stk_names_apply(names, false, true, &entry, 1), STIRKEEP_OK);
        assert_int_equal(stk_names_find(names, entry.name.text)->generation, 2);
    }
    assert_int_equal(stk_names_count(names), 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_ptr_equal(stk_names_find(names, stk_names_at(names, i)->name),
                         stk_names_at(names, i));
    assert_null(stk_names_at(names, 1000));
    assert_null(stk_names_find(names, "N0"));
    assert_null(stk_names_find(names, "n00001"));
    assert_null(stk_names_find(names, ""));
    assert_int_equal(stk_names_after(names, "N00001x"), 2);
    stk_names_free(names);
}

static void a_change_before_the_first_whole_snapshot_means_nothing(void **state)
{
    struct stk_names *names = stk_names_new();
    struct stk_certificate entry = entry_of(1, 4);
    uint64_t version = stk_names_version(names);
    (void)state;

    assert_int_equal(stk_names_apply(names, false, true, &entry, 1), STIRKEEP_OK);
    assert_false(stk_names_complete(names));
    assert_null(stk_names_find(names, "N00001"));
    assert_int_equal(stk_names_version(names), version);
    assert_int_equal(stk_names_apply(names, true, true, NULL, 0), STIRKEEP_OK);
    assert_true(stk_names_complete(names));
    assert_int_equal(stk_names_apply(names, false, true, &entry, 1), STIRKEEP_OK);
    entry.generation = 5;
    version = stk_names_version(names);
    assert_int_equal(stk_names_apply(names, false, true, &entry, 1), STIRKEEP_OK);
    assert_true(stk_names_version(names) != version);
    assert_int_equal(stk_names_find(names, "N00001")->generation, 5);
    assert_int_equal(stk_names_count(names), 1);
    stk_names_free(names);
}

static void a_snapshot_cut_off_leaves_the_names_as_they_were(void **state)
{
    struct stk_names *names = stk_names_new();
    struct stk_certificate one = entry_of(1, 1);
    struct stk_certificate two = entry_of(2, 1);
    (void)state;

    assert_int_equal(stk_names_apply(names, true, true, &one, 1), STIRKEEP_OK);
    assert_int_equal(stk_names_apply(names, true, false, &two, 1), STIRKEEP_OK);
    assert_non_null(stk_names_find(names, "N00001"));
    assert_null(stk_names_find(names, "N00002"));
    /* Intake's successor begins anew. */
    assert_int_equal(stk_names_apply(names, true, true, NULL, 0), STIRKEEP_OK);
    assert_int_equal(stk_names_count(names), 0);
    stk_names_free(names);
}

static void more_names_than_may_be_held_are_refused_and_the_old_ones_stay(void **state)
{
    struct stk_names *names = stk_names_new();
    struct stk_certificate entry = entry_of(1, 1);
    enum stirkeep_status status = STIRKEEP_OK;
    int count = 0;
    (void)state;

    assert_int_equal(stk_names_apply(names, true, true, &entry, 1), STIRKEEP_OK);
    for (count = 0; status == STIRKEEP_OK && count < STK_NAMES_MAX + 10; count++) {
        (void)snprintf(entry.name.text, sizeof(entry.name.text), "M%06d", count);
        status = stk_names_apply(names, count == 0, false, &entry, 1);
    }
    assert_int_equal(status, STIRKEEP_TOO_LARGE);
    assert_int_equal(count, STK_NAMES_MAX + 1);
    assert_int_equal(stk_names_count(names), 1);
    assert_non_null(stk_names_find(names, "N00001"));
    stk_names_free(names);
}

/* ---- peers */

static void a_peer_is_who_the_kernel_says_with_all_groups(void **state)
{
    struct stk_peer peer = {0};
    gid_t own[256];
    gid_t *groups = NULL;
    size_t count = 0;
    int own_count = getgroups(256, own);
    int ends[2] = {-1, -1};
    (void)state;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_true(stk_peer_of(ends[0], &peer, &groups, &count));
    assert_int_equal(peer.uid, geteuid());
    assert_int_equal(peer.gid, getegid());
    assert_int_equal(peer.pid, getpid());
    assert_true(own_count >= 0);
    assert_int_equal(count, (size_t)own_count + 1);
    for (int i = 0; i < own_count; i++) {
        bool found = false;

        for (size_t j = 0; j < count; j++)
            found = found || groups[j] == own[i];
        assert_true(found);
    }
    assert_int_equal(groups[count - 1], getegid());
    free(groups);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_false(stk_peer_of(STDIN_FILENO + 1000, &peer, &groups, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_expire_in_the_order_of_their_deadlines),
        cmocka_unit_test(one_user_leaves_a_quarter_of_the_orders_to_others),
        cmocka_unit_test(an_id_is_never_used_again_nor_found_after_its_end),
        cmocka_unit_test(what_is_sent_again_keeps_its_place_before_what_was_not),
        cmocka_unit_test(one_users_refusals_leave_room_for_anothers),
        cmocka_unit_test(no_refusal_is_forgotten_for_many_users),
        cmocka_unit_test(whatever_may_be_a_name_can_be_expected),
        cmocka_unit_test(names_in_any_order_are_found_and_listed_in_order),
        cmocka_unit_test(a_change_before_the_first_whole_snapshot_means_nothing),
        cmocka_unit_test(a_snapshot_cut_off_leaves_the_names_as_they_were),
        cmocka_unit_test(more_names_than_may_be_held_are_refused_and_the_old_ones_stay),
        cmocka_unit_test(a_peer_is_who_the_kernel_says_with_all_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
