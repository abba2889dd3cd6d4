/* Client certificates: a TLS client of another library in a thread of its own, beside a
 * server that answers with what it was shown. */
#include "talk.h"

#include "base/digest.h"
#include "support/self_signed.h"
#include "wire/http_server.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>

enum { ANSWER_BYTES = 1024, REQUESTS_MAX = 3, CLIENTS_MAX = 4 };

struct bench {
	struct loop *loop;
	struct http_server *server;
	struct self_signed own;
	struct self_signed a;
	struct self_signed b;
	unsigned running; /* clients; the loop's thread */
	struct loop_timer guard;
	bool has_hung;
};

/* One connection. */
struct client {
	struct bench *bench;
	uint16_t port;
	const struct self_signed *shown; /* NULL: none */
	EVP_PKEY *key;                   /* NULL: the certificate's own */
	int version;                     /* of TLS */
	SSL_SESSION *resume;             /* NULL: a new session */
	unsigned requests;
	pthread_t thread;
	struct loop_post finished;
	/* What came of it. */
	bool is_connected;
	bool is_resumed;
	SSL_SESSION *session;
	char answers[REQUESTS_MAX][ANSWER_BYTES];
};

static void on_request(void *context, struct http_exchange *exchange)
{
	const struct sha256 *digest = http_exchange_certificate_digest(exchange);
	struct text der = http_exchange_certificate(exchange);
	char text[DIGEST_TEXT_BYTES] = "none";

	(void)context;
	if (digest != NULL) {
		struct sha256 again = sha256_of(der.data, der.length);

		assert_true(sha256_equal(digest, &again));
		digest_format(text, digest);
	} else {
		assert_int_equal(der.length, 0);
	}
	http_respond(exchange, &(struct http_response){.status = 200, .body = text_of(text)});
}

static void on_guard(struct loop_timer *timer)
{
	struct bench *bench = timer->context;

	bench->has_hung = true;
	loop_stop(bench->loop);
}

static void serve(struct bench *bench, bool asks)
{
	struct error err = {0};

	if (!http_server_create(&bench->server, bench->loop,
		    &(struct http_server_settings){.tcp_address = "127.0.0.1:0",
			    .tls_certificate = bench->own.pem,
			    .tls_key = bench->own.key_pem,
			    .asks_certificates = asks,
			    .on_request = on_request,
			    .context = bench},
		    &err))
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	int64_t now_utc_s = (int64_t)time(NULL);
	struct error err;

	assert_non_null(bench);
	(void)signal(SIGPIPE, SIG_IGN);
	self_signed_make(&bench->own, NULL, now_utc_s - 60, now_utc_s + 3600);
	self_signed_make(&bench->a, NULL, now_utc_s - 60, now_utc_s + 3600);
	/* Its time is over: that is for those who know whose it is to judge. */
	self_signed_make(&bench->b, NULL, now_utc_s - 3600, now_utc_s - 60);
	assert_true(loop_create(&bench->loop, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	http_server_destroy(&bench->server);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

/* ---- the client's thread ---- */

static EVP_PKEY *key_of(const char *pem)
{
	BIO *memory = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL);

	BIO_free(memory);
	return key;
}

static void show_certificate(const struct client *client, SSL *tls)
{
	const unsigned char *at = (const unsigned char *)client->shown->der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)client->shown->der.length);
	EVP_PKEY *own = client->key == NULL ? key_of(client->shown->key_pem) : NULL;

	(void)SSL_use_certificate(tls, certificate);
	(void)SSL_use_PrivateKey(tls, own == NULL ? client->key : own);
	X509_free(certificate);
	EVP_PKEY_free(own);
}

static bool ask_once(SSL *tls, char out[ANSWER_BYTES])
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
	char got[4 * ANSWER_BYTES] = "";
	size_t length = 0;
	const char *body = NULL;

	if (SSL_write(tls, request, sizeof request - 1) <= 0)
		return false;
	/* Every answer is "none" or a digest. */
	while (length < sizeof got - 1) {
		int more = SSL_read(tls, got + length, (int)(sizeof got - 1 - length));

		if (more <= 0)
			return false;
		length += (size_t)more;
		got[length] = '\0';
		body = strstr(got, "\r\n\r\n");
		if (body != NULL && (strcmp(body + 4, "none") == 0 ||
					    strlen(body + 4) == DIGEST_TEXT_BYTES - 1))
			break;
	}
	(void)snprintf(out, ANSWER_BYTES, "%s", body == NULL ? "" : body + 4);
	return body != NULL;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

static void on_finished(struct loop_post *post)
{
	struct client *client = post->context;

	if (--client->bench->running == 0)
		loop_stop(client->bench->loop);
}

static void *run_client(void *context)
{
	struct client *client = context;
	SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
	SSL *tls = SSL_new(settings);
	int fd = connect_to(client->port);

	(void)SSL_set_min_proto_version(tls, client->version);
	(void)SSL_set_max_proto_version(tls, client->version);
	if (client->shown != NULL)
		show_certificate(client, tls);
	if (client->resume != NULL)
		(void)SSL_set_session(tls, client->resume);
	(void)SSL_set_fd(tls, fd);
	client->is_connected = SSL_connect(tls) == 1;
	client->is_resumed = SSL_session_reused(tls) == 1;
	for (unsigned i = 0; client->is_connected && i < client->requests; i++)
		client->is_connected = ask_once(tls, client->answers[i]);
	client->session = SSL_get1_session(tls);
	(void)SSL_shutdown(tls);
	SSL_free(tls);
	SSL_CTX_free(settings);
	(void)close(fd);
	loop_post(client->bench->loop, &client->finished);
	return NULL;
}

/* All at once, each in a thread of its own, while the server's loop runs here. */
static void run(struct bench *bench, struct client *clients, unsigned count)
{
	struct error err = {0};

	bench->guard = (struct loop_timer){.on_due = on_guard, .context = bench};
	assert_true(loop_timer_start(bench->loop, &bench->guard, TALK_GUARD_MS));
	bench->running = count;
	for (unsigned i = 0; i < count; i++) {
		clients[i].bench = bench;
		clients[i].port = http_server_port(bench->server);
		clients[i].requests = clients[i].requests == 0 ? 1 : clients[i].requests;
		clients[i].finished =
			(struct loop_post){.run = on_finished, .context = &clients[i]};
		assert_int_equal(
			pthread_create(&clients[i].thread, NULL, run_client, &clients[i]), 0);
	}
	assert_true(loop_run(bench->loop, &err));
	loop_timer_stop(bench->loop, &bench->guard);
	assert_false(bench->has_hung);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(pthread_join(clients[i].thread, NULL), 0);
}

static void assert_saw(const struct client *client, const struct self_signed *shown)
{
	char due[DIGEST_TEXT_BYTES] = "none";

	if (shown != NULL) {
		struct sha256 digest = sha256_of(shown->der.data, shown->der.length);

		digest_format(due, &digest);
	}
	assert_true(client->is_connected);
	for (unsigned i = 0; i < client->requests; i++)
		assert_string_equal(client->answers[i], due);
}

static void forget(struct client *client)
{
	SSL_SESSION_free(client->session);
	client->session = NULL;
}

/* ---- tests ---- */

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
enum { VERSIONS = sizeof versions / sizeof versions[0] };

/* The public half of one key and the secret of another. */
static EVP_PKEY *key_of_two(const char *shown_pem, const char *held_pem)
{
	EVP_PKEY *shown = key_of(shown_pem), *held = key_of(held_pem), *made = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	BIGNUM *secret = NULL;
	unsigned char point[256];
	size_t size = 0;

	assert_int_equal(EVP_PKEY_get_bn_param(held, OSSL_PKEY_PARAM_PRIV_KEY, &secret), 1);
	assert_int_equal(EVP_PKEY_get_octet_string_param(
				 shown, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size),
		1);
	OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
	OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, size);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret);
	params = OSSL_PARAM_BLD_to_param(builder);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &made, EVP_PKEY_KEYPAIR, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(context);
	BN_free(secret);
	EVP_PKEY_free(shown);
	EVP_PKEY_free(held);
	return made;
}

static void a_certificate_whose_key_the_client_has_not_is_never_seen(void **state)
{
	struct bench *bench = *state;
	EVP_PKEY *key = key_of_two(bench->a.key_pem, bench->b.key_pem);

	serve(bench, true);
	for (int i = 0; i < VERSIONS; i++) {
		struct client client = {.shown = &bench->a, .key = key, .version = versions[i]};

		run(bench, &client, 1);
		assert_false(client.is_connected);
		assert_string_equal(client.answers[0], "");
		forget(&client);
	}
	EVP_PKEY_free(key);
}

static void a_client_without_a_certificate_goes_on(void **state)
{
	struct bench *bench = *state;

	serve(bench, true);
	for (int i = 0; i < VERSIONS; i++) {
		struct client client = {.version = versions[i]};

		run(bench, &client, 1);
		assert_saw(&client, NULL);
		forget(&client);
	}
}

static void nobody_is_asked_where_that_is_off(void **state)
{
	struct bench *bench = *state;

	serve(bench, false);
	for (int i = 0; i < VERSIONS; i++) {
		struct client client = {.shown = &bench->a, .version = versions[i]};

		run(bench, &client, 1);
		assert_saw(&client, NULL);
		forget(&client);
	}
}

static void what_is_shown_is_seen_in_each_request(void **state)
{
	struct bench *bench = *state;

	serve(bench, true);
	for (int i = 0; i < VERSIONS; i++) {
		struct client client = {.shown = i == 0 ? &bench->a : &bench->b,
			.version = versions[i],
			.requests = REQUESTS_MAX};

		run(bench, &client, 1);
		assert_saw(&client, client.shown);
		forget(&client);
	}
}

static void connections_side_by_side_have_each_their_own(void **state)
{
	struct bench *bench = *state;
	struct client clients[CLIENTS_MAX] = {
		{.shown = &bench->a, .version = TLS1_3_VERSION, .requests = REQUESTS_MAX},
		{.shown = &bench->b, .version = TLS1_3_VERSION, .requests = REQUESTS_MAX},
		{.version = TLS1_3_VERSION, .requests = REQUESTS_MAX},
		{.shown = &bench->a, .version = TLS1_2_VERSION, .requests = REQUESTS_MAX},
	};

	serve(bench, true);
	run(bench, clients, CLIENTS_MAX);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		assert_saw(&clients[i], clients[i].shown);
		forget(&clients[i]);
	}
}

/* C1: who was there once is not there again without showing it. */
static void a_session_is_not_taken_up_again(void **state)
{
	struct bench *bench = *state;

	serve(bench, true);
	for (int i = 0; i < VERSIONS; i++) {
		struct client first = {.shown = &bench->a, .version = versions[i]};
		struct client second = {.version = versions[i]};

		run(bench, &first, 1);
		assert_saw(&first, &bench->a);
		second.resume = first.session;
		run(bench, &second, 1);
		assert_false(second.is_resumed);
		assert_saw(&second, NULL);
		forget(&first);
		forget(&second);
	}
}

static void a_certificate_has_a_largest_size(void **state)
{
	struct bench *bench = *state;

	serve(bench, true);
	for (int over = 0; over <= 1; over++) {
		struct client client = {.shown = &bench->a, .version = TLS1_3_VERSION};

		self_signed_of_size(&bench->a, (size_t)HTTP_CERTIFICATE_BYTES_MAX + (size_t)over);
		run(bench, &client, 1);
		assert_saw(&client, over == 0 ? &bench->a : NULL);
		forget(&client);
	}
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_certificate_whose_key_the_client_has_not_is_never_seen),
		WITH(a_client_without_a_certificate_goes_on),
		WITH(nobody_is_asked_where_that_is_off),
		WITH(what_is_shown_is_seen_in_each_request),
		WITH(connections_side_by_side_have_each_their_own),
		WITH(a_session_is_not_taken_up_again),
		WITH(a_certificate_has_a_largest_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
