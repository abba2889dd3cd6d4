#include "edges/cli/credential.h"

enum { PAGE = 1000 };

static struct credential_use *find_use(
	struct credential_uses *uses, struct text credential, struct text audience)
{
	struct credential_use *use = uses->items;

	for (; use < uses->items + uses->count; use++)
		if (text_equal(use->credential, credential) && text_equal(use->audience, audience))
			return use;
	if (uses->count == CREDENTIAL_USES_MAX)
		return NULL;
	uses->count++;
	*use = (struct credential_use){.credential = credential, .audience = audience};
	return use;
}

static void count_record(struct credential_uses *uses, const struct json *record)
{
	const struct json *proof = record == NULL ? NULL : json_find(record, "proof");
	struct credential_use *use;

	if (proof == NULL)
		return;
	uses->tasks++;
	use = find_use(uses, json_text_or(proof, "key", ""), json_text_or(record, "audience", ""));
	if (use == NULL)
		return;
	use->tasks++;
	use->last_utc_ms = json_integer_or(record, "at", 0);
}

/* The records come in order. */
bool cli_read_uses(struct cli *cli, struct text identity, int64_t since_utc_ms,
	struct credential_uses *out, int *status)
{
	const struct json *items, *next;
	struct cli_reply reply;
	int64_t after = -1;

	*out = (struct credential_uses){.since_utc_ms = since_utc_ms};
	do {
		struct text from =
			after < 0 ? TEXT("")
				  : text_format(cli->arena, "&after=%lld", (long long)after);

		if (!cli_get(cli, &reply, status,
			    "/v1/records?type=task-opened&identity=%.*s&since=%lld&limit=%d%.*s",
			    TEXT_ARGS(identity), (long long)since_utc_ms, PAGE, TEXT_ARGS(from)))
			return false;
		items = json_find(&reply.json, "items");
		for (uint32_t i = 0; items != NULL && i < items->count; i++)
			count_record(out, json_find(&items->items[i], "record"));
		next = json_find(&reply.json, "next");
		after = next == NULL ? -1 : json_integer_or(&reply.json, "next", -1);
	} while (after >= 0);
	return true;
}

bool cli_uses_json(
	struct cli *cli, const struct credential_uses *uses, struct json *out, struct error *err)
{
	struct json_builder list, object;
	struct json one;

	json_array_start(&list, cli->arena);
	for (size_t i = 0; i < uses->count; i++) {
		json_object_start(&object, cli->arena);
		json_put_text(&object, "credential", uses->items[i].credential);
		json_put_text(&object, "audience", uses->items[i].audience);
		json_put_integer(&object, "tasks", uses->items[i].tasks);
		json_put_integer(&object, "last", uses->items[i].last_utc_ms);
		if (!json_object_seal(&object, &one, err))
			return false;
		json_add(&list, one);
	}
	return json_array_seal(&list, out, err);
}

/* ---- granted, not used ---- */

/* "SERVER" of a line's tool or model; empty: the line is about something else. */
static struct text server_of(const struct json *line)
{
	struct text tool = json_text_or(line, "tool", "");
	struct text resource = json_text_or(line, "resource", "");
	ptrdiff_t slash;

	if (tool.length == 0 && text_starts_with(resource, "model:"))
		tool = text_after(resource, sizeof "model:" - 1);
	slash = text_find_byte(tool, '/');
	return (struct text){tool.data, slash < 0 ? 0 : (size_t)slash};
}

static bool is_used(struct cli *cli, const struct credential_uses *uses, struct text server)
{
	struct text end = text_format(cli->arena, "/%.*s", TEXT_ARGS(server));

	for (size_t i = 0; i < uses->count; i++)
		if (text_ends_with(uses->items[i].audience, end.data))
			return true;
	return false;
}

static bool is_before(const struct json *lines, uint32_t until, struct text server)
{
	for (uint32_t i = 0; i < until; i++)
		if (text_equal(server_of(&lines->items[i]), server))
			return true;
	return false;
}

bool cli_unused_json(struct cli *cli, const struct json *charter,
	const struct credential_uses *uses, struct json *out, struct error *err)
{
	const struct json *lines = json_find(charter, "entitlements");
	struct json_builder list;

	json_array_start(&list, cli->arena);
	for (uint32_t i = 0; lines != NULL && i < lines->count; i++) {
		struct text server = server_of(&lines->items[i]);

		if (server.length > 0 && !is_before(lines, i, server) &&
			!is_used(cli, uses, server))
			json_add(&list, json_string(server));
	}
	return json_array_seal(&list, out, err);
}
