/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_CLI_FAKE_ADMIN_H
#define STK_TEST_CLI_FAKE_ADMIN_H

#include "../client/fake.h"
#include "wire/codec_admin.h"
#include <stdbool.h>

/* The administrators' side of the fake service, for plays. */

/* The next request; false at the end. Its texts live until the next one. */
bool fake_admin_request(struct fake *fake, int fd, struct stk_admin_request *ret_request);
void fake_admin_answer(int fd, const struct stk_admin_response *response);
void fake_admin_refuse(int fd, uint64_t id, enum stirkeep_status status, const char *message);

#endif
