/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "keeper/compress.h"
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_S 60

void stk_compressor_init(struct stk_compressor *compressor, const char *path)
{
    pthread_condattr_t attributes;

    *compressor = (struct stk_compressor){.path = path, .wanted = true};
    (void)pthread_mutex_init(&compressor->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&compressor->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void stk_compressor_want(struct stk_compressor *compressor)
{
    (void)pthread_mutex_lock(&compressor->lock);
    compressor->wanted = true;
    (void)pthread_cond_signal(&compressor->changed);
    (void)pthread_mutex_unlock(&compressor->lock);
}

static void wait_until_wanted(struct stk_compressor *compressor, bool failed)
{
    struct timespec until = {0};
    int result = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += AGAIN_S;
    (void)pthread_mutex_lock(&compressor->lock);
    while (!compressor->wanted && result == 0)
        result = failed ? pthread_cond_timedwait(&compressor->changed, &compressor->lock, &until)
                        : pthread_cond_wait(&compressor->changed, &compressor->lock);
    compressor->wanted = false;
    (void)pthread_mutex_unlock(&compressor->lock);
}

/* Signing comes first, for the processor and for the disk. */
static void be_modest(void)
{
    const struct sched_param none = {0};

    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

void *stk_compressor_run(void *argument)
{
    struct stk_compressor *compressor = argument;
    bool failed = false;

    be_modest();
    for (;;) {
        struct stk_error error = {0};
        enum stirkeep_status status = STIRKEEP_OK;
        size_t count = 0;

        wait_until_wanted(compressor, failed);
        status = stk_compress_rotated(compressor->path, &count, &error);
        if (status != STIRKEEP_OK && !failed)
            stk_log(STK_LOG_WARNING, "audit trail: %s: tried again every minute", error.message);
        else if (status == STIRKEEP_OK && failed)
            stk_log(STK_LOG_INFO, "audit trail: what was rotated is compressed again");
        failed = status != STIRKEEP_OK;
    }
    return NULL;
}
