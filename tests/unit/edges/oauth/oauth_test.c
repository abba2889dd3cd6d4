/* The token door over loopback. */
#include "../../wire/talk.h"

#include "domain/token/client_assertion.h"
#include "domain/token/key_set.h"
#include "edges/oauth/oauth.h"
#include "support/issuing.h"
#include "support/proofs.h"

enum { REQUEST_BYTES_MAX = 128 * 1024 };

#define PROOF                                                                                      \
	"&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
#define RESOURCE "&resource=http%3A%2F%2F127.0.0.1%3A8470%2Fmcp%2Ffiles"
#define GRANT "grant_type=client_credentials"

struct bench {
	struct issuing issuing;
	struct loop *loop;
	struct router *router;
	struct http_server *server;
	struct oauth *oauth;
	char reply[REQUEST_BYTES_MAX];
	char request[REQUEST_BYTES_MAX];
};

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct http_server_settings settings = {
		.tcp_address = "127.0.0.1:0", .on_request = router_on_request};
	struct error err = {0};

	assert_non_null(bench);
	issuing_init(&bench->issuing);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(router_create(&bench->router, &err));
	assert_true(oauth_create(
		&bench->oauth, bench->issuing.issue, bench->issuing.governed.registrar, &err));
	assert_true(oauth_add_routes(bench->oauth, bench->router, &err));
	settings.context = bench->router;
	assert_true(http_server_create(&bench->server, bench->loop, &settings, &err));
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	http_server_destroy(&bench->server);
	router_destroy(&bench->router);
	oauth_destroy(&bench->oauth);
	loop_destroy(&bench->loop);
	issuing_deinit(&bench->issuing);
	free(bench);
	return 0;
}

/* Sends head lines (each with CRLF) and body; the status of the answer. */
static int send_request(struct bench *bench, const char *line, const char *head, const char *body)
{
	struct talk talk;
	int status = 0;

	(void)snprintf(bench->request, sizeof bench->request,
		"%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%sContent-Length: "
		"%zu\r\n\r\n%s",
		line, head, strlen(body), body);
	talk_open(&talk, bench->loop, http_server_port(bench->server));
	talk_say(&talk, bench->request, strlen(bench->request));
	talk_wait(&talk, NULL);
	(void)snprintf(bench->reply, sizeof bench->reply, "%.*s", REQUEST_BYTES_MAX - 1, talk.got);
	(void)sscanf(bench->reply, "HTTP/1.1 %d", &status);
	talk_close(&talk);
	return status;
}

static int post(struct bench *bench, const char *path, const char *body)
{
	char line[64];

	(void)snprintf(line, sizeof line, "POST %s", path);
	return send_request(
		bench, line, "Content-Type: application/x-www-form-urlencoded\r\n", body);
}

static struct json body_of(struct bench *bench)
{
	const char *body = strstr(bench->reply, "\r\n\r\n");
	struct error err = {0};
	struct json value;

	assert_non_null(body);
	if (!json_parse(&value, bench->issuing.governed.arena,
		    text_copy(bench->issuing.governed.arena, text_of(body + 4)),
		    &json_limits_default, &err))
		fail_msg("%s", bench->reply);
	return value;
}

static void assert_error(struct bench *bench, int status, int expected, const char *error)
{
	struct json body = body_of(bench);

	if (status != expected || !text_is(json_text_or(&body, "error", ""), error))
		fail_msg("not %d %s: %s", expected, error, bench->reply);
	assert_true(json_text_or(&body, "error_description", "").length > 0);
	assert_null(json_find(&body, "access_token"));
	assert_non_null(strcasestr(bench->reply, "\r\nCache-Control: no-store\r\n"));
}

static void a_form_that_is_not_one_is_refused(void **state)
{
	struct bench *bench = *state;
	int status = 0;

	status = send_request(
		bench, "POST /oauth/token", "Content-Type: application/json\r\n", "{}");
	assert_error(bench, status, 400, "invalid_request");
	status = send_request(bench, "POST /oauth/token", "", GRANT);
	assert_error(bench, status, 400, "invalid_request");
	status = post(bench, "/oauth/token?" GRANT, "a=1");
	assert_error(bench, status, 400, "invalid_request");
	status = post(bench, "/oauth/token", GRANT "&" GRANT);
	assert_error(bench, status, 400, "invalid_request");
	status = post(bench, "/oauth/token", "");
	assert_error(bench, status, 400, "invalid_request");
	assert_int_equal(send_request(bench, "GET /oauth/token", "", ""), 405);
	assert_int_equal(task_table_count(bench->issuing.tasks), 0);
}

static void other_grants_and_proofs_are_refused(void **state)
{
	struct bench *bench = *state;
	int status = post(bench, "/oauth/token", "grant_type=password&username=a&password=b");

	assert_error(bench, status, 400, "unsupported_grant_type");
	status = post(bench, "/oauth/token", GRANT "&client_id=a1&client_secret=x");
	assert_error(bench, status, 400, "invalid_request");
	status = post(bench, "/oauth/token", GRANT "&client_id=a1");
	assert_error(bench, status, 401, "invalid_client");
	status = post(bench, "/oauth/token", GRANT PROOF "&client_assertion=a.b.c" RESOURCE);
	assert_error(bench, status, 401, "invalid_client");
	assert_null(strcasestr(bench->reply, "WWW-Authenticate"));
	status = send_request(bench, "POST /oauth/token",
		"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic YTpi\r\n",
		GRANT);
	assert_error(bench, status, 401, "invalid_client");
	assert_non_null(strcasestr(bench->reply, "\r\nWWW-Authenticate: "));
}

/* A good request for a token, and what else it says. */
static int ask(struct bench *bench, struct text assertion, const char *more)
{
	static char body[REQUEST_BYTES_MAX / 2];

	(void)snprintf(body, sizeof body, "%s&client_assertion=%.*s%s", GRANT PROOF,
		TEXT_ARGS(assertion), more);
	return post(bench, "/oauth/token", body);
}

static void wrong_wishes_have_their_own_errors(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	int status = ask(bench, issuing_assertion(issuing, NULL), "");

	assert_error(bench, status, 400, "invalid_target");
	status = ask(
		bench, issuing_assertion(issuing, NULL), "&resource=http%3A%2F%2Fx%2Fmcp%2Ffiles");
	assert_error(bench, status, 400, "invalid_target");
	status = ask(bench, issuing_assertion(issuing, NULL), RESOURCE "&scope=call+admin");
	assert_error(bench, status, 400, "invalid_scope");
	status = ask(bench, issuing_assertion(issuing, NULL), RESOURCE "&client_id=a2");
	assert_error(bench, status, 401, "invalid_client");
	assert_true(governed_step(&issuing->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	status = ask(bench, issuing_assertion(issuing, NULL), RESOURCE);
	assert_error(bench, status, 400, "unauthorized_client");
}

#define JWT_BEARER "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"

/* The same by an assertion that is the grant. */
static int ask_by_assertion(struct bench *bench, struct text assertion, const char *more)
{
	static char body[REQUEST_BYTES_MAX / 2];

	(void)snprintf(
		body, sizeof body, "%s&assertion=%.*s%s", JWT_BEARER, TEXT_ARGS(assertion), more);
	return post(bench, "/oauth/token", body);
}

static void an_assertion_that_is_no_grant_is_an_invalid_one(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct private_key *other = NULL;
	struct error err = {0};
	struct text used = issuing_assertion(issuing, NULL);
	int status = post(bench, "/oauth/token", JWT_BEARER RESOURCE);

	assert_error(bench, status, 400, "invalid_request");
	status = ask_by_assertion(bench, TEXT("a.b.c"), RESOURCE);
	assert_error(bench, status, 400, "invalid_grant");
	assert_true(private_key_generate(&other, SIGNATURE_ES256, &err));
	status = ask_by_assertion(bench, issuing_assertion(issuing, other), RESOURCE);
	assert_error(bench, status, 400, "invalid_grant");
	private_key_destroy(&other);
	status =
		ask_by_assertion(bench, issuing_assertion(issuing, NULL), RESOURCE "&client_id=a2");
	assert_error(bench, status, 400, "invalid_grant");
	status = ask_by_assertion(
		bench, issuing_assertion(issuing, NULL), RESOURCE PROOF "&client_assertion=a.b.c");
	assert_error(bench, status, 400, "invalid_request");
	status = ask_by_assertion(
		bench, issuing_assertion(issuing, NULL), RESOURCE "&client_secret=x");
	assert_error(bench, status, 400, "invalid_request");
	/* What proved a client is no grant afterwards. */
	assert_int_equal(ask(bench, used, RESOURCE), 200);
	status = ask_by_assertion(bench, used, RESOURCE);
	assert_error(bench, status, 400, "invalid_grant");
	assert_int_equal(task_table_count(issuing->tasks), 1);
}

static void an_assertion_of_its_own_key_is_grant_and_proof(void **state)
{
	struct bench *bench = *state;
	struct text assertion = issuing_assertion(&bench->issuing, NULL);
	struct json body;
	int status;

	assert_int_equal(ask_by_assertion(bench, assertion, RESOURCE "&client_id=a1"), 200);
	body = body_of(bench);
	assert_int_equal(issuing_ask(&bench->issuing, json_text_or(&body, "access_token", "")),
		TOKEN_ACCEPTED);
	status = ask(bench, assertion, RESOURCE);
	assert_error(bench, status, 401, "invalid_client");
}

static void a_log_that_takes_nothing_is_said_as_unavailable(void **state)
{
	struct bench *bench = *state;
	int status = 0;

	bench->issuing.governed.log.refuses = true;
	status = ask(bench, issuing_assertion(&bench->issuing, NULL), RESOURCE);
	assert_error(bench, status, 503, "temporarily_unavailable");
}

static void a_client_that_leaves_before_the_answer_leaves_nothing_behind(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct text assertion = issuing_assertion(issuing, NULL);
	struct talk talk;
	char body[8192];

	issuing->governed.log.is_held = true;
	(void)snprintf(body, sizeof body, "%s&client_assertion=%.*s%s", GRANT PROOF,
		TEXT_ARGS(assertion), RESOURCE);
	(void)snprintf(bench->request, sizeof bench->request,
		"POST /oauth/token HTTP/1.1\r\nHost: a\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(body), body);
	talk_open(&talk, bench->loop, http_server_port(bench->server));
	talk_say(&talk, bench->request, strlen(bench->request));
	/* The server reads it, then the client is gone, then the log answers. */
	while (issuing->governed.log.first == NULL) {
		struct error err = {0};
		struct loop_timer soon = {.on_due = talk_on_guard, .context = &talk};

		assert_true(loop_timer_start(bench->loop, &soon, 1));
		assert_true(loop_run(bench->loop, &err));
	}
	http_server_destroy(&bench->server);
	talk_close(&talk);
	fake_log_flush(&issuing->governed.log);
	assert_int_equal(task_table_count(issuing->tasks), 1);
}

static void a_token_comes_with_its_task_and_lifetime(void **state)
{
	struct bench *bench = *state;
	struct json body;

	assert_int_equal(ask(bench, issuing_assertion(&bench->issuing, NULL),
				 RESOURCE "&client_id=a1&scope=call&purpose=Read+tickets"),
		200);
	body = body_of(bench);
	assert_true(text_is(json_text_or(&body, "token_type", ""), "Bearer"));
	assert_int_equal(json_integer_or(&body, "expires_in", 0), 900);
	assert_non_null(task_find(bench->issuing.tasks, json_text_or(&body, "task", "")));
	assert_int_equal(issuing_ask(&bench->issuing, json_text_or(&body, "access_token", "")),
		TOKEN_ACCEPTED);
	assert_non_null(strcasestr(bench->reply, "\r\nCache-Control: no-store\r\n"));
}

static void what_a_task_is_for_comes_back_with_its_token(void **state)
{
#define DETAIL(type)                                                                               \
	"&authorization_details=%5B%7B%22type%22%3A%22" type                                       \
	"%22%2C%22tool%22%3A%22files%2Fread%22%7D%5D"
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct json body;
	int status = ask(bench, issuing_assertion(issuing, NULL), RESOURCE DETAIL("x"));

	assert_error(bench, status, 400, "invalid_authorization_details");
	assert_int_equal(ask(bench, issuing_assertion(issuing, NULL), RESOURCE), 200);
	body = body_of(bench);
	assert_null(json_find(&body, "authorization_details"));
	assert_int_equal(
		ask(bench, issuing_assertion(issuing, NULL), RESOURCE DETAIL("remit_tool")), 200);
	body = body_of(bench);
	assert_non_null(json_find(&body, "authorization_details"));
	assert_int_equal(json_find(&body, "authorization_details")->count, 1);
}

/* The DPoP field of a proof for the token endpoint, by the nonce of the last answer. */
static const char *proof_field(struct bench *bench, const char *id)
{
	struct arena *arena = bench->issuing.governed.arena;
	const char *nonce = strcasestr(bench->reply, "\r\nDPoP-Nonce: ");
	struct proof_draft draft = {
		.key = bench->issuing.a1_key,
		.method = "POST",
		.url = ISSUING_ISSUER "/oauth/token",
		.id = id,
		.issued_utc_s = issuing_now_s(&bench->issuing),
	};
	struct text proof;

	if (nonce != NULL)
		draft.nonce = text_format(
			arena, "%.*s", ISSUE_NONCE_BYTES - 1, nonce + sizeof "\r\nDPoP-Nonce: " - 1)
				      .data;
	proof = proof_make(arena, &draft);
	return text_format(arena, "DPoP: %.*s\r\n", TEXT_ARGS(proof)).data;
}

static int ask_with(struct bench *bench, const char *fields)
{
	struct arena *arena = bench->issuing.governed.arena;
	struct text assertion = issuing_assertion(&bench->issuing, NULL);
	struct text body = text_format(
		arena, "%s&client_assertion=%.*s%s", GRANT PROOF, TEXT_ARGS(assertion), RESOURCE);
	struct text head =
		text_format(arena, "Content-Type: application/x-www-form-urlencoded\r\n%s", fields);

	return send_request(bench, "POST /oauth/token", head.data, body.data);
}

static void a_proof_without_a_nonce_is_told_one(void **state)
{
	struct bench *bench = *state;
	int status = ask_with(bench, proof_field(bench, "1"));
	struct json body;

	assert_error(bench, status, 400, "use_dpop_nonce");
	assert_int_equal(ask_with(bench, proof_field(bench, "2")), 200);
	body = body_of(bench);
	assert_true(text_is(json_text_or(&body, "token_type", ""), "DPoP"));
	/* The next one is told with it. */
	assert_non_null(strcasestr(bench->reply, "\r\nDPoP-Nonce: "));
	/* And nothing of nonces to whoever sends no proof. */
	assert_int_equal(ask_with(bench, ""), 200);
	assert_null(strcasestr(bench->reply, "DPoP-Nonce"));
	body = body_of(bench);
	assert_true(text_is(json_text_or(&body, "token_type", ""), "Bearer"));
}

static void a_field_that_is_no_proof_or_two_is_told(void **state)
{
	struct bench *bench = *state;
	const char *good;
	struct text two;

	assert_error(bench, ask_with(bench, "DPoP: x\r\n"), 400, "invalid_dpop_proof");
	assert_error(bench, ask_with(bench, "DPoP:\r\n"), 400, "invalid_dpop_proof");
	good = proof_field(bench, "1");
	two = text_format(bench->issuing.governed.arena, "%s%s", good, proof_field(bench, "2"));
	assert_error(bench, ask_with(bench, two.data), 400, "invalid_dpop_proof");
	assert_int_equal(task_table_count(bench->issuing.tasks), 0);
	assert_int_equal(ask_with(bench, good), 200);
	assert_error(bench, ask_with(bench, good), 400, "invalid_dpop_proof");
}

static void what_a_charter_asks_is_told_in_words(void **state)
{
	struct bench *bench = *state;

	issuing_recharter(&bench->issuing, NULL, "binding: mtls\n");
	assert_error(bench, ask_with(bench, ""), 400, "invalid_request");
	assert_non_null(strstr(bench->reply, "connect with a client certificate"));
}

static bool has_word(const struct json *body, const char *member, const char *word)
{
	const struct json *list = json_find(body, member);

	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		if (text_is(list->items[i].string, word))
			return true;
	return false;
}

static void the_metadata_offers_certificates_only_where_they_are_asked_for(void **state)
{
	static const char request[] = "GET /.well-known/oauth-authorization-server";
	static const char method[] = "self_signed_tls_client_auth";
	struct bench *bench = *state;
	struct json body;

	assert_int_equal(send_request(bench, request, "", ""), 200);
	body = body_of(bench);
	assert_true(has_word(&body, "dpop_signing_alg_values_supported", "ES256"));
	assert_true(has_word(&body, "token_endpoint_auth_methods_supported", "private_key_jwt"));
	assert_false(has_word(&body, "token_endpoint_auth_methods_supported", method));
	assert_null(json_find(&body, "mtls_endpoint_aliases"));
	assert_null(json_find(&body, "tls_client_certificate_bound_access_tokens"));
	oauth_offer_certificates(bench->oauth);
	assert_int_equal(send_request(bench, request, "", ""), 200);
	body = body_of(bench);
	assert_true(has_word(&body, "token_endpoint_auth_methods_supported", method));
	assert_true(json_boolean_or(&body, "tls_client_certificate_bound_access_tokens", false));
	assert_true(text_is(
		json_text_or(json_find(&body, "mtls_endpoint_aliases"), "token_endpoint", ""),
		ISSUING_ISSUER "/oauth/token"));
}

static void a_revoked_token_is_refused_and_revoking_twice_is_fine(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	char body[8192];

	assert_true(issuing_open_good(issuing));
	(void)snprintf(body, sizeof body, "token=%.*s", TEXT_ARGS(issuing->token));
	assert_int_equal(post(bench, "/oauth/revoke", "token=x.y.z"), 200);
	assert_int_equal(post(bench, "/oauth/revoke", "token="), 400);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	assert_int_equal(post(bench, "/oauth/revoke", body), 200);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(post(bench, "/oauth/revoke", body), 200);
}

static void a_token_that_is_revoked_alone_leaves_its_task(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	char body[8192];
	int status;

	assert_true(issuing_open_good(issuing));
	(void)snprintf(body, sizeof body, "token=%.*s&ends=all", TEXT_ARGS(issuing->token));
	status = post(bench, "/oauth/revoke", body);
	assert_error(bench, status, 400, "invalid_request");
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	(void)snprintf(body, sizeof body, "token=%.*s&ends=token", TEXT_ARGS(issuing->token));
	assert_int_equal(post(bench, "/oauth/revoke", body), 200);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(task_find(issuing->tasks, issuing->task)->recorded_state, TASK_OPEN);
	assert_int_equal(post(bench, "/oauth/revoke", body), 200);
}

/* Two requests at once on one log that keeps its records to itself. */
struct two {
	struct talk talks[2];
	char requests[2][8192];
};

static void say_revoke(struct bench *bench, struct two *two, int which, const char *ends)
{
	char body[6144];

	(void)snprintf(body, sizeof body, "token=%.*s%s", TEXT_ARGS(bench->issuing.token), ends);
	(void)snprintf(two->requests[which], sizeof two->requests[which],
		"POST /oauth/revoke HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
		"%zu\r\n\r\n%s",
		strlen(body), body);
	talk_open(&two->talks[which], bench->loop, http_server_port(bench->server));
	talk_say(&two->talks[which], two->requests[which], strlen(two->requests[which]));
}

/* A question that is answered at once comes back after those before it were read. */
static void let_them_be_read(struct bench *bench)
{
	for (int i = 0; i < 4; i++)
		assert_int_equal(post(bench, "/oauth/revoke", "token="), 400);
}

static void assert_answer(struct two *two, int which, const char *line)
{
	talk_wait(&two->talks[which], NULL);
	if (strncmp(two->talks[which].got, line, strlen(line)) != 0)
		fail_msg("%s", two->talks[which].got);
	talk_close(&two->talks[which]);
}

static void no_answer_before_the_end_is_on_record(void **state)
{
	static const char *const ends[] = {"", "&ends=token"};
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct two two;

	for (int i = 0; i < 2; i++) {
		assert_true(issuing_open_good(issuing));
		issuing->governed.log.is_held = true;
		say_revoke(bench, &two, 0, ends[i]);
		say_revoke(bench, &two, 1, ends[i]);
		let_them_be_read(bench);
		assert_non_null(issuing->governed.log.first);
		assert_int_equal(two.talks[0].got_count + two.talks[1].got_count, 0);
		assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
		fake_log_flush(&issuing->governed.log);
		issuing->governed.log.is_held = false;
		assert_answer(&two, 0, "HTTP/1.1 200");
		assert_answer(&two, 1, "HTTP/1.1 200");
		assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
	}
}

static void an_end_that_is_not_on_record_is_no_success(void **state)
{
	static const char *const ends[] = {"", "&ends=token"};
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct two two;

	for (int i = 0; i < 4; i++) {
		assert_true(issuing_open_good(issuing));
		issuing->governed.log.loses = i < 2;
		issuing->governed.log.refuses = i >= 2;
		say_revoke(bench, &two, 0, ends[i % 2]);
		assert_answer(&two, 0, "HTTP/1.1 503");
		issuing->governed.log.loses = issuing->governed.log.refuses = false;
		assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	}
}

static void who_leaves_before_the_end_is_on_record_has_ended_it(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct two two;

	assert_true(issuing_open_good(issuing));
	issuing->governed.log.is_held = true;
	say_revoke(bench, &two, 0, "");
	let_them_be_read(bench);
	talk_close(&two.talks[0]);
	let_them_be_read(bench);
	fake_log_flush(&issuing->governed.log);
	issuing->governed.log.is_held = false;
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
}

/* Asks about a token as a1. */
static int look(struct bench *bench, struct text token, const char *more)
{
	static char body[REQUEST_BYTES_MAX / 2];
	struct text assertion = issuing_assertion(&bench->issuing, NULL);

	(void)snprintf(body, sizeof body, "token=%.*s%s&client_assertion=%.*s%s", TEXT_ARGS(token),
		PROOF, TEXT_ARGS(assertion), more);
	return post(bench, "/oauth/introspect", body);
}

static void a_question_about_a_token_needs_a_proof(void **state)
{
	struct bench *bench = *state;
	int status = post(bench, "/oauth/introspect", "token=x");

	assert_error(bench, status, 401, "invalid_client");
	status = post(bench, "/oauth/introspect", "token=x" PROOF "&client_assertion=a.b.c");
	assert_error(bench, status, 401, "invalid_client");
	status = post(bench, "/oauth/introspect", "token=x&client_secret=y");
	assert_error(bench, status, 400, "invalid_request");
	status = look(bench, TEXT(""), "");
	assert_error(bench, status, 400, "invalid_request");
	status = send_request(bench, "POST /oauth/introspect",
		"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Bearer x\r\n",
		"token=x");
	assert_error(bench, status, 401, "invalid_token");
	assert_non_null(strcasestr(bench->reply, "\r\nWWW-Authenticate: Bearer"));
	status = send_request(bench, "POST /oauth/introspect",
		"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Bearer x\r\n",
		"token=x" PROOF "&client_assertion=a.b.c");
	assert_error(bench, status, 400, "invalid_request");
}

static void a_token_is_active_until_it_is_revoked(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	char body[8192];
	struct json answer;

	assert_true(issuing_open_good(issuing));
	(void)snprintf(body, sizeof body, "token_type_hint=refresh_token&token=%.*s",
		TEXT_ARGS(issuing->token));
	assert_int_equal(look(bench, issuing->token, "&token_type_hint=what"), 200);
	answer = body_of(bench);
	assert_true(json_boolean_or(&answer, "active", false));
	assert_non_null(strcasestr(bench->reply, "\r\nCache-Control: no-store\r\n"));
	assert_int_equal(post(bench, "/oauth/revoke", body), 200);
	assert_int_equal(look(bench, issuing->token, ""), 200);
	assert_non_null(strstr(bench->reply, "\r\n\r\n{\"active\":false}"));
}

/* ---- registration ---- */

static const char jwk[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%043d\",\"y\":\"%043d\"}";

/* Registers with this code and metadata; KEY in it is a good one. */
static int enter(struct bench *bench, const char *code, const char *metadata)
{
	char head[256], body[1024];
	size_t at = 0;

	for (const char *p = metadata; *p != '\0'; p++)
		if (strncmp(p, "KEY", 3) == 0) {
			at += (size_t)snprintf(body + at, sizeof body - at, jwk, 0, 0);
			p += 2;
		} else {
			body[at++] = *p;
		}
	body[at] = '\0';
	(void)snprintf(head, sizeof head,
		"Content-Type: application/json\r\nAuthorization: Bearer %s\r\n", code);
	return send_request(bench, "POST /oauth/register", head, body);
}

#define GOOD_METADATA "{\"client_name\":\"x\",\"jwks\":{\"keys\":[KEY]}}"

static void invite(struct bench *bench)
{
	const struct registrar_request request = {.verb = REGISTRAR_INVITE,
		.actor = TEXT("person:ana"),
		.name = TEXT("new-one"),
		.sandbox = {.backup_owner = TEXT("bo"), .purpose = TEXT("Answers letters")}};

	assert_true(governed_run(&bench->issuing.governed, request));
}

static void registering_is_closed_without_an_invitation(void **state)
{
	struct bench *bench = *state;
	int status = send_request(
		bench, "POST /oauth/register", "Content-Type: application/json\r\n", "{}");

	assert_error(bench, status, 401, "invalid_token");
	status = enter(bench, "0000-0000-0000-0000-0000", GOOD_METADATA);
	assert_error(bench, status, 401, "invalid_token");
	assert_non_null(strcasestr(bench->reply, "\r\nWWW-Authenticate: Bearer"));
	status = enter(bench, "", GOOD_METADATA);
	assert_error(bench, status, 401, "invalid_token");
	assert_null(
		registry_find(bench->issuing.governed.registry, OBJECT_IDENTITY, TEXT("new-one")));
}

static void metadata_that_says_what_is_not_here_is_refused(void **state)
{
	static const char *const cases[] = {"", "[]", "{}", "{\"jwks\":{\"keys\":[]}}",
		"{\"jwks\":{\"keys\":[KEY,KEY]}}", "{\"jwks\":{\"keys\":[1]}}",
		"{\"jwks\":{\"keys\":[{\"kty\":\"RSA\"}]}}",
		"{\"jwks_uri\":\"http://127.0.0.1/\",\"jwks\":{\"keys\":[KEY]}}",
		"{\"token_endpoint_auth_method\":\"client_secret_basic\",\"jwks\":{\"keys\":[KEY]}"
		"}",
		"{\"grant_types\":[\"password\"],\"jwks\":{\"keys\":[KEY]}}",
		"{\"grant_types\":{},\"jwks\":{\"keys\":[KEY]}}"};
	struct bench *bench = *state;
	char code[CODE_TEXT_BYTES];

	invite(bench);
	memcpy(code, bench->issuing.governed.code, sizeof code);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int status = enter(bench, code, cases[i]);

		assert_error(bench, status, 400, "invalid_client_metadata");
	}
	assert_int_equal(enter(bench, code, GOOD_METADATA), 201);
}

static void a_client_with_an_invitation_is_a_draft_and_gets_no_token(void **state)
{
	struct bench *bench = *state;
	struct json body;
	const struct registry_entry *entry;

	invite(bench);
	assert_int_equal(enter(bench, bench->issuing.governed.code, GOOD_METADATA), 201);
	body = body_of(bench);
	assert_true(text_is(json_text_or(&body, "client_id", ""), "new-one"));
	assert_true(text_is(json_text_or(&body, "state", ""), "draft"));
	assert_null(json_find(&body, "client_secret"));
	assert_null(json_find(&body, "client_name"));
	entry = registry_find(bench->issuing.governed.registry, OBJECT_IDENTITY, TEXT("new-one"));
	assert_non_null(entry);
	assert_int_equal(entry->waiting_state, IDENTITY_DRAFT);
	assert_error(bench, enter(bench, bench->issuing.governed.code, GOOD_METADATA), 401,
		"invalid_token");
}

static void the_metadata_says_what_is_there(void **state)
{
	struct bench *bench = *state;
	struct text first;
	struct key_set keys;
	struct error err = {0};
	struct json body;

	assert_int_equal(
		send_request(bench, "GET /.well-known/oauth-authorization-server", "", ""), 200);
	body = body_of(bench);
	assert_true(text_is(json_text_or(&body, "issuer", ""), ISSUING_ISSUER));
	assert_true(
		text_is(json_text_or(&body, "token_endpoint", ""), ISSUING_ISSUER "/oauth/token"));
	assert_true(text_is(json_text_or(&body, "introspection_endpoint", ""),
		ISSUING_ISSUER "/oauth/introspect"));
	assert_int_equal(json_find(&body, "grant_types_supported")->count, 6);
	assert_true(text_is(json_text_or(&body, "authorization_endpoint", ""),
		ISSUING_ISSUER "/oauth/authorize"));
	assert_true(
		json_boolean_or(&body, "authorization_response_iss_parameter_supported", false));
	first = json_canonical_text(bench->issuing.governed.arena, &body);
	assert_int_equal(send_request(bench, "GET /.well-known/openid-configuration", "", ""), 200);
	body = body_of(bench);
	assert_true(text_equal(json_canonical_text(bench->issuing.governed.arena, &body), first));
	/* The issuer has no path, so there is no metadata at one (RFC 8414 section 3.3). */
	assert_int_equal(send_request(bench,
				 "GET /.well-known/oauth-authorization-server/mcp/files", "", ""),
		404);
	assert_int_equal(
		send_request(bench, "GET /.well-known/oauth-protected-resource/mcp/files", "", ""),
		200);
	body = body_of(bench);
	assert_true(text_is(json_text_or(&body, "resource", ""), ISSUING_FILES));
	assert_int_equal(
		send_request(bench, "GET /.well-known/oauth-protected-resource/mcp/none", "", ""),
		404);
	/* Each at the door of what it speaks. */
	assert_int_equal(
		send_request(bench, "GET /.well-known/oauth-protected-resource/llm/files", "", ""),
		404);
	assert_true(governed_apply(&bench->issuing.governed, "adi",
		"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"
		"transport: {url: 'https://models.example'}\nmodels: [{name: m, up-to: "
		"public}]\n"));
	assert_int_equal(
		send_request(bench, "GET /.well-known/oauth-protected-resource/llm/open", "", ""),
		200);
	body = body_of(bench);
	assert_true(text_is(json_text_or(&body, "resource", ""), ISSUING_ISSUER "/llm/open"));
	assert_int_equal(
		send_request(bench, "GET /.well-known/oauth-protected-resource/mcp/open", "", ""),
		404);
	assert_int_equal(send_request(bench, "GET /oauth/jwks", "", ""), 200);
	body = body_of(bench);
	assert_true(key_set_parse(&keys, &body, &err));
	assert_int_equal(keys.count, 1);
	assert_true(public_key_equal(
		keys.entries[0].key, private_key_public(bench->issuing.token_key)));
	key_set_deinit(&keys);
}

int main(void)
{
#define OAUTH_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		OAUTH_TEST(a_form_that_is_not_one_is_refused),
		OAUTH_TEST(other_grants_and_proofs_are_refused),
		OAUTH_TEST(wrong_wishes_have_their_own_errors),
		OAUTH_TEST(an_assertion_that_is_no_grant_is_an_invalid_one),
		OAUTH_TEST(an_assertion_of_its_own_key_is_grant_and_proof),
		OAUTH_TEST(a_log_that_takes_nothing_is_said_as_unavailable),
		OAUTH_TEST(a_client_that_leaves_before_the_answer_leaves_nothing_behind),
		OAUTH_TEST(a_token_comes_with_its_task_and_lifetime),
		OAUTH_TEST(what_a_task_is_for_comes_back_with_its_token),
		OAUTH_TEST(a_proof_without_a_nonce_is_told_one),
		OAUTH_TEST(a_field_that_is_no_proof_or_two_is_told),
		OAUTH_TEST(what_a_charter_asks_is_told_in_words),
		OAUTH_TEST(the_metadata_offers_certificates_only_where_they_are_asked_for),
		OAUTH_TEST(a_revoked_token_is_refused_and_revoking_twice_is_fine),
		OAUTH_TEST(a_token_that_is_revoked_alone_leaves_its_task),
		OAUTH_TEST(no_answer_before_the_end_is_on_record),
		OAUTH_TEST(an_end_that_is_not_on_record_is_no_success),
		OAUTH_TEST(who_leaves_before_the_end_is_on_record_has_ended_it),
		OAUTH_TEST(a_question_about_a_token_needs_a_proof),
		OAUTH_TEST(a_token_is_active_until_it_is_revoked),
		OAUTH_TEST(registering_is_closed_without_an_invitation),
		OAUTH_TEST(metadata_that_says_what_is_not_here_is_refused),
		OAUTH_TEST(a_client_with_an_invitation_is_a_draft_and_gets_no_token),
		OAUTH_TEST(the_metadata_says_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
