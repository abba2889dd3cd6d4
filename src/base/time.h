#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/text.h"

/* Readings of the two clocks, as a port: edges/clock fills it from the system,
 * tests from variables.  Deadlines use the monotonic one.  Safe from any
 * thread. */
struct clock {
	void *context;
	int64_t (*wall_utc_ms)(void *context);  /* since 1970-01-01T00:00:00Z */
	int64_t (*monotonic_ms)(void *context); /* since some fixed moment; never goes back */
};

enum { TIME_TEXT_BYTES = 32 };

/* Years 0001 to 9999, which RFC 3339 can write. */
#define TIME_UTC_MS_MIN (-62135596800000)
#define TIME_UTC_MS_MAX 253402300799999

/* "2026-11-23T18:20:11.204Z", NUL-terminated.  What lies outside the years 1 to
 * 9999 is written as the nearest moment inside. */
void time_format_utc_ms(char out[TIME_TEXT_BYTES], int64_t utc_ms);

/* Reads an RFC 3339 date-time, with any offset and any fraction (cut to
 * milliseconds); T and Z in either case.  Leap seconds (:60) are refused. */
bool time_parse_utc_ms(struct text t, int64_t *out_utc_ms) MUST_CHECK;

/* Reads "2027-06-30" into the first moment of that day, UTC. */
bool time_parse_date_ms(struct text t, int64_t *out_utc_ms) MUST_CHECK;

#endif
