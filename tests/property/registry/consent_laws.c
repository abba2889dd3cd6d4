/* The law of consents, under random histories of one charter whose lines touch two units: a call
 * by a line is let through exactly if whose it is now is nobody else's, or that unit agreed to
 * that line, for what it is for.  In particular
 *   - whatever an edit gives beyond what was agreed is refused until it is;
 *   - what says less, or what a review takes, asks nobody, and leaves every other line as it was;
 *   - what moves to a unit is refused, and no other line with it, until that unit agrees;
 *   - a registry made from the log alone decides the same.
 * The model knows sets of lines by what they say; places and versions it does not know.  The seed
 * is printed; REMIT_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/narrow.h"
#include "support/decide_bench.h"
#include "support/governed.h"
#include "support/seeded.h"

enum { WORLDS = 80, STEPS = 120, SERVERS = 3, TOOLS = 9, UNITS = 4, FORMS = 3, PURPOSES = 2 };
enum { SUPPORT = 0, ORG, SALES, PEOPLE };

static const char *const unit_names[] = {"support", "org", "sales", "people"};
static const char *const owners[] = {NULL, NULL, "cy", "dan"};
/* Nothing but the first says more than another. */
static const char *const forms[] = {"", ", expires: '2029-06-01'", ", when: 'true'"};

/* Of each tool the form of its line, from 1; 0: it has none. */
struct lines {
	unsigned purpose;
	unsigned form[TOOLS];
};

struct version {
	struct lines lines;
	unsigned order[TOOLS];                   /* of tools in the document */
	bool is_agreed[UNITS][TOOLS];            /* the unit to the tool's line */
	bool was_taken[UNITS][TOOLS][FORMS + 1]; /* by a review, that the unit had agreed to */
};

struct law {
	struct governed governed;
	struct task_table *tasks;
	struct arena *scratch;
	struct version in_force, waiting;
	bool is_in_force;
	bool is_waiting;
	unsigned owner_of[SERVERS];
	unsigned taken, taken_form; /* what the last review took, and no edit since */
	unsigned edits;
};

static struct {
	unsigned long allowed, refused, widened, carried, asked, restored, moved, taken, restarts;
} seen;

/* ---- the model ---- */

static bool touches(const struct law *law, const struct lines *lines, unsigned unit, unsigned tool)
{
	return unit >= SALES && lines->form[tool] != 0 && law->owner_of[tool % SERVERS] == unit;
}

static struct lines half_of(const struct law *law, const struct lines *lines, unsigned unit)
{
	struct lines half = {.purpose = lines->purpose};

	for (unsigned tool = 0; tool < TOOLS; tool++)
		half.form[tool] = touches(law, lines, unit, tool) ? lines->form[tool] : 0;
	return half;
}

static bool is_empty(const struct lines *lines)
{
	for (unsigned tool = 0; tool < TOOLS; tool++)
		if (lines->form[tool] != 0)
			return false;
	return true;
}

/* What of the next version's half the unit agreed to in the other. */
static void carry(const struct law *law, const struct version *from, struct version *to)
{
	for (unsigned unit = SALES; unit < UNITS; unit++) {
		for (unsigned tool = 0; tool < TOOLS; tool++)
			to->is_agreed[unit][tool] =
				touches(law, &to->lines, unit, tool) &&
				from->is_agreed[unit][tool] &&
				from->lines.purpose == to->lines.purpose &&
				(from->lines.form[tool] == to->lines.form[tool] ||
					from->lines.form[tool] == 1);
	}
}

static bool agrees_to_all(const struct law *law, const struct version *version, unsigned unit)
{
	for (unsigned tool = 0; tool < TOOLS; tool++)
		if (touches(law, &version->lines, unit, tool) && !version->is_agreed[unit][tool])
			return false;
	return true;
}

static void forget(struct version *version, unsigned unit)
{
	memset(version->is_agreed[unit], 0, sizeof version->is_agreed[unit]);
	memset(version->was_taken[unit], 0, sizeof version->was_taken[unit]);
}

static void agree(const struct law *law, struct version *version, unsigned unit)
{
	forget(version, unit);
	for (unsigned tool = 0; tool < TOOLS; tool++)
		version->is_agreed[unit][tool] = touches(law, &version->lines, unit, tool);
}

static bool may_call(const struct law *law, const struct version *version, unsigned tool)
{
	unsigned unit = law->owner_of[tool % SERVERS];

	return version->lines.form[tool] != 0 && (unit < SALES || version->is_agreed[unit][tool]);
}

/* ---- the world ---- */

static const char people_yaml[] = "object: unit\nname: people\n---\n"
				  "object: person\nname: cy\nunit: sales\nroles: [owner]\n---\n"
				  "object: person\nname: dan\nunit: people\nroles: [owner]\n";

static struct text line_yaml(struct law *law, unsigned tool, unsigned form)
{
	return text_format(law->scratch, "{effect: read, tool: s%u/t%u%s}", tool % SERVERS, tool,
		forms[form - 1]);
}

static void put_server(struct law *law, unsigned server)
{
	struct text yaml = text_format(law->scratch,
		"object: server\nname: s%u\nunit: %s\nenvironment: staging\n"
		"transport: {stdio: [x]}\n",
		server, unit_names[law->owner_of[server]]);

	if (!governed_apply(&law->governed, "adi", yaml.data))
		fail_msg("%s", law->governed.last.err.text);
}

static void open_task(struct law *law)
{
	const struct task_opening opening = {.id = TEXT("t-1"),
		.identity = TEXT("agent"),
		.environment = ENVIRONMENT_STAGING,
		.charter_version = 1,
		.at_utc_ms = law->governed.log.now_utc_ms,
		.deadline_utc_ms = law->governed.log.now_utc_ms + 900000};
	struct error err = {0};
	struct json record;

	assert_true(task_table_create(&law->tasks, 16, &err));
	assert_true(task_opened_record(
		&record, law->scratch, law->tasks, &opening, TEXT("remit"), &err));
	assert_true(task_table_fold(law->tasks, &record, 1, &err));
}

static void law_init(struct law *law)
{
	memset(law, 0, sizeof *law);
	law->scratch = arena_create((size_t)256 << 20);
	assert_non_null(law->scratch);
	governed_init_with_administrator(&law->governed);
	assert_true(governed_apply(&law->governed, "adi", governed_world_yaml));
	assert_true(governed_apply(&law->governed, "adi", people_yaml));
	for (unsigned server = 0; server < SERVERS; server++) {
		law->owner_of[server] = pick(UNITS);
		put_server(law, server);
	}
	for (unsigned tool = 0; tool < TOOLS; tool++) {
		struct text yaml = text_format(law->scratch,
			"object: tool\nname: s%u/t%u\neffect: read\nrisk: low\n"
			"reversal: none-needed\n",
			tool % SERVERS, tool);

		assert_true(governed_apply(&law->governed, "adi", yaml.data));
		law->in_force.order[tool] = tool;
	}
	open_task(law);
}

static void law_deinit(struct law *law)
{
	task_table_destroy(&law->tasks);
	governed_deinit(&law->governed);
	arena_destroy(&law->scratch);
}

static const struct registry_entry *agent(const struct governed *governed)
{
	return registry_find(governed->registry, OBJECT_IDENTITY, TEXT("agent"));
}

/* ---- calls ---- */

static void decide_one(struct law *law, const struct governed *governed, unsigned tool)
{
	const struct decide_world world = {.registry = governed->registry,
		.tasks = law->tasks,
		.definition = DEFINITION_MATCHES,
		.arguments = ARGUMENTS_UNCHECKED,
		.now_utc_ms = law->governed.log.now_utc_ms};
	struct text params = text_format(law->scratch, "{\"name\":\"t%u\",\"arguments\":{}}", tool);
	struct call_draft draft = {.identity = TEXT("agent"),
		.task = TEXT("t-1"),
		.environment = ENVIRONMENT_STAGING,
		.server = text_format(law->scratch, "s%u", tool % SERVERS),
		.method = TEXT("tools/call")};
	bool is_due = law->is_in_force && may_call(law, &law->in_force, tool);
	struct decision decision;
	struct error err = {0};
	struct call call;
	struct json read;

	assert_true(json_parse(&read, law->scratch, params, &json_limits_default, &err));
	draft.params = &read;
	assert_true(call_build(&call, law->scratch, &draft, &err));
	decide(&world, &call, NULL, DECIDE_NO_SEARCH, law->scratch, &decision);
	if ((decision.verdict == VERDICT_ALLOW) != is_due)
		fail_msg("%s: t%u: %s, %.*s; %.*s", is_due ? "a right lost" : "let through", tool,
			reason_word(decision.reason), TEXT_ARGS(decision.explanation),
			TEXT_ARGS(agent(governed)->more->consents));
	if (law->owner_of[tool % SERVERS] < SALES || law->in_force.lines.form[tool] == 0)
		return;
	seen.allowed += is_due;
	seen.refused += !is_due;
}

static void decide_all(struct law *law, const struct governed *governed)
{
	for (unsigned tool = 0; tool < TOOLS; tool++)
		decide_one(law, governed, tool);
}

/* ---- steps ---- */

static void shuffle(unsigned order[TOOLS])
{
	for (unsigned i = 0; i < TOOLS; i++) {
		unsigned j = pick(TOOLS), kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

/* Somewhat another charter, in some order. */
static void draw_edit(struct law *law)
{
	struct version *next = &law->waiting;

	*next = (struct version){.lines = law->in_force.lines};
	memcpy(next->order, law->in_force.order, sizeof next->order);
	if (pick(2) == 0)
		shuffle(next->order);
	for (unsigned i = pick(4); i > 0; i--)
		next->lines.form[pick(TOOLS)] = pick(3) == 0 ? 0 : 1 + pick(FORMS);
	if (pick(8) == 0)
		next->lines.purpose = pick(PURPOSES);
}

static struct text charter_yaml(struct law *law, const struct version *version)
{
	struct text lines = TEXT("");

	for (unsigned i = 0; i < TOOLS; i++) {
		unsigned tool = version->order[i];

		if (version->lines.form[tool] == 0)
			continue;
		lines = text_format(law->scratch, "%.*s%s%.*s", TEXT_ARGS(lines),
			lines.length > 0 ? ", " : "",
			TEXT_ARGS(line_yaml(law, tool, version->lines.form[tool])));
	}
	return text_format(law->scratch,
		"object: identity\nname: agent\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p%u\nimpact: n%u\n"
		"environments: [staging]\nentitlements: [%.*s]\nexpires: 2030-01-01\n",
		version->lines.purpose, law->edits++, TEXT_ARGS(lines));
}

static void propose(struct law *law)
{
	struct version *next = &law->waiting;

	draw_edit(law);
	if (!governed_apply(&law->governed, "adi", charter_yaml(law, next).data))
		fail_msg("%s", law->governed.last.err.text);
	law->is_waiting = true;
	if (!law->is_in_force)
		return;
	carry(law, &law->in_force, next);
	for (unsigned unit = SALES; unit < UNITS; unit++) {
		const struct lines half = half_of(law, &next->lines, unit);

		if (is_empty(&half) || !agrees_to_all(law, next, unit))
			forget(next, unit);
		else
			seen.carried++;
	}
}

/* Of what waits, or of what is in force. */
static void consent(struct law *law, struct version *version, uint32_t number)
{
	unsigned unit = SALES + pick(UNITS - SALES);
	const struct lines half = half_of(law, &version->lines, unit);
	bool is_due = !is_empty(&half) && !agrees_to_all(law, version, unit);
	bool is_done = governed_run(&law->governed,
		(struct registrar_request){.verb = REGISTRAR_CONSENT,
			.actor = text_format(law->scratch, "person:%s", owners[unit]),
			.name = TEXT("agent"),
			.version = number});

	if (is_done != is_due)
		fail_msg("consent of %s %s: %s", unit_names[unit], is_due ? "refused" : "taken",
			law->governed.last.err.text);
	if (is_done)
		agree(law, version, unit);
	seen.asked += is_done && version == &law->in_force;
}

static void approve(struct law *law)
{
	bool is_due = true;
	bool is_done = governed_step(&law->governed, "bo", REGISTRAR_APPROVE, "agent");

	for (unsigned unit = SALES; unit < UNITS; unit++)
		is_due = is_due && agrees_to_all(law, &law->waiting, unit);
	if (is_done != is_due)
		fail_msg("approval %s: %s", is_due ? "refused" : "taken",
			law->governed.last.err.text);
	seen.widened += !is_due;
	if (!is_done)
		return;
	law->in_force = law->waiting;
	law->is_in_force = true;
	law->is_waiting = false;
	law->taken_form = 0;
}

static void move(struct law *law)
{
	unsigned server = pick(SERVERS);
	unsigned unit = pick(UNITS);

	if (law->owner_of[server] == unit)
		return;
	law->owner_of[server] = unit;
	put_server(law, server);
	seen.moved++;
}

/* ---- reviews ---- */

static struct json line_json(struct law *law, unsigned tool, unsigned form)
{
	struct text written = text_format(law->scratch,
		"{\"effect\":\"read\",\"tool\":\"s%u/t%u\"%s}", tool % SERVERS, tool,
		form == 1   ? ""
		: form == 2 ? ",\"expires\":\"2029-06-01\""
			    : ",\"when\":\"true\"");
	struct error err = {0};
	struct json line;

	assert_true(json_parse(&line, law->scratch, written, &json_limits_default, &err));
	return line;
}

/* The record of it, and the charter without what was taken. */
static void review(struct law *law, struct charter_edit *change, const struct json *line)
{
	struct governed *governed = &law->governed;
	const struct registry_entry *entry = agent(governed);
	struct review_edit edit = {.identity = TEXT("agent"),
		.version = entry->in_force->version,
		.is_restore = change->how == CHARTER_EDIT_PUT_BACK};
	struct json was, now, members;
	struct json_builder object;
	struct error err = {0};

	change->line = (struct charter_line){CHARTER_PART_ENTITLEMENT, line};
	assert_true(object_document(entry->in_force, law->scratch, &was, &err));
	if (!charter_edit(&now, law->scratch, &was, &(struct charter_edits){change, 1, 0}, &err))
		fail_msg("%s", err.text);
	json_object_start(&object, law->scratch);
	json_put_cstring(&object, "review", "v-1");
	assert_true(json_object_seal(&object, &members, &err));
	edit.document = &now;
	if (!governed_run(governed, (struct registrar_request){.verb = REGISTRAR_REVIEW,
					    .actor = TEXT("person:rey"),
					    .review = {&members, &edit, 1}}))
		fail_msg("%s", governed->last.err.text);
	law->is_waiting = false;
}

static unsigned draw_line(const struct law *law)
{
	unsigned tool = pick(TOOLS);

	for (unsigned i = 0; i < TOOLS && law->in_force.lines.form[tool] == 0; i++)
		tool = (tool + 1) % TOOLS;
	return tool;
}

/* A line goes, or says less. */
static void take(struct law *law)
{
	unsigned tool = draw_line(law), form = law->in_force.lines.form[tool];
	struct version next = law->in_force;
	bool is_reduced = form == 1 && pick(2) == 0;
	const struct json line = form == 0 ? json_null() : line_json(law, tool, form);
	const struct json less = line_json(law, tool, 2);

	if (form == 0)
		return;
	review(law,
		&(struct charter_edit){
			.how = is_reduced ? CHARTER_EDIT_REPLACE : CHARTER_EDIT_TAKE_OUT,
			.with = &less},
		&line);
	next.lines.form[tool] = is_reduced ? 2 : 0;
	for (unsigned unit = SALES; unit < UNITS; unit++)
		next.was_taken[unit][tool][form] |= law->in_force.is_agreed[unit][tool];
	carry(law, &law->in_force, &next);
	law->in_force = next;
	law->taken = tool;
	law->taken_form = is_reduced ? 0 : form;
	seen.taken++;
}

static void restore(struct law *law)
{
	struct version next = law->in_force;
	unsigned tool = law->taken, at = 0;
	const struct json line = line_json(law, tool, law->taken_form);

	review(law, &(struct charter_edit){.how = CHARTER_EDIT_PUT_BACK}, &line);
	next.lines.form[tool] = law->taken_form;
	while (next.order[at] != tool) /* it comes back at the end */
		at++;
	memmove(&next.order[at], &next.order[at + 1], (TOOLS - 1 - at) * sizeof *next.order);
	next.order[TOOLS - 1] = tool;
	carry(law, &law->in_force, &next);
	for (unsigned unit = SALES; unit < UNITS; unit++) {
		bool *was_taken = &next.was_taken[unit][tool][law->taken_form];

		if (!*was_taken || !touches(law, &next.lines, unit, tool))
			continue;
		next.is_agreed[unit][tool] = true;
		*was_taken = false;
		seen.restored++;
	}
	law->in_force = next;
	law->taken_form = 0;
}

static void restart(struct law *law)
{
	struct governed second;

	governed_restart(&law->governed, &second);
	decide_all(law, &second);
	governed_deinit(&second);
	seen.restarts++;
}

static void step(struct law *law)
{
	unsigned what = pick(100);

	if (what < 25)
		propose(law);
	else if (what < 50 && law->is_waiting)
		consent(law, &law->waiting, agent(&law->governed)->waiting_version);
	else if (what < 70 && law->is_waiting)
		approve(law);
	else if (what < 80 && law->is_in_force)
		consent(law, &law->in_force, agent(&law->governed)->in_force->version);
	else if (what < 88)
		move(law);
	else if (what < 93 && law->taken_form != 0)
		restore(law);
	else if (what < 98 && law->is_in_force)
		take(law);
	else if (what == 98)
		restart(law);
	decide_all(law, &law->governed);
}

static void a_line_counts_for_a_unit_exactly_if_it_agreed_to_it(void **state)
{
	uint64_t seed = seed_of_run(), worlds = worlds_given(WORLDS);
	static struct law law;

	(void)state;
	for (uint64_t world = 0; world < worlds; world++) {
		seed_with(seed + world);
		law_init(&law);
		for (unsigned i = 0; i < STEPS; i++)
			step(&law);
		restart(&law);
		law_deinit(&law);
	}
	printf("consents: %lu allowed, %lu refused; %lu not approved, %lu carried, %lu while in "
	       "force, %lu taken, %lu restored with it, %lu moved, %lu restarts\n",
		seen.allowed, seen.refused, seen.widened, seen.carried, seen.asked, seen.taken,
		seen.restored, seen.moved, seen.restarts);
	if (worlds < WORLDS)
		return;
	assert_true(seen.allowed > 500 && seen.refused > 200 && seen.widened > 20);
	assert_true(seen.carried > 50 && seen.asked > 20 && seen.taken > 100);
	assert_true(seen.restored > 5 && seen.moved > 50 && seen.restarts > WORLDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_counts_for_a_unit_exactly_if_it_agreed_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
