/* Every allocation fails once: parsing, loading, overlaying, deciding and
 * explaining must each say LIMIT, hand nothing over and leak nothing (the
 * sanitizer build checks the last).  And deciding, however much it finds, takes
 * nothing but from its arena.  The linker sends malloc, calloc and realloc of this
 * program here, and qsort, in which the C library may take memory unseen; and the
 * creation of arenas, since what the library may hold would take gigabytes to meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "cedar/entities.h"
#include "cedar/like.h"
#include "remit/cedar.h"

enum { ARENA_BYTES = 1 << 20, ALLOCATIONS_MAX = 5000 };

static long allocations_left = -1; /* negative: never fail */
static long allocations;

/* What the next arenas were asked to hold, and which of them gets `room_bytes` instead. */
enum { ARENAS_MAX = 64 };
static size_t asked_bytes[ARENAS_MAX];
static int arena_count, arena_chosen = -1;
static size_t room_bytes;

struct arena *__real_arena_create(size_t limit_bytes);
struct arena *__real_arena_create_small(size_t limit_bytes, size_t first_bytes);
struct arena *__wrap_arena_create(size_t limit_bytes);
struct arena *__wrap_arena_create_small(size_t limit_bytes, size_t first_bytes);

static size_t room_for(size_t limit_bytes)
{
	if (arena_count == ARENAS_MAX)
		return limit_bytes;
	asked_bytes[arena_count] = limit_bytes;
	return arena_count++ == arena_chosen ? room_bytes : limit_bytes;
}

struct arena *__wrap_arena_create(size_t limit_bytes)
{
	return __real_arena_create(room_for(limit_bytes));
}

struct arena *__wrap_arena_create_small(size_t limit_bytes, size_t first_bytes)
{
	return __real_arena_create_small(room_for(limit_bytes), first_bytes);
}

/* The largest block that was asked for, zeroed or made larger. */
static size_t largest_bytes;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
typedef int order_fn(const void *a, const void *b);
void __real_qsort(void *items, size_t count, size_t size, order_fn *order);
void __wrap_qsort(void *items, size_t count, size_t size, order_fn *order);

static bool fails_now(void)
{
	allocations++;
	if (allocations_left < 0)
		return false;
	return allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	largest_bytes = count * size > largest_bytes ? count * size : largest_bytes;
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	largest_bytes = size > largest_bytes ? size : largest_bytes;
	return fails_now() ? NULL : __real_realloc(memory, size);
}

void __wrap_qsort(void *items, size_t count, size_t size, order_fn *order)
{
	allocations++;
	__real_qsort(items, count, size, order);
}

static const char policies[] =
	"@id(\"a\\n\") permit(principal in G::\"g\", action in [Action::\"a\", Action::\"b\"], "
	"resource) when { context.set.contains(1) && [context.n, 2].contains(7) && {a: context.n, "
	"b: ip(\"::1\")}.b.isIpv6() && \"a\\u{62}c\" like \"a*c\" };"
	"forbid(principal, action, resource) when { context.none } unless { 1 + 1 == 3 };";
static const char more[] =
	"{\"staticPolicies\":{\"j\":{\"effect\":\"forbid\",\"principal\":{\"op\":\"is\","
	"\"entity_type\":\"X\"},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"},"
	"\"conditions\":[{\"kind\":\"when\",\"body\":{\"like\":{\"left\":{\"Value\":\"x\"},"
	"\"pattern\":[\"Wildcard\",{\"Literal\":\"x\"}]}}}]}},\"templates\":{\"t\":{\"effect\":"
	"\"forbid\",\"principal\":{\"op\":\"in\",\"slot\":\"?principal\"},\"action\":{\"op\":"
	"\"All\"},\"resource\":{\"op\":\"All\"},\"conditions\":[]}},\"templateLinks\":[{"
	"\"templateId\":\"t\",\"newId\":\"l\",\"values\":{\"?principal\":{\"type\":\"X\","
	"\"id\":\"y\"}}}]}";
/* Enough of them to be indexed. */
static const char indexed[] =
	"forbid(principal == X::\"1\", action, resource);"
	"forbid(principal in X::\"2\", action, resource);"
	"forbid(principal, action, resource is X);"
	"forbid(principal, action, resource) when { context.n == 8 && context has n };"
	"forbid(principal, action, resource) when { context.s like \"x*\" };";
static const char entities[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"p\"},\"attrs\":{\"a\":[1,\"x\\u0041\"]},\"parents\":["
	"{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}"
	"}}}]";
static const char schema_text[] =
	"type T = {n: Long, \"o d\"?: Set<decimal>}; entity U in [G] = {a: T, b?: U} tags String;"
	"entity G; entity E enum [\"x\"]; action all; action a in [all] appliesTo {principal: U, "
	"resource: [G, E], context: {n: Long, t?: T}}; namespace N { action z in "
	"[Action::\"all\"]; }";
static const char schema_json[] =
	"{\"N\":{\"commonTypes\":{\"T\":{\"type\":\"Set\",\"element\":{\"type\":\"Long\"}}},"
	"\"entityTypes\":{\"A\":{\"memberOfTypes\":[\"A\"],\"shape\":{\"type\":\"Record\","
	"\"attributes\":{\"t\":{\"type\":\"T\"}}}},\"B\":{\"enum\":[\"x\"]}},\"actions\":{\"a\":{"
	"\"memberOf\":[{\"id\":\"b\"}],\"appliesTo\":{\"principalTypes\":[\"A\"],"
	"\"resourceTypes\":[\"B\"]}},\"b\":{}}}}";
static const char typed_policies[] =
	"permit(principal in G::\"g\", action in [Action::\"a\"], resource) when { "
	"context has t && "
	"context.t has \"o d\" && context.t[\"o d\"].contains(decimal(\"1.0\")) && "
	"[{x: true}, {x: false}].contains({x: principal.a.n > 1}) } unless { principal.zz == [] };"
	"forbid(principal is X, action, resource) when { principal.hasTag(\"a\") && "
	"principal.getTag(\"a\") == principal.b.getTag(\"c\") };";
static const char typed_entities[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"p\"},\"attrs\":{\"a\":{\"n\":1,\"o d\":[\"1.5\"]}},"
	"\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":\"x\"}}]";
static const char context[] = "{\"set\":[3,2,1],\"n\":7,\"s\":\"y\"}";

/* Takes the store over and changes what it was. */
static bool change_world(struct cedar_entities **store, struct cedar_error *err)
{
	struct cedar_uid group = cedar_uid_of(CEDAR_TEXT("G"), CEDAR_TEXT("g"));
	struct cedar_uid above = cedar_uid_of(CEDAR_TEXT("G"), CEDAR_TEXT("above"));
	struct cedar_uid person = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("new"));
	struct cedar_uid former = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("p"));
	struct cedar_entity lifted = {.uid = group, .parents = &above, .parent_count = 1};
	struct cedar_entity member = {.uid = person, .parents = &group, .parent_count = 1};
	struct cedar_change changes[] = {{.put = &lifted}, {.put = &member}, {.remove = &former}};
	const struct cedar_entities *first, *next = NULL;
	bool ok = cedar_revision_first(&first, store, err);

	if (!ok) {
		assert_null(first);
		return false;
	}
	ok = cedar_revision_change(&next, first, changes, 3, err);
	assert_int_equal(next != NULL, ok);
	assert_false(cedar_entities_in(first, &former, &above));
	assert_true(cedar_entities_in(first, &former, &group));
	assert_true(!ok || cedar_entities_in(next, &person, &above));
	cedar_revision_release(&first);
	cedar_revision_release(&next);
	return ok;
}

/* Each policy of a set that is indexed, for somebody of its own. */
static bool liken(struct cedar_error *err)
{
	enum { POLICIES = 8 };
	static const char *const ids[POLICIES] = {"1", "2", "3", "4", "5", "6", "7", "8"};
	struct cedar_uid person = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("p"));
	struct cedar_policy_set *pattern = NULL, *set = NULL;
	struct cedar_like likes[POLICIES];
	struct cedar_scope any = {0};
	bool ok = cedar_policy_set_create(&pattern, err);

	for (int i = 0; i < POLICIES; i++) {
		likes[i] = (struct cedar_like){cedar_text_of(ids[i]), {.principal = &person}};
		ok = ok && cedar_policy_set_add_permit(pattern, likes[i].id, &any,
				   CEDAR_TEXT("context.n == 7 && context has s"), err);
	}
	ok = ok && cedar_policy_set_seal(pattern, err) &&
	     cedar_policy_set_like(&set, pattern, likes, err);
	assert_int_equal(set != NULL, ok);
	cedar_policy_set_destroy(&set);
	cedar_policy_set_destroy(&pattern);
	return ok;
}

/* All of it; false with LIMIT if memory ran out on the way. */
static bool run_everything(struct cedar_arena *arena, struct cedar_error *err)
{
	struct cedar_policy_set *set = NULL;
	struct cedar_entities *store = NULL;
	struct cedar_expression *expression = NULL;
	const struct cedar_entities *overlay;
	struct cedar_uid parent = cedar_uid_of(CEDAR_TEXT("G"), CEDAR_TEXT("h"));
	struct cedar_entity added = {.uid = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("new")),
		.parents = &parent,
		.parent_count = 1};
	struct cedar_request request = {cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("p")),
		cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("a")),
		cedar_uid_of(CEDAR_TEXT("R"), CEDAR_TEXT("r")), {.type = CEDAR_NONE}};
	static const struct cedar_text unknowns[] = {{"n", 1}, {"set", 3}};
	struct cedar_partial partial = {.principal = &request.principal,
		.action = &request.action,
		.unknowns = unknowns,
		.unknown_count = 2};
	struct cedar_explanation explanation;
	struct cedar_account account;
	struct cedar_candidates candidates;
	struct cedar_residual residual;
	struct cedar_answer answer;
	struct cedar_value value;
	bool ok = false;

	if (!cedar_policy_set_create(&set, err)) {
		assert_null(set);
		goto done;
	}
	if (!cedar_policy_set_add_text(set, cedar_text_of(policies), NULL, err) ||
		!cedar_policy_set_add_text(set, cedar_text_of(indexed), NULL, err) ||
		!cedar_policy_set_add_set_json(set, cedar_text_of(more), err) ||
		!cedar_policy_set_seal(set, err))
		goto done;
	if (!cedar_entities_create(&store, err) ||
		!cedar_entities_add_json(store, cedar_text_of(entities), err) ||
		!cedar_entities_seal(store, err) ||
		!cedar_entities_overlay(&overlay, arena, store, &added, 1, err) ||
		!cedar_value_parse_json(&request.context, arena, cedar_text_of(context), err))
		goto done;
	if (!cedar_authorize(set, overlay, &request, arena, &answer, err)) {
		assert_int_equal(answer.decision, CEDAR_DENY);
		assert_int_equal(answer.reason_count, 0);
		goto done;
	}
	assert_int_equal(answer.decision, CEDAR_ALLOW);
	assert_int_equal(answer.error_count, 1);
	if (!cedar_explain_policy(set, 1, overlay, &request, arena, &explanation, err))
		goto done;
	assert_int_equal(explanation.outcome, CEDAR_OUTCOME_ERROR);
	if (!cedar_account_policy(set, 1, overlay, &request, arena, &account, err)) {
		assert_int_equal(account.part_count, 0);
		goto done;
	}
	assert_int_equal(account.outcome, CEDAR_OUTCOME_ERROR);
	if (!cedar_policy_residual(set, 0, overlay, &partial, arena, &residual, err) ||
		!cedar_policy_residual(set, 1, overlay, &partial, arena, &residual, err) ||
		!cedar_partial_candidates(set, overlay, &partial, arena, &candidates, err))
		goto done;
	if (!cedar_expression_parse(&expression, CEDAR_TEXT("[context.n, 1]"), err)) {
		assert_null(expression);
		goto done;
	}
	ok = cedar_evaluate_expression(expression, overlay, &request, arena, &value, err) &&
	     change_world(&store, err);
done:
	cedar_expression_destroy(&expression);
	cedar_entities_destroy(&store);
	cedar_policy_set_destroy(&set);
	return ok;
}

static bool check_world(const struct cedar_schema *schema, struct cedar_arena *arena,
	struct cedar_entities *store, struct cedar_error *err)
{
	struct cedar_request request = {cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("p")),
		cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("a")),
		cedar_uid_of(CEDAR_TEXT("G"), CEDAR_TEXT("r")), {.type = CEDAR_NONE}};

	return cedar_schema_add_entities(schema, store, cedar_text_of(typed_entities), err) &&
	       cedar_schema_add_actions(schema, store, err) && cedar_entities_seal(store, err) &&
	       cedar_validate_entities(schema, store, err) &&
	       cedar_schema_parse_context(&request.context, arena, schema, &request.action,
		       CEDAR_TEXT("{\"n\":1,\"t\":{\"n\":2}}"), err) &&
	       cedar_validate_request(schema, &request, err);
}

/* Schemas, validation and checks; false with LIMIT if memory ran out on the way. */
static bool validate_everything(struct cedar_arena *arena, struct cedar_error *err)
{
	struct cedar_schema *schema = NULL, *twin = NULL;
	struct cedar_policy_set *set = NULL;
	struct cedar_entities *store = NULL;
	struct cedar_validation validation;
	bool ok = false;

	if (!cedar_schema_parse(&schema, cedar_text_of(schema_text), err)) {
		assert_null(schema);
		goto done;
	}
	if (!cedar_schema_parse_json(&twin, cedar_text_of(schema_json), err)) {
		assert_null(twin);
		goto done;
	}
	if (!cedar_policy_set_parse(&set, cedar_text_of(typed_policies), NULL, err))
		goto done;
	if (!cedar_validate(set, schema, CEDAR_RULE_4_13, arena, &validation, err)) {
		assert_int_equal(validation.count, 0);
		goto done;
	}
	assert_int_equal(validation.error_count, 3);
	ok = cedar_entities_create(&store, err) && check_world(schema, arena, store, err);
done:
	cedar_entities_destroy(&store);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&twin);
	cedar_schema_destroy(&schema);
	return ok;
}

static bool run_all(struct cedar_arena *arena, struct cedar_error *err)
{
	return run_everything(arena, err) && validate_everything(arena, err) && liken(err);
}

static void every_failed_allocation_is_an_error_and_nothing_more(void **state)
{
	long failed = 0;
	bool ok = false;

	(void)state;
	for (; !ok && failed < ALLOCATIONS_MAX; failed++) {
		struct cedar_arena *arena = cedar_arena_create(ARENA_BYTES);
		struct cedar_error err = {.code = CEDAR_ERROR_NONE};

		assert_non_null(arena);
		allocations_left = failed;
		ok = run_all(arena, &err);
		allocations_left = -1;
		if (!ok)
			assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
		cedar_arena_destroy(&arena);
	}
	assert_true(ok);
	assert_true(failed > 10);
}

/* A set that could not be sealed is as it was: it is sealed later, and decides as ever. */
static void a_set_whose_sealing_failed_is_sealed_later(void **state)
{
	struct cedar_arena *arena = cedar_arena_create(ARENA_BYTES);
	struct cedar_request request = {cedar_uid_of(CEDAR_TEXT("X"), CEDAR_TEXT("1")),
		cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("a")),
		cedar_uid_of(CEDAR_TEXT("R"), CEDAR_TEXT("r")), {.type = CEDAR_NONE}};
	struct cedar_policy_set *set;
	struct cedar_answer answer;
	struct cedar_error err;
	bool ok = false;
	long failed = 0;

	(void)state;
	for (; !ok && failed < ALLOCATIONS_MAX; failed++) {
		assert_true(cedar_policy_set_create(&set, &err));
		assert_true(cedar_policy_set_add_text(set, cedar_text_of(policies), NULL, &err));
		assert_true(cedar_policy_set_add_text(set, cedar_text_of(indexed), NULL, &err));
		assert_true(cedar_policy_set_add_text(set, cedar_text_of(indexed), NULL, &err));
		allocations_left = failed;
		ok = cedar_policy_set_seal(set, &err);
		allocations_left = -1;
		if (!ok) {
			assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
			assert_true(cedar_policy_set_add_set_json(set, cedar_text_of(more), &err));
			assert_true(cedar_policy_set_seal(set, &err));
		}
		assert_true(cedar_authorize(set, NULL, &request, arena, &answer, &err));
		assert_int_equal(answer.decision, CEDAR_DENY);
		assert_int_equal(answer.reason_count, ok ? 2 : 3);
		cedar_policy_set_destroy(&set);
	}
	assert_true(ok && failed > 5);
	cedar_arena_destroy(&arena);
}

/* The same with arenas of every size: memory is there, the limit is not. */
static void every_limit_of_the_arena_is_an_error_and_nothing_more(void **state)
{
	size_t limit = 0;
	bool ok = false;

	(void)state;
	for (; !ok && limit < ARENA_BYTES; limit += 16) {
		struct cedar_arena *arena = cedar_arena_create(limit);
		struct cedar_error err = {.code = CEDAR_ERROR_NONE};

		assert_non_null(arena);
		ok = run_all(arena, &err);
		if (!ok)
			assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
		cedar_arena_destroy(&arena);
	}
	assert_true(ok);
	assert_true(limit > 256);
}

/* Runs all with less room in one of the arenas; true if it sufficed. */
static bool run_in_room(int chosen, size_t room)
{
	struct cedar_arena *arena = cedar_arena_create(ARENA_BYTES);
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};
	bool ok;

	assert_non_null(arena);
	arena_count = 0;
	arena_chosen = chosen;
	room_bytes = room;
	ok = run_all(arena, &err);
	arena_chosen = -1;
	assert_int_equal(err.code, ok ? CEDAR_ERROR_NONE : CEDAR_ERROR_LIMIT);
	cedar_arena_destroy(&arena);
	return ok;
}

/* Each thing that the library makes has a bound of its own: one step less than it needs is
 * an error, what it needs suffices, and so does one step more. */
static void every_limit_of_what_the_library_holds_is_an_error_and_nothing_more(void **state)
{
	enum { STEP = 16 }; /* what arenas hand out at least */
	int arenas, held = 0;

	(void)state;
	assert_true(run_in_room(-1, 0));
	arenas = arena_count;
	assert_in_range(arenas, 1, ARENAS_MAX - 1);
	for (int chosen = 0; chosen < arenas; chosen++) {
		size_t need = 0;

		while (!run_in_room(chosen, need) && need < ARENA_BYTES)
			need += STEP;
		assert_in_range(need, 0, ARENA_BYTES - STEP); /* of 0 nothing is held */
		held += need > 0;
		assert_true(run_in_room(chosen, need + STEP));
	}
	assert_in_range(held, 15, arenas);
}

static void expect_room(int first, int count, size_t mib)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(asked_bytes[first + i], mib << 20);
}

/* While entities are read by a schema, for one that is put into a revision, and for a set
 * that is like another one: the arenas from `first` on. */
static void expect_room_of_changes(int first, const struct cedar_schema *schema)
{
	struct cedar_entity entity = {.uid = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("new"))};
	struct cedar_change change = {.put = &entity};
	const struct cedar_entities *founded, *next;
	struct cedar_entities *store;
	struct cedar_error err;

	assert_int_equal(arena_count, first);
	assert_true(cedar_entities_create(&store, &err));
	assert_true(cedar_schema_add_entities(schema, store, CEDAR_TEXT("[]"), &err));
	assert_true(cedar_entities_seal(store, &err));
	assert_true(cedar_revision_first(&founded, &store, &err));
	expect_room(first, 2, CEDAR_STORE_MEMORY_MIB_MAX);
	first = arena_count;
	assert_true(cedar_revision_change(&next, founded, &change, 1, &err));
	assert_int_equal(arena_count, first + 1);
	expect_room(first, 1, CEDAR_STORE_MEMORY_MIB_MAX);
	cedar_revision_release(&next);
	cedar_revision_release(&founded);
	assert_true(liken(&err));
	assert_int_equal(arena_count, first + 3);
	expect_room(first + 1, 2, CEDAR_SET_MEMORY_MIB_MAX);
}

static void what_the_library_holds_is_bounded_as_the_header_says(void **state)
{
	struct cedar_arena *arena = cedar_arena_create(ARENA_BYTES);
	struct cedar_policy_set *set;
	struct cedar_entities *store;
	struct cedar_expression *expression;
	struct cedar_schema *schema;
	struct cedar_validation validation;
	struct cedar_error err;

	(void)state;
	assert_non_null(arena);
	arena_count = 0;
	assert_true(cedar_policy_set_create(&set, &err));
	assert_true(cedar_policy_set_add_set_json(set, cedar_text_of(more), &err));
	expect_room(0, 1, CEDAR_SET_MEMORY_MIB_MAX);
	expect_room(1, 1, CEDAR_POLICY_JSON_MEMORY_MIB_MAX);
	assert_true(cedar_entities_create(&store, &err));
	assert_true(cedar_entities_add_json(store, cedar_text_of(entities), &err));
	expect_room(2, 2, CEDAR_STORE_MEMORY_MIB_MAX);
	assert_true(cedar_expression_parse(&expression, CEDAR_TEXT("1"), &err));
	expect_room(4, 1, CEDAR_EXPRESSION_MEMORY_MIB_MAX);
	assert_true(cedar_schema_parse(&schema, cedar_text_of(schema_text), &err));
	expect_room(5, 1, CEDAR_SCHEMA_MEMORY_MIB_MAX);
	assert_true(cedar_policy_set_seal(set, &err));
	assert_true(cedar_validate(set, schema, CEDAR_RULE_4_13, arena, &validation, &err));
	expect_room(6, 3, CEDAR_VALIDATION_MEMORY_MIB_MAX);
	expect_room_of_changes(9, schema);
	cedar_schema_destroy(&schema);
	cedar_expression_destroy(&expression);
	cedar_entities_destroy(&store);
	cedar_policy_set_destroy(&set);
	cedar_arena_destroy(&arena);
}

enum { CHAIN = 2000, CHAIN_ROOM = 16 << 20 };

/* T::"c0" in T::"c1" in .. */
struct chain {
	char ids[CHAIN][8];
	struct cedar_uid uids[CHAIN];
	struct cedar_entities *store;
	struct cedar_entity bottom; /* in all of the chain */
};

static struct chain *chain_open(void)
{
	static struct chain chain;
	struct cedar_error err;

	assert_true(cedar_entities_create(&chain.store, &err));
	for (int i = 0; i < CHAIN; i++) {
		(void)snprintf(chain.ids[i], sizeof chain.ids[i], "c%d", i);
		chain.uids[i] = cedar_uid_of(CEDAR_TEXT("T"), cedar_text_of(chain.ids[i]));
	}
	for (size_t i = 0; i < CHAIN; i++) {
		struct cedar_entity entity = {.uid = chain.uids[i],
			.parents = &chain.uids[(i + 1) % CHAIN],
			.parent_count = i + 1 < CHAIN};

		assert_true(cedar_entities_add(chain.store, &entity, &err));
	}
	chain.bottom = (struct cedar_entity){.uid = cedar_uid_of(CEDAR_TEXT("T"), CEDAR_TEXT("b")),
		.parents = chain.uids,
		.parent_count = CHAIN};
	return &chain;
}

static void expect_ancestors(const struct cedar_entities *of, struct chain *chain)
{
	const struct entity_node *node = entities_find(of, &chain->bottom.uid);

	assert_non_null(node);
	assert_int_equal(node->ancestor_count, CHAIN);
	for (int i = 0; i < CHAIN; i += 100)
		assert_true(entity_has_ancestor(node, &chain->uids[i]));
	cedar_entities_destroy(&chain->store);
}

/* Each parent has all ancestors of those above it: together there are two million. */
static void ancestors_are_gathered_in_the_room_of_the_entities(void **state)
{
	struct chain *chain = chain_open();
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_add(chain->store, &chain->bottom, &err));
	largest_bytes = 0;
	assert_true(cedar_entities_seal(chain->store, &err));
	assert_true(largest_bytes <= 2 * (CHAIN + 1) * sizeof(struct ancestor));
	expect_ancestors(chain->store, chain);
}

static void ancestors_of_an_overlay_are_gathered_in_the_room_of_those_below(void **state)
{
	struct cedar_arena *arena = cedar_arena_create(CHAIN_ROOM);
	struct chain *chain = chain_open();
	const struct cedar_entities *overlay;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_seal(chain->store, &err));
	largest_bytes = 0;
	assert_true(cedar_entities_overlay(&overlay, arena, chain->store, &chain->bottom, 1, &err));
	assert_true(largest_bytes <= 2 * 4 * CHAIN * sizeof(struct ancestor));
	expect_ancestors(overlay, chain);
	cedar_arena_destroy(&arena);
}

static void ancestors_of_a_change_are_gathered_in_the_room_of_those_there_are(void **state)
{
	struct chain *chain = chain_open();
	const struct cedar_entities *first, *next;
	struct cedar_change change = {.put = &chain->bottom};
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_seal(chain->store, &err));
	assert_true(cedar_revision_first(&first, &chain->store, &err));
	largest_bytes = 0;
	assert_true(cedar_revision_change(&next, first, &change, 1, &err));
	assert_true(largest_bytes <= 8 * CHAIN * 3 * sizeof(void *));
	expect_ancestors(next, chain);
	cedar_revision_release(&next);
	cedar_revision_release(&first);
}

/* A condition that makes a set and a record of so many values, the last first. */
static size_t put_condition(char *out, size_t room, int values)
{
	size_t at = (size_t)snprintf(out, room, "when { [");

	for (int i = values; i > 0; i--)
		at += (size_t)snprintf(out + at, room - at, "context.n + %d,", i);
	at += (size_t)snprintf(out + at, room - at, "].contains(8) && {");
	for (int i = values; i > 0; i--)
		at += (size_t)snprintf(out + at, room - at, "a%d: context.n,", i);
	return at + (size_t)snprintf(out + at, room - at, "}.a1 == 7 };");
}

/* Of each kind one that is found by the principal, its group, and neither. */
static void fill_large(char *out, size_t room, int policies_of_a_kind, int values)
{
	static const char *const scopes[] = {"(principal, action, resource)",
		"(principal in G::\"g\", action, resource)",
		"(principal == U::\"p\", action, resource)"};
	size_t at = 0;

	for (int i = 0; i < policies_of_a_kind; i++) {
		at += (size_t)snprintf(out + at, room - at, "permit%s", scopes[i % 3]);
		if (i % 16 == 0)
			at += put_condition(out + at, room - at, values);
		else
			at += (size_t)snprintf(out + at, room - at, ";");
		at += (size_t)snprintf(
			out + at, room - at, "forbid%s when { context.zz };", scopes[(i + 1) % 3]);
	}
	assert_true(at < room);
}

static void deciding_takes_nothing_but_from_its_arena(void **state)
{
	enum { TEXT_BYTES = 1 << 21, KIND = 600, VALUES = 300 };
	struct cedar_request request = {cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("p")),
		cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("a")),
		cedar_uid_of(CEDAR_TEXT("R"), CEDAR_TEXT("r")), {.type = CEDAR_NONE}};
	struct cedar_arena *arena = cedar_arena_create(2 * ARENA_BYTES), *kept;
	struct cedar_policy_set *set;
	struct cedar_entities *store;
	struct cedar_answer answer;
	struct cedar_error err;
	char *text = malloc(TEXT_BYTES);

	(void)state;
	kept = cedar_arena_create(ARENA_BYTES);
	assert_true(text != NULL && arena != NULL && kept != NULL);
	fill_large(text, TEXT_BYTES, KIND, VALUES);
	assert_true(cedar_policy_set_parse(&set, cedar_text_of(text), NULL, &err));
	assert_true(cedar_entities_create(&store, &err) &&
		    cedar_entities_add_json(store, cedar_text_of(entities), &err) &&
		    cedar_entities_seal(store, &err) &&
		    cedar_value_parse_json(&request.context, kept, cedar_text_of(context), &err));
	/* One block, which a reset leaves. */
	assert_non_null(arena_alloc((struct arena *)arena, 1, 2 * ARENA_BYTES - 64));
	cedar_arena_reset(arena);
	allocations = 0;
	assert_true(cedar_authorize(set, store, &request, arena, &answer, &err));
	assert_int_equal(allocations, 0);
	assert_int_equal(answer.reason_count, KIND);
	assert_int_equal(answer.error_count, KIND);
	for (size_t i = 0; i < KIND; i++) {
		assert_int_equal(answer.reasons[i], 2 * i);
		assert_int_equal(answer.errors[i].policy, 2 * i + 1);
	}
	cedar_entities_destroy(&store);
	cedar_policy_set_destroy(&set);
	cedar_arena_destroy(&kept);
	cedar_arena_destroy(&arena);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deciding_takes_nothing_but_from_its_arena),
		cmocka_unit_test(ancestors_are_gathered_in_the_room_of_the_entities),
		cmocka_unit_test(ancestors_of_an_overlay_are_gathered_in_the_room_of_those_below),
		cmocka_unit_test(ancestors_of_a_change_are_gathered_in_the_room_of_those_there_are),
		cmocka_unit_test(what_the_library_holds_is_bounded_as_the_header_says),
		cmocka_unit_test(
			every_limit_of_what_the_library_holds_is_an_error_and_nothing_more),
		cmocka_unit_test(a_set_whose_sealing_failed_is_sealed_later),
		cmocka_unit_test(every_failed_allocation_is_an_error_and_nothing_more),
		cmocka_unit_test(every_limit_of_the_arena_is_an_error_and_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
