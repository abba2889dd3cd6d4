/* Where a reference points: URIs (RFC 3986, section 5.2) and JSON pointers (RFC 6901).  Text
 * only; nothing is ever fetched. */

#include <stdlib.h>

#include "base/json_schema_private.h"

struct uri {
	struct text scheme;    /* with ':' */
	struct text authority; /* with "//" */
	struct text path;
	struct text query; /* with '?' */
};

static struct text head(struct text *rest, size_t length)
{
	struct text part = {rest->data, length};

	rest->data += length;
	rest->length -= length;
	return part;
}

/* How many bytes come before the first of these; all if none does. */
static size_t until(struct text text, const char *bytes)
{
	size_t i = 0;

	while (i < text.length && strchr(bytes, text.data[i]) == NULL)
		i++;
	return i;
}

static bool is_scheme(struct text text)
{
	size_t i;

	for (i = 0; i < text.length; i++) {
		char c = text.data[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && (i == 0 || !((c >= '0' && c <= '9') || strchr("+-.", c) != NULL)))
			return false;
	}
	return text.length > 0;
}

static struct uri uri_split(struct text text)
{
	struct uri uri = {0};
	size_t colon = until(text, ":/?#");

	text.length = until(text, "#");
	if (colon < text.length && text.data[colon] == ':' &&
		is_scheme((struct text){text.data, colon}))
		uri.scheme = head(&text, colon + 1);
	if (text_starts_with(text, "//")) {
		struct text behind = {text.data + 2, text.length - 2};

		uri.authority = head(&text, 2 + until(behind, "/?"));
	}
	uri.path = head(&text, until(text, "?"));
	uri.query = text;
	return uri;
}

/* Section 5.2.4, in place. */
static size_t remove_dot_segments(char *path, size_t length)
{
	size_t from = 0, to = 0;

	while (from < length) {
		size_t end = from + (path[from] == '/');
		size_t segment;

		while (end < length && path[end] != '/')
			end++;
		segment = from + (path[from] == '/');
		if (end - segment == 1 && path[segment] == '.') {
			if (end == length && from != segment)
				path[to++] = '/';
		} else if (end - segment == 2 && memcmp(path + segment, "..", 2) == 0) {
			while (to > 0 && path[--to] != '/')
				;
			if (end == length && from != segment)
				path[to++] = '/';
		} else {
			memmove(path + to, path + from, end - from);
			to += end - from;
		}
		from = end;
	}
	return to;
}

static struct text last_slash_of(struct text path)
{
	while (path.length > 0 && path.data[path.length - 1] != '/')
		path.length--;
	return path;
}

static struct text merged_path(struct arena *arena, const struct uri *base, struct text path)
{
	struct text parts[] = {last_slash_of(base->path), path};
	char *joined;
	size_t length;

	if (text_starts_with(path, "/"))
		parts[0] = TEXT("");
	else if (base->authority.length > 0 && base->path.length == 0)
		parts[0] = TEXT("/");
	length = parts[0].length + parts[1].length;
	joined = arena_alloc(arena, length + 1, 1);
	if (joined == NULL)
		return (struct text){0};
	memcpy(joined, parts[0].data, parts[0].length);
	if (parts[1].length > 0)
		memcpy(joined + parts[0].length, parts[1].data, parts[1].length);
	return (struct text){joined, remove_dot_segments(joined, length)};
}

static struct text uri_join(struct arena *arena, const struct uri *uri)
{
	const struct text parts[] = {uri->scheme, uri->authority, uri->path, uri->query};

	return text_concat(arena, parts, sizeof(parts) / sizeof(*parts));
}

/* What a reference without a scheme or an authority takes from the base. */
static bool take_path(struct arena *arena, const struct uri *base, struct uri *uri)
{
	if (uri->path.length == 0) {
		uri->path = base->path;
		if (uri->query.length == 0)
			uri->query = base->query;
		return true;
	}
	uri->path = merged_path(arena, base, uri->path);
	return uri->path.data != NULL;
}

struct text schema_uri_resolve(struct arena *arena, struct text base_text, struct text reference)
{
	struct uri base = uri_split(base_text);
	struct uri uri = uri_split(reference);

	if (uri.scheme.length == 0) {
		uri.scheme = base.scheme;
		if (uri.authority.length == 0) {
			uri.authority = base.authority;
			if (!take_path(arena, &base, &uri))
				return (struct text){0};
		}
	}
	return uri_join(arena, &uri);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct text schema_uri_fragment(struct arena *arena, struct text reference)
{
	size_t at = until(reference, "#");
	char *out = arena_alloc(arena, reference.length + 1, 1);
	size_t length = 0;

	if (out == NULL)
		return (struct text){0};
	for (at++; at < reference.length; at++) {
		int high, low;

		if (reference.data[at] != '%') {
			out[length++] = reference.data[at];
			continue;
		}
		high = at + 2 < reference.length ? hex_digit(reference.data[at + 1]) : -1;
		low = at + 2 < reference.length ? hex_digit(reference.data[at + 2]) : -1;
		if (high < 0 || low < 0)
			return (struct text){0};
		out[length++] = (char)(high * 16 + low);
		at += 2;
	}
	return (struct text){out, length};
}

struct text schema_pointer_token(struct arena *arena, struct text *rest)
{
	struct text raw;
	char *out;
	size_t i, length = 0;

	(void)head(rest, 1);
	raw = head(rest, until(*rest, "/"));
	out = arena_alloc(arena, raw.length + 1, 1);
	if (out == NULL)
		return (struct text){0};
	for (i = 0; i < raw.length; i++) {
		char c = raw.data[i];

		if (c == '~' && i + 1 < raw.length &&
			(raw.data[i + 1] == '0' || raw.data[i + 1] == '1'))
			c = raw.data[++i] == '0' ? '~' : '/';
		out[length++] = c;
	}
	return (struct text){out, length};
}
