#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/consents.h"
#include "services/registry/registrar_private.h"
#include "support/governed.h"

/* ana and bo are of support; cy has the word of sales, sam is of sales and nothing more, dan has
 * the word of people and is of support; nobody has that of legal.  ann approves for org. */

static const char estate[] =
	"object: unit\nname: people\n---\nobject: unit\nname: legal\n---\n"
	"object: person\nname: cy\nunit: sales\nroles: [owner]\n---\n"
	"object: person\nname: sam\nunit: sales\n---\n"
	"object: person\nname: sue\nunit: sales\nroles: [approver]\n---\n"
	"object: person\nname: dan\nunit: support\n---\n"
	"object: person\nname: ann\nunit: org\nroles: [approver]\n---\n"
	"object: data-source\nname: staff\nunit: people\ncustodian: dan\nenvironment: staging\n"
	"sensitivity: internal\n---\n"
	"object: data-source\nname: deals\nunit: sales\nenvironment: staging\n"
	"sensitivity: internal\n---\n"
	"object: server\nname: crm\nunit: sales\nenvironment: staging\n"
	"transport: {stdio: [crm-server]}\n---\n"
	"object: tool\nname: crm/get\neffect: read\nreads: [{data-source: deals}]\n";

static int set_up(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);

	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	assert_true(governed_apply(governed, "adi", estate));
	*state = governed;
	return 0;
}

static int tear_down(void **state)
{
	governed_deinit(*state);
	free(*state);
	return 0;
}

#define HEAD(unit, backup)                                                                         \
	"object: identity\nname: ghost\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"     \
	"backup-owner: " backup "\nunit: " unit "\npurpose: Looks things up\n"                     \
	"environments: [staging]\n"
#define DEALS                                                                                      \
	"data-sources: [{name: deals, up-to: internal}]\n"                                         \
	"entitlements: [{effect: read, tool: crm/get}]\n"

#define DESK(unit)                                                                                 \
	"object: server\nname: desk\nunit: " unit "\nenvironment: staging\n"                       \
	"transport: {stdio: [desk-server]}\n---\nobject: tool\nname: desk/get\neffect: read\n"

static const struct registry_entry *ghost(const struct governed *governed)
{
	return registry_find(governed->registry, OBJECT_IDENTITY, TEXT("ghost"));
}

static bool step(struct governed *governed, const char *person, enum registrar_verb verb)
{
	return governed_step(governed, person, verb, "ghost");
}

static bool is_in_force_in(const struct governed *governed, const char *unit)
{
	const struct object *in_force = ghost(governed)->in_force;

	return in_force != NULL && text_is(charter_of(in_force)->unit, unit);
}

static void assert_refused(struct governed *governed, const char *unit)
{
	struct text said = text_format(governed->arena, "comes into unit %s", unit);

	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_non_null(strstr(governed->last.err.text, said.data));
	assert_non_null(strstr(governed->last.err.text, "remit identity consent ghost"));
}

/* ---- attacks ---- */

/* Its lines on what is the unit's ask nobody, as it says that it is of the unit. */
static void two_of_another_unit_bring_no_charter_into_it(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo") DEALS));
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_refused(governed, "sales");
	assert_null(ghost(governed)->in_force);
	assert_false(step(governed, "bo", REGISTRAR_CONSENT)); /* an approver, of another unit */
	assert_true(governed->last.is_forbidden);
	assert_false(step(governed, "ana", REGISTRAR_CONSENT));
	assert_false(step(governed, "eva", REGISTRAR_CONSENT)); /* an administrator */
	assert_false(step(governed, "dan", REGISTRAR_CONSENT)); /* of another unit's data */
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
}

static void nor_in_two_small_steps(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "ana", HEAD("support", "bo")));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo")));
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_refused(governed, "sales");
	assert_true(is_in_force_in(governed, "support"));
	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo") DEALS));
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(is_in_force_in(governed, "support"));
}

/* org's approver approves for every unit, and has the word of none. */
static void nor_with_an_approver_of_the_organisation(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo") DEALS));
	assert_false(step(governed, "ann", REGISTRAR_APPROVE));
	assert_refused(governed, "sales");
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step(governed, "ann", REGISTRAR_APPROVE));
}

/* ---- who brings it in ---- */

static void somebody_of_the_unit_writes_it_or_approves_it(void **state)
{
	struct governed *governed = *state;

	/* Who wrote it, as the backup owner that it names. */
	assert_true(governed_apply(governed, "sam", HEAD("sales", "sam") DEALS));
	assert_true(step(governed, "ana", REGISTRAR_APPROVE));
	assert_true(is_in_force_in(governed, "sales"));
	assert_int_equal(ghost(governed)->more->consents.length, 0);
	/* Within the unit nobody new is asked, whoever writes. */
	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo") DEALS));
	assert_true(step(governed, "sam", REGISTRAR_APPROVE));
	assert_true(
		governed_apply(governed, "ana", HEAD("sales", "bo") DEALS "expires: 2030-01-01\n"));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	/* Out of it, and in again by who approves for it. */
	assert_true(governed_apply(governed, "ana", HEAD("support", "bo")));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "ana", HEAD("sales", "sam") DEALS));
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "ana", HEAD("support", "sam")));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "ana", HEAD("sales", "sam") DEALS));
	assert_true(step(governed, "sam", REGISTRAR_APPROVE));
	assert_true(is_in_force_in(governed, "sales"));
}

/* A custodian of the unit's data, wherever they are. */
static void whoever_has_its_word_writes_it_or_approves_it(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "dan", HEAD("people", "dan")));
	assert_true(step(governed, "ana", REGISTRAR_APPROVE));
	assert_true(is_in_force_in(governed, "people"));
}

static void a_unit_that_nobody_has_the_word_of_asks_nobody(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "ana", HEAD("legal", "bo")));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(is_in_force_in(governed, "legal"));
	assert_true(governed_apply(governed, "ana", HEAD("org", "bo")));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(is_in_force_in(governed, "org"));
}

/* ---- the unit's word ---- */

static void with_the_unit_s_word_it_comes_in(void **state)
{
	struct governed *governed = *state;
	struct consent_given given;

	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo") DEALS));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_false(step(governed, "cy", REGISTRAR_CONSENT)); /* once is enough */
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(consents_find(ghost(governed)->more->waiting_consents, TEXT("sales"), &given));
	assert_true(text_is(given.by, "person:cy"));
	assert_true(half_lines_has(&given.lines, HALF_DATA_SOURCES, 0));
	assert_true(half_lines_has(&given.lines, HALF_ENTITLEMENTS, 0));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(is_in_force_in(governed, "sales"));
}

/* Without a line on anything of the unit's it is the unit's all the same. */
static void it_is_asked_also_where_no_line_touches_it(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo")));
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_refused(governed, "sales");
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_false(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
}

static void the_word_is_to_one_version_and_to_the_lines_that_were_seen(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo")));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo") DEALS));
	assert_int_equal(ghost(governed)->more->waiting_consents.length, 0);
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_refused(governed, "sales");
	/* What moves into the unit after its word makes another half of it. */
	assert_true(governed_apply(governed, "adi", DESK("org")));
	assert_true(governed_apply(governed, "ana",
		HEAD("sales", "bo") "entitlements: [{effect: read, tool: desk/get}]\n"));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(governed_apply(governed, "adi", DESK("sales")));
	assert_false(step(governed, "bo", REGISTRAR_APPROVE));
	assert_non_null(strstr(governed->last.err.text, "other lines"));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
}

static void it_outlasts_a_restart(void **state)
{
	struct governed *governed = *state;
	struct governed *other = calloc(1, sizeof *other);

	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo") DEALS));
	governed_restart(governed, other);
	assert_false(step(other, "bo", REGISTRAR_APPROVE));
	assert_refused(other, "sales");
	governed_deinit(other);
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	governed_restart(governed, other);
	assert_true(step(other, "bo", REGISTRAR_APPROVE));
	assert_true(is_in_force_in(other, "sales"));
	governed_deinit(other);
	free(other);
}

/* ---- what is told ---- */

static struct text told(struct governed *governed, const char *unit)
{
	const struct registrar_crossings_query asked = {
		.unit = text_of(unit), .which = CROSSINGS_WAITING, .has_lines = true, .count = 10};
	struct json list;
	struct text next;
	struct error err = {0};

	assert_true(registrar_crossings(
		governed->registrar, &asked, governed->arena, &list, &next, &err));
	return json_canonical_text(governed->arena, &list);
}

static void the_unit_is_told_what_would_come_into_it(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "ana", HEAD("sales", "bo") DEALS));
	assert_non_null(strstr(told(governed, "sales").data, "\"state\":\"missing\""));
	assert_non_null(strstr(told(governed, "sales").data, "\"tool\":\"crm/get\""));
	assert_true(step(governed, "cy", REGISTRAR_CONSENT));
	assert_non_null(strstr(told(governed, "sales").data, "\"state\":\"agreed\""));
	/* Nor is it asked about what its own people write. */
	assert_true(governed_apply(governed, "ana", HEAD("support", "sam")));
	assert_true(step(governed, "bo", REGISTRAR_APPROVE));
	assert_true(governed_apply(governed, "sam", HEAD("sales", "sam") DEALS));
	assert_string_equal(told(governed, "sales").data, "[]");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			two_of_another_unit_bring_no_charter_into_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nor_in_two_small_steps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			nor_with_an_approver_of_the_organisation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			somebody_of_the_unit_writes_it_or_approves_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			whoever_has_its_word_writes_it_or_approves_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_unit_that_nobody_has_the_word_of_asks_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			with_the_unit_s_word_it_comes_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			it_is_asked_also_where_no_line_touches_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_word_is_to_one_version_and_to_the_lines_that_were_seen, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(it_outlasts_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_unit_is_told_what_would_come_into_it, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("enter", tests, NULL, NULL);
}
