/* Laws of finding and taking out secrets:
 *  any secret, in any spelling, at any place of any text, is found and taken out, and what
 *  is left holds it in no spelling; what stands around it stays;
 *  a text without it stays byte for byte;
 *  what is found as it is, is what a search for its bytes finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "domain/secret/foreign.h"
#include "domain/secret/redact.h"
#include "domain/secret/strand.h"

enum { CASES = 20000, SECRETS = 30, SECRET_MOST = 120, AROUND_MOST = 300, BYTES_MAX = 1 << 20 };

struct run {
	uint64_t state;
	unsigned cases;
	struct fingerprint_index *index;
	struct secret_scratch *scratch;
	struct fingerprint fingerprints[SECRETS];
	char secrets[SECRETS][SECRET_MOST + 1];
	struct arena *arena;
	struct buffer before, spelled, after, whole;
};

static uint64_t next(struct run *run)
{
	uint64_t mixed = run->state += 0x9E3779B97F4A7C15U;

	mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9U;
	mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBU;
	return mixed ^ mixed >> 31;
}

static uint32_t below(struct run *run, uint32_t bound)
{
	return (uint32_t)(next(run) >> 32) % bound;
}

/* Letters as credentials have them, or any that can be seen. */
static void make_secret(struct run *run, char *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/=";
	bool is_any = below(run, 3) == 0;
	uint32_t length = FINGERPRINT_SECRET_BYTES_MIN +
			  below(run, SECRET_MOST - FINGERPRINT_SECRET_BYTES_MIN + 1);

	for (uint32_t i = 0; i < length; i++)
		out[i] = is_any ? (char)(' ' + below(run, 95))
				: letters[below(run, sizeof letters - 1)];
	out[length] = '\0';
}

static int set_up(void **state)
{
	struct run *run = calloc(1, sizeof *run);
	const char *seed = getenv("REMIT_SEED"), *cases = getenv("REMIT_CASES");
	struct fingerprint_key key;
	struct error err;

	assert_non_null(run);
	run->state = seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	run->cases = cases != NULL ? (unsigned)strtoul(cases, NULL, 0) : CASES;
	printf("REMIT_SEED=%llu\n", (unsigned long long)run->state);
	for (size_t i = 0; i < sizeof key.bytes; i++)
		key.bytes[i] = (uint8_t)next(run);
	run->arena = arena_create(BYTES_MAX);
	run->scratch = secret_scratch_create();
	assert_true(fingerprint_index_create(&run->index, &key, &err));
	for (uint32_t i = 0; i < SECRETS; i++) {
		make_secret(run, run->secrets[i]);
		assert_true(fingerprint_make(
			&run->fingerprints[i], &key, text_of(run->secrets[i]), &err));
		assert_true(fingerprint_index_add(run->index, &run->fingerprints[i], i, &err));
	}
	buffer_init(&run->before, BYTES_MAX);
	buffer_init(&run->spelled, BYTES_MAX);
	buffer_init(&run->after, BYTES_MAX);
	buffer_init(&run->whole, BYTES_MAX);
	*state = run;
	return 0;
}

static int tear_down(void **state)
{
	struct run *run = *state;

	fingerprint_index_destroy(&run->index);
	secret_scratch_destroy(&run->scratch);
	arena_destroy(&run->arena);
	buffer_deinit(&run->before);
	buffer_deinit(&run->spelled);
	buffer_deinit(&run->after);
	buffer_deinit(&run->whole);
	free(run);
	return 0;
}

/* ---- texts ---- */

/* Words, and what unescaping stumbles over; but for its first and last bytes, which might
 * make something else of what is before or behind. */
static void around(struct run *run, struct buffer *out)
{
	static const char *const pieces[] = {"a", "word ", " ", "\n", "\r\n", "%", "%4", "%41",
		"\\", "\\\\", "\\n", "\\u00", "\\u0041", "\\x4", "\\x41", "\"", "eyJ", "-----",
		"sk-", "=", "QUJD", "0a0b", "\xc3\xa4", "."};

	buffer_reset(out);
	buffer_append_string(out, " ");
	for (uint32_t left = below(run, AROUND_MOST); left > 0; left--)
		buffer_append_string(out, pieces[below(run, sizeof pieces / sizeof *pieces)]);
	buffer_append_string(out, " .... ");
}

static void spell_percent(struct run *run, const char *secret)
{
	for (; *secret != '\0'; secret++)
		if (below(run, 2) == 0 || *secret == '%')
			buffer_append_format(&run->spelled,
				below(run, 2) == 0 ? "%%%02x" : "%%%02X", (unsigned char)*secret);
		else
			buffer_append_byte(&run->spelled, *secret);
}

/* A string of JSON, or a value of the log, as they would be within a text. */
static void spell_escaped(struct run *run, const char *secret)
{
	for (; *secret != '\0'; secret++)
		if (below(run, 4) == 0)
			buffer_append_format(&run->spelled, "\\u%04x", (unsigned char)*secret);
		else if (below(run, 6) == 0)
			buffer_append_format(&run->spelled, "\\x%02x", (unsigned char)*secret);
		else if (strchr("\\\"", *secret) != NULL || (*secret == '/' && below(run, 2) == 0))
			buffer_append_format(&run->spelled, "\\%c", *secret);
		else
			buffer_append_byte(&run->spelled, *secret);
}

/* Of a secret that would not itself be taken for escapes. */
static void spell_lines(struct run *run, const char *secret)
{
	const char *ends[] = {"\n", "\r\n", "\\n", "\\r\\n"};

	for (; *secret != '\0'; secret++) {
		buffer_append_byte(&run->spelled, *secret);
		if (below(run, 10) == 0)
			buffer_append_string(&run->spelled, ends[below(run, 4)]);
	}
}

static bool has_special(const char *secret)
{
	return strpbrk(secret, "%\\") != NULL;
}

static void spell_base64(struct run *run, const char *secret, bool is_url)
{
	char whole[SECRET_MOST + 8];
	uint32_t front = below(run, 4), back = below(run, 4);
	int length = snprintf(
		whole, sizeof whole, "%.*s%s%.*s", (int)front, "abc", secret, (int)back, "xyz");

	if (is_url)
		base64url_append(&run->spelled, whole, (size_t)length);
	else
		base64_append(&run->spelled, whole, (size_t)length);
}

static void spell(struct run *run, const char *secret)
{
	uint32_t how = below(run, 7);

	buffer_reset(&run->spelled);
	if (how == 1)
		spell_percent(run, secret);
	else if (how == 2)
		spell_escaped(run, secret);
	else if (how == 3 && !has_special(secret))
		spell_lines(run, secret);
	else if (how == 4)
		spell_base64(run, secret, false);
	else if (how == 5)
		spell_base64(run, secret, true);
	else if (how == 6)
		hex_append(&run->spelled, secret, strlen(secret));
	else
		buffer_append_string(&run->spelled, secret);
}

static void find(const void *context, struct text text, struct secret_spans *out)
{
	const struct run *run = context;

	fingerprint_find(run->index, text, run->scratch, out);
}

/* ---- laws ---- */

static void whatever_is_planted_is_found_and_taken_out(void **state)
{
	static const unsigned own = 1 << SECRET_OWN;
	struct run *run = *state;
	const struct secret_finder finder = {run, find};

	for (unsigned i = 0; i < run->cases; i++) {
		uint32_t which = below(run, SECRETS);
		struct secret_tally tally = {0};
		struct text out;

		around(run, &run->before);
		spell(run, run->secrets[which]);
		around(run, &run->after);
		buffer_reset(&run->whole);
		buffer_append_text(&run->whole, buffer_text(&run->before));
		buffer_append_text(&run->whole, buffer_text(&run->spelled));
		buffer_append_text(&run->whole, buffer_text(&run->after));
		secret_count_text(&tally, buffer_text(&run->whole), &finder);
		if (tally.own_count != 1 || tally.own[0] != which)
			fail_msg("not found: %s\nin %.*s", run->secrets[which],
				TEXT_ARGS(buffer_text(&run->spelled)));
		out = secret_redact_text(run->arena, buffer_text(&run->whole), own, &finder);
		tally = (struct secret_tally){0};
		secret_count_text(&tally, out, &finder);
		assert_int_equal(tally.count, 0);
		assert_non_null(
			memmem(out.data, out.length, SECRET_REMOVED, strlen(SECRET_REMOVED)));
		assert_null(memmem(out.data, out.length, run->spelled.data, run->spelled.length));
		assert_true(out.length >= run->before.length + run->after.length);
		assert_memory_equal(out.data, run->before.data, run->before.length);
		assert_memory_equal(out.data + out.length - run->after.length, run->after.data,
			run->after.length);
		arena_reset(run->arena);
	}
}

static void a_text_without_stays_byte_for_byte(void **state)
{
	struct run *run = *state;
	const struct secret_finder finder = {run, find};

	for (unsigned i = 0; i < run->cases; i++) {
		uint32_t which = below(run, SECRETS);
		size_t length = strlen(run->secrets[which]);
		char nearly[SECRET_MOST + 1];
		struct text out;

		/* One letter of it is another. */
		memcpy(nearly, run->secrets[which], length + 1);
		nearly[below(run, (uint32_t)length)] ^= 1;
		around(run, &run->whole);
		buffer_append_string(&run->whole, nearly);
		around(run, &run->after);
		buffer_append_text(&run->whole, buffer_text(&run->after));
		out = secret_redact_text(
			run->arena, buffer_text(&run->whole), 1 << SECRET_OWN, &finder);
		assert_true(text_equal(out, buffer_text(&run->whole)));
		arena_reset(run->arena);
	}
}

static bool is_covered(const struct secret_spans *spans, size_t start, size_t end)
{
	for (uint32_t i = 0; i < spans->count; i++)
		if (spans->items[i].start <= start && spans->items[i].end >= end)
			return true;
	return false;
}

static void what_is_there_as_it_is_is_always_found(void **state)
{
	struct run *run = *state;

	for (unsigned i = 0; i < run->cases; i++) {
		struct secret_spans spans = {.count = 0};
		const char *secret = run->secrets[below(run, SECRETS)], *at;
		struct text whole;

		buffer_reset(&run->whole);
		for (uint32_t times = below(run, 4); times > 0; times--) {
			around(run, &run->after);
			run->after.length -= below(run, (uint32_t)run->after.length);
			buffer_append_text(&run->whole, buffer_text(&run->after));
			buffer_append_string(&run->whole, secret);
		}
		whole = buffer_text(&run->whole);
		fingerprint_find(run->index, whole, run->scratch, &spans);
		foreign_find(whole, &spans);
		for (at = whole.data; whole.length > 0 &&
				      (at = memmem(at, whole.length - (size_t)(at - whole.data),
					       secret, strlen(secret))) != NULL;
			at++)
			assert_true(is_covered(&spans, (size_t)(at - whole.data),
				(size_t)(at - whole.data) + strlen(secret)));
		for (uint32_t one = 0; one < spans.count; one++) {
			assert_true(spans.items[one].start < spans.items[one].end);
			assert_true(spans.items[one].end <= whole.length);
		}
	}
}

/* However a text is cut, its strand knows of a secret no sooner and no later than a search of
 * all that has come. */
static void a_text_in_pieces_is_searched_as_one(void **state)
{
	struct run *run = *state;
	struct error err;
	unsigned found = 0;

	for (unsigned i = 0; i < run->cases / 4; i++) {
		struct secret_strand *strand = secret_strand_create();
		struct secret_spans so_far = {.count = 0};
		struct text whole;

		around(run, &run->whole);
		spell(run, run->secrets[below(run, SECRETS)]);
		buffer_append_text(&run->whole, buffer_text(&run->spelled));
		around(run, &run->after);
		buffer_append_text(&run->whole, buffer_text(&run->after));
		whole = buffer_text(&run->whole);
		for (size_t at = 0, size; at < whole.length && so_far.count == 0; at += size) {
			struct secret_spans all = {.count = 0};

			size = 1 + below(run, below(run, 4) == 0 ? 200 : 9);
			if (size > whole.length - at)
				size = whole.length - at;
			assert_true(secret_strand_find(strand, run->index,
				(struct text){whole.data + at, size}, &so_far, &err));
			fingerprint_find(run->index, (struct text){whole.data, at + size},
				run->scratch, &all);
			if ((so_far.count == 0) != (all.count == 0))
				fail_msg("%u, not %u, by byte %zu of %.*s", so_far.count, all.count,
					at + size, TEXT_ARGS(whole));
		}
		found += so_far.count != 0;
		secret_strand_destroy(&strand);
	}
	assert_int_equal(found, run->cases / 4);
}

int main(void)
{
#define LAW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest laws[] = {
		LAW(whatever_is_planted_is_found_and_taken_out),
		LAW(a_text_without_stays_byte_for_byte),
		LAW(what_is_there_as_it_is_is_always_found),
		LAW(a_text_in_pieces_is_searched_as_one),
	};

	return cmocka_run_group_tests(laws, NULL, NULL);
}
