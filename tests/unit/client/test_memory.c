/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

/* Every allocation of this thread is counted; the fake's thread does not matter. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static _Thread_local size_t allocations;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

static void play_signer(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request))
        fake_sign(fd, &request);
    fake_close(fake, fd);
}

static void pump(struct stirkeep_client *client, uint64_t count)
{
    struct stirkeep_answer answer = {0};
    uint64_t submitted = 0;

    for (uint64_t answered = 0; answered < count; answered++) {
        while (submitted < count && stirkeep_under_way(client) < 64)
            assert_int_equal(submit_numbered(client, submitted++, 0), STIRKEEP_OK);
        assert_int_equal(stirkeep_fetch(client, 2000, &answer), STIRKEEP_OK);
        assert_true(answers_its_request(&answer));
    }
}

static void a_warm_pipeline_allocates_next_to_nothing(void **state)
{
    struct stirkeep_client *client = NULL;
    size_t before = 0;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_signer);
    client = client_of(&fake, 0);
    pump(client, 1000);
    before = allocations;
    assert_true(before > 0); /* they are counted at all */
    pump(client, 10000);
    assert_true(allocations - before < 32); /* a burst larger than any before may grow a buffer */
    stirkeep_client_free(client);
    fake_stop(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warm_pipeline_allocates_next_to_nothing),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
