#ifndef CEDAR_LEXER_H
#define CEDAR_LEXER_H

#include <stdint.h>

#include "cedar/text.h"

/* Policy text as tokens.  Blanks (Unicode White_Space) and // comments are
 * skipped.  A keyword is a TOKEN_IDENTIFIER; the parser compares its text. */
enum token_kind {
	TOKEN_END = 0,
	TOKEN_IDENTIFIER,
	TOKEN_NUMBER,
	TOKEN_STRING, /* with its quotes, escapes not yet read */
	TOKEN_SLOT,   /* ?principal, ?resource or another ?name */
	TOKEN_AT,
	TOKEN_DOT,
	TOKEN_COMMA,
	TOKEN_SEMICOLON,
	TOKEN_COLON,
	TOKEN_COLONS,
	TOKEN_PAREN_OPEN,
	TOKEN_PAREN_CLOSE,
	TOKEN_BRACE_OPEN,
	TOKEN_BRACE_CLOSE,
	TOKEN_BRACKET_OPEN,
	TOKEN_BRACKET_CLOSE,
	TOKEN_EQUAL,
	TOKEN_NOT_EQUAL,
	TOKEN_LESS,
	TOKEN_LESS_EQUAL,
	TOKEN_GREATER,
	TOKEN_GREATER_EQUAL,
	TOKEN_OR,
	TOKEN_AND,
	TOKEN_PLUS,
	TOKEN_MINUS,
	TOKEN_STAR,
	TOKEN_SLASH,   /* only for a good error */
	TOKEN_PERCENT, /* only for a good error */
	TOKEN_BANG,
	TOKEN_ASSIGN,   /* only for a good error, and in schemas */
	TOKEN_QUESTION, /* only in schemas */
};

struct token {
	enum token_kind kind;
	uint32_t start;
	uint32_t end;
};

struct lexer {
	struct cedar_text source; /* valid UTF-8, checked by the caller */
	uint32_t at;
};

/* Reads the next token.  At the end it gives TOKEN_END for ever.
 * Errors: INVALID for a byte no token starts with and for an open string. */
bool lexer_next(struct lexer *lexer, struct token *out, struct cedar_error *err) MUST_CHECK;

/* The source of a token. */
struct cedar_text token_text(const struct lexer *lexer, const struct token *token);

/* What is between the quotes at source[start, end), with escapes replaced, in
 * the arena (or in source itself, which must live as long): \n \r \t \\ \0 \' \" \xNN (up to 7F)
 * \u{1 to 6 digits}. Errors: INVALID, LIMIT. */
bool string_unescape(struct cedar_text *out, struct arena *arena, struct cedar_text source,
	const struct token *token, struct cedar_error *err) MUST_CHECK;

/* The same for the pattern of `like`: a star matches anything, also one written by its
 * code, and \* is a star.  *out has pieces of literal text; a star stands between two pieces. */
struct like_pattern {
	const struct cedar_text *pieces;
	uint32_t count; /* at least 1 */
};
bool pattern_unescape(struct like_pattern *out, struct arena *arena, struct cedar_text source,
	const struct token *token, struct cedar_error *err) MUST_CHECK;
/* True if the whole of text matches. */
bool pattern_matches(const struct like_pattern *pattern, struct cedar_text text);

#endif
