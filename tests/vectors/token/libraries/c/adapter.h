#ifndef ADAPTER_H
#define ADAPTER_H

#include <stdbool.h>
#include <stddef.h>

/* What a C library has to say of a token (../README.md).  Keys as the file has them. */

struct adapter_key {
	const char *algorithm;
	const char *pem;
	const char *jwk;
	long now_utc_s;
};

extern const char adapter_library[]; /* "cjose 0.6.2.1" */
extern const char adapter_asks[];    /* the JSON array of what it was asked for */
/* Whether there is nothing in the library for keys of this algorithm. */
bool adapter_lacks(const char *algorithm);
/* Whether it takes the token.  Runs in a process of its own. */
bool adapter_takes(const char *token, size_t length, const struct adapter_key *key);

#endif
