/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_BOUNDS_H
#define STK_WIRE_BOUNDS_H

/* Limits of messages that those who fill them in have to know, beside base/limits.h. Decoders
 * enforce them. */

#define STK_SPC_MAX 15                   /* characters of a service provider code */
#define STK_SUBJECT_MAX 256              /* bytes of a subject, RFC 4514 */
#define STK_CSR_MAX 4096                 /* bytes of a certificate request */
#define STK_SPKI_MAX 2048                /* bytes of a SubjectPublicKeyInfo */
#define STK_ACTIVATE_AT_MAX 253402300799 /* the last second of the year 9999 */
#define STK_WARNINGS_MAX 64              /* in one answer */
#define STK_PROCESSES_MAX 16             /* of a service */
#define STK_PROBLEMS_MAX 256             /* in one answer */
#define STK_REQUESTED_MAX 64             /* keys without a certificate in one answer */
#define STK_INVENTORY_MAX 32             /* certificates of one key on the token */

#endif
