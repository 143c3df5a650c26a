/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_config.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include "cli/output.h"
#include "policy/pattern.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 100 /* of one list of a grant; then how many more */
#define TEXT_ROOM (STK_EXECUTABLE_MAX + 64)

static enum stirkeep_status read_one(const char *path, struct stk_report_config *config,
                                     struct stk_error *error)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct stk_buffer text = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CONFIG_MAX, &text, error);

    if (status != STIRKEEP_OK)
        return status;
    config->path = path;
    stk_sha256(text.data, text.length, digest);
    stk_hex_encode(digest, sizeof(digest), config->digest);
    /* Of another host or another year, maybe: what it says of users need not be so here. */
    (void)stk_config_parse((const char *)text.data, text.length, path, &config->config,
                           &config->why);
    stk_buffer_free(&text);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_report_configs_read(const struct stk_texts *paths,
                                             struct stk_report_configs *configs,
                                             struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < paths->count && status == STIRKEEP_OK; i++) {
        status = read_one(paths->items[i], &configs->items[configs->count], error);
        if (status == STIRKEEP_OK)
            configs->count++;
    }
    return status;
}

void stk_report_configs_free(struct stk_report_configs *configs)
{
    for (size_t i = 0; i < configs->count; i++)
        stk_config_free(configs->items[i].config);
    configs->count = 0;
}

const struct stk_report_config *stk_report_configs_find(const struct stk_report_configs *configs,
                                                        const char *digest)
{
    for (size_t i = 0; i < configs->count; i++)
        if (strcmp(configs->items[i].digest, digest) == 0)
            return &configs->items[i];
    return NULL;
}

/* ---- a grant in JSON */

static bool add(json_t *array, json_t *item)
{
    return json_array_append_new(array, item) == 0;
}

/* The last item of a list that is cut tells how much is missing. */
static bool add_more(json_t *array, size_t count)
{
    char text[64] = "";

    if (count <= SHOWN_MAX)
        return true;
    (void)snprintf(text, sizeof(text), "(and %zu more)", count - SHOWN_MAX);
    return add(array, json_string(text));
}

static bool add_numbers(json_t *array, const char *what, const uint32_t *ids, size_t count)
{
    char text[64] = "";
    bool done = true;

    for (size_t i = 0; i < count && i < SHOWN_MAX && done; i++) {
        (void)snprintf(text, sizeof(text), "%s %" PRIu32, what, ids[i]);
        done = add(array, json_string(text));
    }
    return done && add_more(array, count);
}

static bool add_texts(json_t *array, const char *what, const char *const *texts, size_t count)
{
    char text[TEXT_ROOM] = "";
    bool done = true;

    for (size_t i = 0; i < count && i < SHOWN_MAX && done; i++) {
        (void)snprintf(text, sizeof(text), "%s%s", what, texts[i]);
        done = add(array, stk_json_text(text));
    }
    return done && add_more(array, count);
}

static json_t *kept(json_t *array, bool done)
{
    if (done)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *who_of(const struct stk_grant *grant)
{
    json_t *array = json_array();

    return kept(array, array != NULL && add_numbers(array, "uid", grant->uids, grant->uid_count) &&
                           add_numbers(array, "gid", grant->gids, grant->gid_count) &&
                           add_texts(array, "", grant->executables, grant->executable_count) &&
                           add_texts(array, "unit ", grant->units, grant->unit_count));
}

static json_t *ppts_of(const struct stk_grant *grant)
{
    unsigned ppts = grant->ppts == 0 && grant->other_ppt_count == 0 ? STK_PPT_SHAKEN : grant->ppts;
    json_t *array = json_array();
    bool done = array != NULL;

    for (unsigned bit = STK_PPT_BASE; bit < STK_PPT_OTHER && done; bit *= 2)
        if ((ppts & bit) != 0)
            done = add(array, json_string(stk_ppt_name((enum stk_ppt)bit)));
    return kept(array, done && add_texts(array, "", grant->other_ppts, grant->other_ppt_count));
}

static json_t *attests_of(const struct stk_grant *grant)
{
    json_t *array = json_array();
    bool done = array != NULL;

    for (int i = 0; i < 3 && done; i++)
        if ((grant->attests & 1U << i) != 0)
            done = add(array, json_pack("s#", &"ABC"[i], 1));
    return kept(array, done);
}

static json_t *orig_of(const struct stk_grant *grant)
{
    json_t *array = json_array();
    bool done = array != NULL;
    char text[STK_NUMBER_PATTERN_TEXT] = "";

    for (size_t i = 0; i < grant->number_count && i < SHOWN_MAX && done; i++) {
        stk_number_pattern_text(&grant->numbers[i], text);
        done = add(array, json_string(text));
    }
    done = done && add_more(array, grant->number_count);
    return kept(array, done && add_texts(array, "", grant->uris, grant->uri_count));
}

static json_t *certificates_of(const struct stk_grant *grant)
{
    json_t *array = json_array();

    return kept(array, array != NULL &&
                           add_texts(array, "", grant->certificates, grant->certificate_count));
}

static json_t *grant_json(const struct stk_grant *grant)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:I, s:I}", "grant",
                     stk_json_text(grant->name), "who", who_of(grant), "certificates",
                     certificates_of(grant), "ppt", ppts_of(grant), "attest", attests_of(grant),
                     "orig", orig_of(grant), "sign_input", grant->sign_input, "rate",
                     (json_int_t)grant->rate.rate, "quota", (json_int_t)grant->rate.quota);
}

json_t *stk_report_config_grants(const struct stk_config *config)
{
    json_t *array = json_array();
    bool done = array != NULL;

    for (size_t i = 0; i < stk_policy_grant_count(config->policy) && done; i++)
        done = add(array, grant_json(stk_policy_grant(config->policy, i)));
    return kept(array, done);
}

json_t *stk_report_config_allowing(const struct stk_config *config, const char *certificate)
{
    json_t *array = json_array();
    bool done = array != NULL;

    for (size_t i = 0; i < stk_policy_grant_count(config->policy) && done; i++) {
        const struct stk_grant *grant = stk_policy_grant(config->policy, i);
        bool names = false;

        for (size_t at = 0; at < grant->certificate_count && !names; at++)
            names = stk_pattern_matches(grant->certificates[at], certificate);
        if (names)
            done = add(array, stk_json_text(grant->name));
    }
    return kept(array, done);
}
