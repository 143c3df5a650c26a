/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_BATCH_H
#define STK_FRONT_BATCH_H

#include "wire/codec_sign.h"

/*
 * A request for several signatures under way: results are gathered in the order of the request, and
 * answered at once when the last one is in. Each order that is part of it holds it; so it lives on
 * when the client has left, until the last of them is released. One thread.
 */
struct stk_batch {
    uint64_t request_id;
    uint64_t connection_serial; /* whose it is: a connection's place and serial number */
    uint32_t connection;
    uint32_t held;   /* orders that have no result yet */
    uint32_t sent;   /* orders there were */
    size_t promised; /* bytes that their answers take at most */
    bool whole;
    uint32_t count;
    char *texts[STK_SIGNINGS_MAX]; /* owned: what the results refer to */
    struct stk_response_result results[];
};

/* Room for `count` results; NULL: out of memory. */
struct stk_batch *stk_batch_new(size_t count, bool whole);
void stk_batch_free(struct stk_batch *batch);

/* Keep a copy of one result, but for its `attest`, which is not copied. Without memory for it the
 * result is NO_MEMORY. */
void stk_batch_put(struct stk_batch *batch, size_t place, const struct stk_response_result *result);

/* Append the answer. That to a whole one with a failure in it is its first failure, which names the
 * place ("sign[2]: ..."). As the encoders of wire/codec_sign.h. */
enum stirkeep_status stk_batch_encode(const struct stk_batch *batch, struct stk_buffer *out);

/* "sign[2]: reason", as a message. */
void stk_batch_reason(size_t place, const char *reason, char ret_text[STK_ERROR_MAX]);

#endif
