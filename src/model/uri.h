/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_URI_H
#define STK_MODEL_URI_H

#include "base/error.h"
#include <stddef.h>

/*
 * Is it a URI that a PASSporT may carry: "scheme:rest" in the characters of RFC 3986, percent
 * signs followed by two hex digits, at most STK_URI_MAX characters? INVALID otherwise; the message
 * begins with `field`. It is carried as it is.
 */
enum stirkeep_status stk_uri_check(const char *text, const char *field, struct stk_error *error);

/* The same with another limit. */
enum stirkeep_status stk_uri_check_up_to(const char *text, const char *field, size_t max,
                                         struct stk_error *error);

/* Is it an https URL of at most `max` characters, for other people to fetch? INVALID otherwise. */
enum stirkeep_status stk_url_check(const char *text, const char *field, size_t max,
                                   struct stk_error *error);

/*
 * Is it an https URL fit for x5u (RFC 8226, ATIS-1000080): port absent, 443 or 8443; no user info,
 * query or fragment; at most STK_X5U_MAX characters of RFC 3986, neither ';' nor ',' nor '"', which
 * would break the Identity header's info parameter? INVALID otherwise, naming why.
 */
enum stirkeep_status stk_x5u_check(const char *text, struct stk_error *error);

#endif
