#ifndef TESTS_SUPPORT_MEMORY_STORE_H
#define TESTS_SUPPORT_MEMORY_STORE_H

#include "services/registry/store.h"

/* The store port in memory: small, slow, and the same as the real ones to
 * everybody who uses it (tests/contract/registry). */

struct memory_store;

struct memory_store *memory_store_create(void);
void memory_store_destroy(struct memory_store **store);
struct store memory_store_port(struct memory_store *store);
/* From now on every call fails. */
void memory_store_break(struct memory_store *store);

#endif
