/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"

#include "wire/frame.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* cmocka's asserts jump, which a second thread must not do. */
#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "fake service: %s:%d: %s\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

void fake_listen(struct fake *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fake->path);
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fake->listener >= 0);
    must(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    must(listen(fake->listener, 16) == 0);
}

void fake_unlisten(struct fake *fake)
{
    if (fake->listener >= 0)
        (void)close(fake->listener);
    fake->listener = -1;
    (void)unlink(fake->path);
}

static void *play(void *given)
{
    struct fake *fake = given;

    fake->play(fake);
    return NULL;
}

void fake_start(struct fake *fake, void (*what)(struct fake *fake))
{
    *fake = (struct fake){.directory = "/tmp/stirkeep-fake-XXXXXX", .listener = -1, .play = what};
    must(mkdtemp(fake->directory) != NULL);
    (void)snprintf(fake->path, sizeof(fake->path), "%s/sock", fake->directory);
    must(stk_arena_new(&fake->arena, STK_DECODE_ARENA_MAX) == STIRKEEP_OK);
    fake_listen(fake);
    if (what != NULL)
        must(pthread_create(&fake->thread, NULL, play, fake) == 0);
}

void fake_stop(struct fake *fake)
{
    fake->go = true;
    if (fake->play != NULL)
        must(pthread_join(fake->thread, NULL) == 0);
    fake_unlisten(fake);
    must(rmdir(fake->directory) == 0);
    stk_arena_free(&fake->arena);
    stk_buffer_free(&fake->in);
}

int fake_accept(struct fake *fake)
{
    int fd = -1;

    do
        fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    must(fd >= 0);
    fake->in.length = 0;
    return fd;
}

void fake_close(struct fake *fake, int fd)
{
    fake->in.length = 0;
    (void)close(fd);
}

bool fake_more(struct fake *fake, int fd)
{
    ssize_t got = 0;

    must(stk_buffer_reserve(&fake->in, 65536) == STIRKEEP_OK);
    do
        got = read(fd, fake->in.data + fake->in.length, 65536);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return false;
    fake->in.length += (size_t)got;
    return true;
}

bool fake_request(struct fake *fake, int fd, struct stk_request *ret_request)
{
    struct stk_request_sketch sketch = {0};
    struct stk_bytes message = {0};
    size_t taken = 0;

    while (fake->in.length == 0 ||
           stk_frame_next(fake->in.data, fake->in.length, STK_SIGN_MESSAGE_MAX, &message, &taken) !=
               STK_FRAME_WHOLE)
        if (!fake_more(fake, fd))
            return false;
    stk_arena_reset(&fake->arena);
    must(stk_request_decode(message, &fake->arena, ret_request, &sketch, NULL) == STIRKEEP_OK);
    stk_buffer_drop(&fake->in, taken);
    return true;
}

void fake_write(int fd, const void *data, size_t length)
{
    const char *at = data;

    while (length > 0) {
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return;
        at += sent;
        length -= (size_t)sent;
    }
}

/* What is signed for one: the texts live in `text`. */
static struct stk_response_signed signature_of(const struct stk_signing *signing, char text[128])
{
    const char *what =
        signing->is_input ? (const char *)signing->payload.data : signing->claims.dest_tn[0];
    int length = snprintf(text, 128, "%s/%s", signing->name.text, what);

    must(length > 0 && length < 128);
    return (struct stk_response_signed){.identity = {(const uint8_t *)text, (size_t)length},
                                        .passport_length = (uint32_t)strlen(signing->name.text),
                                        .generation = 7,
                                        .iat = 1471375418,
                                        .origid = "made",
                                        .attest = "B"};
}

void fake_sign(int fd, const struct stk_request *request)
{
    struct stk_buffer out = {0};
    char text[128] = "";
    struct stk_response_signed body = signature_of(&request->signings[0], text);

    must(stk_response_encode_signed(request->id, &body, &out) == STIRKEEP_OK);
    fake_write(fd, out.data, out.length);
    stk_buffer_free(&out);
}

void fake_batch(int fd, const struct stk_request *request, size_t count)
{
    struct stk_response_result results[STK_SIGNINGS_MAX + 1] = {0};
    char texts[STK_SIGNINGS_MAX + 1][128];
    struct stk_buffer out = {0};

    for (size_t i = 0; i < count; i++) {
        const struct stk_signing *signing =
            &request->signings[i < request->signing_count ? i : request->signing_count - 1];

        if (signing->status == STIRKEEP_OK && strncmp(signing->name.text, "no", 2) != 0)
            results[i].signed_ = signature_of(signing, texts[i]);
        else if (signing->status == STIRKEEP_OK)
            results[i] = (struct stk_response_result){
                .status = STIRKEEP_UNKNOWN_NAME,
                .message = signing->name.text[2] != '\0' ? signing->name.text : ""};
        else
            results[i] =
                (struct stk_response_result){.status = signing->status, .message = signing->reason};
    }
    must(stk_response_encode_batch(request->id, results, count, &out) == STIRKEEP_OK);
    fake_write(fd, out.data, out.length);
    stk_buffer_free(&out);
}

void fake_refuse(int fd, uint64_t id, enum stirkeep_status status, const char *message)
{
    struct stk_buffer out = {0};

    must(stk_response_encode_error(id, status, message, &out) == STIRKEEP_OK);
    fake_write(fd, out.data, out.length);
    stk_buffer_free(&out);
}

void fake_wait(atomic_bool *flag)
{
    while (!atomic_load(flag))
        (void)usleep(1000);
}
