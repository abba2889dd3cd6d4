/* No guardrail and no application comes into force, changes or goes by one person alone:
 * what is proposed waits for another person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/registry/plan_approvers.h"
#include "services/registry/registrar_private.h"
#include "support/governed.h"

static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

#define GUARDRAIL(name, n)                                                                         \
	"object: policy\nname: " name "\ntext: |\n"                                                \
	"  forbid (principal, action, resource) when { context.args.n == " n " };\n"
#define SHOP(n)                                                                                    \
	"object: application\nname: shop\nunit: support\n"                                         \
	"policies: 'permit (principal, action, resource) when { context.n == " n " };'\n"

/* The world is applied by adi alone; then bo, an approver of support, and eva, an
 * administrator of org, can sign too. */
static int set_up(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);

	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	assert_true(governed_enrol(governed, "adi", "bo"));
	assert_true(governed_enrol(governed, "adi", "eva"));
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

static const struct registry_entry *policy(const struct governed *governed, const char *name)
{
	return registry_find(governed->registry, OBJECT_POLICY, text_of(name));
}

static uint32_t in_force(const struct governed *governed, const char *name)
{
	const struct registry_entry *entry = policy(governed, name);

	return entry == NULL || entry->in_force == NULL ? 0 : entry->in_force->version;
}

static bool approve(struct governed *governed, const char *person, const char *name)
{
	return governed_step_of(governed, person, REGISTRAR_APPROVE, OBJECT_POLICY, name);
}

static bool is_forbidden(struct governed *governed, const char *person, const char *name)
{
	return !approve(governed, person, name) && governed->last.is_forbidden;
}

static bool apply_as(
	struct governed *governed, const char *actor, const char *yaml, struct plan_options options)
{
	struct plan_source source = {TEXT("test.yaml"), text_of(yaml)};

	return governed_run(governed, (struct registrar_request){.verb = REGISTRAR_APPLY,
					      .actor = text_of(actor),
					      .sources = &source,
					      .sources_count = 1,
					      .options = options});
}

static bool publish(struct governed *governed, const char *actor, const char *yaml)
{
	return apply_as(governed, actor, yaml,
		(struct plan_options){.is_publish = true, .cases_passed = 3});
}

/* Publishes with everything else gone. */
static bool publish_alone(struct governed *governed, const char *actor, const char *yaml)
{
	return apply_as(
		governed, actor, yaml, (struct plan_options){.is_publish = true, .is_prune = true});
}

/* ---- alone ---- */

static void the_first_guardrails_of_the_only_person_wait_for_nobody(void **state)
{
	struct governed alone;

	(void)state;
	governed_init_with_administrator(&alone);
	assert_true(registrar_is_alone(alone.registrar));
	assert_true(governed_apply(&alone, "adi", governed_world_yaml));
	assert_int_equal(in_force(&alone, "org/no-prod"), 1);
	assert_false(registrar_is_alone(alone.registrar));
	assert_true(governed_apply(&alone, "adi", GUARDRAIL("org/no-prod", "1")));
	assert_int_equal(in_force(&alone, "org/no-prod"), 1);
	assert_true(governed_apply(&alone, "adi", GUARDRAIL("org/second", "1")));
	assert_int_equal(in_force(&alone, "org/second"), 0);
	assert_true(governed_apply(&alone, "adi", SHOP("1")));
	assert_null(registry_find_application(alone.registry, TEXT("shop")));
	assert_true(is_forbidden(&alone, "adi", "org/second"));
	governed_deinit(&alone);
}

static const char two_people_yaml[] = "object: person\nname: bo\nunit: org\nroles: [approver]\n";

static void a_second_person_who_can_sign_ends_that_for_good(void **state)
{
	struct governed fresh, later;
	char kid[64];

	(void)state;
	governed_init_with_administrator(&fresh);
	assert_true(governed_apply(&fresh, "adi", two_people_yaml));
	assert_true(registrar_is_alone(fresh.registrar)); /* registered, but without a key */
	assert_true(governed_enrol(&fresh, "adi", "bo"));
	memcpy(kid, fresh.last.kid_issued, sizeof kid);
	assert_false(registrar_is_alone(fresh.registrar));
	assert_true(governed_run(&fresh, (struct registrar_request){.verb = REGISTRAR_REVOKE_KEY,
						 .actor = TEXT("person:adi"),
						 .name = TEXT("bo"),
						 .kid = text_of(kid)}));
	assert_false(registrar_is_alone(fresh.registrar));
	governed_restart(&fresh, &later);
	assert_false(registrar_is_alone(later.registrar));
	assert_true(governed_apply(&later, "adi", GUARDRAIL("org/first", "1")));
	assert_int_equal(in_force(&later, "org/first"), 0);
	governed_deinit(&later);
	governed_deinit(&fresh);
}

static void what_was_there_once_is_not_the_first(void **state)
{
	struct governed alone;

	(void)state;
	governed_init_with_administrator(&alone);
	assert_true(governed_apply(&alone, "adi", "object: unit\nname: support\n---\n" SHOP("1")));
	assert_non_null(registry_find_application(alone.registry, TEXT("shop")));
	assert_true(governed_apply(&alone, "adi", GUARDRAIL("org/first", "1")));
	assert_int_equal(in_force(&alone, "org/first"), 0);
	/* A proposal that is withdrawn leaves nothing, and is no first either. */
	assert_true(governed_step_of(&alone, "adi", REGISTRAR_REJECT, OBJECT_POLICY, "org/first"));
	assert_true(governed_apply(&alone, "adi", GUARDRAIL("org/first", "1")));
	assert_int_equal(in_force(&alone, "org/first"), 0);
	assert_int_equal(policy(&alone, "org/first")->waiting_version, 2);
	governed_deinit(&alone);
}

/* ---- who may ---- */

static void nobody_puts_their_own_guardrail_in_force(void **state)
{
	struct governed *governed = *state;
	size_t count;

	assert_true(governed_enrol(governed, "adi", "adi")); /* a second key, the same person */
	assert_true(governed_apply(governed, "adi", GUARDRAIL("support/a", "1")));
	count = governed->log.count;
	assert_true(is_forbidden(governed, "adi", "support/a"));
	assert_true(is_forbidden(governed, "uid:0", "support/a"));
	assert_true(is_forbidden(governed, "remit", "support/a"));
	assert_true(is_forbidden(governed, "ana", "support/a"));
	assert_true(is_forbidden(governed, "rey", "support/a")); /* a reviewer */
	assert_true(is_forbidden(governed, "nobody", "support/a"));
	assert_false(governed_run(governed, (struct registrar_request){.verb = REGISTRAR_APPROVE,
						    .kind = OBJECT_POLICY,
						    .actor = TEXT("identity:a1"),
						    .name = TEXT("support/a")}));
	assert_true(governed->last.is_forbidden);
	assert_int_equal(governed->log.count, count);
	assert_int_equal(in_force(governed, "support/a"), 0);
	assert_true(approve(governed, "bo", "support/a"));
	assert_int_equal(in_force(governed, "support/a"), 1);
	assert_non_null(registry_guardrails(governed->registry, TEXT("support")));
}

static void an_approver_of_a_unit_answers_for_that_unit_alone(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "1")));
	assert_true(is_forbidden(governed, "bo", "org/a"));
	assert_true(governed_apply(governed, "adi", GUARDRAIL("sales/a", "1")));
	assert_true(is_forbidden(governed, "bo", "sales/a"));
	assert_true(approve(governed, "eva", "org/a"));
	assert_true(approve(governed, "eva", "sales/a"));
	/* An approver proposes nothing. */
	assert_false(governed_apply(governed, "bo", GUARDRAIL("support/b", "1")));
	assert_true(governed->last.is_forbidden);
}

/* ---- what is approved ---- */

static void a_changed_proposal_is_another_one(void **state)
{
	struct governed *governed = *state;
	struct registrar_request seen = {.verb = REGISTRAR_APPROVE,
		.kind = OBJECT_POLICY,
		.actor = TEXT("person:eva"),
		.name = TEXT("org/no-prod")};

	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/no-prod", "2")));
	seen.version = 2;
	seen.has_if_match = true;
	seen.if_match = policy(governed, "org/no-prod")->revision;
	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/no-prod", "3")));
	assert_false(governed_run(governed, seen));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	seen.has_if_match = false;
	assert_false(governed_run(governed, seen));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_int_equal(in_force(governed, "org/no-prod"), 1);
	/* Whoever changed it last is its author. */
	assert_true(governed_apply(governed, "eva", GUARDRAIL("org/no-prod", "4")));
	assert_true(is_forbidden(governed, "eva", "org/no-prod"));
	assert_true(approve(governed, "adi", "org/no-prod"));
	assert_int_equal(in_force(governed, "org/no-prod"), 4);
}

static void applying_it_again_makes_nobody_else_its_author(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "1")));
	assert_true(governed_apply(governed, "eva", GUARDRAIL("org/a", "1")));
	assert_false(governed->last.is_changed);
	assert_int_equal(governed->last.plan->waiting_count, 1);
	assert_true(text_is(governed->last.plan->waiting[0].proposed_by, "person:adi"));
	assert_true(is_forbidden(governed, "adi", "org/a"));
	assert_true(approve(governed, "eva", "org/a"));
	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "1")));
	assert_false(governed->last.is_changed);
	assert_int_equal(governed->last.plan->waiting_count, 0);
}

static void of_two_who_approve_at_once_one_does(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", GUARDRAIL("support/a", "1")));
	assert_true(approve(governed, "eva", "support/a"));
	assert_false(approve(governed, "bo", "support/a"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
}

static void count_done(struct registrar_request *request)
{
	++*(unsigned *)request->context;
}

/* Submits both while neither can be durable yet, in this order. */
static void submit_both(struct governed *governed, struct registrar_request *first,
	struct registrar_request *second)
{
	struct error err = {0};
	unsigned done = 0;

	first->done = second->done = count_done;
	first->context = second->context = &done;
	governed->log.is_held = true;
	assert_true(registrar_submit(governed->registrar, first, &err));
	assert_true(registrar_submit(governed->registrar, second, &err));
	assert_int_equal(done, 0);
	while (done < 2)
		fake_log_flush(&governed->log);
	governed->log.is_held = false;
	registry_validate(governed->registry);
}

static void a_change_and_an_approval_at_once_come_one_after_the_other(void **state)
{
	struct governed *governed = *state;
	struct plan_source source = {TEXT("a.yaml"), TEXT(GUARDRAIL("org/no-prod", "3"))};
	struct registrar_request change = {.verb = REGISTRAR_APPLY,
		.actor = TEXT("person:adi"),
		.sources = &source,
		.sources_count = 1};
	struct registrar_request approval = {.verb = REGISTRAR_APPROVE,
		.kind = OBJECT_POLICY,
		.actor = TEXT("person:eva"),
		.name = TEXT("org/no-prod"),
		.version = 2};

	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/no-prod", "2")));
	submit_both(governed, &change, &approval);
	assert_int_equal(change.err.code, ERROR_NONE);
	assert_int_equal(approval.err.code, ERROR_CONFLICT);
	assert_int_equal(in_force(governed, "org/no-prod"), 1);
	registrar_request_deinit(&change);
	source.yaml = TEXT(GUARDRAIL("org/no-prod", "4"));
	approval.version = 3;
	submit_both(governed, &approval, &change);
	assert_int_equal(approval.err.code, ERROR_NONE);
	assert_int_equal(in_force(governed, "org/no-prod"), 3);
	assert_int_equal(policy(governed, "org/no-prod")->waiting_version, 4);
	registrar_request_deinit(&change);
}

static void two_who_propose_leave_one_proposal_which_the_other_approves(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "1")));
	assert_true(governed_apply(governed, "eva", GUARDRAIL("org/a", "2")));
	assert_int_equal(policy(governed, "org/a")->waiting_version, 2);
	assert_true(is_forbidden(governed, "eva", "org/a"));
	assert_true(approve(governed, "adi", "org/a"));
	assert_int_equal(in_force(governed, "org/a"), 2);
	assert_int_equal(policy(governed, "org/a")->waiting_version, 0);
}

static void what_is_turned_down_leaves_what_is_in_force(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/no-prod", "2")));
	assert_false(
		governed_step_of(governed, "bo", REGISTRAR_REJECT, OBJECT_POLICY, "org/no-prod"));
	assert_true(
		governed_step_of(governed, "eva", REGISTRAR_REJECT, OBJECT_POLICY, "org/no-prod"));
	assert_int_equal(in_force(governed, "org/no-prod"), 1);
	assert_false(approve(governed, "eva", "org/no-prod"));
	/* Its author withdraws it. */
	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/no-prod", "2")));
	assert_true(
		governed_step_of(governed, "adi", REGISTRAR_REJECT, OBJECT_POLICY, "org/no-prod"));
	assert_int_equal(policy(governed, "org/no-prod")->waiting_version, 0);
	assert_false(
		governed_step_of(governed, "adi", REGISTRAR_SUSPEND, OBJECT_POLICY, "org/no-prod"));
}

static void a_proposal_is_too_old_after_thirty_days(void **state)
{
	struct governed *governed = *state;
	int64_t proposed;

	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "1")));
	proposed = policy(governed, "org/a")->more->proposed_utc_ms;
	assert_false(proposal_has_expired(
		policy(governed, "org/a"), proposed + PROPOSAL_LIFETIME_DAYS * DAY_MS - 1));
	governed->log.now_utc_ms = proposed + PROPOSAL_LIFETIME_DAYS * DAY_MS;
	assert_false(approve(governed, "eva", "org/a"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_true(publish(governed, "person:eva", GUARDRAIL("org/a", "1"))); /* proposes it */
	assert_int_equal(in_force(governed, "org/a"), 0);
	assert_true(is_forbidden(governed, "eva", "org/a"));
	assert_true(approve(governed, "adi", "org/a"));
	assert_int_equal(in_force(governed, "org/a"), 2);
	assert_false(proposal_has_expired(policy(governed, "org/a"), INT64_MAX));
}

static void what_is_not_valid_any_more_leaves_the_old_in_force(void **state)
{
	static const char entry[] =
		"{\"actor\":\"person:adi\",\"at\":1,\"changes\":[{\"in_force\":1,\"kind\":"
		"\"policy\",\"name\":\"org/no-prod\",\"object\":{\"name\":\"org/no-prod\","
		"\"object\":\"policy\",\"text\":\"forbid (principal, action, resource) when { "
		"resource.enviroment == \\\"prod\\\" };\"},\"op\":\"put\",\"proposed_at\":1,"
		"\"proposed_by\":\"person:adi\",\"version\":2,\"waiting\":2,\"waiting_state\":"
		"\"proposed\"}],\"founded\":true,\"joined\":true,\"revision\":99,"
		"\"type\":\"registry\"}";
	struct governed *governed = *state;
	struct error err = {0};

	/* As a version without validation would have taken it. */
	governed->log.now_utc_ms = 2;
	assert_true(fold_apply_entry(
		governed->fold, text_of(entry), (struct text){NULL, 0}, governed->log.count, &err));
	assert_false(approve(governed, "eva", "org/no-prod"));
	assert_int_equal(governed->last.err.code, ERROR_CONFLICT);
	assert_non_null(strstr(governed->last.err.text, "enviroment"));
	assert_int_equal(in_force(governed, "org/no-prod"), 1);
}

static void an_approval_that_is_not_durable_is_none(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/no-prod", "2")));
	governed->log.loses = true;
	assert_false(approve(governed, "eva", "org/no-prod"));
	assert_int_equal(in_force(governed, "org/no-prod"), 1);
	assert_int_equal(policy(governed, "org/no-prod")->waiting_version, 2);
}

/* ---- removing ---- */

static void nobody_removes_a_guardrail_alone(void **state)
{
	struct governed *governed = *state;
	const struct guardrails *guardrails;
	size_t count;

	assert_true(governed_apply_by_two(governed, "adi",
		"object: policy\nname: support/a\nlevel: mandatory\ntext: |\n"
		"  forbid (principal, action, resource) when { context.args.n == 1 };\n"));
	guardrails = registry_guardrails(governed->registry, TEXT("support"));
	assert_non_null(guardrails);
	assert_true(publish_alone(governed, "person:adi", GUARDRAIL("org/no-prod", "1")));
	assert_true(policy(governed, "support/a")->is_removal);
	assert_int_equal(in_force(governed, "support/a"), 1);
	count = governed->log.count;
	assert_true(publish_alone(governed, "person:adi", GUARDRAIL("org/no-prod", "1")));
	assert_false(governed->last.is_changed);
	assert_int_equal(governed->last.plan->waiting_count, 2);
	assert_true(is_forbidden(governed, "adi", "support/a"));
	assert_int_equal(governed->log.count, count);
	assert_ptr_equal(registry_guardrails(governed->registry, TEXT("support")), guardrails);
	assert_true(approve(governed, "bo", "support/a"));
	assert_int_equal(in_force(governed, "support/a"), 0);
	assert_null(registry_guardrails(governed->registry, TEXT("support")));
	/* Versions go on, and what comes back waits again. */
	assert_true(governed_apply(governed, "adi", GUARDRAIL("support/a", "1")));
	assert_int_equal(policy(governed, "support/a")->waiting_version, 3);
	assert_int_equal(in_force(governed, "support/a"), 0);
}

/* Data of a unit are for that unit to take out, and its servers and what reads its data. */
static const char with_data_yaml[] =
	"object: unit\nname: support\n---\n"
	"object: data-source\nname: tickets\nunit: support\nenvironment: staging\n"
	"sensitivity: internal\n---\n"
	"object: server\nname: files\nunit: support\nenvironment: staging\n"
	"transport: {stdio: [mcp-server-filesystem, desk]}\n---\n"
	"object: tool\nname: files/read\neffect: read\n"
	"reads: [{data-source: tickets, when: 'context.args.path like \"tickets/*\"'}]\n";

static void pruning_with_everything_else_removes_none_either(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply_by_two(governed, "adi", GUARDRAIL("support/a", "1")));
	assert_true(apply_as(
		governed, "person:adi", with_data_yaml, (struct plan_options){.is_prune = true}));
	assert_null(registry_find_unit(governed->registry, TEXT("sales")));
	assert_int_equal(in_force(governed, "org/no-prod"), 1);
	assert_int_equal(in_force(governed, "support/a"), 1);
	assert_true(policy(governed, "support/a")->is_removal);
}

static void a_unit_outlives_its_guardrail(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply_by_two(governed, "adi", GUARDRAIL("sales/a", "1")));
	assert_false(apply_as(
		governed, "person:adi", with_data_yaml, (struct plan_options){.is_prune = true}));
	assert_int_equal(governed->last.plan->problems.total, 1);
	assert_non_null(registry_find_unit(governed->registry, TEXT("sales")));
	assert_int_equal(policy(governed, "sales/a")->waiting_version, 0);
}

static void a_removal_gives_way_to_a_change_and_back(void **state)
{
	struct governed *governed = *state;

	assert_true(publish_alone(governed, "person:adi", GUARDRAIL("org/a", "1")));
	assert_true(policy(governed, "org/no-prod")->is_removal);
	assert_true(governed_apply(governed, "eva", GUARDRAIL("org/no-prod", "2")));
	assert_false(policy(governed, "org/no-prod")->is_removal);
	assert_int_equal(policy(governed, "org/no-prod")->waiting_version, 3);
	assert_true(publish_alone(governed, "person:adi", GUARDRAIL("org/a", "1")));
	assert_int_equal(policy(governed, "org/no-prod")->waiting_version, 4);
	assert_true(
		governed_step_of(governed, "adi", REGISTRAR_REJECT, OBJECT_POLICY, "org/no-prod"));
	assert_int_equal(in_force(governed, "org/no-prod"), 1);
	assert_false(policy(governed, "org/no-prod")->is_removal);
}

/* ---- publishing ---- */

static void publishing_proposes_and_another_who_publishes_the_same_approves(void **state)
{
	static const char both[] = GUARDRAIL("org/no-prod", "2") "---\n" GUARDRAIL("org/a", "1");
	struct governed *governed = *state;
	size_t count;

	assert_true(publish(governed, "person:adi", both));
	assert_int_equal(policy(governed, "org/a")->more->cases_passed, 3);
	assert_int_equal(in_force(governed, "org/no-prod"), 1);
	count = governed->log.count;
	assert_true(publish(governed, "person:adi", both));
	assert_false(governed->last.is_changed);
	assert_int_equal(governed->last.plan->waiting_count, 2);
	assert_false(publish(governed, "person:bo", both)); /* not of org */
	assert_true(governed->last.is_forbidden);
	assert_false(publish(governed, "uid:0", both));
	assert_true(governed->last.is_forbidden);
	assert_int_equal(governed->log.count, count);
	assert_true(publish(governed, "person:eva", both));
	assert_int_equal(governed->log.count, count + 1); /* all in one record */
	assert_int_equal(in_force(governed, "org/no-prod"), 2);
	assert_int_equal(in_force(governed, "org/a"), 1);
	assert_int_equal(policy(governed, "org/a")->more->cases_passed, 0);
	assert_true(publish(governed, "person:eva", both));
	assert_false(governed->last.is_changed);
	assert_int_equal(governed->last.plan->waiting_count, 0);
}

static void what_was_proposed_otherwise_is_not_approved_by_publishing(void **state)
{
	struct governed *governed = *state;

	assert_true(publish(governed, "person:adi", GUARDRAIL("org/a", "1")));
	assert_true(publish(governed, "person:eva", GUARDRAIL("org/a", "2")));
	assert_int_equal(in_force(governed, "org/a"), 0);
	assert_true(text_is(policy(governed, "org/a")->more->proposed_by, "person:eva"));
	/* An apply approves nothing, whoever it is. */
	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "2")));
	assert_int_equal(in_force(governed, "org/a"), 0);
	assert_true(publish(governed, "person:adi", GUARDRAIL("org/a", "2")));
	assert_int_equal(in_force(governed, "org/a"), 2);
}

static void publishing_with_prune_proposes_and_approves_removals_of_guardrails_alone(void **state)
{
	struct governed *governed = *state;

	assert_true(governed_apply_by_two(governed, "adi", GUARDRAIL("org/a", "1")));
	assert_true(governed_apply_by_two(governed, "adi", SHOP("1")));
	assert_true(publish_alone(governed, "person:adi", GUARDRAIL("org/a", "1")));
	assert_true(policy(governed, "org/no-prod")->is_removal);
	assert_int_equal(governed->last.plan->changes_count, 1);
	assert_true(publish(governed, "person:eva", GUARDRAIL("org/a", "1")));
	assert_int_equal(in_force(governed, "org/no-prod"), 1); /* not without prune */
	assert_true(publish_alone(governed, "person:eva", GUARDRAIL("org/a", "1")));
	assert_int_equal(in_force(governed, "org/no-prod"), 0);
	assert_non_null(registry_find_application(governed->registry, TEXT("shop")));
	assert_non_null(registry_find_unit(governed->registry, TEXT("sales")));
}

static void only_guardrails_are_published(void **state)
{
	struct governed *governed = *state;

	assert_false(publish(governed, "person:adi", "object: unit\nname: hr\n"));
	assert_int_equal(governed->last.plan->problems.total, 1);
	assert_false(publish(governed, "person:adi", SHOP("1")));
	assert_null(registry_find_unit(governed->registry, TEXT("hr")));
}

/* ---- applications ---- */

static void an_application_keeps_its_rules_until_another_person_agrees(void **state)
{
	struct governed *governed = *state;
	const struct registry_entry *shop;
	const struct application_rules *rules;

	assert_true(governed_apply_by_two(governed, "adi", SHOP("1")));
	shop = registry_find_application(governed->registry, TEXT("shop"));
	rules = shop->rules;
	assert_non_null(rules);
	assert_true(governed_apply(governed, "adi", SHOP("2")));
	assert_int_equal(shop->in_force->version, 1);
	assert_ptr_equal(shop->rules, rules);
	assert_false(
		governed_step_of(governed, "adi", REGISTRAR_APPROVE, OBJECT_APPLICATION, "shop"));
	assert_true(governed->last.is_forbidden);
	assert_true(
		governed_step_of(governed, "bo", REGISTRAR_APPROVE, OBJECT_APPLICATION, "shop"));
	assert_int_equal(shop->in_force->version, 2);
	assert_non_null(shop->rules);
	assert_true(apply_as(
		governed, "person:adi", with_data_yaml, (struct plan_options){.is_prune = true}));
	assert_non_null(shop->rules);
	assert_true(
		governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_APPLICATION, "shop"));
	assert_null(shop->rules);
}

/* ---- the log ---- */

static const struct json *change_of(struct governed *governed, struct json *record)
{
	struct error err = {0};
	const struct json *changes;

	assert_true(json_parse(record, governed->arena,
		governed->log.entries[governed->log.count - 1].entry, &json_limits_default, &err));
	changes = json_find(record, "changes");
	assert_non_null(changes);
	return &changes->items[0];
}

static void the_record_of_an_approval_says_whose_and_which_text_it_is(void **state)
{
	struct governed *governed = *state;
	struct sha256 digest, written;
	const struct json *change;
	struct json record;

	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "1")));
	digest = policy(governed, "org/a")->waiting->digest;
	assert_true(approve(governed, "eva", "org/a"));
	change = change_of(governed, &record);
	assert_true(text_is(json_text_or(&record, "actor", ""), "person:eva"));
	assert_true(text_is(json_text_or(&record, "policy", ""), "org/a"));
	assert_true(text_is(json_text_or(change, "author", ""), "person:adi"));
	assert_true(digest_parse(json_text_or(change, "digest", ""), &written));
	assert_true(sha256_equal(&written, &digest));
	/* And that of a removal, whose. */
	assert_true(publish_alone(governed, "person:eva", GUARDRAIL("org/no-prod", "1")));
	assert_true(approve(governed, "adi", "org/a"));
	change = change_of(governed, &record);
	assert_true(text_is(json_text_or(change, "author", ""), "person:eva"));
	assert_null(json_find(change, "digest"));
	assert_true(text_is(json_text_or(change, "op", ""), "remove"));
}

static void what_waits_is_there_after_a_restart(void **state)
{
	struct governed *governed = *state;
	struct governed later;

	assert_true(publish(governed, "person:adi", GUARDRAIL("org/a", "1")));
	assert_true(publish_alone(governed, "person:eva", GUARDRAIL("org/a", "1")));
	governed_restart(governed, &later);
	assert_true(text_equal(
		governed_dump(governed, governed->arena), governed_dump(&later, governed->arena)));
	assert_int_equal(
		policy(&later, "org/a")->more->cases_passed, 0); /* eva's approval came between */
	assert_int_equal(in_force(&later, "org/a"), 1);
	assert_true(policy(&later, "org/no-prod")->is_removal);
	assert_true(is_forbidden(&later, "eva", "org/no-prod"));
	assert_true(approve(&later, "adi", "org/no-prod"));
	assert_int_equal(in_force(&later, "org/no-prod"), 0);
	governed_deinit(&later);
}

/* ---- who could ---- */

static void those_who_could_approve_are_named_up_to_a_bound(void **state)
{
	struct governed *governed = *state;
	const struct plan_change *change;
	struct buffer yaml;

	assert_true(governed_apply(governed, "adi", GUARDRAIL("support/a", "1")));
	change = &governed->last.plan->changes[0];
	assert_int_equal(change->approvers_count, 2); /* and not adi, who asks */
	assert_true(text_is(change->approvers[0], "bo"));
	assert_true(text_is(change->approvers[1], "eva"));
	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "1")));
	change = &governed->last.plan->changes[0];
	assert_int_equal(change->approvers_count, 1);
	assert_true(text_is(change->approvers[0], "eva"));
	buffer_init(&yaml, 1 << 16);
	for (int i = 0; i < PLAN_APPROVERS_MAX - 1; i++)
		buffer_append_format(&yaml,
			"---\nobject: person\nname: p%d\nunit: support\nroles: [approver]\n", i);
	buffer_append_byte(&yaml, '\0');
	assert_true(governed_apply(governed, "adi", buffer_text(&yaml).data));
	for (int i = 0; i < PLAN_APPROVERS_MAX - 1; i++) {
		char name[8];

		(void)snprintf(name, sizeof name, "p%d", i);
		assert_true(
			governed_step_of(governed, "eva", REGISTRAR_APPROVE, OBJECT_PERSON, name));
		assert_true(governed_enrol(governed, "adi", name));
		assert_true(governed_apply(governed, "adi",
			i % 2 == 0 ? GUARDRAIL("support/a", "2") : GUARDRAIL("support/a", "3")));
		change = &governed->last.plan->changes[0];
		assert_int_equal(change->approvers_count,
			i + 3 > PLAN_APPROVERS_MAX ? PLAN_APPROVERS_MAX : i + 3);
	}
	buffer_deinit(&yaml);
}

/* Whoever plans what is in force must see that another person may end it. */
static void what_waits_of_what_is_in_force_is_named_where_that_is_given(void **state)
{
	struct governed *governed = *state;
	struct arena *arena = arena_create(1 << 20);
	const struct plan_waiting *found;
	struct error err;
	struct json json;

	assert_true(governed_apply_by_two(governed, "adi", GUARDRAIL("org/a", "1")));
	assert_true(publish_alone(governed, "person:adi", GUARDRAIL("org/b", "1")));
	assert_true(policy(governed, "org/a")->is_removal);
	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "1")));
	assert_false(governed->last.is_changed);
	assert_int_equal(governed->last.plan->waiting_count, 1);
	found = governed->last.plan->waiting;
	assert_int_equal(found->action, PLAN_REMOVE);
	assert_true(found->is_otherwise);
	assert_true(text_is(found->proposed_by, "person:adi"));
	assert_int_equal(found->approvers_count, 1);
	/* A change in its place. */
	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "2")));
	assert_true(governed_apply(governed, "eva", GUARDRAIL("org/a", "1")));
	assert_int_equal(governed->last.plan->waiting_count, 1);
	assert_int_equal(governed->last.plan->waiting[0].action, PLAN_CHANGE);
	assert_true(governed->last.plan->waiting[0].is_otherwise);
	assert_true(plan_json(&json, arena, governed->last.plan, &err));
	assert_true(json_boolean_or(&json_find(&json, "waiting")->items[0], "otherwise", false));
	/* What is given is what waits. */
	assert_true(governed_apply(governed, "adi", GUARDRAIL("org/a", "2")));
	assert_int_equal(governed->last.plan->waiting_count, 1);
	assert_false(governed->last.plan->waiting[0].is_otherwise);
	assert_true(approve(governed, "eva", "org/a"));
	assert_true(governed_apply(governed, "eva", GUARDRAIL("org/a", "2")));
	assert_int_equal(governed->last.plan->waiting_count, 0);
	arena_destroy(&arena);
}

static const struct plan_waiting *waiting(const struct governed *governed, size_t at)
{
	assert_true(at < governed->last.plan->waiting_count);
	return &governed->last.plan->waiting[at];
}

/* Whoever asks again hears as much as who proposed it; and may be the one who may. */
static void of_what_waits_already_those_who_could_approve_are_named_again(void **state)
{
	struct governed *governed = *state;
	static const char both[] = GUARDRAIL("support/b", "1") "---\n" GUARDRAIL("org/a", "1");
	struct arena *arena = arena_create(1 << 20);
	const struct json *listed;
	struct error err;
	struct json json;

	assert_true(governed_apply(governed, "adi", both));
	assert_true(governed_apply(governed, "adi", both));
	assert_int_equal(governed->last.plan->waiting_count, 2);
	assert_true(text_is(waiting(governed, 0)->name, "org/a"));
	assert_int_equal(waiting(governed, 0)->approvers_count, 1);
	assert_true(text_is(waiting(governed, 0)->approvers[0], "eva"));
	assert_int_equal(waiting(governed, 1)->approvers_count, 2);
	assert_true(text_is(waiting(governed, 1)->approvers[0], "bo"));
	assert_true(plan_json(&json, arena, governed->last.plan, &err));
	listed = json_find(&json_find(&json, "waiting")->items[0], "approvers");
	assert_int_equal(listed->count, 1);
	assert_true(governed_apply(governed, "eva", both));
	assert_int_equal(waiting(governed, 0)->approvers_count, 1); /* still not adi's to approve */
	assert_true(text_is(waiting(governed, 0)->approvers[0], "eva"));
	assert_true(approve(governed, "eva", "org/a"));
	assert_true(publish_alone(governed, "person:adi", GUARDRAIL("support/c", "1")));
	assert_true(publish_alone(governed, "person:adi", GUARDRAIL("support/c", "1")));
	assert_true(text_is(waiting(governed, 0)->name, "org/a")); /* its removal */
	assert_true(text_is(waiting(governed, 0)->approvers[0], "eva"));
	arena_destroy(&arena);
}

#define CHARTER(unit, purpose)                                                                     \
	"object: identity\nname: a9\nkind: agent\nclass: update\nrisk: low\nowner: adi\n"          \
	"backup-owner: bo\nunit: " unit "\npurpose: " purpose "\nenvironments: [staging]\n"

static void of_a_charter_its_owners_and_approvers_are_named(void **state)
{
	struct governed *governed = *state;
	const struct plan_change *change;

	assert_true(governed_apply(governed, "adi", CHARTER("sales", "p")));
	change = &governed->last.plan->changes[0];
	assert_int_equal(change->approvers_count, 1); /* adi proposed it, eva only administrates */
	assert_true(text_is(change->approvers[0], "bo"));
	assert_true(governed_apply(governed, "eva", CHARTER("sales", "p")));
	assert_int_equal(waiting(governed, 0)->approvers_count, 1);
	assert_true(text_is(waiting(governed, 0)->approvers[0], "bo"));
	assert_true(governed_step_of(governed, "bo", REGISTRAR_APPROVE, OBJECT_IDENTITY, "a9"));
	assert_true(governed_apply(governed, "eva", CHARTER("support", "q")));
	change = &governed->last.plan->changes[0];
	assert_int_equal(change->approvers_count, 2); /* those of the charter in force */
	assert_true(text_is(change->approvers[0], "adi"));
	assert_true(text_is(change->approvers[1], "bo"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_guardrails_of_the_only_person_wait_for_nobody),
		cmocka_unit_test(a_second_person_who_can_sign_ends_that_for_good),
		cmocka_unit_test(what_was_there_once_is_not_the_first),
		TEST(nobody_puts_their_own_guardrail_in_force),
		TEST(an_approver_of_a_unit_answers_for_that_unit_alone),
		TEST(a_changed_proposal_is_another_one),
		TEST(applying_it_again_makes_nobody_else_its_author),
		TEST(of_two_who_approve_at_once_one_does),
		TEST(a_change_and_an_approval_at_once_come_one_after_the_other),
		TEST(two_who_propose_leave_one_proposal_which_the_other_approves),
		TEST(what_is_turned_down_leaves_what_is_in_force),
		TEST(a_proposal_is_too_old_after_thirty_days),
		TEST(what_is_not_valid_any_more_leaves_the_old_in_force),
		TEST(an_approval_that_is_not_durable_is_none),
		TEST(nobody_removes_a_guardrail_alone),
		TEST(pruning_with_everything_else_removes_none_either),
		TEST(a_unit_outlives_its_guardrail),
		TEST(a_removal_gives_way_to_a_change_and_back),
		TEST(publishing_proposes_and_another_who_publishes_the_same_approves),
		TEST(what_was_proposed_otherwise_is_not_approved_by_publishing),
		TEST(publishing_with_prune_proposes_and_approves_removals_of_guardrails_alone),
		TEST(only_guardrails_are_published),
		TEST(an_application_keeps_its_rules_until_another_person_agrees),
		TEST(the_record_of_an_approval_says_whose_and_which_text_it_is),
		TEST(what_waits_is_there_after_a_restart),
		TEST(those_who_could_approve_are_named_up_to_a_bound),
		TEST(what_waits_of_what_is_in_force_is_named_where_that_is_given),
		TEST(of_what_waits_already_those_who_could_approve_are_named_again),
		TEST(of_a_charter_its_owners_and_approvers_are_named),
	};

	return cmocka_run_group_tests_name("proposal", tests, NULL, NULL);
}
