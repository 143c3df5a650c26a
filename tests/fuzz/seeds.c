/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "samples.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * What the corpora of messages begin with: the samples of tests/unit/wire, of which each has all the
 * fields of its message.
 *   fuzz-seeds CORPUS-DIRECTORY
 */
static const struct {
    const struct codec *codec;
    const char *target;
} targets[] = {{&codec_request, "wire_request"},
               {&codec_response, "wire_response"},
               {&codec_admin_request, "wire_admin_request"},
               {&codec_admin_response, "wire_admin_response"},
               {&codec_front_orders, "wire_front_orders"},
               {&codec_answers, "wire_answers"},
               {&codec_custody_order, "wire_custody_order"},
               {&codec_custody_answer, "wire_custody_answer"},
               {&codec_push, "wire_catalog_push"},
               {&codec_report, "wire_front_report"}};

static void write_seed(const char *corpus, const char *target, const char *sample,
                       struct stk_bytes bytes)
{
    struct stk_error error = {0};
    char path[1024] = "";

    (void)snprintf(path, sizeof(path), "%s/%s", corpus, target);
    (void)mkdir(path, 0755);
    (void)snprintf(path, sizeof(path), "%s/%s/sample-%s", corpus, target, sample);
    for (char *at = strrchr(path, '/') + 1; *at != '\0'; at++)
        if (*at == ' ' || *at == ',')
            *at = '-';
    (void)remove(path);
    if (stk_file_write_new(path, bytes, &error) != STIRKEEP_OK) {
        (void)fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
}

static const char *target_of(const struct codec *codec)
{
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
        if (targets[i].codec == codec)
            return targets[i].target;
    abort();
}

/* With its frame, as it comes over the socket. */
static void write_framed(const char *corpus, const struct sample *sample)
{
    struct stk_buffer framed = {0};
    union decoded value;

    sample_fill(sample, &value);
    if (sample->codec->encode(&value, &framed) != STIRKEEP_OK)
        abort();
    write_seed(corpus, "sign_stream", sample->name, (struct stk_bytes){framed.data, framed.length});
    stk_buffer_free(&framed);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (size_t i = 0; i < sample_count; i++) {
        struct stk_buffer sent = {0};

        sample_encode(&samples[i], &sent);
        write_seed(argv[1], target_of(samples[i].codec), samples[i].name,
                   (struct stk_bytes){sent.data, sent.length});
        if (samples[i].codec == &codec_request)
            write_framed(argv[1], &samples[i]);
        stk_buffer_free(&sent);
    }
    return 0;
}
