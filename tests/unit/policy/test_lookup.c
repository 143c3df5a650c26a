/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include "policy/number_set.h"
#include "policy/pattern.h"
#include "policy/policy_impl.h"
#include "policy/table.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables */

static size_t find_plainly(const uint64_t *keys, size_t count, uint64_t key)
{
    size_t place = STK_TABLE_NONE;

    for (size_t i = 0; i < count && keys[i] <= key; i++)
        place = i;
    return place;
}

static void a_table_of_any_size_finds_each_place(void **state)
{
    enum { MOST = 5000 };
    static const size_t sizes[] = {0,   1,   2,   15,  16,   17,   31,   32,   33,  255,
                                   256, 257, 272, 273, 4095, 4096, 4097, 4112, MOST};
    static uint64_t keys[MOST];
    (void)state;

    for (size_t i = 0; i < MOST; i++)
        keys[i] = (i > 0 ? keys[i - 1] : 5) + 1 + any(3);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        size_t count = sizes[s];
        size_t size = stk_table_size(count);
        void *memory = malloc(size > 0 ? size : 1);
        struct stk_table table = {0};
        uint64_t last = count > 0 ? keys[count - 1] : 5;

        assert_non_null(memory);
        assert_int_equal(size % 64, 0);
        for (size_t i = 0; i < count; i++)
            stk_table_put(memory, i, keys[i], (uint32_t)(7 * i));
        stk_table_finish(memory, count);
        stk_table_map(&table, memory, count);
        for (uint64_t key = 0; key <= last + 2; key += count > 300 ? 1 + any(9) : 1) {
            size_t place = stk_table_find(&table, key);

            assert_true(place == find_plainly(keys, count, key));
            if (place != STK_TABLE_NONE)
                assert_int_equal(stk_table_value(&table, place), 7 * place);
        }
        assert_true(stk_table_find(&table, UINT64_MAX) == count - 1);
        free(memory);
    }
}

/* ---- numbers */

static void random_number(char text[STK_TN_MAX + 1], bool digits_alone)
{
    size_t length = any(4) + 1;

    for (size_t i = 0; i < length; i++)
        text[i] = "01289*#"[any(digits_alone ? 5 : 7)];
    text[length] = '\0';
}

static struct stk_number_pattern random_pattern(void)
{
    struct stk_number_pattern pattern = {.kind = (enum stk_number_kind)any(3)};
    char text[STK_TN_MAX + 1] = "";
    uint64_t other = 0;

    random_number(text, pattern.kind == STK_NUMBER_RANGE);
    if (pattern.kind == STK_NUMBER_PREFIX) {
        memcpy(pattern.prefix, text, sizeof(pattern.prefix));
        pattern.prefix[any(5)] = '\0';
        return pattern;
    }
    pattern.range.first = stk_number_key(text);
    for (size_t i = 0; pattern.kind == STK_NUMBER_RANGE && text[i] != '\0'; i++)
        text[i] = "01289"[any(5)];
    other = stk_number_key(text);
    pattern.range.last = pattern.range.first > other ? pattern.range.first : other;
    pattern.range.first = pattern.range.first > other ? other : pattern.range.first;
    return pattern;
}

static void a_number_set_agrees_with_each_pattern_by_itself(void **state)
{
    enum { PATTERNS = 200, WORDS = 2 };
    struct stk_number_pattern patterns[PATTERNS];
    struct stk_number_bit list[PATTERNS];
    (void)state;

    for (size_t round = 0; round < 60; round++) {
        size_t count = any(PATTERNS + 1);
        struct stk_number_set *set = NULL;

        for (size_t i = 0; i < count; i++) {
            patterns[i] = random_pattern();
            list[i] = (struct stk_number_bit){.pattern = &patterns[i], .bit = any(64 * WORDS)};
        }
        set = stk_number_set_new(list, count, WORDS);
        assert_non_null(set);
        for (size_t asked = 0; asked < 500; asked++) {
            char tn[STK_TN_MAX + 1] = "";
            uint64_t expected[WORDS] = {0};
            struct stk_number_bits found = {0};

            random_number(tn, asked % 4 != 0);
            for (size_t i = 0; i < count; i++)
                if (stk_number_pattern_matches(&patterns[i], tn))
                    expected[list[i].bit / 64] |= UINT64_C(1) << list[i].bit % 64;
            found = stk_number_set_find(set, stk_number_key(tn));
            for (size_t word = 0; word < WORDS; word++)
                if ((found.one[word] | found.other[word]) != expected[word])
                    fail_msg("round %zu: %s", round, tn);
        }
        stk_number_set_free(set);
    }
    stk_number_set_free(NULL);
}

/* ---- whole policies, against the plainest way to decide */

enum { GRANTS = 90, ASKED = 400, ROUNDS = 250 };

static const char *const some_names[] = {"A", "Al", "Alpha", "Beta", "Beta-1", "Beta-12", "x"};
static const char *const some_patterns[] = {"A",   "Alpha", "A*",    "*a",   "Beta-*",
                                            "B*1", "*",     "Be*-*", "none", "x"};
static const char *const some_uris[] = {"sip:a@x.org", "sip:b@x.org", "sips:a@y.org", "tel:+1"};
static const char *const some_uri_patterns[] = {"sip:*@x.org", "*:a@*", "tel:*", "sip:b@x.org"};
static const char *const some_others[] = {"msgi", "vesper", "acme"};
static const char *const some_programs[] = {"/usr/bin/a", "/usr/bin/b"};
static const char *const some_units[] = {"a.service", "b.service"};
#define SOME(list) (list[any(sizeof(list) / sizeof(list[0]))])

struct lists {
    uid_t uids[2];
    gid_t gids[2];
    const char *programs[1];
    const char *units[1];
    const char *certificates[3];
    const char *others[2];
    struct stk_number_pattern numbers[4];
    const char *uris[2];
};

static void random_grant(struct stk_grant *grant, struct lists *lists, size_t index)
{
    *grant = (struct stk_grant){.uids = lists->uids,
                                .uid_count = any(2),
                                .gids = lists->gids,
                                .gid_count = any(2) + 1,
                                .executables = lists->programs,
                                .executable_count = any(8) == 0,
                                .units = lists->units,
                                .unit_count = any(8) == 0,
                                .certificates = lists->certificates,
                                .certificate_count = any(3) + 1,
                                .ppts = (unsigned)any(STK_PPT_OTHER),
                                .other_ppts = lists->others,
                                .other_ppt_count = any(3),
                                .attests = (unsigned)any(8),
                                .numbers = lists->numbers,
                                .number_count = any(2) * any(5),
                                .uris = lists->uris,
                                .uri_count = any(2) * any(3),
                                .sign_input = any(2) == 0};
    (void)snprintf(grant->name, sizeof(grant->name), "g%zu", index);
    for (size_t i = 0; i < 2; i++) {
        lists->uids[i] = (uid_t)any(3);
        lists->gids[i] = (gid_t)any(4);
        lists->others[i] = SOME(some_others);
        lists->uris[i] = SOME(some_uri_patterns);
    }
    lists->programs[0] = SOME(some_programs);
    lists->units[0] = SOME(some_units);
    for (size_t i = 0; i < 3; i++)
        lists->certificates[i] = SOME(some_patterns);
    for (size_t i = 0; i < 4; i++)
        lists->numbers[i] = random_pattern();
}

static bool plainly_belongs(const struct stk_grant *grant, const struct stk_who *who)
{
    bool person = grant->uid_count == 0 && grant->gid_count == 0;

    for (size_t i = 0; i < grant->uid_count; i++)
        person = person || grant->uids[i] == who->uid;
    for (size_t i = 0; i < grant->gid_count; i++)
        for (size_t j = 0; j < who->group_count; j++)
            person = person || grant->gids[i] == who->groups[j];
    return person &&
           (grant->executable_count == 0 ||
            (who->executable != NULL && strcmp(who->executable, grant->executables[0]) == 0)) &&
           (grant->unit_count == 0 ||
            (who->unit != NULL && strcmp(who->unit, grant->units[0]) == 0));
}

static bool any_matches(const char *const *patterns, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (stk_pattern_matches(patterns[i], text))
            return true;
    return false;
}

/* How many conditions hold, in their order; all: 6. */
static unsigned plainly_reaches(const struct stk_grant *grant, const struct stk_question *question)
{
    const struct stk_claims *claims = question->claims;
    unsigned ppts = grant->ppts;
    bool is_div = claims->ppt == STK_PPT_DIV || claims->ppt == STK_PPT_DIV_O;
    const char *tn = is_div ? claims->div_tn : claims->orig_tn;
    const char *uri = is_div ? claims->div_uri : claims->orig_uri;
    bool authority = grant->number_count == 0 && grant->uri_count == 0;
    bool ppt = false;

    if (ppts == 0 && grant->other_ppt_count == 0)
        ppts = STK_PPT_SHAKEN;
    ppt = claims->ppt == STK_PPT_OTHER
              ? any_matches(grant->other_ppts, grant->other_ppt_count, claims->ppt_text)
              : (ppts & (unsigned)claims->ppt) != 0;
    for (size_t i = 0; tn != NULL && i < grant->number_count; i++)
        authority = authority || stk_number_pattern_matches(&grant->numbers[i], tn);
    if (tn == NULL && any_matches(grant->uris, grant->uri_count, uri))
        authority = true;
    if (!any_matches(grant->certificates, grant->certificate_count, question->name))
        return 0;
    if (!ppt)
        return 1;
    if (claims->ppt == STK_PPT_SHAKEN && claims->rcd_nam != NULL && (ppts & STK_PPT_RCD) == 0)
        return 2;
    if (question->is_input && !grant->sign_input)
        return 3;
    if (!authority)
        return 4;
    if (claims->ppt == STK_PPT_SHAKEN && (grant->attests >> (claims->attest - 'A') & 1) == 0)
        return 5;
    return 6;
}

struct asked {
    struct stk_claims claims;
    struct stk_question question;
    char tn[STK_TN_MAX + 1];
};

static void random_question(struct asked *asked)
{
    bool by_number = any(4) != 0;

    *asked = (struct asked){.claims = {.ppt = (enum stk_ppt)(1u << any(7)),
                                       .ppt_text = SOME(some_others),
                                       .rcd_nam = any(5) == 0 ? "Name" : NULL}};
    random_number(asked->tn, any(3) != 0);
    if (asked->claims.ppt == STK_PPT_SHAKEN || any(2) == 0)
        asked->claims.ppt = STK_PPT_SHAKEN;
    if (asked->claims.ppt == STK_PPT_SHAKEN)
        asked->claims.attest = (char)('A' + (char)any(3));
    asked->claims.orig_tn = by_number ? asked->tn : NULL;
    asked->claims.orig_uri = by_number ? NULL : SOME(some_uris);
    if (asked->claims.ppt == STK_PPT_DIV || asked->claims.ppt == STK_PPT_DIV_O) {
        asked->claims.div_tn = asked->claims.orig_tn;
        asked->claims.div_uri = asked->claims.orig_uri;
        asked->claims.orig_tn = by_number ? NULL : "12";
        asked->claims.orig_uri = by_number ? SOME(some_uris) : NULL;
    }
    asked->question = (struct stk_question){
        .name = SOME(some_names), .claims = &asked->claims, .is_input = any(4) == 0};
}

/* The decision, those when its grants are spent one by one, and of a refusal the grant that it names. */
static unsigned assert_same(const struct stk_policy *policy, const struct stk_grants *held,
                            const struct stk_grant *grants, size_t count, const struct stk_who *who,
                            const struct stk_question *question)
{
    struct stk_decision decision = {0};
    struct stk_decision first = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_policy_decide(policy, held, question, &decision, &error);
    const struct stk_grant *nearest = NULL;
    unsigned reached = 0;
    size_t allowing = 0;
    uint64_t spent[STK_GRANT_WORDS_MAX] = {0};
    bool sees = false;

    for (size_t i = 0; i < count; i++) {
        unsigned reach = plainly_reaches(&grants[i], question);

        if (!plainly_belongs(&grants[i], who))
            continue;
        sees = sees || reach > 0;
        if (nearest == NULL || reach > reached) {
            nearest = &grants[i];
            reached = reach;
        }
        if (reach < 6)
            continue;
        assert_int_equal(status, STIRKEEP_OK);
        if (allowing++ > 0)
            assert_int_equal(
                stk_policy_decide_unspent(policy, held, question, spent, &decision, &error),
                STIRKEEP_OK);
        spent[i / 64] |= UINT64_C(1) << i % 64;
        assert_string_equal(decision.grant->name, grants[i].name);
        assert_int_equal(decision.attest, question->claims->attest);
    }
    assert_int_equal(stk_policy_may_see(held, question->name), sees);
    if (allowing > 0) {
        /* All spent: the first one, as if none were. */
        assert_int_equal(stk_policy_decide(policy, held, question, &first, &error), STIRKEEP_OK);
        assert_int_equal(
            stk_policy_decide_unspent(policy, held, question, spent, &decision, &error),
            STIRKEEP_OK);
        assert_ptr_equal(decision.grant, first.grant);
        return 6;
    }
    assert_int_equal(status, STIRKEEP_NOT_PERMITTED);
    if (reached > 0) {
        char begin[STK_GRANT_NAME_MAX + 16] = "";

        (void)snprintf(begin, sizeof(begin), "grant %s: ", nearest->name);
        assert_memory_equal(error.message, begin, strlen(begin));
    }
    return reached;
}

static void random_policies_agree_with_each_grant_by_itself(void **state)
{
    static struct stk_grant grants[GRANTS];
    static struct lists lists[GRANTS];
    size_t reached[7] = {0};
    (void)state;

    for (size_t round = 0; round < ROUNDS; round++) {
        size_t count = any(GRANTS) + 1;
        gid_t group = (gid_t)any(4);
        struct stk_who who = {.uid = (uid_t)any(3),
                              .groups = &group,
                              .group_count = 1,
                              .executable = any(2) == 0 ? NULL : SOME(some_programs),
                              .unit = any(2) == 0 ? NULL : SOME(some_units)};
        struct stk_policy *policy = NULL;
        struct stk_grants *held = NULL;

        for (size_t i = 0; i < count; i++)
            random_grant(&grants[i], &lists[i], i);
        policy = policy_of(grants, count);
        held = stk_policy_grants_for(policy, &who);
        for (size_t i = 0; i < ASKED; i++) {
            struct asked asked = {0};

            random_question(&asked);
            reached[assert_same(policy, held, grants, count, &who, &asked.question)]++;
        }
        free(held);
        stk_policy_free(policy);
    }
    for (size_t i = 0; i < 7; i++) /* each refusal and each permission was among them */
        assert_true(reached[i] > 10);
}

/* ---- threads */

static void *decide_often(void *argument)
{
    const struct stk_policy *policy = argument;
    struct stk_who who = who_of(1000);
    struct stk_grants *held = stk_policy_grants_for(policy, &who);
    struct stk_claims claims = claims_of_call();
    struct stk_question question = {.name = "Alpha", .claims = &claims};
    uintptr_t failures = 0;

    for (int i = 0; i < 1000; i++) {
        struct stk_decision decision = {0};

        if (held == NULL ||
            stk_policy_decide(policy, held, &question, &decision, NULL) != STIRKEEP_OK)
            failures++;
    }
    free(held);
    return (void *)failures; // NOLINT(performance-no-int-to-ptr)
}

static void several_threads_may_be_the_first_to_ask(void **state)
{
    enum { THREADS = 8 };
    (void)state;

    for (int round = 0; round < 20; round++) {
        struct stk_grant grant = grant_of("kamailio");
        struct stk_policy *policy = policy_of(&grant, 1);
        pthread_t threads[THREADS];

        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, decide_often, policy), 0);
        for (size_t i = 0; i < THREADS; i++) {
            void *failures = NULL;

            assert_int_equal(pthread_join(threads[i], &failures), 0);
            assert_null(failures);
        }
        stk_policy_free(policy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_any_size_finds_each_place),
        cmocka_unit_test(a_number_set_agrees_with_each_pattern_by_itself),
        cmocka_unit_test(random_policies_agree_with_each_grant_by_itself),
        cmocka_unit_test(several_threads_may_be_the_first_to_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
