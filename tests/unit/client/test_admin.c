/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

#include "client/admin.h"
#include "wire/frame.h"

/* One request of an administrator's; false at the end. */
static bool admin_request(struct fake *fake, int fd, struct stk_admin_request *ret_request)
{
    struct stk_bytes message = {0};
    size_t taken = 0;

    while (fake->in.length == 0 ||
           stk_frame_next(fake->in.data, fake->in.length, STK_ADMIN_MESSAGE_MAX, &message,
                          &taken) != STK_FRAME_WHOLE)
        if (!fake_more(fake, fd))
            return false;
    stk_arena_reset(&fake->arena);
    if (stk_admin_request_decode(message, &fake->arena, ret_request, NULL) != STIRKEEP_OK)
        abort();
    stk_buffer_drop(&fake->in, taken);
    return true;
}

static void admin_answer(int fd, const struct stk_admin_response *response)
{
    struct stk_buffer out = {0};

    if (stk_admin_response_encode(response, &out) != STIRKEEP_OK)
        abort();
    fake_write(fd, out.data, out.length);
    stk_buffer_free(&out);
}

static struct stk_admin *connect_to(const struct fake *fake, unsigned timeout_ms)
{
    struct stk_admin *admin = NULL;

    assert_int_equal(stk_admin_connect(fake->path, timeout_ms, &admin, NULL), STIRKEEP_OK);
    return admin;
}

/* BUSY for retiring, an answer to somebody else's request first, status for the rest. */
static void play_service(struct fake *fake)
{
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    while (admin_request(fake, fd, &request)) {
        struct stk_admin_response answer = {.id = request.id + 1000, .kind = STK_ADMIN_STATUS};

        admin_answer(fd, &answer);
        answer.id = request.id;
        answer.service.ready = true;
        answer.service.version = "1.2.3";
        answer.service.signatures = 42;
        if (request.kind == STK_ADMIN_RETIRE)
            answer = (struct stk_admin_response){
                .id = request.id, .status = STIRKEEP_BUSY, .message = "Alpha: being imported"};
        admin_answer(fd, &answer);
    }
    fake_close(fake, fd);
}

static void a_call_gets_its_own_answer_and_errors_keep_the_conversation(void **state)
{
    struct stk_admin_request status = {.kind = STK_ADMIN_STATUS};
    struct stk_admin_request retire = {.kind = STK_ADMIN_RETIRE, .name = {"Alpha"}};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    struct stk_error error = {0};
    struct fake fake;
    (void)state;

    fake_start(&fake, play_service);
    admin = connect_to(&fake, 2000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stk_admin_call(admin, &status, &response, &error), STIRKEEP_OK);
        assert_string_equal(response.service.version, "1.2.3");
        assert_int_equal(response.service.signatures, 42);
        assert_int_equal(stk_admin_call(admin, &retire, &response, &error), STIRKEEP_BUSY);
        assert_string_equal(error.message, "Alpha: being imported");
    }
    stk_admin_close(admin);
    fake_stop(&fake);
}

/* Refused before a byte was read, as an unknown administrator is. */
static void play_not_permitted(struct fake *fake)
{
    int fd = fake_accept(fake);
    const struct stk_admin_response answer = {.status = STIRKEEP_NOT_PERMITTED,
                                              .message = "uid 1000 is not an administrator"};

    admin_answer(fd, &answer);
    fake_close(fake, fd);
}

static void a_refused_administrator_reads_why_although_sending_fails(void **state)
{
    struct stk_admin_request status = {.kind = STK_ADMIN_STATUS};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    struct stk_error error = {0};
    struct fake fake;
    (void)state;

    fake_start(&fake, play_not_permitted);
    admin = connect_to(&fake, 2000);
    (void)usleep(50000);
    assert_int_equal(stk_admin_call(admin, &status, &response, &error), STIRKEEP_NOT_PERMITTED);
    assert_string_equal(error.message, "uid 1000 is not an administrator");
    assert_int_equal(stk_admin_call(admin, &status, &response, &error), STIRKEEP_NOT_CONNECTED);
    assert_int_equal(stk_admin_call(admin, &status, &response, &error), STIRKEEP_NOT_CONNECTED);
    stk_admin_close(admin);
    fake_stop(&fake);
}

static void play_wrong(struct fake *fake)
{
    struct stk_admin_request request = {0};
    struct stk_admin_response answer = {.kind = STK_ADMIN_RETIRE};
    int fd = fake_accept(fake);

    (void)admin_request(fake, fd, &request);
    answer.id = request.id;
    admin_answer(fd, &answer);
    fake_close(fake, fd);
    fd = fake_accept(fake);
    (void)admin_request(fake, fd, &request);
    fake_write(fd, "\377\377\377\377", 4);
    fake_close(fake, fd);
    fd = fake_accept(fake);
    fake_wait(&fake->go);
    fake_close(fake, fd);
}

static void wrong_answers_silence_and_absence_are_told_apart(void **state)
{
    struct stk_admin_request status = {.kind = STK_ADMIN_STATUS};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    struct stk_error error = {0};
    uint64_t start = 0;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_wrong);
    for (int i = 0; i < 2; i++) {
        admin = connect_to(&fake, 2000);
        assert_int_equal(stk_admin_call(admin, &status, &response, &error), STIRKEEP_MALFORMED);
        assert_non_null(strstr(error.message, fake.path));
        stk_admin_close(admin);
    }
    admin = connect_to(&fake, 100);
    start = now_ms();
    assert_int_equal(stk_admin_call(admin, &status, &response, &error), STIRKEEP_TIMEOUT);
    assert_true(now_ms() - start >= 95);
    stk_admin_close(admin);
    fake_stop(&fake);
    admin = NULL;
    assert_int_equal(stk_admin_connect(fake.path, 100, &admin, &error), STIRKEEP_NOT_CONNECTED);
    assert_non_null(strstr(error.message, fake.path));
    assert_null(admin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_gets_its_own_answer_and_errors_keep_the_conversation),
        cmocka_unit_test(a_refused_administrator_reads_why_although_sending_fails),
        cmocka_unit_test(wrong_answers_silence_and_absence_are_told_apart),
    };
    return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
