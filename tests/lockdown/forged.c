/* SPDX-License-Identifier: BSD-2-Clause */
#include "attacks.h"

#include "base/clock.h"
#include "base/log.h"
#include "front/front.h"
#include "front/names.h"
#include "room/room.h"
#include "wire/codec_order.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 300
#define STRANGER 4242 /* the uid by which the trail tells which orders were forged */

/* What the keeper says within the time, all of it, and how many signatures are in it. */
static unsigned hear(const char *what)
{
    static uint8_t message[STK_LINK_MESSAGE_MAX];
    struct stk_arena arena = {0};
    unsigned signatures = 0;
    size_t length = 0;

    if (stk_arena_new(&arena, STK_DECODE_ARENA_MAX) != STIRKEEP_OK)
        abort();
    while (stk_link_receive(STK_FD_FRONT_KEEPER, WAIT_MS, message, &length, NULL) == STIRKEEP_OK) {
        struct stk_answer *answers = NULL;
        size_t count = 0;

        stk_arena_reset(&arena);
        if (stk_answers_decode((struct stk_bytes){message, length}, &arena, &answers, &count,
                               NULL) != STIRKEEP_OK)
            continue;
        for (size_t i = 0; i < count; i++) {
            signatures += answers[i].status == STIRKEEP_OK ? 1 : 0;
            stk_log(STK_LOG_INFO, "takeover: %s: %s", what,
                    stirkeep_status_name(answers[i].status));
        }
    }
    stk_arena_free(&arena);
    return signatures;
}

static void send_to(int fd, const void *data, size_t length)
{
    (void)stk_link_send(fd, data, length, 1000, NULL);
}

static void judge(const char *what, unsigned signatures, unsigned wanted)
{
    if (signatures != wanted)
        stk_log(STK_LOG_ERROR, "takeover: FOUND %s: %u signatures", what, signatures);
}

void attack_noise(const struct prey *prey)
{
    static uint8_t noise[8192];
    uint32_t state = 1;

    (void)prey;
    for (unsigned i = 0; i < 500; i++) {
        size_t length = 1 + i * 16;

        for (size_t j = 0; j < length; j++) {
            state = state * 1664525 + 1013904223;
            noise[j] = (uint8_t)(state >> 24);
        }
        send_to(STK_FD_FRONT_KEEPER, noise, length);
    }
    judge("noise", hear("noise"), 0);
}

static struct stk_order order_for(const struct stk_held *held)
{
    static const char *dest[] = {"12155550131"};
    struct stk_order order = {.id = 1,
                              .key_id = held->key_id,
                              .generation = held->generation,
                              .x5u = held->x5u,
                              .claims = {.ppt = STK_PPT_SHAKEN,
                                         .ppt_text = "shaken",
                                         .orig_tn = "12155550121",
                                         .dest_tn = dest,
                                         .dest_tn_count = 1,
                                         .attest = 'A'},
                              .deadline_us = stk_clock_mono_us() + 5000000,
                              .peer = {.uid = STRANGER, .gid = STRANGER, .pid = 1},
                              .grant = "forged"};

    (void)strcpy(order.name.text, held->name);
    return order;
}

static void send_order(const struct stk_order *order)
{
    struct stk_buffer out = {0};

    if (stk_order_append(order, &out) == STIRKEEP_OK)
        send_to(STK_FD_FRONT_KEEPER, out.data, out.length);
    stk_buffer_free(&out);
}

/* What a client could ask for is signed and recorded; what would make it something else is not. */
void attack_orders(const struct prey *prey)
{
    static const char *const headers[] = {"https://a.example/\",\"alg\":\"none", "x", "",
                                          "https://a.example/a b"};
    static const char *const numbers[] = {"1215\",\"x\":\"", "", "not a number",
                                          "12155550121012155550121"};
    const struct stk_held *held = stk_names_at(prey->front->names, 0);
    struct stk_order order = {0};

    if (held == NULL)
        abort();
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        order = order_for(held);
        order.x5u = headers[i];
        send_order(&order);
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        order = order_for(held);
        order.claims.orig_tn = numbers[i];
        send_order(&order);
    }
    order = order_for(held);
    order.key_id.bytes[0] ^= 1; /* the token's other keys, one of which may be the wrapping key */
    send_order(&order);
    judge("orders that are none", hear("bad order"), 0);
    order = order_for(held);
    send_order(&order);
    judge("a typed order", hear("typed order"), 1);
}

/* Custody is intake's: a digest to be "proven", a key to be destroyed. */
void attack_custody(const struct prey *prey)
{
    static const enum stk_custody_kind kinds[] = {STK_CUSTODY_PROVE, STK_CUSTODY_DESTROY,
                                                  STK_CUSTODY_REQUEST, STK_CUSTODY_INVENTORY,
                                                  STK_CUSTODY_TOKEN};
    const struct stk_held *held = stk_names_at(prey->front->names, 0);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct stk_custody_order order = {.id = 7, .kind = kinds[i], .key_id = held->key_id};
        struct stk_buffer out = {0};

        (void)strcpy(order.name.text, held->name);
        memset(order.challenge, 0x41, sizeof(order.challenge));
        order.spc = "709J";
        order.subject = "";
        if (stk_custody_order_encode(&order, &out) == STIRKEEP_OK) {
            send_to(STK_FD_FRONT_KEEPER, out.data, out.length);
            send_to(STK_FD_FRONT_INTAKE, out.data, out.length);
        }
        stk_buffer_free(&out);
    }
    judge("custody orders", hear("custody order"), 0);
}

/* Whoever has the link to the keeper could go on giving orders when this process is no more; and who
 * closes a descriptor last waits as long as that takes. */
void attack_give_link(const struct prey *prey)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec data = {(char[]){"x"}, 1};
    const struct msghdr message = {.msg_iov = &data,
                                   .msg_iovlen = 1,
                                   .msg_control = control.space,
                                   .msg_controllen = sizeof(control.space)};
    const int fd = STK_FD_FRONT_KEEPER;

    (void)prey;
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    if (sendmsg(STK_FD_CONTROL, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        stk_log(STK_LOG_ERROR, "takeover: FOUND the link to the keeper given away");
}

/* What other rooms say: stirkeepd ends a front for it, and does nothing of it. */
void attack_control(const struct prey *prey)
{
    (void)prey;
    (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_PIN_REFUSED, STK_ROOM_KEEPER, "forged");
    (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_PIN_REFUSED, STK_ROOM_FRONT, "forged");
    (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_SEALED, STK_ROOM_FRONT, "forged");
    (void)sleep(5);
}
