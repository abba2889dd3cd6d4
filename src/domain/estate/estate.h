#ifndef DOMAIN_ESTATE_ESTATE_H
#define DOMAIN_ESTATE_ESTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

/* A sample organisation to try remit on (docs/estate.md): people, charters, and what
 * connectors see at providers, with things wrong in it, and which these are.  Pure: the same
 * order gives the same bytes. */

enum {
	ESTATE_PEOPLE_MIN = 20,
	ESTATE_PEOPLE_MAX = 10000,
	ESTATE_IDENTITIES_MIN = 100,
	ESTATE_IDENTITIES_MAX = 200000,
	/* Documents of one folder of charters, which is applied at once. */
	ESTATE_FOLDER_DOCUMENTS = 5000,
};

struct estate_order {
	uint32_t people;
	uint32_t identities; /* that are no person: registered, and seen without being registered */
	uint64_t seed;
	int64_t at_utc_s; /* as of when; a multiple of a day reads best */
};

/* Takes the files, piece by piece, one file after the other. */
struct estate_sink {
	void *context;
	/* The next bytes of the file, whose path is relative ("people/1-start.csv").  Errors: the
	 * sink's own. */
	bool (*put)(void *context, const char *file, struct text bytes, struct error *err);
};

/* Errors: INVALID (an order out of bounds), LIMIT, the sink's. */
bool estate_write(const struct estate_order *order, const struct estate_sink *sink,
	struct error *err) MUST_CHECK;

#endif
