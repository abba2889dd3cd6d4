/* What Cedar is asked: four to six entities, one context (docs/policies.md).
 *
 * Everything lives in the call's arena.  Attributes are texts, as charters
 * write them, so that policies read like charters. */

#include "cedar/from_json.h"
#include "domain/decide/evaluation.h"

enum { ATTRIBUTES_MAX = 10, ENTITIES_MAX = 6, ENVIRONMENTS = 4 };

/* Attributes of one entity, collected; in the order of their names, so that
 * nothing has to be sorted. */
struct attributes {
	struct cedar_member items[ATTRIBUTES_MAX];
	size_t count;
};

static struct cedar_text cedar_word(const char *word)
{
	return cedar_text_of(word == NULL ? "" : word);
}

static void put_value(
	struct attributes *attributes, struct cedar_text name, struct cedar_value value)
{
	attributes->items[attributes->count++] =
		(struct cedar_member){.name = name, .value = value};
}

/* The name is a literal. */
#define put(attributes, name, value) put_value((attributes), CEDAR_TEXT(name), (value))
#define put_text(attributes, name, value)                                                          \
	put(attributes, name, cedar_value_string(cedar_text_from(value)))
#define put_word(attributes, name, word) put(attributes, name, cedar_value_string(cedar_word(word)))

static bool record_of(
	struct evaluation *evaluation, const struct attributes *attributes, struct cedar_value *out)
{
	struct cedar_error err;

	return cedar_value_record(out, cedar_arena_from(evaluation->arena), attributes->items,
		attributes->count, &err);
}

static bool set_of_texts(struct evaluation *evaluation, const struct text *texts, size_t count,
	struct cedar_value *out)
{
	struct cedar_value *items = arena_array(evaluation->arena, struct cedar_value, count + 1);
	struct cedar_error err;
	size_t i;

	if (items == NULL)
		return false;
	for (i = 0; i < count; i++)
		items[i] = cedar_value_string(cedar_text_from(texts[i]));
	return cedar_value_set(out, cedar_arena_from(evaluation->arena), items, count, &err);
}

static struct cedar_uid uid_of(const char *type, struct text id)
{
	return cedar_uid_of(cedar_text_of(type), cedar_text_from(id));
}

/* An entity below one or two others.  Parents are copied to the arena. */
static bool entity_fill(struct evaluation *evaluation, struct cedar_entity *entity,
	const struct attributes *attributes, const struct cedar_uid *parents, size_t parents_count)
{
	struct cedar_uid *copy =
		arena_array(evaluation->arena, struct cedar_uid, parents_count + 1);
	size_t i;

	if (copy == NULL)
		return false;
	for (i = 0; i < parents_count; i++)
		copy[i] = parents[i];
	entity->parents = copy;
	entity->parent_count = parents_count;
	return attributes == NULL || record_of(evaluation, attributes, &entity->attributes);
}

static bool identity_fill(struct evaluation *evaluation, const struct registry_entry *entry,
	struct cedar_entity *entity)
{
	const struct charter *charter = entry->in_force->charter;
	struct text environments[ENVIRONMENTS];
	struct attributes attributes = {.count = 0};
	struct cedar_uid unit = uid_of("Unit", charter->unit);
	struct cedar_value set;
	size_t count = 0;
	int i;

	for (i = ENVIRONMENT_DEV; i <= ENVIRONMENT_PROD; i++)
		if (charter_has_environment(charter, (enum environment)i))
			environments[count++] = text_of(environment_word((enum environment)i));
	if (!set_of_texts(evaluation, environments, count, &set))
		return false;
	put_word(&attributes, "class", use_class_word(charter->use_class));
	put(&attributes, "environments", set);
	put_word(&attributes, "kind", identity_kind_word(charter->kind));
	put_text(&attributes, "owner", charter->owner);
	put_word(&attributes, "risk", risk_tier_word(charter->risk));
	put_text(&attributes, "unit", charter->unit);
	entity->uid = uid_of("Identity", entry->name);
	return entity_fill(evaluation, entity, &attributes, &unit, 1);
}

/* The highest of all data sources the tool's lines name, whatever the
 * arguments; one that is unknown or unlabelled counts as restricted. */
static enum sensitivity tool_sensitivity(const struct evaluation *evaluation)
{
	enum sensitivity highest = SENSITIVITY_PUBLIC;
	uint32_t i;

	for (i = 0; i < evaluation->tool->reads_count; i++) {
		const struct data_source *source = registry_find_data_source(
			evaluation->world->registry, evaluation->tool->reads[i].data_source);
		enum sensitivity one =
			source == NULL ? SENSITIVITY_UNLABELLED : source->sensitivity;

		if (sensitivity_level(one) >= sensitivity_level(SENSITIVITY_RESTRICTED))
			return SENSITIVITY_RESTRICTED;
		if (sensitivity_level(one) > sensitivity_level(highest))
			highest = one;
	}
	return highest;
}

static const char *reversal_or_worst(enum reversal value)
{
	return reversal_word(value == REVERSAL_NONE ? REVERSAL_IRREVERSIBLE : value);
}

/* A FILTERED method is asked about as a harmless tool of its server. */
static bool resource_fill(struct evaluation *evaluation, struct cedar_entity *entity)
{
	const struct tool *tool = evaluation->tool;
	const struct server *server = evaluation->server;
	struct cedar_uid parents[] = {uid_of("Server", server->name), uid_of("Unit", server->unit)};
	struct attributes attributes = {.count = 0};
	enum risk_tier risk = tool == NULL ? RISK_LOW : tool->risk;

	put_word(&attributes, "effect", effect_word(evaluation->effect));
	put_word(&attributes, "environment", environment_word(server->environment));
	put_word(&attributes, "reversal",
		reversal_or_worst(tool == NULL ? REVERSAL_NONE_NEEDED : tool->reversal));
	put_word(&attributes, "risk", risk_tier_word(risk == RISK_NONE ? RISK_CRITICAL : risk));
	put_word(&attributes, "sensitivity",
		sensitivity_word(tool == NULL ? SENSITIVITY_PUBLIC : tool_sensitivity(evaluation)));
	put_text(&attributes, "server", server->name);
	put_text(&attributes, "unit", server->unit);
	entity->uid = uid_of("Tool", evaluation->call->tool);
	return entity_fill(evaluation, entity, &attributes, parents, 2);
}

static bool entities_build(struct evaluation *evaluation, const struct registry_entry *principal)
{
	struct cedar_entity *entities =
		arena_array(evaluation->arena, struct cedar_entity, ENTITIES_MAX);
	struct cedar_arena *arena = cedar_arena_from(evaluation->arena);
	const struct charter *charter = principal->in_force->charter;
	struct cedar_error err;
	size_t count = 0;

	if (entities == NULL || !identity_fill(evaluation, principal, &entities[count++]) ||
		!resource_fill(evaluation, &entities[count++]))
		return false;
	evaluation->request.principal = entities[0].uid;
	evaluation->request.resource = entities[1].uid;
	entities[count++].uid = uid_of("Server", evaluation->server->name);
	entities[count++].uid = uid_of("Unit", charter->unit);
	if (!text_equal(charter->unit, evaluation->server->unit))
		entities[count++].uid = uid_of("Unit", evaluation->server->unit);
	entities[count++].uid = evaluation->request.action;
	return cedar_entities_overlay(&evaluation->entities, arena, NULL, entities, count, &err);
}

/* Remembers, below "args", what Cedar could not hold. */
static void lose(void *closure, const struct text *path, size_t count)
{
	struct evaluation *evaluation = closure;
	struct cedar_text *names = NULL;
	size_t i;

	if (evaluation->lost_count < LOST_PATHS_MAX && count < LOST_PATH_NAMES_MAX)
		names = arena_array(evaluation->arena, struct cedar_text, count + 1);
	if (names == NULL) {
		evaluation->has_lost_too_much = true;
		return;
	}
	names[0] = CEDAR_TEXT("args");
	for (i = 0; i < count; i++)
		names[i + 1] = cedar_text_from(path[i]);
	evaluation->lost[evaluation->lost_count++] = (struct lost_path){names, count + 1};
}

static bool task_record(struct evaluation *evaluation, struct cedar_value *out)
{
	struct attributes attributes = {.count = 0};
	const struct task *task = evaluation->task;

	put(&attributes, "depth", cedar_value_long(task == NULL ? 0 : (int64_t)task->depth));
	put_text(&attributes, "id", evaluation->call->task);
	put_text(&attributes, "person", task == NULL ? TEXT("") : task->person);
	put_text(&attributes, "purpose", task == NULL ? TEXT("") : task->purpose);
	return record_of(evaluation, &attributes, out);
}

static bool labels_record(struct evaluation *evaluation, struct cedar_value *out)
{
	struct attributes attributes = {.count = 0};
	const struct task *task = evaluation->task;
	enum sensitivity label = task == NULL ? SENSITIVITY_UNLABELLED : task->label;

	put_word(&attributes, "sensitivity",
		sensitivity_word(label == SENSITIVITY_UNLABELLED ? SENSITIVITY_PUBLIC : label));
	put(&attributes, "untrusted",
		cedar_value_bool(task != NULL && task->has_untrusted_content));
	return record_of(evaluation, &attributes, out);
}

/* The identities on the path, the caller's own included. */
static bool chain_set(struct evaluation *evaluation, struct cedar_value *out)
{
	struct text identities[TASK_DEPTH_MAX + 1];
	const struct task *task = evaluation->task;
	size_t count = 0;

	identities[count++] = evaluation->entry->name;
	for (; task != NULL && count <= TASK_DEPTH_MAX; task = task->parent)
		identities[count++] = task->identity;
	return set_of_texts(evaluation, identities, count, out);
}

/* Replaces one member; the record is the evaluation's own. */
bool evaluation_set_approvals(struct evaluation *evaluation, const struct text *names, size_t count)
{
	const struct cedar_value old = evaluation->request.context;
	struct attributes attributes = {.count = 0};
	struct cedar_value set;
	uint32_t i;

	if (count == 0 && evaluation->approvals_count == 0)
		return true;
	if (!set_of_texts(evaluation, names, count, &set))
		return false;
	evaluation->approvals_count = count;
	for (i = 0; i < old.count; i++) {
		struct cedar_text name = old.members[i].name;

		put_value(&attributes, name,
			text_is(cedar_text_to(name), "approvals") ? set : old.members[i].value);
	}
	return record_of(evaluation, &attributes, &evaluation->request.context);
}

static bool context_build(struct evaluation *evaluation)
{
	struct cedar_value args, task, labels, chain, none;
	struct attributes attributes = {.count = 0};
	struct cedar_error err;

	if (!cedar_value_from_json(
		    &args, evaluation->arena, &evaluation->call->arguments, lose, evaluation, &err))
		return false;
	if (args.type != CEDAR_RECORD || !task_record(evaluation, &task) ||
		!labels_record(evaluation, &labels) || !chain_set(evaluation, &chain) ||
		!set_of_texts(evaluation, NULL, 0, &none))
		return false;
	put(&attributes, "approvals", none);
	put(&attributes, "args", args);
	put(&attributes, "chain", chain);
	put_word(&attributes, "environment", environment_word(evaluation->call->environment));
	put(&attributes, "labels", labels);
	put(&attributes, "task", task);
	return record_of(evaluation, &attributes, &evaluation->request.context);
}

bool evaluation_build_request(struct evaluation *evaluation)
{
	evaluation->request.action = uid_of("Action", text_of(effect_word(evaluation->effect)));
	return evaluation_set_principal(evaluation, evaluation->entry) && context_build(evaluation);
}

bool evaluation_set_principal(struct evaluation *evaluation, const struct registry_entry *entry)
{
	if (evaluation->principal == entry)
		return true;
	evaluation->principal = NULL;
	if (!entities_build(evaluation, entry))
		return false;
	evaluation->principal = entry;
	return true;
}

/* ---- what Cedar could not hold --------------------------------------------- */

static bool policy_mentions_lost(
	const struct evaluation *evaluation, const struct cedar_policy_set *set, size_t index)
{
	static const struct cedar_text args[] = {{"args", 4}};
	size_t i;

	if (evaluation->has_lost_too_much && cedar_policy_mentions(set, index, args, 1))
		return true;
	for (i = 0; i < evaluation->lost_count; i++)
		if (cedar_policy_mentions(
			    set, index, evaluation->lost[i].names, evaluation->lost[i].count))
			return true;
	return false;
}

bool evaluation_mentions_lost(
	const struct evaluation *evaluation, const struct cedar_policy_set *set, size_t *index)
{
	size_t count = cedar_policy_set_count(set);

	if (evaluation->lost_count == 0 && !evaluation->has_lost_too_much)
		return false;
	for (*index = 0; *index < count; (*index)++)
		if (cedar_policy_applies(set, *index, evaluation->entities, &evaluation->request) &&
			policy_mentions_lost(evaluation, set, *index))
			return true;
	return false;
}

bool evaluation_expression_mentions_lost(
	const struct evaluation *evaluation, const struct cedar_expression *expression)
{
	static const struct cedar_text args[] = {{"args", 4}};
	size_t i;

	if (evaluation->has_lost_too_much && cedar_expression_mentions(expression, args, 1))
		return true;
	for (i = 0; i < evaluation->lost_count; i++)
		if (cedar_expression_mentions(
			    expression, evaluation->lost[i].names, evaluation->lost[i].count))
			return true;
	return false;
}
