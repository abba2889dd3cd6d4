/* cedar-differ: the library's side of a comparison with another implementation.
 *
 * Reads one case a line, as JSON: [SCHEMA, POLICIES, TEMPLATES, LINKS].  The schema is a
 * string in Cedar syntax or, if it begins with a brace, in JSON; policies are one
 * string; templates a list of strings; a link is [INDEX, UID or null, UID or null].
 * Answers one line each: "schema" or "policies" if that is refused, "limit", or an array
 * with the names of the findings of each policy, each link and each template. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar/document.h"
#include "remit/cedar.h"

enum { ARENA_BYTES_MAX = 64 << 20, ID_BYTES = 32 };

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

static void print_findings(
	const struct cedar_policy_set *set, const struct cedar_validation *validation)
{
	size_t at = 0;

	printf("[");
	print_some(validation, &at, cedar_policy_set_count(set), false);
	print_some(validation, &at, cedar_policy_set_template_count(set), true);
	printf("]\n");
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

static bool fill_set(struct cedar_policy_set *set, const struct document_reader *reader,
	const struct document *policies)
{
	const struct document *templates = policies->next, *links = templates->next;
	size_t index = 0;

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

static bool parse_schema(struct cedar_schema **out, struct cedar_text text, struct cedar_error *err)
{
	if (text.length > 0 && text.data[0] == '{')
		return cedar_schema_parse_json(out, text, err);
	return cedar_schema_parse(out, text, err);
}

static void answer(struct cedar_arena *arena, const struct document_reader *reader,
	const struct document *root)
{
	struct cedar_schema *schema = NULL;
	struct cedar_policy_set *set = NULL;
	struct cedar_validation validation;

	if (!parse_schema(&schema, root->first->string, reader->err))
		printf("\"schema\"\n");
	else if (!cedar_policy_set_create(&set, reader->err) ||
		 !fill_set(set, reader, root->first->next))
		printf("\"policies\"\n");
	else if (!cedar_validate(set, schema, CEDAR_RULE_4_13, arena, &validation, reader->err))
		printf("\"limit\"\n");
	else
		print_findings(set, &validation);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
}

static bool answer_line(struct cedar_arena *arena, struct cedar_text line)
{
	struct document *root;
	struct cedar_error err;
	struct document_reader reader = {
		.arena = (struct arena *)arena, .source = line, .err = &err};

	if (!document_parse(&root, reader.arena, line, &err) || root->type != DOCUMENT_ARRAY ||
		root->count != 4)
		return false;
	answer(arena, &reader, root);
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
