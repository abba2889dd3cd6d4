/* What compiling identities costs that are many and alike: 10,000 identities of ten
 * charters, then one of them changed, again and again.  Beside it, the same without
 * sharing: each identity compiled alone. */
#include <malloc.h>
#include <string.h>

#include "bench.h"
#include "domain/charter/ceiling.h"

enum { IDENTITIES = 10000, SHAPES = 10, LINES = 6, CHANGES = 20000, NAME_BYTES = 32 };

static const char *const conditions[] = {
	"context.args.path like \"tickets/*\" && context.environment == \"staging\"",
	"context.args has limit && context.args.limit <= 100 && context.labels.isEmpty()",
	"[\"eu\", \"us\"].contains(context.args.region) || context.task.depth < 2",
	"",
};

/* One identity's charter: as charter `shape` of the ten, with tools of its own. */
struct written {
	struct charter charter;
	struct object object;
	struct entitlement lines[LINES];
	char name[NAME_BYTES];
	char tools[LINES][NAME_BYTES];
	char when[LINES][160];
};

struct run {
	struct ceilings *pool; /* NULL: nobody shares */
	struct ceiling *ceilings[IDENTITIES];
	size_t heap_bytes;
	double took_ns;
};

static struct run run;
static struct written written[IDENTITIES]; /* a ceiling borrows its charter */
static double samples[CHANGES];

static struct text text_in(const char *string)
{
	return (struct text){string, strlen(string)};
}

static void write_line(struct written *out, uint32_t identity, uint32_t i)
{
	struct entitlement *line = &out->lines[i];
	uint32_t shape = identity % SHAPES;
	const char *condition = conditions[(shape + i) % 4];

	(void)snprintf(out->tools[i], NAME_BYTES, "server/tool-%u", identity + i);
	out->when[i][0] = '\0';
	if (*condition != '\0') /* ten charters that differ */
		(void)snprintf(out->when[i], sizeof out->when[i], "%s && context.args.n != %u",
			condition, shape);
	*line = (struct entitlement){.number = i,
		.effect = EFFECT_READ,
		.resource_kind = RESOURCE_TOOL,
		.resource = text_in(out->tools[i]),
		.when = text_in(out->when[i])};
}

static const struct object *write_charter(struct written *out, uint32_t identity)
{
	(void)snprintf(out->name, sizeof out->name, "identity-%u", identity);
	for (uint32_t i = 0; i < LINES; i++)
		write_line(out, identity, i);
	out->object = (struct object){.kind = OBJECT_IDENTITY, .body = &out->charter};
	out->charter = (struct charter){.name = text_in(out->name),
		.entitlements = out->lines,
		.entitlements_count = LINES};
	return &out->object;
}

static void compile(uint32_t identity, uint32_t version)
{
	struct error err;

	if (!ceiling_compile(&run.ceilings[identity], run.pool,
		    write_charter(&written[identity], identity), version, &err) ||
		ceiling_policies(run.ceilings[identity]) == NULL) {
		(void)fprintf(stderr, "charter: %s\n", err.text);
		abort();
	}
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void compile_all(void)
{
	size_t before = heap_bytes();
	int64_t begun = bench_now_ns();

	for (uint32_t i = 0; i < IDENTITIES; i++)
		compile(i, 1);
	run.took_ns = (double)(bench_now_ns() - begun);
	run.heap_bytes = heap_bytes() - before;
}

static struct bench_figures change_each(void)
{
	for (uint32_t i = 0; i < CHANGES; i++) {
		uint32_t identity = (uint32_t)((uint64_t)i * 7919 % IDENTITIES);
		int64_t begun = bench_now_ns();

		ceiling_destroy(&run.ceilings[identity]);
		compile(identity, 2 + i);
		samples[i] = (double)(bench_now_ns() - begun);
	}
	qsort(samples, CHANGES, sizeof samples[0], bench_ascending);
	return (struct bench_figures){samples[CHANGES / 2], samples[CHANGES * 99 / 100]};
}

/* Prints two lines and gives the kibibytes in use. */
static size_t measure(const char *how)
{
	struct bench_figures changed;

	compile_all();
	printf("{\"bench\":\"charter\",\"case\":\"compile 10,000 identities of 10 charters, %s\","
	       "\"mean_ns\":%.0f,\"per_second\":%.0f,\"kib\":%zu}\n",
		how, run.took_ns / IDENTITIES, IDENTITIES * 1e9 / run.took_ns,
		run.heap_bytes / 1024);
	changed = change_each();
	printf("{\"bench\":\"charter\",\"case\":\"one of them changed, %s\",\"p50_ns\":%.0f,"
	       "\"p99_ns\":%.0f,\"per_second\":%.0f}\n",
		how, changed.p50_ns, changed.p99_ns, 1e9 / changed.p50_ns);
	fflush(stdout);
	for (uint32_t i = 0; i < IDENTITIES; i++)
		ceiling_destroy(&run.ceilings[i]);
	return run.heap_bytes / 1024;
}

int main(void)
{
	size_t alone = measure("each alone"), shared;
	struct error err;

	if (!ceilings_create(&run.pool, &err))
		return 1;
	shared = measure("sharing what they demand");
	printf("{\"bench\":\"charter\",\"case\":\"memory alone to shared\",\"ratio\":%.1f}\n",
		(double)alone / (double)shared);
	ceilings_destroy(&run.pool);
	return 0;
}
