#include "domain/flow/flow_origin.h"

#include <stddef.h>

static const char *const words[] = {
	[FLOW_UNKNOWN] = "unknown",
	[FLOW_UNTRUSTED] = "untrusted",
	[FLOW_TRUSTED] = "trusted",
	[FLOW_CHARTER] = "charter",
	[FLOW_REQUEST] = "request",
	[FLOW_NONE] = "none",
};

const char *flow_origin_word(enum flow_origin value)
{
	return (size_t)value < sizeof words / sizeof *words ? words[value] : words[FLOW_UNKNOWN];
}

bool flow_origin_of(struct text word, enum flow_origin *out)
{
	*out = FLOW_UNKNOWN;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (text_is(word, words[i])) {
			*out = (enum flow_origin)i;
			return true;
		}
	return false;
}

enum flow_origin flow_origin_worst(enum flow_origin a, enum flow_origin b)
{
	return a < b ? a : b;
}
