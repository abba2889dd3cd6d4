/* GET /oauth/consent/{id}: the page that waits for a person's answer, and takes their browser back
 * to the application.  Plain HTML without scripts, styles or forms: there is nothing to click on,
 * so nobody can be led to click; it asks again by itself every few seconds. */
#include <stdio.h>
#include <string.h>

#include "edges/oauth/oauth_private.h"
#include "services/issue/consent.h"

enum { PAGE_BYTES_MAX = 64 * 1024, ADDRESS_BYTES_MAX = 16 * 1024, REFRESH_S = 2 };

bool oauth_is_https(const struct oauth *oauth)
{
	return text_starts_with(issue_issuer(oauth->issue), "https://");
}

/* RFC 6265bis §4.1.3.2: of this host alone, and never over http. */
void oauth_cookie_name(const struct oauth *oauth, struct text id, char out[OAUTH_COOKIE_NAME_BYTES])
{
	(void)snprintf(out, OAUTH_COOKIE_NAME_BYTES, "%sremit-%.*s",
		oauth_is_https(oauth) ? "__Host-" : "", (int)(id.length < 40 ? id.length : 40),
		id.data == NULL ? "" : id.data);
}

/* ---- text of others in HTML ---- */

/* What cannot be seen, or moves what can, is shown as a sign for itself. */
static void append_code_point(struct buffer *out, const char *at, size_t size)
{
	switch (*at) {
	case '&': buffer_append_string(out, "&amp;"); return;
	case '<': buffer_append_string(out, "&lt;"); return;
	case '>': buffer_append_string(out, "&gt;"); return;
	case '"': buffer_append_string(out, "&quot;"); return;
	case '\'': buffer_append_string(out, "&#39;"); return;
	default: break;
	}
	if (code_point_is_visible(utf8_code_point(at, size)))
		buffer_append(out, at, size);
	else
		buffer_append_string(out, "&#xFFFD;");
}

static void append_plain(struct buffer *out, struct text t)
{
	size_t size = 0;

	for (size_t i = 0; i < t.length; i += size) {
		size = utf8_sequence_size(t.data + i, t.length - i);
		if (size == 0)
			return;
		append_code_point(out, t.data + i, size);
	}
}

static void append_row(struct buffer *out, const char *name, struct text value)
{
	if (value.length == 0)
		return;
	buffer_append_format(out, "<dt>%s</dt><dd><bdi>", name);
	append_plain(out, value);
	buffer_append_string(out, "</bdi></dd>");
}

/* ---- answers ---- */

void oauth_answer_page(struct http_exchange *exchange, unsigned status, const struct buffer *body)
{
	static const struct http_header headers[] = {{"Cache-Control", "no-store"},
		{"Content-Security-Policy",
			"default-src 'none'; base-uri 'none'; form-action 'none'; "
			"frame-ancestors 'none'"},
		{"X-Frame-Options", "DENY"}, {"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"}};
	struct buffer page;

	buffer_init(&page, PAGE_BYTES_MAX);
	buffer_append_string(&page,
		"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>remit</title>");
	buffer_append(&page, buffer_text(body).data, buffer_text(body).length);
	buffer_append_string(&page, "</body></html>\n");
	if (buffer_failed(&page) || buffer_failed(body))
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
	else
		http_respond(exchange, &(struct http_response){.status = status,
					       .content_type = "text/html; charset=utf-8",
					       .body = buffer_text(&page),
					       .headers = headers,
					       .header_count = sizeof headers / sizeof *headers});
	buffer_deinit(&page);
}

void oauth_redirect(struct http_exchange *exchange, struct text address,
	const struct oauth_parameter *parameters, size_t count)
{
	struct buffer place;
	struct http_header headers[] = {{"Location", NULL}, {"Cache-Control", "no-store"},
		{"Referrer-Policy", "no-referrer"}};

	buffer_init(&place, ADDRESS_BYTES_MAX);
	oauth_append_address(&place, address, parameters, count);
	buffer_append(&place, "", 1);
	headers[0].value = buffer_text(&place).data;
	if (buffer_failed(&place))
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
	else
		http_respond(
			exchange, &(struct http_response){
					  .status = 303, .headers = headers, .header_count = 3});
	if (place.data != NULL)
		explicit_bzero(place.data, place.length);
	buffer_deinit(&place);
}

/* ---- the page ---- */

static void append_duration(struct buffer *out, int64_t seconds)
{
	if (seconds % 3600 == 0)
		buffer_append_format(out, "%lld h", (long long)(seconds / 3600));
	else if (seconds % 60 == 0)
		buffer_append_format(out, "%lld min", (long long)(seconds / 60));
	else
		buffer_append_format(out, "%lld s", (long long)seconds);
}

static void append_until(struct buffer *out, const struct issue_consent_view *view)
{
	buffer_append_string(out, "<dt>Until</dt><dd>");
	append_duration(out, view->refresh_s > view->task_s ? view->refresh_s : view->task_s);
	buffer_append_string(out, " after you agree, or until you or others end it</dd>");
}

/* Only what the application said itself: whoever opens this page has shown nothing yet. */
static void append_wish(struct buffer *out, const struct issue_consent_view *view)
{
	buffer_append_string(out, "<h1>May <bdi>");
	append_plain(out, view->client);
	buffer_append_string(out, "</bdi> act for you?</h1><dl>");
	append_row(out, "Where", view->resource);
	append_row(out, "What for, in its own words", view->purpose);
	append_row(out, "Only these calls", view->details);
	if (view->details.length == 0)
		append_row(out, "Which calls", TEXT("any that its charter permits there"));
	append_until(out, view);
	append_row(out, "Then your browser goes to", view->redirect);
	buffer_append_format(out,
		"</dl><p>To answer, run this on your own machine:</p>"
		"<pre>remit consent %.*s</pre>"
		"<p>It shows what is asked, and wants this number: <strong>%u</strong></p>"
		"<p>If you did not begin this yourself just now, answer nothing and close the "
		"page. Never give this number, or type one, for somebody else's page.</p>",
		TEXT_ARGS(view->code_to_type), view->number);
}

static void show(struct http_exchange *exchange, const struct issue_consent_view *view)
{
	struct buffer body;

	buffer_init(&body, PAGE_BYTES_MAX);
	buffer_append_format(
		&body, "<meta http-equiv=\"refresh\" content=\"%d\"></head><body>", REFRESH_S);
	append_wish(&body, view);
	oauth_answer_page(exchange, 200, &body);
	buffer_deinit(&body);
}

static void say(struct http_exchange *exchange, unsigned status, const char *words)
{
	struct buffer body;

	buffer_init(&body, PAGE_BYTES_MAX);
	buffer_append_format(&body, "</head><body><p>%s</p>", words);
	oauth_answer_page(exchange, status, &body);
	buffer_deinit(&body);
}

static void send_back(
	struct oauth *oauth, struct http_exchange *exchange, const struct issue_consent_view *view)
{
	bool is_yes = view->state == ISSUE_CONSENT_YES;
	const struct oauth_parameter parameters[] = {
		{"code", is_yes ? text_of(view->code) : TEXT("")},
		{"error", is_yes ? TEXT("") : TEXT("access_denied")},
		{"error_description", is_yes ? TEXT("")
				      : view->state == ISSUE_CONSENT_OVER
					      ? TEXT("nobody answered in time")
					      : TEXT("the person said no")},
		{"state", view->state_given}, {"iss", issue_issuer(oauth->issue)}};

	oauth_redirect(
		exchange, view->redirect, parameters, sizeof parameters / sizeof *parameters);
}

/* The value of the cookie of this name; empty: it is not there, or twice. */
static struct text find_cookie(const struct http_exchange *exchange, const char *name)
{
	struct text rest = http_header_find(exchange, "Cookie");
	struct text found = {0};
	size_t length = strlen(name);

	while (rest.length > 0) {
		struct text pair = text_cut(&rest, ';');

		while (pair.length > 0 && pair.data[0] == ' ')
			pair = text_after(pair, 1);
		if (pair.length <= length || memcmp(pair.data, name, length) != 0 ||
			pair.data[length] != '=')
			continue;
		if (found.data != NULL)
			return (struct text){0};
		found = text_after(pair, length + 1);
	}
	return found;
}

void oauth_handle_consent(void *context, struct http_exchange *exchange)
{
	struct oauth *oauth = context;
	struct text id = http_path_value(exchange, "id");
	char name[OAUTH_COOKIE_NAME_BYTES];
	struct issue_consent_view view;

	oauth_cookie_name(oauth, id, name);
	issue_consent_look(oauth->issue, id, find_cookie(exchange, name), &view);
	switch (view.state) {
	case ISSUE_CONSENT_WAITS: show(exchange, &view); break;
	case ISSUE_CONSENT_YES:
	case ISSUE_CONSENT_NO:
	case ISSUE_CONSENT_OVER: send_back(oauth, exchange, &view); break;
	case ISSUE_CONSENT_DONE:
		say(exchange, 200, "This was answered. You can close the page.");
		break;
	case ISSUE_CONSENT_GONE:
		say(exchange, 404,
			"Nothing waits here for this browser. Begin again at the application.");
		break;
	}
	explicit_bzero(&view, sizeof view);
}
