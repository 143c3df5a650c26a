/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KAMAILIO_CODES_H
#define STK_KAMAILIO_CODES_H

/* What libsecsipid's functions return, as scripts see it in $secsipid(ret) and $rc. */
enum stk_kam_code {
    STK_KAM_OK = 0,
    STK_KAM_ERROR = -1,
    STK_KAM_CERT_INVALID = -101,
    STK_KAM_CERT_FORMAT = -102,
    STK_KAM_CERT_EXPIRED = -103,
    STK_KAM_CERT_NOT_YET = -104,
    STK_KAM_CERT_PROCESSING = -105,
    STK_KAM_CERT_NO_CA_FILE = -106,
    STK_KAM_CERT_READ_CA_FILE = -107,
    STK_KAM_CERT_NO_INTERMEDIATE = -108,
    STK_KAM_CERT_READ_INTERMEDIATE = -109,
    STK_KAM_CERT_NO_CRL = -110,
    STK_KAM_CERT_READ_CRL = -111,
    STK_KAM_CERT_REVOKED = -112,
    STK_KAM_CERT_NOT_EC = -114,
    STK_KAM_KEY_INVALID = -151,
    STK_KAM_HEADER = -201,
    STK_KAM_HEADER_ALG = -202,
    STK_KAM_HEADER_PPT = -203,
    STK_KAM_HEADER_TYP = -204,
    STK_KAM_HEADER_X5U = -205,
    STK_KAM_PAYLOAD = -231,
    STK_KAM_PAYLOAD_STALE = -232,
    STK_KAM_SIGNATURE_INVALID = -251,
    STK_KAM_SIGNATURE_FAILURE = -254,
    STK_KAM_SIP_HEADER = -301,
    STK_KAM_SIP_ALG = -302,
    STK_KAM_SIP_PPT = -303,
    STK_KAM_SIP_INFO = -305,
    STK_KAM_URL_INVALID = -401,
    STK_KAM_URL_GET = -402,
    STK_KAM_FILE_READ = -451,
    /* stirkeep's own, as 429 in HTTP: so many are not allowed now. libsecsipid has none such. */
    STK_KAM_RATE = -429
};

#endif
