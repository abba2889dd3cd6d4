/* One million entities: an organisation, three groups of 10, 1,000 and 100,000
 * members, and departments of a hundred people each for the rest.  A change is timed
 * from the entity to the next revision, the one before released; each change is
 * another entity's, in a fixed order without a pattern. */
#include "cedar_world.h"

#include <malloc.h>
#include <string.h>

#include "bench.h"
#include "remit/cedar.h"

enum { ENTITIES = 1000000, DEPARTMENT = 100, GROUPS = 3, WARM = 1000 };
enum { TIMED = 50000, ROUNDS = 1000000, CHANGED_LEAVES = 100000, NAME_BYTES = 32 };
enum { LEAF_BAR_NS = 20000 };
/* Per mille more bytes after the second million of changes. */
enum { GROWTH_BAR = 10 };

static const uint32_t members[GROUPS] = {10, 1000, 100000};

struct world {
	const struct cedar_entities *now;
	uint64_t state;
	uint32_t first_leaf; /* people from here on are in departments */
	uint32_t people;
};

static double timed_ns[TIMED];

static _Noreturn void give_up(const char *why)
{
	(void)fprintf(stderr, "world: %s\n", why);
	abort();
}

/* xorshift64* */
static uint32_t draw(struct world *world, uint32_t bound)
{
	world->state ^= world->state >> 12;
	world->state ^= world->state << 25;
	world->state ^= world->state >> 27;
	return (uint32_t)((world->state * 0x2545F4914F6CDD1D >> 32) % bound);
}

static struct cedar_uid uid_of(char name[NAME_BYTES], const char *type, uint32_t number)
{
	(void)snprintf(name, NAME_BYTES, "%s-%u", type, number);
	return cedar_uid_of(cedar_text_of(type), cedar_text_of(name));
}

/* What the person's parent is: people of the groups first. */
static struct cedar_uid parent_of(char name[NAME_BYTES], uint32_t person)
{
	for (uint32_t group = 0; group < GROUPS; group++) {
		if (person < members[group])
			return uid_of(name, "Group", group);
		person -= members[group];
	}
	return uid_of(name, "Department", person / DEPARTMENT);
}

struct person {
	struct cedar_entity entity;
	struct cedar_member attributes[3];
	struct cedar_uid parent;
	char name[NAME_BYTES];
	char parent_name[NAME_BYTES];
};

/* level tells one version of the person from another. */
static void make_person(struct person *person, uint32_t number, int64_t level)
{
	person->parent = parent_of(person->parent_name, number);
	person->attributes[0] = (struct cedar_member){CEDAR_TEXT("active"), cedar_value_bool(true)};
	person->attributes[1] = (struct cedar_member){
		CEDAR_TEXT("email"), cedar_value_string(CEDAR_TEXT("someone@example.com"))};
	person->attributes[2] = (struct cedar_member){CEDAR_TEXT("level"), cedar_value_long(level)};
	person->entity = (struct cedar_entity){.uid = uid_of(person->name, "Person", number),
		.attributes = {.type = CEDAR_RECORD,
			.depth = 1,
			.count = 3,
			.members = person->attributes},
		.parents = &person->parent,
		.parent_count = 1};
}

static void add(struct cedar_entities *store, const struct cedar_entity *entity)
{
	struct cedar_error err;

	if (!cedar_entities_add(store, entity, &err))
		give_up(err.text);
}

static void add_parents(struct cedar_entities *store, const char *type, uint32_t count)
{
	char name[NAME_BYTES], above[NAME_BYTES];
	struct cedar_uid organisation = uid_of(above, "Organisation", 0);

	for (uint32_t i = 0; i < count; i++)
		add(store, &(struct cedar_entity){.uid = uid_of(name, type, i),
				   .parents = &organisation,
				   .parent_count = 1});
}

static void open_world(struct world *world)
{
	struct cedar_entities *store;
	struct cedar_error err;
	struct person person;
	char name[NAME_BYTES];
	uint32_t departments;

	*world = (struct world){.state = 20261125};
	for (int i = 0; i < GROUPS; i++)
		world->first_leaf += members[i];
	departments = (ENTITIES - world->first_leaf) / (DEPARTMENT + 1);
	world->people = ENTITIES - GROUPS - 1 - departments;
	if (!cedar_entities_create(&store, &err))
		give_up(err.text);
	add(store, &(struct cedar_entity){.uid = uid_of(name, "Organisation", 0)});
	add_parents(store, "Group", GROUPS);
	add_parents(store, "Department", departments);
	for (uint32_t i = 0; i < world->people; i++) {
		make_person(&person, i, 1);
		add(store, &person.entity);
	}
	if (!cedar_entities_seal(store, &err) || !cedar_revision_first(&world->now, &store, &err))
		give_up(err.text);
}

static double change(struct world *world, const struct cedar_entity *entity)
{
	struct cedar_change change = {.put = entity};
	const struct cedar_entities *next;
	struct cedar_error err;
	int64_t begun = bench_now_ns();

	if (!cedar_revision_change(&next, world->now, &change, 1, &err))
		give_up(err.text);
	cedar_revision_release(&world->now);
	world->now = next;
	return (double)(bench_now_ns() - begun);
}

/* Prints what was timed.  bar_ns 0: there is none. */
static bool print_times(const char *title, size_t count, int bar_ns)
{
	struct bench_figures found;

	qsort(timed_ns, count, sizeof timed_ns[0], bench_ascending);
	found.p50_ns = timed_ns[count / 2];
	found.p99_ns = timed_ns[count * 99 / 100];
	printf("{\"bench\":\"cedar\",\"case\":\"world of 1 M, %s\",\"p50_ns\":%.0f,"
	       "\"p99_ns\":%.0f,\"per_second\":%.0f",
		title, found.p50_ns, found.p99_ns, 1e9 / found.p50_ns);
	if (bar_ns > 0)
		printf(",\"bar_ns\":%d,\"met\":%s", bar_ns,
			found.p99_ns <= bar_ns ? "true" : "false");
	printf("}\n");
	fflush(stdout);
	return bar_ns == 0 || found.p99_ns <= bar_ns;
}

static double change_leaf(struct world *world, uint32_t range, int64_t level)
{
	struct person person;

	make_person(&person, world->first_leaf + draw(world, range), level);
	return change(world, &person.entity);
}

static bool time_leaves(struct world *world)
{
	for (int i = 0; i < WARM; i++)
		change_leaf(world, world->people - world->first_leaf, 2);
	for (int i = 0; i < TIMED; i++)
		timed_ns[i] = change_leaf(world, world->people - world->first_leaf, 3);
	return print_times("one leaf changed, bar for p99", TIMED, LEAF_BAR_NS);
}

/* To another department: both have one child more or less. */
static bool time_moves(struct world *world)
{
	for (int i = 0; i < TIMED; i++) {
		uint32_t people = world->people - world->first_leaf;
		struct person person;

		make_person(&person, world->first_leaf + draw(world, people), 4);
		person.parent =
			uid_of(person.parent_name, "Department", draw(world, people / DEPARTMENT));
		timed_ns[i] = change(world, &person.entity);
	}
	return print_times("one leaf moved, bar for p99", TIMED, LEAF_BAR_NS);
}

/* A group moves below a department and back: each time all its members' ancestors
 * change. */
static void time_group(struct world *world, uint32_t group, int count)
{
	char name[NAME_BYTES], parent_name[NAME_BYTES], title[64];
	struct cedar_uid parent;
	struct cedar_entity entity = {
		.uid = uid_of(name, "Group", group), .parents = &parent, .parent_count = 1};

	for (int i = 0; i < count; i++) {
		parent = uid_of(parent_name, i % 2 == 0 ? "Department" : "Organisation", 0);
		timed_ns[i] = change(world, &entity);
	}
	(void)snprintf(title, sizeof title, "a parent of %u moved", members[group]);
	print_times(title, (size_t)count, 0);
}

/* Bytes on the heap; 0 where its size cannot be asked. */
static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static bool measure_growth(struct world *world)
{
	size_t bytes[2];
	double growth;

	for (int i = 0; i < 2; i++) {
		for (int round = 0; round < ROUNDS; round++)
			change_leaf(world, CHANGED_LEAVES, round);
		bytes[i] = heap_bytes();
	}
	growth = ((double)bytes[1] - (double)bytes[0]) * 1000 / (double)bytes[0];
	printf("{\"bench\":\"cedar\",\"case\":\"world of 1 M, heap after 2 M changes to after 1 M, "
	       "per mille more\",\"kib\":%zu,\"ratio\":%.2f,\"bar\":%d,\"met\":%s}\n",
		bytes[1] / 1024, growth, GROWTH_BAR, growth <= GROWTH_BAR ? "true" : "false");
	fflush(stdout);
	return growth <= GROWTH_BAR;
}

bool world_run(void)
{
	struct world world;
	bool ok;

	open_world(&world);
	ok = time_leaves(&world);
	ok &= time_moves(&world);
	time_group(&world, 0, 1000);
	time_group(&world, 1, 200);
	time_group(&world, 2, 10);
	ok &= measure_growth(&world);
	cedar_revision_release(&world.now);
	return ok;
}
