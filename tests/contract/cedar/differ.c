/* cedar-differ: the library's side of a comparison with another implementation.
 *
 * Reads one case a line, [SCHEMA, POLICIES] as JSON strings, the schema in Cedar
 * syntax or, if it begins with a brace, as JSON; answers one line each: "schema" or
 * "policies" if that is refused, "limit", or an array with the names of the findings
 * of each policy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar/document.h"
#include "remit/cedar.h"

enum { ARENA_BYTES_MAX = 64 << 20 };

static void print_findings(
	const struct cedar_policy_set *set, const struct cedar_validation *validation)
{
	size_t at = 0;

	printf("[");
	for (size_t i = 0; i < cedar_policy_set_count(set); i++) {
		const char *comma = "";

		printf("%s[", i == 0 ? "" : ",");
		for (; at < validation->count && validation->findings[at].policy == i; at++) {
			printf("%s\"%s\"", comma,
				cedar_finding_name(validation->findings[at].code));
			comma = ",";
		}
		printf("]");
	}
	printf("]\n");
}

static bool parse_schema(
	struct cedar_schema **out, struct cedar_text text, struct cedar_error *err)
{
	if (text.length > 0 && text.data[0] == '{')
		return cedar_schema_parse_json(out, text, err);
	return cedar_schema_parse(out, text, err);
}

static void answer(struct cedar_arena *arena, struct cedar_text schema_text,
	struct cedar_text policies)
{
	struct cedar_schema *schema = NULL;
	struct cedar_policy_set *set = NULL;
	struct cedar_validation validation;
	struct cedar_error err;

	if (!parse_schema(&schema, schema_text, &err))
		printf("\"schema\"\n");
	else if (!cedar_policy_set_parse(&set, policies, NULL, &err))
		printf("\"policies\"\n");
	else if (!cedar_validate(set, schema, CEDAR_RULE_4_13, arena, &validation, &err))
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

	if (!document_parse(&root, (struct arena *)arena, line, &err) ||
		root->type != DOCUMENT_ARRAY || root->count != 2 ||
		root->first->type != DOCUMENT_STRING ||
		root->first->next->type != DOCUMENT_STRING)
		return false;
	answer(arena, root->first->string, root->first->next->string);
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
