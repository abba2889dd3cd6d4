/* What is in a snapshot: a line for each thing that an identity in scope may do, or may be, and
 * so on for each that it hands work to. */
#include "domain/charter/owner.h"
#include "services/review/gathering.h"

#include <stdlib.h>

#include "domain/token/jwk.h"

enum { COLLECT_LINES = 256 }; /* in one step */

static bool grow_queue(struct gathering *gathering)
{
	size_t capacity = gathering->queue_capacity == 0 ? 64 : 2 * gathering->queue_capacity;
	struct visited **queue;

	if (gathering->queue_count < gathering->queue_capacity)
		return true;
	queue = reallocarray(gathering->queue, capacity, sizeof *queue);
	if (queue == NULL)
		return false;
	gathering->queue = queue;
	gathering->queue_capacity = capacity;
	return true;
}

static bool visit(struct gathering *gathering, struct text name, struct text via, int hops)
{
	struct visited *one;

	if (name_table_find(gathering->visited, name) != NULL)
		return true;
	if (!grow_queue(gathering))
		return false;
	one = arena_new(gathering->arena, struct visited);
	if (one == NULL)
		return false;
	*one = (struct visited){
		text_copy(gathering->arena, name), text_copy(gathering->arena, via), hops};
	if (one->name.data == NULL || one->via.data == NULL ||
		!name_table_put(gathering->visited, name, one))
		return false;
	gathering->queue[gathering->queue_count++] = one;
	return true;
}

static bool grow_items(struct gathering *gathering)
{
	size_t capacity = gathering->items_capacity == 0 ? 256 : 2 * gathering->items_capacity;
	struct review_item *items;

	if (gathering->items_count < gathering->items_capacity)
		return true;
	items = reallocarray(gathering->items, capacity, sizeof *items);
	if (items == NULL)
		return false;
	gathering->items = items;
	gathering->items_capacity = capacity;
	return true;
}

static struct review_item *add_item(struct gathering *gathering, struct error *err)
{
	if (gathering->items_count >= REVIEW_ITEMS_MAX) {
		error_set(err, ERROR_LIMIT,
			"more than %d items are in this scope: narrow it by unit, owner or risk",
			REVIEW_ITEMS_MAX);
		return NULL;
	}
	if (!grow_items(gathering)) {
		gather_no_memory(err);
		return NULL;
	}
	return &gathering->items[gathering->items_count++];
}

/* What a line is of: its identity as it stands now. */
struct looked {
	struct gathering *gathering;
	const struct registry_entry *entry;
	const struct visited *visited;
	const struct json *document; /* of its charter, in the step's memory */
};

static enum sensitivity charter_sensitivity(const struct charter *charter)
{
	enum sensitivity highest = SENSITIVITY_PUBLIC;

	for (uint32_t i = 0; i < charter->data_sources_count; i++)
		if (sensitivity_level(charter->data_sources[i].up_to) > sensitivity_level(highest))
			highest = charter->data_sources[i].up_to;
	return highest;
}

/* Of the data a tool reads; what writes may carry out all that the charter reads. */
static enum sensitivity tool_sensitivity(
	const struct registry *registry, const struct charter *charter, const struct tool *tool)
{
	enum sensitivity highest = tool == NULL || tool->effect != EFFECT_READ
					   ? charter_sensitivity(charter)
					   : SENSITIVITY_PUBLIC;

	for (uint32_t i = 0; tool != NULL && i < tool->reads_count; i++) {
		const struct data_source *source =
			registry_find_data_source(registry, tool->reads[i].data_source);
		enum sensitivity here =
			source == NULL ? SENSITIVITY_UNLABELLED : source->sensitivity;

		if (sensitivity_level(here) > sensitivity_level(highest))
			highest = here;
	}
	return highest;
}

static bool keep_line(
	struct review_item *item, struct arena *arena, const struct json *line, struct error *err)
{
	struct json *kept = arena_new(arena, struct json);

	if (kept == NULL)
		return gather_no_memory(err);
	item->line = kept;
	return json_copy(kept, arena, line, err);
}

/* What all items of one identity have. */
static struct review_item *start_item(
	const struct looked *looked, enum review_item_kind kind, struct error *err)
{
	const struct charter *charter = charter_of(looked->entry->in_force);
	struct review_item *item = add_item(looked->gathering, err);
	struct arena *arena = looked->gathering->arena;
	struct text author = actor_person(looked->entry->authored_by);

	if (item == NULL)
		return NULL;
	*item = (struct review_item){.kind = kind,
		.identity = looked->visited->name,
		.via = looked->visited->via,
		.version = looked->entry->in_force->version,
		.unit = text_copy(arena, charter->unit),
		.owner = text_copy(arena, owner_of(looked->entry)),
		.backup_owner = text_copy(arena, charter->backup_owner),
		.author = text_copy(arena, author),
		.risk = charter->risk,
		.environments = charter->environments,
		.sensitivity = charter_sensitivity(charter),
		.effect = EFFECT_DELEGATE};
	if (item->unit.data != NULL && item->owner.data != NULL &&
		item->backup_owner.data != NULL && item->author.data != NULL)
		return item;
	gather_no_memory(err);
	return NULL;
}

static bool name_item(struct review_item *item, struct arena *arena, const char *first,
	struct text second, struct error *err)
{
	item->title = text_format(arena, "%s %.*s", first, TEXT_ARGS(second));
	return item->title.data != NULL || gather_no_memory(err);
}

/* Whose the tool, model or peer is. */
static struct text resource_unit(const struct registry *registry, const struct entitlement *line)
{
	static const enum object_kind kinds[] = {[RESOURCE_TOOL] = OBJECT_TOOL,
		[RESOURCE_DATA_SOURCE] = OBJECT_DATA_SOURCE,
		[RESOURCE_MODEL] = OBJECT_SERVER,
		[RESOURCE_PEER] = OBJECT_IDENTITY};
	struct text name = line->resource;
	const struct registry_entry *entry;

	if (line->resource_kind == RESOURCE_MODEL)
		name.length = (size_t)text_find_byte(name, '/');
	if (line->resource_kind == RESOURCE_NONE)
		return TEXT("");
	entry = registry_find(registry, kinds[line->resource_kind], name);
	return entry == NULL || entry->in_force == NULL
		       ? TEXT("")
		       : registry_unit_of(registry, entry->in_force);
}

static bool add_entitlement(const struct looked *looked, uint32_t at, struct error *err)
{
	const struct registry *registry = looked->gathering->service->parts.registry;
	const struct object *object = looked->entry->in_force;
	const struct entitlement *line = &charter_of(object)->entitlements[at];
	const struct json *lines = json_find(looked->document, "entitlements");
	struct arena *arena = looked->gathering->arena;
	struct review_item *item = start_item(looked, REVIEW_ITEM_ENTITLEMENT, err);

	if (item == NULL)
		return false;
	item->effect = line->effect;
	item->ends_utc_s = line->expires_utc_s;
	item->resource_unit = text_copy(arena, resource_unit(registry, line));
	if (line->resource_kind == RESOURCE_TOOL)
		item->sensitivity = tool_sensitivity(
			registry, charter_of(object), registry_find_tool(registry, line->resource));
	/* Data sources have no door of their own: nobody sees such a line used. */
	item->use.is_unsure = line->resource_kind == RESOURCE_DATA_SOURCE;
	if (item->resource_unit.data == NULL)
		return gather_no_memory(err);
	return name_item(item, arena, effect_word(line->effect), line->resource, err) &&
	       keep_line(item, arena, &lines->items[at], err);
}

static bool add_peer(const struct looked *looked, uint32_t at, struct error *err)
{
	const struct object *object = looked->entry->in_force;
	const struct charter_peer *peer = &charter_of(object)->peers[at];
	const struct json *lines = json_find(looked->document, "peers");
	struct gathering *gathering = looked->gathering;
	const struct charter *other =
		registry_find_charter(gathering->service->parts.registry, peer->identity);
	struct review_item *item = start_item(looked, REVIEW_ITEM_PEER, err);
	struct text via;

	if (item == NULL)
		return false;
	item->sensitivity = peer->up_to;
	item->resource_unit = text_copy(gathering->arena, other == NULL ? TEXT("") : other->unit);
	via = looked->visited->via.length == 0
		      ? item->identity
		      : text_format(gathering->arena, "%.*s > %.*s",
				TEXT_ARGS(looked->visited->via), TEXT_ARGS(item->identity));
	if (item->resource_unit.data == NULL || via.data == NULL)
		return gather_no_memory(err);
	if (other != NULL && looked->visited->hops < REVIEW_VIA_HOPS_MAX &&
		!visit(gathering, peer->identity, via, looked->visited->hops + 1))
		return gather_no_memory(err);
	return name_item(item, gathering->arena, "peer", peer->identity, err) &&
	       keep_line(item, gathering->arena, &lines->items[at], err);
}

static bool key_name(
	struct text *out, struct arena *arena, const struct charter_key *key, struct error *err)
{
	char written[DIGEST_TEXT_BYTES], thumbprint[JWK_THUMBPRINT_BYTES];
	struct public_key *public = NULL;
	bool ok = true;

	if (key->has_certificate)
		digest_format(written, &key->certificate);
	else
		ok = jwk_parse(&public, &key->jwk, err) && jwk_thumbprint(thumbprint, public, err);
	public_key_destroy(&public);
	if (!ok)
		return false;
	*out = text_copy(arena, text_of(key->has_certificate ? written : thumbprint));
	return out->data != NULL || gather_no_memory(err);
}

static bool add_key(const struct looked *looked, uint32_t at, struct error *err)
{
	const struct object *object = looked->entry->in_force;
	const struct charter_key *key = &charter_of(object)->keys[at];
	const struct json *lines = json_find(looked->document, "keys");
	struct arena *arena = looked->gathering->arena;
	struct review_item *item = start_item(looked, REVIEW_ITEM_CREDENTIAL, err);
	struct text name;

	if (item == NULL)
		return false;
	item->environments = environment_bit(key->environment);
	item->ends_utc_s = key->expires_utc_s;
	return key_name(&name, arena, key, err) &&
	       name_item(item, arena, "credential", name, err) &&
	       keep_line(item, arena, &lines->items[at], err);
}

static bool add_rule(const struct looked *looked, uint32_t at, struct error *err)
{
	const struct object *object = looked->entry->in_force;
	const struct federation_rule *rule = &charter_of(object)->federation[at];
	const struct json *lines = json_find(looked->document, "federation");
	struct arena *arena = looked->gathering->arena;
	struct review_item *item = start_item(looked, REVIEW_ITEM_FEDERATION, err);

	if (item == NULL)
		return false;
	item->environments = environment_bit(rule->environment);
	return name_item(item, arena, "federation", rule->issuer, err) &&
	       keep_line(item, arena, &lines->items[at], err);
}

static bool add_acting(const struct looked *looked, struct error *err)
{
	const struct json *clause = json_find(looked->document, "acts-for");
	struct arena *arena = looked->gathering->arena;
	struct review_item *item;

	if (clause == NULL)
		return true;
	item = start_item(looked, REVIEW_ITEM_CONSENT, err);
	return item != NULL && name_item(item, arena, "consent", TEXT("people"), err) &&
	       keep_line(item, arena, clause, err);
}

struct inheriting {
	const struct looked *looked;
	struct error *err;
};

static bool add_inherited(void *context, const struct review_inherited *one)
{
	struct inheriting *inheriting = context;
	struct review_item *item =
		start_item(inheriting->looked, REVIEW_ITEM_INHERITED, inheriting->err);
	struct arena *arena = inheriting->looked->gathering->arena;

	if (item == NULL)
		return false;
	item->effect = one->effect;
	item->sensitivity = one->sensitivity;
	item->use = (struct review_use){.known_utc_ms = one->since_utc_ms,
		.last_utc_ms = one->last_utc_ms,
		.uses = one->uses};
	item->title = text_copy(arena, one->title);
	return item->title.data != NULL || gather_no_memory(inheriting->err);
}

static bool add_all_inherited(const struct looked *looked, struct error *err)
{
	const struct review_ports *ports = &looked->gathering->service->ports;
	struct inheriting inheriting = {looked, err};

	error_clear(err);
	if (ports->each_inherited == NULL)
		return true;
	return ports->each_inherited(
		       ports->providers, looked->visited->name, add_inherited, &inheriting, err) &&
	       err->code == ERROR_NONE;
}

static bool collect_identity(
	struct gathering *gathering, const struct visited *visited, struct error *err)
{
	struct looked looked = {.gathering = gathering,
		.entry = registry_find(
			gathering->service->parts.registry, OBJECT_IDENTITY, visited->name),
		.visited = visited};
	const struct charter *charter;
	struct json document;
	bool ok = true;

	if (looked.entry == NULL || looked.entry->in_force == NULL ||
		looked.entry->state == IDENTITY_RETIRED)
		return true;
	charter = charter_of(looked.entry->in_force);
	looked.document = &document;
	if (!object_document(looked.entry->in_force, gathering->service->scratch, &document, err))
		return false;
	for (uint32_t i = 0; ok && i < charter->entitlements_count; i++)
		ok = add_entitlement(&looked, i, err);
	for (uint32_t i = 0; ok && i < charter->peers_count; i++)
		ok = add_peer(&looked, i, err);
	for (uint32_t i = 0; ok && i < charter->keys_count; i++)
		ok = add_key(&looked, i, err);
	for (uint32_t i = 0; ok && i < charter->federation_count; i++)
		ok = add_rule(&looked, i, err);
	return ok && add_acting(&looked, err) && add_all_inherited(&looked, err);
}

static bool is_in_scope(const struct review_scope *scope, const struct registry_entry *entry)
{
	const struct charter *charter =
		entry->in_force == NULL ? NULL : charter_of(entry->in_force);

	return charter != NULL && entry->state != IDENTITY_RETIRED &&
	       (scope->unit.length == 0 || text_equal(scope->unit, charter->unit)) &&
	       (scope->owner.length == 0 || text_equal(scope->owner, owner_of(entry)) ||
		       text_equal(scope->owner, charter->backup_owner)) &&
	       (scope->identity.length == 0 || text_equal(scope->identity, charter->name)) &&
	       (scope->risk == RISK_NONE ||
		       risk_tier_level(charter->risk) >= risk_tier_level(scope->risk));
}

/* Some names of the registry a step. */
struct scanning {
	struct gathering *gathering;
	uint32_t left;
	bool ok;
};

static bool scan_entry(void *context, const struct registry_entry *entry)
{
	struct scanning *scanning = context;
	struct gathering *gathering = scanning->gathering;

	gathering->after = entry->name; /* a name once there stays */
	if (is_in_scope(&gathering->review->scope, entry))
		scanning->ok = visit(gathering, entry->name, TEXT(""), 0);
	return scanning->ok && --scanning->left > 0;
}

static bool scan_scope(struct gathering *gathering, struct error *err)
{
	struct scanning scanning = {.gathering = gathering, .left = GATHER_IDENTITIES, .ok = true};
	const struct registry *registry = gathering->service->parts.registry;

	if (gathering->review->scope.identity.length > 0) {
		scanning.ok = visit(gathering, gathering->review->scope.identity, TEXT(""), 0);
		gathering->is_scanned = true;
	} else {
		registry_each(registry, OBJECT_IDENTITY, gathering->after, scan_entry, &scanning);
		gathering->is_scanned = scanning.left > 0;
	}
	return scanning.ok || gather_no_memory(err);
}

bool gather_collect(struct gathering *gathering, struct error *err)
{
	size_t before = gathering->items_count;

	if (!gathering->is_scanned && gathering->queue_at == gathering->queue_count &&
		!scan_scope(gathering, err))
		return false;
	for (int i = 0;
		i < REVIEW_STEP_IDENTITIES && gathering->queue_at < gathering->queue_count &&
		gathering->items_count < before + COLLECT_LINES;
		i++)
		if (!collect_identity(gathering, gathering->queue[gathering->queue_at++], err))
			return false;
	if (!gathering->is_scanned || gathering->queue_at < gathering->queue_count)
		return true;
	if (gathering->items_count == 0)
		return error_set(err, ERROR_NOT_FOUND, "nothing is in this scope");
	gathering->stage = GATHER_COUNT;
	gathering->after = TEXT("");
	return true;
}
