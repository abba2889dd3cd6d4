/* What is secret in a call: seen in the arguments, which is for policies to judge; taken
 * out of whatever goes to the agent, or that is blocked. */

#include "services/call/exchange.h"

/* Keeps what was found by name: the fingerprints may be others' by the time of the record. */
static void keep(struct exchange *exchange, struct secrets_seen *seen,
	const struct secret_tally *tally, enum secret_place place)
{
	struct detector *detector = exchange->service->ports.detector;
	const struct secret_scene scene = {.place = place,
		.identity = exchange->call.identity,
		.task = exchange->call.task,
		.tool = exchange->call.tool};

	seen->count += tally->count;
	for (uint32_t i = 0; i < tally->own_count && seen->fingerprints_count < SECRET_SEEN_MAX;
		i++) {
		char id[DETECTOR_ID_BYTES];
		struct text kept;

		detector_id(detector, tally->own[i], id);
		kept = text_copy(exchange->arena, text_of(id));
		if (kept.data != NULL)
			seen->fingerprints[seen->fingerprints_count++] = kept;
	}
	detector_report(detector, tally, &scene);
}

/* Names are recorded as they are, so one of ours may not stand in them. */
static bool look_at_names(struct exchange *exchange, struct error *err)
{
	struct detector *detector = exchange->service->ports.detector;
	const struct json names[] = {
		json_string(exchange->call.tool), json_string(exchange->call.method)};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct secret_tally tally = {0};

		detector_count(detector, &names[i], &tally);
		if (secret_tally_has(&tally, SECRET_OWN))
			return error_set(err, ERROR_INVALID,
				"the name of the tool or method holds a secret");
	}
	return true;
}

bool exchange_look(struct exchange *exchange, struct error *err)
{
	struct detector *detector = exchange->service->ports.detector;
	struct secret_tally tally = {0};

	if (detector == NULL)
		return true;
	if (!look_at_names(exchange, err))
		return false;
	/* Of a request to a model the whole body is looked at: its prompts. */
	detector_count(detector,
		exchange->generation != NULL ? &exchange->call.params : &exchange->call.arguments,
		&tally);
	exchange->call.secrets = tally.kinds;
	if (tally.count != 0)
		keep(exchange, &exchange->sent, &tally,
			exchange->asking == NULL ? SECRET_IN_ARGUMENTS : SECRET_IN_RESULT);
	return true;
}

bool exchange_pass(struct exchange *exchange, enum secret_place place, const struct json *from,
	struct json *out)
{
	struct detector *detector = exchange->service->ports.detector;
	struct secret_tally tally = {0};
	enum secret_handling handling;

	*out = *from;
	if (detector == NULL)
		return true;
	handling = detector_pass(detector, exchange->arena, from, &tally, out);
	if (tally.count != 0)
		keep(exchange, &exchange->got, &tally, place);
	return handling != SECRETS_BLOCKED;
}

bool exchange_pass_asked(struct exchange *exchange, const struct json *from, struct json *out)
{
	struct detector *detector = exchange->service->ports.detector;
	struct secret_tally tally = {0};

	*out = *from;
	return detector == NULL ||
	       detector_pass(detector, exchange->arena, from, &tally, out) != SECRETS_BLOCKED;
}

unsigned exchange_kinds_left(struct exchange *exchange, const struct json *value)
{
	struct detector *detector = exchange->service->ports.detector;
	struct secret_tally found = {0}, left = {0};
	struct json passed;

	if (detector == NULL ||
		detector_pass(detector, exchange->arena, value, &found, &passed) ==
			SECRETS_BLOCKED ||
		found.kinds == 0)
		return 0; /* what is blocked goes nowhere */
	detector_count(detector, &passed, &left);
	return left.kinds;
}

void exchange_look_at(struct exchange *exchange, struct call *call)
{
	struct detector *detector = exchange->service->ports.detector;
	struct secret_tally tally = {0};

	if (detector != NULL)
		detector_count(detector, &call->arguments, &tally);
	call->secrets = tally.kinds;
}

bool exchange_pass_bytes(struct exchange *exchange, struct text bytes)
{
	struct detector *detector = exchange->service->ports.detector;
	const struct json value = json_string(bytes);
	struct secret_tally tally = {0};

	if (detector == NULL)
		return true;
	detector_count(detector, &value, &tally);
	if (tally.count != 0)
		keep(exchange, &exchange->got, &tally, SECRET_IN_RESULT);
	return !secret_tally_has(&tally, SECRET_OWN);
}

bool exchange_follow(struct exchange *exchange, struct secret_strand *strand, struct text piece,
	struct error *err)
{
	struct secret_tally tally = {0};

	if (!detector_follow(exchange->service->ports.detector, strand, piece, &tally, err))
		return false;
	if (tally.count == 0)
		return true;
	keep(exchange, &exchange->got, &tally, SECRET_IN_RESULT);
	return error_set(err, ERROR_CONFLICT, "a piece completes a secret");
}

struct text exchange_pass_text(struct exchange *exchange, struct text text)
{
	struct detector *detector = exchange->service->ports.detector;
	struct secret_tally tally = {0};
	struct text out;

	if (detector == NULL)
		return text;
	out = detector_pass_text(detector, exchange->arena, text, &tally);
	if (tally.count != 0)
		keep(exchange, &exchange->got, &tally, SECRET_IN_RESULT);
	return out;
}
