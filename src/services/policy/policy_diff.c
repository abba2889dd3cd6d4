/* What a bundle's policies change of those in force. */
#include <stdlib.h>

#include "cedar/from_json.h"
#include "services/policy/policy_bundle.h"

enum { FORM_ARENA_BYTES_MAX = 64 * 1024 * 1024 }; /* of two texts, POLICY_TEXT_BYTES_MAX each */

/* The policies of a text in normal form, sorted, so that neither layout nor order counts. */
struct normal_form {
	struct text *parts;
	size_t count;
	bool is_none; /* the text does not parse */
};

static int compare_texts(const void *left, const void *right)
{
	return text_compare(*(const struct text *)left, *(const struct text *)right);
}

static bool format_parts(
	struct normal_form *form, const struct cedar_policy_set *set, struct arena *arena)
{
	size_t count = cedar_policy_set_count(set);

	form->parts = arena_array(arena, struct text, count + 1);
	if (form->parts == NULL)
		return false;
	for (; form->count < count; form->count++) {
		struct cedar_text one =
			cedar_policy_format(set, form->count, cedar_arena_from(arena));

		if (one.data == NULL)
			return false;
		form->parts[form->count] = cedar_text_to(one);
	}
	qsort(form->parts, form->count, sizeof *form->parts, compare_texts);
	return true;
}

static bool normal_form_of(
	struct normal_form *form, struct text text, struct arena *arena, struct error *err)
{
	struct cedar_policy_set *set = NULL;
	struct cedar_error cause = {0};
	bool ok;

	*form = (struct normal_form){0};
	if (!cedar_policy_set_parse(&set, cedar_text_from(text), NULL, &cause)) {
		/* A limit that has a place is the text's; without one it is the memory's. */
		form->is_none = cause.code != CEDAR_ERROR_LIMIT || cause.line != 0;
		return form->is_none || error_set(err, ERROR_LIMIT, "%s", cause.text);
	}
	ok = format_parts(form, set, arena) ||
	     error_set(err, ERROR_LIMIT, "no memory to compare policies");
	cedar_policy_set_destroy(&set);
	return ok;
}

static bool is_same_form(const struct normal_form *left, const struct normal_form *right)
{
	if (left->is_none || right->is_none || left->count != right->count)
		return false;
	for (size_t i = 0; i < left->count; i++)
		if (!text_equal(left->parts[i], right->parts[i]))
			return false;
	return true;
}

struct diff {
	struct policy_bundle *bundle;
	const struct policy_diff_base *base;
	struct arena *scratch; /* of one policy */
	struct json_builder items;
	size_t unchanged;
	struct error *err;
};

static bool add_item(struct diff *diff, const char *action, struct text name,
	const struct text *before, const struct text *after)
{
	struct json_builder item;
	struct json sealed;

	json_object_start(&item, diff->bundle->arena);
	json_put_text(&item, "name", name);
	json_put_cstring(&item, "action", action);
	if (before != NULL)
		json_put_text(&item, "before", *before);
	if (after != NULL)
		json_put_text(&item, "after", *after);
	if (!json_object_seal(&item, &sealed, diff->err))
		return false;
	json_add(&diff->items, sealed);
	return true;
}

static const struct json *base_find(const struct policy_diff_base *base, struct text name)
{
	for (size_t i = 0; i < base->count; i++)
		if (text_equal(json_text_or(&base->items[i], "name", ""), name))
			return &base->items[i];
	return NULL;
}

/* What is only written otherwise, "form", is told from a "change". */
static const char *action_between(struct diff *diff, struct text before, struct text after)
{
	struct normal_form left, right;
	const char *action = NULL;

	if (normal_form_of(&left, before, diff->scratch, diff->err) &&
		normal_form_of(&right, after, diff->scratch, diff->err))
		action = is_same_form(&left, &right) ? "form" : "change";
	arena_reset(diff->scratch);
	return action;
}

static bool compare_policy(struct diff *diff, const struct object *object)
{
	const struct json *old = base_find(diff->base, object->name);
	struct text after = object->policy->text;
	const char *action;
	struct text before;

	if (old == NULL)
		return add_item(diff, "create", object->name, NULL, &after);
	before = json_text_or(old, "text", "");
	if (json_equal(old, &object->as_read)) {
		diff->unchanged++;
		return true;
	}
	action = action_between(diff, before, after);
	return action != NULL && add_item(diff, action, object->name, &before, &after);
}

/* NULL: the bundle has no policy of that name. */
static const struct object *policy_named(const struct policy_bundle *bundle, struct text name)
{
	for (size_t i = 0; i < bundle->objects_count; i++)
		if (bundle->objects[i]->kind == OBJECT_POLICY &&
			text_equal(bundle->objects[i]->name, name))
			return bundle->objects[i];
	return NULL;
}

static bool add_removals(struct diff *diff)
{
	for (size_t i = 0; i < diff->base->count; i++) {
		struct text name = json_text_or(&diff->base->items[i], "name", "");
		struct text before = json_text_or(&diff->base->items[i], "text", "");

		if (policy_named(diff->bundle, name) == NULL &&
			!add_item(diff, "remove", name, &before, NULL))
			return false;
	}
	return true;
}

static bool compare_all(struct diff *diff)
{
	const struct policy_bundle *bundle = diff->bundle;

	for (size_t i = 0; i < bundle->objects_count; i++)
		if (bundle->objects[i]->kind == OBJECT_POLICY &&
			!compare_policy(diff, bundle->objects[i]))
			return false;
	return !diff->base->is_prune || add_removals(diff);
}

/* Publishing the bundle would propose, or approve, just what waits. */
static bool is_what_waits(const struct object *given, const struct json *waiting)
{
	const struct json *object = json_find(waiting, "object");

	if (given == NULL)
		return object == NULL;
	return object != NULL && json_equal(object, &given->as_read);
}

static bool add_waiting(
	const struct diff *diff, const struct json *entry, struct json_builder *list)
{
	const struct json *waiting = json_find(entry, "waiting");
	struct text name = json_text_or(entry, "name", "");
	const struct object *given = policy_named(diff->bundle, name);
	struct json_builder item;
	struct json sealed;

	if (given == NULL && !diff->base->is_prune)
		return true;
	json_object_start(&item, diff->bundle->arena);
	json_put_text(&item, "action", json_text_or(waiting, "action", ""));
	json_put_cstring(&item, "kind", object_kind_word(OBJECT_POLICY));
	json_put_text(&item, "name", name);
	json_put_text(&item, "proposed_by", json_text_or(waiting, "proposed_by", ""));
	if (!is_what_waits(given, waiting))
		json_put_boolean(&item, "otherwise", true);
	if (!json_object_seal(&item, &sealed, diff->err))
		return false;
	json_add(list, sealed);
	return true;
}

static bool list_waiting(const struct diff *diff, struct json *out)
{
	struct json_builder list;

	json_array_start(&list, diff->bundle->arena);
	for (size_t i = 0; i < diff->base->entries_count; i++)
		if (!add_waiting(diff, &diff->base->entries[i], &list))
			return false;
	return json_array_seal(&list, out, diff->err);
}

bool policy_bundle_diff(struct policy_bundle *bundle, const struct policy_diff_base *base,
	struct json *out, struct error *err)
{
	struct diff diff = {.bundle = bundle,
		.base = base,
		.scratch = arena_create(FORM_ARENA_BYTES_MAX),
		.err = err};
	struct json_builder object;
	struct json items, waiting;
	bool ok;

	json_array_start(&diff.items, bundle->arena);
	ok = diff.scratch == NULL ? error_set(err, ERROR_LIMIT, "no memory to compare policies")
				  : compare_all(&diff);
	arena_destroy(&diff.scratch);
	if (!ok || !json_array_seal(&diff.items, &items, err) || !list_waiting(&diff, &waiting))
		return false;
	json_object_start(&object, bundle->arena);
	json_put(&object, "policies", items);
	json_put_integer(&object, "unchanged", (int64_t)diff.unchanged);
	json_put(&object, "waiting", waiting);
	return json_object_seal(&object, out, err);
}
