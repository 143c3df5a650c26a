/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/constraints.h"

#include "cert/claim_list.h"
#include "cert/der.h"
#include "cert/tnauthlist.h"
#include <stdio.h>
#include <string.h>

/* id-pe (RFC 5280 section 4.2.2): 1.3.6.1.5.5.7.1, as in an OBJECT IDENTIFIER's contents. */
static const uint8_t id_pe[] = {0x2b, 6, 1, 5, 5, 7, 1};
enum { TN_AUTH_LIST = 26, CLAIM_CONSTRAINTS = 27, ENHANCED_CLAIM_CONSTRAINTS = 33 };

/* Of an extension of that number under id-pe: how often it is there, and its (last) value. */
struct extension {
    unsigned count;
    struct stk_bytes value;
};

static enum stirkeep_status not_der(struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_CERT_INVALID, "certificate: not well-formed DER");
}

/* The Extensions of a certificate; empty when it has none. False: not DER. */
static bool find_extensions(struct stk_bytes certificate, struct stk_bytes *ret_extensions)
{
    struct stk_bytes outer = {0};
    struct stk_bytes parts = {0};
    struct stk_bytes tagged = {0};

    if (!stk_der_only(certificate, STK_DER_SEQUENCE, &outer) ||
        !stk_der_take(&outer, STK_DER_SEQUENCE, &parts))
        return false;
    while (parts.length > 0) {
        if (stk_der_peek(&parts) == STK_DER_CONSTRUCTED(3))
            return stk_der_only(parts, STK_DER_CONSTRUCTED(3), &tagged) &&
                   stk_der_only(tagged, STK_DER_SEQUENCE, ret_extensions);
        if (!stk_der_next(&parts, NULL, NULL, NULL))
            return false;
    }
    return true;
}

static bool take_extension(struct stk_bytes *extensions, struct stk_bytes *ret_oid,
                           struct stk_bytes *ret_value)
{
    struct stk_bytes one = {0};
    struct stk_bytes critical = {0};

    return stk_der_take(extensions, STK_DER_SEQUENCE, &one) &&
           stk_der_take(&one, STK_DER_OID, ret_oid) &&
           (stk_der_peek(&one) != STK_DER_BOOLEAN ||
            stk_der_take(&one, STK_DER_BOOLEAN, &critical)) &&
           stk_der_only(one, STK_DER_OCTET_STRING, ret_value);
}

static bool find_extension(struct stk_bytes certificate, uint8_t number,
                           struct extension *ret_extension)
{
    struct stk_bytes extensions = {0};

    *ret_extension = (struct extension){0};
    if (!find_extensions(certificate, &extensions))
        return false;
    while (extensions.length > 0) {
        struct stk_bytes oid = {0};
        struct stk_bytes value = {0};

        if (!take_extension(&extensions, &oid, &value))
            return false;
        if (oid.length != sizeof(id_pe) + 1 || memcmp(oid.data, id_pe, sizeof(id_pe)) != 0 ||
            oid.data[sizeof(id_pe)] != number)
            continue;
        ret_extension->count++;
        ret_extension->value = value;
    }
    return true;
}

static enum stirkeep_status twice(const char *name, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_CERT_INVALID, "%s: given twice", name);
}

/* ---- numbers */

static enum stirkeep_status add_range(const struct stk_tnauth_entry *entry, size_t number,
                                      struct stk_number_range *ret_range, struct stk_error *error)
{
    char field[48] = "";
    struct stk_error inner = {0};

    if (entry->kind == STK_TNAUTH_ONE) {
        ret_range->first = ret_range->last = stk_number_key(entry->text);
        return STIRKEEP_OK;
    }
    (void)snprintf(field, sizeof(field), "TNAuthList entry %zu", number);
    if (stk_number_run(entry->text, entry->count, field, ret_range, &inner) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "%s", inner.message);
    return STIRKEEP_OK;
}

static enum stirkeep_status add_ranges(const struct stk_tnauthlist *list, size_t room,
                                       struct stk_arena *arena, struct stk_constraints *constraints,
                                       struct stk_error *error)
{
    struct stk_number_range *ranges = stk_arena_take(arena, room * sizeof(*ranges));
    size_t count = 0;

    if (ranges == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "TNAuthList: no room for it");
    for (size_t i = 0; i < list->count; i++) {
        enum stirkeep_status status = STIRKEEP_OK;

        if (list->entries[i].kind == STK_TNAUTH_SPC)
            continue;
        status = add_range(&list->entries[i], i + 1, &ranges[count++], error);
        if (status != STIRKEEP_OK)
            return status;
    }
    constraints->numbers_only = true;
    constraints->ranges = ranges;
    constraints->range_count = stk_number_ranges_normalise(ranges, count);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_constraints_take_numbers(struct stk_bytes certificate,
                                                  struct stk_arena *arena,
                                                  struct stk_constraints *constraints,
                                                  struct stk_error *error)
{
    struct extension extension = {0};
    struct stk_tnauthlist list = {0};
    size_t numbers = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!find_extension(certificate, TN_AUTH_LIST, &extension))
        return not_der(error);
    if (extension.count == 0)
        return STIRKEEP_OK;
    if (extension.count > 1)
        return twice("TNAuthList", error);
    status = stk_tnauthlist_parse(extension.value, &list, error);
    if (status != STIRKEEP_OK)
        return status;
    for (size_t i = 0; i < list.count; i++)
        numbers += list.entries[i].kind != STK_TNAUTH_SPC ? 1 : 0;
    if (numbers > 0)
        status = add_ranges(&list, numbers, arena, constraints, error);
    stk_tnauthlist_free(&list);
    return status;
}

/* ---- claims */

enum stirkeep_status stk_constraints_take_claims(struct stk_bytes certificate,
                                                 struct stk_arena *arena,
                                                 struct stk_constraints *constraints,
                                                 struct stk_error *error)
{
    struct extension plain = {0};
    struct extension enhanced = {0};

    if (!find_extension(certificate, CLAIM_CONSTRAINTS, &plain) ||
        !find_extension(certificate, ENHANCED_CLAIM_CONSTRAINTS, &enhanced))
        return not_der(error);
    if (plain.count > 1)
        return twice("JWTClaimConstraints", error);
    if (enhanced.count > 1)
        return twice("EnhancedJWTClaimConstraints", error);
    if (plain.count > 0 && enhanced.count > 0)
        return stk_error_set(error, STIRKEEP_CERT_INVALID,
                             "JWTClaimConstraints and EnhancedJWTClaimConstraints: a certificate "
                             "has one of them at most");
    if (plain.count == 0 && enhanced.count == 0)
        return STIRKEEP_OK;
    return stk_claim_lists_read(plain.count > 0 ? plain.value : enhanced.value, enhanced.count > 0,
                                arena, constraints, error);
}

enum stirkeep_status stk_der_constraints(struct stk_bytes certificate, struct stk_arena *arena,
                                         struct stk_constraints *ret_constraints,
                                         struct stk_error *error)
{
    struct stk_constraints constraints = {0};
    enum stirkeep_status status =
        stk_constraints_take_numbers(certificate, arena, &constraints, error);

    if (status == STIRKEEP_OK)
        status = stk_constraints_take_claims(certificate, arena, &constraints, error);
    if (status == STIRKEEP_OK)
        *ret_constraints = constraints;
    return status;
}

enum stirkeep_status stk_chain_constraints(const struct stk_chain *chain, struct stk_arena *arena,
                                           struct stk_constraints *ret_constraints,
                                           struct stk_error *error)
{
    return stk_der_constraints(stk_chain_der(chain, 0), arena, ret_constraints, error);
}
