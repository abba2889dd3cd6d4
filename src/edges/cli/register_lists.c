/* What can be picked: the lists of the registry, fetched whole up to a bound. */
#include <string.h>

#include "edges/cli/register.h"

bool register_list(struct registering *registering, const char *collection, struct json *kept)
{
	struct cli *cli = registering->cli;
	struct json_builder all;
	struct text after = TEXT("");
	struct error err;

	if (kept->type == JSON_ARRAY)
		return true;
	json_array_start(&all, cli->arena);
	for (int page = 0; page < REGISTER_PAGES_MAX; page++) {
		const struct json *items;
		struct cli_reply reply;

		if (!cli_get(cli, &reply, &registering->status, "/v1/%s?limit=1000%s%.*s",
			    collection, after.length > 0 ? "&after=" : "",
			    TEXT_ARGS(after.length > 0 ? cli_escape(cli, after.data) : after)))
			return false;
		items = json_find(&reply.json, "items");
		for (uint32_t i = 0; items != NULL && i < items->count; i++) {
			const struct json *object = json_find(&items->items[i], "object");

			if (object != NULL)
				json_add(&all, *object);
		}
		after = text_copy(cli->arena, json_text_or(&reply.json, "next", ""));
		if (after.length == 0)
			break;
	}
	if (json_array_seal(&all, kept, &err))
		return true;
	registering->status = cli_fail(cli, &err);
	return false;
}

const struct json *register_find(const struct json *list, struct text name)
{
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++)
		if (text_equal(json_text_or(&list->items[i], "name", ""), name))
			return &list->items[i];
	return NULL;
}

bool register_has_text(const struct json *list, struct text value)
{
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++)
		if (list->items[i].type == JSON_STRING && text_equal(list->items[i].string, value))
			return true;
	return false;
}
