/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/secret.h"

#include "base/wipe.h"
#include <sys/mman.h>
#include <unistd.h>

enum stirkeep_status stk_secret_new(struct stk_secret *secret, size_t capacity)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (capacity / page + 1) * page;
    void *data = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *secret = (struct stk_secret){0};
    if (data == MAP_FAILED)
        return STIRKEEP_NO_MEMORY;
    /* Best effort: an ordinary user's RLIMIT_MEMLOCK may be used up, and older kernels know less. */
    (void)mlock(data, mapped);
    (void)madvise(data, mapped, MADV_DONTDUMP);
    (void)madvise(data, mapped, MADV_WIPEONFORK);
    *secret = (struct stk_secret){.data = data, .capacity = capacity, .mapped = mapped};
    return STIRKEEP_OK;
}

void stk_secret_free(struct stk_secret *secret)
{
    if (secret->data != NULL) {
        stk_wipe(secret->data, secret->mapped);
        (void)munmap(secret->data, secret->mapped);
    }
    *secret = (struct stk_secret){0};
}
