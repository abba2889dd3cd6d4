/* jwt-cases PATH...: the adversarial tokens in each PATH (a folder with
 * cases.json, or that file), and those of our own (jwt_rows.c, jwt_made.c, jwt_doors.c).
 * Prints one JSON line a case, then `N passed, N failed`; exits 1 if one failed, 77 if a
 * PATH is absent and nothing failed.
 *
 * jwt-cases --write FILE: the cases of jwt_rows.c and jwt_made.c that are refused, with
 * twins and keys, one JSON object a line, for other verifiers (tools/token-table). */
#include "jwt_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/json.h"
#include "domain/token/jwk.h"

enum {
	FILE_BYTES_MAX = 4 * 1024 * 1024,
	ARENA_BYTES_MAX = 64 * 1024 * 1024,
	OWN_CASES_MIN = 150, /* the bar */
};

enum token_reason verify(const struct verifier *verifier, struct arena *arena, struct text token)
{
	struct jws jws;
	struct claims claims;
	const struct public_key *key = verifier->sole;
	enum token_reason reason = jws_parse(&jws, arena, token, &verifier->header);

	if (reason != TOKEN_ACCEPTED)
		return reason;
	if (jws.key_id.data != NULL)
		key = key_set_find(&verifier->keys, jws.key_id);
	if (key == NULL)
		return TOKEN_KEY_UNKNOWN;
	reason = jws_verify(&jws, key);
	if (reason == TOKEN_ACCEPTED)
		reason = claims_read(&claims, &jws.claims);
	return reason == TOKEN_ACCEPTED ? claims_check(&claims, &verifier->claims) : reason;
}

/* ---- what is said of a case ---- */

/* A refusal is worth nothing where all is refused: its twin must pass. */
void report_case(const struct jwt_result *result, struct tally *tally)
{
	bool is_held = result->is_held && (result->is_accepted || result->is_twin_accepted);

	printf("{\"group\":\"%s\",\"case\":\"%s\",\"expect\":\"%s\",\"verdict\":\"%s\","
	       "\"layer\":\"%s\",\"reason\":\"%s\",\"twin\":\"%s\",\"held\":%s}\n",
		result->group, result->name, result->expected,
		result->is_accepted ? "accept" : "reject", result->layer, result->found,
		result->is_twin_accepted ? "accept" : "reject", is_held ? "true" : "false");
	if (is_held)
		tally->passed++;
	else
		tally->failed++;
	if (is_held && !result->is_accepted && strcmp(result->group, "file") != 0)
		tally->refused++;
}

/* One line for other verifiers: the token, its twin, and what we make of it. */
static void write_case(FILE *file, const struct jwt_case *test, enum token_reason reason)
{
	struct buffer out;

	buffer_init(&out, BIG_BYTES_MAX);
	buffer_append_format(&out,
		"{\"group\":\"%s\",\"case\":\"%s\",\"key\":\"%s\",\"reason\":\"%s\",\"twin\":",
		test->group, test->name, test->key == NULL ? "k1" : test->key,
		token_reason_word(reason));
	json_append_string(&out, test->twin);
	buffer_append_string(&out, ",\"token\":");
	json_append_string(&out, test->token);
	buffer_append_string(&out, "}\n");
	must(!buffer_failed(&out) && fwrite(out.data, 1, out.length, file) == out.length);
	buffer_deinit(&out);
}

void run_case(const struct verifier *verifier, const struct jwt_case *test, struct tally *tally)
{
	struct arena *arena = arena_create(TOKEN_ARENA_BYTES_MAX);
	enum token_reason reason = verify(verifier, arena, test->token);
	struct jwt_result result = {.group = test->group,
		.name = test->name,
		.found = token_reason_word(reason),
		.layer = token_layer_word(token_reason_layer(reason)),
		.is_accepted = reason == TOKEN_ACCEPTED};

	arena_reset(arena);
	/* Cases of a file come without twins; one of them must be accepted. */
	result.is_twin_accepted =
		test->layer != NULL || verify(verifier, arena, test->twin) == TOKEN_ACCEPTED;
	result.expected = test->layer == NULL ? token_reason_word(test->reason) : test->layer;
	if (test->layer == NULL)
		result.is_held = reason == test->reason;
	else
		result.is_held = strcmp(result.layer, test->layer) == 0 &&
				 result.is_accepted == (strcmp(test->layer, "none") == 0);
	if (tally->file != NULL && test->layer == NULL && !result.is_accepted)
		write_case(tally->file, test, reason);
	report_case(&result, tally);
	arena_destroy(&arena);
}

/* ---- cases of a file ---- */

static bool read_file(struct text *out, struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	char *bytes = arena_array(arena, char, FILE_BYTES_MAX);

	if (file == NULL || bytes == NULL) {
		if (file != NULL)
			fclose(file);
		return false;
	}
	*out = (struct text){bytes, fread(bytes, 1, FILE_BYTES_MAX, file)};
	fclose(file);
	return true;
}

/* The path of name in the folder of cases.json. */
static const char *beside(struct arena *arena, const char *cases, struct text name)
{
	const char *slash = strrchr(cases, '/');
	int folder = slash == NULL ? 0 : (int)(slash - cases) + 1;

	return text_format(arena, "%.*s%.*s", folder, cases, TEXT_ARGS(name)).data;
}

static bool configure(struct verifier *verifier, struct arena *arena, const char *path,
	const struct json *settings, struct error *err)
{
	struct text key_file = json_text_or(settings, "key", "");
	struct text pem = {0};
	struct public_key *key = NULL;
	enum signature_algorithm algorithm =
		signature_algorithm_of(json_text_or(settings, "alg", ""));

	if (!read_file(&pem, arena, beside(arena, path, key_file)))
		return error_set(err, ERROR_NOT_FOUND, "no key %.*s", TEXT_ARGS(key_file));
	if (!public_key_from_pem(&key, pem, algorithm, err))
		return false;
	verifier->sole = key;
	verifier->header = (struct jws_rules){.type_need = JWS_TYPE_OPTIONAL};
	verifier->claims = (struct claims_rules){
		.now_utc_s = json_integer_or(settings, "now", 0),
		.skew_s = json_integer_or(settings, "skew_s", 0),
		.lifetime_max_s = INT64_MAX,
		.issuer_need = CLAIM_UNCHECKED,
		.subject_need = CLAIM_UNCHECKED,
		.id_need = CLAIM_UNCHECKED,
	};
	return true;
}

static void run_file_case(struct verifier *verifier, const struct json *item, struct tally *tally)
{
	const struct json *audience = json_find(item, "audience");
	bool has_audience = audience != NULL && audience->type == JSON_STRING;
	char name[128];
	char layer[32];
	struct text layer_text = json_text_or(item, "layer", "");
	struct text name_text = json_text_or(item, "name", "");
	struct jwt_case test = {.group = "file", .name = name, .layer = layer};

	snprintf(name, sizeof name, "%.*s", TEXT_ARGS(name_text));
	snprintf(layer, sizeof layer, "%.*s", TEXT_ARGS(layer_text));
	verifier->claims.audience_need = has_audience ? CLAIM_EQUAL : CLAIM_UNCHECKED;
	verifier->claims.audience = has_audience ? audience->string : (struct text){0};
	test.token = json_text_or(item, "token", "");
	/* The verdict must be the published one too, not only the layer. */
	if (text_is(json_text_or(item, "expect", ""), "accept") != (strcmp(layer, "none") == 0))
		tally->failed++;
	run_case(verifier, &test, tally);
}

static bool run_file(const char *path, struct tally *tally, struct error *err)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	struct verifier verifier = {0};
	struct public_key *owned = NULL;
	struct text text = {0};
	struct json root;
	const struct json *cases = NULL;
	bool is_ok = false;

	if (arena == NULL || !read_file(&text, arena, path)) {
		error_set(err, ERROR_NOT_FOUND, "cannot read %s", path);
		goto done;
	}
	if (!json_parse(&root, arena, text, &json_limits_default, err) ||
		!configure(&verifier, arena, path, json_find(&root, "verifier"), err))
		goto done;
	memcpy(&owned, &verifier.sole, sizeof owned);
	cases = json_find(&root, "cases");
	for (uint32_t i = 0; cases != NULL && i < cases->count; i++)
		run_file_case(&verifier, &cases->items[i], tally);
	is_ok = cases != NULL && cases->count > 0;
done:
	public_key_destroy(&owned);
	arena_destroy(&arena);
	return is_ok;
}

/* False: the path is not there. */
static bool run_path(const char *path, struct tally *tally)
{
	struct error err = {0};
	struct stat found;
	char file[4096];

	if (stat(path, &found) != 0)
		return false;
	snprintf(file, sizeof file, "%s%s", path, S_ISDIR(found.st_mode) ? "/cases.json" : "");
	if (!run_file(file, tally, &err)) {
		fprintf(stderr, "%s: %s\n", file, err.text);
		tally->failed++;
	}
	return true;
}

/* ---- cases of our own ---- */

/* The keys that a verifier is to trust, for those that read the written cases. */
static void write_keys(FILE *file, struct world *world)
{
	for (size_t i = 0; i < world->verifier.keys.count; i++) {
		const struct key_set_entry *entry = &world->verifier.keys.entries[i];
		char bytes[1024];
		struct text pem = public_key_pem(entry->key, bytes);
		struct error err = {0};
		struct json_builder line;
		struct json object, jwk;
		struct text text;

		must(jwk_format(&jwk, world->arena, entry->key, &err));
		json_object_start(&line, world->arena);
		json_put_text(&line, "key", entry->id);
		json_put_cstring(
			&line, "alg", signature_algorithm_name(public_key_algorithm(entry->key)));
		json_put(&line, "jwk", jwk);
		json_put_text(&line, "pem", text_copy(world->arena, pem));
		json_put_integer(&line, "now", world->now_utc_s);
		must(json_object_seal(&line, &object, &err));
		text = json_canonical_text(world->arena, &object);
		fprintf(file, "%.*s\n", TEXT_ARGS(text));
	}
}

static void run_own(struct tally *tally, int64_t now_utc_s)
{
	struct world world;

	make_world(&world, tally, now_utc_s);
	if (tally->file != NULL)
		write_keys(tally->file, &world);
	run_rows(&world);
	run_made(&world);
	free_world(&world);
}

/* Writes the cases, of this very moment, to path; others read the clock too. */
static bool write_cases(const char *path, struct tally *tally)
{
	bool is_ok = false;

	tally->file = fopen(path, "w");
	if (tally->file == NULL)
		return false;
	run_own(tally, time(NULL));
	is_ok = ferror(tally->file) == 0;
	return fclose(tally->file) == 0 && is_ok && tally->failed == 0;
}

int main(int argc, char **argv)
{
	struct tally tally = {0};
	unsigned absent = 0;

	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		return write_cases(argv[2], &tally) ? 0 : 1;
	run_own(&tally, 0);
	run_doors(&tally);
	if (tally.refused < OWN_CASES_MIN) {
		fprintf(stderr, "only %u cases of our own were refused\n", tally.refused);
		tally.failed++;
	}
	for (int i = 1; i < argc; i++) {
		const char *replaced = getenv("REMIT_VECTORS");
		char path[4096];

		snprintf(path, sizeof path, "%s%s", replaced == NULL ? "" : replaced, "/jwt");
		if (!run_path(argv[i], &tally) && (replaced == NULL || !run_path(path, &tally))) {
			fprintf(stderr, "skipped: there is no %s\n", argv[i]);
			absent++;
		}
	}
	printf("%u of our own refused\n", tally.refused);
	printf("%u passed, %u failed, %u skipped\n", tally.passed, tally.failed, absent);
	if (tally.failed > 0)
		return 1;
	return absent > 0 ? 77 : 0;
}
