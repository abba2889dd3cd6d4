/* Every allocation of ours fails once: keys, sets, assertions, signatures and
 * tokens must each refuse, hand nothing over and leak nothing (the sanitizer
 * build checks the last).  The linker sends malloc, calloc and realloc of this
 * program here; OpenSSL's own are not ours to fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/token/access_token.h"
#include "domain/token/client_assertion.h"
#include "domain/token/jwk.h"
#include "domain/token/key_set.h"
#include "domain/token/replay.h"
#include "domain/token/request_signature.h"

enum { NOW_S = 1793491200, ALLOCATIONS_MAX = 2000, TEXT_BYTES = 8192, ARENA_BYTES = 1 << 20 };

static long allocations_left = -1; /* negative: never fail */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool fails_now(void)
{
	return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails_now() ? NULL : __real_realloc(memory, size);
}

static const struct signed_request request = {.audience = {"remit-one", 9},
	.method = {"GET", 3},
	.url = {"http://localhost/v1/whoami", 26}};

static void must(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	fprintf(stderr, "torture: %s\n", what);
	abort();
}

static bool sign_and_check_request(
	const struct private_key *key, struct arena *arena, struct error *err)
{
	struct request_signature signature;
	struct buffer out;
	bool is_ok = false;

	buffer_init(&out, TEXT_BYTES);
	if (request_signature_build(&out, key, TEXT("ana"), &request, NOW_S, err)) {
		enum token_reason reason =
			request_signature_parse(&signature, arena, buffer_text(&out));

		if (reason == TOKEN_ACCEPTED)
			reason = request_signature_check(
				&signature, private_key_public(key), &request, NOW_S);
		is_ok = reason == TOKEN_ACCEPTED;
		must(is_ok || reason == TOKEN_NO_ROOM || reason == TOKEN_HEADER_JSON ||
				reason == TOKEN_CLAIMS_JSON,
			token_reason_word(reason));
		if (!is_ok)
			error_set(err, ERROR_LIMIT, "no room");
	}
	buffer_deinit(&out);
	return is_ok;
}

static bool make_set(const struct private_key *key, struct arena *arena, struct error *err)
{
	struct public_key *copy = NULL;
	struct key_set set = {0};
	struct json jwk, printed;
	bool is_ok = jwk_format(&jwk, arena, private_key_public(key), err) &&
		     jwk_parse(&copy, &jwk, err) && key_set_add(&set, TEXT("a"), copy, err) &&
		     key_set_format(&printed, arena, &set, err);

	must(is_ok || set.count <= 1, "a set without its key");
	key_set_deinit(&set);
	return is_ok;
}

static bool run_everything(const struct private_key *key, struct error *err)
{
	struct arena *arena = arena_create(ARENA_BYTES);
	struct replay_table *table = NULL;
	struct buffer out;
	bool is_ok = false;

	buffer_init(&out, TEXT_BYTES);
	if (arena == NULL) {
		error_set(err, ERROR_LIMIT, "no arena");
		goto done;
	}
	is_ok = replay_table_create(&table, &(struct replay_bounds){16, 4}, err) &&
		make_set(key, arena, err) &&
		client_assertion_build(&out, key, TEXT("a"), TEXT("b"), NOW_S, err) &&
		sign_and_check_request(key, arena, err);
done:
	replay_table_destroy(&table);
	buffer_deinit(&out);
	arena_destroy(&arena);
	return is_ok;
}

int main(void)
{
	struct private_key *key = NULL;
	struct error err = {0};
	long count = 0;

	must(private_key_generate(&key, SIGNATURE_ES256, &err), "no key");
	for (; count < ALLOCATIONS_MAX; count++) {
		bool is_ok = false;

		err = (struct error){0};
		allocations_left = count;
		is_ok = run_everything(key, &err);
		if (allocations_left >= 0) {
			allocations_left = -1;
			must(is_ok, "refused though nothing failed");
			break;
		}
		allocations_left = -1;
		must(!is_ok && err.code == ERROR_LIMIT, "a failed allocation went unsaid");
	}
	must(count > 10 && count < ALLOCATIONS_MAX, "the count of allocations is odd");
	private_key_destroy(&key);
	printf("%ld passed, 0 failed\n", count);
	return 0;
}
