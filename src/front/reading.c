/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/reading.h"

#include "room/room.h"
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void stk_reading_bind(struct stk_config *config, const struct stk_image *rules)
{
    stk_policy_attest_rules(config->policy, rules->rules, config->attestation.lower,
                            config->attestation.file);
}

/* What a policy makes for its searches it makes with the first one. */
static enum stirkeep_status warm_up(const struct stk_policy *policy, struct stk_error *error)
{
    const struct stk_who nobody = {.uid = (uid_t)-1};
    struct stk_grants *grants = stk_policy_grants_for(policy, &nobody);

    if (grants == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "front: out of memory");
    free(grants);
    return STIRKEEP_OK;
}

static void read_all(struct stk_reading *reading)
{
    struct stk_error *error = &reading->error;
    enum stirkeep_status status = stk_room_read_config(reading->fds[0], &reading->config, error);

    if (status == STIRKEEP_OK)
        status = stk_image_open(reading->fds[1], &reading->rules, error);
    if (status == STIRKEEP_OK) {
        stk_reading_bind(reading->config, &reading->rules);
        status = warm_up(reading->config->policy, error);
    }
    error->status = status;
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue; /* EINTR */
}

static void *run(void *context)
{
    struct stk_reading *reading = context;
    const uint64_t one = 1;

    free(malloc(1)); /* what the thread's first allocation asks the system for, it asks for now */
    (void)sem_post(&reading->end);
    for (;;) {
        wait_for(&reading->begin);
        if (reading->over)
            return NULL;
        read_all(reading);
        (void)!write(reading->done, &one, sizeof(one)); /* its counter is at 0: it cannot fail */
        (void)sem_post(&reading->end);
    }
}

enum stirkeep_status stk_reading_init(struct stk_reading *reading)
{
    *reading = (struct stk_reading){.fds = {-1, -1}};
    reading->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (reading->done < 0)
        return STIRKEEP_IO;
    (void)sem_init(&reading->begin, 0, 0);
    (void)sem_init(&reading->end, 0, 0);
    reading->has_thread = pthread_create(&reading->thread, NULL, run, reading) == 0;
    if (reading->has_thread) {
        wait_for(&reading->end);
        return STIRKEEP_OK;
    }
    stk_reading_free(reading);
    return STIRKEEP_UNAVAILABLE;
}

void stk_reading_start(struct stk_reading *reading, uint64_t number, int config, int rules)
{
    reading->number = number;
    reading->fds[0] = config;
    reading->fds[1] = rules;
    reading->error = (struct stk_error){0};
    reading->is_running = true;
    (void)sem_post(&reading->begin);
}

void stk_reading_join(struct stk_reading *reading)
{
    uint64_t count = 0;

    wait_for(&reading->end);
    reading->is_running = false;
    (void)!read(reading->done, &count, sizeof(count));
}

void stk_reading_drop(struct stk_reading *reading)
{
    for (size_t i = 0; i < 2; i++) {
        if (reading->fds[i] >= 0)
            (void)close(reading->fds[i]);
        reading->fds[i] = -1;
    }
    if (reading->config != NULL)
        stk_config_free(reading->config);
    reading->config = NULL;
    stk_image_close(&reading->rules);
}

void stk_reading_free(struct stk_reading *reading)
{
    if (reading->is_running)
        stk_reading_join(reading);
    stk_reading_drop(reading);
    if (reading->has_thread) {
        reading->over = true;
        (void)sem_post(&reading->begin);
        (void)pthread_join(reading->thread, NULL);
    }
    reading->has_thread = false;
    if (reading->done >= 0)
        (void)close(reading->done);
    reading->done = -1;
}
