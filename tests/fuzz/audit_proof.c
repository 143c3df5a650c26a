/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/proof.h"
#include "audit/verify.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A proof: what was read, written and read again is the same, and as good. Anything that does not
 * begin like one as a witness file. */

#define BEGIN "{\"stirkeep"

/* The generator of P-256, whose key (1) is anybody's. */
static const uint8_t keys[1][STK_SPKI_LENGTH] = {
    {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
     0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1,
     0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
     0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe,
     0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b,
     0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5}};

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

static enum stirkeep_status check(const struct stk_proof *proof)
{
    struct stk_error error = {0};
    enum stirkeep_status status = stk_proof_check(proof, keys, 1, "proof.json", &error);

    FUZZ_CHECK(status == STIRKEEP_OK || status == STIRKEEP_NOT_VERIFIED);
    if (status != STIRKEEP_OK)
        fuzz_refusal(status, &error);
    return status;
}

static void check_written(const struct stk_proof *proof)
{
    struct stk_buffer out = {0};
    struct stk_proof again = {.sequence = 0};
    struct stk_error error = {0};

    if (stk_proof_write(view(&proof->record), &proof->path, view(&proof->seal_line), &out) ==
        STIRKEEP_OK) {
        FUZZ_OK(stk_proof_read(out.data, out.length, "again", &again, &error), &error);
        FUZZ_CHECK(fuzz_same(&again.record, &proof->record));
        FUZZ_CHECK(fuzz_same(&again.seal_line, &proof->seal_line));
        FUZZ_CHECK(check(&again) == check(proof));
        FUZZ_CHECK(again.sequence == proof->sequence && again.path.count == proof->path.count);
        FUZZ_CHECK(memcmp(again.path.hashes, proof->path.hashes,
                          again.path.count * sizeof(again.path.hashes[0])) == 0);
        stk_proof_free(&again);
    }
    stk_buffer_free(&out);
}

static void read_witness(struct stk_bytes bytes)
{
    struct stk_seal *seals = NULL;
    size_t count = 0;
    size_t passed_over = 0;
    struct stk_error error = {0};
    int fd = fuzz_file(bytes);

    if (stk_witness_read(fd, "witness", &seals, &count, &passed_over, &error) != STIRKEEP_OK)
        fuzz_refusal(error.status, &error);
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(seals[i].from <= seals[i].through);
    free(seals);
    (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_proof proof = {.sequence = 0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_proof_read(data, size, "proof.json", &proof, &error);

    if (status == STIRKEEP_OK) {
        check_written(&proof);
        stk_proof_free(&proof);
    } else {
        fuzz_refusal(status, &error);
    }
    if (size < strlen(BEGIN) || memcmp(data, BEGIN, strlen(BEGIN)) != 0)
        read_witness((struct stk_bytes){data, size});
    return 0;
}
