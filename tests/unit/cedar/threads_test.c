/* Sealed sets, stores and revisions are read by many threads at once.  ThreadSanitizer, which
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

/* What the writer hands out, under the readers' lock. */
struct desk {
	pthread_mutex_t lock;
	const struct cedar_entities *newest;
	const struct cedar_policy_set *set;
	const struct cedar_request *request;
	bool is_closed;
	unsigned wrong;
};

static bool read_newest(struct desk *desk, struct cedar_arena *arena, unsigned *wrong)
{
	const struct cedar_entities *revision;
	struct cedar_answer answer;
	struct cedar_error err;
	bool goes_on;

	pthread_mutex_lock(&desk->lock);
	revision = cedar_revision_hold(desk->newest);
	goes_on = !desk->is_closed;
	pthread_mutex_unlock(&desk->lock);
	cedar_arena_reset(arena);
	*wrong += !cedar_authorize(desk->set, revision, desk->request, arena, &answer, &err) ||
		  answer.decision != CEDAR_ALLOW;
	cedar_revision_release(&revision);
	return goes_on;
}

static void *decide_newest(void *closure)
{
	struct desk *desk = closure;
	struct cedar_arena *arena = cedar_arena_create(SUPPORT_ARENA_BYTES);
	unsigned wrong = arena == NULL;

	while (arena != NULL && read_newest(desk, arena, &wrong))
		continue;
	cedar_arena_destroy(&arena);
	pthread_mutex_lock(&desk->lock);
	desk->wrong += wrong;
	pthread_mutex_unlock(&desk->lock);
	return NULL;
}

/* U::"p" moves between two groups below G::"all"; the desk gets each revision. */
static void publish(struct desk *desk)
{
	static const char *const groups[] = {"even", "odd"};

	for (int i = 0; i < 2 * ROUNDS; i++) {
		struct cedar_uid group =
			cedar_uid_of(CEDAR_TEXT("G"), cedar_text_of(groups[i % 2]));
		struct cedar_uid all = cedar_uid_of(CEDAR_TEXT("G"), CEDAR_TEXT("all"));
		struct cedar_entity person = {
			.uid = desk->request->principal, .parents = &group, .parent_count = 1};
		struct cedar_entity lifted = {.uid = group, .parents = &all, .parent_count = 1};
		struct cedar_change changes[] = {{.put = &lifted}, {.put = &person}};
		const struct cedar_entities *next, *before = desk->newest;
		struct cedar_error err;

		if (!cedar_revision_change(&next, before, changes, 2, &err))
			fail_msg("%s", err.text);
		pthread_mutex_lock(&desk->lock);
		desk->newest = next;
		pthread_mutex_unlock(&desk->lock);
		cedar_revision_release(&before);
	}
}

static void readers_hold_revisions_while_a_writer_makes_others(void **state)
{
	static const char member[] =
		"[{\"uid\":{\"type\":\"U\",\"id\":\"p\"},\"attrs\":{},\"parents\":["
		"{\"type\":\"G\",\"id\":\"all\"}]}]";
	struct cedar_policy_set *set = set_of("permit(principal in G::\"all\", action, resource);");
	struct desk desk = {.lock = PTHREAD_MUTEX_INITIALIZER, .set = set};
	pthread_t threads[THREADS];
	struct world world;

	(void)state;
	world_open(&world, member, NULL);
	assert_true(cedar_revision_first(&desk.newest, &world.entities, &world.err));
	desk.request = &world.request;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, decide_newest, &desk), 0);
	publish(&desk);
	pthread_mutex_lock(&desk.lock);
	desk.is_closed = true;
	pthread_mutex_unlock(&desk.lock);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(desk.wrong, 0);
	cedar_revision_release(&desk.newest);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_threads_decide_with_one_set_and_one_store),
		cmocka_unit_test(readers_hold_revisions_while_a_writer_makes_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
