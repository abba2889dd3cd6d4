/* One request of a connector over loopback: what it carries for each provider, what is not
 * followed, and that the credential stands in the request alone. */
#include "../../wire/talk.h"

#include "edges/connector_fetch/connector_fetch.h"
#include "edges/connector_fetch/connector_fetch_private.h"
#include "wire/http_server.h"

enum { BODY_BYTES_MAX = 1000, DEADLINE_MS = 30000, HANGS_MS = 300 };

#define SECRET "the-secret-of-the-connector"
#define SPELLED "dGhlLXNlY3JldC1vZi10aGU" /* as its detector knows it */

struct bench {
	struct loop *loop;
	struct http_client *client;
	struct http_server *server;
	struct connector_fetch_edge *edge;
	struct secrets *secrets;
	struct connector connector;
	char folder[64];
	char url[128], token_url[128];
	/* The vault. */
	struct connector_wait *wait;
	const char *kept;
	unsigned wanted, renounced;
	const char *lasts; /* what the token endpoint says of expires_in */
	/* What came. */
	unsigned asked, tokens;
	char method[16], body[1024], authorization[128], key[128], accept[64], type[64];
	unsigned learned;
	/* The answer. */
	struct connector_fetch fetch;
	unsigned answers;
	unsigned status;
	char got[BODY_BYTES_MAX + 2], link[64], retry_after[64];
	struct error err;
};

static void keep(char *out, size_t size, struct text value)
{
	(void)snprintf(out, size, "%.*s", TEXT_ARGS(value));
}

static void answer_token(struct bench *bench, struct http_exchange *exchange)
{
	struct http_response response = {.status = 200};
	char body[256];

	bench->tokens++;
	keep(bench->body, sizeof bench->body, http_exchange_request(exchange)->body);
	(void)snprintf(body, sizeof body, "{\"access_token\":\"token-%u-given\",\"expires_in\":%s}",
		bench->tokens, bench->lasts);
	response.body = text_of(body);
	http_respond(exchange, &response);
}

static void on_request(void *context, struct http_exchange *exchange)
{
	static const struct http_header head[] = {{"Location", "/page"},
		{"Link", "<https://x.example/2>; rel=\"next\""}, {"Retry-After", "7"}};
	static char large[BODY_BYTES_MAX + 1];
	const struct http_request *request = http_exchange_request(exchange);
	struct http_response response = {
		.status = 200, .body = TEXT("{}"), .headers = head + 1, .header_count = 2};
	struct bench *bench = context;

	if (text_is(request->path, "/token")) {
		answer_token(bench, exchange);
		return;
	}
	bench->asked++;
	keep(bench->method, sizeof bench->method, request->method);
	keep(bench->body, sizeof bench->body, request->body);
	keep(bench->authorization, sizeof bench->authorization,
		http_header_find(exchange, "Authorization"));
	keep(bench->key, sizeof bench->key, http_header_find(exchange, "X-N8N-API-KEY"));
	keep(bench->accept, sizeof bench->accept, http_header_find(exchange, "Accept"));
	keep(bench->type, sizeof bench->type, http_header_find(exchange, "Content-Type"));
	memset(large, 'x', sizeof large);
	if (text_is(request->path, "/hangs"))
		return;
	if (text_is(request->path, "/away")) {
		response.status = 302;
		response.headers = head;
		response.header_count = 1;
	}
	if (text_is(request->path, "/no"))
		response.status = 401;
	if (text_is(request->path, "/echo"))
		response.body = TEXT("{\"error\":\"no, " SECRET "\"}");
	if (text_is(request->path, "/spelled"))
		response.body = TEXT("{\"error\":\"no, " SPELLED "\"}");
	if (text_is(request->path, "/most"))
		response.body = (struct text){large, BODY_BYTES_MAX};
	if (text_is(request->path, "/more"))
		response.body = (struct text){large, BODY_BYTES_MAX + 1};
	http_respond(exchange, &response);
}

static void learn(void *context, struct text reference, struct text secret)
{
	struct bench *bench = context;

	assert_true(text_is(reference, "token") || text_is(reference, "writer") ||
		    text_starts_with(reference, "vault:"));
	assert_true(secret.length > 0);
	bench->learned++;
}

static bool holds(void *context, struct text answer)
{
	(void)context;
	return memmem(answer.data, answer.length, SPELLED, sizeof SPELLED - 1) != NULL;
}

static bool vault_find_it(void *context, struct text reference, struct text *out)
{
	struct bench *bench = context;

	assert_true(text_is(reference, "vault:kv/x#token"));
	*out = text_of(bench->kept);
	return bench->kept != NULL;
}

static bool vault_want_it(
	void *context, struct text reference, struct connector_wait *wait, struct error *err)
{
	struct bench *bench = context;

	assert_true(text_is(reference, "vault:kv/x#token"));
	if (bench->wait != NULL)
		return error_set(err, ERROR_IO, "vault: one waits already");
	wait->held = bench;
	bench->wait = wait;
	bench->wanted++;
	return true;
}

static void vault_forget_it(void *context, struct connector_wait *wait)
{
	struct bench *bench = context;

	assert_ptr_equal(bench->wait, wait);
	wait->held = NULL;
	bench->wait = NULL;
}

static void vault_renounce_it(void *context, struct text reference)
{
	struct bench *bench = context;

	assert_true(text_is(reference, "vault:kv/x#token"));
	bench->renounced++;
}

static void give(struct bench *bench, const char *value, const struct error *err)
{
	struct connector_wait *wait = bench->wait;

	bench->wait = NULL;
	bench->kept = value;
	wait->held = NULL;
	wait->run(wait->context, err);
}

static int setup(void **state)
{
	const struct seal_key master = {{1}};
	struct bench *bench = calloc(1, sizeof *bench);
	struct connector_fetch_parts parts = {.learn = learn, .holds = holds, .context = bench};
	struct error err = {0};

	assert_non_null(bench);
	memcpy(bench->folder, "/tmp/connector-fetch-XXXXXX", 28);
	assert_non_null(mkdtemp(bench->folder));
	assert_true(secrets_open(&bench->secrets, bench->folder, &master, &err));
	assert_true(secrets_set(bench->secrets, TEXT("token"), TEXT(SECRET), &err));
	assert_true(secrets_set(bench->secrets, TEXT("writer"), TEXT("may-write"), &err));
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_server_create(&bench->server, bench->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = bench},
		&err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	parts.loop = bench->loop;
	parts.http = bench->client;
	parts.secrets = bench->secrets;
	parts.vault = (struct connector_vault){
		bench, vault_find_it, vault_want_it, vault_forget_it, vault_renounce_it};
	assert_true(connector_fetch_create(&bench->edge, &parts, &err));
	(void)snprintf(bench->token_url, sizeof bench->token_url, "http://127.0.0.1:%u/token",
		(unsigned)http_server_port(bench->server));
	bench->lasts = "3600";
	bench->connector = (struct connector){.provider = PROVIDER_MICROSOFT,
		.credential = TEXT("token"),
		.private_addresses = ISSUER_ALLOWED};
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	connector_fetch_destroy(&bench->edge);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->server);
	loop_destroy(&bench->loop);
	assert_true(secrets_remove(bench->secrets, TEXT("token"), &err));
	assert_true(secrets_remove(bench->secrets, TEXT("writer"), &err));
	secrets_close(&bench->secrets);
	(void)rmdir(bench->folder);
	free(bench);
	return 0;
}

static void on_done(struct connector_fetch *fetch, const struct connector_answer *answer,
	const struct error *err)
{
	struct bench *bench = fetch->context;

	bench->answers++;
	bench->err = *err;
	bench->status = answer->status;
	keep(bench->got, sizeof bench->got, answer->body);
	keep(bench->link, sizeof bench->link, answer->link);
	keep(bench->retry_after, sizeof bench->retry_after, answer->retry_after);
	loop_stop(bench->loop);
}

static bool begin(struct bench *bench, const char *path, struct connector_question question)
{
	struct connector_fetcher port = connector_fetch_port(bench->edge);

	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u%s",
		(unsigned)http_server_port(bench->server), path);
	question.connector = &bench->connector;
	question.url = bench->url;
	question.method = question.method == NULL ? "GET" : question.method;
	question.bytes_max = BODY_BYTES_MAX;
	question.deadline_ms = strcmp(path, "/hangs") == 0 ? HANGS_MS : DEADLINE_MS;
	bench->fetch = (struct connector_fetch){.done = on_done, .context = bench};
	bench->answers = 0;
	error_clear(&bench->err);
	return port.begin(port.context, &question, &bench->fetch, &bench->err);
}

static void ask_so(struct bench *bench, const char *path, struct connector_question question)
{
	struct error err = {0};

	assert_true(begin(bench, path, question));
	assert_int_equal(bench->answers, 0);
	assert_true(loop_run(bench->loop, &err));
	assert_int_equal(bench->answers, 1);
}

static void ask(struct bench *bench, const char *path)
{
	ask_so(bench, path, (struct connector_question){0});
}

/* ---- what is refused ---- */

static void what_is_no_whole_answer_is_an_error(void **state)
{
	struct bench *bench = *state;

	ask(bench, "/more");
	assert_int_equal(bench->err.code, ERROR_LIMIT);
	ask(bench, "/most");
	assert_int_equal(bench->err.code, ERROR_NONE);
	ask(bench, "/hangs");
	assert_int_equal(bench->err.code, ERROR_TIMEOUT);
	ask(bench, "/away");
	assert_int_equal(bench->status, 302);
	assert_int_equal(bench->asked, 4); /* it was not followed */
}

static void an_answer_that_has_the_credential_is_none(void **state)
{
	struct bench *bench = *state;

	ask(bench, "/echo");
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_null(strstr(bench->err.text, SECRET));
	ask(bench, "/spelled");
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_null(strstr(bench->err.text, SPELLED));
}

static void without_leave_no_private_address_is_asked(void **state)
{
	struct bench *bench = *state;

	bench->connector.private_addresses = ISSUER_REFUSED;
	ask(bench, "/page");
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->asked, 0);
	bench->connector.client = TEXT("c");
	bench->connector.token_url = text_of(bench->token_url);
	ask(bench, "/page");
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->tokens, 0);
}

static void without_its_secret_nothing_is_asked(void **state)
{
	struct bench *bench = *state;

	bench->connector.credential = TEXT("none");
	assert_false(begin(bench, "/page", (struct connector_question){0}));
	assert_int_equal(bench->err.code, ERROR_NOT_FOUND);
	assert_null(bench->fetch.edge);
	assert_int_equal(bench->learned, 0);
}

static void a_token_that_does_not_last_is_none(void **state)
{
	static const char *const bad[] = {"0", "-1", "\"3600\"", "604801", "null"};
	struct bench *bench = *state;

	bench->connector.client = TEXT("c");
	bench->connector.token_url = text_of(bench->token_url);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		bench->lasts = bad[i];
		ask(bench, "/page");
		assert_int_equal(bench->err.code, ERROR_INVALID);
		assert_null(strstr(bench->err.text, "given"));
	}
	bench->lasts = "60"; /* over CONNECTOR_TOKEN_EARLY_MS before it began */
	ask(bench, "/page");
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->asked, 0);
}

/* ---- what is sent ---- */

static void each_provider_gets_its_credential_where_it_wants_it(void **state)
{
	struct bench *bench = *state;

	ask(bench, "/page");
	assert_string_equal(bench->authorization, "Bearer " SECRET);
	assert_string_equal(bench->accept, "application/json");
	assert_string_equal(bench->link, "<https://x.example/2>; rel=\"next\"");
	assert_string_equal(bench->retry_after, "7");
	bench->connector.provider = PROVIDER_GITHUB;
	ask(bench, "/page");
	assert_string_equal(bench->authorization, "Bearer " SECRET);
	assert_string_equal(bench->accept, "application/vnd.github+json");
	bench->connector.provider = PROVIDER_N8N;
	ask_so(bench, "/page",
		(struct connector_question){.method = "POST", .body = TEXT("{\"a\":1}")});
	assert_string_equal(bench->authorization, "");
	assert_string_equal(bench->key, SECRET);
	assert_string_equal(bench->method, "POST");
	assert_string_equal(bench->body, "{\"a\":1}");
	assert_string_equal(bench->type, "application/json");
	assert_int_equal(bench->learned, 3);
}

static void what_contains_has_a_credential_of_its_own(void **state)
{
	struct bench *bench = *state;

	ask_so(bench, "/page", (struct connector_question){.is_containing = true});
	assert_string_equal(bench->authorization, "Bearer " SECRET);
	bench->connector.contain_credential = TEXT("writer");
	ask_so(bench, "/page", (struct connector_question){.is_containing = true});
	assert_string_equal(bench->authorization, "Bearer may-write");
	ask(bench, "/page");
	assert_string_equal(bench->authorization, "Bearer " SECRET);
}

static void a_client_gets_a_token_once_and_anew_when_it_is_refused(void **state)
{
	struct bench *bench = *state;

	bench->connector.client = TEXT("client&1");
	bench->connector.token_url = text_of(bench->token_url);
	ask(bench, "/page");
	assert_int_equal(bench->err.code, ERROR_NONE);
	assert_string_equal(bench->authorization, "Bearer token-1-given");
	ask(bench, "/no");
	assert_int_equal(bench->status, 401);
	assert_string_equal(bench->authorization, "Bearer token-1-given");
	ask(bench, "/page");
	assert_string_equal(bench->authorization, "Bearer token-2-given");
	assert_int_equal(bench->tokens, 2);
	bench->connector.client = TEXT("another");
	ask(bench, "/page");
	assert_string_equal(bench->authorization, "Bearer token-3-given");
}

static void the_form_of_a_token_is_escaped(void **state)
{
	struct bench *bench = *state;
	struct buffer form;

	bench->connector.client = TEXT("c=1");
	bench->connector.url = TEXT("https://graph.example");
	buffer_init(&form, 1024);
	token_form(&form, &bench->connector, TEXT("a b&c"));
	assert_true(text_is(buffer_text(&form),
		"grant_type=client_credentials&client_id=c%3D1&client_secret=a%20b%26c"
		"&scope=https%3A%2F%2Fgraph.example%2F.default"));
	buffer_deinit(&form);
}

static void so_many_tokens_are_kept_and_the_first_to_end_goes(void **state)
{
	struct bench *bench = *state;
	char name[16];

	bench->connector.token_url = text_of(bench->token_url);
	for (int i = 0; i <= CONNECTOR_TOKENS_MAX; i++) {
		(void)snprintf(name, sizeof name, "c%d", i);
		bench->connector.client = text_of(name);
		bench->lasts = i == 3 ? "3000" : "3600";
		ask(bench, "/page");
		assert_int_equal(bench->err.code, ERROR_NONE);
	}
	bench->connector.client = TEXT("c3");
	assert_null(token_find(bench->edge, &bench->connector));
	bench->connector.client = TEXT("c0");
	assert_non_null(token_find(bench->edge, &bench->connector));
}

static void a_secret_of_a_vault_is_waited_for_and_renounced_where_it_is_refused(void **state)
{
	struct bench *bench = *state;
	struct connector_fetcher port = connector_fetch_port(bench->edge);
	struct error err = {0};

	bench->connector.credential = TEXT("vault:kv/x#token");
	assert_true(begin(bench, "/page", (struct connector_question){0}));
	assert_int_equal(bench->wanted, 1);
	assert_int_equal(bench->asked, 0);
	give(bench, "value-of-the-vault", NULL);
	assert_true(loop_run(bench->loop, &err));
	assert_string_equal(bench->authorization, "Bearer value-of-the-vault");
	ask(bench, "/no");
	assert_int_equal(bench->wanted, 1);
	assert_int_equal(bench->renounced, 1);
	bench->kept = NULL;
	assert_true(begin(bench, "/page", (struct connector_question){0}));
	port.cancel(port.context, &bench->fetch);
	assert_null(bench->wait);
}

static void a_vault_that_gives_nothing_is_an_error(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	bench->connector.credential = TEXT("vault:kv/x#token");
	(void)error_set(&err, ERROR_IO, "vault: HTTP 503");
	assert_true(begin(bench, "/page", (struct connector_question){0}));
	give(bench, NULL, &err);
	assert_int_equal(bench->answers, 1);
	assert_int_equal(bench->err.code, ERROR_IO);
	assert_true(begin(bench, "/page", (struct connector_question){0}));
	give(bench, NULL, NULL); /* it says that it has it, and has not */
	assert_int_equal(bench->answers, 1);
	assert_int_equal(bench->err.code, ERROR_IO);
	assert_int_equal(bench->asked, 0);
	assert_true(begin(bench, "/page", (struct connector_question){0}));
	assert_non_null(bench->wait); /* destroying it forgets this one */
}

static void one_that_is_cancelled_is_told_to_nobody(void **state)
{
	struct bench *bench = *state;
	struct connector_fetcher port = connector_fetch_port(bench->edge);

	assert_true(begin(bench, "/hangs", (struct connector_question){0}));
	port.cancel(port.context, &bench->fetch);
	port.cancel(port.context, &bench->fetch); /* of none: nothing */
	ask(bench, "/page");
	assert_true(begin(bench, "/hangs", (struct connector_question){0}));
}

int main(void)
{
#define FETCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		FETCH_TEST(what_is_no_whole_answer_is_an_error),
		FETCH_TEST(an_answer_that_has_the_credential_is_none),
		FETCH_TEST(without_leave_no_private_address_is_asked),
		FETCH_TEST(without_its_secret_nothing_is_asked),
		FETCH_TEST(a_token_that_does_not_last_is_none),
		FETCH_TEST(each_provider_gets_its_credential_where_it_wants_it),
		FETCH_TEST(what_contains_has_a_credential_of_its_own),
		FETCH_TEST(a_client_gets_a_token_once_and_anew_when_it_is_refused),
		FETCH_TEST(the_form_of_a_token_is_escaped),
		FETCH_TEST(so_many_tokens_are_kept_and_the_first_to_end_goes),
		FETCH_TEST(a_secret_of_a_vault_is_waited_for_and_renounced_where_it_is_refused),
		FETCH_TEST(a_vault_that_gives_nothing_is_an_error),
		FETCH_TEST(one_that_is_cancelled_is_told_to_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
