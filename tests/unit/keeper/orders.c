/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "run.h"
#include "seal/seal.h"
#include <openssl/x509.h>
#include <string.h>

#define ANSWER_WITHIN_MS 5000

static uint8_t message[STK_LINK_MESSAGE_MAX];

static void receive(struct run *run, int fd, size_t *ret_length)
{
    struct stk_error error = {0};

    if (stk_link_receive(fd, ANSWER_WITHIN_MS, message, ret_length, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    stk_arena_reset(&run->arena);
}

void run_send_custody(struct run *run, struct stk_custody_order *order)
{
    struct stk_buffer out = {0};

    order->id = run->next_id++;
    assert_int_equal(stk_custody_order_encode(order, &out), STIRKEEP_OK);
    assert_int_equal(stk_link_send(run->intake, out.data, out.length, 1000, NULL), STIRKEEP_OK);
    stk_buffer_free(&out);
}

struct stk_custody_answer run_custody(struct run *run, struct stk_custody_order *order)
{
    run_send_custody(run, order);
    return run_custody_answer(run, order);
}

struct stk_custody_answer run_custody_answer(struct run *run, const struct stk_custody_order *order)
{
    struct stk_custody_answer answer = {0};
    struct stk_error error = {0};
    size_t length = 0;

    receive(run, run->intake, &length);
    if (stk_custody_answer_decode((struct stk_bytes){message, length}, &run->arena, &answer,
                                  &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(answer.id, order->id);
    return answer;
}

struct stk_custody_answer run_prove(struct run *run, const struct stk_key_id *id)
{
    struct stk_custody_order order = {
        .kind = STK_CUSTODY_PROVE, .key_id = *id, .challenge = {9, 9, 9}};

    return run_custody(run, &order);
}

struct stk_custody_answer run_destroy(struct run *run, const struct stk_key_id *id)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_DESTROY, .key_id = *id};

    return run_custody(run, &order);
}

void run_seal(struct run *run, const struct test_key *key, struct stk_buffer *ret_sealed)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_TOKEN};
    struct stk_custody_answer answer = run_custody(run, &order);
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->key);
    struct stk_secret pkcs8 = {0};
    struct stk_error error = {0};
    uint8_t *at = NULL;

    assert_true(answer.has_token);
    assert_int_equal(stk_secret_new(&pkcs8, 512), STIRKEEP_OK);
    at = pkcs8.data;
    pkcs8.length = (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, &at);
    if (stk_seal(answer.token.wrapping_spki, &pkcs8, ret_sealed, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    PKCS8_PRIV_KEY_INFO_free(info);
    stk_secret_free(&pkcs8);
}

struct stk_custody_answer run_import_sealed(struct run *run, const struct stk_key_id *id,
                                            struct stk_bytes certificate, struct stk_bytes sealed)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_IMPORT,
                                      .name = {"Alpha"},
                                      .key_id = *id,
                                      .chain = {certificate},
                                      .chain_count = 1,
                                      .sealed = sealed,
                                      .challenge = {1, 2, 3}};

    return run_custody(run, &order);
}

struct stk_custody_answer run_import_as(struct run *run, const struct test_key *key,
                                        const struct test_key *certificate)
{
    struct stk_buffer sealed = {0};
    struct stk_custody_answer answer = {0};

    run_seal(run, key, &sealed);
    answer = run_import_sealed(run, &certificate->id, certificate->certificate,
                               (struct stk_bytes){sealed.data, sealed.length});
    stk_buffer_free(&sealed);
    return answer;
}

struct test_key run_new_key(struct run *run, const char *subject)
{
    struct test_key key = test_key_make(subject);
    struct stk_custody_answer answer = run_import_as(run, &key, &key);

    if (answer.status != STIRKEEP_OK)
        fail_msg("%s", answer.message);
    return key;
}

struct stk_order run_order(struct run *run, const struct test_key *key)
{
    static const char *dest[] = {"12155550131"};

    return (struct stk_order){.id = run->next_id++,
                              .key_id = key->id,
                              .name = {"Alpha"},
                              .generation = 1,
                              .x5u = "https://certs.example.com/Alpha.pem",
                              .claims = {.ppt = STK_PPT_SHAKEN,
                                         .ppt_text = "shaken",
                                         .orig_tn = "12155550121",
                                         .dest_tn = dest,
                                         .dest_tn_count = 1,
                                         .attest = 'A'},
                              .deadline_us = stk_clock_mono_us() + 5000000,
                              .peer = {.uid = 1000, .gid = 1001, .pid = 4321},
                              .grant = "kamailio",
                              .request_id = 77};
}

void run_send(struct run *run, const struct stk_order *orders, size_t order_count,
              const struct stk_refusal *refusals, size_t refusal_count)
{
    struct stk_buffer out = {0};
    struct stk_error error = {0};

    for (size_t i = 0; i < order_count; i++)
        assert_int_equal(stk_order_append(&orders[i], &out), STIRKEEP_OK);
    for (size_t i = 0; i < refusal_count; i++)
        assert_int_equal(stk_refusal_append(&refusals[i], &out), STIRKEEP_OK);
    if (stk_link_send(run->front, out.data, out.length, 5000, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    stk_buffer_free(&out);
}

struct stk_answer *run_answers(struct run *run, size_t *ret_count)
{
    struct stk_answer *answers = NULL;
    struct stk_error error = {0};
    size_t length = 0;

    receive(run, run->front, &length);
    if (stk_answers_decode((struct stk_bytes){message, length}, &run->arena, &answers, ret_count,
                           &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return answers;
}

struct stk_answer run_sign(struct run *run, const struct stk_order *order)
{
    size_t count = 0;
    struct stk_answer *answers = NULL;

    run_send(run, order, 1, NULL, 0);
    answers = run_answers(run, &count);
    assert_int_equal(count, 1);
    assert_int_equal(answers[0].id, order->id);
    return answers[0];
}
