/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "integrations/kamailio/codes.h"
#include "integrations/kamailio/options.h"
#include "integrations/kamailio/say.h"
#include "integrations/kamailio/verifier.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CACHE_EXPIRES_DEFAULT_S 3600
#define FILE_URL "file://"

static bool is_url(const char *place)
{
    return strncmp(place, "http://", strlen("http://")) == 0 ||
           strncmp(place, "https://", strlen("https://")) == 0;
}

/* DIRECTORY/https_host_path, as libsecsipid names it. */
static bool cached_path(const char *url, char ret_path[PATH_MAX])
{
    const char *directory = stk_kam_option("CacheDirPath", "");
    const char *rest = strstr(url, "://") + strlen("://");
    int scheme = (int)(rest - url) - (int)strlen("://");
    int length = snprintf(ret_path, PATH_MAX, "%s/%.*s_%s", directory, scheme, url, rest);

    if (directory[0] == '\0' || length < 0 || length >= PATH_MAX)
        return false;
    for (char *at = ret_path + strlen(directory) + 1; *at != '\0'; at++)
        if (*at == '/')
            *at = '_';
    return true;
}

static bool is_fresh(const char *path, int64_t now)
{
    struct stat about = {0};

    return stat(path, &about) == 0 &&
           now - about.st_mtime <= stk_kam_option_int("CacheExpires", CACHE_EXPIRES_DEFAULT_S);
}

int stk_kam_content(const char *place, int64_t now, struct stk_buffer *ret_content)
{
    char path[PATH_MAX] = "";
    struct stk_error error = {0};

    if (is_url(place)) {
        if (!cached_path(place, path) || !is_fresh(path, now)) {
            stk_kam_say(STK_KAM_LOG_ERROR,
                        "%.200s: not in the cache directory; only libsecsipid fetches URLs", place);
            return STK_KAM_URL_GET;
        }
        place = path;
    } else if (strncmp(place, FILE_URL, strlen(FILE_URL)) == 0) {
        place += strlen(FILE_URL);
    }
    if (stk_file_read(place, STK_CERT_FILE_MAX, ret_content, &error) == STIRKEEP_OK)
        return STK_KAM_OK;
    stk_kam_say(STK_KAM_LOG_ERROR, "%s", error.message);
    return STK_KAM_FILE_READ;
}
