/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stirkeep/status.h>

static const struct {
    const char *name;
    const char *text;
} statuses[STIRKEEP_STATUS_COUNT] = {
    [STIRKEEP_OK] = {"ok", "done"},
    [STIRKEEP_INVALID] = {"invalid", "a value in the request is not allowed"},
    [STIRKEEP_MALFORMED] = {"malformed", "not a message of the protocol"},
    [STIRKEEP_TOO_LARGE] = {"too-large", "larger than the limit"},
    [STIRKEEP_NOT_PERMITTED] = {"not-permitted", "no grant allows this"},
    [STIRKEEP_UNKNOWN_NAME] = {"unknown-name", "no certificate of that name"},
    [STIRKEEP_NOT_ACTIVE] = {"not-active", "the certificate of that name does not sign"},
    [STIRKEEP_CERT_NOT_YET_VALID] = {"cert-not-yet-valid", "the certificate is not yet valid"},
    [STIRKEEP_CERT_EXPIRED] = {"cert-expired", "the certificate has expired"},
    [STIRKEEP_KEY_TYPE] = {"key-type", "the key is not a P-256 key"},
    [STIRKEEP_KEY_MISMATCH] = {"key-mismatch", "key and certificate do not belong together"},
    [STIRKEEP_CERT_INVALID] = {"cert-invalid", "the certificate is not fit for STIR/SHAKEN"},
    [STIRKEEP_KEY_UNREADABLE] = {"key-unreadable", "the private key cannot be read"},
    [STIRKEEP_CONFLICT] = {"conflict", "clashes with what is held already"},
    [STIRKEEP_UNAVAILABLE] = {"unavailable", "a part of the service is starting, try again"},
    [STIRKEEP_TOKEN_LOCKED] = {"token-locked", "the token refused the PIN"},
    [STIRKEEP_TOKEN_ERROR] = {"token-error", "the token failed"},
    [STIRKEEP_KEY_UNAVAILABLE] = {"key-unavailable", "the key is not on the token"},
    [STIRKEEP_OVERLOADED] = {"overloaded", "too many requests in flight"},
    [STIRKEEP_DEADLINE] = {"deadline", "the request's time was up"},
    [STIRKEEP_AUDIT_UNAVAILABLE] = {"audit-unavailable", "the audit trail cannot be written"},
    [STIRKEEP_STORAGE] = {"storage", "the service's storage failed"},
    [STIRKEEP_IO] = {"io", "reading or writing failed"},
    [STIRKEEP_NO_MEMORY] = {"no-memory", "out of memory"},
    [STIRKEEP_TIMEOUT] = {"timeout", "no answer in time"},
    [STIRKEEP_NOT_CONNECTED] = {"not-connected", "nobody answers at the socket"},
    [STIRKEEP_CONFIG] = {"config", "the configuration is not usable"},
    [STIRKEEP_UNSUPPORTED] = {"unsupported", "not supported"},
    [STIRKEEP_INTERNAL] = {"internal", "a fault of the service's own"},
    [STIRKEEP_SOURCE_UNSAFE] = {"source-unsafe", "the file may not be removed safely"},
    [STIRKEEP_BUSY] = {"busy", "somebody else is changing the same thing"},
    [STIRKEEP_NOT_VERIFIED] = {"not-verified", "it does not verify"},
    [STIRKEEP_RATE_LIMITED] = {"rate-limited", "past the allowed rate"},
};

const char *stirkeep_status_name(enum stirkeep_status status)
{
    if ((unsigned)status >= STIRKEEP_STATUS_COUNT || statuses[status].name == NULL)
        return "unknown";
    return statuses[status].name;
}

const char *stirkeep_status_text(enum stirkeep_status status)
{
    if ((unsigned)status >= STIRKEEP_STATUS_COUNT || statuses[status].text == NULL)
        return "unknown status";
    return statuses[status].text;
}
