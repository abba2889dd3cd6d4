#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "edges/sqlite/sqlite_store.h"
#include "store_contract.h"

struct made {
	char folder[64];
	char path[80];
	struct sqlite_store *store;
};

static struct store open_store(struct made *made)
{
	struct error err = {0};

	if (!sqlite_store_open(&made->store, made->path, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		abort();
	}
	return sqlite_store_port(made->store);
}

static struct store make(void **out)
{
	struct made *made = calloc(1, sizeof *made);

	assert(made != NULL);
	(void)snprintf(made->folder, sizeof made->folder, "/tmp/remit-store-XXXXXX");
	if (mkdtemp(made->folder) == NULL)
		abort();
	(void)snprintf(made->path, sizeof made->path, "%s/remit.db", made->folder);
	*out = made;
	return open_store(made);
}

static struct store reopen(void **out)
{
	struct made *made = *out;

	sqlite_store_close(&made->store);
	return open_store(made);
}

static void destroy(void **out)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct made *made = *out;

	sqlite_store_close(&made->store);
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		char name[100];

		(void)snprintf(name, sizeof name, "%s%s", made->path, suffixes[i]);
		(void)unlink(name);
	}
	(void)rmdir(made->folder);
	free(made);
}

int main(void)
{
	const struct store_maker maker = {make, reopen, destroy};

	return store_contract_run("sqlite_store_contract", &maker);
}
