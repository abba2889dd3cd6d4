/* Compiles and asks an application's own policies.
 *
 * Invariants of the rules: (1) where there is a schema, every policy is valid by it
 * without an error, and every stored entity is as it declares; (2) nothing in them
 * changes once compiled. */
#include "domain/application/application.h"

#include <stdlib.h>
#include <string.h>

#include "cedar/from_json.h"
#include "remit/cedar.h"

enum { ENTITIES_BYTES_MAX = 1024 * 1024, ASKED_ENTITIES = 2, VALIDATION_BYTES_MAX = 64 << 20 };

struct application_rules {
	struct arena *arena;
	struct cedar_schema *schema; /* NULL: none */
	struct cedar_policy_set *policies;
	struct cedar_entities *entities;
	struct cedar_uid *candidates;
	size_t candidates_count;
};

static const struct {
	const char *word;
	const char *meaning;
} reasons[] = {
#define X(name, word, meaning) [name] = {word, meaning},
	APPLICATION_REASONS(X)
#undef X
};

const char *application_reason_word(enum application_reason value)
{
	return (size_t)value < sizeof reasons / sizeof *reasons ? reasons[value].word : NULL;
}

const char *application_reason_meaning(enum application_reason value)
{
	return (size_t)value < sizeof reasons / sizeof *reasons ? reasons[value].meaning : NULL;
}

/* ---- compiling ---- */

static bool compile_schema(struct application_rules *rules, struct text schema, struct error *err)
{
	struct cedar_error cause = {0};

	return schema.length == 0 ||
	       cedar_schema_parse(&rules->schema, cedar_text_from(schema), &cause) ||
	       error_set_cedar(err, &cause);
}

static bool add_entities(
	struct application_rules *rules, const struct json *entities, struct cedar_error *cause)
{
	struct text written = TEXT("[]");

	if (entities != NULL)
		written = json_canonical_text(rules->arena, entities);
	if (written.data == NULL) {
		*cause =
			(struct cedar_error){CEDAR_ERROR_LIMIT, 0, 0, "the entities are too large"};
		return false;
	}
	if (rules->schema == NULL)
		return cedar_entities_add_json(rules->entities, cedar_text_from(written), cause);
	return cedar_schema_add_entities(
		       rules->schema, rules->entities, cedar_text_from(written), cause) &&
	       cedar_schema_add_actions(rules->schema, rules->entities, cause);
}

static bool add_candidate(void *closure, const struct cedar_entity *entity)
{
	struct application_rules *rules = closure;

	rules->candidates[rules->candidates_count++] = entity->uid;
	return true;
}

static bool compile_entities(
	struct application_rules *rules, const struct json *entities, struct error *err)
{
	struct cedar_error cause = {0};

	if (!cedar_entities_create(&rules->entities, &cause) ||
		!add_entities(rules, entities, &cause) ||
		!cedar_entities_seal(rules->entities, &cause))
		return error_set_cedar(err, &cause);
	if (rules->schema != NULL &&
		!cedar_validate_entities(rules->schema, rules->entities, &cause))
		return error_set_cedar(err, &cause);
	rules->candidates = arena_array(
		rules->arena, struct cedar_uid, cedar_entities_count(rules->entities) + 1);
	if (rules->candidates == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the entities");
	cedar_entities_visit(rules->entities, add_candidate, rules);
	return true;
}

/* Strict: warnings are no errors. */
static bool validate(const struct application_rules *rules, struct arena *arena,
	struct cedar_validation *found, struct cedar_error *cause)
{
	return cedar_validate(rules->policies, rules->schema, CEDAR_RULE_4_13,
		cedar_arena_from(arena), found, cause);
}

/* The first error, with its place. */
static bool must_validate(const struct application_rules *rules, struct error *err)
{
	struct arena *arena = arena_create(VALIDATION_BYTES_MAX);
	struct cedar_validation found;
	struct cedar_error cause = {0};
	bool ok = arena != NULL;

	if (!ok)
		return error_set(err, ERROR_LIMIT, "no memory to validate in");
	if (!validate(rules, arena, &found, &cause))
		ok = error_set_cedar(err, &cause);
	for (size_t i = 0; ok && i < found.count; i++)
		if (found.findings[i].severity == CEDAR_SEVERITY_ERROR)
			ok = error_set_at(err, ERROR_INVALID, found.findings[i].range.line,
				found.findings[i].range.column, "%s (%.*s)",
				cedar_finding_name(found.findings[i].code),
				TEXT_ARGS(found.findings[i].text));
	arena_destroy(&arena);
	return ok;
}

static const char is_template[] = "a template, which nothing here links: write policies";

static bool parse_policies(struct application_rules *rules, const struct application_source *source,
	struct cedar_error *cause)
{
	const struct cedar_naming naming = {.prefix = cedar_text_from(source->prefix)};

	return cedar_policy_set_parse(
		&rules->policies, cedar_text_from(source->policies), &naming, cause);
}

static bool compile_policies(
	struct application_rules *rules, const struct application_source *source, struct error *err)
{
	struct cedar_error cause = {0};

	if (!parse_policies(rules, source, &cause))
		return error_set_cedar(err, &cause);
	if (cedar_policy_set_template_count(rules->policies) > 0)
		return error_set(err, ERROR_INVALID, "%s", is_template);
	return rules->schema == NULL || must_validate(rules, err);
}

/* Zeroed but for its arena. */
static struct application_rules *rules_create(struct error *err)
{
	struct application_rules *rules = calloc(1, sizeof *rules);

	if (rules != NULL)
		rules->arena = arena_create(APPLICATION_ARENA_BYTES_MAX);
	if (rules != NULL && rules->arena != NULL)
		return rules;
	application_rules_destroy(&rules);
	(void)error_set(err, ERROR_LIMIT, "no memory for an application");
	return NULL;
}

bool application_compile(struct application_rules **out, const struct application_source *source,
	const char **part, struct error *err)
{
	struct application_rules *rules = rules_create(err);
	bool ok = false;

	*out = NULL;
	*part = "policies";
	if (rules == NULL)
		goto done;
	*part = "schema";
	if (!compile_schema(rules, source->schema, err))
		goto done;
	*part = "entities";
	if (!compile_entities(rules, source->entities, err))
		goto done;
	*part = "policies";
	if (!compile_policies(rules, source, err))
		goto done;
	*part = NULL;
	*out = rules;
	rules = NULL;
	ok = true;
done:
	application_rules_destroy(&rules);
	return ok;
}

void application_rules_destroy(struct application_rules **rules)
{
	if (*rules == NULL)
		return;
	cedar_policy_set_destroy(&(*rules)->policies);
	cedar_entities_destroy(&(*rules)->entities);
	cedar_schema_destroy(&(*rules)->schema);
	arena_destroy(&(*rules)->arena);
	free(*rules);
	*rules = NULL;
}

/* ---- telling all that is wrong ---- */

struct check {
	const struct application_source *source;
	struct application_rules *rules;
	void (*tell)(void *context, const struct application_finding *finding);
	void *context;
	struct error *err;
};

/* A limit without a place is the memory's. */
static bool tell_cause(const struct check *check, const char *part, const struct cedar_error *cause)
{
	if (cause->code == CEDAR_ERROR_LIMIT && cause->line == 0)
		return error_set(check->err, ERROR_LIMIT, "%s", cause->text);
	check->tell(check->context, &(struct application_finding){.part = part,
					    .line = cause->line,
					    .column = cause->column,
					    .length = 1,
					    .what = text_of(cause->text)});
	return true;
}

static void tell_range(const struct check *check, const struct cedar_range *range, struct text what,
	struct text hint)
{
	check->tell(check->context, &(struct application_finding){.part = "policies",
					    .line = range->line,
					    .column = range->column,
					    .length = range->length,
					    .what = what,
					    .hint = hint});
}

static bool check_policies(const struct check *check, struct arena *arena)
{
	const struct application_rules *rules = check->rules;
	struct cedar_validation found = {0};
	struct cedar_error cause = {0};

	for (size_t i = 0; i < cedar_policy_set_template_count(rules->policies); i++) {
		struct cedar_range range = cedar_policy_set_get_template(rules->policies, i).range;

		tell_range(check, &range, text_of(is_template), TEXT(""));
	}
	if (rules->schema == NULL)
		return true;
	if (!validate(rules, arena, &found, &cause))
		return tell_cause(check, "policies", &cause);
	for (size_t i = 0; i < found.count; i++)
		if (found.findings[i].severity == CEDAR_SEVERITY_ERROR)
			tell_range(check, &found.findings[i].range,
				cedar_text_to(found.findings[i].text),
				cedar_text_to(found.findings[i].hint));
	return true;
}

static bool check_parts(const struct check *check, struct arena *arena)
{
	struct application_rules *rules = check->rules;
	struct text schema = check->source->schema;
	struct cedar_error cause = {0};
	struct error err = {0};

	if (schema.length > 0 &&
		!cedar_schema_parse(&rules->schema, cedar_text_from(schema), &cause)) {
		if (!tell_cause(check, "schema", &cause))
			return false;
	} else if (!compile_entities(rules, check->source->entities, &err)) {
		if (err.code == ERROR_LIMIT)
			return error_set(check->err, ERROR_LIMIT, "%s", err.text);
		check->tell(check->context,
			&(struct application_finding){
				.part = "entities", .length = 1, .what = text_of(err.text)});
	}
	return parse_policies(rules, check->source, &cause) ? check_policies(check, arena)
							    : tell_cause(check, "policies", &cause);
}

bool application_check(const struct application_source *source,
	void (*tell)(void *context, const struct application_finding *finding), void *context,
	struct error *err)
{
	struct check check = {.source = source,
		.rules = rules_create(err),
		.tell = tell,
		.context = context,
		.err = err};
	struct arena *arena = arena_create(VALIDATION_BYTES_MAX);
	bool ok = check.rules != NULL;

	if (ok && arena == NULL)
		ok = error_set(err, ERROR_LIMIT, "no memory to validate in");
	ok = ok && check_parts(&check, arena);
	arena_destroy(&arena);
	application_rules_destroy(&check.rules);
	return ok;
}

size_t application_candidates_count(const struct application_rules *rules)
{
	return rules->candidates_count;
}

struct application_candidate application_candidate_at(
	const struct application_rules *rules, size_t index)
{
	const struct cedar_uid *uid = &rules->candidates[index];

	return (struct application_candidate){cedar_text_to(uid->type), cedar_text_to(uid->id)};
}

/* ---- one request ---- */

/* One decision on its way. */
struct asking {
	const struct application_rules *rules;
	const struct application_question *question;
	struct arena *arena;
	struct application_answer *out;
	struct cedar_request request;
	const struct cedar_entities *entities;
	struct cedar_entities *given[ASKED_ENTITIES]; /* properties read by the schema: owned */
};

static bool refuse(struct asking *asking, enum application_reason reason, const char *what,
	const struct cedar_error *cause)
{
	bool is_said = strncmp(cause->text, "the request", sizeof "the request" - 1) == 0;

	asking->out->reason = reason;
	asking->out->detail = text_format(
		asking->arena, "%s%s%s", is_said ? "" : what, is_said ? "" : ": ", cause->text);
	return false;
}

static bool refuse_no_memory(struct asking *asking)
{
	asking->out->reason = APPLICATION_NOT_EVALUATED;
	asking->out->detail = TEXT("no memory");
	return false;
}

/* The stored attributes and those given, which win, as one record. */
static bool merge(struct asking *asking, const struct cedar_value *stored,
	const struct cedar_value *given, struct cedar_value *out, struct cedar_error *cause)
{
	struct cedar_member *members = arena_array(
		asking->arena, struct cedar_member, (size_t)stored->count + given->count + 1);
	size_t count = 0;

	if (members == NULL) {
		*cause = (struct cedar_error){CEDAR_ERROR_LIMIT, 0, 0, "no memory"};
		return false;
	}
	for (uint32_t i = 0; i < given->count; i++)
		members[count++] = given->members[i];
	for (uint32_t i = 0; stored->type == CEDAR_RECORD && i < stored->count; i++)
		if (cedar_value_find(given, stored->members[i].name) == NULL)
			members[count++] = stored->members[i];
	return cedar_value_record(out, cedar_arena_from(asking->arena), members, count, cause);
}

/* The JSON of an entity that has these attributes alone. */
static struct text entity_json(struct asking *asking, const struct application_entity *entity)
{
	struct json_builder uid, object, array;
	struct json written;
	struct error err;

	json_object_start(&uid, asking->arena);
	json_put_text(&uid, "type", entity->type);
	json_put_text(&uid, "id", entity->id);
	if (!json_object_seal(&uid, &written, &err))
		return (struct text){0};
	json_object_start(&object, asking->arena);
	json_put(&object, "uid", written);
	json_put(&object, "attrs", *entity->properties);
	json_array_start(&array, asking->arena);
	if (!json_array_seal(&array, &written, &err))
		return (struct text){0};
	json_put(&object, "parents", written);
	if (!json_object_seal(&object, &written, &err))
		return (struct text){0};
	json_array_start(&array, asking->arena);
	json_add(&array, written);
	return json_array_seal(&array, &written, &err)
		       ? json_canonical_text(asking->arena, &written)
		       : (struct text){0};
}

/* The properties by the types that the schema gives them. */
static bool read_by_schema(struct asking *asking, const struct application_entity *entity,
	struct cedar_entities **store, struct cedar_value *out, struct cedar_error *cause)
{
	struct text json = entity_json(asking, entity);
	struct cedar_uid uid =
		cedar_uid_of(cedar_text_from(entity->type), cedar_text_from(entity->id));
	struct cedar_entity found;

	if (json.data == NULL) {
		*cause = (struct cedar_error){CEDAR_ERROR_LIMIT, 0, 0, "no memory"};
		return false;
	}
	if (!cedar_entities_create(store, cause) ||
		!cedar_schema_add_entities(
			asking->rules->schema, *store, cedar_text_from(json), cause) ||
		!cedar_entities_seal(*store, cause))
		return false;
	if (cedar_entities_find(*store, &uid, &found))
		*out = found.attributes;
	return true;
}

/* True unless Cedar's JSON may give a part of the value a meaning of its own ("__entity").
 * It was read from JSON, so its depth is bounded. */
static bool is_plain(const struct json *value)
{
	if (value->type == JSON_OBJECT && value->count == 1 &&
		text_starts_with(value->members[0].name, "__"))
		return false;
	for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->count; i++)
		if (!is_plain(&value->members[i].value))
			return false;
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		if (!is_plain(&value->items[i]))
			return false;
	return true;
}

static void note_lost(void *closure, const struct text *path, size_t count)
{
	bool *is_lost = closure;

	(void)path;
	(void)count;
	*is_lost = true;
}

/* An object of the question as a Cedar record.  Most are plain; what is not, or cannot be
 * held, goes through Cedar's own reader, which says what is wrong with it. */
static bool read_object(struct asking *asking, const struct json *object, struct cedar_value *out,
	struct cedar_error *cause)
{
	bool is_lost = !is_plain(object);
	struct text json;

	if (!is_lost &&
		!cedar_value_from_json(out, asking->arena, object, note_lost, &is_lost, cause))
		return false;
	if (!is_lost)
		return true;
	json = json_canonical_text(asking->arena, object);
	if (json.data == NULL) {
		*cause = (struct cedar_error){CEDAR_ERROR_LIMIT, 0, 0, "no memory"};
		return false;
	}
	return cedar_value_parse_json(
		out, cedar_arena_from(asking->arena), cedar_text_from(json), cause);
}

/* Cedar's own reader may have made an entity or an extension value of it. */
static bool must_be_record(const struct cedar_value *value, struct cedar_error *cause)
{
	if (value->type == CEDAR_RECORD)
		return true;
	*cause = (struct cedar_error){CEDAR_ERROR_INVALID, 0, 0, "must be a record"};
	return false;
}

/* The entity with the properties over what is stored of it.  With a schema, what
 * comes of it must be as declared: read alone, or all that is stored were read. */
static bool overlay_entity(struct asking *asking, const struct application_entity *entity,
	struct cedar_entities **store, struct cedar_entity *out, struct cedar_error *cause)
{
	const struct cedar_schema *schema = asking->rules->schema;
	struct cedar_uid uid =
		cedar_uid_of(cedar_text_from(entity->type), cedar_text_from(entity->id));
	const struct cedar_entities *alone;
	struct cedar_value given = {0};
	bool ok;

	ok = schema == NULL ? read_object(asking, entity->properties, &given, cause)
			    : read_by_schema(asking, entity, store, &given, cause);
	if (!ok || !must_be_record(&given, cause))
		return false;
	if (!cedar_entities_find(asking->rules->entities, &uid, out))
		out->uid = uid;
	if (!merge(asking, &out->attributes, &given, &out->attributes, cause))
		return false;
	if (schema == NULL)
		return true;
	return cedar_entities_overlay(
		       &alone, cedar_arena_from(asking->arena), NULL, out, 1, cause) &&
	       cedar_validate_entities(schema, alone, cause);
}

static enum application_reason reason_of(
	const struct asking *asking, const struct cedar_error *cause)
{
	return asking->rules->schema != NULL && cause->code == CEDAR_ERROR_INVALID
		       ? APPLICATION_NOT_OF_SCHEMA
		       : APPLICATION_NOT_EVALUATED;
}

static bool has_properties(const struct application_entity *entity)
{
	return entity->properties != NULL && entity->properties->count > 0;
}

/* Subject and resource where they are one entity, which then has the properties of both:
 * the same ones, or none that both say, because only one of them could hold. */
static bool join_properties(struct asking *asking, struct application_entity asked[ASKED_ENTITIES])
{
	struct text first = json_canonical_text(asking->arena, asked[0].properties);
	struct text second = json_canonical_text(asking->arena, asked[1].properties);
	struct json *joined = arena_new(asking->arena, struct json);
	struct json_builder object;
	struct error err;

	if (first.data == NULL || second.data == NULL || joined == NULL)
		return refuse_no_memory(asking);
	json_object_start(&object, asking->arena);
	for (size_t of = 0; of < (text_equal(first, second) ? 1 : ASKED_ENTITIES); of++)
		for (uint32_t i = 0; i < asked[of].properties->count; i++)
			json_put_named(&object, asked[of].properties->members[i].name,
				asked[of].properties->members[i].value);
	if (!json_object_seal(&object, joined, &err)) {
		if (err.code == ERROR_LIMIT)
			return refuse_no_memory(asking);
		asking->out->reason = APPLICATION_NOT_EVALUATED;
		asking->out->detail = TEXT("subject and resource are one entity, and both say "
					   "the same property");
		return false;
	}
	asked[0].properties = joined;
	asked[1].properties = NULL;
	return true;
}

static bool build_entities(struct asking *asking)
{
	struct application_entity asked[ASKED_ENTITIES] = {
		asking->question->subject, asking->question->resource};
	struct cedar_entity *added =
		arena_array(asking->arena, struct cedar_entity, ASKED_ENTITIES);
	struct cedar_error cause = {0};
	size_t count = 0;

	if (added == NULL)
		return refuse_no_memory(asking);
	if (has_properties(&asked[0]) && has_properties(&asked[1]) &&
		text_equal(asked[0].type, asked[1].type) && text_equal(asked[0].id, asked[1].id) &&
		!join_properties(asking, asked))
		return false;
	for (size_t i = 0; i < ASKED_ENTITIES; i++) {
		if (!has_properties(&asked[i]))
			continue;
		if (!overlay_entity(asking, &asked[i], &asking->given[i], &added[count++], &cause))
			return refuse(asking, reason_of(asking, &cause),
				i == 0 ? "subject.properties" : "resource.properties", &cause);
	}
	asking->entities = asking->rules->entities;
	if (count == 0)
		return true;
	return cedar_entities_overlay(&asking->entities, cedar_arena_from(asking->arena),
		       asking->rules->entities, added, count, &cause) ||
	       refuse(asking, APPLICATION_NOT_EVALUATED, "properties", &cause);
}

/* The question's context, and the action's properties in it. */
static bool join_context(struct asking *asking, struct json *out)
{
	const struct application_question *question = asking->question;
	struct json_builder object;
	struct error err;

	json_object_start(&object, asking->arena);
	for (uint32_t i = 0; question->context != NULL && i < question->context->count; i++)
		json_put_named(&object, question->context->members[i].name,
			question->context->members[i].value);
	if (question->action_properties != NULL)
		json_put(&object, "action", *question->action_properties);
	if (json_object_seal(&object, out, &err))
		return true;
	asking->out->reason = APPLICATION_NOT_EVALUATED;
	asking->out->detail = TEXT("context.action is where the action's properties go");
	return false;
}

/* Without a schema, which would type the action's properties. */
static bool read_context(struct asking *asking, const struct json *context)
{
	const struct cedar_value *action;
	struct cedar_error cause = {0};

	if (!read_object(asking, context, &asking->request.context, &cause))
		return refuse(asking, APPLICATION_NOT_EVALUATED, "context", &cause);
	if (asking->question->action_properties == NULL)
		return true;
	action = cedar_value_find(&asking->request.context, CEDAR_TEXT("action"));
	return action == NULL || must_be_record(action, &cause) ||
	       refuse(asking, APPLICATION_NOT_EVALUATED, "action.properties", &cause);
}

static bool build_context(struct asking *asking)
{
	const struct cedar_schema *schema = asking->rules->schema;
	struct cedar_error cause = {0};
	struct json context;
	struct text json;
	bool ok;

	if (!join_context(asking, &context))
		return false;
	if (schema == NULL)
		return read_context(asking, &context);
	json = json_canonical_text(asking->arena, &context);
	if (json.data == NULL)
		return refuse_no_memory(asking);
	ok = cedar_schema_parse_context(&asking->request.context, cedar_arena_from(asking->arena),
		     schema, &asking->request.action, cedar_text_from(json), &cause) &&
	     cedar_validate_request(schema, &asking->request, &cause);
	return ok || refuse(asking, reason_of(asking, &cause), "request", &cause);
}

static bool build_request(struct asking *asking)
{
	const struct application_question *question = asking->question;

	asking->request.principal = cedar_uid_of(
		cedar_text_from(question->subject.type), cedar_text_from(question->subject.id));
	asking->request.action =
		cedar_uid_of(CEDAR_TEXT("Action"), cedar_text_from(question->action));
	asking->request.resource = cedar_uid_of(
		cedar_text_from(question->resource.type), cedar_text_from(question->resource.id));
	return build_context(asking) && build_entities(asking);
}

/* ---- the answer ---- */

static bool is_of_effect(
	const struct application_rules *rules, uint32_t policy, enum cedar_effect effect)
{
	return cedar_policy_set_get(rules->policies, policy).effect == effect;
}

/* A forbid that failed might have forbidden; a permit that failed was the only hope
 * where nothing permits. */
static bool has_failed_where_it_counts(
	const struct application_rules *rules, const struct cedar_answer *answer, size_t *which)
{
	bool is_denied_by_default = answer->decision == CEDAR_DENY && answer->reason_count == 0;

	for (*which = 0; *which < answer->error_count; (*which)++)
		if (is_denied_by_default ||
			is_of_effect(rules, answer->errors[*which].policy, CEDAR_FORBID))
			return true;
	return false;
}

static void name_policies(const struct application_rules *rules, const struct cedar_answer *answer,
	struct application_answer *out)
{
	for (size_t i = 0; i < answer->reason_count && i < APPLICATION_POLICIES_MAX; i++)
		out->policies[out->policies_count++] =
			cedar_text_to(cedar_policy_set_get(rules->policies, answer->reasons[i]).id);
}

static void conclude(struct asking *asking, const struct cedar_answer *answer)
{
	struct application_answer *out = asking->out;
	size_t which;

	name_policies(asking->rules, answer, out);
	if (answer->decision == CEDAR_DENY && answer->reason_count > 0) {
		out->reason = APPLICATION_POLICY_FORBIDS;
	} else if (has_failed_where_it_counts(asking->rules, answer, &which)) {
		out->reason = APPLICATION_NOT_EVALUATED;
		out->policies_count = 0;
		out->detail = cedar_text_to(answer->errors[which].text);
	} else if (answer->decision == CEDAR_ALLOW) {
		out->reason = APPLICATION_PERMITTED;
		out->is_allowed = true;
	} else {
		out->reason = APPLICATION_NO_PERMIT;
	}
}

void application_decide(const struct application_rules *rules,
	const struct application_question *question, struct arena *arena,
	struct application_answer *out)
{
	struct asking asking = {.rules = rules, .question = question, .arena = arena, .out = out};
	struct cedar_error cause = {0};
	struct cedar_answer answer;

	*out = (struct application_answer){0};
	if (build_request(&asking)) {
		if (cedar_authorize(rules->policies, asking.entities, &asking.request,
			    cedar_arena_from(arena), &answer, &cause))
			conclude(&asking, &answer);
		else
			(void)refuse(&asking, APPLICATION_NOT_EVALUATED, "request", &cause);
	}
	for (size_t i = 0; i < ASKED_ENTITIES; i++)
		cedar_entities_destroy(&asking.given[i]);
}
