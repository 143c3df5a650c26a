/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREAD_FLAGS (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define NEW_SPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |     \
     CLONE_NEWCGROUP)
#define INT_BITS 31      /* of those that are not negative */
#define PROGRAM_MAX 4096 /* instructions: the kernel's own limit */
#define SKIPPED 3        /* instructions before libseccomp's */

/* The kernel looks at the lower half of an int's register only, and libseccomp compares all of it: a
 * number with something above would be larger than any. What is larger has, for some bit that `value`
 * lacks, that bit and those above it as `value` has them. */
static int add_first_above(scmp_filter_ctx filter, int number, uint64_t value)
{
    int problem = 0;

    for (unsigned bit = 0; problem == 0 && bit < INT_BITS; bit++) {
        const uint64_t one = UINT64_C(1) << bit;

        if ((value & one) == 0)
            problem = seccomp_rule_add(
                filter, SCMP_ACT_ALLOW, number, 1,
                SCMP_A0(SCMP_CMP_MASKED_EQ, ~(one - 1), (value & ~(one - 1)) | one));
    }
    return problem;
}

static int add_fails_new_space(scmp_filter_ctx filter, int number, uint64_t reason)
{
    int problem = 0;

    for (uint64_t flag = 1; problem == 0 && flag <= NEW_SPACES; flag <<= 1)
        if ((flag & NEW_SPACES) != 0)
            problem = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)reason), number, 1,
                                       SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
    return problem;
}

/* Its argument number `argument`, from 0, has none of these bits. */
static int add_without(scmp_filter_ctx filter, int number, uint64_t argument, uint64_t bits)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
                            SCMP_CMP((unsigned)argument, SCMP_CMP_MASKED_EQ, bits, 0));
}

static int add(scmp_filter_ctx filter, int number, const struct stk_syscall *call)
{
    switch (call->when) {
    case STK_ALWAYS:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    case STK_NOT_EXECUTABLE:
        return add_without(filter, number, 2, PROT_EXEC);
    case STK_TO_ITSELF:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
                                SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)syscall(SYS_getpid)));
    case STK_FOR_A_THREAD:
        return seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, number, 1,
            SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAGS | NEW_SPACES, THREAD_FLAGS));
    case STK_SECOND_IS:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
                                SCMP_A1(SCMP_CMP_EQ, call->value));
    case STK_FIRST_IS:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
                                SCMP_A0(SCMP_CMP_EQ, call->value));
    case STK_FIRST_ABOVE:
        return add_first_above(filter, number, call->value);
    case STK_NO_SET_ID:
        return add_without(filter, number, call->value, S_ISUID | S_ISGID);
    case STK_MAKES_NO_FILE:
        return add_without(filter, number, call->value, O_CREAT | (O_TMPFILE & ~O_DIRECTORY));
    case STK_FAILS:
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)call->value), number, 0);
    case STK_FAILS_EXECUTABLE:
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)call->value), number, 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
    case STK_FAILS_NEW_SPACE:
        return add_fails_new_space(filter, number, call->value);
    case STK_KILLS:
        return seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, number, 0);
    }
    return -EINVAL;
}

static int add_all(scmp_filter_ctx filter, const struct stk_syscalls *list)
{
    int problem = 0;

    for (size_t i = 0; problem == 0 && i < list->count; i++) {
        int number = seccomp_syscall_resolve_name(list->calls[i].name);

        /* A negative number stands for a call of other architectures. */
        if (number >= 0)
            problem = add(filter, number, &list->calls[i]);
    }
    return problem;
}

/*
 * A tracer that makes a call not happen (strace's fault injection, a debugger's) gives it the
 * number -1, which no list can have; nor can it do anything. So it is let through before.
 */
static void let_skipped_calls_through(struct sock_filter *code)
{
    const struct sock_filter first[SKIPPED] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, UINT32_MAX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

    memcpy(code, first, sizeof(first));
}

static int compile(const struct stk_syscalls *lists, size_t count, bool otherwise_allowed, int fd)
{
    scmp_filter_ctx filter =
        seccomp_init(otherwise_allowed ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS);
    int problem = filter == NULL ? -ENOMEM : 0;

    if (problem == 0)
        problem = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (problem == 0)
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree; libseccomp 2.5 */
    for (size_t i = 0; problem == 0 && i < count; i++)
        problem = add_all(filter, &lists[i]);
    if (problem == 0)
        problem = seccomp_export_bpf(filter, fd);
    if (filter != NULL)
        seccomp_release(filter);
    return problem;
}

/* In whole instructions; 0: not to be had. */
static size_t read_program(int fd, struct sock_filter *code)
{
    ssize_t length = read(fd, code, (PROGRAM_MAX - SKIPPED) * sizeof(*code));

    if (length <= 0 || (size_t)length % sizeof(*code) != 0)
        return 0;
    return (size_t)length / sizeof(*code);
}

/* libseccomp itself says only that a value is invalid. */
static bool is_there(struct stk_error *error)
{
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;

    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
        return true;
    (void)stk_error_set(error, STIRKEEP_UNAVAILABLE,
                        "seccomp: the kernel, or the container, takes no filter: %s",
                        strerror(errno));
    return false;
}

enum stirkeep_status stk_filter_make(const struct stk_syscalls *lists, size_t count,
                                     bool otherwise_allowed, struct stk_filter *ret_filter,
                                     struct stk_error *error)
{
    struct sock_filter *code = NULL;
    int ends[2] = {-1, -1};
    size_t length = 0;
    int problem = 0;

    if (!is_there(error))
        return STIRKEEP_UNAVAILABLE;
    code = calloc(PROGRAM_MAX, sizeof(*code));
    if (code == NULL || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        problem = -ENOMEM;
    /* A pipe has room for it, and no limit of file sizes is in its way. */
    if (problem == 0)
        problem = compile(lists, count, otherwise_allowed, ends[1]);
    if (problem == 0) {
        let_skipped_calls_through(code);
        length = read_program(ends[0], code + SKIPPED);
        problem = length == 0 ? -E2BIG : 0;
    }
    for (size_t i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
    if (problem != 0) {
        free(code);
        return stk_error_set(error, STIRKEEP_INTERNAL, "seccomp: the filter cannot be made: %s",
                             strerror(-problem));
    }
    *ret_filter = (struct stk_filter){code, SKIPPED + length};
    return STIRKEEP_OK;
}

void stk_filter_free(struct stk_filter *filter)
{
    free(filter->code);
    *filter = (struct stk_filter){0};
}

enum stirkeep_status stk_filter_enter(const struct stk_filter *filter, struct stk_error *error)
{
    const struct sock_fprog program = {.len = (unsigned short)filter->length,
                                       .filter = filter->code};
    long result =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);

    if (result == 0)
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_UNAVAILABLE,
                         "seccomp: the kernel, or the container, takes no filter: %s",
                         result > 0 ? "a thread has another one" : strerror(errno));
}
