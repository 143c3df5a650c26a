/* SPDX-License-Identifier: BSD-2-Clause */
#include "locked.h"

#include "../valgrind.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Files are Landlock's, and another test's. */
static const struct locked front = {.room = STK_ROOM_FRONT};
static const struct locked intake = {.room = STK_ROOM_INTAKE};
static const struct locked strict = {.room = STK_ROOM_KEEPER, .keeper = STK_KEEPER_STRICT};
static const struct locked module = {.room = STK_ROOM_KEEPER, .keeper = STK_KEEPER_MODULE};

/* ---- what is tried */

static long run_program(void)
{
    char *const arguments[] = {(char[]){"true"}, NULL};

    return execve("/bin/true", arguments, arguments + 1);
}

static long new_process(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* A "thread" that shares nothing but memory is a process of another number. */
static long half_a_thread(void)
{
    return syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

static long thread_in_a_new_space(void)
{
    return syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWUSER, 0, 0, 0, 0);
}

static long clone3(void)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};

    return syscall(SYS_clone3, &arguments, sizeof(arguments));
}

static void *do_nothing(void *context)
{
    return context;
}

static long new_thread(void)
{
    pthread_t thread;
    int problem = pthread_create(&thread, NULL, do_nothing, NULL);

    if (problem == 0)
        return pthread_join(thread, NULL);
    errno = problem;
    return -1;
}

static long inet_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static long unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long socket_pair(void)
{
    int ends[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static long connect_it(void)
{
    struct sockaddr address = {.sa_family = AF_UNIX};

    return connect(-1, &address, sizeof(address));
}

static long executable_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}

static long memory_made_executable(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long memory(void)
{
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    page[0] = 1;
    return mprotect(page, 4096, PROT_READ) == 0 ? munmap(page, 8192) : -1;
}

static long file_in_memory(void)
{
    return memfd_create("x", 0);
}

static long open_file(void)
{
    return open("/dev/null", O_RDWR);
}

static long look_at_file(void)
{
    struct stat about;

    return fstatat(AT_FDCWD, "/etc/passwd", &about, 0);
}

static long signal_parent(void)
{
    return kill(getppid(), 0);
}

static long signal_parents_thread(void)
{
    return syscall(SYS_tgkill, syscall(SYS_getpid) + 1, 1, 0);
}

static long signal_itself(void)
{
    return syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), 0);
}

static long raise_its_limits(void)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

    return syscall(SYS_prlimit64, 1, RLIMIT_CORE, &unlimited, NULL);
}

static long become_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long cut_what_it_was_born_with(void)
{
    return shutdown(6, SHUT_RDWR);
}

/* The kernel looks at the lower half only. */
static long cut_with_a_number_above_all(void)
{
    return syscall(SYS_shutdown, 0x100000005UL, SHUT_RDWR);
}

static long cut_a_client(void)
{
    return shutdown(9, SHUT_WR);
}

static long make_program_of_its_user(void)
{
    return openat(AT_FDCWD, "/tmp/none/there", O_WRONLY | O_CREAT, 04755);
}

/* As who makes no file may: whatever the register of the mode has. */
static long open_with_any_mode(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/tmp/none/there", O_RDONLY | O_DIRECTORY, 0xffffffffUL);
}

static long make_nameless_program(void)
{
    return openat(AT_FDCWD, "/tmp", O_WRONLY | O_TMPFILE, 04755);
}

static long lend_its_user(void)
{
    return fchmodat(AT_FDCWD, "/tmp/none/there", 04755, 0);
}

static long lend_its_group(void)
{
    return fchmod(-1, 02755);
}

static long change_mode(void)
{
    return fchmod(-1, 0755);
}

static long make_file(void)
{
    return openat(AT_FDCWD, "/tmp/none/there", O_WRONLY | O_CREAT, 0755);
}

static long give_descriptor(void)
{
    return sendmsg(-1, &(struct msghdr){0}, 0);
}

static long have_descriptor_wait(void)
{
    return fcntl(-1, F_SETFL, 0);
}

static long nap(void)
{
    const struct timespec moment = {.tv_nsec = 1000};
    struct timespec now = {0};

    return nanosleep(&moment, NULL) == 0 ? clock_gettime(CLOCK_REALTIME, &now) : -1;
}

static long call_that_a_tracer_skipped(void)
{
    return syscall(-1);
}

#if defined(__x86_64__)
/* getpid of 32-bit programs: other numbers, by which a filter could be got round. */
static long call_of_32_bits(void)
{
    long result = 20;

    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    return result;
}

static long call_of_x32(void)
{
    return syscall(0x40000000L + SYS_getpid);
}
#endif

#define K LOCKED_KILLED
#define DENIED EACCES
static const struct {
    const char *name;
    long (*attempt)(void);
    int in_front, in_intake, in_strict, in_module;
} attempts[] = {
    {"a program", run_program, K, K, K, K},
    {"a process", new_process, K, K, K, K},
    {"a process that shares memory", half_a_thread, K, K, K, K},
    {"a thread in a space of its own", thread_in_a_new_space, K, K, K, K},
    {"clone3", clone3, K, ENOSYS, ENOSYS, ENOSYS},
    {"a thread", new_thread, K, 0, 0, 0},
    {"an Internet socket", inet_socket, K, K, DENIED, 0},
    {"a Unix socket", unix_socket, K, K, DENIED, 0},
    {"a pair of sockets", socket_pair, K, K, DENIED, 0},
    {"a connection", connect_it, K, K, DENIED, EBADF},
    {"executable memory", executable_memory, K, K, DENIED, 0},
    {"memory made executable", memory_made_executable, K, K, DENIED, 0},
    {"a file in memory", file_in_memory, K, K, K, 0},
    {"a file", open_file, K, 0, 0, 0},
    {"a look at a file", look_at_file, K, 0, 0, 0},
    {"a signal to its parent", signal_parent, K, K, K, K},
    {"a signal to another's thread", signal_parents_thread, K, K, K, K},
    {"another's limits", raise_its_limits, K, K, K, K},
    {"to be dumpable", become_dumpable, K, K, K, K},
    {"to shut a link down", cut_what_it_was_born_with, K, K, K, K},
    {"to shut a link down by a large number", cut_with_a_number_above_all, K, K, K, K},
    {"to shut a client down", cut_a_client, EBADF, EBADF, K, K},
    {"a program that lends its user", make_program_of_its_user, K, K, K, K},
    {"a program without a name", make_nameless_program, K, K, K, K},
    {"to open a file with any mode", open_with_any_mode, K, ENOENT, ENOENT, ENOENT},
    {"to have a program lend its user", lend_its_user, K, K, K, K},
    {"to have a program lend its group", lend_its_group, K, K, K, K},
    {"to change a file's mode", change_mode, K, EBADF, EBADF, EBADF},
    {"to make a file", make_file, K, ENOENT, ENOENT, ENOENT},
    {"to give a descriptor away", give_descriptor, K, K, K, EBADF},
    {"to have a shared descriptor wait", have_descriptor_wait, K, K, EBADF, EBADF},
#if defined(__x86_64__)
    {"a call of 32 bits", call_of_32_bits, K, K, K, K},
    {"a call of x32", call_of_x32, K, K, K, K},
#endif
    {"memory", memory, 0, 0, 0, 0},
    {"a signal to itself", signal_itself, 0, 0, 0, 0},
    {"the time", nap, 0, 0, 0, 0},
    {"a call that a tracer skipped", call_that_a_tracer_skipped, ENOSYS, ENOSYS, ENOSYS, ENOSYS},
};

static bool is_relaxed(void)
{
    if (STK_LOCKDOWN_RELAXED)
        print_message("a build for sanitizers: nothing is locked down\n");
    return STK_LOCKDOWN_RELAXED;
}

static void expect(const char *room, const struct locked *as, const char *what,
                   long (*attempt)(void), int wanted)
{
    int got = locked_try(as, attempt);

#if defined(__x86_64__)
    /* A kernel without 32-bit programs has no such call. */
    if (attempt == call_of_32_bits && got == -SIGSEGV)
        return;
#endif
    if (got != wanted)
        fail_msg("%s: %s: %d instead of %d", room, what, got, wanted);
}

static void each_room_can_do_its_work_and_nothing_else(void **state)
{
    (void)state;
    if (is_relaxed())
        return;
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        const char *name = attempts[i].name;

        expect("front", &front, name, attempts[i].attempt, attempts[i].in_front);
        expect("intake", &intake, name, attempts[i].attempt, attempts[i].in_intake);
        expect("keeper, strict", &strict, name, attempts[i].attempt, attempts[i].in_strict);
        expect("keeper, module", &module, name, attempts[i].attempt, attempts[i].in_module);
    }
}

/* Where they were allowed, with these arguments they would do no harm. */
#define CALL(name)                                                                                 \
    {                                                                                              \
#name, SYS_##name                                                                          \
    }
static const struct {
    const char *name;
    long number;
} never[] = {
    CALL(acct),
    CALL(add_key),
    CALL(adjtimex),
    CALL(bpf),
    CALL(capset),
    CALL(chroot),
    CALL(clock_settime),
    CALL(delete_module),
    CALL(execveat),
    CALL(fanotify_init),
    CALL(finit_module),
    CALL(init_module),
    CALL(io_uring_enter),
    CALL(io_uring_register),
    CALL(io_uring_setup),
    CALL(kcmp),
    CALL(kexec_load),
    CALL(keyctl),
    CALL(landlock_restrict_self),
    CALL(mount),
    CALL(move_pages),
    CALL(name_to_handle_at),
    CALL(open_by_handle_at),
    CALL(perf_event_open),
    CALL(personality),
    CALL(pidfd_getfd),
    CALL(pidfd_open),
    CALL(pidfd_send_signal),
    CALL(pivot_root),
    CALL(pkey_mprotect),
    CALL(process_madvise),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(ptrace),
    CALL(quotactl),
    CALL(reboot),
    CALL(remap_file_pages),
    CALL(request_key),
    CALL(rt_sigqueueinfo),
    CALL(rt_tgsigqueueinfo),
    CALL(setdomainname),
    CALL(setgid),
    CALL(setgroups),
    CALL(sethostname),
    CALL(setns),
    CALL(setresuid),
    CALL(setsid),
    CALL(settimeofday),
    CALL(setuid),
    CALL(splice),
    CALL(swapon),
    CALL(syslog),
    CALL(tkill),
    CALL(umount2),
    CALL(unshare),
    CALL(userfaultfd),
    CALL(vmsplice),
};

static long next_number;

static long call_number(void)
{
    return syscall(next_number, -1L, -1L, -1L, -1L, -1L, -1L);
}

static void no_room_touches_the_system_or_other_processes(void **state)
{
    (void)state;
    if (is_relaxed())
        return;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        next_number = never[i].number;
        expect("front", &front, never[i].name, call_number, K);
        expect("intake", &intake, never[i].name, call_number, K);
        expect("keeper, strict", &strict, never[i].name, call_number, K);
        expect("keeper, module", &module, never[i].name, call_number, K);
    }
}

static void a_build_for_sanitizers_starts_no_programs_either(void **state)
{
    static const struct locked *const rooms[] = {&front, &intake, &strict, &module};

    (void)state;
    if (!STK_LOCKDOWN_RELAXED || is_under_valgrind("it has no seccomp(2)"))
        return;
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        expect("a room", rooms[i], "a program", run_program, K);
        next_number = SYS_bpf;
        expect("a room", rooms[i], "bpf", call_number, K);
        expect("a room", rooms[i], "a file", open_file, 0);
        expect("a room", rooms[i], "a thread", new_thread, 0);
        expect("a room", rooms[i], "executable memory", executable_memory, 0);
    }
}

/* ---- threads that were there before */

static int wake;

static void *sleep_then_fork(void *context)
{
    uint64_t count = 0;

    (void)!read(wake, &count, sizeof(count));
    (void)new_process();
    return context;
}

static long forbidden_in_an_older_thread(void)
{
    const uint64_t one = 1;
    pthread_t thread;

    wake = eventfd(0, 0);
    if (pthread_create(&thread, NULL, sleep_then_fork, NULL) != 0)
        return -1;
    locked_enter(&front);
    (void)!write(wake, &one, sizeof(one));
    return pthread_join(thread, NULL);
}

static void threads_that_are_older_than_the_filter_have_it_too(void **state)
{
    (void)state;
    if (!is_relaxed())
        assert_int_equal(locked_child(forbidden_in_an_older_thread), K);
}

/* ---- the keeper's two filters */

static long load_before(void)
{
    struct stk_lockdown lock = {0};
    static struct stk_config config;

    config.lock_down.require = STK_REQUIRE_SECCOMP;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (stk_lockdown_files(&lock, STK_ROOM_KEEPER, &config, NULL, 0, NULL) != STIRKEEP_OK ||
        stk_lockdown_before_module(&lock, NULL) != STIRKEEP_OK || executable_memory() != 0)
        return 0;
    if (stk_lockdown_calls(&lock, NULL) != STIRKEEP_OK)
        return 0;
    return executable_memory();
}

static void the_keeper_loads_its_module_and_then_no_more(void **state)
{
    (void)state;
    if (!is_relaxed())
        assert_int_equal(locked_child(load_before), EACCES);
}

/* ---- stirkeepd */

static long as_porter(void)
{
    static struct stk_config config;

    char word[STK_LOCKDOWN_WORD] = "";

    config.lock_down.require = STK_REQUIRE_SECCOMP;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return stk_lockdown_porter(&config, word, NULL) == STIRKEEP_OK ? 0 : -1;
}

static long porter_traces(void)
{
    return as_porter() == 0 ? ptrace(PTRACE_TRACEME, 0, NULL, NULL) : 0;
}

static long porter_starts_a_program(void)
{
    return as_porter() == 0 ? run_program() : -1;
}

static long porter_mounts(void)
{
    if (as_porter() != 0)
        return 0;
    return syscall(SYS_mount, -1L, -1L, -1L, -1L, -1L);
}

static long porter_makes_a_user_space(void)
{
    if (as_porter() != 0)
        return 0;
    return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
}

static long porter_makes_a_thread(void)
{
    return as_porter() == 0 ? new_thread() : -1;
}

static void stirkeepd_starts_programs_and_traces_and_mounts_nothing(void **state)
{
    (void)state;
    if (is_relaxed())
        return;
    assert_int_equal(locked_child(porter_starts_a_program), 0);
    assert_int_equal(locked_child(porter_traces), EPERM);
    assert_int_equal(locked_child(porter_mounts), EPERM);
    assert_int_equal(locked_child(porter_makes_a_user_space), EPERM);
    assert_int_equal(locked_child(porter_makes_a_thread), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_room_can_do_its_work_and_nothing_else),
        cmocka_unit_test(no_room_touches_the_system_or_other_processes),
        cmocka_unit_test(a_build_for_sanitizers_starts_no_programs_either),
        cmocka_unit_test(threads_that_are_older_than_the_filter_have_it_too),
        cmocka_unit_test(the_keeper_loads_its_module_and_then_no_more),
        cmocka_unit_test(stirkeepd_starts_programs_and_traces_and_mounts_nothing),
    };

    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
