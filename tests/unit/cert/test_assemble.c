/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

#include "cert/assemble.h"
#include "pki.h"
#include <string.h>

#define POOL_MAX (STK_ASSEMBLE_MAX + 1)

struct pool {
    struct pki_chain chain;
    struct stk_bytes items[POOL_MAX];
    size_t count;
};

static size_t add(struct pool *pool, X509 *certificate)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);

    assert_true(length > 0);
    pool->items[pool->count] = (struct stk_bytes){der, (size_t)length};
    return pool->count++;
}

static int set_up(void **state)
{
    static struct pool pool;

    pool = (struct pool){.chain = pki_chain_new()};
    *state = &pool;
    return 0;
}

static int tear_down(void **state)
{
    struct pool *pool = *state;

    for (size_t i = 0; i < pool->count; i++)
        OPENSSL_free((void *)(uintptr_t)pool->items[i].data);
    pki_chain_free(&pool->chain);
    return 0;
}

/* The chain is these items of the pool, in this order. */
static void assert_chain(const struct pool *pool, size_t leaf, const size_t *wanted, size_t count)
{
    struct stk_chain *chain = NULL;
    struct stk_error error = {0};

    if (stk_chain_assemble(pool->items, pool->count, leaf, &chain, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(stk_chain_count(chain), count);
    for (size_t i = 0; i < count; i++) {
        struct stk_bytes der = stk_chain_der(chain, i);

        assert_int_equal(der.length, pool->items[wanted[i]].length);
        assert_memory_equal(der.data, pool->items[wanted[i]].data, der.length);
    }
    stk_chain_free(chain);
}

static void a_chain_is_found_in_whatever_order_it_comes(void **state)
{
    struct pool *pool = *state;
    size_t root = add(pool, pool->chain.root);
    size_t leaf = add(pool, pool->chain.leaf);
    size_t middle = add(pool, pool->chain.intermediate);

    assert_chain(pool, leaf, (size_t[]){leaf, middle, root}, 3);
    assert_chain(pool, middle, (size_t[]){middle, root}, 2);
    assert_chain(pool, root, (size_t[]){root}, 1);
}

static void it_ends_where_an_issuer_is_missing(void **state)
{
    struct pool *pool = *state;
    size_t root = add(pool, pool->chain.root);
    size_t leaf = add(pool, pool->chain.leaf);

    (void)root;
    assert_chain(pool, leaf, (size_t[]){leaf}, 1);
}

static void a_name_alone_makes_no_issuer(void **state)
{
    struct pool *pool = *state;
    EVP_PKEY *other = pki_ec_key("P-256");
    struct pki_spec spec = pki_intermediate_spec(other, pool->chain.root_key, pool->chain.root);
    X509 *impostor = pki_certificate(&spec);
    size_t false_one = add(pool, impostor);
    size_t leaf = add(pool, pool->chain.leaf);
    size_t middle = 0;

    assert_chain(pool, leaf, (size_t[]){leaf}, 1);
    middle = add(pool, pool->chain.intermediate);
    assert_chain(pool, leaf, (size_t[]){leaf, middle}, 2);
    assert_int_not_equal(false_one, middle);
    X509_free(impostor);
    EVP_PKEY_free(other);
}

static void of_two_issuers_the_one_that_is_valid_longer_is_taken(void **state)
{
    struct pool *pool = *state;
    struct pki_spec spec =
        pki_intermediate_spec(pool->chain.intermediate_key, pool->chain.root_key, pool->chain.root);
    X509 *renewed = NULL;
    size_t leaf = add(pool, pool->chain.leaf);
    size_t old = add(pool, pool->chain.intermediate);
    size_t fresh = 0;

    spec.not_after += 100 * (int64_t)PKI_DAY;
    renewed = pki_certificate(&spec);
    fresh = add(pool, renewed);
    assert_chain(pool, leaf, (size_t[]){leaf, fresh}, 2);
    assert_int_not_equal(old, fresh);
    X509_free(renewed);
}

static void what_is_no_certificate_is_passed_over_but_not_as_a_leaf(void **state)
{
    struct pool *pool = *state;
    static const char junk[] = "no certificate at all";
    struct stk_chain *chain = NULL;
    struct stk_error error = {0};
    size_t leaf = add(pool, pool->chain.leaf);
    unsigned char *copy = OPENSSL_memdup(junk, sizeof(junk));
    size_t middle = 0;

    assert_non_null(copy);
    pool->items[pool->count++] = (struct stk_bytes){copy, sizeof(junk)};
    middle = add(pool, pool->chain.intermediate);
    assert_chain(pool, leaf, (size_t[]){leaf, middle}, 2);
    assert_int_equal(stk_chain_assemble(pool->items, pool->count, 1, &chain, &error),
                     STIRKEEP_CERT_INVALID);
    assert_null(chain);
}

static void it_ends_at_a_root_though_there_is_another_of_its_name_and_key(void **state)
{
    struct pool *pool = *state;
    struct pki_spec spec = pki_root_spec(pool->chain.root_key);
    X509 *renewed = NULL;
    size_t leaf = add(pool, pool->chain.leaf);
    size_t middle = add(pool, pool->chain.intermediate);
    size_t fresh = 0;

    (void)add(pool, pool->chain.root);
    spec.not_after += 100 * (int64_t)PKI_DAY;
    renewed = pki_certificate(&spec);
    fresh = add(pool, renewed);
    assert_chain(pool, leaf, (size_t[]){leaf, middle, fresh}, 3);
    X509_free(renewed);
}

static X509 *in_place_of(X509 **issuer, const struct pki_spec *spec)
{
    X509 *next = pki_certificate(spec);

    X509_free(*issuer);
    *issuer = next;
    return next;
}

static void it_is_no_longer_than_a_chain_may_be(void **state)
{
    static const char *const names[STK_CHAIN_MAX + 2] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct pool *pool = *state;
    struct stk_chain *chain = NULL;
    X509 *issuer = pool->chain.root;

    (void)X509_up_ref(issuer);
    for (size_t i = 0; i < STK_CHAIN_MAX + 2; i++) {
        struct pki_spec spec =
            pki_intermediate_spec(pool->chain.root_key, pool->chain.root_key, issuer);

        spec.common_name = names[i];
        (void)add(pool, in_place_of(&issuer, &spec));
    }
    X509_free(issuer);
    assert_int_equal(stk_chain_assemble(pool->items, pool->count, pool->count - 1, &chain, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_chain_count(chain), STK_CHAIN_MAX);
    stk_chain_free(chain);
}

static void a_pool_past_its_limit_is_refused(void **state)
{
    struct pool *pool = *state;
    struct stk_chain *chain = NULL;
    size_t leaf = add(pool, pool->chain.leaf);

    for (size_t i = 0; i < STK_ASSEMBLE_MAX; i++)
        (void)add(pool, pool->chain.root);
    assert_int_equal(stk_chain_assemble(pool->items, pool->count, leaf, &chain, NULL),
                     STIRKEEP_TOO_LARGE);
    assert_int_equal(stk_chain_assemble(pool->items, 1, 1, &chain, NULL), STIRKEEP_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_is_found_in_whatever_order_it_comes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_ends_where_an_issuer_is_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_alone_makes_no_issuer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_two_issuers_the_one_that_is_valid_longer_is_taken,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_certificate_is_passed_over_but_not_as_a_leaf,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            it_ends_at_a_root_though_there_is_another_of_its_name_and_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_no_longer_than_a_chain_may_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pool_past_its_limit_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
