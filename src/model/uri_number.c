/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/uri_number.h"

#include <string.h>
#include <strings.h>

#define LETTERS_AFTER 7 /* digits make a number, whatever comes behind it */

/* As "scheme:" it has, without regard to case: what is behind it; NULL otherwise. */
static const char *behind(const char *uri, const char *scheme)
{
    size_t length = strlen(scheme);

    return strncasecmp(uri, scheme, length) == 0 ? uri + length : NULL;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%2B" is '+'; "%00" is left as another character, so that it ends nothing. What does not fit is cut off: URIs are no longer than STK_URI_MAX. */
static void unescape(const char *text, char ret_text[STK_URI_MAX + 1])
{
    size_t length = 0;

    for (; *text != '\0' && length < STK_URI_MAX; text++) {
        if (*text == '%' && hex_of(text[1]) >= 0 && hex_of(text[2]) >= 0) {
            int byte = hex_of(text[1]) * 16 + hex_of(text[2]);

            ret_text[length++] = (char)(byte != 0 ? byte : 1);
            text += 2;
        } else {
            ret_text[length++] = *text;
        }
    }
    ret_text[length] = '\0';
}

/* Also in the user part, where tel URIs have their parameters (RFC 3966 section 3), and among the
 * headers: more than one reader of SIP takes it from there. */
static bool has_phone_parameter(const char *text)
{
    static const char user[] = "user=phone";
    static const char context[] = "phone-context";

    for (const char *at = strpbrk(text, ";?&"); at != NULL; at = strpbrk(at, ";?&")) {
        size_t length = strcspn(++at, ";?&@");

        if ((length == sizeof(user) - 1 && strncasecmp(at, user, length) == 0) ||
            strncasecmp(at, context, sizeof(context) - 1) == 0)
            return true;
    }
    return false;
}

static bool is_letter(char c)
{
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Of a number, to see whether it is one: RFC 8224 section 8.3 drops what is none of these. */
static bool is_of_number(char c)
{
    return is_digit(c) || c == '*' || c == '#';
}

/*
 * A reader that drops all but digits finds a number behind whatever stands between them. Letters
 * end it, as those that dial on do; so few digits before a letter are a name.
 */
static enum stk_uri_number number_in(const char *user, bool stated, struct stk_tn *ret_tn)
{
    struct stk_tn tn = {0};
    size_t length = 0;
    bool plus = false;

    for (; *user != '\0' && !is_letter(*user); user++) {
        plus = plus || *user == '+';
        if (!is_of_number(*user))
            continue;
        if (length < STK_TN_MAX)
            tn.text[length] = *user;
        length++;
    }
    stated = stated || (plus && length > 0);
    if (length > STK_TN_MAX || (is_letter(*user) && length < LETTERS_AFTER))
        tn = (struct stk_tn){0};
    *ret_tn = tn;
    if (stated)
        return STK_URI_NUMBER_STATED;
    return tn.text[0] != '\0' ? STK_URI_NUMBER_LIKE : STK_URI_NUMBER_NONE;
}

enum stk_uri_number stk_uri_number(const char *uri, struct stk_tn *ret_tn)
{
    const char *tel = behind(uri, "tel:");
    const char *colon = strchr(uri, ':');
    char rest[STK_URI_MAX + 1] = "";
    struct stk_tn ignored = {0};
    bool phone = tel != NULL;

    if (ret_tn == NULL)
        ret_tn = &ignored;
    *ret_tn = (struct stk_tn){0};
    if (colon == NULL)
        return STK_URI_NUMBER_NONE;
    /* Of any scheme: sms:, im: or callto: have numbers as sip: has them. */
    unescape(colon + 1, rest);
    phone = phone || has_phone_parameter(rest);
    /* A password, the host, and parameters are no part of the number. */
    rest[strcspn(rest, ":@;?")] = '\0';
    return number_in(rest, phone, ret_tn);
}
