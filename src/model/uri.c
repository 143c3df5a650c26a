/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/uri.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define HTTPS "https://"
#define HOST_MAX 253 /* RFC 1035 section 2.3.4, in text */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* unreserved, gen-delims and sub-delims of RFC 3986 section 2; '%' is checked by itself. */
static bool is_uri_character(char c)
{
    return is_letter(c) || is_digit(c) ||
           (c != '\0' && strchr("-._~:/?#[]@!$&'()*+,;=", c) != NULL);
}

/* 0, or the number (from 1) of the first character that RFC 3986 does not allow. */
static size_t first_bad_character(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%' && i + 2 < length && is_hex(text[i + 1]) && is_hex(text[i + 2]))
            i += 2;
        else if (!is_uri_character(text[i]))
            return i + 1;
    }
    return 0;
}

/* Characters of "scheme:", or 0. RFC 3986 section 3.1. */
static size_t scheme_length(const char *text)
{
    size_t i = 0;

    if (!is_letter(text[0]))
        return 0;
    while (is_letter(text[i]) || is_digit(text[i]) || text[i] == '+' || text[i] == '-' ||
           text[i] == '.')
        i++;
    return text[i] == ':' ? i + 1 : 0;
}

enum stirkeep_status stk_uri_check(const char *text, const char *field, struct stk_error *error)
{
    return stk_uri_check_up_to(text, field, STK_URI_MAX, error);
}

enum stirkeep_status stk_uri_check_up_to(const char *text, const char *field, size_t max,
                                         struct stk_error *error)
{
    size_t length = text != NULL ? strnlen(text, max + 1) : 0;
    size_t bad = 0;
    size_t scheme = 0;

    if (length == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: is empty", field);
    if (length > max)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: longer than %zu characters", field, max);
    bad = first_bad_character(text, length);
    if (bad != 0)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "%s: character %zu is not allowed in a URI (RFC 3986)", field, bad);
    scheme = scheme_length(text);
    if (scheme == 0)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "%s: does not begin with a scheme, as sip: does", field);
    if (scheme == length)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: nothing behind the scheme", field);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_url_check(const char *text, const char *field, size_t max,
                                   struct stk_error *error)
{
    if (strncmp(text, HTTPS, strlen(HTTPS)) != 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: does not begin with %s", field, HTTPS);
    if (strcspn(text + strlen(HTTPS), "/?#") == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: does not name a host", field);
    return stk_uri_check_up_to(text, field, max, error);
}

/* A domain name or IPv4 address: labels of letters, digits and inner hyphens. */
static bool is_host_name(const char *host, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool first = i == 0 || host[i - 1] == '.';
        bool last = i + 1 == length || host[i + 1] == '.';

        if (is_letter(host[i]) || is_digit(host[i]))
            continue;
        if (first || last || (host[i] != '-' && host[i] != '.'))
            return false;
    }
    return length > 0 && length <= HOST_MAX;
}

/* "[...]" */
static bool is_ipv6_literal(const char *host, size_t length)
{
    char address[INET6_ADDRSTRLEN] = "";
    struct in6_addr ignored = {0};

    if (length < 4 || length - 2 >= sizeof(address) || host[0] != '[' || host[length - 1] != ']')
        return false;
    memcpy(address, host + 1, length - 2);
    return inet_pton(AF_INET6, address, &ignored) == 1;
}

/* host [":443" | ":8443"] */
static enum stirkeep_status check_authority(const char *text, size_t length,
                                            struct stk_error *error)
{
    const char *bracket = memchr(text, ']', length);
    const char *colon = NULL;
    size_t host_length = length;

    if (memchr(text, '@', length) != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "x5u: user information is not allowed");
    if (bracket == NULL)
        colon = memchr(text, ':', length);
    else if (bracket + 1 < text + length && bracket[1] == ':')
        colon = bracket + 1;
    if (colon != NULL) {
        size_t port_length = length - (size_t)(colon - text);

        host_length = (size_t)(colon - text);
        if (!(port_length == 4 && memcmp(colon, ":443", 4) == 0) &&
            !(port_length == 5 && memcmp(colon, ":8443", 5) == 0))
            return stk_error_set(error, STIRKEEP_INVALID, "x5u: the port must be 443 or 8443");
    }
    if (!is_host_name(text, host_length) && !is_ipv6_literal(text, host_length))
        return stk_error_set(error, STIRKEEP_INVALID, "x5u: does not name a host");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_x5u_check(const char *text, struct stk_error *error)
{
    size_t length = text != NULL ? strnlen(text, STK_X5U_MAX + 1) : 0;
    size_t bad = 0;
    size_t authority = 0;
    size_t begin = strlen(HTTPS);

    if (length == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "x5u: is empty");
    if (length > STK_X5U_MAX)
        return stk_error_set(error, STIRKEEP_INVALID, "x5u: longer than %d characters",
                             STK_X5U_MAX);
    if (strncmp(text, HTTPS, begin) != 0)
        return stk_error_set(error, STIRKEEP_INVALID, "x5u: does not begin with %s", HTTPS);
    bad = first_bad_character(text, length);
    if (bad != 0)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "x5u: character %zu is not allowed in a URI (RFC 3986)", bad);
    if (strpbrk(text, "?#") != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "x5u: no query and no fragment is allowed");
    /* They would end the Identity header's info parameter, or the header value. */
    if (strpbrk(text, ";,") != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "x5u: neither ';' nor ',' is allowed");
    authority = strcspn(text + begin, "/");
    if (strpbrk(text + begin + authority, "[]") != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "x5u: brackets are not allowed in the path");
    return check_authority(text + begin, authority, error);
}
