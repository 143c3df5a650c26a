/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_TRAIL_H
#define STK_AUDIT_TRAIL_H

#include "audit/seal.h"
#include "base/buffer.h"
#include "base/error.h"
#include "model/order.h"
#include <limits.h>

/*
 * The audit trail: an append-only file of JSON lines, each carrying the SHA-256 of the line before
 * it (docs/AUDIT.md has every field). The keeper is its only writer. Thread-safe unless said.
 */
struct stk_trail;

enum stk_trail_sync {
    STK_TRAIL_INTERVAL, /* written before the answer leaves, on disk at most 100 ms later */
    STK_TRAIL_ALWAYS,   /* on disk before the answer leaves; one sync serves all that wait */
    STK_TRAIL_NONE      /* written before the answer leaves; the system syncs when it likes */
};

/* One record. Texts may be NULL or "" where the act has none. Never key material, never a PIN. */
struct stk_record {
    const char *act;     /* sign, refuse, import, source-removed, retire, start, stop, ... */
    const char *outcome; /* a status name: "ok", "not-permitted", ... */
    const char *reason;  /* when the outcome is not ok */
    const char *detail;
    const char *name;
    uint32_t generation;             /* 0: none */
    const struct stk_key_id *key_id; /* NULL: none */
    const char *ppt;
    const char *orig;
    const char *const *dest; /* at most STK_DEST_MAX are written */
    size_t dest_count;
    const char *attest;       /* as given */
    const char *attest_asked; /* when that is another one */
    const char *origid;
    int64_t iat;                 /* 0: none */
    const struct stk_peer *peer; /* NULL: the service itself */
    const char *executable;      /* of the peer, when it is known */
    const char *grant;
    uint64_t request_id; /* written with a peer */
    uint32_t suppressed;
    const struct stk_seal *seal;     /* act "seal" alone */
    const uint8_t *signature_digest; /* SHA-256 of the 64-byte signature: ties a record to its
                                        PASSporT; NULL: none */
};

/*
 * Open or create (mode 0600) and lock the trail; find the end of the chain. A torn last line
 * (power cut, kill) is moved to FILE.torn-TIME and recorded by the first append; the chain goes on
 * from the last whole line. What is unsealed in the file is found again: it is read back to its
 * last seal and checked from there on, at most STK_SEAL_RECORDS_MAX records and 256 MiB (half a
 * second). What a rotation that was cut off left is cleared away. AUDIT_UNAVAILABLE with the reason
 * when it cannot be used, BUSY when another one has it. `real_us` is now, for the names of files
 * put aside.
 */
enum stirkeep_status stk_trail_open(const char *path, enum stk_trail_sync sync, int64_t real_us,
                                    struct stk_trail **ret_trail, struct stk_error *error);

/* Sync and close. Not while others append. NULL is allowed. */
void stk_trail_close(struct stk_trail *trail);

/*
 * Append `count` records with one write, at `real_us`; returns when they are written, and with
 * ALWAYS when they are on disk. All or none: on AUDIT_UNAVAILABLE nothing of them is in the file.
 * A later call tries again, so that the trail goes on by itself when the disk can be written.
 * INVALID: an act is one that only the trail itself records (seal, continue, cut).
 *
 * A file that was removed, renamed, cut or replaced meanwhile gets no record that nobody would
 * find: a new file is begun, whose first record (act "continue") says so and goes on with the
 * chain; AUDIT_UNAVAILABLE while that cannot be done.
 */
enum stirkeep_status stk_trail_append(struct stk_trail *trail, const struct stk_record *records,
                                      size_t count, int64_t real_us, struct stk_error *error);

/*
 * The same in two steps, so that records of several callers are appended together: first each
 * caller's own, behind what `bodies` has already, which then needs nothing of theirs any more
 * (INVALID as above; NO_MEMORY; on failure `bodies` is as it was) ...
 */
enum stirkeep_status stk_trail_compose(const struct stk_record *records, size_t count,
                                       struct stk_buffer *bodies, struct stk_error *error);
/* ... and then all of them, in this order, as stk_trail_append does: with one write, all or none. */
enum stirkeep_status stk_trail_append_composed(struct stk_trail *trail,
                                               const struct stk_buffer *const *bodies, size_t count,
                                               int64_t real_us, struct stk_error *error);

/*
 * Until the disk holds what was appended so far; with NONE nothing is promised. AUDIT_UNAVAILABLE:
 * it may not hold it yet; the records stay, and nothing more is appended until they are on disk.
 */
enum stirkeep_status stk_trail_sync(struct stk_trail *trail, struct stk_error *error);

/* ---- checkpoints (audit/seal.h) */

/*
 * What a seal would cover now: the records since the last seal that are on disk (with NONE: that
 * are written). Fills in from, through, head and root; the rest is the caller's, who signs without
 * holding anybody up. False: there is nothing to seal; seals alone are nothing.
 *
 * Records that a former process left unsealed in the current file are in the tree; so are those of
 * a file that was rotated or renamed meanwhile. Those of one that was removed or cut are covered by
 * the chain alone (`head`), and `from` says so by leaving them out. So are the oldest when more than
 * STK_SEAL_RECORDS_MAX wait: each takes 40 bytes of memory while it waits.
 */
#define STK_SEAL_RECORDS_MAX 1048576
bool stk_trail_seal_begin(struct stk_trail *trail, struct stk_seal *ret_seal);

/*
 * Append the signed seal as a record and make it durable as the mode says; from then on the next
 * seal begins behind `through`. As stk_trail_append. INVALID when what it covers is not what the
 * trail holds any more (its file was removed, say, or another seal covers it): make another one.
 * `line` (NULL is allowed) gets the record's line without its newline, for the witness.
 */
enum stirkeep_status stk_trail_seal_end(struct stk_trail *trail, const struct stk_seal *seal,
                                        int64_t real_us, struct stk_buffer *line,
                                        struct stk_error *error);

/* Records that no seal covers yet, seals not counted, and since when the oldest of them waits
 * (real_us; 0: none). */
uint64_t stk_trail_unsealed(struct stk_trail *trail, int64_t *ret_since_us);

/* ---- rotation */

/* Size of the file, and when its first record was written (real_us). */
void stk_trail_extent(struct stk_trail *trail, uint64_t *ret_bytes, int64_t *ret_begun_us);

/*
 * Give the file the name PATH.<its last sequence number, 12 digits> and begin a new one with a
 * "continue" record: renamed only when all of it is on disk, nothing is written to the old one
 * afterwards, and a kill at any moment leaves one chain over both. `ret_name` is the old file's new
 * name. AUDIT_UNAVAILABLE: as before; so it is when the file has no records, when the new name is
 * taken, and on a file system without hard links.
 */
enum stirkeep_status stk_trail_rotate(struct stk_trail *trail, int64_t real_us,
                                      char ret_name[PATH_MAX], struct stk_error *error);

/* Sequence number of the last record. */
uint64_t stk_trail_sequence(struct stk_trail *trail);
/* Whether the last append, and the last sync, went well. Never waits, whatever the disk does. */
bool stk_trail_writable(struct stk_trail *trail);

#endif
