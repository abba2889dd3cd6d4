/* The tables of reason.h. */
#include "domain/token/reason.h"

#include <stddef.h>

static const struct {
	const char *word;
	enum token_layer layer;
	const char *meaning;
} reasons[] = {
#define TOKEN_REASON_ROW(name, word, layer, meaning) [name] = {word, TOKEN_LAYER_##layer, meaning},
	TOKEN_REASONS(TOKEN_REASON_ROW)
#undef TOKEN_REASON_ROW
};
_Static_assert(sizeof reasons / sizeof reasons[0] == TOKEN_REASON_COUNT, "a row for each reason");

static const char *const layers[] = {
	[TOKEN_LAYER_NONE] = "none",
	[TOKEN_LAYER_ENCODING] = "encoding",
	[TOKEN_LAYER_JSON] = "json",
	[TOKEN_LAYER_HEADER] = "header",
	[TOKEN_LAYER_SIGNATURE] = "signature",
	[TOKEN_LAYER_CLAIMS] = "claims",
	[TOKEN_LAYER_STATE] = "state",
};

static enum token_reason known(enum token_reason reason)
{
	return (size_t)reason < TOKEN_REASON_COUNT ? reason : TOKEN_NOT_CHECKED;
}

const char *token_reason_word(enum token_reason reason)
{
	return reasons[known(reason)].word;
}

const char *token_reason_meaning(enum token_reason reason)
{
	return reasons[known(reason)].meaning;
}

enum token_layer token_reason_layer(enum token_reason reason)
{
	return reasons[known(reason)].layer;
}

const char *token_layer_word(enum token_layer layer)
{
	return layers[layer];
}
