#include "domain/charter/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES_MAX = 63, EDITS_MAX = 2 };

static struct text cut_text(struct arena *arena, const char *bytes, int wanted)
{
	struct text t = {NULL, 0};
	size_t length = (size_t)wanted;

	if (wanted < 0)
		return t;
	if (length >= PROBLEM_TEXT_BYTES)
		length = PROBLEM_TEXT_BYTES - 1;
	t = text_copy(arena, (struct text){bytes, length});
	return t;
}

void problem_add(
	struct problems *problems, struct place place, const char *remedy, const char *what, ...)
{
	char bytes[PROBLEM_TEXT_BYTES];
	struct problem *problem;
	va_list args;
	int wanted;

	problems->total++;
	if (problems->count == PROBLEMS_MAX)
		return;
	va_start(args, what);
	wanted = vsnprintf(bytes, sizeof bytes, what, args);
	va_end(args);
	if (wanted >= (int)sizeof bytes)
		memcpy(bytes + sizeof bytes - 4, "...", 4); /* say it was cut */
	problem = &problems->items[problems->count++];
	problem->file = place.file;
	problem->line = place.line;
	problem->field = place.field;
	problem->excerpt = (struct text){NULL, 0};
	problem->what = cut_text(problems->arena, bytes, wanted);
	problem->remedy = remedy == NULL ? (struct text){NULL, 0}
					 : cut_text(problems->arena, remedy, (int)strlen(remedy));
}

void problem_add_syntax(struct problems *problems, struct text file, const struct error *cause)
{
	struct place place = {.file = file};
	const char *what = cause->text;
	char *end;

	if (strncmp(what, file.data, file.length) == 0 && what[file.length] == ':') {
		place.line = (uint32_t)strtoul(what + file.length + 1, &end, 10);
		what = *end == ':' ? end + 1 : end;
		what += strspn(what, " ");
	}
	problem_add(problems, place, NULL, "%s", what);
}

void problem_set_excerpt(struct problems *problems, struct text excerpt)
{
	if (problems->total == problems->count && problems->count > 0)
		problems->items[problems->count - 1].excerpt = excerpt;
}

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

static bool is_swapped(struct text a, size_t i, struct text b, size_t j)
{
	return i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1];
}

/* Levenshtein's distance of two short words, one row at a time; two neighbours that changed
 * places are one edit, as the slip is one. */
static unsigned edits_between(struct text a, struct text b)
{
	unsigned rows[3][WORD_BYTES_MAX + 1];

	for (size_t j = 0; j <= b.length; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a.length; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.length; j++) {
			unsigned change = a.data[i - 1] == b.data[j - 1] ? 0 : 1;

			row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
			if (is_swapped(a, i, b, j) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return rows[a.length % 3][b.length];
}

const char *word_nearest(struct text wrong, const char *const *words)
{
	const char *nearest = NULL;
	unsigned fewest = EDITS_MAX + 1;

	if (wrong.length > WORD_BYTES_MAX)
		return NULL;
	for (; *words != NULL; words++) {
		struct text word = text_of(*words);
		unsigned edits;

		if (word.length > WORD_BYTES_MAX || word.length > wrong.length + EDITS_MAX ||
			wrong.length > word.length + EDITS_MAX)
			continue; /* without counting: there may be many */
		edits = edits_between(wrong, word);
		if (edits < fewest && 2 * edits < word.length) {
			fewest = edits;
			nearest = *words;
		}
	}
	return nearest;
}
