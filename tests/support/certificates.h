#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

#include <stddef.h>
#include <stdint.h>

/* Certificates of any shape, made for a test.  Aborts if it cannot. */

enum { TEST_CERTIFICATE_BYTES_MAX = 8192 };

struct test_certificate {
	void *key; /* EVP_PKEY */
	unsigned char der[TEST_CERTIFICATE_BYTES_MAX];
	size_t size;
};

struct test_certificate_shape {
	const struct test_certificate *issuer; /* NULL: itself */
	const char *names;                     /* "URI:spiffe://td/a"; NULL: none */
	const char *basic;                     /* "critical,CA:FALSE"; NULL: none */
	const char *usage;                     /* "critical,digitalSignature"; NULL: none */
	const char *extended;                  /* "clientAuth"; NULL: none */
	int64_t start_utc_s;
	int64_t end_utc_s;
};

void test_certificate_make(
	struct test_certificate *out, const struct test_certificate_shape *shape);
void test_certificate_free(struct test_certificate *certificate);

#endif
