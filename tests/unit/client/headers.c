/* SPDX-License-Identifier: BSD-2-Clause */
/* Each public header by itself, first in its file, in plain C11. */
#include <stirkeep/client.h>
#include <stirkeep/status.h>

int main(void)
{
    return stirkeep_version()[0] == '\0' || stirkeep_under_way(0) != 0 || stirkeep_fd(0, 0) != -1;
}
