#include "domain/call/uri.h"

#include <string.h>
#include <strings.h>

static bool is_small(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_one_of(char c, const char *bytes)
{
	return c != '\0' && strchr(bytes, c) != NULL;
}

/* "scheme" before the first colon, in small letters; empty if there is none. */
static struct text scheme_of(struct text uri)
{
	ptrdiff_t colon = text_find_byte(uri, ':');
	ptrdiff_t i;

	if (colon <= 0 || !is_small(uri.data[0]))
		return (struct text){0};
	for (i = 1; i < colon; i++)
		if (!is_small(uri.data[i]) && !is_digit(uri.data[i]) &&
			!is_one_of(uri.data[i], "+-."))
			return (struct text){0};
	return (struct text){uri.data, (size_t)colon};
}

/* The value of a hexadecimal digit in capitals; -1 if it is none. */
static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_unreserved(int c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static const char *escape_breach(struct text rest)
{
	int high = rest.length < 3 ? -1 : hex_value(rest.data[1]);
	int low = rest.length < 3 ? -1 : hex_value(rest.data[2]);
	int value = high * 16 + low;

	if (high < 0 || low < 0)
		return "has an escape that is not % and two digits in capitals";
	if (is_unreserved(value))
		return "escapes what needs no escape";
	if (value == '/' || value == '\\' || value == '%' || value < 0x20 || value == 0x7f)
		return "hides a slash, percent sign or control character in an escape";
	return NULL;
}

static const char *bytes_breach(struct text uri)
{
	size_t i;

	for (i = 0; i < uri.length; i++) {
		const char *breach = NULL;

		if (uri.data[i] <= ' ' || uri.data[i] >= 0x7f ||
			is_one_of(uri.data[i], "\"\\<>^`{|}"))
			return "has a blank, control, non-ASCII or unsafe character";
		if (uri.data[i] == '#')
			return "has a fragment";
		if (uri.data[i] == '%')
			breach = escape_breach((struct text){uri.data + i, uri.length - i});
		if (breach != NULL)
			return breach;
	}
	return NULL;
}

/* Takes the authority, if the rest begins with one. */
static const char *authority_breach(struct text *rest)
{
	struct text host;
	size_t i;

	if (!text_starts_with(*rest, "//"))
		return NULL;
	for (i = 2; i < rest->length && !is_one_of(rest->data[i], "/?"); i++) {
		if (rest->data[i] == '@')
			return "has a user before the host";
		if (rest->data[i] >= 'A' && rest->data[i] <= 'Z')
			return "has capital letters in the host";
		if (rest->data[i] == '%')
			return "has an escape in the host";
	}
	host = (struct text){rest->data + 2, i - 2};
	*rest = (struct text){rest->data + i, rest->length - i};
	/* To who takes what follows the scheme for a path, a host is a segment. */
	return text_is(host, ".") || text_is(host, "..") ? "has a segment \".\" or \"..\"" : NULL;
}

/* The query too: who joins all of it to a folder goes up by what stands there. */
static const char *path_breach(struct text rest)
{
	bool is_query = false;
	size_t start = 0, i;

	for (i = 0; i <= rest.length; i++) {
		struct text segment = {rest.data + start, i - start};

		is_query = is_query || (i < rest.length && rest.data[i] == '?');
		if (i < rest.length && rest.data[i] != '/')
			continue;
		if (text_is(segment, ".") || text_is(segment, ".."))
			return "has a segment \".\" or \"..\"";
		if (segment.length == 0 && start > 0 && i < rest.length && !is_query)
			return "has an empty segment";
		start = i + 1;
	}
	return NULL;
}

const char *uri_breach(struct text uri, struct text *scheme)
{
	const char *breach;
	struct text rest;

	*scheme = scheme_of(uri);
	if (uri.length > URI_BYTES_MAX)
		return "is longer than 2,048 bytes";
	if (scheme->length == 0)
		return "does not begin with a scheme in small letters";
	rest = (struct text){uri.data + scheme->length + 1, uri.length - scheme->length - 1};
	if (rest.length == 0)
		return "is a scheme and nothing else";
	breach = bytes_breach(uri);
	if (breach == NULL)
		breach = authority_breach(&rest);
	return breach == NULL ? path_breach(rest) : breach;
}

/* ---- where a web address leads -------------------------------------------------------- */

enum { PORT_MAX = 65535, PORT_HTTP = 80, PORT_HTTPS = 443 };

/* What stands before the first of the bytes, or all. */
static struct text before_any(struct text whole, const char *bytes)
{
	size_t i = 0;

	while (i < whole.length && !is_one_of(whole.data[i], bytes))
		i++;
	return (struct text){whole.data, i};
}

/* Empty means that of the scheme. */
static bool port_read(struct text digits, uint32_t *port)
{
	uint32_t value = 0;

	for (size_t i = 0; i < digits.length; i++) {
		if (!is_digit(digits.data[i]))
			return false;
		value = value * 10 + (uint32_t)(digits.data[i] - '0');
		if (value > PORT_MAX)
			return false;
	}
	*port = digits.length == 0 ? *port : value;
	return true;
}

/* 0 to 255 without zeros before it. */
static bool is_octet(struct text label)
{
	uint32_t value = PORT_MAX;

	return label.length > 0 && label.length <= 3 && port_read(label, &value) && value <= 255 &&
	       (label.length == 1 || label.data[0] != '0');
}

/* Labels of small letters, digits and hyphens.  Where the last begins with a digit, readers
 * take the whole for a number of IPv4: then it is four octets. */
static bool is_plain_host(struct text host)
{
	bool is_number = false, are_octets = true;
	unsigned labels = 0;

	for (;; labels++) {
		struct text label = before_any(host, ".");

		for (size_t i = 0; i < label.length; i++)
			if (!is_small(label.data[i]) && !is_digit(label.data[i]) &&
				label.data[i] != '-')
				return false;
		if (label.length == 0)
			return false;
		is_number = is_digit(label.data[0]);
		are_octets = are_octets && is_octet(label);
		if (label.length == host.length)
			break;
		host = text_after(host, label.length + 1);
	}
	return !is_number || (are_octets && labels == 3);
}

static bool is_plain_port(struct text port)
{
	return port.length > 0 && port.data[0] != '0';
}

bool uri_place_read(struct text uri, struct uri_place *out)
{
	bool is_secure = text_starts_with(uri, "https:");
	struct text authority, host, port = {0};
	size_t slashes = 0;
	ptrdiff_t at;

	*out = (struct uri_place){.port = is_secure ? PORT_HTTPS : PORT_HTTP};
	if (!is_secure && !text_starts_with(uri, "http:"))
		return false;
	uri = text_after(uri, is_secure ? sizeof "https:" - 1 : sizeof "http:" - 1);
	while (slashes < uri.length && is_one_of(uri.data[slashes], "/\\"))
		slashes++;
	authority = before_any(text_after(uri, slashes), "/\\?#");
	out->is_plain = slashes == 2;
	for (; (at = text_find_byte(authority, '@')) >= 0; out->is_plain = false)
		authority = text_after(authority, (size_t)at + 1);
	host = before_any(authority, authority.length > 0 && authority.data[0] == '[' ? "]" : ":");
	if (host.length < authority.length && authority.data[host.length] == ']')
		host.length++;
	if (host.length < authority.length) {
		port = text_after(authority, host.length + 1);
		out->is_plain = out->is_plain && is_plain_port(port);
	}
	if ((host.length < authority.length && authority.data[host.length] != ':') ||
		!port_read(port, &out->port))
		return false;
	out->is_plain = out->is_plain && is_plain_host(host);
	while (host.length > 0 && host.data[host.length - 1] == '.')
		host.length--;
	out->host = host;
	return host.length > 0;
}

bool uri_place_equal(const struct uri_place *a, const struct uri_place *b)
{
	return a->port == b->port && a->host.length == b->host.length &&
	       strncasecmp(a->host.data, b->host.data, a->host.length) == 0;
}
