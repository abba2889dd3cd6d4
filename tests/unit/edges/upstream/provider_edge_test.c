/* A provider of models with a credential for each of several identities: whose requests
 * carry which, over connections that all share.  Provider and Vault are in this very loop. */
#include "vault_folder.h"

#include <inttypes.h>
#include <signal.h>

#include "base/random.h"
#include "domain/call/peer_card.h"

enum { DEADLINE_MS = 10000, IDENTITIES = 5, AT_ONCE = 8, ROUNDS = 400 };

struct bench;

/* One request on its way. */
struct passage_seen {
	struct bench *bench;
	struct upstream_wait *wait;
	unsigned status;
	enum upstream_type type;
	struct error failure;
	bool is_answered;
	char body[64];
};

struct bench {
	struct loop *loop;
	struct http_client *client;
	struct fake_vault fake;
	struct vault_folder folder;
	struct vault_times times;
	struct upstream_edge *edge;
	struct upstream port;
	struct server server;
	struct server_credential lines[IDENTITIES];
	struct http_server *http;
	const char *refused;  /* this key is answered 401 */
	const char *type;     /* of the answers */
	const char *encoding; /* NULL: none is said */
	struct text body;     /* of the answers; empty: an empty object */
	char url[64];
	char heard[32768]; /* "IDENTITY KEY;" ... */
	char told[4096];   /* by the listener: "REFERENCE VALUE;" ... */
	bool is_ready;
	struct error ready_err;
	size_t under_way, answered;
	bool has_room;
	struct passage_seen passages[AT_ONCE];
};

static const struct server *find_server(void *context, struct text name)
{
	struct bench *bench = context;

	return text_equal(name, bench->server.name) ? &bench->server : NULL;
}

static void on_used(void *context, struct text reference, struct text value)
{
	struct bench *bench = context;
	size_t used = strlen(bench->told);

	(void)snprintf(bench->told + used, sizeof bench->told - used, "%.*s %.*s;",
		TEXT_ARGS(reference), TEXT_ARGS(value));
}

/* ---- the provider: writes down whose body came with which key ---- */

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	const struct http_request *request = http_exchange_request(exchange);
	struct text bearer = http_header_find(exchange, "Authorization");
	struct text key = http_header_find(exchange, "x-api-key");
	size_t used = strlen(bench->heard);

	if (text_starts_with(bearer, "Bearer "))
		key = (struct text){bearer.data + 7, bearer.length - 7};
	(void)snprintf(bench->heard + used, sizeof bench->heard - used, "%.*s %.*s;",
		TEXT_ARGS(request->body), TEXT_ARGS(key));
	http_respond(exchange,
		&(struct http_response){
			.status =
				bench->refused != NULL && text_is(key, bench->refused) ? 401 : 200,
			.content_type = bench->type,
			.body = bench->body.length == 0 ? TEXT("{}") : bench->body,
			.headers = &(struct http_header){"Content-Encoding", bench->encoding},
			.header_count = bench->encoding != NULL ? 1 : 0});
}

/* ---- bench ---- */

static void open_edge(struct bench *bench)
{
	struct error err;

	assert_true(upstream_edge_create(&bench->edge,
		&(struct upstream_edge_settings){.loop = bench->loop,
			.http = bench->client,
			.find_server = find_server,
			.find_context = bench,
			.secrets = bench->folder.secrets,
			.credentials = {bench, on_used},
			.vault = {.url = bench->fake.url,
				.token_file = bench->folder.token_file,
				.times = &bench->times}},
		&err));
	bench->port = upstream_edge_port(bench->edge);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	vault_folder_open(&bench->folder);
	fake_vault_start(&bench->fake, bench->loop);
	assert_true(http_server_create(&bench->http, bench->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = bench},
		&err));
	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u",
		http_server_port(bench->http));
	bench->type = "application/json";
	bench->times = vault_times_default;
	bench->times.renounce_ms = 0;
	bench->server = (struct server){.name = TEXT("open"),
		.transport = TRANSPORT_HTTP,
		.speaks = SPEAKS_OPENAI,
		.url = text_of(bench->url),
		.credentials = bench->lines};
	assert_int_equal(setenv("PROVIDER_KEY_A", "key-a-of-test", 1), 0);
	assert_int_equal(setenv("PROVIDER_KEY_B", "key-b-of-test", 1), 0);
	open_edge(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	upstream_edge_destroy(&bench->edge);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->http);
	http_server_destroy(&bench->fake.http);
	loop_destroy(&bench->loop);
	vault_folder_close(&bench->folder);
	free(bench);
	return 0;
}

static void give(struct bench *bench, const char *identity, const char *reference)
{
	bench->lines[bench->server.credentials_count++] =
		(struct server_credential){text_of(identity), text_of(reference)};
}

static void on_ready(void *context, const struct error *err)
{
	struct bench *bench = context;

	bench->is_ready = true;
	bench->ready_err = err == NULL ? (struct error){0} : *err;
}

static bool prepare(struct bench *bench, const char *identity, struct error *err)
{
	const struct upstream_ready ready = {
		.context = bench, .run = on_ready, .identity = text_of(identity)};
	struct upstream_wait *wait;

	*err = (struct error){0};
	bench->is_ready = false;
	if (!bench->port.prepare(bench->port.context, bench->server.name,
		    loop_now_ms(bench->loop) + DEADLINE_MS, &ready, &wait, err))
		return false;
	talk_run_until(bench->loop, &bench->is_ready);
	*err = bench->ready_err;
	return err->code == ERROR_NONE;
}

static void on_bytes(void *context, const struct upstream_bytes *bytes)
{
	struct passage_seen *passage = context;

	passage->status = bytes->status;
	passage->type = bytes->type;
}

static void on_answer(void *context, const struct upstream_answer *answer)
{
	struct passage_seen *passage = context;

	passage->is_answered = true;
	passage->failure = answer->failure == NULL ? (struct error){0} : *answer->failure;
	passage->bench->under_way--;
	passage->bench->answered++;
	passage->bench->has_room = true;
}

static void start(struct bench *bench, struct passage_seen *passage, const char *identity)
{
	struct error err = {0};

	*passage = (struct passage_seen){.bench = bench};
	(void)snprintf(passage->body, sizeof passage->body, "%s", identity);
	if (!bench->port.start(bench->port.context,
		    &(struct upstream_request){.server = bench->server.name,
			    .identity = text_of(identity),
			    .method = TEXT("chat/completions"),
			    .body = text_of(passage->body),
			    .deadline_ms = loop_now_ms(bench->loop) + DEADLINE_MS,
			    .context = passage,
			    .on_bytes = on_bytes,
			    .on_answer = on_answer},
		    &passage->wait, &err))
		fail_msg("not started: %s", err.text);
	bench->under_way++;
}

/* One request, from the making ready to its answer. */
static const struct passage_seen *ask(struct bench *bench, const char *identity)
{
	struct passage_seen *passage = &bench->passages[0];
	struct error err;

	if (!prepare(bench, identity, &err))
		fail_msg("not ready: %s", err.text);
	start(bench, passage, identity);
	talk_run_until(bench->loop, &passage->is_answered);
	return passage;
}

/* ---- tests ---- */

static void an_identity_without_a_credential_sends_nothing(void **state)
{
	struct bench *bench = *state;
	struct error err;

	give(bench, "a", "env:PROVIDER_KEY_A");
	assert_false(prepare(bench, "b", &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_string_equal(err.text, "server open: credential: there is none for this identity");
	assert_false(prepare(bench, "", &err));
	assert_true(prepare(bench, "a", &err));
	bench->passages[0] = (struct passage_seen){.bench = bench};
	assert_false(bench->port.start(bench->port.context,
		&(struct upstream_request){.server = bench->server.name,
			.identity = TEXT("b"),
			.method = TEXT("responses"),
			.body = TEXT("b"),
			.deadline_ms = loop_now_ms(bench->loop) + DEADLINE_MS,
			.context = &bench->passages[0],
			.on_bytes = on_bytes,
			.on_answer = on_answer},
		&bench->passages[0].wait, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_string_equal(bench->heard, "");
	assert_string_equal(bench->told, "");
}

static void each_identity_sends_its_own_credential_and_others_the_common_one(void **state)
{
	struct bench *bench = *state;

	give(bench, "a", "env:PROVIDER_KEY_A");
	give(bench, "b", "env:PROVIDER_KEY_B");
	give(bench, "v", "vault:kv/mcp/files#key");
	bench->server.credential = TEXT("env:PROVIDER_KEY_C");
	assert_int_equal(setenv("PROVIDER_KEY_C", "key-c-of-test", 1), 0);
	assert_int_equal(ask(bench, "a")->status, 200);
	assert_int_equal(ask(bench, "b")->status, 200);
	assert_int_equal(ask(bench, "v")->status, 200);
	assert_int_equal(ask(bench, "ab")->status, 200);
	bench->server.speaks = SPEAKS_ANTHROPIC;
	assert_int_equal(ask(bench, "a")->status, 200);
	assert_string_equal(bench->heard, "a key-a-of-test;b key-b-of-test;v value-of-test;"
					  "ab key-c-of-test;a key-a-of-test;");
	/* Each is told by its own reference, for the detector. */
	assert_string_equal(bench->told,
		"env:PROVIDER_KEY_A key-a-of-test;env:PROVIDER_KEY_B key-b-of-test;"
		"vault:kv/mcp/files#key value-of-test;env:PROVIDER_KEY_C key-c-of-test;"
		"env:PROVIDER_KEY_A key-a-of-test;");
}

static void a_credential_that_is_refused_is_refused_for_nobody_else(void **state)
{
	struct bench *bench = *state;

	give(bench, "a", "env:PROVIDER_KEY_A");
	give(bench, "v", "vault:kv/mcp/files#key");
	bench->refused = "key-a-of-test";
	assert_int_equal(ask(bench, "v")->status, 200);
	for (int i = 0; i < 3; i++) {
		const struct passage_seen *refused = ask(bench, "a");

		assert_int_equal(refused->failure.code, ERROR_IO);
		assert_non_null(strstr(refused->failure.text, "refused the gateway's credential"));
		assert_int_equal(ask(bench, "v")->failure.code, ERROR_NONE);
	}
	assert_int_equal(bench->fake.fetches, 1); /* nor is the other's fetched again */
	bench->refused = "value-of-test";
	assert_int_equal(ask(bench, "v")->failure.code, ERROR_IO);
	assert_int_equal(ask(bench, "a")->failure.code, ERROR_NONE);
	assert_int_equal(ask(bench, "v")->failure.code, ERROR_IO);
	assert_int_equal(bench->fake.fetches, 2); /* its own is */
}

static void a_changed_line_counts_at_the_next_request(void **state)
{
	struct bench *bench = *state;
	struct error err;

	give(bench, "a", "env:PROVIDER_KEY_A");
	assert_int_equal(ask(bench, "a")->status, 200);
	bench->lines[0].credential = TEXT("env:PROVIDER_KEY_B");
	assert_int_equal(ask(bench, "a")->status, 200);
	bench->lines[0].identity = TEXT("b");
	assert_false(prepare(bench, "a", &err));
	bench->server.credentials_count = 0;
	assert_int_equal(ask(bench, "a")->status, 200); /* as before: none is sent */
	assert_string_equal(bench->heard, "a key-a-of-test;a key-b-of-test;a ;");
}

/* ---- an agent's card ---- */

/* Of so many bytes. */
static struct text card_of(const struct bench *bench, char *room, size_t size)
{
	int before = snprintf(room, size,
		"{\"supportedInterfaces\":[{\"url\":\"%s/rpc\",\"protocolBinding\":\"JSONRPC\","
		"\"protocolVersion\":\"1.0\"}],\"skills\":[{\"id\":\"a\"}],\"description\":\"",
		bench->url);

	assert_in_range(before, 1, size - 2);
	memset(room + before, 'd', size - 2 - (size_t)before);
	memcpy(room + size - 2, "\"}", 2);
	return (struct text){room, size};
}

static void a_card_is_read_up_to_its_bound(void **state)
{
	static char room[PEER_CARD_BYTES_MAX + 1];
	struct bench *bench = *state;
	struct error err;

	bench->server.speaks = SPEAKS_A2A;
	for (int more = -1; more <= 1; more++) {
		bench->body = card_of(bench, room, (size_t)(PEER_CARD_BYTES_MAX + more));
		assert_int_equal(prepare(bench, "a", &err), more < 1);
		upstream_edge_destroy(&bench->edge);
		open_edge(bench);
	}
	assert_non_null(strstr(err.text, "agent card: the answer was refused: it is too large"));
}

static void the_type_of_an_answer_is_told_by_its_whole_name(void **state)
{
	static const struct {
		const char *type, *encoding;
		enum upstream_type told;
	} cases[] = {
		{"application/jsonx", NULL, UPSTREAM_OTHER},
		{"text/event-stream-2", NULL, UPSTREAM_OTHER},
		{"text/html", NULL, UPSTREAM_OTHER},
		{"text/event-strea", NULL, UPSTREAM_OTHER},
		{"application/json", "gzip", UPSTREAM_OTHER},
		{"text/event-stream", "identity2", UPSTREAM_OTHER},
		{"application/json", "identity", UPSTREAM_JSON},
		{"Application/JSON; charset=utf-8", NULL, UPSTREAM_JSON},
		{"text/event-stream", NULL, UPSTREAM_EVENTS},
		{"text/event-stream;charset=utf-8", NULL, UPSTREAM_EVENTS},
		{"Text/Event-Stream ;x", "Identity", UPSTREAM_EVENTS},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bench->type = cases[i].type;
		bench->encoding = cases[i].encoding;
		if (ask(bench, "a")->type != cases[i].told)
			fail_msg("%s: %d", cases[i].type, (int)bench->passages[0].type);
	}
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint64_t seed_of_run(void)
{
	const char *given = getenv("REMIT_SEED");
	uint64_t seed = 0;

	if (given != NULL)
		seed = strtoull(given, NULL, 10);
	else
		random_bytes(&seed, sizeof seed);
	return seed == 0 ? 1 : seed;
}

/* Many at once, in no order, over connections that are used again. */
static void no_request_carries_the_credential_of_another_identity(void **state)
{
	struct bench *bench = *state;
	uint64_t seed = seed_of_run();
	char names[IDENTITIES][8], variables[IDENTITIES][32], keys[IDENTITIES][32];
	struct error err;
	size_t counted = 0;

	print_message("seed %" PRIu64 "\n", seed);
	for (int i = 0; i < IDENTITIES; i++) {
		(void)snprintf(names[i], sizeof names[i], "id-%d", i);
		(void)snprintf(variables[i], sizeof variables[i], "env:PROVIDER_KEY_%d", i);
		(void)snprintf(keys[i], sizeof keys[i], "key-%d-of-test", i);
		assert_int_equal(setenv(variables[i] + 4, keys[i], 1), 0);
		give(bench, names[i], variables[i]);
	}
	assert_true(prepare(bench, names[0], &err));
	for (int round = 0; round < ROUNDS;) {
		for (size_t at = 0; at < AT_ONCE; at++)
			if (bench->passages[at].bench == NULL || bench->passages[at].is_answered) {
				start(bench, &bench->passages[at],
					names[next_random(&seed) % IDENTITIES]);
				round++;
			}
		bench->has_room = false;
		talk_run_until(bench->loop, &bench->has_room);
	}
	while (bench->under_way > 0) {
		bench->has_room = false;
		talk_run_until(bench->loop, &bench->has_room);
	}
	for (const char *at = bench->heard; *at != '\0'; at = strchr(at, ';') + 1, counted++)
		if (at[3] != at[9] || strncmp(at + 5, "key-", 4) != 0)
			fail_msg("carried another's: %.24s", at);
	assert_int_equal(counted, bench->answered);
	assert_true(counted >= ROUNDS);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(an_identity_without_a_credential_sends_nothing),
		WITH(each_identity_sends_its_own_credential_and_others_the_common_one),
		WITH(a_credential_that_is_refused_is_refused_for_nobody_else),
		WITH(a_changed_line_counts_at_the_next_request),
		WITH(a_card_is_read_up_to_its_bound),
		WITH(the_type_of_an_answer_is_told_by_its_whole_name),
		WITH(no_request_carries_the_credential_of_another_identity),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
