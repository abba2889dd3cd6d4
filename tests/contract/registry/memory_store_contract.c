#include "store_contract.h"
#include "support/memory_store.h"

static struct store make(void **made)
{
	*made = memory_store_create();
	return memory_store_port(*made);
}

static struct store reopen(void **made)
{
	return memory_store_port(*made);
}

static void destroy(void **made)
{
	struct memory_store *store = *made;

	memory_store_destroy(&store);
}

int main(void)
{
	const struct store_maker maker = {make, reopen, destroy};

	return store_contract_run("memory_store_contract", &maker);
}
