/* Conditions are said, values are named, and the rest is printed.  A condition under `!` is said
 * with its own denial, so that nobody reads past a small word at the beginning. */
#include "cedar/words.h"

#include "cedar/parser.h"
#include "cedar/print.h"

enum { PATH_MAX_NAMES = 8 };

enum saying { SAY_IT = 0, DENY_IT };

static void say(struct cedar_writer *writer, const struct ast *node, enum saying saying);

/* ---- what is named ---- */

/* The attributes down from a variable. */
struct path {
	enum ast_variable variable;
	struct cedar_text names[PATH_MAX_NAMES];
	uint32_t count;
};

/* False: it begins at no variable, or goes too far. */
static bool read_path(const struct ast *node, struct path *path)
{
	struct cedar_text names[PATH_MAX_NAMES];
	uint32_t count = 0;

	for (; node->kind == AST_GET && count < PATH_MAX_NAMES; node = node->children[0])
		names[count++] = node->names[0];
	if (node->kind != AST_VARIABLE)
		return false;
	path->variable = (enum ast_variable)node->detail;
	path->count = count;
	for (uint32_t i = 0; i < count; i++)
		path->names[i] = names[count - 1 - i];
	return true;
}

/* Quoted unless it is one plain word: no name can say more than that it is one. */
static void write_name(struct cedar_writer *writer, struct cedar_text name)
{
	if (cedar_is_identifier(name) && !cedar_is_reserved(name))
		cedar_write(writer, name);
	else
		cedar_write_quoted(writer, name);
}

static void write_names(struct cedar_writer *writer, const struct path *path, uint32_t first)
{
	for (uint32_t i = first; i < path->count; i++) {
		cedar_write_string(writer, i == first ? "" : ".");
		write_name(writer, path->names[i]);
	}
}

/* Of the context: what stands before the rest of the path. */
static const struct {
	const char *name;
	const char *words;
} context_words[] = {
	{"args", "argument "},
	{"binding", "the token's binding"},
	{"chain", "the chain"},
	{"environment", "the environment"},
	{"generation", "the request's "},
	{"labels", "the task's "},
	{"origins", "the origin of its "},
	{"risk", "the call's risk"},
	{"secrets", "the list of secrets in its arguments"},
	{"task", "the task's "},
};

static void name_context(struct cedar_writer *writer, const struct path *path)
{
	for (size_t i = 0; path->count > 0 && i < sizeof context_words / sizeof *context_words;
		i++) {
		const char *words = context_words[i].words;
		bool wants_more = words[strlen(words) - 1] == ' ';

		if (!cedar_text_is(path->names[0], context_words[i].name) ||
			wants_more != (path->count > 1))
			continue;
		cedar_write_string(writer, words);
		write_names(writer, path, 1);
		return;
	}
	cedar_write_string(writer, path->count == 0 ? "the context" : "context.");
	write_names(writer, path, 0);
}

static void name_path(struct cedar_writer *writer, const struct path *path)
{
	static const char *const variables[] = {
		[AST_PRINCIPAL] = "the identity",
		[AST_ACTION] = "the effect",
		[AST_RESOURCE] = "the tool",
		[AST_CONTEXT] = "",
	};

	if (path->variable == AST_CONTEXT) {
		name_context(writer, path);
		return;
	}
	cedar_write_string(writer, variables[path->variable]);
	cedar_write_string(writer, path->count == 0 ? "" : "'s ");
	write_names(writer, path, 0);
}

/* What no words stand for is printed, in brackets where it might run into its neighbours. */
static void name(struct cedar_writer *writer, const struct ast *node)
{
	bool is_plain = node->kind == AST_LITERAL || node->kind == AST_SET ||
			node->kind == AST_RECORD || node->kind == AST_EXTENSION;
	struct path path;

	if (read_path(node, &path)) {
		name_path(writer, &path);
		return;
	}
	cedar_write_string(writer, is_plain ? "" : "(");
	print_expression(writer, node);
	cedar_write_string(writer, is_plain ? "" : ")");
}

/* ---- what is said ---- */

static const struct relation {
	const char *said;
	const char *denied;
} relations[] = {
	[AST_EQUAL] = {" is ", " is not "},
	[AST_NOT_EQUAL] = {" is not ", " is "},
	[AST_LESS] = {" is less than ", " is not less than "},
	[AST_LESS_EQUAL] = {" is at most ", " is not at most "},
	[AST_GREATER] = {" is more than ", " is not more than "},
	[AST_GREATER_EQUAL] = {" is at least ", " is not at least "},
	[AST_IN] = {" is in ", " is not in "},
	[AST_CONTAINS] = {" has ", " has not "},
	[AST_CONTAINS_ALL] = {" has all of ", " has not all of "},
	[AST_CONTAINS_ANY] = {" has any of ", " has none of "},
	[AST_HAS_TAG] = {" has the tag ", " has not the tag "},
};

static const struct relation *relation_of(enum ast_kind kind)
{
	return kind < sizeof relations / sizeof *relations && relations[kind].said != NULL
		       ? &relations[kind]
		       : NULL;
}

static void say_relation(struct cedar_writer *writer, const struct ast *node, enum saying saying)
{
	const struct relation *relation = &relations[node->kind];

	name(writer, node->children[0]);
	cedar_write_string(writer, saying == SAY_IT ? relation->said : relation->denied);
	name(writer, node->children[1]);
}

/* "owner" has approved · X is one of [..] · X has Y. */
static void say_contains(struct cedar_writer *writer, const struct ast *node, enum saying saying)
{
	const struct ast *whole = node->children[0];
	struct path path;

	if (read_path(whole, &path) && path.variable == AST_CONTEXT && path.count == 1 &&
		cedar_text_is(path.names[0], "approvals")) {
		name(writer, node->children[1]);
		cedar_write_string(
			writer, saying == SAY_IT ? " has approved" : " has not approved");
		return;
	}
	if (whole->kind != AST_SET) {
		say_relation(writer, node, saying);
		return;
	}
	name(writer, node->children[1]);
	cedar_write_string(writer, saying == SAY_IT ? " is one of " : " is none of ");
	name(writer, whole);
}

/* The path that it has, as a whole. */
static void say_has(struct cedar_writer *writer, const struct ast *node, enum saying saying)
{
	struct path path;

	if (read_path(node->children[0], &path) &&
		path.count + node->name_count <= PATH_MAX_NAMES) {
		for (uint32_t i = 0; i < node->name_count; i++)
			path.names[path.count++] = node->names[i];
		name_path(writer, &path);
		cedar_write_string(writer, saying == SAY_IT ? " is given" : " is not given");
		return;
	}
	cedar_write_string(writer, saying == SAY_IT ? "" : "not ");
	name(writer, node);
}

static void say_like(struct cedar_writer *writer, const struct ast *node, enum saying saying)
{
	name(writer, node->children[0]);
	cedar_write_string(writer, saying == SAY_IT ? " is like \"" : " is not like \"");
	for (uint32_t i = 0; i < node->pattern.count; i++) {
		cedar_write_string(writer, i == 0 ? "" : "*");
		cedar_write_escaped(writer, node->pattern.pieces[i], true);
	}
	cedar_write_string(writer, "\"");
}

static void say_is(struct cedar_writer *writer, const struct ast *node, enum saying saying)
{
	bool has_ancestor = node->count == 2;

	cedar_write_string(writer, saying == DENY_IT && has_ancestor ? "not (" : "");
	name(writer, node->children[0]);
	cedar_write_string(
		writer, saying == DENY_IT && !has_ancestor ? " is not of type " : " is of type ");
	cedar_write(writer, node->names[0]);
	if (has_ancestor) {
		cedar_write_string(writer, " and in ");
		name(writer, node->children[1]);
	}
	cedar_write_string(writer, saying == DENY_IT && has_ancestor ? ")" : "");
}

/* A value that is true or false by itself. */
static void say_value(struct cedar_writer *writer, const struct ast *node, enum saying saying)
{
	struct path path;
	bool is_context = read_path(node, &path) && path.variable == AST_CONTEXT;

	if (is_context && path.count == 1 && cedar_text_is(path.names[0], "first")) {
		cedar_write_string(writer, saying == SAY_IT ? "it is the first use of the tool"
							    : "it is no first use of the tool");
		return;
	}
	if (is_context && path.count == 2 && cedar_text_is(path.names[0], "labels") &&
		cedar_text_is(path.names[1], "untrusted")) {
		cedar_write_string(writer, saying == SAY_IT
						   ? "the task has read untrusted content"
						   : "the task has read no untrusted content");
		return;
	}
	name(writer, node);
	if (node->kind != AST_LITERAL)
		cedar_write_string(writer, saying == SAY_IT ? " is true" : " is not true");
	else if (saying == DENY_IT)
		cedar_write_string(writer, " is not so");
}

/* ---- how they are joined ---- */

static bool is_joined(const struct ast *node)
{
	return node->kind == AST_AND || node->kind == AST_OR || node->kind == AST_IF;
}

static void say_within(struct cedar_writer *writer, const struct ast *node)
{
	cedar_write_string(writer, is_joined(node) ? "(" : "");
	say(writer, node, SAY_IT);
	cedar_write_string(writer, is_joined(node) ? ")" : "");
}

static void say_joined(struct cedar_writer *writer, const struct ast *node, enum saying saying)
{
	cedar_write_string(writer, saying == SAY_IT ? "" : "not (");
	if (node->kind == AST_IF) {
		static const char *const before[] = {"if ", " then ", " else "};

		for (uint32_t i = 0; i < 3; i++) {
			cedar_write_string(writer, before[i]);
			say_within(writer, node->children[i]);
		}
	} else {
		for (uint32_t i = 0; i < node->count; i++) {
			cedar_write_string(writer, i == 0                  ? ""
						   : node->kind == AST_AND ? " and "
									   : " or ");
			say_within(writer, node->children[i]);
		}
	}
	cedar_write_string(writer, saying == SAY_IT ? "" : ")");
}

static void say_empty(struct cedar_writer *writer, const struct ast *node, enum saying saying)
{
	name(writer, node->children[0]);
	cedar_write_string(writer, saying == SAY_IT ? " is empty" : " is not empty");
}

static void say(struct cedar_writer *writer, const struct ast *node, enum saying saying)
{
	if (node->kind == AST_NOT)
		say(writer, node->children[0], saying == SAY_IT ? DENY_IT : SAY_IT);
	else if (is_joined(node))
		say_joined(writer, node, saying);
	else if (node->kind == AST_CONTAINS)
		say_contains(writer, node, saying);
	else if (relation_of(node->kind) != NULL)
		say_relation(writer, node, saying);
	else if (node->kind == AST_HAS)
		say_has(writer, node, saying);
	else if (node->kind == AST_LIKE)
		say_like(writer, node, saying);
	else if (node->kind == AST_IS)
		say_is(writer, node, saying);
	else if (node->kind == AST_IS_EMPTY)
		say_empty(writer, node, saying);
	else
		say_value(writer, node, saying);
}

bool cedar_words(struct cedar_text *out, struct arena *arena, struct cedar_text expression,
	struct cedar_error *err)
{
	struct cedar_writer writer = {.arena = arena};
	const struct ast *tree;

	*out = (struct cedar_text){0};
	if (!expression_parse(&tree, arena, expression, err))
		return false;
	say(&writer, tree, SAY_IT);
	*out = cedar_writer_text(&writer);
	return out->data != NULL || cedar_fail_memory(err);
}
