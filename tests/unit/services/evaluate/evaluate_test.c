/* Who may ask which decision point, what it says, and what is written of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/evaluate/evaluate.h"
#include "support/fake_values.h"
#include "support/governed.h"

struct bench {
	struct governed governed;
	struct task_table *tasks;
	struct decide_service *decide;
	struct approve *approve;
	struct evaluate *evaluate;
	struct arena *arena;
	struct error err;
	unsigned done;
	bool is_lost;
};

#define SHOP SHOP_SAYING("")
#define SHOP_SAYING(more)                                                                          \
	"object: application\nname: shop\nunit: support\ncallers: [a1]\n" more "policies: |\n"     \
	"  permit (principal, action == Action::\"buy\", resource) when { resource.open };\n"      \
	"  forbid (principal, action, resource) when { context has no && context.no };\n"          \
	"entities:\n"                                                                              \
	"  - {uid: {type: Item, id: i1}, attrs: {open: true}, parents: []}\n"                      \
	"  - {uid: {type: Item, id: i2}, attrs: {open: false}, parents: []}\n"                     \
	"  - {uid: {type: Item, id: i3}, attrs: {open: true}, parents: []}\n"                      \
	"  - {uid: {type: Action, id: buy}, attrs: {}, parents: []}\n"

/* May reply, other than in the governed world. */
#define READER                                                                                     \
	"object: identity\nname: a1\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"          \
	"backup-owner: bo\nunit: support\npurpose: Reads tickets\nenvironments: [staging]\n"       \
	"data-sources: [{name: tickets, up-to: internal}]\n"                                       \
	"outputs: [{to: reply, up-to: internal}]\n"                                                \
	"entitlements:\n"                                                                          \
	"  - {effect: read, tool: files/read, when: 'context.args.path like \"tickets/*\"'}\n"     \
	"  - {effect: write, tool: files/write, approvals: [owner]}\n"                             \
	"expires: 2030-01-01\n"

static void make(struct bench *bench, enum evaluate_durability durability)
{
	const struct evaluate_parts parts = {.fold = bench->governed.fold,
		.registry = bench->governed.registry,
		.decide = bench->decide,
		.approve = bench->approve,
		.values = fake_values,
		.durability = durability};

	evaluate_destroy(&bench->evaluate);
	assert_true(evaluate_create(&bench->evaluate, &parts, &bench->err));
}

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	const struct approve_settings settings = {0};

	assert_non_null(bench);
	governed_init_with_administrator(&bench->governed);
	assert_true(governed_apply(&bench->governed, "adi", governed_world_yaml));
	assert_true(governed_enrol(&bench->governed, "adi", "bo"));
	assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_true(governed_apply(&bench->governed, "adi", READER));
	assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_true(governed_apply_by_two(&bench->governed, "adi", SHOP));
	assert_true(task_table_create(&bench->tasks, 8, &bench->err));
	assert_true(decide_service_create(
		&bench->decide, bench->governed.registry, bench->tasks, &bench->err));
	assert_true(approve_create(&bench->approve, bench->governed.registry, bench->tasks,
		bench->governed.fold, &settings, &bench->err));
	bench->arena = bench->governed.arena;
	make(bench, EVALUATE_AWAITED);
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	evaluate_destroy(&bench->evaluate);
	approve_destroy(&bench->approve);
	decide_service_destroy(&bench->decide);
	task_table_destroy(&bench->tasks);
	governed_deinit(&bench->governed);
	free(bench);
	return 0;
}

static struct evaluate_asker asker_of(const char *application, const char *identity)
{
	return (struct evaluate_asker){.application = text_of(application),
		.identity = text_of(identity),
		.task = TEXT("t-1"),
		.environment = ENVIRONMENT_STAGING};
}

static const struct json *parse(struct bench *bench, const char *text)
{
	struct json *value = arena_new(bench->arena, struct json);

	assert_non_null(value);
	assert_true(
		json_parse(value, bench->arena, text_of(text), &json_limits_default, &bench->err));
	return value;
}

static struct application_question own(
	struct bench *bench, const char *effect, const char *tool, const char *context)
{
	return (struct application_question){.subject = {TEXT("identity"), TEXT("a1"), NULL},
		.action = text_of(effect),
		.resource = {TEXT("tool"), text_of(tool), NULL},
		.context = context == NULL ? NULL : parse(bench, context)};
}

static struct application_question buy(const char *item)
{
	return (struct application_question){.subject = {TEXT("User"), TEXT("u"), NULL},
		.action = TEXT("buy"),
		.resource = {TEXT("Item"), text_of(item), NULL}};
}

/* The reason's word, or the error's text. */
static const char *ask(struct bench *bench, const struct evaluate_asker *asker,
	const struct application_question *question, enum verdict *verdict)
{
	struct evaluate_answer answer;

	*verdict = VERDICT_DENY;
	if (!evaluate_decide(bench->evaluate, asker, question, bench->arena, &answer, &bench->err))
		return bench->err.text;
	*verdict = answer.verdict;
	return text_copy(bench->arena, answer.reason).data;
}

static void only_named_identities_may_ask_an_application(void **state)
{
	struct bench *bench = *state;
	struct evaluate_asker named = asker_of("shop", "a1"), other = asker_of("shop", "a2"),
			      nowhere = asker_of("shed", "a1");
	struct application_question question = buy("i1");
	struct evaluate_page page;
	const struct evaluate_search search = {
		.question = &question, .part = EVALUATE_RESOURCES, .limit = 1};
	enum verdict verdict;

	assert_int_equal(EVALUATE_REFUSED, 0);
	assert_int_equal(evaluate_admit(bench->evaluate, &other), EVALUATE_REFUSED);
	assert_int_equal(evaluate_admit(bench->evaluate, &nowhere), EVALUATE_UNKNOWN);
	assert_int_equal(evaluate_admit(bench->evaluate, &named), EVALUATE_ADMITTED);
	assert_non_null(strstr(ask(bench, &other, &question, &verdict), "forbidden: "));
	assert_int_equal(verdict, VERDICT_DENY);
	assert_false(evaluate_search(
		bench->evaluate, &other, &search, bench->arena, &page, &bench->err));
	assert_string_equal(ask(bench, &named, &question, &verdict), "permitted");
	assert_int_equal(verdict, VERDICT_ALLOW);
}

static void an_identity_asks_remit_about_itself_alone(void **state)
{
	struct bench *bench = *state;
	struct evaluate_asker asker = asker_of("", "a1");
	struct application_question question = own(bench, "write", "files/write", NULL);
	enum verdict verdict;

	question.subject.id = TEXT("a2");
	assert_non_null(strstr(ask(bench, &asker, &question, &verdict), "forbidden: "));
	question.subject.type = TEXT("person");
	assert_string_equal(ask(bench, &asker, &question, &verdict), "identity_unknown");
	assert_int_equal(verdict, VERDICT_DENY);
}

static void what_only_remit_knows_cannot_be_given(void **state)
{
	static const char *const contexts[] = {"{\"approvals\":[\"owner\"]}", "{\"approval\":{}}",
		"{\"labels\":{}}", "{\"task\":\"t\"}", "{\"chain\":[]}", "{\"binding\":\"bearer\"}",
		"{\"environment\":\"prod\"}", "{\"args\":[]}", "{\"first\":true}",
		"{\"generation\":{}}", "{\"origins\":{}}", "{\"risk\":\"low\"}", "{\"secrets\":0}"};
	struct bench *bench = *state;
	struct evaluate_asker asker = asker_of("", "a1");
	enum verdict verdict;

	for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
		struct application_question question =
			own(bench, "write", "files/write", contexts[i]);

		assert_non_null(strstr(ask(bench, &asker, &question, &verdict), "context."));
		assert_int_equal(bench->err.code, ERROR_INVALID);
	}
}

/* The search's error, or "" where it found something or nothing. */
static const char *search_own(
	struct bench *bench, enum evaluate_part part, const struct application_question *question)
{
	struct evaluate_asker asker = asker_of("", "a1");
	const struct evaluate_search search = {.question = question, .part = part, .limit = 1};
	struct evaluate_page page;

	return evaluate_search(bench->evaluate, &asker, &search, bench->arena, &page, &bench->err)
		       ? ""
		       : bench->err.text;
}

/* What may not be asked is not asked of nobody either. */
static void a_search_without_candidates_is_checked_too(void **state)
{
	struct bench *bench = *state;
	struct application_question question = own(bench, "write", "files/write", NULL);

	question.resource.type = TEXT("other");
	assert_string_equal(search_own(bench, EVALUATE_RESOURCES, &question), "");
	question.subject.id = TEXT("a2");
	assert_non_null(strstr(search_own(bench, EVALUATE_RESOURCES, &question), "forbidden: "));
	question.subject.type = TEXT("person"); /* nobody, as an evaluation says */
	assert_string_equal(search_own(bench, EVALUATE_RESOURCES, &question), "");
	question.context = parse(bench, "{\"approvals\":[\"owner\"]}");
	assert_non_null(strstr(search_own(bench, EVALUATE_RESOURCES, &question), "context."));
	/* The subject that is searched for is the asking one, whatever its id says. */
	assert_non_null(strstr(search_own(bench, EVALUATE_SUBJECTS, &question), "context."));
	question.context = NULL;
	question.subject = (struct application_entity){TEXT("identity"), TEXT("a2"), NULL};
	assert_string_equal(search_own(bench, EVALUATE_SUBJECTS, &question), "");
}

/* A slip must not send who asks to look for what is registered. */
static void a_word_that_remits_own_point_does_not_know_is_named(void **state)
{
	struct bench *bench = *state;
	struct evaluate_asker asker = asker_of("", "a1");
	struct application_question question = own(bench, "fly", "files/read", NULL);
	struct evaluate_answer answer;

	assert_true(evaluate_decide(
		bench->evaluate, &asker, &question, bench->arena, &answer, &bench->err));
	assert_true(text_is(answer.reason, "effect_mismatch"));
	assert_true(text_starts_with(
		answer.explanation, "action.name: no effect is \"fly\"; write read, write, "));
	question.action = TEXT("read");
	question.resource.type = TEXT("tol");
	assert_true(evaluate_decide(
		bench->evaluate, &asker, &question, bench->arena, &answer, &bench->err));
	assert_true(text_is(answer.reason, "tool_unknown"));
	assert_true(text_is(answer.explanation,
		"resource.type: no type is \"tol\"; it is asked about type tool"));
	question.subject.type = TEXT("user");
	assert_true(evaluate_decide(
		bench->evaluate, &asker, &question, bench->arena, &answer, &bench->err));
	assert_true(text_is(answer.reason, "identity_unknown"));
	assert_true(text_is(answer.explanation,
		"subject.type: no type is \"user\"; it is asked about type identity"));
	/* A letter across the most that is shown: the answer must be text. */
	question.subject.type = TEXT("123456789012345678901234567890123456789012345678901234567890"
				     "123\u00e4");
	assert_true(evaluate_decide(
		bench->evaluate, &asker, &question, bench->arena, &answer, &bench->err));
	assert_true(text_is_utf8(answer.explanation));
	assert_int_equal(answer.verdict, VERDICT_DENY);
}

static void remit_says_what_the_gateway_would(void **state)
{
	struct bench *bench = *state;
	struct evaluate_asker asker = asker_of("", "a1");
	struct application_question read =
		own(bench, "read", "files/read", "{\"args\":{\"path\":\"tickets/1\"}}");
	struct application_question elsewhere =
		own(bench, "read", "files/read", "{\"args\":{\"path\":\"home/1\"}}");
	struct application_question write = own(bench, "write", "files/write", NULL);
	struct application_question wrong = own(bench, "generate", "files/read", NULL);
	struct application_question none = own(bench, "nothing", "files/read", NULL);
	struct application_question nowhere = own(bench, "read", "files", NULL);
	enum verdict verdict;

	assert_string_equal(ask(bench, &asker, &nowhere, &verdict), "tool_unknown");
	assert_string_equal(ask(bench, &asker, &none, &verdict), "effect_mismatch");
	assert_string_equal(ask(bench, &asker, &wrong, &verdict), "effect_mismatch");
	assert_int_equal(verdict, VERDICT_DENY);
	(void)ask(bench, &asker, &elsewhere, &verdict);
	assert_int_equal(verdict, VERDICT_DENY);
	assert_string_equal(ask(bench, &asker, &write, &verdict), "approval_needed");
	assert_int_equal(verdict, VERDICT_ASK);
	assert_string_equal(ask(bench, &asker, &read, &verdict), "allowed");
	assert_int_equal(verdict, VERDICT_ALLOW);
	/* The environment is the token's, not one that would fit. */
	asker.environment = ENVIRONMENT_PROD;
	assert_string_equal(ask(bench, &asker, &read, &verdict), "environment");
	assert_int_equal(verdict, VERDICT_DENY);
}

/* May reply, and ask one model. */
#define ASKER                                                                                      \
	"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"        \
	"transport: {url: 'https://models.example/'}\nmodels: [{name: 'a/b:8', up-to: "            \
	"internal}]\n"                                                                             \
	"---\n"                                                                                    \
	"object: identity\nname: a1\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"          \
	"backup-owner: bo\nunit: support\npurpose: Asks\nenvironments: [staging]\n"                \
	"model: [{provider: open, name: 'a/b:8', up-to: internal}]\n"                              \
	"outputs: [{to: reply, up-to: internal}]\n"                                                \
	"entitlements:\n"                                                                          \
	"  - {effect: generate, resource: 'model:open/a/b:8',"                                     \
	" when: 'context.generation.prompt_tokens < 100'}\n"                                       \
	"expires: 2030-01-01\n"

static void of_a_model_the_arguments_are_facts_of_the_request(void **state)
{
	struct bench *bench = *state;
	struct evaluate_asker asker = asker_of("", "a1");
	struct application_question least = own(bench, "generate", "open/a/b:8", NULL);
	struct application_question fits =
		own(bench, "generate", "open/a/b:8", "{\"args\":{\"prompt_tokens\":99}}");
	struct application_question large =
		own(bench, "generate", "open/a/b:8", "{\"args\":{\"prompt_tokens\":100}}");
	const struct evaluate_search search = {
		.question = &least, .part = EVALUATE_ACTIONS, .limit = 9};
	struct evaluate_page page;
	enum verdict verdict;

	assert_true(governed_apply(&bench->governed, "adi", ASKER));
	assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_string_equal(ask(bench, &asker, &large, &verdict), "no_entitlement");
	assert_string_equal(ask(bench, &asker, &fits, &verdict), "allowed");
	assert_string_equal(ask(bench, &asker, &least, &verdict), "allowed");
	assert_true(evaluate_search(
		bench->evaluate, &asker, &search, bench->arena, &page, &bench->err));
	assert_int_equal(page.count, 1);
	assert_true(text_is(page.items[0].id, "generate"));
}

/* {"a":"xx…"} of so many bytes. */
static const struct json *long_object(struct bench *bench, size_t bytes)
{
	size_t around = sizeof "{\"a\":\"\"}" - 1;
	char *text = arena_array(bench->arena, char, bytes + 1);

	assert_non_null(text);
	(void)snprintf(text, bytes + 1, "{\"a\":\"%*s\"}", (int)(bytes - around), "");
	return parse(bench, text);
}

static struct evaluate_page search_for(struct bench *bench, const char *application,
	const struct application_question *question, uint32_t limit, uint64_t from)
{
	struct evaluate_asker asker = asker_of(application, "a1");
	const struct evaluate_search search = {.question = question,
		.part = EVALUATE_RESOURCES,
		.limit = limit,
		.from = {.index = from}};
	struct evaluate_page page;

	if (!evaluate_search(bench->evaluate, &asker, &search, bench->arena, &page, &bench->err))
		fail_msg("%s", bench->err.text);
	return page;
}

static struct evaluate_page search_items(
	struct bench *bench, const char *application, uint32_t limit, uint64_t from)
{
	const struct application_question question = buy("ignored");

	return search_for(bench, application, &question, limit, from);
}

static void a_search_finds_what_evaluations_permit_page_by_page(void **state)
{
	struct bench *bench = *state;
	struct evaluate_page page = search_items(bench, "shop", 1, 0);

	assert_int_equal(page.count, 1);
	assert_true(text_is(page.items[0].id, "i1"));
	assert_true(page.next.index > 0);
	page = search_items(bench, "shop", 1, page.next.index);
	assert_int_equal(page.count, 1);
	assert_true(text_is(page.items[0].id, "i3"));
	assert_int_equal(page.next.index, 0);
	page = search_items(bench, "shop", 2, 0);
	assert_int_equal(page.count, 2);
	assert_int_equal(page.next.index, 0);
}

/* May reply, and read by four tools. */
#define BROWSER                                                                                    \
	"object: tool\nname: files/a\neffect: read\n---\n"                                         \
	"object: tool\nname: files/b\neffect: read\n---\n"                                         \
	"object: tool\nname: files/c\neffect: read\n---\n"                                         \
	"object: tool\nname: files/d\neffect: read\n---\n"                                         \
	"object: identity\nname: a1\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"          \
	"backup-owner: bo\nunit: support\npurpose: Reads\nenvironments: [staging]\n"               \
	"outputs: [{to: reply, up-to: internal}]\n"                                                \
	"entitlements:\n"                                                                          \
	"  - {effect: read, tool: files/a}\n"                                                      \
	"  - {effect: read, tool: files/b}\n"                                                      \
	"  - {effect: read, tool: files/c}\n"                                                      \
	"  - {effect: read, tool: files/d}\n"                                                      \
	"expires: 2030-01-01\n"

static void assert_next_tool(struct bench *bench, struct evaluate_place *place, const char *due)
{
	const struct evaluate_asker asker = asker_of("", "a1");
	const struct application_question question = own(bench, "read", "", NULL);
	const struct evaluate_search search = {
		.question = &question, .part = EVALUATE_RESOURCES, .limit = 1, .from = *place};
	struct evaluate_page page;

	assert_true(evaluate_search(
		bench->evaluate, &asker, &search, bench->arena, &page, &bench->err));
	assert_int_equal(page.count, due == NULL ? 0 : 1);
	if (due != NULL)
		assert_true(text_is(page.items[0].id, due));
	*place = page.next;
	place->after = text_copy(bench->arena, place->after);
}

/* Tools have names, by which a place holds over what is added, changed and removed. */
static void a_place_among_tools_survives_changes(void **state)
{
	struct bench *bench = *state;
	struct evaluate_place place = {0};
	uint64_t before = evaluate_state(bench->evaluate, TEXT(""));

	assert_true(governed_apply(&bench->governed, "adi", BROWSER));
	assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_next_tool(bench, &place, "files/a");
	assert_true(governed_apply(&bench->governed, "adi",
		"object: tool\nname: files/aa\neffect: read\n---\n"
		"object: tool\nname: files/0\neffect: read\n"));
	assert_next_tool(bench, &place, "files/b");
	place.after = TEXT("files/bb"); /* as of one that is removed since */
	assert_next_tool(bench, &place, "files/c");
	assert_next_tool(bench, &place, "files/d");
	assert_next_tool(bench, &place, NULL);
	assert_int_equal(place.after.length, 0);
	assert_int_equal(evaluate_state(bench->evaluate, TEXT("")), before);
}

/* A crowd of closed items, so that nothing is found. */
static void register_crowd(struct bench *bench, unsigned count)
{
	struct buffer yaml;

	buffer_init(&yaml, 1024 * 1024);
	buffer_append_string(&yaml, "object: application\nname: crowd\nunit: support\n"
				    "callers: [a1]\npolicies: 'forbid (principal, action, "
				    "resource);'\nentities:\n");
	for (unsigned i = 0; i < count; i++)
		buffer_append_format(
			&yaml, " - {uid: {type: Item, id: i%u}, attrs: {}, parents: []}\n", i);
	buffer_append_byte(&yaml, '\0');
	assert_false(buffer_failed(&yaml));
	assert_true(governed_apply_by_two(&bench->governed, "adi", yaml.data));
	buffer_deinit(&yaml);
}

static void a_page_ends_after_so_many_candidates(void **state)
{
	struct bench *bench = *state;
	struct evaluate_page page;

	register_crowd(bench, EVALUATE_CANDIDATES_MAX);
	page = search_items(bench, "crowd", EVALUATE_PAGE_MAX, 0);
	assert_int_equal(page.count, 0);
	assert_int_equal(page.next.index, 0);
	register_crowd(bench, EVALUATE_CANDIDATES_MAX + 1);
	page = search_items(bench, "crowd", EVALUATE_PAGE_MAX, 0);
	assert_int_equal(page.count, 0);
	assert_int_equal(page.next.index, EVALUATE_CANDIDATES_MAX);
	page = search_items(bench, "crowd", EVALUATE_PAGE_MAX, page.next.index);
	assert_int_equal(page.next.index, 0);
}

/* Tools files/tNNNN, beside the two of the governed world. */
static void register_tools(struct bench *bench, int from, int count)
{
	struct buffer yaml;

	buffer_init(&yaml, 1024 * 1024);
	for (int i = from; i < from + count; i++)
		buffer_append_format(
			&yaml, "---\nobject: tool\nname: files/t%04d\neffect: read\n", i);
	buffer_append_byte(&yaml, '\0');
	assert_false(buffer_failed(&yaml));
	assert_true(governed_apply(&bench->governed, "adi", yaml.data));
	buffer_deinit(&yaml);
}

static void a_page_ends_after_so_many_tools(void **state)
{
	struct bench *bench = *state;
	const struct evaluate_asker asker = asker_of("", "a1");
	const struct application_question question = own(bench, "read", "", NULL);
	struct evaluate_search search = {
		.question = &question, .part = EVALUATE_RESOURCES, .limit = EVALUATE_PAGE_MAX};
	struct evaluate_page page;

	for (int over = -1; over <= 1; over++) {
		if (over == -1)
			register_tools(bench, 0, EVALUATE_CANDIDATES_MAX - 3);
		else
			register_tools(bench, EVALUATE_CANDIDATES_MAX - 3 + over, 1);
		assert_true(evaluate_search(
			bench->evaluate, &asker, &search, bench->arena, &page, &bench->err));
		assert_int_equal(page.next.after.length > 0, over > 0);
	}
	assert_true(text_is(page.next.after, "files/t1998"));
	search.from.after = text_copy(bench->arena, page.next.after);
	assert_true(evaluate_search(
		bench->evaluate, &asker, &search, bench->arena, &page, &bench->err));
	assert_int_equal(page.next.after.length, 0);
}

enum { MEMBERS_READ = 4 };

/* Gives a question a value for one of what is read of it. */
static void set_member(
	struct application_question *question, size_t which, const struct json *value)
{
	const struct json **const members[MEMBERS_READ] = {&question->context,
		&question->action_properties, &question->subject.properties,
		&question->resource.properties};

	*members[which] = value;
}

/* What a search says is read for each candidate. */
static void a_page_ends_sooner_where_much_is_read_for_each(void **state)
{
	enum { CROWD = 10, BYTES = EVALUATE_READ_BYTES_MAX / CROWD };
	static const struct {
		size_t bytes;
		uint64_t next;
	} rows[] = {{BYTES - 1, 0}, {BYTES, 0}, {BYTES + 1, 9}};
	struct bench *bench = *state;

	register_crowd(bench, CROWD);
	for (size_t which = 0; which < MEMBERS_READ; which++) {
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			struct application_question question = buy("ignored");

			set_member(&question, which, long_object(bench, rows[i].bytes));
			assert_int_equal(search_for(bench, "crowd", &question, 5, 0).next.index,
				rows[i].next);
			assert_int_equal(search_for(bench, "crowd", &question, 5, 9).next.index, 0);
		}
	}
}

static void all_that_is_read_of_a_question_counts_together(void **state)
{
	enum { CROWD = 10, BYTES = EVALUATE_READ_BYTES_MAX / CROWD / MEMBERS_READ };
	struct bench *bench = *state;
	struct application_question question = buy("ignored");

	register_crowd(bench, CROWD);
	for (size_t which = 0; which < MEMBERS_READ; which++)
		set_member(&question, which, long_object(bench, BYTES));
	assert_int_equal(search_for(bench, "crowd", &question, 5, 0).next.index, 0);
	for (size_t which = 0; which < MEMBERS_READ; which++)
		set_member(&question, which, long_object(bench, BYTES + 1));
	assert_int_equal(search_for(bench, "crowd", &question, 5, 0).next.index, 9);
}

/* Open for good, about arguments that are wrong or those of the question. */
static void open_approval(struct bench *bench, int number, struct text arguments)
{
	const struct registry_entry *entry =
		registry_find(bench->governed.registry, OBJECT_IDENTITY, TEXT("a1"));
	const struct sha256 digest =
		sha256_of_parts((const struct text[]){TEXT("t-1"), arguments}, 2);
	char hex[DIGEST_TEXT_BYTES];
	struct text record;

	digest_format(hex, &digest);
	record = text_format(bench->arena,
		"{\"type\":\"approval-asked\",\"at\":1,\"approval\":\"a-%020d\",\"identity\":"
		"\"a1\","
		"\"task\":\"t-1\",\"tool\":\"files/"
		"write\",\"names\":[\"owner\"],\"charter\":\"a1@%u\","
		"\"call\":\"sha256:%064d\",\"arguments\":\"%s\",\"expires\":4000000000000}",
		number, entry->in_force->version, number, hex);
	if (!fold_apply_entry(bench->governed.fold, record, TEXT(""),
		    fold_next_index(bench->governed.fold), &bench->err))
		fail_msg("%s", bench->err.text);
}

static bool is_handle_found(struct bench *bench, const struct json *context)
{
	struct evaluate_asker asker = asker_of("", "a1");
	struct application_question question = own(bench, "write", "files/write", NULL);
	struct evaluate_answer answer;

	question.context = context;
	if (!evaluate_decide(
		    bench->evaluate, &asker, &question, bench->arena, &answer, &bench->err))
		fail_msg("%s", bench->err.text);
	assert_int_equal(answer.verdict, VERDICT_ASK);
	return answer.approval.length > 0;
}

/* They are read for each open approval, up to a bound. */
static void arguments_are_compared_with_so_many_approvals(void **state)
{
	enum { LOOKS = 4, BYTES = EVALUATE_COMPARED_BYTES_MAX / LOOKS };
	struct bench *bench = *state;
	const struct json *task = parse(bench,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-1\",\"identity\":\"a1\","
		"\"charter-version\":1,\"environment\":\"staging\",\"deadline\":4000000000000,"
		"\"identity-epoch\":0}");
	struct json_member member = {TEXT("args"), *long_object(bench, BYTES)};
	struct json context = {.type = JSON_OBJECT, .count = 1, .members = &member};

	assert_true(task_table_fold(bench->tasks, task, 0, &bench->err));
	open_approval(bench, 0, json_canonical_text(bench->arena, &member.value));
	assert_true(is_handle_found(bench, &context));
	for (int i = 1; i < LOOKS; i++)
		open_approval(bench, i, TEXT("others"));
	assert_true(is_handle_found(bench, &context));
	member.value = *long_object(bench, BYTES + 1);
	open_approval(bench, LOOKS, json_canonical_text(bench->arena, &member.value));
	assert_false(is_handle_found(bench, &context));
	member.value = *long_object(bench, BYTES);
	open_approval(bench, LOOKS + 1, json_canonical_text(bench->arena, &member.value));
	assert_true(is_handle_found(bench, &context));
}

static void another_version_is_another_state(void **state)
{
	struct bench *bench = *state;
	uint64_t shop = evaluate_state(bench->evaluate, TEXT("shop"));

	assert_int_equal(evaluate_state(bench->evaluate, TEXT("shed")), 0);
	assert_true(governed_apply_by_two(&bench->governed, "adi",
		"object: application\nname: shop\nunit: support\ncallers: [a1]\n"
		"policies: 'forbid (principal, action, resource);'\n"));
	assert_int_equal(evaluate_state(bench->evaluate, TEXT("shop")), shop + 1);
	assert_int_equal(evaluate_state(bench->evaluate, TEXT("")), 0);
}

/* ---- records ---- */

static void on_done(void *context, const struct error *err)
{
	struct bench *bench = context;

	bench->done++;
	bench->is_lost = err != NULL;
}

static bool record(struct bench *bench, bool *is_done)
{
	struct evaluate_asker asker = asker_of("shop", "a1");
	static const struct text policy = {"application/shop@1/0", 20};
	const struct evaluate_result result = {.verdict = VERDICT_ALLOW,
		.reason = TEXT("permitted"),
		.policies = &policy,
		.policies_count = 1};
	const struct evaluate_summary summary = {.endpoint = "evaluation",
		.id = TEXT("e-1"),
		.request = parse(bench, "{\"subject\":{\"id\":\"secret-name\"}}"),
		.results = &result,
		.results_count = 1};
	const struct evaluate_waiter waiter = {on_done, bench};

	return evaluate_record(bench->evaluate, &asker, &summary, &waiter, is_done, &bench->err);
}

/* Questions of an application whose canonical form, in its list, has so many bytes. */
static bool record_of_bytes(struct bench *bench, size_t bytes)
{
	const struct evaluate_asker asker = asker_of("shop", "a1");
	struct json value = {.type = JSON_OBJECT};
	struct json_member member = {TEXT("x"), {.type = JSON_STRING}};
	struct application_question question = buy("i1");
	struct evaluate_result result = {.question = &question, .reason = TEXT("no_permit")};
	const struct evaluate_summary summary = {.endpoint = "evaluation",
		.id = TEXT("e-1"),
		.request = parse(bench, "{}"),
		.results = &result,
		.results_count = 1};
	const struct evaluate_waiter waiter = {on_done, bench};
	size_t around = strlen("[{\"action\":\"buy\",\"context\":{\"x\":\"\"},\"resource\":{\"id\":"
			       "\"i1\",\"type\":\"Item\"},\"subject\":{\"id\":\"u\",\"type\":"
			       "\"User\"}}]");
	char *text = calloc(1, bytes - around + 1);
	bool is_done, ok;

	assert_non_null(text);
	memset(text, 'x', bytes - around);
	member.value.string = (struct text){text, bytes - around};
	value.count = 1;
	value.members = &member;
	question.context = &value;
	ok = evaluate_record(bench->evaluate, &asker, &summary, &waiter, &is_done, &bench->err);
	free(text);
	return ok;
}

static struct text last_entry(struct bench *bench)
{
	return bench->governed.log.entries[bench->governed.log.count - 1].entry;
}

static struct text last_content(struct bench *bench)
{
	return bench->governed.log.entries[bench->governed.log.count - 1].content;
}

static bool last_entry_has(struct bench *bench, const char *part)
{
	struct text entry = last_entry(bench);

	return memmem(entry.data, entry.length, part, strlen(part)) != NULL;
}

static void questions_of_an_application_are_not_kept_unless_it_says_so(void **state)
{
	static const struct {
		const char *shop;
		bool keeps;
	} cases[] = {{SHOP_SAYING("keep-questions: false\n"), false},
		{SHOP_SAYING("keep-questions: true\n"), true}, {SHOP, false}};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(governed_apply_by_two(&bench->governed, "adi", cases[i].shop));
		assert_true(record_of_bytes(bench, 200));
		assert_int_equal(last_content(bench).length, cases[i].keeps ? 200 : 0);
		assert_int_equal(last_entry_has(bench, "\"content\":\"sha256:"), cases[i].keeps);
		assert_int_equal(last_entry_has(bench, "\"seen\":"), cases[i].keeps);
		assert_true(last_entry_has(bench, "\"request\":\"sha256:"));
	}
}

static void questions_of_an_application_are_sealed_up_to_a_bound(void **state)
{
	struct bench *bench = *state;
	size_t before;

	assert_true(governed_apply_by_two(
		&bench->governed, "adi", SHOP_SAYING("keep-questions: true\n")));
	assert_true(record_of_bytes(bench, EVALUATE_CONTENT_BYTES_MAX - 1));
	assert_int_equal(last_content(bench).length, EVALUATE_CONTENT_BYTES_MAX - 1);
	assert_true(record_of_bytes(bench, EVALUATE_CONTENT_BYTES_MAX));
	assert_int_equal(last_content(bench).length, EVALUATE_CONTENT_BYTES_MAX);
	assert_true(last_entry_has(bench, "\"content\":\"sha256:"));
	/* One more: not on record, so that nothing may be answered. */
	before = bench->governed.log.count;
	assert_false(record_of_bytes(bench, EVALUATE_CONTENT_BYTES_MAX + 1));
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->governed.log.count, before);
}

static void a_record_has_a_digest_and_no_values(void **state)
{
	struct bench *bench = *state;
	struct json entry;
	struct text text;
	bool is_done;

	assert_true(record(bench, &is_done));
	text = last_entry(bench);
	assert_null(memmem(text.data, text.length, "secret-name", 11));
	assert_true(json_parse(&entry, bench->arena, text, &json_limits_default, &bench->err));
	assert_true(text_is(json_text_or(&entry, "type", ""), "evaluation"));
	assert_true(text_is(json_text_or(&entry, "actor", ""), "identity:a1"));
	assert_true(text_is(json_text_or(&entry, "verdict", ""), "allow"));
	assert_true(text_is(json_text_or(&entry, "application", ""), "shop@1"));
	assert_true(text_starts_with(json_text_or(&entry, "request", ""), "sha256:"));
}

static void awaited_is_done_once_it_is_durable(void **state)
{
	struct bench *bench = *state;
	bool is_done = true;

	bench->governed.log.is_held = true;
	assert_true(record(bench, &is_done));
	assert_false(is_done);
	assert_int_equal(bench->done, 0);
	fake_log_flush(&bench->governed.log);
	assert_int_equal(bench->done, 1);
	assert_false(bench->is_lost);
}

static void a_lost_record_is_told(void **state)
{
	struct bench *bench = *state;
	bool is_done;

	bench->governed.log.loses = true;
	assert_true(record(bench, &is_done));
	assert_int_equal(bench->done, 1);
	assert_true(bench->is_lost);
}

static void behind_is_done_at_once_and_tells_nobody(void **state)
{
	struct bench *bench = *state;
	bool is_done = false;

	make(bench, EVALUATE_BEHIND);
	bench->governed.log.is_held = true;
	assert_true(record(bench, &is_done));
	assert_true(is_done);
	fake_log_flush(&bench->governed.log);
	assert_int_equal(bench->done, 0);
}

static void so_many_records_may_be_behind_their_answer(void **state)
{
	struct bench *bench = *state;
	bool is_done = false;

	make(bench, EVALUATE_BEHIND);
	bench->governed.log.is_held = true;
	for (int i = 0; i < EVALUATE_BEHIND_MAX; i++) {
		assert_true(record(bench, &is_done));
		assert_true(is_done);
	}
	assert_true(record(bench, &is_done));
	assert_false(is_done);
	fake_log_flush(&bench->governed.log);
	assert_int_equal(bench->done, 1);
	assert_true(record(bench, &is_done));
	assert_true(is_done);
	fake_log_flush(&bench->governed.log);
}

static void a_log_that_refuses_leaves_nothing_to_answer(void **state)
{
	struct bench *bench = *state;
	bool is_done;

	make(bench, EVALUATE_BEHIND);
	bench->governed.log.refuses = true;
	assert_false(record(bench, &is_done));
}

static void so_many_records_may_be_on_their_way(void **state)
{
	struct bench *bench = *state;
	bool is_done;

	bench->governed.log.is_held = true;
	for (int i = 0; i < EVALUATE_IN_FLIGHT_MAX; i++)
		assert_true(record(bench, &is_done));
	assert_false(record(bench, &is_done));
	assert_int_equal(bench->err.code, ERROR_LIMIT);
	fake_log_flush(&bench->governed.log);
	assert_int_equal(bench->done, EVALUATE_IN_FLIGHT_MAX);
	assert_true(record(bench, &is_done));
	fake_log_flush(&bench->governed.log);
}

#define EVALUATE_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVALUATE_TEST(only_named_identities_may_ask_an_application),
		EVALUATE_TEST(an_identity_asks_remit_about_itself_alone),
		EVALUATE_TEST(what_only_remit_knows_cannot_be_given),
		EVALUATE_TEST(a_search_without_candidates_is_checked_too),
		EVALUATE_TEST(a_word_that_remits_own_point_does_not_know_is_named),
		EVALUATE_TEST(remit_says_what_the_gateway_would),
		EVALUATE_TEST(of_a_model_the_arguments_are_facts_of_the_request),
		EVALUATE_TEST(a_search_finds_what_evaluations_permit_page_by_page),
		EVALUATE_TEST(a_place_among_tools_survives_changes),
		EVALUATE_TEST(a_page_ends_after_so_many_candidates),
		EVALUATE_TEST(a_page_ends_after_so_many_tools),
		EVALUATE_TEST(a_page_ends_sooner_where_much_is_read_for_each),
		EVALUATE_TEST(all_that_is_read_of_a_question_counts_together),
		EVALUATE_TEST(arguments_are_compared_with_so_many_approvals),
		EVALUATE_TEST(another_version_is_another_state),
		EVALUATE_TEST(a_record_has_a_digest_and_no_values),
		EVALUATE_TEST(questions_of_an_application_are_not_kept_unless_it_says_so),
		EVALUATE_TEST(questions_of_an_application_are_sealed_up_to_a_bound),
		EVALUATE_TEST(awaited_is_done_once_it_is_durable),
		EVALUATE_TEST(a_lost_record_is_told),
		EVALUATE_TEST(behind_is_done_at_once_and_tells_nobody),
		EVALUATE_TEST(so_many_records_may_be_behind_their_answer),
		EVALUATE_TEST(a_log_that_refuses_leaves_nothing_to_answer),
		EVALUATE_TEST(so_many_records_may_be_on_their_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
