/* The categories that need a key, a signature or a size made for them (1 to 5, 7, 8,
 * 10, 16 and 20 of the published list). */
#include <string.h>

#include "base/digest.h"
#include "domain/token/jwk.h"
#include "jwt_cases.h"

#define RS256_HEADER "{\"alg\":\"RS256\",\"kid\":\"rs\"}"
#define PS256_HEADER "{\"alg\":\"PS256\",\"kid\":\"ps\"}"
#define ED_HEADER "{\"alg\":\"Ed25519\",\"kid\":\"ed\"}"
#define ES384_HEADER "{\"alg\":\"ES384\",\"kid\":\"p384\"}"

enum { P256_HALF = 32, SIGNATURE_ROOM = SIGNATURE_BYTES_MAX + 1 };

/* What several cases have in common: one good token, its parts and its key. */
struct subject {
	const char *group;
	const char *key; /* as in struct jwt_case */
	struct text input;
	struct text twin;
	uint8_t signature[SIGNATURE_ROOM];
	size_t size;
};

static void check_token(struct world *world, const struct subject *subject, const char *name,
	struct text token, enum token_reason reason)
{
	check(world, &(struct jwt_case){.group = subject->group,
			     .name = name,
			     .token = token,
			     .reason = reason,
			     .twin = subject->twin,
			     .key = subject->key});
}

/* The same text under these bytes. */
static void check_bytes(struct world *world, const struct subject *subject, const char *name,
	const uint8_t *bytes, size_t size)
{
	check_token(
		world, subject, name, joined(world, subject->input, bytes, size), TOKEN_SIGNATURE);
}

static struct subject by_private_key(struct world *world, const char *group,
	const struct private_key *key, const char *name, const char *header)
{
	struct subject made = {.group = group, .key = name};
	struct error err = {0};

	made.input = signing_input(world, text_of(header), TEXT(""));
	must(private_key_sign(key, made.input, made.signature, &made.size, &err));
	made.twin = joined(world, made.input, made.signature, made.size);
	return made;
}

/* What a key of the tests signs so is what its name and digest are for. */
struct signer {
	const struct test_key *key;
	const char *name;
	const char *header;
	enum signature_algorithm algorithm;
	const char *digest;
};

static struct subject by_signer(struct world *world, const char *group, const struct signer *signer)
{
	struct subject made = {.group = group, .key = signer->name};

	made.input = signing_input(world, text_of(signer->header), TEXT(""));
	made.size = test_key_sign(
		signer->key, signer->algorithm, signer->digest, made.input, made.signature);
	made.twin = joined(world, made.input, made.signature, made.size);
	return made;
}

/* ---- 1: nothing signed it ---- */

static void run_unsigned(struct world *world)
{
	static const struct {
		const char *name;
		const char *algorithm;
	} rows[] = {{"unsigned_none", "none"}, {"unsigned_None", "None"}, {"unsigned_NONE", "NONE"},
		{"unsigned_nOnE", "nOnE"}, {"unsigned_empty", ""}};
	struct subject subject =
		by_private_key(world, "1", world->key, "k1", "{\"alg\":\"ES256\",\"typ\":\"JWT\"}");

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct text header = text_format(
			world->arena, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", rows[i].algorithm);
		struct text input = signing_input(world, header, TEXT(""));

		check_token(world, &subject, rows[i].name,
			joined(world, input, (const uint8_t *)"", 0), TOKEN_ALGORITHM);
	}
}

/* ---- 3: the public key's bytes as the key of a MAC ---- */

/* Once as what it is, once under the key's own algorithm. */
static void check_mac(
	struct world *world, const struct subject *subject, const char *what, struct text mac_key)
{
	struct text input =
		signing_input(world, TEXT("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), TEXT(""));
	struct sha256 mac = hmac_sha256(
		(const uint8_t *)mac_key.data, mac_key.length, input.data, input.length);

	check_token(world, subject, text_format(world->arena, "hs256_of_%s", what).data,
		joined(world, input, mac.bytes, sizeof mac.bytes), TOKEN_ALGORITHM);
	mac = hmac_sha256((const uint8_t *)mac_key.data, mac_key.length, subject->input.data,
		subject->input.length);
	check_bytes(world, subject, text_format(world->arena, "mac_of_%s_called_es256", what).data,
		mac.bytes, sizeof mac.bytes);
}

static void run_macs(struct world *world)
{
	const struct public_key *key = private_key_public(world->key);
	struct subject subject = by_private_key(world, "3", world->key, "k1", HEADER);
	struct public_key_numbers numbers;
	char bytes[1024];
	struct text pem = public_key_pem(key, bytes);
	struct json jwk;
	struct error err = {0};

	check_mac(world, &subject, "pem", pem);
	check_mac(world, &subject, "pem_without_last_line_feed",
		(struct text){pem.data, pem.length - 1});
	check_mac(world, &subject, "der", public_key_der(key, bytes));
	must(jwk_format(&jwk, world->arena, key, &err));
	check_mac(world, &subject, "jwk", json_canonical_text(world->arena, &jwk));
	public_key_numbers(key, &numbers);
	check_mac(world, &subject, "x", numbers.x);
	check_mac(world, &subject, "nothing", TEXT(""));
}

/* ---- 2 and 4: another algorithm than the key's ---- */

static void run_rsa_algorithms(struct world *world)
{
	const struct signer rs = {world->rsa, "rs", RS256_HEADER, SIGNATURE_RS256, "SHA256"};
	const struct signer ps = {world->rsa, "ps", PS256_HEADER, SIGNATURE_PS256, "SHA256"};
	struct subject good_rs = by_signer(world, "2", &rs), good_ps = by_signer(world, "2", &ps);
	struct signer signer = ps;
	struct subject other;

	check_token(world, &good_rs, "rs256", good_rs.twin, TOKEN_ACCEPTED);
	check_token(world, &good_ps, "ps256", good_ps.twin, TOKEN_ACCEPTED);
	signer.header = "{\"alg\":\"PS256\",\"kid\":\"rs\"}";
	other = by_signer(world, "2", &signer);
	check_token(world, &good_rs, "ps256_under_rs256_key", other.twin, TOKEN_ALGORITHM);
	signer = rs;
	signer.header = "{\"alg\":\"RS256\",\"kid\":\"ps\"}";
	other = by_signer(world, "2", &signer);
	check_token(world, &good_ps, "rs256_under_ps256_key", other.twin, TOKEN_ALGORITHM);
	signer = ps;
	signer.header = RS256_HEADER;
	other = by_signer(world, "2", &signer);
	check_token(world, &good_rs, "ps256_signature_called_rs256", other.twin, TOKEN_SIGNATURE);
	signer = rs;
	signer.header = PS256_HEADER;
	other = by_signer(world, "2", &signer);
	check_token(world, &good_ps, "rs256_signature_called_ps256", other.twin, TOKEN_SIGNATURE);
	signer = rs;
	signer.digest = "SHA512";
	other = by_signer(world, "2", &signer);
	check_token(world, &good_rs, "rs512_signature_called_rs256", other.twin, TOKEN_SIGNATURE);
	signer.digest = "SHA1";
	other = by_signer(world, "2", &signer);
	check_token(world, &good_rs, "rs1_signature_called_rs256", other.twin, TOKEN_SIGNATURE);
}

static void run_curves(struct world *world)
{
	struct signer signer = {world->p384, "p384", ES384_HEADER, SIGNATURE_ES384, "SHA384"};
	struct subject p384 = by_signer(world, "4", &signer);
	struct subject p256 = by_private_key(world, "4", world->key, "k1", HEADER);
	struct subject ed = by_private_key(world, "4", world->edwards, "ed", ED_HEADER);
	struct subject other = by_private_key(
		world, "4", world->edwards, "ed", "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}");

	check_token(world, &p384, "es384", p384.twin, TOKEN_ACCEPTED);
	check_token(world, &ed, "ed25519", ed.twin, TOKEN_ACCEPTED);
	check_token(world, &other, "eddsa_is_the_same", other.twin, TOKEN_ACCEPTED);
	signer.header = "{\"alg\":\"ES256\",\"kid\":\"p384\"}";
	signer.digest = "SHA256";
	other = by_signer(world, "4", &signer);
	check_token(world, &p384, "es256_under_p384_key", other.twin, TOKEN_ALGORITHM);
	signer.header = ES384_HEADER;
	other = by_signer(world, "4", &signer);
	check_token(world, &p384, "es384_over_sha256", other.twin, TOKEN_SIGNATURE);
	other = by_private_key(world, "4", world->key, "k1", "{\"alg\":\"ES384\",\"kid\":\"k1\"}");
	check_token(world, &p256, "es384_under_p256_key", other.twin, TOKEN_ALGORITHM);
	other = by_private_key(
		world, "4", world->edwards, "k1", "{\"alg\":\"EdDSA\",\"kid\":\"k1\"}");
	check_token(world, &p256, "eddsa_under_p256_key", other.twin, TOKEN_ALGORITHM);
	other = by_private_key(
		world, "4", world->edwards, "ed", "{\"alg\":\"Ed448\",\"kid\":\"ed\"}");
	check_token(world, &ed, "ed448_under_ed25519_key", other.twin, TOKEN_ALGORITHM);
}

/* ---- 5: values of a signature ---- */

static void check_halves(struct world *world, const struct subject *subject, const char *name,
	const uint8_t *r, const uint8_t *s)
{
	uint8_t bytes[2 * P256_HALF];

	memcpy(bytes, r, P256_HALF);
	memcpy(bytes + P256_HALF, s, P256_HALF);
	check_bytes(world, subject, name, bytes, sizeof bytes);
}

static void run_ecdsa_values(struct world *world)
{
	static const uint8_t zero[P256_HALF];
	struct subject subject = by_private_key(world, "5", world->key, "k1", HEADER);
	struct subject other;
	const uint8_t *r = subject.signature, *s = subject.signature + P256_HALF;
	uint8_t order[P256_HALF], ones[P256_HALF], one[P256_HALF] = {0}, bytes[128];

	p256_order(order);
	memset(ones, 0xff, sizeof ones);
	one[P256_HALF - 1] = 1;
	check_halves(world, &subject, "r_and_s_zero", zero, zero);
	check_halves(world, &subject, "s_zero", r, zero);
	check_halves(world, &subject, "r_zero", zero, s);
	check_halves(world, &subject, "r_and_s_one", one, one);
	check_halves(world, &subject, "r_is_the_order", order, s);
	check_halves(world, &subject, "s_is_the_order", r, order);
	check_halves(world, &subject, "r_above_order", ones, s);
	check_halves(world, &subject, "s_above_order", r, ones);
	check_halves(world, &subject, "r_and_s_swapped", s, r);
	check_bytes(world, &subject, "der", bytes, der_signature(r, P256_HALF, bytes));
	check_bytes(world, &subject, "one_byte_short", r, 2 * P256_HALF - 1);
	check_bytes(world, &subject, "one_byte_long", r, 2 * P256_HALF + 1);
	check_bytes(world, &subject, "empty", r, 0);
	other = by_private_key(world, "5", world->key, "k1", PLAIN_HEADER);
	check_bytes(world, &subject, "of_another_text", other.signature, other.size);
	other = by_private_key(world, "5", world->other, "k1", HEADER);
	check_bytes(world, &subject, "of_another_key", other.signature, other.size);
	memcpy(bytes, r, 2 * P256_HALF);
	p256_twin(bytes);
	must(memcmp(bytes, r, 2 * P256_HALF) != 0);
	/* Another spelling that is just as valid; 20 shows that it defeats no memory. */
	check_token(world, &subject, "r_and_n_less_s_is_valid",
		joined(world, subject.input, bytes, 2 * P256_HALF), TOKEN_ACCEPTED);
}

static void run_edwards_values(struct world *world)
{
	struct subject subject = by_private_key(world, "5", world->edwards, "ed", ED_HEADER);
	uint8_t bytes[ED25519_SIGNATURE_BYTES] = {0};

	check_bytes(world, &subject, "ed25519_zero", bytes, sizeof bytes);
	/* The neutral point and no scalar: holds for keys of small order only. */
	bytes[0] = 1;
	check_bytes(world, &subject, "ed25519_neutral_point", bytes, sizeof bytes);
	memcpy(bytes, subject.signature, sizeof bytes);
	ed25519_twin(bytes);
	check_bytes(world, &subject, "ed25519_s_above_order", bytes, sizeof bytes);
	check_bytes(world, &subject, "ed25519_short", subject.signature, sizeof bytes - 1);
	check_bytes(world, &subject, "ed25519_long", subject.signature, sizeof bytes + 1);
	check_bytes(world, &subject, "ed25519_empty", subject.signature, 0);
}

static void run_rsa_values(struct world *world)
{
	const struct signer rs = {world->rsa, "rs", RS256_HEADER, SIGNATURE_RS256, "SHA256"};
	struct subject subject = by_signer(world, "5", &rs);
	uint8_t bytes[SIGNATURE_ROOM] = {0};

	check_bytes(world, &subject, "rsa_short", subject.signature, subject.size - 1);
	check_bytes(world, &subject, "rsa_long", subject.signature, subject.size + 1);
	check_bytes(world, &subject, "rsa_empty", bytes, 0);
	check_bytes(world, &subject, "rsa_zero", bytes, subject.size);
	bytes[subject.size - 1] = 1;
	check_bytes(world, &subject, "rsa_one", bytes, subject.size);
	memset(bytes, 0xff, subject.size);
	check_bytes(world, &subject, "rsa_above_modulus", bytes, subject.size);
	memcpy(bytes + 1, subject.signature, subject.size);
	bytes[0] = 0;
	check_bytes(world, &subject, "rsa_with_a_zero_before", bytes, subject.size + 1);
}

/* ---- 7: the token brings its own key ---- */

static void run_brought_keys(struct world *world)
{
	struct signer signer = {world->stranger, "k1", NULL, SIGNATURE_ES256, "SHA256"};
	struct public_key *public = test_key_public(world->stranger, SIGNATURE_ES256);
	struct subject good = by_private_key(world, "7", world->key, "k1", HEADER);
	struct text certificate = test_key_certificate(world->stranger, world->arena);
	struct subject made;
	struct error err = {0};
	struct text jwk_text;
	struct json jwk;

	must(jwk_format(&jwk, world->arena, public, &err));
	jwk_text = json_canonical_text(world->arena, &jwk);
	signer.header =
		text_format(world->arena, "{\"alg\":\"ES256\",\"jwk\":%.*s}", TEXT_ARGS(jwk_text))
			.data;
	made = by_signer(world, "7", &signer);
	check_token(world, &good, "signed_by_the_jwk_in_it", made.twin, TOKEN_HEADER_MEMBER);
	signer.header = text_format(
		world->arena, "{\"alg\":\"ES256\",\"x5c\":[\"%.*s\"]}", TEXT_ARGS(certificate))
				.data;
	made = by_signer(world, "7", &signer);
	check_token(world, &good, "signed_by_the_x5c_in_it", made.twin, TOKEN_HEADER_MEMBER);
	signer.header = HEADER;
	made = by_signer(world, "7", &signer);
	check_token(world, &good, "signed_by_a_stranger_under_our_kid", made.twin, TOKEN_SIGNATURE);
	public_key_destroy(&public);
}

/* ---- 10: other forms of the same signature ---- */

static struct text before_dot(struct text *rest)
{
	ptrdiff_t dot = text_find_byte(*rest, '.');
	struct text part = {rest->data, dot < 0 ? rest->length : (size_t)dot};

	*rest = text_after(*rest, dot < 0 ? rest->length : (size_t)dot + 1);
	return part;
}

static void run_json_forms(struct world *world)
{
	struct subject good = by_private_key(world, "10", world->key, "k1", HEADER);
	struct text rest = good.twin;
	struct text h = before_dot(&rest), c = before_dot(&rest);

	check_token(world, &good, "json_flattened",
		text_format(world->arena,
			"{\"protected\":\"%.*s\",\"payload\":\"%.*s\",\"signature\":\"%.*s\"}",
			TEXT_ARGS(h), TEXT_ARGS(c), TEXT_ARGS(rest)),
		TOKEN_PARTS);
	check_token(world, &good, "json_unprotected_header",
		text_format(world->arena,
			"{\"header\":{\"alg\":\"ES256\"},\"payload\":\"%.*s\",\"signature\":\"%.*"
			"s\""
			"}",
			TEXT_ARGS(c), TEXT_ARGS(rest)),
		TOKEN_PARTS);
	check_token(world, &good, "json_several_signatures",
		text_format(world->arena,
			"{\"payload\":\"%.*s\",\"signatures\":[{\"protected\":\"%.*s\","
			"\"signature\":"
			"\"AAAA\"},{\"protected\":\"%.*s\",\"signature\":\"%.*s\"}]}",
			TEXT_ARGS(c), TEXT_ARGS(h), TEXT_ARGS(h), TEXT_ARGS(rest)),
		TOKEN_PARTS);
	check_token(world, &good, "two_tokens_at_once",
		text_format(world->arena, "%.*s %.*s", TEXT_ARGS(good.twin), TEXT_ARGS(good.twin)),
		TOKEN_PARTS);
	check_token(world, &good, "token_in_a_token",
		signed_token(world, world->key,
			TEXT("{\"alg\":\"ES256\",\"kid\":\"k1\",\"cty\":\"JWT\"}"), good.twin),
		TOKEN_HEADER_MEMBER);
}

/* ---- 8, 16, 20: sizes ---- */

static void check_pair(struct world *world, const char *group, const char *name,
	const struct text claims[2], enum token_reason reason)
{
	check(world, &(struct jwt_case){.group = group,
			     .name = name,
			     .token = signed_token(world, world->key, TEXT(""), claims[0]),
			     .reason = reason,
			     .twin = signed_token(world, world->key, TEXT(""), claims[1])});
}

#define CLAIMS_START "{" ISS SUB AUD JTI IAT EXP
#define X_START CLAIMS_START ",\"x\":"

static struct text deep_claims(struct world *world, int levels)
{
	struct text opened = repeated(world, X_START, "[", levels, "");

	return repeated(world, opened.data, "]", levels, "}");
}

static struct text many_members(struct world *world, int count)
{
	struct buffer out;
	struct text made;

	buffer_init(&out, BIG_BYTES_MAX);
	buffer_append_string(&out, CLAIMS_START);
	for (int i = 0; i < count; i++)
		buffer_append_format(&out, ",\"%d\":0", i);
	buffer_append_string(&out, "}");
	made = text_copy(world->arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static struct text claims_with_id(struct world *world, int bytes)
{
	return repeated(world, "{" ISS SUB AUD IAT EXP ",\"jti\":\"", "i", bytes, "\"}");
}

static void run_sizes(struct world *world)
{
	/* The claims object is the first level, and holds six values of its own. */
	struct text deep[2] = {
		deep_claims(world, TOKEN_DEPTH_MAX), deep_claims(world, TOKEN_DEPTH_MAX - 1)};
	struct text many[2] = {many_members(world, TOKEN_VALUES_MAX - 6),
		many_members(world, TOKEN_VALUES_MAX - 7)};
	struct text id[2] = {claims_with_id(world, TOKEN_ID_BYTES_MAX + 1),
		claims_with_id(world, TOKEN_ID_BYTES_MAX)};

	check_pair(world, "16", "depth_above_limit", deep, TOKEN_CLAIMS_JSON);
	deep[0] = repeated(world, X_START, "[", 50000, "");
	check_pair(world, "16", "depth_50000", deep, TOKEN_TOO_LARGE);
	check_pair(world, "16", "members_above_limit", many, TOKEN_CLAIMS_JSON);
	many[0] = many_members(world, 10000);
	check_pair(world, "16", "members_10000", many, TOKEN_TOO_LARGE);
	many[0] = repeated(world, X_START "\"", "0123456789abcdef", 65536, "\"}");
	check_pair(world, "16", "token_1_mb", many, TOKEN_TOO_LARGE);
	check_pair(world, "20", "jti_above_limit", id, TOKEN_ID);
}

static void run_long_key_id(struct world *world)
{
	struct text kid = repeated(world, "{\"alg\":\"ES256\",\"kid\":\"", "k", 10000, "\"}");

	check(world,
		&(struct jwt_case){.group = "8",
			.name = "kid_10_kb",
			.token = signed_token(world, world->key, kid, TEXT("")),
			.reason = TOKEN_KEY_ID,
			.twin = signed_token(world, world->key, TEXT(PLAIN_HEADER), TEXT(""))});
}

void run_made(struct world *world)
{
	run_unsigned(world);
	run_macs(world);
	run_rsa_algorithms(world);
	run_curves(world);
	run_ecdsa_values(world);
	run_edwards_values(world);
	run_rsa_values(world);
	run_brought_keys(world);
	run_json_forms(world);
	run_sizes(world);
	run_long_key_id(world);
}
