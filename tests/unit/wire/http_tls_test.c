/* TLS on the TCP listener: a certificate of our own making, and the client that
 * trusts it, does not, or speaks without. */
#include "talk.h"

#include "wire/http_client.h"
#include "wire/http_server.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct bench {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	char folder[32];
	char ca_path[64];
	char certificate[8192];
	char key[8192];
	bool is_done;
	unsigned status;
	struct error err;
	bool saw_tls;
};

static void pem_take(BIO *memory, char *out, size_t size)
{
	int got = BIO_read(memory, out, (int)size - 1);

	assert_true(got > 0);
	out[got] = '\0';
	BIO_free(memory);
}

/* Self-signed, for 127.0.0.1, P-256, one hour. */
static void certificate_make(struct bench *bench)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_EXTENSION *name =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	BIO *memory = BIO_new(BIO_s_mem());

	assert_non_null(key);
	assert_true(X509_set_version(certificate, 2) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
		(const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	assert_int_equal(X509_add_ext(certificate, name, -1), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(memory, certificate), 1);
	pem_take(memory, bench->certificate, sizeof bench->certificate);
	memory = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL), 1);
	pem_take(memory, bench->key, sizeof bench->key);
	X509_EXTENSION_free(name);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;

	bench->saw_tls = http_exchange_request(exchange)->is_tls;
	http_respond(exchange, &(struct http_response){.status = 200, .body = TEXT("private")});
}

static bool serve(struct bench *bench, const char *key, struct error *err)
{
	return http_server_create(&bench->server, bench->loop,
		&(struct http_server_settings){.tcp_address = "127.0.0.1:0",
			.tls_certificate = bench->certificate,
			.tls_key = key,
			.on_request = on_request,
			.context = bench},
		err);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;
	FILE *file;

	assert_non_null(bench);
	certificate_make(bench);
	memcpy(bench->folder, "/tmp/tls-test-XXXXXX", 21);
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(bench->ca_path, sizeof bench->ca_path, "%s/ca", bench->folder);
	file = fopen(bench->ca_path, "w");
	assert_non_null(file);
	assert_true(fputs(bench->certificate, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	http_client_destroy(&bench->client);
	http_server_destroy(&bench->server);
	loop_destroy(&bench->loop);
	(void)unlink(bench->ca_path);
	(void)rmdir(bench->folder);
	free(bench);
	return 0;
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct bench *bench = context;

	bench->is_done = true;
	bench->status = reply->status;
	bench->err = reply->err;
}

static void ask(struct bench *bench, const char *scheme, const char *ca_file)
{
	char url[64];
	struct error err;

	(void)snprintf(
		url, sizeof url, "%s://127.0.0.1:%u/", scheme, http_server_port(bench->server));
	bench->is_done = false;
	assert_true(http_client_send(bench->client,
		&(struct http_call_request){.method = "GET",
			.url = url,
			.ca_file = ca_file,
			.deadline_ms = 10000,
			.context = bench,
			.on_done = on_done},
		NULL, &err));
	talk_run_until(bench->loop, &bench->is_done);
}

static void a_key_that_is_none_does_not_start(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_false(serve(bench, "-----BEGIN PRIVATE KEY-----\nnone\n", &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_null(bench->server);
}

static void a_certificate_nobody_vouches_for_is_refused(void **state)
{
	struct bench *bench = *state;
	struct error err;

	assert_true(serve(bench, bench->key, &err));
	ask(bench, "https", NULL);
	assert_int_equal(bench->err.code, ERROR_IO);
	assert_int_equal(bench->status, 0);
}

static void a_client_without_tls_gets_no_answer(void **state)
{
	struct bench *bench = *state;
	struct error err;

	assert_true(serve(bench, bench->key, &err));
	ask(bench, "http", NULL);
	assert_int_equal(bench->err.code, ERROR_IO);
	assert_int_equal(bench->status, 0);
}

static void a_trusted_certificate_serves(void **state)
{
	struct bench *bench = *state;
	struct error err;

	assert_true(serve(bench, bench->key, &err));
	ask(bench, "https", bench->ca_path);
	if (bench->err.code != ERROR_NONE)
		fail_msg("%s", bench->err.text);
	assert_int_equal(bench->status, 200);
	assert_true(bench->saw_tls);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_key_that_is_none_does_not_start),
		WITH(a_certificate_nobody_vouches_for_is_refused),
		WITH(a_client_without_tls_gets_no_answer),
		WITH(a_trusted_certificate_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
