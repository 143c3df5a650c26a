/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COPY "token.object.stirkeep"

static struct stk_token *token;

static int close_token(void **state)
{
    (void)state;
    stk_token_close(token);
    token = NULL;
    return 0;
}

static void assert_refused(const char *label, const char *pin, enum stirkeep_status status,
                           const char *reason)
{
    struct stk_error error = {0};

    assert_int_equal(fx_try_open(label, pin, &token, &error), status);
    assert_true((token != NULL) == (status == STIRKEEP_TOKEN_LOCKED));
    stk_token_close(token);
    token = NULL;
    assert_int_equal(error.status, status);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, reason);
    assert_null(strstr(error.message, pin)); /* never a secret */
}

static CK_FLAGS token_flags(void)
{
    CK_TOKEN_INFO info = {0};

    assert_int_equal(token->p11->C_GetTokenInfo(token->slot, &info), CKR_OK);
    return info.flags;
}

static struct stk_buffer content_of(const char *name)
{
    char path[256] = "";
    struct stk_buffer content = {0};
    struct stk_error error = {0};

    fx_token_file(name, path, sizeof(path));
    if (stk_file_read(path, 1 << 20, &content, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return content;
}

static void write_file(const char *name, const void *data, size_t length)
{
    char path[256] = "";
    FILE *file = NULL;

    fx_token_file(name, path, sizeof(path));
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static bool exists(const char *name)
{
    char path[256] = "";

    fx_token_file(name, path, sizeof(path));
    return access(path, F_OK) == 0;
}

static void test_it_says_what_the_token_is_and_can_do(void **state)
{
    const struct stk_token_info *info = NULL;

    (void)state;
    fx_require();
    token = fx_open();
    info = stk_token_info(token);
    assert_string_equal(info->label, FX_LABEL);
    assert_int_equal(strlen(info->serial), 16);
    assert_string_equal(info->model, "SoftHSM v2");
    assert_false(info->hardware);
    assert_true(info->copies);
    assert_false(stk_token_login_lost(token));
    assert_int_equal(stk_token_busy_since(token), 0);
    assert_true(token->softhsm.token[0] != '\0'); /* its files were found */
    assert_string_equal(token->durable.root, token->softhsm.token);
}

static void test_the_wrapping_key_stays_the_same(void **state)
{
    uint8_t before[1024] = {0};
    struct stk_bytes spki = {0};
    size_t length = 0;

    (void)state;
    fx_require();
    token = fx_open();
    spki = stk_token_wrapping_spki(token);
    length = spki.length;
    assert_in_range(length, 300, sizeof(before));
    memcpy(before, spki.data, length);
    stk_token_close(token);
    token = fx_open();
    spki = stk_token_wrapping_spki(token);
    assert_int_equal(spki.length, length);
    assert_memory_equal(spki.data, before, length);
}

static void test_a_module_that_is_none_is_named(void **state)
{
    struct stk_token_options options = {.label = FX_LABEL, .directory = ""};
    struct stk_secret pin = {0};
    struct stk_error error = {0};

    (void)state;
    options.module = "/nonexistent/libhsm.so";
    assert_int_equal(stk_secret_new(&pin, 16), STIRKEEP_OK);
    assert_int_equal(stk_token_open(&options, &pin, &token, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "/nonexistent/libhsm.so"));
    assert_null(pin.data); /* wiped and freed whatever happens */
    options.module = "libc.so.6";
    assert_int_equal(stk_token_open(&options, &pin, &token, &error), STIRKEEP_TOKEN_ERROR);
    assert_non_null(strstr(error.message, "not a PKCS#11 module"));
    assert_null(token);
}

static void test_a_configuration_that_softhsm_cannot_read_is_named(void **state)
{
    static const char missing[] = "/nonexistent/softhsm2.conf";
    struct stk_error error = {0};
    char before[PATH_MAX] = "";

    (void)state;
    fx_require();
    (void)snprintf(before, sizeof(before), "%s", getenv("SOFTHSM2_CONF"));
    assert_int_equal(setenv("SOFTHSM2_CONF", missing, 1), 0);
    assert_int_equal(fx_try_open(FX_LABEL, FX_PIN, &token, &error), STIRKEEP_TOKEN_ERROR);
    assert_int_equal(setenv("SOFTHSM2_CONF", before, 1), 0);
    assert_non_null(strstr(error.message, "C_Initialize: CKR_GENERAL_ERROR"));
    assert_non_null(strstr(error.message, missing));
}

static void test_a_label_that_is_not_there_is_named(void **state)
{
    (void)state;
    fx_require();
    assert_refused("somebody else's", FX_PIN, STIRKEEP_TOKEN_ERROR, "somebody else's");
    assert_refused("", FX_PIN, STIRKEEP_TOKEN_ERROR, "none of the");
    assert_refused("under", FX_PIN, STIRKEEP_TOKEN_ERROR, "\"under\"");
}

static void test_two_tokens_of_one_label_are_refused(void **state)
{
    (void)state;
    fx_require();
    fx_init_token(FX_LABEL);
    assert_refused(FX_LABEL, FX_PIN, STIRKEEP_TOKEN_ERROR, "two tokens");
    fx_renew();
    fx_init_token("another one");
    token = fx_open();
    assert_string_equal(stk_token_info(token)->label, FX_LABEL);
    stk_token_close(token);
    token = NULL;
    fx_renew();
}

static void test_hardware_is_required_and_this_is_none(void **state)
{
    const struct stk_token_options options = {
        .module = fx_module(), .label = FX_LABEL, .directory = "", .require_hardware = true};
    struct stk_secret pin = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    assert_int_equal(stk_secret_new(&pin, 16), STIRKEEP_OK);
    assert_int_equal(stk_token_open(&options, &pin, &token, &error), STIRKEEP_UNSUPPORTED);
    assert_null(token);
    assert_null(pin.data);
}

static void test_a_wrong_pin_is_refused_and_the_token_is_not_locked(void **state)
{
    (void)state;
    fx_require();
    assert_refused(FX_LABEL, "1234 wrong", STIRKEEP_TOKEN_LOCKED, "CKR_PIN_INCORRECT");
    token = fx_open();
    assert_int_equal(token_flags() & (CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY), 0);
}

static unsigned logins;

static CK_RV count_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin,
                         CK_ULONG length)
{
    logins++;
    return fx_real()->C_Login(session, user, pin, length);
}

static CK_FLAGS pretended;

static CK_RV pretend_flags(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = fx_real()->C_GetTokenInfo(slot, info);

    info->flags |= pretended;
    return rv;
}

/* A token as far as the login, with its calls counted. */
static void begin_token(void)
{
    token = calloc(1, sizeof(*token));
    assert_non_null(token);
    token->home = (struct stk_session){.token = token};
    token->custody = (struct stk_session){.token = token, .writable = true};
    (void)pthread_mutex_init(&token->objects, NULL);
    stk_softhsm_recognise(&token->softhsm, fx_module(), "");
    assert_int_equal(stk_module_load(token, fx_module(), NULL), STIRKEEP_OK);
    assert_int_equal(stk_module_find_token(token, FX_LABEL, NULL), STIRKEEP_OK);
    stk_softhsm_find(&token->softhsm, token->serial);
    fx_intercept(token)->C_Login = count_login;
    token->p11->C_GetTokenInfo = pretend_flags;
    logins = 0;
    pretended = 0;
}

static enum stirkeep_status log_in(const void *pin, size_t length, struct stk_error *error)
{
    struct stk_secret secret = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    assert_int_equal(stk_secret_new(&secret, 512), STIRKEEP_OK);
    memcpy(secret.data, pin, length);
    secret.length = length;
    status = stk_login(token, &secret, error);
    stk_secret_free(&secret);
    return status;
}

static void test_a_pin_is_tried_once_and_never_when_it_could_lock(void **state)
{
    static const char long_pin[STK_PIN_MAX + 1] = "1";
    struct stk_error error = {0};

    (void)state;
    fx_require();
    begin_token();
    assert_int_equal(log_in("wrong", 5, &error), STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(logins, 1);
    assert_int_equal(log_in("", 0, &error), STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(log_in(long_pin, sizeof(long_pin), &error), STIRKEEP_TOKEN_LOCKED);
    pretended = CKF_USER_PIN_FINAL_TRY;
    assert_int_equal(log_in(FX_PIN, strlen(FX_PIN), &error), STIRKEEP_TOKEN_LOCKED);
    pretended = CKF_USER_PIN_LOCKED;
    assert_int_equal(log_in(FX_PIN, strlen(FX_PIN), &error), STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(logins, 1);
    pretended = CKF_USER_PIN_COUNT_LOW;
    assert_int_equal(log_in(FX_PIN, strlen(FX_PIN), &error), STIRKEEP_OK);
    assert_int_equal(logins, 2);
}

static void test_a_login_leaves_no_copy_of_the_token_file(void **state)
{
    (void)state;
    fx_require();
    token = fx_open();
    assert_false(exists(COPY));
    stk_token_close(token);
    token = NULL;
    assert_refused(FX_LABEL, "wrong one", STIRKEEP_TOKEN_LOCKED, "C_Login");
    assert_false(exists(COPY));
}

static CK_RV login_on_full_disk(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin,
                                CK_ULONG length)
{
    CK_RV rv = CKR_OK;

    fx_disk_full(0);
    rv = fx_real()->C_Login(session, user, pin, length);
    fx_disk_free();
    return rv;
}

static void test_a_disk_that_fills_up_during_the_login_costs_no_token(void **state)
{
    struct stk_buffer before = {0};
    struct stk_buffer after = {0};
    struct stk_error error = {0};

    (void)state;
    fx_require();
    before = content_of("token.object");
    begin_token();
    token->p11->C_Login = login_on_full_disk;
    assert_int_equal(log_in(FX_PIN, strlen(FX_PIN), &error), STIRKEEP_STORAGE);
    assert_non_null(strstr(error.message, "put back"));
    after = content_of("token.object");
    assert_int_equal(after.length, before.length);
    assert_true(stk_softhsm_object_whole((struct stk_bytes){after.data, after.length}));
    assert_false(exists(COPY));
    stk_token_close(token);
    token = fx_open(); /* as the next keeper does */
    stk_buffer_free(&before);
    stk_buffer_free(&after);
}

static void test_a_full_disk_is_no_time_to_log_in(void **state)
{
    struct stk_buffer before = {0};
    struct stk_buffer after = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    (void)state;
    fx_require();
    before = content_of("token.object");
    begin_token();
    fx_disk_full(100);
    status = log_in(FX_PIN, strlen(FX_PIN), &error);
    fx_disk_free();
    assert_int_equal(status, STIRKEEP_STORAGE);
    assert_int_equal(logins, 0);
    after = content_of("token.object");
    assert_int_equal(after.length, before.length);
    assert_memory_equal(after.data, before.data, before.length);
    assert_false(exists(COPY));
    assert_int_equal(log_in(FX_PIN, strlen(FX_PIN), &error), STIRKEEP_OK);
    stk_buffer_free(&before);
    stk_buffer_free(&after);
}

static void test_a_login_cut_off_by_a_kill_is_repaired_at_the_next_start(void **state)
{
    static const size_t left[] = {0, 1, 8, 100};
    struct stk_buffer whole = {0};

    (void)state;
    fx_require();
    whole = content_of("token.object");
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        write_file(COPY, whole.data, whole.length);
        write_file(COPY "-new", whole.data, 10); /* an older start was cut off, too */
        write_file("token.object", whole.data, left[i]);
        token = fx_open();
        stk_token_close(token);
        token = NULL;
        assert_false(exists(COPY));
        assert_false(exists(COPY "-new"));
    }
    stk_buffer_free(&whole);
}

static void test_a_copy_left_beside_a_whole_file_is_not_put_back(void **state)
{
    struct stk_buffer whole = {0};
    struct stk_buffer now = {0};

    (void)state;
    fx_require();
    whole = content_of("token.object");
    write_file(COPY, "old rubbish", 11);
    token = fx_open();
    assert_false(exists(COPY));
    now = content_of("token.object");
    assert_int_equal(now.length, whole.length);
    stk_buffer_free(&whole);
    stk_buffer_free(&now);
}

/* As a keeper whose porter was killed, and which is still in the middle of a write. */
static void test_a_former_keeper_is_waited_for(void **state)
{
    struct stk_error error = {0};
    char path[256] = "";
    uint64_t since = 0;
    pid_t former = 0;
    int directory = -1;

    (void)state;
    fx_require();
    fx_token_file(".", path, sizeof(path));
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(directory >= 0);
    assert_int_equal(flock(directory, LOCK_EX | LOCK_NB), 0);
    former = fork();
    if (former == 0) {
        (void)usleep(400000);
        _exit(0);
    }
    (void)close(directory); /* the child's from now on */
    since = stk_clock_mono_us();
    assert_int_equal(fx_try_open(FX_LABEL, FX_PIN, &token, &error), STIRKEEP_OK);
    assert_true(stk_clock_mono_us() - since >= 300000);
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(directory, LOCK_EX | LOCK_NB), -1);
    stk_token_close(token);
    token = NULL;
    assert_int_equal(flock(directory, LOCK_EX | LOCK_NB), 0);
    (void)close(directory);
    assert_int_equal(waitpid(former, NULL, 0), former);
}

static void test_a_full_disk_gives_out_no_wrapping_key(void **state)
{
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    (void)state;
    fx_require();
    fx_renew();        /* without a wrapping key */
    fx_disk_full(800); /* enough for a login, not for an RSA key */
    status = fx_try_open(FX_LABEL, FX_PIN, &token, &error);
    fx_disk_free();
    assert_int_not_equal(status, STIRKEEP_OK);
    assert_null(token);
    token = fx_open(); /* with another one */
    assert_int_equal(token->wrapping_length, STK_WRAPPING_BITS / 8);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_token)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_says_what_the_token_is_and_can_do),
        TEST(test_the_wrapping_key_stays_the_same),
        TEST(test_a_module_that_is_none_is_named),
        TEST(test_a_configuration_that_softhsm_cannot_read_is_named),
        TEST(test_a_label_that_is_not_there_is_named),
        TEST(test_two_tokens_of_one_label_are_refused),
        TEST(test_hardware_is_required_and_this_is_none),
        TEST(test_a_wrong_pin_is_refused_and_the_token_is_not_locked),
        TEST(test_a_pin_is_tried_once_and_never_when_it_could_lock),
        TEST(test_a_login_leaves_no_copy_of_the_token_file),
        TEST(test_a_disk_that_fills_up_during_the_login_costs_no_token),
        TEST(test_a_full_disk_is_no_time_to_log_in),
        TEST(test_a_login_cut_off_by_a_kill_is_repaired_at_the_next_start),
        TEST(test_a_copy_left_beside_a_whole_file_is_not_put_back),
        TEST(test_a_former_keeper_is_waited_for),
        TEST(test_a_full_disk_gives_out_no_wrapping_key),
    };

    return cmocka_run_group_tests(tests, fx_group_begin, fx_group_end);
}
