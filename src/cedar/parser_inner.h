#ifndef CEDAR_PARSER_INNER_H
#define CEDAR_PARSER_INNER_H

#include "cedar/parser.h"

/* Shared by the parsers of policies and of expressions. */
struct parser {
	struct lexer lexer;
	struct token token; /* not yet taken */
	uint32_t last_end;  /* of the token taken last */
	uint32_t depth;     /* of expressions being parsed */
	struct arena *arena;
	struct cedar_error *err;
};

/* Checks the source and reads the first token. */
bool parser_start(struct parser *parser, struct arena *arena, struct cedar_text source,
	struct cedar_error *err) MUST_CHECK;
/* Takes the token and reads the next. */
bool parser_advance(struct parser *parser) MUST_CHECK;
/* Fails at the token that is next. */
bool parser_fail(struct parser *parser, const char *what);
bool parser_is(const struct parser *parser, enum token_kind kind);
/* The next token is this word. */
bool parser_is_word(const struct parser *parser, const char *word);
/* Takes the token if it is of that kind; *taken says so. */
bool parser_accept(struct parser *parser, enum token_kind kind, bool *taken) MUST_CHECK;
bool parser_need(struct parser *parser, enum token_kind kind, const char *what) MUST_CHECK;
/* Takes an identifier that is no reserved word. */
bool parser_name(struct parser *parser, struct cedar_text *out) MUST_CHECK;
/* Takes a string literal, escapes read. */
bool parser_string(struct parser *parser, struct cedar_text *out) MUST_CHECK;
/* Takes A::B; if ::"id" follows, *uid is the entity (else its type is empty). */
bool parser_path(struct parser *parser, struct cedar_text *type, struct cedar_uid *uid) MUST_CHECK;
/* Fails at start if a name is given twice. */
bool parser_check_names(struct parser *parser, const struct cedar_text *names, uint32_t count,
	uint32_t start) MUST_CHECK;
bool parser_expression(struct parser *parser, const struct ast **out) MUST_CHECK;

/* A list that grows in the arena. */
struct list {
	void *items;
	uint32_t count;
	uint32_t capacity;
};
/* Room for one more item; NULL (and the error) when the arena is full. */
void *list_add(struct parser *parser, struct list *list, size_t item_size) MUST_CHECK;

#endif
