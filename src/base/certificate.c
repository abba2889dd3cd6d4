/* One certificate, over OpenSSL.  It is parsed anew each time, which costs 100 us and more. */
#include "base/certificate.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <time.h>

#include "base/public_key_private.h"

/* NULL: der is not one certificate and nothing else. */
static X509 *certificate_parse(struct text der)
{
	const unsigned char *at = (const unsigned char *)der.data;
	X509 *certificate = NULL;

	if (der.length == 0 || der.length > CERTIFICATE_BYTES_MAX)
		return NULL;
	certificate = d2i_X509(NULL, &at, (long)der.length);
	if (certificate != NULL && at != (const unsigned char *)der.data + der.length) {
		X509_free(certificate);
		certificate = NULL;
	}
	ERR_clear_error();
	return certificate;
}

static bool read_time(int64_t *out_utc_s, const ASN1_TIME *value)
{
	struct tm parts = {0};

	if (value == NULL || ASN1_TIME_to_tm(value, &parts) != 1)
		return false;
	*out_utc_s = (int64_t)timegm(&parts);
	return true;
}

bool certificate_read_life(struct certificate_life *out, struct text der, struct error *err)
{
	X509 *certificate = certificate_parse(der);
	int64_t last_utc_s = 0;
	bool is_ok = false;

	*out = (struct certificate_life){0};
	if (certificate == NULL)
		return error_set(err, ERROR_INVALID, "not an X.509 certificate in DER");
	is_ok = read_time(&out->starts_utc_s, X509_get0_notBefore(certificate)) &&
		read_time(&last_utc_s, X509_get0_notAfter(certificate));
	X509_free(certificate);
	ERR_clear_error();
	if (!is_ok)
		return error_set(err, ERROR_INVALID, "the certificate's times are malformed");
	out->ends_utc_s = last_utc_s + 1; /* notAfter is its last second: RFC 5280 §4.1.2.5 */
	return true;
}

bool certificate_has_key(struct text der, const struct public_key *key)
{
	X509 *certificate = certificate_parse(der);
	EVP_PKEY *own = certificate == NULL ? NULL : X509_get0_pubkey(certificate);
	bool is_same = own != NULL && EVP_PKEY_eq(own, public_key_handle(key)) == 1;

	X509_free(certificate);
	ERR_clear_error();
	return is_same;
}
