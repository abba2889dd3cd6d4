/* Looking at everything, a step a turn, and at what changed as soon as it did.
 *
 *   idle ──half an hour is over, or too much waits──▶ keys
 *   keys ─▶ people ─▶ entries ─▶ nodes ─▶ rows ─▶ idle
 *   idle or not ──a subject was touched──▶ it, and what hangs on it by one step
 *
 * Invariants:
 *  1. A step looks at POSTURE_LOOKS subjects at most, whatever there is; what was touched comes
 *     before the pass.
 *  2. A row says what was so when its subject was looked at last; every subject that changes is
 *     touched, so that is what is so now, but for what time alone did since the last pass.
 *  3. Only a whole pass makes anything fresh: before the first one nothing has passed. */
#include "services/posture/posture_private.h"

#include <stdlib.h>
#include <time.h>

#include "base/log.h"

static const char *const state_words[] = {
	[CONTROL_UNPROVEN] = "unproven",
	[CONTROL_STALE] = "stale",
	[CONTROL_FAILING] = "failing",
	[CONTROL_PASSING] = "passing",
};

const char *control_state_word(enum control_state value)
{
	return state_words[value];
}

/* ---- making ---- */

static bool make_tables(struct posture *posture, struct error *err)
{
	posture->key_holders = key_holders_create();
	posture->rows = name_table_create();
	posture->dirty = name_table_create();
	posture->found = name_table_create();
	if (posture->key_holders == NULL || posture->rows == NULL || posture->dirty == NULL ||
		posture->found == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for posture");
	return true;
}

/* What changes ahead of the records that were read. */
static void on_changing(void *context, const struct registry_entry *entry)
{
	struct posture *posture = context;

	if (posture->watch != NULL)
		record_watch_changing(posture->watch, entry);
}

bool posture_create(struct posture **out, const struct posture_parts *parts, struct error *err)
{
	struct posture *posture = calloc(1, sizeof *posture);

	*out = NULL;
	if (posture == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for posture");
	posture->parts = *parts;
	if (catalogue_create(&posture->catalogue, err) && make_tables(posture, err) &&
		posture_watch(posture, err) && posture_fold_found(posture, err) &&
		posture_fold_days(posture, err)) {
		posture_use_waivers(posture);
		registry_listen(parts->registry,
			&(struct registry_listener){.context = posture, .changing = on_changing});
		*out = posture;
		return true;
	}
	posture_destroy(&posture);
	return false;
}

void posture_destroy(struct posture **posture)
{
	struct posture *one = *posture;

	if (one == NULL)
		return;
	registry_listen(one->parts.registry, &(struct registry_listener){0});
	catalogue_destroy(&one->catalogue);
	key_holders_destroy(&one->key_holders);
	record_watch_destroy(&one->watch);
	posture_proof_drop(one);
	name_table_destroy(&one->rows, free);
	name_table_destroy(&one->dirty, free);
	name_table_destroy(&one->found, free);
	free(one);
	*posture = NULL;
}

const struct catalogue *posture_catalogue(const struct posture *posture)
{
	return posture->catalogue;
}

/* ---- looking at one subject ---- */

/* One step. */
struct looking {
	struct posture *posture;
	struct control_world world;
	uint32_t left;
	bool has_stopped; /* behind an entry that more may follow */
};

static void count_asked(struct posture *posture, check_set asked)
{
	while (asked != 0) {
		posture->pass.subjects[__builtin_ctzll(asked)]++;
		asked &= asked - 1;
	}
}

static void keep(struct looking *looking, struct text subject, check_set asked, check_set violated)
{
	struct error err;

	looking->posture->looked++;
	if (!posture_row_set(looking->posture, subject, asked, violated, &err))
		log_warn("violation_not_kept", LOG_TEXT("subject", subject),
			LOG_STRING("why", err.text));
}

static struct text subject_of(struct looking *looking, const char *kind, struct text name)
{
	return text_format(looking->world.scratch, "%s/%.*s", kind, TEXT_ARGS(name));
}

static void look_at_entry(struct looking *looking, const struct registry_entry *entry)
{
	struct text subject = subject_of(looking, object_kind_word(entry->kind), entry->name);
	check_set asked = check_set_of_entry(entry->kind), violated;
	struct error err;

	if (asked == 0 || subject.data == NULL)
		return;
	if (check_entry(&looking->world, entry, &violated, &err))
		keep(looking, subject, asked, violated);
	else
		log_warn("subject_not_checked", LOG_TEXT("subject", subject),
			LOG_STRING("why", err.text));
}

static int64_t monotonic_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What takes longer to explain counts as unexplained. */
static void look_at_node(struct looking *looking, const struct graph_node *node)
{
	struct text subject = subject_of(looking, graph_node_kind_word(node->kind), node->name);
	check_set asked = check_set_of_node(node->kind), violated;
	int64_t began_ns;

	if (asked == 0 || subject.data == NULL)
		return;
	began_ns = monotonic_ns();
	check_node(&looking->world, node, &violated);
	if (monotonic_ns() - began_ns > (int64_t)POSTURE_EXPLAIN_MS * 1000000)
		violated |= asked & check_bit(CHECK_PERMISSION_UNEXPLAINED);
	keep(looking, subject, asked, violated);
}

/* By its name; what is gone violates nothing any more. */
static void look_at(struct looking *looking, struct text subject)
{
	const struct registry *registry = looking->posture->parts.registry;
	const struct graph *graph = looking->posture->parts.graph;
	enum object_kind kind = object_kind_of(subject_kind(subject));
	enum graph_node_kind node_kind = graph_node_kind_of(subject_kind(subject));
	struct text name = subject_name(subject);
	const struct registry_entry *entry =
		kind == OBJECT_NONE ? NULL : registry_find(registry, kind, name);
	struct graph_node node;

	if (entry != NULL && kind == OBJECT_IDENTITY &&
		!key_holders_note(looking->posture->key_holders, entry, looking->world.scratch))
		log_warn("keys_not_noted", LOG_TEXT("identity", name));
	if (entry != NULL && kind == OBJECT_PERSON &&
		!key_holders_note_person(looking->posture->key_holders, entry))
		log_warn("sign_in_not_noted", LOG_TEXT("person", name));
	if (entry != NULL)
		look_at_entry(looking, entry);
	else if (kind != OBJECT_NONE)
		keep(looking, subject, check_set_of_entry(kind), 0);
	if (graph == NULL)
		return;
	if (graph_find(graph, node_kind, name, &node))
		look_at_node(looking, &node);
	else
		keep(looking, subject, check_set_of_node(node_kind), 0);
}

/* ---- what was touched ---- */

static bool has_shared_key(const struct posture *posture, struct text subject)
{
	const struct row *row = posture_row_find(posture, subject);

	return row != NULL &&
	       (row->violated & (check_bit(CHECK_KEY_SHARED) | check_bit(CHECK_KEY_ACROSS))) != 0;
}

static void look_at_one(struct looking *looking, const struct dirty *dirty)
{
	struct posture *posture = looking->posture;
	bool had_shared = has_shared_key(posture, dirty->subject);

	look_at(looking, dirty->subject);
	if (dirty->dirt == DIRT_ROOT)
		posture_spread(posture, dirty->subject,
			had_shared || has_shared_key(posture, dirty->subject));
}

static void look_at_dirty(struct looking *looking)
{
	struct name_table *waiting = looking->posture->dirty;
	struct dirty *dirty = name_table_next(waiting, TEXT(""));

	for (; dirty != NULL && looking->left > 0; dirty = name_table_next(waiting, TEXT(""))) {
		name_table_remove(waiting, dirty->subject);
		look_at_one(looking, dirty);
		free(dirty);
		looking->left--;
	}
}

/* ---- everything ---- */

static bool visit_keys(void *context, const struct registry_entry *entry)
{
	struct looking *looking = context;

	looking->posture->pass.after = entry->name;
	if (!key_holders_note(looking->posture->key_holders, entry, looking->world.scratch))
		log_warn("keys_not_noted", LOG_TEXT("identity", entry->name));
	looking->has_stopped = --looking->left == 0;
	return !looking->has_stopped;
}

static bool visit_person(void *context, const struct registry_entry *entry)
{
	struct looking *looking = context;

	looking->posture->pass.after = entry->name;
	if (!key_holders_note_person(looking->posture->key_holders, entry))
		log_warn("sign_in_not_noted", LOG_TEXT("person", entry->name));
	looking->has_stopped = --looking->left == 0;
	return !looking->has_stopped;
}

static bool visit_entry(void *context, const struct registry_entry *entry)
{
	struct looking *looking = context;

	looking->posture->pass.after = entry->name;
	if (entry->in_force != NULL)
		count_asked(looking->posture, check_set_of_entry(entry->kind));
	look_at_entry(looking, entry);
	looking->has_stopped = --looking->left == 0;
	return !looking->has_stopped;
}

static void pass_keys(struct looking *looking, struct pass *pass)
{
	registry_each(looking->posture->parts.registry, OBJECT_IDENTITY, pass->after, visit_keys,
		looking);
	if (looking->has_stopped)
		return;
	pass->stage = PASS_PEOPLE;
	pass->after = TEXT("");
}

static void pass_people(struct looking *looking, struct pass *pass)
{
	registry_each(looking->posture->parts.registry, OBJECT_PERSON, pass->after, visit_person,
		looking);
	if (looking->has_stopped)
		return;
	pass->stage = PASS_ENTRIES;
	pass->kind = OBJECT_NONE + 1;
	pass->after = TEXT("");
}

static void pass_entries(struct looking *looking, struct pass *pass)
{
	registry_each(
		looking->posture->parts.registry, pass->kind, pass->after, visit_entry, looking);
	if (looking->has_stopped)
		return;
	pass->after = TEXT("");
	if (++pass->kind < OBJECT_KIND_COUNT)
		return;
	pass->stage = looking->posture->parts.graph == NULL ? PASS_ROWS : PASS_NODES;
	pass->node = 0;
}

static void pass_nodes(struct looking *looking, struct pass *pass)
{
	struct graph_node node;

	while (looking->left > 0) {
		if (!graph_next(
			    looking->posture->parts.graph, GRAPH_NODE_NONE, pass->node, &node)) {
			pass->stage = PASS_ROWS;
			return;
		}
		pass->node = node.id;
		count_asked(looking->posture, check_set_of_node(node.kind));
		look_at_node(looking, &node);
		looking->left--;
	}
}

static void pass_over(struct posture *posture)
{
	struct pass *pass = &posture->pass;

	memcpy(posture->subjects, pass->subjects, sizeof pass->subjects);
	posture->passed_utc_ms = pass->begun_utc_ms;
	posture->is_changed = true;
	pass->stage = PASS_IDLE;
}

/* Rows of what is not there any more: nothing else visits them. */
static void pass_rows(struct looking *looking, struct pass *pass)
{
	struct posture *posture = looking->posture;

	for (; looking->left > 0; looking->left--) {
		const struct row *row =
			name_table_next(posture->rows, (struct text){pass->row, pass->row_length});

		if (row == NULL) {
			pass_over(posture);
			return;
		}
		pass->row_length = row->subject.length;
		memcpy(pass->row, row->subject.data, row->subject.length);
		look_at(looking, (struct text){pass->row, pass->row_length});
	}
}

static void begin_pass(struct posture *posture)
{
	posture->pass = (struct pass){
		.stage = PASS_KEYS, .begun_utc_ms = fold_stamp_utc_ms(posture->parts.fold)};
	posture->is_over = false;
}

static bool is_due(const struct posture *posture)
{
	int64_t now = fold_stamp_utc_ms(posture->parts.fold);

	return posture->passed_utc_ms == 0 || posture->is_over || posture->pass.is_again ||
	       now < posture->passed_utc_ms ||
	       now - posture->passed_utc_ms >= (int64_t)POSTURE_AGAIN_S * 1000;
}

static void run_pass(struct looking *looking)
{
	struct pass *pass = &looking->posture->pass;

	if (pass->stage == PASS_KEYS)
		pass_keys(looking, pass);
	else if (pass->stage == PASS_PEOPLE)
		pass_people(looking, pass);
	else if (pass->stage == PASS_ENTRIES)
		pass_entries(looking, pass);
	else if (pass->stage == PASS_NODES)
		pass_nodes(looking, pass);
	else if (pass->stage == PASS_ROWS)
		pass_rows(looking, pass);
}

static void run_step(struct posture *posture, struct arena *arena)
{
	const struct control_witness *witness = &posture->parts.witness;
	struct looking looking = {.posture = posture,
		.left = POSTURE_LOOKS,
		.world = {.registry = posture->parts.registry,
			.graph = posture->parts.graph,
			.key_holders = posture->key_holders,
			.witness = witness->identity == NULL ? NULL : witness,
			.now_utc_s = posture_now_utc_s(posture),
			.scratch = arena}};

	look_at_dirty(&looking);
	if (looking.left > 0)
		run_pass(&looking);
}

bool posture_look(struct posture *posture)
{
	struct arena *arena;
	bool has_work;

	if (posture->started_utc_ms == 0)
		posture->started_utc_ms = fold_stamp_utc_ms(posture->parts.fold);
	if (posture->pass.stage == PASS_IDLE && is_due(posture))
		begin_pass(posture);
	if (posture->pass.stage != PASS_IDLE || name_table_count(posture->dirty) > 0) {
		arena = arena_create_small(POSTURE_ARENA_BYTES_MAX, 65536);
		if (arena == NULL)
			return true;
		run_step(posture, arena);
		arena_destroy(&arena);
	}
	has_work = posture_offer_found(posture);
	has_work = posture_prove(posture) || has_work;
	has_work = posture_read_records(posture) || has_work || posture->pass.stage != PASS_IDLE ||
		   name_table_count(posture->dirty) > 0 || is_due(posture);
	if (!has_work)
		posture_tell(posture);
	return has_work;
}
