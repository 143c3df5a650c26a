/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cert/tnauthlist.h"
#include "pki.h"
#include <string.h>

static void lists_are_read_entry_by_entry(void **state)
{
    /* SPC 616H, range 12155550100 + 100, number 1234 */
    static const uint8_t der[] = {0x30, 0x26, 0xa0, 0x06, 0x16, 0x04, '6', '1',  '6',  'H',
                                  0xa1, 0x12, 0x30, 0x10, 0x16, 0x0b, '1', '2',  '1',  '5',
                                  '5',  '5',  '5',  '0',  '1',  '0',  '0', 0x02, 0x01, 100,
                                  0xa2, 0x08, 0x16, 0x06, '1',  '2',  '3', '4',  '5',  '6'};
    struct stk_tnauthlist list = {0};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_tnauthlist_parse((struct stk_bytes){der, sizeof(der)}, &list, &error),
                     STIRKEEP_OK);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.entries[0].kind, STK_TNAUTH_SPC);
    assert_string_equal(list.entries[0].text, "616H");
    assert_int_equal(list.entries[1].kind, STK_TNAUTH_RANGE);
    assert_string_equal(list.entries[1].text, "12155550100");
    assert_int_equal(list.entries[1].count, 100);
    assert_int_equal(list.entries[2].kind, STK_TNAUTH_ONE);
    stk_tnauthlist_free(&list);
    for (size_t length = 0; length < sizeof(der); length++) /* cut off anywhere */
        assert_int_equal(stk_tnauthlist_parse((struct stk_bytes){der, length}, &list, &error),
                         STIRKEEP_CERT_INVALID);
}

struct broken_list {
    const char *der;
    size_t length;
    const char *words;
};
#define BROKEN(der, words)                                                                         \
    {                                                                                              \
        der, sizeof(der) - 1, words                                                                \
    }

static void lists_that_are_not_well_formed_say_where(void **state)
{
    static const struct broken_list cases[] = {
        BROKEN("", "not one DER SEQUENCE"),
        BROKEN("\x30\x00", "no entries"),
        BROKEN("\x31\x08\xa0\x06\x16\x04"
               "616H",
               "not one DER SEQUENCE"),
        BROKEN("\x30\x80\xa0\x06\x16\x04"
               "616H\x00\x00",
               "not one DER SEQUENCE"), /* indefinite length */
        BROKEN("\x30\x81\x08\xa0\x06\x16\x04"
               "616H",
               "not one DER SEQUENCE"), /* length not minimal */
        BROKEN("\x30\x84\xff\xff\xff\xff\xa0\x06\x16\x04"
               "616H",
               "not one DER SEQUENCE"),
        BROKEN("\x30\x06\x80\x04"
               "616H",
               "entry 1: tagged implicitly"),
        BROKEN("\x30\x06\x16\x04"
               "616H",
               "entry 1: neither spc"),
        BROKEN("\x30\x08\xa3\x06\x16\x04"
               "616H",
               "entry 1: neither spc"),
        BROKEN("\x30\x04\xa0\x02\x16\x00", "1 to 15 characters"),
        BROKEN("\x30\x14\xa0\x12\x16\x10"
               "0123456789ABCDEF",
               "1 to 15 characters"),
        BROKEN("\x30\x08\xa0\x06\x16\x04"
               "61\x00H",
               "printable"),
        BROKEN("\x30\x08\xa2\x06\x16\x04"
               "12a4",
               "a number has"),
        BROKEN("\x30\x10\xa0\x06\x16\x04"
               "616H\xa0\x07\x16\x04"
               "616H",
               "entry 2: not DER, or cut off"),
        BROKEN("\x30\x0d\xa1\x0b\x30\x09\x16\x04"
               "1234\x02\x01\x01",
               "counts 2 to 4294967295"),
        BROKEN("\x30\x0d\xa1\x0b\x30\x09\x16\x04"
               "1234\x02\x01\xff",
               "a range is a SEQUENCE"), /* -1 */
        BROKEN("\x30\x11\xa1\x0f\x30\x0d\x16\x04"
               "1234\x02\x05\x01\x00\x00\x00\x00",
               "counts 2 to 4294967295"), /* 2^32 */
        BROKEN("\x30\x0d\xa1\x0b\x30\x09\x16\x04"
               "12*4\x02\x01\x02",
               "a range starts with"),
        BROKEN("\x30\x0a\xa1\x08\x30\x06\x16\x04"
               "1234",
               "a range is a SEQUENCE"),
        BROKEN("\x30\x08\xa2\x06\x16\x04"
               "12\x00"
               "4",
               "a number has"),
        BROKEN("\x30\x08\xa2\x06\x16\x04"
               "\x00\x00\x00\x00",
               "a number has"),
        BROKEN("\x30\x0d\xa1\x0b\x30\x09\x16\x04"
               "\x00"
               "234\x02\x01\x02",
               "a range starts with"),
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stk_bytes der = {(const uint8_t *)cases[i].der, cases[i].length};
        struct stk_tnauthlist list = {0};
        struct stk_error error = {0};
        enum stirkeep_status status = stk_tnauthlist_parse(der, &list, &error);

        if (status != STIRKEEP_CERT_INVALID || strstr(error.message, cases[i].words) == NULL)
            fail_msg("case %zu: %d, \"%s\"; wanted \"%s\"", i, status, error.message,
                     cases[i].words);
        assert_null(list.entries);
    }
}

static void a_list_of_too_many_entries_is_refused(void **state)
{
    static struct pki_text text;
    static const uint8_t head[] = {0x30, 0x82, 0, 0};
    struct stk_tnauthlist list = {0};
    struct stk_error error = {0};
    size_t length = 0;
    (void)state;

    text.length = 0;
    pki_add(&text, head, sizeof(head));
    for (int i = 0; i < STK_TNAUTH_MAX; i++)
        pki_add(&text,
                "\xa2\x03\x16\x01"
                "7",
                5);
    for (int extra = 0; extra < 2; extra++) {
        length = text.length - sizeof(head);
        text.data[2] = (uint8_t)(length >> 8);
        text.data[3] = (uint8_t)length;
        if (extra == 0) {
            assert_int_equal(stk_tnauthlist_parse(pki_bytes(&text), &list, &error), STIRKEEP_OK);
            assert_int_equal(list.count, STK_TNAUTH_MAX);
            stk_tnauthlist_free(&list);
            pki_add(&text,
                    "\xa2\x03\x16\x01"
                    "7",
                    5);
        } else {
            assert_int_equal(stk_tnauthlist_parse(pki_bytes(&text), &list, &error),
                             STIRKEEP_CERT_INVALID);
            assert_non_null(strstr(error.message, "more than"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read_entry_by_entry),
        cmocka_unit_test(lists_that_are_not_well_formed_say_where),
        cmocka_unit_test(a_list_of_too_many_entries_is_refused),
    };

    return cmocka_run_group_tests_name("tnauthlist", tests, NULL, NULL);
}
