/* SPDX-License-Identifier: BSD-2-Clause */
#include "integrations/kamailio/codes.h"
#include "integrations/kamailio/options.h"
#include "integrations/kamailio/papi.h"
#include "integrations/kamailio/say.h"
#include "integrations/kamailio/service.h"
#include "model/name.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define WHITE_SPACE " \t\r\n\v\f"
#define INFO ";info=<"
#define SHOWN_MAX 32 /* of what is no name and no path: a key in PEM is longer, and shown nowhere */
#define PATH_SHOWN_MAX 200

/* The nearest that libsecsipid has: its codes are what scripts look at. */
static int code_of(enum stirkeep_status status)
{
    switch (status) {
    case STIRKEEP_UNKNOWN_NAME:
    case STIRKEEP_KEY_UNAVAILABLE:
        return STK_KAM_FILE_READ; /* "the key file cannot be read" */
    case STIRKEEP_NOT_PERMITTED:
    case STIRKEEP_NOT_ACTIVE:
        return STK_KAM_KEY_INVALID;
    case STIRKEEP_RATE_LIMITED:
        return STK_KAM_RATE;
    case STIRKEEP_CERT_EXPIRED:
        return STK_KAM_CERT_EXPIRED;
    case STIRKEEP_CERT_NOT_YET_VALID:
        return STK_KAM_CERT_NOT_YET;
    case STIRKEEP_INVALID:
    case STIRKEEP_TOO_LARGE:
    case STIRKEEP_UNSUPPORTED:
        return STK_KAM_PAYLOAD;
    default:
        return STK_KAM_SIGNATURE_FAILURE;
    }
}

static int refuse(const char *name, enum stirkeep_status status, const char *reason)
{
    stk_kam_say(STK_KAM_LOG_ERROR, "certificate \"%s\": not signed: %s: %s", name,
                stirkeep_status_name(status), reason);
    return code_of(status);
}

/*
 * Is `key` a certificate's name? A script that was not changed gives a file or, to the functions
 * for key data, the key itself: that one goes no further, into no log and to no service.
 */
static bool is_name(const char *key)
{
    const size_t length = strnlen(key, PATH_SHOWN_MAX + 1);
    const bool shown = length <= (key[0] == '/' ? PATH_SHOWN_MAX : SHOWN_MAX);
    struct stk_error error = {0};
    struct stk_name name = {0};

    if (stk_name_parse(key, &name, &error) == STIRKEEP_OK)
        return true;
    stk_kam_say(STK_KAM_LOG_ERROR,
                "not signed: the script gives %s%s%s where the certificate's name stands with "
                "stirkeep; %s",
                shown ? "\"" : "something", shown ? key : "", shown ? "\"" : "", error.message);
    return false;
}

/* A text of malloc's, which is freed by who asked. */
static int give(const char *text, size_t length, char **ret_text)
{
    char *copy = length < INT_MAX ? strndup(text, length) : NULL;

    if (copy == NULL)
        return STK_KAM_SIGNATURE_FAILURE;
    *ret_text = copy;
    return (int)length;
}

/* ---- claims */

/* Is `x5u` what the signature says? A script that names another one is of another opinion about
 * which certificate signs, and whoever verifies would be sent to the wrong place. */
static bool agrees(const struct stirkeep_signature *signature, const char *x5u)
{
    const char *info = signature->identity + signature->passport_length;
    size_t length = strlen(x5u);

    return strncmp(info, INFO, strlen(INFO)) == 0 &&
           strncmp(info + strlen(INFO), x5u, length) == 0 && info[strlen(INFO) + length] == '>';
}

static int disagree(const char *name, const char *x5u, const struct stirkeep_signature *signature)
{
    const char *info = signature->identity + signature->passport_length;
    int length = 0;

    if (strncmp(info, INFO, strlen(INFO)) == 0) {
        info += strlen(INFO);
        length = (int)strcspn(info, ">");
    }
    stk_kam_say(STK_KAM_LOG_ERROR,
                "certificate \"%s\": not used: the script gives x5u \"%.200s\", the certificate's "
                "is \"%.*s\"; give \"\" to take the certificate's",
                name, x5u, length, info);
    return STK_KAM_HEADER_X5U;
}

int stk_kam_get_identity(char *orig, char *dest, char *attest, char *origid, char *x5u, char *key,
                         char **ret_text)
{
    const char *const dest_tn[1] = {dest};
    const struct stirkeep_claims claims = {.ppt = "shaken",
                                           .orig_tn = orig,
                                           .dest_tn = dest_tn,
                                           .dest_tn_count = 1,
                                           .attest = attest,
                                           .origid = origid};
    const struct stk_kam_question question = {.name = key, .claims = &claims};
    const char *wanted = x5u != NULL && x5u[0] != '\0' ? x5u : stk_kam_option("x5u", "");
    struct stirkeep_signature signature = {0};
    const char *reason = "";
    enum stirkeep_status status = STIRKEEP_OK;

    if (ret_text == NULL)
        return STK_KAM_ERROR;
    *ret_text = NULL;
    if (key == NULL || orig == NULL || dest == NULL)
        return refuse("", STIRKEEP_INVALID, "an argument is missing");
    if (!is_name(key))
        return STK_KAM_FILE_READ;
    status = stk_kam_ask(&question, &signature, &reason);
    if (status != STIRKEEP_OK)
        return refuse(key, status, reason);
    if (wanted[0] != '\0' && !agrees(&signature, wanted))
        return disagree(key, wanted, &signature);
    return give(signature.identity, signature.identity_length, ret_text);
}

/* ---- a finished header and payload */

/* libsecsipid cuts white space at both ends before it signs. NULL: no memory. */
static char *trimmed(const char *text)
{
    size_t length = 0;

    text += strspn(text, WHITE_SPACE);
    length = strlen(text);
    while (length > 0 && strchr(WHITE_SPACE, text[length - 1]) != NULL)
        length--;
    return strndup(text, length);
}

int stk_kam_sign_json(char *header, char *payload, char *key, char **ret_text)
{
    struct stk_kam_question question = {.name = key};
    struct stirkeep_signature signature = {0};
    const char *reason = "out of memory";
    enum stirkeep_status status = STIRKEEP_NO_MEMORY;
    char *header_trimmed = NULL;
    char *payload_trimmed = NULL;
    int result = STK_KAM_ERROR;

    if (ret_text == NULL)
        return STK_KAM_ERROR;
    *ret_text = NULL;
    if (key == NULL || header == NULL || payload == NULL)
        return refuse("", STIRKEEP_INVALID, "an argument is missing");
    if (!is_name(key))
        return STK_KAM_FILE_READ;
    header_trimmed = trimmed(header);
    payload_trimmed = trimmed(payload);
    if (header_trimmed != NULL && payload_trimmed != NULL) {
        question.header = header_trimmed;
        question.payload = payload_trimmed;
        status = stk_kam_ask(&question, &signature, &reason);
    }
    if (status != STIRKEEP_OK)
        result = refuse(key, status, reason);
    else /* the token alone: header parameters are the script's, as with libsecsipid */
        result = give(signature.identity, signature.passport_length, ret_text);
    free(header_trimmed);
    free(payload_trimmed);
    return result;
}
