#ifndef TESTS_SUPPORT_FAKE_KEYS_H
#define TESTS_SUPPORT_FAKE_KEYS_H

#include "services/trust/trust.h"

/* A fetcher of keys that answers when it is told to, and what it is told to. */

enum { FAKE_KEYS_FETCHES_MAX = 64, FAKE_KEYS_PLACE_BYTES = 2048 };

struct fake_keys {
	struct {
		struct trust_fetch *fetch; /* NULL: answered or cancelled */
		char place[FAKE_KEYS_PLACE_BYTES];
		enum issuer_leave private_addresses;
		size_t bytes_max;
		uint32_t deadline_ms;
		bool is_file;
		bool has_ca_file;
	} fetches[FAKE_KEYS_FETCHES_MAX];
	unsigned count; /* started, in order */
	unsigned cancelled;
	bool refuses; /* to start any */
};

struct trust_fetcher fake_keys_port(struct fake_keys *keys);
/* Answers the fetch of that number (from 0). */
void fake_keys_answer(struct fake_keys *keys, unsigned number, struct text body, int64_t fresh_s);
void fake_keys_fail(struct fake_keys *keys, unsigned number, const char *why);
/* Started and not over. */
unsigned fake_keys_open(const struct fake_keys *keys);

#endif
