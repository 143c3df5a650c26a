/* SPDX-License-Identifier: BSD-2-Clause */
/* On a signature's way the codecs ask the system for no memory: the arena and buffers suffice. */
#include "hand.h"

#include "wire/codec_order.h"
#include "wire/codec_sign.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0 /* a sanitizer has its own allocator */
static size_t taken;
#else
#define COUNTS 1
/* glibc's own, behind the names that libraries call. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);

static size_t taken;

void *malloc(size_t size)
{
    taken++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    taken++;
    return __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size)
{
    taken++;
    return __libc_realloc(pointer, size);
}
#endif

struct way {
    struct stk_buffer request;
    struct stk_buffer order;
    struct stk_buffer answer;
    struct stk_buffer response;
    struct stk_arena front;
    struct stk_arena keeper;
    struct stk_answer bad[STK_BATCH_MAX];
};

/* A client's request to the keeper's order, and its answer back to the client. */
static void sign_once(struct way *way)
{
    static const char *const dest[] = {"+1 215 555 1213", "12155551214"};
    const struct stk_claims_input claims = {.ppt = "shaken",
                                            .orig_tn = "+12155551212",
                                            .dest_tn = dest,
                                            .dest_tn_count = 2,
                                            .attest = "A"};
    const struct stk_signing_input signing = {.name = "Alpha", .claims = &claims};
    struct stk_bytes message = {0};
    struct stk_request request = {0};
    struct stk_request_sketch sketch = {0};
    struct stk_order order = {.id = 3, .x5u = "https://a.example/c", .grant = "k"};
    struct stk_front_orders orders = {0};
    struct stk_answer answer = {.message = "", .identity = "abc", .identity_length = 3};
    struct stk_answer *answers = NULL;
    struct stk_response response = {0};
    size_t count = 0;

    assert_int_equal(stk_request_encode_sign(1, 0, &signing, &way->request), STIRKEEP_OK);
    message = message_of(&way->request, STK_SIGN_MESSAGE_MAX);
    assert_int_equal(stk_request_decode(message, &way->front, &request, &sketch, NULL),
                     STIRKEEP_OK);
    order.name = request.signings[0].name;
    order.claims = request.signings[0].claims;
    assert_int_equal(stk_order_append(&order, &way->order), STIRKEEP_OK);
    assert_int_equal(stk_front_orders_decode(bytes_of(&way->order), &way->keeper, &orders, way->bad,
                                             &count, NULL),
                     STIRKEEP_OK);
    assert_int_equal(orders.order_count, 1);
    answer.id = orders.orders[0].id;
    answer.passport_length = 2;
    assert_int_equal(stk_answer_append(&answer, &way->answer), STIRKEEP_OK);
    assert_int_equal(
        stk_answers_decode(bytes_of(&way->answer), &way->front, &answers, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(
        stk_response_encode_signed(
            1,
            &(struct stk_response_signed){.identity = {(const uint8_t *)answers[0].identity, 3},
                                          .passport_length = answers[0].passport_length,
                                          .origid = answers[0].origid},
            &way->response),
        STIRKEEP_OK);
    assert_int_equal(stk_response_decode(message_of(&way->response, STK_SIGN_MESSAGE_MAX),
                                         &way->keeper, &response, NULL),
                     STIRKEEP_OK);
    assert_int_equal(response.kind, STK_RESPONSE_SIGNED);
}

static void start_over(struct way *way)
{
    way->request.length = 0;
    way->order.length = 0;
    way->answer.length = 0;
    way->response.length = 0;
    stk_arena_reset(&way->front);
    stk_arena_reset(&way->keeper);
}

static void a_signatures_way_takes_no_memory_from_the_system(void **state)
{
    static struct way way;
    size_t before = taken;
    void *volatile probe = NULL;
    (void)state;

    probe = malloc(1);
    free(probe);
    if (!COUNTS || taken == before) {
        /* Sanitizers and valgrind put their own in the place of these. */
        print_message("# nothing is counted here\n");
        return;
    }
    assert_int_equal(stk_arena_new(&way.front, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    assert_int_equal(stk_arena_new(&way.keeper, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    sign_once(&way); /* buffers grow to their size */
    before = taken;
    for (int i = 0; i < 100; i++) {
        start_over(&way);
        sign_once(&way);
    }
    assert_int_equal(taken - before, 0);
    stk_arena_free(&way.front);
    stk_arena_free(&way.keeper);
    stk_buffer_free(&way.request);
    stk_buffer_free(&way.order);
    stk_buffer_free(&way.answer);
    stk_buffer_free(&way.response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signatures_way_takes_no_memory_from_the_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
