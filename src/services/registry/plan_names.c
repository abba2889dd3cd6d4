/* What a guardrail names and nobody has registered: it forbids nothing there.  A note and no
 * problem, for what is forbidden today may be registered tomorrow. */
#include "cedar/from_json.h"
#include "cedar/policy_set.h"
#include "domain/charter/nearest.h"
#include "services/registry/plan_notes.h"

static const struct named_type {
	const char *type;
	enum object_kind kind;
} named_types[] = {
	{"Identity", OBJECT_IDENTITY},
	{"Unit", OBJECT_UNIT},
	{"Server", OBJECT_SERVER},
	{"Tool", OBJECT_TOOL},
	{"Model", OBJECT_SERVER},
	{"DataSource", OBJECT_DATA_SOURCE},
	{"Peer", OBJECT_IDENTITY},
};

static const struct named_type *type_of(const struct cedar_uid *uid)
{
	for (size_t i = 0; i < sizeof named_types / sizeof *named_types; i++)
		if (cedar_text_is(uid->type, named_types[i].type))
			return &named_types[i];
	return NULL;
}

static bool consider_name(void *nearest, struct text name)
{
	nearest_consider(nearest, name);
	return true;
}

/* "PROVIDER/NAME"; NULL: there is no such model. */
static const struct server_model *find_model(
	const struct plan_noting *noting, struct text id, const struct object **provider)
{
	ptrdiff_t slash = text_find_byte(id, '/');

	if (slash < 0)
		return NULL;
	*provider = noting->world->find(
		noting->world->context, OBJECT_SERVER, (struct text){id.data, (size_t)slash});
	return *provider == NULL
		       ? NULL
		       : server_find_model((*provider)->server,
				 (struct text){id.data + slash + 1, id.length - (size_t)slash - 1});
}

static bool is_there(
	const struct plan_noting *noting, const struct named_type *type, struct text id)
{
	const struct object *provider = NULL;

	if (text_is(text_of(type->type), "Model"))
		return find_model(noting, id, &provider) != NULL;
	if (type->kind == OBJECT_UNIT && text_is(id, REGISTRY_ORGANISATION))
		return true;
	return noting->world->find(noting->world->context, type->kind, id) != NULL;
}

static void look_at(struct plan_noting *noting, const struct cedar_uid *uid)
{
	const struct named_type *type = type_of(uid);
	struct text id = cedar_text_to(uid->id);
	struct nearest nearest = {.wrong = id};

	if (type == NULL || is_there(noting, type, id))
		return;
	if (!text_is(text_of(type->type), "Model"))
		noting->world->each_name(
			noting->world->context, type->kind, consider_name, &nearest);
	plan_note_add(noting, "it names %s::\"%.*s\", which is not registered%s%s%s", type->type,
		TEXT_ARGS(id), nearest.found[0] == '\0' ? "" : "; did you mean ", nearest.found,
		nearest.found[0] == '\0' ? "" : "?");
}

static void look_at_value(struct plan_noting *noting, const struct cedar_value *value)
{
	if (value->type == CEDAR_ENTITY)
		look_at(noting, value->entity);
	for (uint32_t i = 0; value->type == CEDAR_SET && i < value->count; i++)
		if (value->items[i].type == CEDAR_ENTITY)
			look_at(noting, value->items[i].entity);
}

/* Recursion is bounded by the depth of trees. */
static void look_at_node(struct plan_noting *noting, const struct ast *node)
{
	if (node->kind == AST_LITERAL)
		look_at_value(noting, &node->literal);
	for (uint32_t i = 0; i < node->count; i++)
		look_at_node(noting, node->children[i]);
}

static void look_at_policy(struct plan_noting *noting, const struct policy_ast *policy)
{
	for (int part = 0; part < SCOPE_PARTS; part++)
		for (uint32_t i = 0; i < policy->scope[part].count; i++)
			look_at(noting, &policy->scope[part].uids[i]);
	for (uint32_t i = 0; i < policy->clause_count; i++)
		look_at_node(noting, policy->clauses[i].expression);
}

void plan_note_names(struct plan_noting *noting)
{
	struct text text = noting->change->after->policy->text;
	struct cedar_policy_set *set = NULL;
	struct cedar_error cause = {0};

	/* What is wrong with it is a problem, and said there. */
	if (!cedar_policy_set_parse(&set, cedar_text_from(text), NULL, &cause))
		return;
	for (uint32_t i = 0; i < set->count; i++)
		look_at_policy(noting, &set->policies[i].ast);
	cedar_policy_set_destroy(&set);
}
