/* What the door of directories lets in, and how much of it, over loopback. */
#include "../../wire/talk.h"

#include "edges/scim/scim.h"
#include "support/governed.h"

enum { BYTES_MAX = 4 * 1024 * 1024 };

struct bench {
	struct governed governed;
	struct directory_service *directories;
	struct loop *loop;
	struct router *router;
	struct http_server *server;
	struct scim *scim;
	char token[DIRECTORY_TOKEN_BYTES];
	char *reply;
	char *request;
	char *body;
};

static void on_token(struct directory_request *request)
{
	struct bench *bench = request->context;

	assert_int_equal(request->fault.status, 0);
	memcpy(bench->token, request->token, sizeof bench->token);
}

static void make_token(struct bench *bench)
{
	struct directory_request request = {.verb = DIRECTORY_TOKEN,
		.directory = TEXT("okta"),
		.actor = TEXT("person:adi"),
		.days = 1,
		.arena = bench->governed.arena,
		.done = on_token,
		.context = bench};

	directory_submit(bench->directories, &request);
	assert_int_not_equal(bench->token[0], 0);
}

static void open_door(struct bench *bench)
{
	struct http_server_settings settings = {.tcp_address = "127.0.0.1:0",
		.on_request = router_on_request,
		.body_bytes_max = BYTES_MAX};
	struct directory_parts parts = {.registrar = bench->governed.registrar,
		.registry = bench->governed.registry,
		.fold = bench->governed.fold,
		.bounds = {10, 20}};
	struct error err;

	assert_true(directory_service_create(&bench->directories, &parts, &err));
	assert_true(loop_create(&bench->loop, &err));
	assert_true(router_create(&bench->router, &err));
	assert_true(scim_create(&bench->scim, bench->directories, bench->loop, &err));
	assert_true(scim_add_routes(bench->scim, bench->router, &err));
	settings.context = bench->router;
	assert_true(http_server_create(&bench->server, bench->loop, &settings, &err));
}

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);

	assert_non_null(bench);
	bench->reply = calloc(1, BYTES_MAX);
	bench->request = calloc(1, BYTES_MAX);
	bench->body = calloc(1, BYTES_MAX);
	assert_true(bench->reply != NULL && bench->request != NULL && bench->body != NULL);
	governed_init_with_administrator(&bench->governed);
	open_door(bench);
	make_token(bench);
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	http_server_destroy(&bench->server);
	router_destroy(&bench->router);
	scim_destroy(&bench->scim);
	directory_service_destroy(&bench->directories);
	loop_destroy(&bench->loop);
	governed_deinit(&bench->governed);
	free(bench->reply);
	free(bench->request);
	free(bench->body);
	free(bench);
	return 0;
}

static int ask_as(struct bench *bench, const char *token, const char *type, const char *method,
	const char *path, const char *body)
{
	struct talk talk;
	int status = 0;

	(void)snprintf(bench->request, BYTES_MAX,
		"%s /scim/v2%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
		"Authorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
		method, path, token, type, strlen(body), body);
	talk_open(&talk, bench->loop, http_server_port(bench->server));
	talk_say(&talk, bench->request, strlen(bench->request));
	talk_wait(&talk, NULL);
	(void)snprintf(bench->reply, BYTES_MAX, "%.*s", (int)talk.got_count, talk.got);
	(void)sscanf(bench->reply, "HTTP/1.1 %d", &status);
	talk_close(&talk);
	return status;
}

static int ask(struct bench *bench, const char *method, const char *path, const char *body)
{
	return ask_as(bench, bench->token, "application/scim+json", method, path, body);
}

static bool says(const struct bench *bench, const char *what)
{
	return strstr(bench->reply, what) != NULL;
}

static void nobody_gets_in_without_the_token(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(ask_as(bench, "x", "application/scim+json", "GET", "/Users", ""), 401);
	assert_true(says(bench, "WWW-Authenticate: Bearer"));
	bench->token[strlen(bench->token) - 1] ^= 1;
	assert_int_equal(ask(bench, "GET", "/ServiceProviderConfig", ""), 401);
	assert_int_equal(ask(bench, "POST", "/Bulk", "{}"), 401);
	bench->token[strlen(bench->token) - 1] ^= 1;
	assert_int_equal(ask(bench, "GET", "/ServiceProviderConfig", ""), 200);
}

static void what_is_not_there_or_not_for_that_is_said_in_the_standards_form(void **state)
{
	static const struct {
		const char *method;
		const char *path;
		const char *body;
		int status;
	} rows[] = {{"GET", "/x", "", 404}, {"GET", "/Users/x", "", 404},
		{"GET", "/Users/x/y", "", 404}, {"GET", "/Schemas/x", "", 404},
		{"POST", "/Schemas", "{}", 405}, {"PUT", "/Users", "{}", 405},
		{"DELETE", "/Groups", "", 405}, {"POST", "/Users/x", "{}", 405},
		{"GET", "/Bulk", "", 405}, {"GET", "/Users/.search", "", 405},
		{"POST", "/Users", "", 400}, {"POST", "/Users", "[]", 400},
		{"POST", "/Users", "{", 400}, {"PATCH", "/Users/x", "{}", 404},
		{"GET", "/Users?count=x", "", 400}, {"GET", "/Users?filter=x", "", 400},
		{"GET", "/Users?attributes=id&excludedAttributes=id", "", 400},
		{"GET", "/Schemas?filter=x", "", 403}, {"POST", "/.search", "{}", 400},
		{"POST", "/Bulk", "{}", 400}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench *bench = *state;
		int status = ask(bench, rows[i].method, rows[i].path, rows[i].body);

		if (status != rows[i].status || !says(bench, "messages:2.0:Error"))
			fail_msg("%s %s: %s", rows[i].method, rows[i].path, bench->reply);
	}
}

/* SCIM_BODY_BYTES_MAX. */
static void bodies_are_bounded_and_of_a_type(void **state)
{
	struct bench *bench = *state;

	for (int more = 0; more < 2; more++) {
		memset(bench->body, ' ', SCIM_BODY_BYTES_MAX + 1);
		bench->body[0] = '{';
		bench->body[1] = '}';
		bench->body[SCIM_BODY_BYTES_MAX + more] = '\0';
		assert_int_equal(ask(bench, "POST", "/Users", bench->body), more == 0 ? 400 : 413);
	}
	assert_int_equal(ask_as(bench, bench->token, "text/plain", "POST", "/Users", "{}"), 415);
	assert_int_equal(
		ask_as(bench, bench->token, "application/json", "POST", "/Users", "{}"), 400);
}

/* SCIM_OPERATIONS_MAX. */
static void a_bulk_request_is_bounded(void **state)
{
	struct bench *bench = *state;

	for (int more = 0; more < 2; more++) {
		size_t length = (size_t)snprintf(bench->body, BYTES_MAX,
			"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"],"
			"\"Operations\":[");

		for (int i = 0; i < SCIM_OPERATIONS_MAX + more; i++)
			length += (size_t)snprintf(bench->body + length, BYTES_MAX - length,
				"%s{\"method\":\"DELETE\",\"path\":\"/Users/x\"}",
				i == 0 ? "" : ",");
		(void)snprintf(bench->body + length, BYTES_MAX - length, "]}");
		assert_int_equal(ask(bench, "POST", "/Bulk", bench->body), more == 0 ? 200 : 413);
	}
}

static void what_is_made_is_there_with_its_etag(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(ask(bench, "POST", "/Users",
				 "{\"schemas\":[\"" SCIM_URN_USER "\"],\"userName\":\"gil\"}"),
		201);
	assert_true(says(bench, "ETag: W/\""));
	assert_true(says(bench, "Location: /scim/v2/Users/u-"));
	assert_int_equal(ask(bench, "GET", "/Users?filter=userName%20eq%20%22GIL%22", ""), 200);
	assert_true(says(bench, "\"totalResults\":1"));
	assert_int_equal(ask(bench, "GET", "/Users?count=0", ""), 200);
	assert_true(says(bench, "\"itemsPerPage\":0"));
}

static void on_imported(struct directory_request *request)
{
	assert_int_equal(request->fault.status, 0);
}

/* More than one turn looks at. */
static void import_people(struct bench *bench, unsigned wanted)
{
	struct directory_request import = {.verb = DIRECTORY_IMPORT,
		.directory = TEXT("okta"),
		.actor = TEXT("person:adi"),
		.arena = bench->governed.arena,
		.done = on_imported};
	struct scim_fault fault;
	struct buffer table;

	buffer_init(&table, 1 << 20);
	buffer_append_string(&table, "userName\n");
	for (unsigned i = 0; i < wanted; i++)
		buffer_append_format(&table, "u%04u\n", i);
	assert_true(csv_people_read(&import.rows, &import.rows_count, bench->governed.arena,
		buffer_text(&table), &fault));
	directory_submit(bench->directories, &import);
	buffer_deinit(&table);
}

static void a_list_of_many_turns_is_answered_whole(void **state)
{
	struct bench *bench = *state;

	import_people(bench, 5 * DIRECTORY_LOOKS);
	assert_int_equal(
		ask(bench, "GET", "/Users?filter=userName%20ew%20%2207%22&count=1", ""), 200);
	assert_true(says(bench, "\"totalResults\":7"));
	assert_true(says(bench, "\"itemsPerPage\":1"));
	assert_int_equal(ask(bench, "GET", "/Users?filter=name%20pr%20and", ""), 400);
}

/* Each turn of theirs another is answered in; who hangs up is searched for no more. */
static void who_hangs_up_during_a_list_ends_it(void **state)
{
	struct bench *bench = *state;
	struct talk talks[SCIM_EXCHANGES_MAX];

	import_people(bench, 20 * DIRECTORY_LOOKS);
	(void)snprintf(bench->request, BYTES_MAX,
		"GET /scim/v2/Users?filter=userName%%20ew%%20%%2207%%22 HTTP/1.1\r\n"
		"Host: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n",
		bench->token);
	for (int i = 0; i < SCIM_EXCHANGES_MAX - 1; i++) {
		talk_open(&talks[i], bench->loop, http_server_port(bench->server));
		talk_say(&talks[i], bench->request, strlen(bench->request));
	}
	assert_int_equal(ask(bench, "GET", "/ServiceProviderConfig", ""), 200);
	for (int i = 0; i < SCIM_EXCHANGES_MAX - 1; i++)
		talk_close(&talks[i]);
	for (int i = 0; i < SCIM_EXCHANGES_MAX; i++) /* all places are free again */
		assert_int_equal(ask(bench, "GET", "/Users?count=1", ""), 200);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nobody_gets_in_without_the_token),
		CASE(what_is_not_there_or_not_for_that_is_said_in_the_standards_form),
		CASE(bodies_are_bounded_and_of_a_type),
		CASE(a_bulk_request_is_bounded),
		CASE(what_is_made_is_there_with_its_etag),
		CASE(a_list_of_many_turns_is_answered_whole),
		CASE(who_hangs_up_during_a_list_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
