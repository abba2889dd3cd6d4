/* What Cedar is asked: the entities (entities.c) and one context (docs/policies.md).
 *
 * The context lives in the call's arena; what it says of the call is made where it is
 * to stay, so that nothing is copied. */

#include "domain/decide/request_parts.h"
#include "domain/secret/fingerprint.h"

enum { CONTEXT_MEMBERS = 12, TASK_MEMBERS = 5, LABELS_MEMBERS = 2, ORIGINS_MEMBERS = 7 };

bool request_set_of_texts(
	struct arena *arena, const struct text *texts, size_t count, struct cedar_value *out)
{
	struct cedar_value *items = NULL;
	struct cedar_error err;
	size_t i;

	if (count != 0) {
		items = arena_array(arena, struct cedar_value, count);
		if (items == NULL)
			return false;
	}
	for (i = 0; i < count; i++)
		items[i] = cedar_value_string(cedar_text_from(texts[i]));
	return cedar_set_seal(out, items, count, &err);
}

/* Remembers, below "args", what Cedar could not hold. */
static void lose(void *closure, const struct text *path, size_t count)
{
	struct evaluation *evaluation = closure;
	struct cedar_text *names = NULL;
	size_t i;

	if (evaluation->lost == NULL)
		evaluation->lost = arena_array(evaluation->arena, struct lost_path, LOST_PATHS_MAX);
	if (evaluation->lost != NULL && evaluation->lost_count < LOST_PATHS_MAX &&
		count < LOST_PATH_NAMES_MAX)
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

/* Whole seconds since the task was opened and its token signed. */
static int64_t age_s(const struct evaluation *evaluation)
{
	const struct task *task = evaluation->task;

	if (task == NULL || evaluation->world->now_utc_ms < task->opened_at_utc_ms)
		return 0;
	return (evaluation->world->now_utc_ms - task->opened_at_utc_ms) / 1000;
}

static struct cedar_value task_record(
	const struct evaluation *evaluation, struct cedar_member *items)
{
	struct attributes attributes = {items, 0};
	const struct task *task = evaluation->task;

	put(&attributes, "age", cedar_value_long(age_s(evaluation)));
	put(&attributes, "depth", cedar_value_long(task == NULL ? 0 : (int64_t)task->depth));
	put_text(&attributes, "id", evaluation->call->task);
	put_text(&attributes, "person", task == NULL ? TEXT("") : task_person(task));
	put_text(&attributes, "purpose", task == NULL ? TEXT("") : task->purpose);
	return attributes_flat(&attributes);
}

static struct cedar_value labels_record(
	const struct evaluation *evaluation, struct cedar_member *items)
{
	struct attributes attributes = {items, 0};
	const struct task_labels *labels = &evaluation->out->labels;
	enum sensitivity label = labels->sensitivity;

	put_word(&attributes, "sensitivity",
		sensitivity_word(label == SENSITIVITY_UNLABELLED ? SENSITIVITY_PUBLIC : label));
	put(&attributes, "untrusted", cedar_value_bool(labels->has_untrusted_content));
	return attributes_flat(&attributes);
}

#define UNKNOWN_ORIGIN(name)                                                                       \
	{                                                                                          \
		{name, sizeof name - 1},                                                           \
		{                                                                                  \
			.type = CEDAR_STRING, .count = sizeof "unknown" - 1, .string = "unknown"   \
		}                                                                                  \
	}
static const struct cedar_member unknown_origins[ORIGINS_MEMBERS] = {
	UNKNOWN_ORIGIN("account"),
	UNKNOWN_ORIGIN("addresses"),
	UNKNOWN_ORIGIN("object"),
	UNKNOWN_ORIGIN("path"),
	UNKNOWN_ORIGIN("recipient"),
	UNKNOWN_ORIGIN("url"),
	UNKNOWN_ORIGIN("worst"),
};

/* Where the values of the call came from.  A question is one that a person asks with
 * values of their own. */
static bool origins_record(
	const struct evaluation *evaluation, struct cedar_member *items, struct cedar_value *out)
{
	const struct flow_origins *origins = evaluation->world->origins;
	struct attributes attributes = {items, 0};
	struct flow_origins *asked;

	if (origins == NULL && evaluation->world->scope == DECIDE_FOR_QUESTION) {
		asked = arena_new(evaluation->arena, struct flow_origins);
		if (asked == NULL)
			return false;
		flow_origins_assume(evaluation->call, evaluation->tool, FLOW_REQUEST, asked);
		origins = asked;
	}
	if (origins == NULL) {
		*out = cedar_record_flat(unknown_origins, ORIGINS_MEMBERS);
		return true;
	}
	put_word(&attributes, "account", flow_origin_word(origins->form[TARGET_ACCOUNT]));
	put_word(&attributes, "addresses", flow_origin_word(origins->addresses));
	put_word(&attributes, "object", flow_origin_word(origins->form[TARGET_OBJECT]));
	put_word(&attributes, "path", flow_origin_word(origins->form[TARGET_PATH]));
	put_word(&attributes, "recipient", flow_origin_word(origins->form[TARGET_RECIPIENT]));
	put_word(&attributes, "url", flow_origin_word(origins->form[TARGET_URL]));
	put_word(&attributes, "worst", flow_origin_word(origins->worst));
	*out = attributes_flat(&attributes);
	return true;
}

/* The identities on the path, the caller's own included. */
static bool chain_set(struct evaluation *evaluation, struct cedar_value *out)
{
	NOT_ZEROED struct text identities[TASK_DEPTH_MAX + 1];
	const struct task *task = evaluation->task;
	size_t count = 0;

	identities[count++] = evaluation->entry->name;
	if (task != NULL && text_equal(task->identity, identities[0]))
		task = task->parent; /* the caller's own: once is enough */
	for (; task != NULL && count <= TASK_DEPTH_MAX; task = task->parent)
		identities[count++] = task->identity;
	return request_set_of_texts(evaluation->arena, identities, count, out);
}

/* The kinds of secrets that whoever looked found in the arguments. */
static bool secrets_set(const struct evaluation *evaluation, struct cedar_value *out)
{
	struct text kinds[SECRET_KINDS];
	size_t count = 0;

	for (int kind = SECRET_OWN; kind < SECRET_KINDS; kind++)
		if ((evaluation->call->secrets >> kind & 1) != 0)
			kinds[count++] = text_of(secret_kind_word((enum secret_kind)kind));
	return request_set_of_texts(evaluation->arena, kinds, count, out);
}

/* Replaces one member; the record is the evaluation's own. */
bool evaluation_set_approvals(struct evaluation *evaluation, const struct text *names, size_t count)
{
	const struct cedar_value old = evaluation->request.context;
	struct cedar_member *items;
	struct attributes attributes;
	struct cedar_value set;
	uint32_t i;

	if (count == 0 && evaluation->approvals_count == 0)
		return true;
	items = arena_array(evaluation->arena, struct cedar_member, old.count);
	if (items == NULL || !request_set_of_texts(evaluation->arena, names, count, &set))
		return false;
	evaluation->approvals_count = count;
	attributes = (struct attributes){.items = items};
	for (i = 0; i < old.count; i++) {
		struct cedar_text name = old.members[i].name;

		if (evaluation->risk == &old.members[i].value)
			evaluation->risk = &items[i].value;
		attributes_put(&attributes, name,
			text_is(cedar_text_to(name), "approvals") ? set : old.members[i].value);
	}
	return attributes_seal(&attributes, &evaluation->request.context);
}

/* A method that is only filtered uses no tool. */
static bool is_first(struct evaluation *evaluation)
{
	const struct call *call = evaluation->call;

	evaluation->out->is_first_known = true;
	evaluation->out->is_first =
		(evaluation->tool != NULL || call->route == METHOD_MODEL) &&
		!task_has_touched(evaluation->world->tasks, call->identity, call->tool);
	return evaluation->out->is_first;
}

/* Of the token that the task was opened with.  A question has none: it is asked as if by a
 * token that is bound as the charter asks, and no better. */
static enum binding binding_of_call(const struct evaluation *evaluation)
{
	const struct charter *charter = charter_of(evaluation->entry->in_force);

	if (evaluation->task != NULL)
		return evaluation->task->binding;
	if (evaluation->world->scope != DECIDE_FOR_QUESTION)
		return BINDING_NONE;
	switch (charter_binding_need(charter, evaluation->call->environment)) {
	case BINDING_NEED_DPOP:
	case BINDING_NEED_ANY: return BINDING_DPOP;
	case BINDING_NEED_MTLS: return BINDING_MTLS;
	case BINDING_NEED_BY_RISK:
	case BINDING_NEED_NONE: break;
	}
	return BINDING_NONE;
}

static bool context_build(struct evaluation *evaluation)
{
	struct cedar_member *members = arena_array(evaluation->arena, struct cedar_member,
		CONTEXT_MEMBERS + TASK_MEMBERS + LABELS_MEMBERS + ORIGINS_MEMBERS);
	struct attributes attributes = {members, 0};
	const struct call *call = evaluation->call;
	struct cedar_value args, task, labels, chain, origins, secrets, none, generation;
	struct cedar_error err;

	if (members == NULL || !cedar_value_from_json(&args, evaluation->arena,
				       &evaluation->call->arguments, lose, evaluation, &err))
		return false;
	task = task_record(evaluation, members + CONTEXT_MEMBERS);
	labels = labels_record(evaluation, members + CONTEXT_MEMBERS + TASK_MEMBERS);
	if (args.type != CEDAR_RECORD ||
		!origins_record(evaluation,
			members + CONTEXT_MEMBERS + TASK_MEMBERS + LABELS_MEMBERS, &origins) ||
		!chain_set(evaluation, &chain) || !secrets_set(evaluation, &secrets) ||
		!request_set_of_texts(evaluation->arena, NULL, 0, &none))
		return false;
	put(&attributes, "approvals", none);
	put(&attributes, "args", args);
	put_word(&attributes, "binding", binding_word(binding_of_call(evaluation)));
	put(&attributes, "chain", chain);
	put_word(&attributes, "environment", environment_word(call->environment));
	put(&attributes, "first", cedar_value_bool(is_first(evaluation)));
	if (call->route == METHOD_MODEL) {
		if (!cedar_value_from_json(&generation, evaluation->arena, &call->generation, lose,
			    evaluation, &err))
			return false;
		put(&attributes, "generation", generation);
	}
	put(&attributes, "labels", labels);
	put(&attributes, "origins", origins);
	put_word(&attributes, "risk", risk_tier_word(RISK_CRITICAL));
	evaluation->risk = &members[attributes.count - 1].value;
	put(&attributes, "secrets", secrets);
	put(&attributes, "task", task);
	return attributes_seal(&attributes, &evaluation->request.context);
}

bool evaluation_build_request(struct evaluation *evaluation)
{
	return evaluation_set_principal(evaluation, evaluation->entry) && context_build(evaluation);
}

bool evaluation_set_principal(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct asked_entities *asked;

	if (evaluation->principal == entry)
		return true;
	evaluation->principal = NULL;
	asked = evaluation_entities_of(evaluation, entry);
	if (asked == NULL)
		return false;
	evaluation->request.principal = asked->principal;
	evaluation->request.action = asked->action;
	evaluation->request.resource = asked->resource;
	evaluation->entities = asked->entities;
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
