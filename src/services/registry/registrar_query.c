/* Questions about the registry, answered as JSON. */
#include "services/registry/registrar_private.h"

#include <string.h>

#include "domain/charter/condition.h"
#include "domain/charter/nearest.h"
#include "domain/charter/peer.h"

/* ---- lines of charters ---- */

static struct text resource_text(struct arena *arena, const struct entitlement *line)
{
	switch (line->resource_kind) {
	case RESOURCE_DATA_SOURCE:
		return text_format(arena, "data-source:%.*s", TEXT_ARGS(line->resource));
	case RESOURCE_MODEL: return text_format(arena, "model:%.*s", TEXT_ARGS(line->resource));
	case RESOURCE_PEER: return text_format(arena, "peer:%.*s", TEXT_ARGS(line->resource));
	case RESOURCE_TOOL:
	case RESOURCE_NONE: break;
	}
	return line->resource;
}

/* Why a line gives nothing now, as far as it is known without a call; NULL if it
 * may. */
static bool is_peer_there(
	const struct registrar *registrar, const struct charter *charter, struct text name)
{
	const struct server *server = registry_find_server(registrar_registry(registrar), name);

	return server != NULL && server->speaks == SPEAKS_A2A &&
	       charter_has_environment(charter, server->environment);
}

/* Registered with its provider, and listed in the charter. */
static bool is_model_there(
	const struct registrar *registrar, const struct charter *charter, struct text resource)
{
	ptrdiff_t slash = text_find_byte(resource, '/');
	struct text provider = {resource.data, slash < 0 ? 0 : (size_t)slash};
	struct text name = {resource.data + provider.length + 1,
		slash < 0 ? 0 : resource.length - provider.length - 1};
	const struct server *server =
		slash < 0 ? NULL : registry_find_server(registrar_registry(registrar), provider);

	return server != NULL && server_find_model(server, name) != NULL &&
	       charter_find_model(charter, provider, name) != NULL;
}

static const char *why_unusable(const struct registrar *registrar,
	const struct registry_entry *entry, const struct entitlement *line, int64_t now_utc_ms)
{
	const struct charter *charter = charter_of(entry->in_force);
	int64_t now_utc_s = now_utc_ms / 1000;
	const struct tool *tool;
	const struct server *server;

	if (entry->state != IDENTITY_ACTIVE)
		return "the identity is not active";
	if (is_expired(charter->expires_utc_s, now_utc_s))
		return "the charter has expired";
	if (is_expired(line->expires_utc_s, now_utc_s))
		return "the line has expired";
	if (line->resource_kind == RESOURCE_PEER)
		return is_peer_there(registrar, charter, line->resource)
			       ? NULL
			       : "no server that speaks a2a has its name, or the charter does not "
				 "cover its environment";
	if (line->resource_kind == RESOURCE_MODEL)
		return is_model_there(registrar, charter, line->resource)
			       ? NULL
			       : "the model is not registered, or not listed in the charter";
	if (!use_class_permits(charter->use_class, line->effect))
		return "the class does not permit the effect";
	if (line->resource_kind != RESOURCE_TOOL)
		return NULL;
	tool = registry_find_tool(registrar_registry(registrar), line->resource);
	if (tool == NULL)
		return "the tool is not registered";
	if (tool->effect != line->effect)
		return "the tool has another effect";
	server = registry_find_server(registrar_registry(registrar), tool->server);
	if (server == NULL || !charter_has_environment(charter, server->environment))
		return "the charter does not cover the tool's environment";
	return NULL;
}

static bool approvals_json(
	struct json *out, struct arena *arena, const struct entitlement *line, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (uint32_t i = 0; i < line->approvals_count; i++)
		json_add(&array, json_string(line->approvals[i]));
	return json_array_seal(&array, out, err);
}

struct line_query {
	const struct registrar *registrar;
	int64_t now_utc_ms;
	struct arena *arena;
	struct error *err;
};

/* Puts what one line gives, and whether it does now. */
static bool put_line(const struct line_query *query, struct json_builder *object,
	const struct registry_entry *entry, const struct entitlement *line)
{
	const char *why_not = why_unusable(query->registrar, entry, line, query->now_utc_ms);
	struct json approvals;

	if (!approvals_json(&approvals, query->arena, line, query->err))
		return false;
	json_put_integer(object, "number", line->number);
	json_put_cstring(object, "effect", effect_word(line->effect));
	json_put_text(object, "resource", resource_text(query->arena, line));
	json_put_text(object, "when", line->when);
	json_put_text_unless_empty(object, "words", condition_words(query->arena, line->when));
	json_put(object, "approvals", approvals);
	if (line->expires_utc_s != 0)
		json_put_integer(object, "expires_utc_s", line->expires_utc_s);
	json_put_boolean(object, "usable", why_not == NULL);
	if (line->uses != 0)
		json_put_integer(object, "uses", line->uses);
	if (why_not != NULL)
		json_put_cstring(object, "why_not", why_not);
	return true;
}

static bool lines_json(
	struct json *out, const struct line_query *query, const struct registry_entry *entry)
{
	const struct charter *charter = charter_of(entry->in_force);
	struct json_builder array;

	json_array_start(&array, query->arena);
	for (uint32_t i = 0; i < charter->entitlements_count; i++) {
		struct json_builder object;
		struct json line;

		json_object_start(&object, query->arena);
		if (!put_line(query, &object, entry, &charter->entitlements[i]) ||
			!json_object_seal(&object, &line, query->err))
			return false;
		json_add(&array, line);
	}
	return json_array_seal(&array, out, query->err);
}

static void put_state(struct json_builder *object, const struct registry_entry *entry)
{
	const char *state = identity_state_word(entry->state);

	if (state != NULL)
		json_put_cstring(object, "state", state);
	if (entry->needs_two)
		json_put_boolean(object, "needs_two", true);
	if (entry->more->reactivated_by.length > 0)
		json_put_text(object, "reactivated_by", entry->more->reactivated_by);
	if (entry->more->reason.length > 0)
		json_put_text(object, "reason", entry->more->reason);
}

bool registrar_can(const struct registrar *registrar, struct text identity, int64_t now_utc_ms,
	struct arena *arena, struct json *out, struct error *err)
{
	const struct registry_entry *entry =
		registry_find_identity(registrar_registry(registrar), identity);
	struct line_query query = {registrar, now_utc_ms, arena, err};
	struct json_builder object;
	struct json lines;

	if (entry == NULL)
		return name_unknown(registrar_registry(registrar), OBJECT_IDENTITY, identity, err);
	json_object_start(&object, arena);
	json_put_text(&object, "identity", entry->name);
	put_state(&object, entry);
	if (entry->in_force != NULL) {
		const struct charter *charter = charter_of(entry->in_force);

		if (!lines_json(&lines, &query, entry))
			return false;
		json_put_integer(&object, "version", entry->in_force->version);
		json_put_cstring(&object, "class", use_class_word(charter->use_class));
		if (charter->expires_utc_s != 0)
			json_put_integer(&object, "expires_utc_s", charter->expires_utc_s);
		json_put(&object, "entitlements", lines);
	}
	return json_object_seal(&object, out, err);
}

/* ---- who ---- */

struct who {
	struct line_query query;
	enum effect effect;
	struct text resource;
	struct json_builder array;
	struct text last; /* the last identity that is told */
	uint32_t left;
	bool has_more;
	bool has_failed;
};

static bool add_who(
	struct who *who, const struct registry_entry *entry, const struct entitlement *line)
{
	struct json_builder object;
	struct json found;

	json_object_start(&object, who->query.arena);
	json_put_text(&object, "identity", entry->name);
	put_state(&object, entry);
	json_put_integer(&object, "version", entry->in_force->version);
	if (!put_line(&who->query, &object, entry, line) ||
		!json_object_seal(&object, &found, who->query.err))
		return false;
	json_add(&who->array, found);
	return true;
}

static bool is_asked(const struct who *who, const struct entitlement *line)
{
	return line->effect == who->effect &&
	       text_equal(resource_text(who->query.arena, line), who->resource);
}

/* All its lines for it, or, when the page is full, that there is more. */
static bool visit_who(void *context, const struct registry_entry *entry)
{
	struct who *who = context;
	const struct charter *charter =
		entry->in_force == NULL ? NULL : charter_of(entry->in_force);

	for (uint32_t i = 0; charter != NULL && i < charter->entitlements_count; i++) {
		if (!is_asked(who, &charter->entitlements[i]))
			continue;
		who->has_more = who->left == 0;
		if (who->has_more)
			return false;
		who->last = entry->name;
		if (!add_who(who, entry, &charter->entitlements[i])) {
			who->has_failed = true;
			return false;
		}
	}
	who->left -= text_equal(who->last, entry->name);
	return true;
}

bool registrar_who(const struct registrar *registrar, const struct registrar_who_query *asked,
	struct arena *arena, struct json *out, struct error *err)
{
	struct who who = {.query = {registrar, asked->now_utc_ms, arena, err},
		.effect = asked->effect,
		.resource = asked->resource,
		.left = asked->count};
	struct json_builder object;
	struct json items;

	if (asked->effect == EFFECT_NONE || asked->resource.length == 0)
		return error_set(err, ERROR_INVALID, "name an effect and a resource");
	if (text_starts_with(asked->resource, "data-source:") &&
		!resource_check(
			registrar_registry(registrar), OBJECT_DATA_SOURCE, asked->resource, err))
		return false;
	if (text_starts_with(asked->resource, "model:") &&
		!model_check(registrar_registry(registrar), asked->resource, err))
		return false;
	json_array_start(&who.array, arena);
	registry_each_user(
		registrar_registry(registrar), asked->resource, asked->after, visit_who, &who);
	if (who.has_failed || !json_array_seal(&who.array, &items, err))
		return false;
	json_object_start(&object, arena);
	json_put(&object, "items", items);
	if (who.has_more)
		json_put_text(&object, "next", who.last);
	return json_object_seal(&object, out, err);
}

/* ---- entries ---- */

/* Units that consented to what the peers of a charter reach of theirs. */
static bool put_consents(
	struct json_builder *object, struct arena *arena, struct text consents, struct error *err)
{
	struct json_builder array;
	struct json list;
	struct text unit;

	if (consents.length == 0)
		return true;
	json_array_start(&array, arena);
	while (consents_next(&consents, &unit))
		if (!text_starts_with(unit, RISK_CONSENT_PREFIX))
			json_add(&array, json_string(unit));
	if (!json_array_seal(&array, &list, err))
		return false;
	json_put(object, "consents", list);
	return true;
}

/* What an approver must know beside the object. */
static bool put_proposal(struct json_builder *object, struct arena *arena,
	const struct registry_entry *entry, struct error *err)
{
	struct json fields;

	if (object_is_proposed(entry->kind)) {
		json_put_time(object, "proposed_at", entry->more->proposed_utc_ms);
		json_put_integer(object, "cases_passed", entry->more->cases_passed);
	}
	if (entry->is_removal) {
		json_put_boolean(object, "removal", true);
		return true;
	}
	if (!put_consents(object, arena, entry->more->waiting_consents, err))
		return false;
	json_put_digest(object, "digest", &entry->waiting->digest);
	if (!plan_fields_json(&fields, arena, entry->in_force, entry->waiting, err))
		return false;
	json_put(object, "fields", fields);
	return true;
}

static bool waiting_json(struct json *out, struct arena *arena, const struct registry_entry *entry,
	struct error *err)
{
	struct json_builder object;
	struct json document;

	json_object_start(&object, arena);
	json_put_integer(&object, "version", entry->waiting_version);
	json_put_cstring(&object, "state", identity_state_word(entry->waiting_state));
	json_put_cstring(&object, "action", plan_action_word(plan_proposed_action(entry)));
	json_put_text(&object, "proposed_by", entry->more->proposed_by);
	if (!put_proposal(&object, arena, entry, err))
		return false;
	if (entry->waiting != NULL) {
		if (!object_document(entry->waiting, arena, &document, err))
			return false;
		json_put(&object, "object", document);
	}
	return json_object_seal(&object, out, err);
}

static bool keys_json(struct json *out, struct arena *arena, const struct registry_entry *entry,
	struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (size_t i = 0; i < entry->keys_count; i++) {
		struct json_builder object;
		struct json key;

		json_object_start(&object, arena);
		json_put_text(&object, "kid", entry->keys[i].kid);
		json_put_integer(&object, "enrolled_utc_ms", entry->keys[i].enrolled_utc_ms);
		if (entry->keys[i].expires_utc_ms != 0) {
			json_put_integer(&object, "expires_utc_ms", entry->keys[i].expires_utc_ms);
			json_put_text(&object, "issuer", entry->keys[i].issuer);
		}
		if (entry->keys[i].ended_utc_ms != 0)
			json_put_integer(&object, "ended_utc_ms", entry->keys[i].ended_utc_ms);
		if (!json_object_seal(&object, &key, err))
			return false;
		json_add(&array, key);
	}
	return json_array_seal(&array, out, err);
}

bool registrar_entry_json(const struct registry_entry *entry, struct arena *arena, struct json *out,
	struct error *err)
{
	struct json_builder object;
	struct json document, waiting, keys;

	json_object_start(&object, arena);
	json_put_cstring(&object, "kind", object_kind_word(entry->kind));
	json_put_text(&object, "name", entry->name);
	json_put_integer(&object, "revision", (int64_t)entry->revision);
	put_state(&object, entry);
	json_put_text_unless_empty(&object, "approved_by", entry->more->approved_by);
	json_put_text_unless_empty(&object, "named_by", entry->more->named_by);
	if (!put_consents(&object, arena, entry->more->consents, err))
		return false;
	if (entry->in_force != NULL) {
		if (!object_document(entry->in_force, arena, &document, err))
			return false;
		json_put_integer(&object, "version", entry->in_force->version);
		json_put_integer(&object, "object_revision", (int64_t)entry->in_force->revision);
		json_put(&object, "object", document);
	}
	if (entry->waiting_version != 0) {
		if (!waiting_json(&waiting, arena, entry, err))
			return false;
		json_put(&object, "waiting", waiting);
	}
	if (entry->kind == OBJECT_PERSON) {
		if (!keys_json(&keys, arena, entry, err))
			return false;
		json_put(&object, "keys", keys);
	}
	return json_object_seal(&object, out, err);
}
