#include "cedar/extension.h"

#include "support.h"

static bool reads_decimal(const char *text, int64_t expected)
{
	int64_t value = 0;

	return decimal_parse(cedar_text_of(text), &value) && value == expected;
}

static void malformed_decimals_are_refused(void **state)
{
	static const char *const bad[] = {"", "1", "1.", ".1", "-.1", "1.12345", "+1.0", "1.0 ",
		" 1.0", "1.0a", "--1.0", "1.0.0", "922337203685477.5808", "-922337203685477.5809",
		"9999999999999999999.0", "1,0"};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(decimal_parse(cedar_text_of(bad[i]), &value));
}

static void decimals_keep_four_digits(void **state)
{
	(void)state;
	assert_true(reads_decimal("1.5", 15000));
	assert_true(reads_decimal("-0.0001", -1));
	assert_true(reads_decimal("00.1234", 1234));
	assert_true(reads_decimal("922337203685477.5807", INT64_MAX));
	assert_true(reads_decimal("-922337203685477.5808", INT64_MIN));
}

static bool reads_duration(const char *text, int64_t expected_ms)
{
	int64_t value = 0;

	return duration_parse(cedar_text_of(text), &value) && value == expected_ms;
}

static void malformed_durations_are_refused(void **state)
{
	static const char *const bad[] = {"", "-", "1", "d", "1s1m", "1h1d", "1d1d", "1.5s", "+1s",
		"1s ", " 1s", "--1s", "1ms1s", "9223372036854775808ms", "106751991168d",
		"-9223372036854775809ms", "1D"};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(duration_parse(cedar_text_of(bad[i]), &value));
}

static void durations_add_their_units(void **state)
{
	(void)state;
	assert_true(reads_duration("1d2h3m4s5ms", 93784005));
	assert_true(reads_duration("-1m", -60000));
	assert_true(reads_duration("5ms", 5));
	assert_true(reads_duration("1m5ms", 60005));
	assert_true(reads_duration("-9223372036854775808ms", INT64_MIN));
}

static bool reads_datetime(const char *text, int64_t expected_ms)
{
	int64_t value = 0;

	return datetime_parse(cedar_text_of(text), &value) && value == expected_ms;
}

static void malformed_datetimes_are_refused(void **state)
{
	static const char *const bad[] = {"", "2024", "2024-1-01", "2024-13-01", "2024-00-01",
		"2024-02-30", "2023-02-29", "1900-02-29", "2024-04-31", "2024-01-00", "2024-01-01T",
		"2024-01-01T00:00:00", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
		"2024-01-01T00:00:60Z", "2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00.1234Z",
		"2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00+2400", "2024-01-01T00:00:00-0060",
		"2024-01-01 00:00:00Z", "2024-01-01T00:00:00z", "2024-01-01Z", "02024-01-01",
		"-2024-01-01"};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(datetime_parse(cedar_text_of(bad[i]), &value));
}

static void datetimes_count_from_the_epoch(void **state)
{
	(void)state;
	assert_true(reads_datetime("1970-01-01", 0));
	assert_true(reads_datetime("1969-12-31T23:59:59.999Z", -1));
	assert_true(reads_datetime("2000-02-29", 951782400000));
	assert_true(reads_datetime("2024-11-01T00:00:00+0100", 1730415600000));
	assert_true(reads_datetime("0000-01-01", -62167219200000));
	assert_true(reads_datetime("9999-12-31T23:59:59.999Z", 253402300799999));
}

static void days_and_times_round_towards_the_past(void **state)
{
	int64_t date = 0;

	(void)state;
	assert_true(datetime_to_date(-1, &date));
	assert_int_equal(date, -86400000);
	assert_int_equal(datetime_to_time(-1), 86399999);
	assert_true(datetime_to_date(-86400000, &date));
	assert_int_equal(date, -86400000);
	assert_int_equal(datetime_to_time(86400001), 1);
	assert_false(datetime_to_date(INT64_MIN, &date));
	assert_true(datetime_to_date(INT64_MAX, &date));
}

static void malformed_addresses_are_refused(void **state)
{
	static const char *const bad[] = {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
		"1.2.3.4/33", "1.2.3.4/", "1.2.3.4/01", "1.2.3.4/8/8", "1..3.4", " 1.2.3.4",
		":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::12345", "::g", "::/129",
		"::/0128", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8::", "1:", ":1", "::1/-1", "localhost",
		"1.2.3.4 /8"};
	struct cedar_ip ip;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(ip_parse(cedar_text_of(bad[i]), &ip));
}

static void an_address_of_the_greatest_length_is_read_and_a_longer_one_refused(void **state)
{
	static const char longest[] = "2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff/128";
	struct cedar_ip ip;

	(void)state;
	assert_int_equal(strlen(longest), IP_TEXT_BYTES_MAX);
	assert_true(ip_parse(cedar_text_of(longest), &ip));
	assert_true(ip_parse((struct cedar_text){longest, IP_TEXT_BYTES_MAX - 1}, &ip));
	assert_false(ip_parse((struct cedar_text){longest, sizeof longest}, &ip));
}

static void ranges_hold_what_their_prefix_covers(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_value(&world, "ip(\"10.1.2.3\").isInRange(ip(\"10.0.0.0/8\"))", "true");
	assert_value(&world, "ip(\"10.0.0.0/8\").isInRange(ip(\"10.1.2.3\"))", "false");
	assert_value(&world, "ip(\"10.0.0.0/8\").isInRange(ip(\"10.0.0.0/16\"))", "false");
	assert_value(&world, "ip(\"10.0.0.0/16\").isInRange(ip(\"10.0.0.0/8\"))", "true");
	assert_value(&world, "ip(\"11.0.0.0\").isInRange(ip(\"10.0.0.0/7\"))", "true");
	assert_value(&world, "ip(\"1.2.3.4\").isInRange(ip(\"0.0.0.0/0\"))", "true");
	assert_value(&world, "ip(\"1.2.3.4\").isInRange(ip(\"::/0\"))", "false");
	assert_value(&world, "ip(\"1:2:3:4:5:6:7::\").isIpv6()", "true");
	assert_value(&world, "ip(\"::1\").isLoopback() && ip(\"127.9.9.9\").isLoopback()", "true");
	assert_value(&world, "ip(\"::/127\").isLoopback()", "false");
	assert_value(
		&world, "ip(\"224.0.0.1\").isMulticast() && ip(\"ff02::1\").isMulticast()", "true");
	assert_value(&world, "ip(\"::1\")", "ip(\"0:0:0:0:0:0:0:1\")");
	assert_value(&world, "ip(\"1.2.3.4/8\")", "ip(\"1.2.3.4/8\")");
	assert_value(&world, "ip(\"1.2.3.4/8\") == ip(\"1.2.3.5/8\")", "false");
	world_close(&world);
}

static void functions_refuse_what_they_do_not_take(void **state)
{
	static const char *const bad[] = {"decimal(1)", "decimal()", "decimal(\"1.0\", \"2.0\")",
		"decimal(\"x\")", "ip(\"x\")", "datetime(\"x\")", "duration(\"x\")",
		"decimal(\"1.0\").lessThan(1)", "principal.isIpv4()", "ip(\"::1\").isInRange()",
		"datetime(\"2024-01-01\").offset(1)", "duration(\"1s\").toDate()",
		"datetime(\"9999-01-01\").offset(duration(\"9223372036854775807ms\"))",
		"datetime(\"0000-01-01\").durationSince(datetime(\"1970-01-01\").offset("
		"duration(\"9223372036854775807ms\")))"};
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_fails(&world, bad[i]);
	world_close(&world);
}

static void methods_compute_as_the_language_says(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_value(&world, "decimal(\"1.0\").lessThan(decimal(\"1.0001\"))", "true");
	assert_value(&world, "decimal(\"1.0\").greaterThanOrEqual(decimal(\"1.00\"))", "true");
	assert_value(&world, "decimal(\"-0.5\")", "decimal(\"-0.5000\")");
	assert_value(&world, "duration(\"-1s\").toSeconds()", "-1");
	assert_value(&world, "duration(\"-1999ms\").toSeconds()", "-1");
	assert_value(&world, "duration(\"90m\").toHours()", "1");
	assert_value(&world, "duration(\"1d\") > duration(\"23h\")", "true");
	assert_value(&world, "datetime(\"2024-01-01\") < datetime(\"2024-01-02\")", "true");
	assert_value(&world,
		"datetime(\"2024-01-02\").durationSince(datetime(\"2024-01-01\")).toHours()", "24");
	assert_value(&world, "datetime(\"2024-01-01T01:02:03Z\").toTime() == duration(\"1h2m3s\")",
		"true");
	assert_value(&world, "datetime(\"1970-01-01\").offset(duration(\"5ms\"))",
		"datetime(\"1970-01-01\").offset(duration(\"5ms\"))");
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_decimals_are_refused),
		cmocka_unit_test(decimals_keep_four_digits),
		cmocka_unit_test(malformed_durations_are_refused),
		cmocka_unit_test(durations_add_their_units),
		cmocka_unit_test(malformed_datetimes_are_refused),
		cmocka_unit_test(datetimes_count_from_the_epoch),
		cmocka_unit_test(days_and_times_round_towards_the_past),
		cmocka_unit_test(malformed_addresses_are_refused),
		cmocka_unit_test(
			an_address_of_the_greatest_length_is_read_and_a_longer_one_refused),
		cmocka_unit_test(ranges_hold_what_their_prefix_covers),
		cmocka_unit_test(functions_refuse_what_they_do_not_take),
		cmocka_unit_test(methods_compute_as_the_language_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
