/* Standing access as findings: one for each credential that stands, opened when it is seen and
 * closed by remit itself once it stands no more.
 *
 *   idle ──the registry changed, or an hour is over──▶ identities ─▶ servers ─▶ findings ─▶ idle
 *
 * Invariants:
 *  1. A step looks at FINDING_STANDING_LOOKS things at most, whatever there is.
 *  2. What is open of this kind and no longer true is closed in the pass that sees it; a change
 *     under way starts another pass, so nothing is missed by having been looked at before.
 *  3. They take FINDING_STANDING_MAX of the room for findings; the list has all, always. */
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "services/finding/finding_private.h"

enum { LOOK_ARENA_BYTES_MAX = 1024 * 1024 };

/* One step, or one page of the list. */
struct looking {
	struct finding_service *service;
	struct arena *arena;
	struct standing found[STANDING_PER_OBJECT_MAX];
	size_t count;
	uint32_t left;
	struct text last; /* name of the entry that was looked at last */
	struct json_builder *items;
	struct text behind; /* of a page: the id that it begins behind; empty: from the start */
	struct error err;
};

static bool find_standing(struct looking *looking, const struct registry_entry *entry)
{
	int64_t now_utc_s = fold_stamp_utc_ms(looking->service->fold) / 1000;

	looking->count = 0;
	return standing_of(
		entry, now_utc_s, looking->arena, looking->found, &looking->count, &looking->err);
}

/* The finding of it, open or on its way; NULL: there is none. */
static const struct finding_node *node_of(const struct looking *looking, struct text id)
{
	struct text key = finding_key(looking->arena, FINDING_STANDING_ACCESS, id);

	return key.data == NULL ? NULL : name_table_find(looking->service->by_key, key);
}

static bool has_room(const struct finding_service *service)
{
	const struct finding_node *node = name_table_next(service->by_key, TEXT(""));
	size_t count = 0;

	for (; node != NULL; node = name_table_next(service->by_key, node->key))
		count += node->finding.kind == FINDING_STANDING_ACCESS;
	return count < FINDING_STANDING_MAX;
}

/* ---- opening ---- */

static bool put_facts(struct json_builder *object, const struct standing *one)
{
	const char *environment = environment_word(one->environment);
	struct text remedy = standing_remedy(object->arena, one);

	json_put_text(object, "object", one->object);
	json_put_cstring(object, "stands", standing_kind_word(one->kind));
	json_put_text_unless_empty(object, "credential", one->credential);
	if (environment != NULL)
		json_put_cstring(object, "environment", environment);
	json_put_cstring(object, "severity", risk_tier_word(one->severity));
	json_put_text(object, "command", remedy);
	return remedy.data != NULL;
}

static bool report_one(
	struct looking *looking, const struct standing *one, uint32_t version, struct error *err)
{
	struct finding_draft draft = {.kind = FINDING_STANDING_ACCESS,
		.subject = one->id,
		.control = "G-15",
		.what = text_of(standing_kind_meaning(one->kind)),
		.unit = one->unit};
	struct json_builder object;
	struct json details;

	json_object_start(&object, looking->arena);
	if (!put_facts(&object, one))
		return error_set(err, ERROR_LIMIT, "no memory for a finding");
	json_put_integer(&object, "version", version);
	if (!json_object_seal(&object, &details, err))
		return false;
	draft.details = &details;
	return finding_report(looking->service, &draft, err);
}

static bool look_at_entry(void *context, const struct registry_entry *entry)
{
	struct looking *looking = context;
	struct error err;

	looking->last = entry->name;
	if (!find_standing(looking, entry))
		return false;
	for (size_t i = 0; i < looking->count; i++) {
		if (node_of(looking, looking->found[i].id) != NULL || !has_room(looking->service))
			continue;
		if (!report_one(looking, &looking->found[i], entry->in_force->version, &err))
			log_warn("standing_not_reported", LOG_TEXT("what", looking->found[i].id),
				LOG_STRING("why", err.text));
	}
	return --looking->left > 0;
}

/* ---- closing ---- */

static bool still_stands(struct looking *looking, const struct finding *finding)
{
	struct text object =
		finding->details == NULL ? TEXT("") : json_text_or(finding->details, "object", "");
	ptrdiff_t slash = text_find_byte(object, '/');
	struct text kind = {object.data, slash < 0 ? 0 : (size_t)slash};
	const struct registry_entry *entry =
		slash < 0 ? NULL
			  : registry_find(looking->service->registry, object_kind_of(kind),
				    text_after(object, (size_t)slash + 1));

	if (entry == NULL)
		return false;
	if (!find_standing(looking, entry))
		return true; /* without memory nothing is closed */
	for (size_t i = 0; i < looking->count; i++)
		if (text_equal(looking->found[i].id, finding->subject))
			return true;
	return false;
}

/* The next one behind pass->id, which is where it looked last: that one may be gone. */
static const struct finding *next_finding(
	const struct finding_service *service, const struct standing_pass *pass)
{
	const struct finding behind = {.id = text_of(pass->id)};

	return finding_next(service, behind.id.length == 0 ? NULL : &behind);
}

/* Over the findings that are open; whether some are left. */
static bool look_at_findings(struct looking *looking, struct standing_pass *pass)
{
	struct finding_service *service = looking->service;
	const struct finding *finding = next_finding(service, pass);
	struct error err;

	for (; finding != NULL && looking->left > 0; finding = next_finding(service, pass)) {
		assert(finding->id.length < sizeof pass->id);
		memcpy(pass->id, finding->id.data, finding->id.length);
		pass->id[finding->id.length] = '\0';
		looking->left--;
		if (finding->kind == FINDING_STANDING_ACCESS && !still_stands(looking, finding) &&
			!finding_settle(service, finding->id, "it stands no more", &err))
			log_warn("standing_not_closed", LOG_STRING("finding", pass->id),
				LOG_STRING("why", err.text));
	}
	return finding != NULL;
}

/* ---- the pass ---- */

static bool is_due(const struct finding_service *service, int64_t now_utc_s)
{
	const struct standing_pass *pass = &service->standing;

	return pass->generation != registry_generation(service->registry) ||
	       now_utc_s < pass->begun_utc_s ||
	       now_utc_s - pass->begun_utc_s >= FINDING_STANDING_AGAIN_S;
}

static void next_stage(struct standing_pass *pass)
{
	pass->stage = pass->stage == STANDING_STAGE_FINDINGS
			      ? STANDING_STAGE_IDLE
			      : (enum standing_stage)(pass->stage + 1);
	pass->after = TEXT("");
	pass->id[0] = '\0';
}

/* A stage is over when it left something of what it might look at. */
static void run_stage(struct looking *looking, struct standing_pass *pass)
{
	enum object_kind kind =
		pass->stage == STANDING_STAGE_IDENTITIES ? OBJECT_IDENTITY : OBJECT_SERVER;
	bool has_more;

	if (pass->stage == STANDING_STAGE_FINDINGS) {
		has_more = look_at_findings(looking, pass);
	} else {
		looking->last = pass->after;
		registry_each(
			looking->service->registry, kind, pass->after, look_at_entry, looking);
		has_more = looking->left == 0;
		pass->after = looking->last; /* a name once there stays */
	}
	if (!has_more)
		next_stage(pass);
}

bool finding_look_standing(struct finding_service *service)
{
	struct standing_pass *pass = &service->standing;
	struct looking looking = {.service = service, .left = FINDING_STANDING_LOOKS};
	int64_t now_utc_s = fold_stamp_utc_ms(service->fold) / 1000;

	if (pass->stage == STANDING_STAGE_IDLE) {
		if (!is_due(service, now_utc_s))
			return false;
		next_stage(pass);
		pass->generation = registry_generation(service->registry);
		pass->begun_utc_s = now_utc_s;
	}
	looking.arena = arena_create_small(LOOK_ARENA_BYTES_MAX, 4096);
	if (looking.arena == NULL)
		return true;
	run_stage(&looking, pass);
	arena_destroy(&looking.arena);
	return pass->stage != STANDING_STAGE_IDLE;
}

/* ---- the list ---- */

static struct text listed_id(struct arena *arena, const struct standing *one)
{
	ptrdiff_t slash = text_find_byte(one->object, '/');

	return text_format(arena, "%.*s%.*s", (int)slash + 1, one->object.data, TEXT_ARGS(one->id));
}

static bool put_item(struct looking *looking, const struct standing *one, struct text id)
{
	const struct finding_node *node = node_of(looking, one->id);
	struct json_builder object;
	struct json item;

	json_object_start(&object, looking->arena);
	json_put_text(&object, "id", id);
	json_put_cstring(&object, "what", standing_kind_meaning(one->kind));
	if (!put_facts(&object, one))
		return error_set(&looking->err, ERROR_LIMIT, "the list is too long");
	json_put_text(&object, "unit", one->unit);
	if (node != NULL && node->is_open) {
		json_put_text(&object, "finding", node->finding.id);
		json_put_integer(&object, "since", node->finding.opened_utc_ms);
	}
	if (!json_object_seal(&object, &item, &looking->err))
		return false;
	json_add(looking->items, item);
	return true;
}

/* Those of one entry, from the one behind looking->behind if it is among them. */
static bool list_entry(void *context, const struct registry_entry *entry)
{
	struct looking *looking = context;
	size_t first = 0;

	if (!find_standing(looking, entry))
		return false;
	for (size_t i = 0; i < looking->count && looking->behind.length > 0; i++)
		if (text_equal(listed_id(looking->arena, &looking->found[i]), looking->behind))
			first = i + 1;
	for (size_t i = first; i < looking->count && looking->left > 0; i++, looking->left--) {
		struct text id = listed_id(looking->arena, &looking->found[i]);

		if (id.data == NULL || !put_item(looking, &looking->found[i], id))
			return false;
	}
	return looking->left > 0;
}

/* "KIND/NAME/..." as kind and name. */
static struct text name_of(struct text after, const char *prefix)
{
	return text_before(text_after(after, strlen(prefix)), '/');
}

/* The rest of the entry that the page before stopped in, and those behind it. */
static void list_kind(struct looking *looking, enum object_kind kind, struct text name)
{
	const struct registry *registry = looking->service->registry;
	const struct registry_entry *entry =
		name.length == 0 ? NULL : registry_find(registry, kind, name);

	if (entry != NULL && !list_entry(looking, entry))
		return;
	looking->behind = TEXT("");
	registry_each(registry, kind, name, list_entry, looking);
}

bool finding_list_standing(struct finding_service *service, struct text after, uint32_t count,
	struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder items;
	struct looking looking = {.service = service,
		.arena = arena,
		.left = count,
		.items = &items,
		.behind = after};
	bool is_in_servers = text_starts_with(after, "server/");

	json_array_start(&items, arena);
	if (!is_in_servers)
		list_kind(&looking, OBJECT_IDENTITY,
			text_starts_with(after, "identity/") ? name_of(after, "identity/")
							     : TEXT(""));
	if (looking.left > 0 && looking.err.code == ERROR_NONE)
		list_kind(&looking, OBJECT_SERVER,
			is_in_servers ? name_of(after, "server/") : TEXT(""));
	if (looking.err.code != ERROR_NONE) {
		*err = looking.err;
		return false;
	}
	return json_array_seal(&items, out, err);
}
