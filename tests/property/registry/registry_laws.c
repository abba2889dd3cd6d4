/* Laws of the registry, under random histories of random people:
 *   - the table is always whole (registry_validate, after every call);
 *   - applying what was exported changes nothing;
 *   - state made from the log alone, or from a store that is some way behind and
 *     the rest of the log, is the state there is;
 *   - every charter in force was written by one person and approved by another;
 *   - so was every guardrail and application, and every end of one, but for the first
 *     record that had any while one person could sign;
 *   - a retired identity never changes again.
 * The seed is printed; REMIT_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "edges/sqlite/sqlite_store.h"
#include "services/registry/projector.h"
#include "services/registry/registrar_private.h"
#include "support/governed.h"
#include "support/memory_store.h"

enum { HISTORIES = 30, STEPS = 150 };

static const char *const people[] = {"adi", "ana", "bo", "eva", "rey", "zoe"};
static const char *const actors[] = {"adi", "ana", "bo", "eva", "rey", "zoe", "uid:0", "remit"};
static const char *const identities[] = {"a1", "a2", "a3"};
static const char *const roles[] = {"administrator", "approver", "reviewer", "owner"};
static const char *const guarded[] = {"org", "support", "sales", "unit0", "unit1"};

struct history {
	struct governed governed;
	uint64_t random;
	unsigned made; /* so that texts differ */
};

static unsigned roll(struct history *history, unsigned sides)
{
	history->random ^= history->random << 13;
	history->random ^= history->random >> 7;
	history->random ^= history->random << 17;
	return (unsigned)(history->random >> 20) % sides;
}

#define PICK(history, list) list[roll(history, sizeof list / sizeof *list)]

/* ---- one random act ---- */

static void write_identity(struct history *history, struct buffer *out)
{
	const char *class = roll(history, 2) == 0 ? "update" : "retrieve";

	buffer_append_format(out,
		"---\nobject: identity\nname: %s\nkind: agent\nclass: %s\nrisk: low\n"
		"owner: %s\nbackup-owner: %s\nunit: support\npurpose: number %u\n"
		"environments: [staging%s]\n",
		PICK(history, identities), class, PICK(history, people), PICK(history, people),
		history->made++, roll(history, 2) == 0 ? "" : ", prod");
	if (roll(history, 2) == 0)
		buffer_append_string(out, "entitlements:\n  - {effect: read, tool: files/read}\n");
	if (roll(history, 3) == 0)
		buffer_append_string(out,
			"  - {effect: write, tool: files/write, approvals: [owner], "
			"when: 'context.args.n == 1'}\n");
}

/* What needs two people; sometimes as it was already. */
static void write_shared(struct history *history, struct buffer *out)
{
	unsigned number = roll(history, 3) == 0 ? roll(history, 3) : history->made++;

	if (roll(history, 6) == 0)
		buffer_append_format(out,
			"---\nobject: issuer\nname: id\nunit: %s\nspeaks: oidc\n"
			"url: https://id.example/%u\nalgorithms: [ES256]\n",
			PICK(history, guarded), number);
	else if (roll(history, 4) == 0)
		buffer_append_format(out,
			"---\nobject: application\nname: shop%u\nunit: %s\npolicies: 'permit "
			"(principal, action, resource) when { context.n == %u };'\n",
			roll(history, 2), PICK(history, guarded), number);
	else
		buffer_append_format(out,
			"---\nobject: policy\nname: %s/p%u\ntext: |\n"
			"  forbid (principal, action, resource) when { context.args.n == %u };\n",
			PICK(history, guarded), roll(history, 2), number);
}

static void write_other(struct history *history, struct buffer *out)
{
	switch (roll(history, 5)) {
	case 0:
		buffer_append_format(out, "---\nobject: unit\nname: unit%u\npurpose: number %u\n",
			roll(history, 4), history->made++);
		break;
	case 1:
		buffer_append_format(out,
			"---\nobject: person\nname: %s\nunit: %s\nroles: [%s]\nclearance: %s\n",
			people[1 + roll(history, 5)], roll(history, 2) == 0 ? "support" : "org",
			PICK(history, roles), roll(history, 2) == 0 ? "public" : "restricted");
		break;
	case 2: write_shared(history, out); break;
	case 3:
		buffer_append_format(out, "---\nobject: tool\nname: files/t%u\neffect: %s\n",
			roll(history, 4), roll(history, 2) == 0 ? "read" : "write");
		break;
	default:
		buffer_append_format(out,
			"---\nobject: data-source\nname: d%u\nunit: support\nenvironment: dev\n"
			"location: number %u\n",
			roll(history, 4), history->made++);
	}
}

static void act_apply(struct history *history)
{
	struct buffer yaml;
	struct plan_source source = {TEXT("random.yaml"), {NULL, 0}};
	struct registrar_request request = {.verb = REGISTRAR_APPLY,
		.sources = &source,
		.sources_count = 1,
		.options = {.is_draft = roll(history, 3) == 0, .is_prune = roll(history, 40) == 0}};
	unsigned documents = 1 + roll(history, 3);

	buffer_init(&yaml, 1 << 20);
	for (unsigned i = 0; i < documents; i++)
		if (roll(history, 2) == 0)
			write_identity(history, &yaml);
		else
			write_other(history, &yaml);
	source.yaml = buffer_text(&yaml);
	request.actor = text_format(history->governed.arena, "person:%s", PICK(history, people));
	if (roll(history, 3) != 0)
		request.actor = TEXT("person:adi");
	(void)governed_run(&history->governed, request);
	registrar_request_deinit(&history->governed.last);
	buffer_deinit(&yaml);
}

/* Anybody, or somebody the identity's charter names. */
static const char *likely_actor(struct history *history, const char *identity)
{
	const struct registry_entry *entry =
		registry_find_identity(history->governed.registry, text_of(identity));
	const struct object *object = entry == NULL             ? NULL
				      : entry->in_force != NULL ? entry->in_force
								: entry->waiting;
	struct text name;

	if (object == NULL || roll(history, 3) == 0)
		return PICK(history, actors);
	name = roll(history, 2) == 0 ? charter_of(object)->owner : charter_of(object)->backup_owner;
	for (size_t i = 0; i < sizeof people / sizeof *people; i++)
		if (text_is(name, people[i]))
			return people[i];
	return PICK(history, actors);
}

static void act_step(struct history *history)
{
	static const enum registrar_verb verbs[] = {REGISTRAR_PROPOSE, REGISTRAR_APPROVE,
		REGISTRAR_APPROVE, REGISTRAR_APPROVE, REGISTRAR_REJECT, REGISTRAR_SUSPEND,
		REGISTRAR_REACTIVATE, REGISTRAR_REACTIVATE};
	enum registrar_verb verb = PICK(history, verbs);

	const char *identity = PICK(history, identities);

	if (roll(history, 100) == 0)
		verb = REGISTRAR_RETIRE;
	(void)governed_step(&history->governed, likely_actor(history, identity), verb, identity);
}

static bool write_waiting(void *context, const struct registry_entry *entry)
{
	const struct object *whole = NULL;

	if (entry->waiting == NULL)
		return true;
	whole = object_whole(entry->waiting);
	assert_non_null(whole);
	yaml_format(context, &whole->as_read);
	object_release(&whole);
	return true;
}

/* The guardrails that wait, as they are, and sometimes one more. */
static void act_publish(struct history *history)
{
	struct buffer yaml;
	struct plan_source source = {TEXT("random.yaml"), {NULL, 0}};
	struct registrar_request request = {.verb = REGISTRAR_APPLY,
		.sources = &source,
		.sources_count = 1,
		.options = {.is_publish = true, .is_prune = roll(history, 3) == 0}};

	buffer_init(&yaml, 1 << 20);
	registry_each(history->governed.registry, OBJECT_POLICY, (struct text){NULL, 0},
		write_waiting, &yaml);
	if (roll(history, 3) == 0)
		buffer_append_format(&yaml,
			"---\nobject: policy\nname: org/q%u\ntext: 'forbid (principal, action, "
			"resource);'\n",
			roll(history, 3));
	source.yaml = buffer_text(&yaml);
	request.actor = text_format(history->governed.arena, "person:%s",
		roll(history, 3) == 0   ? PICK(history, people)
		: roll(history, 2) == 0 ? "adi"
					: "eva");
	(void)governed_run(&history->governed, request);
	registrar_request_deinit(&history->governed.last);
	buffer_deinit(&yaml);
}

struct waiting_pick {
	struct history *history;
	char name[64];
};

static bool pick_waiting(void *context, const struct registry_entry *entry)
{
	struct waiting_pick *pick = context;

	if (entry->waiting_version == 0)
		return true;
	(void)snprintf(pick->name, sizeof pick->name, "%.*s", TEXT_ARGS(entry->name));
	return roll(pick->history, 2) == 0;
}

/* Anybody approves, or turns down, what waits of what needs two. */
static void act_settle(struct history *history)
{
	static const enum object_kind kinds[] = {
		OBJECT_POLICY, OBJECT_POLICY, OBJECT_APPLICATION, OBJECT_ISSUER, OBJECT_CONNECTOR};
	enum object_kind kind = PICK(history, kinds);
	struct waiting_pick pick = {.history = history};

	registry_each(
		history->governed.registry, kind, (struct text){NULL, 0}, pick_waiting, &pick);
	if (pick.name[0] != '\0')
		(void)governed_step_of(&history->governed, PICK(history, actors),
			roll(history, 5) == 0 ? REGISTRAR_REJECT : REGISTRAR_APPROVE, kind,
			pick.name);
}

static void act_approve_person(struct history *history)
{
	(void)governed_run(&history->governed,
		(struct registrar_request){
			.verb = roll(history, 3) == 0 ? REGISTRAR_REJECT : REGISTRAR_APPROVE,
			.kind = OBJECT_PERSON,
			.actor = text_format(
				history->governed.arena, "person:%s", PICK(history, people)),
			.name = text_of(PICK(history, people))});
}

static void act_key(struct history *history)
{
	const struct registry_entry *person;
	const char *name = PICK(history, people);

	if (roll(history, 3) != 0) {
		(void)governed_enrol(&history->governed, PICK(history, people), name);
		return;
	}
	if (roll(history, 2) == 0) {
		(void)governed_step(
			&history->governed, PICK(history, actors), REGISTRAR_BOOTSTRAP, "");
		return;
	}
	person = registry_find(history->governed.registry, OBJECT_PERSON, text_of(name));
	if (person == NULL || person->keys_count == 0)
		return;
	(void)governed_run(&history->governed,
		(struct registrar_request){.verb = REGISTRAR_REVOKE_KEY,
			.actor = TEXT("person:adi"),
			.name = text_of(name),
			.kid = text_copy(history->governed.arena, person->keys[0].kid)});
}

static void act_kill(struct history *history)
{
	struct governed *governed = &history->governed;
	const char *identity = PICK(history, identities);
	uint64_t epoch = registry_kill_epoch(governed->registry, text_of(identity)) + 1;
	struct text entry = text_format(governed->arena,
		"{\"actor\":\"uid:0\",\"at\":%lld,\"epoch\":%llu,\"identity\":\"%s\","
		"\"type\":\"kill\"}",
		(long long)governed->log.now_utc_ms++, (unsigned long long)epoch, identity);
	struct error err = {0};

	assert_true(fold_apply_entry(
		governed->fold, entry, (struct text){NULL, 0}, governed->log.count, &err));
	fake_log_append(&governed->log, entry);
}

static void act(struct history *history)
{
	unsigned what = roll(history, 26);

	if (what >= 23)
		act_settle(history);
	else if (what >= 20)
		act_publish(history);
	else if (what < 8)
		act_apply(history);
	else if (what < 15)
		act_step(history);
	else if (what < 16)
		act_approve_person(history);
	else if (what < 18)
		act_key(history);
	else
		act_kill(history);
}

/* ---- laws ---- */

static void export_changes_nothing(struct history *history)
{
	struct governed *governed = &history->governed;
	struct plan_source source = {TEXT("export.yaml"), {NULL, 0}};
	struct plan_options options = {.now_utc_ms = governed->log.now_utc_ms};
	struct plan *plan;
	struct buffer yaml;
	struct error err = {0};

	buffer_init(&yaml, 1 << 22);
	registry_export(&yaml, governed->registry, roll(history, 2) == 0);
	assert_false(buffer_failed(&yaml));
	source.yaml = buffer_text(&yaml);
	assert_true(registry_plan(&plan, governed->registry, &source, 1, &options, &err));
	assert_int_equal(plan->problems.total, 0);
	assert_int_equal(plan->changes_count, 0);
	plan_destroy(&plan);
	buffer_deinit(&yaml);
}

/* The first line that differs, of both. */
static void fail_difference(struct text here, struct text there)
{
	size_t start = 0;

	for (size_t at = 0; at < here.length && at < there.length; at++) {
		if (here.data[at] != there.data[at])
			break;
		if (here.data[at] == '\n')
			start = at + 1;
	}
	print_message(
		"there is:  %.*s\n", (int)strcspn(here.data + start, "\n"), here.data + start);
	print_message(
		"from log:  %.*s\n", (int)strcspn(there.data + start, "\n"), there.data + start);
	fail_msg("states differ");
}

static void is_same(struct history *history, struct governed *other)
{
	struct text here = governed_dump(&history->governed, other->arena);
	struct text there = governed_dump(other, other->arena);

	if (!text_equal(here, there))
		fail_difference(here, there);
	assert_int_equal(history->governed.registrar->is_founded, other->registrar->is_founded);
	assert_int_equal(history->governed.registrar->is_joined, other->registrar->is_joined);
	assert_int_equal(history->governed.registrar->codes_count, other->registrar->codes_count);
	registry_validate(other->registry);
}

/* Starts another daemon on this log and the store, which may be empty. */
static void restart_on(struct history *history, const struct store *store)
{
	struct projector_log reader = fake_log_reader(&history->governed.log);
	struct governed *other = calloc(1, sizeof *other);
	bool was_rebuilt;
	struct error err = {0};

	governed_init_loading(other);
	if (!projector_catch_up(other->fold, store, &reader, &was_rebuilt, &err))
		fail_msg("%s", err.text);
	assert_false(was_rebuilt);
	is_same(history, other);
	governed_deinit(other);
	free(other);
}

struct authors {
	char author[32]; /* of the version last put */
	uint32_t version;
	bool is_retired;
};

static struct authors *authors_of(struct authors *all, struct text name)
{
	for (size_t i = 0; i < sizeof identities / sizeof *identities; i++)
		if (text_is(name, identities[i]))
			return &all[i];
	return NULL;
}

/* Reads the log as an auditor would, without the registry's own code. */
static void check_change(struct authors *all, const struct json *record, const struct json *change)
{
	struct authors *known = authors_of(all, json_text_or(change, "name", ""));
	struct text actor = json_text_or(record, "actor", "");
	int64_t in_force = json_integer_or(change, "in_force", 0);

	if (known == NULL || !text_is(json_text_or(change, "kind", ""), "identity"))
		return;
	assert_false(known->is_retired);
	known->is_retired = text_is(json_text_or(change, "state", ""), "retired");
	if (json_find(change, "object") != NULL) {
		known->version = (uint32_t)json_integer_or(change, "version", 0);
		(void)snprintf(known->author, sizeof known->author, "%.*s", TEXT_ARGS(actor));
		assert_true(in_force < known->version); /* never at once */
	} else if (text_is(json_text_or(record, "verb", ""), "approve")) {
		assert_int_equal(in_force, known->version);
		assert_false(text_is(actor, known->author));
		assert_true(text_starts_with(actor, "person:"));
	}
}

enum { SHARED_MAX = 64 };

/* One guardrail, application or issuer, as an auditor follows it through the log. */
struct shared {
	char name[64]; /* with its kind */
	int64_t in_force;
	int64_t waiting;
	bool is_removal;
	char author[32]; /* of what waits */
};

struct audit {
	struct shared all[SHARED_MAX];
	size_t count;
	bool had_any;    /* in a record before this one */
	bool is_joined;  /* two people had a key, some time before this record */
	char signer[32]; /* the first who enrolled one */
	unsigned approvals;
	unsigned removals;
};

static struct shared *shared_of(struct audit *audit, const struct json *change)
{
	char name[64];

	(void)snprintf(name, sizeof name, "%.*s %.*s", TEXT_ARGS(json_text_or(change, "kind", "")),
		TEXT_ARGS(json_text_or(change, "name", "")));
	for (size_t i = 0; i < audit->count; i++)
		if (strcmp(audit->all[i].name, name) == 0)
			return &audit->all[i];
	assert_true(audit->count < SHARED_MAX);
	memcpy(audit->all[audit->count].name, name, sizeof name);
	return &audit->all[audit->count++];
}

/* What is in force becomes another: only by who did not write it. */
static void check_hands(struct audit *audit, struct shared *known, const struct json *record,
	const struct json *change)
{
	struct text actor = json_text_or(record, "actor", "");
	int64_t in_force = json_integer_or(change, "in_force", 0);

	if (in_force == known->in_force)
		return;
	assert_true(text_starts_with(actor, "person:"));
	if (json_find(change, "object") != NULL) { /* at once */
		assert_false(audit->had_any);
		assert_false(audit->is_joined);
		return;
	}
	assert_true(known->waiting != 0);
	assert_int_equal(in_force, known->is_removal ? 0 : known->waiting);
	assert_false(text_is(actor, known->author));
	assert_true(text_is(json_text_or(change, "author", ""), known->author));
	audit->approvals++;
	audit->removals += known->is_removal;
}

static void check_shared(struct audit *audit, const struct json *record, const struct json *change)
{
	struct shared *known = shared_of(audit, change);
	struct text actor = json_text_or(record, "actor", "");
	int64_t waiting = json_integer_or(change, "waiting", 0);

	check_hands(audit, known, record, change);
	if (waiting != 0 && waiting != known->waiting)
		(void)snprintf(known->author, sizeof known->author, "%.*s", TEXT_ARGS(actor));
	known->in_force = json_integer_or(change, "in_force", 0);
	known->waiting = waiting;
	known->is_removal = json_boolean_or(change, "removal", false);
}

static bool is_shared(const struct json *change)
{
	return text_is(json_text_or(change, "kind", ""), "policy") ||
	       text_is(json_text_or(change, "kind", ""), "application") ||
	       text_is(json_text_or(change, "kind", ""), "issuer");
}

static void audit_record(struct audit *audit, const struct json *record)
{
	const struct json *changes = json_find(record, "changes");
	struct text person = json_text_or(record, "person", "");
	bool has_any = false;

	for (uint32_t c = 0; changes != NULL && c < changes->count; c++)
		if (is_shared(&changes->items[c])) {
			check_shared(audit, record, &changes->items[c]);
			has_any = true;
		}
	audit->had_any = audit->had_any || has_any;
	if (!text_is(json_text_or(record, "type", ""), "person-key") ||
		!text_is(json_text_or(record, "verb", ""), "enrol"))
		return;
	audit->is_joined =
		audit->is_joined || (audit->signer[0] != '\0' && !text_is(person, audit->signer));
	(void)snprintf(audit->signer, sizeof audit->signer, "%.*s", TEXT_ARGS(person));
}

/* What the log says is in force is what is. */
static void is_as_audited(const struct history *history, const struct audit *audit)
{
	for (size_t i = 0; i < audit->count; i++) {
		const char *name = strchr(audit->all[i].name, ' ') + 1;
		enum object_kind kind = object_kind_of(
			(struct text){audit->all[i].name, (size_t)(name - 1 - audit->all[i].name)});
		const struct registry_entry *entry =
			registry_find(history->governed.registry, kind, text_of(name));

		assert_non_null(entry);
		assert_int_equal(entry->in_force == NULL ? 0 : entry->in_force->version,
			audit->all[i].in_force);
	}
}

/* Returns how many charters were approved, so that the law is not kept for want
 * of cases. */
static unsigned charters_have_two_hands(struct history *history, struct audit *audit)
{
	unsigned approvals = 0;
	struct authors all[sizeof identities / sizeof *identities] = {0};
	struct arena *arena = arena_create(1 << 28);
	struct fake_log *log = &history->governed.log;

	for (size_t i = 0; i < log->count; i++) {
		struct json record;
		const struct json *changes;
		struct error err = {0};

		assert_true(json_parse(
			&record, arena, log->entries[i].entry, &json_limits_default, &err));
		changes = json_find(&record, "changes");
		approvals += json_find(&record, "identity") != NULL &&
			     text_is(json_text_or(&record, "verb", ""), "approve");
		audit_record(audit, &record);
		for (uint32_t c = 0; changes != NULL && c < changes->count; c++)
			check_change(all, &record, &changes->items[c]);
	}
	arena_destroy(&arena);
	is_as_audited(history, audit);
	return approvals;
}

/* What the histories had of each kind of approval. */
struct tally {
	unsigned charters;
	unsigned shared;
	unsigned removals;
	unsigned alone; /* histories whose first guardrails waited for nobody */
};

static void play(uint64_t seed, struct tally *tally)
{
	struct audit *audit = calloc(1, sizeof *audit);
	struct history *history = calloc(1, sizeof *history);
	struct memory_store *empty = memory_store_create(), *behind = memory_store_create();
	struct store log_alone = memory_store_port(empty), lagging = memory_store_port(behind);

	history->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	governed_init_with_administrator(&history->governed);
	if (roll(history, 3) == 0) { /* somebody is there before the first guardrail */
		assert_true(governed_apply(&history->governed, "adi",
			"object: person\nname: zoe\nunit: org\nroles: [approver]\n"));
		assert_true(governed_enrol(&history->governed, "adi", "zoe"));
	}
	assert_true(governed_apply(&history->governed, "adi", governed_world_yaml));
	tally->alone +=
		registry_find(history->governed.registry, OBJECT_POLICY, TEXT("org/no-prod"))
			->in_force != NULL;
	for (unsigned step = 0; step < STEPS; step++) {
		act(history);
		if (roll(history, 30) == 0)
			restart_on(history, &lagging); /* the store comes along, then lags again */
		if (roll(history, 20) == 0)
			export_changes_nothing(history);
	}
	restart_on(history, &log_alone);
	restart_on(history, &lagging);
	export_changes_nothing(history);
	tally->charters += charters_have_two_hands(history, audit);
	tally->shared += audit->approvals;
	tally->removals += audit->removals;
	free(audit);
	governed_deinit(&history->governed);
	memory_store_destroy(&empty);
	memory_store_destroy(&behind);
	free(history);
}

static uint64_t seed_of_run(void)
{
	const char *given = getenv("REMIT_SEED");

	return given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
}

static void random_histories_keep_the_laws(void **state)
{
	uint64_t seed = seed_of_run();
	struct tally tally = {0};

	(void)state;
	print_message("REMIT_SEED=%llu\n", (unsigned long long)seed);
	for (uint64_t i = 0; i < HISTORIES; i++)
		play(seed + i, &tally);
	print_message(
		"%u charters, %u guardrails, applications and issuers (%u removals) approved in %d "
		"histories, %u of them begun alone\n",
		tally.charters, tally.shared, tally.removals, HISTORIES, tally.alone);
	assert_true(tally.charters >= HISTORIES);
	assert_true(tally.shared >= 2 * HISTORIES);
	assert_true(tally.removals >= HISTORIES / 3);
	assert_true(tally.alone > 0 && tally.alone < HISTORIES);
}

static void a_store_on_disk_keeps_them_too(void **state)
{
	struct history *history = calloc(1, sizeof *history);
	char folder[] = "/tmp/remit-laws-XXXXXX", path[64];
	struct sqlite_store *store;
	struct store port;
	struct error err = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/remit.db", folder);
	assert_true(sqlite_store_open(&store, path, &err));
	port = sqlite_store_port(store);
	history->random = seed_of_run() | 1;
	governed_init_with_administrator(&history->governed);
	assert_true(governed_apply(&history->governed, "adi", governed_world_yaml));
	for (unsigned step = 0; step < STEPS; step++) {
		act(history);
		if (roll(history, 20) == 0)
			restart_on(history, &port);
	}
	restart_on(history, &port);
	governed_deinit(&history->governed);
	free(history);
	sqlite_store_close(&store);
	(void)unlink(path);
	(void)rmdir(folder);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories_keep_the_laws),
		cmocka_unit_test(a_store_on_disk_keeps_them_too),
	};

	return cmocka_run_group_tests_name("registry_laws", tests, NULL, NULL);
}
