/* How a snapshot is made, some identities a turn:
 *
 *   wait     until the uses before this process are read
 *   collect  the lines of each identity in scope, then of each that work is handed to
 *   count    who else has them
 *   judge    evidence, advice and weight; frozen in parts, each a record
 *   open     the record that names them by their hash
 *
 * Nothing is believed before the last record: parts without it are forgotten at the next start. */
#include <stdlib.h>

#include "domain/charter/owner.h"
#include "domain/token/jwk.h"
#include "services/review/review_private.h"

enum {
	GATHER_ARENA_BYTES_MAX = 256 * 1024 * 1024,
	GATHER_KEY_BYTES_MAX = 768,
	COUNT_IDENTITIES = 256, /* in one step */
	COUNT_LINES = 1024,     /* of theirs */
	COLLECT_LINES = 256,
};

enum gather_stage { GATHER_WAIT = 0, GATHER_COLLECT, GATHER_COUNT, GATHER_JUDGE, GATHER_OPEN };

/* An identity to be looked at, because it is in scope or work comes to it. */
struct visited {
	struct text name;
	struct text via;
	int hops;
};

struct gathering {
	struct arena *arena;
	struct review_service *service;
	struct review *review;
	enum gather_stage stage;
	int64_t days;
	int64_t due_utc_ms;
	struct text after; /* the registry's */
	bool is_scanned;
	struct name_table *visited; /* values in arena */
	struct visited **queue;
	size_t queue_count;
	size_t queue_capacity;
	size_t queue_at;
	struct review_item *items;
	size_t items_count;
	size_t items_capacity;
	size_t items_at;
	struct review_item **order;  /* in that of the snapshot */
	struct name_table *counters; /* ▸ int64_t in arena */
	struct sha256_running *digest;
	uint64_t event; /* index of the record that asked for it */
	size_t parts;
	size_t parts_durable;
	struct text reason; /* why it ended without a review */
	struct answer_proof proof;
	struct error err;
};

void gathering_destroy(struct gathering **gathering)
{
	if (*gathering == NULL)
		return;
	name_table_destroy(&(*gathering)->visited, NULL);
	name_table_destroy(&(*gathering)->counters, NULL);
	sha256_end(&(*gathering)->digest);
	free((*gathering)->queue);
	free((*gathering)->items);
	arena_destroy(&(*gathering)->arena);
	free(*gathering);
	*gathering = NULL;
}

static bool no_memory(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "no memory for a snapshot");
}

/* ---- beginning ---- */

static bool copy_all(struct arena *arena, struct text *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		*texts[i] = text_copy(arena, *texts[i]);
		if (texts[i]->data == NULL)
			return false;
	}
	return true;
}

static bool take_request(
	struct review *review, const struct review_request *request, struct error *err)
{
	struct text *const texts[] = {&review->name, &review->actor, &review->scope.unit,
		&review->scope.owner, &review->scope.identity};

	review->scope = request->scope;
	review->name = request->name;
	review->actor = request->person.length == 0 ? TEXT("remit")
						    : text_format(review->arena, "person:%.*s",
							      TEXT_ARGS(request->person));
	review->cause =
		request->cause == REVIEW_TRIGGER_NONE ? REVIEW_TRIGGER_PERSON : request->cause;
	for (size_t i = 0; i < request->reviewers_count; i++) {
		review->reviewers[i] = text_copy(review->arena, request->reviewers[i]);
		if (review->reviewers[i].data == NULL)
			return no_memory(err);
	}
	review->reviewers_count = request->reviewers_count;
	return copy_all(review->arena, texts, sizeof texts / sizeof *texts) || no_memory(err);
}

static bool gathering_create(struct gathering **out, struct review_service *service,
	struct review *review, const struct review_request *request, struct error *err)
{
	struct gathering *gathering = calloc(1, sizeof *gathering);

	*out = NULL;
	if (gathering == NULL)
		return no_memory(err);
	*gathering = (struct gathering){.service = service, .review = review};
	gathering->arena = arena_create(GATHER_ARENA_BYTES_MAX);
	gathering->visited = name_table_create();
	gathering->counters = name_table_create();
	gathering->digest = sha256_begin();
	gathering->days = request->days;
	if (gathering->arena != NULL && gathering->visited != NULL && gathering->counters != NULL &&
		gathering->digest != NULL) {
		gathering->proof.signature = text_copy(gathering->arena, request->proof.signature);
		gathering->proof.body = text_copy(gathering->arena, request->proof.body);
		if (gathering->proof.body.data != NULL && gathering->proof.signature.data != NULL) {
			*out = gathering;
			return true;
		}
	}
	gathering_destroy(&gathering);
	return no_memory(err);
}

static size_t count_open(const struct review_service *service)
{
	const struct review *review = name_table_next(service->reviews, TEXT(""));
	size_t count = 0;

	for (; review != NULL; review = name_table_next(service->reviews, text_of(review->id)))
		count += review->stage == REVIEW_STAGE_OPEN ||
			 review->stage == REVIEW_STAGE_GATHERING;
	return count;
}

bool review_gather(struct review_service *service, const struct review_request *request,
	const struct review_event *event, struct review **out, struct error *err)
{
	char id[RANDOM_ID_BYTES];
	struct review *review;

	*out = NULL;
	if (count_open(service) >= REVIEWS_OPEN_MAX)
		return error_set(err, ERROR_LIMIT, "%d reviews are open already", REVIEWS_OPEN_MAX);
	random_id(id, "v-");
	if (!review_add(service, text_of(id), &review, err))
		return false;
	if (take_request(review, request, err) &&
		gathering_create(&review->gathering, service, review, request, err)) {
		review->gathering->event = event == NULL ? 0 : event->index;
		*out = review;
		return true;
	}
	review_forget(service, review);
	return false;
}

/* ---- collecting ---- */

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
		no_memory(err);
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
		return no_memory(err);
	item->line = kept;
	return json_copy(kept, arena, line, err);
}

/* What all items of one identity have. */
static struct review_item *start_item(
	const struct looked *looked, enum review_item_kind kind, struct error *err)
{
	const struct charter *charter = looked->entry->in_force->charter;
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
	no_memory(err);
	return NULL;
}

static bool name_item(struct review_item *item, struct arena *arena, const char *first,
	struct text second, struct error *err)
{
	item->title = text_format(arena, "%s %.*s", first, TEXT_ARGS(second));
	return item->title.data != NULL || no_memory(err);
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
	const struct entitlement *line = &object->charter->entitlements[at];
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
			registry, object->charter, registry_find_tool(registry, line->resource));
	/* Data sources have no door of their own: nobody sees such a line used. */
	item->use.is_unsure = line->resource_kind == RESOURCE_DATA_SOURCE;
	if (item->resource_unit.data == NULL)
		return no_memory(err);
	return name_item(item, arena, effect_word(line->effect), line->resource, err) &&
	       keep_line(item, arena, &lines->items[at], err);
}

static bool add_peer(const struct looked *looked, uint32_t at, struct error *err)
{
	const struct object *object = looked->entry->in_force;
	const struct charter_peer *peer = &object->charter->peers[at];
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
		return no_memory(err);
	if (other != NULL && looked->visited->hops < REVIEW_VIA_HOPS_MAX &&
		!visit(gathering, peer->identity, via, looked->visited->hops + 1))
		return no_memory(err);
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
	return out->data != NULL || no_memory(err);
}

static bool add_key(const struct looked *looked, uint32_t at, struct error *err)
{
	const struct object *object = looked->entry->in_force;
	const struct charter_key *key = &object->charter->keys[at];
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
	const struct federation_rule *rule = &object->charter->federation[at];
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
	return item->title.data != NULL || no_memory(inheriting->err);
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
	charter = looked.entry->in_force->charter;
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
	const struct charter *charter = entry->in_force == NULL ? NULL : entry->in_force->charter;

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
	uint32_t lines; /* looked at */
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
	struct scanning scanning = {.gathering = gathering, .left = COUNT_IDENTITIES, .ok = true};
	const struct registry *registry = gathering->service->parts.registry;

	if (gathering->review->scope.identity.length > 0) {
		scanning.ok = visit(gathering, gathering->review->scope.identity, TEXT(""), 0);
		gathering->is_scanned = true;
	} else {
		registry_each(registry, OBJECT_IDENTITY, gathering->after, scan_entry, &scanning);
		gathering->is_scanned = scanning.left > 0;
	}
	return scanning.ok || no_memory(err);
}

static bool collect(struct gathering *gathering, struct error *err)
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

/* ---- counting ---- */

/* What is counted: "unit kind" all of them, "unit kind title" those with it, "> name" those that
 * hand work to it. */
static struct text counter_key(char out[GATHER_KEY_BYTES_MAX], const struct charter *charter,
	const char *what, struct text name)
{
	struct buffer key;
	struct text text;

	buffer_init_in(&key, GATHER_KEY_BYTES_MAX, out, GATHER_KEY_BYTES_MAX);
	if (charter != NULL) {
		buffer_append_text(&key, charter->unit);
		buffer_append_byte(&key, ' ');
		buffer_append_string(&key, identity_kind_word(charter->kind));
	}
	if (name.length > 0) {
		buffer_append_byte(&key, ' ');
		buffer_append_string(&key, what);
		buffer_append_byte(&key, ' ');
		buffer_append_text(&key, name);
	}
	text = buffer_failed(&key) ? TEXT("") : (struct text){out, key.length};
	buffer_deinit(&key);
	return text;
}

static int64_t *counter_of(const struct gathering *gathering, const struct charter *charter,
	const char *what, struct text name)
{
	char bytes[GATHER_KEY_BYTES_MAX];
	struct text key = counter_key(bytes, charter, what, name);

	return key.length == 0 ? NULL : name_table_find(gathering->counters, key);
}

static bool want_counter(struct gathering *gathering, const struct charter *charter,
	const char *what, struct text name)
{
	char bytes[GATHER_KEY_BYTES_MAX];
	struct text key = counter_key(bytes, charter, what, name);
	int64_t *counter;

	if (key.length == 0 || name_table_find(gathering->counters, key) != NULL)
		return true;
	counter = arena_new(gathering->arena, int64_t);
	return counter != NULL && name_table_put(gathering->counters, key, counter);
}

/* "read files/x" is "read" and "files/x". */
static struct text title_rest(struct text title, char out[16])
{
	ptrdiff_t blank = text_find_byte(title, ' ');

	if (blank <= 0 || blank >= 16)
		return (struct text){0};
	memcpy(out, title.data, (size_t)blank);
	out[blank] = '\0';
	return text_after(title, (size_t)blank + 1);
}

static bool want_item(struct gathering *gathering, const struct review_item *item)
{
	const struct charter *charter =
		registry_find_charter(gathering->service->parts.registry, item->identity);
	char what[16];
	struct text rest = title_rest(item->title, what);

	if (charter == NULL || rest.length == 0)
		return true;
	return want_counter(gathering, charter, "", TEXT("")) &&
	       want_counter(gathering, NULL, ">", item->identity) &&
	       (item->kind > REVIEW_ITEM_PEER || want_counter(gathering, charter, what, rest));
}

/* Each of the wanted once for an identity, however many lines it has for it. */
static void count_line(const struct gathering *gathering, const struct charter *charter,
	const char *what, struct text name)
{
	int64_t *counter = counter_of(gathering, charter, what, name);

	if (counter != NULL)
		(*counter)++;
}

static bool is_repeated(const struct charter *charter, uint32_t at)
{
	for (uint32_t i = 0; i < at; i++)
		if (charter->entitlements[i].effect == charter->entitlements[at].effect &&
			text_equal(charter->entitlements[i].resource,
				charter->entitlements[at].resource))
			return true;
	return false;
}

/* Returns how many lines it looked at. */
static uint32_t count_charter(const struct gathering *gathering, const struct charter *charter)
{
	int64_t *all = counter_of(gathering, charter, "", TEXT(""));

	for (uint32_t i = 0; i < charter->peers_count; i++)
		count_line(gathering, NULL, ">", charter->peers[i].identity);
	if (all == NULL)
		return charter->peers_count;
	(*all)++;
	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		if (!is_repeated(charter, i))
			count_line(gathering, charter, effect_word(charter->entitlements[i].effect),
				charter->entitlements[i].resource);
	for (uint32_t i = 0; i < charter->peers_count; i++)
		count_line(gathering, charter, "peer", charter->peers[i].identity);
	return charter->entitlements_count + charter->peers_count;
}

static bool count_entry(void *context, const struct registry_entry *entry)
{
	struct scanning *scanning = context;
	const struct gathering *gathering = scanning->gathering;
	const struct charter *charter = entry->in_force == NULL ? NULL : entry->in_force->charter;

	scanning->gathering->after = entry->name;
	if (charter != NULL && entry->state != IDENTITY_RETIRED)
		scanning->lines += count_charter(gathering, charter);
	if (--scanning->left > 0 && scanning->lines >= COUNT_LINES)
		scanning->left = 0;
	return scanning->left > 0;
}

static int compare_items(const void *a, const void *b)
{
	return review_item_compare(
		*(struct review_item *const *)a, *(struct review_item *const *)b);
}

/* What is moved is small: there may be many. */
static bool sort_items(struct gathering *gathering)
{
	gathering->order =
		arena_array(gathering->arena, struct review_item *, gathering->items_count + 1);
	if (gathering->order == NULL)
		return false;
	for (size_t i = 0; i < gathering->items_count; i++)
		gathering->order[i] = &gathering->items[i];
	qsort(gathering->order, gathering->items_count, sizeof *gathering->order, compare_items);
	return true;
}

static bool count(struct gathering *gathering, struct error *err)
{
	struct scanning scanning = {.gathering = gathering, .left = COUNT_IDENTITIES, .ok = true};

	if (gathering->items_at < gathering->items_count) { /* what is wanted */
		for (int i = 0;
			i < COUNT_IDENTITIES && gathering->items_at < gathering->items_count; i++)
			if (!want_item(gathering, &gathering->items[gathering->items_at++]))
				return no_memory(err);
		return true;
	}
	registry_each(gathering->service->parts.registry, OBJECT_IDENTITY, gathering->after,
		count_entry, &scanning);
	if (scanning.left == 0)
		return true;
	if (!sort_items(gathering))
		return no_memory(err);
	gathering->items_at = 0;
	gathering->stage = GATHER_JUDGE;
	return true;
}

/* ---- judging ---- */

static void add_evidence(struct gathering *gathering, struct review_item *item)
{
	const struct review_service *service = gathering->service;
	const struct charter *charter =
		registry_find_charter(service->parts.registry, item->identity);
	bool is_unsure = item->use.is_unsure;
	const int64_t *have, *all, *handed;
	char what[16];
	struct text rest = title_rest(item->title, what);

	if (item->kind == REVIEW_ITEM_INHERITED || charter == NULL || rest.length == 0)
		return;
	review_uses_find(
		service->uses, item->identity, item->title, review_now(service), &item->use);
	item->use.is_unsure = item->use.is_unsure || is_unsure;
	have = counter_of(gathering, charter, what, rest);
	all = counter_of(gathering, charter, "", TEXT(""));
	handed = counter_of(gathering, NULL, ">", item->identity);
	item->alike = (struct review_alike){
		have == NULL ? 0 : *have, have == NULL || all == NULL ? 0 : *all};
	item->handed_by = handed == NULL ? 0 : *handed;
}

static void on_part(void *context, uint64_t index, const struct error *err)
{
	struct gathering *gathering = context;

	(void)index;
	if (err != NULL && gathering->err.code == ERROR_NONE)
		gathering->err = *err;
	gathering->parts_durable++;
}

/* The items of one part, as the bytes that lie beside its record. */
static bool write_items(
	struct gathering *gathering, size_t end, struct buffer *out, struct error *err)
{
	struct arena *scratch = gathering->service->scratch;

	buffer_append_byte(out, '[');
	for (size_t i = gathering->items_at; i < end; i++) {
		struct review_item *item = gathering->order[i];
		struct json value;
		size_t begin;

		add_evidence(gathering, item);
		if (!review_judge(item, scratch, review_now(gathering->service), err) ||
			!review_item_json(&value, scratch, item, err))
			return false;
		if (i > gathering->items_at)
			buffer_append_byte(out, ',');
		begin = out->length;
		json_canonical(out, &value);
		if (buffer_failed(out))
			return no_memory(err);
		sha256_add(gathering->digest, i == 0 ? "[" : ",", 1);
		sha256_add(gathering->digest, out->data + begin, out->length - begin);
	}
	buffer_append_byte(out, ']');
	return !buffer_failed(out) || no_memory(err);
}

static bool send_part(struct gathering *gathering, size_t end, struct text items, struct error *err)
{
	struct review_service *service = gathering->service;
	struct sha256 digest = sha256_of(items.data, items.length);
	struct review_record *record;

	if (!review_record_create(&record, service, "review-items", gathering->review->actor, err))
		return false;
	record->context = gathering;
	record->done = on_part;
	record->change.content = text_copy(record->arena, items);
	if (record->change.content.data == NULL) {
		review_record_destroy(&record);
		return no_memory(err);
	}
	json_put_cstring(&record->object, "review", gathering->review->id);
	json_put_integer(&record->object, "part", (int64_t)gathering->parts + 1);
	json_put_integer(&record->object, "count", (int64_t)(end - gathering->items_at));
	json_put_digest(&record->object, "content", &digest);
	if (!review_record_send(&record, service, err))
		return false;
	gathering->parts++;
	return true;
}

static bool judge(struct gathering *gathering, struct error *err)
{
	size_t end = gathering->items_at + REVIEW_PART_ITEMS;
	struct buffer items;
	bool ok;

	if (end > gathering->items_count)
		end = gathering->items_count;
	buffer_init(&items, REVIEW_SCRATCH_BYTES_MAX);
	ok = write_items(gathering, end, &items, err) &&
	     send_part(gathering, end, buffer_text(&items), err);
	buffer_deinit(&items);
	gathering->items_at = end;
	if (ok && end == gathering->items_count)
		gathering->stage = GATHER_OPEN;
	return ok;
}

/* ---- opening ---- */

static void on_opened(void *context, uint64_t index, const struct error *err)
{
	struct gathering *gathering = context;

	(void)index;
	if (err != NULL && gathering->err.code == ERROR_NONE)
		gathering->err = *err;
	gathering->parts_durable++;
}

static bool put_scope(
	struct json_builder *record, const struct review_scope *scope, struct error *err)
{
	struct json_builder object;
	struct json sealed;

	json_object_start(&object, record->arena);
	json_put_text_unless_empty(&object, "unit", scope->unit);
	json_put_text_unless_empty(&object, "owner", scope->owner);
	json_put_text_unless_empty(&object, "identity", scope->identity);
	if (scope->risk != RISK_NONE)
		json_put_cstring(&object, "risk", risk_tier_word(scope->risk));
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(record, "scope", sealed);
	return true;
}

static void put_opening(struct json_builder *record, const struct gathering *gathering)
{
	const struct review *review = gathering->review;

	json_put_cstring(record, "review", review->id);
	json_put_cstring(record, "cause", review_trigger_word(review->cause));
	json_put_text_unless_empty(record, "name", review->name);
	json_put_integer(record, "items", (int64_t)gathering->items_count);
	json_put_integer(record, "parts", (int64_t)gathering->parts);
	json_put_integer(record, "due_utc_ms",
		review_now(gathering->service) + gathering->days * REVIEW_DAY_MS);
	json_put_integer(record, "known_utc_ms", review_uses_known(gathering->service->uses));
	if (gathering->event != 0)
		json_put_integer(record, "event", (int64_t)gathering->event);
	if (review->reviewers_count > 0)
		json_put_texts(record, "reviewers", review->reviewers, review->reviewers_count);
	json_put_text_unless_empty(record, "signature", gathering->proof.signature);
	json_put_text_unless_empty(record, "signed", gathering->proof.body);
}

static bool open_review(struct gathering *gathering, struct error *err)
{
	struct review_service *service = gathering->service;
	struct review_record *record;
	struct sha256 snapshot;

	if (gathering->digest == NULL)
		return true; /* it is on its way */
	sha256_add(gathering->digest, "]", 1);
	snapshot = sha256_so_far(gathering->digest);
	sha256_end(&gathering->digest);
	if (!review_record_create(&record, service, "review-opened", gathering->review->actor, err))
		return false;
	record->context = gathering;
	record->done = on_opened;
	put_opening(&record->object, gathering);
	json_put_digest(&record->object, "snapshot", &snapshot);
	if (!put_scope(&record->object, &gathering->review->scope, err)) {
		review_record_destroy(&record);
		return false;
	}
	if (!review_record_send(&record, service, err))
		return false;
	gathering->parts++;
	return true;
}

/* ---- steps ---- */

static bool step(struct gathering *gathering, struct error *err)
{
	if (gathering->err.code != ERROR_NONE) {
		*err = gathering->err;
		return false;
	}
	switch (gathering->stage) {
	case GATHER_WAIT:
		if (gathering->service->scan.is_done)
			gathering->stage = GATHER_COLLECT;
		return true;
	case GATHER_COLLECT: return collect(gathering, err);
	case GATHER_COUNT: return count(gathering, err);
	case GATHER_JUDGE: return judge(gathering, err);
	case GATHER_OPEN: return open_review(gathering, err);
	}
	return true;
}

/* What is on its way to the log names the gathering: it must come back first. */
static bool fail(struct gathering *gathering, const struct error *err)
{
	struct review *review = gathering->review;

	gathering->err = *err;
	if (gathering->parts_durable < gathering->parts)
		return true;
	if (err->code == ERROR_NOT_FOUND) /* nothing is there: nothing to try again */
		review_settle_event(gathering->service, review->scope.identity, gathering->event);
	gathering->service->items_count -= review->rows_count;
	review->rows_count = 0;
	review->failure = text_copy(review->arena, text_of(err->text));
	review->stage = REVIEW_STAGE_FAILED;
	review->opened_utc_ms = review_now(gathering->service);
	gathering_destroy(&review->gathering);
	return false;
}

bool review_gather_step(struct review_service *service, struct review *review)
{
	struct gathering *gathering = review->gathering;
	struct error err = {0};
	bool ok = step(gathering, &err);

	arena_reset(service->scratch);
	if (!ok)
		return fail(gathering, &err);
	if (gathering->stage != GATHER_OPEN || gathering->digest != NULL ||
		gathering->parts_durable < gathering->parts)
		return true;
	gathering_destroy(&review->gathering);
	return false;
}
