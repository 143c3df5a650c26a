/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/log.h"

enum stirkeep_status stk_login_verdict(CK_FLAGS flags, struct stk_error *error)
{
    if ((flags & CKF_USER_PIN_LOCKED) != 0)
        return stk_error_set(error, STIRKEEP_TOKEN_LOCKED,
                             "the PIN is locked: the security officer must reset it");
    if ((flags & CKF_USER_PIN_FINAL_TRY) != 0)
        return stk_error_set(error, STIRKEEP_TOKEN_LOCKED,
                             "one more wrong PIN would lock the token, so none is tried: log in "
                             "once by hand with the right PIN, then correct the PIN file");
    if ((flags & CKF_LOGIN_REQUIRED) != 0 && (flags & CKF_USER_PIN_INITIALIZED) == 0)
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR, "the user PIN was never set");
    return STIRKEEP_OK;
}

static enum stirkeep_status check_flags(struct stk_token *token, struct stk_error *error)
{
    CK_TOKEN_INFO info = {0};
    CK_RV rv = CKR_OK;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_call_begins(&token->home);
    rv = stk_call_ended(&token->home, token->p11->C_GetTokenInfo(token->slot, &info));
    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_GetTokenInfo", rv);
    status = stk_login_verdict(info.flags, error);
    if (status == STIRKEEP_OK && (info.flags & CKF_USER_PIN_COUNT_LOW) != 0)
        stk_log(STK_LOG_WARNING, "token \"%s\": a wrong PIN was tried since the last login",
                token->label);
    return status;
}

void stk_login_tell(struct stk_token *token, enum stk_pin_news news, const struct stk_error *error)
{
    if (token->tell_pin != NULL && !token->refusal_told)
        token->tell_pin(token->tell_context, news, error == NULL ? "" : error->message);
    token->refusal_told |= news == STK_PIN_REFUSED;
}

/* No call that is watched: a token may let those wait who had the PIN wrong, and who is ended for
 * that never hears that it was. What it takes is opening's. */
static enum stirkeep_status send_pin(struct stk_token *token, const struct stk_secret *pin,
                                     struct stk_error *error)
{
    char buffer[STK_CKR_TEXT] = "";
    CK_RV rv = CKR_OK;

    stk_login_tell(token, STK_PIN_TRIED, NULL);
    rv = stk_call_ended(&token->home, token->p11->C_Login(token->home.handle, CKU_USER, pin->data,
                                                          (CK_ULONG)pin->length));
    if (stk_ckr_is_pin(rv)) {
        (void)stk_error_set(error, STIRKEEP_TOKEN_LOCKED, "the token refused the PIN: C_Login: %s",
                            stk_ckr_name(rv, buffer));
        stk_login_tell(token, STK_PIN_REFUSED, error);
        return STIRKEEP_TOKEN_LOCKED;
    }
    stk_login_tell(token, rv == CKR_OK ? STK_PIN_TAKEN : STK_PIN_UNJUDGED, NULL);
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return STIRKEEP_OK;
    return stk_ckr_error(error, "C_Login", rv);
}

/* May it be tried at all? */
static enum stirkeep_status judge(struct stk_token *token, const struct stk_secret *pin,
                                  struct stk_error *error)
{
    if (pin->data == NULL || pin->length == 0 || pin->length > STK_PIN_MAX)
        return stk_error_set(error, STIRKEEP_TOKEN_LOCKED,
                             "a PIN of %zu bytes is not tried (1 to %d are allowed)", pin->length,
                             STK_PIN_MAX);
    return check_flags(token, error);
}

enum stirkeep_status stk_login(struct stk_token *token, const struct stk_secret *pin,
                               struct stk_error *error)
{
    enum stirkeep_status status = judge(token, pin, error);
    enum stirkeep_status settled = STIRKEEP_OK;
    struct stk_error damage = {0};
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_OK)
        return status;
    rv = stk_session_open(&token->home);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_OpenSession", rv);
    status = stk_softhsm_guard(&token->softhsm, error);
    if (status != STIRKEEP_OK)
        return status;
    status = send_pin(token, pin, error);
    settled = stk_softhsm_settle(&token->softhsm, &damage);
    /* A refused PIN is the news even then: it must not be tried again. */
    if (settled != STIRKEEP_OK && status == STIRKEEP_OK)
        status = stk_error_set(error, settled, "%s", damage.message);
    return status;
}
