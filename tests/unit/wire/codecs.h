/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_WIRE_CODECS_H
#define TEST_WIRE_CODECS_H

#include "base/arena.h"
#include "wire/codec_admin.h"
#include "wire/codec_order.h"
#include "wire/codec_sign.h"
#include "wire/scan.h"

/* All decoders behind one face, so that what must hold for each is tested on each. */

/* Room for what any of them returns. */
union decoded {
    struct {
        struct stk_request request;
        struct stk_request_sketch sketch;
    } sign;
    struct stk_response response;
    struct stk_admin_request admin_request;
    struct stk_admin_response admin_response;
    struct {
        struct stk_front_orders orders;
        struct stk_answer bad[STK_BATCH_MAX];
        size_t bad_count;
    } orders;
    struct {
        struct stk_answer *answers;
        size_t count;
    } answers;
    struct stk_custody_order custody_order;
    struct stk_custody_answer custody_answer;
    struct stk_catalog_push push;
    struct stk_front_report report;
};

#define NO_ID ((size_t)-1)

struct codec {
    const ProtobufCMessageDescriptor *type;
    bool framed;
    enum stk_unknown unknown;
    size_t id_offset;  /* where the id is that a failure may set, or NO_ID */
    size_t value_size; /* what must stay untouched on failure, the id aside */
    enum stirkeep_status (*decode)(struct stk_bytes message, struct stk_arena *arena,
                                   union decoded *ret_value, struct stk_error *error);
    enum stirkeep_status (*encode)(const union decoded *value, struct stk_buffer *out);
};

extern const struct codec codec_request;
extern const struct codec codec_response;
extern const struct codec codec_admin_request;
extern const struct codec codec_admin_response;
extern const struct codec codec_front_orders;
extern const struct codec codec_answers;
extern const struct codec codec_custody_order;
extern const struct codec codec_custody_answer;
extern const struct codec codec_push;
extern const struct codec codec_report;

#endif
