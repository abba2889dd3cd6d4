/* Precision and recall of every check, on sample estates whose answers are known.  Without an
 * argument it makes some itself, of several seeds and sizes; with a folder that `remit estate`
 * wrote it evaluates that.  Fails where one of the two is under 0.99. */
#include <stdio.h>
#include <string.h>

#include "support/estate_world.h"

enum { AT_UTC_S = 1793664000 }; /* 2026-11-03 */

static double share(size_t part, size_t other)
{
	return part + other == 0 ? 1 : (double)part / (double)(part + other);
}

/* False: it is not good enough. */
static bool print_score(enum control_check check, const struct estate_score *score)
{
	double precision = share(score->right, score->wrong);
	double recall = share(score->right, score->missed);

	printf("  %-22s %6zu right %4zu wrong %4zu missed  precision %.4f  recall %.4f%s\n",
		check_word(check), score->right, score->wrong, score->missed, precision, recall,
		score->right + score->wrong + score->missed == 0 ? "  (none there)" : "");
	if (score->wrong > 0)
		printf("    wrong:  %.*s\n", TEXT_ARGS(score->first_wrong));
	if (score->missed > 0)
		printf("    missed: %.*s\n", TEXT_ARGS(score->first_missed));
	return precision >= 0.99 && recall >= 0.99;
}

static bool evaluate(const struct estate_files *files)
{
	struct estate_score scores[CHECK_COUNT];
	struct estate_near near;
	struct estate_world world;
	bool ok;

	estate_world_load(&world, files);
	estate_world_score(&world, scores, &near);
	printf("  %zu near misses, of which %zu were taken for violations\n", near.count,
		near.taken);
	ok = near.count > 0 && near.taken == 0;
	for (int check = CHECK_NONE + 1; check < CHECK_COUNT; check++)
		ok = print_score((enum control_check)check, &scores[check]) && ok;
	estate_world_drop(&world);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct {
		uint32_t people, identities;
		uint64_t seed;
	} orders[] = {{20, 100, 3}, {60, 600, 1}, {200, 3000, 7}, {150, 4000, 20261126}};
	struct estate_files files;
	bool ok = true;

	if (argc == 2) {
		estate_files_read(&files, argv[1]);
		ok = evaluate(&files);
		estate_files_drop(&files);
		return ok ? 0 : 1;
	}
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		printf("estate of %u people and %u identities, seed %llu\n", orders[i].people,
			orders[i].identities, (unsigned long long)orders[i].seed);
		estate_files_make(
			&files, orders[i].people, orders[i].identities, orders[i].seed, AT_UTC_S);
		ok = evaluate(&files) && ok;
		estate_files_drop(&files);
	}
	printf("%s\n", ok ? "each check at least 0.99" : "a check is under 0.99");
	return ok ? 0 : 1;
}
