/* What providers answer connectors.  The first byte says whose, the second whether accounts are
 * listed or one is stopped (or given back, or looked at alone); the rest is a JSON list of answers:
 * {"status": N, "page": …, "link": TEXT}.  Laws: whatever they say, only the connector's own origin
 * is asked, it ends, an account is off by looks alone, and what is refused says why. */
#include <assert.h>
#include <string.h>

#include "domain/inventory/stop.h"
#include "domain/inventory/walk.h"

enum { ROOM_BYTES = 1 << 26 };

static void check_url(const struct connector *connector, const char *url)
{
	struct text base = connector_url(connector);

	assert(inventory_walk_is_own(base, text_of(url)));
	assert(strlen(url) <= WALK_URL_BYTES_MAX);
	/* A parser of URLs ends the host here at the latest. */
	assert(memcmp(url, "https://p.example", 17) == 0);
	assert(url[17] == '/' || url[17] == '?' || url[17] == '#' || url[17] == '\0');
}

static void walk(const struct connector *connector, const struct json *answers)
{
	struct inventory_walk *walk = NULL;
	struct error err = {0};

	if (!inventory_walk_create(&walk, connector, 1795716000, &err)) {
		assert(err.code != ERROR_NONE);
		return;
	}
	for (uint32_t i = 0; i < answers->count && inventory_walk_url(walk) != NULL; i++) {
		const struct json *answer = &answers->items[i];
		const struct json *page = json_find(answer, "page");
		bool ok;

		check_url(connector, inventory_walk_url(walk));
		assert(inventory_walk_list(walk) != NULL);
		if (inventory_walk_is_each(walk) && json_integer_or(answer, "status", 200) == 404)
			ok = inventory_walk_skip(walk, &err);
		else
			ok = inventory_walk_take(walk, page == NULL ? answer : page,
				json_text_or(answer, "link", ""), &err);
		if (!ok) {
			assert(err.code != ERROR_NONE);
			break;
		}
	}
	inventory_walk_destroy(&walk);
}

static void stop(
	const struct connector *connector, const struct json *answers, struct stop_about about)
{
	struct inventory_stop *stop = NULL;
	struct stop_request request;
	struct error err = {0};
	bool is_refused, has_looked = false;

	if (!inventory_stop_create(&stop, &about, &err)) {
		assert(err.code != ERROR_NONE);
		return;
	}
	for (uint32_t i = 0; i < answers->count && inventory_stop_next(stop, &request); i++) {
		const struct json *answer = &answers->items[i];
		int64_t status = json_integer_or(answer, "status", 200);

		check_url(connector, request.url);
		assert(!about.looks_only || !request.is_call);
		assert(request.body.data == NULL || request.is_call);
		if (!inventory_stop_take(stop, (unsigned)(status & 0x3ff),
			    json_find(answer, "page"), &is_refused, &err)) {
			assert(err.code != ERROR_NONE);
			break;
		}
		has_looked |= !request.is_call;
	}
	assert(inventory_stop_verdict(stop) != STOP_IS_OFF ||
		(has_looked && !inventory_stop_next(stop, &request)));
	inventory_stop_destroy(&stop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct text ids[] = {{"a", 1}, {"installation/1", 14}, {"token/9", 7}};
	static const struct text people[] = {{"ana@example.com", 15}, {"../b?c#d", 8}};
	struct connector connector = {
		.url = TEXT("https://p.example/base"), .of = TEXT("E1"), .also = ~UINT32_C(0)};
	struct arena *arena = arena_create(ROOM_BYTES);
	struct error err = {0};
	struct json answers;

	if (arena == NULL || size < 3 ||
		!json_parse(&answers, arena, (struct text){(const char *)data + 2, size - 2},
			&json_limits_default, &err) ||
		answers.type != JSON_ARRAY) {
		arena_destroy(&arena);
		return 0;
	}
	connector.provider = (enum inventory_provider)(data[0] % PROVIDER_COUNT);
	if (data[1] % 2 == 0)
		walk(&connector, &answers);
	else
		stop(&connector, &answers,
			(struct stop_about){.connector = &connector,
				.id = ids[data[1] / 8 % 3],
				.direction = (data[1] & 2) != 0 ? STOP_BACK : STOP_AWAY,
				.looks_only = (data[1] & 4) != 0,
				.people = people,
				.people_count = 2});
	arena_destroy(&arena);
	return 0;
}
