/* remit identity prove NAME: the digest of the charter's document, of what is enforced of it, and
 * the record of the log that says so.
 *
 * The record is the registry's with the revision of the version in force.  Revisions grow with
 * the log, so it is found by halving: each question is for the first record of the registry behind
 * an index. */
#include <stdio.h>

#include "edges/cli/command.h"

struct search {
	int64_t index; /* -1: none is there */
	int64_t revision;
};

/* The first record of the registry behind the index. */
static bool first_behind(struct cli *cli, int64_t after, struct search *out, int *status)
{
	struct cli_reply reply;
	const struct json *items;

	*out = (struct search){.index = -1};
	if (after < 0 ? !cli_get(cli, &reply, status, "/v1/records?type=registry&limit=1")
		      : !cli_get(cli, &reply, status,
				"/v1/records?type=registry&limit=1&after=%lld", (long long)after))
		return false;
	items = json_find(&reply.json, "items");
	if (items == NULL || items->count == 0)
		return true;
	out->index = json_integer_or(&items->items[0], "index", -1);
	out->revision = json_integer_or(json_find(&items->items[0], "record"), "revision", 0);
	return true;
}

/* Between low (before it) and high (not before it). */
static bool find_record(struct cli *cli, int64_t revision, int64_t *out, int *status)
{
	struct cli_reply head;
	struct search found;
	int64_t low = -1, high;

	*out = -1;
	if (!cli_get(cli, &head, status, "/v1/audit/head"))
		return false;
	high = json_integer_or(&head.json, "size", 0);
	while (low < high) {
		int64_t middle = low + (high - low) / 2;

		if (!first_behind(cli, middle, &found, status))
			return false;
		if (found.index >= 0 && found.revision == revision) {
			*out = found.index;
			return true;
		}
		if (found.index < 0 || found.revision > revision)
			high = middle;
		else
			low = found.index;
	}
	if (!first_behind(cli, -1, &found, status))
		return false;
	if (found.revision == revision)
		*out = found.index;
	return true;
}

static void print_proof(struct cli *cli, const struct json *proof, int64_t record)
{
	struct text equal =
		json_boolean_or(proof, "equal", false)
			? TEXT("equal: what is enforced is what its record says")
			: TEXT("DIFFERENT: what is enforced is not what its record says");

	(void)cli;
	printf("charter   %.*s@%lld\n", TEXT_ARGS(json_text_or(proof, "identity", "")),
		(long long)json_integer_or(proof, "version", 0));
	printf("record    #%lld\n", (long long)record);
	printf("document  %.*s\n", TEXT_ARGS(json_text_or(proof, "document", "")));
	printf("held      %.*s\n", TEXT_ARGS(json_text_or(proof, "held", "")));
	printf("permits   %.*s\n", TEXT_ARGS(json_text_or(proof, "permits", "")));
	printf("enforced  %.*s\n%.*s\n", TEXT_ARGS(json_text_or(proof, "enforced", "")),
		TEXT_ARGS(equal));
}

static bool with_record(struct cli *cli, const struct json *proof, int64_t record, struct json *out)
{
	struct json_builder object;
	struct error err;

	json_object_start(&object, cli->arena);
	for (uint32_t i = 0; i < proof->count; i++)
		json_put_named(&object, proof->members[i].name, proof->members[i].value);
	json_put_integer(&object, "record", record);
	return json_object_seal(&object, out, &err);
}

int command_prove_identity(struct cli *cli)
{
	struct text name = cli_escape(cli, cli->words[0]);
	struct cli_reply reply;
	struct json proof;
	int64_t record, revision;
	int status;

	if (!cli_get(cli, &reply, &status, "/v1/identities/%.*s", TEXT_ARGS(name)))
		return status;
	revision = json_integer_or(&reply.json, "object_revision", 0);
	if (revision == 0) {
		cli_wrong(cli, "nothing of %s is in force", cli->words[0]);
		return EXIT_CONFLICT;
	}
	if (!find_record(cli, revision, &record, &status))
		return status;
	if (record < 0) {
		cli_wrong(cli,
			"no record put that version there: the log has none of revision "
			"%lld",
			(long long)revision);
		return EXIT_REFUSED;
	}
	if (!cli_get(cli, &reply, &status, "/v1/identities/%.*s/proof?record=%lld", TEXT_ARGS(name),
		    (long long)record) ||
		!with_record(cli, &reply.json, record, &proof))
		return status;
	if (cli->output == OUTPUT_TABLE)
		print_proof(cli, &proof, record);
	else
		cli_print(cli, &proof);
	return json_boolean_or(&proof, "equal", false) ? status : EXIT_REFUSED;
}
