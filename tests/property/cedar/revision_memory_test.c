/* A million changes take no more memory than what is in the world: allocations that
 * are alive are counted, at most so many for an entity that is there and for one that
 * the first revision had; with the last revision all are gone.  The linker sends
 * malloc, calloc, realloc and free of this program here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generator.h"
#include "remit/cedar.h"
#include "support/how_many.h"

enum {
	FOUNDED = 500,     /* entities of the first revision, with ids below this */
	IDS = 1000,        /* others come and go, and each second one is never the same again */
	GROUPS = 20,       /* of them are parents */
	CHANGES = 1000000, /* or REMIT_CASES, if that is more */
	CHECK_EACH = 1000,
	PER_ENTITY_MAX = 12, /* name, record, arena, block or two, lineage, cell, branches */
	NAME_BYTES = 32,
};

static long alive; /* allocations */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t size)
{
	alive++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	alive++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	alive += memory == NULL;
	return __real_realloc(memory, size);
}

void __wrap_free(void *memory)
{
	alive -= memory != NULL;
	__real_free(memory);
}

static struct cedar_uid uid_of(char name[NAME_BYTES], const char *type, uint64_t number)
{
	(void)snprintf(name, NAME_BYTES, "%llu", (unsigned long long)number);
	return cedar_uid_of(cedar_text_of(type), cedar_text_of(name));
}

static const struct cedar_entities *open_world(void)
{
	struct cedar_entities *store;
	const struct cedar_entities *first;
	struct cedar_error err;
	char name[NAME_BYTES], parent_name[NAME_BYTES];

	assert_true(cedar_entities_create(&store, &err));
	for (uint64_t i = 0; i < FOUNDED; i++) {
		struct cedar_uid parent = uid_of(parent_name, "G", i % GROUPS);
		struct cedar_entity entity = {
			.uid = uid_of(name, "U", i), .parents = &parent, .parent_count = 1};

		assert_true(cedar_entities_add(store, &entity, &err));
	}
	assert_true(cedar_entities_seal(store, &err));
	assert_true(cedar_revision_first(&first, &store, &err));
	return first;
}

/* Entity `id` in its `version`: those that are not founded get a new name each time. */
static struct cedar_uid uid_in(char name[NAME_BYTES], uint64_t id, uint64_t version)
{
	return uid_of(name, "U", id < FOUNDED || id % 2 == 0 ? id : id + IDS * version);
}

static void change_one(
	const struct cedar_entities **now, struct generator *generator, uint64_t *versions)
{
	uint64_t id = generator_below(generator, IDS);
	char name[NAME_BYTES], old_name[NAME_BYTES], parent_name[NAME_BYTES];
	struct cedar_uid old = uid_in(old_name, id, versions[id]);
	struct cedar_uid parent = uid_of(parent_name, "G", generator_below(generator, 2 * GROUPS));
	struct cedar_member member = {CEDAR_TEXT("n"), cedar_value_long((int64_t)versions[id])};
	struct cedar_entity entity = {.uid = uid_in(name, id, ++versions[id]),
		.attributes = {.type = CEDAR_RECORD, .depth = 1, .count = 1, .members = &member},
		.parents = &parent,
		.parent_count = generator_below(generator, 2)};
	struct cedar_change changes[] = {{.remove = &old}, {.put = &entity}};
	const struct cedar_entities *next;
	struct cedar_error err;

	/* One in three only goes. */
	assert_true(cedar_revision_change(
		&next, *now, changes, generator_below(generator, 3) == 0 ? 1 : 2, &err));
	cedar_revision_release(now);
	*now = next;
}

static void memory_follows_what_is_there_and_not_what_has_been(void **state)
{
	static uint64_t versions[IDS];
	uint64_t given = cases_given(CHANGES), least = share_of(CHANGES);
	long changes = (long)(given > least ? given : least);
	struct generator generator = {.state = generator_seed()};
	long before = alive, most = 0;
	const struct cedar_entities *now = open_world();
	long founded = alive - before;

	(void)state;
	for (long i = 0; i < changes; i++) {
		change_one(&now, &generator, versions);
		if (i % CHECK_EACH != 0)
			continue;
		most = alive > most ? alive : most;
		assert_true(alive - before - founded <= (long)PER_ENTITY_MAX * (IDS + 2 * GROUPS));
	}
	printf("%ld changes, %ld allocations alive at most, %zu entities\n", changes, most - before,
		cedar_entities_count(now));
	cedar_revision_release(&now);
	assert_int_equal(alive, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_follows_what_is_there_and_not_what_has_been),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
