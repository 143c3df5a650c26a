/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

#include <sys/wait.h>

#define THREADS 32
#define ROUNDS 20       /* of each thread, each with a client of its own */
#define SIGNED 10       /* one after the other in a round */
#define PIPELINED 20    /* at once in a round */
#define CONNECTIONS 700 /* at most: threads' rounds, the shared client, the children's */
#define SHARERS 8
#define TURNS 100
#define TIMEOUT_MS 20000 /* thirty-two at once before one machine's processors */

/* cmocka's asserts jump, which other threads must not do. */
#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- a service that serves each connection by a thread */

struct served {
    struct fake one; /* its input and arena alone */
    int fd;
    pthread_t thread;
};

static void *serve_one(void *given)
{
    struct served *served = given;
    struct stk_request request = {0};

    must(stk_arena_new(&served->one.arena, STK_DECODE_ARENA_MAX) == STIRKEEP_OK);
    while (fake_request(&served->one, served->fd, &request))
        fake_sign(served->fd, &request);
    fake_close(&served->one, served->fd);
    stk_arena_free(&served->one.arena);
    stk_buffer_free(&served->one.in);
    return NULL;
}

/* Until somebody connects who says nothing and hangs up after `go`. */
static void play_many(struct fake *fake)
{
    struct served *all = calloc(CONNECTIONS, sizeof(*all));
    int count = 0;

    must(all != NULL);
    for (;;) {
        int fd = fake_accept(fake);

        if (fake->go) {
            (void)close(fd);
            break;
        }
        must(count < CONNECTIONS);
        all[count].fd = fd;
        must(pthread_create(&all[count].thread, NULL, serve_one, &all[count]) == 0);
        count++;
    }
    for (int i = 0; i < count; i++)
        must(pthread_join(all[i].thread, NULL) == 0);
    free(all);
}

static void end_play(struct fake *fake)
{
    struct stirkeep_client *last = client_of(fake, 1000);

    fake->go = true;
    (void)stirkeep_ping(last);
    stirkeep_client_free(last);
    fake_stop(fake);
}

/* ---- clients */

static bool signs(struct stirkeep_client *client, const char *name)
{
    struct stirkeep_signature signature = {0};
    char expected[64] = "";

    (void)snprintf(expected, sizeof(expected), "%s/%s", name, one_dest[0]);
    return stirkeep_sign(client, name, &good_claims, &signature) == STIRKEEP_OK &&
           strcmp(signature.identity, expected) == 0;
}

static void pipeline(struct stirkeep_client *client, uint64_t first)
{
    struct stirkeep_answer answer = {0};
    uint64_t seen = 0;

    for (uint64_t i = 0; i < PIPELINED; i++)
        must(submit_numbered(client, first + i, TIMEOUT_MS) == STIRKEEP_OK);
    while (stirkeep_under_way(client) > 0) {
        must(stirkeep_fetch(client, TIMEOUT_MS, &answer) == STIRKEEP_OK);
        must(answers_its_request(&answer) && answer.tag >= first);
        seen |= UINT64_C(1) << (answer.tag - first);
    }
    must(seen == (UINT64_C(1) << PIPELINED) - 1);
}

struct worker {
    const struct fake *fake;
    int number;
    pthread_t thread;
};

static void *work(void *given)
{
    const struct worker *worker = given;
    char name[32] = "";

    for (int round = 0; round < ROUNDS; round++) {
        struct stirkeep_client *client = NULL;

        must(stirkeep_client_new(worker->fake->path, TIMEOUT_MS, &client) == STIRKEEP_OK);
        for (int i = 0; i < SIGNED; i++) {
            (void)snprintf(name, sizeof(name), "w%d-%d-%d", worker->number, round, i);
            must(signs(client, name));
        }
        pipeline(client, (uint64_t)worker->number * 100000 + (uint64_t)round * 100);
        must(stirkeep_sign(client, "x", NULL, &(struct stirkeep_signature){0}) == STIRKEEP_INVALID);
        must(stirkeep_client_error(client)[0] != '\0');
        stirkeep_client_free(client);
    }
    return NULL;
}

static void run_workers(struct fake *fake, struct worker workers[THREADS])
{
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.fake = fake, .number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static void join_workers(struct worker workers[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
}

static void many_threads_each_with_its_own_client_get_their_own_answers(void **state)
{
    struct worker workers[THREADS];
    struct fake fake;

    (void)state;
    fake_start(&fake, play_many);
    run_workers(&fake, workers);
    join_workers(workers);
    end_play(&fake);
}

/* ---- one client that goes from hand to hand */

struct shared {
    pthread_mutex_t lock;
    struct stirkeep_client *client;
};

static void *take_turns(void *given)
{
    struct shared *shared = given;
    char name[32] = "";

    for (int i = 0; i < TURNS; i++) {
        must(pthread_mutex_lock(&shared->lock) == 0);
        (void)snprintf(name, sizeof(name), "turn-%d", i);
        must(signs(shared->client, name));
        must(pthread_mutex_unlock(&shared->lock) == 0);
    }
    return NULL;
}

static void threads_may_share_one_client_by_a_lock_of_their_own(void **state)
{
    struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[SHARERS];
    struct fake fake;

    (void)state;
    fake_start(&fake, play_many);
    shared.client = client_of(&fake, TIMEOUT_MS);
    for (int i = 0; i < SHARERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, &shared), 0);
    for (int i = 0; i < SHARERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    stirkeep_client_free(shared.client);
    end_play(&fake);
}

/* ---- forking meanwhile */

static void a_process_may_fork_while_its_threads_sign(void **state)
{
    struct worker workers[THREADS];
    struct stirkeep_client *client = NULL;
    struct fake fake;
    int how = -1;

    (void)state;
    fake_start(&fake, play_many);
    client = client_of(&fake, TIMEOUT_MS);
    assert_true(signs(client, "parent"));
    run_workers(&fake, workers);
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();

        assert_true(child >= 0);
        /* Descriptors of others' connections are the child's, too: it ends soon. */
        if (child == 0)
            _exit(signs(client, "child") && stirkeep_fd(client, NULL) >= 0 ? 0 : 1);
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFEXITED(how));
        assert_int_equal(WEXITSTATUS(how), 0);
        assert_true(signs(client, "parent"));
    }
    join_workers(workers);
    stirkeep_client_free(client);
    end_play(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_each_with_its_own_client_get_their_own_answers),
        cmocka_unit_test(threads_may_share_one_client_by_a_lock_of_their_own),
        cmocka_unit_test(a_process_may_fork_while_its_threads_sign),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
