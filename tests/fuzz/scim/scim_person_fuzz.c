/* What a directory says of a person, as their document.  The input is a JSON array of Users, one
 * after the other what it says of the same person; null: it has them no more.  Laws: a document
 * reads the same once it was YAML; whatever was said, nobody gets a role or a clearance by it; who
 * left keeps none, who moved an administrator's alone; who is gone has left; what is told back is
 * what was said. */
#include <assert.h>
#include <stdint.h>

#include "base/yaml.h"
#include "domain/charter/problem.h"
#include "domain/scim/user.h"

enum { ROOM_BYTES = 1 << 26, YAML_BYTES_MAX = 1 << 22, SAID_MAX = 8 };

/* Whom the directory finds here, with everything that it may not give. */
static const char registered[] =
	"{\"object\":\"person\",\"name\":\"ana\",\"unit\":\"support\",\"roles\":[\"approver\","
	"\"administrator\"],\"clearance\":\"restricted\"}";

/* NULL: it is no person. */
static struct object *parse(struct arena *arena, const struct json *document)
{
	struct problems problems = {.arena = arena};
	struct object *object;

	if (!object_parse(&object, document, TEXT("person"), &problems)) {
		assert(problems.total > 0 && object == NULL);
		return NULL;
	}
	assert(object->kind == OBJECT_PERSON);
	return object;
}

static uint32_t rights_of(const struct person *person)
{
	return person->roles_count + (person->clearance != SENSITIVITY_UNLABELLED);
}

static void check_rights(const struct person *after, const struct person *before)
{
	bool is_left = person_has_left(after) || person_has_left(before);
	bool stays = text_equal(after->unit, before->unit) && !is_left;

	assert(rights_of(after) <= rights_of(before));
	assert(!is_left || rights_of(after) == 0);
	assert(stays || after->clearance == SENSITIVITY_UNLABELLED);
	for (uint32_t i = 0; i < after->roles_count; i++)
		assert(person_has_role(before, "administrator")
				? stays || text_is(after->roles[i], "administrator")
				: stays);
}

/* The service hands it on as YAML. */
static void check_yaml(struct arena *arena, const struct json *document)
{
	struct yaml_documents again;
	struct buffer yaml;
	struct error err = {0};

	buffer_init(&yaml, YAML_BYTES_MAX);
	yaml_format(&yaml, document);
	assert(!buffer_failed(&yaml));
	assert(yaml_parse(&again, arena, buffer_text(&yaml), "person", &json_limits_default, &err));
	assert(again.count == 1 && json_equal(&again.items[0], document));
	buffer_deinit(&yaml);
}

static void check_told(
	struct arena *arena, const struct person *person, const struct json *resource)
{
	struct json told;
	struct error err;

	assert(scim_user_resource(&told, arena, person, &err));
	if (scim_user_is_active(resource, true) || !person_has_left(person))
		assert(json_equal(&told, resource));
}

/* False: nobody is told of it, for it was no User or no document. */
static bool say(struct arena *arena, const struct json *said, const struct object **person,
	struct scim_provision *provision)
{
	struct scim_fault fault = {0};
	struct json before, resource, document;
	struct object *after;
	struct error err;

	assert(object_document(*person, arena, &before, &err));
	provision->before = &before;
	provision->person = (*person)->person;
	provision->resource = said->type == JSON_NULL ? NULL : &resource;
	if (provision->resource != NULL &&
		!scim_resource_read(&resource, arena, &scim_user_type, said, &fault))
		return false;
	provision->unit = text_is(scim_user_department(provision->resource), "ops")
				  ? TEXT("ops")
				  : provision->person->unit;
	if (!scim_person_document(&document, arena, provision, &fault)) {
		assert(fault.status == 413 || fault.status == 503);
		return false;
	}
	check_yaml(arena, &document);
	after = parse(arena, &document);
	if (after == NULL)
		return false;
	check_rights(after->person, provision->person);
	assert(provision->resource != NULL || person_has_left(after->person));
	if (provision->resource != NULL)
		check_told(arena, after->person, &resource);
	object_release(person);
	*person = after;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct scim_provision provision = {.name = TEXT("ana"),
		.directory = TEXT("okta"),
		.id = TEXT("u-1"),
		.now_utc_ms = INT64_C(1790000000000)};
	const struct object *person = NULL;
	struct json begin, said;
	struct error err;

	if (arena == NULL ||
		!json_parse(&begin, arena, text_of(registered), &json_limits_default, &err))
		goto done;
	person = parse(arena, &begin);
	assert(person != NULL);
	if (!json_parse(&said, arena, (struct text){(const char *)data, size}, &json_limits_default,
		    &err) ||
		said.type != JSON_ARRAY)
		goto done;
	for (uint32_t i = 0; i < said.count && i < SAID_MAX; i++)
		if (!say(arena, &said.items[i], &person, &provision))
			break;
done:
	object_release(&person);
	arena_destroy(&arena);
	return 0;
}
