#ifndef EDGES_CLI_INVENTORY_FILES_H
#define EDGES_CLI_INVENTORY_FILES_H

#include "domain/inventory/convert.h"
#include "edges/cli/command.h"

enum { CLI_INVENTORY_FILES_MAX = 65536 };

/* The files of one import.  {0} before it is opened. */
struct cli_inventory_files {
	struct arena *arena;
	const char **paths;
	size_t count;
	int64_t oldest_utc_s;                  /* when the oldest file was written */
	struct inventory_collector *collector; /* of a provider's pages; NULL: files of items */
};

/* Files, and folders of them.  Close it whatever comes of it.  Errors: NOT_FOUND, IO, LIMIT. */
bool cli_inventory_open(struct cli_inventory_files *files, const char *const *paths, int count,
	struct error *err) MUST_CHECK;
void cli_inventory_close(struct cli_inventory_files *files);

/* Reads all as pages of the provider; people is a file, or NULL.  Notes live as long as files.
 * Errors: those of inventory_convert and of files. */
bool cli_inventory_convert(struct cli_inventory_files *files, enum inventory_provider provider,
	const char *people, struct inventory_notes *notes, struct error *err) MUST_CHECK;

/* Each item as a line.  Errors: visit's, INVALID (FILE:LINE: why), IO, LIMIT. */
bool cli_inventory_each(struct cli_inventory_files *files,
	bool (*visit)(void *context, struct text line, struct error *err), void *context,
	struct error *err) MUST_CHECK;

#endif
