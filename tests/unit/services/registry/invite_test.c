/* An invitation lets one client register itself once, as a draft of who gave it, and gives
 * it nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/registry/registrar_private.h"
#include "support/governed.h"

enum { HOUR_MS = 3600 * 1000 };

/* ana owns in support, bo may take over; sal is of sales. */
static int set_up(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);

	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	assert_true(governed_enrol(governed, "adi", "ana"));
	assert_true(governed_enrol(governed, "adi", "bo"));
	*state = governed;
	return 0;
}

static int tear_down(void **state)
{
	struct governed *governed = *state;

	governed_deinit(governed);
	free(governed);
	return 0;
}

static bool invite_for(
	struct governed *governed, const char *actor, const char *name, const char *purpose)
{
	return governed_run(governed,
		(struct registrar_request){.verb = REGISTRAR_INVITE,
			.actor = text_of(actor),
			.name = text_of(name),
			.sandbox = {.backup_owner = TEXT("bo"), .purpose = text_of(purpose)}});
}

static bool invite(struct governed *governed, const char *actor, const char *name)
{
	return invite_for(governed, actor, name, "Answers letters: \"all\" & more");
}

static bool enter(struct governed *governed, const char *code, struct json jwk)
{
	return governed_run(governed, (struct registrar_request){.verb = REGISTRAR_REGISTER,
					      .actor = TEXT("remit"),
					      .code = text_of(code),
					      .jwk = jwk});
}

static const struct registry_entry *entry_of(struct governed *governed, const char *name)
{
	return registry_find(governed->registry, OBJECT_IDENTITY, text_of(name));
}

static void nobody_but_a_person_invites_and_only_a_new_name(void **state)
{
	struct governed *governed = *state;
	size_t records = governed->log.count;

	assert_false(invite(governed, "uid:0", "new-one"));
	assert_true(governed->last.is_forbidden);
	assert_false(invite(governed, "identity:a1", "new-one"));
	assert_false(invite(governed, "person:nobody", "new-one"));
	assert_false(invite(governed, "person:ana", "a1"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_false(invite(governed, "person:ana", "Not a name"));
	assert_false(invite(governed, "person:bo", "new-one")); /* owner and backup are two */
	assert_false(invite_for(governed, "person:ana", "new-one", ""));
	assert_int_equal(governed->log.count, records);
}

static void no_code_but_an_invitation_registers(void **state)
{
	struct governed *governed = *state;
	struct json key = governed_key(governed);
	size_t records;

	assert_true(governed_step(governed, "adi", REGISTRAR_ISSUE_CODE, "rey"));
	records = governed->log.count;
	assert_false(enter(governed, governed->code, key));
	assert_true(governed->last.is_forbidden);
	assert_false(enter(governed, "", key));
	assert_false(enter(governed, "0000-0000-0000-0000-0000", key));
	assert_true(governed->last.is_forbidden);
	assert_int_equal(governed->log.count, records);
	/* Nor does an invitation enrol a person. */
	assert_true(invite(governed, "person:ana", "new-one"));
	assert_false(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_ENROL,
						    .actor = TEXT("remit"),
						    .name = TEXT("ana"),
						    .code = text_of(governed->code),
						    .jwk = key}));
	assert_true(governed->last.is_forbidden);
}

static void note_done(struct registrar_request *request)
{
	*(unsigned *)request->context += 1;
}

/* While a change is on its way to the log, which may take a while, others wait behind it. */
static void guesses_of_strangers_take_no_place_in_the_queue(void **state)
{
	static const enum registrar_verb verbs[] = {REGISTRAR_REGISTER, REGISTRAR_ENROL};
	enum { GUESSES = 2 * REGISTRAR_QUEUE_MAX };
	struct governed *governed = *state;
	struct registrar_request *guesses = calloc(GUESSES, sizeof *guesses);
	struct registrar_request change = {.verb = REGISTRAR_ISSUE_CODE,
		.actor = TEXT("person:adi"),
		.name = TEXT("rey"),
		.done = note_done};
	struct registrar_request behind = change;
	unsigned done = 0, changes = 0;
	struct error err = {0};

	assert_non_null(guesses);
	change.context = behind.context = &changes;
	governed->log.is_held = true;
	assert_true(registrar_submit(governed->registrar, &change, &err));
	for (size_t i = 0; i < GUESSES; i++) {
		guesses[i] = (struct registrar_request){.verb = verbs[i % 2],
			.actor = TEXT("remit"),
			.name = TEXT("ana"),
			.code = TEXT("0000-0000-0000-0000-0000"),
			.done = note_done,
			.context = &done};
		assert_true(registrar_submit(governed->registrar, &guesses[i], &err));
		assert_true(guesses[i].is_forbidden);
	}
	assert_int_equal(done, GUESSES);
	assert_int_equal(changes, 0);
	assert_true(registrar_submit(governed->registrar, &behind, &err));
	governed->log.is_held = false;
	fake_log_flush(&governed->log);
	assert_int_equal(changes, 2);
	free(guesses);
}

static void what_registers_is_a_draft_that_permits_nothing(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *entry;
	const struct charter *charter;

	assert_true(invite(governed, "person:ana", "new-one"));
	assert_true(enter(governed, governed->code, governed_key(governed)));
	assert_string_equal(governed->last.name_issued, "new-one");
	entry = entry_of(governed, "new-one");
	assert_non_null(entry);
	assert_null(entry->in_force);
	assert_int_equal(entry->waiting_state, IDENTITY_DRAFT);
	assert_true(text_is(entry->more->proposed_by, "person:ana"));
	charter = charter_of(entry->waiting);
	assert_true(text_is(charter->owner, "ana"));
	assert_true(text_is(charter->backup_owner, "bo"));
	assert_true(text_is(charter->unit, "support"));
	assert_true(text_is(charter->purpose, "Answers letters: \"all\" & more"));
	assert_int_equal(charter->entitlements_count, 0);
	assert_int_equal(charter->keys_count, 1);
	assert_int_equal(charter->keys[0].environment, ENVIRONMENT_DEV);
	/* It is for its owner to propose, and for another to approve. */
	assert_false(governed_step(governed, "bo", REGISTRAR_APPROVE, "new-one"));
	assert_true(governed_step(governed, "ana", REGISTRAR_PROPOSE, "new-one"));
	assert_false(governed_step(governed, "ana", REGISTRAR_APPROVE, "new-one"));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "new-one"));
}

static void an_invitation_is_used_once_and_for_an_hour(void **state)
{
	struct governed *governed = *state;
	char code[CODE_TEXT_BYTES];

	assert_true(invite(governed, "person:ana", "new-one"));
	memcpy(code, governed->code, sizeof code);
	assert_true(enter(governed, code, governed_key(governed)));
	assert_false(enter(governed, code, governed_key(governed)));
	assert_true(governed->last.is_forbidden);
	assert_true(invite(governed, "person:ana", "late-one"));
	memcpy(code, governed->code, sizeof code);
	governed->log.now_utc_ms += HOUR_MS;
	assert_false(enter(governed, code, governed_key(governed)));
	assert_true(governed->last.is_forbidden);
	assert_null(entry_of(governed, "late-one"));
	assert_true(invite(governed, "person:ana", "late-one"));
	memcpy(code, governed->code, sizeof code);
	governed->log.now_utc_ms += HOUR_MS - 1000;
	assert_true(enter(governed, code, governed_key(governed)));
}

static void a_key_that_is_none_leaves_the_invitation(void **state)
{
	struct governed *governed = *state;
	struct json key = governed_key(governed), wrong = json_cstring("key");
	struct json_builder object;
	struct error err = {0};
	char code[CODE_TEXT_BYTES];

	assert_true(invite(governed, "person:ana", "new-one"));
	memcpy(code, governed->code, sizeof code);
	assert_false(enter(governed, code, wrong));
	assert_int_equal(governed->last.err.code, ERROR_INVALID);
	json_object_start(&object, governed->arena);
	for (uint32_t i = 0; i < key.count; i++)
		json_put_named(&object, key.members[i].name, key.members[i].value);
	json_put_cstring(&object, "d", "secret-part");
	assert_true(json_object_seal(&object, &wrong, &err));
	assert_false(enter(governed, code, wrong));
	assert_false(governed->last.is_forbidden);
	assert_non_null(strstr(governed->last.err.text, "private key"));
	assert_null(strstr(governed->last.err.text, "secret-part"));
	assert_true(enter(governed, code, key));
}

static void a_name_that_is_taken_meanwhile_stays_who_it_is(void **state)
{
	struct governed *governed = *state;
	char first[CODE_TEXT_BYTES], second[CODE_TEXT_BYTES];

	assert_true(invite(governed, "person:ana", "new-one"));
	memcpy(first, governed->code, sizeof first);
	assert_true(invite(governed, "person:ana", "new-one"));
	memcpy(second, governed->code, sizeof second);
	assert_true(enter(governed, first, governed_key(governed)));
	assert_false(enter(governed, second, governed_key(governed)));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_int_equal(entry_of(governed, "new-one")->version, 1);
}

static void each_person_has_so_many_out_and_all_together(void **state)
{
	struct governed *governed = *state;
	char name[32], purpose[INVITE_PURPOSE_BYTES_MAX + 2];

	for (int i = 0; i < INVITES_PER_PERSON_MAX; i++) {
		(void)snprintf(name, sizeof name, "new-%d", i);
		assert_true(invite(governed, "person:ana", name));
	}
	assert_false(invite(governed, "person:ana", "one-more"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	governed->log.now_utc_ms += HOUR_MS;
	(void)memset(purpose, 'p', sizeof purpose);
	purpose[INVITE_PURPOSE_BYTES_MAX + 1] = '\0';
	assert_false(invite_for(governed, "person:ana", "one-more", purpose));
	assert_int_equal(governed->last.err.code, ERROR_INVALID);
	purpose[INVITE_PURPOSE_BYTES_MAX] = '\0';
	assert_true(invite_for(governed, "person:ana", "one-more", purpose));
	/* Of all persons: as if others had given the rest. */
	while (governed->registrar->invites_count < INVITES_MAX) {
		struct invite *next =
			&governed->registrar->invites[governed->registrar->invites_count++];

		*next = governed->registrar->invites[0];
		memcpy(next->owner, "else", sizeof "else");
	}
	assert_false(invite(governed, "person:ana", "two-more"));
	assert_int_equal(governed->last.err.code, ERROR_LIMIT);
	governed->registrar->invites_count--;
	assert_true(invite(governed, "person:ana", "two-more"));
}

static void the_code_is_in_no_record_and_the_invitation_outlives_a_restart(void **state)
{
	struct governed *governed = *state;
	struct governed other;
	char used[CODE_TEXT_BYTES], code[CODE_TEXT_BYTES];

	assert_true(invite(governed, "person:ana", "new-one"));
	memcpy(used, governed->code, sizeof used);
	assert_true(enter(governed, used, governed_key(governed)));
	assert_true(invite(governed, "person:ana", "next-one"));
	memcpy(code, governed->code, sizeof code);
	for (size_t i = 0; i < governed->log.count; i++)
		assert_null(strstr(governed->log.entries[i].entry.data, code));
	governed_restart(governed, &other);
	assert_false(enter(&other, used, governed_key(&other)));
	assert_true(other.last.is_forbidden);
	assert_true(enter(&other, code, governed_key(&other)));
	assert_non_null(entry_of(&other, "next-one"));
	governed_deinit(&other);
}

int main(void)
{
#define INVITE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		INVITE_TEST(nobody_but_a_person_invites_and_only_a_new_name),
		INVITE_TEST(no_code_but_an_invitation_registers),
		INVITE_TEST(guesses_of_strangers_take_no_place_in_the_queue),
		INVITE_TEST(what_registers_is_a_draft_that_permits_nothing),
		INVITE_TEST(an_invitation_is_used_once_and_for_an_hour),
		INVITE_TEST(a_key_that_is_none_leaves_the_invitation),
		INVITE_TEST(a_name_that_is_taken_meanwhile_stays_who_it_is),
		INVITE_TEST(each_person_has_so_many_out_and_all_together),
		INVITE_TEST(the_code_is_in_no_record_and_the_invitation_outlives_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
