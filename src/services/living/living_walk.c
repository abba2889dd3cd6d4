/* Looking for who is due: one pass over all identities for all that changed before it began.
 *
 *   idle ──something changed, or an hour is over──▶ identities, some a step ──▶ review-looked ──▶
 * idle
 *
 * Invariants:
 *  1. A step looks at LIVING_LOOKS_MAX identities at most, and LIVING_FLIGHT_MAX records are on
 *     their way at most; where there is no room, the identity is looked at in a later step.
 *  2. What changed is forgotten by a record only, which a pass writes when all that it found is
 *     durable: a crash looks again, and finds what is written already by its revision.
 *  3. What was approved after a change was agreed to with it, and is not due by it. */
#include "domain/charter/crossing.h"
#include "services/living/living_private.h"

#include <stdio.h>
#include <string.h>

/* ---- one identity ---- */

/* What of one cause was found. */
struct found {
	uint32_t count;
	const struct living_changed *objects[LIVING_OBJECTS_MAX];
};

struct looking {
	struct living_service *living;
	const struct registry_entry *entry;
	const struct charter *charter;
	int64_t now_utc_ms;
	struct found found[REVIEW_CAUSE_COUNT];
};

static bool is_named(const struct found *found, const struct living_changed *changed)
{
	for (uint32_t i = 0; i < found->count && i < LIVING_OBJECTS_MAX; i++)
		if (found->objects[i] == changed)
			return true;
	return false;
}

static const struct object *object_of(
	const struct living_service *living, enum object_kind kind, struct text name)
{
	const struct registry_entry *entry = registry_find(living->registry, kind, name);

	return entry == NULL ? NULL : entry->in_force;
}

/* Whether a record of this change, or of a later one, is written already. */
static bool is_written(const struct looking *looking, enum review_cause cause, uint64_t revision)
{
	const struct living_due *due =
		living_find_due(living_find(looking->living, looking->entry->name), cause);

	return due != NULL && due->revision >= revision;
}

static void look_for(
	struct looking *looking, enum object_kind kind, struct text name, enum living_whose whose)
{
	char key[LIVING_KEY_BYTES_MAX];
	int length = snprintf(key, sizeof key, "%s/%.*s", object_kind_word(kind), TEXT_ARGS(name));
	const struct living_changed *changed;
	const struct object *object;
	enum review_cause cause;
	struct found *found;

	if (length < 0 || (size_t)length >= sizeof key)
		return;
	changed = name_table_find(looking->living->changed, (struct text){key, (size_t)length});
	object = object_of(looking->living, kind, name);
	if (changed == NULL || !changed->is_looked_for || object == NULL ||
		(whose == LIVING_OF_ANOTHER &&
			looking->entry->in_force_utc_ms > changed->at_utc_ms))
		return;
	cause = living_cause(object, changed->what, whose);
	found = &looking->found[cause];
	if (cause == REVIEW_NONE || is_named(found, changed) ||
		is_written(looking, cause, changed->revisions[changed->revisions_count - 1]))
		return;
	if (found->count < LIVING_OBJECTS_MAX)
		found->objects[found->count] = changed;
	found->count++;
}

static void look_at_tool(struct looking *looking, struct text name)
{
	const struct tool *tool = registry_find_tool(looking->living->registry, name);

	look_for(looking, OBJECT_TOOL, name, LIVING_OF_ANOTHER);
	look_for(looking, OBJECT_SERVER, text_before(name, '/'), LIVING_OF_ANOTHER);
	for (uint32_t i = 0; tool != NULL && i < tool->reads_count; i++)
		look_for(
			looking, OBJECT_DATA_SOURCE, tool->reads[i].data_source, LIVING_OF_ANOTHER);
}

static void look_at_lines(struct looking *looking)
{
	const struct charter *charter = looking->charter;

	for (uint32_t i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];

		if (line->resource_kind == RESOURCE_TOOL)
			look_at_tool(looking, line->resource);
		else if (line->resource_kind == RESOURCE_DATA_SOURCE)
			look_for(looking, OBJECT_DATA_SOURCE, line->resource, LIVING_OF_ANOTHER);
	}
	for (uint32_t i = 0; i < charter->data_sources_count; i++)
		look_for(looking, OBJECT_DATA_SOURCE, charter->data_sources[i].name,
			LIVING_OF_ANOTHER);
	for (uint32_t i = 0; i < charter->models_count; i++)
		look_for(looking, OBJECT_SERVER, charter->models[i].provider, LIVING_OF_ANOTHER);
	for (uint32_t i = 0; i < charter->peers_count; i++)
		look_for(looking, OBJECT_IDENTITY, charter->peers[i].identity, LIVING_OF_ANOTHER);
}

/* ---- sentences ---- */

static struct text words_of(struct arena *arena, uint32_t what)
{
	struct text words = TEXT("");

	for (unsigned i = 1; i < LIVING_CHANGE_COUNT; i++)
		if ((what & 1u << i) != 0)
			words = text_format(arena, "%.*s%s%s", TEXT_ARGS(words),
				words.length > 0 ? ", " : "", living_change_word(i));
	return words;
}

static struct text say_changed(struct arena *arena, const struct found *found)
{
	const struct living_changed *first = found->objects[0];

	if (found->count == 1)
		return text_format(arena, "%.*s changed: %.*s.", TEXT_ARGS(first->key),
			TEXT_ARGS(words_of(arena, first->what)));
	return text_format(arena, "%.*s changed: %.*s; and %u more.", TEXT_ARGS(first->key),
		TEXT_ARGS(words_of(arena, first->what)), found->count - 1);
}

/* ---- records ---- */

struct draft {
	enum review_cause cause;
	int64_t due_utc_ms;
	uint64_t revision;         /* 0: none */
	const struct found *found; /* NULL: time alone */
	const char *what;          /* of time alone */
};

static bool put_objects(struct json_builder *record, const struct found *found, struct error *err)
{
	struct json_builder array;
	struct json objects;

	json_array_start(&array, record->arena);
	for (uint32_t i = 0; i < found->count && i < LIVING_OBJECTS_MAX; i++)
		json_add(&array, json_string(found->objects[i]->key));
	if (!json_array_seal(&array, &objects, err))
		return false;
	json_put(record, "objects", objects);
	return true;
}

/* An end that was said once is not moved by what comes later. */
static int64_t earliest(const struct looking *looking, const struct draft *draft)
{
	const struct living_due *due =
		living_find_due(living_find(looking->living, looking->entry->name), draft->cause);

	return due != NULL && due->due_utc_ms < draft->due_utc_ms ? due->due_utc_ms
								  : draft->due_utc_ms;
}

static bool submit(const struct looking *looking, const struct draft *draft)
{
	struct json_builder *record;
	struct living_work *work;
	struct error err = {0};

	if (!living_work_create(&work, looking->living, "review-due", TEXT("remit"), &err))
		return false;
	record = &work->record->object;
	json_put_text(record, "identity", looking->entry->name);
	json_put_cstring(record, "cause", review_cause_word(draft->cause));
	json_put_text(record, "what",
		draft->found == NULL ? text_of(draft->what)
				     : say_changed(work->record->arena, draft->found));
	json_put_integer(record, "due_utc_ms", earliest(looking, draft));
	json_put_integer(record, "version", looking->entry->in_force->version);
	if (draft->revision != 0)
		json_put_integer(record, "revision", (int64_t)draft->revision);
	if (draft->found != NULL && !put_objects(record, draft->found, &err)) {
		living_work_destroy(work);
		return false;
	}
	return living_work_submit(work, &err);
}

static uint64_t newest(const struct found *found)
{
	uint64_t revision = 0;

	for (uint32_t i = 0; i < found->count && i < LIVING_OBJECTS_MAX; i++) {
		const struct living_changed *changed = found->objects[i];
		uint64_t last = changed->revisions[changed->revisions_count - 1];

		revision = last > revision ? last : revision;
	}
	return revision;
}

static bool submit_found(const struct looking *looking)
{
	int64_t due_utc_ms = looking->now_utc_ms + review_term_s(looking->charter->risk) * 1000;

	for (unsigned cause = 1; cause < REVIEW_CAUSE_COUNT; cause++) {
		const struct found *found = &looking->found[cause];

		if (found->count > 0 &&
			!submit(looking, &(struct draft){(enum review_cause)cause, due_utc_ms,
						 newest(found), found, NULL}))
			return false;
	}
	return true;
}

/* ---- time ---- */

static bool is_open(const struct looking *looking, enum review_cause cause)
{
	return living_find_due(living_find(looking->living, looking->entry->name), cause) != NULL;
}

static bool look_at_cadence(const struct looking *looking)
{
	const struct charter *charter = looking->charter;
	int64_t now_utc_s = looking->now_utc_ms / 1000;
	int64_t looked_utc_s = living_looked_utc_ms(looking->living, looking->entry->name) / 1000;
	int64_t due_utc_s = review_due_utc_s(charter, looked_utc_s, now_utc_s);

	if (due_utc_s == 0 || is_open(looking, REVIEW_CADENCE) ||
		(looked_utc_s != 0 && !review_is_near(due_utc_s, charter->review_s, now_utc_s)))
		return true;
	return submit(looking,
		&(struct draft){REVIEW_CADENCE, due_utc_s * 1000, 0, NULL,
			looked_utc_s == 0 ? "Nobody knows when people last looked at it."
					  : "The time between two looks at it, by its charter, "
					    "ends."});
}

/* Who looked at it since it was near knows, until it is over. */
static bool look_at_risk(const struct looking *looking)
{
	const struct charter *charter = looking->charter;
	int64_t until = charter->risk_record.accepted_until_utc_s;
	int64_t now_utc_s = looking->now_utc_ms / 1000;
	int64_t looked_utc_s = living_looked_utc_ms(looking->living, looking->entry->name) / 1000;

	if (!charter_has_risk_record(charter) || is_open(looking, REVIEW_RISK) ||
		!review_is_near(until, 4 * (int64_t)REVIEW_NOTICE_S, now_utc_s) ||
		(now_utc_s < until && looked_utc_s >= until - REVIEW_NOTICE_S))
		return true;
	return submit(looking, &(struct draft){REVIEW_RISK, until * 1000, 0, NULL,
				       "The time for which its risk was accepted ends."});
}

/* ---- what came into force before units were asked ---- */

static const struct object *find_in_force(void *context, enum object_kind kind, struct text name)
{
	const struct living_service *living = context;

	return object_of(living, kind, name);
}

/* Whether a line of it touches another unit; a reach of peers was always asked about. */
static bool touches_others(const struct looking *looking, struct arena *arena)
{
	const struct reference_world world = {.context = looking->living, .find = find_in_force};
	struct error err;
	struct text units;

	return !charter_crossed_units(&units, arena, looking->charter, &world, &err) ||
	       units.length > 0;
}

/* Its lines hold until its next version; somebody has to ask for that one. */
static bool look_at_units(const struct looking *looking)
{
	const struct living_node *node = living_find(looking->living, looking->entry->name);
	struct arena *arena;
	bool is_due;

	if (looking->entry->units_asked == UNITS_ASKED || is_open(looking, REVIEW_UNITS) ||
		(node != NULL && node->looked_utc_ms > 0))
		return true;
	arena = arena_create_small(LIVING_ARENA_BYTES_MAX, 1024);
	if (arena == NULL)
		return false;
	is_due = touches_others(looking, arena);
	arena_destroy(&arena);
	return !is_due ||
	       submit(looking,
		       &(struct draft){REVIEW_UNITS,
			       looking->now_utc_ms + review_term_s(looking->charter->risk) * 1000,
			       0, NULL,
			       "Its lines touch other units, which were not asked when it came "
			       "into force."});
}

/* ---- the pass ---- */

struct step {
	struct living_service *living;
	uint32_t left;
	bool has_stopped; /* no room for a record */
};

static bool is_alive(const struct registry_entry *entry)
{
	return entry->in_force != NULL && entry->state != IDENTITY_RETIRED &&
	       !charter_is_sandbox(charter_of(entry->in_force));
}

static bool look_at(struct living_service *living, const struct registry_entry *entry)
{
	struct looking looking = {.living = living,
		.entry = entry,
		.charter = charter_of(entry->in_force),
		.now_utc_ms = fold_stamp_utc_ms(living->fold)};

	if (living->pass.looked_for > 0) {
		look_for(&looking, OBJECT_IDENTITY, entry->name, LIVING_OF_ITS_OWN);
		look_at_lines(&looking);
	}
	return submit_found(&looking) && look_at_cadence(&looking) && look_at_risk(&looking) &&
	       look_at_units(&looking);
}

static void keep_place(struct living_pass *pass, struct text name)
{
	size_t length = name.length < sizeof pass->after ? name.length : sizeof pass->after - 1;

	if (length > 0)
		memcpy(pass->after, name.data, length);
	pass->after[length] = '\0';
}

/* An identity may need a record for each cause. */
static bool has_room(const struct living_service *living)
{
	return living->in_flight + REVIEW_CAUSE_COUNT <= LIVING_FLIGHT_MAX;
}

static bool visit(void *context, const struct registry_entry *entry)
{
	struct step *step = context;

	if (step->left == 0)
		return false;
	if (!has_room(step->living) || (is_alive(entry) && !look_at(step->living, entry))) {
		step->has_stopped = true;
		return false;
	}
	keep_place(&step->living->pass, entry->name);
	step->left--;
	return true;
}

static void choose_changed(struct living_service *living)
{
	struct living_changed *changed = name_table_next(living->changed, TEXT(""));

	living->pass.looked_for = 0;
	for (; changed != NULL; changed = name_table_next(living->changed, changed->key)) {
		changed->is_looked_for = living->pass.looked_for < LIVING_CHANGES_AT_ONCE;
		living->pass.looked_for += changed->is_looked_for;
	}
}

static bool put_looked(
	struct living_service *living, struct json_builder *record, struct error *err)
{
	struct living_changed *changed = name_table_next(living->changed, TEXT(""));
	struct json_builder array;
	struct json objects;

	json_array_start(&array, record->arena);
	for (; changed != NULL; changed = name_table_next(living->changed, changed->key))
		for (uint32_t i = 0; changed->is_looked_for && i < changed->revisions_count; i++)
			json_add(&array, json_string(text_format(record->arena, "%.*s@%llu",
						 TEXT_ARGS(changed->key),
						 (unsigned long long)changed->revisions[i])));
	if (!json_array_seal(&array, &objects, err))
		return false;
	json_put(record, "objects", objects);
	return true;
}

/* What came meanwhile stays for the next pass.  False: later. */
static bool finish(struct living_service *living)
{
	struct living_work *work;
	struct error err = {0};

	if (living->in_flight > 0)
		return false;
	living->pass.is_on = false;
	if (living->pass.looked_for == 0 || living->pass.has_lost ||
		!living_work_create(&work, living, "review-looked", TEXT("remit"), &err))
		return true;
	if (!put_looked(living, &work->record->object, &err)) {
		living_work_destroy(work);
		return true;
	}
	if (!living_work_submit(work, &err))
		living->pass.has_lost = true;
	return true;
}

static bool is_due(const struct living_service *living, int64_t now_utc_s)
{
	const struct living_pass *pass = &living->pass;

	/* One that could not be finished is begun again, but not in every turn. */
	if (pass->has_lost && now_utc_s >= pass->begun_utc_s && now_utc_s < pass->begun_utc_s + 5)
		return false;
	return name_table_count(living->changed) > 0 || now_utc_s < pass->begun_utc_s ||
	       now_utc_s - pass->begun_utc_s >= LIVING_AGAIN_S;
}

bool living_step(struct living_service *living)
{
	struct living_pass *pass = &living->pass;
	struct step step = {.living = living, .left = LIVING_LOOKS_MAX};
	int64_t now_utc_s = fold_stamp_utc_ms(living->fold) / 1000;

	if (!pass->is_on) {
		if (living->in_flight > 0 || !is_due(living, now_utc_s))
			return living->in_flight > 0;
		*pass = (struct living_pass){.is_on = true, .begun_utc_s = now_utc_s};
		choose_changed(living);
	}
	registry_each(living->registry, OBJECT_IDENTITY, text_of(pass->after), visit, &step);
	if (step.left > 0 && !step.has_stopped)
		(void)finish(living);
	return true;
}
