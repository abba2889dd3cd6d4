/* Reads values into structs by table.  Invariants:
 * 1. a reader writes its target only with a value that keeps every rule of its
 *    form, and copies every text into the object's arena;
 * 2. nothing is skipped silently: an unknown member is a problem;
 * 3. reading goes on after a problem, so all of them are found at once. */
#include "domain/charter/form.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "domain/charter/ceiling.h"
#include "domain/charter/charter.h"
#include "domain/charter/credential.h"
#include "domain/charter/excerpt.h"

enum { NAMES_LISTED_MAX = 24, P256_COORDINATE_BYTES = 32 };

/* ---- problems ---- */

static size_t path_write(const struct form_path *path, char *out, size_t size)
{
	size_t used;
	int more;

	if (path == NULL)
		return 0;
	used = path_write(path->up, out, size);
	if (path->name.length == 0)
		more = snprintf(out + used, size - used, "[%u]", path->index);
	else
		more = snprintf(out + used, size - used, "%s%.*s", used == 0 ? "" : ".",
			TEXT_ARGS(path->name));
	if (more < 0 || (size_t)more >= size - used)
		return size - 1;
	return used + (size_t)more;
}

static struct text path_text(struct form_reader *reader, const struct form_path *path)
{
	char written[256];
	size_t length = path_write(path, written, sizeof written);
	struct text whole;

	if (length == 0)
		whole = text_copy(reader->problems->arena, reader->title);
	else
		whole = text_format(reader->problems->arena, "%.*s: %.*s", TEXT_ARGS(reader->title),
			(int)length, written);
	return whole.data == NULL ? (struct text){"", 0} : whole;
}

void form_problem(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const char *remedy, const char *what, ...)
{
	char text[PROBLEM_TEXT_BYTES];
	struct place place = {.file = reader->file, .line = value->line};
	va_list args;

	va_start(args, what);
	(void)vsnprintf(text, sizeof text, what, args);
	va_end(args);
	place.field = path_text(reader, path);
	problem_add(reader->problems, place, remedy, "%s", text);
}

/* Puts the problem where the stretch is in the file, with what is written there. */
static void add_stretch(struct form_reader *reader, const struct json *value, struct place place,
	const char *remedy, struct form_stretch at, const char *what)
{
	struct arena *arena = reader->problems->arena;
	struct excerpt excerpt;

	excerpt_place_end(value->string, &at.line, &at.column);
	place.line = json_line_of(value, at.line);
	problem_add(reader->problems, place, remedy, "%s", what);
	excerpt = excerpt_cut(
		arena, value->string, excerpt_offset(value->string, at.line, at.column), at.length);
	problem_set_excerpt(reader->problems, excerpt_format(arena, &excerpt, PROBLEM_INDENT));
}

void form_problem_in_text(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const char *remedy, const struct error *cause)
{
	struct place place = {.file = reader->file, .field = path_text(reader, path)};

	if (value->type != JSON_STRING || cause->line == 0)
		form_problem(reader, value, path, remedy, "%s", cause->text);
	else
		add_stretch(reader, value, place, NULL,
			(struct form_stretch){cause->line, cause->column, 1}, cause->text);
}

void form_problem_at(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const char *remedy, struct form_stretch at, struct text what)
{
	struct place place = {.file = reader->file, .field = path_text(reader, path)};
	char text[PROBLEM_TEXT_BYTES];

	if (value->type != JSON_STRING || at.line == 0) {
		form_problem(reader, value, path, remedy, "%.*s", TEXT_ARGS(what));
		return;
	}
	(void)snprintf(
		text, sizeof text, "line %u, column %u: %.*s", at.line, at.column, TEXT_ARGS(what));
	add_stretch(reader, value, place, remedy, at, text);
}

static bool no_memory(
	struct form_reader *reader, const struct json *value, const struct form_path *path)
{
	form_problem(reader, value, path, NULL, "no room for it (the object is too large)");
	return false;
}

static bool keep_text(struct form_reader *reader, const struct json *value,
	const struct form_path *path, struct text *out)
{
	*out = reader->is_known ? value->string : text_copy(reader->arena, value->string);
	return out->data != NULL || no_memory(reader, value, path);
}

static bool need_type(struct form_reader *reader, const struct json *value,
	const struct form_path *path, enum json_type type)
{
	if (value->type == type)
		return true;
	form_problem(reader, value, path, NULL, "is %s, where %s is wanted",
		json_type_name(value->type), json_type_name(type));
	return false;
}

/* ---- texts ---- */

static bool is_allowed(struct text t, bool with_lines)
{
	for (size_t i = 0; i < t.length; i++) {
		unsigned char c = (unsigned char)t.data[i];

		if (c == 0x7f || (c < 0x20 && !(with_lines && (c == '\n' || c == '\t'))))
			return false;
	}
	return true;
}

static bool is_short(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path)
{
	if (value->string.length <= form->bytes_max)
		return true;
	form_problem(reader, value, path, NULL, "is %zu bytes long, where %zu is the most",
		value->string.length, form->bytes_max);
	return false;
}

static bool read_text(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, bool with_lines)
{
	if (!need_type(reader, value, path, JSON_STRING))
		return false;
	if (value->string.length == 0) {
		form_problem(
			reader, value, path, "say something, or leave the field out", "is empty");
		return false;
	}
	if (!is_short(reader, form, value, path))
		return false;
	if (!is_allowed(value->string, with_lines)) {
		form_problem(reader, value, path, NULL, "holds a control character");
		return false;
	}
	return true;
}

bool form_read_line(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	return read_text(reader, form, value, path, false) &&
	       keep_text(reader, value, path, target);
}

bool form_read_paragraphs(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	return read_text(reader, form, value, path, true) && keep_text(reader, value, path, target);
}

static bool read_named(struct form_reader *reader, const struct json *value,
	const struct form_path *path, bool (*is_name)(struct text), const char *grammar)
{
	if (!need_type(reader, value, path, JSON_STRING))
		return false;
	if (is_name(value->string))
		return true;
	form_problem(reader, value, path, grammar, "is not a name that can be used here");
	return false;
}

bool form_read_name(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	(void)form;
	return read_named(reader, value, path, name_is_plain,
		       "write 1 to 64 of a-z 0-9 - . _, starting with a letter or digit") &&
	       keep_text(reader, value, path, target);
}

bool form_read_model(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	(void)form;
	return read_named(reader, value, path, name_is_model,
		       "write 1 to 128 letters, digits or - . _ : @ /, as the provider does") &&
	       keep_text(reader, value, path, target);
}

bool form_read_person(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	(void)form;
	return read_named(reader, value, path, name_is_person,
		       "write 1 to 254 letters, digits or @ . _ + -, as in ana@example.com") &&
	       keep_text(reader, value, path, target);
}

bool form_read_tool(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	(void)form;
	return read_named(reader, value, path, name_is_tool,
		       "write SERVER/TOOL, as in files/read_text_file") &&
	       keep_text(reader, value, path, target);
}

bool form_read_policy(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	(void)form;
	return read_named(reader, value, path, name_is_policy,
		       "write org/NAME or UNIT/NAME, as in org/no-prod-from-staging") &&
	       keep_text(reader, value, path, target);
}

/* True if whole is prefix and then a name of the kind is_name knows. */
static bool is_prefixed(struct text whole, const char *prefix, bool (*is_name)(struct text))
{
	return text_starts_with(whole, prefix) && is_name(text_after(whole, strlen(prefix)));
}

bool name_is_approval(struct text name)
{
	return text_is(name, "owner") || text_is(name, "backup-owner") || text_is(name, "second") ||
	       is_prefixed(name, "role/", name_is_plain) ||
	       is_prefixed(name, "data-owner/", name_is_plain) ||
	       is_prefixed(name, "unit/", name_is_plain);
}

bool form_read_approval(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	(void)form;
	return read_named(reader, value, path, name_is_approval,
		       "write owner, backup-owner, second, role/ROLE, data-owner/UNIT or "
		       "unit/UNIT") &&
	       keep_text(reader, value, path, target);
}

/* A recipient is told from a slip in a word by its "@". */
static bool is_output(struct text to)
{
	return text_is(to, "reply") || name_is_tool(to) ||
	       (name_is_person(to) && text_find_byte(to, '@') >= 0) || text_is(to, "*@*") ||
	       is_prefixed(to, "*@", name_is_plain) || is_prefixed(to, "person:", name_is_person) ||
	       is_prefixed(to, "peer:", name_is_plain);
}

bool form_read_output(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	(void)form;
	return read_named(reader, value, path, is_output,
		       "write reply, NAME@HOST, *@HOST, *@*, SERVER/TOOL, person:NAME or "
		       "peer:IDENTITY") &&
	       keep_text(reader, value, path, target);
}

static bool read_cedar(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path,
	bool (*check)(struct text, struct error *))
{
	struct error err = {0};

	if (!read_text(reader, form, value, path, true))
		return false;
	if (reader->is_known || check(value->string, &err))
		return true;
	form_problem_in_text(
		reader, value, path, "see docs/charters.md for what may stand here", &err);
	return false;
}

bool form_read_condition(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	return read_cedar(reader, form, value, path, condition_check) &&
	       keep_text(reader, value, path, target);
}

bool form_read_argument_condition(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	return read_cedar(reader, form, value, path, condition_check_without_approvals) &&
	       keep_text(reader, value, path, target);
}

bool form_read_guardrail(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	return read_cedar(reader, form, value, path, guardrail_check) &&
	       keep_text(reader, value, path, target);
}

bool form_read_place(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	(void)form;
	return read_named(reader, value, path, place_is_wellformed,
		       "write names with dots, * behind a list: hits.*.id") &&
	       keep_text(reader, value, path, target);
}

/* Nothing that would end the literal it becomes, or stand for something else in it. */
static bool is_glob(struct text glob)
{
	for (size_t i = 0; i < glob.length; i++)
		if (glob.data[i] <= ' ' || glob.data[i] == 0x7f ||
			strchr("\"\\", glob.data[i]) != NULL)
			return false;
	return glob.length > 0;
}

static bool read_glob(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, bool (*is_wellformed)(struct text), const char *grammar)
{
	return need_type(reader, value, path, JSON_STRING) && is_short(reader, form, value, path) &&
	       read_named(reader, value, path, is_wellformed, grammar);
}

/* The server is named, so that it is known whose it is. */
static bool is_reach(struct text glob)
{
	ptrdiff_t slash = text_find_byte(glob, '/');

	return is_glob(glob) && slash > 0 &&
	       name_is_plain((struct text){glob.data, (size_t)slash}) &&
	       (size_t)slash + 1 < glob.length;
}

bool form_read_reach(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	return read_glob(reader, form, value, path, is_reach,
		       "write SERVER/TOOL or PROVIDER/MODEL; behind the slash * stands for "
		       "anything") &&
	       keep_text(reader, value, path, target);
}

bool form_read_account(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	(void)form;
	return read_named(reader, value, path, name_is_account,
		       "write CONNECTOR/ID, as the inventory of the connector calls it") &&
	       keep_text(reader, value, path, target);
}

bool form_read_glob(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	return read_glob(reader, form, value, path, is_glob,
		       "write a URI or name without blanks or quotes; * stands for anything") &&
	       keep_text(reader, value, path, target);
}

/* Where "://" ends in it; 0: it is nowhere. */
static size_t find_host(struct text glob)
{
	for (size_t i = 0; i + 3 <= glob.length; i++)
		if (memcmp(glob.data + i, "://", 3) == 0)
			return i + 3;
	return 0;
}

/* A host is written whole, up to its slash: "*" would stand for a slash too, and so for any
 * other host. */
static bool has_whole_host(struct text glob)
{
	size_t start = find_host(glob);
	struct text host = text_after(glob, start);
	ptrdiff_t star = text_find_byte(glob, '*'), slash = text_find_byte(host, '/');

	return start == 0 || (slash > 0 && (star < 0 || star > (ptrdiff_t)start + slash));
}

static bool is_target_glob(struct text glob)
{
	return is_glob(glob) && has_whole_host(glob);
}

bool form_read_target_glob(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	return read_glob(reader, form, value, path, is_target_glob,
		       "write a path, name or https://HOST/PATH without blanks or quotes; * stands "
		       "for anything, but not in a host") &&
	       keep_text(reader, value, path, target);
}

static bool is_url(struct text url)
{
	size_t scheme = text_starts_with(url, "https://")  ? 8
			: text_starts_with(url, "http://") ? 7
							   : 0;
	size_t host = 0;

	if (scheme == 0)
		return false;
	for (size_t i = scheme; i < url.length; i++) {
		char c = url.data[i];

		if (c <= ' ' || (unsigned char)c > 0x7e || strchr("\"<>\\^`{|}#@", c) != NULL)
			return false;
		if (c == '/' || c == '?')
			break;
		host++;
	}
	for (size_t i = scheme + host; i < url.length; i++)
		if (url.data[i] <= ' ' || (unsigned char)url.data[i] > 0x7e || url.data[i] == '#')
			return false;
	return host > 0;
}

bool form_read_url(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	if (!read_text(reader, form, value, path, false))
		return false;
	if (!is_url(value->string)) {
		form_problem(reader, value, path,
			"write https://HOST/PATH; a secret goes under credential",
			"is not such a URL");
		return false;
	}
	return keep_text(reader, value, path, target);
}

bool form_read_credential(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	struct credential parsed;
	struct error err;

	(void)form;
	if (!need_type(reader, value, path, JSON_STRING))
		return false;
	if (credential_parse(&parsed, value->string, &err))
		return keep_text(reader, value, path, target);
	form_problem(reader, value, path, err.text, "does not say where a credential lies");
	return false;
}

/* ---- words ---- */

static void words_list(const struct form_words *words, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "write");

	for (size_t i = 0; words->words[i] != NULL && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s %s",
			i == 0                        ? ""
			: words->words[i + 1] == NULL ? " or"
						      : ",",
			words->words[i]);
}

static bool read_one_word(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, unsigned *out)
{
	char remedy[PROBLEM_TEXT_BYTES];
	const char *nearest;

	if (!need_type(reader, value, path, JSON_STRING))
		return false;
	*out = form->words->value_of(value->string);
	if (*out != 0)
		return true;
	nearest = word_nearest(value->string, form->words->words);
	if (nearest != NULL)
		(void)snprintf(remedy, sizeof remedy, "did you mean %s?", nearest);
	else
		words_list(form->words, remedy, sizeof remedy);
	form_problem(reader, value, path, remedy, "\"%.*s\" is not %s",
		(int)(value->string.length < 80 ? value->string.length : 80), value->string.data,
		form->words->what);
	return false;
}

bool form_read_word(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	unsigned word;

	if (!read_one_word(reader, form, value, path, &word))
		return false;
	word -= (unsigned)form->least; /* 1 where zero has a word of its own */
	memcpy(target, &word, sizeof word);
	return true;
}

bool form_read_bits(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	uint32_t bits = 0;

	if (!need_type(reader, value, path, JSON_ARRAY))
		return false;
	if (value->count == 0) {
		form_problem(reader, value, path, "name at least one", "is empty");
		return false;
	}
	for (uint32_t i = 0; i < value->count; i++) {
		struct form_path item = {.up = path, .index = i};
		unsigned word;

		if (!read_one_word(reader, form, &value->items[i], &item, &word))
			continue;
		if ((bits & (UINT32_C(1) << word)) != 0)
			form_problem(
				reader, &value->items[i], &item, "name it once", "is there twice");
		bits |= UINT32_C(1) << word;
	}
	memcpy(target, &bits, sizeof bits);
	return true;
}

/* ---- numbers and times ---- */

bool form_read_boolean(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	(void)form;
	if (!need_type(reader, value, path, JSON_BOOLEAN))
		return false;
	memcpy(target, &value->boolean, sizeof value->boolean);
	return true;
}

bool form_read_integer(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	if (!need_type(reader, value, path, JSON_INTEGER))
		return false;
	if (value->integer < form->least || value->integer > form->most) {
		form_problem(reader, value, path, NULL, "is %lld, where %lld to %lld is allowed",
			(long long)value->integer, (long long)form->least, (long long)form->most);
		return false;
	}
	memcpy(target, &value->integer, sizeof value->integer);
	return true;
}

bool form_read_duration(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	int64_t seconds;

	if (!need_type(reader, value, path, JSON_STRING))
		return false;
	if (!text_to_duration_s(value->string, &seconds)) {
		form_problem(reader, value, path, "write a number and s, m, h or d, as in 90d",
			"is not a duration");
		return false;
	}
	if (seconds < form->least || seconds > form->most) {
		form_problem(reader, value, path, NULL,
			"is %lld s, where %lld s to %lld s is allowed", (long long)seconds,
			(long long)form->least, (long long)form->most);
		return false;
	}
	memcpy(target, &seconds, sizeof seconds);
	return true;
}

bool form_read_time(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	int64_t utc_s;

	(void)form;
	if (!need_type(reader, value, path, JSON_STRING))
		return false;
	if (!time_of_text(value->string, &utc_s) || utc_s == 0) {
		form_problem(reader, value, path,
			"write a day as 2027-06-30, or a time as 2027-06-30T12:00:00Z",
			"is not a day or time (UTC)");
		return false;
	}
	memcpy(target, &utc_s, sizeof utc_s);
	return true;
}

/* ---- keys and digests ---- */

static bool is_coordinate(const struct json *value)
{
	uint8_t bytes[P256_COORDINATE_BYTES + 1];
	size_t size = 0;

	return value != NULL && value->type == JSON_STRING &&
	       base64url_decode(value->string, bytes, sizeof bytes, &size) &&
	       size == P256_COORDINATE_BYTES;
}

const char *key_fault(const struct json *key)
{
	static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
	static const char *const known[] = {"kty", "crv", "x", "y", "kid", "use", "alg", NULL};
	struct error err = {0};

	if (key->type != JSON_OBJECT)
		return "is not a mapping";
	for (size_t i = 0; i < sizeof private_members / sizeof *private_members; i++)
		if (json_find(key, private_members[i]) != NULL)
			return "holds a private key: never write one here, and replace it now";
	if (!json_only_members(key, known, &err))
		return "has a member that a public EC key has not";
	if (!text_is(json_text_or(key, "kty", ""), "EC") ||
		!text_is(json_text_or(key, "crv", ""), "P-256"))
		return "is not a P-256 key (kty EC, crv P-256)";
	if (!is_coordinate(json_find(key, "x")) || !is_coordinate(json_find(key, "y")))
		return "has no x and y of 32 bytes in base64url";
	return NULL;
}

bool form_read_key(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	struct error err = {0};
	const char *fault;

	(void)form;
	if (!need_type(reader, value, path, JSON_OBJECT))
		return false;
	fault = key_fault(value);
	if (fault != NULL) {
		form_problem(reader, value, path, "write the public key as remit prints it", "%s",
			fault);
		return false;
	}
	return json_copy(target, reader->arena, value, &err) || no_memory(reader, value, path);
}

bool form_read_values(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	struct error err = {0};

	if (!need_type(reader, value, path, JSON_ARRAY))
		return false;
	if (value->count > (uint64_t)form->most) {
		form_problem(reader, value, path, "write fewer",
			"has %u items, where %lld is the most", value->count,
			(long long)form->most);
		return false;
	}
	return json_copy(target, reader->arena, value, &err) || no_memory(reader, value, path);
}

bool form_read_object(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	struct error err = {0};
	struct text written;

	if (!need_type(reader, value, path, JSON_OBJECT))
		return false;
	written = json_canonical_text(reader->arena, value);
	if (written.data != NULL && written.length <= form->bytes_max)
		return json_copy(target, reader->arena, value, &err) ||
		       no_memory(reader, value, path);
	form_problem(reader, value, path, "write less", "has more than %zu bytes", form->bytes_max);
	return false;
}

bool form_read_digest(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	(void)form;
	if (!need_type(reader, value, path, JSON_STRING))
		return false;
	if (digest_parse(value->string, target))
		return true;
	form_problem(
		reader, value, path, "write sha256: and 64 hexadecimal digits", "is not a digest");
	return false;
}

/* ---- lists and shapes ---- */

bool form_read_nothing(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	(void)form;
	(void)target;
	return need_type(reader, value, path, JSON_STRING);
}

bool form_read_part(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	return form_read_shape(reader, form->shape, value, path, target);
}

static bool read_item(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	if (form->shape != NULL)
		return form_read_shape(reader, form->shape, value, path, target);
	return form->item->read(reader, form->item, value, path, target);
}

/* Fills target (a pointer to items) and leaves the count to the caller, who
 * knows where it goes: the count is the value's own. */
bool form_read_list(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	char *items;

	if (!need_type(reader, value, path, JSON_ARRAY))
		return false;
	if (value->count < form->least || value->count > form->most) {
		form_problem(reader, value, path, NULL,
			"has %u items, where %lld to %lld is allowed", value->count,
			(long long)form->least, (long long)form->most);
		return false;
	}
	items = arena_alloc(reader->arena, value->count == 0 ? 1 : value->count, form->item_size);
	if (items == NULL)
		return no_memory(reader, value, path);
	for (uint32_t i = 0; i < value->count; i++) {
		struct form_path item = {.up = path, .index = i};

		(void)read_item(reader, form, &value->items[i], &item, items + i * form->item_size);
	}
	memcpy(target, &items, sizeof(void *));
	return true;
}

static const struct form_field *find_field(const struct form_shape *shape, struct text name)
{
	for (size_t i = 0; i < shape->fields_count; i++)
		if (text_is(name, shape->fields[i].name))
			return &shape->fields[i];
	return NULL;
}

static void unknown_field(struct form_reader *reader, const struct form_shape *shape,
	const struct json_member *member, const struct form_path *up)
{
	const char *names[NAMES_LISTED_MAX + 1] = {NULL};
	char remedy[PROBLEM_TEXT_BYTES];
	const char *nearest;
	struct text shown = member->name;
	struct form_path path = {.up = up};

	for (size_t i = 0; i < shape->fields_count && i < NAMES_LISTED_MAX; i++)
		names[i] = shape->fields[i].name;
	nearest = word_nearest(member->name, names);
	if (nearest != NULL)
		(void)snprintf(remedy, sizeof remedy, "did you mean %s?", nearest);
	else
		words_list(&(struct form_words){.words = names}, remedy, sizeof remedy);
	if (shown.length > 64 || !is_allowed(shown, false) || shown.length == 0)
		shown = TEXT("(that name)");
	path.name = shown;
	form_problem(reader, &member->value, &path, remedy, "is not a field known here");
}

static void read_field(struct form_reader *reader, const struct form_field *field,
	const struct json *value, const struct form_path *path, char *body)
{
	if (!field->form->read(reader, field->form, value, path, body + field->offset))
		return;
	if (field->form->read == form_read_list) {
		uint32_t count = value->count;

		memcpy(body + field->count_offset, &count, sizeof count);
	}
}

/* Whether all members are fields, in their order, as what was read before is kept: then each is
 * found where it must stand, and what is missing need not be looked for. */
static bool is_ordered(const struct form_shape *shape, const struct json *value)
{
	uint32_t at = 0;

	for (size_t i = 0; i < shape->fields_count && at < value->count; i++)
		at += text_is(value->members[at].name, shape->fields[i].name) ? 1 : 0;
	return at == value->count;
}

static const struct json *take_member(const struct json *value, uint32_t *at, const char *name)
{
	if (*at == value->count || !text_is(value->members[*at].name, name))
		return NULL;
	return &value->members[(*at)++].value;
}

static void read_fields(struct form_reader *reader, const struct form_shape *shape,
	const struct json *value, const struct form_path *path, char *body)
{
	bool in_order = is_ordered(shape, value);
	uint32_t at = 0;

	for (uint32_t i = 0; !in_order && i < value->count; i++)
		if (find_field(shape, value->members[i].name) == NULL)
			unknown_field(reader, shape, &value->members[i], path);
	for (size_t i = 0; i < shape->fields_count; i++) {
		const struct form_field *field = &shape->fields[i];
		const struct json *member = in_order ? take_member(value, &at, field->name)
						     : json_find(value, field->name);
		struct form_path here = {.up = path, .name = text_of(field->name)};

		if (member != NULL)
			read_field(reader, field, member, &here, body);
		else if (field->need == FORM_REQUIRED)
			form_problem(reader, value, &here, field->hint, "is missing");
	}
}

bool form_read_shape(struct form_reader *reader, const struct form_shape *shape,
	const struct json *value, const struct form_path *path, void *body)
{
	size_t found_before = reader->problems->total;

	if (!need_type(reader, value, path, JSON_OBJECT))
		return false;
	read_fields(reader, shape, value, path, body);
	if (shape->finish != NULL)
		shape->finish(reader, value, path, body);
	return reader->problems->total == found_before;
}
