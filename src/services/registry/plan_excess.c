#include "services/registry/plan_excess.h"

#include <string.h>

#include "services/registry/plan.h"

static size_t count_charters(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->changes_count && count < PLAN_EXCESS_NOTES_MAX; i++)
		count += plan->changes[i].kind == OBJECT_IDENTITY && plan->changes[i].after != NULL;
	return count;
}

/* False: nothing is too much, or no memory; the note's text is then empty. */
static bool write_note(struct plan *plan, const struct plan_change *change,
	const struct excess_port *port, int64_t now_utc_s, struct plan_note *out)
{
	struct text first;
	size_t live = port->live(
		port->context, charter_of(change->after), now_utc_s, plan->arena, &first);

	if (live == 0)
		return false;
	*out = (struct plan_note){.kind = change->kind, .name = change->name};
	out->text = text_format(plan->arena,
		"as things are it cannot be approved: its accounts open %zu that it does not "
		"declare, such as %.*s; see remit excess %.*s",
		live, TEXT_ARGS(first), TEXT_ARGS(change->name));
	return true;
}

bool plan_note_excess(
	struct plan *plan, const struct excess_port *port, int64_t now_utc_s, struct error *err)
{
	size_t count = port->live == NULL ? 0 : count_charters(plan);
	struct plan_note *notes;

	if (count == 0)
		return true;
	notes = arena_array(plan->arena, struct plan_note, plan->notes_count + count);
	if (notes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a plan");
	if (plan->notes_count > 0)
		memcpy(notes, plan->notes, plan->notes_count * sizeof *notes);
	plan->notes = notes;
	for (size_t i = 0; i < plan->changes_count && count > 0; i++) {
		const struct plan_change *change = &plan->changes[i];

		if (change->kind != OBJECT_IDENTITY || change->after == NULL)
			continue;
		count--;
		if (!write_note(plan, change, port, now_utc_s, &notes[plan->notes_count]))
			continue;
		if (notes[plan->notes_count++].text.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a plan");
	}
	return true;
}
