#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/registry/custodians.h"
#include "services/registry/custody.h"
#include "services/registry/registrar_private.h"
#include "support/governed.h"

/* adi and eva administer; cy has the word of sales as its owner, dan that of people as a custodian,
 * nobody that of legal, which has a server.  sock is somebody whom an administrator registered. */

static const char estate[] =
	"object: unit\nname: people\n---\nobject: unit\nname: legal\n---\n"
	"object: person\nname: cy\nunit: sales\nroles: [owner]\n---\n"
	"object: person\nname: dan\nunit: support\n---\n"
	"object: person\nname: sock\nunit: support\n---\n"
	"object: data-source\nname: staff\nunit: people\ncustodian: dan\nenvironment: staging\n"
	"sensitivity: internal\n---\n"
	"object: server\nname: crm\nunit: sales\nenvironment: staging\n"
	"transport: {stdio: [crm-server]}\n---\n"
	"object: tool\nname: crm/get\neffect: read\n";

static const char reaches_crm[] =
	"object: identity\nname: a2\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Looks up deals\nenvironments: [staging]\n"
	"entitlements: [{effect: read, tool: crm/get}]\n";

#define DATA_MORE(name, unit, custodian, more)                                                     \
	"object: data-source\nname: " name "\nunit: " unit "\ncustodian: " custodian               \
	"\nenvironment: staging\n" more
#define DATA(name, unit, custodian) DATA_MORE(name, unit, custodian, "sensitivity: internal\n")

static int set_up(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);

	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_true(governed_apply(governed, "adi", estate));
	assert_true(governed_enrol(governed, "adi", "eva"));
	*state = governed;
	return 0;
}

static int tear_down(void **state)
{
	governed_deinit(*state);
	free(*state);
	return 0;
}

static const struct registry_entry *source(const struct governed *governed, const char *name)
{
	return registry_find(governed->registry, OBJECT_DATA_SOURCE, text_of(name));
}

static bool has_say(const struct governed *governed, const char *name)
{
	return registry_custodian(source(governed, name)).length > 0;
}

static bool agree(struct governed *governed, const char *person, const char *name)
{
	return governed_step_of(governed, person, REGISTRAR_CONSENT, OBJECT_DATA_SOURCE, name);
}

static bool speaks_for_sales(struct governed *governed, const char *person)
{
	return governed_step(governed, person, REGISTRAR_CONSENT, "a2");
}

static bool answers(struct governed *governed, const char *person, const char *unit)
{
	struct error unused;
	struct custody custody = registrar_custody(governed->registrar, &unused);

	custody.actor = text_format(governed->arena, "person:%s", person);
	return custody_answers(&custody, text_of(unit));
}

static void nobody_gives_a_unit_s_word_by_data_that_they_put_there(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", reaches_crm));
	assert_false(governed_apply(governed, "dan", DATA("decoy", "sales", "dan")));
	assert_true(governed->last.is_forbidden);
	assert_true(governed_apply(governed, "eva", DATA("decoy", "sales", "sock")));
	assert_true(governed_apply(governed, "eva", DATA("own", "sales", "eva")));
	assert_non_null(source(governed, "decoy")->in_force);
	assert_false(speaks_for_sales(governed, "sock"));
	assert_true(governed->last.is_forbidden);
	assert_false(speaks_for_sales(governed, "eva"));
	assert_false(agree(governed, "sock", "decoy"));
	assert_false(agree(governed, "eva", "decoy"));
	assert_false(agree(governed, "adi", "decoy")); /* no administrator stands in */
	assert_true(agree(governed, "cy", "decoy"));
	assert_true(has_say(governed, "decoy"));
	assert_true(speaks_for_sales(governed, "sock"));
	assert_false(has_say(governed, "own"));
	assert_true(agree(governed, "sock", "own")); /* who has the word by now */
	assert_false(agree(governed, "sock", "own"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
}

static void who_has_the_word_names_whom_they_like(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "cy", DATA("deals", "sales", "sock")));
	assert_true(has_say(governed, "deals"));
	/* And whoever has it anyhow asks nobody. */
	assert_true(governed_apply(governed, "eva", DATA("leads", "sales", "sock")));
	assert_true(has_say(governed, "leads"));
	assert_true(governed_apply(governed, "eva", DATA("visits", "sales", "cy")));
	assert_true(has_say(governed, "visits"));
}

/* data-owner/org is an approval like that of any unit. */
static void nobody_answers_for_data_of_org_by_one_administrator(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "eva", DATA("shared", "org", "sock")));
	assert_false(answers(governed, "sock", "org"));
	assert_true(agree(governed, "adi", "shared"));
	assert_true(answers(governed, "sock", "org"));
}

/* What comes from a unit with its word is not one administrator's to open. */
static void what_moved_is_not_opened_by_one_administrator(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "dan", DATA("staff", "sales", "dan")));
	assert_false(governed_apply(
		governed, "eva", DATA_MORE("staff", "sales", "dan", "sensitivity: public\n")));
	assert_true(governed->last.is_forbidden);
	assert_false(governed_apply(governed, "eva", DATA("staff", "org", "dan")));
	assert_false(governed_apply(governed, "eva", DATA("staff", "sales", "sock")));
	/* Who moved it may take it back; the unit is asked, as it has lost its last custodian. */
	assert_true(governed_apply(governed, "dan", DATA("staff", "people", "dan")));
	assert_false(answers(governed, "dan", "people"));
}

static void of_a_unit_that_nobody_answers_for_another_administrator_agrees(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "eva", DATA("cases", "legal", "sock")));
	assert_false(answers(governed, "sock", "legal"));
	assert_false(agree(governed, "eva", "cases")); /* who named them */
	assert_true(governed->last.is_forbidden);
	assert_false(agree(governed, "sock", "cases"));
	assert_false(agree(governed, "dan", "cases"));
	assert_true(agree(governed, "adi", "cases"));
	assert_true(answers(governed, "sock", "legal"));
}

static void data_that_move_give_no_word_where_they_come(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "dan", DATA("staff", "sales", "dan")));
	assert_false(has_say(governed, "staff"));
	assert_false(answers(governed, "dan", "sales"));
	assert_false(answers(governed, "dan", "people")); /* they left it */
	assert_true(agree(governed, "cy", "staff"));
	assert_true(answers(governed, "dan", "sales"));
}

static void what_is_asked_about_stays_so_in_the_next_version(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "eva", DATA("decoy", "sales", "sock")));
	assert_true(governed_apply(governed, "adi",
		DATA_MORE("decoy", "sales", "sock", "sensitivity: confidential\n")));
	assert_true(text_is(source(governed, "decoy")->more->named_by, "person:eva"));
	/* As what is new it is still theirs who named them. */
	assert_false(governed_apply(governed, "adi", DATA("decoy", "sales", "sock")));
	assert_true(governed->last.is_forbidden);
	assert_false(governed_apply(governed, "adi", DATA("decoy", "sales", "dan")));
	assert_true(governed_apply(governed, "eva", DATA("decoy", "sales", "sock")));
	assert_true(governed_apply(governed, "eva", DATA("decoy", "sales", "dan")));
	assert_true(text_is(source(governed, "decoy")->more->named_by, "person:eva"));
	assert_true(agree(governed, "cy", "decoy"));
	assert_true(governed_apply(governed, "adi",
		DATA_MORE("decoy", "sales", "dan", "sensitivity: confidential\n")));
	assert_true(has_say(governed, "decoy"));
	assert_false(governed_apply(governed, "adi", DATA("decoy", "sales", "dan")));
	assert_true(governed->last.is_forbidden); /* data of the unit, by now */
	assert_false(governed_apply(governed, "adi", DATA("decoy", "sales", "sock")));
}

static void what_a_plan_says_of_it(void **state)
{
	struct governed *governed = *state;
	const struct plan *plan;
	struct registrar_request request = {.verb = REGISTRAR_APPLY,
		.actor = TEXT("person:eva"),
		.is_check = true,
		.sources = (struct plan_source[]){{TEXT("f"), TEXT(DATA("a", "sales", "sock"))},
			{TEXT("g"), TEXT(DATA("b", "legal", "sock"))},
			{TEXT("h"), TEXT(DATA("c", "sales", "cy"))}},
		.sources_count = 3};

	assert_true(governed_run(governed, request));
	plan = governed->last.plan;
	assert_int_equal(plan->notes_count, 2);
	assert_non_null(strstr(plan->notes[0].text.data, "an owner in it"));
	assert_non_null(strstr(plan->notes[0].text.data, "remit data-source consent a"));
	assert_non_null(strstr(plan->notes[1].text.data, "another administrator consents"));
}

static void it_is_listed_for_its_unit_until_somebody_agreed(void **state)
{
	struct governed *governed = *state;
	struct registrar_crossings_query asked = {
		.unit = TEXT("sales"), .which = CROSSINGS_WAITING, .count = 10};
	struct error err;
	struct text next;
	struct json items;

	assert_true(governed_apply(governed, "eva", DATA("decoy", "sales", "sock")));
	assert_true(governed_apply(governed, "eva", DATA("cases", "legal", "sock")));
	assert_true(registrar_crossings(
		governed->registrar, &asked, governed->arena, &items, &next, &err));
	assert_int_equal(items.count, 1);
	assert_true(text_is(json_text_or(&items.items[0], "name", ""), "decoy"));
	assert_true(text_is(json_text_or(&items.items[0], "custodian", ""), "sock"));
	assert_true(text_is(json_text_or(&items.items[0], "named_by", ""), "person:eva"));
	assert_true(agree(governed, "cy", "decoy"));
	assert_true(registrar_crossings(
		governed->registrar, &asked, governed->arena, &items, &next, &err));
	assert_int_equal(items.count, 0);
}

static void it_is_as_it_was_after_a_restart(void **state)
{
	struct governed *governed = *state;
	struct governed *other = calloc(1, sizeof *other);

	assert_true(governed_apply(governed, "eva", DATA("decoy", "sales", "sock")));
	assert_true(governed_apply(governed, "eva", DATA("leads", "sales", "dan")));
	assert_true(agree(governed, "cy", "leads"));
	governed_restart(governed, other);
	assert_true(fold_finish_loading(other->fold, &(struct error){0}));
	assert_false(has_say(other, "decoy"));
	assert_true(has_say(other, "leads"));
	assert_true(text_equal(
		governed_dump(governed, governed->arena), governed_dump(other, governed->arena)));
	governed_deinit(other);
	free(other);
}

/* Whoever is custodian of data of org moves them themselves:
 * then it was they who named, and not the administrator who agrees. */
static void an_administrator_and_whom_they_registered_do_not_take_a_unit(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "eva", DATA("shared", "org", "sock")));
	assert_true(agree(governed, "adi", "shared"));
	if (governed_apply(governed, "sock", DATA("shared", "legal", "sock")))
		(void)agree(governed, "eva", "shared");
	assert_false(answers(governed, "sock", "legal"));
	assert_false(agree(governed, "eva", "shared")); /* who is the one of two by now */
	assert_true(agree(governed, "adi", "shared"));
	assert_true(answers(governed, "sock", "legal"));
}

static void nor_a_unit_whose_owner_they_took_the_role_from(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", reaches_crm));
	assert_true(governed_apply(governed, "eva", DATA("shared", "org", "sock")));
	assert_true(agree(governed, "adi", "shared"));
	assert_true(governed_apply(governed, "eva", "object: person\nname: cy\nunit: sales\n"));
	if (governed_apply(governed, "sock", DATA("shared", "sales", "sock")))
		(void)agree(governed, "eva", "shared");
	assert_false(speaks_for_sales(governed, "sock"));
}

/* As above, where the puppet has the word of another unit by two administrators. */
static void nor_by_somebody_whom_another_unit_has(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(
		governed, "eva", "object: unit\nname: lab\n---\n" DATA("trials", "lab", "sock")));
	assert_true(agree(governed, "adi", "trials"));
	if (governed_apply(governed, "sock", DATA("trials", "legal", "sock")))
		(void)agree(governed, "eva", "trials");
	assert_false(answers(governed, "sock", "legal"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_gives_a_unit_s_word_by_data_that_they_put_there),
		TEST(who_has_the_word_names_whom_they_like),
		TEST(nobody_answers_for_data_of_org_by_one_administrator),
		TEST(what_moved_is_not_opened_by_one_administrator),
		TEST(of_a_unit_that_nobody_answers_for_another_administrator_agrees),
		TEST(data_that_move_give_no_word_where_they_come),
		TEST(what_is_asked_about_stays_so_in_the_next_version),
		TEST(what_a_plan_says_of_it),
		TEST(it_is_listed_for_its_unit_until_somebody_agreed),
		TEST(it_is_as_it_was_after_a_restart),
		TEST(an_administrator_and_whom_they_registered_do_not_take_a_unit),
		TEST(nor_a_unit_whose_owner_they_took_the_role_from),
		TEST(nor_by_somebody_whom_another_unit_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
