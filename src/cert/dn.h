/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_DN_H
#define STK_CERT_DN_H

#include "base/error.h"
#include <openssl/x509.h>

#define STK_DN_TEXT_MAX 256 /* bytes of a distinguished name in text */

/*
 * Read a distinguished name from its text (RFC 4514; the last RDN in the text comes first in the
 * name). Attribute types: CN, O, OU, L, ST, C, STREET, DC, UID, serialNumber in either case, or a
 * dotted OID. Strict, but that spaces are allowed before an attribute type ("C=US, O=Example").
 * Values are encoded in the string types, and within the lengths, of X.520; a value given in hex
 * has to be a UTF8String, PrintableString or IA5String and is taken as it is. No value is empty or
 * has control characters; no RDN has an attribute type twice. INVALID, the message beginning with
 * "subject: ". X509_NAME_free. Any thread.
 */
enum stirkeep_status stk_dn_read(const char *text, X509_NAME **ret_name, struct stk_error *error);

#endif
