/* Field by field: mappings by member, lists by place.  A whole that is on one
 * side only is one difference, not one for each of its leaves.  Where more differ than
 * are told, each member of the document is one: who approves must see all that changes. */
#include "services/registry/plan_diff.h"

#include <string.h>

struct differ {
	struct arena *arena;
	struct plan_field *fields;
	size_t count;
	bool is_full; /* more differ than there is room for */
	bool has_failed;
};

static void add_field(struct differ *differ, struct text path, const struct json *before,
	const struct json *after)
{
	if (differ->count == PLAN_FIELDS_MAX) {
		differ->is_full = true;
		return;
	}
	differ->fields[differ->count++] =
		(struct plan_field){.path = path, .before = before, .after = after};
}

static void diff_values(struct differ *differ, struct text path, const struct json *before,
	const struct json *after);

static struct text member_path(struct differ *differ, struct text path, struct text name)
{
	struct text whole = path.length == 0 ? text_format(differ->arena, "%.*s", TEXT_ARGS(name))
					     : text_format(differ->arena, "%.*s.%.*s",
						       TEXT_ARGS(path), TEXT_ARGS(name));

	differ->has_failed = differ->has_failed || whole.data == NULL;
	return whole;
}

static void diff_members(struct differ *differ, struct text path, const struct json *before,
	const struct json *after)
{
	for (uint32_t i = 0; i < before->count; i++) {
		struct text name = before->members[i].name;

		diff_values(differ, member_path(differ, path, name), &before->members[i].value,
			json_find_text(after, name));
	}
	for (uint32_t i = 0; i < after->count; i++) {
		struct text name = after->members[i].name;

		if (json_find_text(before, name) == NULL)
			add_field(differ, member_path(differ, path, name), NULL,
				&after->members[i].value);
	}
}

static void diff_items(struct differ *differ, struct text path, const struct json *before,
	const struct json *after)
{
	uint32_t most = before->count > after->count ? before->count : after->count;

	for (uint32_t i = 0; i < most; i++) {
		struct text here = text_format(differ->arena, "%.*s[%u]", TEXT_ARGS(path), i);

		differ->has_failed = differ->has_failed || here.data == NULL;
		diff_values(differ, here, i < before->count ? &before->items[i] : NULL,
			i < after->count ? &after->items[i] : NULL);
	}
}

static void diff_values(struct differ *differ, struct text path, const struct json *before,
	const struct json *after)
{
	if (differ->has_failed)
		return;
	if (before == NULL || after == NULL || before->type != after->type)
		add_field(differ, path, before, after);
	else if (before->type == JSON_OBJECT)
		diff_members(differ, path, before, after);
	else if (before->type == JSON_ARRAY)
		diff_items(differ, path, before, after);
	else if (!json_equal(before, after))
		add_field(differ, path, before, after);
}

/* The members of two documents, each whole; a document has far fewer than are told. */
static void diff_whole(struct differ *differ, const struct json *before, const struct json *after)
{
	differ->count = 0;
	for (uint32_t i = 0; i < before->count; i++) {
		const struct json_member *member = &before->members[i];
		const struct json *other = json_find_text(after, member->name);

		if (other == NULL || !json_equal(&member->value, other))
			add_field(differ, member->name, &member->value, other);
	}
	for (uint32_t i = 0; i < after->count; i++)
		if (json_find_text(before, after->members[i].name) == NULL)
			add_field(differ, after->members[i].name, NULL, &after->members[i].value);
}

bool plan_diff(struct plan_change *change, struct arena *arena, struct error *err)
{
	struct plan_field found[PLAN_FIELDS_MAX];
	struct plan_field *kept;
	struct differ differ = {.arena = arena, .fields = found};
	struct json before, after;

	if (change->before == NULL || change->after == NULL)
		return true;
	if (!object_document(change->before, arena, &before, err) ||
		!object_document(change->after, arena, &after, err))
		return false;
	diff_values(&differ, (struct text){NULL, 0}, &before, &after);
	if (differ.is_full)
		diff_whole(&differ, &before, &after);
	kept = arena_array(arena, struct plan_field, differ.count + 1);
	if (differ.has_failed || kept == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a plan");
	memcpy(kept, found, differ.count * sizeof *kept);
	change->fields = kept;
	change->fields_count = differ.count;
	return true;
}
