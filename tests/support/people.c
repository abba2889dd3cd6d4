#include "support/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/private_key.h"
#include "domain/token/jwk.h"

enum { HEADER_BYTES_MAX = 16 * 1024 };

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "people: %s\n", err->text);
	abort();
}

const struct private_key *people_key(const char *person)
{
	static struct {
		char name[64];
		struct private_key *key;
	} people[PEOPLE_MAX];
	struct error err = {0};

	for (size_t i = 0; i < PEOPLE_MAX; i++) {
		if (people[i].key == NULL) {
			(void)snprintf(people[i].name, sizeof people[i].name, "%s", person);
			must(private_key_generate(&people[i].key, SIGNATURE_ES256, &err), &err);
		}
		if (strcmp(people[i].name, person) == 0)
			return people[i].key;
	}
	abort();
}

struct json people_jwk(struct arena *arena, const char *person)
{
	struct error err = {0};
	struct json jwk;

	must(jwk_format(&jwk, arena, private_key_public(people_key(person)), &err), &err);
	return jwk;
}

struct text people_kid(struct arena *arena, const char *person)
{
	char kid[JWK_THUMBPRINT_BYTES];
	struct error err = {0};

	must(jwk_thumbprint(kid, private_key_public(people_key(person)), &err), &err);
	return text_copy(arena, text_of(kid));
}

void people_enrol(struct registry *registry, const char *const *people, struct arena *arena)
{
	struct error err = {0};

	for (; *people != NULL; people++) {
		const struct person_key key = {.kid = people_kid(arena, *people),
			.jwk = people_jwk(arena, *people),
			.enrolled_utc_ms = 1};

		must(registry_set_key(
			     registry, text_of(*people), &key, registry_revision(registry), &err),
			&err);
	}
}

struct answer_proof people_sign(struct arena *arena, const struct people_answer *answer)
{
	static const char scheme[] = REQUEST_SIGNATURE_SCHEME " ";
	char call[DIGEST_TEXT_BYTES];
	struct answer_proof proof;
	struct buffer header;
	struct error err = {0};
	struct text whole;

	digest_format(call, &answer->call);
	proof.body =
		text_format(arena, "{\"call\":\"%s\",\"reason\":\"%s\"}", call, answer->reason);
	buffer_init(&header, HEADER_BYTES_MAX);
	must(request_signature_build(&header, people_key(answer->person), text_of(answer->person),
		     &(struct signed_request){
			     .audience = TEXT(PEOPLE_INSTALLATION),
			     .method = TEXT("POST"),
			     .url = text_format(arena, "http://localhost/v1/approvals/%.*s/%s",
				     TEXT_ARGS(answer->approval), answer_verb_word(answer->verb)),
			     .body = proof.body,
		     },
		     answer->now_utc_ms / 1000, &err),
		&err);
	whole = text_copy(arena, buffer_text(&header));
	buffer_deinit(&header);
	proof.signature =
		(struct text){whole.data + sizeof scheme - 1, whole.length - (sizeof scheme - 1)};
	return proof;
}
