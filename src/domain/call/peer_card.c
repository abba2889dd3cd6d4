/* What is signed must come out the same for whoever checks it (A2A 1.0 §8.4): members that
 * the protocol does not know, and empty ones, are left out before, as they are there. */
#include "domain/call/peer_card.h"

#include <string.h>

#include "domain/call/peer_request.h"

static const char binding[] = "JSONRPC";

/* ---- where requests go ---- */

/* "https://host:port"; empty if it is no such URL. */
static struct text origin_of(struct text url)
{
	size_t start = text_starts_with(url, "https://") ? 8 : 7;
	size_t end = start;

	if (!text_starts_with(url, "https://") && !text_starts_with(url, "http://"))
		return TEXT("");
	while (end < url.length && strchr("/?#", url.data[end]) == NULL)
		end++;
	return (struct text){url.data, end == start ? 0 : end};
}

static bool is_plain_url(struct text url)
{
	for (size_t i = 0; i < url.length; i++)
		if (url.data[i] <= 0x20 || url.data[i] >= 0x7f || url.data[i] == '\\' ||
			url.data[i] == '#')
			return false;
	return true;
}

static bool is_spoken(const struct json *interface)
{
	return text_is(json_text_or(interface, "protocolBinding", ""), binding) &&
	       text_is(json_text_or(interface, "protocolVersion", ""), PEER_VERSION) &&
	       json_text_or(interface, "tenant", "").length == 0;
}

bool peer_card_endpoint(
	struct text *out, const struct json *card, struct text base, struct error *err)
{
	const struct json *interfaces = json_find(card, "supportedInterfaces");

	*out = TEXT("");
	for (uint32_t i = 0;
		interfaces != NULL && interfaces->type == JSON_ARRAY && i < interfaces->count;
		i++) {
		struct text url = json_text_or(&interfaces->items[i], "url", "");

		if (!is_spoken(&interfaces->items[i]))
			continue;
		if (!is_plain_url(url) || origin_of(base).length == 0 ||
			!text_equal(origin_of(url), origin_of(base)))
			return error_set(err, ERROR_INVALID,
				"its card sends requests to another origin than the one that is "
				"registered");
		*out = url;
		return true;
	}
	return error_set(err, ERROR_INVALID,
		"its card has no JSONRPC interface of version " PEER_VERSION " without a tenant");
}

/* ---- what is pinned ---- */

/* The card but for what each skill has of its own. */
static bool make_rest(
	struct json *out, struct arena *arena, const struct json *card, struct error *err)
{
	struct json_builder rest;

	json_object_start(&rest, arena);
	for (uint32_t i = 0; i < card->count; i++)
		if (!text_is(card->members[i].name, "skills") &&
			!text_is(card->members[i].name, "signatures"))
			json_put_named(&rest, card->members[i].name, card->members[i].value);
	return json_object_seal(&rest, out, err);
}

static bool make_definition(struct json *out, struct arena *arena, const struct json *rest,
	const struct json *skill, struct error *err)
{
	struct json_builder definition, annotations;
	struct json sealed;

	json_object_start(&annotations, arena);
	json_put(&annotations, "card", *rest);
	json_put(&annotations, "skill", *skill);
	if (!json_object_seal(&annotations, &sealed, err))
		return false;
	json_object_start(&definition, arena);
	json_put(&definition, "annotations", sealed);
	json_put_text_unless_empty(
		&definition, "description", json_text_or(skill, "description", ""));
	json_put_text(&definition, "name", json_text_or(skill, "id", ""));
	json_put_text_unless_empty(&definition, "title", json_text_or(skill, "name", ""));
	return json_object_seal(&definition, out, err);
}

static bool check_skills(const struct json *skills, struct error *err)
{
	if (skills == NULL || skills->type != JSON_ARRAY || skills->count > PEER_CARD_SKILLS_MAX)
		return error_set(err, ERROR_INVALID, "its card has no list of at most %d skills",
			PEER_CARD_SKILLS_MAX);
	for (uint32_t i = 0; i < skills->count; i++)
		if (json_text_or(&skills->items[i], "id", "").length == 0)
			return error_set(err, ERROR_INVALID, "skill %u of its card has no id", i);
	return true;
}

bool peer_card_definitions(
	struct json *out, struct arena *arena, const struct json *card, struct error *err)
{
	const struct json *skills = json_find(card, "skills");
	struct json_builder list;
	struct json rest, definition;

	if (card->type != JSON_OBJECT || !check_skills(skills, err) ||
		!make_rest(&rest, arena, card, err))
		return error_wrap(err, "agent card");
	json_array_start(&list, arena);
	for (uint32_t i = 0; i < skills->count; i++) {
		if (!make_definition(&definition, arena, &rest, &skills->items[i], err))
			return false;
		json_add(&list, definition);
	}
	return json_array_seal(&list, out, err);
}

/* ---- what is shown ---- */

static void put_text(struct json_builder *out, const struct json *from, const char *name)
{
	json_put_text_unless_empty(out, name, json_text_or(from, name, ""));
}

/* The texts of a list that are not empty; nothing where none is. */
static bool put_texts(
	struct json_builder *out, const struct json *from, const char *name, struct error *err)
{
	const struct json *list = json_find(from, name);
	struct json_builder kept;
	struct json sealed;

	json_array_start(&kept, out->arena);
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++)
		if (list->items[i].type == JSON_STRING && list->items[i].string.length != 0)
			json_add(&kept, list->items[i]);
	if (!json_array_seal(&kept, &sealed, err))
		return false;
	if (sealed.count != 0)
		json_put(out, name, sealed);
	return true;
}

static bool is_shown(const struct peer_showing *showing, struct text id)
{
	const struct json *tools = json_find(showing->skills, "tools");

	for (uint32_t i = 0; tools != NULL && tools->type == JSON_ARRAY && i < tools->count; i++)
		if (text_equal(json_text_or(&tools->items[i], "name", ""), id))
			return true;
	return false;
}

static bool put_skills(struct json_builder *out, const struct json *card,
	const struct peer_showing *showing, struct error *err)
{
	static const char *const lists[] = {"examples", "inputModes", "outputModes", "tags"};
	const struct json *skills = json_find(card, "skills");
	struct json_builder list, skill;
	struct json sealed;

	json_array_start(&list, out->arena);
	for (uint32_t i = 0; i < skills->count; i++) {
		if (!is_shown(showing, json_text_or(&skills->items[i], "id", "")))
			continue;
		json_object_start(&skill, out->arena);
		put_text(&skill, &skills->items[i], "id");
		put_text(&skill, &skills->items[i], "name");
		put_text(&skill, &skills->items[i], "description");
		for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
			if (!put_texts(&skill, &skills->items[i], lists[k], err))
				return false;
		if (!json_object_seal(&skill, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	if (sealed.count != 0)
		json_put(out, "skills", sealed);
	return true;
}

/* {"name": value}, alone. */
static bool wrap(struct json *value, struct arena *arena, const char *name, struct error *err)
{
	struct json_builder outer;

	json_object_start(&outer, arena);
	json_put(&outer, name, *value);
	return json_object_seal(&outer, value, err);
}

static bool put_interface(
	struct json_builder *out, const struct peer_showing *showing, struct error *err)
{
	struct json_builder interface, list;
	struct json sealed;

	json_object_start(&interface, out->arena);
	json_put_cstring(&interface, "protocolBinding", binding);
	json_put_cstring(&interface, "protocolVersion", PEER_VERSION);
	json_put_text(&interface, "url", showing->url);
	if (!json_object_seal(&interface, &sealed, err))
		return false;
	json_array_start(&list, out->arena);
	json_add(&list, sealed);
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(out, "supportedInterfaces", sealed);
	return true;
}

/* A token of remit's, by client credentials. */
static bool put_schemes(
	struct json_builder *out, const struct peer_showing *showing, struct error *err)
{
	struct json_builder flow, scheme, scopes;
	struct json sealed, flows;

	json_object_start(&scopes, out->arena);
	json_put_named(&scopes, showing->scope, json_cstring("Calls within the task's authority"));
	if (!json_object_seal(&scopes, &sealed, err))
		return false;
	json_object_start(&flow, out->arena);
	json_put(&flow, "scopes", sealed);
	json_put_text(&flow, "tokenUrl", showing->token_url);
	if (!json_object_seal(&flow, &flows, err) ||
		!wrap(&flows, out->arena, "clientCredentials", err))
		return false;
	json_object_start(&scheme, out->arena);
	json_put(&scheme, "flows", flows);
	json_put_text(&scheme, "oauth2MetadataUrl", showing->metadata_url);
	if (!json_object_seal(&scheme, &sealed, err) ||
		!wrap(&sealed, out->arena, "oauth2SecurityScheme", err) ||
		!wrap(&sealed, out->arena, "remit", err))
		return false;
	json_put(out, "securitySchemes", sealed);
	return true;
}

static bool put_requirements(
	struct json_builder *out, const struct peer_showing *showing, struct error *err)
{
	struct json_builder list, requirements;
	struct json sealed;

	json_array_start(&list, out->arena);
	json_add(&list, json_string(showing->scope));
	if (!json_array_seal(&list, &sealed, err) || !wrap(&sealed, out->arena, "list", err) ||
		!wrap(&sealed, out->arena, "remit", err) ||
		!wrap(&sealed, out->arena, "schemes", err))
		return false;
	json_array_start(&requirements, out->arena);
	json_add(&requirements, sealed);
	if (!json_array_seal(&requirements, &sealed, err))
		return false;
	json_put(out, "securityRequirements", sealed);
	return true;
}

/* What it can do through remit. */
static bool put_capabilities(struct json_builder *out, const struct json *card, struct error *err)
{
	bool streams = json_boolean_or(json_find(card, "capabilities"), "streaming", false);
	struct json_builder capabilities;
	struct json sealed;

	json_object_start(&capabilities, out->arena);
	json_put_boolean(&capabilities, "extendedAgentCard", false);
	json_put_boolean(&capabilities, "pushNotifications", false);
	json_put_boolean(&capabilities, "streaming", streams);
	if (!json_object_seal(&capabilities, &sealed, err))
		return false;
	json_put(out, "capabilities", sealed);
	return true;
}

static bool put_provider(struct json_builder *out, const struct json *card, struct error *err)
{
	const struct json *from = json_find(card, "provider");
	struct json_builder provider;
	struct json sealed;

	if (from == NULL)
		return true;
	json_object_start(&provider, out->arena);
	put_text(&provider, from, "organization");
	put_text(&provider, from, "url");
	if (!json_object_seal(&provider, &sealed, err))
		return false;
	if (sealed.count != 0)
		json_put(out, "provider", sealed);
	return true;
}

bool peer_card_show(struct json *out, struct arena *arena, const struct json *card,
	const struct peer_showing *showing, struct error *err)
{
	struct json_builder shown;

	if (card->type != JSON_OBJECT || !check_skills(json_find(card, "skills"), err))
		return error_wrap(err, "agent card");
	json_object_start(&shown, arena);
	put_text(&shown, card, "name");
	put_text(&shown, card, "description");
	put_text(&shown, card, "version");
	put_text(&shown, card, "documentationUrl");
	return put_interface(&shown, showing, err) && put_provider(&shown, card, err) &&
	       put_capabilities(&shown, card, err) && put_schemes(&shown, showing, err) &&
	       put_requirements(&shown, showing, err) &&
	       put_texts(&shown, card, "defaultInputModes", err) &&
	       put_texts(&shown, card, "defaultOutputModes", err) &&
	       put_skills(&shown, card, showing, err) && json_object_seal(&shown, out, err);
}
