/* Signed cards of peers (A2A 1.0 §8.4) at doors of tokens: our own key signed them, and they open
 * nothing, whatever they say.  What the signer signs as a card is held by its unit test. */
#include "jwt_doors.h"

#define CARD "\"name\":\"a1\",\"supportedInterfaces\":[{\"url\":\"" ISSUING_ISSUER "/a2a/a1\"}]"
#define AS_TOKEN                                                                                   \
	",\"iss\":\"" ISSUING_ISSUER                                                               \
	"\",\"sub\":\"a1\",\"client_id\":\"a1\",\"jti\":\"one\",\"task\":\"@task@\",\"epoch\":0,"  \
	"\"scope\":\"call\",\"environment\":\"staging\",\"iat\":@0@,\"exp\":@60@"

struct card_row {
	const char *name;
	const char *expected;
	enum door door;
	const char *header;
	const char *claims;
};

#define CARD_HEADER "{\"alg\":\"ES256\",\"kid\":\"@ours@\",\"typ\":\"JOSE\"}"
#define TOKEN_HEADER "{\"alg\":\"ES256\",\"kid\":\"@ours@\",\"typ\":\"at+jwt\"}"

static const struct card_row rows[] = {
	{"card_as_access_token", "type", DOOR_ACCESS, CARD_HEADER, "{" CARD "}"},
	{"card_that_says_it_is_an_access_token", "expiry_missing", DOOR_ACCESS, TOKEN_HEADER,
		"{" CARD "}"},
	{"card_with_the_claims_of_an_access_token", "type", DOOR_ACCESS, CARD_HEADER,
		"{" CARD AS_TOKEN ",\"aud\":\"" ISSUING_FILES "\"}"},
	{"card_as_assertion", "type", DOOR_ASSERTION, CARD_HEADER, "{" CARD "}"},
	{"card_with_the_claims_of_an_assertion", "type", DOOR_ASSERTION, CARD_HEADER,
		"{" CARD AS_TOKEN ",\"aud\":\"" ISSUING_ISSUER "\"}"},
	{"card_as_request", "type", DOOR_REQUEST, CARD_HEADER, "{" CARD "}"},
};

static const char *answer_to_card(struct issuing *issuing, const void *what, bool is_twin)
{
	const struct card_row *row = what;

	must(issuing_open_good(issuing));
	issuing_pass(issuing, 100);
	return door_present(issuing, row->door,
		is_twin ? door_good(issuing, row->door)
			: door_token(issuing, issuing->token_key, row->header, row->claims));
}

void run_cards(struct tally *tally)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		run_door_case(&(struct door_case){"9", rows[i].name, rows[i].expected,
				      answer_to_card, &rows[i]},
			tally);
}
