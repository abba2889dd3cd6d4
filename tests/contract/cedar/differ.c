/* cedar-differ: the library's side of a comparison with another implementation.
 *
 * Reads one world a line, as JSON: [SCHEMA, ENTITIES, [SET, ..]], a set being
 * [POLICIES, TEMPLATES, LINKS, REQUESTS].  The schema is a text in Cedar syntax or, if it
 * begins with a brace, in JSON; entities are JSON in a string.  Policies are a text; if it
 * begins with a brace, a whole set in JSON, and then no templates and links follow.  A
 * link is [INDEX, UID or null, UID or null], a request [BY_SCHEMA, UID, UID, UID, CONTEXT]
 * with the context as JSON in a string: by the schema, or knowing none.
 *
 * Answers one line each: [SCHEMA_HOLDS, [ANSWER, ..]].  A set's answer is "policies" if it
 * is refused, else [FINDINGS, DECISIONS]: the names of the findings of each policy, each
 * link and each template (null without a schema); of each request "refused" or
 * [DECISION, REASONS, ERRORS].  "limit" where a bound was met. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar/document.h"
#include "remit/cedar.h"

enum { ARENA_BYTES_MAX = 64 << 20, ID_BYTES = 32 };

/* What the sets of one line share; absent where it was refused. */
struct world {
	struct cedar_arena *arena;
	struct cedar_schema *schema;
	struct cedar_entities *plain, *typed;
	const struct document_reader *reader;
};

static void print_some(
	const struct cedar_validation *validation, size_t *at, size_t count, bool are_templates)
{
	for (size_t i = 0; i < count; i++) {
		const char *comma = "";

		printf("%s[", i == 0 && !are_templates ? "" : ",");
		for (; *at < validation->count; (*at)++) {
			const struct cedar_finding *finding = &validation->findings[*at];

			if (finding->policy != i || finding->is_template != are_templates)
				break;
			printf("%s\"%s\"", comma, cedar_finding_name(finding->code));
			comma = ",";
		}
		printf("]");
	}
}

static void print_findings(const struct world *world, const struct cedar_policy_set *set)
{
	struct cedar_validation validation;
	struct cedar_error *err = world->reader->err;
	size_t at = 0;

	if (world->schema == NULL) {
		printf("null");
		return;
	}
	if (!cedar_validate(set, world->schema, CEDAR_RULE_4_13, world->arena, &validation, err)) {
		printf("\"limit\"");
		return;
	}
	printf("[");
	print_some(&validation, &at, cedar_policy_set_count(set), false);
	print_some(&validation, &at, cedar_policy_set_template_count(set), true);
	printf("]");
}

static bool add_template(
	struct cedar_policy_set *set, struct cedar_text text, size_t index, struct cedar_error *err)
{
	char id[ID_BYTES];
	struct cedar_text ids[1];
	struct cedar_naming naming = {.ids = ids, .id_count = 1};

	(void)snprintf(id, sizeof id, "template%zu", index);
	ids[0] = cedar_text_of(id);
	return cedar_policy_set_add_text(set, text, &naming, err);
}

static bool add_link(struct cedar_policy_set *set, const struct document_reader *reader,
	const struct document *link, size_t index)
{
	const struct document *template_index = link->first;
	const struct document *principal = template_index->next, *resource = principal->next;
	struct cedar_uid uids[2];
	char id[ID_BYTES], of[ID_BYTES];
	struct cedar_link given = {.id = {id, 0}};

	given.id.length = (size_t)snprintf(id, sizeof id, "link%zu", index);
	(void)snprintf(of, sizeof of, "template%lld", (long long)template_index->integer);
	given.template_id = cedar_text_of(of);
	if (principal->type != DOCUMENT_NULL) {
		if (!document_uid(reader, principal, &uids[0]))
			return false;
		given.principal = &uids[0];
	}
	if (resource->type != DOCUMENT_NULL) {
		if (!document_uid(reader, resource, &uids[1]))
			return false;
		given.resource = &uids[1];
	}
	return cedar_policy_set_link(set, &given, reader->err);
}

static bool is_json(struct cedar_text text)
{
	return text.length > 0 && text.data[0] == '{';
}

static bool fill_set(struct cedar_policy_set *set, const struct document_reader *reader,
	const struct document *policies)
{
	const struct document *templates = policies->next, *links = templates->next;
	size_t index = 0;

	if (is_json(policies->string))
		return cedar_policy_set_add_set_json(set, policies->string, reader->err) &&
		       cedar_policy_set_seal(set, reader->err);
	if (!cedar_policy_set_add_text(set, policies->string, NULL, reader->err))
		return false;
	for (const struct document *at = templates->first; at != NULL; at = at->next) {
		if (!add_template(set, at->string, index++, reader->err))
			return false;
	}
	index = 0;
	for (const struct document *at = links->first; at != NULL; at = at->next) {
		if (!add_link(set, reader, at, index++))
			return false;
	}
	return cedar_policy_set_seal(set, reader->err);
}

static void print_id(const struct cedar_policy_set *set, size_t i, size_t index)
{
	struct cedar_text id = cedar_policy_set_get(set, index).id;

	printf("%s\"%.*s\"", i == 0 ? "" : ",", (int)id.length, id.data);
}

static void print_decision(const struct cedar_policy_set *set, const struct cedar_answer *answer)
{
	printf("[\"%s\",[", answer->decision == CEDAR_ALLOW ? "allow" : "deny");
	for (size_t i = 0; i < answer->reason_count; i++)
		print_id(set, i, answer->reasons[i]);
	printf("],[");
	for (size_t i = 0; i < answer->error_count; i++)
		print_id(set, i, answer->errors[i].policy);
	printf("]]");
}

/* Reads what follows BY_SCHEMA; false if a part of it is refused. */
static bool read_request(const struct world *world, const struct document *principal, bool is_typed,
	struct cedar_request *request)
{
	const struct document *action = principal->next, *resource = action->next;
	struct cedar_text context = resource->next->string;
	struct cedar_error *err = world->reader->err;

	if (!document_uid(world->reader, principal, &request->principal) ||
		!document_uid(world->reader, action, &request->action) ||
		!document_uid(world->reader, resource, &request->resource))
		return false;
	if (!is_typed)
		return cedar_value_parse_json(&request->context, world->arena, context, err);
	return cedar_schema_parse_context(&request->context, world->arena, world->schema,
		       &request->action, context, err) &&
	       cedar_validate_request(world->schema, request, err);
}

static void decide(
	const struct world *world, const struct cedar_policy_set *set, const struct document *item)
{
	bool is_typed = item->first->boolean;
	const struct cedar_entities *entities = is_typed ? world->typed : world->plain;
	struct cedar_request request = {.context = {.type = CEDAR_NONE}};
	struct cedar_answer answer;

	if (is_typed && world->schema == NULL)
		printf("null");
	else if (entities == NULL || !read_request(world, item->first->next, is_typed, &request))
		printf("\"refused\"");
	else if (!cedar_authorize(
			 set, entities, &request, world->arena, &answer, world->reader->err))
		printf("\"limit\"");
	else
		print_decision(set, &answer);
}

static void answer_set(const struct world *world, const struct document *item)
{
	const struct document *requests = item->first->next->next->next;
	struct cedar_policy_set *set = NULL;

	if (!cedar_policy_set_create(&set, world->reader->err) ||
		!fill_set(set, world->reader, item->first)) {
		printf("\"policies\"");
	} else {
		printf("[");
		print_findings(world, set);
		printf(",[");
		for (const struct document *at = requests->first; at != NULL; at = at->next) {
			decide(world, set, at);
			printf("%s", at->next == NULL ? "" : ",");
		}
		printf("]]");
	}
	cedar_policy_set_destroy(&set);
}

static bool parse_schema(struct cedar_schema **out, struct cedar_text text, struct cedar_error *err)
{
	return is_json(text) ? cedar_schema_parse_json(out, text, err)
			     : cedar_schema_parse(out, text, err);
}

/* NULL if the entities are refused: by themselves, or by the schema, which may be NULL. */
static struct cedar_entities *read_entities(
	const struct cedar_schema *schema, struct cedar_text json, struct cedar_error *err)
{
	struct cedar_entities *entities = NULL;
	bool ok = cedar_entities_create(&entities, err);

	if (schema == NULL)
		ok = ok && cedar_entities_add_json(entities, json, err) &&
		     cedar_entities_seal(entities, err);
	else
		ok = ok && cedar_schema_add_entities(schema, entities, json, err) &&
		     cedar_schema_add_actions(schema, entities, err) &&
		     cedar_entities_seal(entities, err) &&
		     cedar_validate_entities(schema, entities, err);
	if (!ok)
		cedar_entities_destroy(&entities);
	return entities;
}

static void answer(struct world *world, const struct document *root)
{
	struct cedar_text entities = root->first->next->string;
	struct cedar_error *err = world->reader->err;

	(void)parse_schema(&world->schema, root->first->string, err);
	world->plain = read_entities(NULL, entities, err);
	if (world->schema != NULL)
		world->typed = read_entities(world->schema, entities, err);
	printf("[%s,[", world->schema != NULL ? "true" : "false");
	for (const struct document *at = root->first->next->next->first; at != NULL;
		at = at->next) {
		answer_set(world, at);
		printf("%s", at->next == NULL ? "" : ",");
	}
	printf("]]\n");
	cedar_entities_destroy(&world->typed);
	cedar_entities_destroy(&world->plain);
	cedar_schema_destroy(&world->schema);
}

static bool answer_line(struct cedar_arena *arena, struct cedar_text line)
{
	struct document *root;
	struct cedar_error err;
	struct document_reader reader = {
		.arena = (struct arena *)arena, .source = line, .err = &err};
	struct world world = {.arena = arena, .reader = &reader};

	if (!document_parse(&root, reader.arena, line, &err) || root->type != DOCUMENT_ARRAY ||
		root->count != 3)
		return false;
	answer(&world, root);
	return fflush(stdout) == 0;
}

int main(void)
{
	struct cedar_arena *arena = cedar_arena_create(ARENA_BYTES_MAX);
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	bool ok = arena != NULL;

	while (ok && (length = getline(&line, &capacity, stdin)) > 0) {
		cedar_arena_reset(arena);
		ok = answer_line(arena, (struct cedar_text){line, (size_t)length});
	}
	free(line);
	cedar_arena_destroy(&arena);
	return ok ? 0 : 1;
}
