/* Invariants: consents are sorted and without twins, so the same units make the same text; what
 * is not exactly of the form names no line. */
#include "domain/charter/consents.h"

#include "base/buffer.h"

enum {
	LINES_SAID_MAX = 4,
	BITS = 64,
	LINES_TEXT_BYTES_MAX = HALF_LINES_MAX * 4 + 16, /* at worst every second line: "e101," */
};

/* ---- lines ---- */

static const struct half_list_form {
	const char *member;
	char letter;
	uint32_t most;
	uint32_t first; /* its bits begin there */
} lists[] = {
	[HALF_ENTITLEMENTS] = {"entitlements", 'e', CHARTER_ENTITLEMENTS_MAX, 0},
	[HALF_DATA_SOURCES] = {"data-sources", 'd', CHARTER_LIST_MAX, CHARTER_ENTITLEMENTS_MAX},
	[HALF_MODELS] = {"model", 'm', CHARTER_LIST_MAX,
		CHARTER_ENTITLEMENTS_MAX + CHARTER_LIST_MAX},
	[HALF_PEERS] = {"peers", 'p', CHARTER_LIST_MAX,
		CHARTER_ENTITLEMENTS_MAX + 2 * CHARTER_LIST_MAX},
	[HALF_ACCOUNTS] = {"accounts", 'a', CHARTER_LIST_MAX,
		CHARTER_ENTITLEMENTS_MAX + 3 * CHARTER_LIST_MAX},
};

const char *half_list_member(enum half_list list)
{
	return lists[list].member;
}

uint32_t half_list_count(const struct charter *charter, enum half_list list)
{
	switch (list) {
	case HALF_ENTITLEMENTS: return charter->entitlements_count;
	case HALF_DATA_SOURCES: return charter->data_sources_count;
	case HALF_MODELS: return charter->models_count;
	case HALF_PEERS: return charter->peers_count;
	case HALF_ACCOUNTS: return charter->accounts_count;
	case HALF_LIST_COUNT: break;
	}
	return 0;
}

void half_lines_add(struct half_lines *lines, enum half_list list, uint32_t at)
{
	uint32_t bit = lists[list].first + at;

	if (at < lists[list].most)
		lines->bits[bit / BITS] |= UINT64_C(1) << bit % BITS;
}

bool half_lines_has(const struct half_lines *lines, enum half_list list, uint32_t at)
{
	uint32_t bit = lists[list].first + at;

	return at < lists[list].most && (lines->bits[bit / BITS] >> bit % BITS & 1) != 0;
}

struct half_lines half_lines_without(
	const struct half_lines *lines, const struct half_lines *others)
{
	struct half_lines left = *lines;

	for (size_t i = 0; i < sizeof left.bits / sizeof *left.bits; i++)
		left.bits[i] &= ~others->bits[i];
	return left;
}

bool half_lines_is_empty(const struct half_lines *lines)
{
	for (size_t i = 0; i < sizeof lines->bits / sizeof *lines->bits; i++)
		if (lines->bits[i] != 0)
			return false;
	return true;
}

bool half_lines_within(const struct half_lines *lines, const struct half_lines *others)
{
	const struct half_lines left = half_lines_without(lines, others);

	return half_lines_is_empty(&left);
}

struct text half_lines_say(struct arena *arena, const struct half_lines *lines)
{
	struct text said = TEXT("");
	uint32_t count = 0;

	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t at = 0; at < lists[list].most; at++) {
			if (!half_lines_has(lines, (enum half_list)list, at) ||
				count++ >= LINES_SAID_MAX)
				continue;
			said = text_format(arena, "%.*s%s%s[%u]", TEXT_ARGS(said),
				said.length > 0 ? ", " : "", lists[list].member, at);
			if (said.data == NULL)
				return said;
		}
	return count <= LINES_SAID_MAX ? said
				       : text_format(arena, "%.*s and %u more", TEXT_ARGS(said),
						 count - LINES_SAID_MAX);
}

/* ---- lines as they are written ---- */

/* A whole number without a leading zero, off what is written; these are read at each call that
 * crosses units, so byte by byte. */
static bool read_number(struct text *written, uint32_t most, uint32_t *out)
{
	uint64_t number = 0;
	size_t digits = 0;

	while (digits < written->length && written->data[digits] >= '0' &&
		written->data[digits] <= '9' && number <= most)
		number = number * 10 + (uint64_t)(written->data[digits++] - '0');
	if (digits == 0 || number > most || (digits > 1 && written->data[0] == '0'))
		return false;
	*written = (struct text){written->data + digits, written->length - digits};
	*out = (uint32_t)number;
	return true;
}

/* Whether it goes on with that byte, which is taken off. */
static bool takes(struct text *written, char byte)
{
	if (written->length == 0 || written->data[0] != byte)
		return false;
	*written = (struct text){written->data + 1, written->length - 1};
	return true;
}

/* "e5" or "e0-2", off what is written. */
static bool read_run(struct text *written, struct half_lines *lines)
{
	unsigned list = 0;
	uint32_t first, last;

	while (list < HALF_LIST_COUNT && !takes(written, lists[list].letter))
		list++;
	if (list == HALF_LIST_COUNT || !read_number(written, lists[list].most - 1, &first))
		return false;
	last = first;
	if (takes(written, '-') &&
		(!read_number(written, lists[list].most - 1, &last) || last <= first))
		return false;
	for (uint32_t bit = lists[list].first + first; bit <= lists[list].first + last; bit++)
		lines->bits[bit / BITS] |= UINT64_C(1) << bit % BITS;
	return true;
}

/* "7:e0-2,d1".  False: it is not that, and nothing is in lines. */
static bool read_lines(struct text written, uint32_t *version, struct half_lines *lines)
{
	bool ok;

	*lines = (struct half_lines){0};
	ok = read_number(&written, UINT32_MAX, version) && *version != 0 && takes(&written, ':');
	if (ok && written.length == 0)
		return true;
	while (ok && (ok = read_run(&written, lines)) && written.length > 0)
		ok = takes(&written, ',');
	if (!ok)
		*lines = (struct half_lines){0};
	return ok;
}

static void put_run(struct buffer *out, enum half_list list, uint32_t first, uint32_t last)
{
	if (!text_ends_with(buffer_text(out), ":"))
		buffer_append_byte(out, ',');
	buffer_append_byte(out, lists[list].letter);
	buffer_append_int64(out, first);
	if (last > first) {
		buffer_append_byte(out, '-');
		buffer_append_int64(out, last);
	}
}

static void put_lines(struct buffer *out, const struct consent_given *given)
{
	buffer_append_int64(out, given->version);
	buffer_append_byte(out, ':');
	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t at = 0; at < lists[list].most; at++) {
			uint32_t first = at;

			if (!half_lines_has(&given->lines, (enum half_list)list, at))
				continue;
			while (half_lines_has(&given->lines, (enum half_list)list, at + 1))
				at++;
			put_run(out, (enum half_list)list, first, at);
		}
}

/* ---- what was taken ---- */

enum { TAKEN_BYTES = 2 * sizeof(struct sha256) }; /* of one, in hex */

static struct text hex_of(char digest[DIGEST_TEXT_BYTES], const struct sha256 *line)
{
	struct text written;

	digest_format(digest, line);
	written = text_of(digest);
	return (struct text){written.data + written.length - TAKEN_BYTES, TAKEN_BYTES};
}

struct text taken_with(struct arena *arena, struct text taken, const struct sha256 *line)
{
	char digest[DIGEST_TEXT_BYTES];
	struct text hex = hex_of(digest, line);

	if (taken.length >= CONSENT_TAKEN_MAX * (TAKEN_BYTES + 1) - 1)
		(void)text_cut(&taken, ',');
	return text_format(
		arena, "%.*s%s%.*s", TEXT_ARGS(taken), taken.length > 0 ? "," : "", TEXT_ARGS(hex));
}

bool taken_remove(struct arena *arena, struct text *taken, const struct sha256 *line)
{
	char digest[DIGEST_TEXT_BYTES];
	struct text hex = hex_of(digest, line), rest = *taken, left = TEXT("");
	bool is_there = false;

	while (rest.length > 0) {
		struct text one = text_cut(&rest, ',');

		if (!is_there && text_equal(one, hex)) {
			is_there = true;
			continue;
		}
		left = text_format(arena, "%.*s%s%.*s", TEXT_ARGS(left), left.length > 0 ? "," : "",
			TEXT_ARGS(one));
		if (left.data == NULL)
			return false; /* then it is not agreed to */
	}
	if (is_there)
		*taken = left;
	return is_there;
}

/* ---- consents ---- */

/* The first consent as it is written, off the consents. */
static bool next_token(struct text *consents, struct text *out)
{
	if (consents->length == 0)
		return false;
	*out = text_cut(consents, ' ');
	return true;
}

/* A consent of before there were digests is the name of the unit alone. */
static struct consent_given read_token(struct text token)
{
	struct consent_given given = {.unit = text_cut(&token, '=')};
	struct text at = text_cut(&token, '=');
	struct text taken = text_cut(&token, '=');
	struct text digest = text_cut(&taken, '/');
	struct text lines = text_cut(&taken, '/');

	if (!text_to_int64(at, &given.at_utc_ms) || !digest_parse(digest, &given.digest))
		return (struct consent_given){.unit = given.unit};
	given.by = token;
	given.has_digest = true;
	given.taken = taken;
	if (!read_lines(lines, &given.version, &given.lines))
		given.version = 0;
	return given;
}

bool consents_next(struct text *consents, struct text *out_unit)
{
	struct text token;

	if (!next_token(consents, &token))
		return false;
	*out_unit = text_cut(&token, '=');
	return true;
}

bool consents_next_given(struct text *consents, struct consent_given *out)
{
	struct text token;

	if (!next_token(consents, &token))
		return false;
	*out = read_token(token);
	return true;
}

/* The token of the unit; false: it has none. */
static bool find_token(struct text consents, struct text unit, struct text *out)
{
	while (next_token(&consents, out)) {
		struct text rest = *out;

		if (text_equal(text_cut(&rest, '='), unit))
			return true;
	}
	return false;
}

bool consents_find(struct text consents, struct text unit, struct consent_given *out)
{
	struct text token;

	*out = (struct consent_given){0};
	if (!find_token(consents, unit, &token))
		return false;
	*out = read_token(token);
	return true;
}

bool consents_has(struct text consents, struct text unit)
{
	struct text token;

	return find_token(consents, unit, &token);
}

bool consents_lines(
	struct text consents, struct text unit, uint32_t version, struct half_lines *out)
{
	struct text token, rest;
	uint32_t of;

	*out = (struct half_lines){0};
	if (!find_token(consents, unit, &token))
		return false;
	for (int field = 0; field < 2; field++)
		(void)text_cut(&token, '=');
	rest = text_cut(&token, '=');
	(void)text_cut(&rest, '/');
	if (read_lines(text_cut(&rest, '/'), &of, out) && of == version)
		return true;
	*out = (struct half_lines){0};
	return false;
}

static struct text token_of(struct arena *arena, const struct consent_given *given)
{
	char digest[DIGEST_TEXT_BYTES];
	struct text token;
	struct buffer lines;

	if (!given->has_digest)
		return given->unit;
	digest_format(digest, &given->digest);
	buffer_init(&lines, LINES_TEXT_BYTES_MAX);
	if (given->version != 0)
		put_lines(&lines, given);
	token = (struct text){NULL, 0};
	if (!buffer_failed(&lines))
		token = text_format(arena, "%.*s=%lld=%s%s%.*s%s%.*s=%.*s", TEXT_ARGS(given->unit),
			(long long)given->at_utc_ms, digest, given->version == 0 ? "" : "/",
			TEXT_ARGS(buffer_text(&lines)), given->taken.length == 0 ? "" : "/",
			TEXT_ARGS(given->taken), TEXT_ARGS(given->by));
	buffer_deinit(&lines);
	return token;
}

static struct text joined(struct arena *arena, struct text consents, struct text token)
{
	return text_format(arena, "%.*s%s%.*s", TEXT_ARGS(consents), consents.length > 0 ? " " : "",
		TEXT_ARGS(token));
}

struct text consents_with(
	struct arena *arena, struct text consents, const struct consent_given *given)
{
	struct text made = TEXT(""), token, mine = token_of(arena, given);
	bool is_placed = false;

	while (mine.data != NULL && next_token(&consents, &token)) {
		struct text rest = token;
		int order = text_compare(text_cut(&rest, '='), given->unit);

		if (!is_placed && order >= 0) {
			made = joined(arena, made, mine);
			is_placed = true;
		}
		if (order != 0)
			made = joined(arena, made, token);
	}
	return is_placed || mine.data == NULL ? made : joined(arena, made, mine);
}
