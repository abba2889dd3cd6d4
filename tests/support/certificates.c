#include "support/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static void must(int is_ok)
{
	if (!is_ok)
		abort();
}

static void extend(X509 *certificate, X509V3_CTX *context, int which, const char *value)
{
	X509_EXTENSION *extension;

	if (value == NULL)
		return;
	extension = X509V3_EXT_conf_nid(NULL, context, which, value);
	must(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static X509 *parsed(const struct test_certificate *certificate)
{
	const unsigned char *at = certificate->der;

	return d2i_X509(NULL, &at, (long)certificate->size);
}

static void name(X509 *certificate, X509 *issuer)
{
	static unsigned made;
	X509_NAME *own = X509_get_subject_name(certificate);
	unsigned char text[] = {
		'c', (unsigned char)('a' + made / 26 % 26), (unsigned char)('a' + made % 26)};

	made++;
	must(X509_NAME_add_entry_by_txt(own, "CN", MBSTRING_ASC, text, sizeof text, -1, 0) == 1);
	must(X509_set_issuer_name(
		certificate, issuer == NULL ? own : X509_get_subject_name(issuer)));
	must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), (long)made));
}

void test_certificate_make(struct test_certificate *out, const struct test_certificate_shape *shape)
{
	X509 *certificate = X509_new();
	X509 *issuer = shape->issuer == NULL ? NULL : parsed(shape->issuer);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char *at = out->der;
	X509V3_CTX context;
	int size;

	must(certificate != NULL && key != NULL && X509_set_version(certificate, 2) == 1);
	name(certificate, issuer);
	must(ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)shape->start_utc_s) != NULL);
	must(ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)shape->end_utc_s) != NULL);
	must(X509_set_pubkey(certificate, key) == 1);
	X509V3_set_ctx(&context, issuer == NULL ? certificate : issuer, certificate, NULL, NULL, 0);
	extend(certificate, &context, NID_basic_constraints, shape->basic);
	extend(certificate, &context, NID_key_usage, shape->usage);
	extend(certificate, &context, NID_ext_key_usage, shape->extended);
	extend(certificate, &context, NID_subject_alt_name, shape->names);
	must(X509_sign(certificate, shape->issuer == NULL ? key : (EVP_PKEY *)shape->issuer->key,
		     EVP_sha256()) > 0);
	size = i2d_X509(certificate, NULL);
	must(size > 0 && size <= TEST_CERTIFICATE_BYTES_MAX);
	must(i2d_X509(certificate, &at) == size);
	out->size = (size_t)size;
	out->key = key;
	X509_free(certificate);
	X509_free(issuer);
}

void test_certificate_free(struct test_certificate *certificate)
{
	EVP_PKEY_free((EVP_PKEY *)certificate->key);
	certificate->key = NULL;
}
