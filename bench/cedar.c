/* One authorization call, as the Cedar paper times it: policies parsed, the store
 * closed and the request's context built before the clock starts, the answer dropped
 * after it stops.  Timed is the way from the texts of the uids (nothing hashed) to
 * decision, reasons and errors; bench/peers/README.md has the whole protocol, which
 * the peers keep too.  The published workloads, all seven sizes and four seeds of
 * each; then a hospital with 38 and with 9,905 policies. */
#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cedar_apps.h"
#include "cedar_bench.h"
#include "cedar_files.h"
#include "cedar_peers.h"
#include "cedar_workload.h"
#include "cedar_world.h"

enum { BATCH_MAX = 64, BATCH_NS = 100000, ROUNDS = 3, LOADS = 9 };
enum { SCRATCH_BYTES = 1 << 20, REQUESTS_MAX = 500, WORKLOADS_MAX = 28, FIGURES_MAX = 32 };

/* p99 of a request at most so many times the median one, and the large hospital at
 * most so many times the small one. */
enum { TAIL_MAX = 5, GROWTH_MAX = 2 };

struct times {
	double ns[REQUESTS_MAX];
	size_t count;
};

/* What is printed of each app is the median over its workloads. */
struct app_times {
	double p50_ns[WORKLOADS_MAX];
	double p99_ns[WORKLOADS_MAX];
	size_t count;
};

struct figures {
	struct peers_figure list[FIGURES_MAX];
	size_t count;
};

static double quantile(double *ns, size_t count, size_t percent)
{
	qsort(ns, count, sizeof ns[0], bench_ascending);
	return ns[count * percent / 100];
}

static void keep_figure(
	struct figures *figures, const char *title, struct bench_figures times, double per_run)
{
	struct peers_figure *figure = &figures->list[figures->count++];

	if (figures->count > FIGURES_MAX)
		abort();
	(void)snprintf(figure->title, sizeof figure->title, "%s", title);
	figure->p50_ns = times.p50_ns;
	figure->p99_ns = times.p99_ns;
	figure->per_run = per_run;
	printf("{\"bench\":\"cedar\",\"case\":\"%s\",\"p50_ns\":%.0f,\"p99_ns\":%.0f,"
	       "\"per_second\":%.0f}\n",
		title, times.p50_ns, times.p99_ns, per_run * 1e9 / times.p50_ns);
	fflush(stdout);
}

static bool print_bar(const char *title, double ratio, int bar)
{
	printf("{\"bench\":\"cedar\",\"case\":\"%s\",\"ratio\":%.2f,\"bar\":%d,\"met\":%s}\n",
		title, ratio, bar, ratio <= bar ? "true" : "false");
	fflush(stdout);
	return ratio <= bar;
}

/* The time of one call, over a batch of equal ones. */
static double time_calls(const struct workload *workload, const struct cedar_request *request,
	struct cedar_arena *scratch, int batch)
{
	int64_t begun = bench_now_ns();

	for (int i = 0; i < batch; i++) {
		struct cedar_answer answer;
		struct cedar_error err;

		cedar_arena_reset(scratch);
		if (!cedar_authorize(
			    workload->set, workload->entities, request, scratch, &answer, &err))
			abort();
	}
	return (double)(bench_now_ns() - begun) / batch;
}

static double time_best(const struct workload *workload, const struct cedar_request *request,
	struct cedar_arena *scratch, int batch)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double took = time_calls(workload, request, scratch, batch);

		if (round == 0 || took < best)
			best = took;
	}
	return best;
}

static double time_request(
	const struct workload *workload, struct cedar_request request, struct cedar_arena *scratch)
{
	double warm;
	int batch;

	request.principal.hash = request.action.hash = request.resource.hash = 0;
	warm = time_best(workload, &request, scratch, 1);
	batch = warm * BATCH_MAX <= BATCH_NS ? BATCH_MAX : (int)(BATCH_NS / warm);
	return time_best(workload, &request, scratch, batch < 1 ? 1 : batch);
}

static bool check_answers(const struct workload *workload, struct cedar_arena *scratch)
{
	for (uint32_t i = 0; i < workload->count; i++) {
		struct cedar_answer answer;
		struct cedar_error err;

		cedar_arena_reset(scratch);
		if (!cedar_authorize(workload->set, workload->entities, &workload->requests[i],
			    scratch, &answer, &err) ||
			!workload_is_expected(workload, i, &answer))
			return false;
	}
	return true;
}

static bool time_workload(struct app_times *out, const struct workload *workload)
{
	static struct times times;
	struct cedar_arena *scratch = cedar_arena_create(SCRATCH_BYTES);
	bool ok = scratch != NULL && workload->count > 0 && workload->count <= REQUESTS_MAX &&
		  out->count < WORKLOADS_MAX && check_answers(workload, scratch);

	times.count = 0;
	for (uint32_t i = 0; ok && i < workload->count; i++)
		times.ns[times.count++] = time_request(workload, workload->requests[i], scratch);
	if (ok) {
		out->p50_ns[out->count] = quantile(times.ns, times.count, 50);
		out->p99_ns[out->count++] = quantile(times.ns, times.count, 99);
	}
	cedar_arena_destroy(&scratch);
	return ok;
}

static int is_workload(const struct dirent *entry)
{
	return entry->d_name[0] == 'n';
}

/* The names of an app's workloads; the last is the largest.  Free with drop_names. */
static int list_names(struct dirent ***out, const char *root, const char *app)
{
	char path[2 * FILES_PATH_BYTES];

	(void)snprintf(path, sizeof path, "%s/workloads/%s", root, app);
	return scandir(path, out, is_workload, alphasort);
}

static void drop_names(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	if (count >= 0)
		free(names);
}

static bool open_workload(
	struct workload *workload, const char *root, const char *app, const char *name)
{
	if (workload_open(workload, root, root, app, name))
		return true;
	(void)fprintf(stderr, "%s %s: %s\n", app, name, workload->err.text);
	return false;
}

static bool run_app(struct figures *figures, const char *root, const char *app)
{
	static struct app_times times;
	struct dirent **names;
	struct bench_figures found;
	int count = list_names(&names, root, app);
	bool ok = count > 0;

	times.count = 0;
	for (int i = 0; ok && i < count; i++) {
		struct workload workload;

		ok = open_workload(&workload, root, app, names[i]->d_name) &&
		     time_workload(&times, &workload);
		workload_close(&workload);
	}
	drop_names(names, count);
	if (!ok) {
		(void)fprintf(stderr, "%s: not the expected answers\n", app);
		return false;
	}
	found.p50_ns = quantile(times.p50_ns, times.count, 50);
	found.p99_ns = quantile(times.p99_ns, times.count, 50);
	keep_figure(figures, app, found, 1);
	return true;
}

/* From the text to the sealed store. */
static double time_load(struct cedar_text json, size_t *entities)
{
	int64_t begun = bench_now_ns();
	struct cedar_entities *loaded;
	struct cedar_error err;
	double took;

	if (!cedar_entities_create(&loaded, &err) || !cedar_entities_add_json(loaded, json, &err) ||
		!cedar_entities_seal(loaded, &err))
		abort();
	took = (double)(bench_now_ns() - begun);
	*entities = cedar_entities_count(loaded);
	cedar_entities_destroy(&loaded);
	return took;
}

static bool load_app(struct figures *figures, const char *root, const char *app)
{
	struct arena *arena = arena_create((size_t)CEDAR_ENTITIES_BYTES_MAX);
	struct cedar_text json = {NULL, 0};
	struct dirent **names;
	char text[2 * FILES_PATH_BYTES];
	double ns[LOADS];
	size_t entities = 0;
	int count = list_names(&names, root, app);

	if (arena != NULL && count > 0) {
		(void)snprintf(text, sizeof text, "%s/workloads/%s/%s/entities.json", root, app,
			names[count - 1]->d_name);
		json = files_read(arena, text);
	}
	for (int i = 0; json.data != NULL && i < LOADS; i++)
		ns[i] = time_load(json, &entities);
	(void)snprintf(text, sizeof text, "load entities JSON, %s", app);
	if (json.data != NULL) {
		struct bench_figures found = {quantile(ns, LOADS, 50), quantile(ns, LOADS, 99)};

		keep_figure(figures, text, found, (double)entities);
	}
	drop_names(names, count);
	arena_destroy(&arena);
	return json.data != NULL;
}

/* The cost of a change: parsing, compiling and sealing a set of 100 policies. */
static void parse_policies(void *context)
{
	struct cedar_policy_set *set;
	struct cedar_error err;
	const struct cedar_text *text = context;

	if (!cedar_policy_set_parse(&set, *text, NULL, &err))
		abort();
	cedar_policy_set_destroy(&set);
}

static void measure_parsing(void)
{
	static const char policy[] =
		"@id(\"p\") permit (principal == Identity::\"summariser\", action == "
		"Action::\"read\", resource == Tool::\"files/read\") when { context.args.path like "
		"\"tickets/*\" && context.environment == \"staging\" };\n";
	enum { POLICIES = 100 };
	static char text[POLICIES * sizeof policy];
	struct cedar_text all = {text, POLICIES * (sizeof policy - 1)};

	for (size_t i = 0; i < POLICIES; i++)
		memcpy(text + i * (sizeof policy - 1), policy, sizeof policy - 1);
	bench_print("cedar", "parse 100 policies", bench_run(parse_policies, &all), NULL, 0);
}

static bool check_bars(const struct figures *figures)
{
	bool ok = true;
	char title[64];

	for (size_t i = 0; i < CEDAR_APPS_PUBLISHED; i++) {
		(void)snprintf(title, sizeof title, "%s, p99 to p50", cedar_apps[i]);
		ok &= print_bar(title, figures->list[i].p99_ns / figures->list[i].p50_ns, TAIL_MAX);
	}
	ok &= print_bar("hospital-9905 to hospital-38",
		figures->list[CEDAR_APPS - 1].p50_ns / figures->list[CEDAR_APPS - 2].p50_ns,
		GROWTH_MAX);
	return ok;
}

static bool run_all(const char *root)
{
	const char *installed = getenv("REMIT_PEERS");
	struct figures figures = {.count = 0};
	bool ok = true;

	for (size_t i = 0; i < CEDAR_APPS && ok; i++)
		ok = run_app(&figures, root, cedar_apps[i]);
	if (!ok)
		return false;
	printf("{\"bench\":\"cedar\",\"case\":\"ratio\",\"note\":\"a peer's time by ours, and at "
	       "least its bar; without a peer, what the case names, and at most its bar\"}\n");
	ok = check_bars(&figures);
	for (size_t i = 0; i < CEDAR_APPS; i++)
		ok &= load_app(&figures, root, cedar_apps[i]);
	return peers_run(installed == NULL ? PEERS_DEFAULT : installed, root, figures.list,
		       figures.count) &&
	       ok;
}

int main(void)
{
	const char *below = getenv("REMIT_VECTORS");
	char vectors[PATH_MAX], archive[2 * FILES_PATH_BYTES], root[FILES_PATH_BYTES];
	bool ok;

	measure_parsing();
	(void)snprintf(
		archive, sizeof archive, "%s/cedar-bench", below == NULL ? VECTORS_DEFAULT : below);
	if (realpath(archive, vectors) != NULL)
		(void)snprintf(archive, sizeof archive, "%s/workloads.tar.zst", vectors);
	if (access(archive, R_OK) != 0 || !files_unpack(archive, root)) {
		printf("{\"bench\":\"cedar\",\"case\":\"workloads\",\"skipped\":\"absent\"}\n");
		return world_run() ? 0 : 1;
	}
	ok = cedar_apps_lay_out(vectors, root) && run_all(root);
	files_remove(root);
	ok &= world_run(); /* last: the heap it leaves would make loading cheaper */
	return ok ? 0 : 1;
}
