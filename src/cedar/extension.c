/* One table says what each extension function is called, what it takes and what
 * computes it; arity and types are checked against the table alone. */
#include "cedar/extension.h"

#include <inttypes.h>
#include <stdio.h>

enum { ARGUMENTS_MAX = 2, NUMBER_TEXT_BYTES = 32 };

struct call {
	struct cedar_value *out;
	struct arena *arena;
	const struct cedar_value *arguments;
	enum extension_function function;
};

/* Computes; false if the text is malformed or the result does not fit. */
typedef bool compute_fn(const struct call *call);

static void set_integer(const struct call *call, enum cedar_type type, int64_t value)
{
	*call->out = (struct cedar_value){.type = (uint16_t)type, .integer = value};
}

static bool make_decimal(const struct call *call)
{
	int64_t value = 0;

	if (!decimal_parse(cedar_value_text(&call->arguments[0]), &value))
		return false;
	set_integer(call, CEDAR_DECIMAL, value);
	return true;
}

static bool make_datetime(const struct call *call)
{
	int64_t value = 0;

	if (!datetime_parse(cedar_value_text(&call->arguments[0]), &value))
		return false;
	set_integer(call, CEDAR_DATETIME, value);
	return true;
}

static bool make_duration(const struct call *call)
{
	int64_t value = 0;

	if (!duration_parse(cedar_value_text(&call->arguments[0]), &value))
		return false;
	set_integer(call, CEDAR_DURATION, value);
	return true;
}

/* NONE in *out says that the arena was full. */
static bool make_ip(const struct call *call)
{
	struct cedar_ip parsed, *ip;

	if (!ip_parse(cedar_value_text(&call->arguments[0]), &parsed))
		return false;
	ip = arena_new(call->arena, struct cedar_ip);
	*call->out = (struct cedar_value){.type = CEDAR_NONE};
	if (ip == NULL)
		return true;
	*ip = parsed;
	*call->out = (struct cedar_value){.type = CEDAR_IPADDR, .ip = ip};
	return true;
}

static bool compare_decimals(const struct call *call)
{
	int64_t a = call->arguments[0].integer, b = call->arguments[1].integer;
	bool holds = false;

	if (call->function == EXTENSION_LESS_THAN)
		holds = a < b;
	else if (call->function == EXTENSION_LESS_THAN_OR_EQUAL)
		holds = a <= b;
	else if (call->function == EXTENSION_GREATER_THAN)
		holds = a > b;
	else
		holds = a >= b;
	*call->out = cedar_value_bool(holds);
	return true;
}

static bool test_ip(const struct call *call)
{
	const struct cedar_ip *ip = call->arguments[0].ip;
	bool holds = false;

	if (call->function == EXTENSION_IS_IPV4)
		holds = !ip->is_v6;
	else if (call->function == EXTENSION_IS_IPV6)
		holds = ip->is_v6;
	else if (call->function == EXTENSION_IS_LOOPBACK)
		holds = ip_is_loopback(ip);
	else if (call->function == EXTENSION_IS_MULTICAST)
		holds = ip_is_multicast(ip);
	else
		holds = ip_is_in_range(ip, call->arguments[1].ip);
	*call->out = cedar_value_bool(holds);
	return true;
}

static bool add_duration(const struct call *call)
{
	int64_t sum;

	if (__builtin_add_overflow(call->arguments[0].integer, call->arguments[1].integer, &sum))
		return false;
	set_integer(call, CEDAR_DATETIME, sum);
	return true;
}

static bool subtract_datetimes(const struct call *call)
{
	int64_t difference;

	if (__builtin_sub_overflow(
		    call->arguments[0].integer, call->arguments[1].integer, &difference))
		return false;
	set_integer(call, CEDAR_DURATION, difference);
	return true;
}

static bool take_date(const struct call *call)
{
	int64_t date = 0;

	if (!datetime_to_date(call->arguments[0].integer, &date))
		return false;
	set_integer(call, CEDAR_DATETIME, date);
	return true;
}

static bool take_time(const struct call *call)
{
	set_integer(call, CEDAR_DURATION, datetime_to_time(call->arguments[0].integer));
	return true;
}

/* Towards zero, as C divides. */
static bool count_units(const struct call *call)
{
	static const int64_t unit_ms[] = {1, 1000, 60000, 3600000, 86400000};
	size_t unit = (size_t)(call->function - EXTENSION_TO_MILLISECONDS);

	*call->out = cedar_value_long(call->arguments[0].integer / unit_ms[unit]);
	return true;
}

/* clang-format off */
static const struct {
	const char *name;
	uint32_t arity;
	enum cedar_type types[ARGUMENTS_MAX];
	compute_fn *compute;
} table[EXTENSION_COUNT] = {
	[EXTENSION_DECIMAL] = {"decimal", 1, {CEDAR_STRING}, make_decimal},
	[EXTENSION_IP] = {"ip", 1, {CEDAR_STRING}, make_ip},
	[EXTENSION_DATETIME] = {"datetime", 1, {CEDAR_STRING}, make_datetime},
	[EXTENSION_DURATION] = {"duration", 1, {CEDAR_STRING}, make_duration},
	[EXTENSION_LESS_THAN] = {"lessThan", 2, {CEDAR_DECIMAL, CEDAR_DECIMAL}, compare_decimals},
	[EXTENSION_LESS_THAN_OR_EQUAL] =
		{"lessThanOrEqual", 2, {CEDAR_DECIMAL, CEDAR_DECIMAL}, compare_decimals},
	[EXTENSION_GREATER_THAN] =
		{"greaterThan", 2, {CEDAR_DECIMAL, CEDAR_DECIMAL}, compare_decimals},
	[EXTENSION_GREATER_THAN_OR_EQUAL] =
		{"greaterThanOrEqual", 2, {CEDAR_DECIMAL, CEDAR_DECIMAL}, compare_decimals},
	[EXTENSION_IS_IPV4] = {"isIpv4", 1, {CEDAR_IPADDR}, test_ip},
	[EXTENSION_IS_IPV6] = {"isIpv6", 1, {CEDAR_IPADDR}, test_ip},
	[EXTENSION_IS_LOOPBACK] = {"isLoopback", 1, {CEDAR_IPADDR}, test_ip},
	[EXTENSION_IS_MULTICAST] = {"isMulticast", 1, {CEDAR_IPADDR}, test_ip},
	[EXTENSION_IS_IN_RANGE] = {"isInRange", 2, {CEDAR_IPADDR, CEDAR_IPADDR}, test_ip},
	[EXTENSION_OFFSET] = {"offset", 2, {CEDAR_DATETIME, CEDAR_DURATION}, add_duration},
	[EXTENSION_DURATION_SINCE] =
		{"durationSince", 2, {CEDAR_DATETIME, CEDAR_DATETIME}, subtract_datetimes},
	[EXTENSION_TO_DATE] = {"toDate", 1, {CEDAR_DATETIME}, take_date},
	[EXTENSION_TO_TIME] = {"toTime", 1, {CEDAR_DATETIME}, take_time},
	[EXTENSION_TO_MILLISECONDS] = {"toMilliseconds", 1, {CEDAR_DURATION}, count_units},
	[EXTENSION_TO_SECONDS] = {"toSeconds", 1, {CEDAR_DURATION}, count_units},
	[EXTENSION_TO_MINUTES] = {"toMinutes", 1, {CEDAR_DURATION}, count_units},
	[EXTENSION_TO_HOURS] = {"toHours", 1, {CEDAR_DURATION}, count_units},
	[EXTENSION_TO_DAYS] = {"toDays", 1, {CEDAR_DURATION}, count_units},
};
/* clang-format on */

enum extension_function extension_find(struct cedar_text name)
{
	for (int i = EXTENSION_NONE + 1; i < EXTENSION_COUNT; i++) {
		if (cedar_text_is(name, table[i].name))
			return (enum extension_function)i;
	}
	return EXTENSION_NONE;
}

const char *extension_name(enum extension_function function)
{
	return table[function].name;
}

bool extension_is_method(enum extension_function function)
{
	return function > EXTENSION_DURATION;
}

static bool check_arguments(enum extension_function function, const struct cedar_value *arguments,
	uint32_t count, struct cedar_error *err)
{
	if (count != table[function].arity)
		return cedar_fail(err, CEDAR_ERROR_EVALUATION, "%s takes %u arguments, not %u",
			table[function].name, table[function].arity, count);
	for (uint32_t i = 0; i < count; i++) {
		if (arguments[i].type != table[function].types[i])
			return cedar_fail(err, CEDAR_ERROR_EVALUATION, "%s takes a %s, not a %s",
				table[function].name, cedar_type_name(table[function].types[i]),
				cedar_type_name(arguments[i].type));
	}
	return true;
}

bool extension_call(struct cedar_value *out, struct arena *arena, enum extension_function function,
	const struct cedar_value *arguments, uint32_t count, struct cedar_error *err)
{
	struct call call = {out, arena, arguments, function};

	if (!check_arguments(function, arguments, count, err))
		return false;
	if (!table[function].compute(&call))
		return cedar_fail(err, CEDAR_ERROR_EVALUATION,
			extension_is_method(function) ? "%s overflows" : "%s cannot read its text",
			table[function].name);
	return call.out->type != CEDAR_NONE || cedar_fail_memory(err);
}

bool extension_construct(struct cedar_value *out, struct arena *arena,
	enum extension_function constructor, struct cedar_text argument, struct cedar_error *err)
{
	struct cedar_value text = cedar_value_string(argument), made;

	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (!extension_call(&made, arena, constructor, &text, 1, err)) {
		if (err->code == CEDAR_ERROR_EVALUATION)
			err->code = CEDAR_ERROR_INVALID;
		return false;
	}
	*out = made;
	return true;
}

static void write_decimal(struct cedar_writer *writer, int64_t value)
{
	char text[NUMBER_TEXT_BYTES];
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	(void)snprintf(text, sizeof text, "%s%" PRIu64 ".%04" PRIu64, value < 0 ? "-" : "",
		size / 10000, size % 10000);
	cedar_write_string(writer, text);
}

/* A datetime is written as an offset from the epoch: years beyond 9999 have no
 * other spelling. */
void extension_write(struct cedar_writer *writer, const struct cedar_value *value)
{
	switch (value->type) {
	case CEDAR_DECIMAL:
		cedar_write_string(writer, "decimal(\"");
		write_decimal(writer, value->integer);
		cedar_write_string(writer, "\")");
		break;
	case CEDAR_DATETIME:
		cedar_write_string(writer, "datetime(\"1970-01-01\").offset(duration(\"");
		cedar_write_int64(writer, value->integer);
		cedar_write_string(writer, "ms\"))");
		break;
	case CEDAR_DURATION:
		cedar_write_string(writer, "duration(\"");
		cedar_write_int64(writer, value->integer);
		cedar_write_string(writer, "ms\")");
		break;
	default:
		cedar_write_string(writer, "ip(\"");
		ip_write(writer, value->ip);
		cedar_write_string(writer, "\")");
		break;
	}
}
