/* Asking Cedar about people.
 *
 * A question has two entities, who asks and what it is about, made for it and gone with it:
 * people act seldom, so nothing is kept.  A role, a unit or an owner counts because a policy
 * says so; this file only says what is. */
#include "domain/people/people.h"

#include <stdio.h>
#include <stdlib.h>

#include "cedar/from_json.h"
#include "cedar/text.h"

enum {
	PEOPLE_ARENA_BYTES_MAX = 256 * 1024, /* of one question */
	PEOPLE_ATTRIBUTES_MAX = 4,
	PEOPLE_OWNERS_MAX = 2,
};

struct people {
	struct cedar_policy_set *policies;
	struct arena *arena; /* empty between questions */
};

/* clang-format off */
static const char *const action_words[PEOPLE_ACTION_COUNT] = {
	[PEOPLE_WRITE] = "write", [PEOPLE_OPEN] = "open", [PEOPLE_PROPOSE] = "propose",
	[PEOPLE_APPROVE] = "approve", [PEOPLE_REJECT] = "reject", [PEOPLE_SUSPEND] = "suspend",
	[PEOPLE_REACTIVATE] = "reactivate", [PEOPLE_RETIRE] = "retire", [PEOPLE_KILL] = "kill",
	[PEOPLE_CONSENT] = "consent", [PEOPLE_ACKNOWLEDGE] = "acknowledge",
	[PEOPLE_ACCEPT] = "accept", [PEOPLE_LOOK] = "look",
	[PEOPLE_CLOSE] = "close", [PEOPLE_REPORT] = "report", [PEOPLE_ADMINISTER] = "administer",
	[PEOPLE_SIGN_IN] = "sign-in", [PEOPLE_REVIEW] = "review",
	[PEOPLE_START_REVIEW] = "start-review",
};

/* An object of the registry as the schema calls it; a kind that is not here is nobody's. */
static const char *const type_words[OBJECT_KIND_COUNT] = {
	[OBJECT_IDENTITY] = "Identity", [OBJECT_PERSON] = "Person", [OBJECT_UNIT] = "BusinessUnit",
	[OBJECT_DATA_SOURCE] = "DataSource", [OBJECT_SERVER] = "Server", [OBJECT_TOOL] = "Tool",
	[OBJECT_POLICY] = "Policy", [OBJECT_APPLICATION] = "Application",
	[OBJECT_ISSUER] = "Issuer", [OBJECT_CONNECTOR] = "Connector",
};
/* clang-format on */

const char *people_action_word(enum people_action action)
{
	return (size_t)action < PEOPLE_ACTION_COUNT ? action_words[action] : NULL;
}

/* ---- making ---- */

static bool failed(struct error *err, const struct cedar_error *cause)
{
	return error_set(err, ERROR_LIMIT, "the rules about people: %s", cause->text);
}

bool people_create(struct people **out, struct error *err)
{
	struct people *people = calloc(1, sizeof *people);
	struct cedar_error cause = {0};

	*out = NULL;
	if (people == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the rules about people");
	people->arena = arena_create(PEOPLE_ARENA_BYTES_MAX);
	if (people->arena == NULL)
		error_set(err, ERROR_LIMIT, "no memory for the rules about people");
	else if (!cedar_policy_set_parse(
			 &people->policies, cedar_text_of(people_policies), NULL, &cause))
		failed(err, &cause);
	else {
		*out = people;
		return true;
	}
	people_destroy(&people);
	return false;
}

void people_destroy(struct people **people)
{
	if (*people == NULL)
		return;
	cedar_policy_set_destroy(&(*people)->policies);
	arena_destroy(&(*people)->arena);
	free(*people);
	*people = NULL;
}

/* ---- one question ---- */

struct question {
	const struct people *people;
	const struct people_actor *actor;
	const struct people_resource *resource;
	enum people_action action;
	struct cedar_entity entities[2]; /* who asks, and what about, unless it is the same */
	struct cedar_request request;
};

static struct cedar_uid uid_of(const char *type, struct text id)
{
	return cedar_uid_of(cedar_text_of(type), cedar_text_from(id));
}

static struct cedar_value entity_value(const struct people *people, struct cedar_uid uid)
{
	struct cedar_uid *kept = arena_new(people->arena, struct cedar_uid);

	if (kept == NULL)
		return (struct cedar_value){0};
	*kept = uid;
	return cedar_value_entity(kept);
}

/* Attributes by name, in the order they are put. */
struct attributes {
	struct cedar_member items[PEOPLE_ATTRIBUTES_MAX];
	size_t count;
};

static void put(struct attributes *attributes, const char *name, struct cedar_value value)
{
	attributes->items[attributes->count++] =
		(struct cedar_member){.name = cedar_text_of(name), .value = value};
}

static void put_person(const struct question *question, struct attributes *attributes,
	const char *name, struct text person)
{
	if (person.length > 0)
		put(attributes, name, entity_value(question->people, uid_of("Person", person)));
}

static bool seal(const struct question *question, const struct attributes *attributes,
	struct cedar_value *out)
{
	struct cedar_error cause = {0};

	return cedar_value_record(out, cedar_arena_from(question->people->arena), attributes->items,
		attributes->count, &cause);
}

static bool put_set(const struct question *question, struct attributes *attributes,
	const char *name, const struct cedar_value *items, size_t count)
{
	struct cedar_value set;
	struct cedar_error cause = {0};

	if (!cedar_value_set(&set, cedar_arena_from(question->people->arena), items, count, &cause))
		return false;
	put(attributes, name, set);
	return true;
}

static bool put_roles(
	const struct question *question, struct attributes *attributes, const struct person *person)
{
	struct cedar_value roles[PERSON_ROLES_MAX];

	for (uint32_t i = 0; i < person->roles_count; i++)
		roles[i] = cedar_value_string(cedar_text_from(person->roles[i]));
	return put_set(question, attributes, "roles", roles, person->roles_count);
}

static bool put_owners(const struct question *question, struct attributes *attributes)
{
	const struct people_resource *resource = question->resource;
	const struct text names[PEOPLE_OWNERS_MAX] = {resource->owner, resource->backup_owner};
	struct cedar_value owners[PEOPLE_OWNERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < PEOPLE_OWNERS_MAX; i++)
		if (names[i].length > 0)
			owners[count++] =
				entity_value(question->people, uid_of("Person", names[i]));
	return put_set(question, attributes, "owners", owners, count);
}

static bool make_person(
	const struct question *question, const struct person *person, struct cedar_entity *entity)
{
	struct attributes attributes = {.count = 0};
	struct text directory = person->directory.name;

	entity->uid = uid_of("Person", person->name);
	if (directory.length > 0)
		put(&attributes, "directory",
			entity_value(question->people, uid_of("Directory", directory)));
	put(&attributes, "unit", entity_value(question->people, uid_of("Unit", person->unit)));
	return put_roles(question, &attributes, person) &&
	       seal(question, &attributes, &entity->attributes);
}

/* False: this actor is nobody here. */
static bool make_principal(struct question *question)
{
	const struct people_actor *actor = question->actor;
	struct cedar_entity *entity = &question->entities[0];

	if (actor->person != NULL)
		return make_person(question, actor->person, entity);
	if (text_starts_with(actor->name, "uid:"))
		entity->uid = uid_of("User", actor->name);
	else if (text_starts_with(actor->name, "directory:"))
		entity->uid = uid_of("Directory", text_after(actor->name, sizeof "directory:" - 1));
	else if (text_is(actor->name, "remit")) /* others have a colon in their names */
		entity->uid = uid_of("Remit", actor->name);
	return entity->uid.type.length > 0;
}

/* Of what has no charter yet: nobody may accept that. */
static struct cedar_text risk_of(const struct people_resource *resource)
{
	const char *word = risk_tier_word(resource->risk);

	return cedar_text_of(word == NULL ? "none" : word);
}

static bool make_resource(struct question *question)
{
	static const char *const others[] = {
		[PEOPLE_ABOUT_FINDING] = "Finding", [PEOPLE_ABOUT_INSTALLATION] = "Installation"};
	const struct people_resource *resource = question->resource;
	struct cedar_entity *entity = &question->entities[1];
	struct attributes attributes = {.count = 0};
	const char *type = resource->about == PEOPLE_ABOUT_OBJECT ? type_words[resource->kind]
								  : others[resource->about];

	if (type == NULL)
		return false;
	if (resource->person != NULL)
		return make_person(question, resource->person, entity);
	entity->uid = uid_of(type, resource->name);
	if (resource->about != PEOPLE_ABOUT_INSTALLATION)
		put(&attributes, "unit",
			entity_value(question->people, uid_of("Unit", resource->unit)));
	if (resource->kind == OBJECT_IDENTITY) {
		if (!put_owners(question, &attributes))
			return false;
		put(&attributes, "risk", cedar_value_string(risk_of(resource)));
		put(&attributes, "sandbox", cedar_value_bool(resource->is_sandbox));
	}
	put_person(question, &attributes, "custodian", resource->custodian);
	return seal(question, &attributes, &entity->attributes);
}

static bool make_context(struct question *question)
{
	struct text proposer = question->resource->proposer;
	struct attributes attributes = {.count = 0};

	if (question->action == PEOPLE_ACKNOWLEDGE) {
		put_person(question, &attributes, "successor", question->resource->successor);
		put_person(question, &attributes, "moved", question->resource->moved);
	} else if (text_starts_with(proposer, "person:"))
		put_person(question, &attributes, "proposer",
			text_after(proposer, sizeof "person:" - 1));
	return seal(question, &attributes, &question->request.context);
}

/* ---- what is told ---- */

static struct text annotation(const struct cedar_policy *policy, const char *key)
{
	for (size_t i = 0; i < policy->annotation_count; i++)
		if (cedar_text_is(policy->annotations[i].key, key))
			return (struct text){policy->annotations[i].value.data,
				policy->annotations[i].value.length};
	return (struct text){0};
}

/* Everybody whom a permit of this action would cover. */
static bool refuse(
	const struct question *question, const struct cedar_entities *entities, struct error *err)
{
	const struct cedar_policy_set *set = question->people->policies;
	char may[ERROR_TEXT_BYTES] = "";
	size_t length = 0;

	for (size_t i = 0; i < cedar_policy_set_count(set) && length < sizeof may; i++) {
		struct cedar_policy policy = cedar_policy_set_get(set, i);
		struct text who = annotation(&policy, "who");

		if (who.length > 0 && cedar_policy_applies(set, i, entities, &question->request))
			length += (size_t)snprintf(may + length, sizeof may - length, "%s%.*s",
				length == 0 ? "" : ", ", TEXT_ARGS(who));
	}
	return error_set(err, ERROR_INVALID, "forbidden: this actor may not %s%s it; who may: %s",
		people_action_word(question->action),
		question->action == PEOPLE_CONSENT ? " to" : "", length == 0 ? "nobody" : may);
}

static bool judge(
	const struct question *question, const struct cedar_entities *entities, struct error *err)
{
	const struct people *people = question->people;
	struct cedar_answer answer;
	struct cedar_error cause = {0};
	struct cedar_policy policy;

	if (!cedar_authorize(people->policies, entities, &question->request,
		    cedar_arena_from(people->arena), &answer, &cause) ||
		answer.error_count > 0)
		return error_set(err, ERROR_LIMIT, "the rules about people could not be asked");
	if (answer.decision == CEDAR_ALLOW)
		return true;
	if (answer.reason_count == 0)
		return refuse(question, entities, err);
	policy = cedar_policy_set_get(people->policies, answer.reasons[0]);
	return error_set(
		err, ERROR_INVALID, "forbidden: %.*s", TEXT_ARGS(annotation(&policy, "says")));
}

/* People may ask about themselves: then it is one entity, as it is in force. */
static size_t count_of(const struct question *question)
{
	return cedar_uid_equal(&question->entities[0].uid, &question->entities[1].uid) ? 1 : 2;
}

bool people_may(const struct people *people, const struct people_actor *actor,
	enum people_action action, const struct people_resource *resource, struct error *err)
{
	struct question question = {
		.people = people, .actor = actor, .resource = resource, .action = action};
	const char *word = people_action_word(action);
	const struct cedar_entities *entities = NULL;
	struct cedar_error cause = {0};
	bool may = false;

	if (word == NULL || !make_principal(&question) || !make_resource(&question) ||
		!make_context(&question)) {
		if (actor->person == NULL || word == NULL)
			error_set(err, ERROR_INVALID, "forbidden: this actor may not do this");
		else
			error_set(err, ERROR_LIMIT, "no memory for the rules about people");
	} else if (!cedar_entities_overlay(&entities, cedar_arena_from(people->arena), NULL,
			   question.entities, count_of(&question), &cause)) {
		failed(err, &cause);
	} else {
		question.request.principal = question.entities[0].uid;
		question.request.action = uid_of("Action", text_of(word));
		question.request.resource = question.entities[1].uid;
		may = judge(&question, entities, err);
	}
	arena_reset(people->arena);
	return may;
}
