/* Rows of calls and of looks; {id} is the account's own id there, {person} each person who
 * consented, {of} the organisation, {found} what a row that finds has found.
 *
 * Invariants:
 * 1. every URL begins with the connector's own; what is filled in is escaped, and no dot segment,
 *    so it stays one part of a path or query;
 * 2. OFF is said only by looks: each look must say it, and one that says otherwise is enough. */
#include "domain/inventory/stop.h"

#include <stdlib.h>
#include <string.h>

#include "domain/inventory/walk.h"

enum step_kind {
	STEP_FIND = 0, /* what it finds is {found}; nothing found: the account is gone */
	STEP_CALL,
	STEP_LOOK,
};

/* What a look at an answer says: OFF where ... */
enum look {
	LOOK_NONE = 0,
	LOOK_ABSENT,       /* 404 */
	LOOK_FALSE_MEMBER, /* 404, or the member is false */
	LOOK_SET_MEMBER,   /* 404, or the member is there and not null */
	LOOK_EMPTY,        /* the list has nothing */
	LOOK_UNLISTED,     /* no page of the list has an app of this id */
};

struct stop_row {
	enum inventory_provider provider;
	const char *prefix; /* of the id; what follows it is {id} */
	enum stop_direction direction;
	enum step_kind kind;
	const char *method;
	const char *path;
	const char *body;
	enum look look;
	const char *member;
};

/* clang-format off */
static const struct stop_row rows[] = {
	{PROVIDER_GOOGLE, "", STOP_AWAY, STEP_CALL, "DELETE",
		"/admin/directory/v1/users/{person}/tokens/{id}", NULL, LOOK_NONE, NULL},
	{PROVIDER_GOOGLE, "", STOP_AWAY, STEP_LOOK, "GET",
		"/admin/directory/v1/users/{person}/tokens/{id}", NULL, LOOK_ABSENT, NULL},

	{PROVIDER_MICROSOFT, "", STOP_AWAY, STEP_CALL, "PATCH", "/v1.0/servicePrincipals/{id}",
		"{\"accountEnabled\":false}", LOOK_NONE, NULL},
	{PROVIDER_MICROSOFT, "", STOP_BACK, STEP_CALL, "PATCH", "/v1.0/servicePrincipals/{id}",
		"{\"accountEnabled\":true}", LOOK_NONE, NULL},
	{PROVIDER_MICROSOFT, "", STOP_AWAY, STEP_LOOK, "GET",
		"/v1.0/servicePrincipals/{id}?$select=id,accountEnabled", NULL,
		LOOK_FALSE_MEMBER, "accountEnabled"},
	{PROVIDER_MICROSOFT, "", STOP_BACK, STEP_LOOK, "GET",
		"/v1.0/servicePrincipals/{id}?$select=id,accountEnabled", NULL,
		LOOK_FALSE_MEMBER, "accountEnabled"},

	{PROVIDER_GITHUB, "installation/", STOP_AWAY, STEP_CALL, "PUT",
		"/app/installations/{id}/suspended", NULL, LOOK_NONE, NULL},
	{PROVIDER_GITHUB, "installation/", STOP_BACK, STEP_CALL, "DELETE",
		"/app/installations/{id}/suspended", NULL, LOOK_NONE, NULL},
	{PROVIDER_GITHUB, "installation/", STOP_AWAY, STEP_LOOK, "GET",
		"/app/installations/{id}", NULL, LOOK_SET_MEMBER, "suspended_at"},
	{PROVIDER_GITHUB, "installation/", STOP_BACK, STEP_LOOK, "GET",
		"/app/installations/{id}", NULL, LOOK_SET_MEMBER, "suspended_at"},
	{PROVIDER_GITHUB, "token/", STOP_AWAY, STEP_FIND, "GET",
		"/orgs/{of}/personal-access-tokens?token_id={id}", NULL, LOOK_NONE, NULL},
	{PROVIDER_GITHUB, "token/", STOP_AWAY, STEP_CALL, "POST",
		"/orgs/{of}/personal-access-tokens/{found}", "{\"action\":\"revoke\"}",
		LOOK_NONE, NULL},
	{PROVIDER_GITHUB, "token/", STOP_AWAY, STEP_LOOK, "GET",
		"/orgs/{of}/personal-access-tokens?token_id={id}", NULL, LOOK_EMPTY, NULL},

	{PROVIDER_SLACK, "", STOP_AWAY, STEP_CALL, "POST", "/api/admin.apps.uninstall",
		"{\"app_id\":\"{id}\"{team}}", LOOK_NONE, NULL},
	{PROVIDER_SLACK, "", STOP_AWAY, STEP_CALL, "POST", "/api/admin.apps.restrict",
		"{\"app_id\":\"{id}\"{one}}", LOOK_NONE, NULL},
	{PROVIDER_SLACK, "", STOP_BACK, STEP_CALL, "POST", "/api/admin.apps.approve",
		"{\"app_id\":\"{id}\"{one}}", LOOK_NONE, NULL},
	{PROVIDER_SLACK, "", STOP_AWAY, STEP_LOOK, "GET",
		"/api/admin.apps.approved.list?limit=1000{query}", NULL, LOOK_UNLISTED,
		"approved_apps"},
	{PROVIDER_SLACK, "", STOP_BACK, STEP_LOOK, "GET",
		"/api/admin.apps.approved.list?limit=1000{query}", NULL, LOOK_UNLISTED,
		"approved_apps"},

	{PROVIDER_N8N, "", STOP_AWAY, STEP_CALL, "POST", "/api/v1/workflows/{id}/deactivate",
		NULL, LOOK_NONE, NULL},
	{PROVIDER_N8N, "", STOP_BACK, STEP_CALL, "POST", "/api/v1/workflows/{id}/activate",
		NULL, LOOK_NONE, NULL},
	{PROVIDER_N8N, "", STOP_AWAY, STEP_LOOK, "GET", "/api/v1/workflows/{id}", NULL,
		LOOK_FALSE_MEMBER, "active"},
	{PROVIDER_N8N, "", STOP_BACK, STEP_LOOK, "GET", "/api/v1/workflows/{id}", NULL,
		LOOK_FALSE_MEMBER, "active"},
};
/* clang-format on */
enum { ROWS = sizeof rows / sizeof *rows };

struct inventory_stop {
	const struct connector *connector;
	struct arena *arena;
	struct text id; /* without the row's prefix */
	const char *prefix;
	enum stop_direction direction;
	const struct text *people;
	size_t people_count;
	bool looks_only;
	size_t row;
	size_t person; /* of a row that has {person} */
	struct text found;
	struct text cursor; /* of the page that a look goes on with */
	uint32_t looks;
	bool has_off; /* some look said so */
	bool has_on;
	struct stop_request request;
};

/* ---- which rows ---- */

/* A prefix that a row has counts before the rows that have none; an id with a slash is none that
 * those without know ("connection/1" is no flow), and what is no part of a path is none at all. */
static const char *prefix_of(
	const struct connector *connector, struct text id, enum stop_direction direction)
{
	const char *found = NULL;

	for (size_t i = 0; i < ROWS; i++) {
		const struct stop_row *row = &rows[i];

		if (row->provider != connector->provider || row->direction != direction ||
			!text_starts_with(id, row->prefix) ||
			!inventory_walk_is_part(text_after(id, strlen(row->prefix))) ||
			(row->prefix[0] == '\0' && text_find_byte(id, '/') >= 0))
			continue;
		found = row->prefix;
	}
	return found;
}

bool inventory_stop_is_known(
	const struct connector *connector, struct text id, enum stop_direction direction)
{
	return prefix_of(connector, id, direction) != NULL;
}

static bool is_ours(const struct inventory_stop *stop, const struct stop_row *row)
{
	return row->provider == stop->connector->provider && row->direction == stop->direction &&
	       strcmp(row->prefix, stop->prefix) == 0 &&
	       (!stop->looks_only || row->kind == STEP_LOOK);
}

static bool is_for_people(const struct stop_row *row)
{
	return strstr(row->path, "{person}") != NULL;
}

/* ---- requests ---- */

static void put_team(struct buffer *out, const struct inventory_stop *stop, char form)
{
	struct text of = stop->connector->of;
	bool is_enterprise = of.length > 0 && of.data[0] == 'E';

	if (of.length == 0)
		return;
	if (form == 'q')
		buffer_append_string(out, is_enterprise ? "&enterprise_id=" : "&team_id=");
	else if (is_enterprise)
		buffer_append_string(out, ",\"enterprise_id\":\"");
	else
		buffer_append_string(out, form == 't' ? ",\"team_ids\":[\"" : ",\"team_id\":\"");
	buffer_append_text(out, of); /* letters and digits: connector_forms.c */
	if (form != 'q')
		buffer_append_string(out, form == 't' && !is_enterprise ? "\"]" : "\"");
}

static void put_part(struct buffer *out, const struct inventory_stop *stop, const char *name)
{
	if (strncmp(name, "query}", 6) == 0)
		put_team(out, stop, 'q');
	else if (strncmp(name, "team}", 5) == 0)
		put_team(out, stop, 't');
	else if (strncmp(name, "one}", 4) == 0)
		put_team(out, stop, 'o');
	else if (strncmp(name, "person}", 7) == 0)
		inventory_walk_escape(out, stop->people[stop->person]);
	else if (strncmp(name, "found}", 6) == 0)
		inventory_walk_escape(out, stop->found);
	else if (strncmp(name, "of}", 3) == 0)
		inventory_walk_escape(out, stop->connector->of);
	else /* in a body, too: an id of Slack has letters and digits alone */
		inventory_walk_escape(out, stop->id);
}

static void put_filled(struct buffer *out, const struct inventory_stop *stop, const char *with)
{
	for (const char *at = with; *at != '\0'; at++) {
		const char *end =
			*at == '{' && at[1] >= 'a' && at[1] <= 'z' ? strchr(at, '}') : NULL;

		if (end == NULL) {
			buffer_append_byte(out, *at);
			continue;
		}
		put_part(out, stop, at + 1);
		at = end;
	}
}

static struct text filled(
	struct inventory_stop *stop, struct text base, const char *with, bool is_body)
{
	struct buffer out;
	struct text copy;

	buffer_init(&out, WALK_URL_BYTES_MAX);
	buffer_append_text(&out, base);
	put_filled(&out, stop, with);
	if (!is_body && stop->cursor.length > 0) {
		buffer_append_string(&out, "&cursor=");
		inventory_walk_escape(&out, stop->cursor);
	}
	copy = buffer_failed(&out) ? (struct text){NULL, 0}
				   : text_copy(stop->arena, buffer_text(&out));
	buffer_deinit(&out);
	return copy;
}

static bool make_request(struct inventory_stop *stop, struct error *err)
{
	const struct stop_row *row = &rows[stop->row];

	stop->request =
		(struct stop_request){.method = row->method, .is_call = row->kind == STEP_CALL};
	stop->request.url = filled(stop, connector_url(stop->connector), row->path, false).data;
	if (row->body != NULL)
		stop->request.body = filled(stop, TEXT(""), row->body, true);
	if (stop->request.url != NULL && (row->body == NULL || stop->request.body.data != NULL))
		return true;
	return error_set(err, ERROR_LIMIT, "no room for the calls that stop it");
}

/* The row that is asked for now is done. */
static bool go_on(struct inventory_stop *stop, struct error *err)
{
	stop->cursor = (struct text){NULL, 0};
	if (is_for_people(&rows[stop->row]) && ++stop->person < stop->people_count)
		return make_request(stop, err);
	stop->person = 0;
	while (++stop->row < ROWS)
		if (is_ours(stop, &rows[stop->row]))
			return make_request(stop, err);
	return true;
}

/* ---- making ---- */

static bool copy_people(
	struct inventory_stop *stop, const struct stop_about *about, struct error *err)
{
	struct text *people = arena_array(stop->arena, struct text, about->people_count + 1);

	if (people == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to stop an account");
	for (size_t i = 0; i < about->people_count; i++) {
		if (!inventory_walk_is_part(about->people[i]))
			return error_set(err, ERROR_INVALID,
				"who consented has a name that is no part of a path: see what is "
				"to be done there");
		people[i] = text_copy(stop->arena, about->people[i]);
		if (people[i].data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory to stop an account");
	}
	stop->people = people;
	stop->people_count = about->people_count;
	return true;
}

static bool begin(struct inventory_stop *stop, const struct stop_about *about, struct error *err)
{
	stop->prefix = prefix_of(about->connector, about->id, about->direction);
	if (stop->prefix == NULL)
		return error_set(err, ERROR_INVALID,
			"its provider has no call for this account: see what is to be done there");
	stop->connector = about->connector;
	stop->direction = about->direction;
	stop->looks_only = about->looks_only;
	stop->id = text_copy(stop->arena, text_after(about->id, strlen(stop->prefix)));
	while (stop->row < ROWS && !is_ours(stop, &rows[stop->row]))
		stop->row++;
	if (stop->row == ROWS || stop->id.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to stop an account");
	if (!copy_people(stop, about, err))
		return false;
	if (is_for_people(&rows[stop->row]) && about->people_count == 0)
		return error_set(err, ERROR_INVALID,
			"nobody is known who consented: import its inventory again");
	if (about->people_count > STOP_PEOPLE_MAX)
		return error_set(err, ERROR_LIMIT,
			"more than %d people consented: block the app in the console",
			STOP_PEOPLE_MAX);
	return make_request(stop, err);
}

bool inventory_stop_create(
	struct inventory_stop **out, const struct stop_about *about, struct error *err)
{
	struct inventory_stop *stop = calloc(1, sizeof *stop);

	*out = stop;
	if (stop != NULL)
		stop->arena = arena_create_small(STOP_ARENA_BYTES_MAX, 4096);
	if (stop == NULL || stop->arena == NULL)
		(void)error_set(err, ERROR_LIMIT, "no memory to stop an account");
	else if (begin(stop, about, err))
		return true;
	inventory_stop_destroy(out);
	return false;
}

void inventory_stop_destroy(struct inventory_stop **stop)
{
	if (*stop == NULL)
		return;
	arena_destroy(&(*stop)->arena);
	free(*stop);
	*stop = NULL;
}

bool inventory_stop_next(const struct inventory_stop *stop, struct stop_request *out)
{
	if (stop->row >= ROWS)
		return false;
	*out = stop->request;
	return true;
}

/* ---- answers ---- */

static bool is_slack_no(const struct inventory_stop *stop, const struct json *page)
{
	return stop->connector->provider == PROVIDER_SLACK && !json_boolean_or(page, "ok", false);
}

/* The one of personal access tokens, [{id, token_id}], that is meant; 0: it is not among them.  A
 * provider that does not take the query lists others, whose they are. */
static int64_t find_token(const struct inventory_stop *stop, const struct json *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		int64_t id;

		if (text_to_int64(stop->id, &id) &&
			json_integer_or(&list->items[i], "token_id", -1) == id)
			return json_integer_or(&list->items[i], "id", 0);
	}
	return 0;
}

static bool take_found(struct inventory_stop *stop, unsigned status, const struct json *page,
	bool *out_refused, struct error *err)
{
	bool is_list = status == 200 && page != NULL && page->type == JSON_ARRAY;
	int64_t id = is_list ? find_token(stop, page) : 0;

	*out_refused = !is_list;
	if (id > 0)
		stop->found = text_format(stop->arena, "%lld", (long long)id);
	if (id > 0 && stop->found.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to stop an account");
	if (id <= 0) /* there is nothing to call, but to look */
		while (stop->row + 1 < ROWS && rows[stop->row + 1].kind == STEP_CALL)
			stop->row++;
	return go_on(stop, err);
}

static bool has_app(const struct inventory_stop *stop, const struct json *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (text_equal(json_text_or(json_find(&list->items[i], "app"), "id", ""), stop->id))
			return true;
	return false;
}

static bool look_unlisted(struct inventory_stop *stop, const struct json *page,
	enum stop_verdict *out, bool *out_more, struct error *err)
{
	const struct json *list = json_find(page, rows[stop->row].member);
	struct text cursor = json_text_or(json_find(page, "response_metadata"), "next_cursor", "");

	if (list == NULL || list->type != JSON_ARRAY || is_slack_no(stop, page))
		return true; /* it says nothing */
	*out = has_app(stop, list) ? STOP_IS_ON : STOP_IS_OFF;
	*out_more = *out == STOP_IS_OFF && cursor.length > 0;
	if (!*out_more)
		return true;
	stop->cursor = text_copy(stop->arena, cursor);
	return stop->cursor.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory to look at an account");
}

static enum stop_verdict look_at(
	const struct stop_row *row, unsigned status, const struct json *page)
{
	const struct json *member =
		row->member == NULL || page == NULL ? NULL : json_find(page, row->member);

	if (status == 404 && row->look != LOOK_EMPTY)
		return STOP_IS_OFF;
	if (status != 200 || page == NULL)
		return STOP_UNKNOWN;
	switch (row->look) {
	case LOOK_ABSENT: return page->type == JSON_OBJECT ? STOP_IS_ON : STOP_UNKNOWN;
	case LOOK_FALSE_MEMBER:
		if (member == NULL || member->type != JSON_BOOLEAN)
			return STOP_UNKNOWN;
		return member->boolean ? STOP_IS_ON : STOP_IS_OFF;
	case LOOK_SET_MEMBER:
		if (member == NULL)
			return STOP_UNKNOWN;
		return member->type == JSON_NULL ? STOP_IS_ON : STOP_IS_OFF;
	case LOOK_EMPTY:
		if (page->type != JSON_ARRAY)
			return STOP_UNKNOWN;
		return page->count == 0 ? STOP_IS_OFF : STOP_IS_ON;
	case LOOK_UNLISTED:
	case LOOK_NONE: break;
	}
	return STOP_UNKNOWN;
}

static bool take_look(
	struct inventory_stop *stop, unsigned status, const struct json *page, struct error *err)
{
	const struct stop_row *row = &rows[stop->row];
	enum stop_verdict verdict = STOP_UNKNOWN;
	bool has_more = false;

	if (++stop->looks > STOP_LOOKS_MAX)
		return error_set(
			err, ERROR_LIMIT, "more than %d looks at an account", STOP_LOOKS_MAX);
	if (row->look != LOOK_UNLISTED)
		verdict = look_at(row, status, page);
	else if (status == 200 && page != NULL &&
		 !look_unlisted(stop, page, &verdict, &has_more, err))
		return false;
	if (has_more)
		return make_request(stop, err);
	if (verdict == STOP_UNKNOWN)
		return error_set(err, ERROR_INVALID,
			"its provider does not say how the account is (HTTP %u)", status);
	stop->has_off |= verdict == STOP_IS_OFF;
	stop->has_on |= verdict == STOP_IS_ON;
	return go_on(stop, err);
}

bool inventory_stop_take(struct inventory_stop *stop, unsigned status, const struct json *page,
	bool *out_refused, struct error *err)
{
	*out_refused = false;
	if (stop->row >= ROWS)
		return error_set(err, ERROR_INTERNAL, "nothing was asked");
	switch (rows[stop->row].kind) {
	case STEP_FIND: return take_found(stop, status, page, out_refused, err);
	case STEP_LOOK: return take_look(stop, status, page, err);
	case STEP_CALL: break;
	}
	*out_refused = (status / 100 != 2 && status != 404) || is_slack_no(stop, page);
	return go_on(stop, err);
}

enum stop_verdict inventory_stop_verdict(const struct inventory_stop *stop)
{
	if (stop->has_on)
		return STOP_IS_ON;
	return stop->has_off && stop->row >= ROWS ? STOP_IS_OFF : STOP_UNKNOWN;
}
