/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/image.h"

#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK)

void stk_image_close(struct stk_image *image)
{
    if (image->rules != NULL)
        stk_rules_close(image->rules);
    if (image->map != NULL)
        (void)munmap(image->map, image->length);
    *image = (struct stk_image){0};
}

static enum stirkeep_status map_sealed(int fd, struct stk_image *image, struct stk_error *error)
{
    struct stat file = {0};
    int seals = fcntl(fd, F_GET_SEALS);
    void *map = NULL;

    if (seals < 0 || (seals & SEALS) != SEALS || !stk_fd_about(fd, &file) || file.st_size <= 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "attestation rules: not a sealed image");
    map = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return stk_error_set(error, STIRKEEP_IO, "attestation rules: %s", strerror(errno));
    image->map = map;
    image->length = (size_t)file.st_size;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_image_open(int fd, struct stk_image *ret_image, struct stk_error *error)
{
    struct stk_image image = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (fd >= 0)
        status = map_sealed(fd, &image, error);
    if (status == STIRKEEP_OK && fd >= 0)
        status = stk_rules_open((struct stk_bytes){image.map, image.length}, &image.rules, error);
    if (status != STIRKEEP_OK) {
        stk_image_close(&image);
        return status;
    }
    *ret_image = image;
    return STIRKEEP_OK;
}
