/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/proof_search.h"

static bool fits(const struct stk_proof_question *question, const struct stk_verified *record)
{
    struct stk_fields fields = {0};

    if (question->sequence != 0 && question->sequence != record->sequence)
        return false;
    return stk_fields_read(record->line, &fields) &&
           stk_trail_filter_takes(&question->filter, &fields) &&
           (question->sig == NULL || stk_fields_equal(fields.sig, question->sig));
}

static enum stirkeep_status keep(struct stk_proof_search *search, const struct stk_verified *record)
{
    struct stk_found *found = &search->found[search->kept];

    search->count++;
    if (search->kept == STK_FOUND_MAX)
        return STIRKEEP_OK;
    found->sequence = record->sequence;
    search->kept++;
    return stk_buffer_add(&found->line, record->line.data, record->line.length);
}

static enum stirkeep_status prove(struct stk_found *found, struct stk_verifier *verifier,
                                  const struct stk_verified *record)
{
    if (found->state != STK_FOUND_UNSEALED || found->sequence > record->seal->through)
        return STIRKEEP_OK;
    if (found->sequence < record->seal->from) {
        found->state = STK_FOUND_CHAINED;
    } else if (!stk_verifier_path(verifier, found->sequence, &found->path)) {
        found->state = STK_FOUND_PARTLY;
    } else {
        found->state = STK_FOUND_PROVEN;
        return stk_buffer_add(&found->seal_line, record->line.data, record->line.length);
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_proof_search_each(void *context, struct stk_verifier *verifier,
                                           const struct stk_verified *record,
                                           struct stk_error *error)
{
    struct stk_proof_search *search = context;
    enum stirkeep_status status = STIRKEEP_OK;

    if (fits(search->question, record))
        status = keep(search, record);
    for (size_t i = 0; record->seal != NULL && i < search->kept && status == STIRKEEP_OK; i++)
        status = prove(&search->found[i], verifier, record);
    return status == STIRKEEP_OK ? status : stk_error_set(error, status, "out of memory");
}

void stk_proof_search_free(struct stk_proof_search *search)
{
    for (size_t i = 0; i < search->kept; i++) {
        stk_buffer_free(&search->found[i].line);
        stk_buffer_free(&search->found[i].seal_line);
    }
}
