/* Tokens are byte ranges of the source; nothing is copied until a string's
 * escapes are read.  The source was checked to be UTF-8 once, before. */
#include "cedar/lexer.h"

#include <string.h>

static bool is_space(uint32_t code)
{
	return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 ||
	       code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
	       code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

static bool is_letter(char byte)
{
	return byte == '_' || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static char byte_at(const struct lexer *lexer, uint32_t at)
{
	return at < lexer->source.length ? lexer->source.data[at] : '\0';
}

static void skip_comment(struct lexer *lexer)
{
	const char *start = lexer->source.data + lexer->at, *cursor = start;
	const char *end = lexer->source.data + lexer->source.length;

	while (cursor < end && *cursor != '\n' && *cursor != '\r')
		cursor++;
	lexer->at += (uint32_t)(cursor - start);
}

static void skip_blanks(struct lexer *lexer)
{
	const char *end = lexer->source.data + lexer->source.length;

	while (lexer->at < lexer->source.length) {
		const char *cursor = lexer->source.data + lexer->at;
		const char *start = cursor;

		if (*cursor == '/' && byte_at(lexer, lexer->at + 1) == '/') {
			skip_comment(lexer);
			continue;
		}
		if (!is_space(utf8_next(&cursor, end)))
			return;
		lexer->at += (uint32_t)(cursor - start);
	}
}

static void take_word(struct lexer *lexer)
{
	while (is_letter(byte_at(lexer, lexer->at)) || is_digit(byte_at(lexer, lexer->at)))
		lexer->at++;
}

static bool take_string(struct lexer *lexer, struct cedar_error *err)
{
	uint32_t start = lexer->at++;

	while (lexer->at < lexer->source.length) {
		char byte = byte_at(lexer, lexer->at);

		if (byte == '"') {
			lexer->at++;
			return true;
		}
		if (byte == '\\') {
			lexer->at++;
			if (byte_at(lexer, lexer->at) == '\n')
				break;
		}
		lexer->at++;
	}
	return cedar_fail_at(err, lexer->source, start, "a string that is never closed");
}

/* Two-byte tokens first, so that a prefix never wins. */
static enum token_kind punctuation(char first, char second, uint32_t *length)
{
	static const struct {
		char first, second;
		enum token_kind kind;
	} table[] = {
		{':', ':', TOKEN_COLONS},
		{'=', '=', TOKEN_EQUAL},
		{'!', '=', TOKEN_NOT_EQUAL},
		{'<', '=', TOKEN_LESS_EQUAL},
		{'>', '=', TOKEN_GREATER_EQUAL},
		{'|', '|', TOKEN_OR},
		{'&', '&', TOKEN_AND},
		{'@', 0, TOKEN_AT},
		{'.', 0, TOKEN_DOT},
		{',', 0, TOKEN_COMMA},
		{';', 0, TOKEN_SEMICOLON},
		{':', 0, TOKEN_COLON},
		{'(', 0, TOKEN_PAREN_OPEN},
		{')', 0, TOKEN_PAREN_CLOSE},
		{'{', 0, TOKEN_BRACE_OPEN},
		{'}', 0, TOKEN_BRACE_CLOSE},
		{'[', 0, TOKEN_BRACKET_OPEN},
		{']', 0, TOKEN_BRACKET_CLOSE},
		{'<', 0, TOKEN_LESS},
		{'>', 0, TOKEN_GREATER},
		{'+', 0, TOKEN_PLUS},
		{'-', 0, TOKEN_MINUS},
		{'*', 0, TOKEN_STAR},
		{'/', 0, TOKEN_SLASH},
		{'%', 0, TOKEN_PERCENT},
		{'!', 0, TOKEN_BANG},
		{'=', 0, TOKEN_ASSIGN},
		{'?', 0, TOKEN_QUESTION},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (table[i].first != first || (table[i].second != 0 && table[i].second != second))
			continue;
		*length = table[i].second == 0 ? 1 : 2;
		return table[i].kind;
	}
	return TOKEN_END;
}

bool lexer_next(struct lexer *lexer, struct token *out, struct cedar_error *err)
{
	char first;
	uint32_t length = 0;

	skip_blanks(lexer);
	*out = (struct token){TOKEN_END, lexer->at, lexer->at};
	if (lexer->at >= lexer->source.length)
		return true;
	first = byte_at(lexer, lexer->at);
	if (is_letter(first)) {
		out->kind = TOKEN_IDENTIFIER;
		take_word(lexer);
	} else if (is_digit(first)) {
		out->kind = TOKEN_NUMBER;
		while (is_digit(byte_at(lexer, lexer->at)))
			lexer->at++;
	} else if (first == '"') {
		out->kind = TOKEN_STRING;
		if (!take_string(lexer, err))
			return false;
	} else if (first == '?' && is_letter(byte_at(lexer, lexer->at + 1))) {
		out->kind = TOKEN_SLOT;
		lexer->at++;
		take_word(lexer);
	} else {
		out->kind = punctuation(first, byte_at(lexer, lexer->at + 1), &length);
		if (out->kind == TOKEN_END)
			return cedar_fail_at(
				err, lexer->source, lexer->at, "a character no token starts with");
		lexer->at += length;
	}
	out->end = lexer->at;
	return true;
}

struct cedar_text token_text(const struct lexer *lexer, const struct token *token)
{
	return (struct cedar_text){lexer->source.data + token->start, token->end - token->start};
}
