/* The trust table for people: what comes in (issuers, keys of charters) and what goes out
 * (credentials that servers and providers are sent, by reference).  Read from the registry and
 * the sources as they are now; parts come in the order of kinds below, each by name. */
#include <string.h>

#include "domain/charter/connector.h"
#include "domain/charter/users.h"
#include "domain/token/security_event.h"
#include "services/trust/trust_private.h"

enum { OPENS_MAX = 100 }; /* identities that one issuer opens, as listed */

struct listing {
	struct trust_service *trust;
	struct arena *arena;
	struct json_builder *items;
	uint32_t left;
	bool has_failed;
};

static void start_part(struct json_builder *object, struct listing *listing, const char *kind,
	const char *direction, struct text name)
{
	json_object_start(object, listing->arena);
	json_put_text(object, "id", text_format(listing->arena, "%s/%.*s", kind, TEXT_ARGS(name)));
	json_put_cstring(object, "direction", direction);
	json_put_text(object, "name", name);
}

static bool end_part(struct json_builder *object, struct listing *listing)
{
	struct error err = {0};
	struct json item;

	if (!json_object_seal(object, &item, &err)) {
		listing->has_failed = true;
		return false;
	}
	json_add(listing->items, item);
	return --listing->left > 0;
}

/* ---- issuers ---- */

struct opening_list {
	struct listing *listing;
	struct text issuer;
	struct json_builder list;
	unsigned count;
};

static bool add_opened(void *context, const struct registry_entry *entry)
{
	struct opening_list *opens = context;
	const struct charter *charter = charter_of(entry->in_force);

	for (uint32_t i = 0; i < charter->federation_count && opens->count < OPENS_MAX; i++) {
		const struct federation_rule *rule = &charter->federation[i];

		if (!text_equal(rule->issuer, opens->issuer))
			continue;
		json_add(&opens->list,
			json_string(text_format(opens->listing->arena, "%.*s in %s",
				TEXT_ARGS(entry->name), environment_word(rule->environment))));
		opens->count++;
	}
	return opens->count < OPENS_MAX;
}

static void put_opens(struct json_builder *object, struct listing *listing, struct text issuer)
{
	struct opening_list opens = {.listing = listing, .issuer = issuer};
	char key[USERS_KEY_BYTES_MAX];
	struct error err = {0};
	struct json list;

	json_array_start(&opens.list, listing->arena);
	registry_each_user(listing->trust->parts.registry, users_issuer_key(issuer, key), TEXT(""),
		add_opened, &opens);
	if (json_array_seal(&opens.list, &list, &err))
		json_put(object, "opens", list);
	else
		listing->has_failed = true;
}

static void put_algorithms(struct json_builder *object, struct listing *listing, uint32_t bits)
{
	struct json_builder names;
	struct error err = {0};
	struct json list;

	json_array_start(&names, listing->arena);
	for (unsigned each = SIGNATURE_ES256; each <= SIGNATURE_ED25519; each++)
		if ((bits & UINT32_C(1) << each) != 0)
			json_add(&names, json_cstring(signature_algorithm_name(
						 (enum signature_algorithm)each)));
	if (json_array_seal(&names, &list, &err))
		json_put(object, "algorithms", list);
	else
		listing->has_failed = true;
}

static void put_source(struct json_builder *object, struct trust_source *source)
{
	const struct issuer_keys *keys = source_keys(source);
	size_t roots = 0;

	json_put_cstring(object, "state", source_state_word(source));
	json_put_integer(object, "keys", keys == NULL ? 0 : (int64_t)issuer_keys_count(keys));
	if (keys != NULL)
		(void)issuer_keys_roots(keys, &roots);
	json_put_integer(object, "roots", (int64_t)roots);
	if (source->fetched_utc_ms > 0)
		json_put_time(object, "fetched", source->fetched_utc_ms);
	json_put_text_unless_empty(object, "error", text_of(source->why));
	if (source->refused_utc_ms > 0) {
		json_put_time(object, "refused_at", source->refused_utc_ms);
		json_put_text(object, "refused", text_of(source->refused));
	}
}

/* Where its keys lie, in one text. */
static struct text place_text(struct arena *arena, const struct issuer *issuer)
{
	struct text place = issuer->source == ISSUER_SOURCE_JWKS_URL     ? issuer->jwks_url
			    : issuer->source == ISSUER_SOURCE_BUNDLE_URL ? issuer->bundle_url
			    : issuer->source == ISSUER_SOURCE_FILE       ? issuer->file
									 : TEXT("");
	const char *word = issuer_source_word(issuer->source);

	return text_format(arena, "%s%s%.*s", word == NULL ? "" : word, place.length > 0 ? " " : "",
		TEXT_ARGS(place));
}

/* Which of its events are taken, and how they come. */
static void put_events(
	struct json_builder *object, const struct issuer *issuer, const struct trust_source *source)
{
	static const struct {
		enum security_event_kind kind;
		const char *name;
	} rows[] = {{EVENT_SESSION_REVOKED, "session_revoked"},
		{EVENT_CREDENTIAL_CHANGE, "credential_change"}};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((issuer->events.types & 1u << rows[i].kind) != 0)
			json_put_cstring(object, rows[i].name,
				issuer->events.poll.length > 0 ? "polled" : "pushed");
	json_put_text_unless_empty(object, "poll", issuer->events.poll);
	if (source == NULL || source->polled_utc_ms == 0)
		return;
	json_put_time(object, "polled", source->polled_utc_ms);
	json_put_text_unless_empty(object, "poll_error", text_of(source->poll_why));
}

static bool add_issuer(struct listing *listing, const struct registry_entry *entry)
{
	const struct issuer *issuer = entry->in_force->issuer;
	struct trust_source *source = trust_source_of(listing->trust, entry->name);
	struct json_builder object;

	start_part(&object, listing, "issuer", "in", entry->name);
	json_put_cstring(&object, "speaks", issuer_speaks_word(issuer->speaks));
	json_put_text_unless_empty(&object, "url", issuer->url);
	json_put_text_unless_empty(&object, "trust_domain", issuer->trust_domain);
	json_put_text(&object, "source", place_text(listing->arena, issuer));
	put_algorithms(&object, listing, issuer->algorithms);
	json_put_text_unless_empty(&object, "audience", issuer->audience);
	json_put_text_unless_empty(&object, "people", issuer->people.client);
	json_put_integer(&object, "max_lifetime_s", issuer->lifetime_s);
	if (issuer->private_addresses == ISSUER_ALLOWED)
		json_put_cstring(&object, "private_addresses", "allowed");
	if (issuer->reuse == ISSUER_ALLOWED)
		json_put_cstring(&object, "reuse", "allowed");
	put_events(&object, issuer, source);
	if (source != NULL)
		put_source(&object, source);
	put_opens(&object, listing, entry->name);
	return end_part(&object, listing);
}

/* ---- servers ---- */

/* What its requests carry: a secret that is kept, a provider token, a token of ours to hand work
 * on by, or nothing. */
static const char *carries_word(const struct listing *listing, const struct server *server)
{
	if (server->exchange.grant != OUTBOUND_NONE)
		return "exchange";
	if (server->credential.length > 0 || server->credentials_count > 0)
		return "secret";
	if (server->speaks == SPEAKS_A2A &&
		registry_find_identity(listing->trust->parts.registry, server->name) != NULL)
		return "hand-on";
	return "nothing";
}

static void put_exchange(
	struct json_builder *object, const struct listing *listing, const struct server *server)
{
	const struct outbound *const *outbound = listing->trust->parts.outbound;
	struct outbound_status status = {0};

	json_put_cstring(object, "grant", outbound_grant_word(server->exchange.grant));
	json_put_text(object, "audience", server->exchange.audience);
	json_put_cstring(object, "per", outbound_per_word(server->exchange.per));
	if (outbound != NULL && *outbound != NULL)
		outbound_status_of(*outbound, server->name, &status);
	json_put_integer(object, "held", (int64_t)status.held);
	if (status.exchanged_utc_ms > 0)
		json_put_time(object, "exchanged", status.exchanged_utc_ms);
	if (status.until_utc_ms > 0)
		json_put_time(object, "until", status.until_utc_ms);
	if (status.error != NULL)
		json_put_text(object, "error", text_format(object->arena, "%s", status.error));
}

static bool add_server(struct listing *listing, const struct registry_entry *entry)
{
	const struct server *server = entry->in_force->server;
	struct json_builder object, list;
	struct error err = {0};
	struct json opens;

	start_part(&object, listing, "server", "out", entry->name);
	json_put_cstring(&object, "speaks", speaks_word(server->speaks));
	json_put_cstring(&object, "carries", carries_word(listing, server));
	json_put_text_unless_empty(&object, "source", server->credential);
	if (server->exchange.grant != OUTBOUND_NONE)
		put_exchange(&object, listing, server);
	json_array_start(&list, listing->arena);
	for (uint32_t i = 0; i < server->credentials_count; i++)
		json_add(&list, json_string(text_format(listing->arena, "%.*s: %.*s",
					TEXT_ARGS(server->credentials[i].identity),
					TEXT_ARGS(server->credentials[i].credential))));
	if (!json_array_seal(&list, &opens, &err)) {
		listing->has_failed = true;
		return false;
	}
	json_put(&object, "opens", opens);
	return end_part(&object, listing);
}

/* ---- identities ---- */

static bool add_identity(struct listing *listing, const struct registry_entry *entry)
{
	const struct charter *charter = charter_of(entry->in_force);
	struct json_builder object, list;
	struct error err = {0};
	struct json opens;

	if (charter->keys_count + charter->federation_count == 0)
		return true;
	start_part(&object, listing, "identity", "in", entry->name);
	json_put_cstring(&object, "state", identity_state_word(entry->state));
	json_put_integer(&object, "keys", charter->keys_count);
	json_array_start(&list, listing->arena);
	for (uint32_t i = 0; i < charter->keys_count; i++)
		json_add(&list, json_string(text_format(listing->arena, "key in %s",
					environment_word(charter->keys[i].environment))));
	for (uint32_t i = 0; i < charter->federation_count; i++)
		json_add(&list, json_string(text_format(listing->arena, "%.*s in %s",
					TEXT_ARGS(charter->federation[i].issuer),
					environment_word(charter->federation[i].environment))));
	if (!json_array_seal(&list, &opens, &err)) {
		listing->has_failed = true;
		return false;
	}
	json_put(&object, "opens", opens);
	return end_part(&object, listing);
}

/* ---- connectors ---- */

/* What it may do there stands where others have whom they open. */
static bool add_connector(struct listing *listing, const struct registry_entry *entry)
{
	const struct connector *connector = entry->in_force->connector;
	struct json_builder object, list;
	struct error err = {0};
	struct json opens;

	start_part(&object, listing, "connector", "out", entry->name);
	json_put_cstring(&object, "speaks", inventory_provider_word(connector->provider));
	json_put_cstring(&object, "carries", "secret");
	json_put_text(&object, "source", connector->credential);
	json_array_start(&list, listing->arena);
	json_add(&list, json_cstring("read"));
	if (connector_may(connector, CONNECTOR_MAY_CONTAIN))
		json_add(&list, json_cstring("contain"));
	if (!json_array_seal(&list, &opens, &err)) {
		listing->has_failed = true;
		return false;
	}
	json_put(&object, "opens", opens);
	return end_part(&object, listing);
}

/* ---- the table ---- */

static const struct {
	const char *prefix;
	enum object_kind kind;
	bool (*add)(struct listing *listing, const struct registry_entry *entry);
} kinds[] = {
	{"issuer/", OBJECT_ISSUER, add_issuer},
	{"server/", OBJECT_SERVER, add_server},
	{"identity/", OBJECT_IDENTITY, add_identity},
	{"connector/", OBJECT_CONNECTOR, add_connector},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct visit {
	struct listing *listing;
	size_t kind;
};

static bool visit_entry(void *context, const struct registry_entry *entry)
{
	struct visit *visit = context;

	return entry->in_force == NULL || kinds[visit->kind].add(visit->listing, entry);
}

/* Which kind the last part was of; what is none of them is before all. */
static size_t kind_of(struct text after, struct text *name)
{
	*name = TEXT("");
	for (size_t i = 0; i < KINDS; i++)
		if (text_starts_with(after, kinds[i].prefix)) {
			*name = text_after(after, strlen(kinds[i].prefix));
			return i;
		}
	return 0;
}

bool trust_list(void *context, struct text after, uint32_t count, struct arena *arena,
	struct json *out, struct error *err)
{
	struct trust_service *trust = context;
	struct json_builder items;
	struct listing listing = {.trust = trust, .arena = arena, .items = &items, .left = count};
	struct text name;

	trust_sync(trust);
	json_array_start(&items, arena);
	for (size_t i = kind_of(after, &name); i < KINDS && listing.left > 0; i++) {
		struct visit visit = {&listing, i};

		registry_each(trust->parts.registry, kinds[i].kind, name, visit_entry, &visit);
		name = TEXT("");
	}
	if (listing.has_failed)
		return error_set(err, ERROR_LIMIT, "the list is too long: ask for fewer");
	return json_array_seal(&items, out, err);
}
