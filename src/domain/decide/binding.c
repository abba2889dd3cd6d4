/* What an approval is bound to: everything its card shows that is not in the call itself.
 * What only the registry says (effect, reversal and targets of the tool, the unit of the
 * server, the sensitivity of the sources, the charters above) goes in by the digest of the
 * documents in force, so that no member of one has to be named here. */

#include "domain/decide/decide.h"

_Static_assert((int)CALL_CHAIN_MAX == (int)TASK_DEPTH_MAX, "a call has all tasks of its path");

struct bound {
	const struct registry *registry;
	struct arena *arena;
	struct json_builder list;
};

static void bound_add(struct bound *bound, enum object_kind kind, struct text name)
{
	const struct registry_entry *entry = registry_find(bound->registry, kind, name);
	char digest[DIGEST_TEXT_BYTES] = "";

	if (entry != NULL && entry->in_force != NULL)
		digest_format(digest, &entry->in_force->digest);
	json_add(&bound->list, json_cstring(object_kind_word(kind)));
	json_add(&bound->list, json_string(name));
	json_add(&bound->list, json_string(text_format(bound->arena, "%s", digest)));
}

static void bound_add_all(struct bound *bound, const struct call *call, const struct task *task)
{
	const struct tool *tool = registry_find_tool(bound->registry, call->tool);
	uint32_t i;

	bound_add(bound, OBJECT_SERVER, call->server);
	bound_add(bound, OBJECT_TOOL, call->tool);
	for (i = 0; tool != NULL && i < tool->reads_count; i++)
		bound_add(bound, OBJECT_DATA_SOURCE, tool->reads[i].data_source);
	for (; task != NULL; task = task->parent)
		bound_add(bound, OBJECT_IDENTITY, task->identity);
}

static bool objects_digest(struct sha256 *out, const struct decide_world *world,
	const struct call *call, struct arena *arena, struct error *err)
{
	struct bound bound = {.registry = world->registry, .arena = arena};
	struct text canonical = {0};
	struct json sealed;

	json_array_start(&bound.list, arena);
	bound_add_all(&bound, call, task_find(world->tasks, call->task));
	if (json_array_seal(&bound.list, &sealed, err))
		canonical = json_canonical_text(arena, &sealed);
	if (canonical.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the binding of the call");
	*out = sha256_of(canonical.data, canonical.length);
	return true;
}

static bool texts_fill(struct call_binding *out, const struct decide_world *world,
	const struct call *call, struct arena *arena)
{
	const struct registry_entry *entry =
		registry_find(world->registry, OBJECT_IDENTITY, call->identity);
	const struct tool *tool = registry_find_tool(world->registry, call->tool);
	const struct task *task = task_find(world->tasks, call->task);
	struct text *chain = arena_array(arena, struct text, CALL_CHAIN_MAX);
	char definition[DIGEST_TEXT_BYTES] = "";

	if (tool != NULL && tool->has_definition)
		digest_format(definition, &tool->definition);
	if (task != NULL) {
		const struct task_labels labels = task_labels_of(task);

		out->label = labels.sensitivity;
		out->has_untrusted_content = labels.has_untrusted_content;
	}
	out->chain = chain;
	out->definition = text_format(arena, "%s", definition);
	out->charter = entry == NULL || entry->in_force == NULL
			       ? TEXT("")
			       : text_format(arena, "%.*s@%u", TEXT_ARGS(entry->name),
					 entry->in_force->version);
	if (chain == NULL || out->definition.data == NULL || out->charter.data == NULL)
		return false;
	for (; task != NULL && out->chain_count < CALL_CHAIN_MAX; task = task->parent)
		chain[out->chain_count++] = task->id;
	return true;
}

bool decide_binding(const struct decide_world *world, const struct call *call,
	const struct decision *decision, struct arena *arena, struct call_binding *out,
	struct error *err)
{
	*out = (struct call_binding){
		.entitlement = decision->entitlement,
		.policies = decision->policies,
		.policies_count = decision->policies_count,
		.approvals = decision->approvals,
		.approvals_count = decision->approvals_count,
	};
	if (!texts_fill(out, world, call, arena))
		return error_set(err, ERROR_LIMIT, "no room for the binding of the call");
	return objects_digest(&out->objects, world, call, arena, err);
}
