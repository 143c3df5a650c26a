/* SPDX-License-Identifier: BSD-2-Clause */
#include "ends.h"

#include "base/clock.h"
#include "model/proof.h"
#include <openssl/ec.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WITHIN_MS (25000 * PATIENCE) /* intake's own time-outs are 10 s */

static uint8_t message[STK_LINK_MESSAGE_MAX];

static void forget(struct ends *ends);

int ends_set_up(void **state)
{
    struct ends *ends = calloc(1, sizeof(*ends));

    assert_non_null(ends);
    born_new(&ends->born, STK_ROOM_INTAKE, "STIRKEEP_INTAKE");
    assert_int_equal(stk_arena_new(&ends->arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    assert_int_equal(stk_arena_new(&ends->answers, (size_t)2 * 1024 * 1024), STIRKEEP_OK);
    *state = ends;
    return 0;
}

int ends_tear_down(void **state)
{
    struct ends *ends = *state;

    born_free(&ends->born);
    stk_arena_free(&ends->arena);
    stk_arena_free(&ends->answers);
    forget(ends);
    if (ends->caller.fd > 0)
        client_free(&ends->caller);
    free(ends);
    return 0;
}

void ends_start_alone(struct ends *ends)
{
    char config[1024] = "";
    const char *directory = ends->born.directory;

    (void)snprintf(
        config, sizeof(config),
        "[token]\nmodule = /nowhere.so\nlabel = stirkeep\n"
        "[sockets]\nadmin = %s/socket\nclient-timeout-ms = %u\n"
        "[storage]\ncatalog = %s/catalog.db\nspool = %s%s\n[audit]\nfile = %s/audit.jsonl\n"
        "[signing]\nx5u-template = %s\n"
        "[import]\nprofile = %s\n[admin]\nuser = %u\n",
        directory, ends->client_timeout_ms > 0 ? ends->client_timeout_ms : 20000, directory,
        ends->spool ? directory : "", ends->spool ? "/spool" : "", directory,
        ends->no_template ? "" : "https://certs.example.com/{name}.pem",
        ends->profile != NULL ? ends->profile : "strict", (unsigned)getuid());
    born_start(&ends->born, config);
}

void ends_start(struct ends *ends)
{
    ends_start_alone(ends);
    born_tell(&ends->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    born_tell(&ends->born, STK_CONTROL_ROOM_UP, STK_ROOM_FRONT);
}

int ends_drain(struct ends *ends)
{
    born_tell(&ends->born, STK_CONTROL_DRAIN, STK_ROOM_INTAKE);
    return born_wait(&ends->born);
}

struct stk_catalog *ends_catalog(const struct ends *ends)
{
    struct stk_catalog *catalog = NULL;
    struct stk_error error = {0};
    char path[128] = "";

    (void)snprintf(path, sizeof(path), "%s/catalog.db", ends->born.directory);
    if (stk_catalog_open(path, &catalog, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return catalog;
}

bool ends_intent_open(const struct ends *ends)
{
    struct stk_catalog *catalog = ends_catalog(ends);
    struct stk_intent intent = {0};
    enum stirkeep_status status = stk_catalog_open_intent(catalog, 0, &intent, NULL);

    stk_catalog_close(catalog);
    assert_true(status == STIRKEEP_OK || status == STIRKEEP_UNKNOWN_NAME);
    return status == STIRKEEP_OK;
}

/* ---- the keeper */

void ends_sign_proof(EVP_PKEY *key, const uint8_t challenge[STK_CHALLENGE_LENGTH],
                     uint8_t ret_signature[STK_SIGNATURE_LENGTH])
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t der[128] = {0};
    const uint8_t *at = der;
    size_t length = sizeof(der);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    ECDSA_SIG *signature = NULL;

    stk_proof_digest(challenge, digest);
    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_sign(context, der, &length, digest, sizeof(digest)), 1);
    signature = d2i_ECDSA_SIG(NULL, &at, (long)length);
    assert_non_null(signature);
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(signature), ret_signature, 32);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(signature), ret_signature + 32, 32);
    ECDSA_SIG_free(signature);
    EVP_PKEY_CTX_free(context);
}

static void take_act(struct ends *ends, const struct stk_custody_order *order)
{
    struct recorded *act = &ends->acts[ends->act_count++];

    assert_true(ends->act_count < ACTS_MAX);
    (void)snprintf(act->act, sizeof(act->act), "%s", order->act);
    (void)snprintf(act->outcome, sizeof(act->outcome), "%s", order->outcome);
    (void)snprintf(act->name, sizeof(act->name), "%s", order->name.text);
    (void)snprintf(act->detail, sizeof(act->detail), "%.500s", order->detail);
    act->generation = order->generation;
    act->peer = order->peer;
    act->request_id = order->request_id;
}

static bool is(const struct stk_key_id *one, const struct stk_key_id *other)
{
    return memcmp(one, other, sizeof(*one)) == 0;
}

static size_t spki_of(EVP_PKEY *key, uint8_t ret_spki[128])
{
    uint8_t *at = ret_spki;

    return key == NULL ? 0 : (size_t)i2d_PUBKEY(key, &at);
}

static enum stirkeep_status prove(const struct ends *ends, const struct stk_key_id *key_id)
{
    if (is(&ends->destroyed, key_id) && !ends->undead)
        return STIRKEEP_KEY_UNAVAILABLE;
    if (ends->unproven != NULL && !is(ends->unproven, key_id))
        return STIRKEEP_OK;
    return ends->prove_status;
}

static void answer_order(struct ends *ends, const struct stk_custody_order *order)
{
    static const uint8_t spki[] = "a wrapping key";
    static const uint8_t audit_spki[STK_SPKI_LENGTH] = "an audit key";
    static const uint8_t request[] = "a request";
    uint8_t made[128] = {0};
    struct stk_custody_answer answer = {.id = order->id, .message = "", .attributes = ""};
    struct stk_buffer out = {0};

    if (ends->instead != NULL && ends->instead(ends->instead_context, order, &answer)) {
        /* the test's own keeper has answered */
    } else if (order->kind == STK_CUSTODY_TOKEN) {
        answer.has_token = true;
        answer.token = (struct stk_token_report){.label = "stirkeep",
                                                 .serial = "0123",
                                                 .model = "test",
                                                 .seal_way = "rsa",
                                                 .sign_way = "ecdsa",
                                                 .signers = 2,
                                                 .wrapping_spki = {spki, sizeof(spki)},
                                                 .audit_writable = true,
                                                 .audit_spki = {audit_spki, sizeof(audit_spki)}};
    } else if (order->kind == STK_CUSTODY_IMPORT) {
        answer.status = ends->import_status;
        answer.has_proof = answer.status == STIRKEEP_OK;
        answer.attributes = "sensitive, never extractable";
        if (answer.has_proof && ends->prover != NULL)
            ends_sign_proof(ends->prover, order->challenge, answer.signature);
    } else if (order->kind == STK_CUSTODY_DESTROY) {
        answer.status = ends->destroy_status;
        if (ends->indestructible != NULL && is(ends->indestructible, &order->key_id))
            answer.status = STIRKEEP_TOKEN_ERROR;
        answer.has_destroyed = answer.status == STIRKEEP_OK;
        answer.proof = "3 objects destroyed";
    } else if (order->kind == STK_CUSTODY_PROVE) {
        answer.status = prove(ends, &order->key_id);
        answer.has_proof = answer.status == STIRKEEP_OK;
        if (answer.has_proof && ends->prover != NULL)
            ends_sign_proof(ends->prover, order->challenge, answer.signature);
    } else if (order->kind == STK_CUSTODY_GENERATE) {
        answer.status = ends->generate_status;
        answer.has_spki = answer.status == STIRKEEP_OK;
        answer.spki = (struct stk_bytes){made, spki_of(ends->made, made)};
    } else if (order->kind == STK_CUSTODY_REQUEST) {
        answer.status = ends->request_status;
        answer.has_request = answer.has_proof = answer.status == STIRKEEP_OK;
        answer.csr = (struct stk_bytes){request, sizeof(request)};
        answer.attributes = "LOCAL=1";
        if (answer.has_proof && ends->prover != NULL)
            ends_sign_proof(ends->prover, order->challenge, answer.signature);
    }
    assert_int_equal(stk_custody_answer_encode(&answer, &out), STIRKEEP_OK);
    assert_int_equal(stk_link_send(ends->born.keeper, out.data, out.length, 20000, NULL),
                     STIRKEEP_OK);
    stk_buffer_free(&out);
}

static void work_as_keeper(struct ends *ends)
{
    struct stk_custody_order order = {0};
    struct stk_error error = {0};
    size_t length = 0;

    assert_int_equal(stk_link_receive(ends->born.keeper, 1000, message, &length, NULL),
                     STIRKEEP_OK);
    stk_arena_reset(&ends->arena);
    if (stk_custody_order_decode((struct stk_bytes){message, length}, &ends->arena, &order,
                                 &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    ends->orders[order.kind]++;
    if (order.kind == STK_CUSTODY_RECORD)
        take_act(ends, &order);
    if (order.kind == STK_CUSTODY_DESTROY) {
        ends->destroyed_before = ends->destroyed;
        ends->destroyed = order.key_id;
        ends->keeper_silent = ends->keeper_stops;
    }
    if (order.kind == STK_CUSTODY_GENERATE)
        ends->ticket = order.ticket;
    if (order.kind == STK_CUSTODY_IMPORT) {
        ends->import = order;
        ends->sealed_length = order.sealed.length;
        ends->keeper_silent = ends->keeper_stops;
    }
    answer_order(ends, &order);
}

/* ---- front */

static void learn(struct ends *ends, const struct stk_certificate *entry)
{
    size_t i = 0;

    while (i < ends->known_count && strcmp(ends->known[i].name.text, entry->name.text) != 0)
        i++;
    assert_true(i < KNOWN_MAX);
    free((void *)(uintptr_t)ends->known[i].constraints);
    ends->known[i] = *entry;
    if (entry->constraints != NULL)
        ends->known[i].constraints = stk_constraints_clone(entry->constraints);
    if (i == ends->known_count)
        ends->known_count++;
}

static void forget(struct ends *ends)
{
    while (ends->known_count > 0) {
        struct stk_certificate *one = &ends->known[--ends->known_count];

        free((void *)(uintptr_t)one->constraints);
        one->constraints = NULL;
    }
    ends->count_count = 0;
}

static void work_as_front(struct ends *ends)
{
    struct stk_catalog_push push = {0};
    struct stk_front_report report = {.connections = 7, .refusals = 5};
    struct stk_error error = {0};
    struct stk_buffer out = {0};
    size_t length = 0;

    assert_int_equal(stk_link_receive(ends->born.other, 1000, message, &length, NULL), STIRKEEP_OK);
    stk_arena_reset(&ends->arena);
    if (stk_catalog_push_decode((struct stk_bytes){message, length}, &ends->arena, &push, &error) !=
        STIRKEEP_OK)
        fail_msg("%s", error.message);
    if (length > ends->longest)
        ends->longest = length;
    if (push.first) {
        forget(ends);
        ends->snapshot_done = false;
        ends->snapshots++;
        ends->pages = 0;
        ends->changes = 0;
    }
    ends->pages++;
    ends->changes += push.last && !push.first && push.entry_count == 1;
    for (size_t i = 0; i < push.entry_count; i++)
        learn(ends, &push.entries[i]);
    for (size_t i = 0; i < push.usage_count; i++) {
        assert_true(ends->count_count < COUNTS_MAX);
        ends->counts[ends->count_count++] = push.usage[i];
    }
    ends->snapshot_done = ends->snapshot_done || push.last;
    report.push = push.push;
    assert_int_equal(stk_front_report_encode(&report, &out), STIRKEEP_OK);
    assert_int_equal(stk_link_send(ends->born.other, out.data, out.length, 20000, NULL),
                     STIRKEEP_OK);
    stk_buffer_free(&out);
}

void ends_report(struct ends *ends, const struct stk_usage_count *counts, size_t count,
                 bool snapshot_wanted)
{
    struct stk_front_report report = {.snapshot_wanted = snapshot_wanted,
                                      .usage = (struct stk_usage_count *)(uintptr_t)counts,
                                      .usage_count = count};
    struct stk_buffer out = {0};

    assert_int_equal(stk_front_report_encode(&report, &out), STIRKEEP_OK);
    assert_int_equal(stk_link_send(ends->born.other, out.data, out.length, 20000, NULL),
                     STIRKEEP_OK);
    stk_buffer_free(&out);
}

void ends_await_snapshot(struct ends *ends, unsigned snapshots)
{
    uint64_t until = stk_clock_mono_us() + (uint64_t)WITHIN_MS * 1000;

    while ((ends->snapshots < snapshots || !ends->snapshot_done) && stk_clock_mono_us() < until)
        (void)ends_work(ends, -1, 10);
    assert_true(ends->snapshots >= snapshots && ends->snapshot_done);
}

/* ---- both */

bool ends_work(struct ends *ends, int fd, int milliseconds)
{
    uint64_t until = stk_clock_mono_us() + (uint64_t)milliseconds * 1000;

    while (true) {
        uint64_t now = stk_clock_mono_us();
        struct pollfd watch[] = {
            {.fd = ends->keeper_silent ? -1 : ends->born.keeper, .events = POLLIN},
            {.fd = ends->front_silent ? -1 : ends->born.other, .events = POLLIN},
            {.fd = fd, .events = POLLIN}};

        if (now >= until || poll(watch, 3, (int)((until - now) / 1000) + 1) <= 0)
            return false;
        if (watch[2].revents != 0)
            return true;
        if (watch[0].revents != 0)
            work_as_keeper(ends);
        if (watch[1].revents != 0)
            work_as_front(ends);
    }
}

size_t ends_acts(const struct ends *ends, const char *act, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < ends->act_count; i++)
        count += strcmp(ends->acts[i].act, act) == 0 && strcmp(ends->acts[i].name, name) == 0;
    return count;
}

const struct recorded *ends_last_act(const struct ends *ends, const char *act)
{
    for (size_t i = ends->act_count; i > 0; i--)
        if (strcmp(ends->acts[i - 1].act, act) == 0)
            return &ends->acts[i - 1];
    fail_msg("no act %s", act);
    return NULL;
}

void ends_await_act(struct ends *ends, const char *act, const char *name, size_t count)
{
    uint64_t until = stk_clock_mono_us() + (uint64_t)WITHIN_MS * 1000;

    while (ends_acts(ends, act, name) < count && stk_clock_mono_us() < until)
        (void)ends_work(ends, -1, 10);
    assert_true(ends_acts(ends, act, name) >= count);
}

const struct stk_certificate *ends_known(const struct ends *ends, const char *name)
{
    for (size_t i = 0; i < ends->known_count; i++)
        if (strcmp(ends->known[i].name.text, name) == 0)
            return &ends->known[i];
    return NULL;
}

/* ---- clients */

void ask(struct ends *ends, const struct client *client, struct stk_admin_request *request)
{
    struct stk_buffer out = {0};

    request->id = ++ends->last_id;
    assert_int_equal(stk_admin_request_encode(request, &out), STIRKEEP_OK);
    client_send(client, out.data, out.length);
    stk_buffer_free(&out);
}

struct stk_admin_response hear(struct ends *ends, struct client *client)
{
    struct stk_admin_response response = {0};
    struct stk_error error = {0};

    if (!client_has_frame(client) && !ends_work(ends, client->fd, WITHIN_MS))
        fail_msg("no answer");
    stk_arena_reset(&ends->answers);
    if (stk_admin_response_decode(client_frame(client), &ends->answers, &response, &error) !=
        STIRKEEP_OK)
        fail_msg("%s", error.message);
    return response;
}

struct stk_admin_response call(struct ends *ends, struct stk_admin_request request)
{
    struct stk_admin_response response = {0};

    if (ends->caller.fd > 0)
        client_free(&ends->caller);
    ends->caller = client_new(&ends->born);
    ask(ends, &ends->caller, &request);
    response = hear(ends, &ends->caller);
    assert_int_equal(response.id, request.id);
    return response;
}
