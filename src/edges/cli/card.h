#ifndef EDGES_CLI_CARD_H
#define EDGES_CLI_CARD_H

#include "edges/cli/command.h"

/* What GET /v1/approvals/ID answered, for a person to decide on; -o json and yaml print it
 * as it came.  False: it was not shown whole, and the user was told. */
bool cli_print_card(struct cli *cli, const struct json *shown) MUST_CHECK;

/* Arguments in lines that no value can forge; for the card, and its tests. */
/* Who, for whom and to what end, of an approval. */
void card_append_who(struct buffer *out, const struct json *approval);
void card_append_arguments(struct buffer *out, const struct json *arguments);

#endif
