/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "cert/gate_report.h"
#include <openssl/x509v3.h>
#include <string.h>

/* What time says of the chain, and how its certificates hang together. */

#define DAY 86400
#define DAY_TEXT 11 /* "2026-11-25" */

static void day_text(int64_t seconds, char ret_text[DAY_TEXT])
{
    char text[STK_TIME_TEXT];

    stk_clock_text(seconds * 1000000, text);
    memcpy(ret_text, text, DAY_TEXT - 1);
    ret_text[DAY_TEXT - 1] = '\0';
}

static void judge_days_left(const struct stk_gate *gate, int64_t not_after)
{
    static const int thresholds[] = {7, 14, 30};
    int64_t days = (not_after - gate->now) / DAY;

    for (size_t i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++)
        if (days < thresholds[i]) {
            stk_gate_find(gate, STK_GATE_ADVICE, "VALIDITY-ENDS", "RFC 5280 section 4.1.2.5",
                          "%lld days left, less than %d: renew it", (long long)days, thresholds[i]);
            return;
        }
}

void stk_gate_judge_validity(const struct stk_gate *gate)
{
    const struct stk_chain_item *leaf = &gate->chain->items[0];
    char day[DAY_TEXT];

    if (gate->now < leaf->not_before) {
        day_text(leaf->not_before, day);
        stk_gate_find(gate, STK_GATE_ALWAYS, "VALIDITY-NOT-YET", "RFC 5280 section 4.1.2.5",
                      "not valid before %s", day);
    } else if (gate->now > leaf->not_after) {
        day_text(leaf->not_after, day);
        stk_gate_find(gate, STK_GATE_ALWAYS, "VALIDITY-EXPIRED", "RFC 5280 section 4.1.2.5",
                      "expired on %s", day);
    } else {
        judge_days_left(gate, leaf->not_after);
    }
    for (size_t i = 1; i < gate->chain->count; i++) {
        const struct stk_chain_item *item = &gate->chain->items[i];

        if (gate->now < item->not_before || gate->now > item->not_after)
            stk_gate_find(gate, STK_GATE_STRICT, "CHAIN-VALIDITY", "RFC 5280 section 6.1.3",
                          "certificate %zu of the chain is %s", i + 1,
                          gate->now > item->not_after ? "expired" : "not yet valid");
    }
}

/* Certificate `index` has to be issued by the next one. */
static void judge_link(const struct stk_gate *gate, size_t index)
{
    const char *clause = "RFC 8555 section 9.1";
    X509 *subject = gate->chain->items[index].x509;
    X509 *issuer = gate->chain->items[index + 1].x509;
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    if (X509_NAME_cmp(X509_get_issuer_name(subject), X509_get_subject_name(issuer)) != 0)
        stk_gate_find(gate, STK_GATE_STRICT, "CHAIN-ORDER", clause,
                      "certificate %zu is not issued by certificate %zu: the order is leaf first, "
                      "then each one's issuer",
                      index + 1, index + 2);
    else if (key == NULL || X509_verify(subject, key) != 1)
        stk_gate_find(gate, STK_GATE_STRICT, "CHAIN-SIGNATURE", clause,
                      "certificate %zu is not signed by the key of certificate %zu", index + 1,
                      index + 2);
    if (X509_check_ca(issuer) != 1)
        stk_gate_find(gate, STK_GATE_STRICT, "CHAIN-CA", "RFC 5280 section 6.1.4",
                      "certificate %zu issues others but is not a CA's", index + 2);
}

void stk_gate_judge_path(const struct stk_gate *gate)
{
    X509 *leaf = gate->chain->items[0].x509;

    if (X509_NAME_cmp(X509_get_issuer_name(leaf), X509_get_subject_name(leaf)) == 0)
        stk_gate_find(gate, STK_GATE_STRICT, "SELF-SIGNED",
                      "ATIS-1000080 section 6.4.1, RFC 8226 section 3",
                      "issued by itself; an STI-CA has to issue it");
    else if (gate->chain->count == 1)
        stk_gate_find(gate, STK_GATE_ADVICE, "CHAIN-ALONE", "RFC 8226 section 7",
                      "no intermediate certificate comes with it; verifiers need it at x5u");
    for (size_t i = 0; i + 1 < gate->chain->count; i++)
        judge_link(gate, i);
}
