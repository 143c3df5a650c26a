/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/input.h"

#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PASSPHRASE_MAX 1023
#define CONTROL_C 0x03
#define CONTROL_D 0x04
#define CONTROL_U 0x15
#define BACKSPACE 0x08
#define DELETE 0x7f

/* False: interrupted, or the terminal went away. */
static bool type_in(int terminal, struct stk_secret *typed)
{
    for (;;) {
        uint8_t key = 0;
        ssize_t got = read(terminal, &key, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || key == CONTROL_C || key == CONTROL_D)
            return false;
        if (key == '\n' || key == '\r')
            return true;
        if (key == BACKSPACE || key == DELETE)
            typed->length -= typed->length > 0 ? 1 : 0;
        else if (key == CONTROL_U)
            typed->length = 0;
        else if (typed->length < typed->capacity)
            typed->data[typed->length++] = key;
        else
            return false; /* too long to be meant */
    }
}

static bool ask_without_echo(int terminal, const char *question, struct stk_secret *typed)
{
    struct termios before = {0};
    struct termios silent = {0};
    bool done = false;

    if (tcgetattr(terminal, &before) != 0)
        return false;
    silent = before;
    /* Without ISIG the keys that interrupt are read as they are, and the echo comes back. */
    silent.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    if (tcsetattr(terminal, TCSAFLUSH, &silent) != 0)
        return false;
    done = stk_file_write_all(terminal, question, strlen(question)) && type_in(terminal, typed);
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    (void)stk_file_write_all(terminal, "\n", 1);
    return done;
}

enum stirkeep_status stk_passphrase_ask(const char *thing, struct stk_secret *ret_passphrase,
                                        struct stk_error *error)
{
    struct stk_secret typed = {0};
    char question[512] = "";
    sigset_t all = {0};
    sigset_t before = {0};
    bool done = false;
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (terminal < 0)
        return stk_error_set(error, STIRKEEP_IO,
                             "%s: needs a passphrase, and there is no terminal to ask on: use "
                             "--passphrase-file",
                             thing);
    if (stk_secret_new(&typed, PASSPHRASE_MAX) != STIRKEEP_OK) {
        (void)close(terminal);
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    }
    (void)snprintf(question, sizeof(question), "Passphrase for %.400s: ", thing);
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, &before);
    done = ask_without_echo(terminal, question, &typed);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    (void)close(terminal);
    if (done && typed.length > 0) {
        *ret_passphrase = typed;
        return STIRKEEP_OK;
    }
    stk_secret_free(&typed);
    return stk_error_set(error, STIRKEEP_IO, "%s: no passphrase was given", thing);
}
