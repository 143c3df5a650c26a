/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "config/file.h"
#include "config/loader.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static enum stirkeep_status read_file(const char *path, struct stk_buffer *ret_text,
                                      struct stk_error *error)
{
    /* No symbolic link: who may write to the directory is not to have another file's lines read
     * and told in a refusal. O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    enum stirkeep_status status = STIRKEEP_OK;

    if (fd < 0)
        return errno == ELOOP ? stk_error_set(error, STIRKEEP_CONFIG, "%s: a symbolic link", path)
                              : stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    status = stk_config_read_whole(fd, path, STK_ATTEST_FILE_MAX, ret_text, error);
    (void)close(fd);
    return status;
}

static enum stirkeep_status add_inline(const struct stk_config *config,
                                       struct stk_rules_draft *draft, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; status == STIRKEEP_OK && i < config->attestation.inline_count; i++) {
        const struct stk_config_attest *attest = &config->attestation.inline_[i];

        status = stk_rules_draft_add(draft, &attest->numbers, attest->level, 0, attest->line);
    }
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "%s: [attest]: %s", config->name,
                             status == STIRKEEP_NO_MEMORY ? "out of memory" : "too many");
    return STIRKEEP_OK;
}

static enum stirkeep_status compile(const struct stk_config *config, const struct stk_buffer *text,
                                    struct stk_rules_draft *draft, struct stk_buffer *image,
                                    size_t *ret_count, struct stk_error *error)
{
    size_t before = image->length;
    enum stirkeep_status status = add_inline(config, draft, error);

    stk_rules_draft_default(draft, config->attestation.otherwise);
    if (status == STIRKEEP_OK && config->attestation.file[0] != '\0')
        status = stk_rules_draft_csv(draft, (const char *)text->data, text->length,
                                     config->attestation.file, error);
    *ret_count = stk_rules_draft_count(draft);
    if (status == STIRKEEP_OK)
        status = stk_rules_build(draft, image, error);
    if (status != STIRKEEP_OK)
        image->length = before;
    return stk_config_fault(status, error);
}

enum stirkeep_status stk_config_attest_image(const struct stk_config *config,
                                             struct stk_buffer *image,
                                             uint8_t ret_digest[STK_DIGEST_LENGTH],
                                             size_t *ret_count, struct stk_error *error)
{
    const char *path = config->attestation.file;
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct stk_rules_draft *draft = NULL;
    struct stk_buffer text = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    size_t count = 0;

    if (path[0] != '\0') {
        status = read_file(path, &text, error);
        if (status == STIRKEEP_OK)
            stk_sha256(text.data, text.length, digest);
    }
    if (status == STIRKEEP_OK && (path[0] != '\0' || config->attestation.inline_ != NULL)) {
        draft = stk_rules_draft_new();
        status = draft == NULL
                     ? stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", config->name)
                     : compile(config, &text, draft, image, &count, error);
    }
    stk_rules_draft_free(draft);
    stk_buffer_free(&text);
    if (status != STIRKEEP_OK)
        return status;
    memcpy(ret_digest, digest, sizeof(digest));
    *ret_count = count;
    return STIRKEEP_OK;
}
