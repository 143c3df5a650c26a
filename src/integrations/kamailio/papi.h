/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KAMAILIO_PAPI_H
#define STK_KAMAILIO_PAPI_H

#include <stddef.h>

/*
 * What Kamailio's secsipid module (stock, nothing of it is changed) asks of the object that its
 * parameter `modproc` names: a function secsipid_proc_bind that fills in a table of pointers to
 * functions. The table has grown with Kamailio, in the middle:
 *
 *     5.5         10 functions
 *     5.6, 5.7    11: identity_data is new
 *     5.8 to 6.1  12: sign_data is new
 *
 * All texts are '\0'-terminated but for those that come with a length. A function that gives a text
 * gives memory of malloc, which the module frees, or NULL; its result is the text's length, or what
 * codes.h has.
 */

typedef int stk_kam_sign(char *header, char *payload, char *key, char **ret_text);
typedef int stk_kam_identity(char *orig, char *dest, char *attest, char *origid, char *x5u,
                             char *key, char **ret_text);
/* `length` 0: the text ends with '\0'. `expire` and `timeout` are seconds. 0: it is good. */
typedef int stk_kam_check(char *identity, int length, int expire, char *key_path, int timeout);
typedef int stk_kam_check_data(char *identity, int length, int expire, char *key, int key_length);
typedef int stk_kam_set_cache(char *directory, int expire);
typedef int stk_kam_get_url(char *url, int timeout, char **ret_text, int *ret_length);
typedef int stk_kam_set_text(char *name, char *value);
typedef int stk_kam_set_number(char *name, int value);
typedef int stk_kam_set_pair(char *pair); /* "name=value" */

/* Signing, by stirkeep: `key` is the certificate's name, whether it is the path or the data. */
stk_kam_sign stk_kam_sign_json;
stk_kam_identity stk_kam_get_identity;

/* Verifying, by the installed libsecsipid, or without one by stirkeep's own verifier. */
stk_kam_check stk_kam_check_passport;
stk_kam_check stk_kam_check_full;
stk_kam_check_data stk_kam_check_full_data;
stk_kam_set_cache stk_kam_cache_options;
stk_kam_get_url stk_kam_url_content;

/* Options: stirkeep's own, and libsecsipid's. */
stk_kam_set_text stk_kam_option_text;
stk_kam_set_number stk_kam_option_number;
stk_kam_set_pair stk_kam_option_pair;

#define STK_KAM_EXPORT __attribute__((visibility("default")))

/* Fills in the table of the Kamailio that it was loaded into; -1 when it has none that is known. */
STK_KAM_EXPORT int secsipid_proc_bind(void *table);

/* Kamailio loads nothing whose version and flags of compilation are not its own, letter by letter.
 * They are there to keep modules from using structures of another version; of Kamailio's structures
 * this object uses none but the table, whose size it asks for. So it says what its host says, and
 * one object serves all versions. */
extern STK_KAM_EXPORT const char *module_version;
extern STK_KAM_EXPORT const char *module_flags;

#endif
