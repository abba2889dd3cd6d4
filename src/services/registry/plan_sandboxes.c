#include "services/registry/plan_sandboxes.h"

bool plan_has_new_template(const struct object *in_force, const struct object *after)
{
	const struct object *whole = in_force == NULL ? NULL : object_whole(in_force);
	const struct json *now =
		whole == NULL ? NULL : object_charter_document(whole, &whole->as_read);
	const struct object *whole_after = object_whole(after);
	const struct json *then =
		whole_after == NULL ? NULL
				    : object_charter_document(whole_after, &whole_after->as_read);
	/* Without the memory to tell it is taken for new: then two must agree. */
	bool is_new =
		whole_after == NULL || (then != NULL && (now == NULL || !json_equal(now, then)));

	object_release(&whole);
	object_release(&whole_after);
	return is_new;
}

static void report(const struct object *object, const struct plan_sandbox *how, const char *field,
	const char *what, struct problems *problems)
{
	const struct json *value = json_find(&object->as_read, field);
	struct place place = {.file = how->file,
		.line = value == NULL ? object->as_read.line : value->line,
		.field = text_format(
			problems->arena, "identity %.*s: %s", TEXT_ARGS(object->name), field)};

	problem_add(problems, place,
		"open a sandbox with remit sandbox open, or take the sandbox line out and have "
		"the charter approved",
		"%s", what);
}

/* A document never makes an identity a sandbox, nor changes where one comes from. */
static void check_line(const struct registry_entry *entry, const struct object *object,
	const struct plan_sandbox *how, struct problems *problems)
{
	const struct object *in_force = entry == NULL ? NULL : entry->in_force;
	const struct object *whole;
	const struct json *now, *then = json_find(&object->as_read, "sandbox");

	if (in_force == NULL || !charter_is_sandbox(charter_of(in_force))) {
		report(object, how, "sandbox",
			"this identity is no sandbox, and a document makes it none", problems);
		return;
	}
	whole = object_whole(in_force);
	now = whole == NULL ? NULL : json_find(&whole->as_read, "sandbox");
	if (now == NULL || !json_equal(now, then) ||
		!text_equal(charter_of(in_force)->unit, charter_of(object)->unit))
		report(object, how, "sandbox", "where a sandbox comes from does not change",
			problems);
	object_release(&whole);
	if (charter_of(object)->expires_utc_s > charter_of(in_force)->expires_utc_s)
		report(object, how, "expires", "a sandbox is not prolonged", problems);
}

static void check_whole(const struct registry *registry, const struct object *object,
	const struct plan_sandbox *how, struct problems *problems)
{
	const struct registry_entry *unit;
	const char *breach;

	if (!how->is_opening)
		check_line(registry_find_identity(registry, object->name), object, how, problems);
	unit = registry_find(registry, OBJECT_UNIT, charter_of(object)->unit);
	breach = sandbox_breach(unit == NULL ? NULL : unit->in_force, object);
	if (breach != NULL)
		report(object, how, breach, "is wider than its unit's template for sandboxes",
			problems);
}

void plan_check_sandbox(const struct registry *registry, const struct object *object,
	const struct plan_sandbox *how, struct problems *problems)
{
	const struct object *whole;

	if (object->kind != OBJECT_IDENTITY || !charter_is_sandbox(charter_of(object)))
		return;
	whole = object_whole(object);
	if (whole == NULL)
		report(object, how, "sandbox", "no memory to check it", problems);
	else
		check_whole(registry, whole, how, problems);
	object_release(&whole);
}
