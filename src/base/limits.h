/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_LIMITS_H
#define STK_BASE_LIMITS_H

/* Every limit that more than one folder knows, each enforced where bytes enter. Sizes in bytes. */

#define STK_FRAME_HEADER 4                  /* big-endian length before each message */
#define STK_SIGN_MESSAGE_MAX (64 * 1024)    /* on sign.sock, header not counted */
#define STK_ADMIN_MESSAGE_MAX (1024 * 1024) /* on admin.sock */
#define STK_LINK_MESSAGE_MAX (128 * 1024)   /* between rooms: one SEQPACKET message */
#define STK_BATCH_MAX 16                    /* orders or answers in one message between rooms */
#define STK_DECODE_ARENA_MAX (512 * 1024)   /* memory that decoding one message may take */

#define STK_NAME_MAX 64 /* certificate name */
#define STK_GRANT_NAME_MAX 64
#define STK_EXECUTABLE_MAX 511 /* characters of a program's path */
#define STK_TN_MAX 15          /* digits, ITU-T E.164 */
#define STK_URI_MAX 256
#define STK_DEST_MAX 32      /* tn and uri together */
#define STK_ORIGID_LENGTH 36 /* UUID in text, RFC 9562 section 4 */
#define STK_PPT_MAX 16
#define STK_OPT_MAX (8 * 1024) /* div-o: the inner PASSporT */
#define STK_RPH_MAX 16         /* auth values of an rph */
#define STK_RPH_TEXT_MAX 64    /* one of them; also sph, hi */
#define STK_RCD_TEXT_MAX 512   /* nam, apn, crn; icn and jcl are URIs of this length */
#define STK_RCD_JCD_MAX (8 * 1024)
#define STK_RCDI_MAX 16
#define STK_RCDI_POINTER_MAX 128
#define STK_MKY_MAX 8
#define STK_OTHER_MAX (16 * 1024) /* JSON of further claims */
#define STK_X5U_MAX 512
#define STK_KEY_ID_LENGTH 32    /* SHA-256 of SubjectPublicKeyInfo */
#define STK_SPKI_LENGTH 91      /* DER SubjectPublicKeyInfo of a P-256 key, uncompressed */
#define STK_SIGNATURE_LENGTH 64 /* ES256 r||s, RFC 7518 section 3.4 */
#define STK_DIGEST_LENGTH 32
#define STK_CHALLENGE_LENGTH 32
#define STK_IDENTITY_MAX (32 * 1024) /* Identity header value */

#define STK_CERT_FILE_MAX (256 * 1024)   /* a certificate, chain or key file */
#define STK_CERT_DER_MAX (16 * 1024)     /* one certificate */
#define STK_CHAIN_MAX 6                  /* certificates in a chain, leaf included */
#define STK_SEALED_MAX (2 * 1024)        /* RSA part and AES-KWP part */
#define STK_CONFIG_MAX (4 * 1024 * 1024) /* 200 grants with a thousand numbers each */
#define STK_PIN_MAX 255
#define STK_ERROR_MAX 384      /* a one-line message, with its end */
#define STK_SOURCE_MAX 1024    /* a path, for the record */
#define STK_ATTRIBUTES_MAX 256 /* token attributes in words */

#define STK_ORDERS_IN_FLIGHT_MAX 4096 /* front to keeper; past it: overloaded */
#define STK_CONNECTIONS_MAX 2048      /* on sign.sock */
#define STK_ADMIN_CONNECTIONS_MAX 32
#define STK_NAMES_MAX 100000 /* certificate names held */
#define STK_SIGNERS_MAX 128

#endif
