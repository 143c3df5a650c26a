/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config.h"

#include <string.h>

enum stirkeep_status stk_config_x5u(const char *x5u_template, const char *name,
                                    const char *fingerprint, char ret_x5u[STK_X5U_MAX + 1])
{
    static const char name_mark[] = "{name}";
    static const char fingerprint_mark[] = "{fingerprint}";
    char x5u[STK_X5U_MAX + 1] = "";
    size_t length = 0;

    for (const char *at = x5u_template; *at != '\0';) {
        const char *piece = at;
        size_t piece_length = 1;

        if (strncmp(at, name_mark, sizeof(name_mark) - 1) == 0) {
            piece = name;
            piece_length = strlen(name);
            at += sizeof(name_mark) - 1;
        } else if (strncmp(at, fingerprint_mark, sizeof(fingerprint_mark) - 1) == 0) {
            piece = fingerprint;
            piece_length = strlen(fingerprint);
            at += sizeof(fingerprint_mark) - 1;
        } else {
            at++;
        }
        if (piece_length > STK_X5U_MAX - length)
            return STIRKEEP_TOO_LARGE;
        memcpy(x5u + length, piece, piece_length);
        length += piece_length;
    }
    x5u[length] = '\0';
    memcpy(ret_x5u, x5u, length + 1);
    return STIRKEEP_OK;
}
