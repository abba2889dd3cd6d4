#ifndef CEDAR_EXTENSION_H
#define CEDAR_EXTENSION_H

#include "cedar/value.h"

/* The four extension types: decimal, ipaddr, datetime and duration. */

enum extension_function {
	EXTENSION_NONE = 0,
	/* constructors: called as functions with one string */
	EXTENSION_DECIMAL,
	EXTENSION_IP,
	EXTENSION_DATETIME,
	EXTENSION_DURATION,
	/* methods: the receiver is the first argument */
	EXTENSION_LESS_THAN,
	EXTENSION_LESS_THAN_OR_EQUAL,
	EXTENSION_GREATER_THAN,
	EXTENSION_GREATER_THAN_OR_EQUAL,
	EXTENSION_IS_IPV4,
	EXTENSION_IS_IPV6,
	EXTENSION_IS_LOOPBACK,
	EXTENSION_IS_MULTICAST,
	EXTENSION_IS_IN_RANGE,
	EXTENSION_OFFSET,
	EXTENSION_DURATION_SINCE,
	EXTENSION_TO_DATE,
	EXTENSION_TO_TIME,
	EXTENSION_TO_MILLISECONDS,
	EXTENSION_TO_SECONDS,
	EXTENSION_TO_MINUTES,
	EXTENSION_TO_HOURS,
	EXTENSION_TO_DAYS,
	EXTENSION_COUNT,
};

/* EXTENSION_NONE if there is no such function. */
enum extension_function extension_find(struct cedar_text name);
const char *extension_name(enum extension_function function);
bool extension_is_method(enum extension_function function);

/* Calls a function with count evaluated arguments.
 * Errors: EVALUATION (type, arity, format, overflow), LIMIT. */
bool extension_call(struct cedar_value *out, struct arena *arena, enum extension_function function,
	const struct cedar_value *arguments, uint32_t count, struct cedar_error *err) MUST_CHECK;
/* Calls a constructor.  Errors: INVALID, LIMIT. */
bool extension_construct(struct cedar_value *out, struct arena *arena,
	enum extension_function constructor, struct cedar_text argument,
	struct cedar_error *err) MUST_CHECK;
/* As a call of the constructor. */
void extension_write(struct cedar_writer *writer, const struct cedar_value *value);

/* -?digits.digits, 1 to 4 of them after the point, as int64 x 10^-4. */
bool decimal_parse(struct cedar_text text, int64_t *out) MUST_CHECK;
/* -?NdNhNmNsNms in that order, at least one, as milliseconds. */
bool duration_parse(struct cedar_text text, int64_t *out_ms) MUST_CHECK;
/* YYYY-MM-DD, or that with Thh:mm:ss(.SSS)?(Z|[+-]hhmm), as milliseconds since
 * 1970-01-01T00:00:00Z in the proleptic Gregorian calendar. */
bool datetime_parse(struct cedar_text text, int64_t *out_ms) MUST_CHECK;
/* Floor to the day; false on overflow. */
bool datetime_to_date(int64_t datetime_ms, int64_t *out_ms) MUST_CHECK;
int64_t datetime_to_time(int64_t datetime_ms);

enum { IP_TEXT_BYTES_MAX = 43 };
/* IPv4 or IPv6 with an optional /prefix; no leading zeros in IPv4 and prefix,
 * no IPv4 inside IPv6. */
bool ip_parse(struct cedar_text text, struct cedar_ip *out) MUST_CHECK;
bool ip_is_loopback(const struct cedar_ip *ip);
bool ip_is_multicast(const struct cedar_ip *ip);
/* True if every address of ip is in range; false across families. */
bool ip_is_in_range(const struct cedar_ip *ip, const struct cedar_ip *range);
void ip_write(struct cedar_writer *writer, const struct cedar_ip *ip);

#endif
