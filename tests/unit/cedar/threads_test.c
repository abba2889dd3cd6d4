/* Sealed sets and stores are read by many threads at once.  ThreadSanitizer, which
 * runs this test too, would name any write. */
#include <pthread.h>

#include "support.h"

enum { THREADS = 4, ROUNDS = 300 };

static const char policies[] =
	"permit(principal in G::\"g\", action == Action::\"a\", resource) "
	"when { context.n == 1 && principal in resource.readers };"
	"permit(principal, action, resource) when { context.s like \"x*\" };"
	"permit(principal, action, resource) when { [context.n, 2].contains(1) };"
	"forbid(principal, action, resource) when { context.missing == 1 };"
	"forbid(principal, action, resource) when { context has m && context.m == 2 };"
	"forbid(principal == U::\"q\", action, resource);"
	"forbid(principal, action, resource is X);"
	"forbid(principal, action, resource == R::\"s\");"
	"permit(principal, action, resource) when { {a: [1, 2]}.a == [2, 1] };";

static const char entities[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"p\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":"
	"\"g\"}]},{\"uid\":{\"type\":\"R\",\"id\":\"r\"},\"attrs\":{\"readers\":{\"__entity\":{"
	"\"type\":\"G\",\"id\":\"g\"}}},\"parents\":[]}]";

struct share {
	const struct world *world;
	const struct cedar_policy_set *set;
	unsigned wrong; /* answers of this thread */
};

static void *decide(void *closure)
{
	struct share *share = closure;
	struct cedar_arena *arena = cedar_arena_create(SUPPORT_ARENA_BYTES);

	for (int i = 0; i < ROUNDS && arena != NULL; i++) {
		struct cedar_answer answer;
		struct cedar_error err;

		cedar_arena_reset(arena);
		share->wrong += !cedar_authorize(share->set, share->world->entities,
					&share->world->request, arena, &answer, &err) ||
				answer.decision != CEDAR_ALLOW || answer.reason_count != 3 ||
				answer.error_count != 1;
	}
	share->wrong += arena == NULL;
	cedar_arena_destroy(&arena);
	return NULL;
}

static void many_threads_decide_with_one_set_and_one_store(void **state)
{
	struct cedar_policy_set *set = set_of(policies);
	struct share shares[THREADS];
	pthread_t threads[THREADS];
	struct world world;

	(void)state;
	world_open(&world, entities, "{\"n\":1,\"s\":\"y\"}");
	for (int i = 0; i < THREADS; i++) {
		shares[i] = (struct share){&world, set, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, decide, &shares[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(shares[i].wrong, 0);
	}
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_threads_decide_with_one_set_and_one_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
