/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests a second of an HTTP server on this host, over connections that stay open, one request
 * under way on each:
 *
 *   http_load PORT PATH BODY CONNECTIONS SECONDS
 *
 * One thread to a processor, each with its share of the connections, so that the client costs little.
 * Prints "RATE P50-US P99-US". An answer that is not 200 ends it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define THREADS_MAX 64
#define ANSWER_MAX 16384
#define EVENTS 64
#define SLOWEST_US 1000000 /* longer ones count as this */

static struct {
    char request[4096];
    size_t length;
    uint16_t port;
    uint64_t until_us;
} load;

struct connection {
    int fd;
    uint64_t asked_us;
    size_t length;
    char answer[ANSWER_MAX];
};

struct worker {
    pthread_t thread;
    size_t connections;
    uint64_t answers;
    uint32_t *times; /* by microsecond */
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "http_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_us(void)
{
    struct timespec time = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void ask(struct connection *connection)
{
    connection->asked_us = now_us();
    connection->length = 0;
    if (send(connection->fd, load.request, load.length, MSG_NOSIGNAL) != (ssize_t)load.length)
        fail("send");
}

static int open_one(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(load.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    return fd;
}

/* Is the whole answer there? */
static bool is_whole(const struct connection *connection)
{
    const char *end = strstr(connection->answer, "\r\n\r\n");
    const char *length = strcasestr(connection->answer, "\r\nContent-Length:");

    if (end == NULL)
        return false;
    if (strncmp(connection->answer, "HTTP/1.1 200", 12) != 0 || length == NULL || length > end) {
        (void)fprintf(stderr, "http_load: %.200s\n", connection->answer);
        exit(1);
    }
    return connection->length >=
           (size_t)(end + 4 - connection->answer) + strtoul(length + 17, NULL, 10);
}

static void take(struct worker *worker, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->answer + connection->length,
                       ANSWER_MAX - 1 - connection->length, MSG_DONTWAIT);
    uint64_t took = 0;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        fail("recv");
    connection->length += (size_t)got;
    connection->answer[connection->length] = '\0';
    if (!is_whole(connection))
        return;
    took = now_us() - connection->asked_us;
    worker->times[took < SLOWEST_US ? took : SLOWEST_US - 1]++;
    worker->answers++;
    ask(connection);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct connection *connections = calloc(worker->connections, sizeof(*connections));
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    worker->times = calloc(SLOWEST_US, sizeof(*worker->times));
    if (connections == NULL || epoll < 0 || worker->times == NULL)
        fail("set-up");
    for (size_t i = 0; i < worker->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};

        connections[i].fd = open_one();
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event) != 0)
            fail("epoll_ctl");
        ask(&connections[i]);
    }
    while (now_us() < load.until_us) {
        int count = epoll_wait(epoll, events, EVENTS, 100);

        for (int i = 0; i < count; i++)
            take(worker, events[i].data.ptr);
    }
    for (size_t i = 0; i < worker->connections; i++)
        (void)close(connections[i].fd);
    (void)close(epoll);
    free(connections);
    return NULL;
}

static unsigned at(const struct worker *workers, size_t count, uint64_t total, uint64_t thousandths)
{
    uint64_t seen = 0;

    for (unsigned us = 0; us < SLOWEST_US; us++) {
        for (size_t i = 0; i < count; i++)
            seen += workers[i].times[us];
        if (seen * 1000 >= total * thousandths)
            return us;
    }
    return SLOWEST_US;
}

int main(int count, char **arguments)
{
    static struct worker workers[THREADS_MAX];
    size_t connections = count == 6 ? strtoul(arguments[4], NULL, 10) : 0;
    double seconds = count == 6 ? atof(arguments[5]) : 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = cores > 0 && cores < THREADS_MAX ? (size_t)cores : 1;
    uint64_t total = 0;
    uint64_t begin = 0;

    if (connections < 1 || connections > CONNECTIONS_MAX || seconds <= 0) {
        (void)fprintf(stderr, "usage: http_load PORT PATH BODY CONNECTIONS SECONDS\n");
        return 2;
    }
    load.port = (uint16_t)atoi(arguments[1]);
    load.length = (size_t)snprintf(load.request, sizeof(load.request),
                                   "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n"
                                   "\r\n%s",
                                   arguments[2], strlen(arguments[3]), arguments[3]);
    if (threads > connections)
        threads = connections;
    begin = now_us();
    load.until_us = begin + (uint64_t)(seconds * 1e6);
    for (size_t i = 0; i < threads; i++) {
        workers[i].connections = connections / threads + (i < connections % threads ? 1 : 0);
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            fail("pthread_create");
    }
    for (size_t i = 0; i < threads; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        total += workers[i].answers;
    }
    (void)printf("%.0f %u %u\n", (double)total * 1e6 / (double)(now_us() - begin),
                 at(workers, threads, total, 500), at(workers, threads, total, 990));
    return 0;
}
