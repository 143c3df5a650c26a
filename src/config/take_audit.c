/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/take.h"

#include "config/number.h"
#include <stdio.h>
#include <string.h>

#define UNIT_DIGITS_MAX 20

struct unit {
    char letter; /* '\0': none has to be written */
    uint64_t factor;
};

/* A number with a unit's letter behind it; 0 needs none. */
static bool read_with_unit(const char *value, const struct unit *units, size_t count,
                           uint64_t maximum, uint64_t *ret_number)
{
    char digits[UNIT_DIGITS_MAX + 1] = "";
    size_t length = strspn(value, "0123456789");
    uint64_t number = 0;

    if (length == 0 || length > UNIT_DIGITS_MAX || strlen(value) > length + 1)
        return false;
    memcpy(digits, value, length);
    if (strcmp(value, "0") == 0) {
        *ret_number = 0;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (units[i].letter != value[length])
            continue;
        if (!stk_number_parse(digits, 0, maximum / units[i].factor, &number))
            return false;
        *ret_number = number * units[i].factor;
        return true;
    }
    return false;
}

STK_TAKER(stk_config_take_size)
{
    static const struct unit units[] = {{'\0', 1}, {'K', 1024}, {'M', 1048576}, {'G', 1073741824}};
    uint64_t *size = stk_config_field(loader, key);
    uint64_t number = 0;

    if (!read_with_unit(value, units, 4, key->maximum, &number) ||
        (number != 0 && number < key->minimum))
        return stk_error_set(
            error, STIRKEEP_CONFIG,
            "neither 0 nor a number of bytes, or of K, M or G, from %uK to %uG: %s",
            (unsigned)(key->minimum / 1024), (unsigned)(key->maximum / 1073741824), value);
    *size = number;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_age)
{
    static const struct unit units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t *seconds = stk_config_field(loader, key);
    uint64_t number = 0;

    if (!read_with_unit(value, units, 4, key->maximum, &number))
        return stk_error_set(
            error, STIRKEEP_CONFIG,
            "neither 0 nor a number of seconds, minutes, hours or days with its s, m, h or d: %s",
            value);
    *seconds = number;
    return STIRKEEP_OK;
}

STK_TAKER(stk_config_take_command)
{
    if (value[0] != '\0' && value[0] != '/')
        return stk_error_set(error, STIRKEEP_CONFIG, "does not begin with an absolute path: %s",
                             value);
    return stk_config_take_text(loader, key, value, error);
}

STK_TAKER(stk_config_take_witness)
{
    loader->witness_line = loader->given[key - loader->section->keys];
    return stk_config_take_path(loader, key, value, error);
}

STK_TAKER(stk_config_take_number_key)
{
    loader->number_key_line = loader->given[key - loader->section->keys];
    return stk_config_take_path(loader, key, value, error);
}

STK_TAKER(stk_config_take_numbers)
{
    bool *hashed = stk_config_field(loader, key);

    if (strcmp(value, "plain") != 0 && strcmp(value, "hashed") != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "neither plain nor hashed: %s", value);
    *hashed = strcmp(value, "hashed") == 0;
    return STIRKEEP_OK;
}
