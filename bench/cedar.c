/* One authorization call on the published workloads (github, gdrive, tinytodo at
 * N = 5, 20, 50), as the Cedar paper times it: policies parsed, the store closed
 * and the request built before the clock starts, the answer dropped after it
 * stops.  Each of the 500 requests is timed by itself (a batch of equal calls,
 * to be longer than the clock's step); the figures are over the requests.
 *
 * No peer runs here yet: a line says so. */
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cedar_files.h"
#include "cedar_vectors.h"
#include "cedar_workload.h"

enum { BATCH = 200, ROUNDS = 5, REQUESTS_MAX = 500, SCRATCH_BYTES = 1 << 20 };

static double time_request(
	const struct workload *workload, uint32_t request, struct cedar_arena *scratch)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t begun = bench_now_ns();
		double took;

		for (int i = 0; i < BATCH; i++) {
			struct cedar_answer answer;
			struct cedar_error err;

			cedar_arena_reset(scratch);
			if (!cedar_authorize(workload->set, workload->entities,
				    &workload->requests[request], scratch, &answer, &err))
				return -1;
		}
		took = (double)(bench_now_ns() - begun) / BATCH;
		if (round == 0 || took < best)
			best = took;
	}
	return best;
}

static bool measure(const struct workload *workload, const char *app, const char *name)
{
	static double times[REQUESTS_MAX];
	struct cedar_arena *scratch = cedar_arena_create(SCRATCH_BYTES);
	uint32_t count = workload->count < REQUESTS_MAX ? workload->count : REQUESTS_MAX;
	char title[64];

	if (scratch == NULL || count == 0)
		return false;
	for (uint32_t i = 0; i < count; i++)
		times[i] = time_request(workload, i, scratch);
	qsort(times, count, sizeof times[0], bench_ascending);
	(void)snprintf(title, sizeof title, "%s %s", app, name);
	bench_print("cedar", title,
		(struct bench_figures){times[count / 2], times[count * 99 / 100]}, NULL, 0);
	cedar_arena_destroy(&scratch);
	return times[0] >= 0;
}

static bool run_apps(const char *vectors, const char *unpacked)
{
	static const char *const apps[] = {"github", "gdrive", "tinytodo"};
	static const char *const names[] = {"n05-s0", "n20-s0", "n50-s0"};
	bool ok = true;

	for (size_t a = 0; a < sizeof apps / sizeof apps[0]; a++) {
		for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
			struct workload workload;

			ok &= workload_open(&workload, vectors, unpacked, apps[a], names[n]) &&
			      measure(&workload, apps[a], names[n]);
			workload_close(&workload);
		}
	}
	return ok;
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
