/* Findings: reported by services, closed by people.
 *
 *   (reported) on its way ──finding-opened durable──▶ open ──finding-closed──▶ forgotten
 *                  ╰──lost, and nobody waits──▶ on its way again, in a later turn
 *
 * Invariants:
 *  1. One node for each kind and subject: what is reported again is not written again,
 *     also before its record is durable.
 *  2. Open is what the fold made open.  Who waits is told that a record was lost; what was
 *     reported by somebody who does not, and who may never report it again, keeps its place
 *     until it is open.  So does what is reported while the one before it is closed.
 *  3. Whoever causes findings takes a bounded share of them (is_crowded). */

#include "services/finding/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "services/finding/finding_private.h"

const char *finding_event_word(enum finding_event event)
{
	switch (event) {
	case FINDING_EVENT_OPENED: return "opened";
	case FINDING_EVENT_CLOSED: return "closed";
	case FINDING_EVENT_NONE: break;
	}
	return NULL;
}

void finding_listen(struct finding_service *service, const struct finding_listener *listener)
{
	static const struct finding_listener nobody;

	service->listener = listener == NULL ? nobody : *listener;
}

bool finding_service_create(struct finding_service **out, const struct registry *registry,
	struct fold *fold, struct error *err)
{
	struct finding_service *service = calloc(1, sizeof(*service));

	*out = NULL;
	if (service == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for findings");
	service->registry = registry;
	service->fold = fold;
	service->by_id = name_table_create();
	service->by_key = name_table_create();
	if (service->by_id == NULL || service->by_key == NULL)
		error_set(err, ERROR_LIMIT, "no memory for findings");
	else if (finding_register(service, err) && finding_watch_registry(service, err)) {
		*out = service;
		return true;
	}
	finding_service_destroy(&service);
	return false;
}

void finding_service_destroy(struct finding_service **service)
{
	if (*service == NULL)
		return;
	name_table_destroy(&(*service)->by_id, NULL);
	name_table_destroy(&(*service)->by_key, finding_node_destroy);
	free(*service);
	*service = NULL;
}

bool finding_node_create(struct finding_node **out, struct error *err)
{
	struct finding_node *node = calloc(1, sizeof(*node));

	*out = NULL;
	if (node != NULL)
		node->arena = arena_create_small(FINDING_ARENA_BYTES_MAX, 1024);
	if (node == NULL || node->arena == NULL) {
		finding_node_destroy(node);
		return error_set(err, ERROR_LIMIT, "no memory for a finding");
	}
	*out = node;
	return true;
}

void finding_node_destroy(void *value)
{
	struct finding_node *node = value;

	if (node == NULL)
		return;
	finding_node_destroy(node->again);
	arena_destroy(&node->arena);
	free(node);
}

struct text finding_key(struct arena *arena, enum finding_kind kind, struct text subject)
{
	return text_format(arena, "%s %.*s", finding_kind_word(kind), TEXT_ARGS(subject));
}

/* ---- looking --------------------------------------------------------------------------- */

struct finding_node *finding_node_find(const struct finding_service *service, struct text id)
{
	return id.length == 0 ? NULL : name_table_find(service->by_id, id);
}

const struct finding *finding_find(const struct finding_service *service, struct text id)
{
	const struct finding_node *node = finding_node_find(service, id);

	return node == NULL ? NULL : &node->finding;
}

const struct finding *finding_find_about(
	const struct finding_service *service, enum finding_kind kind, struct text subject)
{
	char key[FINDING_SUBJECT_BYTES_MAX + 64];
	int length =
		snprintf(key, sizeof key, "%s %.*s", finding_kind_word(kind), TEXT_ARGS(subject));
	const struct finding_node *node;

	if (length < 0 || (size_t)length >= sizeof key)
		return NULL;
	node = name_table_find(service->by_key, (struct text){key, (size_t)length});
	return node != NULL && node->is_open ? &node->finding : NULL;
}

const struct finding *finding_next(
	const struct finding_service *service, const struct finding *after)
{
	const struct finding_node *node =
		name_table_next(service->by_id, after == NULL ? TEXT("") : after->id);

	return node == NULL ? NULL : &node->finding;
}

struct finding_figures finding_figures(const struct finding_service *service)
{
	struct finding_figures figures = service->figures;

	figures.open = name_table_count(service->by_id);
	return figures;
}

/* ---- reporting ------------------------------------------------------------------------- */

/* What one waits for, in the arena of its record. */
struct finding_work {
	struct fold_record *record;
	struct finding_service *service;
	struct text key; /* of what it opens or closes */
	bool is_again;   /* its loss was counted */
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err); /* may be NULL */
};

/* Its record's done is the caller's to set. */
static bool work_create(struct finding_work **out, struct finding_service *service, struct text key,
	struct error *err)
{
	struct fold_record *record;
	struct finding_work *work;

	*out = NULL;
	if (!fold_record_create(&record, service->fold, FINDING_ARENA_BYTES_MAX, err))
		return false;
	work = arena_new(record->arena, struct finding_work);
	if (work != NULL)
		work->key = text_copy(record->arena, key);
	if (work == NULL || work->key.data == NULL) {
		fold_record_destroy(&record);
		return error_set(err, ERROR_LIMIT, "no memory for the record of a finding");
	}
	work->record = record;
	work->service = service;
	record->context = work;
	*out = work;
	return true;
}

void finding_node_lose(struct finding_service *service, struct finding_node *node)
{
	node->is_lost = true;
	service->again.has_lost = service->again.has_seen = true;
}

static void on_opened(void *context, uint64_t index, const struct error *err)
{
	struct finding_work *work = context;
	struct finding_node *node = name_table_find(work->service->by_key, work->key);

	if (err != NULL) {
		work->service->figures.refused += !work->is_again;
		if (node != NULL && !node->is_open && node->is_unwaited)
			finding_node_lose(work->service, node);
		else if (node != NULL && !node->is_open)
			finding_node_destroy(name_table_remove(work->service->by_key, work->key));
	}
	if (work->done != NULL)
		work->done(work->context, index, err);
}

static bool details_fit(const struct json *details, struct arena *arena, struct error *err)
{
	struct text canonical;

	if (details == NULL)
		return true;
	if (details->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "a finding's details are an object");
	canonical = json_canonical_text(arena, details);
	return (canonical.data != NULL && canonical.length <= FINDING_DETAILS_BYTES_MAX) ||
	       error_set(err, ERROR_INVALID, "a finding's details take more than %d bytes",
		       FINDING_DETAILS_BYTES_MAX);
}

static bool draft_is_whole(
	const struct finding_draft *draft, struct arena *arena, struct error *err)
{
	if (draft->kind == FINDING_NONE || draft->kind >= FINDING_KIND_COUNT)
		return error_set(err, ERROR_INVALID, "a finding has a kind");
	if (draft->subject.length == 0 || draft->subject.length > FINDING_SUBJECT_BYTES_MAX ||
		!text_is_utf8(draft->subject))
		return error_set(err, ERROR_INVALID, "a finding's subject is text of 1 to %d bytes",
			FINDING_SUBJECT_BYTES_MAX);
	if (draft->what.length == 0 || draft->what.length > FINDING_WHAT_BYTES_MAX ||
		!text_is_utf8(draft->what))
		return error_set(err, ERROR_INVALID, "a finding says what, in 1 to %d bytes",
			FINDING_WHAT_BYTES_MAX);
	if (draft->control == NULL)
		return error_set(err, ERROR_INVALID, "a finding names its control");
	return details_fit(draft->details, arena, err);
}

static struct text origin_of(struct text subject)
{
	return text_before(subject, '/');
}

static bool has_one_share(const struct finding *finding, const struct finding_draft *draft)
{
	return finding->kind == draft->kind && text_equal(finding->unit, draft->unit) &&
	       text_equal(finding->causer, draft->causer) &&
	       text_equal(origin_of(finding->subject), origin_of(draft->subject));
}

/* A look at all of them: only what is new is counted, and news are rare. */
static bool is_crowded(const struct finding_service *service, const struct finding_draft *draft)
{
	const struct finding_node *node = name_table_next(service->by_key, TEXT(""));
	size_t count = 0;

	for (; node != NULL; node = name_table_next(service->by_key, node->key))
		count += has_one_share(&node->finding, draft);
	return count >= FINDINGS_PER_ORIGIN_MAX;
}

static bool has_room(
	const struct finding_service *service, const struct finding_draft *draft, struct error *err)
{
	if (name_table_count(service->by_key) >= FINDINGS_MAX)
		return error_set(err, ERROR_LIMIT, "%d findings are open already", FINDINGS_MAX);
	if (is_crowded(service, draft))
		return error_set(err, ERROR_LIMIT, "%d findings %s of %.*s are open already",
			FINDINGS_PER_ORIGIN_MAX, finding_kind_word(draft->kind),
			TEXT_ARGS(origin_of(draft->subject)));
	return true;
}

static bool copy_texts(
	struct finding_node *node, const struct finding_draft *draft, struct text key)
{
	const struct {
		struct text from;
		struct text *to;
	} texts[] = {
		{key, &node->key},
		{draft->subject, &node->finding.subject},
		{text_of(draft->control), &node->finding.control},
		{draft->what, &node->finding.what},
		{draft->task, &node->finding.task},
		{draft->unit, &node->finding.unit},
		{draft->causer, &node->finding.causer},
		{draft->actor.length > 0 ? draft->actor : TEXT("remit"), &node->actor},
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		*texts[i].to = text_copy(node->arena, texts[i].from);
		if (texts[i].to->data == NULL)
			return false;
	}
	return true;
}

/* All of the draft, as its record may have to be written more than once. */
static bool place_create(struct finding_node **out, const struct finding_draft *draft,
	struct text key, struct error *err)
{
	struct finding_node *node;

	*out = NULL;
	if (!finding_node_create(&node, err))
		return false;
	node->finding.kind = draft->kind;
	node->is_unwaited = draft->done == NULL;
	if (!copy_texts(node, draft, key)) {
		error_set(err, ERROR_LIMIT, "no memory for a finding");
		goto failed;
	}
	if (draft->details != NULL && !json_copy(&node->details, node->arena, draft->details, err))
		goto failed;
	node->finding.details = draft->details == NULL ? NULL : &node->details;
	*out = node;
	return true;
failed:
	finding_node_destroy(node);
	return false;
}

/* Takes the record. */
static bool submit_opened(
	struct fold_record *record, const struct finding_node *node, struct error *err)
{
	const struct finding *finding = &node->finding;
	struct json_builder *object = &record->object;
	char id[RANDOM_ID_BYTES];

	random_id(id, "f-");
	fold_record_start(record, "finding-opened", node->actor);
	json_put_cstring(object, "finding", id);
	json_put_cstring(object, "kind", finding_kind_word(finding->kind));
	json_put_text(object, "subject", finding->subject);
	json_put_text(object, "control", finding->control);
	json_put_text(object, "what", finding->what);
	json_put_text_unless_empty(object, "task", finding->task);
	json_put_text_unless_empty(object, "unit", finding->unit);
	json_put_text_unless_empty(object, "causer", finding->causer);
	if (finding->details != NULL)
		json_put(object, "details", *finding->details);
	return fold_record_send(&record, err);
}

/* The record of one that is not open.  waits: who reported it; NULL: nobody now. */
static bool send_opened(struct finding_service *service, struct finding_node *node,
	const struct finding_draft *waits, struct error *err)
{
	bool was_lost = node->is_lost;
	struct finding_work *work;

	if (!work_create(&work, service, node->key, err))
		return false;
	work->record->done = on_opened;
	work->is_again = waits == NULL;
	work->context = waits == NULL ? NULL : waits->context;
	work->done = waits == NULL ? NULL : waits->done;
	node->is_lost = false; /* once it is sent the fold may take its place */
	if (submit_opened(work->record, node, err))
		return true;
	node->is_lost = was_lost;
	return false;
}

static bool report_new(struct finding_service *service, const struct finding_draft *draft,
	struct text key, struct error *err)
{
	struct finding_node *node;

	if (!has_room(service, draft, err) || !place_create(&node, draft, key, err))
		return false;
	if (!name_table_put(service->by_key, node->key, node)) {
		finding_node_destroy(node);
		return error_set(err, ERROR_LIMIT, "no memory for a finding");
	}
	if (send_opened(service, node, draft, err))
		return true;
	finding_node_destroy(name_table_remove(service->by_key, key));
	return false;
}

/* If it is closed then, it is opened anew. */
static bool report_closing(
	struct finding_node *node, const struct finding_draft *draft, struct error *err)
{
	if (draft->done != NULL)
		return error_set(err, ERROR_CONFLICT, "this finding is being closed");
	return node->again != NULL || place_create(&node->again, draft, node->key, err);
}

/* One of this kind and subject is there. */
static bool report_known(struct finding_service *service, struct finding_node *node,
	const struct finding_draft *draft, struct error *err)
{
	if (node->is_closing)
		return report_closing(node, draft, err);
	node->is_unwaited |= draft->done == NULL;
	if (node->is_lost)
		return send_opened(service, node, draft, err);
	if (draft->done == NULL)
		return true;
	if (!node->is_open)
		return error_set(err, ERROR_CONFLICT, "this finding is being opened");
	draft->done(draft->context, node->finding.index, NULL);
	return true;
}

static bool report(struct finding_service *service, const struct finding_draft *draft,
	struct arena *arena, struct error *err)
{
	struct finding_node *node;
	struct text key;

	if (!draft_is_whole(draft, arena, err))
		return false;
	key = finding_key(arena, draft->kind, draft->subject);
	if (key.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a finding");
	node = name_table_find(service->by_key, key);
	return node != NULL ? report_known(service, node, draft, err)
			    : report_new(service, draft, key, err);
}

bool finding_report(
	struct finding_service *service, const struct finding_draft *draft, struct error *err)
{
	struct arena *arena = arena_create_small(FINDING_ARENA_BYTES_MAX, 1024);
	bool ok = arena != NULL || error_set(err, ERROR_LIMIT, "no memory for a finding");

	ok = ok && report(service, draft, arena, err);
	service->figures.refused += !ok;
	arena_destroy(&arena);
	return ok;
}

/* Bookkeeping: what is refused stays lost until a later turn. */
static void send_again(struct finding_service *service, struct finding_node *node)
{
	struct error err;
	bool is_taken;

	service->again.has_seen = true;
	is_taken = send_opened(service, node, NULL, &err);
	(void)is_taken;
}

void finding_write_again(struct finding_service *service)
{
	struct again_pass *pass = &service->again;
	struct finding_node *node;
	struct text after = {pass->after, pass->after_length};

	if (!pass->has_lost)
		return;
	node = name_table_next(service->by_key, after);
	for (int tried = 0; node != NULL && tried < FINDING_AGAIN_MAX;
		node = name_table_next(service->by_key, after)) {
		after = node->key;
		if (!node->is_lost)
			continue;
		after = (struct text){pass->after, pass->after_length = node->key.length};
		memcpy(pass->after, node->key.data, node->key.length);
		tried++;
		send_again(service, node); /* which may end it */
	}
	if (node != NULL)
		return;
	pass->after_length = 0;
	pass->has_lost = pass->has_seen;
	pass->has_seen = false;
}

/* ---- closing --------------------------------------------------------------------------- */

const char *finding_close_refusal(
	const struct finding_service *service, const struct finding *finding, struct text person)
{
	const struct person *known = registry_find_person(service->registry, person);
	const struct people_resource about = {.about = PEOPLE_ABOUT_FINDING, .unit = finding->unit};

	if (known == NULL)
		return "no such person is registered";
	if (finding->kind == FINDING_STANDING_ACCESS)
		return "remit closes it once the access stands no more";
	if (finding->kind == FINDING_CONTROL_FAILING)
		return "remit closes it once the control holds again";
	if (registry_person_may(service->registry, known, PEOPLE_CLOSE, &about))
		return NULL;
	return "an administrator or one of security closes it, or a reviewer of its unit or of "
	       "the organisation";
}

/* node: the one of request->id, or NULL. */
static bool may_close(const struct finding_service *service, const struct finding_node *node,
	const struct finding_close *request, struct error *err)
{
	const char *refusal;

	if (node == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "no finding %.*s is open", TEXT_ARGS(request->id));
	refusal = finding_close_refusal(service, &node->finding, request->person);
	if (refusal != NULL)
		return error_set(err, ERROR_INVALID, "forbidden: %s", refusal);
	if (request->reason.length == 0 || request->reason.length > FINDING_REASON_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "the reason has 1 to %d bytes",
			FINDING_REASON_BYTES_MAX);
	if (node->is_closing)
		return error_set(err, ERROR_CONFLICT, "finding %.*s is being closed",
			TEXT_ARGS(request->id));
	return true;
}

static void forget_again(struct finding_node *node)
{
	finding_node_destroy(node->again);
	node->again = NULL;
}

static void on_closed(void *context, uint64_t index, const struct error *err)
{
	struct finding_work *work = context;
	struct finding_node *node = name_table_find(work->service->by_key, work->key);

	if (node != NULL)
		node->is_closing = false;
	if (node != NULL && err != NULL)
		forget_again(node);
	else if (node != NULL && node->is_lost)
		send_again(work->service, node);
	if (work->done != NULL)
		work->done(work->context, index, err);
}

static bool submit_closed(struct fold_record *record, const struct finding *finding,
	const struct finding_close *request, struct error *err)
{
	struct json_builder *object = &record->object;

	fold_record_start(record, "finding-closed",
		request->person.length == 0
			? TEXT("remit")
			: text_format(record->arena, "person:%.*s", TEXT_ARGS(request->person)));
	json_put_text(object, "finding", finding->id);
	json_put_cstring(object, "kind", finding_kind_word(finding->kind));
	json_put_text(object, "subject", finding->subject);
	json_put_text(object, "reason", request->reason);
	json_put_text_unless_empty(object, "task", finding->task);
	return fold_record_send(&record, err);
}

static bool close_node(struct finding_service *service, struct finding_node *node,
	const struct finding_close *request, struct error *err)
{
	struct finding_work *work;

	if (!work_create(&work, service, node->key, err))
		return false;
	work->context = request->context;
	work->done = request->done;
	work->record->done = on_closed;
	node->is_closing = true;
	if (submit_closed(work->record, &node->finding, request, err))
		return true;
	node->is_closing = false;
	return false;
}

bool finding_close(
	struct finding_service *service, const struct finding_close *request, struct error *err)
{
	struct finding_node *node = finding_node_find(service, request->id);

	return may_close(service, node, request, err) && node != NULL &&
	       close_node(service, node, request, err);
}

bool finding_settle(
	struct finding_service *service, struct text id, const char *reason, struct error *err)
{
	const struct finding_close request = {.reason = text_of(reason)};
	struct finding_node *node = finding_node_find(service, id);

	if (node == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no finding %.*s is open", TEXT_ARGS(id));
	if (!node->is_closing)
		return close_node(service, node, &request, err);
	forget_again(node); /* what it says is over */
	return true;
}
