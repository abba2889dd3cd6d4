/* What a directory, or whoever has its token, asks of its door.  The first byte says how: b the
 * body of a bulk request, s of a search, u the query of a list of people, g of groups.  Laws: there
 * is an answer; it is no more than was asked for; it tells no token; nobody got a role by it; what
 * was on its way is over. */
#include <stdint.h>

#include "edges/scim/scim.h"
#include "fuzz/support/loopback.h"
#include "support/governed.h"

enum { RUNS_MAX = 64, REQUEST_BYTES_MAX = 2 * LOOPBACK_REQUEST_BYTES_MAX };

struct door {
	struct governed governed;
	struct loopback loopback;
	struct directory_service *directories;
	struct router *router;
	struct scim *scim;
	struct http_server *server;
	char token[DIRECTORY_TOKEN_BYTES];
};

/* Kept for some runs: what they made is there for the next ones. */
static struct door *door;
static unsigned runs;

static void on_token(struct directory_request *request)
{
	assert(request->fault.status == 0);
	memcpy(door->token, request->token, sizeof door->token);
}

static void serve(void)
{
	const struct directory_parts parts = {.registrar = door->governed.registrar,
		.registry = door->governed.registry,
		.fold = door->governed.fold,
		.bounds = {10, 20}};
	struct http_server_settings settings = {.unix_path = door->loopback.place.sun_path,
		.on_request = router_on_request,
		.body_bytes_max = SCIM_BODY_BYTES_MAX};
	struct loop *loop = door->loopback.loop;
	struct error err;

	if (!directory_service_create(&door->directories, &parts, &err) ||
		!router_create(&door->router, &err) ||
		!scim_create(&door->scim, door->directories, loop, &err) ||
		!scim_add_routes(door->scim, door->router, &err))
		abort();
	settings.context = door->router;
	if (!http_server_create(&door->server, loop, &settings, &err))
		abort();
}

static void open_door(void)
{
	struct directory_request token = {.verb = DIRECTORY_TOKEN,
		.directory = TEXT("okta"),
		.actor = TEXT("person:adi"),
		.days = 1,
		.done = on_token};

	door = calloc(1, sizeof *door);
	if (door == NULL)
		abort();
	governed_init_with_administrator(&door->governed);
	loopback_init(&door->loopback);
	serve();
	token.arena = door->governed.arena;
	directory_submit(door->directories, &token);
	assert(door->token[0] != '\0');
}

static void close_door(void)
{
	if (door == NULL)
		return;
	http_server_destroy(&door->server);
	router_destroy(&door->router);
	scim_destroy(&door->scim);
	directory_service_destroy(&door->directories);
	loopback_deinit(&door->loopback);
	governed_deinit(&door->governed);
	free(door);
	door = NULL;
}

static void renew_door(void)
{
	if (door == NULL)
		(void)atexit(close_door);
	if (runs++ % RUNS_MAX != 0)
		return;
	close_door();
	open_door();
}

/* ---- asking ---- */

static void put_request(struct buffer *out, char how, struct text rest)
{
	bool is_query = how == 'u' || how == 'g';

	buffer_append_format(out, "%s /scim/v2/%s", is_query ? "GET" : "POST",
		how == 'b'   ? "Bulk"
		: how == 's' ? ".search"
		: how == 'g' ? "Groups?"
			     : "Users?");
	if (is_query)
		loopback_put_query(out, rest);
	buffer_append_format(out,
		" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
		"Content-Type: application/scim+json\r\n",
		door->token);
	if (!is_query)
		buffer_append_format(out, "Content-Length: %zu\r\n", rest.length);
	buffer_append_string(out, "\r\n");
	if (!is_query)
		buffer_append_text(out, rest);
}

/* ---- laws ---- */

static bool has_no_role(void *context, const struct registry_entry *entry)
{
	const struct person *person = entry->in_force == NULL ? NULL : entry->in_force->person;

	(void)context;
	if (person != NULL && person->directory.id.length > 0)
		assert(person->roles_count == 0 && person->clearance == SENSITIVITY_UNLABELLED);
	return true;
}

static void check_list(const struct json *answer)
{
	const struct json *resources = json_find(answer, "Resources");

	assert(resources != NULL && resources->type == JSON_ARRAY);
	assert(resources->count <= DIRECTORY_PAGE_MAX);
	assert(json_integer_or(answer, "itemsPerPage", -1) == resources->count);
	assert(json_integer_or(answer, "totalResults", -1) >= resources->count);
	for (uint32_t i = 0; i < resources->count; i++)
		assert(json_text_or(&resources->items[i], "id", "").length > 0);
}

static void check_bulk(struct arena *arena, const struct json *answer, struct text asked)
{
	const struct json *results = json_find(answer, "Operations");
	const struct json *operations;
	struct json request;
	struct error err;

	assert(json_parse(&request, arena, asked, &json_limits_default, &err));
	operations = json_find(&request, "Operations");
	assert(results != NULL && results->type == JSON_ARRAY);
	assert(operations != NULL && results->count <= operations->count);
	assert(results->count <= SCIM_OPERATIONS_MAX);
	for (uint32_t i = 0; i < results->count; i++)
		assert(json_text_or(&results->items[i], "status", "").length == 3);
}

/* Byte by byte: memmem would teach the fuzzer the token, which then asks for it, and is told in a
 * refusal what it sent. */
static bool tells_token(struct text body)
{
	size_t length = strlen(door->token), matched = 0;

	for (size_t i = 0; i + length <= body.length && matched < length; i++)
		for (matched = 0; matched < length; matched++)
			if (body.data[i + matched] != door->token[matched])
				break;
	return matched == length;
}

static void check(struct arena *arena, int status, struct text body, char how, struct text asked)
{
	struct json answer;
	struct error err;

	assert(status == 200 || (status >= 400 && status <= 503));
	assert(!tells_token(body));
	if (status != 200)
		return;
	assert(json_parse(&answer, arena, body, &json_limits_default, &err));
	if (how == 'b')
		check_bulk(arena, &answer, asked);
	else
		check_list(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena;
	struct buffer request;
	struct text rest, body;
	int status;

	if (size == 0 || size > LOOPBACK_REQUEST_BYTES_MAX || strchr("bsug", data[0]) == NULL ||
		data[0] == '\0')
		return 0;
	renew_door();
	rest = (struct text){(const char *)data + 1, size - 1};
	buffer_init(&request, 4 * REQUEST_BYTES_MAX);
	put_request(&request, (char)data[0], rest);
	arena = arena_create((size_t)64 << 20);
	if (arena != NULL && buffer_text(&request).length <= REQUEST_BYTES_MAX) {
		status = loopback_ask(&door->loopback, buffer_text(&request), &body);
		check(arena, status, body, (char)data[0], rest);
		registry_each(door->governed.registry, OBJECT_PERSON, TEXT(""), has_no_role, NULL);
		assert(!fold_has_failed(door->governed.fold));
		assert(fold_in_flight(door->governed.fold) == 0);
	}
	buffer_deinit(&request);
	arena_destroy(&arena);
	return 0;
}
