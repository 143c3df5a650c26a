/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/footprint.h"

#include "fixture.h"
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* As libstdc++'s users call them. */
void *_Znwm(size_t size);
void _ZdlPv(void *taken);
void _ZdlPvm(void *taken, size_t size);

static bool covers(const struct stk_footprint *footprint, const void *at, size_t size)
{
    for (uint64_t line = (uintptr_t)at / 64; line <= ((uintptr_t)at + size - 1) / 64; line++) {
        bool found = false;

        for (uint32_t i = 0; i < footprint->count; i++) {
            const struct stk_footprint_piece *piece = &footprint->pieces[i];

            found |= line >= piece->from && line - piece->from < STK_FOOTPRINT_SPAN &&
                     (piece->lines >> (line - piece->from) & 1) != 0;
        }
        if (!found)
            return false;
    }
    return true;
}

static uint32_t lines_of(const struct stk_footprint *footprint)
{
    uint32_t lines = 0;

    for (uint32_t i = 0; i < footprint->count; i++)
        lines += (uint32_t)__builtin_popcount(footprint->pieces[i].lines);
    return lines;
}

static void what_is_taken_is_noted_and_what_is_given_back_is_not(void **state)
{
    struct stk_footprint footprint = {0};
    void *kept[8] = {NULL};
    void *passing[8] = {NULL};
    char other[8][64] = {{0}};
    (void)state;

    stk_footprint_note(other, sizeof(other)); /* when nobody notes */
    stk_footprint_begin();
    for (size_t i = 0; i < 8; i++) {
        kept[i] = _Znwm(1000);
        passing[i] = _Znwm(1000);
        stk_footprint_note(other[i], 4);
    }
    for (size_t i = 0; i < 8; i++)
        i % 2 == 0 ? _ZdlPv(passing[i]) : _ZdlPvm(passing[i], 1000);
    stk_footprint_end(&footprint);
    for (size_t i = 0; i < 8; i++) {
        assert_true(covers(&footprint, kept[i], STK_FOOTPRINT_HEAD));
        assert_true(covers(&footprint, other[i], 4));
    }
    assert_in_range(lines_of(&footprint), 8 + 8, 8 * 2 + 8);
    stk_footprint_fetch(&footprint);
    for (size_t i = 0; i < 8; i++)
        _ZdlPv(kept[i]);
    stk_footprint_fetch(&footprint); /* of memory that is nobody's any more */
}

static void neighbours_are_one_piece_and_there_are_not_too_many(void **state)
{
    struct stk_footprint footprint = {0};
    void *taken[4 * STK_FOOTPRINT_PIECES] = {NULL};
    void *between[4 * STK_FOOTPRINT_PIECES] = {NULL};
    (void)state;

    stk_footprint_begin();
    for (size_t i = 0; i < 4 * STK_FOOTPRINT_PIECES; i++) {
        taken[i] = _Znwm(4096);
        between[i] = malloc(4096);
    }
    stk_footprint_end(&footprint);
    assert_int_equal(footprint.count, STK_FOOTPRINT_PIECES);
    for (size_t i = 0; i < 4 * STK_FOOTPRINT_PIECES; i++) {
        _ZdlPv(taken[i]);
        free(between[i]);
    }
    stk_footprint_begin();
    taken[0] = aligned_alloc(64, (STK_FOOTPRINT_SPAN + 1) * 64);
    assert_non_null(taken[0]);
    for (size_t i = 0; i <= STK_FOOTPRINT_SPAN; i++)
        stk_footprint_note((char *)taken[0] + i * 64, 64);
    stk_footprint_end(&footprint);
    assert_int_equal(footprint.count, 2);
    assert_int_equal(lines_of(&footprint), STK_FOOTPRINT_SPAN + 1);
    free(taken[0]);
    _ZdlPv(NULL);
}

static void *take(void *unused)
{
    (void)unused;
    return _Znwm(100);
}

static void other_threads_and_other_times_are_not_noted(void **state)
{
    struct stk_footprint footprint = {.count = 7};
    pthread_t thread = 0;
    void *taken = NULL;
    (void)state;

    stk_footprint_begin();
    assert_int_equal(pthread_create(&thread, NULL, take, NULL), 0);
    assert_int_equal(pthread_join(thread, &taken), 0);
    stk_footprint_end(&footprint);
    assert_int_equal(footprint.count, 0);
    _ZdlPv(taken);
    taken = _Znwm(0);
    assert_non_null(taken);
    footprint.count = 7;
    stk_footprint_end(&footprint); /* which nobody has begun */
    assert_int_equal(footprint.count, 0);
    _ZdlPv(taken);
}

/* What C++ does when nobody catches std::bad_alloc. */
static void without_memory_it_is_as_libstdcxx_has_it(void **state)
{
    const struct rlimit none = {0};
    void *library = NULL;
    char said[512] = "";
    int ends[2] = {-1, -1};
    int status = 0;
    pid_t child = 0;
    (void)state;

    fx_require();
    library = dlopen(fx_module(), RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        stk_footprint_prepare(library);
        (void)_Znwm(SIZE_MAX / 2);
        _exit(0);
    }
    (void)close(ends[1]);
    for (size_t length = 0; length < sizeof(said) - 1;) {
        ssize_t got = read(ends[0], said + length, sizeof(said) - 1 - length);

        if (got <= 0)
            break;
        length += (size_t)got;
    }
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, "bad_alloc"));
    (void)dlclose(library);
}

/* valgrind has operators of its own, in the place of a program's too; sanitizers end a program that asks
 * for too much. */
static bool is_watched(void)
{
    struct stk_footprint footprint = {0};
    void *taken = NULL;

    stk_footprint_begin();
    taken = _Znwm(100);
    stk_footprint_end(&footprint);
    _ZdlPv(taken);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return footprint.count == 0;
#endif
}

static void a_copy_that_signers_share_has_one(void **state)
{
    struct stk_token *token = NULL;
    struct stk_signer *signer = NULL;
    struct stk_index_copy *copy = NULL;
    struct fx_key key = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {1};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    (void)state;

    fx_require();
    token = fx_open();
    fx_key_new(&key);
    fx_import(token, &key);
    assert_int_equal(stk_signer_new(token, &signer, NULL), STIRKEEP_OK);
    assert_int_equal(stk_signer_sign(signer, &key.key_id, digest, signature, NULL), STIRKEEP_OK);
    copy = stk_index_copy_take(token->index, &key.key_id);
    assert_non_null(copy);
    assert_in_range(lines_of(&copy->footprint), 32, 160); /* some forty attributes */
    assert_int_equal(stk_index_copy_release(token->index, &key.key_id, copy, false), 0);
    stk_signer_free(signer);
    stk_token_close(token);
    fx_key_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_threads_and_other_times_are_not_noted),
        cmocka_unit_test(what_is_taken_is_noted_and_what_is_given_back_is_not),
        cmocka_unit_test(neighbours_are_one_piece_and_there_are_not_too_many),
        cmocka_unit_test(a_copy_that_signers_share_has_one),
        cmocka_unit_test(without_memory_it_is_as_libstdcxx_has_it),
    };
    const size_t count = is_watched() ? 1 : sizeof(tests) / sizeof(tests[0]);

    return _cmocka_run_group_tests("tests", tests, count, fx_group_begin, fx_group_end);
}
