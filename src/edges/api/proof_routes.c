/* Whether what is enforced of a charter is what its record says.  Whoever asks names the record:
 * its index is not kept beside each charter, and the log is searched by it in steps
 * (edges/cli/proof_command.c). */
#include "domain/charter/registry_fold.h"
#include "edges/api/request.h"

static bool read_record(
	struct api_request *request, uint64_t index, struct json *out, struct error *err)
{
	struct record_log *log = request->api->services.log;
	struct record_entry entry;
	struct text content = TEXT("");

	return record_read(log, index, request->arena, &entry, err) &&
	       (!entry.has_content || !registry_entry_wants_content(entry.entry) ||
		       record_read_content(log, index, request->arena, &content, err)) &&
	       registry_entry_read(out, request->arena, entry.entry, content, err);
}

/* Somebody has to see it; what cannot be reported now is when it is asked again. */
static void report(struct api_request *request, struct text identity, const struct json *proof)
{
	const struct charter *charter = registry_find_charter(
		registrar_registry(request->api->services.registrar), identity);
	struct finding_draft draft = {.kind = FINDING_CHARTER_DIFFERS,
		.control = "G-09",
		.what = TEXT("What is enforced of this charter is not what its record says: the "
			     "store, or the memory of this process, was changed."),
		.details = proof};
	struct error err;
	bool is_taken = false;

	draft.subject = text_format(request->arena, "identity/%.*s", TEXT_ARGS(identity));
	draft.unit = charter == NULL ? TEXT("") : charter->unit;
	if (draft.subject.data != NULL)
		is_taken = finding_report(request->api->services.finding, &draft, &err);
	(void)is_taken;
}

void handle_proof(struct api_request *request)
{
	struct living_proof_query asked = {.identity = api_path(request, "name")};
	struct json record, body;
	struct error err = {0};
	int64_t index;
	bool ok;

	if (!text_to_int64(api_query(request, "record"), &index) || index < 0) {
		api_answer_status(request, 400, "record: the index of a record is expected");
		return;
	}
	asked.record = &record;
	ok = read_record(request, (uint64_t)index, &record, &err) &&
	     living_prove(request->api->services.living, &asked, request->arena, &body, &err);
	if (ok && !json_boolean_or(&body, "equal", false))
		report(request, asked.identity, &body);
	api_answer_or_fail(request, ok, &body, &err);
}
