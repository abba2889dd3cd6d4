#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/time.h"
#include "domain/charter/owner.h"
#include "services/directory/directory.h"
#include "services/registry/plan_people.h"
#include "support/governed.h"

/* Who comes, leaves and moves by what a directory says, over a registry with people in it. */

enum { LEAVERS = 2, PERCENT = 50 };

#define USER "{\"schemas\":[\"" SCIM_URN_USER "\"],\"userName\":\"%s\"%s}"
#define IN(department) ",\"" SCIM_URN_ENTERPRISE "\":{\"department\":\"" department "\"}"

struct bench {
	struct governed governed;
	struct directory_service *service;
	struct directory_request last;
	unsigned events[PEOPLE_MOVED + 1];
	char token[DIRECTORY_TOKEN_BYTES];
};

static void on_event(void *context, enum people_event event, struct text person)
{
	struct bench *bench = context;

	assert_int_not_equal(person.length, 0);
	bench->events[event]++;
}

static void on_done(struct directory_request *request)
{
	bool *is_done = request->context;

	*is_done = true;
}

/* The status; 0: it is done. */
static unsigned submit(struct bench *bench, struct directory_request request)
{
	bool is_done = false;

	bench->last = request;
	bench->last.arena = bench->governed.arena;
	bench->last.done = on_done;
	bench->last.context = &is_done;
	if (bench->last.directory.length == 0)
		bench->last.directory = TEXT("okta");
	directory_submit(bench->service, &bench->last);
	assert_true(is_done);
	return bench->last.fault.status;
}

static unsigned ask_token(struct bench *bench, const char *actor, int64_t days)
{
	unsigned status = submit(
		bench, (struct directory_request){
			       .verb = DIRECTORY_TOKEN, .actor = text_of(actor), .days = days});

	memcpy(bench->token, bench->last.token, sizeof bench->token);
	return status;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	const struct people_listener listener = {bench, on_event};
	struct directory_parts parts = {.bounds = {LEAVERS, PERCENT}};
	struct error err;

	assert_non_null(bench);
	governed_init_with_administrator(&bench->governed);
	assert_true(governed_apply(&bench->governed, "adi", governed_world_yaml));
	assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_true(governed_enrol(&bench->governed, "adi", "eva"));
	parts.registrar = bench->governed.registrar;
	parts.registry = bench->governed.registry;
	parts.fold = bench->governed.fold;
	assert_true(directory_service_create(&bench->service, &parts, &err));
	directory_listen(bench->service, &listener);
	assert_int_equal(ask_token(bench, "person:adi", 1), 0);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	directory_service_destroy(&bench->service);
	governed_deinit(&bench->governed);
	free(bench);
	return 0;
}

static const struct json *body_of(struct bench *bench, const char *name, const char *rest)
{
	struct json *out = arena_new(bench->governed.arena, struct json);
	char text[1024];
	struct error err;

	(void)snprintf(text, sizeof text, USER, name, rest);
	assert_true(json_parse(out, bench->governed.arena,
		text_copy(bench->governed.arena, text_of(text)), &json_limits_default, &err));
	return out;
}

static unsigned create_in(
	struct bench *bench, const char *directory, const char *name, const char *rest)
{
	return submit(bench, (struct directory_request){.verb = DIRECTORY_CREATE,
				     .directory = text_of(directory),
				     .type = &scim_user_type,
				     .body = body_of(bench, name, rest)});
}

/* Its id. */
static struct text create(struct bench *bench, const char *name, const char *rest)
{
	if (create_in(bench, "okta", name, rest) != 0)
		fail_msg("%s", bench->last.fault.detail);
	return json_text_or(&bench->last.resource, "id", "");
}

static unsigned replace(struct bench *bench, struct text id, const char *name, const char *rest)
{
	return submit(bench, (struct directory_request){.verb = DIRECTORY_REPLACE,
				     .type = &scim_user_type,
				     .id = id,
				     .body = body_of(bench, name, rest)});
}

static unsigned leave(struct bench *bench, struct text id, const char *name)
{
	return replace(bench, id, name, ",\"active\":false");
}

static const struct person *person(const struct bench *bench, const char *name)
{
	return registry_find_person(bench->governed.registry, text_of(name));
}

static const struct registry_entry *a1(const struct bench *bench)
{
	return registry_find_identity(bench->governed.registry, TEXT("a1"));
}

static bool acknowledge(struct bench *bench, const char *name)
{
	return governed_step(&bench->governed, name, REGISTRAR_ACKNOWLEDGE, "a1");
}

/* ---- tokens ---- */

static void only_an_administrator_makes_a_token_and_it_is_on_record_as_a_digest(void **state)
{
	struct bench *bench = *state;
	const struct fake_log *log = &bench->governed.log;

	assert_int_equal(ask_token(bench, "person:ana", 1), 403);
	assert_int_equal(ask_token(bench, "uid:0", 1), 403);
	assert_int_equal(ask_token(bench, "directory:okta", 1), 403);
	assert_int_equal(ask_token(bench, "person:adi", 1), 0);
	for (size_t i = 0; i < log->count; i++)
		assert_null(memmem(log->entries[i].entry.data, log->entries[i].entry.length,
			bench->token, strlen(bench->token)));
}

static void a_token_counts_until_it_ends_or_has_a_successor(void **state)
{
	struct bench *bench = *state;
	int64_t end_ms = bench->governed.log.now_utc_ms + INT64_C(24) * 60 * 60 * 1000;
	char old[DIRECTORY_TOKEN_BYTES];

	assert_int_equal(directory_of_token(bench->service, TEXT(""), 0).length, 0);
	assert_int_equal(directory_of_token(bench->service, TEXT("remit-scim-x"), 0).length, 0);
	assert_true(text_is(
		directory_of_token(bench->service, text_of(bench->token), end_ms - 1000), "okta"));
	assert_int_equal(
		directory_of_token(bench->service, text_of(bench->token), end_ms + 1000).length, 0);
	memcpy(old, bench->token, sizeof old);
	assert_int_equal(ask_token(bench, "person:adi", 1), 0);
	assert_int_equal(directory_of_token(bench->service, text_of(old), 0).length, 0);
}

/* DIRECTORY_TOKEN_DAYS_MAX, DIRECTORIES_MAX. */
static void tokens_and_directories_are_bounded(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(ask_token(bench, "person:adi", 0), 400);
	assert_int_equal(ask_token(bench, "person:adi", DIRECTORY_TOKEN_DAYS_MAX + 1), 400);
	assert_int_equal(ask_token(bench, "person:adi", DIRECTORY_TOKEN_DAYS_MAX), 0);
	for (int i = 1; i <= DIRECTORIES_MAX; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "d%d", i);
		assert_int_equal(submit(bench, (struct directory_request){.verb = DIRECTORY_TOKEN,
						       .directory = text_of(name),
						       .actor = TEXT("person:adi"),
						       .days = 1}),
			i < DIRECTORIES_MAX ? 0 : 409);
	}
}

/* ---- coming ---- */

static void a_directory_brings_people_in_without_any_right(void **state)
{
	struct bench *bench = *state;

	(void)create(bench, "Gil@example.com", IN("Sales"));
	assert_int_equal(person(bench, "gil@example.com")->roles_count, 0);
	assert_true(text_is(person(bench, "gil@example.com")->unit, "sales"));
	assert_true(
		text_is(person(bench, "gil@example.com")->directory.user_name, "Gil@example.com"));
	assert_int_equal(create_in(bench, "okta", "gil@EXAMPLE.com", ""), 409);
	assert_int_equal(create_in(bench, "okta", "with blank", ""), 400);
	assert_int_equal(create_in(bench, "nowhere", "x", ""), 404);
}

static void who_is_registered_is_taken_over_with_what_others_gave(void **state)
{
	struct bench *bench = *state;

	(void)create(bench, "BO", "");
	assert_int_equal(person(bench, "bo")->roles_count, 2);
	assert_int_equal(submit(bench, (struct directory_request){.verb = DIRECTORY_TOKEN,
					       .directory = TEXT("entra"),
					       .actor = TEXT("person:adi"),
					       .days = 1}),
		0);
	assert_int_equal(create_in(bench, "entra", "bo", ""), 409);
}

static void documents_keep_what_the_directory_says(void **state)
{
	struct bench *bench = *state;
	struct text id = create(bench, "bo", "");

	assert_true(governed_apply(&bench->governed, "adi",
		"object: person\nname: bo\nunit: support\nroles: [backup-owner]\n"));
	assert_true(text_equal(person(bench, "bo")->directory.id, id));
	assert_int_equal(person(bench, "bo")->roles_count, 1);
	assert_false(governed_apply(&bench->governed, "adi",
		"object: person\nname: bo\nunit: sales\nroles: [backup-owner]\n"));
	assert_false(governed_apply(&bench->governed, "adi",
		"object: person\nname: bo\nunit: support\nleft: 2020-01-01\n"));
	assert_false(governed_apply(&bench->governed, "adi",
		"object: person\nname: rey\nunit: support\ndirectory: {name: okta, id: u-1}\n"));
}

/* ---- leaving ---- */

static void who_leaves_has_no_key_no_role_and_no_code(void **state)
{
	struct bench *bench = *state;
	struct text id = create(bench, "bo", "");
	const struct registry_entry *bo =
		registry_find(bench->governed.registry, OBJECT_PERSON, TEXT("bo"));

	assert_true(governed_enrol(&bench->governed, "adi", "bo"));
	assert_true(registry_can_sign(bo));
	assert_int_equal(leave(bench, id, "bo"), 0);
	assert_int_equal(bench->events[PEOPLE_LEFT], 1);
	assert_false(registry_can_sign(bo));
	assert_int_equal(person(bench, "bo")->roles_count, 0);
	assert_false(governed_enrol(&bench->governed, "adi", "bo"));
	assert_null(registry_person_of(bench->governed.registry, TEXT("person:bo")));
	bench->governed.log.now_utc_ms += 1000;
	assert_int_equal(replace(bench, id, "bo", ",\"active\":true"), 0);
	assert_int_equal(bench->events[PEOPLE_RETURNED], 1);
	assert_false(registry_can_sign(bo));
	assert_int_not_equal(bo->keys[0].ended_utc_ms, 0);
	assert_true(bo->keys[0].ended_utc_ms < bo->more->keys_since_utc_ms);
	assert_true(governed_enrol(&bench->governed, "adi", "bo"));
	assert_true(registry_can_sign(bo));
}

static void a_code_from_before_is_of_no_use_to_who_comes_back(void **state)
{
	struct bench *bench = *state;
	struct governed *governed = &bench->governed;
	struct text id = create(bench, "bo", "");
	char code[CODE_TEXT_BYTES];

	assert_true(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_ISSUE_CODE,
						   .actor = TEXT("person:adi"),
						   .name = TEXT("bo")}));
	memcpy(code, governed->last.issued_code, sizeof code);
	if (code[0] == '\0')
		memcpy(code, governed->code, sizeof code);
	assert_int_equal(leave(bench, id, "bo"), 0);
	assert_int_equal(replace(bench, id, "bo", ",\"active\":true"), 0);
	assert_false(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_ENROL,
						    .name = TEXT("bo"),
						    .code = text_of(code),
						    .jwk = governed_key(governed)}));
	assert_true(governed->last.is_forbidden);
}

static void nobody_but_the_backup_owner_takes_an_identity_over(void **state)
{
	struct bench *bench = *state;
	struct text id = create(bench, "ana", "");

	assert_false(acknowledge(bench, "bo")); /* there is nothing to */
	assert_int_equal(leave(bench, id, "ana"), 0);
	assert_int_equal(owner_need_of(bench->governed.registry, a1(bench)), OWNER_NEED_OWNER);
	assert_false(acknowledge(bench, "ana"));
	assert_false(acknowledge(bench, "eva"));
	assert_false(acknowledge(bench, "adi"));
	assert_false(acknowledge(bench, "rey"));
	assert_true(acknowledge(bench, "bo"));
	assert_true(text_is(owner_of(a1(bench)), "bo"));
	assert_int_equal(owner_need_of(bench->governed.registry, a1(bench)), OWNER_NEED_BACKUP);
	assert_false(acknowledge(bench, "bo"));
}

static void where_both_have_left_an_approver_of_the_unit_may(void **state)
{
	struct bench *bench = *state;
	struct text ana = create(bench, "ana", ""), bo = create(bench, "bo", "");

	assert_true(governed_apply(&bench->governed, "adi",
		"object: person\nname: cy\nunit: sales\nroles: [approver]\n---\n"
		"object: person\nname: dan\nunit: support\nroles: [approver]\n"));
	for (int i = 0; i < 2; i++) {
		const char *raised = i == 0 ? "cy" : "dan";

		(void)governed_step_of(
			&bench->governed, "eva", REGISTRAR_APPROVE, OBJECT_PERSON, raised);
		assert_int_equal(person(bench, raised)->roles_count, 1);
	}
	assert_int_equal(leave(bench, ana, "ana"), 0);
	assert_int_equal(leave(bench, bo, "bo"), 0);
	assert_false(acknowledge(bench, "bo"));
	assert_false(acknowledge(bench, "adi"));
	assert_false(acknowledge(bench, "cy")); /* of another unit */
	assert_true(acknowledge(bench, "dan"));
	assert_true(text_is(owner_of(a1(bench)), "dan"));
}

/* Nobody answers for it then, as before: it does not go on for ever. */
static void who_acknowledged_and_is_registered_no_more_answers_for_nothing(void **state)
{
	struct bench *bench = *state;
	struct text ana = create(bench, "ana", ""), bo = create(bench, "bo", "");
	struct text whole = text_of(governed_world_yaml);

	assert_true(governed_apply(&bench->governed, "adi",
		"object: person\nname: dan\nunit: support\nroles: [approver]\n"));
	assert_true(
		governed_step_of(&bench->governed, "eva", REGISTRAR_APPROVE, OBJECT_PERSON, "dan"));
	assert_int_equal(leave(bench, ana, "ana"), 0);
	assert_int_equal(leave(bench, bo, "bo"), 0);
	assert_true(acknowledge(bench, "dan"));
	assert_int_equal(owner_left_utc_s(bench->governed.registry, a1(bench)), 0);
	if (!governed_run(&bench->governed,
		    (struct registrar_request){.verb = REGISTRAR_APPLY,
			    .actor = TEXT("person:adi"),
			    .options = {.is_prune = true},
			    .sources = &(struct plan_source){TEXT("f.yaml"), whole},
			    .sources_count = 1}))
		fail_msg("%s", bench->governed.last.err.text);
	assert_null(person(bench, "dan"));
	assert_int_equal(owner_left_utc_s(bench->governed.registry, a1(bench)),
		person(bench, "ana")->left_utc_s);
	assert_int_equal(owner_need_of(bench->governed.registry, a1(bench)), OWNER_NEED_OWNER);
}

static void a_new_charter_may_not_name_who_has_left(void **state)
{
	struct bench *bench = *state;
	struct text id = create(bench, "ana", "");
	const char *at = strstr(governed_world_yaml, "object: identity");
	char changed[2048];

	assert_int_equal(leave(bench, id, "ana"), 0);
	(void)snprintf(changed, sizeof changed, "%sreview: 30d\n", at);
	assert_false(governed_apply(&bench->governed, "adi", changed));
	assert_true(governed_apply(&bench->governed, "adi", at)); /* as it is */
}

static void the_last_administrator_is_not_taken_out(void **state)
{
	struct bench *bench = *state;
	struct text adi = create(bench, "adi", ""), eva = create(bench, "eva", "");

	assert_int_equal(leave(bench, adi, "adi"), 0);
	assert_int_equal(leave(bench, eva, "eva"), 400);
	assert_non_null(strstr(bench->last.fault.detail, "last administrator"));
}

/* ---- moving ---- */

static void who_moves_keeps_no_role_of_a_unit_and_their_identities_are_looked_at(void **state)
{
	struct bench *bench = *state;
	struct text id = create(bench, "ana", "");

	assert_int_equal(replace(bench, id, "ana", IN("sales")), 0);
	assert_int_equal(bench->events[PEOPLE_MOVED], 1);
	assert_int_equal(person(bench, "ana")->roles_count, 0);
	assert_int_equal(owner_need_of(bench->governed.registry, a1(bench)), OWNER_NEED_MOVED);
	assert_false(acknowledge(bench, "ana")); /* that one goes on is for others to say */
	assert_false(acknowledge(bench, "adi"));
	assert_true(acknowledge(bench, "bo"));
	assert_int_equal(owner_need_of(bench->governed.registry, a1(bench)), OWNER_NEED_NONE);
	assert_true(text_is(owner_of(a1(bench)), "ana"));
}

/* ---- too many ---- */

static void a_directory_that_takes_too_many_out_is_stopped_until_it_is_confirmed(void **state)
{
	struct bench *bench = *state;
	struct text ids[LEAVERS + 2];
	static const char *const names[] = {"p0", "p1", "p2", "p3"};

	for (int i = 0; i < LEAVERS + 2; i++)
		ids[i] = create(bench, names[i], "");
	for (int i = 0; i < LEAVERS; i++)
		assert_int_equal(leave(bench, ids[i], names[i]), 0);
	assert_int_equal(leave(bench, ids[2], "p2"), 429);
	assert_false(person_has_left(person(bench, "p2")));
	bench->governed.log.now_utc_ms += INT64_C(1000) * DIRECTORY_WINDOW_S * 2;
	assert_int_equal(leave(bench, ids[2], "p2"), 429); /* until somebody says so */
	assert_int_equal(create_in(bench, "okta", "p9", ""), 0);
	assert_int_equal(submit(bench, (struct directory_request){.verb = DIRECTORY_CONFIRM,
					       .actor = TEXT("person:ana")}),
		403);
	assert_int_equal(submit(bench, (struct directory_request){.verb = DIRECTORY_CONFIRM,
					       .actor = TEXT("person:adi")}),
		0);
	assert_int_equal(leave(bench, ids[2], "p2"), 0);
	assert_int_equal(submit(bench, (struct directory_request){.verb = DIRECTORY_CONFIRM,
					       .actor = TEXT("person:adi")}),
		409);
}

static unsigned confirm(struct bench *bench, const char *actor)
{
	return submit(bench,
		(struct directory_request){.verb = DIRECTORY_CONFIRM, .actor = text_of(actor)});
}

/* Both were composed before the first stop is on record: who asked first may not confirm it by
 * somebody else's stopping it once more. */
static void who_had_it_stopped_first_does_not_confirm_it(void **state)
{
	struct bench *bench = *state;
	struct fake_log *log = &bench->governed.log;
	static const char *const names[] = {"p0", "p1", "p2", "p3"};
	static const char *const askers[] = {"person:adi", "person:eva"};
	struct directory_request asked[2];
	struct text ids[LEAVERS + 2];
	bool is_done[2] = {false, false};
	size_t count;

	for (int i = 0; i < LEAVERS + 2; i++)
		ids[i] = create(bench, names[i], "");
	for (int i = 0; i < LEAVERS; i++)
		assert_int_equal(leave(bench, ids[i], names[i]), 0);
	log->is_held = true;
	for (int i = 0; i < 2; i++) {
		asked[i] = (struct directory_request){.verb = DIRECTORY_REPLACE,
			.directory = TEXT("okta"),
			.actor = text_of(askers[i]),
			.type = &scim_user_type,
			.id = ids[LEAVERS + i],
			.body = body_of(bench, names[LEAVERS + i], ",\"active\":false"),
			.arena = bench->governed.arena,
			.done = on_done,
			.context = &is_done[i]};
		directory_submit(bench->service, &asked[i]);
	}
	assert_false(is_done[0] || is_done[1]);
	count = log->count;
	fake_log_flush(log);
	log->is_held = false;
	assert_true(is_done[0] && is_done[1]);
	assert_int_equal(asked[0].fault.status, 429);
	assert_int_equal(asked[1].fault.status, 429);
	assert_int_equal(log->count, count + 1);
	assert_int_equal(confirm(bench, "person:adi"), 403);
	assert_int_equal(confirm(bench, "person:eva"), 0);
}

/* Whoever has its token makes as many people as they like, to take the others out. */
static void people_who_just_came_let_nobody_else_leave(void **state)
{
	struct bench *bench = *state;
	struct text ids[LEAVERS + 1];
	char name[8];

	for (int i = 0; i < LEAVERS + 1; i++) {
		(void)snprintf(name, sizeof name, "s%d", i);
		ids[i] = create(bench, name, "");
	}
	bench->governed.log.now_utc_ms += INT64_C(1000) * (DIRECTORY_SETTLED_S + 1);
	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		(void)create(bench, name, "");
	}
	for (int i = 0; i < LEAVERS; i++) {
		(void)snprintf(name, sizeof name, "s%d", i);
		assert_int_equal(leave(bench, ids[i], name), 0);
	}
	assert_int_equal(leave(bench, ids[LEAVERS], "s2"), 429);
}

/* A move takes the roles that count in a unit: of many at once it is like their leaving. */
static void people_who_would_lose_their_roles_by_moving_count_as_leavers(void **state)
{
	struct bench *bench = *state;
	struct text ana = create(bench, "ana", ""), bo = create(bench, "bo", "");
	struct text rey = create(bench, "rey", ""), gil = create(bench, "gil", "");

	assert_int_equal(replace(bench, ana, "ana", IN("sales")), 0);
	assert_int_equal(replace(bench, bo, "bo", IN("sales")), 0);
	assert_int_equal(replace(bench, rey, "rey", IN("sales")), 429);
	assert_int_equal(person(bench, "rey")->roles_count, 1);
	assert_int_equal(replace(bench, gil, "gil", IN("sales")), 0); /* has none */
	assert_int_equal(leave(bench, gil, "gil"), 429);
	assert_int_equal(submit(bench, (struct directory_request){.verb = DIRECTORY_CONFIRM,
					       .actor = TEXT("person:adi")}),
		0);
	assert_int_equal(replace(bench, rey, "rey", IN("sales")), 0);
}

static void the_time_that_a_person_confirmed_ends(void **state)
{
	struct bench *bench = *state;
	struct text ids[6];
	char names[6][4];

	for (int i = 0; i < 6; i++) {
		(void)snprintf(names[i], sizeof names[i], "q%d", i);
		ids[i] = create(bench, names[i], "");
	}
	bench->governed.log.now_utc_ms += INT64_C(1000) * DIRECTORY_SETTLED_S;
	assert_int_equal(ask_token(bench, "person:adi", 1), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(leave(bench, ids[i], names[i]), 0); /* half of six */
	assert_int_equal(leave(bench, ids[3], names[3]), 429);
	assert_int_equal(submit(bench, (struct directory_request){.verb = DIRECTORY_CONFIRM,
					       .actor = TEXT("person:adi")}),
		0);
	assert_int_equal(leave(bench, ids[3], names[3]), 0);
	bench->governed.log.now_utc_ms += INT64_C(1000) * (DIRECTORY_CONFIRMED_S + 2);
	assert_int_equal(leave(bench, ids[4], names[4]), 0); /* within what may always */
}

/* ---- searching ---- */

/* u0000, u0001 ... of the directory hr. */
static void import_people(struct bench *bench, unsigned count_wanted)
{
	struct arena *arena = arena_create(8 << 20);
	struct directory_request import = {
		.verb = DIRECTORY_IMPORT, .directory = TEXT("hr"), .actor = TEXT("person:adi")};
	const struct csv_row *rows;
	struct scim_fault fault;
	struct buffer table;
	size_t count;

	buffer_init(&table, 1 << 20);
	buffer_append_string(&table, "userName\n");
	for (unsigned i = 0; i < count_wanted; i++)
		buffer_append_format(&table, "u%04u\n", i);
	assert_true(csv_people_read(&rows, &count, arena, buffer_text(&table), &fault));
	import.rows = rows;
	import.rows_count = count;
	assert_int_equal(submit(bench, import), 0);
	buffer_deinit(&table);
	arena_destroy(&arena);
}

/* ---- imports in turns of the loop ---- */

enum { STAGES = 4 }; /* of an apply */

static void stop_here(struct loop_post *post)
{
	loop_stop(post->context);
}

static void run_a_turn(struct loop *loop)
{
	struct loop_post stop = {.run = stop_here, .context = loop};
	struct error err;

	loop_post(loop, &stop);
	assert_true(loop_run(loop, &err));
}

/* An import of people who are named in the table, under way on a loop. */
struct importing {
	struct bench *bench;
	struct loop *loop;
	struct directory_request request;
	bool is_done;
};

static void importing_start(struct importing *importing, struct bench *bench, const char *table)
{
	struct scim_fault fault;
	struct error err;

	*importing = (struct importing){.bench = bench,
		.request = {.verb = DIRECTORY_IMPORT,
			.directory = TEXT("okta"),
			.actor = TEXT("person:adi"),
			.arena = bench->governed.arena,
			.done = on_done}};
	importing->request.context = &importing->is_done;
	assert_true(csv_people_read(&importing->request.rows, &importing->request.rows_count,
		bench->governed.arena, text_of(table), &fault));
	assert_true(loop_create(&importing->loop, &err));
	registrar_use_loop(bench->governed.registrar, importing->loop);
	directory_submit(bench->service, &importing->request);
}

static void importing_end(struct importing *importing)
{
	registrar_use_loop(importing->bench->governed.registrar, NULL);
	loop_destroy(&importing->loop);
}

static void an_import_has_a_turn_for_each_stage_and_is_nowhere_before_the_last(void **state)
{
	struct bench *bench = *state;
	struct importing importing;

	importing_start(&importing, bench, "userName\nr1\nr2\n");
	for (unsigned stage = 0; stage < STAGES; stage++) {
		assert_false(importing.is_done);
		assert_true(registrar_is_busy(bench->governed.registrar));
		assert_null(person(bench, "r1"));
		assert_null(person(bench, "r2"));
		run_a_turn(importing.loop);
	}
	assert_true(importing.is_done);
	assert_int_equal(importing.request.fault.status, 0);
	assert_non_null(person(bench, "r1"));
	assert_non_null(person(bench, "r2"));
	assert_false(registrar_is_busy(bench->governed.registrar));
	importing_end(&importing);
}

static void what_is_asked_meanwhile_comes_after_the_import(void **state)
{
	struct bench *bench = *state;
	struct importing importing;
	bool is_done = false;
	struct directory_request create = {.verb = DIRECTORY_CREATE,
		.directory = TEXT("okta"),
		.type = &scim_user_type,
		.body = body_of(bench, "r1", ""),
		.arena = bench->governed.arena,
		.done = on_done,
		.context = &is_done};

	importing_start(&importing, bench, "userName\nr1\n");
	run_a_turn(importing.loop);
	directory_submit(bench->service, &create);
	for (unsigned stage = 1; stage < STAGES; stage++) {
		assert_false(is_done);
		run_a_turn(importing.loop);
	}
	assert_true(importing.is_done);
	assert_int_equal(importing.request.fault.status, 0);
	assert_true(is_done);
	assert_int_equal(create.fault.status, 409); /* they are there by then */
	importing_end(&importing);
}

/* A kill waits for no import; what was looked at before it is looked at again, all at once. */
static void an_import_is_looked_at_again_where_the_registry_moved(void **state)
{
	struct bench *bench = *state;
	struct error err;

	for (unsigned stage = 1; stage < STAGES; stage++) {
		struct importing importing;
		char table[32];

		(void)snprintf(table, sizeof table, "userName\nr%u\n", stage);
		importing_start(&importing, bench, table);
		for (unsigned before = 0; before < stage; before++)
			run_a_turn(importing.loop);
		assert_true(registry_set_unit_killed(
			bench->governed.registry, TEXT("support"), stage, &err));
		run_a_turn(importing.loop);
		assert_true(importing.is_done);
		assert_int_equal(importing.request.fault.status, 0);
		assert_int_equal(json_integer_or(&importing.request.summary, "new", 0), 1);
		importing_end(&importing);
	}
	assert_non_null(person(bench, "r1"));
	assert_non_null(person(bench, "r3"));
}

static void what_is_wrong_with_an_import_is_said_with_its_line_and_nothing_is_there(void **state)
{
	struct bench *bench = *state;
	struct importing importing;

	importing_start(&importing, bench, "userName\nr1\nno blank\n");
	for (unsigned turn = 0; turn < STAGES && !importing.is_done; turn++)
		run_a_turn(importing.loop);
	assert_true(importing.is_done);
	assert_int_equal(importing.request.fault.status, 400);
	assert_non_null(strstr(importing.request.fault.detail, "line 3: "));
	assert_null(person(bench, "r1"));
	assert_false(registrar_is_busy(bench->governed.registrar));
	importing_end(&importing);
}

/* CSV_ROWS_MAX, with all that a table usually says, in the memory of one request of /v1. */
static void a_table_of_as_many_people_as_may_be_fits_a_request(void **state)
{
	enum { REQUEST_ARENA_BYTES_MAX = 64 * 1024 * 1024 };
	struct bench *bench = *state;
	struct arena *arena = arena_create(REQUEST_ARENA_BYTES_MAX);
	struct directory_request import = {.verb = DIRECTORY_IMPORT,
		.directory = TEXT("okta"),
		.actor = TEXT("person:adi"),
		.is_check = true,
		.arena = arena};
	bool is_done = false;
	struct scim_fault fault;
	struct buffer table;

	assert_non_null(arena);
	buffer_init(&table, CSV_BYTES_MAX);
	buffer_append_string(&table, "userName,displayName,email,title,department\n");
	for (unsigned i = 0; i < CSV_ROWS_MAX; i++)
		buffer_append_format(&table,
			"u%05u@example.com,\"Person %05u\",u%05u@example.com,Engineer,support\n", i,
			i, i);
	assert_true(csv_people_read(
		&import.rows, &import.rows_count, arena, buffer_text(&table), &fault));
	import.done = on_done;
	import.context = &is_done;
	directory_submit(bench->service, &import);
	assert_true(is_done);
	if (import.fault.status != 0)
		fail_msg("%s", import.fault.detail);
	assert_int_equal(json_integer_or(&import.summary, "new", 0), CSV_ROWS_MAX);
	buffer_deinit(&table);
	arena_destroy(&arena);
}

static void fail_done(struct registrar_request *request)
{
	fail_msg("answered: %s", request->err.text);
}

/* remit ends: whatever there is of it goes, and nobody is told. */
static void an_import_under_way_goes_with_the_registrar(void **state)
{
	struct bench *bench = *state;
	struct importing importing;
	struct error err;

	for (unsigned stage = 0; stage < STAGES; stage++) {
		struct registrar *own = NULL;
		struct fold *fold = NULL;
		const struct fold_log port = fake_log_port(&bench->governed.log);
		struct registrar_request request = {.verb = REGISTRAR_APPLY,
			.actor = TEXT("person:adi"),
			.is_long = true,
			.done = fail_done,
			.sources = &(struct plan_source){TEXT("f.yaml"),
				TEXT("object: unit\nname: harbour\n")},
			.sources_count = 1};

		assert_true(loop_create(&importing.loop, &err));
		assert_true(fold_create(&fold, &port, NULL, &err));
		assert_true(registrar_create(&own, bench->governed.registry, fold, &err));
		registrar_use_loop(own, importing.loop);
		assert_true(registrar_submit(own, &request, &err));
		for (unsigned before = 0; before < stage; before++)
			run_a_turn(importing.loop);
		assert_true(registrar_is_busy(own));
		registrar_destroy(&own);
		run_a_turn(importing.loop);
		fold_destroy(&fold);
		loop_destroy(&importing.loop);
	}
	assert_null(registry_find_unit(bench->governed.registry, TEXT("harbour")));
}

/* ---- counting ---- */

struct plain {
	struct text directory;
	int64_t now_utc_s;
	int64_t left, settled;
};

/* As the rule reads, over everybody. */
static bool count_plainly(void *context, const struct registry_entry *entry)
{
	struct plain *plain = context;
	const struct person *one = entry->in_force == NULL ? NULL : entry->in_force->person;
	int64_t created_utc_ms = 0;
	bool has_left_now, is_settled;

	if (one == NULL || !text_equal(one->directory.name, plain->directory))
		return true;
	has_left_now = one->left_utc_s >= plain->now_utc_s - DIRECTORY_WINDOW_S;
	is_settled = time_parse_utc_ms(json_text_or(&one->directory.profile, "created", ""),
			     &created_utc_ms) &&
		     created_utc_ms / 1000 <= plain->now_utc_s - DIRECTORY_SETTLED_S;
	plain->left += has_left_now;
	plain->settled += (one->left_utc_s == 0 || has_left_now) &&
			  (is_settled || one->directory.id.length == 0);
	return true;
}

static void assert_counted(struct bench *bench, const char *name)
{
	struct plain plain = {.directory = text_of(name),
		.now_utc_s = directory_now_utc_ms(bench->service) / 1000};
	int64_t share, leavers = -1, most = -1;
	struct error err = {0};
	struct json list;

	registry_each(bench->governed.registry, OBJECT_PERSON, TEXT(""), count_plainly, &plain);
	share = plain.settled * PERCENT / 100;
	assert_true(directories_json(bench->service, bench->governed.arena, &list, &err));
	for (uint32_t i = 0; i < list.count; i++)
		if (text_is(json_text_or(&list.items[i], "name", ""), name)) {
			leavers = json_integer_or(&list.items[i], "leavers", -1);
			most = json_integer_or(&list.items[i], "leavers_max", -1);
		}
	assert_int_equal(leavers, plain.left);
	assert_int_equal(most, share > LEAVERS ? share : LEAVERS);
}

static void who_leaves_is_counted_as_the_registry_has_it(void **state)
{
	struct bench *bench = *state;
	struct text ids[9];
	char names[9][4];

	import_people(bench, 20);
	for (int i = 0; i < 9; i++) {
		(void)snprintf(names[i], sizeof names[i], "q%d", i);
		ids[i] = create(bench, names[i], "");
		assert_counted(bench, "okta");
	}
	bench->governed.log.now_utc_ms += INT64_C(1000) * (DIRECTORY_SETTLED_S + 1);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(leave(bench, ids[i], names[i]), 0);
		assert_counted(bench, "okta");
		assert_counted(bench, "hr");
	}
	assert_int_equal(leave(bench, ids[4], names[4]), 429);
	bench->governed.log.now_utc_ms += INT64_C(1000) * (DIRECTORY_WINDOW_S + 1);
	assert_counted(bench, "okta"); /* who left long ago is of nobody's number */
	assert_int_equal(submit(bench, (struct directory_request){.verb = DIRECTORY_CONFIRM,
					       .actor = TEXT("person:adi")}),
		0);
	assert_int_equal(leave(bench, ids[4], names[4]), 0);
	assert_counted(bench, "okta");
	assert_counted(bench, "hr");
}

struct searched {
	unsigned steps;
	int64_t total;
	struct json page;
};

static struct searched search_all(
	struct bench *bench, struct directory_query *query, const char *filter)
{
	struct arena *arena = bench->governed.arena;
	struct searched searched = {0};
	struct directory_search *search;
	enum directory_search_is is;
	struct scim_fault fault;

	if (filter != NULL)
		assert_true(scim_filter_parse(
			&query->filter, arena, &scim_user_type, text_of(filter), &fault));
	assert_true(directory_search_create(&search, bench->service, query, arena, &fault));
	do {
		is = directory_search_step(search, &searched.page, &searched.total);
		searched.steps++;
		assert_true(searched.steps < 1000);
	} while (is == SEARCH_IS_UNDER_WAY);
	assert_int_equal(is, SEARCH_IS_DONE);
	directory_search_destroy(&search);
	return searched;
}

static void a_search_looks_at_so_many_a_step(void **state)
{
	static const struct {
		unsigned people, steps;
	} rows[] = {{DIRECTORY_LOOKS - 1, 1}, {DIRECTORY_LOOKS, 2}, {DIRECTORY_LOOKS + 1, 2},
		{3 * DIRECTORY_LOOKS, 4}};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct directory_query query = {
			.directory = TEXT("hr"), .type = &scim_user_type, .first = 2, .count = 3};
		struct searched searched;

		import_people(bench, rows[i].people);
		searched = search_all(bench, &query, "userName sw \"u\"");
		assert_int_equal(searched.steps, rows[i].steps);
		assert_int_equal(searched.total, rows[i].people);
		assert_int_equal(searched.page.count, 3);
		searched = search_all(bench, &query, "userName ew \"07\"");
		assert_int_equal(searched.steps, rows[i].steps);
		query.filter = NULL;
		searched = search_all(bench, &query, NULL); /* without a filter, too */
		assert_int_equal(searched.steps, rows[i].steps);
	}
}

static void who_is_asked_for_by_name_costs_one_step(void **state)
{
	struct bench *bench = *state;
	struct directory_query query = {
		.directory = TEXT("hr"), .type = &scim_user_type, .first = 1, .count = 10};
	struct searched searched;

	import_people(bench, 2 * DIRECTORY_LOOKS);
	searched = search_all(bench, &query, "userName eq \"u0100\"");
	assert_int_equal(searched.steps, 1);
	assert_int_equal(searched.total, 1);
}

/* Between two steps anything may change. */
static void what_changes_during_a_search_is_never_shown_as_it_was(void **state)
{
	struct bench *bench = *state;
	struct directory_query query = {.directory = TEXT("hr"),
		.type = &scim_user_type,
		.first = 1,
		.count = DIRECTORY_PAGE_MAX};
	struct arena *arena = bench->governed.arena;
	struct directory_request gone = {
		.verb = DIRECTORY_DELETE, .directory = TEXT("hr"), .type = &scim_user_type};
	struct directory_search *search;
	struct scim_fault fault;
	struct json page;
	int64_t total;

	import_people(bench, DIRECTORY_LOOKS + 10);
	gone.id = person(bench, "u0003")->directory.id;
	gone.id = text_copy(arena, gone.id);
	assert_true(directory_search_create(&search, bench->service, &query, arena, &fault));
	assert_int_equal(directory_search_step(search, &page, &total), SEARCH_IS_UNDER_WAY);
	assert_int_equal(submit(bench, gone), 0);
	assert_int_equal(directory_search_step(search, &page, &total), SEARCH_IS_DONE);
	assert_int_equal(page.count, DIRECTORY_LOOKS + 9);
	for (uint32_t i = 0; i < page.count; i++)
		assert_false(text_is(json_text_or(&page.items[i], "userName", ""), "u0003"));
	directory_search_destroy(&search);
	assert_true(directory_search_create(&search, bench->service, &query, arena, &fault));
	assert_int_equal(directory_search_step(search, &page, &total), SEARCH_IS_UNDER_WAY);
	directory_search_destroy(&search); /* nobody waits any more */
}

static void who_imported_too_many_leavers_does_not_confirm_them(void **state)
{
	struct bench *bench = *state;
	const struct csv_row *rows;
	struct scim_fault fault;
	size_t count;
	struct directory_request import = {.verb = DIRECTORY_IMPORT,
		.directory = TEXT("hr"),
		.actor = TEXT("person:adi"),
		.is_all = true};
	struct directory_request confirm = {
		.verb = DIRECTORY_CONFIRM, .directory = TEXT("hr"), .actor = TEXT("person:adi")};

	assert_true(csv_people_read(&rows, &count, bench->governed.arena,
		TEXT("userName\nr1\nr2\nr3\nr4\nr5\nr6\n"), &fault));
	import.rows = rows;
	import.rows_count = count;
	import.is_check = true;
	assert_int_equal(submit(bench, import), 0);
	assert_null(person(bench, "r1"));
	import.is_check = false;
	assert_int_equal(submit(bench, import), 0);
	assert_non_null(person(bench, "r6"));
	bench->governed.log.now_utc_ms += INT64_C(1000) * DIRECTORY_SETTLED_S;
	import.rows_count = 2; /* four leave, where half of six may */
	assert_int_equal(submit(bench, import), 429);
	assert_false(person_has_left(person(bench, "r6")));
	assert_int_equal(submit(bench, confirm), 403);
	confirm.actor = TEXT("person:eva");
	assert_int_equal(submit(bench, confirm), 0);
	assert_int_equal(submit(bench, import), 0);
	assert_true(person_has_left(person(bench, "r6")));
	assert_false(person_has_left(person(bench, "r1")));
}

/* PEOPLE_EVENTS_MAX. */
static void one_change_moves_no_more_than_its_record_can_say(void **state)
{
	struct bench *bench = *state;
	struct buffer yaml;
	int counts[] = {PEOPLE_EVENTS_MAX + 1, PEOPLE_EVENTS_MAX};

	for (int round = 0; round < 3; round++) {
		int count = counts[round == 0 ? 0 : round - 1];

		buffer_init(&yaml, 1 << 20);
		for (int i = 0; i < count; i++)
			buffer_append_format(&yaml, "%sobject: person\nname: m%d\nunit: %s\n",
				i == 0 ? "" : "---\n", i, round == 0 ? "support" : "sales");
		buffer_append_byte(&yaml, '\0');
		assert_int_equal(governed_apply(&bench->governed, "adi", buffer_text(&yaml).data),
			round != 1);
		buffer_deinit(&yaml);
	}
}

/* PERSON_EXTERNAL_ID_BYTES_MAX: it is said what is wrong, so nobody sends it again and again. */
static void the_name_in_a_directory_is_so_long_and_no_longer(void **state)
{
	struct bench *bench = *state;
	char rest[PERSON_EXTERNAL_ID_BYTES_MAX + 64], name[32];

	for (int more = -1; more <= 1; more++) {
		(void)snprintf(rest, sizeof rest, ",\"externalId\":\"%0*d\"",
			PERSON_EXTERNAL_ID_BYTES_MAX + more, 0);
		(void)snprintf(name, sizeof name, "x%d", more + 1);
		assert_int_equal(create_in(bench, "okta", name, rest), more < 1 ? 0 : 400);
	}
	assert_non_null(strstr(bench->last.fault.detail,
		"directory.external-id: is 256 bytes long, where 255 is the most"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(only_an_administrator_makes_a_token_and_it_is_on_record_as_a_digest),
		CASE(the_name_in_a_directory_is_so_long_and_no_longer),
		CASE(a_token_counts_until_it_ends_or_has_a_successor),
		CASE(tokens_and_directories_are_bounded),
		CASE(a_directory_brings_people_in_without_any_right),
		CASE(who_is_registered_is_taken_over_with_what_others_gave),
		CASE(documents_keep_what_the_directory_says),
		CASE(who_leaves_has_no_key_no_role_and_no_code),
		CASE(a_code_from_before_is_of_no_use_to_who_comes_back),
		CASE(nobody_but_the_backup_owner_takes_an_identity_over),
		CASE(where_both_have_left_an_approver_of_the_unit_may),
		CASE(who_acknowledged_and_is_registered_no_more_answers_for_nothing),
		CASE(a_new_charter_may_not_name_who_has_left),
		CASE(the_last_administrator_is_not_taken_out),
		CASE(who_moves_keeps_no_role_of_a_unit_and_their_identities_are_looked_at),
		CASE(a_directory_that_takes_too_many_out_is_stopped_until_it_is_confirmed),
		CASE(who_had_it_stopped_first_does_not_confirm_it),
		CASE(people_who_just_came_let_nobody_else_leave),
		CASE(people_who_would_lose_their_roles_by_moving_count_as_leavers),
		CASE(the_time_that_a_person_confirmed_ends),
		CASE(who_leaves_is_counted_as_the_registry_has_it),
		CASE(a_search_looks_at_so_many_a_step),
		CASE(who_is_asked_for_by_name_costs_one_step),
		CASE(what_changes_during_a_search_is_never_shown_as_it_was),
		CASE(an_import_has_a_turn_for_each_stage_and_is_nowhere_before_the_last),
		CASE(what_is_asked_meanwhile_comes_after_the_import),
		CASE(an_import_is_looked_at_again_where_the_registry_moved),
		CASE(what_is_wrong_with_an_import_is_said_with_its_line_and_nothing_is_there),
		CASE(a_table_of_as_many_people_as_may_be_fits_a_request),
		CASE(an_import_under_way_goes_with_the_registrar),
		CASE(who_imported_too_many_leavers_does_not_confirm_them),
		CASE(one_change_moves_no_more_than_its_record_can_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
