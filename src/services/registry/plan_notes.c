/* Only what is certain: a line that some call may need is not told, even if few do. */
#include "services/registry/plan_notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "domain/charter/ceiling.h"
#include "domain/charter/crossing.h"
#include "domain/charter/peer.h"
#include "domain/decide/decide.h"

void plan_note_add(struct plan_noting *noting, const char *format, ...)
{
	const struct plan_change *change = noting->change;
	char written[PROBLEM_TEXT_BYTES];
	struct text text;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(written, sizeof written, format, args);
	va_end(args);
	for (size_t i = 0; i < noting->count; i++)
		if (noting->notes[i].kind == change->kind &&
			text_equal(noting->notes[i].name, change->name) &&
			text_is(noting->notes[i].text, written))
			return;
	if (noting->count == noting->most)
		return;
	text = text_copy(noting->plan->arena, text_of(written));
	noting->has_failed = noting->has_failed || text.data == NULL;
	noting->notes[noting->count++] =
		(struct plan_note){.kind = change->kind, .name = change->name, .text = text};
}

static const struct object *find(
	const struct plan_noting *noting, enum object_kind kind, struct text name)
{
	return noting->world->find(noting->world->context, kind, name);
}

/* ---- lines ---- */

static bool is_always(const struct tool_read *read)
{
	return read->when.length == 0 && read->uri.length == 0 && read->prompt.length == 0;
}

static void note_read(struct plan_noting *noting, const struct entitlement *line,
	const struct tool *tool, const struct tool_read *read)
{
	const struct charter_data_source *covered =
		charter_find_data_source(object_charter(noting->change->after), read->data_source);
	const struct object *source = find(noting, OBJECT_DATA_SOURCE, read->data_source);

	if (covered == NULL)
		plan_note_add(noting,
			"entitlements[%u] never permits anything: %.*s reads data source %.*s, "
			"which data-sources does not list",
			line->number, TEXT_ARGS(tool->name), TEXT_ARGS(read->data_source));
	else if (source != NULL && tool->classification.length == 0 &&
		 sensitivity_level(source->data_source->sensitivity) >
			 sensitivity_level(covered->up_to))
		plan_note_add(noting,
			"entitlements[%u] never permits anything: %.*s reads data source %.*s, "
			"which is %s and covered up to %s",
			line->number, TEXT_ARGS(tool->name), TEXT_ARGS(read->data_source),
			source->data_source->sensitivity == SENSITIVITY_UNLABELLED
				? "unlabelled (restricted)"
				: sensitivity_word(source->data_source->sensitivity),
			sensitivity_word(covered->up_to));
}

static bool is_unconditional(const struct entitlement *line)
{
	return line->when.length == 0 && line->approvals_count == 0 && line->expires_utc_s == 0 &&
	       line->uses == 0;
}

/* A line that permits all that the one with `uses` does is taken before it. */
static void note_uses(struct plan_noting *noting, const struct charter *charter,
	const struct entitlement *counted)
{
	for (uint32_t i = 0; counted->uses > 0 && i < charter->entitlements_count; i++) {
		const struct entitlement *other = &charter->entitlements[i];

		if (is_unconditional(other) && other->effect == counted->effect &&
			other->resource_kind == counted->resource_kind &&
			text_equal(other->resource, counted->resource))
			plan_note_add(noting,
				"uses of entitlements[%u] never counts: entitlements[%u] permits "
				"the same any number of times",
				counted->number, other->number);
	}
}

static bool has_reply(const struct charter *charter)
{
	for (uint32_t i = 0; i < charter->outputs_count; i++)
		if (text_is(charter->outputs[i].to, "reply"))
			return true;
	return false;
}

static void note_entitlements(struct plan_noting *noting)
{
	const struct object *after = noting->change->after;
	const struct charter *charter = object_charter(after);

	for (uint32_t i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];
		const struct object *object = line->resource_kind == RESOURCE_TOOL
						      ? find(noting, OBJECT_TOOL, line->resource)
						      : NULL;

		note_uses(noting, charter, line);
		for (uint32_t j = 0; object != NULL && j < object->tool->reads_count; j++)
			if (is_always(&object->tool->reads[j])) {
				note_read(noting, line, object->tool, &object->tool->reads[j]);
				if (after->kind == OBJECT_IDENTITY && !has_reply(charter))
					plan_note_add(noting,
						"it may read and gets nothing: an output {to: "
						"reply, up-to: ...} is missing");
			}
	}
}

/* ---- outputs ---- */

static void note_person(struct plan_noting *noting, uint32_t at, const struct charter_output *line)
{
	static const size_t prefix = sizeof "person:" - 1;
	struct text name = {line->to.data + prefix, line->to.length - prefix};
	const struct object *person = find(noting, OBJECT_PERSON, name);

	if (person == NULL || person->person->clearance == SENSITIVITY_UNLABELLED ||
		sensitivity_level(line->up_to) <= sensitivity_level(person->person->clearance))
		return;
	plan_note_add(noting, "outputs[%u] never lets %s data go: %.*s has the clearance %s", at,
		sensitivity_word(line->up_to), TEXT_ARGS(name),
		sensitivity_word(person->person->clearance));
}

static void note_output(struct plan_noting *noting, uint32_t at, const struct charter_output *line)
{
	const struct object *object = find(noting, OBJECT_TOOL, line->to);

	if (text_starts_with(line->to, "person:"))
		note_person(noting, at, line);
	if (object == NULL)
		return;
	if (!tool_carries(object->tool))
		plan_note_add(noting,
			"outputs[%u] does nothing: %.*s only reads, and nothing is carried to it",
			at, TEXT_ARGS(line->to));
	else if (line->target.length > 0 &&
		 (object->tool->targets_count == 0 || tool_goes_to_recipients(object->tool)))
		plan_note_add(noting,
			"outputs[%u] never matches: %.*s has no targets%s, and target needs one",
			at, TEXT_ARGS(line->to),
			object->tool->targets_count == 0 ? "" : " but recipients");
}

/* ---- sandboxes ---- */

static bool count_sandbox(void *context, const struct registry_entry *entry)
{
	struct plan_noting *noting = context;
	const struct charter *charter = charter_of(entry->in_force);

	if (charter == &charter_lost ||
		(!is_expired(charter->expires_utc_s, noting->world->now_utc_s) &&
			text_equal(charter->unit, noting->change->name)))
		noting->sandboxes++;
	return true;
}

static void note_sandboxes(struct plan_noting *noting)
{
	const struct registry_entry *unit =
		registry_find(noting->registry, OBJECT_UNIT, noting->change->name);

	if (unit == NULL || unit->in_force == NULL || object_charter(unit->in_force) == NULL ||
		object_charter(noting->change->after) != NULL)
		return;
	noting->sandboxes = 0;
	registry_each_sandbox(noting->registry, TEXT(""), count_sandbox, noting);
	plan_note_add(noting,
		"without a template for sandboxes none is opened, and %zu sandbox%s that it has "
		"%s refused from then on",
		noting->sandboxes, noting->sandboxes == 1 ? "" : "es",
		noting->sandboxes == 1 ? "is" : "are");
}

/* ---- people ---- */

static void note_roles(struct plan_noting *noting)
{
	static const char *const roles[] = {"administrator", "security", "approver", "reviewer",
		"auditor", "owner", "backup-owner", NULL};
	const struct person *person = noting->change->after->person;

	for (uint32_t i = 0; i < person->roles_count; i++) {
		struct text role = person->roles[i];
		const char *near = word_nearest(role, roles);

		if (near != NULL && !text_is(role, near))
			plan_note_add(noting,
				"role %.*s counts for approvals by role/%.*s alone; did you mean "
				"%s?",
				TEXT_ARGS(role), TEXT_ARGS(role), near);
	}
}

/* ---- all ---- */

/* Who must say yes beside who approves it. */
static void note_crossing(struct plan_noting *noting, const struct charter *charter)
{
	struct text rest, unit;
	struct error err = {0};

	if (!charter_crossed_units(&rest, noting->plan->arena, charter, noting->world, &err)) {
		plan_note_add(noting, "it cannot come into force: %s", err.text);
		return;
	}
	while (consents_next(&rest, &unit))
		plan_note_add(noting,
			"its lines touch unit %.*s: what that unit has not agreed to yet waits for "
			"one of its data owners, too (remit identity consent %.*s)",
			TEXT_ARGS(unit), TEXT_ARGS(noting->change->name));
}

/* Of prod alone: elsewhere a token need not be bound unless the charter says so. */
static void note_binding(struct plan_noting *noting)
{
	const struct charter *charter = object_charter(noting->change->after);

	if (!charter_has_environment(charter, ENVIRONMENT_PROD) ||
		risk_tier_level(charter->risk) < risk_tier_level(RISK_HIGH))
		return;
	if (charter->binding == BINDING_NEED_BY_RISK)
		plan_note_add(noting,
			"tokens for prod must be bound (DPoP or a client certificate), as the risk "
			"is %s; write binding: any-bound to say so, or none to take Bearer tokens",
			risk_tier_word(charter->risk));
	else if (charter->binding == BINDING_NEED_NONE)
		plan_note_add(noting,
			"Bearer tokens will do for prod although the risk is %s: whoever holds one "
			"can use it",
			risk_tier_word(charter->risk));
}

static void note_charter(struct plan_noting *noting)
{
	const struct charter *charter = object_charter(noting->change->after);

	if (charter == NULL)
		return;
	if (noting->change->kind == OBJECT_IDENTITY) {
		note_crossing(noting, charter);
		note_binding(noting);
	}
	note_entitlements(noting);
	for (uint32_t i = 0; i < charter->outputs_count; i++)
		note_output(noting, i, &charter->outputs[i]);
}

/* Of one whom their unit was asked about before, too. */
static void note_custodian(struct plan_noting *noting)
{
	const struct custody *custody = noting->custody;
	const struct data_source *source = noting->change->after->data_source;
	struct text name = noting->change->name;

	if (custody == NULL || noting->count == noting->most ||
		custody_names(
			custody, registry_find(noting->registry, OBJECT_DATA_SOURCE, name), source)
				.length == 0)
		return;
	plan_note_add(noting,
		"custodian %.*s answers for nothing by it yet: they would have the word of unit "
		"%.*s, "
		"so %s consents (remit data-source consent %.*s)",
		TEXT_ARGS(source->custodian), TEXT_ARGS(source->unit),
		custody_is_vacant(custody, source->unit)
			? "another administrator"
			: "an owner in it, or a custodian of its data,",
		TEXT_ARGS(name));
}

static void note_change(struct plan_noting *noting)
{
	if (noting->change->after == NULL)
		return;
	switch (noting->change->kind) {
	case OBJECT_IDENTITY: note_charter(noting); break;
	case OBJECT_UNIT:
		note_charter(noting);
		note_sandboxes(noting);
		break;
	case OBJECT_PERSON: note_roles(noting); break;
	case OBJECT_POLICY: plan_note_names(noting); break;
	case OBJECT_DATA_SOURCE: note_custodian(noting); break;
	case OBJECT_SERVER:
	case OBJECT_TOOL:
	case OBJECT_APPLICATION:
	case OBJECT_ISSUER:
	case OBJECT_CONNECTOR:
	case OBJECT_KIND_COUNT:
	case OBJECT_NONE: break;
	}
}

bool plan_note_more(struct plan *plan, const struct registry *registry,
	const struct reference_world *world, const struct custody *custody, struct error *err)
{
	struct plan_noting noting = {.plan = plan,
		.registry = registry,
		.world = world,
		.custody = custody,
		.count = plan->notes_count,
		.most = plan->notes_count + PLAN_MORE_NOTES_MAX};

	noting.notes = arena_array(plan->arena, struct plan_note, noting.most);
	if (noting.notes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a plan");
	if (plan->notes_count > 0)
		memcpy(noting.notes, plan->notes, plan->notes_count * sizeof *noting.notes);
	for (size_t i = 0; i < plan->changes_count && !noting.has_failed; i++) {
		noting.change = &plan->changes[i];
		note_change(&noting);
	}
	plan->notes = noting.notes;
	plan->notes_count = noting.count;
	return !noting.has_failed || error_set(err, ERROR_LIMIT, "no memory for a plan");
}
