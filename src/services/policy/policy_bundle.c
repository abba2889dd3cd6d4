/* Reads and checks a folder. */
#include "services/policy/policy_bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "domain/charter/name_table.h"

enum { BUNDLE_ARENA_BYTES_MAX = 512 * 1024 * 1024, YAML_VALUES_MAX = 10 * 1000 * 1000 };

/* ---- reading ---- */

static bool bundle_open(struct policy_bundle *bundle, size_t sources, struct error *err)
{
	*bundle = (struct policy_bundle){.arena = arena_create(BUNDLE_ARENA_BYTES_MAX)};
	if (bundle->arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the policies");
	bundle->problems.arena = bundle->arena;
	bundle->named = name_table_create();
	bundle->objects = arena_array(bundle->arena, const struct object *, PLAN_OBJECTS_MAX);
	bundle->files = arena_array(bundle->arena, struct text, PLAN_OBJECTS_MAX);
	bundle->cases = arena_array(bundle->arena, struct json, PLAN_OBJECTS_MAX);
	bundle->case_files = arena_array(bundle->arena, struct text, PLAN_OBJECTS_MAX);
	bundle->texts = arena_array(bundle->arena, struct policy_bundle_text, sources + 1);
	return (bundle->named != NULL && bundle->objects != NULL && bundle->files != NULL &&
		       bundle->cases != NULL && bundle->case_files != NULL &&
		       bundle->texts != NULL) ||
	       error_set(err, ERROR_LIMIT, "no memory for the policies");
}

static struct text object_title(struct arena *arena, const struct object *object)
{
	return object == NULL ? TEXT("")
			      : text_format(arena, "%s %.*s", object_kind_word(object->kind),
					TEXT_ARGS(object->name));
}

/* One of the two would be left out, whichever comes first where it is looked for. */
static bool keep_name(
	struct policy_bundle *bundle, struct object *object, struct text file, struct error *err)
{
	struct place place = {.file = file, .line = object->as_read.line};
	struct text title = object_title(bundle->arena, object);

	if (title.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the policies");
	if (name_table_find(bundle->named, title) == NULL)
		return name_table_put(bundle->named, title, object) ||
		       error_set(err, ERROR_LIMIT, "no memory for the policies");
	problem_add(&bundle->problems, place, "write one of the two", "%.*s is written twice",
		TEXT_ARGS(title));
	return true;
}

static bool add_object(struct policy_bundle *bundle, const struct json *document, struct text file,
	struct error *err)
{
	struct object *object;

	if (!object_parse(&object, document, file, &bundle->problems))
		return true; /* it is among the problems */
	if (bundle->objects_count == PLAN_OBJECTS_MAX) {
		const struct object *held = object;

		object_release(&held);
		return error_set(err, ERROR_LIMIT, "more than %d documents", PLAN_OBJECTS_MAX);
	}
	bundle->files[bundle->objects_count] = file;
	bundle->objects[bundle->objects_count++] = object;
	return keep_name(bundle, object, file, err);
}

static bool add_case(struct policy_bundle *bundle, const struct json *document, struct text file,
	struct error *err)
{
	if (bundle->cases_count == PLAN_OBJECTS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d cases", PLAN_OBJECTS_MAX);
	bundle->case_files[bundle->cases_count] = file;
	bundle->cases[bundle->cases_count++] = *document;
	return true;
}

static bool read_yaml(
	struct policy_bundle *bundle, const struct plan_source *source, struct error *err)
{
	struct json_limits limits = {PLAN_BYTES_MAX, json_limits_default.depth, YAML_VALUES_MAX};
	bool is_case = text_ends_with(source->file, POLICY_CASE_FILE_END);
	struct text file = text_copy(bundle->arena, source->file);
	struct yaml_documents documents;
	struct error cause = {0};

	if (file.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the policies");
	if (!yaml_parse(&documents, bundle->arena, source->yaml, file.data, &limits, &cause)) {
		problem_add_syntax(&bundle->problems, file, &cause);
		return true;
	}
	for (size_t i = 0; i < documents.count; i++)
		if (!(is_case ? add_case : add_object)(bundle, &documents.items[i], file, err))
			return false;
	return true;
}

bool policy_bundle_read(struct policy_bundle *bundle, const struct plan_source *sources,
	size_t count, struct error *err)
{
	if (!bundle_open(bundle, count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct policy_bundle_text *text = &bundle->texts[bundle->texts_count];

		if (!text_ends_with(sources[i].file, POLICY_TEXT_FILE_END)) {
			if (!read_yaml(bundle, &sources[i], err))
				return false;
			continue;
		}
		text->file = text_copy(bundle->arena, sources[i].file);
		text->text = text_copy(bundle->arena, sources[i].yaml);
		if (text->file.data == NULL || text->text.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for the policies");
		bundle->texts_count++;
	}
	return true;
}

void policy_bundle_deinit(struct policy_bundle *bundle)
{
	for (size_t i = 0; i < bundle->objects_count; i++)
		object_release(&bundle->objects[i]);
	name_table_destroy(&bundle->named, NULL);
	arena_destroy(&bundle->arena);
	*bundle = (struct policy_bundle){0};
}

/* ---- checking ---- */

struct bundle_check {
	struct policy_bundle *bundle;
	struct policy_checker *checker;
	struct json_builder findings;
	struct json_builder arguments;
	size_t policies;
	size_t applications;
	size_t conditions;
	size_t errors;
	size_t warnings;
	struct error *err;
};

static bool add_finding(struct bundle_check *check, struct json_builder *finding)
{
	struct json sealed;

	if (!json_object_seal(finding, &sealed, check->err))
		return false;
	json_add(&check->findings, sealed);
	return true;
}

static bool put_finding(struct bundle_check *check, const struct policy_finding *finding,
	const struct object *object, struct text file)
{
	struct arena *arena = check->bundle->arena;
	struct json_builder out;

	json_object_start(&out, arena);
	json_put_cstring(&out, "severity", finding->severity == POLICY_ERROR ? "error" : "warning");
	json_put_cstring(&out, "code", finding->code);
	json_put_text_unless_empty(&out, "object", object_title(arena, object));
	json_put_text_unless_empty(&out, "field", finding->field);
	json_put_text(&out, "file", file);
	json_put_integer(&out, "line", finding->file_line);
	json_put_integer(&out, "text_line", finding->line);
	json_put_integer(&out, "column", finding->column);
	json_put_text(&out, "what", finding->what);
	json_put_text_unless_empty(&out, "hint", finding->hint);
	json_put_text_unless_empty(
		&out, "excerpt", excerpt_format(arena, &finding->excerpt, PROBLEM_INDENT));
	return add_finding(check, &out);
}

static bool put_arguments(struct bundle_check *check, const struct policy_findings *findings,
	struct text title, struct text file)
{
	for (size_t i = 0; i < findings->arguments_count; i++) {
		const struct policy_arguments *one = &findings->arguments[i];
		struct json_builder out;
		struct json sealed;

		json_object_start(&out, check->bundle->arena);
		json_put_text_unless_empty(&out, "object", title);
		json_put_text_unless_empty(&out, "field", one->field);
		json_put_text(&out, "file", file);
		json_put_integer(&out, "line", one->file_line);
		json_put_integer(&out, "text_line", one->line);
		json_put_text(&out, "types", one->types);
		if (!json_object_seal(&out, &sealed, check->err))
			return false;
		json_add(&check->arguments, sealed);
	}
	return true;
}

static bool put_findings(struct bundle_check *check, const struct policy_findings *findings,
	const struct object *object, struct text file)
{
	check->errors += findings->error_count;
	check->conditions += findings->conditions_count;
	for (size_t i = 0; i < findings->count; i++) {
		check->warnings += findings->items[i].severity == POLICY_WARNING;
		if (!put_finding(check, &findings->items[i], object, file))
			return false;
	}
	return put_arguments(check, findings, object_title(check->bundle->arena, object), file);
}

static bool check_object(struct bundle_check *check, size_t at)
{
	const struct object *object = check->bundle->objects[at];
	struct policy_findings findings = {.arena = check->bundle->arena};

	check->policies += object->kind == OBJECT_POLICY;
	check->applications += object->kind == OBJECT_APPLICATION;
	return policy_check_object(check->checker, object, &findings, check->err) &&
	       put_findings(check, &findings, object, check->bundle->files[at]);
}

static bool check_text(struct bundle_check *check, const struct policy_bundle_text *text)
{
	struct policy_findings findings = {.arena = check->bundle->arena};

	check->policies++;
	return policy_check_guardrail(check->checker, text->text, &findings, check->err) &&
	       put_findings(check, &findings, NULL, text->file);
}

static bool put_problems(struct bundle_check *check)
{
	const struct problems *problems = &check->bundle->problems;

	check->errors += problems->total;
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		struct json_builder out;

		json_object_start(&out, check->bundle->arena);
		json_put_cstring(&out, "severity", "error");
		json_put_cstring(&out, "code", "document");
		json_put_text_unless_empty(&out, "field", problem->field);
		json_put_text(&out, "file", problem->file);
		json_put_integer(&out, "line", problem->line);
		json_put_text(&out, "what", problem->what);
		json_put_text_unless_empty(&out, "hint", problem->remedy);
		json_put_text_unless_empty(&out, "excerpt", problem->excerpt);
		if (!add_finding(check, &out))
			return false;
	}
	return true;
}

static bool seal_check(struct bundle_check *check, struct json *out)
{
	struct json findings, arguments;
	struct json_builder object;

	if (!json_array_seal(&check->findings, &findings, check->err) ||
		!json_array_seal(&check->arguments, &arguments, check->err))
		return false;
	json_object_start(&object, check->bundle->arena);
	json_put_integer(&object, "policies", (int64_t)check->policies);
	json_put_integer(&object, "applications", (int64_t)check->applications);
	json_put_integer(&object, "conditions", (int64_t)check->conditions);
	json_put_integer(&object, "errors", (int64_t)check->errors);
	json_put_integer(&object, "warnings", (int64_t)check->warnings);
	json_put(&object, "findings", findings);
	json_put(&object, "arguments", arguments);
	return json_object_seal(&object, out, check->err);
}

bool policy_bundle_check(
	struct policy_bundle *bundle, struct json *out, size_t *errors, struct error *err)
{
	struct bundle_check check = {.bundle = bundle, .err = err};
	bool ok = policy_checker_create(&check.checker, err);

	json_array_start(&check.findings, bundle->arena);
	json_array_start(&check.arguments, bundle->arena);
	ok = ok && put_problems(&check);
	for (size_t i = 0; ok && i < bundle->objects_count; i++)
		ok = check_object(&check, i);
	for (size_t i = 0; ok && i < bundle->texts_count; i++)
		ok = check_text(&check, &bundle->texts[i]);
	policy_checker_destroy(&check.checker);
	*errors = check.errors;
	return ok && seal_check(&check, out);
}
