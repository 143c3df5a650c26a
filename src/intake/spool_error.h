/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_SPOOL_ERROR_H
#define STK_INTAKE_SPOOL_ERROR_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

/* error.txt: what an uploader is told, in the upload's directory. */

enum stk_spool_outcome {
    STK_SPOOL_REFUSED,  /* until something in the directory is changed */
    STK_SPOOL_LASTING,  /* it goes on trying */
    STK_SPOOL_IMPORTED, /* but could not be removed; until something is changed */
    STK_SPOOL_MISNAMED  /* the directory's name is no certificate's */
};

/* Write it, in one step. `state` is that of the directory; false with errno. */
bool stk_spool_error_write(int directory, const char *name, enum stk_spool_outcome outcome,
                           const struct stk_error *error, const uint8_t state[STK_DIGEST_LENGTH],
                           int64_t now);

/* The state that was refused, as error.txt has it; false when there is none that says so. */
bool stk_spool_error_read(int directory, uint8_t ret_state[STK_DIGEST_LENGTH]);

#endif
