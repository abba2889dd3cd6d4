#include "domain/graph/first_use.h"

#include <stdlib.h>

#include "domain/charter/name_table.h"
#include "domain/graph/graph.h"

/* By "identity:NAME\nKIND:NAME". */
struct first_use {
	int64_t at_utc_ms;
	struct text ends; /* the table's */
};

struct first_uses {
	struct name_table *table;
};

struct first_uses *first_uses_create(void)
{
	struct first_uses *uses = calloc(1, sizeof *uses);

	if (uses != NULL)
		uses->table = name_table_create();
	if (uses != NULL && uses->table == NULL)
		first_uses_destroy(&uses);
	return uses;
}

void first_uses_destroy(struct first_uses **uses)
{
	if (*uses == NULL)
		return;
	if ((*uses)->table != NULL)
		name_table_destroy(&(*uses)->table, free);
	free(*uses);
	*uses = NULL;
}

static bool note(struct first_uses *uses, struct text ends, int64_t at_utc_ms, struct error *err)
{
	struct first_use *use;

	if (ends.data != NULL && name_table_find(uses->table, ends) != NULL)
		return true;
	use = ends.data == NULL ? NULL : calloc(1, sizeof *use);
	if (use != NULL) {
		use->at_utc_ms = at_utc_ms;
		use->ends = name_table_put_named(uses->table, ends, use);
		if (use->ends.data != NULL)
			return true;
	}
	free(use);
	return error_set(err, ERROR_LIMIT, "no room for what was used");
}

/* An empty name is none. */
static bool note_kind(struct first_uses *uses, const struct json *record, const char *kind,
	struct text name, struct arena *scratch, struct error *err)
{
	return name.length == 0 || note(uses,
					   text_format(scratch, "identity:%.*s\n%s:%.*s",
						   TEXT_ARGS(json_text_or(record, "identity", "")),
						   kind, TEXT_ARGS(name)),
					   json_integer_or(record, "at", 0), err);
}

bool first_uses_feed(struct first_uses *uses, const struct json *record, struct arena *scratch,
	struct error *err)
{
	const struct json *sources = json_find(record, "sources");
	bool is_model = text_is(json_text_or(record, "effect", ""), "generate");

	arena_reset(scratch);
	if (!text_is(json_text_or(record, "verdict", ""), "allow") ||
		json_text_or(record, "identity", "").length == 0)
		return true;
	if (!note_kind(uses, record, is_model ? "model" : "tool", json_text_or(record, "tool", ""),
		    scratch, err))
		return false;
	for (uint32_t i = 0; sources != NULL && sources->type == JSON_ARRAY && i < sources->count;
		i++)
		if (sources->items[i].type == JSON_STRING &&
			!note_kind(uses, record, "data-source", sources->items[i].string, scratch,
				err))
			return false;
	return true;
}

static bool tell(const struct first_use *use, struct json_builder *items, struct error *err)
{
	struct text to = use->ends;
	struct text from = text_cut(&to, '\n');
	struct json_builder object;
	struct json sealed;

	json_object_start(&object, items->arena);
	json_put_cstring(&object, "difference", "first-used");
	json_put_cstring(&object, "layer", GRAPH_LAYER_RECORDED);
	json_put_text(&object, "from", from);
	json_put_text(&object, "to", to);
	json_put_time(&object, "first_used", use->at_utc_ms);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_add(items, sealed);
	return true;
}

bool first_uses_tell(const struct first_uses *uses, int64_t after_utc_ms, size_t most,
	struct json_builder *items, int64_t *total, struct error *err)
{
	*total = 0;
	for (const struct first_use *use = name_table_next(uses->table, TEXT("")); use != NULL;
		use = name_table_next(uses->table, use->ends)) {
		if (use->at_utc_ms <= after_utc_ms)
			continue;
		if (++*total <= (int64_t)most && !tell(use, items, err))
			return false;
	}
	return true;
}
