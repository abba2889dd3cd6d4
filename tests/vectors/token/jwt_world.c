/* Fresh keys, a verifier that trusts them, and tokens made with them. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "jwt_cases.h"

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024, TIME_DIGITS = 10, LIFETIME_MAX_S = 3600 };

static struct public_key *copy_of(const struct public_key *key)
{
	struct public_key_numbers numbers;
	struct public_key *copy = NULL;
	struct error err = {0};

	public_key_numbers(key, &numbers);
	if (public_key_algorithm(key) == SIGNATURE_ED25519)
		must(public_key_from_ed25519(&copy, (const uint8_t *)numbers.x.data, &err));
	else
		must(public_key_from_ec(&copy, SIGNATURE_ES256, numbers.x, numbers.y, &err));
	return copy;
}

static void make_keys(struct world *world)
{
	struct key_set *keys = &world->verifier.keys;
	struct error err = {0};

	must(private_key_generate(&world->key, SIGNATURE_ES256, &err));
	must(private_key_generate(&world->other, SIGNATURE_ES256, &err));
	must(private_key_generate(&world->edwards, SIGNATURE_ED25519, &err));
	world->rsa = test_key_create(TEST_KEY_RSA);
	world->p384 = test_key_create(TEST_KEY_P384);
	world->stranger = test_key_create(TEST_KEY_P256);
	must(key_set_add(keys, TEXT("k1"), copy_of(private_key_public(world->key)), &err));
	must(key_set_add(keys, TEXT("k9"), copy_of(private_key_public(world->other)), &err));
	must(key_set_add(keys, TEXT("ed"), copy_of(private_key_public(world->edwards)), &err));
	must(key_set_add(keys, TEXT("rs"), test_key_public(world->rsa, SIGNATURE_RS256), &err));
	must(key_set_add(keys, TEXT("ps"), test_key_public(world->rsa, SIGNATURE_PS256), &err));
	must(key_set_add(keys, TEXT("p384"), test_key_public(world->p384, SIGNATURE_ES384), &err));
	world->verifier.sole = key_set_find(keys, TEXT("k1"));
}

void make_world(struct world *world, struct tally *tally, int64_t now_utc_s)
{
	static const char *const types[] = {"JWT", NULL};

	*world = (struct world){.tally = tally, .arena = arena_create(ARENA_BYTES_MAX)};
	must(world->arena != NULL);
	world->now_utc_s = now_utc_s == 0 ? ROWS_NOW_S : now_utc_s;
	make_keys(world);
	world->verifier.header = (struct jws_rules){.types = types, .type_need = JWS_TYPE_OPTIONAL};
	world->verifier.claims = (struct claims_rules){.now_utc_s = world->now_utc_s,
		.skew_s = TOKEN_SKEW_S,
		.lifetime_max_s = LIFETIME_MAX_S,
		.issuer = TEXT("https://issuer.example"),
		.subject = TEXT("agent:1"),
		.audience = TEXT("https://aud.example"),
		.id_need = CLAIM_PRESENT};
}

void free_world(struct world *world)
{
	key_set_deinit(&world->verifier.keys);
	private_key_destroy(&world->key);
	private_key_destroy(&world->other);
	private_key_destroy(&world->edwards);
	test_key_destroy(&world->rsa);
	test_key_destroy(&world->p384);
	test_key_destroy(&world->stranger);
	arena_destroy(&world->arena);
}

/* ---- tokens ---- */

static bool is_row_time(const char *at, size_t left)
{
	return left >= TIME_DIGITS && memcmp(at, "17934", 5) == 0 &&
	       strspn(at, "0123456789") >= TIME_DIGITS;
}

/* The text with the tables' ten-digit times moved to the world's moment. */
static struct text moved(struct world *world, struct text text)
{
	int64_t by_s = world->now_utc_s - ROWS_NOW_S;
	struct buffer out;
	struct text made;

	buffer_init(&out, BIG_BYTES_MAX);
	for (size_t i = 0; i < text.length; i++) {
		if (by_s == 0 || !is_row_time(text.data + i, text.length - i)) {
			buffer_append_byte(&out, text.data[i]);
			continue;
		}
		buffer_append_format(&out, "%lld",
			strtoll(text_format(world->arena, "%.10s", text.data + i).data, NULL, 10) +
				(long long)by_s);
		i += TIME_DIGITS - 1;
	}
	made = text_copy(world->arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static struct text part_of(struct world *world, struct text bytes)
{
	return base64url_text(world->arena, bytes.data, bytes.length);
}

struct text signing_input(struct world *world, struct text header, struct text claims)
{
	struct text h = part_of(world, header.length == 0 ? TEXT(HEADER) : header);
	struct text c = part_of(world, moved(world, claims.length == 0 ? TEXT(CLAIMS) : claims));

	return text_format(world->arena, "%.*s.%.*s", TEXT_ARGS(h), TEXT_ARGS(c));
}

struct text joined(struct world *world, struct text input, const uint8_t *sig, size_t size)
{
	struct text s = base64url_text(world->arena, sig, size);

	return text_format(world->arena, "%.*s.%.*s", TEXT_ARGS(input), TEXT_ARGS(s));
}

struct text signed_token(
	struct world *world, const struct private_key *key, struct text header, struct text claims)
{
	struct text input = signing_input(world, header, claims);
	uint8_t signature[SIGNATURE_BYTES_MAX];
	struct error err = {0};
	size_t size = 0;

	must(private_key_sign(key, input, signature, &size, &err));
	return joined(world, input, signature, size);
}

struct text good_token(struct world *world)
{
	return signed_token(world, world->key, TEXT(""), TEXT(""));
}

struct text repeated(
	struct world *world, const char *start, const char *unit, int count, const char *end)
{
	struct buffer out;
	struct text made;

	buffer_init(&out, BIG_BYTES_MAX);
	buffer_append_string(&out, start);
	for (int i = 0; i < count; i++)
		buffer_append_string(&out, unit);
	buffer_append_string(&out, end);
	made = text_copy(world->arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

void check(struct world *world, const struct jwt_case *test)
{
	run_case(&world->verifier, test, world->tally);
}
