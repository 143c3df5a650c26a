/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/examine.h"

#include "base/digest.h"
#include "base/disk.h"
#include "base/encode.h"
#include "token/internal.h"
#include <stdio.h>
#include <string.h>

#define PADDED_MAX 64 /* the longest padded text of PKCS#11 */
#define COUNT_TEXT 32

/* A text that is padded with blanks, as PKCS#11 has them. */
static const char *padded(const CK_UTF8CHAR *text, size_t length, char ret_text[PADDED_MAX + 1])
{
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\0'))
        length--;
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
    return ret_text;
}

static CK_RV describe_library(struct stk_token *token, struct stk_diagnosis *diagnosis)
{
    CK_INFO info = {0};
    char what[PADDED_MAX + 1] = "";
    char who[PADDED_MAX + 1] = "";
    CK_RV rv = CKR_OK;

    stk_call_begins(&token->custody);
    rv = stk_call_ended(&token->custody, token->p11->C_GetInfo(&info));
    if (rv == CKR_OK)
        stk_diagnosis_fact(diagnosis, "library", "%s %d.%d by %s, PKCS#11 %d.%d",
                           padded(info.libraryDescription, sizeof(info.libraryDescription), what),
                           info.libraryVersion.major, info.libraryVersion.minor,
                           padded(info.manufacturerID, sizeof(info.manufacturerID), who),
                           info.cryptokiVersion.major, info.cryptokiVersion.minor);
    return rv;
}

static CK_RV describe_slot(struct stk_token *token, struct stk_diagnosis *diagnosis)
{
    CK_SLOT_INFO info = {0};
    char what[PADDED_MAX + 1] = "";
    bool hardware = false;
    CK_RV rv = CKR_OK;

    stk_call_begins(&token->custody);
    rv = stk_call_ended(&token->custody, token->p11->C_GetSlotInfo(token->slot, &info));
    if (rv != CKR_OK)
        return rv;
    hardware = (info.flags & CKF_HW_SLOT) != 0;
    stk_diagnosis_fact(diagnosis, "slot", "%lu (0x%lx), %s%s", token->slot, token->slot,
                       padded(info.slotDescription, sizeof(info.slotDescription), what),
                       (info.flags & CKF_REMOVABLE_DEVICE) != 0 ? ", removable" : "");
    stk_diagnosis_fact(diagnosis, "hardware", "%s",
                       hardware ? "yes, the slot says (CKF_HW_SLOT)"
                                : "no, the slot does not say that it is (CKF_HW_SLOT)");
    if (strstr(token->model, "SoftHSM") != NULL)
        stk_diagnosis_fact(diagnosis, "protection",
                           "SoftHSM: process isolation, no tamper resistance; not a validated "
                           "module");
    return rv;
}

static void count_text(CK_ULONG count, char ret_text[COUNT_TEXT])
{
    if (count == CK_UNAVAILABLE_INFORMATION)
        (void)snprintf(ret_text, COUNT_TEXT, "not told");
    else if (count == CK_EFFECTIVELY_INFINITE)
        (void)snprintf(ret_text, COUNT_TEXT, "no limit");
    else
        (void)snprintf(ret_text, COUNT_TEXT, "%lu", count);
}

static void describe_sessions(const CK_TOKEN_INFO *info, struct stk_diagnosis *diagnosis)
{
    char open[COUNT_TEXT] = "";
    char most[COUNT_TEXT] = "";
    bool known = info->ulMaxSessionCount != CK_UNAVAILABLE_INFORMATION &&
                 info->ulMaxSessionCount != CK_EFFECTIVELY_INFINITE &&
                 info->ulSessionCount != CK_UNAVAILABLE_INFORMATION;

    count_text(info->ulSessionCount, open);
    count_text(info->ulMaxSessionCount, most);
    stk_diagnosis_fact(diagnosis, "sessions", "open: %s; limit: %s",
                       info->ulSessionCount == 0 ? "0" : open, most);
    if (known && info->ulSessionCount >= info->ulMaxSessionCount)
        stk_diagnosis_trouble(
            diagnosis, STK_SLIGHT, "lower [token] sessions, or end what else uses the token",
            "all %lu sessions that the token allows are open", info->ulMaxSessionCount);
}

static void memory_text(CK_ULONG bytes, char ret_text[STK_DISK_TEXT])
{
    if (bytes == CK_UNAVAILABLE_INFORMATION)
        (void)snprintf(ret_text, STK_DISK_TEXT, "not told");
    else
        stk_disk_size_text(bytes, ret_text);
}

static void describe_memory(const CK_TOKEN_INFO *info, struct stk_diagnosis *diagnosis)
{
    char private_text[STK_DISK_TEXT] = "";
    char public_text[STK_DISK_TEXT] = "";

    memory_text(info->ulFreePrivateMemory, private_text);
    memory_text(info->ulFreePublicMemory, public_text);
    stk_diagnosis_fact(diagnosis, "free memory", "for private objects: %s; for public ones: %s",
                       private_text, public_text);
}

/* What the token says of its PIN, and what that means for the next start. */
static const struct {
    CK_FLAGS flag;
    const char *severity;
    const char *what;
    const char *cure;
} pin_flags[] = {
    {CKF_USER_PIN_LOCKED, STK_SEVERE, "the PIN is locked: the next start will find it so",
     "set the PIN anew with the security officer's (pkcs11-tool --init-pin), and the PIN file"},
    {CKF_USER_PIN_FINAL_TRY, STK_SEVERE,
     "one more wrong PIN locks the token: the next start will not try any",
     "log in once with the right PIN by hand (pkcs11-tool --login), then see that the PIN file has "
     "it"},
    {CKF_USER_PIN_COUNT_LOW, STK_SLIGHT, "a wrong PIN has been tried since the last good one",
     "find out who did; see that the PIN file has the right one"},
    {CKF_USER_PIN_TO_BE_CHANGED, STK_SLIGHT, "the token wants its PIN changed",
     "change it (pkcs11-tool --change-pin), write the new one into the PIN file, restart"},
};

static void describe_pin(const struct stk_token *token, CK_FLAGS flags,
                         struct stk_diagnosis *diagnosis)
{
    const char *said = "no flag is raised";

    for (size_t i = sizeof(pin_flags) / sizeof(pin_flags[0]); i > 0; i--)
        if ((flags & pin_flags[i - 1].flag) != 0)
            said = pin_flags[i - 1].what;
    stk_diagnosis_fact(diagnosis, "PIN", "%s", said);
    for (size_t i = 0; i < sizeof(pin_flags) / sizeof(pin_flags[0]); i++)
        if ((flags & pin_flags[i].flag) != 0)
            stk_diagnosis_trouble(diagnosis, pin_flags[i].severity, pin_flags[i].cure,
                                  "token \"%s\": %s", token->label, pin_flags[i].what);
}

static CK_RV describe_token(struct stk_token *token, struct stk_diagnosis *diagnosis)
{
    CK_TOKEN_INFO info = {0};
    char who[PADDED_MAX + 1] = "";
    CK_RV rv = CKR_OK;

    stk_call_begins(&token->custody);
    rv = stk_call_ended(&token->custody, token->p11->C_GetTokenInfo(token->slot, &info));
    if (rv != CKR_OK)
        return rv;
    stk_diagnosis_fact(diagnosis, "token", "%s, serial %s", token->label, token->serial);
    stk_diagnosis_fact(diagnosis, "model", "%s by %s, firmware %d.%d, hardware %d.%d", token->model,
                       padded(info.manufacturerID, sizeof(info.manufacturerID), who),
                       info.firmwareVersion.major, info.firmwareVersion.minor,
                       info.hardwareVersion.major, info.hardwareVersion.minor);
    stk_diagnosis_fact(diagnosis, "login", "logged in as the user");
    describe_pin(token, info.flags, diagnosis);
    describe_sessions(&info, diagnosis);
    describe_memory(&info, diagnosis);
    return rv;
}

/* ---- what was tried */

static void describe_ways(struct stk_token *token, struct stk_diagnosis *diagnosis)
{
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    char buffer[STK_CKR_TEXT] = "";
    CK_RV rv = stk_examine_generate(&token->custody, &key);

    stk_diagnosis_fact(diagnosis, "copies", "%s",
                       token->info.copies ? "session objects: tried, they work"
                                          : "the token makes none: tried");
    if (!token->info.copies)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT,
                              "nothing to mend; [token] sessions may be raised if signing is slow",
                              "the token copies no keys into sessions: signing uses token objects, "
                              "which is slower on many tokens");
    stk_diagnosis_fact(diagnosis, "sealed keys", "%s",
                       token->info.unwraps
                           ? "the token unwraps them (RSA-OAEP, then AES-KWP): tried"
                           : "the keeper unwraps them, with the token's RSA-OAEP: tried");
    if (rv == CKR_OK) {
        (void)stk_session_destroy(&token->custody, key);
        stk_diagnosis_fact(diagnosis, "key pairs", "the token generates P-256: tried");
    } else {
        stk_diagnosis_fact(diagnosis, "key pairs", "the token generates no P-256: tried, %s",
                           stk_ckr_name(rv, buffer));
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT, "import keys instead",
                              "stirkeep generate will not work: C_GenerateKeyPair: %s", buffer);
    }
}

static void describe_wrapping_key(struct stk_token *token, struct stk_diagnosis *diagnosis)
{
    struct stk_bytes spki = stk_token_wrapping_spki(token);
    uint8_t hash[STK_DIGEST_LENGTH] = {0};
    char id[2 * STK_DIGEST_LENGTH + 1] = "";

    stk_sha256(spki.data, spki.length, hash);
    stk_hex_encode(hash, sizeof(hash), id);
    stk_diagnosis_fact(diagnosis, "wrapping key", "RSA %zu, %s", token->wrapping_length * 8, id);
    if (!stk_wrapping_proves(token))
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "restart the service; keys sealed to it have to be sealed anew if it "
                              "is lost",
                              "the wrapping key does not decrypt: nothing can be imported");
}

enum stirkeep_status stk_token_examine(struct stk_token *token, uint64_t budget_us,
                                       struct stk_diagnosis *diagnosis, struct stk_error *error)
{
    enum stirkeep_status status = stk_custody_ready(token, error);
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_OK)
        return status;
    rv = describe_library(token, diagnosis);
    if (rv == CKR_OK)
        rv = describe_slot(token, diagnosis);
    if (rv == CKR_OK)
        rv = describe_token(token, diagnosis);
    if (rv == CKR_OK)
        rv = stk_examine_mechanisms(token, diagnosis);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "asking the token what it is", rv);
    describe_ways(token, diagnosis);
    describe_wrapping_key(token, diagnosis);
    stk_examine_audit_key(token, diagnosis);
    status = stk_examine_keys(token, budget_us / 2, diagnosis, error);
    if (status == STIRKEEP_OK)
        stk_examine_files(token, budget_us / 2, diagnosis);
    return status;
}
