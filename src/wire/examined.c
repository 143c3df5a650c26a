/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/examined.h"

#include "wire/pack.h"
#include "wire/unpack.h"

#include "admin.pb-c.h"

enum { FACTS = 1, TROUBLES = 2 };

static enum stirkeep_status append(uint32_t number, const ProtobufCMessage *message,
                                   struct stk_buffer *out)
{
    size_t mark = out->length;
    enum stirkeep_status status = stk_pack_scrubbed(message, out);

    return status == STIRKEEP_OK ? stk_pack_close(number, mark, out) : status;
}

static enum stirkeep_status append_fact(const struct stk_fact *fact, struct stk_buffer *out)
{
    Stirkeep__V1__Fact message = STIRKEEP__V1__FACT__INIT;

    message.name = stk_pack_text(fact->name);
    message.value = stk_pack_text(fact->value);
    return append(FACTS, &message.base, out);
}

static enum stirkeep_status append_trouble(const struct stk_trouble *trouble,
                                           struct stk_buffer *out)
{
    Stirkeep__V1__Trouble message = STIRKEEP__V1__TROUBLE__INIT;

    message.severity = stk_pack_text(trouble->severity);
    message.what = stk_pack_text(trouble->what);
    message.cure = stk_pack_text(trouble->cure);
    return append(TROUBLES, &message.base, out);
}

enum stirkeep_status stk_examined_append(const struct stk_fact *facts, size_t fact_count,
                                         const struct stk_trouble *troubles, size_t trouble_count,
                                         struct stk_buffer *out)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < fact_count && status == STIRKEEP_OK; i++)
        status = append_fact(&facts[i], out);
    for (size_t i = 0; i < trouble_count && status == STIRKEEP_OK; i++)
        status = append_trouble(&troubles[i], out);
    return status;
}

enum stirkeep_status stk_examined_room(size_t fact_count, size_t trouble_count,
                                       struct stk_arena *arena, struct stk_examined *ret_examined,
                                       struct stk_error *error)
{
    struct stk_examined examined = {.fact_count = fact_count, .trouble_count = trouble_count};

    if (fact_count > STK_FACTS_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "facts: more than %d", STK_FACTS_MAX);
    if (trouble_count > STK_TROUBLES_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "troubles: more than %d", STK_TROUBLES_MAX);
    examined.facts = stk_arena_take(arena, fact_count * sizeof(*examined.facts));
    examined.troubles = stk_arena_take(arena, trouble_count * sizeof(*examined.troubles));
    if (examined.facts == NULL || examined.troubles == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "diagnosis: takes too much memory");
    *ret_examined = examined;
    return STIRKEEP_OK;
}

static enum stirkeep_status check_trouble(const struct stk_trouble *trouble,
                                          struct stk_error *error)
{
    enum stirkeep_status status =
        stk_take_text(trouble->severity, "troubles.severity", STK_DIAGNOSIS_TEXT_MAX, error);

    if (status == STIRKEEP_OK)
        status = stk_take_text(trouble->what, "troubles.what", STK_DIAGNOSIS_TEXT_MAX, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(trouble->cure, "troubles.cure", STK_DIAGNOSIS_TEXT_MAX, error);
    return status;
}

enum stirkeep_status stk_examined_check(const struct stk_examined *examined,
                                        struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < examined->fact_count && status == STIRKEEP_OK; i++) {
        const struct stk_fact *fact = &examined->facts[i];

        status = stk_take_text(fact->name, "facts.name", STK_DIAGNOSIS_TEXT_MAX, error);
        if (status == STIRKEEP_OK)
            status = stk_take_text(fact->value, "facts.value", STK_DIAGNOSIS_TEXT_MAX, error);
    }
    for (size_t i = 0; i < examined->trouble_count && status == STIRKEEP_OK; i++)
        status = check_trouble(&examined->troubles[i], error);
    return status;
}
