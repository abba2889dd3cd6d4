/* One authorization call, as the Cedar paper times it: policies parsed, the store
 * closed and the request built (from texts, nothing hashed) before the clock starts,
 * the answer dropped after it stops.  The published workloads, all seven sizes and
 * four seeds of each; then a hospital with 38 and with 9,905 policies.  Each request
 * is timed by itself (a batch of equal calls, to be longer than the clock's step);
 * the figures are over the requests.
 *
 * No peer runs here yet: a line says so. */
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cedar_files.h"
#include "cedar_vectors.h"
#include "cedar_workload.h"
#include "hospital.h"

enum { BATCH = 64, ROUNDS = 3, SCRATCH_BYTES = 1 << 20, TIMES_MAX = 7 * 4 * 500 };

struct times {
	double ns[TIMES_MAX];
	uint32_t count;
};

static double time_request(const struct cedar_policy_set *set,
	const struct cedar_entities *entities, const struct cedar_request *request,
	struct cedar_arena *scratch)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t begun = bench_now_ns();
		double took;

		for (int i = 0; i < BATCH; i++) {
			struct cedar_answer answer;
			struct cedar_error err;

			cedar_arena_reset(scratch);
			if (!cedar_authorize(set, entities, request, scratch, &answer, &err))
				abort();
		}
		took = (double)(bench_now_ns() - begun) / BATCH;
		if (round == 0 || took < best)
			best = took;
	}
	return best;
}

static void print_times(struct times *times, const char *title)
{
	qsort(times->ns, times->count, sizeof times->ns[0], bench_ascending);
	if (times->count > 0)
		bench_print("cedar", title,
			(struct bench_figures){
				times->ns[times->count / 2], times->ns[times->count * 99 / 100]},
			NULL, 0);
}

static void time_workload(struct times *times, const struct workload *workload)
{
	struct cedar_arena *scratch = cedar_arena_create(SCRATCH_BYTES);

	if (scratch == NULL)
		abort();
	for (uint32_t i = 0; i < workload->count && times->count < TIMES_MAX; i++) {
		struct cedar_request request = workload->requests[i];

		request.principal.hash = request.action.hash = request.resource.hash = 0;
		times->ns[times->count++] =
			time_request(workload->set, workload->entities, &request, scratch);
	}
	cedar_arena_destroy(&scratch);
}

static bool run_app(const char *vectors, const char *unpacked, const char *app)
{
	static const int sizes[] = {5, 10, 15, 20, 30, 40, 50};
	static struct times times;
	char name[32];

	times.count = 0;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		for (int seed = 0; seed < 4; seed++) {
			struct workload workload;
			bool ok;

			(void)snprintf(name, sizeof name, "n%02d-s%d", sizes[i], seed);
			ok = workload_open(&workload, vectors, unpacked, app, name);
			if (ok)
				time_workload(&times, &workload);
			workload_close(&workload);
			if (!ok)
				return false;
		}
	}
	print_times(&times, app);
	return true;
}

static bool run_apps(const char *vectors, const char *unpacked)
{
	static const char *const apps[] = {
		"github", "gdrive", "tinytodo", "github-templates", "gdrive-templates"};
	bool ok = true;

	for (size_t i = 0; i < sizeof apps / sizeof apps[0]; i++)
		ok &= run_app(vectors, unpacked, apps[i]);
	return ok;
}

static void run_hospital(uint32_t departments)
{
	static struct hospital hospital;
	static struct times times;
	struct cedar_arena *scratch = cedar_arena_create(SCRATCH_BYTES);
	char title[64];

	if (scratch == NULL)
		abort();
	hospital_open(&hospital, departments);
	times.count = 0;
	for (int i = 0; i < HOSPITAL_REQUESTS; i++)
		times.ns[times.count++] = time_request(
			hospital.set, hospital.entities, &hospital.requests[i], scratch);
	(void)snprintf(title, sizeof title, "hospital, %zu policies",
		cedar_policy_set_count(hospital.set));
	print_times(&times, title);
	hospital_close(&hospital);
	cedar_arena_destroy(&scratch);
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

int main(void)
{
	const char *below = getenv("REMIT_VECTORS");
	char vectors[FILES_PATH_BYTES], archive[2 * FILES_PATH_BYTES], unpacked[FILES_PATH_BYTES];
	bool ok;

	measure_parsing();
	run_hospital(1);
	run_hospital(300);
	(void)snprintf(
		vectors, sizeof vectors, "%s/cedar-bench", below == NULL ? VECTORS_DEFAULT : below);
	(void)snprintf(archive, sizeof archive, "%s/workloads.tar.zst", vectors);
	if (access(archive, R_OK) != 0 || !files_unpack(archive, unpacked)) {
		printf("{\"bench\":\"cedar\",\"case\":\"workloads\",\"skipped\":\"absent\"}\n");
		return 0;
	}
	ok = run_apps(vectors, unpacked);
	files_remove(unpacked);
	printf("{\"bench\":\"cedar\",\"case\":\"peers\",\"skipped\":\"none is installed\"}\n");
	return ok ? 0 : 1;
}
