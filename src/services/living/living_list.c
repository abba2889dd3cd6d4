/* What is due, told. */
#include "services/living/living_private.h"

struct telling {
	const struct living_service *living;
	const struct living_query *asked;
	struct arena *arena;
	struct json_builder items;
};

static struct text unit_of(const struct registry_entry *entry)
{
	return entry == NULL || entry->in_force == NULL ? TEXT("")
							: charter_of(entry->in_force)->unit;
}

static bool put_due(struct telling *telling, const struct living_node *node,
	const struct living_due *due, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(telling->living->registry, OBJECT_IDENTITY, node->name);
	const struct charter *charter =
		entry == NULL || entry->in_force == NULL ? NULL : charter_of(entry->in_force);
	struct json_builder object;
	struct json item;

	json_object_start(&object, telling->arena);
	json_put_text(&object, "identity", node->name);
	if (charter != NULL) {
		json_put_text(&object, "unit", charter->unit);
		json_put_text(&object, "owner", charter->owner);
		json_put_cstring(&object, "risk", risk_tier_word(charter->risk));
	}
	json_put_cstring(&object, "cause", review_cause_word(due->cause));
	json_put_text(&object, "what", text_copy(telling->arena, text_of(due->what)));
	json_put_integer(&object, "due_utc_ms", due->due_utc_ms);
	json_put_boolean(&object, "overdue", telling->asked->now_utc_ms >= due->due_utc_ms);
	json_put_integer(&object, "record", (int64_t)due->index);
	if (!json_object_seal(&object, &item, err))
		return false;
	json_add(&telling->items, item);
	return true;
}

static bool is_asked(const struct telling *telling, const struct living_node *node)
{
	struct text unit = telling->asked->unit;

	return node->dues_count > 0 &&
	       (unit.length == 0 ||
		       text_equal(unit, unit_of(registry_find(telling->living->registry,
						OBJECT_IDENTITY, node->name))));
}

static bool put_node(struct telling *telling, const struct living_node *node, struct error *err)
{
	for (uint32_t i = 0; i < node->dues_count; i++)
		if (!put_due(telling, node, &node->dues[i], err))
			return false;
	return true;
}

static bool put_all(struct telling *telling, struct text *next, struct error *err)
{
	const struct name_table *nodes = telling->living->nodes;
	const struct living_node *node = name_table_next(nodes, telling->asked->after);
	uint32_t left = telling->asked->count;
	struct text last = TEXT("");

	for (; node != NULL; node = name_table_next(nodes, node->name)) {
		if (!is_asked(telling, node))
			continue;
		if (left == 0) {
			*next = last;
			return true;
		}
		if (!put_node(telling, node, err))
			return false;
		last = node->name;
		left--;
	}
	return true;
}

bool living_list(const struct living_service *living, const struct living_query *asked,
	struct arena *arena, struct json *out, struct text *next, struct error *err)
{
	struct telling telling = {.living = living, .asked = asked, .arena = arena};
	const struct living_node *one = living_find(living, asked->identity);
	bool ok;

	*next = TEXT("");
	json_array_start(&telling.items, arena);
	if (asked->identity.length > 0)
		ok = one == NULL || put_node(&telling, one, err);
	else
		ok = put_all(&telling, next, err);
	return ok && json_array_seal(&telling.items, out, err);
}
