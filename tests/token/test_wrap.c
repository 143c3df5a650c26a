/* SPDX-License-Identifier: BSD-2-Clause */
/* The wrapping module by itself, before a SoftHSM token. STIRKEEP_WRAP: its path. */
#include "fixture.h"
#include "valgrind.h"

#include "base/clock.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
#define FUNCTION(name, session, parameters, arguments) NUMBER_##name,
#include "functions.h"
#undef FUNCTION
    NUMBER_C_GetFunctionList,
    FUNCTION_COUNT
};

#define THREADS 64

static CK_FUNCTION_LIST *p11;
static CK_SLOT_ID slot;
static char script_path[128];
static char counts_path[128];

/* ---- the rig */

static void script(const char *text)
{
    int fd = open(script_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static uint64_t counted(int function)
{
    uint64_t counts[FUNCTION_COUNT + 1] = {0};
    int fd = open(counts_path, O_RDONLY | O_CLOEXEC);

    assert_int_equal(read(fd, counts, sizeof(counts)), sizeof(counts));
    (void)close(fd);
    return counts[function];
}

static int load(void)
{
    CK_C_GetFunctionList theirs = NULL;
    void *library = dlopen(getenv("STIRKEEP_WRAP"), RTLD_NOW | RTLD_LOCAL);

    if (library == NULL)
        return -1;
    *(void **)&theirs = dlsym(library, "C_GetFunctionList");
    return theirs != NULL && theirs(&p11) == CKR_OK ? 0 : -1;
}

static int begin(void **state)
{
    int fd = -1;
    int result = fx_group_begin(state);

    if (result != 0 || fx_module() == NULL)
        return result;
    (void)snprintf(script_path, sizeof(script_path), "%s/script", fx_directory());
    (void)snprintf(counts_path, sizeof(counts_path), "%s/counts", fx_directory());
    script("end\n");
    fd = open(counts_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, 4096) != 0)
        return -1;
    (void)close(fd);
    (void)setenv("STIRKEEP_WRAP_MODULE", fx_module(), 1);
    (void)setenv("STIRKEEP_WRAP_SCRIPT", script_path, 1);
    (void)setenv("STIRKEEP_WRAP_COUNTS", counts_path, 1);
    return load();
}

static int set_up(void **state)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    CK_SLOT_ID slots[8] = {0};
    CK_ULONG count = 8;

    (void)state;
    if (p11 == NULL)
        return 0;
    script("end\n");
    if (p11->C_Initialize(&arguments) != CKR_OK ||
        p11->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK || count == 0)
        return -1;
    slot = slots[0];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (p11 == NULL)
        return 0;
    script("end\n");
    return p11->C_Finalize(NULL) == CKR_OK ? 0 : -1;
}

struct key {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE public;
    CK_OBJECT_HANDLE private;
};

static CK_SESSION_HANDLE open_session(void)
{
    CK_SESSION_HANDLE session = 0;

    assert_int_equal(
        p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
        CKR_OK);
    return session;
}

static struct key new_key(void)
{
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE public[] = {
        {CKA_TOKEN, &no, 1}, {CKA_VERIFY, &yes, 1}, {CKA_EC_PARAMS, p256, sizeof(p256)}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &no, 1}, {CKA_SIGN, &yes, 1}};
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    struct key key = {.session = open_session()};

    fx_require();
    assert_int_equal(
        p11->C_Login(key.session, CKU_USER, (CK_BYTE *)(uintptr_t)FX_PIN, strlen(FX_PIN)), CKR_OK);
    assert_int_equal(p11->C_GenerateKeyPair(key.session, &mechanism, public, 3, private, 2,
                                            &key.public, &key.private),
                     CKR_OK);
    return key;
}

static CK_RV sign(const struct key *key, CK_BYTE signature[64], CK_ULONG *length)
{
    CK_BYTE digest[32] = "a digest";
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_RV rv = p11->C_SignInit(key->session, &mechanism, key->private);

    *length = 64;
    return rv == CKR_OK ? p11->C_Sign(key->session, digest, sizeof(digest), signature, length) : rv;
}

static CK_RV verify(const struct key *key, CK_BYTE signature[64], CK_ULONG length)
{
    CK_BYTE digest[32] = "a digest";
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_RV rv = p11->C_VerifyInit(key->session, &mechanism, key->public);

    return rv == CKR_OK ? p11->C_Verify(key->session, digest, sizeof(digest), signature, length)
                        : rv;
}

static void expect(const struct key *key, CK_RV expected)
{
    CK_BYTE signature[64] = {0};
    CK_ULONG length = 0;

    assert_int_equal(sign(key, signature, &length), expected);
    if (expected == CKR_OK)
        assert_int_equal(verify(key, signature, length), CKR_OK);
}

/* ---- tests */

static void without_a_line_in_the_script_all_is_as_the_other_module_does_it(void **state)
{
    struct key key = {0};
    uint64_t before = 0;
    (void)state;

    fx_require();
    key = new_key();
    before = counted(NUMBER_C_Sign);
    expect(&key, CKR_OK);
    assert_int_equal(counted(NUMBER_C_Sign), before + 1);
}

static void calls_are_counted_from_when_the_script_came(void **state)
{
    struct key key = {0};
    (void)state;

    fx_require();
    key = new_key();
    expect(&key, CKR_OK);
    script("C_Sign 2 lose 0x30\nC_Sign 4-5 lose 0x31\nC_Sign 7- lose 0x32\nend\n");
    for (int i = 1; i <= 9; i++)
        expect(&key, i == 2             ? CKR_DEVICE_ERROR
                     : i == 4 || i == 5 ? CKR_DEVICE_MEMORY
                     : i >= 7           ? CKR_DEVICE_REMOVED
                                        : CKR_OK);
}

/* Each script follows the one before at once, and is as long. */
static void a_script_is_followed_from_the_next_call_on(void **state)
{
    struct key key = {0};
    (void)state;

    fx_require();
    key = new_key();
    for (int i = 0; i < 50; i++) {
        script(i % 2 == 0 ? "C_Sign * lose 0x30\nend\n" : "C_Sign * lose 0x31\nend\n");
        expect(&key, i % 2 == 0 ? CKR_DEVICE_ERROR : CKR_DEVICE_MEMORY);
    }
}

static void a_script_without_its_end_is_not_there_yet(void **state)
{
    struct key key = {0};
    (void)state;

    fx_require();
    key = new_key();
    script("C_Sign * lose 0x30\nend\n");
    expect(&key, CKR_DEVICE_ERROR);
    script("C_Sign * lose 0x31\n");
    expect(&key, CKR_DEVICE_ERROR);
    script("");
    expect(&key, CKR_DEVICE_ERROR);
    script("# nothing\n\nC_Sing * return 0x30\nC_Sign 0 hang\nC_Sign 1 dance\nend\n");
    expect(&key, CKR_OK);
}

static void a_signature_can_be_wrong_short_or_empty(void **state)
{
    static const struct {
        const char *text;
        CK_ULONG length;
    } ways[] = {
        {"C_Sign 1 wrong\nend\n", 64}, {"C_Sign 1 short\nend\n", 63}, {"C_Sign 1 empty\nend\n", 0}};
    struct key key = {0};
    (void)state;

    fx_require();
    key = new_key();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        CK_BYTE signature[64] = {0};
        CK_ULONG length = 0;

        script(ways[i].text);
        assert_int_equal(sign(&key, signature, &length), CKR_OK);
        assert_int_equal(length, ways[i].length);
        assert_int_not_equal(verify(&key, signature, length), CKR_OK);
        expect(&key, CKR_OK);
    }
}

static void what_is_lost_was_done_and_what_returns_at_once_was_not(void **state)
{
    struct key key = {0};
    (void)state;

    fx_require();
    key = new_key();
    script("C_Sign 1 lose 0x30\nC_Sign 2 return 0x30\nend\n");
    expect(&key, CKR_DEVICE_ERROR);
    expect(&key, CKR_DEVICE_ERROR);
    expect(&key, CKR_OPERATION_ACTIVE); /* what was begun before the second */
}

static void login_and_sessions_can_be_forgotten(void **state)
{
    CK_SESSION_INFO info = {0};
    struct key key = {0};
    (void)state;

    fx_require();
    key = new_key();
    script("C_SignInit 1 logout\nC_GetSessionInfo 2 sessions\nend\n");
    expect(&key, CKR_OBJECT_HANDLE_INVALID); /* it was the user's alone */
    assert_int_equal(p11->C_GetSessionInfo(key.session, &info), CKR_OK);
    assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
    assert_int_equal(p11->C_GetSessionInfo(key.session, &info), CKR_SESSION_HANDLE_INVALID);
}

static void calls_of_writers_and_readers_are_told_apart(void **state)
{
    CK_SESSION_HANDLE reader = 0;
    CK_SESSION_INFO info = {0};
    struct key key = {0};
    (void)state;

    fx_require();
    key = new_key();
    assert_int_equal(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &reader), CKR_OK);
    script("C_GetSessionInfo ro:2 return 0x30\nC_GetSessionInfo rw:1 return 0x31\nend\n");
    assert_int_equal(p11->C_GetSessionInfo(reader, &info), CKR_OK);
    assert_int_equal(p11->C_GetSessionInfo(key.session, &info), CKR_DEVICE_MEMORY);
    assert_int_equal(p11->C_GetSessionInfo(reader, &info), CKR_DEVICE_ERROR);
    assert_int_equal(p11->C_GetSessionInfo(key.session, &info), CKR_OK);
    (void)p11->C_CloseSession(reader);
}

static void no_more_is_done_than_the_script_says_at_most(void **state)
{
    struct key key = {0};
    char text[96] = "";
    uint64_t done = 0;
    (void)state;

    fx_require();
    key = new_key();
    done = counted(FUNCTION_COUNT);
    (void)snprintf(text, sizeof(text), "at-most %u\nC_Sign * lose 0x30\nend\n", (unsigned)done + 2);
    script(text);
    expect(&key, CKR_DEVICE_ERROR);
    expect(&key, CKR_DEVICE_ERROR);
    expect(&key, CKR_OK);
    assert_int_equal(counted(FUNCTION_COUNT), done + 2);
}

/* In a process of its own. */
static int ends_by(const char *text, unsigned limit_ms)
{
    pid_t child = -1;
    int status = 0;

    script(text);
    child = fork();
    if (child == 0) {
        CK_INFO info;

        _exit(p11->C_GetInfo(&info) == CKR_OK ? 0 : 1);
    }
    for (unsigned waited = 0; waitpid(child, &status, WNOHANG) == 0; waited += 10) {
        const struct timespec pause = {.tv_nsec = 10000000};

        (void)nanosleep(&pause, NULL);
        if (waited > limit_ms)
            (void)kill(child, SIGALRM);
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_call_can_crash_the_process_or_never_return(void **state)
{
    (void)state;

    fx_require();
    assert_int_equal(ends_by("C_GetInfo 1 crash\nend\n", 5000), SIGSEGV);
    assert_int_equal(ends_by("C_GetInfo 1 hang\nend\n", 300), SIGALRM);
    assert_int_equal(ends_by("C_GetInfo 2 hang\nend\n", 5000), 0);
}

static void *ask(void *argument)
{
    CK_INFO info;

    (void)argument;
    for (int i = 0; i < 10; i++)
        if (p11->C_GetInfo(&info) != CKR_OK)
            abort();
    return NULL;
}

static void as_many_as_there_are_threads_are_delayed_at_once(void **state)
{
    pthread_t threads[THREADS];
    uint64_t began_us = 0;
    (void)state;

    fx_require();
    script("* * delay 20.5\nend\n");
    began_us = stk_clock_mono_us();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    /* One by one: 13 s. */
    assert_in_range(stk_clock_mono_us() - began_us, 205000,
                    is_under_valgrind("threads take turns") ? 6000000 : 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(without_a_line_in_the_script_all_is_as_the_other_module_does_it),
        TEST(calls_are_counted_from_when_the_script_came),
        TEST(a_script_is_followed_from_the_next_call_on),
        TEST(a_script_without_its_end_is_not_there_yet),
        TEST(a_signature_can_be_wrong_short_or_empty),
        TEST(what_is_lost_was_done_and_what_returns_at_once_was_not),
        TEST(login_and_sessions_can_be_forgotten),
        TEST(calls_of_writers_and_readers_are_told_apart),
        TEST(no_more_is_done_than_the_script_says_at_most),
        TEST(a_call_can_crash_the_process_or_never_return),
        TEST(as_many_as_there_are_threads_are_delayed_at_once),
#undef TEST
    };

    return cmocka_run_group_tests(tests, begin, fx_group_end);
}
