/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_error.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "intake/spool_dir.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 2048
#define ERROR_MODE 0644 /* for whoever uploaded; the directory says who else may see it */
#define STATE_LINE "\nstate: "

static const char *const heads[] = {
    [STK_SPOOL_REFUSED] = "This upload was refused. Nothing that was uploaded has been changed.",
    [STK_SPOOL_LASTING] = "This upload could not be imported yet. It goes on being tried: nothing "
                          "has to be done about it here.",
    [STK_SPOOL_IMPORTED] = "The key IS imported, but what was uploaded is STILL HERE.",
    [STK_SPOOL_MISNAMED] = "This directory is not called what a certificate can be called. Nothing "
                           "that was uploaded has been changed.",
};

static const char *const advice[] = {
    [STK_SPOOL_REFUSED] =
        "What to do: take the file `ready` away, put right what is wrong, and put an empty file\n"
        "`ready` there again. It is not tried again before something in this directory changes.",
    [STK_SPOOL_LASTING] = "What to do: if it stays like this, tell whoever runs the service.",
    [STK_SPOOL_IMPORTED] = "What to do: destroy the files with the key yourself, and remove this "
                           "directory; or put an\n"
                           "empty new file `ready` there, and it is tried again.",
    [STK_SPOOL_MISNAMED] = "What to do: rename the directory.",
};

bool stk_spool_error_write(int directory, const char *name, enum stk_spool_outcome outcome,
                           const struct stk_error *error, const uint8_t state[STK_DIGEST_LENGTH],
                           int64_t now)
{
    char text[TEXT_MAX] = "";
    char when[STK_SECONDS_TEXT] = "";
    char hex[2 * STK_DIGEST_LENGTH + 1] = "";
    struct stk_error called = {0};
    size_t length = 0;

    stk_seconds_text(now, when);
    stk_hex_encode(state, STK_DIGEST_LENGTH, hex);
    (void)stk_error_set(&called, STIRKEEP_OK, "%s", name); /* one line, whatever it is */
    (void)snprintf(text, sizeof(text),
                   "%s\n\nname:   %s\ntime:   %s\nreason: %s\nstatus: %s\n\n%s\n", heads[outcome],
                   called.message, when, error->message, stirkeep_status_name(error->status),
                   advice[outcome]);
    length = strlen(text);
    if (outcome == STK_SPOOL_REFUSED || outcome == STK_SPOOL_IMPORTED)
        (void)snprintf(text + length, sizeof(text) - length, STATE_LINE "%s\n", hex);
    return stk_spool_write(directory, stk_spool_files[STK_SPOOL_ERROR], ERROR_MODE, text,
                           strlen(text));
}

bool stk_spool_error_read(int directory, uint8_t ret_state[STK_DIGEST_LENGTH])
{
    struct stk_buffer text = {0};
    const char *at = NULL;
    char hex[2 * STK_DIGEST_LENGTH + 1] = "";
    bool found = false;
    int fd = openat(directory, stk_spool_files[STK_SPOOL_ERROR],
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return false;
    if (stk_file_read_fd(fd, "", TEXT_MAX, &text, NULL) == STIRKEEP_OK && text.length > 0)
        at = memmem(text.data, text.length, STATE_LINE, strlen(STATE_LINE));
    (void)close(fd);
    if (at != NULL && (size_t)((const char *)text.data + text.length - at) >=
                          strlen(STATE_LINE) + 2 * STK_DIGEST_LENGTH) {
        memcpy(hex, at + strlen(STATE_LINE), 2 * STK_DIGEST_LENGTH);
        found = stk_hex_decode(hex, ret_state, STK_DIGEST_LENGTH);
    }
    stk_buffer_free(&text);
    return found;
}
