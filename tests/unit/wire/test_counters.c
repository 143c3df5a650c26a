/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rooms count, as it travels: all of it, and nothing that would be written past an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codecs.h"
#include "samples.h"
#include "wire/codec_counters.h"

#include "counters.pb-c.h"
#include <stdlib.h>
#include <string.h>

#define ARENA ((size_t)256 * 1024)

static void every_class_and_every_status_arrives_as_it_was(void **state)
{
    static struct stk_front_counters counters;
    const struct stk_front_counters *arrived = NULL;
    Stirkeep__V1__FrontCounters *message = NULL;
    struct stk_arena arena = {0};
    struct stk_error error = {0};
    (void)state;

    for (unsigned i = 0; i < STK_HISTOGRAM_CLASSES; i++)
        counters.served.classes[i] = i + 1;
    for (unsigned i = 0; i < STIRKEEP_STATUS_COUNT; i++)
        counters.refused[i] = counters.failed[i] = 7 * i;
    for (size_t i = 0; i < STK_NAME_COUNTS_MAX; i++)
        memset(counters.names[i].name, 'n', STK_NAME_MAX);
    counters.name_count = STK_NAME_COUNTS_MAX;
    message = stk_front_counters_message(&counters);
    assert_non_null(message);
    assert_int_equal(stk_arena_new(&arena, ARENA), STIRKEEP_OK);
    assert_int_equal(stk_front_counters_take(message, &arena, &arrived, &error), STIRKEEP_OK);
    assert_memory_equal(arrived, &counters, sizeof(counters));
    free(message);
    stk_arena_free(&arena);
}

static enum stirkeep_status take_class(uint64_t end)
{
    Stirkeep__V1__HistogramClass class = STIRKEEP__V1__HISTOGRAM_CLASS__INIT;
    Stirkeep__V1__HistogramClass *classes[] = {&class};
    Stirkeep__V1__Histogram token = STIRKEEP__V1__HISTOGRAM__INIT;
    Stirkeep__V1__KeeperCounters message = STIRKEEP__V1__KEEPER_COUNTERS__INIT;
    const struct stk_keeper_counters *counters = NULL;
    struct stk_arena arena = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    class.up_to_us = end;
    token.classes = classes;
    token.n_classes = 1;
    message.token = &token;
    assert_int_equal(stk_arena_new(&arena, ARENA), STIRKEEP_OK);
    status = stk_keeper_counters_take(&message, &arena, &counters, &error);
    stk_arena_free(&arena);
    return status;
}

static void a_class_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_int_equal(take_class(15), STIRKEEP_OK);
    assert_int_equal(take_class(33), STIRKEEP_OK);
    assert_int_equal(take_class(32), STIRKEEP_INVALID);
    assert_int_equal(take_class(UINT64_MAX), STIRKEEP_INVALID);
}

static void more_signers_or_names_than_there_can_be_are_refused(void **state)
{
    Stirkeep__V1__KeeperCounters keeper = STIRKEEP__V1__KEEPER_COUNTERS__INIT;
    Stirkeep__V1__FrontCounters front = STIRKEEP__V1__FRONT_COUNTERS__INIT;
    const struct stk_keeper_counters *keeper_counters = NULL;
    const struct stk_front_counters *front_counters = NULL;
    struct stk_arena arena = {0};
    struct stk_error error = {0};
    (void)state;

    keeper.n_signers = STK_SIGNERS_MAX + 1;
    front.n_names = STK_NAME_COUNTS_MAX + 1;
    assert_int_equal(stk_arena_new(&arena, ARENA), STIRKEEP_OK);
    assert_int_equal(stk_keeper_counters_take(&keeper, &arena, &keeper_counters, &error),
                     STIRKEEP_TOO_LARGE);
    assert_int_equal(stk_front_counters_take(&front, &arena, &front_counters, &error),
                     STIRKEEP_TOO_LARGE);
    assert_null(keeper_counters);
    assert_null(front_counters);
    stk_arena_free(&arena);
}

static void counters_that_are_not_there_stay_so(void **state)
{
    const struct stk_keeper_counters *counters = sample_keeper_counters();
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_keeper_counters_take(NULL, NULL, &counters, &error), STIRKEEP_OK);
    assert_null(counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_and_every_status_arrives_as_it_was),
        cmocka_unit_test(a_class_that_is_none_is_refused),
        cmocka_unit_test(more_signers_or_names_than_there_can_be_are_refused),
        cmocka_unit_test(counters_that_are_not_there_stay_so),
    };

    return cmocka_run_group_tests_name("wire counters", tests, NULL, NULL);
}
