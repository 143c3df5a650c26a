/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/dn.h"

#include "cert/der.h"
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define OID_TEXT_MAX 64
#define SHOWN 32 /* characters of the text that a message repeats */

/* One attribute of an RDN, read. */
struct attribute {
    ASN1_OBJECT *type;
    char type_text[OID_TEXT_MAX + 1];
    uint8_t value[STK_DN_TEXT_MAX];
    size_t length;
    int string_type; /* given in hex: V_ASN1_...; else 0 */
};

static enum stirkeep_status broken(struct stk_error *error, const char *at, const char *why)
{
    return stk_error_set(error, STIRKEEP_INVALID, "subject: %s at \"%.*s%s\"", why, SHOWN, at,
                         strlen(at) > SHOWN ? "..." : "");
}

/* UTF-8 without control characters (C0, DEL, C1); `*ret_why` says what else it is. */
static bool is_text(const uint8_t *data, size_t length, const char **ret_why)
{
    while (length > 0) {
        unsigned long character = 0;
        int used = UTF8_getc(data, (int)length, &character);

        if (used <= 0) {
            *ret_why = "not UTF-8";
            return false;
        }
        if (character < 0x20 || (character >= 0x7f && character < 0xa0)) {
            *ret_why = "a control character";
            return false;
        }
        data += used;
        length -= (size_t)used;
    }
    return true;
}

/* ---- attribute types */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static ASN1_OBJECT *type_of(const char *text)
{
    static const struct {
        const char *name;
        int kind;
    } known[] = {
        {"CN", NID_commonName},
        {"O", NID_organizationName},
        {"OU", NID_organizationalUnitName},
        {"L", NID_localityName},
        {"ST", NID_stateOrProvinceName},
        {"C", NID_countryName},
        {"STREET", NID_streetAddress},
        {"DC", NID_domainComponent},
        {"UID", NID_userId},
        {"serialNumber", NID_serialNumber},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcasecmp(text, known[i].name) == 0)
            return OBJ_dup(OBJ_nid2obj(known[i].kind));
    return is_digit(text[0]) ? OBJ_txt2obj(text, 1) : NULL;
}

/* RFC 4512 section 1.4: numbers without leading zeros, at least two. */
static bool is_numericoid(const char *text)
{
    size_t dots = 0;

    for (;;) {
        size_t digits = strspn(text, "0123456789");

        if (digits == 0 || (digits > 1 && text[0] == '0'))
            return false;
        text += digits;
        if (*text == '\0')
            return dots > 0;
        if (*text++ != '.')
            return false;
        dots++;
    }
}

static enum stirkeep_status read_type(const char **at, struct attribute *attribute,
                                      struct stk_error *error)
{
    const char *begin = *at + strspn(*at, " ");
    const char *end = begin;
    size_t length = 0;

    while (is_letter(*end) || is_digit(*end) || *end == '.' || *end == '-')
        end++;
    length = (size_t)(end - begin);
    if (length == 0 || *end != '=')
        return broken(error, begin, "no attribute type followed by '='");
    if (length > OID_TEXT_MAX)
        return broken(error, begin, "an attribute type that is too long");
    memcpy(attribute->type_text, begin, length);
    if (!is_digit(begin[0]) || is_numericoid(attribute->type_text))
        attribute->type = type_of(attribute->type_text);
    ERR_clear_error();
    if (attribute->type == NULL)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "subject: attribute type \"%s\" is not known (CN, O, OU, L, ST, C, "
                             "STREET, DC, UID, serialNumber or a dotted OID)",
                             attribute->type_text);
    *at = end + 1;
    return STIRKEEP_OK;
}

/* ---- values */

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hexpair(const char *at, uint8_t *ret_byte)
{
    int high = hex_digit(at[0]);
    int low = high < 0 ? -1 : hex_digit(at[1]);

    if (low < 0)
        return false;
    *ret_byte = (uint8_t)(high << 4 | low);
    return true;
}

static enum stirkeep_status read_hexstring(const char **at, struct attribute *attribute,
                                           struct stk_error *error)
{
    const char *begin = *at;
    struct stk_bytes der = {attribute->value, 0};
    struct stk_bytes contents = {0};
    uint8_t tag = 0;

    for (*at += 1; read_hexpair(*at, &attribute->value[der.length]); *at += 2)
        der.length++;
    if (**at != '\0' && **at != ',' && **at != '+')
        return broken(error, begin, "not pairs of hex digits");
    if (!stk_der_next(&der, &tag, &contents, NULL) || der.length > 0)
        return broken(error, begin, "not the DER of one value");
    if (tag != V_ASN1_UTF8STRING && tag != V_ASN1_PRINTABLESTRING && tag != V_ASN1_IA5STRING)
        return broken(error, begin, "not a UTF8String, PrintableString or IA5String");
    memmove(attribute->value, contents.data, contents.length);
    attribute->length = contents.length;
    attribute->string_type = tag;
    return STIRKEEP_OK;
}

/* One character or escape of a string; `at` is on it. */
static enum stirkeep_status read_character(const char **at, uint8_t *ret_byte,
                                           struct stk_error *error)
{
    const char *begin = *at;

    if (*begin != '\\') {
        if (strchr("\";<>", *begin) != NULL)
            return broken(error, begin, "a character that has to be escaped");
        *ret_byte = (uint8_t)*begin;
        *at += 1;
        return STIRKEEP_OK;
    }
    if (begin[1] != '\0' && strchr("\\\"+,;<> #=", begin[1]) != NULL) {
        *ret_byte = (uint8_t)begin[1];
        *at += 2;
        return STIRKEEP_OK;
    }
    if (!read_hexpair(begin + 1, ret_byte))
        return broken(error, begin, "an escape that is none");
    *at += 3;
    return STIRKEEP_OK;
}

static enum stirkeep_status read_string(const char **at, struct attribute *attribute,
                                        struct stk_error *error)
{
    const char *begin = *at;
    enum stirkeep_status status = STIRKEEP_OK;

    if (*begin == ' ')
        return broken(error, begin, "a value begins with a space that is not escaped");
    while (status == STIRKEEP_OK && **at != '\0' && **at != ',' && **at != '+') {
        bool space = **at == ' ';

        status = read_character(at, &attribute->value[attribute->length++], error);
        if (status == STIRKEEP_OK && space && (**at == '\0' || **at == ',' || **at == '+'))
            status = broken(error, begin, "a value ends in a space that is not escaped");
    }
    return status;
}

static enum stirkeep_status read_value(const char **at, struct attribute *attribute,
                                       struct stk_error *error)
{
    const char *why = NULL;
    enum stirkeep_status status =
        **at == '#' ? read_hexstring(at, attribute, error) : read_string(at, attribute, error);

    if (status != STIRKEEP_OK)
        return status;
    if (attribute->length == 0)
        why = "empty";
    else if (is_text(attribute->value, attribute->length, &why))
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_INVALID, "subject: the value of %s is or has %s",
                         attribute->type_text, why);
}

/* ---- the name */

/* Is the attribute type in the RDN that is first in the name? */
static bool is_twice(const X509_NAME *name, const struct attribute *attribute)
{
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

        if (X509_NAME_ENTRY_set(entry) != 0)
            return false;
        if (OBJ_cmp(X509_NAME_ENTRY_get_object(entry), attribute->type) == 0)
            return true;
    }
    return false;
}

static enum stirkeep_status add(X509_NAME *name, const struct attribute *attribute, bool joined,
                                struct stk_error *error)
{
    const char *why = NULL;
    /* Given in hex, it has to keep to the lengths and characters of its type all the same. */
    X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_OBJ(
        NULL, attribute->type, MBSTRING_UTF8, attribute->value, (int)attribute->length);
    bool added = entry != NULL;

    if (added && attribute->string_type != 0)
        added = X509_NAME_ENTRY_set_data(entry, attribute->string_type, attribute->value,
                                         (int)attribute->length) == 1;
    added = added && X509_NAME_add_entry(name, entry, 0, joined ? 1 : 0) == 1;
    X509_NAME_ENTRY_free(entry);
    why = added ? NULL : ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return added ? STIRKEEP_OK
                 : stk_error_set(error, STIRKEEP_INVALID,
                                 "subject: the value of %s is not one that X.520 allows: %s",
                                 attribute->type_text, why == NULL ? "out of memory" : why);
}

static enum stirkeep_status read_attribute(const char **at, X509_NAME *name, bool joined,
                                           struct stk_error *error)
{
    struct attribute attribute = {0};
    enum stirkeep_status status = read_type(at, &attribute, error);

    if (status == STIRKEEP_OK)
        status = read_value(at, &attribute, error);
    if (status == STIRKEEP_OK && joined && is_twice(name, &attribute))
        status = stk_error_set(error, STIRKEEP_INVALID, "subject: one RDN has %s twice",
                               attribute.type_text);
    if (status == STIRKEEP_OK)
        status = add(name, &attribute, joined, error);
    ASN1_OBJECT_free(attribute.type);
    return status;
}

enum stirkeep_status stk_dn_read(const char *text, X509_NAME **ret_name, struct stk_error *error)
{
    size_t length = strlen(text);
    const char *at = text;
    const char *why = NULL;
    X509_NAME *name = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (length > STK_DN_TEXT_MAX)
        return stk_error_set(error, STIRKEEP_INVALID, "subject: %zu bytes (at most %d are allowed)",
                             length, STK_DN_TEXT_MAX);
    if (!is_text((const uint8_t *)text, length, &why))
        return stk_error_set(error, STIRKEEP_INVALID, "subject: is or has %s", why);
    name = X509_NAME_new();
    if (name == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "subject: out of memory");
    status = read_attribute(&at, name, false, error);
    while (status == STIRKEEP_OK && *at != '\0') {
        bool joined = *at++ == '+';

        status = read_attribute(&at, name, joined, error);
    }
    if (status != STIRKEEP_OK) {
        X509_NAME_free(name);
        return status;
    }
    *ret_name = name;
    return STIRKEEP_OK;
}
