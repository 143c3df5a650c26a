/* SPDX-License-Identifier: BSD-2-Clause */
#include "parse.h"

#include "base/digest.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a directory with a file of rules */

struct bed {
    char directory[64];
    char file[96];
    char link[96];
};

static int make_bed(void **state)
{
    struct bed *bed = calloc(1, sizeof(*bed));

    assert_non_null(bed);
    (void)strcpy(bed->directory, "/tmp/stirkeep-attest-XXXXXX");
    assert_non_null(mkdtemp(bed->directory));
    (void)snprintf(bed->file, sizeof(bed->file), "%s/rules.csv", bed->directory);
    (void)snprintf(bed->link, sizeof(bed->link), "%s/link.csv", bed->directory);
    *state = bed;
    return 0;
}

static int drop_bed(void **state)
{
    struct bed *bed = *state;

    (void)unlink(bed->file);
    (void)unlink(bed->link);
    assert_int_equal(rmdir(bed->directory), 0);
    free(bed);
    return 0;
}

static void write_rules(const struct bed *bed, const char *text, mode_t mode)
{
    int fd = open(bed->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

/* A configuration with that file, and more. */
static struct stk_config *with_file(const char *file, const char *more)
{
    char text[1024] = "";

    (void)snprintf(text, sizeof(text), SMALLEST "[attestation]\nfile = %s\n%s", file, more);
    return good(text);
}

struct image {
    struct stk_buffer data;
    uint8_t digest[STK_DIGEST_LENGTH];
    size_t count;
    struct stk_rules *rules;
};

static struct image compiled(const struct stk_config *config)
{
    struct image image = {0};
    struct stk_error error = {0};

    if (stk_config_attest_image(config, &image.data, image.digest, &image.count, &error) !=
        STIRKEEP_OK)
        fail_msg("%s", error.message);
    if (image.data.length > 0 &&
        stk_rules_open((struct stk_bytes){image.data.data, image.data.length}, &image.rules,
                       &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return image;
}

static void drop(struct image *image)
{
    if (image->rules != NULL)
        stk_rules_close(image->rules);
    stk_buffer_free(&image->data);
}

static void faulty(const struct stk_config *config, enum stirkeep_status status,
                   const char *message)
{
    struct stk_buffer data = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {7};
    size_t count = 77;
    struct stk_error error = {0};

    assert_int_equal(stk_config_attest_image(config, &data, digest, &count, &error), status);
    assert_string_equal(error.message, message);
    assert_int_equal(error.status, status);
    assert_int_equal(data.length, 0);
    assert_int_equal(digest[0], 7);
    assert_int_equal(count, 77);
    assert_int_equal(stk_config_attest_image(config, &data, digest, &count, NULL), status);
    stk_buffer_free(&data);
}

/* The file has one fault: "FILE:reason". */
static void faulty_file(const struct bed *bed, const char *text, const char *reason)
{
    struct stk_config *config = with_file(bed->file, "");
    char message[512] = "";

    write_rules(bed, text, 0644);
    (void)snprintf(message, sizeof(message), "%s:%s", bed->file, reason);
    faulty(config, STIRKEEP_CONFIG, message);
    stk_config_free(config);
}

/* ---- sections */

static void sections_become_rules_with_their_lines(void **state)
{
    struct stk_config *config =
        good(SMALLEST "[attest +1 (415) 555*]\nlevel = A\n\n[attest 12025550100-12025550199]\n"
                      "level = B\n[attest 12025550123]\nlevel = none\n[attest *]\nlevel = C\n"
                      "[attest 202-555-0100 - 202-555-0101]\nlevel = A\n");
    const struct stk_config_attest *attest = config->attestation.inline_;
    struct image image = compiled(config);
    uint8_t zero[STK_DIGEST_LENGTH] = {0};
    struct stk_rule_found found = {0};
    (void)state;

    assert_int_equal(config->attestation.inline_count, 5);
    assert_int_equal(attest[0].line, 3);
    assert_int_equal(attest[0].level, STK_LEVEL_A);
    assert_string_equal(attest[0].numbers.prefix, "1415555");
    assert_int_equal(attest[1].line, 6);
    assert_int_equal(attest[2].level, STK_LEVEL_NONE);
    assert_int_equal(image.count, 5);
    assert_int_equal(stk_rules_count(image.rules), 5);
    assert_memory_equal(image.digest, zero, sizeof(zero));
    found = stk_rules_find(image.rules, "12025550123");
    assert_true(found.found);
    assert_int_equal(found.level, STK_LEVEL_NONE);
    assert_int_equal(found.source, 0);
    assert_int_equal(found.line, 8);
    assert_int_equal(stk_rules_find(image.rules, "12025550124").level, STK_LEVEL_B);
    assert_int_equal(stk_rules_find(image.rules, "14155550124").level, STK_LEVEL_A);
    assert_int_equal(stk_rules_find(image.rules, "2025550101").level, STK_LEVEL_A);
    assert_int_equal(stk_rules_find(image.rules, "49").level, STK_LEVEL_C);
    drop(&image);
    stk_config_free(config);
}

static void without_a_rule_there_is_no_image(void **state)
{
    struct stk_config *config = good(SMALLEST);
    struct image image = compiled(config);
    (void)state;

    assert_int_equal(image.data.length, 0);
    assert_int_equal(image.count, 0);
    drop(&image);
    stk_config_free(config);
}

static void the_default_and_exceed_without_rules_are_refused(void **state)
{
    (void)state;

    bad(SMALLEST "\n[attestation]\ndefault = A\n[audit]\n",
        "conf:4: [attestation] default: decides nothing: there is neither a file nor an [attest "
        "NUMBERS] section");
    bad(SMALLEST "[attestation]\nfile =\nexceed = lower\ndefault = A\n",
        "conf:3: [attestation] exceed: decides nothing: there is neither a file nor an [attest "
        "NUMBERS] section");
    stk_config_free(good(SMALLEST "[attestation]\nfile =\n"));
    stk_config_free(good(SMALLEST "[attestation]\nexceed = lower\n[attest 1*]\nlevel = A\n"));
}

static void bad_sections_are_refused_with_their_line(void **state)
{
    static const char *const numbers[] = {"1x", "", "12-1", "1**", "sip:a", "1234567890123456"};
    (void)state;

    bad(SMALLEST "[attest]\nlevel = A\n", "conf:3: [attest]: without its NUMBERS");
    bad(SMALLEST "[attest 1*]\n[audit]\n", "conf:3: [attest 1*] level: missing");
    bad(SMALLEST "[attest 1*]\nlevel =\n", "conf:4: [attest 1*] level: empty");
    bad(SMALLEST "[attest 1*]\nlevel = D\n", "conf:4: [attest 1*] level: none of A, B, C, none: D");
    bad(SMALLEST "[attest 1*]\nlevel = A, B\n",
        "conf:4: [attest 1*] level: none of A, B, C, none: A, B");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char text[128] = "";
        char begin[64] = "";
        struct stk_config *config = NULL;
        struct stk_error error = {0};

        (void)snprintf(text, sizeof(text), SMALLEST "\n[attest %s]\nlevel = A\n", numbers[i]);
        (void)snprintf(begin, sizeof(begin), "conf:4: [attest %s]: ", numbers[i]);
        assert_int_equal(stk_config_parse(text, strlen(text), "conf", &config, &error),
                         STIRKEEP_CONFIG);
        if (strncmp(error.message, begin, strlen(begin)) != 0)
            fail_msg("%s", error.message);
    }
}

static void conflicts_of_sections_name_both_lines(void **state)
{
    (void)state;

    bad(SMALLEST "[attest 1415*]\nlevel = A\n[attest 1415*]\nlevel = A\n",
        "conf:5: [attest 1415*]: a second one (the first is in line 3)");
    bad(SMALLEST "[attest 1415*]\nlevel = A\n[attest +1 415*]\nlevel = B\n",
        "conf:5: [attest +1 415*]: these numbers have a rule already, in line 3");
    bad(SMALLEST "[attest 1415]\nlevel = A\n[attest 1415-1415]\nlevel = A\n",
        "conf:5: [attest 1415-1415]: these numbers have a rule already, in line 3");
    bad(SMALLEST "[attest 123456789012345*]\nlevel = A\n[attest 123456789012345]\nlevel = A\n",
        "conf:5: [attest 123456789012345]: these numbers have a rule already, in line 3");
    bad(SMALLEST "[attest 1000-1500]\nlevel = A\n\n[attest 1400-1900]\nlevel = A\n",
        "conf:6: [attest 1400-1900]: overlaps 1000-1500 in line 3, and neither lies within the "
        "other");
    bad(SMALLEST "[attest 1400-1900]\nlevel = A\n\n[attest 1000-1400]\nlevel = A\n",
        "conf:6: [attest 1000-1400]: overlaps 1400-1900 in line 3, and neither lies within the "
        "other");
    /* Within one that is within another that ends before. */
    bad(SMALLEST "[attest 1000-1999]\nlevel = A\n[attest 1100-1199]\nlevel = B\n"
                 "[attest 1150-1250]\nlevel = C\n",
        "conf:7: [attest 1150-1250]: overlaps 1100-1199 in line 5, and neither lies within the "
        "other");
}

static void ranges_may_lie_within_and_beside_each_other(void **state)
{
    struct stk_config *config =
        good(SMALLEST "[attest 1000-1999]\nlevel = A\n[attest 1000-1499]\nlevel = B\n"
                      "[attest 1500-1999]\nlevel = C\n[attest 1500-1600]\nlevel = none\n"
                      "[attest 01000-01999]\nlevel = A\n[attest 1000]\nlevel = A\n"
                      "[attest 1*]\nlevel = A\n[attest 10*-10*]\nlevel = B\n");
    struct image image = compiled(config);
    (void)state;

    assert_int_equal(image.count, 8);
    assert_int_equal(stk_rules_find(image.rules, "1555").level, STK_LEVEL_NONE);
    assert_int_equal(stk_rules_find(image.rules, "1601").level, STK_LEVEL_C);
    drop(&image);
    stk_config_free(config);
}

/* ---- the file */

static void a_file_and_sections_are_one_set_of_rules(void **state)
{
    const struct bed *bed = *state;
    const char *text = "\xef\xbb\xbfnumber,level\r\n# ours\r\n1415555*,A\r\n\r\n12025550123,none";
    struct stk_config *config =
        with_file(bed->file, "default = C\n[attest 12025550100-12025550199]\nlevel = B\n");
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct image image = {0};
    struct stk_rule_found found = {0};

    write_rules(bed, text, 0644);
    image = compiled(config);
    stk_sha256(text, strlen(text), digest);
    assert_memory_equal(image.digest, digest, sizeof(digest));
    assert_int_equal(image.count, 3);
    found = stk_rules_find(image.rules, "14155550000");
    assert_int_equal(found.level, STK_LEVEL_A);
    assert_int_equal(found.source, 1);
    assert_int_equal(found.line, 3);
    found = stk_rules_find(image.rules, "12025550100");
    assert_int_equal(found.level, STK_LEVEL_B);
    assert_int_equal(found.source, 0);
    assert_int_equal(found.line, 6);
    found = stk_rules_find(image.rules, "49");
    assert_false(found.found);
    assert_int_equal(found.level, STK_LEVEL_C);
    drop(&image);
    /* Once more: nothing was used up. */
    image = compiled(config);
    assert_int_equal(image.count, 3);
    drop(&image);
    stk_config_free(config);
}

static void an_empty_file_is_a_set_of_rules_without_one(void **state)
{
    const struct bed *bed = *state;
    struct stk_config *config = with_file(bed->file, "");
    struct image image = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};

    write_rules(bed, "", 0644);
    image = compiled(config);
    assert_true(image.data.length > 0);
    assert_int_equal(image.count, 0);
    assert_false(stk_rules_find(image.rules, "1").found);
    assert_int_equal(stk_rules_find(image.rules, "1").level, STK_LEVEL_NONE);
    stk_sha256("", 0, digest);
    assert_memory_equal(image.digest, digest, sizeof(digest));
    drop(&image);
    stk_config_free(config);
}

static void faults_of_the_file_name_its_line(void **state)
{
    const struct bed *bed = *state;

    faulty_file(bed, "1415*,A\n1416*;B\n", "2: no comma in it: write number,level");
    faulty_file(bed, "# x\n\n1415*,D\n", "3: the level \"D\" is none of A, B, C, none");
    faulty_file(
        bed, "number,level\nnumber,level\n",
        "2: the number: only digits, * and # make a telephone number (character 1 is none)");
    faulty_file(bed, "1*,A\n\n1*,A\n", "3: 1* has a rule already in line 1");
    faulty_file(bed, "10-15,A\n12-17,A\n",
                "2: 12-17 overlaps 10-15 in line 1, and neither lies within the other");
}

static void a_conflict_of_file_and_section_names_both(void **state)
{
    const struct bed *bed = *state;
    struct stk_config *config = with_file(bed->file, "[attest 1415*]\nlevel = A\n");
    char message[256] = "";

    write_rules(bed, "1414*,A\n1415*,A\n", 0644);
    (void)snprintf(message, sizeof(message),
                   "%s:2: 1415* has a rule already in the configuration, line 5", bed->file);
    faulty(config, STIRKEEP_CONFIG, message);
    stk_config_free(config);
}

static void a_file_that_is_none_is_refused(void **state)
{
    const struct bed *bed = *state;
    struct stk_config *config = with_file(bed->file, "");
    struct stk_config *linked = with_file(bed->link, "");
    struct stk_config *directory = with_file(bed->directory, "");
    struct stk_config *kernels = with_file("/proc/version", "");
    char message[256] = "";

    (void)unlink(bed->file);
    (void)snprintf(message, sizeof(message), "%s: %s", bed->file, strerror(ENOENT));
    faulty(config, STIRKEEP_IO, message);
    write_rules(bed, "1*,A\n", 0646);
    (void)snprintf(message, sizeof(message), "%s: everybody may write to it (mode 0646)",
                   bed->file);
    faulty(config, STIRKEEP_CONFIG, message);
    write_rules(bed, "1*,A\n", 0664);
    (void)snprintf(message, sizeof(message), "%s: its group may write to it (mode 0664)",
                   bed->file);
    faulty(config, STIRKEEP_CONFIG, message);
    write_rules(bed, "1*,A\n", 0644);
    if (geteuid() == 0) {
        assert_int_equal(chown(bed->file, 12345, 0), 0);
        (void)snprintf(message, sizeof(message),
                       "%s: owned by uid 12345, who is neither root nor uid 0", bed->file);
        faulty(config, STIRKEEP_CONFIG, message);
        assert_int_equal(chown(bed->file, 0, 0), 0);
    }
    /* It says that nothing is in it, and would be no rules at all. */
    faulty(kernels, STIRKEEP_CONFIG, "/proc/version: not a regular file");
    assert_int_equal(symlink(bed->file, bed->link), 0);
    (void)snprintf(message, sizeof(message), "%s: a symbolic link", bed->link);
    faulty(linked, STIRKEEP_CONFIG, message);
    assert_int_equal(unlink(bed->link), 0);
    /* One that nobody writes to must not hold the service up. */
    assert_int_equal(mkfifo(bed->link, 0644), 0);
    (void)snprintf(message, sizeof(message), "%s: not a regular file", bed->link);
    faulty(linked, STIRKEEP_CONFIG, message);
    (void)snprintf(message, sizeof(message), "%s: not a regular file", bed->directory);
    faulty(directory, STIRKEEP_CONFIG, message);
    assert_int_equal(unlink(bed->link), 0);
    assert_int_equal(unlink(bed->file), 0);
    stk_config_free(config);
    stk_config_free(linked);
    stk_config_free(kernels);
    stk_config_free(directory);
}

static void a_file_that_is_too_large_is_not_read(void **state)
{
    const struct bed *bed = *state;
    struct stk_config *config = with_file(bed->file, "");
    char message[256] = "";

    write_rules(bed, "", 0644);
    assert_int_equal(truncate(bed->file, STK_ATTEST_FILE_MAX + 1), 0);
    (void)snprintf(message, sizeof(message), "%s: larger than 134217728 bytes", bed->file);
    faulty(config, STIRKEEP_CONFIG, message);
    stk_config_free(config);
}

static void a_million_rules_are_read(void **state)
{
    const struct bed *bed = *state;
    struct stk_config *config = with_file(bed->file, "");
    FILE *file = fopen(bed->file, "w");
    struct image image = {0};

    assert_non_null(file);
    for (unsigned i = 0; i < 1000000; i++)
        assert_true(fprintf(file, "1415%07u,%c\n", i * 7 % 10000000, "ABC"[i % 3]) > 0);
    assert_int_equal(fclose(file), 0);
    image = compiled(config);
    assert_int_equal(image.count, 1000000);
    assert_int_equal(stk_rules_find(image.rules, "14150000007").level, STK_LEVEL_B);
    assert_int_equal(stk_rules_find(image.rules, "14150000007").line, 2);
    drop(&image);
    stk_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_become_rules_with_their_lines),
        cmocka_unit_test(without_a_rule_there_is_no_image),
        cmocka_unit_test(the_default_and_exceed_without_rules_are_refused),
        cmocka_unit_test(bad_sections_are_refused_with_their_line),
        cmocka_unit_test(conflicts_of_sections_name_both_lines),
        cmocka_unit_test(ranges_may_lie_within_and_beside_each_other),
        cmocka_unit_test(a_file_and_sections_are_one_set_of_rules),
        cmocka_unit_test(an_empty_file_is_a_set_of_rules_without_one),
        cmocka_unit_test(faults_of_the_file_name_its_line),
        cmocka_unit_test(a_conflict_of_file_and_section_names_both),
        cmocka_unit_test(a_file_that_is_none_is_refused),
        cmocka_unit_test(a_file_that_is_too_large_is_not_read),
        cmocka_unit_test(a_million_rules_are_read),
    };
    return cmocka_run_group_tests(tests, make_bed, drop_bed);
}
