/* Regular expressions of schemas, by PCRE2 with the options that are nearest to ECMA-262.
 *
 * A match is first tried with few backtracks, which is enough for what people write, and
 * charged by its length; what needs more gets JSON_SCHEMA_MATCH_LIMIT and is charged as if
 * it had used them all.  So neither an expression nor a value can take more time than the
 * steps of one validation allow. */

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/json_schema_private.h"

enum {
	PATTERN_OPTIONS = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX |
			  PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF |
			  PCRE2_NEVER_BACKSLASH_C,
	PATTERN_NESTING_MAX = 64,
	PATTERN_HEAP_KIB_MAX = 1024,
	PATTERN_EASY_LIMIT = 200, /* backtracks, and so many for each byte: */
	PATTERN_EASY_PER_BYTE = 4,
	PATTERN_EASY_STEPS = 20,
	PATTERN_BYTES_PER_STEP = 8,
	PATTERN_BACKTRACKS_PER_STEP = 10,
};

struct schema_pattern {
	pcre2_code *code;
	struct schema_pattern *next;
};

struct schema_patterns {
	pcre2_compile_context *compiling;
	pcre2_match_context *matching;
	pcre2_match_data *found;
	struct schema_pattern *first;
	size_t count;
};

void schema_patterns_destroy(struct schema_patterns **patterns)
{
	struct schema_pattern *pattern;

	if (*patterns == NULL)
		return;
	pattern = (*patterns)->first;
	while (pattern != NULL) {
		struct schema_pattern *next = pattern->next;

		pcre2_code_free(pattern->code);
		free(pattern);
		pattern = next;
	}
	pcre2_match_data_free((*patterns)->found);
	pcre2_match_context_free((*patterns)->matching);
	pcre2_compile_context_free((*patterns)->compiling);
	free(*patterns);
	*patterns = NULL;
}

static bool set_limits(struct schema_patterns *patterns)
{
	return pcre2_set_max_pattern_length(patterns->compiling, JSON_SCHEMA_PATTERN_BYTES_MAX) ==
		       0 &&
	       pcre2_set_parens_nest_limit(patterns->compiling, PATTERN_NESTING_MAX) == 0 &&
	       pcre2_set_newline(patterns->compiling, PCRE2_NEWLINE_ANYCRLF) == 0 &&
	       pcre2_set_compile_extra_options(patterns->compiling, PCRE2_EXTRA_ALT_BSUX) == 0 &&
	       pcre2_set_heap_limit(patterns->matching, PATTERN_HEAP_KIB_MAX) == 0 &&
	       pcre2_set_depth_limit(patterns->matching, JSON_SCHEMA_MATCH_LIMIT) == 0;
}

static bool patterns_create(struct schema_patterns **out, struct error *err)
{
	struct schema_patterns *patterns = calloc(1, sizeof(*patterns));

	*out = NULL;
	if (patterns == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for patterns");
	patterns->compiling = pcre2_compile_context_create(NULL);
	patterns->matching = pcre2_match_context_create(NULL);
	patterns->found = pcre2_match_data_create(1, NULL);
	if (patterns->compiling == NULL || patterns->matching == NULL || patterns->found == NULL ||
		!set_limits(patterns)) {
		schema_patterns_destroy(&patterns);
		return error_set(err, ERROR_LIMIT, "no memory for patterns");
	}
	*out = patterns;
	return true;
}

/* "(*" at the start is not ECMA-262 and would set options of PCRE2. */
static bool is_foreign(struct text source)
{
	return text_starts_with(source, "(*");
}

static bool compile(struct schema_patterns *patterns, struct text source,
	struct schema_pattern *pattern, struct error *err)
{
	PCRE2_UCHAR said[128];
	PCRE2_SIZE offset;
	int number;

	pattern->code = pcre2_compile((PCRE2_SPTR)source.data, source.length, PATTERN_OPTIONS,
		&number, &offset, patterns->compiling);
	if (pattern->code != NULL)
		return true;
	if (number == PCRE2_ERROR_NOMEMORY)
		return error_set(err, ERROR_LIMIT, "no memory for a pattern");
	if (pcre2_get_error_message(number, said, sizeof(said)) < 0)
		said[0] = '\0';
	return error_set(err, ERROR_INVALID, "the pattern is wrong at byte %zu: %s", (size_t)offset,
		(const char *)said);
}

bool schema_pattern_add(struct schema_patterns **patterns, struct text source,
	struct schema_pattern **out, struct error *err)
{
	struct schema_pattern *pattern;

	*out = NULL;
	if (source.length > JSON_SCHEMA_PATTERN_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "a pattern has more than %d bytes",
			JSON_SCHEMA_PATTERN_BYTES_MAX);
	if (is_foreign(source))
		return error_set(err, ERROR_INVALID, "a pattern starts with \"(*\"");
	if (*patterns == NULL && !patterns_create(patterns, err))
		return false;
	if ((*patterns)->count == JSON_SCHEMA_PATTERNS_MAX)
		return error_set(
			err, ERROR_LIMIT, "more than %d patterns", JSON_SCHEMA_PATTERNS_MAX);
	pattern = calloc(1, sizeof(*pattern));
	if (pattern == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a pattern");
	if (!compile(*patterns, source, pattern, err)) {
		free(pattern);
		return false;
	}
	pattern->next = (*patterns)->first;
	(*patterns)->first = pattern;
	(*patterns)->count++;
	*out = pattern;
	return true;
}

static int match_within(struct schema_patterns *patterns, const struct schema_pattern *pattern,
	struct text subject, uint32_t limit)
{
	static const char nothing[1];
	const char *data = subject.length == 0 ? nothing : subject.data;

	(void)pcre2_set_match_limit(patterns->matching, limit);
	return pcre2_match(pattern->code, (PCRE2_SPTR)data, subject.length, 0, PCRE2_NO_UTF_CHECK,
		patterns->found, patterns->matching);
}

enum schema_match schema_pattern_match(struct schema_patterns *patterns,
	const struct schema_pattern *pattern, struct text subject, uint32_t *steps)
{
	size_t easy = PATTERN_EASY_LIMIT + subject.length * PATTERN_EASY_PER_BYTE;
	uint32_t limit = easy < JSON_SCHEMA_MATCH_LIMIT ? (uint32_t)easy : JSON_SCHEMA_MATCH_LIMIT;
	int result = match_within(patterns, pattern, subject, limit);

	*steps += PATTERN_EASY_STEPS + (uint32_t)(subject.length / PATTERN_BYTES_PER_STEP);
	if (result == PCRE2_ERROR_MATCHLIMIT && limit < JSON_SCHEMA_MATCH_LIMIT) {
		*steps += JSON_SCHEMA_MATCH_LIMIT / PATTERN_BACKTRACKS_PER_STEP;
		result = match_within(patterns, pattern, subject, JSON_SCHEMA_MATCH_LIMIT);
	}
	if (result >= 0)
		return MATCH_YES;
	return result == PCRE2_ERROR_NOMATCH ? MATCH_NO : MATCH_EXHAUSTED;
}
