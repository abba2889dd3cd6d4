#include "edges/cli/review.h"

#include "base/time.h"

/* The page of a report: what was removed first, then every item. */

enum { PAGE_BYTES_MAX = 64 * 1024 * 1024 };

static void put_escaped(struct buffer *out, struct text t)
{
	for (size_t i = 0; i < t.length; i++) {
		switch (t.data[i]) {
		case '<': buffer_append_string(out, "&lt;"); break;
		case '>': buffer_append_string(out, "&gt;"); break;
		case '&': buffer_append_string(out, "&amp;"); break;
		case '"': buffer_append_string(out, "&quot;"); break;
		case '\'': buffer_append_string(out, "&#39;"); break;
		default: buffer_append_byte(out, t.data[i]);
		}
	}
}

static void put_cell(struct buffer *out, const struct json *item, const char *name)
{
	const struct json *value = json_find(item, name);
	char moment[TIME_TEXT_BYTES];

	buffer_append_string(out, "<td>");
	if (value != NULL && value->type == JSON_STRING) {
		put_escaped(out, value->string);
	} else if (value != NULL && value->type == JSON_INTEGER && text_is(text_of(name), "at")) {
		time_format_utc_ms(moment, value->integer);
		buffer_append_string(out, moment);
	} else if (value != NULL && value->type == JSON_INTEGER) {
		buffer_append_int64(out, value->integer);
	}
	buffer_append_string(out, "</td>");
}

static void put_name(struct buffer *out, struct text name)
{
	if (name.length == 0)
		return;
	buffer_append_string(out, "<p>");
	put_escaped(out, name);
	buffer_append_string(out, "</p>\n");
}

static void put_head(struct buffer *out, const struct json *report, struct text bytes)
{
	const struct json *risk = json_find(report, "risk");
	struct sha256 digest = sha256_of(bytes.data, bytes.length);
	char written[DIGEST_TEXT_BYTES];

	digest_format(written, &digest);
	buffer_append_string(out,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'\">\n<title>Access review</title>\n<style>"
		"body{font:15px/1.5 sans-serif;margin:2rem}table{border-collapse:collapse}"
		"td,th{border-bottom:1px solid #ccc;padding:.2rem .6rem;text-align:left}"
		"</style></head><body>\n<h1>Access review ");
	put_escaped(out, json_text_or(report, "review", ""));
	buffer_append_string(out, "</h1>\n");
	put_name(out, json_text_or(report, "name", ""));
	buffer_append_format(out,
		"<p>Risk removed: <strong>%lld</strong> of %lld. Settled: %lld of %lld "
		"items; "
		"%lld by nobody's answer.%s</p>\n<p>Snapshot <code>",
		(long long)json_integer_or(risk, "removed", 0),
		(long long)json_integer_or(risk, "before", 0),
		(long long)json_integer_or(report, "settled", 0),
		(long long)json_integer_or(report, "item_count", 0),
		(long long)json_integer_or(report, "unanswered", 0),
		json_boolean_or(report, "final", false) ? "" : " This review is not closed.");
	put_escaped(out, json_text_or(report, "snapshot", ""));
	buffer_append_format(out, "</code>, this report <code>%s</code></p>\n", written);
}

/* now: NULL where it is as the report says. */
static void put_now(struct buffer *out, const struct json *now)
{
	if (now == NULL)
		return;
	buffer_append_string(out, "<p>Items by now, after this report:");
	for (uint32_t i = 0; i < now->count; i++) {
		buffer_append_string(out, i == 0 ? " " : ", ");
		put_escaped(out, now->members[i].name);
		buffer_append_format(out, " %lld", (long long)now->members[i].value.integer);
	}
	buffer_append_string(out, ".</p>\n");
}

static void put_items(struct buffer *out, const struct json *items)
{
	static const char *const names[] = {"number", "identity", "title", "risk", "recommended",
		"state", "by", "at", "record", "weight", "left"};

	buffer_append_string(out, "<table><tr>");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		buffer_append_format(out, "<th>%s</th>", names[i]);
	buffer_append_string(out, "</tr>\n");
	for (uint32_t i = 0; items != NULL && items->type == JSON_ARRAY && i < items->count; i++) {
		buffer_append_string(out, "<tr>");
		for (size_t j = 0; j < sizeof names / sizeof *names; j++)
			put_cell(out, &items->items[i], names[j]);
		buffer_append_string(out, "</tr>\n");
	}
	buffer_append_string(out, "</table>\n");
}

struct text cli_review_html(
	struct cli *cli, const struct json *report, const struct json *now, struct text bytes)
{
	struct text page = {NULL, 0};
	struct buffer out;

	buffer_init(&out, PAGE_BYTES_MAX);
	put_head(&out, report, bytes);
	put_now(&out, now);
	put_items(&out, json_find(report, "items"));
	buffer_append_string(&out, "</body></html>\n");
	if (!buffer_failed(&out))
		page = text_copy(cli->arena, buffer_text(&out));
	buffer_deinit(&out);
	return page;
}
