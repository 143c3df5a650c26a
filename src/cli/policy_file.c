/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/policy_file.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include "config/file.h"

static enum stirkeep_status open_rules(struct stk_policy_file *file, struct stk_error *error)
{
    struct stk_config *config = file->config;
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    enum stirkeep_status status =
        stk_config_attest_image(config, &file->image, digest, &file->rule_count, error);

    if (status != STIRKEEP_OK)
        return status;
    if (config->attestation.file[0] != '\0')
        stk_hex_encode(digest, sizeof(digest), file->attestation);
    if (file->image.length == 0)
        return STIRKEEP_OK;
    status = stk_rules_open((struct stk_bytes){file->image.data, file->image.length}, &file->rules,
                            error);
    if (status == STIRKEEP_OK)
        stk_policy_attest_rules(config->policy, file->rules, config->attestation.lower,
                                config->attestation.file);
    return status;
}

static enum stirkeep_status parse(const char *path, bool judged, struct stk_policy_file *file,
                                  struct stk_error *error)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct stk_buffer text = {0};
    enum stirkeep_status status = judged ? stk_config_read(path, &text, error)
                                         : stk_file_read(path, STK_CONFIG_MAX, &text, error);

    *file = (struct stk_policy_file){0};
    if (status == STIRKEEP_OK) {
        stk_sha256(text.data, text.length, digest);
        stk_hex_encode(digest, sizeof(digest), file->configuration);
        status = stk_config_parse((const char *)text.data, text.length, path, &file->config, error);
    }
    stk_buffer_free(&text);
    return status;
}

enum stirkeep_status stk_policy_file_open(const char *path, bool judged,
                                          struct stk_policy_file *file, struct stk_error *error)
{
    enum stirkeep_status status = parse(path, judged, file, error);

    return status == STIRKEEP_OK ? open_rules(file, error) : status;
}

enum stirkeep_status stk_policy_file_parse(const char *path, struct stk_policy_file *file,
                                           struct stk_error *error)
{
    return parse(path, false, file, error);
}

void stk_policy_file_close(struct stk_policy_file *file)
{
    stk_config_free(file->config);
    stk_rules_close(file->rules);
    stk_buffer_free(&file->image);
}
