/* Checks of what is registered, apart from identities (check_identity.c).  Each reads the entry
 * and what it names. */
#include "domain/call/method.h"
#include "domain/charter/standing.h"
#include "domain/control/check_private.h"

bool check_person_is_here(const struct control_world *world, struct text name)
{
	const struct person *person =
		name.length == 0 ? NULL : registry_find_person(world->registry, name);

	return person != NULL && (person->left_utc_s == 0 || person->left_utc_s > world->now_utc_s);
}

static void put(check_set *out, enum control_check check, bool is_violated)
{
	if (is_violated)
		*out |= check_bit(check);
}

/* ---- servers, tools, data sources ---- */

static bool check_server(const struct control_world *world, const struct registry_entry *entry,
	check_set *out, struct error *err)
{
	struct standing found[STANDING_PER_OBJECT_MAX];
	size_t count = 0;

	if (!standing_of(entry, world->now_utc_s, world->scratch, found, &count, err))
		return false;
	put(out, CHECK_SECRET_STATIC, count > 0);
	return true;
}

/* Whether its server defines it, and so could define it otherwise after somebody looked.  No real
 * tool passes under the name of a method (domain/call). */
static bool is_defined_by_server(const struct tool *tool)
{
	return !tool_is_skill(tool) && !method_has_door(method_find_dotted(tool->tool_name));
}

static void check_tool(const struct tool *tool, check_set *out)
{
	put(out, CHECK_TOOL_UNPINNED, !tool->has_definition && is_defined_by_server(tool));
	put(out, CHECK_REVERSAL_UNSAID,
		tool->reversal == REVERSAL_NONE &&
			(tool->effect == EFFECT_WRITE || tool->effect == EFFECT_EXECUTE));
}

static void check_source(
	const struct control_world *world, const struct registry_entry *entry, check_set *out)
{
	const struct data_source *source = entry->in_force->data_source;

	put(out, CHECK_SOURCE_UNLABELLED, source->sensitivity == SENSITIVITY_UNLABELLED);
	put(out, CHECK_CUSTODIAN_GONE, !check_person_is_here(world, source->custodian));
	put(out, CHECK_CUSTODIAN_NAMED, entry->more->named_by.length > 0);
}

/* ---- issuers and units ---- */

struct search {
	const struct control_world *world;
	struct text unit; /* of a person; empty: any */
	bool has_found;
};

static bool is_of_unit(void *context, const struct registry_entry *entry)
{
	struct search *search = context;

	search->has_found = entry->in_force != NULL &&
			    (search->unit.length == 0 ||
				    text_equal(entry->in_force->person->unit, search->unit)) &&
			    check_person_is_here(search->world, entry->name);
	return !search->has_found;
}

/* Whether somebody of the unit is here.  The graph knows who belongs to it; without one all
 * people are looked through. */
static bool member_is_here(void *context, const struct graph_edge *edge)
{
	struct search *search = context;
	struct graph_node person;

	search->has_found = graph_node(search->world->graph, edge->from, &person) &&
			    person.kind == GRAPH_NODE_PERSON &&
			    check_person_is_here(search->world, person.name);
	return !search->has_found;
}

static bool has_people(const struct control_world *world, struct text unit)
{
	bool is_all = text_is(unit, REGISTRY_ORGANISATION);
	struct search search = {.world = world, .unit = is_all ? TEXT("") : unit};
	struct graph_node node;

	if (!is_all && world->graph != NULL &&
		graph_find(world->graph, GRAPH_NODE_UNIT, unit, &node))
		graph_each_in(world->graph, node.id, GRAPH_EDGE_BELONGS, member_is_here, &search);
	else
		registry_each(world->registry, OBJECT_PERSON, TEXT(""), is_of_unit, &search);
	return search.has_found;
}

static bool is_mandatory(void *context, const struct registry_entry *entry)
{
	struct search *search = context;
	const struct policy *policy = entry->in_force == NULL ? NULL : entry->in_force->policy;

	search->has_found = policy != NULL && policy->level == POLICY_MANDATORY &&
			    (text_is(policy->unit, REGISTRY_ORGANISATION) ||
				    text_equal(policy->unit, search->unit));
	return !search->has_found;
}

static bool is_governed(const struct control_world *world, struct text unit)
{
	struct search search = {.world = world, .unit = unit};

	registry_each(world->registry, OBJECT_POLICY, TEXT(""), is_mandatory, &search);
	return search.has_found;
}

/* ---- any ---- */

bool check_entry(const struct control_world *world, const struct registry_entry *entry,
	check_set *out, struct error *err)
{
	const struct object *object = entry->in_force;

	*out = 0;
	if (object == NULL)
		return true;
	if (entry->kind == OBJECT_IDENTITY)
		return check_identity_entry(world, entry, out, err);
	if (entry->kind == OBJECT_SERVER)
		return check_server(world, entry, out, err);
	if (entry->kind == OBJECT_TOOL)
		check_tool(object->tool, out);
	else if (entry->kind == OBJECT_DATA_SOURCE)
		check_source(world, entry, out);
	else if (entry->kind == OBJECT_ISSUER)
		put(out, CHECK_ISSUER_UNOWNED, !has_people(world, object->issuer->unit));
	else if (entry->kind == OBJECT_UNIT)
		put(out, CHECK_UNIT_UNGOVERNED, !is_governed(world, entry->name));
	return true;
}
