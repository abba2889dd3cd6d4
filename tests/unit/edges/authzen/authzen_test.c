/* The door of decision points over loopback. */
#include "../../wire/talk.h"

#include <sys/resource.h>

#include "edges/authzen/authzen.h"
#include "support/fake_values.h"
#include "support/issuing.h"

enum { REQUEST_BYTES_MAX = 1024 * 1024 };

#define SHOP                                                                                       \
	"object: application\nname: shop\nunit: support\ncallers: [a1]\n"                          \
	"policies: 'permit (principal == User::\"u\", action, resource) when "                     \
	"{ !(context has no) };'\n"                                                                \
	"entities:\n"                                                                              \
	"  - {uid: {type: Item, id: i1}, attrs: {}, parents: []}\n"                                \
	"  - {uid: {type: Item, id: i2}, attrs: {}, parents: []}\n"
#define POINT ISSUING_ISSUER "/applications/shop"
#define SUBJECT "\"subject\":{\"type\":\"User\",\"id\":\"u\"}"
#define STRANGER "\"subject\":{\"type\":\"User\",\"id\":\"s\"}"
#define ACTION "\"action\":{\"name\":\"buy\"}"
#define RESOURCE "\"resource\":{\"type\":\"Item\",\"id\":\"i1\"}"
#define YES "{" SUBJECT "," ACTION "," RESOURCE "}"
#define NO "{" STRANGER "," ACTION "," RESOURCE "}"
#define JSON_TYPE "Content-Type: application/json\r\n"

struct bench {
	struct issuing issuing;
	struct decide_service *decide;
	struct approve *approve;
	struct evaluate *evaluate;
	struct loop *loop;
	struct router *router;
	struct http_server *server;
	struct authzen *authzen;
	struct text token;
	struct error err;
	char reply[REQUEST_BYTES_MAX];
	char request[REQUEST_BYTES_MAX];
};

static void make_service(struct bench *bench, enum evaluate_durability durability)
{
	const struct approve_settings settings = {0};
	struct governed *governed = &bench->issuing.governed;
	const struct evaluate_parts *parts;

	assert_true(decide_service_create(
		&bench->decide, governed->registry, bench->issuing.tasks, &bench->err));
	assert_true(approve_create(&bench->approve, governed->registry, bench->issuing.tasks,
		governed->fold, &settings, &bench->err));
	parts = &(const struct evaluate_parts){.fold = governed->fold,
		.registry = governed->registry,
		.decide = bench->decide,
		.approve = bench->approve,
		.values = fake_values,
		.durability = durability};
	assert_true(evaluate_create(&bench->evaluate, parts, &bench->err));
}

static struct bench *bench_create(enum evaluate_durability durability)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct http_server_settings settings = {
		.tcp_address = "127.0.0.1:0", .on_request = router_on_request};
	struct authzen_parts parts;

	assert_non_null(bench);
	issuing_init(&bench->issuing);
	assert_true(governed_apply_by_two(&bench->issuing.governed, "adi", SHOP));
	make_service(bench, durability);
	parts = (struct authzen_parts){
		bench->issuing.issue, bench->evaluate, bench->issuing.governed.registry};
	assert_true(loop_create(&bench->loop, &bench->err));
	assert_true(router_create(&bench->router, &bench->err));
	assert_true(authzen_create(&bench->authzen, &parts, &bench->err));
	assert_true(authzen_add_routes(bench->authzen, bench->router, &bench->err));
	settings.context = bench->router;
	assert_true(http_server_create(&bench->server, bench->loop, &settings, &bench->err));
	assert_true(issuing_open(&bench->issuing, issuing_assertion(&bench->issuing, NULL), POINT));
	bench->token = bench->issuing.token;
	return bench;
}

static int start(void **state)
{
	*state = bench_create(EVALUATE_AWAITED);
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	http_server_destroy(&bench->server);
	router_destroy(&bench->router);
	evaluate_destroy(&bench->evaluate);
	authzen_destroy(&bench->authzen);
	loop_destroy(&bench->loop);
	approve_destroy(&bench->approve);
	decide_service_destroy(&bench->decide);
	issuing_deinit(&bench->issuing);
	free(bench);
	return 0;
}

/* Sends head lines (each with CRLF) and body; the status of the answer. */
static int send_raw(struct bench *bench, const char *line, const char *head, const char *body)
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

static int post_with(struct bench *bench, const char *endpoint, const char *head, const char *body)
{
	char line[128], heads[8192];

	(void)snprintf(line, sizeof line, "POST /applications/shop/access/v1/%s", endpoint);
	(void)snprintf(heads, sizeof heads, "Authorization: Bearer %.*s\r\n%s",
		TEXT_ARGS(bench->token), head);
	return send_raw(bench, line, heads, body);
}

static int post(struct bench *bench, const char *endpoint, const char *body)
{
	return post_with(bench, endpoint, JSON_TYPE, body);
}

static struct json body_of(struct bench *bench)
{
	const char *body = strstr(bench->reply, "\r\n\r\n");
	struct arena *arena = bench->issuing.governed.arena;
	struct json value;

	assert_non_null(body);
	if (!json_parse(&value, arena, text_copy(arena, text_of(body + 4)), &json_limits_default,
		    &bench->err))
		fail_msg("%s", bench->reply);
	return value;
}

/* The answer is an error of this status, as JSON. */
static void assert_error(struct bench *bench, int status, int expected)
{
	struct json body = body_of(bench);
	const struct json *error = json_find(&body, "error");

	if (status != expected || error == NULL)
		fail_msg("not %d: %s", expected, bench->reply);
	assert_int_equal(json_integer_or(error, "status", 0), expected);
	assert_true(json_text_or(error, "message", "").length > 0);
	assert_non_null(strstr(bench->reply, "application/json"));
	assert_null(json_find(&body, "decision"));
}

static void assert_decision(struct bench *bench, int status, bool expected)
{
	struct json body = body_of(bench);
	const struct json *decision = json_find(&body, "decision");

	if (status != 200 || decision == NULL || decision->type != JSON_BOOLEAN ||
		decision->boolean != expected)
		fail_msg("not %d: %s", expected, bench->reply);
}

/* Compares a batch's decisions with letters: y, n, and e for an error. */
static void assert_decisions(struct bench *bench, const char *body, const char *expected)
{
	int status = post(bench, "evaluations", body);
	struct json answer = body_of(bench);
	const struct json *items = json_find(&answer, "evaluations");

	if (status != 200 || items == NULL || items->count != strlen(expected))
		fail_msg("not %s: %s", expected, bench->reply);
	for (uint32_t i = 0; i < items->count; i++) {
		const struct json *context = json_find(&items->items[i], "context");
		bool is_yes = json_boolean_or(&items->items[i], "decision", false);
		bool is_error = context != NULL && json_find(context, "error") != NULL;

		assert_int_equal(is_error ? 'e' : is_yes ? 'y' : 'n', expected[i]);
	}
}

static void nobody_is_answered_without_a_token_for_this_point(void **state)
{
	struct bench *bench = *state;
	static const char *const lines[] = {"POST /access/v1/evaluation",
		"POST /applications/shop/access/v1/evaluation",
		"POST /applications/shed/access/v1/evaluation"};
	size_t before = bench->issuing.governed.log.count;

	for (size_t i = 0; i < 3; i++) {
		assert_error(bench, send_raw(bench, lines[i], JSON_TYPE, YES), 401);
		assert_non_null(strstr(bench->reply, "resource_metadata="));
	}
	bench->token = TEXT("nonsense");
	assert_error(bench, post(bench, "evaluation", YES), 401);
	assert_true(issuing_open_good(&bench->issuing)); /* for files */
	bench->token = bench->issuing.token;
	assert_error(bench, post(bench, "evaluation", YES), 401);
	assert_int_equal(bench->issuing.governed.log.count, before + 1); /* its task alone */
}

static void an_identity_that_is_not_named_may_not_ask(void **state)
{
	struct bench *bench = *state;

	assert_true(governed_apply_by_two(&bench->issuing.governed, "adi",
		"object: application\nname: shop\nunit: support\n"
		"policies: 'permit (principal, action, resource);'\n"));
	assert_error(bench, post(bench, "evaluation", YES), 403);
	assert_error(bench, post(bench, "evaluations", YES), 403);
	assert_error(bench, post(bench, "search/resource", YES), 403);
}

static void what_is_malformed_is_400(void **state)
{
	static const char *const bodies[] = {"", "{", "[]", "\"x\"", "{}", "{} x",
		"{" ACTION "," RESOURCE "}", "{" SUBJECT "," RESOURCE "}",
		"{" SUBJECT "," ACTION "}", "{\"subject\":\"u\"," ACTION "," RESOURCE "}",
		"{\"subject\":{\"type\":\"User\"}," ACTION "," RESOURCE "}",
		"{\"subject\":{\"type\":\"\",\"id\":\"u\"}," ACTION "," RESOURCE "}",
		"{\"subject\":{\"id\":\"u\"}," ACTION "," RESOURCE "}",
		"{" SUBJECT ",\"action\":{\"name\":1}," RESOURCE "}",
		"{" SUBJECT "," ACTION "," RESOURCE ",\"context\":[]}",
		"{" SUBJECT ",\"action\":{\"name\":\"buy\",\"properties\":1}," RESOURCE "}",
		"{" SUBJECT "," SUBJECT "," ACTION "," RESOURCE "}"};
	struct bench *bench = *state;
	size_t before = bench->issuing.governed.log.count;

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		assert_error(bench, post(bench, "evaluation", bodies[i]), 400);
	assert_error(bench, post_with(bench, "evaluation", "", YES), 400);
	assert_error(
		bench, post_with(bench, "evaluation", "Content-Type: text/plain\r\n", YES), 400);
	assert_error(bench,
		post_with(bench, "evaluation", "Content-Type: application/jsonp\r\n", YES), 400);
	assert_int_equal(bench->issuing.governed.log.count, before);
}

static void unknown_members_are_ignored_and_parameters_allowed(void **state)
{
	struct bench *bench = *state;

	assert_decision(bench,
		post_with(bench, "evaluation", "Content-Type: Application/JSON; charset=utf-8\r\n",
			"{" SUBJECT "," ACTION "," RESOURCE ",\"future\":{\"a\":[null]}}"),
		true);
}

static void a_denial_says_why_and_a_yes_nothing(void **state)
{
	struct bench *bench = *state;
	struct json body;

	assert_decision(bench, post(bench, "evaluation", NO), false);
	body = body_of(bench);
	body = *json_find(&body, "context");
	assert_true(text_is(json_text_or(&body, "reason", ""), "no_permit"));
	assert_true(text_starts_with(json_text_or(&body, "evaluation_id", ""), "e-"));
	assert_null(json_find(&body, "access_request"));
	assert_decision(bench, post(bench, "evaluation", YES), true);
	body = body_of(bench);
	assert_int_equal(body.count, 1);
}

static void a_request_id_comes_back(void **state)
{
	struct bench *bench = *state;
	char head[1024], id[AUTHZEN_REQUEST_ID_BYTES_MAX + 2];

	memset(id, 'x', sizeof id);
	id[AUTHZEN_REQUEST_ID_BYTES_MAX] = '\0';
	(void)snprintf(head, sizeof head, JSON_TYPE "X-Request-ID: %s\r\n", id);
	assert_decision(bench, post_with(bench, "evaluation", head, YES), true);
	assert_non_null(strstr(bench->reply, id));
	assert_error(bench, post_with(bench, "evaluation", head, "{"), 400);
	assert_non_null(strstr(bench->reply, id));
	id[AUTHZEN_REQUEST_ID_BYTES_MAX] = 'x';
	id[AUTHZEN_REQUEST_ID_BYTES_MAX + 1] = '\0';
	(void)snprintf(head, sizeof head, JSON_TYPE "X-Request-ID: %s\r\n", id);
	assert_error(bench, post_with(bench, "evaluation", head, YES), 400);
	assert_error(bench,
		post_with(bench, "evaluation", JSON_TYPE "X-Request-ID: a\r\nX-Request-ID: b\r\n",
			YES),
		400);
}

/* Also where no endpoint answers, and of what needs no token. */
static void a_request_id_comes_back_with_every_answer(void **state)
{
	static const struct {
		const char *line;
		int status;
	} rows[] = {{"GET /access/v1/evaluation", 405}, {"PUT /access/v1/search/action", 405},
		{"GET /applications/shop/access/v1/evaluations", 405},
		{"POST /access/v1/nothing", 404}, {"GET /access/v1/evaluation/1", 404},
		{"POST /applications/shop/access/v1/search", 404},
		{"GET /.well-known/authzen-configuration", 200},
		{"GET /applications/shop/.well-known/authzen-configuration", 200},
		{"GET /.well-known/authzen-configuration/applications/shed", 404}};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int status = send_raw(bench, rows[i].line, "X-Request-ID: mine\r\n", "");

		if (status != 200)
			assert_error(bench, status, rows[i].status);
		assert_int_equal(status, rows[i].status);
		assert_non_null(strstr(bench->reply, "X-Request-ID: mine\r\n"));
		assert_int_equal(strstr(bench->reply, "Allow: POST\r\n") != NULL, status == 405);
		/* One that could not stand in a header of ours is not repeated. */
		assert_int_equal(send_raw(bench, rows[i].line, "X-Request-ID: m\xc3\xa9\r\n", ""),
			rows[i].status);
		assert_null(strstr(bench->reply, "X-Request-ID"));
	}
	assert_error(
		bench, post_with(bench, "evaluation", "X-Request-ID: m\xc3\xa9\r\n", YES), 400);
	assert_null(strstr(bench->reply, "m\xc3"));
}

/* Requests share memory, one after the other. */
static void a_request_knows_nothing_of_the_one_before(void **state)
{
	struct bench *bench = *state;

	for (int round = 0; round < 2; round++) {
		assert_decision(bench,
			post_with(
				bench, "evaluation", JSON_TYPE "X-Request-ID: mine-alone\r\n", YES),
			true);
		assert_error(bench,
			send_raw(bench, "POST /applications/shop/access/v1/evaluation", JSON_TYPE,
				YES),
			401);
		assert_null(strstr(bench->reply, "mine-alone"));
		assert_error(bench, post(bench, "evaluation", ""), 400);
		assert_decision(bench, post(bench, "evaluation", NO), false);
		assert_null(strstr(bench->reply, "mine-alone"));
	}
}

/* A body whose subject's member has so many bytes. */
static const char *sized(struct bench *bench, const char *member, size_t length)
{
	char *body = arena_array(bench->issuing.governed.arena, char, length + 512);
	char *filler = arena_array(bench->issuing.governed.arena, char, length + 1);

	assert_non_null(body);
	assert_non_null(filler);
	memset(filler, 'a', length);
	(void)snprintf(body, length + 512,
		"{\"subject\":{\"%s\":\"%s\",\"%s\":\"u\"}," ACTION "," RESOURCE "}", member,
		filler, strcmp(member, "id") == 0 ? "type" : "id");
	return body;
}

static void names_have_bounds(void **state)
{
	struct bench *bench = *state;

	assert_decision(bench,
		post(bench, "evaluation", sized(bench, "type", AUTHZEN_TYPE_BYTES_MAX)), false);
	assert_error(bench,
		post(bench, "evaluation", sized(bench, "type", AUTHZEN_TYPE_BYTES_MAX + 1)), 400);
	assert_decision(
		bench, post(bench, "evaluation", sized(bench, "id", AUTHZEN_ID_BYTES_MAX)), false);
	assert_error(bench, post(bench, "evaluation", sized(bench, "id", AUTHZEN_ID_BYTES_MAX + 1)),
		400);
}

static void a_body_has_a_bound(void **state)
{
	struct bench *bench = *state;
	char *body = malloc(AUTHZEN_BODY_BYTES_MAX + 2);

	assert_non_null(body);
	memset(body, ' ', AUTHZEN_BODY_BYTES_MAX + 1);
	memcpy(body, YES, sizeof YES - 1);
	body[AUTHZEN_BODY_BYTES_MAX] = '\0';
	assert_decision(bench, post(bench, "evaluation", body), true);
	body[AUTHZEN_BODY_BYTES_MAX] = ' ';
	body[AUTHZEN_BODY_BYTES_MAX + 1] = '\0';
	assert_error(bench, post(bench, "evaluation", body), 400);
	free(body);
}

/* ---- several ---- */

static void no_array_is_a_single_evaluation(void **state)
{
	struct bench *bench = *state;

	assert_decision(bench, post(bench, "evaluations", YES), true);
	assert_decision(bench,
		post(bench, "evaluations",
			"{" SUBJECT "," ACTION "," RESOURCE ",\"evaluations\":[]}"),
		true);
	assert_error(bench, post(bench, "evaluations", "{}"), 400);
	assert_error(bench, post(bench, "evaluations", "{\"evaluations\":{}}"), 400);
	assert_error(bench,
		post(bench, "evaluations", "{\"subject\":\"u\",\"evaluations\":[" YES "]}"), 400);
}

static void each_semantic_ends_where_it_says(void **state)
{
	struct bench *bench = *state;

#define BATCH(options) "{" options "\"evaluations\":[" YES "," NO "," YES "]}"
#define SEMANTIC(word) "\"options\":{\"evaluations_semantic\":\"" word "\"},"
	assert_decisions(bench, BATCH(""), "yny");
	assert_decisions(bench, BATCH("\"options\":{},"), "yny");
	assert_decisions(bench, BATCH(SEMANTIC("execute_all")), "yny");
	assert_decisions(bench, BATCH(SEMANTIC("deny_on_first_deny")), "yn");
	assert_decisions(bench, BATCH(SEMANTIC("permit_on_first_permit")), "y");
	assert_decisions(
		bench, "{" SEMANTIC("deny_on_first_deny") "\"evaluations\":[{}," YES "]}", "e");
	assert_error(bench, post(bench, "evaluations", BATCH(SEMANTIC("all"))), 400);
	assert_error(bench, post(bench, "evaluations", BATCH("\"options\":1,")), 400);
}

static void a_default_is_replaced_as_a_whole(void **state)
{
	struct bench *bench = *state;

	assert_decisions(bench,
		"{" SUBJECT "," ACTION ",\"context\":{\"no\":1},\"evaluations\":[{" RESOURCE
		"},{" RESOURCE ",\"context\":{}},{" RESOURCE "," STRANGER
		",\"context\":{}},{" RESOURCE ",\"subject\":{\"id\":\"u\"}},{},1]}",
		"nyneee");
}

/* So many of the same item, with commas between. */
static const char *repeated(struct bench *bench, const char *item, int count)
{
	struct buffer items;
	const char *text;

	buffer_init(&items, REQUEST_BYTES_MAX);
	for (int i = 0; i < count; i++) {
		buffer_append_string(&items, i == 0 ? "" : ",");
		buffer_append_string(&items, item);
	}
	text = text_copy(bench->issuing.governed.arena, buffer_text(&items)).data;
	assert_non_null(text);
	buffer_deinit(&items);
	return text;
}

static const char *batch_of(struct bench *bench, int count)
{
	return text_format(bench->issuing.governed.arena, "{\"evaluations\":[%s]}",
		repeated(bench, YES, count))
		.data;
}

static void a_batch_has_a_bound_and_one_record(void **state)
{
	struct bench *bench = *state;
	size_t before = bench->issuing.governed.log.count;

	assert_int_equal(post(bench, "evaluations", batch_of(bench, EVALUATE_ITEMS_MAX)), 200);
	assert_int_equal(bench->issuing.governed.log.count, before + 1);
	assert_error(
		bench, post(bench, "evaluations", batch_of(bench, EVALUATE_ITEMS_MAX + 1)), 400);
	assert_int_equal(bench->issuing.governed.log.count, before + 1);
}

enum { MEMBERS_READ = 4, CONTEXT = 3, AROUND_READ = sizeof "{}{}{}" - 1 };

/* A batch whose defaults permit, with this value for one of what is read of them. */
static const char *batch_with(
	struct bench *bench, size_t which, const char *value, const char *items)
{
	const char *values[MEMBERS_READ] = {"{}", "{}", "{}", "{}"};

	values[which] = value;
	return text_format(bench->issuing.governed.arena,
		"{\"subject\":{\"type\":\"User\",\"id\":\"u\",\"properties\":%s},"
		"\"action\":{\"name\":\"buy\",\"properties\":%s},"
		"\"resource\":{\"type\":\"Item\",\"id\":\"i1\",\"properties\":%s},"
		"\"context\":%s,\"evaluations\":[%s]}",
		values[0], values[1], values[2], values[CONTEXT], items)
		.data;
}

/* {"a":"xx…"} of so many bytes. */
static const char *long_object(struct bench *bench, int bytes)
{
	int around = sizeof "{\"a\":\"\"}" - 1;

	return text_format(bench->issuing.governed.arena, "{\"a\":\"%*s\"}", bytes - around, "")
		.data;
}

/* A default is read for each item that takes it. */
static void what_a_batch_reads_has_a_bound(void **state)
{
	enum { BYTES = EVALUATE_READ_BYTES_MAX / EVALUATE_ITEMS_MAX - AROUND_READ };
	static const struct {
		int over, status;
	} rows[] = {{-1, 200}, {0, 200}, {1, 400}};
	struct bench *bench = *state;
	const char *items = repeated(bench, "{}", EVALUATE_ITEMS_MAX);

	for (size_t which = 0; which < MEMBERS_READ; which++) {
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			const char *value = long_object(bench, BYTES + rows[i].over);

			assert_int_equal(
				post(bench, "evaluations", batch_with(bench, which, value, items)),
				rows[i].status);
		}
	}
}

static void a_default_counts_for_those_that_take_it(void **state)
{
	struct bench *bench = *state;
	const char *large = long_object(bench, 100000);
	const char *own[MEMBERS_READ] = {SUBJECT, ACTION, RESOURCE, "\"context\":{}"};
	char *due = arena_array(bench->issuing.governed.arena, char, EVALUATE_ITEMS_MAX + 1);

	assert_non_null(due);
	memset(due, 'y', EVALUATE_ITEMS_MAX);
	for (size_t which = 0; which < MEMBERS_READ; which++) {
		struct text item = text_format(bench->issuing.governed.arena, "{%s}", own[which]);
		const char *items = repeated(bench, item.data, EVALUATE_ITEMS_MAX - 1);
		struct text all = text_format(bench->issuing.governed.arena, "%s,{}", items);

		assert_decisions(bench, batch_with(bench, which, large, all.data), due);
	}
}

/* What a batch may read takes more memory than one request has, where it is many values: one
 * item leaves nothing of it to the next. */
static void each_item_of_a_batch_has_the_same_memory(void **state)
{
	enum { BYTES = EVALUATE_READ_BYTES_MAX / EVALUATE_ITEMS_MAX - AROUND_READ };
	struct bench *bench = *state;
	struct arena *arena = bench->issuing.governed.arena;
	const char *ones = repeated(bench, "1", (BYTES - (int)sizeof "{\"a\":[]}") / 2);
	const char *items = repeated(bench, "{}", EVALUATE_ITEMS_MAX);
	char *due = arena_array(arena, char, EVALUATE_ITEMS_MAX + 1);

	assert_non_null(due);
	memset(due, 'y', EVALUATE_ITEMS_MAX);
	for (size_t which = 0; which < MEMBERS_READ; which++)
		assert_decisions(bench,
			batch_with(
				bench, which, text_format(arena, "{\"a\":[%s]}", ones).data, items),
			due);
}

/* ---- searches ---- */

#define ITEMS "\"resource\":{\"type\":\"Item\"}"

static struct text next_token(struct bench *bench)
{
	struct json body = body_of(bench);

	return json_text_or(json_find(&body, "page"), "next_token", "missing");
}

static size_t found(struct bench *bench)
{
	struct json body = body_of(bench);

	return json_find(&body, "results")->count;
}

static int search_page(
	struct bench *bench, const char *subject, struct text token, const char *more)
{
	struct text body = text_format(bench->issuing.governed.arena,
		"{%s," ACTION "," ITEMS ",\"page\":{\"token\":\"%.*s\"%s}}", subject,
		TEXT_ARGS(token), more);

	return post(bench, "search/resource", body.data);
}

static void a_page_token_is_sealed_to_its_search(void **state)
{
	struct bench *bench = *state;
	struct text token, turned;

	assert_int_equal(search_page(bench, SUBJECT, TEXT(""), ",\"limit\":1"), 200);
	assert_int_equal(found(bench), 1);
	token = next_token(bench);
	assert_true(token.length > 0);
	turned = text_format(bench->issuing.governed.arena, "%c%.*s",
		token.data[0] == 'A' ? 'B' : 'A', (int)token.length - 1, token.data + 1);
	assert_error(bench, search_page(bench, SUBJECT, turned, ""), 400);
	assert_error(bench, search_page(bench, STRANGER, token, ""), 400);
	assert_error(bench,
		search_page(bench, SUBJECT, (struct text){token.data, token.length - 1}, ""), 400);
	assert_int_equal(search_page(bench, SUBJECT, token, ""), 200);
	assert_int_equal(found(bench), 1);
	assert_int_equal(next_token(bench).length, 0);
	/* Another version has other candidates. */
	assert_true(governed_apply_by_two(&bench->issuing.governed, "adi",
		"object: application\nname: shop\nunit: support\ncallers: [a1]\n"
		"policies: 'permit (principal, action, resource);'\n"));
	assert_error(bench, search_page(bench, SUBJECT, token, ""), 400);
}

/* Of remit's own tools, with a token for its own point. */
static int search_own(struct bench *bench, const char *page)
{
	struct text body = text_format(bench->issuing.governed.arena,
		"{\"subject\":{\"type\":\"identity\",\"id\":\"a1\"},"
		"\"action\":{\"name\":\"read\"},\"resource\":{\"type\":\"tool\"},"
		"\"context\":{\"args\":{\"path\":\"tickets/1\"}},\"page\":{%s}}",
		page);
	struct text head = text_format(bench->issuing.governed.arena,
		"Authorization: Bearer %.*s\r\n" JSON_TYPE, TEXT_ARGS(bench->token));

	return send_raw(bench, "POST /access/v1/search/resource", head.data, body.data);
}

static void a_page_token_for_tools_outlives_changes_of_the_registry(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct text page;

	issuing_recharter(issuing, NULL, "outputs: [{to: reply, up-to: internal}]\n");
	assert_true(issuing_open(issuing, issuing_assertion(issuing, NULL), ISSUING_ISSUER));
	bench->token = issuing->token;
	assert_int_equal(search_own(bench, "\"limit\":1"), 200);
	assert_int_equal(found(bench), 1);
	page = text_format(
		issuing->governed.arena, "\"token\":\"%.*s\"", TEXT_ARGS(next_token(bench)));
	assert_true(governed_apply(
		&issuing->governed, "adi", "object: tool\nname: files/new\neffect: read\n"));
	assert_int_equal(search_own(bench, page.data), 200);
	assert_int_equal(found(bench), 0);
	assert_int_equal(next_token(bench).length, 0);
}

static void a_page_has_a_limit(void **state)
{
	static const char *const pages[] = {"1", "{\"limit\":0}", "{\"limit\":-1}",
		"{\"limit\":1.5}", "{\"limit\":\"1\"}", "{\"token\":1}"};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		struct text body = text_format(bench->issuing.governed.arena,
			"{" SUBJECT "," ACTION "," ITEMS ",\"page\":%s}", pages[i]);

		assert_error(bench, post(bench, "search/resource", body.data), 400);
	}
	assert_int_equal(search_page(bench, SUBJECT, TEXT(""), ",\"limit\":1000"), 200);
	assert_int_equal(search_page(bench, SUBJECT, TEXT(""), ",\"limit\":1001"), 200);
	assert_int_equal(found(bench), 2);
}

static void what_is_not_known_is_not_found(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(post(bench, "search/resource",
				 "{" SUBJECT "," ACTION ",\"resource\":{\"type\":\"Ghost\"}}"),
		200);
	assert_int_equal(found(bench), 0);
	assert_int_equal(
		post(bench, "search/resource", "{" STRANGER "," ACTION "," ITEMS "}"), 200);
	assert_int_equal(found(bench), 0);
	assert_error(bench, post(bench, "search/action", "{" SUBJECT "," ITEMS "}"), 400);
	assert_error(bench, post(bench, "search/subject", "{" SUBJECT "," RESOURCE "}"), 400);
}

/* ---- members that 1.0 does not know ---- */

#define MARKED                                                                                     \
	"object: application\nname: shop\nunit: support\ncallers: [a1]\n%s"                        \
	"policies: 'permit (principal, action, resource) when { principal has mark && "            \
	"principal.mark == \"p\" && resource has mark && resource.mark == \"r\" && "               \
	"context has action && context.action.mark == \"a\" };'\n"                                 \
	"entities:\n"                                                                              \
	"  - {uid: {type: User, id: u}, attrs: {}, parents: []}\n"                                 \
	"  - {uid: {type: Item, id: i1}, attrs: {}, parents: []}\n"
#define MARKED_QUESTION(subject, action, resource)                                                 \
	"{\"subject\":{\"type\":\"User\",\"id\":\"u\"," subject "},"                               \
	"\"action\":{\"name\":\"buy\"," action "},"                                                \
	"\"resource\":{\"type\":\"Item\",\"id\":\"i1\"," resource "}}"
#define BESIDE(mark) "\"mark\":\"" mark "\""
#define WITHIN(mark) "\"properties\":{\"mark\":\"" mark "\"}"
#define CLASH(mark) BESIDE(mark) "," WITHIN(mark)

static void register_marked(struct bench *bench, const char *more)
{
	char yaml[2048];

	(void)snprintf(yaml, sizeof yaml, MARKED, more);
	assert_true(governed_apply_by_two(&bench->issuing.governed, "adi", yaml));
}

static void a_member_that_is_not_known_is_ignored(void **state)
{
	struct bench *bench = *state;

	register_marked(bench, "");
	assert_decision(bench,
		post(bench, "evaluation", MARKED_QUESTION(WITHIN("p"), WITHIN("a"), WITHIN("r"))),
		true);
	assert_decision(bench,
		post(bench, "evaluation", MARKED_QUESTION(BESIDE("p"), WITHIN("a"), WITHIN("r"))),
		false);
	assert_decision(bench,
		post(bench, "evaluation", MARKED_QUESTION(WITHIN("p"), BESIDE("a"), WITHIN("r"))),
		false);
	assert_decision(bench,
		post(bench, "evaluation", MARKED_QUESTION(WITHIN("p"), WITHIN("a"), BESIDE("r"))),
		false);
	/* What is beside changes nothing of what is within. */
	assert_decision(bench,
		post(bench, "evaluation", MARKED_QUESTION(CLASH("p"), CLASH("a"), CLASH("r"))),
		true);
}

static void of_draft_00_a_member_said_twice_is_400(void **state)
{
	static const char *const wrong[] = {MARKED_QUESTION(CLASH("p"), BESIDE("a"), BESIDE("r")),
		MARKED_QUESTION(BESIDE("p"), CLASH("a"), BESIDE("r")),
		MARKED_QUESTION(BESIDE("p"), BESIDE("a"), CLASH("r"))};
	static const char *const owners[] = {"subject: ", "action: ", "resource: "};
	struct bench *bench = *state;
	const struct json *item;
	struct json body;
	struct text batch;

	register_marked(bench, "reads: draft-00\n");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_error(bench, post(bench, "evaluation", wrong[i]), 400);
		assert_non_null(strstr(bench->reply, owners[i]));
	}
	/* In a batch, of that item alone. */
	batch = text_format(bench->issuing.governed.arena, "{\"evaluations\":[%s,%s]}", wrong[0],
		MARKED_QUESTION(BESIDE("p"), BESIDE("a"), BESIDE("r")));
	assert_int_equal(post(bench, "evaluations", batch.data), 200);
	body = body_of(bench);
	item = &json_find(&body, "evaluations")->items[0];
	assert_false(json_boolean_or(item, "decision", true));
	assert_int_equal(
		json_integer_or(json_find(json_find(item, "context"), "error"), "status", 0), 400);
	item = &json_find(&body, "evaluations")->items[1];
	assert_true(json_boolean_or(item, "decision", false));
	assert_error(bench,
		post(bench, "search/resource",
			MARKED_QUESTION(CLASH("p"), BESIDE("a"), BESIDE("r"))),
		400);
}

static void of_draft_00_a_member_beside_is_a_property(void **state)
{
	struct bench *bench = *state;
	struct text batch;

	register_marked(bench, "reads: draft-00\n");
	assert_decision(bench,
		post(bench, "evaluation", MARKED_QUESTION(BESIDE("p"), BESIDE("a"), BESIDE("r"))),
		true);
	assert_decision(bench,
		post(bench, "evaluation",
			MARKED_QUESTION(BESIDE("p"), WITHIN("a"),
				BESIDE("r") ",\"properties\":{\"more\":1}")),
		true);
	assert_decision(bench,
		post(bench, "evaluation", MARKED_QUESTION(BESIDE("q"), BESIDE("a"), BESIDE("r"))),
		false);
	assert_error(bench,
		post(bench, "evaluation",
			MARKED_QUESTION(BESIDE("p"), BESIDE("a"), "\"properties\":1")),
		400);
	/* Of the defaults too, and of what is searched with. */
	batch = text_format(bench->issuing.governed.arena, "%.*s,\"evaluations\":[{}]}",
		(int)strlen(MARKED_QUESTION(BESIDE("p"), BESIDE("a"), BESIDE("r"))) - 1,
		MARKED_QUESTION(BESIDE("p"), BESIDE("a"), BESIDE("r")));
	assert_int_equal(post(bench, "evaluations", batch.data), 200);
	assert_non_null(strstr(bench->reply, "[{\"decision\":true}]"));
	assert_int_equal(post(bench, "search/resource",
				 MARKED_QUESTION(BESIDE("p"), BESIDE("a"), BESIDE("r"))),
		200);
	assert_int_equal(found(bench), 1);
}

/* What is made of a default is there once, however many items take it. */
static void of_draft_00_a_default_is_read_once(void **state)
{
	enum { MEMBERS = 5000 };
	struct bench *bench = *state;
	struct arena *arena = bench->issuing.governed.arena;
	char *due = arena_array(arena, char, EVALUATE_ITEMS_MAX + 1);
	struct buffer members;
	struct text batch;

	assert_non_null(due);
	memset(due, 'y', EVALUATE_ITEMS_MAX);
	register_marked(bench, "reads: draft-00\n");
	buffer_init(&members, REQUEST_BYTES_MAX);
	for (int i = 0; i < MEMBERS; i++)
		buffer_append_format(&members, "\"m%d\":1,", i);
	batch = text_format(arena,
		"{\"subject\":{\"type\":\"User\",\"id\":\"u\",%.*s" BESIDE(
			"p") "},"
			     "\"action\":{\"name\":\"buy\"," BESIDE(
				     "a") "},"
					  "\"resource\":{\"type\":\"Item\",\"id\":\"i1\"," BESIDE(
						  "r") "},"
						       "\"evaluations\":[%s]}",
		TEXT_ARGS(buffer_text(&members)), repeated(bench, "{}", EVALUATE_ITEMS_MAX));
	buffer_deinit(&members);
	assert_decisions(bench, batch.data, due);
}

/* ---- records ---- */

static void a_log_that_refuses_is_500(void **state)
{
	struct bench *bench = *state;

	bench->issuing.governed.log.refuses = true;
	assert_error(bench, post(bench, "evaluation", YES), 500);
	assert_error(
		bench, post(bench, "search/resource", "{" SUBJECT "," ACTION "," ITEMS "}"), 500);
}

static void a_record_that_is_lost_is_500(void **state)
{
	struct bench *bench = *state;

	bench->issuing.governed.log.loses = true;
	assert_error(bench, post(bench, "evaluation", YES), 500);
}

/* Asks, and gives the answer only when `until` came or the peer closed. */
static void an_answer_waits_for_its_record(void **state)
{
	struct bench *bench = *state;
	char head[8192];
	struct talk talk;

	(void)snprintf(head, sizeof head,
		"POST /applications/shop/access/v1/evaluation HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Authorization: Bearer %.*s\r\n" JSON_TYPE "Content-Length: %zu\r\n\r\n" YES
		"GET /.well-known/authzen-configuration HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Connection: close\r\n\r\n",
		TEXT_ARGS(bench->token), sizeof YES - 1);
	bench->issuing.governed.log.is_held = true;
	talk_open(&talk, bench->loop, http_server_port(bench->server));
	talk_say(&talk, head, strlen(head));
	/* Another connection is served meanwhile, this one is not. */
	assert_int_equal(send_raw(bench, "GET /.well-known/authzen-configuration", "", ""), 200);
	assert_int_equal(talk.got_count, 0);
	bench->issuing.governed.log.is_held = false;
	fake_log_flush(&bench->issuing.governed.log);
	talk_wait(&talk, NULL);
	assert_non_null(strstr(talk.got, "{\"decision\":true}"));
	talk_close(&talk);
}

static void a_peer_that_goes_leaves_its_record(void **state)
{
	struct bench *bench = *state;
	char head[8192];
	struct talk talk;
	size_t before = bench->issuing.governed.log.count;

	(void)snprintf(head, sizeof head,
		"POST /applications/shop/access/v1/evaluation HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Authorization: Bearer %.*s\r\n" JSON_TYPE "Content-Length: %zu\r\n\r\n" YES,
		TEXT_ARGS(bench->token), sizeof YES - 1);
	bench->issuing.governed.log.is_held = true;
	talk_open(&talk, bench->loop, http_server_port(bench->server));
	talk_say(&talk, head, strlen(head));
	assert_int_equal(send_raw(bench, "GET /.well-known/authzen-configuration", "", ""), 200);
	talk_close(&talk);
	assert_int_equal(send_raw(bench, "GET /.well-known/authzen-configuration", "", ""), 200);
	fake_log_flush(&bench->issuing.governed.log);
	assert_int_equal(bench->issuing.governed.log.count, before + 1);
}

/* Turns the loop until what was sent has been looked at. */
static void turn(struct bench *bench)
{
	assert_int_equal(send_raw(bench, "GET /.well-known/authzen-configuration", "", ""), 200);
}

static int connect_raw(struct bench *bench)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(http_server_port(bench->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void so_many_requests_may_wait_for_their_record(void **state)
{
	static int fds[AUTHZEN_PENDING_MAX];
	struct bench *bench = *state;
	struct rlimit limit = {4 * AUTHZEN_PENDING_MAX, 4 * AUTHZEN_PENDING_MAX};
	char request[8192];
	int length = snprintf(request, sizeof request,
		"POST /applications/shop/access/v1/evaluation HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Authorization: Bearer %.*s\r\n" JSON_TYPE "Content-Length: %zu\r\n\r\n" YES,
		TEXT_ARGS(bench->token), sizeof YES - 1);

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		skip();
	bench->issuing.governed.log.is_held = true;
	for (size_t i = 0; i < AUTHZEN_PENDING_MAX; i++) {
		fds[i] = connect_raw(bench);
		assert_int_equal(send(fds[i], request, (size_t)length, 0), length);
		if (i % 64 == 63)
			turn(bench);
	}
	assert_error(bench,
		post_with(bench, "evaluation", JSON_TYPE "X-Request-ID: one-more\r\n", YES), 500);
	assert_non_null(strstr(bench->reply, "one-more"));
	close(fds[0]);
	bench->issuing.governed.log.is_held = false;
	fake_log_flush(&bench->issuing.governed.log);
	turn(bench);
	assert_decision(bench, post(bench, "evaluation", YES), true);
	for (size_t i = 1; i < AUTHZEN_PENDING_MAX; i++)
		close(fds[i]);
}

static void the_metadata_names_the_point(void **state)
{
	struct bench *bench = *state;
	static const char *const lines[] = {
		"GET /.well-known/authzen-configuration/applications/shop",
		"GET /applications/shop/.well-known/authzen-configuration"};
	struct json body;

	assert_int_equal(
		send_raw(bench, "GET /.well-known/authzen-configuration/applications/shed", "", ""),
		404);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(send_raw(bench, lines[i], "", ""), 200);
		body = body_of(bench);
		assert_true(text_is(json_text_or(&body, "policy_decision_point", ""), POINT));
		assert_true(text_is(json_text_or(&body, "search_action_endpoint", ""),
			POINT "/access/v1/search/action"));
	}
	assert_int_equal(send_raw(bench, "GET /.well-known/authzen-configuration", "", ""), 200);
	body = body_of(bench);
	assert_true(text_is(json_text_or(&body, "access_evaluation_endpoint", ""),
		ISSUING_ISSUER "/access/v1/evaluation"));
}

#define AUTHZEN_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUTHZEN_TEST(nobody_is_answered_without_a_token_for_this_point),
		AUTHZEN_TEST(an_identity_that_is_not_named_may_not_ask),
		AUTHZEN_TEST(what_is_malformed_is_400),
		AUTHZEN_TEST(unknown_members_are_ignored_and_parameters_allowed),
		AUTHZEN_TEST(a_denial_says_why_and_a_yes_nothing),
		AUTHZEN_TEST(a_request_id_comes_back),
		AUTHZEN_TEST(a_request_id_comes_back_with_every_answer),
		AUTHZEN_TEST(a_request_knows_nothing_of_the_one_before),
		AUTHZEN_TEST(names_have_bounds),
		AUTHZEN_TEST(a_body_has_a_bound),
		AUTHZEN_TEST(no_array_is_a_single_evaluation),
		AUTHZEN_TEST(each_semantic_ends_where_it_says),
		AUTHZEN_TEST(a_default_is_replaced_as_a_whole),
		AUTHZEN_TEST(a_batch_has_a_bound_and_one_record),
		AUTHZEN_TEST(what_a_batch_reads_has_a_bound),
		AUTHZEN_TEST(a_default_counts_for_those_that_take_it),
		AUTHZEN_TEST(each_item_of_a_batch_has_the_same_memory),
		AUTHZEN_TEST(a_page_token_is_sealed_to_its_search),
		AUTHZEN_TEST(a_page_token_for_tools_outlives_changes_of_the_registry),
		AUTHZEN_TEST(a_page_has_a_limit),
		AUTHZEN_TEST(what_is_not_known_is_not_found),
		AUTHZEN_TEST(a_member_that_is_not_known_is_ignored),
		AUTHZEN_TEST(of_draft_00_a_member_said_twice_is_400),
		AUTHZEN_TEST(of_draft_00_a_member_beside_is_a_property),
		AUTHZEN_TEST(of_draft_00_a_default_is_read_once),
		AUTHZEN_TEST(a_log_that_refuses_is_500),
		AUTHZEN_TEST(a_record_that_is_lost_is_500),
		AUTHZEN_TEST(an_answer_waits_for_its_record),
		AUTHZEN_TEST(a_peer_that_goes_leaves_its_record),
		AUTHZEN_TEST(so_many_requests_may_wait_for_their_record),
		AUTHZEN_TEST(the_metadata_names_the_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
