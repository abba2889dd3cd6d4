/* Civil dates by counting days from 0000-03-01: with the year starting in March
 * the leap day is the last day, and months follow one formula. */
#include "base/time.h"

#include <stdio.h>

enum {
	DAY_MS = 86400000,
	DAYS_OF_ERA = 146097, /* 400 years */
	DAYS_TO_1970 = 719468,
	DATE_LETTERS = 10,
};

struct civil {
	int64_t year;
	int64_t month;
	int64_t day;
};

static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static int64_t days_of_civil(const struct civil *date)
{
	int64_t year = date->month <= 2 ? date->year - 1 : date->year;
	int64_t era = floor_div(year, 400);
	int64_t year_of_era = year - era * 400;
	int64_t month_from_march = (date->month + 9) % 12;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + date->day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_OF_ERA + day_of_era - DAYS_TO_1970;
}

static struct civil civil_of_days(int64_t days)
{
	int64_t shifted = days + DAYS_TO_1970;
	int64_t era = floor_div(shifted, DAYS_OF_ERA);
	int64_t day_of_era = shifted - era * DAYS_OF_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				      day_of_era / (DAYS_OF_ERA - 1)) /
			      365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	struct civil date;

	date.day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	date.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	date.year = year_of_era + era * 400 + (date.month <= 2);
	return date;
}

void time_format_utc_ms(char out[TIME_TEXT_BYTES], int64_t utc_ms)
{
	int64_t days;
	int64_t rest_ms;
	struct civil date;

	if (utc_ms < TIME_UTC_MS_MIN)
		utc_ms = TIME_UTC_MS_MIN;
	if (utc_ms > TIME_UTC_MS_MAX)
		utc_ms = TIME_UTC_MS_MAX;
	days = floor_div(utc_ms, DAY_MS);
	rest_ms = utc_ms - days * DAY_MS;
	date = civil_of_days(days);
	(void)snprintf(out, TIME_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		(unsigned)date.year % 10000, (unsigned)date.month % 100, (unsigned)date.day % 100,
		(unsigned)(rest_ms / 3600000) % 100, (unsigned)(rest_ms / 60000 % 60),
		(unsigned)(rest_ms / 1000 % 60), (unsigned)(rest_ms % 1000));
}

/* Takes count digits and moves on. */
static bool take_number(struct text *rest, size_t count, int64_t *out)
{
	size_t i;

	*out = 0;
	if (rest->length < count)
		return false;
	for (i = 0; i < count; i++) {
		if (rest->data[i] < '0' || rest->data[i] > '9')
			return false;
		*out = *out * 10 + (rest->data[i] - '0');
	}
	rest->data += count;
	rest->length -= count;
	return true;
}

static bool take_letter(struct text *rest, char letter)
{
	char lower = (char)(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);

	if (rest->length == 0 || (rest->data[0] != letter && rest->data[0] != lower))
		return false;
	rest->data++;
	rest->length--;
	return true;
}

static bool civil_is_valid(const struct civil *date)
{
	static const int64_t longest[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);

	if (date->year < 1 || date->month < 1 || date->month > 12 || date->day < 1)
		return false;
	return date->day <= longest[date->month - 1] + (is_leap && date->month == 2);
}

static bool take_date(struct text *rest, int64_t *out_days)
{
	struct civil date;

	*out_days = 0;
	if (!take_number(rest, 4, &date.year) || !take_letter(rest, '-') ||
		!take_number(rest, 2, &date.month) || !take_letter(rest, '-') ||
		!take_number(rest, 2, &date.day) || !civil_is_valid(&date))
		return false;
	*out_days = days_of_civil(&date);
	return true;
}

static bool take_clock(struct text *rest, int64_t *out_ms)
{
	int64_t hour;
	int64_t minute;
	int64_t second;

	*out_ms = 0;
	if (!take_number(rest, 2, &hour) || !take_letter(rest, ':') ||
		!take_number(rest, 2, &minute) || !take_letter(rest, ':') ||
		!take_number(rest, 2, &second) || hour > 23 || minute > 59 || second > 59)
		return false;
	*out_ms = (hour * 3600 + minute * 60 + second) * 1000;
	return true;
}

/* ".204" or nothing; digits behind the third are read and dropped. */
static bool take_fraction(struct text *rest, int64_t *out_ms)
{
	int64_t weight = 100;
	int64_t digit;

	*out_ms = 0;
	if (!take_letter(rest, '.'))
		return true;
	if (!take_number(rest, 1, &digit))
		return false;
	do {
		*out_ms += digit * weight;
		weight /= 10;
	} while (take_number(rest, 1, &digit));
	return true;
}

static bool take_offset(struct text *rest, int64_t *out_ms)
{
	int64_t hour;
	int64_t minute;
	bool is_behind;

	*out_ms = 0;
	if (take_letter(rest, 'Z'))
		return true;
	is_behind = take_letter(rest, '-');
	if (!is_behind && !take_letter(rest, '+'))
		return false;
	if (!take_number(rest, 2, &hour) || !take_letter(rest, ':') ||
		!take_number(rest, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*out_ms = (hour * 60 + minute) * 60000;
	if (is_behind)
		*out_ms = -*out_ms;
	return true;
}

bool time_parse_utc_ms(struct text t, int64_t *out_utc_ms)
{
	struct text rest = t;
	int64_t days;
	int64_t clock_ms;
	int64_t fraction_ms;
	int64_t offset_ms;

	*out_utc_ms = 0;
	if (!take_date(&rest, &days) || !take_letter(&rest, 'T') || !take_clock(&rest, &clock_ms) ||
		!take_fraction(&rest, &fraction_ms) || !take_offset(&rest, &offset_ms) ||
		rest.length > 0)
		return false;
	*out_utc_ms = days * DAY_MS + clock_ms + fraction_ms - offset_ms;
	return true;
}

bool time_parse_date_ms(struct text t, int64_t *out_utc_ms)
{
	struct text rest = t;
	int64_t days;

	*out_utc_ms = 0;
	if (t.length != DATE_LETTERS || !take_date(&rest, &days))
		return false;
	*out_utc_ms = days * DAY_MS;
	return true;
}
