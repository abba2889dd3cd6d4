/* Laws of what is asked of a peer and of its card: what is taken is bounded, and comes out the
 * same from what the peer would get; remit's marks are remit's alone; requests go to the origin
 * that was registered; a card that is shown has our address, no signatures and nothing empty.
 *
 * The input: {"method": "SendMessage", "params": ...} or {"card": ...}. */
#include <assert.h>
#include <string.h>

#include "domain/call/method.h"
#include "domain/call/peer_card.h"
#include "domain/call/peer_request.h"

enum { ROOM_BYTES = 1 << 24 };

static const char origin[] = "https://peer.example";

/* What the peer gets says again what was decided, under remit's id. */
static void check_params(struct arena *arena, struct text method, const struct peer_request *read)
{
	const struct peer_told told = {TEXT("remit-1"), TEXT("t-1"), TEXT("internal"), 1};
	struct peer_request again;
	struct json params, stripped;
	struct json_builder rest;
	const struct json *metadata;
	struct error err;

	if (!peer_request_params(&params, arena, method, &read->arguments, &told, &err))
		return; /* no room */
	metadata = json_find(&params, "metadata");
	for (uint32_t i = 0; metadata != NULL && i < metadata->count; i++)
		assert(!text_starts_with(metadata->members[i].name, "remit/s"));
	json_object_start(&rest, arena);
	for (uint32_t i = 0; i < params.count; i++)
		if (!text_is(params.members[i].name, "metadata"))
			json_put_named(&rest, params.members[i].name, params.members[i].value);
	if (json_find(&read->arguments, "metadata") != NULL)
		json_put(&rest, "metadata", *json_find(&read->arguments, "metadata"));
	if (!json_object_seal(&rest, &stripped, &err))
		return;
	/* Only CancelTask and messages carry metadata, only GetTask a history. */
	if (!peer_method_sends(method))
		return;
	if (peer_request_read(&again, arena, method, &stripped, &err))
		assert(json_equal(&again.arguments, &read->arguments));
	else
		assert(err.code == ERROR_LIMIT);
}

static void check_request(struct arena *arena, const struct json *whole)
{
	struct text method = json_text_or(whole, "method", "");
	const struct json *params = json_find(whole, "params");
	struct peer_request read;
	struct error err;

	if (method_find(method)->route != METHOD_PEER ||
		!peer_request_read(&read, arena, method, params, &err))
		return;
	assert(!peer_request_pushes(params) || !peer_method_sends(method));
	assert(read.task.length <= PEER_ID_BYTES_MAX && read.context.length <= PEER_ID_BYTES_MAX);
	assert(read.references_count <= PEER_REFERENCES_MAX);
	assert(peer_method_sends(method) || read.task.length > 0);
	check_params(arena, method, &read);
}

/* Nothing that A2A would leave out when it checks the signature. */
static void check_full(const struct json *value)
{
	assert(value->type != JSON_NULL);
	assert(value->type != JSON_STRING || value->string.length > 0);
	if (value->type == JSON_ARRAY || value->type == JSON_OBJECT)
		assert(value->count > 0);
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		check_full(&value->items[i]);
	for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->count; i++)
		check_full(&value->members[i].value);
}

static void check_card(struct arena *arena, const struct json *card)
{
	const struct peer_showing showing = {.url = TEXT("https://remit.example/a2a/a"),
		.token_url = TEXT("https://remit.example/oauth/token"),
		.metadata_url = TEXT("https://remit.example/meta"),
		.scope = TEXT("call")};
	struct peer_showing with = showing;
	struct json definitions, shown, tools;
	struct json_builder list;
	struct text endpoint;
	struct error err;

	if (peer_card_endpoint(&endpoint, card, text_of(origin), &err)) {
		size_t length = strlen(origin);

		assert(endpoint.length >= length && memcmp(endpoint.data, origin, length) == 0);
		assert(endpoint.length == length || strchr("/?", endpoint.data[length]) != NULL);
	}
	if (!peer_card_definitions(&definitions, arena, card, &err))
		return;
	assert(definitions.count <= PEER_CARD_SKILLS_MAX);
	json_object_start(&list, arena);
	json_put(&list, "tools", definitions);
	if (!json_object_seal(&list, &tools, &err))
		return;
	with.skills = &tools;
	if (!peer_card_show(&shown, arena, card, &with, &err))
		return;
	assert(json_find(&shown, "signatures") == NULL);
	check_full(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	const struct text input = {(const char *)bytes, size};
	const struct json *card;
	struct json whole;
	struct error err;

	if (arena == NULL || !json_parse(&whole, arena, input, &json_limits_default, &err))
		goto done;
	card = json_find(&whole, "card");
	if (card != NULL)
		check_card(arena, card);
	else
		check_request(arena, &whole);
done:
	arena_destroy(&arena);
	return 0;
}
