/* Moments and dates as text. */
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void what_is_not_a_moment_is_refused(void **state)
{
	static const char *const bad[] = {"", "2026-11-23", "2026-11-23T18:20:11",
		"2026-11-23 18:20:11Z", "2026-11-23T18:20:11.Z", "2026-11-23T18:20Z",
		"2026-13-23T18:20:11Z", "2026-00-23T18:20:11Z", "2026-02-29T18:20:11Z",
		"2026-11-31T18:20:11Z", "2026-11-00T18:20:11Z", "2026-11-23T24:20:11Z",
		"2026-11-23T18:60:11Z", "2026-11-23T18:20:60Z", "2026-11-23T18:20:11+2400",
		"2026-11-23T18:20:11+24:00", "2026-11-23T18:20:11+01:60", "2026-11-23T18:20:11ZZ",
		"2026-11-23T18:20:11Z ", "0000-11-23T18:20:11Z", "26-11-23T18:20:11Z",
		"+2026-11-23T18:20:11Z", "1900-02-29T00:00:00Z"};
	int64_t utc_ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (time_parse_utc_ms(text_of(bad[i]), &utc_ms))
			fail_msg("accepted %s", bad[i]);
}

static void what_is_not_a_date_is_refused(void **state)
{
	static const char *const bad[] = {"", "2027-6-30", "2027-06-31", "2027-02-29", "2027/06/30",
		"2027-06-30Z", "2027-06-3", "20270630", "2100-02-29"};
	int64_t utc_ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(time_parse_date_ms(text_of(bad[i]), &utc_ms));
	assert_true(time_parse_date_ms(TEXT("2000-02-29"), &utc_ms));
	assert_true(utc_ms == 951782400000);
	assert_true(time_parse_date_ms(TEXT("1969-12-31"), &utc_ms));
	assert_true(utc_ms == -86400000);
}

static void reads(const char *text, int64_t expected_utc_ms)
{
	int64_t utc_ms;

	assert_true(time_parse_utc_ms(text_of(text), &utc_ms));
	assert_true(utc_ms == expected_utc_ms);
}

static void moments_are_read_with_offset_and_fraction(void **state)
{
	(void)state;
	reads("1970-01-01T00:00:00Z", 0);
	reads("1970-01-01t00:00:00.001z", 1);
	reads("1970-01-01T01:00:00+01:00", 0);
	reads("1969-12-31T19:00:00-05:00", 0);
	reads("1985-04-12T23:20:50.52Z", 482196050520);
	reads("1996-12-19T16:39:57-08:00", 851042397000);
	reads("2026-11-23T18:20:11.2049999Z", 1795458011204);
	reads("0001-01-01T00:00:00Z", TIME_UTC_MS_MIN);
	reads("9999-12-31T23:59:59.999Z", TIME_UTC_MS_MAX);
}

static void moments_outside_the_years_are_written_as_the_nearest(void **state)
{
	char text[TIME_TEXT_BYTES];

	(void)state;
	time_format_utc_ms(text, INT64_MAX);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	time_format_utc_ms(text, INT64_MIN);
	assert_string_equal(text, "0001-01-01T00:00:00.000Z");
}

/* Each day of 1600 to 2400 beside the C library's calendar. */
static void the_calendar_is_that_of_the_c_library(void **state)
{
	int64_t days;

	(void)state;
	for (days = -135140; days < 157054; days += 1) {
		time_t seconds = (time_t)days * 86400 + 86399;
		char ours[TIME_TEXT_BYTES];
		char theirs[TIME_TEXT_BYTES];
		struct tm parts;
		int64_t back;

		time_format_utc_ms(ours, (int64_t)seconds * 1000);
		assert_non_null(gmtime_r(&seconds, &parts));
		assert_true(strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S.000Z", &parts) > 0);
		assert_string_equal(ours, theirs);
		assert_true(time_parse_utc_ms(text_of(ours), &back));
		assert_true(back == (int64_t)seconds * 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_a_moment_is_refused),
		cmocka_unit_test(what_is_not_a_date_is_refused),
		cmocka_unit_test(moments_are_read_with_offset_and_fraction),
		cmocka_unit_test(moments_outside_the_years_are_written_as_the_nearest),
		cmocka_unit_test(the_calendar_is_that_of_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
