/* What was used, by whom, in the last thirteen weeks: counted from the records of decisions and
 * of tasks, those of before this process read in steps, those of now as they are folded.
 *
 * A decision names the tasks of its chain, not their identities, so the identity of each task
 * is remembered, of the newest REVIEW_TASKS_KNOWN_MAX.  Where one is not known any more nobody
 * can say who handed work on: from then on nothing of peers is sure. */
#include <stdlib.h>

#include "services/review/review_private.h"

enum { KEY_BYTES_MAX = 512 };
#define WEEK_MS (7 * REVIEW_DAY_MS)

/* An identity, with what is known of it as a whole. */
struct used_identity {
	int64_t last_utc_ms;
	int64_t changed_utc_ms;
	char name[CHARTER_NAME_BYTES_MAX + 1];
};

struct known_task {
	char id[TASK_ID_BYTES + 1];
	const struct used_identity *identity; /* NULL: the place is free */
};

struct review_uses {
	struct name_table *lines;      /* "IDENTITY WHAT" ▸ struct use_node */
	struct name_table *identities; /* ▸ struct used_identity */
	struct name_table *tasks;      /* ▸ struct known_task, in ring */
	struct known_task *ring;
	size_t newest;
	int64_t known_utc_ms;
	bool is_unsure; /* of peers */
};

bool review_uses_create(struct review_uses **out, struct error *err)
{
	struct review_uses *uses = calloc(1, sizeof *uses);

	*out = NULL;
	if (uses == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for uses");
	uses->lines = name_table_create();
	uses->identities = name_table_create();
	uses->tasks = name_table_create();
	uses->ring = calloc(REVIEW_TASKS_KNOWN_MAX, sizeof *uses->ring);
	if (uses->lines != NULL && uses->identities != NULL && uses->tasks != NULL &&
		uses->ring != NULL) {
		*out = uses;
		return true;
	}
	review_uses_destroy(&uses);
	return error_set(err, ERROR_LIMIT, "no memory for uses");
}

void review_uses_destroy(struct review_uses **uses)
{
	if (*uses == NULL)
		return;
	name_table_destroy(&(*uses)->lines, free);
	name_table_destroy(&(*uses)->identities, free);
	name_table_destroy(&(*uses)->tasks, NULL);
	free((*uses)->ring);
	free(*uses);
	*uses = NULL;
}

void review_uses_set_known(struct review_uses *uses, int64_t known_utc_ms)
{
	uses->known_utc_ms = known_utc_ms;
}

int64_t review_uses_known(const struct review_uses *uses)
{
	return uses->known_utc_ms;
}

/* ---- tables ---- */

/* The text's node, made of size bytes if there is none; NULL: no memory. */
static void *node_of(struct name_table *table, struct text key, size_t size)
{
	void *node = name_table_find(table, key);

	if (node != NULL)
		return node;
	node = calloc(1, size);
	if (node != NULL && !name_table_put(table, key, node)) {
		free(node);
		node = NULL;
	}
	return node;
}

static struct used_identity *identity_of(struct review_uses *uses, struct text name)
{
	struct used_identity *identity;

	if (name.length == 0 || name.length > CHARTER_NAME_BYTES_MAX)
		return NULL;
	identity = node_of(uses->identities, name, sizeof *identity);
	if (identity != NULL && identity->name[0] == '\0')
		memcpy(identity->name, name.data, name.length);
	return identity;
}

/* "IDENTITY WHAT"; a name has no blank.  Empty: too long to be anything. */
static struct text line_key(char out[KEY_BYTES_MAX], struct text identity, struct text what)
{
	if (identity.length + what.length + 1 > KEY_BYTES_MAX)
		return (struct text){0};
	memcpy(out, identity.data, identity.length);
	out[identity.length] = ' ';
	if (what.length > 0)
		memcpy(out + identity.length + 1, what.data, what.length);
	return (struct text){out, identity.length + 1 + what.length};
}

static const struct used_identity *task_identity(const struct review_uses *uses, struct text id)
{
	const struct known_task *task = id.length == 0 ? NULL : name_table_find(uses->tasks, id);

	return task == NULL ? NULL : task->identity;
}

/* The oldest makes room. */
static bool know_task(struct review_uses *uses, struct text id, const struct used_identity *of)
{
	struct known_task *task = &uses->ring[uses->newest];

	if (id.length == 0 || id.length > TASK_ID_BYTES || of == NULL)
		return true;
	if (name_table_find(uses->tasks, id) != NULL)
		return true;
	if (task->identity != NULL)
		(void)name_table_remove(uses->tasks, text_of(task->id));
	*task = (struct known_task){.identity = of};
	memcpy(task->id, id.data, id.length);
	uses->newest = (uses->newest + 1) % REVIEW_TASKS_KNOWN_MAX;
	if (name_table_put(uses->tasks, text_of(task->id), task))
		return true;
	task->identity = NULL;
	return false;
}

/* ---- counting ---- */

/* One use as it is counted. */
struct used {
	struct text identity;
	struct text what;
	struct text task;
	int64_t at_utc_ms;
	enum environment environment;
	enum effect effect;
};

static void count_week(struct use_node *node, int64_t week)
{
	int64_t step = week - node->week;

	if (step < 0)
		step = 0; /* the clock went back: it counts for the newest */
	for (int64_t i = 0; i < step && i < REVIEW_WEEKS; i++)
		node->weeks[(week - i) % REVIEW_WEEKS] = 0;
	if (step > 0)
		node->week = week;
	node->weeks[node->week % REVIEW_WEEKS]++;
}

static uint64_t hash_of(struct text t)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < t.length; i++)
		hash = (hash ^ (unsigned char)t.data[i]) * UINT64_C(1099511628211);
	return hash;
}

static bool count_use(struct review_uses *uses, const struct used *used)
{
	char bytes[KEY_BYTES_MAX];
	struct text key = line_key(bytes, used->identity, used->what);
	uint64_t task = hash_of(used->task);
	struct use_node *node;

	if (key.length == 0)
		return true;
	node = node_of(uses->lines, key, sizeof *node);
	if (node == NULL)
		return false;
	count_week(node, used->at_utc_ms / WEEK_MS);
	if (used->at_utc_ms > node->last_utc_ms)
		node->last_utc_ms = used->at_utc_ms;
	node->tasks += node->last_task != task;
	node->last_task = task;
	node->environments |= environment_bit(used->environment);
	if (used->effect != EFFECT_NONE)
		node->effects |= UINT32_C(1) << used->effect;
	return true;
}

/* ---- records ---- */

static bool count_hop(struct review_uses *uses, struct used used, struct text above)
{
	const struct used_identity *from = task_identity(uses, above);
	char bytes[KEY_BYTES_MAX];
	struct buffer what;
	bool ok;

	if (from == NULL) {
		uses->is_unsure = true;
		return true;
	}
	if (text_is(used.identity, from->name))
		return true;
	buffer_init_in(&what, sizeof bytes, bytes, sizeof bytes);
	buffer_append_string(&what, "peer ");
	buffer_append_text(&what, used.identity);
	used.what = buffer_text(&what);
	used.identity = text_of(from->name);
	ok = buffer_failed(&what) || count_use(uses, &used);
	buffer_deinit(&what);
	return ok;
}

/* Each identity of the chain handed work to the one below it. */
static bool count_hops(struct review_uses *uses, const struct json *chain, const struct used *call)
{
	struct used used = *call;

	for (uint32_t i = 0; chain != NULL && chain->type == JSON_ARRAY && i + 1 < chain->count;
		i++) {
		const struct used_identity *at = task_identity(uses, chain->items[i].string);

		if (chain->items[i + 1].type != JSON_STRING)
			return true;
		used.identity = at == NULL ? call->identity : text_of(at->name);
		if (!count_hop(uses, used, chain->items[i + 1].string))
			return false;
	}
	return true;
}

/* A charter names a peer, a decision its skill, too. */
static struct text tool_of(const struct json *record, enum effect effect)
{
	struct text tool = json_text_or(record, "tool", "");
	ptrdiff_t slash = text_find_byte(tool, '/');

	return effect != EFFECT_DELEGATE || slash < 0 ? tool
						      : (struct text){tool.data, (size_t)slash};
}

static bool take_decision(struct review_uses *uses, const struct json *record)
{
	char bytes[KEY_BYTES_MAX];
	struct used used = {.identity = json_text_or(record, "identity", ""),
		.task = json_text_or(record, "task", ""),
		.at_utc_ms = json_integer_or(record, "at", 0),
		.environment = environment_of(json_text_or(record, "environment", "")),
		.effect = effect_of(json_text_or(record, "effect", ""))};
	struct used_identity *identity;
	struct buffer what;
	bool ok;

	if (!text_is(json_text_or(record, "verdict", ""), "allow"))
		return true;
	identity = identity_of(uses, used.identity);
	if (identity == NULL)
		return used.identity.length == 0;
	if (used.at_utc_ms > identity->last_utc_ms)
		identity->last_utc_ms = used.at_utc_ms;
	buffer_init_in(&what, sizeof bytes, bytes, sizeof bytes);
	buffer_append_text(&what, json_text_or(record, "effect", ""));
	buffer_append_byte(&what, ' ');
	buffer_append_text(&what, tool_of(record, used.effect));
	used.what = buffer_text(&what);
	ok = buffer_failed(&what) ||
	     (count_use(uses, &used) && count_hops(uses, json_find(record, "chain"), &used));
	buffer_deinit(&what);
	return ok;
}

static bool count_proof(
	struct review_uses *uses, const struct used *opened, const char *kind, struct text name)
{
	char bytes[KEY_BYTES_MAX];
	struct used used = *opened;
	struct buffer what;
	bool ok;

	if (name.length == 0)
		return true;
	buffer_init_in(&what, sizeof bytes, bytes, sizeof bytes);
	buffer_append_string(&what, kind);
	buffer_append_byte(&what, ' ');
	buffer_append_text(&what, name);
	used.what = buffer_text(&what);
	ok = buffer_failed(&what) || count_use(uses, &used);
	buffer_deinit(&what);
	return ok;
}

static bool take_opened(struct review_uses *uses, const struct json *record)
{
	const struct json *proof = json_find(record, "proof");
	struct used used = {.identity = json_text_or(record, "identity", ""),
		.task = json_text_or(record, "task", ""),
		.at_utc_ms = json_integer_or(record, "at", 0),
		.environment = environment_of(json_text_or(record, "environment", ""))};
	struct used_identity *identity = identity_of(uses, used.identity);
	struct text above = json_text_or(record, "parent", "");

	if (identity == NULL)
		return used.identity.length == 0;
	if (used.at_utc_ms > identity->last_utc_ms)
		identity->last_utc_ms = used.at_utc_ms;
	return know_task(uses, used.task, identity) &&
	       (above.length == 0 || count_hop(uses, used, above)) &&
	       count_proof(uses, &used, "credential", json_text_or(proof, "key", "")) &&
	       count_proof(uses, &used, "federation", json_text_or(proof, "issuer", "")) &&
	       (json_find(record, "person") == NULL ||
		       count_proof(uses, &used, "consent", TEXT("people")));
}

/* Since when a line may have been there at all. */
static bool take_changes(struct review_uses *uses, const struct json *record)
{
	const struct json *changes = json_find(record, "changes");

	for (uint32_t i = 0; changes != NULL && changes->type == JSON_ARRAY && i < changes->count;
		i++) {
		const struct json *change = &changes->items[i];
		struct used_identity *identity;

		if (!text_is(json_text_or(change, "kind", ""), "identity"))
			continue;
		identity = identity_of(uses, json_text_or(change, "name", ""));
		if (identity == NULL)
			return false;
		identity->changed_utc_ms = json_integer_or(record, "at", 0);
	}
	return true;
}

bool review_uses_take(struct review_uses *uses, const struct json *record, struct error *err)
{
	struct text type = json_text_or(record, "type", "");
	bool ok = true;

	if (text_is(type, "decision"))
		ok = take_decision(uses, record);
	else if (text_is(type, "task-opened"))
		ok = take_opened(uses, record);
	else if (text_is(type, "registry") || text_is(type, "state"))
		ok = take_changes(uses, record);
	return ok || error_set(err, ERROR_LIMIT, "no memory for uses");
}

/* ---- looking ---- */

static int64_t count_recent(const struct use_node *node, int64_t now_utc_ms)
{
	int64_t now_week = now_utc_ms / WEEK_MS, uses = 0;

	for (int64_t week = node->week; week > node->week - REVIEW_WEEKS && week >= 0; week--)
		if (week > now_week - REVIEW_WEEKS)
			uses += node->weeks[week % REVIEW_WEEKS];
	return uses;
}

void review_uses_of_identity(const struct review_uses *uses, struct text identity,
	int64_t *last_utc_ms, int64_t *changed_utc_ms)
{
	const struct used_identity *found =
		identity.length == 0 ? NULL : name_table_find(uses->identities, identity);

	*last_utc_ms = found == NULL ? 0 : found->last_utc_ms;
	*changed_utc_ms = found == NULL ? 0 : found->changed_utc_ms;
}

void review_uses_find(const struct review_uses *uses, struct text identity, struct text what,
	int64_t now_utc_ms, struct review_use *out)
{
	char bytes[KEY_BYTES_MAX];
	struct text key = line_key(bytes, identity, what);
	const struct use_node *node = key.length == 0 ? NULL : name_table_find(uses->lines, key);
	int64_t last_utc_ms;

	*out = (struct review_use){.known_utc_ms = uses->known_utc_ms,
		.is_unsure =
			key.length == 0 || (uses->is_unsure && text_starts_with(what, "peer "))};
	review_uses_of_identity(uses, identity, &last_utc_ms, &out->granted_utc_ms);
	if (node == NULL)
		return;
	out->last_utc_ms = node->last_utc_ms;
	out->uses = count_recent(node, now_utc_ms);
	out->tasks = node->tasks;
	out->environments = node->environments;
	out->effects = node->effects;
}
