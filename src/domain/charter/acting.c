/* Redirect addresses are compared byte by byte (RFC 9700 §4.1.3): nothing is decoded or made
 * alike, so that nothing can be read in two ways. */
#include "domain/charter/acting.h"

#include "domain/charter/form_table.h"
#include "domain/charter/object.h"

#define PERSON_PREFIX "person:"
#define UNIT_PREFIX "unit:"

/* ---- for whom ---- */

bool charter_acts_for(const struct charter *charter, const struct person *person)
{
	const struct charter_acting *acting = charter == NULL ? NULL : &charter->acts_for;

	if (acting == NULL || person == NULL || person_has_left(person))
		return false;
	for (uint32_t i = 0; i < acting->people_count; i++) {
		struct text line = acting->people[i];

		if (text_starts_with(line, PERSON_PREFIX)
				? text_equal(
					  text_after(line, sizeof PERSON_PREFIX - 1), person->name)
				: text_starts_with(line, UNIT_PREFIX) &&
					  text_equal(text_after(line, sizeof UNIT_PREFIX - 1),
						  person->unit))
			return true;
	}
	return false;
}

bool charter_is_public(const struct charter *charter)
{
	return charter->keys_count == 0 && charter->federation_count == 0;
}

/* ---- where to ---- */

static const char *const loopbacks[] = {
	"http://127.0.0.1", "http://[::1]", "http://localhost", NULL};

static bool is_end_of_host(struct text rest)
{
	return rest.length == 0 || rest.data[0] == ':' || rest.data[0] == '/' ||
	       rest.data[0] == '?';
}

/* The place on this machine, and what follows it; false: it is none. */
static bool split_loopback(struct text uri, size_t *out_place, struct text *out_rest)
{
	for (size_t i = 0; loopbacks[i] != NULL; i++) {
		if (!text_starts_with(uri, loopbacks[i]))
			continue;
		*out_place = i;
		*out_rest = text_after(uri, text_of(loopbacks[i]).length);
		if (is_end_of_host(*out_rest))
			return true;
	}
	return false;
}

/* Takes ":PORT" off, if it is there; false: that is no port. */
static bool cut_port(struct text *rest)
{
	int64_t port = 0;
	size_t length = 1;

	if (rest->length == 0 || rest->data[0] != ':')
		return true;
	while (length < rest->length && rest->data[length] >= '0' && rest->data[length] <= '9')
		length++;
	if (!text_to_int64((struct text){rest->data + 1, length - 1}, &port) || port < 1 ||
		port > UINT16_MAX)
		return false;
	*rest = text_after(*rest, length);
	return is_end_of_host(*rest) && (rest->length == 0 || rest->data[0] != ':');
}

static bool is_visible(struct text uri)
{
	for (size_t i = 0; i < uri.length; i++)
		if (uri.data[i] <= ' ' || uri.data[i] > '~' || uri.data[i] == '#' ||
			uri.data[i] == '*' || uri.data[i] == '\\' || uri.data[i] == '"' ||
			uri.data[i] == '<' || uri.data[i] == '>')
			return false;
	return uri.length <= ACTING_REDIRECT_BYTES_MAX;
}

/* HOST or HOST:PORT of https, with a letter or digit at its start and no user. */
static bool is_remote(struct text uri)
{
	struct text rest;
	size_t length = 0;

	if (!text_starts_with(uri, "https://"))
		return false;
	rest = text_after(uri, sizeof "https://" - 1);
	while (length < rest.length && rest.data[length] != '/' && rest.data[length] != '?') {
		if (rest.data[length] == '@')
			return false;
		length++;
	}
	return length > 0 && rest.data[0] != ':' && rest.data[0] != '.';
}

bool redirect_is_wellformed(struct text uri)
{
	struct text rest;
	size_t place;

	if (!is_visible(uri))
		return false;
	return is_remote(uri) || (split_loopback(uri, &place, &rest) && cut_port(&rest));
}

static bool is_same(struct text registered, struct text asked)
{
	struct text left, right;
	size_t left_place, right_place;

	if (text_equal(registered, asked))
		return true;
	return split_loopback(registered, &left_place, &left) &&
	       split_loopback(asked, &right_place, &right) && left_place == right_place &&
	       cut_port(&left) && cut_port(&right) && text_equal(left, right);
}

bool charter_has_redirect(const struct charter *charter, struct text uri)
{
	if (!redirect_is_wellformed(uri))
		return false;
	for (uint32_t i = 0; i < charter->acts_for.redirects_count; i++)
		if (is_same(charter->acts_for.redirects[i], uri))
			return true;
	return false;
}

/* ---- how it is written ---- */

static bool read_someone(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	struct text *line = target;

	if (!form_read_line(reader, form, value, path, target))
		return false;
	if ((text_starts_with(*line, PERSON_PREFIX) &&
		    name_is_person(text_after(*line, sizeof PERSON_PREFIX - 1))) ||
		(text_starts_with(*line, UNIT_PREFIX) &&
			name_is_plain(text_after(*line, sizeof UNIT_PREFIX - 1))))
		return true;
	form_problem(reader, value, path, "write person:NAME or unit:NAME", "names nobody");
	return false;
}

static bool read_redirect(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	struct text *uri = target;

	if (!form_read_line(reader, form, value, path, target))
		return false;
	if (redirect_is_wellformed(*uri))
		return true;
	form_problem(reader, value, path,
		"write https://HOST/PATH, or http://127.0.0.1/PATH for an application on "
		"people's own machines",
		"is no address that a browser may be sent back to");
	return false;
}

static unsigned environment_value(struct text word)
{
	return environment_of(word);
}

static const char *const environment_list[] = {"dev", "test", "staging", "prod", NULL};
static const struct form_words environment_words = {
	"an environment", environment_value, environment_list};
static const struct form environment_form = {.read = form_read_word, .words = &environment_words};
static const struct form someone_form = {.read = read_someone, .bytes_max = 300};
static const struct form people_form = TEXTS_OF(someone_form, 1, ACTING_PEOPLE_MAX);
static const struct form redirect_form = {
	.read = read_redirect, .bytes_max = ACTING_REDIRECT_BYTES_MAX};
static const struct form redirects_form = TEXTS_OF(redirect_form, 1, ACTING_REDIRECTS_MAX);
static const struct form refresh_form = {
	.read = form_read_duration, .least = ACTING_REFRESH_S_MIN, .most = ACTING_REFRESH_S_MAX};

static const struct form_field acting_fields[] = {
	{"people", FORM_REQUIRED, &people_form, offsetof(struct charter, acts_for.people),
		offsetof(struct charter, acts_for.people_count),
		"list person:NAME or unit:NAME, for whom it may act"},
	{"redirect-uris", FORM_REQUIRED, &redirects_form,
		offsetof(struct charter, acts_for.redirects),
		offsetof(struct charter, acts_for.redirects_count),
		"list where browsers are sent back to"},
	REQUIRED(charter, "environment", &environment_form, acts_for.environment,
		"write the environment it acts in for people"),
	OPTIONAL(charter, "refresh", &refresh_form, acts_for.refresh_s),
};
static const struct form_shape acting_shape = {SHAPE(acting_fields), 0, NULL};
const struct form acts_for_form = {.read = form_read_part, .shape = &acting_shape};

void acting_check(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	const struct json *clause = json_find(value, "acts-for");
	const struct charter_acting *acting = &charter->acts_for;
	struct form_path at_clause = {.up = path, .name = TEXT("acts-for")};
	struct form_path at = {.up = &at_clause, .name = TEXT("environment")};

	if (clause == NULL)
		return;
	if (acting->environment != ENVIRONMENT_NONE &&
		!charter_has_environment(charter, acting->environment))
		form_problem(reader, clause, &at, "write one of environments",
			"is not an environment of this charter");
	if (charter_is_sandbox(charter))
		form_problem(reader, clause, &at_clause, "take it out",
			"a sandbox acts for nobody but itself");
}
