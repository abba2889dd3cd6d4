/* Work that is handed from identity to identity (24 of the published list): what a token says
 * of who acts for whom, signed by our own key and yet not so, and exchanges (RFC 8693) that
 * nobody was handed. */
#include <stdlib.h>
#include <string.h>

#include "jwt_doors.h"
#include "support/delegating.h"

enum { CHAIN = 3 };

/* d0 hands on to d1, and d1 to d2. */
struct chain_world {
	struct delegating delegating;
	struct text tokens[CHAIN]; /* of d0, and what d1 and d2 made of the one before */
};

static struct chain_world *chain_start(unsigned exchanges)
{
	struct chain_world *world = calloc(1, sizeof *world);

	must(world != NULL);
	delegating_init(&world->delegating);
	delegating_line_up(&world->delegating, CHAIN);
	world->tokens[0] = delegating_open(&world->delegating, 0, "");
	for (unsigned i = 1; i <= exchanges; i++)
		world->tokens[i] = delegating_exchange(&world->delegating, i, world->tokens[i - 1]);
	must(world->tokens[exchanges].length > 0);
	return world;
}

static void chain_end(struct chain_world *world)
{
	delegating_deinit(&world->delegating);
	free(world);
}

/* ---- what a token says ---- */

#define HANDED(sub, client, more)                                                                  \
	"{\"iss\":\"" ISSUING_ISSUER "\",\"sub\":\"" sub "\",\"client_id\":\"" client              \
	"\",\"aud\":\"" ISSUING_FILES                                                              \
	"\",\"jti\":\"one\",\"task\":\"@task@\",\"epoch\":0,\"scope\":\"call\","                   \
	"\"environment\":\"staging\",\"iat\":@0@,\"exp\":@900@" more "}"
#define ACT1(name) ",\"act\":{\"sub\":\"" name "\"}"
#define ACT2(outer, inner) ",\"act\":{\"sub\":\"" outer "\",\"act\":{\"sub\":\"" inner "\"}}"
#define FOUR "{\"sub\":\"d1\",\"act\":{\"sub\":\"d2\",\"act\":{\"sub\":\"d3\",\"act\":"
#define FIVE_MORE "{\"sub\":\"d4\",\"act\":{\"sub\":\"d5\",\"act\":{\"sub\":\"d6\",\"act\":"

/* About the task of d1, or of d2, which the twin says rightly. */
struct handed_row {
	const char *name;
	const char *expected;
	unsigned of;
	const char *claims;
};

static const struct handed_row rows[] = {
	{"act_left_out", "subject", 1, HANDED("d0", "d1", "")},
	{"act_and_principal_left_out", "subject", 1, HANDED("d1", "d1", "")},
	{"act_of_the_principal", "subject", 1, HANDED("d0", "d0", ACT1("d0"))},
	{"act_of_another", "subject", 1, HANDED("d0", "d2", ACT1("d2"))},
	{"act_of_nobody", "subject", 1, HANDED("d0", "d9", ACT1("d9"))},
	{"act_for_another_principal", "subject", 1, HANDED("d2", "d1", ACT1("d1"))},
	{"act_of_another_than_the_client", "subject", 1, HANDED("d0", "d0", ACT1("d1"))},
	{"act_with_an_actor_invented", "subject", 1, HANDED("d0", "d1", ACT2("d1", "d2"))},
	{"act_in_a_loop", "subject", 1,
		HANDED("d0", "d1",
			",\"act\":{\"sub\":\"d1\",\"act\":{\"sub\":\"d0\",\"act\":{\"sub\":\"d1\"}"
			"}}")},
	{"act_as_text", "claim_type", 1, HANDED("d0", "d1", ",\"act\":\"d1\"")},
	{"act_as_array", "claim_type", 1, HANDED("d0", "d1", ",\"act\":[{\"sub\":\"d1\"}]")},
	{"act_null", "claim_type", 1, HANDED("d0", "d1", ",\"act\":null")},
	{"act_without_sub", "claim_type", 1, HANDED("d0", "d1", ",\"act\":{}")},
	{"act_with_empty_sub", "claim_type", 1, HANDED("d0", "d1", ACT1(""))},
	{"act_with_a_number_as_sub", "claim_type", 1, HANDED("d0", "d1", ",\"act\":{\"sub\":1}")},
	{"act_with_an_issuer", "claim_type", 1,
		HANDED("d0", "d1", ",\"act\":{\"iss\":\"https://evil.example\",\"sub\":\"d1\"}")},
	{"act_twice", "claims_json", 1, HANDED("d0", "d1", ACT1("d1") ACT1("d1"))},
	{"act_nested_too_deep", "claim_type", 1,
		HANDED("d0", "d1",
			",\"act\":" FOUR FIVE_MORE FIVE_MORE "{\"sub\":\"d7\"}}}}}}}}}}")},
	{"act_without_the_one_before", "subject", 2, HANDED("d0", "d2", ACT1("d2"))},
	{"act_in_another_order", "subject", 2, HANDED("d0", "d1", ACT2("d1", "d2"))},
	{"act_of_the_one_before_alone", "subject", 2, HANDED("d0", "d1", ACT1("d1"))},
	{"may_act_as_text", "claim_type", 1, HANDED("d0", "d1", ACT1("d1") ",\"may_act\":\"d2\"")},
	{"may_act_of_two", "claim_type", 1,
		HANDED("d0", "d1", ACT1("d1") ",\"may_act\":[{\"sub\":\"d2\"},{\"sub\":\"d3\"}]")},
	{"may_act_with_an_issuer", "claim_type", 1,
		HANDED("d0", "d1",
			ACT1("d1") ",\"may_act\":{\"iss\":\"https://"
				   "evil.example\",\"sub\":\"d2\"}")},
	{"may_act_at_a_door", "for_exchange", 1,
		HANDED("d0", "d1", ACT1("d1") ",\"may_act\":{\"sub\":\"d2\"}")},
};

static const char *answer_to_row(struct issuing *unused, const void *what, bool is_twin)
{
	const struct handed_row *row = what;
	const char *right = row->of == 1 ? HANDED("d0", "d1", ACT1("d1"))
					 : HANDED("d0", "d2", ACT2("d2", "d1"));
	struct chain_world *world = chain_start(row->of);
	struct issuing *issuing = &world->delegating.issuing;
	struct text token = door_token(issuing, issuing->token_key,
		"{\"alg\":\"ES256\",\"kid\":\"@ours@\",\"typ\":\"at+jwt\"}",
		is_twin ? right : row->claims);
	const char *said = token_reason_word(delegating_ask(&world->delegating, token));

	(void)unused;
	chain_end(world);
	return said;
}

/* ---- exchanges ---- */

static const char *said_of(struct chain_world *world, struct text token)
{
	return token.length > 0 ? token_reason_word(TOKEN_ACCEPTED)
				: issue_refusal_word(world->delegating.issuing.refusal);
}

/* What is done before d1 exchanges the token of d0. */
enum before {
	BEFORE_NO_LINE,
	BEFORE_LINE_THE_OTHER_WAY,
	BEFORE_KILL,
	BEFORE_KILL_OF_THE_FIRST,
	BEFORE_SUSPENDED_FIRST,
	BEFORE_SUSPENDED_CLIENT,
	BEFORE_LATER,
	BEFORE_LINE_TO_ANOTHER,
};

static void happen(struct chain_world *world, enum before before)
{
	struct delegating *delegating = &world->delegating;
	struct governed *governed = &delegating->issuing.governed;

	switch (before) {
	case BEFORE_NO_LINE: delegating_peers(delegating, 0, ""); return;
	case BEFORE_LINE_THE_OTHER_WAY:
		delegating_peers(delegating, 0, "");
		delegating_peers(delegating, 1, PEER_LINE("d0", 1));
		return;
	case BEFORE_KILL:
		issuing_kill(&delegating->issuing, NULL, delegating->issuing.task);
		return;
	case BEFORE_KILL_OF_THE_FIRST:
		issuing_kill(&delegating->issuing, "d0", (struct text){0});
		return;
	case BEFORE_SUSPENDED_FIRST:
		must(governed_step(governed, "bo", REGISTRAR_SUSPEND, "d0"));
		return;
	case BEFORE_SUSPENDED_CLIENT:
		must(governed_step(governed, "bo", REGISTRAR_SUSPEND, "d1"));
		return;
	case BEFORE_LATER: issuing_pass(&delegating->issuing, 3600); return;
	case BEFORE_LINE_TO_ANOTHER: delegating_peers(delegating, 0, PEER_LINE("d2", 1)); return;
	}
}

static const char *exchange_after(struct issuing *unused, const void *what, bool is_twin)
{
	const enum before *before = what;
	struct chain_world *world = chain_start(0);
	const char *said;

	(void)unused;
	if (!is_twin)
		happen(world, *before);
	said = said_of(world, delegating_exchange(&world->delegating, 1, world->tokens[0]));
	chain_end(world);
	return said;
}

static const char *exchange_by_another_than_named(
	struct issuing *unused, const void *what, bool is_twin)
{
	struct chain_world *world = chain_start(0);
	struct text token;
	const char *said;

	(void)unused;
	(void)what;
	delegating_peers(&world->delegating, 0, PEER_LINE("d1", 1) ", " PEER_LINE("d2", 0));
	token = delegating_open(&world->delegating, 0, "d2");
	said = said_of(world, delegating_exchange(&world->delegating, is_twin ? 2 : 1, token));
	chain_end(world);
	return said;
}

static const char *exchange_in_a_loop(struct issuing *unused, const void *what, bool is_twin)
{
	struct chain_world *world = chain_start(0);
	struct text second;
	const char *said;

	(void)unused;
	(void)what;
	delegating_peers(&world->delegating, 0, PEER_LINE("d1", 6));
	delegating_peers(&world->delegating, 1, PEER_LINE("d0", 6) ", " PEER_LINE("d2", 6));
	second = delegating_exchange(&world->delegating, 1, world->tokens[0]);
	said = said_of(world, delegating_exchange(&world->delegating, is_twin ? 2 : 0, second));
	chain_end(world);
	return said;
}

static const char *exchange_deeper_than_the_line(
	struct issuing *unused, const void *what, bool is_twin)
{
	struct chain_world *world = chain_start(1);
	const char *said;

	(void)unused;
	(void)what;
	if (!is_twin)
		delegating_peers(&world->delegating, 0, PEER_LINE("d1", 0));
	said = said_of(world, delegating_exchange(&world->delegating, 2, world->tokens[1]));
	chain_end(world);
	return said;
}

/* What d1 brings instead of the token that it was handed. */
enum brought { BROUGHT_ASSERTION, BROUGHT_OWN_SIGNATURE, BROUGHT_OTHER_ACTOR };

static void set_actor(struct issue_request *request, const void *context)
{
	const struct text *token = context;

	request->exchange.actor_token = *token;
	request->exchange.actor_token_type = TEXT(TOKEN_TYPE_ACCESS);
}

static struct text brought_by(struct chain_world *world, enum brought brought, bool is_twin)
{
	struct delegating *delegating = &world->delegating;
	struct issuing *issuing = &delegating->issuing;
	struct text actor;

	if (brought == BROUGHT_OTHER_ACTOR) {
		actor = delegating_open(delegating, is_twin ? 1 : 2, "");
		return delegating_exchange_as(delegating, 1, world->tokens[0], set_actor, &actor);
	}
	if (is_twin)
		return delegating_exchange(delegating, 1, world->tokens[0]);
	if (brought == BROUGHT_ASSERTION)
		return delegating_exchange(
			delegating, 1, issuing_assertion_of(issuing, "d0", delegating->keys[0]));
	return delegating_exchange(delegating, 1,
		door_token(issuing, delegating->keys[1],
			"{\"alg\":\"ES256\",\"kid\":\"@ours@\",\"typ\":\"at+jwt\"}",
			HANDED("d0", "d0", "")));
}

static const char *exchange_of_what_is_brought(
	struct issuing *unused, const void *what, bool is_twin)
{
	const enum brought *brought = what;
	struct chain_world *world = chain_start(0);
	const char *said = said_of(world, brought_by(world, *brought, is_twin));

	(void)unused;
	chain_end(world);
	return said;
}

/* ---- all of them ---- */

static const enum before befores[] = {BEFORE_NO_LINE, BEFORE_LINE_THE_OTHER_WAY, BEFORE_KILL,
	BEFORE_KILL_OF_THE_FIRST, BEFORE_SUSPENDED_FIRST, BEFORE_SUSPENDED_CLIENT, BEFORE_LATER,
	BEFORE_LINE_TO_ANOTHER};
static const enum brought broughts[] = {
	BROUGHT_ASSERTION, BROUGHT_OWN_SIGNATURE, BROUGHT_OTHER_ACTOR};

static const struct door_case exchanges[] = {
	{"24", "exchange_without_a_line", "delegation", exchange_after, &befores[0]},
	{"24", "exchange_against_the_line", "delegation", exchange_after, &befores[1]},
	{"24", "exchange_for_a_killed_task", "subject_token", exchange_after, &befores[2]},
	{"24", "exchange_for_a_killed_identity", "subject_token", exchange_after, &befores[3]},
	{"24", "exchange_for_a_suspended_identity", "subject_token", exchange_after, &befores[4]},
	{"24", "exchange_by_a_suspended_client", "not_active", exchange_after, &befores[5]},
	{"24", "exchange_after_its_time", "subject_token", exchange_after, &befores[6]},
	{"24", "exchange_of_what_is_anothers", "delegation", exchange_after, &befores[7]},
	{"24", "exchange_by_another_than_may_act_names", "delegation",
		exchange_by_another_than_named, NULL},
	{"24", "exchange_in_a_loop", "chain", exchange_in_a_loop, NULL},
	{"24", "exchange_deeper_than_the_line", "chain", exchange_deeper_than_the_line, NULL},
	{"24", "exchange_of_an_assertion", "subject_token", exchange_of_what_is_brought,
		&broughts[0]},
	{"24", "exchange_of_what_the_client_signed", "subject_token", exchange_of_what_is_brought,
		&broughts[1]},
	{"24", "exchange_with_anothers_actor_token", "actor_token", exchange_of_what_is_brought,
		&broughts[2]},
};

void run_handed(struct tally *tally)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		run_door_case(&(struct door_case){"24", rows[i].name, rows[i].expected,
				      answer_to_row, &rows[i]},
			tally);
	for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++)
		run_door_case(&exchanges[i], tally);
}
