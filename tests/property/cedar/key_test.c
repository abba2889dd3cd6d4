/* The key of the hashes is another one in each process, and nothing that is told depends
 * on it: this program runs itself some times with one seed, and each run must say the
 * same of the same worlds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/how_many.h"
#include "typed_generator.h"

enum {
	RUNS = 4,
	WORLDS = 40, /* of a run */
	REQUESTS = 4,
	POLICIES = 24,
	CROWD = 50,
	TEXT_BYTES = 1 << 20,
	ARENA_BYTES = 64 << 20,
	TOLD_BYTES_MAX = 64 << 20,
	HASH_DIGITS = 16,
};

struct world {
	struct generator generator;
	struct cedar_arena *arena;
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct cedar_request request;
	struct cedar_error err;
};

/* ---- What one run tells ---- */

#define SHOWN(text) (int)(text).length, (text).data

static void need(const struct world *world, bool ok)
{
	if (ok)
		return;
	(void)fprintf(stderr, "%u:%u: %s in %s\n", world->err.line, world->err.column,
		world->err.text, world->generator.text);
	abort();
}

static struct cedar_text text_of(const struct world *world)
{
	return cedar_text_of(world->generator.text);
}

static struct cedar_uid random_uid(struct world *world)
{
	const char *type, *id;

	generate_uid(&world->generator, &type, &id);
	return cedar_uid_of(cedar_text_of(type), cedar_text_of(id));
}

static void fill(struct world *world)
{
	generator_reset(&world->generator);
	for (int i = 0; i < POLICIES; i++)
		generate_indexable_policy(&world->generator);
	need(world, cedar_policy_set_parse(&world->set, text_of(world), NULL, &world->err));
	generator_reset(&world->generator);
	generate_entities(&world->generator);
	need(world, cedar_entities_create(&world->entities, &world->err) &&
			    cedar_entities_add_json(world->entities, text_of(world), &world->err) &&
			    cedar_entities_seal(world->entities, &world->err));
}

static void ask(struct world *world)
{
	struct cedar_request *request = &world->request;

	generator_reset(&world->generator);
	generate_context(&world->generator);
	request->principal = random_uid(world);
	request->action = cedar_uid_of(CEDAR_TEXT("Action"), random_uid(world).id);
	request->resource = random_uid(world);
	need(world, cedar_value_parse_json(
			    &request->context, world->arena, text_of(world), &world->err));
}

static void tell_answer(struct world *world)
{
	struct cedar_answer answer;

	need(world, cedar_authorize(world->set, world->entities, &world->request, world->arena,
			    &answer, &world->err));
	printf("decision %d\n", answer.decision);
	for (size_t i = 0; i < answer.reason_count; i++)
		printf("reason %u\n", answer.reasons[i]);
	for (size_t i = 0; i < answer.error_count; i++)
		printf("error %u %u:%u %.*s\n", answer.errors[i].policy,
			answer.errors[i].range.line, answer.errors[i].range.column,
			SHOWN(answer.errors[i].text));
}

static void tell_account(struct world *world, size_t index)
{
	struct cedar_account account;

	need(world, cedar_account_policy(world->set, index, world->entities, &world->request,
			    world->arena, &account, &world->err));
	printf("outcome %d at %zu\n", account.outcome, account.decisive);
	for (size_t i = 0; i < account.part_count; i++) {
		const struct cedar_part *part = &account.parts[i];

		printf("part %.*s %d %.*s\n", SHOWN(part->text), part->result, SHOWN(part->error));
		for (size_t o = 0; o < part->operand_count; o++)
			printf("operand %.*s is %.*s\n", SHOWN(part->operands[o].text),
				SHOWN(part->operands[o].value));
	}
}

static void tell_residual(struct world *world, size_t index)
{
	struct cedar_partial partial = {.action = &world->request.action,
		.resource = &world->request.resource,
		.context = world->request.context};
	struct cedar_residual residual;

	if (!cedar_policy_residual(world->set, index, world->entities, &partial, world->arena,
		    &residual, &world->err))
		printf("no residual: %s\n", world->err.text);
	else
		printf("residual %d %.*s\n", residual.kind, SHOWN(residual.text));
}

static bool tell_entity(void *closure, const struct cedar_entity *entity)
{
	struct cedar_text attributes = cedar_value_format(closure, &entity->attributes);

	printf("entity %.*s %.*s %.*s\n", SHOWN(entity->uid.type), SHOWN(entity->uid.id),
		SHOWN(attributes));
	for (size_t i = 0; i < entity->parent_count; i++)
		printf("in %.*s %.*s\n", SHOWN(entity->parents[i].type),
			SHOWN(entity->parents[i].id));
	return true;
}

/* All of them are in it, and it would be in each of them. */
static void tell_cycle(struct world *world, const struct cedar_entities *now, struct cedar_uid top,
	const struct cedar_uid *below, size_t count)
{
	struct cedar_entity entity = {.uid = top, .parents = below, .parent_count = count};
	const struct cedar_change change = {.put = &entity};
	const struct cedar_entities *next;

	if (cedar_revision_change(&next, now, &change, 1, &world->err))
		abort();
	printf("cycle: %s\n", world->err.text);
}

/* A crowd in no order, as a set, as parents, and as entities that are all wrong. */
static void tell_crowd(struct world *world)
{
	char ids[CROWD][16];
	struct cedar_uid uids[CROWD];
	struct cedar_value items[CROWD], set;
	struct cedar_entity child = {.uid = cedar_uid_of(CEDAR_TEXT("New"), CEDAR_TEXT("child")),
		.parents = uids,
		.parent_count = CROWD};
	struct cedar_uid top = cedar_uid_of(CEDAR_TEXT("New"), CEDAR_TEXT("top"));
	struct cedar_change change = {.put = &child};
	const struct cedar_entities *first, *now, *next;
	struct cedar_entities *nobody;
	struct cedar_schema *schema;
	struct cedar_entity found;

	for (size_t i = 0; i < CROWD; i++) {
		(void)snprintf(
			ids[i], sizeof ids[i], "%u", generator_below(&world->generator, 1000));
		uids[i] = cedar_uid_of(i % 3 == 0 ? CEDAR_TEXT("Crowd") : CEDAR_TEXT("Other"),
			cedar_text_of(ids[i]));
		items[i] = cedar_value_entity(&uids[i]);
	}
	need(world, cedar_value_set(&set, world->arena, items, CROWD, &world->err));
	printf("set %.*s\n", SHOWN(cedar_value_format(world->arena, &set)));
	need(world, cedar_entities_create(&nobody, &world->err) &&
			    cedar_entities_seal(nobody, &world->err) &&
			    cedar_revision_first(&first, &nobody, &world->err) &&
			    cedar_revision_change(&now, first, &change, 1, &world->err));
	if (!cedar_entities_find(now, &child.uid, &found))
		abort();
	(void)tell_entity(world->arena, &found);
	for (size_t i = 0; i < CROWD; i++) {
		change.put =
			&(struct cedar_entity){.uid = uids[i], .parents = &top, .parent_count = 1};
		need(world, cedar_revision_change(&next, now, &change, 1, &world->err));
		cedar_revision_release(&now);
		now = next;
	}
	tell_cycle(world, now, top, uids, CROWD);
	need(world, cedar_schema_parse(&schema, CEDAR_TEXT("entity Nobody;"), &world->err));
	if (cedar_validate_entities(schema, now, &world->err))
		abort();
	printf("wrong: %s\n", world->err.text);
	cedar_schema_destroy(&schema);
	cedar_revision_release(&now);
	cedar_revision_release(&first);
}

static void tell_world(struct world *world)
{
	cedar_arena_reset(world->arena);
	fill(world);
	printf("%.*s\n", SHOWN(cedar_policy_set_format_json(world->set, world->arena)));
	cedar_entities_visit(world->entities, tell_entity, world->arena);
	for (int r = 0; r < REQUESTS; r++) {
		ask(world);
		tell_answer(world);
		for (size_t i = 0; i < POLICIES; i++) {
			tell_account(world, i);
			tell_residual(world, i);
		}
	}
	tell_crowd(world);
	cedar_policy_set_destroy(&world->set);
	cedar_entities_destroy(&world->entities);
}

/* A schema, entities and policies by it, and what is found in them. */
static void tell_findings(struct world *world)
{
	struct typed typed = {.generator = &world->generator};
	struct cedar_validation validation;
	struct cedar_schema *schema;

	cedar_arena_reset(world->arena);
	generator_reset(&world->generator);
	generate_schema(&world->generator);
	need(world, cedar_schema_parse(&schema, text_of(world), &world->err));
	typed.schema = schema;
	generator_reset(&world->generator);
	for (int i = 0; i < POLICIES && typed_choose(&typed); i++)
		typed_policy(&typed);
	generate_policy(&world->generator);
	need(world, cedar_policy_set_parse(&world->set, text_of(world), NULL, &world->err) &&
			    cedar_validate(world->set, schema, CEDAR_RULE_4_13, world->arena,
				    &validation, &world->err));
	for (size_t i = 0; i < validation.count; i++)
		printf("finding %s %u:%u %.*s, %.*s\n",
			cedar_finding_name(validation.findings[i].code),
			validation.findings[i].range.line, validation.findings[i].range.column,
			SHOWN(validation.findings[i].text), SHOWN(validation.findings[i].hint));
	cedar_policy_set_destroy(&world->set);
	cedar_schema_destroy(&schema);
}

static void tell(const char *seed)
{
	struct world world = {.generator = {.state = strtoull(seed, NULL, 10),
				      .text = malloc(TEXT_BYTES),
				      .capacity = TEXT_BYTES}};
	struct cedar_uid known = cedar_uid_of(CEDAR_TEXT("T"), CEDAR_TEXT("a"));

	world.arena = cedar_arena_create(ARENA_BYTES);
	if (world.generator.text == NULL || world.arena == NULL)
		abort();
	printf("%0*llx\n", HASH_DIGITS, (unsigned long long)known.hash);
	for (int i = 0; i < WORLDS; i++) {
		tell_world(&world);
		tell_findings(&world);
	}
	cedar_arena_destroy(&world.arena);
	free(world.generator.text);
}

/* ---- The runs beside each other ---- */

/* What a run of this program says, with its NUL. */
static char *hear(const char *seed)
{
	char *told = malloc(TOLD_BYTES_MAX);
	size_t length = 0;
	ssize_t got;
	int ends[2], status;
	pid_t child;

	assert_non_null(told);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		if (dup2(ends[1], STDOUT_FILENO) < 0 || close(ends[0]) != 0)
			_exit(1);
		(void)execl("/proc/self/exe", "cedar_key", "--tell", seed, (char *)NULL);
		_exit(1);
	}
	assert_true(child > 0);
	(void)close(ends[1]);
	while ((got = read(ends[0], told + length, TOLD_BYTES_MAX - 1 - length)) > 0)
		length += (size_t)got;
	(void)close(ends[0]);
	told[length] = '\0';
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return told;
}

/* The first line in which the two differ. */
static void compare(const char *first, const char *other)
{
	const char *line = first;

	for (; *first == *other && *first != '\0'; first++, other++) {
		if (*first == '\n')
			line = first + 1;
	}
	if (*first != *other)
		fail_msg("\"%.200s\" in one run, \"%.200s\" in another", line,
			other - (first - line));
}

/* How many bytes the runs of a seed tell. */
static size_t check_seed(uint64_t number)
{
	char seed[32];
	char *first;
	size_t length;

	(void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)number);
	first = hear(seed);
	length = strlen(first);
	for (int i = 1; i < RUNS; i++) {
		char *other = hear(seed);

		assert_memory_not_equal(first, other, HASH_DIGITS);
		compare(first + HASH_DIGITS, other + HASH_DIGITS);
		free(other);
	}
	free(first);
	return length;
}

static void what_is_told_does_not_depend_on_the_key(void **state)
{
	uint64_t seed = generator_seed(), worlds = worlds_given(WORLDS);
	size_t least = SIZE_MAX;

	(void)state;
	for (uint64_t i = 0; i * WORLDS < worlds; i++) {
		size_t told = check_seed(seed + i);

		least = told < least ? told : least;
	}
	printf("%zu bytes at least\n", least);
	assert_true(least > 100000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_does_not_depend_on_the_key),
	};

	if (argc == 3 && strcmp(argv[1], "--tell") == 0) {
		tell(argv[2]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
