#ifndef DOMAIN_INVENTORY_STOP_H
#define DOMAIN_INVENTORY_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/connector.h"

/* What a connector asks of its provider so that an account stops there, or may act again, and how
 * it sees that it is so (docs/inventories.md has the calls and what each leaves).  Pure: whoever
 * has it makes the requests.  A call that the provider refuses does not end it: what counts is
 * what the provider says of the account afterwards. */
struct inventory_stop;

enum {
	STOP_PEOPLE_MAX = 1000, /* whose grant to one app is ended, one call and one look each */
	STOP_LOOKS_MAX = 3000,  /* requests that look, pages included */
	STOP_ARENA_BYTES_MAX = 4 * 1024 * 1024,
};

enum stop_direction { STOP_AWAY = 0, STOP_BACK };

/* What the looks came to.  UNKNOWN is zero. */
enum stop_verdict { STOP_UNKNOWN = 0, STOP_IS_OFF, STOP_IS_ON };

/* Whether the connector's provider has such a call for this account (its id there). */
bool inventory_stop_is_known(
	const struct connector *connector, struct text id, enum stop_direction direction);

/* Texts are borrowed until it returns. */
struct stop_about {
	const struct connector *connector; /* outlives it */
	struct text id;                    /* of the account, without "CONNECTOR/" */
	enum stop_direction direction;
	bool looks_only;           /* nothing is called: how does it stand? */
	const struct text *people; /* who consented, where grants are each person's own */
	size_t people_count;
};
/* Errors: INVALID (no such call, nobody is known to have consented), LIMIT. */
bool inventory_stop_create(
	struct inventory_stop **out, const struct stop_about *about, struct error *err) MUST_CHECK;
void inventory_stop_destroy(struct inventory_stop **stop);

struct stop_request {
	const char *method;
	const char *url;
	struct text body; /* JSON, or nothing: .data NULL */
	bool is_call;     /* it changes something there */
};
/* What is to be asked now; false: all was. */
bool inventory_stop_next(const struct inventory_stop *stop, struct stop_request *out);
/* Takes its answer; page is NULL where it was no JSON.  *out_refused: a call was not taken.
 * Errors: INVALID (a look's answer says nothing), LIMIT. */
bool inventory_stop_take(struct inventory_stop *stop, unsigned status, const struct json *page,
	bool *out_refused, struct error *err) MUST_CHECK;
enum stop_verdict inventory_stop_verdict(const struct inventory_stop *stop);

#endif
