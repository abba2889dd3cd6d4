/* Grammar of names and times: bytes only, so no name has two spellings and no
 * NUL, blank or control character ever enters one. */
#include "domain/charter/form.h"

#include "domain/charter/charter.h"
#include "domain/charter/object.h"

enum { TOOL_PART_BYTES_MAX = 128, ACCOUNT_ID_BYTES_MAX = 384 };

_Static_assert(CHARTER_NAME_BYTES_MAX + 1 + ACCOUNT_ID_BYTES_MAX == ACCOUNT_BYTES_MAX,
	"a connector, a slash and an id");
_Static_assert(CHARTER_NAME_BYTES_MAX + 1 + TOOL_PART_BYTES_MAX <= TOOL_NAME_BYTES_MAX,
	"a call can name each tool");

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool name_is_plain(struct text name)
{
	if (name.length == 0 || name.length > CHARTER_NAME_BYTES_MAX)
		return false;
	if (!is_lower(name.data[0]) && !is_digit(name.data[0]))
		return false;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];

		if (!is_lower(c) && !is_digit(c) && c != '-' && c != '.' && c != '_')
			return false;
	}
	return true;
}

bool name_is_person(struct text name)
{
	if (name.length == 0 || name.length > PERSON_NAME_BYTES_MAX)
		return false;
	if (!is_lower(name.data[0]) && !is_upper(name.data[0]) && !is_digit(name.data[0]))
		return false;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];

		if (!is_lower(c) && !is_upper(c) && !is_digit(c) && c != '@' && c != '.' &&
			c != '_' && c != '+' && c != '-')
			return false;
	}
	return true;
}

static bool is_tool_part(struct text part)
{
	if (part.length == 0 || part.length > TOOL_PART_BYTES_MAX)
		return false;
	for (size_t i = 0; i < part.length; i++) {
		char c = part.data[i];

		if (!is_lower(c) && !is_upper(c) && !is_digit(c) && c != '-' && c != '.' &&
			c != '_')
			return false;
	}
	return true;
}

static bool split_at_slash(struct text whole, struct text *before, struct text *after)
{
	ptrdiff_t slash = text_find_byte(whole, '/');

	if (slash < 0)
		return false;
	*before = (struct text){whole.data, (size_t)slash};
	*after = (struct text){whole.data + slash + 1, whole.length - (size_t)slash - 1};
	return true;
}

bool name_is_tool(struct text name)
{
	struct text server, tool;

	return split_at_slash(name, &server, &tool) && name_is_plain(server) && is_tool_part(tool);
}

bool name_is_policy(struct text name)
{
	struct text unit, rest;

	return split_at_slash(name, &unit, &rest) && name_is_plain(unit) && name_is_plain(rest);
}

bool name_is_model(struct text name)
{
	if (name.length == 0 || name.length > CHARTER_MODEL_BYTES_MAX || name.data[0] == '/' ||
		name.data[name.length - 1] == '/')
		return false;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];

		if (!is_lower(c) && !is_upper(c) && !is_digit(c) && c != '-' && c != '.' &&
			c != '_' && c != ':' && c != '@' && c != '/')
			return false;
	}
	return true;
}

bool name_is_provider_model(struct text name)
{
	struct text provider, model;

	return split_at_slash(name, &provider, &model) && name_is_plain(provider) &&
	       name_is_model(model);
}

/* Reads exactly digits decimal digits at *at. */
static bool take_number(struct text t, size_t *at, size_t digits, int64_t *out)
{
	if (t.length - *at < digits)
		return false;
	*out = 0;
	for (size_t end = *at + digits; *at < end; (*at)++) {
		if (!is_digit(t.data[*at]))
			return false;
		*out = *out * 10 + (t.data[*at] - '0');
	}
	return true;
}

static bool take_byte(struct text t, size_t *at, char byte)
{
	if (*at >= t.length || t.data[*at] != byte)
		return false;
	(*at)++;
	return true;
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01 of a day from then on. */
static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day)
{
	int64_t before = year - 1;
	int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;

	for (int64_t m = 1; m < month; m++)
		days += days_in_month(year, m);
	return days + day - 1;
}

static bool take_date(struct text t, size_t *at, int64_t *out_days)
{
	int64_t year, month, day;

	if (!take_number(t, at, 4, &year) || !take_byte(t, at, '-') ||
		!take_number(t, at, 2, &month) || !take_byte(t, at, '-') ||
		!take_number(t, at, 2, &day))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	*out_days = days_since_epoch(year, month, day);
	return true;
}

bool time_of_text(struct text t, int64_t *out_utc_s)
{
	size_t at = 0;
	int64_t days, hour = 0, minute = 0, second = 0;

	*out_utc_s = 0;
	if (!take_date(t, &at, &days))
		return false;
	if (at < t.length && (!take_byte(t, &at, 'T') || !take_number(t, &at, 2, &hour) ||
				     !take_byte(t, &at, ':') || !take_number(t, &at, 2, &minute) ||
				     !take_byte(t, &at, ':') || !take_number(t, &at, 2, &second) ||
				     !take_byte(t, &at, 'Z')))
		return false;
	if (at != t.length || hour > 23 || minute > 59 || second > 59)
		return false;
	*out_utc_s = ((days * 24 + hour) * 60 + minute) * 60 + second;
	return true;
}

/* What stands behind the connector is the provider's: anything that a reader can see. */
static bool is_seen(struct text id)
{
	for (size_t at = 0; at < id.length;) {
		size_t size = utf8_sequence_size(id.data + at, id.length - at);

		if (size == 0 || !code_point_is_visible(utf8_code_point(id.data + at, size)))
			return false;
		at += size;
	}
	return id.length > 0;
}

bool name_is_account(struct text name)
{
	ptrdiff_t slash = text_find_byte(name, '/');
	struct text connector = {name.data, slash < 0 ? 0 : (size_t)slash};
	struct text id = text_after(name, slash < 0 ? name.length : (size_t)slash + 1);

	return name_is_plain(connector) && id.length <= ACCOUNT_ID_BYTES_MAX && is_seen(id);
}
