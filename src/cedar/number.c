/* The texts of decimal, datetime and duration.  All arithmetic is checked: what
 * does not fit an int64 is refused, never wrapped. */
#include "cedar/extension.h"

#include <string.h>

enum {
	DECIMAL_DIGITS = 4,
	DAY_MS = 86400000,
	HOUR_MS = 3600000,
	MINUTE_MS = 60000,
	SECOND_MS = 1000,
};

/* A cursor over text that fails once and for all. */
struct scan {
	struct cedar_text rest;
	bool failed;
};

static bool scan_is_digit(const struct scan *scan)
{
	return scan->rest.length > 0 && scan->rest.data[0] >= '0' && scan->rest.data[0] <= '9';
}

static void scan_move(struct scan *scan, size_t count)
{
	scan->rest.data += count;
	scan->rest.length -= count;
}

static bool scan_take(struct scan *scan, const char *string)
{
	size_t length = strlen(string);

	if (scan->rest.length < length || memcmp(scan->rest.data, string, length) != 0)
		return false;
	scan_move(scan, length);
	return true;
}

/* Exactly count digits. */
static int scan_number(struct scan *scan, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (!scan_is_digit(scan)) {
			scan->failed = true;
			return 0;
		}
		value = value * 10 + (scan->rest.data[0] - '0');
		scan_move(scan, 1);
	}
	return value;
}

static void scan_need(struct scan *scan, const char *string)
{
	if (!scan_take(scan, string))
		scan->failed = true;
}

/* value x 10 + digit, with the sign of the whole. */
static bool append_digit(int64_t *value, char digit, int64_t sign)
{
	return !__builtin_mul_overflow(*value, 10, value) &&
	       !__builtin_add_overflow(*value, sign * (digit - '0'), value);
}

bool decimal_parse(struct cedar_text text, int64_t *out)
{
	struct scan scan = {text, false};
	int64_t sign = scan_take(&scan, "-") ? -1 : 1, value = 0;
	int fraction = 0;

	if (!scan_is_digit(&scan))
		return false;
	for (; scan_is_digit(&scan); scan_move(&scan, 1)) {
		if (!append_digit(&value, scan.rest.data[0], sign))
			return false;
	}
	if (!scan_take(&scan, "."))
		return false;
	for (; scan_is_digit(&scan) && fraction < DECIMAL_DIGITS; scan_move(&scan, 1), fraction++) {
		if (!append_digit(&value, scan.rest.data[0], sign))
			return false;
	}
	if (fraction == 0 || scan.rest.length > 0)
		return false;
	for (; fraction < DECIMAL_DIGITS; fraction++) {
		if (!append_digit(&value, '0', sign))
			return false;
	}
	*out = value;
	return true;
}

/* Adds digits followed by unit, if they are there, to *sum. */
static bool add_unit(struct scan *scan, const char *unit, int64_t unit_ms, int64_t *sum)
{
	struct scan ahead = *scan;
	int64_t sign = unit_ms < 0 ? -1 : 1, value = 0;

	if (!scan_is_digit(&ahead))
		return true;
	for (; scan_is_digit(&ahead); scan_move(&ahead, 1)) {
		if (!append_digit(&value, ahead.rest.data[0], sign))
			return false;
	}
	/* "m" must not take the first letter of "ms" */
	if (!scan_take(&ahead, unit) || (strcmp(unit, "m") == 0 && scan_take(&ahead, "s")))
		return true;
	*scan = ahead;
	return !__builtin_mul_overflow(value, unit_ms * sign, &value) &&
	       !__builtin_add_overflow(*sum, value, sum);
}

bool duration_parse(struct cedar_text text, int64_t *out_ms)
{
	struct scan scan = {text, false};
	int64_t sign = scan_take(&scan, "-") ? -1 : 1, sum = 0;

	if (scan.rest.length == 0)
		return false;
	if (!add_unit(&scan, "d", sign * DAY_MS, &sum) ||
		!add_unit(&scan, "h", sign * HOUR_MS, &sum) ||
		!add_unit(&scan, "m", sign * MINUTE_MS, &sum) ||
		!add_unit(&scan, "s", sign * SECOND_MS, &sum) ||
		!add_unit(&scan, "ms", sign, &sum) || scan.rest.length > 0)
		return false;
	*out_ms = sum;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01, counted in years that begin in March so that the leap
 * day is the last of its year; 0 <= year <= 9999. */
static int64_t days_from_date(int year, int month, int day)
{
	int64_t march_year = month <= 2 ? year - 1 : year;
	int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
	int64_t year_of_era = march_year - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static int64_t scan_date(struct scan *scan)
{
	int year = scan_number(scan, 4), month, day;

	scan_need(scan, "-");
	month = scan_number(scan, 2);
	scan_need(scan, "-");
	day = scan_number(scan, 2);
	if (scan->failed || month < 1 || month > 12 || day < 1 ||
		day > days_in_month(year, month)) {
		scan->failed = true;
		return 0;
	}
	return days_from_date(year, month, day) * DAY_MS;
}

static int64_t scan_time(struct scan *scan)
{
	int hour = scan_number(scan, 2), minute, second, millisecond = 0;

	scan_need(scan, ":");
	minute = scan_number(scan, 2);
	scan_need(scan, ":");
	second = scan_number(scan, 2);
	if (scan_take(scan, "."))
		millisecond = scan_number(scan, 3);
	if (hour > 23 || minute > 59 || second > 59)
		scan->failed = true;
	return (int64_t)hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + millisecond;
}

static int64_t scan_zone(struct scan *scan)
{
	int sign, hour, minute;

	if (scan_take(scan, "Z"))
		return 0;
	sign = scan_take(scan, "-") ? -1 : 1;
	if (sign == 1)
		scan_need(scan, "+");
	hour = scan_number(scan, 2);
	minute = scan_number(scan, 2);
	if (hour > 23 || minute > 59)
		scan->failed = true;
	return (int64_t)sign * (hour * HOUR_MS + minute * MINUTE_MS);
}

bool datetime_parse(struct cedar_text text, int64_t *out_ms)
{
	struct scan scan = {text, false};
	int64_t value = scan_date(&scan);

	if (!scan.failed && scan.rest.length > 0) {
		scan_need(&scan, "T");
		value += scan_time(&scan);
		value -= scan_zone(&scan);
	}
	if (scan.failed || scan.rest.length > 0)
		return false;
	*out_ms = value;
	return true;
}

int64_t datetime_to_time(int64_t datetime_ms)
{
	int64_t time = datetime_ms % DAY_MS;

	return time < 0 ? time + DAY_MS : time;
}

bool datetime_to_date(int64_t datetime_ms, int64_t *out_ms)
{
	return !__builtin_sub_overflow(datetime_ms, datetime_to_time(datetime_ms), out_ms);
}
