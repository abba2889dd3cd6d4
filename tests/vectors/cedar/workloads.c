/* cedar-workloads --vectors FOLDER
 *
 * Decides every request of the published workloads and
 * compares decision, reasons and errors.  FOLDER (or $REMIT_VECTORS) holds
 * cedar-bench.  Exit 77 if it is absent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cedar_files.h"
#include "cedar_workload.h"

enum { REQUESTS = 70000, EXIT_SKIPPED = 77, SCRATCH_BYTES = 1 << 20 };

struct totals {
	unsigned long passed;
	unsigned long failed;
};

static void decide_all(struct workload *workload, struct totals *totals)
{
	struct cedar_arena *scratch = cedar_arena_create(SCRATCH_BYTES);
	struct cedar_answer answer;
	struct cedar_error err;

	for (uint32_t i = 0; scratch != NULL && i < workload->count; i++) {
		cedar_arena_reset(scratch);
		if (cedar_authorize(workload->set, workload->entities, &workload->requests[i],
			    scratch, &answer, &err) &&
			workload_is_expected(workload, i, &answer))
			totals->passed++;
		else
			totals->failed++;
	}
	cedar_arena_destroy(&scratch);
}

static void run_app(
	const char *vectors, const char *unpacked, const char *app, struct totals *totals)
{
	static const int sizes[] = {5, 10, 15, 20, 30, 40, 50};
	struct totals before = *totals;
	struct workload workload;
	char name[32];

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		for (int seed = 0; seed < 4; seed++) {
			(void)snprintf(name, sizeof name, "n%02d-s%d", sizes[i], seed);
			if (workload_open(&workload, vectors, unpacked, app, name)) {
				decide_all(&workload, totals);
			} else {
				totals->failed++;
				(void)fprintf(stderr, "%s %s: %s\n", app, name, workload.err.text);
			}
			workload_close(&workload);
		}
	}
	printf("{\"app\":\"%s\",\"passed\":%lu,\"failed\":%lu}\n", app,
		totals->passed - before.passed, totals->failed - before.failed);
}

int main(int argc, char **argv)
{
	static const char *const apps[] = {
		"github", "gdrive", "tinytodo", "github-templates", "gdrive-templates"};
	const char *below = getenv("REMIT_VECTORS");
	char vectors[FILES_PATH_BYTES], archive[2 * FILES_PATH_BYTES], unpacked[FILES_PATH_BYTES];
	struct totals totals = {0, 0};

	if (argc != 3 || strcmp(argv[1], "--vectors") != 0) {
		(void)fprintf(stderr, "usage: cedar-workloads --vectors FOLDER\n");
		return 2;
	}
	(void)snprintf(vectors, sizeof vectors, "%s/cedar-bench", below == NULL ? argv[2] : below);
	(void)snprintf(archive, sizeof archive, "%s/workloads.tar.zst", vectors);
	if (access(archive, F_OK) != 0) {
		printf("skipped: no %s\n", archive);
		return EXIT_SKIPPED;
	}
	if (!files_unpack(archive, unpacked)) {
		(void)fprintf(stderr, "cannot unpack %s\n", archive);
		return 1;
	}
	for (size_t i = 0; i < sizeof apps / sizeof apps[0]; i++)
		run_app(vectors, unpacked, apps[i], &totals);
	files_remove(unpacked);
	printf("%lu passed, %lu failed\n", totals.passed, totals.failed);
	return totals.failed == 0 && totals.passed == REQUESTS ? 0 : 1;
}
