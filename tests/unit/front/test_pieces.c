/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/batch.h"
#include "front/image.h"
#include "front/names.h"
#include "front/orders.h"
#include "front/peer.h"
#include "wire/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Batches, rules, constraints and peers' programs, without a process around them. */

/* ---- batches */

static struct stk_response_result good(char *identity, char *origid)
{
    return (struct stk_response_result){
        .signed_ = {.identity = {(const uint8_t *)identity, strlen(identity)},
                    .passport_length = 5,
                    .generation = 3,
                    .iat = 1700000000,
                    .origid = origid,
                    .attest = "B"}};
}

static struct stk_response decode(struct stk_buffer *out, struct stk_arena *arena)
{
    struct stk_response response = {0};
    struct stk_bytes message = {0};
    size_t taken = 0;

    assert_int_equal(stk_arena_new(arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    assert_int_equal(stk_frame_next(out->data, out->length, STK_SIGN_MESSAGE_MAX, &message, &taken),
                     STK_FRAME_WHOLE);
    assert_int_equal(taken, out->length);
    assert_int_equal(stk_response_decode(message, arena, &response, NULL), STIRKEEP_OK);
    return response;
}

static void results_are_kept_when_what_they_came_from_is_gone(void **state)
{
    char identity[] = "h.p.s;info=<https://c.example/a>;alg=ES256;ppt=shaken";
    char origid[] = "123e4567-e89b-12d3-a456-426655440000";
    char reason[] = "there was something";
    const struct stk_response_result bad = {.status = STIRKEEP_TOKEN_ERROR, .message = reason};
    struct stk_response_result one = good(identity, origid);
    struct stk_batch *batch = stk_batch_new(3, false);
    struct stk_buffer out = {0};
    struct stk_arena arena = {0};
    struct stk_response response = {0};
    (void)state;

    batch->request_id = 77;
    stk_batch_put(batch, 2, &one);
    stk_batch_put(batch, 1, &bad);
    one.signed_.origid = "";
    stk_batch_put(batch, 0, &one);
    memset(identity, '?', sizeof(identity) - 1);
    memset(origid, '?', sizeof(origid) - 1);
    memset(reason, '?', sizeof(reason) - 1);
    assert_int_equal(stk_batch_encode(batch, &out), STIRKEEP_OK);
    response = decode(&out, &arena);
    assert_int_equal(response.id, 77);
    assert_int_equal(response.result_count, 3);
    assert_memory_equal(response.results[0].signed_.identity.data, "h.p.s;info", 10);
    assert_string_equal(response.results[0].signed_.origid, "");
    assert_int_equal(response.results[1].status, STIRKEEP_TOKEN_ERROR);
    assert_string_equal(response.results[1].message, "there was something");
    assert_string_equal(response.results[2].signed_.origid, "123e4567-e89b-12d3-a456-426655440000");
    assert_string_equal(response.results[2].signed_.attest, "B");
    assert_int_equal(response.results[2].signed_.identity.length, sizeof(identity) - 1);
    stk_batch_free(batch);
    stk_buffer_free(&out);
    stk_arena_free(&arena);
}

static void a_whole_batch_tells_its_first_failure_however_long_its_reason(void **state)
{
    char reason[STK_ERROR_MAX] = "";
    const struct stk_response_result bad = {.status = STIRKEEP_TOKEN_ERROR, .message = reason};
    char identity[] = "h.p.s";
    char origid[] = "";
    const struct stk_response_result one = good(identity, origid);
    struct stk_batch *batch = stk_batch_new(STK_SIGNINGS_MAX, true);
    struct stk_buffer out = {0};
    struct stk_arena arena = {0};
    struct stk_response response = {0};
    (void)state;

    memset(reason, 'x', sizeof(reason) - 1);
    for (size_t i = 0; i < STK_SIGNINGS_MAX; i++)
        stk_batch_put(batch, i, i == 40 || i == 60 ? &bad : &one);
    assert_int_equal(stk_batch_encode(batch, &out), STIRKEEP_OK);
    response = decode(&out, &arena);
    assert_int_equal(response.status, STIRKEEP_TOKEN_ERROR);
    assert_memory_equal(response.message, "sign[40]: xxx", 13);
    stk_batch_free(batch);
    stk_batch_free(NULL);
    batch = stk_batch_new(1, true); /* and one that nothing was put into */
    stk_batch_free(batch);
    stk_buffer_free(&out);
    stk_arena_free(&arena);
}

/* ---- orders */

static void an_order_that_was_sent_once_stays_told(void **state)
{
    struct stk_orders *orders = stk_orders_new(5);
    struct stk_flow flow;
    struct stk_slot *slot = NULL;
    (void)state;

    assert_true(stk_flow_open(&orders->queue, 1, &flow));
    slot = stk_orders_take(orders, &flow, 10);
    assert_false(slot->told);
    stk_orders_mark_sent(orders, slot);
    slot->told = true;
    stk_orders_unsend(orders);
    assert_int_equal(slot->place, STK_SLOT_AGAIN);
    assert_true(slot->told);
    slot->batch = (struct stk_batch *)slot; /* whatever was left there */
    slot->weight = 7;
    stk_orders_release(orders, slot);
    assert_ptr_equal(stk_orders_take(orders, &flow, 10), slot);
    assert_false(slot->told);
    assert_null(slot->batch);
    assert_int_equal(slot->weight, 0);
    stk_orders_free(orders);
}

/* ---- names */

static void constraints_are_kept_with_the_name_and_go_with_it(void **state)
{
    struct stk_number_range range = {stk_number_key("14155550100"), stk_number_key("14155550199")};
    char claim[] = "mky";
    const char *excluded[] = {claim};
    struct stk_constraints constraints = {.numbers_only = true,
                                          .ranges = &range,
                                          .range_count = 1,
                                          .must_exclude = excluded,
                                          .must_exclude_count = 1};
    struct stk_names *names = stk_names_new();
    struct stk_certificate entry = {
        .name = {"Alpha"}, .generation = 1, .active = true, .constraints = &constraints};
    const struct stk_held *held = NULL;
    (void)state;

    assert_int_equal(stk_names_apply(names, true, true, &entry, 1), STIRKEEP_OK);
    range.first = 0;
    claim[0] = '?';
    excluded[0] = NULL;
    held = stk_names_find(names, "Alpha");
    assert_non_null(held->constraints);
    assert_true(held->constraints->numbers_only);
    assert_true(held->constraints->ranges[0].first == stk_number_key("14155550100"));
    assert_string_equal(held->constraints->must_exclude[0], "mky");
    constraints = (struct stk_constraints){0}; /* constrains nothing */
    assert_int_equal(stk_names_apply(names, false, true, &entry, 1), STIRKEEP_OK);
    assert_null(stk_names_find(names, "Alpha")->constraints);
    entry.constraints = NULL;
    assert_int_equal(stk_names_apply(names, false, true, &entry, 1), STIRKEEP_OK);
    assert_null(stk_names_find(names, "Alpha")->constraints);
    stk_names_free(names);
}

/* ---- attestation rules */

static int memfd_with(const void *data, size_t length, int seals)
{
    int fd = memfd_create("rules", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, length), length);
    if (seals != 0)
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void make_image(struct stk_buffer *image)
{
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_number_pattern pattern = {0};

    assert_int_equal(stk_number_pattern_read("1415555*", "rule", &pattern, NULL), STIRKEEP_OK);
    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_B, 1, 17), STIRKEEP_OK);
    assert_int_equal(stk_rules_build(draft, image, NULL), STIRKEEP_OK);
    stk_rules_draft_free(draft);
}

static void rules_are_used_where_they_lie_after_their_descriptor_is_closed(void **state)
{
    struct stk_buffer built = {0};
    struct stk_image image = {0};
    struct stk_error error = {0};
    int fd = -1;
    (void)state;

    make_image(&built);
    fd = memfd_with(built.data, built.length, F_SEAL_WRITE | F_SEAL_SHRINK);
    if (stk_image_open(fd, &image, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    (void)close(fd);
    assert_int_equal(stk_rules_find(image.rules, "14155550100").level, STK_LEVEL_B);
    stk_image_close(&image);
    assert_null(image.map);
    stk_image_close(&image);
    assert_int_equal(stk_image_open(-1, &image, &error), STIRKEEP_OK);
    assert_null(image.rules);
    stk_buffer_free(&built);
}

static void rules_that_could_change_or_are_none_are_refused(void **state)
{
    struct stk_buffer built = {0};
    struct stk_image image = {0};
    struct stk_error error = {0};
    int pipes[2] = {-1, -1};
    int fd = -1;
    (void)state;

    make_image(&built);
    for (int seals = 0; seals < 3; seals++) {
        fd = memfd_with(built.data, built.length,
                        (seals == 1 ? F_SEAL_WRITE : 0) | (seals == 2 ? F_SEAL_SHRINK : 0));
        assert_int_equal(stk_image_open(fd, &image, &error), STIRKEEP_CONFIG);
        (void)close(fd);
    }
    fd = memfd_with(built.data, 0, F_SEAL_WRITE | F_SEAL_SHRINK);
    assert_int_equal(stk_image_open(fd, &image, &error), STIRKEEP_CONFIG);
    (void)close(fd);
    fd = memfd_with(built.data, built.length - 1, F_SEAL_WRITE | F_SEAL_SHRINK);
    assert_int_equal(stk_image_open(fd, &image, &error), STIRKEEP_MALFORMED);
    (void)close(fd);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(stk_image_open(pipes[0], &image, &error), STIRKEEP_CONFIG);
    assert_int_equal(stk_image_open(pipes[1] + 1000, &image, &error), STIRKEEP_CONFIG);
    assert_null(image.map);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    stk_buffer_free(&built);
}

/* ---- peers */

static void a_peers_process_is_known_to_live_until_it_ends(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(address);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    int fd = -1;
    siginfo_t ended = {0};
    pid_t pid = 0;
    (void)state;

    /* A name that the kernel chooses, in no directory. */
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(listen(listener, 1), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int knocking = socket(AF_UNIX, SOCK_STREAM, 0);

        _exit(connect(knocking, (struct sockaddr *)&address, length) == 0 && pause() != 0);
    }
    fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    if (stk_peer_lives(fd) || errno != ENOPROTOOPT)
        assert_true(stk_peer_lives(fd));
    else
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
    assert_false(stk_peer_lives(fd)); /* a zombie */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(stk_peer_lives(fd));
    (void)close(fd);
    (void)close(listener);
    assert_false(stk_peer_lives(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_kept_when_what_they_came_from_is_gone),
        cmocka_unit_test(a_whole_batch_tells_its_first_failure_however_long_its_reason),
        cmocka_unit_test(an_order_that_was_sent_once_stays_told),
        cmocka_unit_test(constraints_are_kept_with_the_name_and_go_with_it),
        cmocka_unit_test(rules_are_used_where_they_lie_after_their_descriptor_is_closed),
        cmocka_unit_test(rules_that_could_change_or_are_none_are_refused),
        cmocka_unit_test(a_peers_process_is_known_to_live_until_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
