/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/text.h"
#include "base/encode.h"
#include "base/time_text.h"
#include "config/config.h"
#include "fuzz.h"
#include "model/claims.h"
#include "model/name.h"
#include "model/number.h"
#include "model/number_hash.h"
#include "model/tn.h"
#include "model/uri.h"
#include "policy/pattern.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The small texts: two, on a line each. What is canonical stays what it is. */

static void take_number(const char *text)
{
    struct stk_tn tn = {""};
    struct stk_tn again = {""};
    struct stk_error error = {0};
    char back[STK_TN_MAX + 1] = "";

    if (stk_tn_parse(text, "orig", &tn, &error) != STIRKEEP_OK) {
        fuzz_refusal(error.status, &error);
        return;
    }
    FUZZ_CHECK(tn.text[0] != '\0' && strspn(tn.text, "0123456789*#") == strlen(tn.text));
    FUZZ_OK(stk_tn_parse(tn.text, "orig", &again, &error), &error);
    FUZZ_CHECK(strcmp(again.text, tn.text) == 0);
    stk_number_text(stk_number_key(tn.text), back);
    FUZZ_CHECK(strcmp(back, tn.text) == 0);
}

static void take_pattern(const char *text, const char *number)
{
    struct stk_number_pattern pattern = {0};
    struct stk_number_pattern again = {0};
    struct stk_error error = {0};
    struct stk_tn tn = {""};
    char written[STK_NUMBER_PATTERN_TEXT] = "";
    char twice[STK_NUMBER_PATTERN_TEXT] = "";

    if (stk_number_pattern_read(text, "orig", &pattern, &error) != STIRKEEP_OK) {
        fuzz_refusal(error.status, &error);
        return;
    }
    stk_number_pattern_text(&pattern, written);
    FUZZ_OK(stk_number_pattern_read(written, "orig", &again, &error), &error);
    stk_number_pattern_text(&again, twice);
    FUZZ_CHECK(strcmp(written, twice) == 0);
    if (stk_tn_parse(number, "orig", &tn, NULL) == STIRKEEP_OK)
        FUZZ_CHECK(stk_number_pattern_matches(&pattern, tn.text) ==
                   stk_number_pattern_matches(&again, tn.text));
}

static void take_name(const char *text)
{
    struct stk_name name = {""};
    struct stk_error error = {0};

    if (stk_name_parse(text, &name, &error) == STIRKEEP_OK)
        FUZZ_CHECK(strcmp(name.text, text) == 0 && text[0] != '.' && strchr(text, '/') == NULL);
    else
        fuzz_refusal(error.status, &error);
}

static void take_uri(const char *text)
{
    struct stk_error error = {0};

    if (stk_uri_check(text, "orig", &error) == STIRKEEP_OK)
        FUZZ_CHECK(strlen(text) <= STK_URI_MAX && strpbrk(text, " \"<>\\^`{|}\n\r\t") == NULL);
    else
        fuzz_refusal(error.status, &error);
    if (stk_x5u_check(text, &error) == STIRKEEP_OK)
        FUZZ_CHECK(strlen(text) <= STK_X5U_MAX && strpbrk(text, ";,\"?# <>") == NULL);
    if (stk_url_check(text, "icn", STK_RCD_TEXT_MAX, &error) == STIRKEEP_OK)
        FUZZ_CHECK(strlen(text) <= STK_RCD_TEXT_MAX && strncasecmp(text, "https://", 8) == 0);
}

/* The same as the pattern's meaning says, character by character. */
static bool matches(const char *pattern, const char *name)
{
    static bool before[STK_PATTERN_MAX + 1];
    size_t length = strlen(name);
    bool now[STK_PATTERN_MAX + 1];

    memset(before, 0, sizeof(before));
    before[0] = true;
    for (; *pattern != '\0'; pattern++) {
        now[0] = before[0] && *pattern == '*';
        for (size_t i = 1; i <= length; i++)
            now[i] = *pattern == '*' ? before[i] || now[i - 1]
                                     : before[i - 1] && name[i - 1] == *pattern;
        memcpy(before, now, sizeof(now));
    }
    return before[length];
}

static void take_patterns(const char *pattern, const char *name)
{
    if (stk_pattern_fault(pattern) == NULL)
        FUZZ_CHECK(strlen(pattern) <= STK_PATTERN_MAX);
    (void)stk_uri_pattern_fault(pattern);
    if (strlen(pattern) <= STK_PATTERN_MAX && strlen(name) <= STK_PATTERN_MAX)
        FUZZ_CHECK(stk_pattern_matches(pattern, name) == matches(pattern, name));
}

static void take_time(const char *text)
{
    struct stk_error error = {0};
    char written[32] = "";
    int64_t seconds = 0;
    int64_t again = 0;

    if (stk_time_parse(text, 1795678800, &seconds, &error) != STIRKEEP_OK) {
        fuzz_refusal(error.status, &error);
        return;
    }
    FUZZ_CHECK(seconds >= 0 && seconds < 253402300800);
    (void)snprintf(written, sizeof(written), "@%lld", (long long)seconds);
    FUZZ_OK(stk_time_parse(written, 0, &again, &error), &error);
    FUZZ_CHECK(again == seconds);
}

static void take_template(const char *text)
{
    static const char start[] = "[token]\nmodule = /m\nlabel = l\npin-file = /p\n"
                                "[signing]\nx5u-template = ";
    char *file = NULL;
    struct stk_config *config = NULL;
    char x5u[STK_X5U_MAX + 1] = "";
    struct stk_error error = {0};

    FUZZ_CHECK(asprintf(&file, "%s%s\n", start, text) > 0);
    if (stk_config_parse(file, strlen(file), "c", &config, &error) == STIRKEEP_OK) {
        if (config->signing.x5u_template[0] != '\0') {
            FUZZ_CHECK(stk_config_x5u(config->signing.x5u_template, "A.b_c-9",
                                      "00112233445566778899aabbccddeeff"
                                      "00112233445566778899aabbccddeeff",
                                      x5u) == STIRKEEP_OK);
            FUZZ_OK(stk_x5u_check(x5u, &error), &error);
        }
        stk_config_free(config);
    }
    free(file);
}

/* No number is left in what was hidden: no run of more than three digits. */
static void take_sentence(const char *text)
{
    char hidden[256] = "";
    unsigned run = 0;

    stk_number_hide(text, hidden, sizeof(hidden));
    FUZZ_CHECK(memchr(hidden, '\0', sizeof(hidden)) != NULL);
    for (const char *at = hidden; *at != '\0'; at++) {
        run = isdigit((unsigned char)*at) ? run + 1 : 0;
        FUZZ_CHECK(run <= 3);
    }
}

static void take_encoded(const char *text)
{
    const size_t length = strlen(text);
    uint8_t *decoded = malloc(length + 1);
    char *encoded = malloc(length + 1);
    size_t decoded_length = 0;

    FUZZ_CHECK(decoded != NULL && encoded != NULL);
    if (stk_base64url_decode(text, length, decoded, length, &decoded_length)) {
        FUZZ_CHECK(stk_base64url_encode(decoded, decoded_length, encoded) == length);
        FUZZ_CHECK(memcmp(encoded, text, length) == 0);
    }
    free(decoded);
    free(encoded);
}

static void take_bytes(struct stk_bytes bytes)
{
    uint8_t *copy = fuzz_copy(bytes);
    bool valid = stk_text_is_valid(copy, bytes.length);

    stk_text_scrub(copy, bytes.length);
    FUZZ_CHECK(stk_text_is_valid(copy, bytes.length));
    FUZZ_CHECK(!valid || bytes.length == 0 || memcmp(copy, bytes.data, bytes.length) == 0);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes rest = {data, size};
    char *first = fuzz_text(fuzz_line(&rest));
    char *second = fuzz_text(rest);
    enum stk_ppt ppt = STK_PPT_BASE;

    take_number(first);
    take_pattern(first, second);
    take_name(first);
    take_uri(first);
    take_patterns(first, second);
    take_time(first);
    take_template(first);
    take_sentence(first);
    take_encoded(first);
    take_bytes((struct stk_bytes){data, size});
    if (stk_ppt_parse(first, &ppt))
        FUZZ_CHECK(strlen(first) <= STK_PPT_MAX);
    free(first);
    free(second);
    return 0;
}
