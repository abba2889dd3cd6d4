/* jwt-cases PATH...: the adversarial tokens in each PATH (a folder with
 * cases.json, or that file), and those of jwt_generated.c.  Prints one JSON line
 * a case, then `N passed, N failed`; exits 1 if one failed, 77 if a PATH is
 * absent and nothing failed. */
#include "jwt_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"

enum { FILE_BYTES_MAX = 4 * 1024 * 1024, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

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

void run_case(const struct verifier *verifier, const struct jwt_case *test, struct tally *tally)
{
	struct arena *arena = arena_create(TOKEN_ARENA_BYTES_MAX);
	enum token_reason reason = verify(verifier, arena, test->token);
	const char *layer = token_layer_word(token_reason_layer(reason));
	const char *expected = test->layer == NULL ? token_reason_word(test->reason) : test->layer;
	bool is_held = test->layer == NULL ? reason == test->reason
					   : strcmp(layer, test->layer) == 0 &&
						     (reason == TOKEN_ACCEPTED) ==
							     (strcmp(test->layer, "none") == 0);

	printf("{\"group\":\"%s\",\"case\":\"%s\",\"expect\":\"%s\",\"verdict\":\"%s\","
	       "\"layer\":\"%s\",\"reason\":\"%s\",\"held\":%s}\n",
		test->group, test->name, expected, reason == TOKEN_ACCEPTED ? "accept" : "reject",
		layer, token_reason_word(reason), is_held ? "true" : "false");
	if (is_held)
		tally->passed++;
	else
		tally->failed++;
	arena_destroy(&arena);
}

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

int main(int argc, char **argv)
{
	struct tally tally = {0};
	unsigned absent = 0;

	run_generated(&tally);
	for (int i = 1; i < argc; i++) {
		const char *replaced = getenv("REMIT_VECTORS");
		char path[4096];

		snprintf(path, sizeof path, "%s%s", replaced == NULL ? "" : replaced, "/jwt");
		if (!run_path(argv[i], &tally) && (replaced == NULL || !run_path(path, &tally))) {
			fprintf(stderr, "skipped: there is no %s\n", argv[i]);
			absent++;
		}
	}
	printf("%u passed, %u failed, %u skipped\n", tally.passed, tally.failed, absent);
	if (tally.failed > 0)
		return 1;
	return absent > 0 ? 77 : 0;
}
