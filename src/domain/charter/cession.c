/* Invariant: what leaves no unit here still touches, by any line on it, each unit that it touched
 * before. */
#include "domain/charter/cession.h"

#include "domain/charter/consents.h"

struct ceding {
	const struct registry *registry;
	struct arena *arena;
	struct text units; /* found so far; .data NULL: no memory */
};

static void add_unit(struct ceding *ceding, struct text unit)
{
	const struct consent_given given = {.unit = unit};

	if (ceding->units.data != NULL && unit.length > 0 && !text_is(unit, REGISTRY_ORGANISATION))
		ceding->units = consents_with(ceding->arena, ceding->units, &given);
}

/* Asked under no more conditions than the other. */
static bool covers(const struct tool_read *one, const struct tool_read *other)
{
	return text_equal(one->data_source, other->data_source) &&
	       (one->when.length == 0 || text_equal(one->when, other->when)) &&
	       (one->uri.length == 0 || text_equal(one->uri, other->uri)) &&
	       (one->prompt.length == 0 || text_equal(one->prompt, other->prompt));
}

static bool still_reads(const struct object *after, const struct tool_read *read)
{
	for (uint32_t i = 0; after != NULL && i < after->tool->reads_count; i++)
		if (covers(&after->tool->reads[i], read))
			return true;
	return false;
}

static void leave_tool(
	struct ceding *ceding, const struct object *before, const struct object *after)
{
	for (uint32_t i = 0; i < before->tool->reads_count; i++) {
		const struct tool_read *read = &before->tool->reads[i];
		const struct data_source *source =
			registry_find_data_source(ceding->registry, read->data_source);

		if (source != NULL && !still_reads(after, read))
			add_unit(ceding, source->unit);
	}
}

static void leave_server(
	struct ceding *ceding, const struct object *before, const struct object *after)
{
	if (after == NULL || !text_equal(after->server->unit, before->server->unit))
		add_unit(ceding, before->server->unit);
}

bool cession_units(struct text *out, struct arena *arena, const struct registry *registry,
	const struct object *before, const struct object *after, struct error *err)
{
	struct ceding ceding = {.registry = registry, .arena = arena, .units = TEXT("")};

	if (before->kind == OBJECT_SERVER)
		leave_server(&ceding, before, after);
	else if (before->kind == OBJECT_TOOL)
		leave_tool(&ceding, before, after);
	*out = ceding.units;
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory for units");
}
