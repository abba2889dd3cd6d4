/* Findings of a person who compared a source's own log with the records.
 *
 * Its subject is SOURCE/LOG:LINE or SOURCE/record N, with the first of the sources in order
 * of name, so that a second run over the same log opens nothing new, in whatever order the
 * sources were given.  The sentence is ours: nothing that a stranger wrote into a log is kept.
 */

#include "services/finding/finding_private.h"

#include "domain/charter/nearest.h"

static bool is_of_reads(enum finding_kind kind)
{
	return kind == FINDING_READ_WITHOUT_RECORD || kind == FINDING_READ_DIFFERS ||
	       kind == FINDING_RECORD_WITHOUT_READ;
}

/* One name, that no terminal or list takes for something else. */
static bool is_file_name(struct text name)
{
	if (name.length == 0 || name.length > FINDING_LOG_BYTES_MAX)
		return false;
	for (size_t i = 0, size; i < name.length; i += size) {
		size = utf8_sequence_size(name.data + i, name.length - i);
		if (size == 0 || name.data[i] == '/' ||
			!code_point_is_visible(utf8_code_point(name.data + i, size)))
			return false;
	}
	return true;
}

static bool is_whole(const struct finding_of_log *request, struct error *err)
{
	const struct json *sources = request->sources;

	if (!is_of_reads(request->kind))
		return error_set(err, ERROR_INVALID,
			"kind: read-without-record, read-differs or record-without-read");
	if (sources == NULL || sources->type != JSON_ARRAY || sources->count == 0 ||
		sources->count > FINDING_SOURCES_MAX)
		return error_set(err, ERROR_INVALID, "sources: a list of 1 to %d names",
			FINDING_SOURCES_MAX);
	if (!is_file_name(request->log))
		return error_set(err, ERROR_INVALID, "log: a file's name of 1 to %d bytes",
			FINDING_LOG_BYTES_MAX);
	if (request->kind == FINDING_RECORD_WITHOUT_READ
			? request->record < 0 || request->line != 0
			: request->line < 1 || request->record >= 0)
		return error_set(err, ERROR_INVALID,
			"a record's number for record-without-read, else a line's, from 1");
	return true;
}

/* NULL: it is not registered. */
static const struct registry_entry *find_source(
	const struct finding_service *service, const struct json *name, struct error *err)
{
	const struct registry_entry *entry;

	if (name->type != JSON_STRING) {
		(void)error_set(err, ERROR_INVALID, "sources: a list of names is expected");
		return NULL;
	}
	entry = registry_find(service->registry, OBJECT_DATA_SOURCE, name->string);
	if (entry != NULL && entry->in_force != NULL)
		return entry;
	(void)name_unknown(service->registry, OBJECT_DATA_SOURCE, name->string, err);
	return NULL;
}

/* The first by name; NULL: one is not registered. */
static const struct data_source *first_source(const struct finding_service *service,
	const struct finding_of_log *request, bool *is_custodian, struct error *err)
{
	const struct data_source *first = NULL;

	*is_custodian = false;
	for (uint32_t i = 0; i < request->sources->count; i++) {
		const struct registry_entry *entry =
			find_source(service, &request->sources->items[i], err);

		if (entry == NULL)
			return NULL;
		if (request->person.length > 0 &&
			text_equal(registry_custodian(entry), request->person))
			*is_custodian = true;
		if (first == NULL || text_compare(entry->name, first->name) < 0)
			first = entry->in_force->data_source;
	}
	return first;
}

static bool may_report(const struct finding_service *service, struct text name, bool is_custodian,
	struct error *err)
{
	const struct person *person = registry_find_person(service->registry, name);
	const struct people_resource finding = {.about = PEOPLE_ABOUT_FINDING,
		.custodian = is_custodian ? name : (struct text){NULL, 0}};

	if (name.length == 0 || (person != NULL && registry_person_may(service->registry, person,
							   PEOPLE_REPORT, &finding)))
		return true;
	return error_set(err, ERROR_INVALID,
		"forbidden: an administrator, auditor, reviewer or one of security reports it, or "
		"a custodian of the source");
}

static struct text subject_of(const struct finding_of_log *request, struct text source)
{
	if (request->kind == FINDING_RECORD_WITHOUT_READ)
		return text_format(request->arena, "%.*s/record %lld", TEXT_ARGS(source),
			(long long)request->record);
	return text_format(request->arena, "%.*s/%.*s:%lld", TEXT_ARGS(source),
		TEXT_ARGS(request->log), (long long)request->line);
}

static bool put_details(const struct finding_of_log *request, struct json *out, struct error *err)
{
	struct json_builder details;

	json_object_start(&details, request->arena);
	json_put(&details, "sources", *request->sources);
	json_put_text(&details, "log", request->log);
	if (request->kind == FINDING_RECORD_WITHOUT_READ)
		json_put_integer(&details, "record", request->record);
	else
		json_put_integer(&details, "line", request->line);
	return json_object_seal(&details, out, err);
}

static struct text sentence_of(enum finding_kind kind)
{
	if (kind == FINDING_READ_WITHOUT_RECORD)
		return TEXT("The source's log has a read that no record covers.");
	if (kind == FINDING_READ_DIFFERS)
		return TEXT("The source's log has other objects than the record of the read.");
	return TEXT("The record says that the source answered; its log does not.");
}

bool finding_report_log(
	struct finding_service *service, const struct finding_of_log *request, struct error *err)
{
	struct finding_draft draft = {.kind = request->kind,
		.control = "G-38",
		.actor = request->actor,
		.context = request->context,
		.done = request->done};
	const struct data_source *source;
	struct json details;
	bool is_custodian;

	if (!is_whole(request, err))
		return false;
	source = first_source(service, request, &is_custodian, err);
	if (source == NULL || !may_report(service, request->person, is_custodian, err) ||
		!put_details(request, &details, err))
		return false;
	draft.what = sentence_of(request->kind);
	draft.unit = source->unit;
	draft.details = &details;
	draft.subject = subject_of(request, source->name);
	if (draft.subject.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a finding");
	return finding_report(service, &draft, err);
}
