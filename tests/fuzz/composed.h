/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_FUZZ_COMPOSED_H
#define TEST_FUZZ_COMPOSED_H

#include "model/claims.h"

/*
 * A PASSporT is composed of claims that were taken, and everything that reads one has to find it
 * good: its JSON is canonical, passport/reading.h reads back what composes to the same bytes,
 * passport/verify.h finds nothing wrong with it and reads the claims.
 */
#define FUZZ_X5U "https://certs.example.com/a.pem"
void fuzz_compose(const struct stk_claims *claims);

#endif
