/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_DIAGNOSIS_H
#define STK_MODEL_DIAGNOSIS_H

#include "base/arena.h"

/* What an examination of the service and its token finds. The texts belong to whoever filled it in;
 * none is NULL. */

#define STK_FACTS_MAX 64
#define STK_TROUBLES_MAX 64
#define STK_DIAGNOSIS_TEXT_MAX 512 /* one text, without its end */

struct stk_fact {
    const char *name;
    const char *value;
};

struct stk_trouble {
    const char *severity; /* "error": something does not work; "warning" */
    const char *what;
    const char *cure;
};

#define STK_SEVERE "error"
#define STK_SLIGHT "warning"

/*
 * A diagnosis that is being put together, its texts in `arena`. What finds no room is left out; the
 * last fact and the last trouble that fit say so. One thread.
 */
struct stk_diagnosis {
    struct stk_arena *arena;
    struct stk_fact facts[STK_FACTS_MAX];
    size_t fact_count;
    struct stk_trouble troubles[STK_TROUBLES_MAX];
    size_t trouble_count;
};

/* Texts are cut at STK_DIAGNOSIS_TEXT_MAX, control characters become '?'. */
void stk_diagnosis_fact(struct stk_diagnosis *diagnosis, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* `severity` is STK_SEVERE or STK_SLIGHT. */
void stk_diagnosis_trouble(struct stk_diagnosis *diagnosis, const char *severity, const char *cure,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * As a fact called `what`: the path of a file or directory, its file system, and how much room is
 * left there; as a trouble, that it is (nearly) full or read-only.
 */
void stk_diagnosis_disk(struct stk_diagnosis *diagnosis, const char *what, const char *path);

#endif
