/* SPDX-License-Identifier: BSD-2-Clause */
#include "codecs.h"
#include "fuzz.h"
#include "wire/structure.h"
#include <stdlib.h>
#include <string.h>

/*
 * One message of one protocol, without its frame; FUZZ_CODEC is its codec, so that each has a
 * target, and a corpus, of its own. What was decoded is encoded, decoded and encoded again, which
 * has to give the same bytes. And what is found well-formed is to protobuf-c, too, and means the same
 * to it: packed by it, both structures are the same bytes.
 */
#define UNTOUCHED 0xa5
#define ARENA ((size_t)4 * 1024 * 1024) /* any message's structures */

static void check_untouched(const struct codec *codec, const union decoded *value)
{
    const uint8_t *bytes = (const uint8_t *)value;

    for (size_t i = 0; i < codec->value_size; i++)
        FUZZ_CHECK(bytes[i] == UNTOUCHED || (codec->id_offset != NO_ID && i >= codec->id_offset &&
                                             i < codec->id_offset + sizeof(uint64_t)));
}

/* A batch of which all is refused has nothing to send on. */
static bool has_something(const struct codec *codec, const union decoded *value)
{
    if (codec != &codec_request || value->sign.request.kind != STK_REQUEST_BATCH)
        return true;
    for (size_t i = 0; i < value->sign.request.signing_count; i++)
        if (value->sign.request.signings[i].status == STIRKEEP_OK)
            return true;
    return false;
}

static struct stk_bytes unframed(const struct codec *codec, const struct stk_buffer *encoded)
{
    const size_t header = codec->framed ? STK_FRAME_HEADER : 0;

    FUZZ_CHECK(encoded->length >= header);
    return (struct stk_bytes){encoded->data == NULL ? NULL : encoded->data + header,
                              encoded->length - header};
}

static struct stk_buffer packed(const ProtobufCMessage *message)
{
    struct stk_buffer out = {0};

    out.length = protobuf_c_message_get_packed_size(message);
    out.data = malloc(out.length + 1);
    FUZZ_CHECK(out.data != NULL && protobuf_c_message_pack(message, out.data) == out.length);
    out.capacity = out.length + 1;
    return out;
}

static void check_structure(const ProtobufCMessageDescriptor *type, struct stk_bytes message)
{
    const ProtobufCMessage *ours = NULL;
    ProtobufCMessage *theirs = NULL;
    struct stk_buffer our_bytes = {0};
    struct stk_buffer their_bytes = {0};

    if (stk_scan_check(type, message, STK_UNKNOWN_REFUSED, NULL) != STIRKEEP_OK)
        return;
    theirs = protobuf_c_message_unpack(type, NULL, message.length, message.data);
    FUZZ_CHECK(theirs != NULL);
    ours = stk_structure_make(type, message, fuzz_arena(2, ARENA));
    FUZZ_CHECK(ours != NULL);
    our_bytes = packed(ours);
    their_bytes = packed(theirs);
    FUZZ_CHECK(fuzz_same(&our_bytes, &their_bytes));
    stk_buffer_free(&our_bytes);
    stk_buffer_free(&their_bytes);
    protobuf_c_message_free_unpacked(theirs, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct codec *codec = &FUZZ_CODEC;
    static union decoded value;
    static union decoded again;
    struct stk_buffer first = {0};
    struct stk_buffer second = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    check_structure(codec->type, (struct stk_bytes){data, size});
    memset(&value, UNTOUCHED, sizeof(value));
    status = codec->decode((struct stk_bytes){data, size}, fuzz_arena(0, STK_DECODE_ARENA_MAX),
                           &value, &error);
    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        check_untouched(codec, &value);
        return 0;
    }
    if (has_something(codec, &value) && codec->encode(&value, &first) == STIRKEEP_OK) {
        FUZZ_OK(codec->decode(unframed(codec, &first), fuzz_arena(1, STK_DECODE_ARENA_MAX), &again,
                              &error),
                &error);
        FUZZ_CHECK(codec->encode(&again, &second) == STIRKEEP_OK);
        FUZZ_CHECK(fuzz_same(&first, &second));
    }
    stk_buffer_free(&first);
    stk_buffer_free(&second);
    return 0;
}
