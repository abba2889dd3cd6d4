/* Every row of the route table, tried in every role: a new row is tried without
 * a change here.  What each kind of access means is written out again in this
 * file, so that a slip in the edge or in the table shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "door.h"
#include "edges/api/request.h"
#include "fake_handlers.h"

enum { TEXT_BYTES_MAX = 2048, ROUNDS_MAX = 20000 };

/* Rows that change something and are open to the socket without a signature:
 * suspend, kill, bootstrap, backup.  plan and why are questions. */
static const char *const socket_changes[] = {"suspendIdentity", "killTask", "killIdentity",
	"killInstance", "killUnit", "killToken", "bootstrap", "backup", "plan", "why", "outlook",
	"reportFinding", NULL};
static const char *const open_to_strangers[] = {
	"describe", "installation", "howToAnswer", "listSignIns", NULL};

enum role {
	STRANGER = 0,    /* TCP, no signature */
	FORGER,          /* TCP, a signature that does not hold */
	PROPOSER,        /* TCP, an enrolled person without a role */
	ADMINISTRATOR,   /* TCP, an enrolled person with that role */
	SOCKET,          /* the socket, no signature */
	SOCKET_FORGER,   /* the socket, a signature that does not hold */
	SOCKET_PROPOSER, /* the socket, an enrolled person */
	ROLES,
};

static const struct {
	const char *name;
	enum door_way way;
	const char *signer;
} roles[ROLES] = {
	[STRANGER] = {"stranger", BY_TCP, NULL},
	[FORGER] = {"forger", BY_TCP, "forged"},
	[PROPOSER] = {"proposer", BY_TCP, "ok:pat"},
	[ADMINISTRATOR] = {"administrator", BY_TCP, "ok:adm"},
	[SOCKET] = {"socket", BY_SOCKET, NULL},
	[SOCKET_FORGER] = {"forger on the socket", BY_SOCKET, "forged"},
	[SOCKET_PROPOSER] = {"proposer on the socket", BY_SOCKET, "ok:pat"},
};

static bool is_listed(const char *const *list, const char *word)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

static bool may_enter(enum api_access access, enum role role)
{
	bool is_person = role == PROPOSER || role == ADMINISTRATOR || role == SOCKET_PROPOSER;

	switch (access) {
	case ACCESS_ANYONE: return true;
	case ACCESS_READ:
	case ACCESS_STOP: return is_person || role == SOCKET;
	case ACCESS_PERSON: return is_person;
	case ACCESS_ADMINISTRATOR: return role == ADMINISTRATOR;
	case ACCESS_SOCKET: return role == SOCKET;
	case ACCESS_ENROLLING: /* only the key in the body */
	case ACCESS_NOBODY: return false;
	}
	return false;
}

/* A request that the row takes, were the caller allowed. */
struct sample {
	char target[TEXT_BYTES_MAX];
	char headers[TEXT_BYTES_MAX];
	char body[TEXT_BYTES_MAX];
};

static void fill_target(struct sample *sample, const char *pattern)
{
	size_t length = 0;

	for (; *pattern != '\0'; pattern++) {
		sample->target[length++] = *pattern == '{' ? 'x' : *pattern;
		if (*pattern == '{')
			pattern = strchr(pattern, '}');
	}
	sample->target[length] = '\0';
}

static void fill_body(struct sample *sample, const struct api_route *route)
{
	size_t length = (size_t)snprintf(sample->body, sizeof sample->body, "{");
	const char *comma = "";

	for (const char *const *member = route->members; *member != NULL; member++) {
		if (**member != '!')
			continue;
		length += (size_t)snprintf(sample->body + length, sizeof sample->body - length,
			"%s\"%s\":\"v\"", comma, *member + 1);
		comma = ",";
	}
	(void)snprintf(sample->body + length, sizeof sample->body - length, "}");
}

static struct door_request sample_of(struct sample *sample, const struct api_route *route)
{
	static unsigned long key;
	struct door_request request = {.method = route->method, .target = sample->target};

	*sample = (struct sample){0};
	fill_target(sample, route->pattern);
	(void)snprintf(sample->headers, sizeof sample->headers, "%s",
		(route->flags & ROUTE_NEEDS_IF_MATCH) != 0 ? "If-Match: \"7\"\r\n" : "");
	if (strcmp(route->method, "POST") == 0)
		(void)snprintf(sample->headers + strlen(sample->headers),
			sizeof sample->headers - strlen(sample->headers),
			"Idempotency-Key: key-%lu\r\n", key++);
	request.headers = sample->headers;
	if (route->members != NULL) {
		fill_body(sample, route);
		request.body = text_of(sample->body);
	}
	return request;
}

static struct door_reply reply; /* too large for a frame */

static void is_problem(const struct api_route *route, unsigned status)
{
	struct arena *arena = arena_create(1 << 20);
	struct error err = {0};
	struct json problem;

	assert_non_null(arena);
	if (reply.status != status)
		fail_msg("%s %s: %u where %u is due: %s", route->method, route->pattern,
			reply.status, status, reply.body);
	assert_string_equal(reply.content_type, "application/problem+json");
	assert_true(json_parse(&problem, arena, (struct text){reply.body, reply.body_length},
		&json_limits_default, &err));
	assert_int_equal(json_integer_or(&problem, "status", 0), status);
	assert_true(json_text_or(&problem, "title", "").length > 0);
	assert_true(json_text_or(&problem, "detail", "").length > 0);
	arena_destroy(&arena);
}

static void try_row(struct door *door, const struct api_route *route, enum role role)
{
	unsigned before = handlers_reached();
	struct sample sample;
	struct door_request request = sample_of(&sample, route);

	request.way = roles[role].way;
	request.signer = roles[role].signer;
	door_send(door, &request, &reply);
	if (may_enter(route->access, role)) {
		if (reply.status != 200)
			fail_msg("%s may not %s %s: %u %s", roles[role].name, route->method,
				route->pattern, reply.status, reply.body);
		if (route->handle != handle_description)
			assert_int_equal(handlers_reached(), before + 1);
		return;
	}
	if (reply.status != 401 && reply.status != 403)
		fail_msg("%s got %u from %s %s: %s", roles[role].name, reply.status, route->method,
			route->pattern, reply.body);
	is_problem(route, reply.status);
	assert_int_equal(handlers_reached(), before);
}

static void every_row_is_tried_in_every_role(void **state)
{
	for (size_t i = 0; i < api_routes_count; i++)
		for (enum role role = STRANGER; role < ROLES; role++)
			try_row(*state, &api_routes[i], role);
}

static void a_stranger_may_read_the_description_and_the_name_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < api_routes_count; i++)
		assert_int_equal(api_routes[i].access == ACCESS_ANYONE,
			is_listed(open_to_strangers, api_routes[i].operation));
}

static void the_socket_alone_may_read_bootstrap_suspend_kill_and_report(void **state)
{
	(void)state;
	for (size_t i = 0; i < api_routes_count; i++) {
		const struct api_route *route = &api_routes[i];
		bool is_open = route->access == ACCESS_SOCKET || route->access == ACCESS_STOP ||
			       route->access == ACCESS_READ;

		assert_int_not_equal(route->access, ACCESS_NOBODY);
		if (strcmp(route->method, "GET") == 0)
			continue;
		if (is_open != is_listed(socket_changes, route->operation))
			fail_msg("%s %s", route->method, route->pattern);
	}
}

static void enrolment_needs_the_key_in_the_body(void **state)
{
	struct sample sample;
	struct door_request request;
	size_t i = 0;

	while (api_routes[i].access != ACCESS_ENROLLING)
		i++;
	request = sample_of(&sample, &api_routes[i]);
	request.signer = "enrolling";
	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 200);
	request.signer = "ok:adm";
	request.headers = "Idempotency-Key: another\r\n";
	door_send(*state, &request, &reply);
	is_problem(&api_routes[i], 401);
	request.signer = "enrolling";
	request.body = TEXT("{\"code\":\"c\",\"name\":\"n\"}");
	door_send(*state, &request, &reply);
	is_problem(&api_routes[i], 400);
}

static void a_refused_enrolment_leaves_its_key_free(void **state)
{
	struct sample sample;
	struct door_request request;
	size_t i = 0;

	while (api_routes[i].access != ACCESS_ENROLLING)
		i++;
	request = sample_of(&sample, &api_routes[i]);
	request.signer = "enrolling";
	request.headers = "Idempotency-Key: guessed\r\n";
	request.body = TEXT("{\"code\":\"wrong\",\"jwk\":{},\"name\":\"n\"}");
	door_send(*state, &request, &reply);
	is_problem(&api_routes[i], 403);
	request.body = TEXT("{\"code\":\"right\",\"jwk\":{},\"name\":\"n\"}");
	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 200);
}

static bool is_open_to_administrator(const struct api_route *route)
{
	return may_enter(route->access, ADMINISTRATOR) && route->access != ACCESS_ANYONE;
}

/* Sends a spoilt sample of every row open to an administrator. */
static void refused_by_every_row(struct door *door, unsigned status,
	bool (*spoil)(struct door_request *request, const struct api_route *route))
{
	unsigned tried = 0;

	for (size_t i = 0; i < api_routes_count; i++) {
		const struct api_route *route = &api_routes[i];
		unsigned before = handlers_reached();
		struct sample sample;
		struct door_request request = sample_of(&sample, route);

		request.signer = "ok:adm";
		if (!is_open_to_administrator(route) || !spoil(&request, route))
			continue;
		door_send(door, &request, &reply);
		is_problem(route, status);
		assert_int_equal(handlers_reached(), before);
		tried++;
	}
	assert_true(tried > 3);
}

static bool without_headers(struct door_request *request, const struct api_route *route)
{
	request->headers =
		(route->flags & ROUTE_NEEDS_IF_MATCH) != 0 ? "If-Match: \"1\"\r\n" : NULL;
	return strcmp(route->method, "POST") == 0;
}

static void every_post_needs_an_idempotency_key(void **state)
{
	refused_by_every_row(*state, 400, without_headers);
}

static bool without_if_match(struct door_request *request, const struct api_route *route)
{
	request->headers = "Idempotency-Key: no-if-match\r\n";
	return (route->flags & ROUTE_NEEDS_IF_MATCH) != 0;
}

static void every_change_of_what_was_read_needs_if_match(void **state)
{
	refused_by_every_row(*state, 428, without_if_match);
}

static bool with_bad_if_match(struct door_request *request, const struct api_route *route)
{
	static const char *const bad[] = {"If-Match: 7\r\nIdempotency-Key: m\r\n",
		"If-Match: *\r\nIdempotency-Key: m\r\n",
		"If-Match: \"-7\"\r\nIdempotency-Key: m\r\n",
		"If-Match: \"7\", \"8\"\r\nIdempotency-Key: m\r\n",
		"If-Match: \"7\"\r\nIf-Match: \"7\"\r\nIdempotency-Key: m\r\n"};
	static size_t next;

	request->headers = bad[next++ % (sizeof bad / sizeof bad[0])];
	return (route->flags & (ROUTE_NEEDS_IF_MATCH | ROUTE_TAKES_IF_MATCH)) != 0;
}

static void an_if_match_that_is_no_etag_of_ours_is_refused(void **state)
{
	refused_by_every_row(*state, 400, with_bad_if_match);
}

static bool with_unknown_member(struct door_request *request, const struct api_route *route)
{
	request->body = TEXT("{\"surprise\":1}");
	return route->members != NULL;
}

static void an_unknown_member_is_refused_by_its_name(void **state)
{
	refused_by_every_row(*state, 400, with_unknown_member);
	assert_non_null(strstr(reply.body, "surprise"));
}

static bool with_unknown_parameter(struct door_request *request, const struct api_route *route)
{
	static char target[TEXT_BYTES_MAX + 16];

	(void)route;
	(void)snprintf(target, sizeof target, "%s?surprise=1", request->target);
	request->target = target;
	return true;
}

static void an_unknown_query_parameter_is_refused_by_its_name(void **state)
{
	refused_by_every_row(*state, 400, with_unknown_parameter);
	assert_non_null(strstr(reply.body, "surprise"));
}

/* A filter that is dropped would show more than was asked for. */
static void a_query_value_that_is_empty_twice_or_no_word_is_refused(void **state)
{
	static const char *const bad[] = {"/v1/records?verdict=", "/v1/records?verdict=DENY",
		"/v1/records?verdict=allow&verdict=deny", "/v1/records?task",
		"/v1/records?type=%20", "/v1/approvals?state=none", "/v1/findings?kind=none",
		"/v1/who?effect=eat&resource=a/b", "/v1/export?waiting=yes",
		"/v1/tasks?after=&limit=3", "/v1/records?words=%20"};
	static const char *const good[] = {
		"/v1/records?verdict=deny&type=decision&task=t&words=a%20b",
		"/v1/approvals?state=pending", "/v1/findings?kind=tool-drift",
		"/v1/who?effect=delegate&resource=a/b", "/v1/export?waiting=false"};
	unsigned before = handlers_reached();

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct door_request request = {
			.method = "GET", .target = bad[i], .signer = "ok:adm"};

		door_send(*state, &request, &reply);
		if (reply.status != 400)
			fail_msg("%s: %u %s", bad[i], reply.status, reply.body);
	}
	assert_int_equal(handlers_reached(), before);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct door_request request = {
			.method = "GET", .target = good[i], .signer = "ok:adm"};

		door_send(*state, &request, &reply);
		assert_int_equal(reply.status, 200);
	}
}

static bool without_members(struct door_request *request, const struct api_route *route)
{
	request->body = TEXT("{}");
	for (const char *const *member = route->members; member != NULL && *member != NULL;
		member++)
		if (**member == '!')
			return true;
	return false;
}

static bool with_empty_members(struct door_request *request, const struct api_route *route)
{
	static char body[TEXT_BYTES_MAX];
	size_t length = (size_t)snprintf(body, sizeof body, "{");
	const char *comma = "";

	for (const char *const *member = route->members; member != NULL && *member != NULL;
		member++) {
		if (**member != '!')
			continue;
		length += (size_t)snprintf(
			body + length, sizeof body - length, "%s\"%s\":\"\"", comma, *member + 1);
		comma = ",";
	}
	(void)snprintf(body + length, sizeof body - length, "}");
	request->body = text_of(body);
	return *comma != '\0';
}

static void an_empty_member_is_refused_where_one_is_needed(void **state)
{
	refused_by_every_row(*state, 400, with_empty_members);
	assert_non_null(strstr(reply.body, "is empty"));
}

static void a_missing_member_is_refused_by_every_row_that_needs_one(void **state)
{
	refused_by_every_row(*state, 400, without_members);
}

static bool with_body_nobody_takes(struct door_request *request, const struct api_route *route)
{
	request->body = TEXT("{}");
	return route->members == NULL && strcmp(route->method, "GET") != 0;
}

static bool with_bad_json(struct door_request *request, const struct api_route *route)
{
	const struct text bad[] = {TEXT("{"), TEXT("[]"), TEXT("null"), TEXT("{\"a\":1,\"a\":2}"),
		TEXT("{\"reason\":\"\\u0000\"}"), TEXT("{\"reason\":\"\xFF\"}"), TEXT("{} {}"),
		TEXT("{\"reason\":\"\0\"}")};
	static size_t next;

	request->body = bad[next++ % (sizeof bad / sizeof bad[0])];
	return route->members != NULL;
}

static void a_body_that_is_no_object_is_refused(void **state)
{
	for (int i = 0; i < 3; i++) /* each bad body meets several rows */
		refused_by_every_row(*state, 400, with_bad_json);
}

static bool with_other_type(struct door_request *request, const struct api_route *route)
{
	request->content_type = "text/plain";
	return route->members != NULL;
}

static void a_body_of_another_type_is_refused(void **state)
{
	refused_by_every_row(*state, 415, with_other_type);
}

static void a_body_where_none_is_taken_is_refused(void **state)
{
	for (size_t i = 0; i < api_routes_count; i++) {
		struct sample sample;
		struct door_request request = sample_of(&sample, &api_routes[i]);

		request.signer = "ok:adm";
		if (!is_open_to_administrator(&api_routes[i]) ||
			!with_body_nobody_takes(&request, &api_routes[i]))
			continue;
		door_send(*state, &request, &reply);
		is_problem(&api_routes[i], 400);
	}
}

static void a_body_beyond_the_bound_is_refused(void **state)
{
	static char large[HTTP_BODY_BYTES_DEFAULT + 1];
	struct door_request request = {.method = "POST",
		.target = "/v1/plan",
		.signer = "ok:adm",
		.headers = "Idempotency-Key: large\r\n",
		.body = {large, sizeof large}};
	unsigned before = handlers_reached();

	memset(large, ' ', sizeof large);
	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 413);
	assert_int_equal(handlers_reached(), before);
}

static void the_same_key_and_request_get_the_same_answer_once(void **state)
{
	struct door_request request = {.method = "POST",
		.target = "/v1/plan",
		.signer = "ok:adm",
		.headers = "Idempotency-Key: twice\r\n",
		.body = TEXT("{\"files\":[]}")};
	unsigned before = handlers_reached();
	static char first[sizeof reply.body];

	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 200);
	memcpy(first, reply.body, reply.body_length + 1);
	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, first);
	assert_int_equal(handlers_reached(), before + 1);
	request.body = TEXT("{\"files\":[],\"prune\":true}");
	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 422);
	request.signer = "ok:pat"; /* the key is the caller's own word */
	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(handlers_reached(), before + 2);
}

static void the_handler_hears_who_asked_and_the_revision_they_read(void **state)
{
	struct door_request request = {.method = "POST",
		.target = "/v1/apply",
		.signer = "ok:pat",
		.headers = "Idempotency-Key: who\r\nIf-Match: \"42\"\r\n",
		.body = TEXT("{\"files\":[]}")};

	door_send(*state, &request, &reply);
	assert_non_null(strstr(reply.body, "\"actor\":\"person:pat\""));
	assert_non_null(strstr(reply.body, "\"if_match\":42"));
	request = (struct door_request){.way = BY_SOCKET, .method = "GET", .target = "/v1/whoami"};
	door_send(*state, &request, &reply);
	assert_non_null(strstr(reply.body, "\"actor\":\"uid:"));
}

static void two_authorizations_are_refused(void **state)
{
	struct door_request request = {.way = BY_SOCKET,
		.method = "GET",
		.target = "/v1/whoami",
		.signer = "ok:pat",
		.headers = "Authorization: Remit-Signed ok:adm\r\n"};
	unsigned before = handlers_reached();

	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 400);
	assert_int_equal(handlers_reached(), before);
}

static void what_is_no_row_does_not_exist(void **state)
{
	struct door_request request = {
		.method = "GET", .target = "/v1/everything", .signer = "ok:adm"};

	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 404);
	request = (struct door_request){
		.method = "DELETE", .target = "/v1/whoami", .signer = "ok:adm"};
	door_send(*state, &request, &reply);
	assert_int_equal(reply.status, 405);
}

/* Registrar, log and backup answer when they can; the client may be gone by then. */
static void what_was_asked_outlives_the_connection(void **state)
{
	struct door_request request = {.way = BY_SOCKET,
		.method = "POST",
		.target = "/v1/backup",
		.headers = "Idempotency-Key: late\r\n",
		.body = TEXT("{\"path\":\"late\"}")};
	struct door_request other = {.way = BY_SOCKET, .method = "GET", .target = "/v1/whoami"};
	unsigned before = handlers_answered_late();
	int fd = door_start(*state, &request);

	for (int i = 0; i < ROUNDS_MAX && handlers_waiting() == 0; i++)
		door_send(*state, &other, &reply);
	close(fd);
	for (int i = 0; i < ROUNDS_MAX && handlers_answered_late() == before; i++)
		door_send(*state, &other, &reply);
	assert_int_equal(handlers_answered_late(), before + 1);
}

static int setup(void **state)
{
	*state = door_open(NULL, NULL, 0);
	return 0;
}

static int teardown(void **state)
{
	door_close((struct door **)state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_tried_in_every_role),
		cmocka_unit_test(a_stranger_may_read_the_description_and_the_name_and_nothing_else),
		cmocka_unit_test(the_socket_alone_may_read_bootstrap_suspend_kill_and_report),
		cmocka_unit_test(enrolment_needs_the_key_in_the_body),
		cmocka_unit_test(a_refused_enrolment_leaves_its_key_free),
		cmocka_unit_test(every_post_needs_an_idempotency_key),
		cmocka_unit_test(every_change_of_what_was_read_needs_if_match),
		cmocka_unit_test(an_if_match_that_is_no_etag_of_ours_is_refused),
		cmocka_unit_test(an_unknown_member_is_refused_by_its_name),
		cmocka_unit_test(an_unknown_query_parameter_is_refused_by_its_name),
		cmocka_unit_test(a_query_value_that_is_empty_twice_or_no_word_is_refused),
		cmocka_unit_test(a_missing_member_is_refused_by_every_row_that_needs_one),
		cmocka_unit_test(an_empty_member_is_refused_where_one_is_needed),
		cmocka_unit_test(a_body_that_is_no_object_is_refused),
		cmocka_unit_test(a_body_of_another_type_is_refused),
		cmocka_unit_test(a_body_where_none_is_taken_is_refused),
		cmocka_unit_test(a_body_beyond_the_bound_is_refused),
		cmocka_unit_test(the_same_key_and_request_get_the_same_answer_once),
		cmocka_unit_test(the_handler_hears_who_asked_and_the_revision_they_read),
		cmocka_unit_test(two_authorizations_are_refused),
		cmocka_unit_test(what_is_no_row_does_not_exist),
		cmocka_unit_test(what_was_asked_outlives_the_connection),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
