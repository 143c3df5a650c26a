/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/number_key.h"

#include "base/file.h"

enum stirkeep_status stk_number_key_read(const char *path, struct stk_number_key *ret_key,
                                         struct stk_error *error)
{
    struct stk_buffer data = {0};
    enum stirkeep_status status = stk_file_read(path, STK_NUMBER_KEY_MAX, &data, error);

    if (status == STIRKEEP_OK) {
        status = stk_number_key_make(data.data, data.length, ret_key, error);
        if (status != STIRKEEP_OK)
            (void)stk_error_prefix(error, path);
    }
    stk_buffer_free(&data);
    return status;
}
