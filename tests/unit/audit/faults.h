/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_AUDIT_FAULTS_H
#define STK_TEST_AUDIT_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* System calls of the code under test, by the linker's --wrap: counted, and failing when told. */
struct faults {
    atomic_int fdatasync_errno; /* 0: works */
    atomic_int ftruncate_errno;
    atomic_int write_errno;      /* of writes to the trail ... */
    atomic_size_t write_short;   /* ... after so many bytes of it were written */
    atomic_bool unlink_at_write; /* the next write finds its file removed just before */
    atomic_int fdatasync_ms;     /* how long it takes */
    atomic_int fdatasyncs;       /* how many were asked for */
    atomic_int writes;
    const char *path; /* for unlink_at_write */
};

extern struct faults faults;

void faults_reset(void);

#endif
