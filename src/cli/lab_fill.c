/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"

#include "cert/cert.h"
#include "cert/key.h"
#include "cli/lab_chain.h"
#include "client/admin.h"
#include "seal/seal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CALL_MS 30000
#define PAUSE_NS 3000000
#define SOURCE "made by stirkeep lab"

static enum stirkeep_status write_buffer(const struct stk_lab_place *place, const char *name,
                                         struct stk_buffer *data, enum stirkeep_status status,
                                         struct stk_error *error)
{
    if (status == STIRKEEP_OK)
        status = stk_lab_write(place, name, (const char *)data->data, data->length, error);
    stk_buffer_free(data);
    return status;
}

static enum stirkeep_status write_ca(const struct stk_lab_ca *ca, const struct stk_lab_place *place,
                                     struct stk_error *error)
{
    struct stk_buffer pem = {0};
    enum stirkeep_status status = stk_lab_ca_root_pem(ca, &pem, error);

    status = write_buffer(place, "ca/root.pem", &pem, status, error);
    if (status == STIRKEEP_OK)
        status = stk_lab_ca_intermediate_pem(ca, &pem, error);
    return write_buffer(place, "ca/intermediate.pem", &pem, status, error);
}

/* Until the service answers; the guardian ends this process when the service ends. */
static enum stirkeep_status connect(const struct stk_lab_place *place, struct stk_admin **ret_admin,
                                    struct stk_error *error)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    char path[PATH_MAX] = "";

    (void)stk_lab_path(place, "service/admin.sock", path);
    for (;;) {
        struct stk_admin_request request = {.kind = STK_ADMIN_STATUS};
        struct stk_admin_response response = {0};
        struct stk_admin *admin = NULL;
        enum stirkeep_status status = stk_admin_connect(path, CALL_MS, &admin, error);

        if (status == STIRKEEP_OK)
            status = stk_admin_call(admin, &request, &response, error);
        if (status == STIRKEEP_OK && response.service.ready) {
            *ret_admin = admin;
            return STIRKEEP_OK;
        }
        stk_admin_close(admin);
        if (status == STIRKEEP_NOT_PERMITTED || status == STIRKEEP_MALFORMED)
            return status;
        (void)nanosleep(&pause, NULL);
    }
}

static enum stirkeep_status import(struct stk_admin *admin, const struct stk_name *name,
                                   const struct stk_chain *chain, struct stk_bytes sealed,
                                   struct stk_error *error)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_IMPORT,
                                        .name = *name,
                                        .chain_count = stk_chain_count(chain),
                                        .sealed = sealed,
                                        .x5u = "",
                                        .source = SOURCE};
    struct stk_admin_response response = {0};

    for (size_t i = 0; i < request.chain_count && i < STK_CHAIN_MAX; i++)
        request.chain[i] = stk_chain_der(chain, i);
    return stk_admin_call(admin, &request, &response, error);
}

static enum stirkeep_status seal(struct stk_admin *admin, const struct stk_secret *der,
                                 struct stk_buffer *ret_sealed, struct stk_error *error)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_WRAPPING_KEY};
    struct stk_admin_response response = {0};
    struct stk_private_key key = {0};
    enum stirkeep_status status = stk_private_key_read(der, "key", NULL, &key, error);

    if (status == STIRKEEP_OK)
        status = stk_admin_call(admin, &request, &response, error);
    if (status == STIRKEEP_OK)
        status = stk_seal(response.spki, &key.pkcs8, ret_sealed, error);
    stk_private_key_free(&key);
    return status;
}

static enum stirkeep_status give(struct stk_lab_ca *ca, struct stk_admin *admin,
                                 const struct stk_lab_certificate *certificate,
                                 const struct stk_lab_place *place, struct stk_error *error)
{
    struct stk_buffer pem = {0};
    struct stk_buffer sealed = {0};
    struct stk_secret key = {0};
    struct stk_chain *chain = NULL;
    char name[PATH_MAX] = "";
    enum stirkeep_status status = stk_lab_ca_issue(ca, certificate, &pem, &key, error);

    if (status == STIRKEEP_OK)
        status = stk_chain_read((struct stk_bytes){pem.data, pem.length}, "chain", &chain, error);
    if (status == STIRKEEP_OK)
        status = seal(admin, &key, &sealed, error);
    stk_secret_free(&key);
    if (status == STIRKEEP_OK)
        status = import(admin, &certificate->name, chain,
                        (struct stk_bytes){sealed.data, sealed.length}, error);
    (void)snprintf(name, sizeof(name), "certificates/%s.pem", certificate->name.text);
    status = write_buffer(place, name, &pem, status, error);
    stk_buffer_free(&sealed);
    stk_chain_free(chain);
    return status;
}

static enum stirkeep_status make_directories(const struct stk_lab_place *place,
                                             struct stk_error *error)
{
    static const char *const names[] = {"ca", "certificates"};
    char path[PATH_MAX] = "";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!stk_lab_path(place, names[i], path) || mkdir(path, 0700) != 0)
            return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    return STIRKEEP_OK;
}

enum stirkeep_status stk_lab_fill(const struct stk_lab *lab, const struct stk_lab_place *place,
                                  struct stk_error *error)
{
    struct stk_lab_ca *ca = NULL;
    struct stk_admin *admin = NULL;
    enum stirkeep_status status = make_directories(place, error);

    if (status == STIRKEEP_OK)
        status = stk_lab_ca_new(&ca, error);
    if (status == STIRKEEP_OK)
        status = write_ca(ca, place, error);
    if (status == STIRKEEP_OK)
        status = connect(place, &admin, error);
    for (size_t i = 0; i < lab->count && status == STIRKEEP_OK; i++) {
        status = give(ca, admin, &lab->certificates[i], place, error);
        if (status != STIRKEEP_OK)
            (void)stk_error_prefix(error, lab->certificates[i].name.text);
    }
    stk_admin_close(admin);
    stk_lab_ca_free(ca);
    return status;
}
