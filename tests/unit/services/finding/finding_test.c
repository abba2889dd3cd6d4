#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "services/finding/finding.h"
#include "support/decide_bench.h"
#include "support/fake_log.h"

struct bench {
	struct decide_bench world; /* people */
	struct fake_log log;
	struct loop *loop;
	struct fold *fold;
	struct finding_service *findings;
	unsigned answers;
	bool is_answer_ok;
};

static void services_open(struct bench *bench)
{
	const struct fold_log port = fake_log_port(&bench->log);
	struct error err = {0};

	assert_true(fold_create(&bench->fold, &port, bench->loop, &err));
	assert_true(
		finding_service_create(&bench->findings, bench->world.registry, bench->fold, &err));
}

static void services_close(struct bench *bench)
{
	finding_service_destroy(&bench->findings);
	fold_destroy(&bench->fold);
}

static int setup(void **state)
{
	static struct bench bench;
	struct error err = {0};

	memset(&bench, 0, sizeof bench);
	decide_bench_init(&bench.world);
	assert_true(decide_bench_put(&bench.world,
		"object: person\nname: rex\nunit: support\nroles: [reviewer]\n---\n"
		"object: person\nname: rhea\nunit: org\nroles: [reviewer]\n"));
	fake_log_init(&bench.log);
	assert_true(loop_create(&bench.loop, &err));
	services_open(&bench);
	assert_true(fold_finish_loading(bench.fold, &err));
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	services_close(bench);
	loop_destroy(&bench->loop);
	fake_log_deinit(&bench->log);
	decide_bench_deinit(&bench->world);
	return 0;
}

static struct finding_draft draft_of(const char *subject)
{
	return (struct finding_draft){.kind = FINDING_TOOL_DRIFT,
		.subject = text_of(subject),
		.control = "G-28",
		.what = TEXT("The server defines it otherwise than pinned.")};
}

static bool report(struct bench *bench, const char *subject)
{
	const struct finding_draft draft = draft_of(subject);
	struct error err = {0};

	return finding_report(bench->findings, &draft, &err);
}

static enum error_code report_refused(struct bench *bench, const struct finding_draft *draft)
{
	struct error err = {0};

	assert_false(finding_report(bench->findings, draft, &err));
	return err.code;
}

static const struct finding *only(struct bench *bench)
{
	const struct finding *finding = finding_next(bench->findings, NULL);

	assert_non_null(finding);
	assert_null(finding_next(bench->findings, finding));
	return finding;
}

static void on_closed(void *context, uint64_t index, const struct error *err)
{
	struct bench *bench = context;

	(void)index;
	bench->answers++;
	bench->is_answer_ok = err == NULL;
}

static enum error_code close_as(
	struct bench *bench, struct text id, const char *person, const char *reason)
{
	const struct finding_close request = {.id = id,
		.person = text_of(person),
		.reason = text_of(reason),
		.context = bench,
		.done = on_closed};
	struct error err = {0};

	return finding_close(bench->findings, &request, &err) ? ERROR_NONE : err.code;
}

static const char *entry_at(struct bench *bench, size_t index)
{
	return bench->log.entries[index].entry.data;
}

/* ---- reporting ------------------------------------------------------------------------- */

static void a_finding_that_is_not_whole_is_refused(void **state)
{
	struct bench *bench = *state;
	const struct json list = {.type = JSON_ARRAY};
	struct finding_draft drafts[] = {draft_of("a"), draft_of(""), draft_of("a"), draft_of("a"),
		draft_of("a"), draft_of("\xff"), draft_of("a")};
	size_t i;

	drafts[0].kind = FINDING_NONE;
	drafts[2].control = NULL;
	drafts[3].what = TEXT("");
	drafts[4].details = &list;
	drafts[6].kind = FINDING_KIND_COUNT;
	for (i = 0; i < sizeof drafts / sizeof drafts[0]; i++)
		assert_int_equal(report_refused(bench, &drafts[i]), ERROR_INVALID);
	assert_int_equal(bench->log.count, 0);
	assert_int_equal(finding_figures(bench->findings).refused, i);
}

static void texts_are_bounded_at_their_limit(void **state)
{
	static char bytes[FINDING_DETAILS_BYTES_MAX + 1];
	struct bench *bench = *state;
	struct finding_draft draft = draft_of("a");
	struct json_builder object;
	struct json details;
	struct error err = {0};
	size_t overhead = strlen("{\"x\":\"\"}");

	memset(bytes, 'x', sizeof bytes);
	draft.subject = (struct text){bytes, FINDING_SUBJECT_BYTES_MAX + 1};
	assert_int_equal(report_refused(bench, &draft), ERROR_INVALID);
	draft.subject.length--;
	draft.what = (struct text){bytes, FINDING_WHAT_BYTES_MAX + 1};
	assert_int_equal(report_refused(bench, &draft), ERROR_INVALID);
	draft.what.length--;
	for (int over = 1; over >= 0; over--) {
		json_object_start(&object, bench->world.arena);
		json_put_text(&object, "x",
			(struct text){bytes, FINDING_DETAILS_BYTES_MAX - overhead + (size_t)over});
		assert_true(json_object_seal(&object, &details, &err));
		draft.details = &details;
		if (over)
			assert_int_equal(report_refused(bench, &draft), ERROR_INVALID);
		else
			assert_true(finding_report(bench->findings, &draft, &err));
	}
	assert_int_equal(json_find(only(bench)->details, "x")->string.length,
		FINDING_DETAILS_BYTES_MAX - overhead);
}

static void a_report_is_recorded_with_what_was_found(void **state)
{
	static const char *const members[] = {"\"type\":\"finding-opened\"", "\"actor\":\"remit\"",
		"\"kind\":\"tool-drift\"", "\"subject\":\"files/read\"", "\"control\":\"G-28\"",
		"\"what\":\"The server", "\"finding\":\"f-", "\"task\":\"t-1\"",
		"\"unit\":\"support\"", "\"details\":{\"offered\":null}"};
	struct bench *bench = *state;
	struct finding_draft draft = draft_of("files/read");
	struct json_builder object;
	struct json details;
	struct error err = {0};

	json_object_start(&object, bench->world.arena);
	json_put(&object, "offered", json_null());
	assert_true(json_object_seal(&object, &details, &err));
	draft.details = &details;
	draft.task = TEXT("t-1");
	draft.unit = TEXT("support");
	assert_true(finding_report(bench->findings, &draft, &err));
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		assert_non_null(strstr(entry_at(bench, 0), members[i]));
	assert_int_equal(only(bench)->kind, FINDING_TOOL_DRIFT);
	assert_int_equal(only(bench)->index, 0);
	assert_true(finding_find(bench->findings, only(bench)->id) == only(bench));
}

static void one_kind_and_subject_is_opened_once(void **state)
{
	struct bench *bench = *state;
	struct finding_draft other = draft_of("files/read");
	struct error err = {0};

	bench->log.is_held = true;
	assert_true(report(bench, "files/read"));
	assert_null(finding_next(bench->findings, NULL)); /* not durable yet */
	assert_true(report(bench, "files/read"));
	fake_log_flush(&bench->log);
	bench->log.is_held = false;
	assert_true(report(bench, "files/read"));
	assert_int_equal(bench->log.count, 1);
	other.kind = FINDING_TOOL_RENAMED;
	assert_true(finding_report(bench->findings, &other, &err));
	assert_true(report(bench, "files/list"));
	assert_int_equal(bench->log.count, 3);
	assert_int_equal(finding_figures(bench->findings).open, 3);
	assert_int_equal(finding_figures(bench->findings).opened, 3);
}

static void a_report_whose_record_is_lost_is_opened_by_the_next(void **state)
{
	struct bench *bench = *state;

	bench->log.loses = true;
	assert_true(report(bench, "files/read"));
	assert_null(finding_next(bench->findings, NULL));
	bench->log.loses = false;
	bench->log.refuses = true;
	assert_false(report(bench, "files/read"));
	bench->log.refuses = false;
	assert_int_equal(finding_figures(bench->findings).refused, 2);
	assert_true(report(bench, "files/read"));
	assert_true(text_is(only(bench)->subject, "files/read"));
}

/* Whoever reports a thing once, and does not wait, has been told that it is taken. */
static void what_was_lost_is_written_again(void **state)
{
	struct bench *bench = *state;
	const struct json details = {.type = JSON_OBJECT};
	struct finding_draft draft = draft_of("files/read");
	struct error err = {0};

	draft.details = &details;
	draft.unit = TEXT("support");
	draft.actor = TEXT("person:eva");
	bench->log.loses = true;
	assert_true(finding_report(bench->findings, &draft, &err));
	finding_write_again(bench->findings); /* in vain */
	assert_null(finding_next(bench->findings, NULL));
	bench->log.loses = false;
	finding_write_again(bench->findings);
	assert_true(text_is(only(bench)->subject, "files/read"));
	assert_true(text_is(only(bench)->unit, "support"));
	assert_non_null(only(bench)->details);
	assert_non_null(strstr(entry_at(bench, 0), "\"actor\":\"person:eva\""));
	finding_write_again(bench->findings);
	assert_int_equal(bench->log.count, 1);
}

static void what_is_lost_keeps_its_place_and_no_more(void **state)
{
	struct bench *bench = *state;
	char subject[32];

	bench->log.loses = true;
	for (int i = 0; i < FINDINGS_PER_ORIGIN_MAX; i++) {
		(void)snprintf(subject, sizeof subject, "files/t%d", i);
		assert_true(report(bench, subject));
	}
	assert_false(report(bench, "files/one-more"));
	bench->log.loses = false;
	for (int i = 0; i < FINDINGS_PER_ORIGIN_MAX; i++) /* some at once */
		finding_write_again(bench->findings);
	assert_int_equal(finding_figures(bench->findings).open, FINDINGS_PER_ORIGIN_MAX);
}

/* Whoever waits hears of it; whoever reported the same meanwhile does not. */
static void what_somebody_waited_for_is_written_again_for_who_did_not(void **state)
{
	struct bench *bench = *state;
	struct finding_draft draft = draft_of("files/read");
	struct error err = {0};

	draft.context = bench;
	draft.done = on_closed;
	bench->log.loses = true;
	assert_true(finding_report(bench->findings, &draft, &err));
	assert_int_equal(bench->answers, 1);
	bench->log.is_held = true;
	assert_true(finding_report(bench->findings, &draft, &err));
	assert_true(report(bench, "files/read"));
	fake_log_flush(&bench->log);
	bench->log.loses = bench->log.is_held = false;
	assert_int_equal(bench->answers, 2);
	assert_false(bench->is_answer_ok);
	finding_write_again(bench->findings);
	assert_true(text_is(only(bench)->subject, "files/read"));
	assert_int_equal(bench->answers, 2);
}

static void what_only_somebody_waited_for_is_not_written_again(void **state)
{
	struct bench *bench = *state;
	struct finding_draft draft = draft_of("files/read");
	struct error err = {0};

	draft.context = bench;
	draft.done = on_closed;
	bench->log.loses = true;
	assert_true(finding_report(bench->findings, &draft, &err));
	bench->log.loses = false;
	finding_write_again(bench->findings);
	assert_int_equal(bench->log.count, 0);
}

/* Whoever can cause findings cannot take the place of others'. */
static void one_origin_leaves_room_for_others(void **state)
{
	struct bench *bench = *state;
	struct finding_draft other = draft_of("bad/x");
	struct error err = {0};
	char subject[64];

	for (int i = 0; i < FINDINGS_PER_ORIGIN_MAX; i++) {
		snprintf(subject, sizeof subject, "bad/tool-%d", i);
		assert_true(report(bench, subject));
	}
	other.subject = TEXT("bad/tool-more");
	assert_int_equal(report_refused(bench, &other), ERROR_LIMIT);
	other.kind = FINDING_TOOL_SHADOWED;
	assert_true(finding_report(bench->findings, &other, &err));
	assert_true(report(bench, "good/tool"));
	assert_true(report(bench, "badly"));
}

/* What is found of identities begins alike for all of them: one unit's, or one person's,
 * leave room for others. */
static void units_and_causers_leave_room_for_others(void **state)
{
	struct bench *bench = *state;
	struct finding_draft draft = draft_of("");
	struct error err = {0};
	char subject[64];

	draft.unit = TEXT("support");
	draft.causer = TEXT("ana");
	for (int i = 0; i < FINDINGS_PER_ORIGIN_MAX; i++) {
		snprintf(subject, sizeof subject, "identity/s%d", i);
		draft.subject = text_of(subject);
		assert_true(finding_report(bench->findings, &draft, &err));
	}
	draft.subject = TEXT("identity/one-more");
	assert_int_equal(report_refused(bench, &draft), ERROR_LIMIT);
	draft.causer = TEXT("bo");
	assert_true(finding_report(bench->findings, &draft, &err));
	draft.causer = TEXT("ana");
	draft.unit = TEXT("sales");
	draft.subject = TEXT("identity/elsewhere");
	assert_true(finding_report(bench->findings, &draft, &err));
	draft.causer = TEXT("");
	draft.subject = TEXT("identity/nobodys");
	assert_true(finding_report(bench->findings, &draft, &err));
}

static void reload(struct bench *bench)
{
	struct error err = {0};

	services_close(bench);
	services_open(bench);
	for (size_t i = 0; i < bench->log.count; i++)
		assert_true(fold_apply_entry(
			bench->fold, bench->log.entries[i].entry, TEXT(""), i, &err));
	assert_true(fold_finish_loading(bench->fold, &err));
}

/* Also after a start: who caused it is in the record. */
static void the_share_of_a_causer_holds_after_a_restart(void **state)
{
	struct bench *bench = *state;
	struct finding_draft draft = draft_of("");
	struct error err = {0};
	char subject[64];

	draft.unit = TEXT("support");
	draft.causer = TEXT("ana");
	for (int i = 0; i < FINDINGS_PER_ORIGIN_MAX; i++) {
		snprintf(subject, sizeof subject, "identity/s%d", i);
		draft.subject = text_of(subject);
		assert_true(finding_report(bench->findings, &draft, &err));
	}
	reload(bench);
	draft.subject = TEXT("identity/one-more");
	assert_int_equal(report_refused(bench, &draft), ERROR_LIMIT);
	draft.causer = TEXT("bo");
	assert_true(finding_report(bench->findings, &draft, &err));
}

static void findings_are_bounded_in_all(void **state)
{
	struct bench *bench = *state;
	const struct finding_draft more = draft_of("more");
	char subject[64];

	for (int i = 0; i < FINDINGS_MAX; i++) {
		snprintf(subject, sizeof subject, "s%d/x", i);
		assert_true(report(bench, subject));
	}
	assert_int_equal(report_refused(bench, &more), ERROR_LIMIT);
	assert_int_equal(close_as(bench, finding_next(bench->findings, NULL)->id, "eva", "seen"),
		ERROR_NONE);
	assert_true(report(bench, "more"));
}

/* ---- closing --------------------------------------------------------------------------- */

static void nobody_closes_it_but_who_may_and_with_a_reason(void **state)
{
	static char reason[FINDING_REASON_BYTES_MAX + 2];
	struct bench *bench = *state;
	struct text id;

	assert_true(report(bench, "files/read"));
	id = only(bench)->id;
	memset(reason, 'x', FINDING_REASON_BYTES_MAX + 1);
	assert_int_equal(close_as(bench, id, "ana", "seen"), ERROR_INVALID);
	assert_int_equal(close_as(bench, id, "nobody", "seen"), ERROR_INVALID);
	assert_int_equal(close_as(bench, id, "", "seen"), ERROR_INVALID);
	assert_int_equal(close_as(bench, id, "rex", "seen"), ERROR_INVALID); /* no unit's */
	assert_int_equal(close_as(bench, id, "eva", ""), ERROR_INVALID);
	assert_int_equal(close_as(bench, id, "eva", reason), ERROR_INVALID);
	assert_int_equal(close_as(bench, TEXT("f-none"), "eva", "seen"), ERROR_NOT_FOUND);
	assert_int_equal(finding_figures(bench->findings).open, 1);
	reason[FINDING_REASON_BYTES_MAX] = '\0';
	assert_int_equal(close_as(bench, id, "rhea", reason), ERROR_NONE);
	assert_true(bench->is_answer_ok);
	assert_null(finding_next(bench->findings, NULL));
	assert_non_null(strstr(entry_at(bench, 1), "\"actor\":\"person:rhea\""));
	assert_non_null(strstr(entry_at(bench, 1), "\"subject\":\"files/read\""));
	assert_int_equal(finding_figures(bench->findings).closed, 1);
}

static void a_reviewer_closes_the_findings_of_their_unit(void **state)
{
	struct bench *bench = *state;
	struct finding_draft draft = draft_of("files/read");
	struct error err = {0};

	draft.unit = TEXT("sales");
	assert_true(finding_report(bench->findings, &draft, &err));
	assert_int_equal(close_as(bench, only(bench)->id, "rex", "seen"), ERROR_INVALID);
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "seen"), ERROR_NONE);
	draft.unit = TEXT("support");
	assert_true(finding_report(bench->findings, &draft, &err));
	assert_int_equal(close_as(bench, only(bench)->id, "rex", "seen"), ERROR_NONE);
}

static void a_finding_is_closed_once_and_when_that_is_durable(void **state)
{
	struct bench *bench = *state;
	struct text id;

	assert_true(report(bench, "files/read"));
	id = only(bench)->id;
	bench->log.is_held = true;
	assert_int_equal(close_as(bench, id, "eva", "seen"), ERROR_NONE);
	assert_int_equal(close_as(bench, id, "rhea", "seen"), ERROR_CONFLICT);
	assert_int_equal(finding_figures(bench->findings).open, 1);
	bench->log.loses = true;
	fake_log_flush(&bench->log);
	assert_int_equal(bench->answers, 1);
	assert_false(bench->is_answer_ok);
	bench->log.loses = false;
	bench->log.is_held = false;
	assert_int_equal(close_as(bench, id, "rhea", "seen"), ERROR_NONE);
	assert_int_equal(finding_figures(bench->findings).open, 0);
}

static void what_is_still_so_is_opened_again_after_it_was_closed(void **state)
{
	struct bench *bench = *state;

	assert_true(report(bench, "files/read"));
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "seen"), ERROR_NONE);
	assert_true(report(bench, "files/read"));
	assert_int_equal(only(bench)->index, 2);
}

static void what_is_reported_while_it_is_closed_is_opened_again(void **state)
{
	struct bench *bench = *state;
	struct finding_draft waits = draft_of("files/read");

	waits.context = bench;
	waits.done = on_closed;
	assert_true(report(bench, "files/read"));
	bench->log.is_held = true;
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "seen"), ERROR_NONE);
	assert_true(report(bench, "files/read"));
	assert_true(report(bench, "files/read"));
	assert_int_equal(report_refused(bench, &waits), ERROR_CONFLICT);
	fake_log_flush(&bench->log);
	bench->log.is_held = false;
	assert_int_equal(bench->log.count, 3);
	assert_int_equal(only(bench)->index, 2);
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "seen"), ERROR_NONE);
	assert_null(finding_next(bench->findings, NULL));
}

static void what_stays_open_is_not_opened_again(void **state)
{
	struct bench *bench = *state;

	assert_true(report(bench, "files/read"));
	bench->log.is_held = true;
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "seen"), ERROR_NONE);
	assert_true(report(bench, "files/read"));
	bench->log.loses_type = "finding-closed";
	bench->log.loses_count = 1;
	fake_log_flush(&bench->log);
	bench->log.is_held = false;
	assert_int_equal(bench->log.count, 1);
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "seen"), ERROR_NONE);
	assert_null(finding_next(bench->findings, NULL));
	finding_write_again(bench->findings);
	assert_int_equal(bench->log.count, 2);
}

/* What was reported while it was closed is over, too. */
static void what_is_settled_is_not_opened_again(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_true(report(bench, "files/read"));
	bench->log.is_held = true;
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "seen"), ERROR_NONE);
	assert_true(report(bench, "files/read"));
	assert_true(finding_settle(bench->findings, only(bench)->id, "it is over", &err));
	fake_log_flush(&bench->log);
	bench->log.is_held = false;
	assert_null(finding_next(bench->findings, NULL));
	assert_int_equal(bench->log.count, 2);
}

/* ---- who listens ----------------------------------------------------------------------- */

struct heard {
	unsigned opened, closed;
	char subject[64], actor[64];
};

static void on_event(
	void *context, enum finding_event event, const struct finding *finding, struct text actor)
{
	struct heard *heard = context;

	heard->opened += event == FINDING_EVENT_OPENED;
	heard->closed += event == FINDING_EVENT_CLOSED;
	(void)snprintf(heard->subject, sizeof heard->subject, "%.*s", TEXT_ARGS(finding->subject));
	(void)snprintf(heard->actor, sizeof heard->actor, "%.*s", TEXT_ARGS(actor));
}

static void who_listens_hears_of_each_once_it_is_durable(void **state)
{
	struct bench *bench = *state;
	struct heard heard = {0};
	const struct finding_listener listener = {&heard, on_event};

	finding_listen(bench->findings, &listener);
	bench->log.is_held = true;
	assert_true(report(bench, "files/read"));
	assert_int_equal(heard.opened, 0);
	bench->log.is_held = false;
	fake_log_flush(&bench->log);
	assert_true(report(bench, "files/read")); /* it is open */
	assert_int_equal(heard.opened, 1);
	assert_string_equal(heard.subject, "files/read");
	assert_string_equal(heard.actor, "remit");
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "seen"), ERROR_NONE);
	assert_int_equal(heard.closed, 1);
	assert_string_equal(heard.actor, "person:eva");
	finding_listen(bench->findings, NULL);
	assert_true(report(bench, "files/list"));
	assert_int_equal(heard.opened, 1);
}

static void who_listens_hears_nothing_of_what_a_start_reads(void **state)
{
	struct bench *bench = *state;
	struct heard heard = {0};
	const struct finding_listener listener = {&heard, on_event};
	struct error err = {0};

	assert_true(report(bench, "files/read"));
	services_close(bench);
	services_open(bench);
	finding_listen(bench->findings, &listener);
	assert_true(fold_apply_entry(bench->fold, bench->log.entries[0].entry, TEXT(""), 0, &err));
	assert_true(fold_finish_loading(bench->fold, &err));
	assert_int_equal(finding_figures(bench->findings).open, 1);
	assert_int_equal(heard.opened, 0);
}

/* ---- after a start --------------------------------------------------------------------- */

static void a_start_brings_back_what_was_open(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	char id[32];

	assert_true(report(bench, "files/read"));
	assert_true(report(bench, "files/list"));
	snprintf(id, sizeof id, "%s", finding_next(bench->findings, NULL)->id.data);
	assert_int_equal(close_as(bench, text_of(id), "eva", "seen"), ERROR_NONE);
	services_close(bench);
	services_open(bench);
	for (size_t i = 0; i < bench->log.count; i++)
		assert_true(fold_apply_entry(
			bench->fold, bench->log.entries[i].entry, TEXT(""), i, &err));
	/* A row of the store comes once more before the log's entries. */
	assert_true(fold_apply_entry(bench->fold, bench->log.entries[only(bench)->index].entry,
		TEXT(""), only(bench)->index, &err));
	assert_true(fold_finish_loading(bench->fold, &err));
	assert_null(finding_find(bench->findings, text_of(id)));
	assert_int_equal(finding_figures(bench->findings).open, 1);
	assert_int_equal(finding_figures(bench->findings).opened, 0);
	assert_true(report(bench, "files/read"));
	assert_true(report(bench, "files/list"));
	assert_int_equal(bench->log.count, 4);
}

static void the_row_of_the_store_goes_when_it_is_closed(void **state)
{
	struct bench *bench = *state;
	struct fold_entry entry = {0};
	struct fold_projected rows;
	struct error err = {0};

	assert_true(report(bench, "files/read"));
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "seen"), ERROR_NONE);
	for (size_t i = 0; i < 2; i++) {
		entry = (struct fold_entry){.entry = bench->log.entries[i].entry, .index = i};
		assert_true(
			fold_project_entry(bench->fold, bench->world.arena, &entry, &rows, &err));
		assert_int_equal(rows.changes_count, 1);
		assert_int_equal(rows.changes[0].op, i == 0 ? STORE_PUT : STORE_DELETE);
		assert_true(text_is(rows.changes[0].row.kind, "finding"));
		assert_true(random_id_is(rows.changes[0].row.key, "f-"));
	}
}

static void a_kind_of_a_later_version_is_kept_and_can_be_closed(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	struct json body;

	services_close(bench);
	services_open(bench);
	assert_true(fold_apply_entry(bench->fold,
		TEXT("{\"actor\":\"remit\",\"at\":1,\"control\":\"G-1\",\"finding\":\"f-1\","
		     "\"kind\":"
		     "\"new-kind\",\"subject\":\"a\",\"type\":\"finding-opened\",\"what\":\"x\"}"),
		TEXT(""), 0, &err));
	assert_false(fold_apply_entry(bench->fold,
		TEXT("{\"actor\":\"remit\",\"at\":1,\"type\":\"finding-opened\"}"), TEXT(""), 1,
		&err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_int_equal(only(bench)->kind, FINDING_NONE);
	assert_true(finding_json(&body, bench->world.arena, only(bench), &err));
	assert_true(text_is(json_text_or(&body, "kind", ""), "none"));
	assert_true(text_is(json_text_or(&body, "what", ""), "x"));
}

static void every_kind_has_a_word_that_is_read_back(void **state)
{
	(void)state;
	for (int kind = FINDING_NONE + 1; kind < FINDING_KIND_COUNT; kind++) {
		assert_int_equal(
			finding_kind_of(text_of(finding_kind_word((enum finding_kind)kind))), kind);
		assert_true(strlen(finding_kind_meaning((enum finding_kind)kind)) > 0);
	}
	assert_int_equal(finding_kind_of(TEXT("none")), FINDING_NONE);
	assert_int_equal(finding_kind_of(TEXT("")), FINDING_NONE);
}

/* ---- from a source's own log ------------------------------------------------------------ */

static void log_bench(struct bench *bench, struct finding_of_log *found)
{
	static struct json names[2];
	static struct json sources;

	assert_true(decide_bench_put(&bench->world,
		"object: data-source\nname: notes\nunit: support\nsensitivity: internal\n"
		"custodian: kim\nenvironment: staging\n---\n"
		"object: data-source\nname: mails\nunit: support\nsensitivity: internal\n"
		"environment: staging\n---\n"
		"object: person\nname: kim\nunit: support\nroles: [owner]\n---\n"
		"object: person\nname: aud\nunit: org\nroles: [auditor]\n"));
	names[0] = json_cstring("notes");
	names[1] = json_cstring("mails");
	sources = (struct json){.type = JSON_ARRAY, .items = names, .count = 2};
	*found = (struct finding_of_log){.kind = FINDING_READ_WITHOUT_RECORD,
		.sources = &sources,
		.log = TEXT("queries.jsonl"),
		.line = 12,
		.record = -1,
		.person = TEXT("aud"),
		.actor = TEXT("person:aud"),
		.arena = bench->world.arena,
		.context = bench,
		.done = on_closed};
}

static enum error_code report_log(struct bench *bench, const struct finding_of_log *found)
{
	struct error err = {0};

	return finding_report_log(bench->findings, found, &err) ? ERROR_NONE : err.code;
}

static void a_place_in_a_log_that_is_none_is_refused(void **state)
{
	static char name[FINDING_LOG_BYTES_MAX + 1];
	struct bench *bench = *state;
	struct finding_of_log good, bad[14];
	struct json empty = {.type = JSON_ARRAY}, stranger = json_cstring("nobodys");
	struct json strangers = {.type = JSON_ARRAY, .items = &stranger, .count = 1};
	size_t i;

	log_bench(bench, &good);
	for (i = 0; i < 14; i++)
		bad[i] = good;
	memset(name, 'x', sizeof name);
	bad[0].kind = FINDING_TOOL_DRIFT;
	bad[1].sources = NULL;
	bad[2].sources = &empty;
	bad[3].log = TEXT("/var/log/queries");
	bad[4].log = TEXT("a\033[2J");
	bad[5].line = 0;
	bad[6].record = 3;
	bad[7].kind = FINDING_RECORD_WITHOUT_READ;
	bad[8].log = (struct text){name, sizeof name};
	bad[9].log = TEXT("a\u202Ejson"); /* turns the direction */
	bad[10].log = TEXT("a\xC2\x9B"
			   "2J");            /* C1: an escape sequence in one character */
	bad[11].log = TEXT("a\u200B.jsonl"); /* no width */
	bad[12].log = TEXT("a\xC2");         /* no UTF-8 */
	bad[13].log = TEXT("\xFF.jsonl");
	for (i = 0; i < 14; i++)
		assert_int_equal(report_log(bench, &bad[i]), ERROR_INVALID);
	bad[0] = good;
	bad[0].sources = &strangers;
	assert_int_equal(report_log(bench, &bad[0]), ERROR_NOT_FOUND);
	assert_int_equal(bench->log.count, 0);
	bad[8].log.length--;
	assert_int_equal(report_log(bench, &bad[8]), ERROR_NONE);
	good.log = TEXT("Zugriffe März, alle.jsonl");
	assert_int_equal(report_log(bench, &good), ERROR_NONE);
}

static void the_sources_of_a_log_are_bounded(void **state)
{
	static struct json names[FINDING_SOURCES_MAX + 1];
	struct json sources = {
		.type = JSON_ARRAY, .items = names, .count = FINDING_SOURCES_MAX + 1};
	struct bench *bench = *state;
	struct finding_of_log found;

	log_bench(bench, &found);
	for (size_t i = 0; i <= FINDING_SOURCES_MAX; i++)
		names[i] = json_cstring("notes");
	found.sources = &sources;
	assert_int_equal(report_log(bench, &found), ERROR_INVALID);
	sources.count--;
	assert_int_equal(report_log(bench, &found), ERROR_NONE);
}

static void who_has_no_part_in_a_log_reports_nothing_of_it(void **state)
{
	static const char *const may[] = {"aud", "eva", "rex", "kim", ""};
	struct bench *bench = *state;
	struct finding_of_log found;

	log_bench(bench, &found);
	found.person = TEXT("ana");
	assert_int_equal(report_log(bench, &found), ERROR_INVALID);
	found.person = TEXT("nobody");
	assert_int_equal(report_log(bench, &found), ERROR_INVALID);
	assert_int_equal(bench->log.count, 0);
	for (size_t i = 0; i < sizeof may / sizeof may[0]; i++) {
		found.person = text_of(may[i]);
		found.line++;
		assert_int_equal(report_log(bench, &found), ERROR_NONE);
		assert_int_equal(bench->log.count, i + 1);
	}
}

static void whom_a_unit_did_not_agree_to_reports_nothing_of_its_log(void **state)
{
	struct bench *bench = *state;
	struct finding_of_log found;
	const struct registry_entry *notes;
	struct registry_change change = {.kind = OBJECT_DATA_SOURCE, .name = TEXT("notes")};
	struct error err;

	log_bench(bench, &found);
	notes = registry_find(bench->world.registry, OBJECT_DATA_SOURCE, change.name);
	change.version = change.in_force = notes->in_force->version;
	change.revision = ++bench->world.revision;
	change.named_by = TEXT("person:eva");
	assert_true(registry_set(bench->world.registry, &change, &err));
	found.person = TEXT("kim");
	assert_int_equal(report_log(bench, &found), ERROR_INVALID);
	assert_int_equal(bench->log.count, 0);
}

static void one_line_of_a_log_is_one_finding_in_whatever_order(void **state)
{
	struct bench *bench = *state;
	struct finding_of_log found;
	struct json turned[2], sources = {.type = JSON_ARRAY, .items = turned, .count = 2};

	log_bench(bench, &found);
	assert_int_equal(report_log(bench, &found), ERROR_NONE);
	assert_int_equal(bench->answers, 1);
	assert_true(bench->is_answer_ok);
	assert_true(text_is(only(bench)->subject, "mails/queries.jsonl:12"));
	assert_true(text_is(only(bench)->unit, "support"));
	assert_non_null(strstr(entry_at(bench, 0), "\"actor\":\"person:aud\""));
	assert_non_null(
		strstr(entry_at(bench, 0), "\"details\":{\"line\":12,\"log\":\"queries.jsonl\","
					   "\"sources\":[\"notes\",\"mails\"]}"));
	turned[0] = found.sources->items[1];
	turned[1] = found.sources->items[0];
	found.sources = &sources;
	assert_int_equal(report_log(bench, &found), ERROR_NONE);
	assert_int_equal(bench->answers, 2);
	assert_int_equal(bench->log.count, 1);
	found.kind = FINDING_RECORD_WITHOUT_READ;
	found.line = 0;
	found.record = 0;
	assert_int_equal(report_log(bench, &found), ERROR_NONE);
	assert_non_null(strstr(entry_at(bench, 1), "\"subject\":\"mails/record 0\""));
}

static void who_waits_hears_of_a_record_that_was_lost(void **state)
{
	struct bench *bench = *state;
	struct finding_of_log found;

	log_bench(bench, &found);
	bench->log.is_held = true;
	assert_int_equal(report_log(bench, &found), ERROR_NONE);
	assert_int_equal(bench->answers, 0); /* not before it is durable */
	assert_int_equal(report_log(bench, &found), ERROR_CONFLICT);
	fake_log_flush(&bench->log);
	assert_int_equal(bench->answers, 1);
	bench->log.is_held = false;
	bench->log.loses = true;
	found.line++;
	assert_int_equal(report_log(bench, &found), ERROR_NONE);
	assert_int_equal(bench->answers, 2);
	assert_false(bench->is_answer_ok);
	assert_true(text_is(only(bench)->subject, "mails/queries.jsonl:12"));
}

/* ---- without guardrails ------------------------------------------------------------------ */

static const char change_record[] =
	"{\"actor\":\"person:eva\",\"at\":1,\"revision\":1,\"type\":\"registry\"}";

static void change_registry(struct bench *bench)
{
	struct error err = {0};

	assert_true(fold_apply_entry(
		bench->fold, text_of(change_record), TEXT(""), bench->log.count, &err));
}

static size_t unguarded(const struct bench *bench)
{
	const struct finding *finding = finding_next(bench->findings, NULL);
	size_t count = 0;

	for (; finding != NULL; finding = finding_next(bench->findings, finding))
		count += finding->kind == FINDING_NO_GUARDRAILS;
	return count;
}

static const char lone_identity[] =
	"object: unit\nname: support\npurpose: Answers\n---\n"
	"object: person\nname: ana\nunit: support\nroles: [owner]\n---\n"
	"object: person\nname: bo\nunit: support\nroles: [owner]\n---\n"
	"object: policy\nname: support/own\ntext: 'forbid (principal, action, resource);'\n---\n"
	"object: identity\nname: lone\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Looks\nenvironments: [dev]\n"
	"outputs: [{to: reply, up-to: internal}]\nexpires: 2030-01-01\n";

static void identities_without_a_guardrail_of_the_organisation_are_a_finding(void **state)
{
	struct bench *bench = *state;
	struct registry *full = bench->world.registry, *bare;
	struct error err = {0};

	finding_check_guardrails(bench->findings); /* it has one */
	assert_int_equal(unguarded(bench), 0);
	services_close(bench);
	assert_true(registry_create(&bare, &err));
	bench->world.registry = bare;
	services_open(bench);
	assert_true(fold_finish_loading(bench->fold, &err));
	change_registry(bench); /* nobody acts yet */
	assert_int_equal(unguarded(bench), 0);
	assert_true(decide_bench_put(&bench->world, lone_identity));
	change_registry(bench);
	finding_check_guardrails(bench->findings);
	assert_int_equal(unguarded(bench), 1); /* a guardrail of one unit is not the whole's */
	assert_int_equal(close_as(bench, only(bench)->id, "nobody", "seen"), ERROR_INVALID);
	assert_true(decide_bench_put(&bench->world,
		"object: policy\nname: org/any\ntext: 'forbid (principal, action, resource);'\n"
		"---\nobject: person\nname: eva\nunit: org\nroles: [administrator]\n"));
	assert_int_equal(close_as(bench, only(bench)->id, "eva", "published"), ERROR_NONE);
	change_registry(bench);
	assert_int_equal(unguarded(bench), 0);
	services_close(bench);
	registry_destroy(&bare);
	bench->world.registry = full;
	services_open(bench);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_finding_that_is_not_whole_is_refused),
		TEST(texts_are_bounded_at_their_limit),
		TEST(a_report_is_recorded_with_what_was_found),
		TEST(one_kind_and_subject_is_opened_once),
		TEST(a_report_whose_record_is_lost_is_opened_by_the_next),
		TEST(what_was_lost_is_written_again),
		TEST(what_is_lost_keeps_its_place_and_no_more),
		TEST(what_somebody_waited_for_is_written_again_for_who_did_not),
		TEST(what_only_somebody_waited_for_is_not_written_again),
		TEST(what_is_reported_while_it_is_closed_is_opened_again),
		TEST(what_stays_open_is_not_opened_again),
		TEST(what_is_settled_is_not_opened_again),
		TEST(one_origin_leaves_room_for_others),
		TEST(units_and_causers_leave_room_for_others),
		TEST(the_share_of_a_causer_holds_after_a_restart),
		TEST(findings_are_bounded_in_all),
		TEST(nobody_closes_it_but_who_may_and_with_a_reason),
		TEST(a_reviewer_closes_the_findings_of_their_unit),
		TEST(a_finding_is_closed_once_and_when_that_is_durable),
		TEST(what_is_still_so_is_opened_again_after_it_was_closed),
		TEST(who_listens_hears_of_each_once_it_is_durable),
		TEST(who_listens_hears_nothing_of_what_a_start_reads),
		TEST(a_start_brings_back_what_was_open),
		TEST(the_row_of_the_store_goes_when_it_is_closed),
		TEST(a_kind_of_a_later_version_is_kept_and_can_be_closed),
		TEST(every_kind_has_a_word_that_is_read_back),
		TEST(a_place_in_a_log_that_is_none_is_refused),
		TEST(the_sources_of_a_log_are_bounded),
		TEST(who_has_no_part_in_a_log_reports_nothing_of_it),
		TEST(whom_a_unit_did_not_agree_to_reports_nothing_of_its_log),
		TEST(one_line_of_a_log_is_one_finding_in_whatever_order),
		TEST(who_waits_hears_of_a_record_that_was_lost),
		TEST(identities_without_a_guardrail_of_the_organisation_are_a_finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
