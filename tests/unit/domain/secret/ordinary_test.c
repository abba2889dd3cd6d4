/* Ordinary text holds no secret: nothing is found in the files below the given folders.
 * What is found is printed, in the clear, so that it can be judged.  A folder that is not
 * there is skipped and named; REMIT_VECTORS stands in for the folder of the last one. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "domain/secret/foreign.h"

enum { FILE_MOST = 1 << 22, FOLDERS_OPEN = 20, FILES_LEAST = 500, SHOWN = 60 };

static size_t files, bytes, found;
static char content[FILE_MOST];

static void look_into(const char *path)
{
	struct secret_spans spans = {.count = 0};
	FILE *file = fopen(path, "rb");
	struct text text = {content, 0};

	if (file == NULL)
		return;
	text.length = fread(content, 1, sizeof content, file);
	(void)fclose(file);
	foreign_find(text, &spans);
	files++;
	bytes += text.length;
	found += spans.count;
	for (uint32_t i = 0; i < spans.count; i++) {
		size_t length = spans.items[i].end - spans.items[i].start;

		printf("%s: %s: %.*s\n", path, foreign_form_word(spans.items[i].what),
			(int)(length < SHOWN ? length : SHOWN), content + spans.items[i].start);
	}
}

/* Of others, or made by a fuzzer to look like one. */
static bool is_passed_over(const char *path)
{
	return strstr(path, "/node_modules/") != NULL || strstr(path, "/corpus/") != NULL;
}

static int visit(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)place;
	if (kind == FTW_F && !is_passed_over(path))
		look_into(path);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *elsewhere = i == argc - 1 ? getenv("REMIT_VECTORS") : NULL;
		char path[4096];

		(void)snprintf(path, sizeof path, "%s%s", elsewhere == NULL ? argv[i] : elsewhere,
			elsewhere == NULL ? "" : "/agentdojo");
		if (nftw(path, visit, FOLDERS_OPEN, FTW_PHYS) != 0)
			printf("%s is not there: skipped\n", path);
	}
	printf("%zu found in %zu files, %zu bytes of ordinary text\n", found, files, bytes);
	return found == 0 && files >= FILES_LEAST ? 0 : 1;
}
