/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/zstd_file.h"

#include "base/file.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#define LEVEL 1 /* of zstd: lines like these become larger with 2 to 5, which take longer */
#define ROOM ((size_t)256 * 1024)

static ssize_t read_at(int fd, void *data, size_t length, off_t at)
{
    ssize_t got = 0;

    do {
        got = pread(fd, data, length, at);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* ---- a digest that grows */

static EVP_MD_CTX *digest_begin(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1)
        return context;
    EVP_MD_CTX_free(context);
    errno = ENOMEM;
    return NULL;
}

static bool digest_end(EVP_MD_CTX *context, bool done, uint8_t ret_digest[STK_DIGEST_LENGTH])
{
    int why = errno;

    done = done && EVP_DigestFinal_ex(context, ret_digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    errno = why;
    return done;
}

bool stk_plain_digest(int fd, uint8_t ret_digest[STK_DIGEST_LENGTH], uint64_t *ret_size)
{
    EVP_MD_CTX *context = digest_begin();
    uint8_t *room = malloc(ROOM);
    off_t at = 0;
    ssize_t got = 1;

    while (context != NULL && room != NULL && (got = read_at(fd, room, ROOM, at)) > 0) {
        (void)EVP_DigestUpdate(context, room, (size_t)got);
        at += got;
    }
    free(room);
    *ret_size = (uint64_t)at;
    return digest_end(context, got == 0, ret_digest);
}

/* ---- writing */

static bool flush(ZSTD_CCtx *context, ZSTD_inBuffer *input, bool last, int fd, uint8_t *room)
{
    size_t left = 0;

    do {
        ZSTD_outBuffer output = {room, ROOM, 0};

        left = ZSTD_compressStream2(context, &output, input, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) {
            errno = EIO;
            return false;
        }
        if (!stk_file_write_all(fd, room, output.pos))
            return false;
    } while (last ? left > 0 : input->pos < input->size);
    return true;
}

bool stk_zstd_write(int plain, int fd, uint64_t size, uint8_t ret_digest[STK_DIGEST_LENGTH])
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    EVP_MD_CTX *digest = digest_begin();
    uint8_t *room = malloc(2 * ROOM);
    uint64_t at = 0;
    bool done = context != NULL && digest != NULL && room != NULL;

    if (done) {
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
        (void)ZSTD_CCtx_setPledgedSrcSize(context, size);
    } else {
        errno = ENOMEM;
    }
    while (done && at < size) {
        size_t wanted = size - at < ROOM ? (size_t)(size - at) : ROOM;
        ssize_t got = read_at(plain, room, wanted, (off_t)at);
        ZSTD_inBuffer input = {room, got > 0 ? (size_t)got : 0, 0};

        if (got == 0)
            errno = ESTALE; /* it was cut */
        done = got > 0 && EVP_DigestUpdate(digest, room, (size_t)got) == 1 &&
               flush(context, &input, at + (uint64_t)got == size, fd, room + ROOM);
        at += got > 0 ? (uint64_t)got : 0;
    }
    free(room);
    (void)ZSTD_freeCCtx(context);
    return digest_end(digest, done, ret_digest);
}

/* ---- reading */

struct reading {
    ZSTD_DCtx *zstd;
    EVP_MD_CTX *digest;
    uint8_t *room; /* of compressed bytes, then of plain ones */
    size_t left;   /* what ZSTD_decompressStream still wants; 0: a frame has ended */
    uint64_t size;
};

static bool unpack(struct reading *reading, size_t length)
{
    ZSTD_inBuffer input = {reading->room, length, 0};

    while (input.pos < input.size) {
        ZSTD_outBuffer output = {reading->room + ROOM, ROOM, 0};

        reading->left = ZSTD_decompressStream(reading->zstd, &output, &input);
        if (ZSTD_isError(reading->left))
            return false;
        (void)EVP_DigestUpdate(reading->digest, output.dst, output.pos);
        reading->size += output.pos;
    }
    return true;
}

/* What zstd has taken in and not given out yet. */
static bool drain(struct reading *reading)
{
    ZSTD_inBuffer nothing = {NULL, 0, 0};

    while (reading->left > 0) {
        ZSTD_outBuffer output = {reading->room + ROOM, ROOM, 0};

        reading->left = ZSTD_decompressStream(reading->zstd, &output, &nothing);
        if (ZSTD_isError(reading->left) || (output.pos == 0 && reading->left > 0))
            return false;
        (void)EVP_DigestUpdate(reading->digest, output.dst, output.pos);
        reading->size += output.pos;
    }
    return true;
}

bool stk_zstd_read(int fd, uint8_t ret_digest[STK_DIGEST_LENGTH], uint64_t *ret_size)
{
    struct reading reading = {ZSTD_createDCtx(), digest_begin(), malloc(2 * ROOM), 1, 0};
    bool done = reading.zstd != NULL && reading.digest != NULL && reading.room != NULL;
    ssize_t got = 1;

    for (off_t at = 0; done && (got = read_at(fd, reading.room, ROOM, at)) > 0; at += got)
        done = unpack(&reading, (size_t)got);
    done = done && got == 0 && drain(&reading);
    if (!done)
        errno = EBADMSG;
    *ret_size = reading.size;
    free(reading.room);
    (void)ZSTD_freeDCtx(reading.zstd);
    return digest_end(reading.digest, done, ret_digest);
}
