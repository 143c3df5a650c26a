/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/process.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int *known; /* in a page of its own; NULL: not to be had */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Not by getpid: a program may have taken its place. */
static pid_t ask(void)
{
    return (pid_t)syscall(SYS_getpid);
}

static void make(void)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return;
    if (madvise(page, size, MADV_WIPEONFORK) != 0) {
        (void)munmap(page, size);
        return;
    }
    known = page;
}

pid_t stk_process_id(void)
{
    pid_t process = 0;

    (void)pthread_once(&once, make);
    if (known == NULL)
        return ask();
    process = atomic_load_explicit(known, memory_order_relaxed);
    if (process == 0) {
        process = ask();
        atomic_store_explicit(known, process, memory_order_relaxed);
    }
    return process;
}

size_t stk_process_processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

#define NICE_FIRST -5

/* As sched_setattr(2) has it; its first version. */
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns;
    uint64_t deadline_ns;
    uint64_t period_ns;
};

static bool get(struct attributes *ret_attributes)
{
    *ret_attributes = (struct attributes){.size = sizeof(*ret_attributes)};
    if (syscall(SYS_sched_getattr, 0L, ret_attributes, sizeof(*ret_attributes), 0L) != 0)
        return false;
    ret_attributes->size = sizeof(*ret_attributes);
    return true;
}

static void set(struct attributes *attributes)
{
    (void)syscall(SYS_sched_setattr, 0L, attributes, 0L);
}

void stk_process_slice(uint64_t us)
{
    struct attributes attributes;

    if (!get(&attributes))
        return;
    attributes.runtime_ns = us * 1000;
    set(&attributes);
}

void stk_process_go_first(bool first)
{
    struct attributes attributes;

    if (!get(&attributes) || (first ? attributes.nice <= NICE_FIRST : attributes.nice >= 0))
        return;
    attributes.nice = first ? NICE_FIRST : 0;
    set(&attributes);
}
