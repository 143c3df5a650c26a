/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "room/room.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A message on the control channel between a room and the porter. The first byte says how many
 * descriptors come with it, 0 to 5: all of them are closed in the end, whatever is in the message.
 */
#define FDS_MAX 5

static int ends[2] = {-1, -1};

static void send_one(struct stk_bytes bytes, unsigned fd_count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } beside = {0};
    struct iovec part = {.iov_base = (void *)bytes.data, .iov_len = bytes.length};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    int fds[FDS_MAX];

    for (unsigned i = 0; i < FDS_MAX; i++)
        fds[i] = ends[0];
    if (fd_count > 0) {
        header.msg_control = &beside;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        beside.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                         .cmsg_type = SCM_RIGHTS,
                                         .cmsg_len = CMSG_LEN(sizeof(int) * fd_count)};
        memcpy(CMSG_DATA(&beside.header), fds, sizeof(int) * fd_count);
    }
    FUZZ_CHECK(sendmsg(ends[0], &header, MSG_DONTWAIT) == (ssize_t)bytes.length);
}

/* The lowest descriptor that is free: another one when one was left open. */
static int lowest_free(void)
{
    int fd = dup(ends[0]);

    FUZZ_CHECK(fd >= 0);
    (void)close(fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes rest = {data, size};
    unsigned fd_count = fuzz_byte(&rest) % (FDS_MAX + 1);
    struct stk_control_message message = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    int before = -1;

    if (ends[0] < 0)
        FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    if (rest.length == 0 || rest.length > 16384)
        return 0;
    before = lowest_free();
    send_one(rest, fd_count);
    status = stk_control_receive(ends[1], &message);
    FUZZ_CHECK(status == STIRKEEP_OK || status == STIRKEEP_MALFORMED);
    if (status == STIRKEEP_OK) {
        FUZZ_CHECK(message.kind > 0 && message.kind < STK_CONTROL_KIND_END);
        FUZZ_CHECK(message.room < STK_ROOM_COUNT && message.status < STIRKEEP_STATUS_COUNT);
        FUZZ_CHECK(memchr(message.text, '\0', sizeof(message.text)) != NULL);
        FUZZ_CHECK(message.fd_count == fd_count);
        stk_control_drop(&message);
    }
    FUZZ_CHECK(stk_control_receive(ends[1], &message) == STIRKEEP_UNAVAILABLE);
    FUZZ_CHECK(lowest_free() == before);
    return 0;
}
