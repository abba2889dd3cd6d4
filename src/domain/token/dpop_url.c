/* Whether two URLs are of one place (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3).  Nothing is
 * built: both are read at once, in normal form. */
#include <string.h>
#include <strings.h>

#include "domain/token/dpop.h"

enum {
	PORT_HTTP = 80,
	PORT_HTTPS = 443,
	PORT_MAX = 65535,
	BROKEN = -1,  /* a percent sign without two digits */
	ENCODED = 256 /* and what is encoded: not the same as the plain byte */
};

struct place {
	unsigned port;
	bool is_https;
	struct text host;
	struct text path;
};

static bool equal_in_any_case(struct text a, struct text b)
{
	return a.length == b.length && a.length > 0 && strncasecmp(a.data, b.data, a.length) == 0;
}

static struct text cut(struct text *rest, size_t length)
{
	struct text head = {rest->data, length};

	*rest = (struct text){rest->data + length, rest->length - length};
	return head;
}

static size_t span_until(struct text t, const char *ends)
{
	size_t i = 0;

	while (i < t.length && (t.data[i] == '\0' || strchr(ends, t.data[i]) == NULL))
		i++;
	return i;
}

static bool read_port(struct text digits, unsigned *port)
{
	unsigned value = 0;

	if (digits.length == 0)
		return true; /* "host:" is the default, too */
	for (size_t i = 0; i < digits.length; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return false;
		value = value * 10 + (unsigned)(digits.data[i] - '0');
		if (value > PORT_MAX)
			return false;
	}
	*port = value;
	return true;
}

static bool read_authority(struct text authority, struct place *out)
{
	size_t length = 0;

	if (text_find_byte(authority, '@') >= 0)
		return false;
	if (text_starts_with(authority, "[")) {
		ptrdiff_t end = text_find_byte(authority, ']');

		if (end < 0)
			return false;
		length = (size_t)end + 1;
	} else {
		length = span_until(authority, ":");
	}
	out->host = cut(&authority, length);
	if (out->host.length == 0)
		return false;
	if (authority.length == 0)
		return true;
	return authority.data[0] == ':' &&
	       read_port((struct text){authority.data + 1, authority.length - 1}, &out->port);
}

static bool read_place(struct text url, struct place *out)
{
	struct text scheme = cut(&url, span_until(url, ":/?#"));

	out->is_https = equal_in_any_case(scheme, TEXT("https"));
	if (!out->is_https && !equal_in_any_case(scheme, TEXT("http")))
		return false;
	if (!text_starts_with(url, "://"))
		return false;
	(void)cut(&url, sizeof "://" - 1);
	out->port = out->is_https ? PORT_HTTPS : PORT_HTTP;
	if (!read_authority(cut(&url, span_until(url, "/?#")), out))
		return false;
	out->path = (struct text){url.data, span_until(url, "?#")};
	if (out->path.length == 0)
		out->path = TEXT("/");
	return true;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_unreserved(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

/* The next byte of a path, or ENCODED and its value where it must stay encoded. */
static int next_byte(struct text *rest)
{
	int high, low, value;

	if (rest->data[0] != '%')
		return (unsigned char)cut(rest, 1).data[0];
	if (rest->length < 3)
		return BROKEN;
	high = digit_value(rest->data[1]);
	low = digit_value(rest->data[2]);
	if (high < 0 || low < 0)
		return BROKEN;
	(void)cut(rest, 3);
	value = high * 16 + low;
	return is_unreserved(value) ? value : ENCODED + value;
}

static bool is_same_path(struct text a, struct text b)
{
	while (a.length > 0 && b.length > 0) {
		int mine = next_byte(&a);

		if (mine == BROKEN || mine != next_byte(&b))
			return false;
	}
	return a.length == 0 && b.length == 0;
}

bool dpop_is_same_url(struct text claimed, struct text due)
{
	struct place a = {0}, b = {0};

	return read_place(claimed, &a) && read_place(due, &b) && a.is_https == b.is_https &&
	       a.port == b.port && equal_in_any_case(a.host, b.host) &&
	       is_same_path(a.path, b.path);
}
