#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/cession.h"
#include "domain/charter/connector.h"
#include "services/registry/plan_cession.h"
#include "services/registry/registrar_private.h"
#include "support/governed.h"

/* adi and eva administer; cy has the word of sales, dan that of people, nobody that of legal.  The
 * tool crm/staff reads data of people and of legal on a server of sales. */

#define CRM(unit)                                                                                  \
	"object: server\nname: crm\nunit: " unit "\nenvironment: staging\n"                        \
	"transport: {stdio: [crm-server]}\n"
#define STAFF(reads)                                                                               \
	"object: tool\nname: crm/staff\neffect: read\n"                                            \
	"reads: [" reads "]\n"
#define BOTH "{data-source: staff}, {data-source: cases, when: 'context.args.all == true'}"
#define LAW(unit)                                                                                  \
	"object: server\nname: law\nunit: " unit "\nenvironment: staging\n"                        \
	"transport: {stdio: [law-server]}\n"

static const char estate[] =
	"object: unit\nname: people\n---\nobject: unit\nname: legal\n---\n"
	"object: person\nname: cy\nunit: sales\nroles: [owner]\n---\n"
	"object: person\nname: dan\nunit: support\n---\n"
	"object: data-source\nname: staff\nunit: people\ncustodian: dan\nenvironment: staging\n"
	"sensitivity: internal\n---\n"
	"object: data-source\nname: cases\nunit: legal\nenvironment: staging\n"
	"sensitivity: internal\n---\n" CRM("sales") "---\n" STAFF(BOTH) "---\n" LAW("legal");

static int set_up(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);

	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
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

static const struct registry_entry *find(
	const struct governed *governed, enum object_kind kind, const char *name)
{
	return registry_find(governed->registry, kind, text_of(name));
}

static const struct registry_entry *crm(const struct governed *governed)
{
	return find(governed, OBJECT_SERVER, "crm");
}

static const struct registry_entry *staff(const struct governed *governed)
{
	return find(governed, OBJECT_TOOL, "crm/staff");
}

static bool consent(struct governed *governed, const char *person, const struct registry_entry *to)
{
	struct text name = text_format(governed->arena, "%.*s", TEXT_ARGS(to->name));

	return governed_step_of(governed, person, REGISTRAR_CONSENT, to->kind, name.data);
}

static bool is_of(const struct registry_entry *server, const char *unit)
{
	return server->in_force != NULL && text_is(server->in_force->server->unit, unit);
}

/* ---- whom it leaves, and who has their word ---- */

static void leaves(struct governed *governed, const struct registry_entry *entry,
	const struct object *after, const char *expected)
{
	struct text units;
	struct error err = {0};

	assert_true(cession_units(
		&units, governed->arena, governed->registry, entry->in_force, after, &err));
	if (!text_is(units, expected))
		fail_msg("it leaves \"%.*s\", not \"%s\"", TEXT_ARGS(units), expected);
}

static void what_goes_leaves_each_unit_that_it_touched(void **state)
{
	struct governed *governed = *state;

	leaves(governed, crm(governed), NULL, "sales");
	leaves(governed, crm(governed), crm(governed)->in_force, "");
	leaves(governed, staff(governed), NULL, "legal people");
	leaves(governed, staff(governed), staff(governed)->in_force, "");
	leaves(governed, find(governed, OBJECT_TOOL, "files/write"), NULL, "");
	leaves(governed, find(governed, OBJECT_TOOL, "files/read"), NULL, "support");
}

static bool add_person(void *context, struct text person)
{
	struct text *found = context;

	*found = (struct text){found->data, found->length + person.length};
	return true;
}

static void a_unit_has_the_word_of_those_who_are_here(void **state)
{
	struct governed *governed = *state;
	struct error err = {0};
	struct custody custody = registrar_custody(governed->registrar, &err);
	struct text found = TEXT("");

	custody.actor = TEXT("person:eva");
	assert_false(custody_is_vacant(&custody, TEXT("sales")));
	assert_false(custody_is_vacant(&custody, TEXT("people")));
	assert_true(custody_is_vacant(&custody, TEXT("legal")));
	assert_false(custody_answers(&custody, TEXT("legal")));
	assert_true(custody_may_cede(&custody, TEXT("legal")));
	assert_false(custody_may_cede(&custody, TEXT("sales")));
	custody_each(&custody, TEXT("sales"), add_person, &found);
	assert_int_equal(found.length, sizeof "cy" - 1);
}

static void while_one_administers_alone_nothing_waits(void **state)
{
	struct governed *governed = *state;
	struct plan_cession asked = {.registry = governed->registry,
		.custodians = governed->registrar->custodians,
		.arena = governed->arena,
		.actor = TEXT("person:adi")};

	assert_true(plan_cession_waits(&asked, crm(governed), NULL));
	asked.is_founding = true;
	assert_false(plan_cession_waits(&asked, crm(governed), NULL));
}

/* ---- attacks ---- */

static void an_administrator_alone_takes_no_server_from_a_unit(void **state)
{
	static const char *const moved[] = {CRM("org"), CRM("support")};
	struct governed *governed = *state;

	for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++) {
		assert_true(governed_apply(governed, "adi", moved[i]));
		assert_true(is_of(crm(governed), "sales"));
		assert_int_equal(crm(governed)->waiting_state, IDENTITY_PROPOSED);
		assert_false(consent(governed, "adi", crm(governed)));
		assert_true(governed->last.is_forbidden);
		assert_false(consent(governed, "eva", crm(governed)));
		assert_false(consent(governed, "ana", crm(governed))); /* where it would be */
		assert_false(consent(governed, "uid:0", crm(governed)));
		assert_false(
			governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_SERVER, "crm"));
		assert_true(is_of(crm(governed), "sales"));
	}
}

static void an_administrator_alone_has_no_tool_read_less_of_a_unit(void **state)
{
	static const char *const less[] = {
		STAFF(""),
		STAFF("{data-source: tickets}"),
		STAFF("{data-source: staff}"),
		STAFF("{data-source: staff, when: 'context.args.all == true'}, "
		      "{data-source: cases, when: 'context.args.all == true'}"),
		STAFF("{data-source: staff, uri: 'no*'}, "
		      "{data-source: cases, when: 'context.args.all == true'}"),
		STAFF("{data-source: staff, prompt: 'no*'}, "
		      "{data-source: cases, when: 'context.args.all == true'}"),
		STAFF("{data-source: staff}, {data-source: cases, when: 'context.args.all == "
		      "false'}"),
	};
	struct governed *governed = *state;

	for (size_t i = 0; i < sizeof less / sizeof less[0]; i++) {
		assert_true(governed_apply(governed, "adi", less[i]));
		assert_int_equal(staff(governed)->in_force->tool->reads_count, 2);
		assert_int_equal(staff(governed)->waiting_state, IDENTITY_PROPOSED);
		assert_false(consent(governed, "adi", staff(governed)));
		assert_false(consent(governed, "cy", staff(governed))); /* the server's unit */
	}
}

/* All but the tool; and, if there is none, but its server. */
static bool prune(struct governed *governed, const char *server)
{
	struct text whole = text_format(governed->arena,
		"%s---\nobject: unit\nname: people\n---\nobject: unit\nname: legal\n---\n"
		"object: person\nname: adi\nunit: org\nroles: [administrator]\n---\n"
		"object: person\nname: cy\nunit: sales\nroles: [owner]\n---\n"
		"object: person\nname: dan\nunit: support\n---\n"
		"object: data-source\nname: staff\nunit: people\ncustodian: dan\n"
		"environment: staging\nsensitivity: internal\n---\n"
		"object: data-source\nname: cases\nunit: legal\nenvironment: staging\n"
		"sensitivity: internal\n---\n" LAW("legal") "%s",
		governed_world_yaml, server);

	return governed_run(
		governed, (struct registrar_request){.verb = REGISTRAR_APPLY,
				  .actor = TEXT("person:adi"),
				  .options = {.is_prune = true},
				  .sources = &(struct plan_source){TEXT("f.yaml"), whole},
				  .sources_count = 1});
}

/* What is taken out could be put in anew, as anything. */
static void nor_by_taking_it_out_first(void **state)
{
	struct governed *governed = *state;

	assert_true(prune(governed, "---\n" CRM("sales")));
	assert_true(staff(governed)->is_removal);
	assert_non_null(staff(governed)->in_force);
	assert_true(prune(governed, "---\n" CRM("sales"))); /* it waits already */
	assert_false(governed->last.is_changed);
	assert_false(prune(governed, "")); /* the tool is there, and names it */
	assert_true(consent(governed, "dan", staff(governed)));
	assert_non_null(staff(governed)->in_force);
	assert_true(consent(governed, "eva", staff(governed))); /* legal has nobody */
	assert_null(staff(governed)->in_force);
	assert_true(prune(governed, ""));
	assert_true(crm(governed)->is_removal);
	assert_true(is_of(crm(governed), "sales"));
	/* Nor does it go while something names it that came since. */
	assert_true(governed_apply(governed, "adi", STAFF("")));
	assert_false(consent(governed, "cy", crm(governed)));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(prune(governed, ""));
	assert_null(staff(governed)->in_force);
	assert_true(consent(governed, "cy", crm(governed)));
	assert_null(crm(governed)->in_force);
}

/* ---- connectors ---- */

#define FLOWS(unit)                                                                                \
	"object: connector\nname: flows\nunit: " unit "\nowner: cy\nprovider: n8n\n"               \
	"url: 'https://n8n.example'\ncredential: k\nmay: [read]\n"
#define CY(roles) "object: person\nname: cy\nunit: sales\nroles: [" roles "]\n"

static const struct registry_entry *flows(const struct governed *governed)
{
	return find(governed, OBJECT_CONNECTOR, "flows");
}

static bool is_flows_of(const struct governed *governed, const char *unit)
{
	const struct object *in_force = flows(governed)->in_force;

	return in_force != NULL && text_is(in_force->connector->unit, unit);
}

static bool approve_flows(struct governed *governed, const char *person)
{
	return governed_step_of(governed, person, REGISTRAR_APPROVE, OBJECT_CONNECTOR, "flows");
}

static void assert_left_unasked(struct governed *governed)
{
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_non_null(strstr(governed->last.err.text, "it leaves unit sales"));
	assert_true(is_flows_of(governed, "sales"));
}

/* Accounts that it knows would be claimed without the unit's word, and it be put back. */
static void two_administrators_take_no_connector_from_a_unit(void **state)
{
	static const char *const moved[] = {FLOWS("org"), FLOWS("support")};
	struct governed *governed = *state;

	assert_true(governed_apply_by_two(governed, "adi", FLOWS("sales")));
	for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++) {
		assert_true(governed_apply(governed, "adi", moved[i]));
		assert_false(approve_flows(governed, "eva"));
		assert_left_unasked(governed);
	}
	assert_true(prune(governed, "---\n" CRM("sales") "---\n" STAFF(BOTH)));
	assert_true(flows(governed)->is_removal);
	assert_false(approve_flows(governed, "eva"));
	assert_left_unasked(governed);
}

static void a_connector_leaves_with_the_word_of_its_unit(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply_by_two(governed, "adi", FLOWS("sales")));
	assert_true(governed_apply(governed, "adi", CY("owner, approver")));
	assert_true(governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_PERSON, "cy"));
	assert_true(governed_apply(governed, "adi", FLOWS("support")));
	assert_true(approve_flows(governed, "cy"));
	assert_true(is_flows_of(governed, "support"));
	/* Or where one who has it asked. */
	assert_true(governed_apply(governed, "adi", FLOWS("sales")));
	assert_false(approve_flows(governed, "eva")); /* ana has the word of support */
	assert_true(governed_apply(governed, "adi",
		"object: person\nname: ana\nunit: support\nroles: [owner, administrator]\n"));
	assert_true(governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_PERSON, "ana"));
	assert_true(governed_apply(governed, "ana", FLOWS("legal")));
	assert_true(approve_flows(governed, "eva"));
	/* Of a unit that nobody has the word of, and within one, two people are enough. */
	assert_true(governed_apply_by_two(governed, "adi", FLOWS("sales")));
	assert_true(is_flows_of(governed, "sales"));
	assert_true(governed_apply_by_two(governed, "adi", FLOWS("sales") "every: 2h\n"));
	assert_int_equal(flows(governed)->waiting_version, 0);
}

/* ---- how it is done ---- */

static void it_goes_when_its_unit_has_agreed(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", CRM("org")));
	assert_true(consent(governed, "cy", crm(governed)));
	assert_true(is_of(crm(governed), "org"));
	assert_null(crm(governed)->waiting);
	assert_int_equal(crm(governed)->more->waiting_consents.length, 0);
	/* From org it goes without anybody's. */
	assert_true(governed_apply(governed, "adi", CRM("support")));
	assert_true(is_of(crm(governed), "support"));
	assert_false(consent(governed, "ana", crm(governed)));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
}

static void each_unit_that_it_leaves_agrees(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", STAFF("")));
	assert_true(consent(governed, "dan", staff(governed)));
	assert_int_equal(staff(governed)->in_force->tool->reads_count, 2);
	assert_false(consent(governed, "dan", staff(governed)));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(consents_has(staff(governed)->more->waiting_consents, TEXT("people")));
	assert_true(consent(governed, "eva", staff(governed)));
	assert_int_equal(staff(governed)->in_force->tool->reads_count, 0);
}

/* A yes is to one version. */
static void another_wish_is_asked_about_anew(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", STAFF("")));
	assert_true(consent(governed, "dan", staff(governed)));
	assert_true(governed_apply(governed, "adi", STAFF("{data-source: tickets}")));
	assert_int_equal(staff(governed)->more->waiting_consents.length, 0);
	assert_true(consent(governed, "eva", staff(governed)));
	assert_int_equal(staff(governed)->in_force->tool->reads_count, 2);
}

static void where_nobody_answers_a_second_administrator_does(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *law = find(governed, OBJECT_SERVER, "law");

	assert_true(governed_apply(governed, "adi", LAW("org")));
	assert_true(is_of(law, "legal"));
	assert_false(consent(governed, "adi", law)); /* who asked for it */
	assert_false(consent(governed, "cy", law));
	assert_true(consent(governed, "eva", law));
	assert_true(is_of(law, "org"));
}

static void as_soon_as_somebody_answers_no_administrator_does(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *law = find(governed, OBJECT_SERVER, "law");

	assert_true(governed_apply(governed, "adi", LAW("org")));
	assert_true(governed_apply(
		governed, "adi", "object: person\nname: lia\nunit: legal\nroles: [owner]\n"));
	assert_true(governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_PERSON, "lia"));
	assert_false(consent(governed, "eva", law));
	assert_true(consent(governed, "lia", law));
	assert_true(is_of(law, "org"));
}

/* Who said yes for it must still have its word when the last one does. */
static void a_word_that_is_no_word_any_more_does_not_count(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", STAFF("")));
	assert_true(consent(governed, "eva", staff(governed)));
	assert_true(governed_apply(
		governed, "adi", "object: person\nname: lia\nunit: legal\nroles: [owner]\n"));
	assert_true(governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_PERSON, "lia"));
	assert_true(consent(governed, "dan", staff(governed)));
	assert_int_equal(staff(governed)->in_force->tool->reads_count, 2);
	assert_true(consent(governed, "lia", staff(governed)));
	assert_int_equal(staff(governed)->in_force->tool->reads_count, 0);
}

static void who_answers_for_the_unit_asks_nobody(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi",
		"object: person\nname: cy\nunit: sales\nroles: [owner, administrator]\n"));
	assert_true(governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_PERSON, "cy"));
	assert_true(governed_apply(governed, "cy", CRM("org")));
	assert_true(is_of(crm(governed), "org"));
}

static void reading_more_and_what_is_no_unit_s_wait_for_nobody(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi",
		STAFF("{data-source: cases}, {data-source: staff}, {data-source: tickets}")));
	assert_int_equal(staff(governed)->in_force->tool->reads_count, 3);
	assert_null(staff(governed)->waiting);
	assert_true(governed_apply(governed, "adi", CRM("sales") "schemes: [crm]\n"));
	assert_null(crm(governed)->waiting);
}

static void what_waits_is_turned_down_or_withdrawn(void **state)
{
	static const char *const may[] = {"cy", "adi", "eva"};
	struct governed *governed = *state;

	for (size_t i = 0; i < sizeof may / sizeof may[0]; i++) {
		assert_true(governed_apply(governed, "adi", CRM("org")));
		assert_false(
			governed_step_of(governed, "ana", REGISTRAR_REJECT, OBJECT_SERVER, "crm"));
		assert_true(
			governed_step_of(governed, may[i], REGISTRAR_REJECT, OBJECT_SERVER, "crm"));
		assert_null(crm(governed)->waiting);
		assert_true(is_of(crm(governed), "sales"));
	}
	/* Or by another version that leaves nobody. */
	assert_true(governed_apply(governed, "adi", CRM("org")));
	assert_true(governed_apply(governed, "adi", CRM("sales") "schemes: [crm]\n"));
	assert_null(crm(governed)->waiting);
}

/* Which units it leaves is asked when somebody agrees. */
static void data_that_moved_meanwhile_is_its_new_unit_s(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(
		governed, "adi", STAFF("{data-source: cases, when: 'context.args.all == true'}")));
	assert_true(governed_apply(governed, "dan",
		"object: data-source\nname: staff\nunit: sales\nenvironment: staging\n"
		"sensitivity: internal\n"));
	assert_false(consent(governed, "dan", staff(governed)));
	assert_true(consent(governed, "cy", staff(governed)));
	assert_int_equal(staff(governed)->in_force->tool->reads_count, 1);
}

/* What was asked for long ago is not what somebody means now. */
static void what_waits_is_too_old_after_thirty_days(void **state)
{
	static const int64_t lifetime_ms = (int64_t)PROPOSAL_LIFETIME_DAYS * 24 * 3600 * 1000;
	struct governed *governed = *state;
	int64_t proposed;

	assert_true(governed_apply(governed, "adi", CRM("org")));
	proposed = crm(governed)->more->proposed_utc_ms;
	assert_true(proposed > 0);
	assert_false(proposal_has_expired(crm(governed), proposed + lifetime_ms - 1));
	governed->log.now_utc_ms = proposed + lifetime_ms;
	assert_false(consent(governed, "cy", crm(governed)));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(is_of(crm(governed), "sales"));
	/* The same asked for again waits anew. */
	assert_true(governed_apply(governed, "adi", CRM("org")));
	assert_true(governed->last.is_changed);
	assert_true(consent(governed, "cy", crm(governed)));
	assert_true(is_of(crm(governed), "org"));
	/* And so does what is to go. */
	assert_true(prune(governed, "---\n" CRM("org")));
	assert_true(staff(governed)->is_removal);
	governed->log.now_utc_ms += lifetime_ms;
	assert_false(consent(governed, "dan", staff(governed)));
	assert_true(prune(governed, "---\n" CRM("org")));
	assert_true(governed->last.is_changed);
	assert_true(consent(governed, "dan", staff(governed)));
	assert_false(consent(governed, "dan", staff(governed)));
	/* Also where one of its units said yes in time. */
	governed->log.now_utc_ms += lifetime_ms;
	assert_false(consent(governed, "eva", staff(governed)));
	assert_non_null(staff(governed)->in_force);
	assert_true(governed_step_of(governed, "adi", REGISTRAR_REJECT, OBJECT_TOOL, "crm/staff"));
}

static void what_waits_is_there_after_a_start(void **state)
{
	struct governed *governed = *state;
	struct governed again;

	assert_true(governed_apply(governed, "adi", STAFF("")));
	assert_true(governed_apply(governed, "adi", CRM("org")));
	assert_true(consent(governed, "dan", staff(governed)));
	governed_restart(governed, &again);
	assert_true(text_equal(
		governed_dump(governed, governed->arena), governed_dump(&again, again.arena)));
	assert_true(is_of(crm(&again), "sales"));
	assert_true(consent(&again, "eva", staff(&again)));
	assert_int_equal(staff(&again)->in_force->tool->reads_count, 0);
	assert_true(consent(&again, "cy", crm(&again)));
	governed_deinit(&again);
}

static void a_plan_says_what_waits_and_who_may(void **state)
{
	struct governed *governed = *state;
	const struct plan_change *change;

	assert_true(governed_enrol(governed, "adi", "cy"));
	assert_true(governed_apply(governed, "adi", CRM("org")));
	change = &governed->last.plan->changes[0];
	assert_true(change->needs_approval);
	assert_int_equal(change->approvers_count, 1);
	assert_true(text_is(change->approvers[0], "cy"));
	assert_true(governed_apply(governed, "adi", LAW("org")));
	change = &governed->last.plan->changes[0];
	assert_int_equal(change->approvers_count, 1);
	assert_true(text_is(change->approvers[0], "eva"));
	/* As it stands it changes nothing, and as it waits neither. */
	assert_true(governed_apply(governed, "adi", CRM("org")));
	assert_false(governed->last.is_changed);
	assert_int_equal(governed->last.plan->waiting_count, 1);
	assert_true(governed_apply(governed, "adi", CRM("sales")));
	assert_false(governed->last.is_changed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_goes_leaves_each_unit_that_it_touched),
		TEST(a_unit_has_the_word_of_those_who_are_here),
		TEST(while_one_administers_alone_nothing_waits),
		TEST(an_administrator_alone_takes_no_server_from_a_unit),
		TEST(an_administrator_alone_has_no_tool_read_less_of_a_unit),
		TEST(nor_by_taking_it_out_first),
		TEST(two_administrators_take_no_connector_from_a_unit),
		TEST(a_connector_leaves_with_the_word_of_its_unit),
		TEST(it_goes_when_its_unit_has_agreed),
		TEST(each_unit_that_it_leaves_agrees),
		TEST(another_wish_is_asked_about_anew),
		TEST(where_nobody_answers_a_second_administrator_does),
		TEST(as_soon_as_somebody_answers_no_administrator_does),
		TEST(a_word_that_is_no_word_any_more_does_not_count),
		TEST(who_answers_for_the_unit_asks_nobody),
		TEST(reading_more_and_what_is_no_unit_s_wait_for_nobody),
		TEST(what_waits_is_turned_down_or_withdrawn),
		TEST(data_that_moved_meanwhile_is_its_new_unit_s),
		TEST(what_waits_is_too_old_after_thirty_days),
		TEST(what_waits_is_there_after_a_start),
		TEST(a_plan_says_what_waits_and_who_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
