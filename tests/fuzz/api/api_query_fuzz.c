/* Query strings of /v1, on the real table of routes: the first byte chooses one that reads.  Laws:
 * there is an answer; a handler is reached once by what is answered 200, and by nothing else; then
 * each name is one of the route's, stands there once and has a value; a refusal is a problem.  A
 * head that all but fills the library's pool of 8 KiB is the library's: it refuses or closes. */
#include <stdint.h>

#include "edges/api/request.h"
#include "fuzz/support/loopback.h"
#include "unit/edges/api/fake_handlers.h"

enum { OWN_HEAD_BYTES_MAX = 7680 };

struct door {
	struct loopback loopback;
	struct router *router;
	struct api *api;
	struct http_server *server;
};

static struct door *door;

static bool verify(void *context, const struct api_signed *what, struct arena *arena,
	struct text *out_person, struct error *err)
{
	(void)context;
	(void)what;
	(void)arena;
	(void)out_person;
	return error_set(err, ERROR_INVALID, "nobody signs here");
}

static void close_door(void)
{
	http_server_destroy(&door->server);
	router_destroy(&door->router);
	api_destroy(&door->api);
	loopback_deinit(&door->loopback);
	free(door);
}

static void open_door(void)
{
	struct api_services services = {.signatures.verify = verify};
	struct http_server_settings settings = {.on_request = router_on_request};
	struct error err;

	door = calloc(1, sizeof *door);
	if (door == NULL)
		abort();
	(void)atexit(close_door);
	loopback_init(&door->loopback);
	services.loop = door->loopback.loop;
	settings.unix_path = door->loopback.place.sun_path;
	if (!router_create(&door->router, &err) || !api_create(&door->api, &services, &err) ||
		!api_add_routes(door->api, door->router, &err))
		abort();
	settings.context = door->router;
	if (!http_server_create(&door->server, door->loopback.loop, &settings, &err))
		abort();
}

/* The n-th of those that read, around the table; but the description's handler is a real one. */
static const struct api_route *choose(uint8_t n)
{
	size_t at = 0;

	for (unsigned left = n;; at = (at + 1) % api_routes_count)
		if (strcmp(api_routes[at].method, "GET") == 0 &&
			strcmp(api_routes[at].operation, "describe") != 0 && left-- == 0)
			return &api_routes[at];
}

/* {name} and {name*} become x. */
static void put_path(struct buffer *out, const char *pattern)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '{') {
			buffer_append_byte(out, *pattern);
			continue;
		}
		buffer_append_byte(out, 'x');
		while (*pattern != '}')
			pattern++;
	}
}

/* ---- the same read again ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void decode(struct buffer *out, struct text written)
{
	for (size_t i = 0; i < written.length; i++) {
		if (written.data[i] == '%' && i + 2 < written.length &&
			digit_of(written.data[i + 1]) >= 0 && digit_of(written.data[i + 2]) >= 0) {
			buffer_append_byte(out, (char)(digit_of(written.data[i + 1]) * 16 +
							digit_of(written.data[i + 2])));
			i += 2;
		} else {
			buffer_append_byte(out, written.data[i] == '+' ? ' ' : written.data[i]);
		}
	}
}

static unsigned place_of(const struct api_route *route, struct text name)
{
	unsigned at = 0;

	while (route->query != NULL && route->query[at] != NULL && !text_is(name, route->query[at]))
		at++;
	assert(route->query != NULL && route->query[at] != NULL);
	return at;
}

static void check_taken(const struct api_route *route, struct text query)
{
	bool is_given[32] = {false};

	while (query.length > 0) {
		struct text part = text_before(query, '&'), name = text_before(part, '=');
		struct buffer decoded;

		query = text_after(
			query, part.length < query.length ? part.length + 1 : part.length);
		if (part.length == 0)
			continue;
		buffer_init(&decoded, 4096);
		decode(&decoded, name);
		if (buffer_text(&decoded).length > 0) {
			unsigned at = place_of(route, buffer_text(&decoded));

			assert(!is_given[at]);
			is_given[at] = true;
			assert(part.length > name.length + 1);
		}
		buffer_deinit(&decoded);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct api_route *route;
	struct buffer request, query;
	struct text body;
	unsigned reached;
	bool is_ours;
	int status;

	if (size == 0 || size > 4096)
		return 0;
	if (door == NULL)
		open_door();
	route = choose(data[0]);
	buffer_init(&request, LOOPBACK_REQUEST_BYTES_MAX);
	buffer_init(&query, LOOPBACK_REQUEST_BYTES_MAX);
	loopback_put_query(&query, (struct text){(const char *)data + 1, size - 1});
	buffer_append_string(&request, "GET ");
	put_path(&request, route->pattern);
	buffer_append_byte(&request, '?');
	buffer_append_text(&request, buffer_text(&query));
	buffer_append_string(&request, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	reached = handlers_reached();
	status = loopback_ask(&door->loopback, buffer_text(&request), &body);
	is_ours = buffer_text(&request).length <= OWN_HEAD_BYTES_MAX;
	assert(status == 200 || (status >= 400 && status < 500) || (status == 0 && !is_ours));
	assert(handlers_reached() - reached == (status == 200));
	if (status == 200)
		check_taken(route, buffer_text(&query));
	else if (is_ours)
		assert(memmem(body.data, body.length, "\"title\"", 7) != NULL);
	buffer_deinit(&request);
	buffer_deinit(&query);
	return 0;
}
