/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/digest.h"
#include "run.h"
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NEVER "seal-records = 1000000\nseal-seconds = 86400\n"
#define FILES_MAX 256

/* ---- what is waited for, and asked */

/* The audit key as the keeper tells it; all zero when there is none. */
static void audit_key(struct run *run, uint8_t ret_spki[STK_SPKI_LENGTH])
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_TOKEN};
    struct stk_custody_answer answer = run_custody(run, &order);

    memset(ret_spki, 0, STK_SPKI_LENGTH);
    assert_int_equal(answer.status, STIRKEEP_OK);
    if (answer.token.audit_spki.length == STK_SPKI_LENGTH)
        memcpy(ret_spki, answer.token.audit_spki.data, STK_SPKI_LENGTH);
}

static struct stk_token_report report(struct run *run)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_TOKEN};
    struct stk_custody_answer answer = run_custody(run, &order);

    assert_int_equal(answer.status, STIRKEEP_OK);
    return answer.token;
}

/* The next seal told to the porter; 0 when there is none within the time. */
static uint64_t hear_seal(struct run *run, unsigned wait_ms, struct stk_seal *ret_seal)
{
    struct pollfd watch = {.fd = run->control, .events = POLLIN};
    struct stk_control_message said = {0};

    if (poll(&watch, 1, (int)wait_ms) != 1)
        return 0;
    if (stk_control_receive(run->control, &said) != STIRKEEP_OK)
        return 0;
    assert_int_equal(said.kind, STK_CONTROL_SEALED);
    assert_true(stk_seal_read(said.text, strlen(said.text), ret_seal));
    assert_int_equal(said.number, ret_seal->through);
    return ret_seal->through;
}

/* Until one covers this record, and it is signed by the audit key. */
static struct stk_seal await_seal(struct run *run, uint64_t through, unsigned wait_ms,
                                  const uint8_t spki[STK_SPKI_LENGTH])
{
    uint64_t until = stk_clock_mono_us() + (uint64_t)wait_ms * 1000 * PATIENCE;
    struct stk_seal seal = {0};

    while (seal.through < through) {
        uint64_t now = stk_clock_mono_us();

        if (now >= until || hear_seal(run, (unsigned)((until - now) / 1000) + 1, &seal) == 0)
            fail_msg("no seal through %llu", (unsigned long long)through);
        assert_true(stk_seal_signed_by(&seal, spki));
    }
    return seal;
}

static void expect_signature(struct run *run, const struct test_key *key)
{
    struct stk_order order = run_order(run, key);
    struct stk_answer answer = run_sign(run, &order);

    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_true(test_key_verifies(key, &answer));
}

/* Verified with the key; `seq` of the last record has to be that of a seal, or near it. */
static struct stk_verdict verify(const struct run *run, const char *file,
                                 const uint8_t spki[STK_SPKI_LENGTH])
{
    return trail_verdict(run, &file, 1, (const uint8_t(*)[STK_SPKI_LENGTH])spki);
}

/* ---- when */

static void starts_and_stops_are_sealed(void **state)
{
    struct run *run = *state;
    struct run_options options = {.audit_file = "ends.jsonl", .audit = NEVER};
    uint8_t spki[STK_SPKI_LENGTH] = {0};
    struct stk_verdict verdict = {0};

    run_start(run, &options);
    audit_key(run, spki);
    (void)await_seal(run, 1, 2000, spki);
    assert_int_equal(run_drain(run), 0);
    verdict = verify(run, "ends.jsonl", spki);
    assert_int_equal(trail_count(run, "ends.jsonl", "\"act\":\"stop\"", ""), 1);
    assert_int_equal(verdict.seals, 2);
    assert_int_equal(verdict.sealed, verdict.last - 1); /* "stop"; the seal is behind it */
    assert_int_equal(verdict.uncovered, 0);
}

static void with_every_mode_of_syncing_all_is_sealed(void **state)
{
    static const char *const modes[] = {"none", "interval", "always"};
    struct run *run = *state;

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char file[32] = "";
        uint8_t spki[STK_SPKI_LENGTH] = {0};
        struct test_key key = {0};
        struct stk_verdict verdict = {0};

        (void)snprintf(file, sizeof(file), "mode-%s.jsonl", modes[i]);
        run_start(
            run, &(struct run_options){.audit_file = file, .audit_sync = modes[i], .audit = NEVER});
        audit_key(run, spki);
        key = run_new_key(run, "Alpha");
        for (int j = 0; j < 5; j++)
            expect_signature(run, &key);
        assert_int_equal(run_drain(run), 0);
        verdict = verify(run, file, spki);
        assert_int_equal(verdict.sealed, verdict.last - 1);
        test_key_free(&key);
    }
}

static void so_many_records_are_sealed_at_once(void **state)
{
    struct run *run = *state;
    uint8_t spki[STK_SPKI_LENGTH] = {0};
    struct test_key key = {0};
    struct stk_seal seal = {0};
    uint64_t last = 0;

    run_start(run, &(struct run_options){.audit_file = "count.jsonl",
                                         .audit = "seal-records = 20\nseal-seconds = 86400\n"});
    audit_key(run, spki);
    (void)await_seal(run, 1, 2000, spki);
    key = run_new_key(run, "Alpha");
    for (int i = 0; i < 15; i++)
        expect_signature(run, &key);
    assert_int_equal(hear_seal(run, 600, &seal), 0); /* 17 records */
    for (int i = 0; i < 5; i++)
        expect_signature(run, &key);
    last = report(run).audit_sequence;
    (void)await_seal(run, last - 2, 1000, spki);
    assert_int_equal(run_drain(run), 0);
    (void)verify(run, "count.jsonl", spki);
    test_key_free(&key);
}

static void what_has_waited_so_long_is_sealed_and_what_is_idle_is_not(void **state)
{
    struct run *run = *state;
    uint8_t spki[STK_SPKI_LENGTH] = {0};
    struct test_key key = {0};
    struct stk_seal seal = {0};
    struct stk_token_report told = {0};
    uint64_t since = 0;
    uint64_t last = 0;

    run_start(run, &(struct run_options){.audit_file = "wait.jsonl",
                                         .audit = "seal-records = 1000\nseal-seconds = 1\n"});
    audit_key(run, spki);
    (void)await_seal(run, 1, 2000, spki);
    since = stk_clock_mono_us();
    key = run_new_key(run, "Alpha");
    told = report(run);
    last = told.audit_sequence;
    assert_true(told.audit_unsealed > 0 && told.audit_unsealed_since > 0);
    (void)await_seal(run, last, 2500, spki);
    assert_true(stk_clock_mono_us() - since >= 900000);
    assert_int_equal(hear_seal(run, 1500, &seal), 0);
    told = report(run);
    assert_int_equal(told.audit_unsealed, 0);
    assert_int_equal(told.audit_unsealed_since, 0);
    assert_int_equal(told.audit_sealed, last);
    test_key_free(&key);
}

static void what_a_killed_keeper_left_is_sealed_by_the_next(void **state)
{
    struct run *run = *state;
    struct run_options options = {.audit_file = "killed.jsonl", .audit = NEVER};
    uint8_t spki[STK_SPKI_LENGTH] = {0};
    struct stk_seal seal = {0};
    struct test_key key = {0};
    uint64_t last = 0;

    run_start(run, &options);
    audit_key(run, spki);
    key = run_new_key(run, "Alpha");
    for (int i = 0; i < 10; i++)
        expect_signature(run, &key);
    last = report(run).audit_sequence;
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(run_wait(run), -1);
    run_start(run, &options);
    seal = await_seal(run, last, 2000, spki);
    assert_true(seal.from <= last);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(verify(run, "killed.jsonl", spki).uncovered, 0);
    test_key_free(&key);
}

/* ---- the key */

static void the_audit_key_is_made_once_and_signs_for_nobody(void **state)
{
    struct run *run = *state;
    struct run_options options = {.audit_file = "key.jsonl", .audit = NEVER};
    uint8_t spki[STK_SPKI_LENGTH] = {0};
    uint8_t again[STK_SPKI_LENGTH] = {0};
    struct test_key key = {0};
    struct stk_order order = {0};
    struct stk_key_id id = {0};

    run_start(run, &options);
    audit_key(run, spki);
    stk_sha256(spki, sizeof(spki), id.bytes);
    key = run_new_key(run, "Alpha");
    order = run_order(run, &key);
    order.key_id = id;
    assert_int_equal(run_sign(run, &order).status, STIRKEEP_NOT_PERMITTED);
    assert_int_equal(run_prove(run, &id).status, STIRKEEP_NOT_PERMITTED);
    assert_int_equal(run_destroy(run, &id).status, STIRKEEP_NOT_PERMITTED);
    assert_int_equal(run_drain(run), 0);
    run_start(run, &options);
    audit_key(run, again);
    assert_memory_equal(spki, again, sizeof(spki));
    assert_int_equal(run_drain(run), 0);
    (void)verify(run, "key.jsonl", spki);
    test_key_free(&key);
}

static void without_a_token_the_trail_goes_on_unsealed(void **state)
{
    struct run *run = *state;
    struct stk_custody_order record = {
        .kind = STK_CUSTODY_RECORD, .act = "retire", .outcome = "ok", .detail = ""};
    struct stk_seal seal = {0};
    struct stk_verdict verdict = {0};

    run_start(run, &(struct run_options){
                       .audit_file = "locked.jsonl", .pin = "", .audit = "seal-seconds = 1\n"});
    assert_int_equal(run_custody(run, &record).status, STIRKEEP_OK);
    assert_int_equal(hear_seal(run, 1500, &seal), 0);
    assert_int_equal(run_drain(run), 0);
    verdict = trail_verdict(run, (const char *[]){"locked.jsonl"}, 1, NULL);
    assert_int_equal(verdict.records, 3);
    assert_int_equal(verdict.seals, 0);
}

static void nobody_records_what_only_the_trail_says(void **state)
{
    static const char *const acts[] = {"seal", "continue", "cut"};
    struct run *run = *state;

    run_start(run, &(struct run_options){.audit_file = "false.jsonl"});
    for (size_t i = 0; i < 3; i++) {
        struct stk_custody_order record = {
            .kind = STK_CUSTODY_RECORD, .act = acts[i], .outcome = "ok", .detail = ""};

        assert_int_equal(run_custody(run, &record).status, STIRKEEP_INVALID);
    }
    assert_true(report(run).audit_writable);
    assert_int_equal(run_drain(run), 0);
}

/* ---- rotation */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files of a trail, oldest first; the names live until the next call. */
static size_t list_files(const struct run *run, const char *base, const char *files[FILES_MAX])
{
    static char names[FILES_MAX][NAME_MAX + 1];
    DIR *stream = opendir(run->directory);
    const struct dirent *entry = NULL;
    size_t count = 0;

    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        if (strncmp(entry->d_name, base, strlen(base)) != 0 || entry->d_name[strlen(base)] == '\0')
            continue;
        assert_true(count + 1 < FILES_MAX);
        (void)snprintf(names[count], sizeof(names[count]), "%s", entry->d_name);
        files[count] = names[count];
        count++;
    }
    (void)closedir(stream);
    qsort(files, count, sizeof(files[0]), by_name);
    (void)snprintf(names[count], sizeof(names[count]), "%s", base);
    files[count] = names[count];
    return count + 1;
}

static size_t count_ending(const char *const *files, size_t count, const char *end)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += strlen(files[i]) > strlen(end) &&
                 strcmp(files[i] + strlen(files[i]) - strlen(end), end) == 0;
    return found;
}

static void rotate_and_verify(struct run *run, const char *file, const char *audit, bool packed)
{
    const struct timespec pause = {.tv_nsec = 30000000};
    const char *files[FILES_MAX] = {NULL};
    uint8_t spki[STK_SPKI_LENGTH] = {0};
    struct stk_order orders[STK_BATCH_MAX];
    struct test_key key = {0};
    struct stk_verdict verdict = {0};
    size_t count = 0;
    size_t ignored = 0;

    run_start(run, &(struct run_options){.audit_file = file, .audit = audit});
    audit_key(run, spki);
    key = run_new_key(run, "Alpha");
    for (int i = 0; i < 20; i++) {
        for (size_t j = 0; j < STK_BATCH_MAX; j++)
            orders[j] = run_order(run, &key);
        run_send(run, orders, STK_BATCH_MAX, NULL, 0);
        for (size_t j = 0; j < STK_BATCH_MAX; j += ignored)
            (void)run_answers(run, &ignored);
        (void)nanosleep(&pause, NULL);
    }
    count = list_files(run, file, files);
    for (int i = 0; packed && i < 200 && count_ending(files, count, ".zst") < count - 1; i++) {
        (void)nanosleep(&pause, NULL);
        count = list_files(run, file, files);
    }
    assert_true(count >= 3);
    assert_int_equal(count_ending(files, count, ".zst"), packed ? count - 1 : 0);
    assert_int_equal(run_drain(run), 0);
    count = list_files(run, file, files);
    verdict = trail_verdict(run, files, count, (const uint8_t(*)[STK_SPKI_LENGTH])spki);
    assert_int_equal(verdict.first, 1);
    assert_int_equal(verdict.sealed, verdict.last - 1);
    assert_int_equal(verdict.uncovered, 0);
    assert_int_equal(verdict.files, count);
    test_key_free(&key);
}

static void files_are_rotated_by_size_and_packed(void **state)
{
    rotate_and_verify(*state, "packed.jsonl", NEVER "rotate-size = 32K\n", true);
}

static void files_are_left_as_they_are_when_that_is_wanted(void **state)
{
    rotate_and_verify(*state, "plain.jsonl", NEVER "rotate-size = 32K\ncompress = no\n", false);
}

static void files_are_rotated_by_age(void **state)
{
    struct run *run = *state;
    const struct timespec pause = {.tv_nsec = 30000000};
    const uint64_t began = stk_clock_mono_us();
    const char *files[FILES_MAX] = {NULL};
    uint8_t spki[STK_SPKI_LENGTH] = {0};
    size_t count = 0;

    run_start(run, &(struct run_options){.audit_file = "aged.jsonl",
                                         .audit = NEVER "rotate-age = 1s\ncompress = no\n"});
    audit_key(run, spki);
    for (int i = 0; i < 200 && count < 2; i++) {
        (void)nanosleep(&pause, NULL);
        count = list_files(run, "aged.jsonl", files);
    }
    assert_int_equal(run_drain(run), 0);
    count = list_files(run, "aged.jsonl", files);
    assert_in_range(count, 2, 2 + (stk_clock_mono_us() - began) / 1000000);
    (void)trail_verdict(run, files, count, (const uint8_t(*)[STK_SPKI_LENGTH])spki);
}

/* ---- what happens to the service */

static void say(struct run *run, enum stk_control_kind kind, enum stk_room room, const char *text)
{
    assert_true(stk_control_send(run->control, kind, room, text));
}

static void the_death_of_another_room_is_recorded(void **state)
{
    struct run *run = *state;

    run_start(run, &(struct run_options){.audit_file = "rooms.jsonl"});
    say(run, STK_CONTROL_ROOM_DOWN, STK_ROOM_INTAKE, NULL); /* as it was born */
    say(run, STK_CONTROL_ROOM_UP, STK_ROOM_INTAKE, NULL);
    say(run, STK_CONTROL_ROOM_UP, STK_ROOM_FRONT, NULL);
    say(run, STK_CONTROL_ROOM_DOWN, STK_ROOM_FRONT, "ended by signal 11 (Segmentation fault)");
    say(run, STK_CONTROL_ROOM_DOWN, STK_ROOM_FRONT, NULL);
    say(run, STK_CONTROL_ROOM_UP, STK_ROOM_FRONT, NULL);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(trail_count(run, "rooms.jsonl", "\"act\":\"room-", ""), 2);
    assert_int_equal(trail_count(run, "rooms.jsonl", "\"act\":\"room-down\"",
                                 "\"detail\":\"front: ended by signal 11 (Segmentation fault)\""),
                     1);
    assert_int_equal(trail_count(run, "rooms.jsonl", "\"act\":\"room-up\"", "\"detail\":\"front\""),
                     1);
    (void)trail_records(run, "rooms.jsonl");
}

/* ---- numbers */

#define NUMBER_KEY "a key for numbers of 32 bytes or more"

static void numbers_stand_as_keyed_hashes(void **state)
{
    static const char *dests[] = {"12155550131", "12155550132"};
    struct run *run = *state;
    struct stk_number_key number_key = {0};
    struct test_key key = {0};
    struct stk_order order = {0};
    struct stk_refusal refusal = {.status = STIRKEEP_NOT_PERMITTED,
                                  .reason = "certificate: does not cover orig 12155550121",
                                  .name = "Alpha",
                                  .ppt = "shaken",
                                  .orig = "+1 215 555 0121",
                                  .dest = "sip:bob@example.com",
                                  .attest = "A",
                                  .origid = "",
                                  .peer = {.uid = 1, .gid = 2, .pid = 3}};
    char hash[STK_NUMBER_HASH_TEXT] = "";

    assert_int_equal(stk_number_key_make(NUMBER_KEY, strlen(NUMBER_KEY), &number_key, NULL),
                     STIRKEEP_OK);
    run_start(run, &(struct run_options){.audit_file = "hashed.jsonl",
                                         .audit = "numbers = hashed\nnumber-key = /somewhere\n",
                                         .number_key = NUMBER_KEY});
    key = run_new_key(run, "Alpha");
    order = run_order(run, &key);
    order.claims.dest_tn = dests;
    order.claims.dest_tn_count = 2;
    assert_int_equal(run_sign(run, &order).status, STIRKEEP_OK);
    order = run_order(run, &key);
    order.claims.ppt = STK_PPT_DIV;
    order.claims.ppt_text = "div";
    order.claims.attest = '\0';
    order.claims.div_tn = "12155550141";
    assert_int_equal(run_sign(run, &order).status, STIRKEEP_OK);
    run_send(run, NULL, 0, &refusal, 1);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(trail_count(run, "hashed.jsonl", "12155550", ""), 0);
    assert_int_equal(trail_count(run, "hashed.jsonl", "bob", ""), 0);
    stk_number_hash(&number_key, "12155550121", hash);
    assert_int_equal(trail_count(run, "hashed.jsonl", hash, "\"orig\":\"h:"), 3);
    stk_number_hash(&number_key, "12155550132", hash);
    assert_int_equal(trail_count(run, "hashed.jsonl", hash, "\"dest\":[\"h:"), 1);
    stk_number_hash(&number_key, "12155550141", hash);
    assert_int_equal(trail_count(run, "hashed.jsonl", hash, "\"detail\":\"div h:"), 1);
    stk_number_hash(&number_key, "sip:bob@example.com", hash);
    assert_int_equal(trail_count(run, "hashed.jsonl", hash, "does not cover orig ..."), 1);
    (void)trail_records(run, "hashed.jsonl");
    test_key_free(&key);
}

static void without_their_key_no_keeper_starts(void **state)
{
    struct run *run = *state;
    struct run_options options = {.audit = "numbers = hashed\n"};
    struct stk_control_message said = run_start_and_hear(run, &options);

    assert_int_equal(said.kind, STK_CONTROL_FAILED);
    assert_non_null(strstr(said.text, "number key"));
    assert_int_equal(run_wait(run), 1);
    options.number_key = "too short";
    said = run_start_and_hear(run, &options);
    assert_int_equal(said.kind, STK_CONTROL_FAILED);
    assert_non_null(strstr(said.text, "number key: 9 bytes"));
    assert_null(strstr(said.text, "too short"));
    assert_int_equal(run_wait(run), 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, run_clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(starts_and_stops_are_sealed),
        TEST(with_every_mode_of_syncing_all_is_sealed),
        TEST(so_many_records_are_sealed_at_once),
        TEST(what_has_waited_so_long_is_sealed_and_what_is_idle_is_not),
        TEST(what_a_killed_keeper_left_is_sealed_by_the_next),
        TEST(the_audit_key_is_made_once_and_signs_for_nobody),
        TEST(without_a_token_the_trail_goes_on_unsealed),
        TEST(nobody_records_what_only_the_trail_says),
        TEST(files_are_rotated_by_size_and_packed),
        TEST(files_are_left_as_they_are_when_that_is_wanted),
        TEST(files_are_rotated_by_age),
        TEST(the_death_of_another_room_is_recorded),
        TEST(numbers_stand_as_keyed_hashes),
        TEST(without_their_key_no_keeper_starts),
    };

    run_require_softhsm();
    return cmocka_run_group_tests(tests, run_set_up, run_tear_down);
}
