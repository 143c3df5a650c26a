// SPDX-License-Identifier: BSD-2-Clause
// The public headers in a C++ program: they compile without a warning, and it links and runs.
#include <stirkeep/client.h>

#include <cstdio>
#include <cstring>

int main()
{
    stirkeep_client *client = nullptr;
    stirkeep_claims claims{};
    stirkeep_signature signature{};
    stirkeep_request requests[1] = {};
    stirkeep_answer answers[1] = {};
    const stirkeep_pair mky[] = {{"sha-256", "00"}};
    const char *dest[] = {"12155550131"};

    claims.orig_tn = "12155550121";
    claims.dest_tn = dest;
    claims.dest_tn_count = 1;
    if (stirkeep_client_new("/nonexistent/socket", 100, &client) != STIRKEEP_OK)
        return 1;
    if (stirkeep_sign(client, "Alpha", &claims, &signature) != STIRKEEP_NOT_CONNECTED)
        return 2;
    if (stirkeep_sign_input(client, "Alpha", "{}", "{}", &signature) != STIRKEEP_NOT_CONNECTED)
        return 4;
    claims.mky = mky;
    claims.mky_count = 1;
    claims.compact = true;
    requests[0].name = "Alpha";
    requests[0].claims = &claims;
    if (stirkeep_sign_batch(client, requests, 1, true, answers) != STIRKEEP_NOT_CONNECTED)
        return 5;
    if (std::strcmp(stirkeep_status_name(STIRKEEP_NOT_CONNECTED), "not-connected") != 0)
        return 3;
    stirkeep_client_free(client);
    std::printf("%s\n", stirkeep_version());
    return 0;
}
