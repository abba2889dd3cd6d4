/* A token is accepted if and only if we issued it, for this audience, and it and
 * its task and its identity still stand.  Random tokens, each with any number of
 * faults, asked twice so that the cache answers too.
 *
 * tokens_test [SEED]; prints the seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "domain/token/access_token.h"
#include "domain/token/jwk.h"
#include "support/issuing.h"

enum { CASES = 3000, TASKS = 4, TEXT_BYTES = 8192 };

struct world {
	struct issuing issuing;
	struct text tasks[TASKS]; /* live, ended, killed, expired before its token */
	struct private_key *stranger;
	uint64_t random;
};

static uint32_t draw(struct world *world, uint32_t below)
{
	world->random = world->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(world->random >> 33) % below;
}

/* True one time in four. */
static bool is_faulty(struct world *world, bool *is_good)
{
	if (draw(world, 4) != 0)
		return false;
	*is_good = false;
	return true;
}

static void open_tasks(struct world *world)
{
	struct issuing *issuing = &world->issuing;
	struct error err = {0};

	for (size_t i = 0; i < TASKS; i++) {
		if (!issuing_open_good(issuing))
			abort();
		world->tasks[i] = issuing->task;
	}
	if (!issue_task_end(issuing->issue, world->tasks[1], TEXT("person:ana"), NULL, NULL, &err))
		abort();
	issuing_kill(issuing, NULL, world->tasks[2]);
	world->tasks[3] = TEXT("t-00000000000000000000");
}

static struct access_token draw_token(struct world *world, bool *is_good)
{
	int64_t now_s = issuing_now_s(&world->issuing);
	struct access_token token = {.issuer = TEXT(ISSUING_ISSUER),
		.identity = TEXT("a1"),
		.audience = TEXT(ISSUING_FILES),
		.id = TEXT("one"),
		.task = world->tasks[0],
		.scope = TEXT("call"),
		.environment = ENVIRONMENT_STAGING,
		.issued_utc_s = now_s - (int64_t)draw(world, 100),
		.expires_utc_s = now_s + 1 + (int64_t)draw(world, 500)};

	if (is_faulty(world, is_good))
		token.issuer = draw(world, 2) ? TEXT("http://127.0.0.1:847") : TEXT("");
	if (is_faulty(world, is_good))
		token.identity = draw(world, 2) ? TEXT("a2") : TEXT("A1");
	if (is_faulty(world, is_good))
		token.audience = draw(world, 2) ? TEXT(ISSUING_ISSUER "/mcp/memory") : TEXT("");
	if (is_faulty(world, is_good))
		token.task = world->tasks[1 + draw(world, TASKS - 1)];
	if (is_faulty(world, is_good))
		token.environment = ENVIRONMENT_PROD;
	if (is_faulty(world, is_good))
		token.expires_utc_s = now_s - (int64_t)draw(world, 1000);
	if (is_faulty(world, is_good))
		token.issued_utc_s = now_s + 61 + (int64_t)draw(world, 1000);
	return token;
}

/* One case; false if the law is broken. */
static bool holds(struct world *world)
{
	struct issuing *issuing = &world->issuing;
	struct arena *arena = arena_create(1024 * 1024);
	const struct private_key *key = issuing->token_key;
	const char *type = ACCESS_TOKEN_TYPE;
	struct error err = {0};
	struct buffer out;
	struct json claims;
	bool is_good = true, is_right = true;
	char kid[JWK_THUMBPRINT_BYTES];
	struct access_token token;

	token = draw_token(world, &is_good);
	if (is_faulty(world, &is_good))
		key = draw(world, 2) ? issuing->a1_key : world->stranger;
	if (is_faulty(world, &is_good))
		type = "JWT";
	buffer_init(&out, TEXT_BYTES);
	if (!jwk_thumbprint(kid, private_key_public(issuing->token_key), &err))
		abort();
	if (is_faulty(world, &is_good))
		kid[draw(world, JWK_THUMBPRINT_BYTES - 1)] ^= 1;
	if (arena == NULL || !access_token_claims(&claims, arena, &token, &err) ||
		!jws_sign(&out, key, type, text_of(kid), &claims, &err))
		abort();
	for (int i = 0; i < 2; i++)
		is_right = is_right &&
			   (issuing_ask(issuing, buffer_text(&out)) == TOKEN_ACCEPTED) == is_good;
	if (!is_right)
		printf("broken: %.*s\n", TEXT_ARGS(buffer_text(&out)));
	buffer_deinit(&out);
	arena_destroy(&arena);
	return is_right;
}

int main(int argc, char **argv)
{
	struct world *world = calloc(1, sizeof *world);
	struct error err = {0};
	int broken = 0;

	if (world == NULL)
		return 1;
	world->random = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
	printf("seed %llu\n", (unsigned long long)world->random);
	issuing_init(&world->issuing);
	if (!private_key_generate(&world->stranger, SIGNATURE_ES256, &err))
		abort();
	open_tasks(world);
	for (int i = 0; i < CASES; i++)
		broken += !holds(world);
	private_key_destroy(&world->stranger);
	issuing_deinit(&world->issuing);
	free(world);
	printf("%d passed, %d failed\n", CASES - broken, broken);
	return broken > 0;
}
