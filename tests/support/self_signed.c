#include "support/self_signed.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

static void take(BIO *memory, char out[SELF_SIGNED_BYTES_MAX])
{
	int got = BIO_read(memory, out, SELF_SIGNED_BYTES_MAX - 1);

	must(got > 0);
	out[got] = '\0';
	BIO_free(memory);
}

/* By the one way a key leaves: its file. */
static EVP_PKEY *handle_of(const struct private_key *key)
{
	char folder[] = "/tmp/certificates-XXXXXX";
	char path[64];
	struct error err = {0};
	EVP_PKEY *handle = NULL;
	FILE *file = NULL;

	must(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof path, "%s/key", folder);
	must(private_key_save(key, path, &err));
	file = fopen(path, "r");
	must(file != NULL);
	handle = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	(void)fclose(file);
	(void)unlink(path);
	(void)rmdir(folder);
	must(handle != NULL);
	return handle;
}

static void add_comment(X509 *certificate, size_t size)
{
	char *text = calloc(1, size + 1);
	X509_EXTENSION *comment = NULL;

	must(text != NULL);
	memset(text, 'c', size);
	comment = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, text);
	must(size == 0 || (comment != NULL && X509_add_ext(certificate, comment, -1) == 1));
	X509_EXTENSION_free(comment);
	free(text);
}

static void write_out(struct self_signed *out, X509 *certificate, EVP_PKEY *key, bool is_new)
{
	unsigned char *end = out->bytes;
	BIO *memory = BIO_new(BIO_s_mem());
	int size = i2d_X509(certificate, NULL);

	must(size > 0 && size <= SELF_SIGNED_BYTES_MAX);
	must(i2d_X509(certificate, &end) == size);
	out->der = (struct text){(const char *)out->bytes, (size_t)size};
	must(PEM_write_bio_X509(memory, certificate) == 1);
	take(memory, out->pem);
	if (!is_new)
		return;
	memory = BIO_new(BIO_s_mem());
	must(PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1);
	take(memory, out->key_pem);
}

/* comment: bytes of a comment it holds. */
static void make(struct self_signed *out, const struct private_key *key, int64_t starts_utc_s,
	int64_t ends_utc_s, size_t comment)
{
	EVP_PKEY *handle = key == NULL ? EVP_EC_gen("P-256") : handle_of(key);
	X509 *certificate = X509_new();
	X509_EXTENSION *name =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");

	memset(out, 0, sizeof *out);
	must(handle != NULL && certificate != NULL && name != NULL);
	must(X509_set_version(certificate, 2) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	must(ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)starts_utc_s) != NULL);
	must(ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)ends_utc_s) != NULL);
	must(X509_set_pubkey(certificate, handle) == 1);
	must(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
		     (const unsigned char *)"test", -1, -1, 0) == 1);
	must(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1);
	must(X509_add_ext(certificate, name, -1) == 1);
	add_comment(certificate, comment);
	must(X509_sign(certificate, handle, EVP_sha256()) > 0);
	write_out(out, certificate, handle, key == NULL);
	X509_EXTENSION_free(name);
	X509_free(certificate);
	EVP_PKEY_free(handle);
}

void self_signed_make(struct self_signed *out, const struct private_key *key, int64_t starts_utc_s,
	int64_t ends_utc_s)
{
	make(out, key, starts_utc_s, ends_utc_s, 0);
}

void self_signed_of_size(struct self_signed *out, size_t size)
{
	int64_t now_utc_s = (int64_t)time(NULL);
	size_t comment = size - 600;

	/* A signature has 70 to 72 bytes, as its numbers fall. */
	for (int i = 0; i < 1000 && out->der.length != size; i++) {
		make(out, NULL, now_utc_s - 60, now_utc_s + 3600, comment);
		comment += size - out->der.length;
	}
	must(out->der.length == size);
}
