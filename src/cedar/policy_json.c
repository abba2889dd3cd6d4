/* Policies and sets as JSON.  A policy that is read is written in normal form and
 * added as text: one way into a set, and one meaning of places in its source. */
#include <assert.h>

#include "cedar/est.h"
#include "cedar/policy_set.h"
#include "cedar/print.h"

struct set_reader {
	struct cedar_policy_set *set;
	struct document_reader documents;
};

static bool open_reader(struct set_reader *reader, struct cedar_policy_set *set,
	struct cedar_text json, struct document **root, struct cedar_error *err)
{
	*reader = (struct set_reader){.set = set, .documents = {.source = json, .err = err}};
	if (json.length > CEDAR_POLICY_JSON_BYTES_MAX)
		return cedar_fail(err, CEDAR_ERROR_LIMIT, "policies in JSON of more than %d bytes",
			CEDAR_POLICY_JSON_BYTES_MAX);
	/* Several times the JSON: its tree, the trees of its policies, their texts. */
	reader->documents.arena = arena_create(cedar_mib(CEDAR_POLICY_JSON_MEMORY_MIB_MAX));
	if (reader->documents.arena == NULL)
		return cedar_fail_memory(err);
	return document_parse_deep(
		root, reader->documents.arena, json, CEDAR_POLICY_JSON_DEPTH_MAX, err);
}

static bool add_policy(
	struct set_reader *reader, struct cedar_text id, const struct document *document)
{
	struct cedar_naming naming = {.ids = &id, .id_count = 1};
	struct cedar_writer writer = {.arena = reader->documents.arena};
	struct cedar_error *err = reader->documents.err;
	struct policy_ast ast;
	struct cedar_text text;

	if (!est_read_policy(&ast, &reader->documents, document))
		return false;
	print_policy(&writer, &ast);
	text = print_parseable(&writer);
	if (text.data == NULL)
		return cedar_fail_memory(err);
	if (cedar_policy_set_add_text(reader->set, text, &naming, err))
		return true;
	if (err->line > 0) /* the place is in the JSON, not in the text */
		cedar_place(reader->documents.source, document->at, &err->line, &err->column);
	return false;
}

bool cedar_policy_set_add_json(struct cedar_policy_set *set, struct cedar_text id,
	struct cedar_text json, struct cedar_error *err)
{
	struct set_reader reader;
	struct document *root;
	bool ok;

	if (!policy_set_check_id(set, id, err))
		return false;
	ok = open_reader(&reader, set, json, &root, err) && add_policy(&reader, id, root);
	arena_destroy(&reader.documents.arena);
	return ok;
}

/* All policies of an object whose members are ids; want_template says which sort. */
static bool add_policies(
	struct set_reader *reader, const struct document *object, bool want_template)
{
	if (object->type != DOCUMENT_OBJECT)
		return document_fail(&reader->documents, object, "expected an object");
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		uint32_t before = reader->set->template_count;

		if (!add_policy(reader, part->name, part))
			return false;
		if ((reader->set->template_count > before) != want_template)
			return document_fail(&reader->documents, part,
				want_template ? "a template has a slot"
					      : "a static policy has no slot");
	}
	return true;
}

static bool read_slots(
	const struct set_reader *reader, const struct document *values, struct cedar_link *link)
{
	struct cedar_uid *uids = arena_array(reader->documents.arena, struct cedar_uid, 2);

	if (uids == NULL)
		return cedar_fail_memory(reader->documents.err);
	if (values->type != DOCUMENT_OBJECT)
		return document_fail(&reader->documents, values, "expected an object");
	for (const struct document *part = values->first; part != NULL; part = part->next) {
		bool is_principal = cedar_text_is(part->name, "?principal");

		if (!is_principal && !cedar_text_is(part->name, "?resource"))
			return document_fail(
				&reader->documents, part, "expected ?principal or ?resource");
		if (!document_uid(&reader->documents, part, &uids[is_principal]))
			return false;
		*(is_principal ? &link->principal : &link->resource) = &uids[is_principal];
	}
	return true;
}

static bool add_link(struct set_reader *reader, const struct document *object)
{
	const struct document *origin = document_find(object, "templateId");
	const struct document *id = document_find(object, "newId");
	const struct document *values = document_find(object, "values");
	struct cedar_error *err = reader->documents.err;
	struct cedar_link link = {.principal = NULL};

	if (origin == NULL || origin->type != DOCUMENT_STRING || id == NULL ||
		id->type != DOCUMENT_STRING || values == NULL || object->count != 3)
		return document_fail(
			&reader->documents, object, "a link has templateId, newId and values");
	link.template_id = origin->string;
	link.id = id->string;
	if (!read_slots(reader, values, &link))
		return false;
	if (cedar_policy_set_link(reader->set, &link, err))
		return true;
	if (err->code == CEDAR_ERROR_INVALID)
		cedar_place(reader->documents.source, object->at, &err->line, &err->column);
	return false;
}

static bool add_links(struct set_reader *reader, const struct document *array)
{
	if (array->type != DOCUMENT_ARRAY)
		return document_fail(&reader->documents, array, "expected an array");
	for (const struct document *item = array->first; item != NULL; item = item->next) {
		if (!add_link(reader, item))
			return false;
	}
	return true;
}

static bool add_all(struct set_reader *reader, const struct document *root)
{
	const struct document *statics = document_find(root, "staticPolicies");
	const struct document *templates = document_find(root, "templates");
	const struct document *links = document_find(root, "templateLinks");

	if (statics == NULL || templates == NULL || links == NULL || root->count != 3)
		return document_fail(&reader->documents, root,
			"a policy set has staticPolicies, templates and templateLinks");
	return add_policies(reader, statics, false) && add_policies(reader, templates, true) &&
	       add_links(reader, links);
}

bool cedar_policy_set_add_set_json(
	struct cedar_policy_set *set, struct cedar_text json, struct cedar_error *err)
{
	struct checkpoint checkpoint = policy_set_checkpoint(set);
	struct set_reader reader;
	struct document *root;
	bool ok = open_reader(&reader, set, json, &root, err) && add_all(&reader, root);

	if (!ok)
		policy_set_roll_back(set, &checkpoint);
	arena_destroy(&reader.documents.arena);
	return ok;
}

/* ---- writing ---- */

static struct cedar_text format(const struct stored_policy *policy, struct cedar_arena *arena)
{
	struct cedar_writer writer = {.arena = cedar_arena_inner(arena)};

	est_write_policy(&writer, &policy->ast);
	return cedar_writer_text(&writer);
}

struct cedar_text cedar_policy_format_json(
	const struct cedar_policy_set *set, size_t index, struct cedar_arena *arena)
{
	assert(index < set->count);
	return format(&set->policies[index], arena);
}

struct cedar_text cedar_template_format_json(
	const struct cedar_policy_set *set, size_t index, struct cedar_arena *arena)
{
	assert(index < set->template_count);
	return format(&set->templates[index], arena);
}

/* "id": policy, for those that no link made. */
static void write_policies(
	struct cedar_writer *writer, const struct stored_policy *policies, uint32_t count)
{
	const char *comma = "";

	for (uint32_t i = 0; i < count; i++) {
		if (policies[i].template_plus_1 != 0)
			continue;
		cedar_write_string(writer, comma);
		est_write_string(writer, policies[i].id);
		cedar_write_string(writer, ":");
		est_write_policy(writer, &policies[i].ast);
		comma = ",";
	}
}

static void write_slot(struct cedar_writer *writer, const char *name, const struct cedar_uid *uid)
{
	cedar_write_string(writer, name);
	est_write_uid(writer, uid);
}

static void write_link(struct cedar_writer *writer, const struct cedar_link *link)
{
	cedar_write_string(writer, "{\"templateId\":");
	est_write_string(writer, link->template_id);
	cedar_write_string(writer, ",\"newId\":");
	est_write_string(writer, link->id);
	cedar_write_string(writer, ",\"values\":{");
	if (link->principal != NULL)
		write_slot(writer, "\"?principal\":", link->principal);
	if (link->resource != NULL)
		write_slot(writer, link->principal == NULL ? "\"?resource\":" : ",\"?resource\":",
			link->resource);
	cedar_write_string(writer, "}}");
}

struct cedar_text cedar_policy_set_format_json(
	const struct cedar_policy_set *set, struct cedar_arena *arena)
{
	struct cedar_writer writer = {.arena = cedar_arena_inner(arena)};
	const char *comma = "";
	struct cedar_link link;

	cedar_write_string(&writer, "{\"staticPolicies\":{");
	write_policies(&writer, set->policies, set->count);
	cedar_write_string(&writer, "},\"templates\":{");
	write_policies(&writer, set->templates, set->template_count);
	cedar_write_string(&writer, "},\"templateLinks\":[");
	for (uint32_t i = 0; i < set->count; i++) {
		if (!cedar_policy_set_get_link(set, i, &link))
			continue;
		cedar_write_string(&writer, comma);
		write_link(&writer, &link);
		comma = ",";
	}
	cedar_write_string(&writer, "]}");
	return cedar_writer_text(&writer);
}
