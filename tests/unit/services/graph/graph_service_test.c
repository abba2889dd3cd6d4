#include "services/graph/graph_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "domain/charter/narrow.h"
#include "domain/graph/history.h"
#include "domain/inventory/layer.h"
#include "services/registry/plan_accounts.h"
#include "services/registry/plan_excess.h"
#include "services/registry/projector.h"
#include "support/governed.h"
#include "support/memory_store.h"

enum { DAY_S = 86400 };

struct fixture {
	struct governed governed;
	struct waiver_service *waivers;
	struct graph_service *service;
	const struct fake_log *read; /* by the service, at its start; NULL: its own */
	uint64_t read_next;
	unsigned log_closed;
	char waiver[RANDOM_ID_BYTES]; /* asked for last */
};

static size_t live(void *context, const struct charter *charter, int64_t now_utc_s,
	struct arena *arena, struct text *first)
{
	return graph_excess_live(context, charter, now_utc_s, arena, first);
}

static bool check(
	void *context, const struct charter *charter, int64_t now_utc_s, struct error *err)
{
	return graph_check_excess(context, charter, now_utc_s, err);
}

static bool open_log(void *context, uint64_t from, struct error *err)
{
	(void)err;
	((struct fixture *)context)->read_next = from;
	return true;
}

static void close_log(void *context)
{
	((struct fixture *)context)->log_closed++;
}

static bool next_of_log(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err)
{
	struct fixture *fixture = context;
	const struct fake_log *log = fixture->read == NULL ? &fixture->governed.log : fixture->read;

	(void)err;
	*is_end = fixture->read_next >= log->count;
	if (*is_end)
		return true;
	*entry = log->entries[fixture->read_next].entry;
	*index = fixture->read_next++;
	return true;
}

static void start(struct fixture *fixture)
{
	struct governed *governed = &fixture->governed;
	struct excess_port port = {.live = live, .check = check};
	struct error err = {0};

	governed_init_loading(governed);
	assert_true(waiver_service_create(&fixture->waivers, governed->fold, &err));
	assert_true(graph_service_create(&fixture->service,
		&(struct graph_parts){.registry = governed->registry,
			.fold = governed->fold,
			.waivers = fixture->waivers,
			.log = {.context = fixture,
				.open = open_log,
				.next = next_of_log,
				.close = close_log}},
		&err));
	port.context = fixture->service;
	registrar_use_excess(governed->registrar, &port);
}

static const char crm[] =
	"object: person\nname: cy\nunit: sales\n---\n"
	"object: data-source\nname: crm\nunit: sales\ncustodian: cy\nenvironment: staging\n"
	"sensitivity: internal\nat: [aws/crm]\n";

static const char a2_head[] =
	"object: identity\nname: a2\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Acts elsewhere\nenvironments: [staging]\n"
	"accounts: [aws/bot]\n";

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err = {0};

	start(fixture);
	assert_true(fold_finish_loading(fixture->governed.fold, &err));
	governed_found(&fixture->governed);
	assert_true(governed_apply(&fixture->governed, "adi", governed_world_yaml));
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_APPROVE, "a1"));
	while (!graph_is_counted(fixture->service))
		(void)graph_keep_counts(fixture->service);
	*state = fixture;
	return 0;
}

static void stop(struct fixture *fixture)
{
	graph_validate(graph_service_graph(fixture->service));
	graph_service_destroy(&fixture->service);
	waiver_service_destroy(&fixture->waivers);
	governed_deinit(&fixture->governed);
}

static int tear_down(void **state)
{
	stop(*state);
	free(*state);
	return 0;
}

/* ---- asking ---- */

typedef bool question(struct graph_service *service, const struct graph_asked *asked,
	struct arena *arena, struct json *out, struct error *err);

static bool try_ask(struct fixture *fixture, question *ask, const struct graph_asked *asked,
	struct json *out, struct error *err)
{
	struct graph_asked whole = *asked;

	if (whole.count == 0)
		whole.count = 100;
	return ask(fixture->service, &whole, fixture->governed.arena, out, err);
}

static struct json ask(struct fixture *fixture, question *ask_it, const struct graph_asked *asked)
{
	struct error err = {0};
	struct json out;

	if (!try_ask(fixture, ask_it, asked, &out, &err))
		fail_msg("%s", err.text);
	return out;
}

static const struct json *item_at(const struct json *answer, const char *list, uint32_t number)
{
	const struct json *items = json_find(answer, list);

	assert_non_null(items);
	assert_true(number < items->count);
	return &items->items[number];
}

#define assert_says(object, name, word)                                                            \
	assert_string_equal(                                                                       \
		text_copy(fixture->governed.arena, json_text_or(object, name, "(absent)")).data,   \
		word)

/* ---- what a connector saw ---- */

static void see(struct fixture *fixture, const char *part, const struct inventory_item *item)
{
	struct arena *scratch = arena_create(1 << 16);
	struct inventory_layer_part at = {TEXT("aws"), text_of(part)};
	struct error err = {0};

	if (!inventory_layer_put(graph_service_graph(fixture->service), &at, item, scratch, &err))
		fail_msg("%s", err.text);
	arena_destroy(&scratch);
}

static void see_may(struct fixture *fixture, const char *resource, uint32_t effects)
{
	struct text to = text_format(fixture->governed.arena, "resource:%s", resource);
	const struct inventory_item may = {
		.edge = GRAPH_EDGE_MAY, .from = TEXT("account:bot"), .to = to, .effects = effects};

	see(fixture, resource, &may);
}

static bool apply_a2(struct fixture *fixture, const char *more)
{
	return governed_apply(&fixture->governed, "ana",
		text_format(fixture->governed.arena, "%s%s", a2_head, more).data);
}

/* crm is another unit's, which agrees. */
static bool approve_a2(struct fixture *fixture)
{
	(void)!governed_step(&fixture->governed, "cy", REGISTRAR_CONSENT, "a2");
	return governed_step(&fixture->governed, "bo", REGISTRAR_APPROVE, "a2");
}

static size_t count_excess(struct fixture *fixture)
{
	struct json out;
	struct error err = {0};

	if (!graph_excess_json(fixture->service, TEXT("a2"),
		    fixture->governed.log.now_utc_ms / 1000, fixture->governed.arena, &out, &err))
		fail_msg("%s", err.text);
	return (size_t)json_integer_or(&out, "live", -1);
}

/* ---- tests ---- */

static void what_is_not_there_is_said_so(void **state)
{
	struct fixture *fixture = *state;
	struct graph_asked asked = {.from = TEXT("nobody")};
	struct error err = {0};
	struct json out;

	assert_false(try_ask(fixture, graph_show, &asked, &out, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	asked.from = TEXT("tool:a1");
	assert_false(try_ask(fixture, graph_reach, &asked, &out, &err));
	asked.from = TEXT("");
	assert_false(try_ask(fixture, graph_path, &asked, &out, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	asked.from = TEXT("a1");
	asked.hops = GRAPH_SHOW_HOPS_MAX + 1;
	assert_false(try_ask(fixture, graph_show, &asked, &out, &err));
	asked.hops = GRAPH_SHOW_HOPS_MAX;
	assert_true(try_ask(fixture, graph_show, &asked, &out, &err));
	asked.without = TEXT("999999");
	assert_false(try_ask(fixture, graph_reach, &asked, &out, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_false(graph_excess_json(
		fixture->service, TEXT("zz"), 0, fixture->governed.arena, &out, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_path_says_who_granted_each_hop(void **state)
{
	struct fixture *fixture = *state;
	struct graph_asked asked = {.from = TEXT("ana"), .to = TEXT("data-source:tickets")};
	struct json answer = ask(fixture, graph_path, &asked);
	const struct json *path = item_at(&answer, "paths", 0);
	const struct json *may;

	assert_int_equal(json_integer_or(&answer, "total", 0), 1);
	assert_int_equal(path->count, 3); /* owns, may, reads */
	may = &path->items[1];
	assert_says(may, "kind", "may");
	assert_says(may, "by", "person:bo");
	assert_says(may, "policy", "charter/a1@1/entitlements/0");
	assert_says(may, "until", "2030-01-01T00:00:00.000Z");
	assert_says(may, "used", "never seen");
	assert_null(json_find(may, "unknown"));
}

static void without_its_edge_there_is_no_path(void **state)
{
	struct fixture *fixture = *state;
	struct graph_asked asked = {.from = TEXT("identity:a1"), .to = TEXT("tickets")};
	struct json answer = ask(fixture, graph_path, &asked);
	const struct json *first = &item_at(&answer, "paths", 0)->items[0];

	asked.without = text_format(
		fixture->governed.arena, "%lld", (long long)json_integer_or(first, "edge", 0));
	answer = ask(fixture, graph_path, &asked);
	assert_int_equal(json_integer_or(&answer, "total", -1), 0);
	asked.without = TEXT("tool:files/read");
	answer = ask(fixture, graph_path, &asked);
	assert_int_equal(json_integer_or(&answer, "total", -1), 0);
}

static void reach_shows_the_worst_first_and_goes_on(void **state)
{
	struct fixture *fixture = *state;
	struct graph_asked asked = {.from = TEXT("a1"), .count = 1};
	struct json answer = ask(fixture, graph_reach, &asked);

	assert_int_equal(json_integer_or(&answer, "total", 0), 3);
	assert_says(item_at(&answer, "items", 0), "what", "data-source:tickets");
	assert_says(&answer, "next", "1");
	asked.after = 1;
	asked.count = 5;
	answer = ask(fixture, graph_reach, &asked);
	assert_says(item_at(&answer, "items", 0), "what", "tool:files/write");
	assert_null(json_find(&answer, "next"));
}

static void who_acts_elsewhere_is_looked_at_by_its_accounts(void **state)
{
	struct fixture *fixture = *state;
	struct graph_asked asked = {.from = TEXT("a2"), .is_inherited = true};
	struct json answer;

	see_may(fixture, "crm", 1 << EFFECT_READ);
	assert_true(governed_apply(&fixture->governed, "adi", crm));
	assert_true(apply_a2(fixture, "data-sources: [{name: crm, up-to: internal}]\n"
				      "entitlements: [{effect: write, tool: files/write}]\n"));
	assert_true(approve_a2(fixture));
	answer = ask(fixture, graph_reach, &asked);
	assert_int_equal(json_integer_or(&answer, "total", 0), 2);
	/* Nobody labelled it, so it counts as restricted. */
	assert_says(item_at(&answer, "items", 0), "what", "resource:aws/crm");
	assert_says(item_at(&answer, "items", 1), "what", "data-source:crm");
	assert_says(json_find(item_at(&answer, "items", 0), "edge"), "by", "unknown");
	assert_int_equal(
		json_find(json_find(item_at(&answer, "items", 0), "edge"), "unknown")->count, 3);
}

static void what_accounts_open_undeclared_stops_the_approval(void **state)
{
	struct fixture *fixture = *state;

	see_may(fixture, "crm", 1 << EFFECT_READ);
	assert_true(apply_a2(fixture, ""));
	assert_false(approve_a2(fixture));
	assert_int_equal(fixture->governed.last.err.code, ERROR_CONFLICT);
	assert_non_null(strstr(fixture->governed.last.err.text, "read of aws/crm by aws/bot"));
	assert_int_equal(count_excess(fixture), 1);
	/* A data source alone does not declare it; the charter does. */
	assert_true(governed_apply(&fixture->governed, "adi", crm));
	assert_false(approve_a2(fixture));
	assert_true(apply_a2(fixture, "data-sources: [{name: crm, up-to: public}]\n"));
	assert_false(approve_a2(fixture));
	assert_true(apply_a2(fixture, "data-sources: [{name: crm, up-to: internal}]\n"));
	assert_int_equal(count_excess(fixture), 0);
	assert_true(approve_a2(fixture));
	/* What is seen later is no less too much. */
	see_may(fixture, "other", 1 << EFFECT_READ);
	assert_int_equal(count_excess(fixture), 1);
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_SUSPEND, "a2"));
	assert_false(governed_step(&fixture->governed, "bo", REGISTRAR_REACTIVATE, "a2"));
}

/* The edge that a connector saw, and no more of its ends than their names. */
static void see_edge(
	struct fixture *fixture, enum graph_edge_kind kind, const char *from, const char *to)
{
	const struct inventory_item edge = {.edge = kind,
		.from = text_of(from),
		.to = text_of(to),
		.effects = kind == GRAPH_EDGE_MAY ? 1 << EFFECT_READ : 0};

	see(fixture, text_format(fixture->governed.arena, "%s %s", from, to).data, &edge);
}

/* Behind so many hops there may be anything. */
static void a_chain_that_is_too_long_to_follow_stops_the_approval(void **state)
{
	struct fixture *fixture = *state;
	char from[32] = "account:bot", to[32];

	assert_true(apply_a2(fixture, ""));
	for (int i = 1; i <= GRAPH_PATH_HOPS_MAX; i++) {
		(void)snprintf(to, sizeof to, "account:c%d", i);
		see_edge(fixture, GRAPH_EDGE_USES, from, to);
		memcpy(from, to, sizeof from);
	}
	assert_true(approve_a2(fixture));
	assert_true(apply_a2(fixture, "review: 30d\n"));
	see_edge(fixture, GRAPH_EDGE_MAY, from, "resource:crm");
	assert_false(approve_a2(fixture));
	assert_non_null(
		strstr(fixture->governed.last.err.text, "reach more than can be looked at"));
}

static void more_credentials_than_can_be_looked_at_stop_the_approval(void **state)
{
	struct fixture *fixture = *state;
	char to[32];

	assert_true(apply_a2(fixture, ""));
	for (int i = 0; i <= GRAPH_STARTS_MAX; i++) {
		(void)snprintf(to, sizeof to, "credential:k%d", i);
		see_edge(fixture, GRAPH_EDGE_HOLDS, "identity:a2", to);
	}
	assert_false(approve_a2(fixture));
	assert_non_null(
		strstr(fixture->governed.last.err.text, "reach more than can be looked at"));
}

/* ---- who inherits ---- */

static struct json ask_who(struct fixture *fixture, const struct graph_who *asked)
{
	struct graph_who whole = *asked;
	struct error err = {0};
	struct json out;

	whole.now_utc_s = fixture->governed.log.now_utc_ms / 1000;
	if (whole.count == 0)
		whole.count = 100;
	if (!graph_who(fixture->service, &whole, fixture->governed.arena, &out, &err))
		fail_msg("%s", err.text);
	return out;
}

/* a2 is the bot, which may read crm until tomorrow; nobody stands for a flow that may. */
static void see_heirs(struct fixture *fixture)
{
	const struct inventory_item may = {.edge = GRAPH_EDGE_MAY,
		.from = TEXT("account:bot"),
		.to = TEXT("resource:crm"),
		.effects = 1 << EFFECT_READ,
		.by = TEXT("person:ana"),
		.until_s = (graph_time)(fixture->governed.log.now_utc_ms / 1000 + DAY_S)};

	assert_true(apply_a2(fixture, ""));
	assert_true(approve_a2(fixture));
	see(fixture, "bot", &may);
	see_edge(fixture, GRAPH_EDGE_USES, "account:flow", "account:connection");
	see_edge(fixture, GRAPH_EDGE_MAY, "account:connection", "resource:crm");
}

static void who_inherits_something_is_told_with_the_way(void **state)
{
	struct fixture *fixture = *state;
	struct graph_who asked = {.effect = EFFECT_READ, .resource = TEXT("resource:aws/crm")};
	const struct json *item;
	struct json answer;

	see_heirs(fixture);
	answer = ask_who(fixture, &asked);
	assert_int_equal(json_integer_or(&answer, "total", -1), 2);
	item = item_at(&answer, "items", 0);
	assert_says(item, "who", "identity:a2");
	assert_says(item, "identity", "a2");
	assert_says(item, "access", "inherited");
	assert_says(item, "through", "account:aws/bot");
	assert_says(item, "by", "person:ana");
	assert_true(json_text_or(item, "until", "").data[0] == '2');
	assert_says(item_at(item, "path", 0), "kind", "is");
	assert_says(item_at(item, "path", 1), "to", "resource:aws/crm");
	item = item_at(&answer, "items", 1); /* not the connection by itself */
	assert_says(item, "who", "account:aws/flow");
	assert_says(item, "by", "unknown");
	assert_says(item, "until", "no end");
	assert_null(json_find(item, "identity"));
	asked.effect = EFFECT_WRITE;
	answer = ask_who(fixture, &asked);
	assert_int_equal(json_integer_or(&answer, "total", -1), 0);
	see_may(fixture, "crm", 0); /* what a provider does not say counts as all */
	answer = ask_who(fixture, &asked);
	assert_int_equal(json_integer_or(&answer, "total", -1), 1);
}

static void who_inherits_comes_in_pages(void **state)
{
	struct fixture *fixture = *state;
	struct graph_who asked = {
		.effect = EFFECT_READ, .resource = TEXT("resource:aws/crm"), .count = 1};
	struct json answer;

	see_heirs(fixture);
	answer = ask_who(fixture, &asked);
	assert_int_equal(json_find(&answer, "items")->count, 1);
	assert_int_equal(json_integer_or(&answer, "next", -1), 1);
	asked.after = 1;
	answer = ask_who(fixture, &asked);
	assert_says(item_at(&answer, "items", 0), "who", "account:aws/flow");
	assert_null(json_find(&answer, "next"));
	asked.after = UINT32_MAX; /* far behind the end */
	answer = ask_who(fixture, &asked);
	assert_int_equal(json_find(&answer, "items")->count, 0);
	assert_null(json_find(&answer, "next"));
}

static void who_is_asked_of_what_one_gets_at(void **state)
{
	struct fixture *fixture = *state;
	struct graph_who asked = {
		.effect = EFFECT_READ, .resource = TEXT("files/read"), .count = 9};
	struct error err = {0};
	struct json answer = ask_who(fixture, &asked);

	assert_int_equal(json_integer_or(&answer, "total", -1), 0); /* a1 may by its charter */
	asked.resource = TEXT("unit:support");
	assert_false(graph_who(fixture->service, &asked, fixture->governed.arena, &answer, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	asked.resource = TEXT("resource:aws/none");
	assert_false(graph_who(fixture->service, &asked, fixture->governed.arena, &answer, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	asked.effect = EFFECT_NONE;
	assert_false(graph_who(fixture->service, &asked, fixture->governed.arena, &answer, &err));
	assert_int_equal(err.code, ERROR_INVALID);
}

/* The ways that are told one who asks of its side are the same. */
static void what_one_inherits_is_told_with_the_way(void **state)
{
	struct fixture *fixture = *state;
	struct graph_asked asked = {.from = TEXT("identity:a2"), .is_inherited = true};
	const struct json *item;
	struct json answer;
	struct error err = {0};

	see_heirs(fixture);
	answer = ask(fixture, graph_reach, &asked);
	item = item_at(&answer, "items", 0);
	assert_says(item, "what", "resource:aws/crm");
	assert_says(item, "access", "inherited");
	assert_says(item_at(item, "path", 0), "from", "identity:a2");
	assert_says(item_at(item, "path", 1), "by", "person:ana");
	assert_true(graph_inherited(fixture->service, TEXT("a2"),
		fixture->governed.log.now_utc_ms / 1000, fixture->governed.arena, &answer, &err));
	assert_int_equal(json_integer_or(&answer, "total", -1), 1);
	assert_true(graph_inherited(
		fixture->service, TEXT("nobody"), 1, fixture->governed.arena, &answer, &err));
	assert_int_equal(json_integer_or(&answer, "total", -1), 0);
	fixture->governed.log.now_utc_ms += 2 * (int64_t)DAY_S * 1000; /* the grant has ended */
	assert_true(graph_inherited(fixture->service, TEXT("a2"),
		fixture->governed.log.now_utc_ms / 1000, fixture->governed.arena, &answer, &err));
	assert_int_equal(json_integer_or(&answer, "total", -1), 0);
}

static void beginnings_beyond_what_is_searched_are_said_to_be_cut(void **state)
{
	struct fixture *fixture = *state;
	struct json answer;
	struct error err = {0};
	char to[32];

	for (int i = 0; i < GRAPH_STARTS_MAX; i++) {
		(void)snprintf(to, sizeof to, "credential:k%d", i);
		see_edge(fixture, GRAPH_EDGE_HOLDS, "identity:a1", to);
	}
	assert_true(graph_inherited(
		fixture->service, TEXT("a1"), 1, fixture->governed.arena, &answer, &err));
	assert_false(json_boolean_or(&answer, "cut", false));
	see_edge(fixture, GRAPH_EDGE_HOLDS, "identity:a1", "credential:more");
	assert_true(graph_inherited(
		fixture->service, TEXT("a1"), 1, fixture->governed.arena, &answer, &err));
	assert_true(json_boolean_or(&answer, "cut", false));
}

static void a_line_of_a_charter_says_who_granted_it(void **state)
{
	struct fixture *fixture = *state;
	const struct graph_who asked = {.effect = EFFECT_READ, .resource = TEXT("files/read")};
	struct json_builder object;
	struct error err = {0};
	struct json item;

	json_object_start(&object, fixture->governed.arena);
	assert_true(graph_put_declared(
		fixture->service, TEXT("a1"), &asked, fixture->governed.arena, &object, &err));
	assert_true(json_object_seal(&object, &item, &err));
	assert_says(&item, "access", "declared");
	assert_says(&item, "by", "person:bo");
	assert_says(item_at(&item, "path", 0), "scope", "entitlements/0");
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	json_object_start(&object, fixture->governed.arena);
	assert_true(graph_put_declared(
		fixture->service, TEXT("a1"), &asked, fixture->governed.arena, &object, &err));
	assert_true(json_object_seal(&object, &item, &err));
	assert_null(json_find(&item, "path")); /* it may nothing */
}

/* ---- waivers ---- */

static void on_waived(void *context, struct text id, uint64_t index, const struct error *err)
{
	struct fixture *fixture = context;

	(void)index;
	if (err != NULL)
		fail_msg("%s", err->text);
	if (id.length < sizeof fixture->waiver)
		(void)snprintf(fixture->waiver, sizeof fixture->waiver, "%.*s", TEXT_ARGS(id));
}

typedef bool deed(
	struct waiver_service *service, const struct waiver_request *request, struct error *err);

/* Of a2; by the person, of the resource or the waiver asked for last. */
static enum error_code step(struct fixture *fixture, deed *run, const char *person,
	const char *resource, int64_t until_utc_s)
{
	struct error err = {0};
	const struct waiver_request request = {
		.kind = WAIVER_OF_EXCESS,
		.id = text_of(fixture->waiver),
		.of = TEXT("a2"),
		.object = text_of(resource),
		.reason = TEXT("moved next month"),
		.person = text_of(person),
		.until_utc_s = until_utc_s,
		.context = fixture,
		.done = on_waived,
	};

	if (!run(fixture->waivers, &request, &err))
		return err.code;
	fake_log_flush(&fixture->governed.log);
	return ERROR_NONE;
}

static enum error_code ask_waiver(
	struct fixture *fixture, const char *person, const char *resource, int64_t days)
{
	int64_t now_s = fixture->governed.log.now_utc_ms / 1000;

	return step(fixture, waiver_ask, person, resource, now_s + days * DAY_S);
}

static enum error_code agree(struct fixture *fixture, const char *person)
{
	return step(fixture, waiver_approve, person, "", 0);
}

static enum error_code end(struct fixture *fixture, const char *person)
{
	return step(fixture, waiver_end, person, "", 0);
}

/* By ana, who owns a2, and cy, who answers for the data. */
static void waive(struct fixture *fixture)
{
	assert_int_equal(ask_waiver(fixture, "ana", "aws/crm", 1), ERROR_NONE);
	assert_int_equal(agree(fixture, "cy"), ERROR_NONE);
}

static void an_excess_is_waived_by_two_people_and_for_a_time(void **state)
{
	struct fixture *fixture = *state;

	see_may(fixture, "crm", 1 << EFFECT_READ);
	see_may(fixture, "other", 1 << EFFECT_WRITE);
	assert_true(apply_a2(fixture, ""));
	assert_true(governed_apply(&fixture->governed, "adi", crm));
	assert_int_equal(ask_waiver(fixture, "ana", "aws/none", 1), ERROR_NOT_FOUND);
	assert_int_equal(ask_waiver(fixture, "rey", "aws/crm", 1), ERROR_INVALID);
	assert_int_equal(ask_waiver(fixture, "ana", "aws/crm", -1), ERROR_INVALID);
	assert_int_equal(ask_waiver(fixture, "ana", "aws/crm", WAIVER_DAYS_MAX + 1), ERROR_INVALID);
	assert_int_equal(ask_waiver(fixture, "ana", "aws/crm", WAIVER_DAYS_MAX), ERROR_NONE);
	assert_int_equal(count_excess(fixture), 2); /* nobody agreed */
	assert_int_equal(agree(fixture, "ana"), ERROR_INVALID);
	assert_int_equal(agree(fixture, "adi"), ERROR_INVALID); /* answers for no data */
	assert_int_equal(agree(fixture, "cy"), ERROR_NONE);
	assert_int_equal(count_excess(fixture), 1);
	assert_int_equal(ask_waiver(fixture, "ana", "aws/crm", 1), ERROR_CONFLICT);
	assert_int_equal(end(fixture, "rey"), ERROR_INVALID);
	assert_int_equal(end(fixture, "ana"), ERROR_NONE);
	assert_int_equal(count_excess(fixture), 2);
	assert_int_equal(agree(fixture, "cy"), ERROR_NOT_FOUND);
}

static void where_nobody_answers_for_the_data_nobody_agrees(void **state)
{
	struct fixture *fixture = *state;

	see_may(fixture, "other", 1 << EFFECT_WRITE);
	assert_true(apply_a2(fixture, ""));
	assert_int_equal(ask_waiver(fixture, "ana", "aws/other", 1), ERROR_NONE);
	assert_int_equal(agree(fixture, "bo"), ERROR_CONFLICT);
	assert_int_equal(count_excess(fixture), 1);
}

static void who_answers_for_the_data_does_not_waive_it_alone(void **state)
{
	struct fixture *fixture = *state;

	see_may(fixture, "crm", 1 << EFFECT_READ);
	assert_true(governed_apply(&fixture->governed, "adi", crm));
	assert_true(apply_a2(fixture, ""));
	assert_int_equal(ask_waiver(fixture, "cy", "aws/crm", 1), ERROR_NONE);
	assert_int_equal(agree(fixture, "cy"), ERROR_INVALID);
	assert_int_equal(count_excess(fixture), 1);
	assert_int_equal(end(fixture, "cy"), ERROR_NONE);
}

static void a_waiver_lets_the_charter_in_until_it_ends(void **state)
{
	struct fixture *fixture = *state;

	see_may(fixture, "crm", 1 << EFFECT_READ);
	assert_true(governed_apply(&fixture->governed, "adi", crm));
	assert_true(apply_a2(fixture, ""));
	waive(fixture);
	assert_true(approve_a2(fixture));
	fixture->governed.log.now_utc_ms += 2 * (int64_t)DAY_S * 1000;
	assert_int_equal(count_excess(fixture), 1);
}

static void a_waiver_covers_what_was_too_much_when_it_was_asked_for(void **state)
{
	struct fixture *fixture = *state;

	see_may(fixture, "crm", 1 << EFFECT_READ);
	assert_true(governed_apply(&fixture->governed, "adi", crm));
	assert_true(apply_a2(fixture, "data-sources: [{name: crm, up-to: internal}]\n"));
	assert_int_equal(ask_waiver(fixture, "ana", "aws/crm", 1), ERROR_CONFLICT);
	assert_true(apply_a2(fixture, ""));
	assert_int_equal(ask_waiver(fixture, "ana", "aws/crm", 1), ERROR_NONE);
	see_may(fixture, "crm", 1 << EFFECT_READ | 1 << EFFECT_EXECUTE);
	assert_int_equal(agree(fixture, "cy"), ERROR_NONE);
	assert_int_equal(count_excess(fixture), 1);
	assert_false(approve_a2(fixture));
	assert_int_equal(end(fixture, "cy"), ERROR_NONE);
	waive(fixture);
	assert_int_equal(count_excess(fixture), 0);
	see_may(fixture, "crm", 1 << EFFECT_EXECUTE);
	assert_int_equal(count_excess(fixture), 0);
}

/* Of what is in force, too: nobody brings back alone what they wrote. */
static void who_wrote_a_charter_agrees_to_no_excess_of_it(void **state)
{
	struct fixture *fixture = *state;

	assert_true(governed_apply(&fixture->governed, "adi",
		"object: data-source\nname: crm\nunit: sales\ncustodian: ana\n"
		"environment: staging\nsensitivity: internal\nat: [aws/crm]\n"));
	assert_true(apply_a2(fixture, ""));
	assert_true(approve_a2(fixture));
	see_may(fixture, "crm", 1 << EFFECT_READ);
	assert_int_equal(count_excess(fixture), 1);
	assert_int_equal(ask_waiver(fixture, "bo", "aws/crm", 1), ERROR_NONE);
	assert_int_equal(agree(fixture, "ana"), ERROR_INVALID);
	assert_int_equal(end(fixture, "ana"), ERROR_NONE); /* only takes away */
}

/* Before it took two people, one who answered for the data wrote one record. */
static void what_one_person_waived_before_is_folded_listed_and_ended(void **state)
{
	struct fixture *fixture = *state;
	struct governed *governed = &fixture->governed;
	int64_t now_s = governed->log.now_utc_ms / 1000;
	const struct waiver *waiver;
	struct error err = {0};

	see_may(fixture, "crm", 1 << EFFECT_READ);
	assert_true(governed_apply(governed, "adi", crm));
	assert_true(apply_a2(fixture, ""));
	for (int i = 0; i < 2; i++) {
		const struct text entry = text_format(governed->arena,
			"{\"at\":%lld,\"type\":\"excess-waived\",\"actor\":\"person:cy\","
			"\"identity\":\"a2\",\"resource\":\"aws/crm\",\"reason\":\"r\","
			"\"until\":%lld,\"effects\":[\"read\"]}",
			(long long)now_s * 1000, (long long)now_s + DAY_S);

		assert_true(fold_apply_entry(
			governed->fold, entry, TEXT(""), fold_next_index(governed->fold), &err));
	}
	assert_int_equal(count_excess(fixture), 0);
	waiver = waiver_next(fixture->waivers, TEXT(""));
	assert_non_null(waiver);
	assert_null(waiver_next(fixture->waivers, waiver->id)); /* the second took its place */
	assert_true(text_is(waiver->approved_by, "cy"));
	(void)snprintf(fixture->waiver, sizeof fixture->waiver, "%.*s", TEXT_ARGS(waiver->id));
	assert_int_equal(end(fixture, "ana"), ERROR_NONE);
	assert_int_equal(count_excess(fixture), 1);
	assert_null(waiver_next(fixture->waivers, TEXT("")));
}

static void two_identities_are_not_one_account(void **state)
{
	struct fixture *fixture = *state;
	const char *a3 = "object: identity\nname: a3\nkind: agent\nclass: update\nrisk: low\n"
			 "owner: ana\nbackup-owner: bo\nunit: support\npurpose: Acts too\n"
			 "environments: [staging]\naccounts: [aws/x, aws/bot]\n";

	assert_true(apply_a2(fixture, ""));
	assert_true(governed_apply(&fixture->governed, "ana", a3)); /* neither is in force */
	assert_true(approve_a2(fixture));
	assert_false(governed_step(&fixture->governed, "bo", REGISTRAR_APPROVE, "a3"));
	assert_non_null(
		strstr(fixture->governed.last.err.text, "account aws/bot is identity a2's"));
	assert_false(governed_apply(&fixture->governed, "ana",
		text_format(fixture->governed.arena, "%simpact: none\n", a3).data));
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_RETIRE, "a2"));
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_APPROVE, "a3"));
}

static void whose_account_it_is_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct text accounts[] = {TEXT("aws/x"), TEXT("aws/bot")};
	struct charter charter = {.name = TEXT("a9"), .accounts = accounts, .accounts_count = 2};
	const struct registry_entry *other;
	struct text account;

	assert_true(apply_a2(fixture, ""));
	assert_null(accounts_taken(fixture->governed.registry, &charter, &account));
	assert_true(approve_a2(fixture));
	other = accounts_taken(fixture->governed.registry, &charter, &account);
	assert_true(text_is(other->name, "a2") && text_is(account, "aws/bot"));
	charter.name = TEXT("a2");
	assert_null(accounts_taken(fixture->governed.registry, &charter, &account));
}

/* ---- the plan ---- */

static void what_is_too_much_is_noted_in_the_plan(void **state)
{
	struct fixture *fixture = *state;
	const struct plan *plan;
	size_t noted = 0;

	see_may(fixture, "crm", 1 << EFFECT_READ);
	assert_true(apply_a2(fixture, ""));
	plan = fixture->governed.last.plan;
	for (size_t i = 0; i < plan->notes_count; i++)
		noted += memmem(plan->notes[i].text.data, plan->notes[i].text.length,
				 "remit excess a2", sizeof "remit excess a2" - 1) != NULL;
	assert_int_equal(noted, 1);
}

static size_t one_always(void *context, const struct charter *charter, int64_t now_utc_s,
	struct arena *arena, struct text *first)
{
	(void)context;
	(void)charter;
	(void)now_utc_s;
	(void)arena;
	*first = TEXT("read of x");
	return 1;
}

static void so_many_charters_are_noted_and_no_more(void **state)
{
	struct fixture *fixture = *state;
	const struct excess_port port = {.live = one_always};
	const struct charter charter = {.name = TEXT("a")};
	const struct object object = {.kind = OBJECT_IDENTITY, .body = &charter};
	static struct plan_change changes[PLAN_EXCESS_NOTES_MAX + 1];
	struct plan plan = {.arena = fixture->governed.arena, .changes = changes};
	struct error err = {0};

	for (size_t i = 0; i <= PLAN_EXCESS_NOTES_MAX; i++)
		changes[i] = (struct plan_change){.kind = OBJECT_IDENTITY, .after = &object};
	plan.changes_count = PLAN_EXCESS_NOTES_MAX;
	assert_true(plan_note_excess(&plan, &port, 1, &err));
	assert_int_equal(plan.notes_count, PLAN_EXCESS_NOTES_MAX);
	plan.notes_count = 0;
	plan.changes_count++;
	assert_true(plan_note_excess(&plan, &port, 1, &err));
	assert_int_equal(plan.notes_count, PLAN_EXCESS_NOTES_MAX);
}

/* ---- records of others ---- */

static void on_folded(struct fold_change *change)
{
	assert_true(change->is_durable);
}

/* All of before is counted. */
static void count_up(struct fixture *fixture)
{
	while (!graph_is_counted(fixture->service))
		(void)graph_keep_counts(fixture->service);
}

static void record(struct fixture *fixture, const char *written)
{
	struct fold_change change = {
		.entry = text_copy(fixture->governed.arena, text_of(written)), .done = on_folded};
	struct error err = {0};

	if (!fold_submit(fixture->governed.fold, &change, &err))
		fail_msg("%s", err.text);
	fake_log_flush(&fixture->governed.log);
}

static const char use[] = "{\"actor\":\"identity:a1\",\"at\":1795000000000,\"effect\":\"read\","
			  "\"identity\":\"a1\",\"sources\":[\"tickets\"],\"tool\":\"files/read\","
			  "\"type\":\"decision\",\"verdict\":\"allow\"}";
static const char no_use[] = "{\"actor\":\"identity:a1\",\"at\":1795000000000,\"effect\":\"write\","
			     "\"identity\":\"a1\",\"tool\":\"files/write\",\"type\":\"decision\","
			     "\"verdict\":\"deny\"}";

static graph_time used_of(struct fixture *fixture, enum graph_node_kind kind, const char *name)
{
	struct graph *graph = graph_service_graph(fixture->service);
	struct graph_node from, to;
	struct graph_use found;

	assert_true(graph_find(graph, GRAPH_NODE_IDENTITY, TEXT("a1"), &from));
	assert_true(graph_find(graph, kind, text_of(name), &to));
	(void)graph_find_use(
		graph, from.id, to.id, kind == GRAPH_NODE_TOOL ? EFFECT_READ : EFFECT_NONE, &found);
	return found.last_s;
}

static void what_was_let_through_was_used(void **state)
{
	struct fixture *fixture = *state;

	record(fixture, use);
	record(fixture, no_use);
	assert_int_equal(used_of(fixture, GRAPH_NODE_TOOL, "files/read"), 1795000000);
	assert_int_equal(used_of(fixture, GRAPH_NODE_DATA_SOURCE, "tickets"), 1795000000);
	assert_int_equal(used_of(fixture, GRAPH_NODE_TOOL, "files/write"), 0);
}

static void who_is_killed_may_nothing_any_more(void **state)
{
	struct fixture *fixture = *state;
	struct graph_asked asked = {.from = TEXT("a1")};
	struct json answer;

	record(fixture, "{\"actor\":\"person:adi\",\"at\":1795000000000,\"epoch\":1,"
			"\"reason\":\"x\",\"target\":\"unit\",\"type\":\"kill\","
			"\"unit\":\"support\"}");
	answer = ask(fixture, graph_reach, &asked);
	assert_int_equal(json_integer_or(&answer, "total", -1), 0);
	answer = ask(fixture, graph_show, &asked);
	assert_non_null(json_find(json_find(&answer, "node"), "is"));
}

/* A review takes that entitlement of a1. */
static bool take_line(struct fixture *fixture, uint32_t number)
{
	struct governed *governed = &fixture->governed;
	const struct registry_entry *entry =
		registry_find(governed->registry, OBJECT_IDENTITY, TEXT("a1"));
	struct charter_edit edit = {.how = CHARTER_EDIT_TAKE_OUT};
	struct review_edit changed = {.identity = TEXT("a1"), .version = entry->in_force->version};
	struct json was, now, members;
	struct json_builder object;
	struct error err = {0};

	assert_true(object_document(entry->in_force, governed->arena, &was, &err));
	edit.line = (struct charter_line){
		CHARTER_PART_ENTITLEMENT, item_at(&was, "entitlements", number)};
	assert_true(charter_edit(
		&now, governed->arena, &was, &(struct charter_edits){&edit, 1, 0}, &err));
	json_object_start(&object, governed->arena);
	json_put_cstring(&object, "review", "v-1");
	assert_true(json_object_seal(&object, &members, &err));
	changed.document = &now;
	return governed_run(governed, (struct registrar_request){.verb = REGISTRAR_REVIEW,
					      .actor = TEXT("person:rey"),
					      .review = {&members, &changed, 1}});
}

static void what_a_review_takes_is_gone_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct graph_asked asked = {.from = TEXT("a1"), .to = TEXT("tool:files/write")};
	struct json answer = ask(fixture, graph_path, &asked);

	assert_int_equal(json_integer_or(&answer, "total", -1), 1);
	assert_true(take_line(fixture, 1));
	answer = ask(fixture, graph_path, &asked);
	assert_int_equal(json_integer_or(&answer, "total", -1), 0);
	asked.to = TEXT("tool:files/read");
	answer = ask(fixture, graph_path, &asked);
	assert_int_equal(json_integer_or(&answer, "total", -1), 1);
}

/* ---- restarts ---- */

static struct text dump(struct fixture *fixture)
{
	struct graph_asked asked = {.from = TEXT("identity:a1"), .hops = 3, .count = 1000};
	struct json answer = ask(fixture, graph_show, &asked);
	const struct json *items = json_find(&answer, "items");
	struct text all = TEXT("");

	for (uint32_t i = 0; i < items->count; i++)
		all = text_format(fixture->governed.arena, "%.*s%.*s %.*s %.*s %.*s %.*s %.*s\n",
			TEXT_ARGS(all), TEXT_ARGS(json_text_or(&items->items[i], "from", "")),
			TEXT_ARGS(json_text_or(&items->items[i], "kind", "")),
			TEXT_ARGS(json_text_or(&items->items[i], "to", "")),
			TEXT_ARGS(json_text_or(&items->items[i], "by", "")),
			TEXT_ARGS(json_text_or(&items->items[i], "since", "")),
			TEXT_ARGS(json_text_or(&items->items[i], "used", "")));
	return all;
}

static int64_t changed_of(struct fixture *fixture)
{
	return registry_find(fixture->governed.registry, OBJECT_IDENTITY, TEXT("a1"))
		->changed_utc_ms;
}

/* Each line of the one is in the other. */
static void assert_same_lines(struct text one, struct text other)
{
	assert_true(one.length > 0);
	assert_int_equal(one.length, other.length);
	while (one.length > 0) {
		size_t length = (size_t)text_find_byte(one, '\n') + 1;

		assert_non_null(memmem(other.data, other.length, one.data, length));
		one = text_after(one, length);
	}
}

static void a_restart_gives_the_same_graph(void **state)
{
	struct fixture *fixture = *state;
	struct fixture *other = calloc(1, sizeof *other);
	struct memory_store *memory = memory_store_create();
	struct store store = memory_store_port(memory);
	struct projector_log log = fake_log_reader(&fixture->governed.log);
	struct error err = {0};
	int64_t approved_utc_ms = changed_of(fixture), changed_utc_ms;
	bool was_rebuilt;

	record(fixture, use);
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	fixture->governed.log.now_utc_ms += 1000;
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_REACTIVATE, "a1"));
	changed_utc_ms = changed_of(fixture);
	assert_true(changed_utc_ms > approved_utc_ms);
	fixture->governed.log.now_utc_ms += 1000;
	assert_true(take_line(fixture, 1));
	assert_true(changed_of(fixture) == changed_utc_ms); /* it gave nothing */
	/* From the log alone, and then from the rows that this left. */
	for (int again = 0; again < 2; again++) {
		other->read = &fixture->governed.log;
		start(other);
		if (!projector_catch_up(other->governed.fold, &store, &log, &was_rebuilt, &err))
			fail_msg("%s", err.text);
		count_up(other);
		assert_same_lines(dump(fixture), dump(other));
		assert_true(changed_of(other) == changed_utc_ms);
		stop(other);
		memset(other, 0, sizeof *other);
	}
	memory_store_destroy(&memory);
	free(other);
}

/* ---- two times ---- */

static struct json differences(struct fixture *fixture, int64_t since, int64_t until)
{
	const struct fake_log *log = &fixture->governed.log;
	struct graph_history *history;
	struct error err = {0};
	struct json report, out;

	assert_true(graph_history_create(&history, since, until, &err));
	for (size_t i = 0; i < log->count; i++)
		if (!graph_history_feed(
			    history, log->entries[i].entry, log->entries[i].content, &err))
			fail_msg("%s", err.text);
	assert_true(graph_history_report(history, fixture->governed.arena, &report, &err));
	assert_true(json_copy(&out, fixture->governed.arena, &report, &err));
	graph_history_destroy(&history);
	assert_null(history);
	return out;
}

static void two_times_differ_by_what_was_granted_between(void **state)
{
	struct fixture *fixture = *state;
	int64_t begun = fixture->governed.log.now_utc_ms;
	struct json answer;

	fixture->governed.log.now_utc_ms += 1000;
	assert_true(apply_a2(fixture, "entitlements: [{effect: write, tool: files/write}]\n"));
	assert_true(approve_a2(fixture));
	fixture->governed.log.now_utc_ms += 1000;
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	answer = differences(fixture, begun, begun + 1500);
	/* owns, backs, belongs, is, may */
	assert_int_equal(json_integer_or(&answer, "new", 0), 5);
	assert_int_equal(json_integer_or(&answer, "gone", -1), 0);
	assert_says(item_at(&answer, "items", 0), "difference", "new");
	answer = differences(fixture, begun + 1500, begun + 5000);
	assert_int_equal(json_integer_or(&answer, "new", -1), 0);
	assert_int_equal(json_integer_or(&answer, "gone", 0), 2);
	answer = differences(fixture, begun + 5000, begun + 5000);
	assert_int_equal(json_find(&answer, "items")->count, 0);
}

static void two_times_differ_by_what_was_first_used_between(void **state)
{
	struct fixture *fixture = *state;
	const struct json *item;
	struct json answer;

	record(fixture, use);
	record(fixture, no_use);
	answer = differences(fixture, 1794999999999, 1795000000000);
	assert_int_equal(json_integer_or(&answer, "first_used", -1), 2);
	item = item_at(&answer, "items", json_find(&answer, "items")->count - 1);
	assert_says(item, "difference", "first-used");
	assert_says(item, "from", "identity:a1");
	assert_says(item, "to", "tool:files/read");
	assert_says(item, "layer", "recorded");
	answer = differences(fixture, 1795000000000, 1795000000001); /* it had been used */
	assert_int_equal(json_integer_or(&answer, "first_used", -1), 0);
}

static void from_before_the_log_began_that_is_said(void **state)
{
	struct fixture *fixture = *state;
	int64_t now = fixture->governed.log.now_utc_ms;
	struct json answer = differences(fixture, 1000, now);

	assert_non_null(json_find(&answer, "begins"));
	answer = differences(fixture, now, now);
	assert_null(json_find(&answer, "begins"));
}

/* An inventory of one item, in force at the time. */
static void feed_inventory(
	struct fixture *fixture, struct graph_history *history, int64_t at, const char *item)
{
	struct arena *arena = fixture->governed.arena;
	struct text id = text_format(arena, "i-%lld", (long long)at);
	struct error err = {0};

	for (int step = 0; step < 2; step++)
		if (!graph_history_feed(history,
			    text_format(arena,
				    "{\"at\":%lld,\"connector\":\"aws\",\"import\":\"%.*s\","
				    "\"items\":1,\"taken\":%lld,\"type\":\"inventory-%s\"}",
				    (long long)at, TEXT_ARGS(id), (long long)at / 1000,
				    step == 0 ? "part" : "imported"),
			    text_of(step == 0 ? item : ""), &err))
			fail_msg("%s", err.text);
}

static void two_times_differ_by_what_a_connector_saw(void **state)
{
	struct fixture *fixture = *state;
	struct graph_history *history;
	struct error err = {0};
	const struct json *item;
	struct json answer;

	assert_true(graph_history_create(&history, 1000000, 9000000, &err));
	feed_inventory(fixture, history, 1000000,
		"{\"id\":\"app\",\"kind\":\"oauth-app\",\"node\":\"account\"}\n");
	feed_inventory(fixture, history, 2000000,
		"{\"edge\":\"may\",\"effects\":[\"read\"],\"from\":\"account:app\","
		"\"to\":\"resource:r\"}\n");
	assert_true(graph_history_report(history, fixture->governed.arena, &answer, &err));
	assert_int_equal(json_integer_or(&answer, "new", -1), 1);
	assert_int_equal(json_integer_or(&answer, "gone", -1), 1);
	item = item_at(&answer, "items", 0);
	assert_says(item, "layer", "aws");
	assert_says(item, "from", "account:aws/app");
	assert_says(item, "to", "resource:aws/r");
	assert_says(item, "first_seen", "1970-01-01T00:33:20.000Z");
	item = item_at(&answer, "items", 1);
	assert_says(item, "node", "account:aws/app");
	assert_says(item, "last_seen", "1970-01-01T00:16:40.000Z");
	assert_true(json_boolean_or(item_at(&answer, "layers", 0), "compared", false));
	graph_history_destroy(&history);
}

static void two_times_differ_by_what_a_review_took_between(void **state)
{
	struct fixture *fixture = *state;
	int64_t begun = fixture->governed.log.now_utc_ms;
	struct json answer;

	fixture->governed.log.now_utc_ms += 1000;
	assert_true(take_line(fixture, 1));
	fixture->governed.log.now_utc_ms += 1000;
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	answer = differences(fixture, begun, begun + 1500);
	assert_int_equal(json_integer_or(&answer, "new", -1), 0);
	assert_int_equal(json_integer_or(&answer, "gone", -1), 1);
	answer = differences(fixture, begun + 1500, begun + 5000);
	assert_int_equal(json_integer_or(&answer, "gone", -1), 1);
}

/* ---- counts ---- */

static uint32_t uses_of(struct fixture *fixture)
{
	struct graph *graph = graph_service_graph(fixture->service);
	struct graph_node from, to;
	struct graph_use found;

	assert_true(graph_find(graph, GRAPH_NODE_IDENTITY, TEXT("a1"), &from));
	assert_true(graph_find(graph, GRAPH_NODE_TOOL, TEXT("files/read"), &to));
	return graph_find_use(graph, from.id, to.id, EFFECT_READ, &found)
		       ? graph_use_total(graph, &found)
		       : 0;
}

static void use_at(struct fixture *fixture, int64_t at_s)
{
	record(fixture, text_format(fixture->governed.arena,
				"{\"actor\":\"identity:a1\",\"at\":%lld,\"effect\":\"read\","
				"\"identity\":\"a1\",\"tool\":\"files/read\",\"type\":\"decision\","
				"\"verdict\":\"allow\"}",
				(long long)at_s * 1000)
				.data);
}

static void keep_counts(struct fixture *fixture)
{
	while (graph_keep_counts(fixture->service))
		fake_log_flush(&fixture->governed.log);
	fake_log_flush(&fixture->governed.log);
}

static void counts_outlive_a_restart_and_count_nothing_twice(void **state)
{
	struct fixture *fixture = *state;
	struct fixture *other = calloc(1, sizeof *other);
	struct memory_store *memory = memory_store_create();
	struct store store = memory_store_port(memory);
	struct projector_log log = fake_log_reader(&fixture->governed.log);
	struct error err = {0};
	bool was_rebuilt;
	size_t records;

	for (int i = 0; i < 40; i++)
		use_at(fixture, 1800100000 + i);
	keep_counts(fixture);
	records = fixture->governed.log.count;
	keep_counts(fixture); /* an hour has not gone by */
	assert_int_equal(fixture->governed.log.count, records);
	use_at(fixture, 1800100000 + GRAPH_COUNTS_S + 100);
	use_at(fixture, 1800100000 + GRAPH_COUNTS_S + 101);
	keep_counts(fixture);
	assert_int_equal(fixture->governed.log.count, records + 3);
	use_at(fixture, 1800100000 + GRAPH_COUNTS_S + 102);
	assert_int_equal(uses_of(fixture), 43);
	/* From the log alone, and then from the rows that this left. */
	for (int again = 0; again < 2; again++) {
		other->read = &fixture->governed.log;
		start(other);
		if (!projector_catch_up(other->governed.fold, &store, &log, &was_rebuilt, &err))
			fail_msg("%s", err.text);
		count_up(other);
		assert_int_equal(uses_of(other), 43);
		stop(other);
		memset(other, 0, sizeof *other);
	}
	memory_store_destroy(&memory);
	free(other);
}

/* However little time went by, so that a start has little to read. */
static void counts_go_on_record_after_so_many_records(void **state)
{
	struct fixture *fixture = *state;
	size_t records;
	struct error err = {0};
	uint64_t begun;

	use_at(fixture, 1800100000);
	keep_counts(fixture);
	begun = fold_next_index(fixture->governed.fold) - 1; /* the pass, before its record */
	records = fixture->governed.log.count;
	assert_true(fold_apply_entry(fixture->governed.fold, text_of(use), TEXT(""),
		begun + GRAPH_COUNTS_ENTRIES - 2, &err));
	keep_counts(fixture);
	assert_int_equal(fixture->governed.log.count, records);
	assert_true(fold_apply_entry(fixture->governed.fold, text_of(use), TEXT(""),
		begun + GRAPH_COUNTS_ENTRIES - 1, &err));
	keep_counts(fixture);
	assert_int_equal(fixture->governed.log.count, records + 1);
}

/* What it holds of the log is not held for as long as the daemon runs. */
static void once_uses_are_read_the_log_is_closed(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture->log_closed, 1);
	use_at(fixture, 1800100000);
	keep_counts(fixture);
	assert_int_equal(fixture->log_closed, 1);
}

/* Else each start would read them all again, and nothing of use is sure until it has. */
static void where_nothing_is_used_it_goes_on_record_that_so_many_records_were_counted(void **state)
{
	struct fixture *fixture = *state;
	struct fake_log *log = &fixture->governed.log;
	struct error err = {0};
	size_t records;
	uint64_t begun;

	use_at(fixture, 1800100000);
	keep_counts(fixture);
	begun = fold_next_index(fixture->governed.fold) - 1; /* the pass, before its record */
	records = log->count;
	assert_true(fold_apply_entry(fixture->governed.fold, text_of(no_use), TEXT(""),
		begun + GRAPH_COUNTS_ENTRIES - 2, &err));
	keep_counts(fixture);
	assert_int_equal(log->count, records);
	assert_true(fold_apply_entry(fixture->governed.fold, text_of(no_use), TEXT(""),
		begun + GRAPH_COUNTS_ENTRIES - 1, &err));
	keep_counts(fixture);
	keep_counts(fixture);
	assert_int_equal(log->count, records + 1);
	assert_non_null(strstr(log->entries[records].entry.data, "\"begun\":"));
}

/* It does not say by which effect, nor up to where it counts. */
static void a_record_of_before_says_only_when(void **state)
{
	struct fixture *fixture = *state;
	struct fixture *other = calloc(1, sizeof *other);
	struct graph_usage_asked asked = {.identity = TEXT("a1"),
		.kind = GRAPH_NODE_TOOL,
		.name = TEXT("files/read"),
		.way = EFFECT_READ,
		.now_utc_ms = INT64_C(1800200000) * 1000};
	struct memory_store *memory = memory_store_create();
	struct store store = memory_store_port(memory);
	struct projector_log log = fake_log_reader(&fixture->governed.log);
	struct graph_usage usage;
	struct error err = {0};
	bool was_rebuilt;

	use_at(fixture, 1800100000);
	record(fixture, "{\"actor\":\"remit\",\"at\":1800100001000,\"items\":[{\"counts\":"
			"[7,7,7,7,7,7,7,7,7,7,7,7,7],\"identity\":\"a1\",\"last\":1800100000,"
			"\"to\":\"tool:files/read\",\"week\":2976}],\"type\":\"graph-uses\"}");
	other->read = &fixture->governed.log;
	start(other);
	if (!projector_catch_up(other->governed.fold, &store, &log, &was_rebuilt, &err))
		fail_msg("%s", err.text);
	graph_usage(other->service, &asked, &usage);
	assert_true(usage.known_utc_ms == asked.now_utc_ms); /* nothing yet */
	assert_int_equal(graph_last_use_utc_ms(other->service, TEXT("a1")) / 1000, 1800100000);
	count_up(other);
	graph_usage(other->service, &asked, &usage);
	assert_true(usage.known_utc_ms < asked.now_utc_ms);
	assert_int_equal(usage.uses, 1);
	assert_true(usage.last_utc_ms == INT64_C(1800100000) * 1000);
	assert_false(usage.is_unsure);
	stop(other);
	memory_store_destroy(&memory);
	free(other);
}

/* A decision whose outcome was not seen before a kill lies in the store as it is, too. */
static void two_rows_of_one_decision_count_once(void **state)
{
	struct fixture *fixture = *state;
	struct fixture *other = calloc(1, sizeof *other);
	uint64_t index = fixture->governed.log.count;
	struct error err = {0};

	record(fixture, use);
	other->read = &fixture->governed.log;
	start(other);
	for (uint64_t i = 0; i < other->read->count; i++)
		assert_true(fold_apply_entry(other->governed.fold, other->read->entries[i].entry,
			other->read->entries[i].content, i, &err));
	assert_true(fold_apply_entry(other->governed.fold, text_of(use), TEXT(""), index, &err));
	assert_true(fold_finish_loading(other->governed.fold, &err));
	assert_int_equal(uses_of(other), 0); /* not yet: nobody takes that for unused */
	assert_false(graph_is_counted(other->service));
	count_up(other);
	assert_int_equal(uses_of(other), 1);
	stop(other);
	free(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_there_is_said_so),
		TEST(a_path_says_who_granted_each_hop),
		TEST(who_inherits_something_is_told_with_the_way),
		TEST(who_inherits_comes_in_pages),
		TEST(who_is_asked_of_what_one_gets_at),
		TEST(what_one_inherits_is_told_with_the_way),
		TEST(beginnings_beyond_what_is_searched_are_said_to_be_cut),
		TEST(a_line_of_a_charter_says_who_granted_it),
		TEST(without_its_edge_there_is_no_path),
		TEST(reach_shows_the_worst_first_and_goes_on),
		TEST(who_acts_elsewhere_is_looked_at_by_its_accounts),
		TEST(what_accounts_open_undeclared_stops_the_approval),
		TEST(a_chain_that_is_too_long_to_follow_stops_the_approval),
		TEST(more_credentials_than_can_be_looked_at_stop_the_approval),
		TEST(an_excess_is_waived_by_two_people_and_for_a_time),
		TEST(where_nobody_answers_for_the_data_nobody_agrees),
		TEST(who_answers_for_the_data_does_not_waive_it_alone),
		TEST(a_waiver_lets_the_charter_in_until_it_ends),
		TEST(a_waiver_covers_what_was_too_much_when_it_was_asked_for),
		TEST(who_wrote_a_charter_agrees_to_no_excess_of_it),
		TEST(what_one_person_waived_before_is_folded_listed_and_ended),
		TEST(two_identities_are_not_one_account),
		TEST(whose_account_it_is_is_found),
		TEST(what_is_too_much_is_noted_in_the_plan),
		TEST(so_many_charters_are_noted_and_no_more),
		TEST(what_was_let_through_was_used),
		TEST(who_is_killed_may_nothing_any_more),
		TEST(what_a_review_takes_is_gone_at_once),
		TEST(a_restart_gives_the_same_graph),
		TEST(counts_outlive_a_restart_and_count_nothing_twice),
		TEST(counts_go_on_record_after_so_many_records),
		TEST(once_uses_are_read_the_log_is_closed),
		TEST(where_nothing_is_used_it_goes_on_record_that_so_many_records_were_counted),
		TEST(a_record_of_before_says_only_when),
		TEST(two_rows_of_one_decision_count_once),
		TEST(two_times_differ_by_what_was_granted_between),
		TEST(two_times_differ_by_what_was_first_used_between),
		TEST(from_before_the_log_began_that_is_said),
		TEST(two_times_differ_by_what_a_connector_saw),
		TEST(two_times_differ_by_what_a_review_took_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
