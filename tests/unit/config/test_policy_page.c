/* SPDX-License-Identifier: BSD-2-Clause */
/* The examples of docs/POLICY.md: the policy in it explains itself as the page says; and the one of
 * docs/man/stirkeep.conf.5. */
#include "parse.h"

#include "base/file.h"
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND "$ stirkeep policy explain "
#define RULES "/etc/stirkeep/attest.csv"

/* The page's users are on no system: this stands in for the C library's. */
static const char *const users[] = {"kamailio", "asterisk"};

static uid_t uid_of(const char *name)
{
    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
        if (strcmp(users[i], name) == 0)
            return (uid_t)(1001 + i);
    return 0;
}

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t length,
               struct passwd **ret_found)
{
    (void)buffer;
    (void)length;

    *entry = (struct passwd){.pw_uid = uid_of(name)};
    *ret_found = entry->pw_uid != 0 ? entry : NULL;
    return 0;
}

struct page {
    char *text;
    struct stk_config *config;
    struct stk_buffer image;
    struct stk_rules *rules;
};

/* The next fenced block that begins so, without its fences; and behind it. */
static char *next_block(char **at, const char *begin)
{
    char *start = strstr(*at, begin);
    char *end = start != NULL ? strstr(start, "\n```\n") : NULL;

    if (end == NULL)
        return NULL;
    end[1] = '\0';
    *at = end + 5;
    return start;
}

static void use_rules(struct page *page, const char *csv)
{
    char path[] = "/tmp/stirkeep-page-XXXXXX";
    int fd = mkstemp(path);
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    size_t count = 0;
    struct stk_error error = {0};

    assert_true(fd >= 0);
    assert_int_equal(write(fd, csv, strlen(csv)), (ssize_t)strlen(csv));
    (void)close(fd);
    assert_string_equal(page->config->attestation.file, RULES);
    free(page->config->attestation.file);
    page->config->attestation.file = strdup(path);
    if (stk_config_attest_image(page->config, &page->image, digest, &count, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    (void)unlink(path);
    assert_int_equal(stk_rules_open((struct stk_bytes){page->image.data, page->image.length},
                                    &page->rules, &error),
                     STIRKEEP_OK);
    stk_policy_attest_rules(page->config->policy, page->rules, page->config->attestation.lower,
                            RULES);
}

static int read_page(void **state)
{
    struct page *page = calloc(1, sizeof(*page));
    struct stk_buffer file = {0};
    struct stk_error error = {0};
    char *at = NULL;
    char *block = NULL;

    assert_non_null(page);
    assert_int_equal(stk_file_read(POLICY_PAGE, 1 << 20, &file, &error), STIRKEEP_OK);
    page->text = strndup((const char *)file.data, file.length);
    stk_buffer_free(&file);
    assert_non_null(page->text);
    at = page->text;
    block = next_block(&at, "```ini\n");
    assert_non_null(block);
    page->config = good(block + strlen("```ini\n"));
    block = next_block(&at, "```csv\n");
    assert_non_null(block);
    use_rules(page, block + strlen("```csv\n"));
    memmove(page->text, at, strlen(at) + 1);
    *state = page;
    return 0;
}

static int drop_page(void **state)
{
    struct page *page = *state;

    stk_config_free(page->config);
    stk_rules_close(page->rules);
    stk_buffer_free(&page->image);
    free(page->text);
    free(page);
    return 0;
}

/* What the command's line asks. */
static void take_option(const char *option, const char *value, struct stk_who *who,
                        struct stk_question *question, struct stk_claims *claims)
{
    if (strcmp(option, "--user") == 0)
        who->uid = uid_of(value);
    else if (strcmp(option, "--executable") == 0)
        who->executable = value;
    else if (strcmp(option, "--name") == 0)
        question->name = value;
    else if (strcmp(option, "--orig") == 0)
        claims->orig_tn = value;
    else if (strcmp(option, "--attest") == 0)
        claims->attest = value[0];
    else if (strcmp(option, "--ppt") == 0)
        assert_true(stk_ppt_parse(value, &claims->ppt));
    else
        fail_msg("the page has an option that this test does not know: %s", option);
}

static void check_example(const struct page *page, char *block)
{
    struct stk_claims claims = {.ppt = STK_PPT_SHAKEN, .ppt_text = ""};
    struct stk_question question = {.claims = &claims};
    struct stk_who who = {0};
    struct stk_buffer out = {0};
    char *rest = block + strlen(COMMAND);
    char *line = strsep(&rest, "\n");
    char *command = strdup(line);
    char *option = NULL;

    while ((option = strsep(&line, " ")) != NULL)
        take_option(option, strsep(&line, " "), &who, &question, &claims);
    (void)stk_policy_explain(page->config->policy, &who, &question, &out);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    if (strcmp((const char *)out.data, rest) != 0)
        fail_msg("%s%s\nis explained as\n%s", COMMAND, command, (const char *)out.data);
    free(command);
    stk_buffer_free(&out);
}

static void every_example_is_explained_as_the_page_says(void **state)
{
    const struct page *page = *state;
    char *at = page->text;
    char *block = NULL;
    unsigned count = 0;

    while ((block = next_block(&at, COMMAND)) != NULL) {
        check_example(page, block);
        count++;
    }
    assert_true(count >= 10);
    assert_null(strstr(at, "policy explain --"));
}

static void the_manual_pages_example_is_a_configuration(void **state)
{
    struct stk_buffer file = {0};
    struct stk_error error = {0};
    char *text = NULL;
    char *to = NULL;
    (void)state;

    assert_int_equal(stk_file_read(MANUAL_PAGE, 1 << 20, &file, &error), STIRKEEP_OK);
    assert_int_equal(stk_buffer_add(&file, "", 1), STIRKEEP_OK);
    text = strstr((char *)file.data, "\n.EX\n[");
    assert_non_null(text);
    text += strlen("\n.EX\n");
    assert_non_null(strstr(text, "\n.EE\n"));
    strstr(text, "\n.EE\n")[1] = '\0';
    to = text;
    for (const char *from = text; *from != '\0'; from++)
        if (*from != '\\')
            *to++ = *from;
    *to = '\0';
    stk_config_free(good(text));
    stk_buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_explained_as_the_page_says),
        cmocka_unit_test(the_manual_pages_example_is_a_configuration),
    };
    return cmocka_run_group_tests(tests, read_page, drop_page);
}
