/* The lists of each provider, in the order in which they are asked for.  A list is read page by
 * page; a row with `each` is read once for each id that the list before it had.
 *
 * Invariants:
 * 1. every URL begins with the connector's own, or lies at its origin (a next page);
 * 2. a page that leads to itself, or one page more than WALK_PAGES_MAX, is an error: it ends;
 * 3. an id is escaped, and no dot segment, so it stays one part of a path. */
#include "domain/inventory/walk.h"

#include <stdlib.h>
#include <string.h>

#include "domain/inventory/item.h"

enum next {
	NEXT_NONE = 0, /* one page */
	NEXT_TOKEN,    /* a text in the page, sent back in the query */
	NEXT_URL,      /* a URL in the page */
	NEXT_LINK,     /* a URL in the header field */
	NEXT_NUMBER,   /* {paging: {page, pages}} */
};

struct list_row {
	enum inventory_provider provider;
	const char *name;
	const char *path; /* with {of}, {id}, {since} */
	enum next next;
	const char *member; /* of the page, or inside response_metadata (Slack) */
	const char *query;  /* what it is sent back as */
	enum connector_also also;
	const char *list; /* whose ids the next row is asked for, each; NULL: it has none */
	bool is_each;
};

/* clang-format off */
static const struct list_row rows[] = {
	{PROVIDER_GOOGLE, "users",
		"/admin/directory/v1/users?customer={of}&maxResults=500",
		NEXT_TOKEN, "nextPageToken", "pageToken", CONNECTOR_ALSO_NONE, "users", false},
	{PROVIDER_GOOGLE, "tokens of each user", "/admin/directory/v1/users/{id}/tokens",
		NEXT_NONE, NULL, NULL, CONNECTOR_ALSO_NONE, NULL, true},
	{PROVIDER_GOOGLE, "activities",
		"/admin/reports/v1/activity/users/all/applications/token?maxResults=1000"
		"&startTime={since}",
		NEXT_TOKEN, "nextPageToken", "pageToken", CONNECTOR_ALSO_LAST_USE, NULL, false},

	{PROVIDER_MICROSOFT, "organization", "/v1.0/organization",
		NEXT_URL, "@odata.nextLink", NULL, CONNECTOR_ALSO_NONE, NULL, false},
	{PROVIDER_MICROSOFT, "users",
		"/v1.0/users?$select=id,userPrincipalName,mail&$top=999",
		NEXT_URL, "@odata.nextLink", NULL, CONNECTOR_ALSO_NONE, NULL, false},
	{PROVIDER_MICROSOFT, "servicePrincipals", "/v1.0/servicePrincipals?$expand=owners",
		NEXT_URL, "@odata.nextLink", NULL, CONNECTOR_ALSO_NONE, "value", false},
	{PROVIDER_MICROSOFT, "appRoleAssignments of each app",
		"/v1.0/servicePrincipals/{id}/appRoleAssignments",
		NEXT_URL, "@odata.nextLink", NULL, CONNECTOR_ALSO_NONE, NULL, true},
	{PROVIDER_MICROSOFT, "oauth2PermissionGrants", "/v1.0/oauth2PermissionGrants",
		NEXT_URL, "@odata.nextLink", NULL, CONNECTOR_ALSO_NONE, NULL, false},
	{PROVIDER_MICROSOFT, "servicePrincipalSignInActivities",
		"/beta/reports/servicePrincipalSignInActivities",
		NEXT_URL, "@odata.nextLink", NULL, CONNECTOR_ALSO_LAST_USE, NULL, false},

	{PROVIDER_GITHUB, "installations", "/orgs/{of}/installations?per_page=100",
		NEXT_LINK, NULL, NULL, CONNECTOR_ALSO_NONE, NULL, false},
	{PROVIDER_GITHUB, "personal-access-tokens",
		"/orgs/{of}/personal-access-tokens?per_page=100",
		NEXT_LINK, NULL, NULL, CONNECTOR_ALSO_NONE, NULL, false},
	{PROVIDER_GITHUB, "credential-authorizations",
		"/orgs/{of}/credential-authorizations?per_page=100",
		NEXT_LINK, NULL, NULL, CONNECTOR_ALSO_AUTHORIZATIONS, NULL, false},

	{PROVIDER_SLACK, "members", "/api/users.list?limit=200",
		NEXT_TOKEN, "next_cursor", "cursor", CONNECTOR_ALSO_NONE, NULL, false},
	{PROVIDER_SLACK, "approved apps", "/api/admin.apps.approved.list?limit=1000{of}",
		NEXT_TOKEN, "next_cursor", "cursor", CONNECTOR_ALSO_NONE, NULL, false},
	{PROVIDER_SLACK, "integration logs", "/api/team.integrationLogs?count=1000",
		NEXT_NUMBER, "paging", "page", CONNECTOR_ALSO_NONE, NULL, false},

	{PROVIDER_N8N, "workflows", "/api/v1/workflows?limit=100",
		NEXT_TOKEN, "nextCursor", "cursor", CONNECTOR_ALSO_NONE, NULL, false},
	{PROVIDER_N8N, "credentials", "/api/v1/credentials?limit=250",
		NEXT_TOKEN, "nextCursor", "cursor", CONNECTOR_ALSO_CREDENTIALS, NULL, false},
	{PROVIDER_N8N, "executions", "/api/v1/executions?limit=250",
		NEXT_TOKEN, "nextCursor", "cursor", CONNECTOR_ALSO_LAST_USE, NULL, false},
};
/* clang-format on */
enum { ROWS = sizeof rows / sizeof *rows };

struct inventory_walk {
	const struct connector *connector;
	int64_t since_utc_s;
	size_t row;
	uint32_t pages;
	struct buffer ids; /* each behind its length, two bytes */
	uint32_t ids_count;
	size_t next_id; /* in ids: the one that is asked for next */
	struct buffer url;
	struct buffer before; /* the URL of the page before, of this list */
};

/* ---- URLs ---- */

void inventory_walk_escape(struct buffer *out, struct text t)
{
	for (size_t i = 0; i < t.length; i++) {
		unsigned char c = (unsigned char)t.data[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c != '\0' && strchr("-._~", c) != NULL))
			buffer_append_byte(out, (char)c);
		else
			buffer_append_format(out, "%%%02X", c);
	}
}

bool inventory_walk_is_part(struct text t)
{
	return t.length > 0 && !text_is(t, ".") && !text_is(t, "..");
}

/* "https://host:port" of a URL; empty: it is none. */
static struct text origin_of(struct text url)
{
	ptrdiff_t colon = text_find_byte(url, ':');
	size_t at;

	if (colon < 0 || url.length < (size_t)colon + 3 || memcmp(url.data + colon, "://", 3) != 0)
		return (struct text){NULL, 0};
	for (at = (size_t)colon + 3; at < url.length; at++)
		if (url.data[at] == '/' || url.data[at] == '?' || url.data[at] == '#')
			break;
	return (struct text){url.data, at};
}

bool inventory_walk_is_own(struct text base, struct text url)
{
	struct text own = origin_of(base);

	return own.length > 0 && text_equal(own, origin_of(url));
}

static void put_of(struct inventory_walk *walk)
{
	const struct connector *connector = walk->connector;
	struct text of = connector->of;

	if (connector->provider == PROVIDER_SLACK && of.length == 0)
		return;
	if (connector->provider == PROVIDER_SLACK)
		buffer_append_string(
			&walk->url, of.data[0] == 'E' ? "&enterprise_id=" : "&team_id=");
	if (connector->provider == PROVIDER_GOOGLE && of.length == 0)
		of = TEXT("my_customer");
	inventory_walk_escape(&walk->url, of);
}

static struct text take_id(struct inventory_walk *walk)
{
	const unsigned char *at = (const unsigned char *)walk->ids.data + walk->next_id;
	struct text id = {(const char *)at + 2, (size_t)at[0] << 8 | at[1]};

	walk->next_id += 2 + id.length;
	return id;
}

static void put_filled(struct inventory_walk *walk, const char *path)
{
	char since[TIME_TEXT_BYTES];

	for (const char *at = path; *at != '\0'; at++) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;

		if (end == NULL) {
			buffer_append_byte(&walk->url, *at);
			continue;
		}
		if (at[1] == 'o') {
			put_of(walk);
		} else if (at[1] == 'i') {
			inventory_walk_escape(&walk->url, take_id(walk));
		} else {
			inventory_time_format(since, (graph_time)walk->since_utc_s);
			inventory_walk_escape(&walk->url, text_of(since));
		}
		at = end;
	}
}

static bool check_url(struct inventory_walk *walk, struct error *err)
{
	buffer_append_byte(&walk->url, '\0');
	return !buffer_failed(&walk->url) ||
	       error_set(err, ERROR_LIMIT, "%s: a URL has at most %d bytes", rows[walk->row].name,
		       WALK_URL_BYTES_MAX);
}

static bool start_row(struct inventory_walk *walk, struct error *err)
{
	buffer_reset(&walk->before);
	buffer_reset(&walk->url);
	buffer_append_text(&walk->url, connector_url(walk->connector));
	put_filled(walk, rows[walk->row].path);
	return check_url(walk, err);
}

/* ---- from one list to the next ---- */

static bool is_asked(const struct inventory_walk *walk, const struct list_row *row)
{
	return row->provider == walk->connector->provider &&
	       (row->also == CONNECTOR_ALSO_NONE ||
		       connector_asks_also(walk->connector, row->also));
}

static bool has_id(const struct inventory_walk *walk)
{
	return walk->next_id < walk->ids.length;
}

/* The list that is asked for now is over. */
static bool next_row(struct inventory_walk *walk, struct error *err)
{
	if (rows[walk->row].is_each && has_id(walk))
		return start_row(walk, err);
	while (++walk->row < ROWS)
		if (is_asked(walk, &rows[walk->row]) && (!rows[walk->row].is_each || has_id(walk)))
			return start_row(walk, err);
	return true;
}

bool inventory_walk_create(struct inventory_walk **out, const struct connector *connector,
	int64_t now_utc_s, struct error *err)
{
	struct inventory_walk *walk = calloc(1, sizeof *walk);

	*out = walk;
	if (walk == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to ask a provider");
	walk->connector = connector;
	walk->since_utc_s = now_utc_s > WALK_HISTORY_S ? now_utc_s - WALK_HISTORY_S : 1;
	buffer_init(&walk->ids, WALK_IDS_BYTES_MAX);
	buffer_init(&walk->url, WALK_URL_BYTES_MAX + 1);
	buffer_init(&walk->before, WALK_URL_BYTES_MAX + 1);
	while (walk->row < ROWS && !is_asked(walk, &rows[walk->row]))
		walk->row++;
	if (walk->row == ROWS)
		(void)error_set(err, ERROR_INVALID, "this provider cannot be asked");
	else if (start_row(walk, err))
		return true;
	inventory_walk_destroy(out);
	return false;
}

void inventory_walk_destroy(struct inventory_walk **walk)
{
	if (*walk == NULL)
		return;
	buffer_deinit(&(*walk)->ids);
	buffer_deinit(&(*walk)->url);
	buffer_deinit(&(*walk)->before);
	free(*walk);
	*walk = NULL;
}

const char *inventory_walk_url(const struct inventory_walk *walk)
{
	return walk->row < ROWS ? walk->url.data : NULL;
}

const char *inventory_walk_list(const struct inventory_walk *walk)
{
	return walk->row < ROWS ? rows[walk->row].name : NULL;
}

bool inventory_walk_is_each(const struct inventory_walk *walk)
{
	return walk->row < ROWS && rows[walk->row].is_each;
}

/* ---- where the next page lies ---- */

/* The target of rel="next" in a field Link; empty: there is none. */
static struct text next_link(struct text link)
{
	while (link.length > 0) {
		ptrdiff_t open = text_find_byte(link, '<');
		struct text target, rest;
		ptrdiff_t close;

		if (open < 0)
			break;
		link = text_after(link, (size_t)open + 1);
		close = text_find_byte(link, '>');
		if (close < 0)
			break;
		target = (struct text){link.data, (size_t)close};
		link = text_after(link, (size_t)close + 1);
		rest = text_before(link, '<');
		if (text_is_like(TEXT("*rel=\"next\"*"), rest) ||
			text_is_like(TEXT("*rel=next*"), rest))
			return target;
	}
	return (struct text){NULL, 0};
}

static bool go_to_url(struct inventory_walk *walk, struct text url, struct error *err)
{
	if (url.length == 0)
		return next_row(walk, err);
	if (!inventory_walk_is_own(connector_url(walk->connector), url))
		return error_set(err, ERROR_INVALID,
			"%s: its next page lies at another place than the connector's own, and is "
			"not asked for",
			rows[walk->row].name);
	buffer_reset(&walk->url);
	buffer_append_text(&walk->url, url);
	return check_url(walk, err);
}

static bool go_to_query(struct inventory_walk *walk, struct text token, struct error *err)
{
	const struct list_row *row = &rows[walk->row];

	if (token.length == 0)
		return next_row(walk, err);
	buffer_reset(&walk->url);
	buffer_append_text(&walk->url, connector_url(walk->connector));
	put_filled(walk, row->path);
	buffer_append_format(
		&walk->url, "%c%s=", strchr(row->path, '?') == NULL ? '?' : '&', row->query);
	inventory_walk_escape(&walk->url, token);
	return check_url(walk, err);
}

static bool go_to_number(struct inventory_walk *walk, const struct json *page, struct error *err)
{
	const struct json *paging = json_find(page, rows[walk->row].member);
	int64_t number = json_integer_or(paging, "page", 1);
	char digits[24];
	struct buffer written;

	if (number >= json_integer_or(paging, "pages", 1))
		return next_row(walk, err);
	buffer_init_in(&written, sizeof digits, digits, sizeof digits);
	buffer_append_int64(&written, number + 1);
	return go_to_query(walk, buffer_text(&written), err);
}

static bool go_on(
	struct inventory_walk *walk, const struct json *page, struct text link, struct error *err)
{
	const struct list_row *row = &rows[walk->row];
	const struct json *metadata = json_find(page, "response_metadata");

	switch (row->next) {
	case NEXT_TOKEN:
		return go_to_query(walk,
			json_text_or(
				row->provider == PROVIDER_SLACK ? metadata : page, row->member, ""),
			err);
	case NEXT_URL: return go_to_url(walk, json_text_or(page, row->member, ""), err);
	case NEXT_LINK: return go_to_url(walk, next_link(link), err);
	case NEXT_NUMBER: return go_to_number(walk, page, err);
	case NEXT_NONE: break;
	}
	return next_row(walk, err);
}

/* ---- answers ---- */

static bool keep_ids(struct inventory_walk *walk, const struct json *page, struct error *err)
{
	const char *name = rows[walk->row].list;
	const struct json *list = name == NULL ? NULL : json_find(page, name);

	if (list == NULL || list->type != JSON_ARRAY)
		return true;
	for (uint32_t i = 0; i < list->count; i++) {
		struct text id = json_text_or(&list->items[i], "id", "");

		if (!inventory_walk_is_part(id) || id.length > INVENTORY_ID_BYTES_MAX)
			return error_set(err, ERROR_INVALID,
				"%s: an id of 1 to %d bytes is expected, and no dots alone",
				rows[walk->row].name, INVENTORY_ID_BYTES_MAX);
		buffer_append_byte(&walk->ids, (char)(id.length >> 8));
		buffer_append_byte(&walk->ids, (char)(id.length & 0xff));
		buffer_append_text(&walk->ids, id);
		walk->ids_count++;
	}
	return (walk->ids_count <= WALK_IDS_MAX && !buffer_failed(&walk->ids)) ||
	       error_set(err, ERROR_LIMIT, "%s: more than %d of them", rows[walk->row].name,
		       WALK_IDS_MAX);
}

/* Slack answers 200 whatever it says. */
static bool check_ok(const struct inventory_walk *walk, const struct json *page, struct error *err)
{
	struct buffer said;

	if (walk->connector->provider != PROVIDER_SLACK || json_boolean_or(page, "ok", false))
		return true;
	buffer_init(&said, (size_t)4 * ERROR_TEXT_BYTES);
	buffer_append_visible(&said, json_text_or(page, "error", "no answer"));
	(void)error_set(err, ERROR_INVALID, "%s: it refused: %.*s", rows[walk->row].name,
		said.length > 100 ? 100 : (int)said.length, said.data);
	buffer_deinit(&said);
	return false;
}

static bool check_moved(struct inventory_walk *walk, size_t row, struct error *err)
{
	if (walk->row == row && text_equal(buffer_text(&walk->url), buffer_text(&walk->before)))
		return error_set(err, ERROR_INVALID, "%s: a page leads to itself", rows[row].name);
	return true;
}

bool inventory_walk_take(
	struct inventory_walk *walk, const struct json *page, struct text link, struct error *err)
{
	size_t row = walk->row;

	if (row == ROWS)
		return error_set(err, ERROR_INTERNAL, "nothing was asked");
	if (++walk->pages > WALK_PAGES_MAX)
		return error_set(
			err, ERROR_LIMIT, "an inventory has at most %d pages", WALK_PAGES_MAX);
	buffer_reset(&walk->before);
	buffer_append_text(&walk->before, buffer_text(&walk->url));
	return check_ok(walk, page, err) && keep_ids(walk, page, err) &&
	       go_on(walk, page, link, err) && check_moved(walk, row, err);
}

bool inventory_walk_skip(struct inventory_walk *walk, struct error *err)
{
	if (++walk->pages > WALK_PAGES_MAX)
		return error_set(
			err, ERROR_LIMIT, "an inventory has at most %d pages", WALK_PAGES_MAX);
	return next_row(walk, err);
}
