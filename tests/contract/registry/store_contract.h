#ifndef TESTS_CONTRACT_REGISTRY_STORE_CONTRACT_H
#define TESTS_CONTRACT_REGISTRY_STORE_CONTRACT_H

#include "services/registry/store.h"

/* What every store must do.  A program per store says how to make one. */
struct store_maker {
	struct store (*make)(void **made);
	/* Closes and opens it again; a store that is only in memory stays as it is. */
	struct store (*reopen)(void **made);
	void (*destroy)(void **made);
};

/* Runs the suite; 0 if all holds. */
int store_contract_run(const char *name, const struct store_maker *maker);

#endif
