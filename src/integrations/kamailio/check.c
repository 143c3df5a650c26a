/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "base/clock.h"
#include "integrations/kamailio/codes.h"
#include "integrations/kamailio/papi.h"
#include "integrations/kamailio/stock.h"
#include "integrations/kamailio/verifier.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Each asks libsecsipid where it is; else stirkeep's own verifier. */

static struct stk_kam_verification verification(const char *identity, int length, int expire,
                                                enum stk_kam_parameters parameters)
{
    return (struct stk_kam_verification){
        .identity = identity,
        .length = length > 0 ? (size_t)length : strlen(identity),
        .now = stk_clock_seconds(),
        .expire_s = expire,
        .parameters = parameters,
    };
}

static int check_own(const char *identity, int length, int expire, const char *place,
                     enum stk_kam_parameters parameters)
{
    struct stk_kam_verification what = verification(identity, length, expire, parameters);

    return stk_kam_verify_at(&what, place);
}

int stk_kam_check_passport(char *identity, int length, int expire, char *key_path, int timeout)
{
    const struct stk_kam_stock *stock = stk_kam_stock();

    if (identity == NULL || key_path == NULL || length < 0)
        return STK_KAM_ERROR;
    return stock != NULL ? stock->check(identity, length, expire, key_path, timeout)
                         : check_own(identity, length, expire, key_path, STK_KAM_IGNORED);
}

int stk_kam_check_full(char *identity, int length, int expire, char *key_path, int timeout)
{
    const struct stk_kam_stock *stock = stk_kam_stock();

    if (identity == NULL || key_path == NULL || length < 0)
        return STK_KAM_ERROR;
    return stock != NULL ? stock->check_full(identity, length, expire, key_path, timeout)
                         : check_own(identity, length, expire, key_path, STK_KAM_REQUIRED);
}

int stk_kam_check_full_data(char *identity, int length, int expire, char *key, int key_length)
{
    const struct stk_kam_stock *stock = stk_kam_stock();
    struct stk_kam_verification what = {0};
    size_t size = 0;

    if (identity == NULL || key == NULL || length < 0 || key_length < 0)
        return STK_KAM_ERROR;
    if (stock != NULL)
        return stock->check_full_data(identity, length, expire, key, key_length);
    what = verification(identity, length, expire, STK_KAM_OPTIONAL);
    size = key_length > 0 ? (size_t)key_length : strlen(key);
    return stk_kam_verify(&what, (struct stk_bytes){(const uint8_t *)key, size});
}

int stk_kam_cache_options(char *directory, int expire)
{
    char directory_name[] = "CacheDirPath";
    char expire_name[] = "CacheExpires";
    const struct stk_kam_stock *stock = stk_kam_stock();

    if (directory == NULL)
        return STK_KAM_ERROR;
    if (stock != NULL)
        return stock->set_cache(directory, expire);
    (void)stk_kam_option_text(directory_name, directory);
    return stk_kam_option_number(expire_name, expire);
}

int stk_kam_url_content(char *url, int timeout, char **ret_text, int *ret_length)
{
    const struct stk_kam_stock *stock = stk_kam_stock();
    struct stk_buffer content = {0};
    char *text = NULL;
    int result = STK_KAM_ERROR;

    if (url == NULL || ret_text == NULL || ret_length == NULL)
        return STK_KAM_ERROR;
    if (stock != NULL)
        return stock->get_url(url, timeout, ret_text, ret_length);
    if (strncmp(url, "http://", strlen("http://")) != 0 &&
        strncmp(url, "https://", strlen("https://")) != 0)
        return STK_KAM_URL_INVALID;
    result = stk_kam_content(url, stk_clock_seconds(), &content);
    if (result == STK_KAM_OK) {
        text = calloc(1, content.length + 1);
        result = text != NULL ? STK_KAM_OK : STK_KAM_ERROR;
    }
    if (text != NULL) {
        if (content.length > 0)
            memcpy(text, content.data, content.length);
        *ret_text = text;
        *ret_length = (int)content.length;
    }
    stk_buffer_free(&content);
    return result;
}
