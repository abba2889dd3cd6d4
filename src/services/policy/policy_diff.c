/* What a bundle's policies change of those in force. */
#include <stdlib.h>
#include <string.h>

#include "cedar/from_json.h"
#include "services/policy/policy_bundle.h"

/* The policies of a text in normal form, sorted, so that neither layout nor order
 * counts; .data is NULL where that cannot be told. */
static int compare_texts(const void *left, const void *right)
{
	return text_compare(*(const struct text *)left, *(const struct text *)right);
}

static struct text joined(struct arena *arena, const struct text *parts, size_t count)
{
	struct text all = TEXT("");

	for (size_t i = 0; i < count && all.data != NULL; i++)
		all = text_format(arena, "%.*s%.*s\n", TEXT_ARGS(all), TEXT_ARGS(parts[i]));
	return all;
}

static struct text normal_form(struct arena *arena, struct text text)
{
	struct cedar_policy_set *set = NULL;
	struct cedar_error err = {0};
	struct text *parts = NULL;
	struct text form = {0};
	size_t count = 0;

	if (!cedar_policy_set_parse(&set, cedar_text_from(text), NULL, &err))
		return form;
	parts = arena_array(arena, struct text, cedar_policy_set_count(set) + 1);
	for (; parts != NULL && count < cedar_policy_set_count(set); count++) {
		struct cedar_text one = cedar_policy_format(set, count, cedar_arena_from(arena));

		parts[count] = text_copy(arena, cedar_text_to(one));
		if (one.data == NULL || parts[count].data == NULL)
			break;
	}
	if (parts != NULL && count == cedar_policy_set_count(set)) {
		qsort(parts, count, sizeof *parts, compare_texts);
		form = joined(arena, parts, count);
	}
	cedar_policy_set_destroy(&set);
	return form;
}

static bool is_same_policy(struct arena *arena, struct text before, struct text after)
{
	struct text left = normal_form(arena, before);
	struct text right = normal_form(arena, after);

	return left.data != NULL && right.data != NULL && text_equal(left, right);
}

struct diff {
	struct policy_bundle *bundle;
	const struct policy_diff_base *base;
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

static bool compare_policy(struct diff *diff, const struct object *object)
{
	const struct json *old = base_find(diff->base, object->name);
	struct text after = object->policy->text;
	struct text before;

	if (old == NULL)
		return add_item(diff, "create", object->name, NULL, &after);
	before = json_text_or(old, "text", "");
	if (json_equal(old, &object->as_read)) {
		diff->unchanged++;
		return true;
	}
	return add_item(diff,
		is_same_policy(diff->bundle->arena, before, after) ? "form" : "change",
		object->name, &before, &after);
}

static bool is_named(const struct policy_bundle *bundle, struct text name)
{
	for (size_t i = 0; i < bundle->objects_count; i++)
		if (bundle->objects[i]->kind == OBJECT_POLICY &&
			text_equal(bundle->objects[i]->name, name))
			return true;
	return false;
}

static bool add_removals(struct diff *diff)
{
	for (size_t i = 0; i < diff->base->count; i++) {
		struct text name = json_text_or(&diff->base->items[i], "name", "");
		struct text before = json_text_or(&diff->base->items[i], "text", "");

		if (!is_named(diff->bundle, name) && !add_item(diff, "remove", name, &before, NULL))
			return false;
	}
	return true;
}

bool policy_bundle_diff(struct policy_bundle *bundle, const struct policy_diff_base *base,
	struct json *out, struct error *err)
{
	struct diff diff = {.bundle = bundle, .base = base, .err = err};
	struct json_builder object;
	struct json items;

	json_array_start(&diff.items, bundle->arena);
	for (size_t i = 0; i < bundle->objects_count; i++)
		if (bundle->objects[i]->kind == OBJECT_POLICY &&
			!compare_policy(&diff, bundle->objects[i]))
			return false;
	if ((base->is_prune && !add_removals(&diff)) || !json_array_seal(&diff.items, &items, err))
		return false;
	json_object_start(&object, bundle->arena);
	json_put(&object, "policies", items);
	json_put_integer(&object, "unchanged", (int64_t)diff.unchanged);
	return json_object_seal(&object, out, err);
}
