/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/softhsm.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIGURATION "/etc/softhsm/softhsm2.conf"
#define DEFAULT_TOKENS "/var/lib/softhsm/tokens"
#define USER_CONFIGURATION ".config/softhsm2/softhsm2.conf"
#define UUID_LENGTH 36
#define NUMBER 8 /* bytes of a number in an object file */

/* Kinds of attributes in an object file. */
enum object_kind { KIND_BOOLEAN = 1, KIND_NUMBER, KIND_BYTES, KIND_ATTRIBUTES, KIND_MECHANISMS };

/* The file that SoftHSM will read, chosen as it chooses. */
static bool configuration_path(char *ret_path, size_t size)
{
    const char *named = getenv("SOFTHSM2_CONF");
    const char *home = getenv("HOME");
    const struct passwd *user = NULL;

    if (named != NULL)
        return snprintf(ret_path, size, "%s", named) < (int)size;
    if (home == NULL || home[0] == '\0') {
        user = getpwuid(getuid());
        home = user == NULL ? NULL : user->pw_dir;
    }
    if (home != NULL && snprintf(ret_path, size, "%s/%s", home, USER_CONFIGURATION) < (int)size &&
        access(ret_path, R_OK) == 0)
        return true;
    return snprintf(ret_path, size, "%s", DEFAULT_CONFIGURATION) < (int)size;
}

static char *trim(char *text)
{
    size_t length = 0;

    text += strspn(text, " \t\r\n");
    length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

/* The value of directories.tokendir; the last one counts. */
static void read_configuration(const char *path, char *ret_tokens, size_t size)
{
    FILE *file = fopen(path, "re");
    char line[1024] = ""; /* SoftHSM reads no longer ones either */

    if (file == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL) {
        char *value = NULL;

        line[strcspn(line, "#\n\r")] = '\0';
        value = strchr(line, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        if (strcmp(trim(line), "directories.tokendir") == 0)
            (void)snprintf(ret_tokens, size, "%s", trim(value));
    }
    (void)fclose(file);
}

void stk_softhsm_files(const char *directory, char ret_configuration[PATH_MAX],
                       char ret_tokens[PATH_MAX])
{
    if (!configuration_path(ret_configuration, PATH_MAX))
        ret_configuration[0] = '\0';
    (void)snprintf(ret_tokens, PATH_MAX, "%s", DEFAULT_TOKENS);
    if (directory[0] != '\0')
        (void)snprintf(ret_tokens, PATH_MAX, "%s", directory);
    else if (ret_configuration[0] != '\0')
        read_configuration(ret_configuration, ret_tokens, PATH_MAX);
}

void stk_softhsm_recognise(struct stk_softhsm *softhsm, const char *module, const char *directory)
{
    const char *slash = strrchr(module, '/');
    char path[PATH_MAX] = "";

    *softhsm = (struct stk_softhsm){.lock = -1};
    if (strstr(slash == NULL ? module : slash + 1, "softhsm") == NULL)
        return;
    if (directory[0] != '\0') {
        (void)snprintf(softhsm->tokens, sizeof(softhsm->tokens), "%s", directory);
        return;
    }
    (void)snprintf(softhsm->tokens, sizeof(softhsm->tokens), "%s", DEFAULT_TOKENS);
    if (configuration_path(path, sizeof(path)))
        read_configuration(path, softhsm->tokens, sizeof(softhsm->tokens));
}

/* SoftHSM makes the serial number from the 20th to 23rd and the last 12 characters of the
 * directory's name, which is a UUID. */
static bool is_directory_of(const char *name, const char *serial)
{
    return strlen(name) == UUID_LENGTH && strlen(serial) == 16 &&
           strncmp(name + 19, serial, 4) == 0 && strcmp(name + 24, serial + 4) == 0;
}

void stk_softhsm_find(struct stk_softhsm *softhsm, const char *serial)
{
    DIR *stream = softhsm->tokens[0] == '\0' ? NULL : opendir(softhsm->tokens);
    const struct dirent *entry = NULL;

    if (stream == NULL)
        return;
    while ((entry = readdir(stream)) != NULL)
        if (is_directory_of(entry->d_name, serial) &&
            snprintf(softhsm->token, sizeof(softhsm->token), "%s/%s", softhsm->tokens,
                     entry->d_name) >= (int)sizeof(softhsm->token))
            softhsm->token[0] = '\0';
    (void)closedir(stream);
}

bool stk_softhsm_is_object_file(const char *name)
{
    static const char suffix[] = ".object";
    size_t length = strlen(name);

    return length >= sizeof(suffix) && strcmp(name, "token.object") != 0 &&
           strcmp(name + length - (sizeof(suffix) - 1), suffix) == 0;
}

/* Take a big-endian number; false at the end of the bytes. */
static bool take_number(struct stk_bytes *rest, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (rest->length < NUMBER)
        return false;
    for (size_t i = 0; i < NUMBER; i++)
        number = number << 8 | rest->data[i];
    rest->data += NUMBER;
    rest->length -= NUMBER;
    *ret_number = number;
    return true;
}

static bool skip(struct stk_bytes *rest, uint64_t length)
{
    if (length > rest->length)
        return false;
    rest->data += length;
    rest->length -= (size_t)length;
    return true;
}

static bool skip_value(struct stk_bytes *rest, uint64_t kind)
{
    uint64_t length = 0;

    switch (kind) {
    case KIND_BOOLEAN:
        return skip(rest, 1);
    case KIND_NUMBER:
        return skip(rest, NUMBER);
    case KIND_BYTES:
    case KIND_ATTRIBUTES:
        return take_number(rest, &length) && skip(rest, length);
    case KIND_MECHANISMS:
        return take_number(rest, &length) && length <= rest->length / NUMBER &&
               skip(rest, length * NUMBER);
    default:
        return false;
    }
}

/* Take an attribute; `*ret_filled`: it is bytes, and there are some. */
static bool take_attribute(struct stk_bytes *rest, bool *ret_filled)
{
    struct stk_bytes value = {0};
    uint64_t type = 0;
    uint64_t kind = 0;
    uint64_t length = 0;

    if (!take_number(rest, &type) || !take_number(rest, &kind))
        return false;
    value = *rest;
    *ret_filled = kind == KIND_BYTES && take_number(&value, &length) && length > 0;
    return skip_value(rest, kind);
}

bool stk_softhsm_object_whole(struct stk_bytes file)
{
    uint64_t generation = 0;
    bool filled = false;

    if (!take_number(&file, &generation) || file.length == 0)
        return false;
    while (file.length > 0)
        if (!take_attribute(&file, &filled))
            return false;
    return true;
}

bool stk_softhsm_object_empty(struct stk_bytes file)
{
    uint64_t generation = 0;
    bool filled = false;

    if (!stk_softhsm_object_whole(file))
        return false;
    (void)take_number(&file, &generation);
    while (file.length > 0 && !filled)
        if (!take_attribute(&file, &filled))
            return false;
    return !filled;
}
