#include "domain/people/people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "remit/cedar.h"
#include "support/seeded.h"

enum { ROLES = 6 };

/* Facts about who asks, as bits. */
enum fact {
	ADMINISTRATOR = 1,
	SECURITY = 2,
	APPROVER = 4,
	REVIEWER = 8,
	AUDITOR = 16,
	OWNER_ROLE = 32, /* the role: of the data of its unit */
	FACTS_OF_ROLES = 64,
	NEAR = 64,   /* of its unit */
	ORG = 128,   /* of the organisation's own unit */
	OWNER = 256, /* its owner or backup owner */
	CUSTODIAN = 512,
	PROPOSER = 1024,
	SELF = 2048,
	FACTS_COUNT = 4096,
};

static const char *const role_words[ROLES] = {
	"administrator", "security", "approver", "reviewer", "auditor", "owner"};

struct fixture {
	struct people *people;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct error err;

	assert_true(people_create(&fixture.people, &err));
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	people_destroy(&fixture->people);
	return 0;
}

/* The table of docs/charters.md a second time, and in another shape: by what one is. */
static bool expected(enum people_action action, enum people_about about, enum object_kind kind,
	enum risk_tier risk, unsigned facts)
{
	bool is_identity = about == PEOPLE_ABOUT_OBJECT && kind == OBJECT_IDENTITY;
	bool is_shared =
		about == PEOPLE_ABOUT_OBJECT &&
		(kind == OBJECT_POLICY || kind == OBJECT_APPLICATION || kind == OBJECT_ISSUER ||
			kind == OBJECT_CONNECTOR || kind == OBJECT_UNIT);
	bool is_person = about == PEOPLE_ABOUT_OBJECT && kind == OBJECT_PERSON;
	bool is_unit = is_shared && kind == OBJECT_UNIT;
	bool is_near = (facts & (NEAR | ORG)) != 0;
	bool administers = (facts & ADMINISTRATOR) != 0;
	bool approves = (facts & APPROVER) != 0 && is_near;
	bool reviews = (facts & REVIEWER) != 0 && is_near;
	bool owns = (facts & OWNER) != 0 && is_identity;
	bool keeps_data =
		about == PEOPLE_ABOUT_OBJECT && kind == OBJECT_DATA_SOURCE &&
		((facts & CUSTODIAN) != 0 || ((facts & OWNER_ROLE) != 0 && (facts & NEAR) != 0));
	bool proposed = (facts & PROPOSER) != 0;

	if (about == PEOPLE_ABOUT_INSTALLATION)
		return action == PEOPLE_ADMINISTER && administers && !proposed;
	if (about == PEOPLE_ABOUT_FINDING) {
		if (action == PEOPLE_CLOSE)
			return (administers || reviews || (facts & SECURITY) != 0) && !proposed;
		return action == PEOPLE_REPORT &&
		       (facts & (ADMINISTRATOR | SECURITY | REVIEWER | AUDITOR | CUSTODIAN)) != 0;
	}
	switch (action) {
	case PEOPLE_SIGN_IN: return is_person && (facts & SELF) != 0;
	case PEOPLE_WRITE: return administers || owns || keeps_data;
	case PEOPLE_OPEN: return keeps_data;
	case PEOPLE_CONSENT: return (keeps_data || (is_person && (facts & SELF) != 0)) && !proposed;
	case PEOPLE_PROPOSE: return is_identity && proposed;
	case PEOPLE_APPROVE:
		if (proposed || (is_person && (facts & SELF) != 0))
			return false;
		return is_identity ? owns || approves
				   : (is_shared && (approves || administers)) ||
					     (is_person && administers);
	case PEOPLE_REJECT:
		return owns || (approves && (is_identity || is_shared)) ||
		       ((proposed || administers) &&
			       (is_identity || is_shared || is_person || object_is_ceded(kind)));
	case PEOPLE_SUSPEND:
	case PEOPLE_KILL:
		return (is_identity ||
			       (action == PEOPLE_KILL && is_shared && kind == OBJECT_UNIT)) &&
		       (owns || approves || reviews || administers || (facts & SECURITY) != 0);
	case PEOPLE_REACTIVATE: return is_identity && (owns || approves || administers);
	case PEOPLE_ACKNOWLEDGE: return is_identity && (owns || approves);
	case PEOPLE_RETIRE: return is_identity && (owns || administers);
	case PEOPLE_ACCEPT:
		if (!is_identity || proposed || risk == RISK_NONE)
			return false;
		if (risk == RISK_CRITICAL)
			return approves || (facts & SECURITY) != 0;
		return approves ||
		       (risk != RISK_HIGH && (facts & OWNER_ROLE) != 0 && (facts & NEAR) != 0);
	case PEOPLE_LOOK: return is_identity && !owns && (approves || reviews);
	case PEOPLE_REVIEW:
		return is_identity ? owns || reviews
				   : is_unit && (facts & OWNER_ROLE) != 0 && (facts & NEAR) != 0;
	case PEOPLE_START_REVIEW:
		return is_unit && (approves || reviews || administers || (facts & SECURITY) != 0);
	case PEOPLE_NONE:
	case PEOPLE_CLOSE:
	case PEOPLE_REPORT:
	case PEOPLE_ADMINISTER:
	case PEOPLE_ACTION_COUNT: break;
	}
	return false;
}

struct thing {
	enum people_about about;
	enum object_kind kind;
	enum risk_tier risk;
};

static void ask(const struct people *people, const struct thing *thing, unsigned facts)
{
	enum people_about about = thing->about;
	enum object_kind kind = thing->kind;
	struct text roles[ROLES];
	struct person person = {.name = TEXT("ana"), .unit = TEXT("far"), .roles = roles};
	struct people_actor actor = {TEXT("person:ana"), &person};
	const struct person other = {.name = TEXT("thing"), .unit = TEXT("support")};
	struct people_resource resource = {.about = about,
		.kind = about == PEOPLE_ABOUT_OBJECT ? kind : OBJECT_NONE,
		.name = (facts & SELF) != 0 ? TEXT("ana") : TEXT("thing"),
		.unit = TEXT("support"),
		.risk = thing->risk,
		.owner = (facts & OWNER) != 0 ? TEXT("ana") : TEXT("bo"),
		.backup_owner = TEXT("cy"),
		.proposer = (facts & PROPOSER) != 0 ? TEXT("person:ana") : TEXT("person:dee"),
		.custodian = (facts & CUSTODIAN) != 0 ? TEXT("ana") : TEXT("cy")};

	if (about == PEOPLE_ABOUT_OBJECT && kind != OBJECT_DATA_SOURCE)
		resource.custodian = (struct text){NULL, 0};
	if (about == PEOPLE_ABOUT_OBJECT && kind == OBJECT_PERSON)
		resource.person = (facts & SELF) != 0 ? &person : &other;
	if ((facts & (NEAR | ORG)) != 0)
		person.unit = (facts & NEAR) != 0 ? TEXT("support") : TEXT("org");
	for (unsigned i = 0; i < ROLES; i++)
		if ((facts & (1u << i)) != 0)
			roles[person.roles_count++] = text_of(role_words[i]);
	for (unsigned action = PEOPLE_NONE; action < PEOPLE_ACTION_COUNT; action++) {
		struct error err = {0};
		bool want = expected(action, about, kind, thing->risk, facts);

		assert_int_equal(people_may(people, &actor, action, &resource, &err), want);
		if (!want)
			assert_ptr_equal(strstr(err.text, "forbidden: "), err.text);
	}
}

static void each_action_of_each_person_on_each_thing_is_as_documented(void **state)
{
	const struct fixture *fixture = *state;

	uint64_t at = place_of_run() - 1;

	assert_true(at < FACTS_COUNT);
	for (; at < FACTS_COUNT; at += share_given()) {
		unsigned facts = (unsigned)at;

		/* Whose unit it is, one at a time. */
		if ((facts & (NEAR | ORG)) == (NEAR | ORG))
			continue;
		for (unsigned kind = OBJECT_IDENTITY; kind < OBJECT_KIND_COUNT; kind++)
			ask(fixture->people, &(struct thing){PEOPLE_ABOUT_OBJECT, kind, RISK_NONE},
				facts);
		for (unsigned risk = RISK_LOW; risk <= RISK_CRITICAL; risk++)
			ask(fixture->people,
				&(struct thing){PEOPLE_ABOUT_OBJECT, OBJECT_IDENTITY, risk}, facts);
		ask(fixture->people, &(struct thing){.about = PEOPLE_ABOUT_FINDING}, facts);
		ask(fixture->people, &(struct thing){.about = PEOPLE_ABOUT_INSTALLATION}, facts);
	}
}

/* An approver of the unit who is its backup owner, too, or not. */
static bool acknowledges(const struct fixture *fixture, struct text successor, struct text moved,
	struct text backup, struct error *err)
{
	struct text roles[] = {TEXT("approver")};
	const struct person person = {
		.name = TEXT("ana"), .unit = TEXT("support"), .roles = roles, .roles_count = 1};
	const struct people_actor actor = {TEXT("person:ana"), &person};
	const struct people_resource resource = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a1"),
		.unit = TEXT("support"),
		.owner = TEXT("bo"),
		.backup_owner = backup,
		.proposer = TEXT("person:ana"), /* wrote what waits: no matter */
		.successor = successor,
		.moved = moved};

	return people_may(fixture->people, &actor, PEOPLE_ACKNOWLEDGE, &resource, err);
}

static void the_backup_owner_acknowledges_first_and_nobody_that_they_go_on(void **state)
{
	const struct fixture *fixture = *state;
	const struct text ana = TEXT("ana"), cy = TEXT("cy"), nobody = TEXT("");
	struct error err = {0};

	assert_true(acknowledges(fixture, nobody, nobody, cy, &err));
	assert_true(acknowledges(fixture, ana, nobody, ana, &err));
	assert_false(acknowledges(fixture, cy, nobody, cy, &err));
	assert_string_equal(err.text, "forbidden: its backup owner is here, and acknowledges it");
	assert_false(acknowledges(fixture, nobody, ana, cy, &err));
	assert_non_null(strstr(err.text, "acknowledges that its owner goes on"));
	assert_false(acknowledges(fixture, nobody, ana, ana, &err));
	assert_true(acknowledges(fixture, nobody, TEXT("bo"), cy, &err));
}

static bool ask_unregistered(
	const struct fixture *fixture, const char *name, enum people_action action, bool is_sandbox)
{
	const struct people_actor actor = {text_of(name), NULL};
	const struct people_resource resource = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a1"),
		.unit = TEXT("support"),
		.owner = TEXT("ana"),
		.backup_owner = TEXT("bo"),
		.proposer = text_of(name),
		.is_sandbox = is_sandbox};
	struct error err = {0};

	return people_may(fixture->people, &actor, action, &resource, &err);
}

static void the_socket_alone_only_stops(void **state)
{
	for (unsigned action = PEOPLE_NONE; action < PEOPLE_ACTION_COUNT; action++)
		assert_int_equal(ask_unregistered(*state, "uid:0", action, true),
			action == PEOPLE_SUSPEND || action == PEOPLE_KILL);
}

static void remit_itself_only_retires_sandboxes(void **state)
{
	for (unsigned action = PEOPLE_NONE; action < PEOPLE_ACTION_COUNT; action++) {
		assert_int_equal(
			ask_unregistered(*state, "remit", action, true), action == PEOPLE_RETIRE);
		assert_false(ask_unregistered(*state, "remit", action, false));
	}
}

static void whoever_is_not_registered_may_nothing(void **state)
{
	static const char *const names[] = {"", "ana", "person:ana", "identity:a1", "Remit", "uid",
		"person:", "identity:remit"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		for (unsigned action = PEOPLE_NONE; action < PEOPLE_ACTION_COUNT; action++)
			assert_false(ask_unregistered(*state, names[i], action, true));
}

static void who_may_not_is_told_who_may(void **state)
{
	const struct fixture *fixture = *state;
	const struct person person = {.name = TEXT("eve"), .unit = TEXT("far")};
	const struct people_actor actor = {TEXT("person:eve"), &person};
	const struct people_resource resource = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a1"),
		.unit = TEXT("support"),
		.proposer = TEXT("person:eve")};
	struct error err = {0};

	assert_false(people_may(fixture->people, &actor, PEOPLE_SUSPEND, &resource, &err));
	assert_string_equal(err.text,
		"forbidden: this actor may not suspend it; who may: its owner or backup owner, "
		"an approver of its unit or of org, an administrator, "
		"a reviewer of its unit or of org, one of security");
	assert_false(people_may(fixture->people, &actor, PEOPLE_APPROVE, &resource, &err));
	assert_string_equal(
		err.text, "forbidden: who proposed it may not approve it; another person must");
}

/* As long as names may be, and as many roles as a person may have. */
static void the_longest_names_and_most_roles_are_judged(void **state)
{
	const struct fixture *fixture = *state;
	static char name[PERSON_NAME_BYTES_MAX];
	struct text roles[PERSON_ROLES_MAX];
	struct person person = {.name = {name, sizeof name}, .unit = TEXT("org"), .roles = roles};
	const struct people_actor actor = {TEXT("person:x"), &person};
	const struct people_resource resource = {.kind = OBJECT_IDENTITY,
		.name = {name, sizeof name},
		.unit = {name, sizeof name},
		.owner = {name, sizeof name},
		.backup_owner = {name, sizeof name}};
	struct error err = {0};

	memset(name, 'a', sizeof name);
	for (person.roles_count = 0; person.roles_count < PERSON_ROLES_MAX; person.roles_count++)
		roles[person.roles_count] = (struct text){name, sizeof name - person.roles_count};
	assert_true(people_may(fixture->people, &actor, PEOPLE_RETIRE, &resource, &err));
}

/* The validator that guardrails go through finds nothing: no unknown attribute, no comparison
 * that can never hold, no policy that applies to nothing. */
static void the_rules_are_valid_by_their_schema(void **state)
{
	struct cedar_arena *arena = cedar_arena_create(16 * 1024 * 1024);
	struct cedar_schema *schema = NULL;
	struct cedar_policy_set *set = NULL;
	struct cedar_validation validation;
	struct cedar_error err = {0};

	(void)state;
	assert_true(cedar_schema_parse(&schema, cedar_text_of(people_schema), &err));
	assert_true(cedar_policy_set_parse(&set, cedar_text_of(people_policies), NULL, &err));
	assert_true(cedar_validate(set, schema, CEDAR_RULE_4_13, arena, &validation, &err));
	for (size_t i = 0; i < validation.count; i++)
		print_error("%s: %.*s\n", cedar_finding_name(validation.findings[i].code),
			(int)validation.findings[i].text.length, validation.findings[i].text.data);
	assert_int_equal(validation.count, 0);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
	cedar_arena_destroy(&arena);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(each_action_of_each_person_on_each_thing_is_as_documented),
		TEST(the_backup_owner_acknowledges_first_and_nobody_that_they_go_on),
		TEST(the_socket_alone_only_stops),
		TEST(remit_itself_only_retires_sandboxes),
		TEST(whoever_is_not_registered_may_nothing),
		TEST(who_may_not_is_told_who_may),
		TEST(the_longest_names_and_most_roles_are_judged),
		TEST(the_rules_are_valid_by_their_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
