#include "main/notices.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "services/finding/finding.h"

enum {
	NOTICE_ARENA_BYTES = 256 * 1024,
	NOTICE_WORD_BYTES = 64,
	NOTICE_WHAT_BYTES = 700,
	/* A finding as young as this is told of again after a start. */
	NOTICE_FINDING_YOUNG_MS = 3600 * 1000,
};

struct notices {
	struct notices_parts parts;
	struct webhook *webhook; /* NULL: none */
	struct mcp_door *door;   /* NULL: not there yet */
	struct text base_url;
	uint64_t untold; /* notices of findings that found no place, since the start */
	bool is_crowded; /* the last one found none */
};

/* The words of a notice, which it borrows: "finding.opened" with the id ID.opened, which is the
 * same whenever it is told. */
struct notice_words {
	char id[NOTICE_WORD_BYTES];
	char event[NOTICE_WORD_BYTES];
};

static struct webhook_notice notice_of(
	struct notice_words *words, const char *about, const char *event, struct text subject)
{
	(void)snprintf(words->event, sizeof words->event, "%s.%s", about, event);
	(void)snprintf(words->id, sizeof words->id, "%.*s.%s", TEXT_ARGS(subject), event);
	return (struct webhook_notice){
		.id = text_of(words->id), .event = text_of(words->event), .subject = subject};
}

static int64_t utc_ms(void *context)
{
	const struct notices *notices = context;

	return fold_stamp_utc_ms(notices->parts.fold);
}

/* On record, so that whoever looks for it finds it. */
static void on_lost(void *context, const struct webhook_letter *letter)
{
	struct notices *notices = context;
	const struct approve_lost lost = {.subject = letter->subject,
		.event = letter->event,
		.tries = letter->tries,
		.why = letter->why};
	struct error err;

	log_warn("notice_lost", LOG_TEXT("event", letter->event),
		LOG_TEXT("subject", letter->subject), LOG_STRING("why", letter->why));
	if (!approve_notice_lost(notices->parts.approve, &lost, &err))
		log_warn("notice_lost_unrecorded", LOG_STRING("why", err.text));
}

/* ---- the webhook ------------------------------------------------------------------------ */

static bool make_body(struct notices *notices, const struct approval *approval, struct arena *arena,
	struct json *out)
{
	struct json_builder object;
	struct json summary;
	struct error err;

	if (!approval_summary_json(&summary, arena, notices->parts.approve, approval,
		    fold_stamp_utc_ms(notices->parts.fold), &err))
		return false;
	json_object_start(&object, arena);
	json_put_text(&object, "installation", notices->parts.installation);
	for (uint32_t i = 0; i < summary.count; i++)
		json_put_named(&object, summary.members[i].name, summary.members[i].value);
	if (notices->base_url.length > 0)
		json_put_text(&object, "link",
			text_format(arena, "%.*s/v1/approvals/%.*s/how",
				TEXT_ARGS(notices->base_url), TEXT_ARGS(approval->id)));
	return json_object_seal(&object, out, &err);
}

/* The same event has the same id whenever it is told: ID.asked, ID.answered.2, ID.closed. */
static void tell_webhook(
	struct notices *notices, enum approval_event event, const struct approval *approval)
{
	struct arena *arena = arena_create(NOTICE_ARENA_BYTES);
	struct notice_words words;
	struct webhook_notice notice =
		notice_of(&words, "approval", approval_event_word(event), approval->id);

	if (event == APPROVAL_EVENT_ANSWERED) {
		(void)snprintf(words.id + notice.id.length, sizeof words.id - notice.id.length,
			".%zu", approval->answers_count);
		notice.id = text_of(words.id);
	}
	if (arena == NULL || !make_body(notices, approval, arena, &notice.body))
		log_warn("notice_dropped", LOG_STRING("why", "no memory"));
	else
		(void)webhook_put(notices->webhook, &notice);
	arena_destroy(&arena);
}

static void on_event(void *context, enum approval_event event, const struct approval *approval)
{
	struct notices *notices = context;
	bool is_over = event == APPROVAL_EVENT_CLOSED || approval->state == APPROVAL_APPROVED;

	if (notices->webhook != NULL)
		tell_webhook(notices, event, approval);
	if (notices->door != NULL && is_over)
		mcp_door_elicited(notices->door, approval->task, approval->id);
}

/* Its own id is under a name that the notice's does not take. */
static void without_id(struct json *body, struct arena *arena)
{
	struct json_builder object;
	struct json sealed;
	struct error err;

	json_object_start(&object, arena);
	for (uint32_t i = 0; i < body->count; i++)
		json_put_named(&object,
			text_is(body->members[i].name, "id") ? TEXT("break_glass")
							     : body->members[i].name,
			body->members[i].value);
	if (json_object_seal(&object, &sealed, &err))
		*body = sealed;
}

/* Somebody has to look at it; who closes the finding says what came of it. */
static void report_overdue(struct notices *notices, const struct break_glass *glass)
{
	char subject[NOTICE_WORD_BYTES], what[NOTICE_WHAT_BYTES];
	struct finding_draft draft = {
		.kind = FINDING_BREAK_GLASS_OVERDUE, .control = "G-30", .task = glass->task};
	struct error err;

	(void)snprintf(subject, sizeof subject, "break-glass/%.*s", TEXT_ARGS(glass->id));
	(void)snprintf(what, sizeof what,
		"Break-glass %.*s of identity %.*s, opened by %.*s alone, was not reviewed within "
		"a "
		"day.",
		TEXT_ARGS(glass->id), TEXT_ARGS(glass->identity), TEXT_ARGS(glass->opener));
	draft.subject = text_of(subject);
	draft.what = text_of(what);
	if (!finding_report(notices->parts.findings, &draft, &err))
		log_warn("overdue_not_reported", LOG_STRING("why", err.text));
}

/* Whoever is asked too much is told of by a finding, whose closing says what came of it. */
static void on_flooded(void *context, struct text person, uint32_t open)
{
	struct notices *notices = context;
	char subject[FINDING_SUBJECT_BYTES_MAX], what[NOTICE_WHAT_BYTES];
	struct finding_draft draft = {.kind = FINDING_PERSON_FLOODED, .control = "G-35"};
	struct error err;

	(void)snprintf(subject, sizeof subject, "person/%.*s", TEXT_ARGS(person));
	(void)snprintf(what, sizeof what,
		"%u questions wait for %.*s, who is asked no more until some of them are answered: "
		"calls that would ask are refused.",
		open, TEXT_ARGS(person));
	draft.subject = text_of(subject);
	draft.what = text_of(what);
	if (!finding_report(notices->parts.findings, &draft, &err))
		log_warn("flood_not_reported", LOG_STRING("why", err.text));
}

/* ID.opened and so on: each happens once. */
static void on_break_glass(
	void *context, enum break_glass_event event, const struct break_glass *glass)
{
	struct notices *notices = context;
	struct arena *arena = arena_create(NOTICE_ARENA_BYTES);
	struct notice_words words;
	struct webhook_notice notice =
		notice_of(&words, "break-glass", break_glass_event_word(event), glass->id);
	struct error err;

	log_warn("break_glass", LOG_STRING("event", break_glass_event_word(event)),
		LOG_TEXT("id", glass->id), LOG_TEXT("identity", glass->identity),
		LOG_TEXT("opener", glass->opener));
	if (event == BREAK_GLASS_EVENT_OVERDUE)
		report_overdue(notices, glass);
	if (notices->webhook != NULL && arena != NULL &&
		break_glass_json(&notice.body, arena, notices->parts.approve, glass, &err)) {
		without_id(&notice.body, arena);
		(void)webhook_put(notices->webhook, &notice);
	}
	arena_destroy(&arena);
}

static bool make_review_body(const struct notices *notices, const struct review_notice *review,
	struct arena *arena, struct json *out)
{
	struct json_builder object;
	struct error err;

	json_object_start(&object, arena);
	json_put_text(&object, "installation", notices->parts.installation);
	json_put_text(&object, "review", review->review);
	json_put_text_unless_empty(&object, "name", review->name);
	json_put_integer(&object, "due_at", review->due_utc_ms);
	json_put_integer(&object, "items", (int64_t)review->items);
	json_put_integer(&object, "open", (int64_t)review->open);
	if (review->reviewers_count > 0)
		json_put_texts(&object, "reviewers", review->reviewers, review->reviewers_count);
	return json_object_seal(&object, out, &err);
}

/* ID.opened, ID.half and so on: each happens once. */
void notices_tell_review(struct notices *notices, const struct review_notice *review)
{
	struct arena *arena;
	struct notice_words words;
	struct webhook_notice notice = notice_of(&words, "review", review->event, review->review);

	if (notices->webhook == NULL)
		return;
	arena = arena_create(NOTICE_ARENA_BYTES);
	if (arena != NULL && make_review_body(notices, review, arena, &notice.body))
		(void)webhook_put(notices->webhook, &notice);
	else
		log_warn("notice_dropped", LOG_STRING("why", "no memory"));
	arena_destroy(&arena);
}

/* ---- findings --------------------------------------------------------------------------- */

/* Whether what it is about is named outside: by a server, a provider or the name of a file.  A
 * kind of a later version may be. */
static bool is_named_outside(enum finding_kind kind)
{
	switch (kind) {
	case FINDING_NONE:
	case FINDING_TOOL_RENAMED:
	case FINDING_TOOL_SHADOWED:
	case FINDING_TOOL_LOOK_ALIKE:
	case FINDING_TOOL_UNREADABLE:
	case FINDING_SECRET_SEEN:
	case FINDING_READ_WITHOUT_RECORD:
	case FINDING_READ_DIFFERS:
	case FINDING_RECORD_WITHOUT_READ:
	case FINDING_REVIEW_EXCEPTION:
	case FINDING_CONTAINMENT_OPEN:
	case FINDING_KIND_COUNT: return true;
	case FINDING_TOOL_DRIFT:
	case FINDING_BREAK_GLASS_OVERDUE:
	case FINDING_NO_GUARDRAILS:
	case FINDING_SANDBOX_OUTSIDE:
	case FINDING_STANDING_ACCESS:
	case FINDING_CANARY_FAILED:
	case FINDING_PERSON_FLOODED:
	case FINDING_REPLAY_DIFFERS:
	case FINDING_GRANT_REUSED:
	case FINDING_OWNER_LEFT:
	case FINDING_OWNER_MOVED:
	case FINDING_BACKUP_MISSING:
	case FINDING_DIRECTORY_STOPPED:
	case FINDING_CONTROL_FAILING:
	case FINDING_SHADOW_EDGE:
	case FINDING_CHARTER_DIFFERS:
	case FINDING_CONNECTOR_SILENT:
	case FINDING_CONNECTOR_STOPPED:
	case FINDING_RECORD_VIOLATES: break;
	}
	return false;
}

/* A chat shows no text that somebody outside chose: what is named there is told by its origin.
 * What was found may quote a server or an agent, and why it was closed a person: all of it is
 * read in remit. */
static bool make_finding_body(const struct notices *notices, const struct finding *finding,
	struct text actor, struct arena *arena, struct json *out)
{
	struct json_builder object;
	struct error err;

	json_object_start(&object, arena);
	json_put_text(&object, "installation", notices->parts.installation);
	json_put_text(&object, "finding", finding->id);
	json_put_cstring(&object, "kind", finding_kind_word(finding->kind));
	json_put_cstring(&object, "meaning", finding_kind_meaning(finding->kind));
	json_put_text(&object, "subject",
		is_named_outside(finding->kind) ? text_before(finding->subject, '/')
						: finding->subject);
	json_put_text_unless_empty(&object, "control", finding->control);
	json_put_text_unless_empty(&object, "unit", finding->unit);
	json_put_text_unless_empty(&object, "task", finding->task);
	json_put_integer(&object, "opened_at", finding->opened_utc_ms);
	json_put_text_unless_empty(&object, "by", actor);
	json_put_text(&object, "command",
		text_format(arena, "remit findings show %.*s", TEXT_ARGS(finding->id)));
	if (notices->untold > 0)
		json_put_integer(&object, "untold", (int64_t)notices->untold);
	return json_object_seal(&object, out, &err);
}

/* Many at once leave room for the questions that people are asked: the next ones that find a
 * place say how many found none. */
static void leave_untold(struct notices *notices)
{
	if (!notices->is_crowded)
		log_warn("notices_of_findings_dropped",
			LOG_STRING("why", "half of the queue is taken"));
	notices->is_crowded = true;
	notices->untold++;
}

/* ID.opened, ID.closed. */
static void on_finding(
	void *context, enum finding_event event, const struct finding *finding, struct text actor)
{
	struct notices *notices = context;
	struct arena *arena = arena_create(NOTICE_ARENA_BYTES);
	struct notice_words words;
	struct webhook_notice notice =
		notice_of(&words, "finding", finding_event_word(event), finding->id);

	notice.is_minor = true;
	if (arena == NULL || !make_finding_body(notices, finding, actor, arena, &notice.body))
		log_warn("notice_dropped", LOG_STRING("why", "no memory"));
	else if (webhook_put(notices->webhook, &notice))
		notices->is_crowded = false;
	else
		leave_untold(notices);
	arena_destroy(&arena);
}

/* What a webhook may not have been told before the start, under the same ids. */
static void tell_young_findings(struct notices *notices)
{
	const int64_t since_utc_ms =
		fold_stamp_utc_ms(notices->parts.fold) - NOTICE_FINDING_YOUNG_MS;
	const struct finding *finding = NULL;

	while ((finding = finding_next(notices->parts.findings, finding)) != NULL)
		if (finding->opened_utc_ms >= since_utc_ms)
			on_finding(notices, FINDING_EVENT_OPENED, finding, TEXT(""));
}

/* ---- the whole -------------------------------------------------------------------------- */

bool notices_create(struct notices **out, const struct notices_parts *parts, struct error *err)
{
	struct notices *notices = calloc(1, sizeof *notices);
	const struct approve_listener listener = {.context = notices,
		.on_event = on_event,
		.on_break_glass = on_break_glass,
		.on_flooded = on_flooded};
	const struct webhook_settings settings = {.loop = parts->loop,
		.http = parts->http,
		.url = parts->url,
		.secrets = parts->secrets,
		.secret = text_of(parts->secret),
		.context = notices,
		.utc_ms = utc_ms,
		.on_lost = on_lost};

	*out = NULL;
	if (notices == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for notices");
	notices->parts = *parts;
	if (parts->url != NULL && !webhook_create(&notices->webhook, &settings, err)) {
		free(notices);
		return false;
	}
	approve_listen(parts->approve, &listener);
	*out = notices;
	return true;
}

void notices_destroy(struct notices **notices)
{
	if (*notices == NULL)
		return;
	approve_listen((*notices)->parts.approve, NULL);
	finding_listen((*notices)->parts.findings, NULL);
	webhook_destroy(&(*notices)->webhook);
	free(*notices);
	*notices = NULL;
}

void notices_start(struct notices *notices, struct mcp_door *door, struct text base_url)
{
	const struct approve *approve = notices->parts.approve;
	const struct finding_listener listener = {.context = notices, .on_event = on_finding};
	const struct approval *approval = NULL;

	notices->door = door;
	notices->base_url = base_url;
	if (notices->webhook == NULL)
		return;
	while ((approval = approval_next(approve, approval)) != NULL)
		if (approval->state == APPROVAL_PENDING)
			tell_webhook(notices, APPROVAL_EVENT_ASKED, approval);
	tell_young_findings(notices);
	finding_listen(notices->parts.findings, &listener);
}
