#ifndef EDGES_CLI_REVIEW_H
#define EDGES_CLI_REVIEW_H

#include "edges/cli/command.h"

/* A report of an access review as a page for people: no script, nothing from elsewhere.
 * bytes: the report as it came, whose digest the page names.  now: how many of its items are in
 * which state by now, NULL: as it says.  .data NULL: no memory. */
struct text cli_review_html(
	struct cli *cli, const struct json *report, const struct json *now, struct text bytes);

#endif
