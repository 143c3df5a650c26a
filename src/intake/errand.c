/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/errand.h"

#include <stdlib.h>

void *stk_errand_new(struct stk_errand_list *errands, size_t size, void (*drop)(void *errand))
{
    struct stk_errand *errand = calloc(1, size);

    if (errand == NULL)
        return NULL;
    errand->drop = drop;
    LIST_INSERT_HEAD(errands, errand, entry);
    return errand;
}

void stk_errand_end(void *errand)
{
    struct stk_errand *self = errand;

    if (self == NULL)
        return;
    LIST_REMOVE(self, entry);
    if (self->drop != NULL)
        self->drop(self);
    free(self);
}

void stk_errands_end(struct stk_errand_list *errands)
{
    while (!LIST_EMPTY(errands))
        stk_errand_end(LIST_FIRST(errands));
}
