#include "services/registry/plan_people.h"

static struct place place_of(
	const struct object *object, const char *member, struct text file, struct arena *arena)
{
	const struct json *value = json_find(&object->as_read, member);

	return (struct place){.file = file,
		.line = value == NULL ? object->as_read.line : value->line,
		.field = text_format(arena, "%s %.*s: %s", object_kind_word(object->kind),
			TEXT_ARGS(object->name), member)};
}

struct person_check {
	const struct object *object;
	const struct reference_world *world;
	struct text file;
	struct problems *problems;
};

static void check_named(const struct person_check *check, const char *member, struct text name)
{
	const struct object *person =
		name.length == 0 ? NULL
				 : check->world->find(check->world->context, OBJECT_PERSON, name);

	if (person == NULL || person->is_partial || !person_has_left(person->person))
		return;
	problem_add(check->problems,
		place_of(check->object, member, check->file, check->problems->arena),
		"name a person who is here", "person %.*s has left", TEXT_ARGS(name));
}

void plan_check_people(const struct object *object, const struct reference_world *world,
	struct text file, struct problems *problems)
{
	const struct person_check check = {object, world, file, problems};

	if (object->is_partial)
		return;
	if (object->kind == OBJECT_IDENTITY) {
		check_named(&check, "owner", charter_of(object)->owner);
		check_named(&check, "backup-owner", charter_of(object)->backup_owner);
	}
	if (object->kind == OBJECT_DATA_SOURCE)
		check_named(&check, "custodian", object->data_source->custodian);
	if (object->kind == OBJECT_PERSON && object->person->left_utc_s > world->now_utc_s)
		problem_add(problems, place_of(object, "left", file, problems->arena),
			"write it when they have left", "is a time to come");
}

static bool same_member(const struct object *a, const struct object *b, const char *name)
{
	const struct object *whole_a = object_whole(a);
	const struct object *whole_b = object_whole(b);
	const struct json *left = whole_a == NULL ? NULL : json_find(&whole_a->as_read, name);
	const struct json *right = whole_b == NULL ? NULL : json_find(&whole_b->as_read, name);
	bool is_known = whole_a != NULL && whole_b != NULL;
	bool is_same = left == NULL || right == NULL ? left == right : json_equal(left, right);

	object_release(&whole_a);
	object_release(&whole_b);
	return is_known && is_same;
}

void plan_keep_directory(
	struct json *document, const struct registry *registry, struct arena *arena)
{
	const struct registry_entry *entry =
		registry_find(registry, OBJECT_PERSON, json_text_or(document, "name", ""));
	const struct object *before = entry == NULL ? NULL : entry->in_force;
	const struct json *directory, *left;
	struct json_builder object;
	struct json was, whole;
	struct error err;

	if (before == NULL || document->type != JSON_OBJECT ||
		!text_is(json_text_or(document, "object", ""), "person") ||
		json_find(document, "directory") != NULL ||
		!object_document(before, arena, &was, &err))
		return;
	directory = json_find(&was, "directory");
	left = json_find(document, "left") == NULL ? json_find(&was, "left") : NULL;
	if (directory == NULL)
		return;
	json_object_start(&object, arena);
	for (uint32_t i = 0; i < document->count; i++)
		json_put_named(&object, document->members[i].name, document->members[i].value);
	if (left != NULL)
		json_put(&object, "left", *left);
	json_put(&object, "directory", *directory);
	if (!json_object_seal(&object, &whole, &err))
		return; /* it then says less than is there, which is refused */
	whole.line = document->line;
	*document = whole;
}

void plan_check_directory(const struct object *object, const struct registry *registry,
	struct text file, struct problems *problems)
{
	const struct registry_entry *entry = registry_find(registry, OBJECT_PERSON, object->name);
	const struct object *before = entry == NULL ? NULL : entry->in_force;
	bool is_kept = before != NULL && before->person->directory.name.length > 0;
	const char *member = NULL;

	if (object->kind != OBJECT_PERSON || object->is_partial)
		return;
	if ((is_kept || object->person->directory.name.length > 0) &&
		!(is_kept && same_member(object, before, "directory")))
		member = "directory";
	else if (is_kept && !same_member(object, before, "left"))
		member = "left";
	else if (is_kept && !same_member(object, before, "unit"))
		member = "unit";
	if (member != NULL)
		problem_add(problems, place_of(object, member, file, problems->arena),
			"leave it out, or as remit export writes it, and change it in the "
			"directory",
			"is for the directory to say");
}
