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
		check_named(&check, "owner", object->charter->owner);
		check_named(&check, "backup-owner", object->charter->backup_owner);
	}
	if (object->kind == OBJECT_DATA_SOURCE)
		check_named(&check, "custodian", object->data_source->custodian);
	if (object->kind == OBJECT_PERSON && object->person->left_utc_s > world->now_utc_s)
		problem_add(problems, place_of(object, "left", file, problems->arena),
			"write it when they have left", "is a time to come");
}
