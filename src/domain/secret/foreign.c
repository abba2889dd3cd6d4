/* Design: a credential is a long run of letters, digits, `_`, `-` and `.`, so only every
 * RUN_BYTES_LEAST-th byte is looked at until one is of a run that long.  Prefixes are
 * tried where a word may begin.  What a prefix is followed by must have its length and
 * letters and look like chance: FORMS says how much.
 *
 * A private key is found by its first line, and only where a key follows it. */
#include "domain/secret/foreign.h"

#include <string.h>

#include "base/base64.h"

enum {
	RUN_BYTES_LEAST = 16,   /* no form is shorter */
	REPEATS_MAX = 4,        /* of one letter, one after the other, in what is by chance */
	LABEL_BYTES_MAX = 40,   /* between BEGIN and PRIVATE KEY */
	KEY_LETTERS_LEAST = 40, /* of the first line of a key */
	JWT_SIGNATURE_LETTERS_MIN = 43, /* 32 bytes */
	JWT_HEADER_BYTES_MAX = 1024,
	LOOKED_FACTOR = 4, /* as much as the text may be looked at behind prefixes */
	LOOKED_LETTERS_LEAST = 64 * 1024,
};

enum letters { ALNUM, ALNUM_DASH, WORD, WORD_DOT, UPPER, HEX, LETTERS_COUNT };

struct form {
	const char *word;
	const char *prefix;
	enum letters letters; /* of what follows it */
	uint16_t least, most;
	uint8_t distinct; /* letters at least */
};

/* clang-format off */
static const struct form forms[] = {
	{"private-key", "", WORD, 0, 0, 0},
	{"jwt", "eyJ", WORD_DOT, 60, 16384, 20},
	{"aws-access-key", "AKIA", UPPER, 16, 16, 8},
	{"aws-access-key", "ASIA", UPPER, 16, 16, 8},
	{"anthropic-key", "sk-ant-", WORD, 40, 250, 16},
	{"openai-key", "sk-proj-", WORD, 40, 250, 16},
	{"openai-key", "sk-svcacct-", WORD, 40, 250, 16},
	{"openai-key", "sk-admin-", WORD, 40, 250, 16},
	{"openai-key", "sk-", ALNUM, 48, 48, 16},
	{"github-token", "ghp_", ALNUM, 36, 255, 14},
	{"github-token", "gho_", ALNUM, 36, 255, 14},
	{"github-token", "ghu_", ALNUM, 36, 255, 14},
	{"github-token", "ghs_", ALNUM, 36, 255, 14},
	{"github-token", "ghr_", ALNUM, 36, 255, 14},
	{"github-token", "github_pat_", WORD, 60, 255, 16},
	{"gitlab-token", "glpat-", WORD_DOT, 20, 100, 10},
	{"slack-token", "xoxb-", ALNUM_DASH, 24, 300, 10},
	{"slack-token", "xoxp-", ALNUM_DASH, 24, 300, 10},
	{"slack-token", "xoxa-", ALNUM_DASH, 24, 300, 10},
	{"slack-token", "xoxr-", ALNUM_DASH, 24, 300, 10},
	{"slack-token", "xoxs-", ALNUM_DASH, 24, 300, 10},
	{"slack-token", "xapp-", ALNUM_DASH, 24, 300, 10},
	{"google-key", "AIza", WORD, 35, 35, 14},
	{"google-key", "GOCSPX-", WORD, 28, 28, 12},
	{"google-token", "ya29.", WORD, 40, 1024, 16},
	{"stripe-key", "sk_live_", ALNUM, 24, 250, 12},
	{"stripe-key", "rk_live_", ALNUM, 24, 250, 12},
	{"stripe-key", "sk_test_", ALNUM, 24, 250, 12},
	{"stripe-key", "rk_test_", ALNUM, 24, 250, 12},
	{"stripe-key", "whsec_", ALNUM, 32, 64, 12},
	{"npm-token", "npm_", ALNUM, 36, 36, 14},
	{"pypi-token", "pypi-AgE", WORD, 50, 300, 16},
	{"hugging-face-token", "hf_", ALNUM, 34, 40, 12},
	{"sendgrid-key", "SG.", WORD_DOT, 66, 66, 16},
	{"digitalocean-token", "dop_v1_", HEX, 64, 64, 10},
	{"vault-token", "hvs.", WORD, 24, 300, 12},
	{"vault-token", "hvb.", WORD, 24, 300, 12},
	{"shopify-token", "shpat_", HEX, 32, 32, 8},
	{"age-key", "AGE-SECRET-KEY-1", UPPER, 58, 58, 14},
};
/* clang-format on */

enum { FORM_COUNT = sizeof forms / sizeof *forms, FORM_PRIVATE_KEY = 0, FORM_JWT = 1 };

const char *foreign_form_word(uint32_t form)
{
	return forms[form < FORM_COUNT ? form : FORM_PRIVATE_KEY].word;
}

uint32_t foreign_form_count(void)
{
	return FORM_COUNT;
}

/* ---- letters ---- */

enum {
	IS_UPPER = 1,
	IS_LOWER = 2,
	IS_DIGIT = 4,
	IS_MARK = 8,
	IS_DOT = 16,
	IS_HEX = 32,
	IS_BEGIN = 64, /* the first letter of a prefix */
};

/* What each byte from ' ' to DEL may be; no other is anything.  Made of the enum above. */
/* clang-format off */
static const uint8_t kinds_table[256] = {
	[' '] =
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 16, 0,
	36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 0, 0, 0, 0, 0, 0,
	0, 65, 1, 1, 1, 1, 1, 65, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 65, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 8,
	0, 34, 34, 34, 98, 98, 34, 66, 66, 2, 2, 2, 2, 2, 66, 2,
	66, 2, 66, 66, 2, 2, 2, 66, 66, 66, 2, 0, 0, 0, 0, 0,
};
/* clang-format on */

static inline unsigned kinds_of(char c)
{
	return kinds_table[(unsigned char)c];
}

static inline bool is_run(char c)
{
	return (kinds_of(c) & ~(unsigned)IS_BEGIN) != 0;
}

static bool is_letter(char c, enum letters letters)
{
	static const unsigned kinds[LETTERS_COUNT] = {
		[ALNUM] = IS_UPPER | IS_LOWER | IS_DIGIT,
		[ALNUM_DASH] = IS_UPPER | IS_LOWER | IS_DIGIT,
		[WORD] = IS_UPPER | IS_LOWER | IS_DIGIT | IS_MARK,
		[WORD_DOT] = IS_UPPER | IS_LOWER | IS_DIGIT | IS_MARK | IS_DOT,
		[UPPER] = IS_UPPER | IS_DIGIT,
		[HEX] = IS_HEX,
	};

	return (kinds_of(c) & kinds[letters]) != 0 || (letters == ALNUM_DASH && c == '-');
}

/* ---- chance ---- */

struct looks {
	unsigned kinds;
	unsigned distinct;
	size_t repeats;   /* the longest of one letter */
	size_t ascending; /* letters that are the one after the one before */
};

static struct looks looks_of(struct text body)
{
	bool is_seen[256] = {false};
	struct looks looks = {.repeats = 1};
	size_t repeats = 1;

	for (size_t i = 0; i < body.length; i++) {
		unsigned char c = (unsigned char)body.data[i];

		looks.kinds |= kinds_of(body.data[i]);
		looks.distinct += is_seen[c] ? 0 : 1;
		is_seen[c] = true;
		if (i == 0)
			continue;
		repeats = body.data[i] == body.data[i - 1] ? repeats + 1 : 1;
		looks.repeats = repeats > looks.repeats ? repeats : looks.repeats;
		looks.ascending += body.data[i] == body.data[i - 1] + 1 ? 1 : 0;
	}
	return looks;
}

static bool says_example(struct text body)
{
	return memmem(body.data, body.length, "EXAMPLE", 7) != NULL ||
	       memmem(body.data, body.length, "example", 7) != NULL;
}

/* Letters of chance have digits or both cases among them, and both where words are joined by
 * dashes too; upper case alone is what some issuers write. */
static bool is_by_chance(struct text body, const struct form *form)
{
	struct looks looks = looks_of(body);
	unsigned mixed = looks.kinds & (IS_UPPER | IS_LOWER);

	if (looks.distinct < form->distinct || looks.repeats > REPEATS_MAX ||
		2 * looks.ascending >= body.length || says_example(body))
		return false;
	return form->letters == UPPER || mixed == (IS_UPPER | IS_LOWER) ||
	       ((looks.kinds & IS_DIGIT) != 0 && form->letters != WORD &&
		       form->letters != WORD_DOT);
}

/* ---- forms ---- */

/* Three parts, the first a header with an algorithm, the last as long as a signature. */
static bool is_jwt(struct text token)
{
	uint8_t header[JWT_HEADER_BYTES_MAX];
	ptrdiff_t first = text_find_byte(token, '.'), second;
	struct text rest = token;
	size_t size;

	if (first < 0)
		return false;
	rest.data += first + 1;
	rest.length -= (size_t)first + 1;
	second = text_find_byte(rest, '.');
	if (second < 0 || !text_starts_with(rest, "eyJ"))
		return false;
	rest.data += second + 1;
	rest.length -= (size_t)second + 1;
	return rest.length >= JWT_SIGNATURE_LETTERS_MIN && text_find_byte(rest, '.') < 0 &&
	       base64url_decode(
		       (struct text){token.data, (size_t)first}, header, sizeof header, &size) &&
	       memmem(header, size, "\"alg\"", 5) != NULL;
}

/* A dot or dash that ends a sentence is not of it.  No longer than one more than most. */
static struct text body_of(struct text rest, const struct form *form)
{
	struct text body = {rest.data, 0};

	while (body.length < rest.length && body.length <= form->most &&
		is_letter(rest.data[body.length], form->letters))
		body.length++;
	while (body.length > form->least && body.length > 0 &&
		(body.data[body.length - 1] == '.' || body.data[body.length - 1] == '-'))
		body.length--;
	return body;
}

struct looking {
	struct text text;
	struct secret_spans *out;
	size_t left; /* letters that may still be looked at behind prefixes */
};

/* The length of the form that the text begins with; 0: it does not.  When too much was
 * looked at already, all of it. */
static size_t form_match(struct looking *looking, struct text text, uint32_t which)
{
	const struct form *form = &forms[which];
	struct text body;
	size_t prefix;

	/* Most differ in the first letter. */
	if (*form->prefix != *text.data || !text_starts_with(text, form->prefix))
		return 0;
	prefix = strlen(form->prefix);
	body = body_of((struct text){text.data + prefix, text.length - prefix}, form);
	if (looking->left < body.length)
		return text.length;
	looking->left -= body.length;
	if (body.length < form->least || body.length > form->most || !is_by_chance(body, form))
		return 0;
	if (which == FORM_JWT && !is_jwt((struct text){text.data, prefix + body.length}))
		return 0;
	return prefix + body.length;
}

static void add_unless_known(struct secret_spans *out, const struct secret_span *span)
{
	for (uint32_t i = 0; i < out->count; i++)
		if (out->items[i].start < span->end && span->start < out->items[i].end)
			return;
	secret_spans_add(out, span);
}

/* Where a word may begin: behind what is no letter, or behind an escaped line end. */
static bool is_begin(struct text text, size_t at)
{
	return at == 0 || (kinds_of(text.data[at - 1]) & (IS_UPPER | IS_LOWER | IS_DIGIT)) == 0 ||
	       (at >= 2 && text.data[at - 2] == '\\');
}

/* All of one run; a form that is found is passed over. */
static void look_at_run(struct looking *looking, size_t start, size_t end)
{
	const struct text text = looking->text;
	size_t at = start;

	while (at < end && !looking->out->is_full) {
		const struct text rest = {text.data + at, end - at};
		size_t length = 0;

		if ((kinds_of(*rest.data) & IS_BEGIN) != 0 && is_begin(text, at))
			for (uint32_t form = FORM_JWT; length == 0 && form < FORM_COUNT; form++) {
				struct secret_span span = {.kind = SECRET_FOREIGN, .what = form};

				length = form_match(looking, rest, form);
				span.start = at;
				span.end = at + length;
				if (length != 0)
					add_unless_known(looking->out, &span);
			}
		at += length == 0 ? 1 : length;
	}
}

static void look_at_runs(struct looking *looking)
{
	const struct text text = looking->text;
	size_t at = RUN_BYTES_LEAST - 1, begun = 0;

	while (at < text.length) {
		size_t start = at, end = at;

		if (!is_run(text.data[at])) {
			begun = at + 1;
			at += RUN_BYTES_LEAST;
			continue;
		}
		while (start > begun && is_run(text.data[start - 1]))
			start--;
		while (end < text.length && is_run(text.data[end]))
			end++;
		if (end - start >= RUN_BYTES_LEAST)
			look_at_run(looking, start, end);
		begun = end;
		at = end + RUN_BYTES_LEAST;
	}
}

/* ---- private keys ---- */

static const char begin_line[] = "-----BEGIN ";
static const char end_line[] = "-----END ";
static const char key_label[] = "PRIVATE KEY-----";

/* Behind the label that rest begins with, or 0 if it is no private key's. */
static size_t label_end(struct text rest)
{
	size_t label = sizeof key_label - 1, most = rest.length;
	const char *found;

	if (most > LABEL_BYTES_MAX + label)
		most = LABEL_BYTES_MAX + label;
	found = most == 0 ? NULL : memmem(rest.data, most, key_label, label);
	return found == NULL ? 0 : (size_t)(found - rest.data) + label;
}

static bool is_base64_letter(char c)
{
	return (kinds_of(c) & (IS_UPPER | IS_LOWER | IS_DIGIT)) != 0 || c == '+' || c == '/';
}

/* Whether a line of a key follows, behind line ends of whatever spelling. */
static bool is_key_next(struct text rest)
{
	size_t at = 0, letters = 0;

	while (at < rest.length && strchr("\r\n \t", rest.data[at]) != NULL)
		at++;
	while (at + 1 < rest.length && rest.data[at] == '\\' &&
		strchr("nr\\", rest.data[at + 1]) != NULL)
		at += rest.data[at + 1] == '\\' ? 1 : 2;
	while (at < rest.length && letters < KEY_LETTERS_LEAST && is_base64_letter(rest.data[at])) {
		at++;
		letters++;
	}
	return letters == KEY_LETTERS_LEAST;
}

/* Behind the last line of the key, or the end of the text. */
static size_t key_end(struct text text, size_t from)
{
	while (from < text.length) {
		const char *found =
			memmem(text.data + from, text.length - from, end_line, sizeof end_line - 1);
		size_t end;

		if (found == NULL)
			break;
		from = (size_t)(found - text.data) + sizeof end_line - 1;
		end = label_end((struct text){text.data + from, text.length - from});
		if (end != 0)
			return from + end;
	}
	return text.length;
}

static void look_for_keys(struct text text, struct secret_spans *out)
{
	size_t at = 0;

	while (at < text.length) {
		const char *found =
			memmem(text.data + at, text.length - at, begin_line, sizeof begin_line - 1);
		size_t label, behind;

		if (found == NULL)
			return;
		behind = (size_t)(found - text.data) + sizeof begin_line - 1;
		label = label_end((struct text){text.data + behind, text.length - behind});
		at = behind + label;
		if (label != 0 && is_key_next((struct text){text.data + at, text.length - at})) {
			at = key_end(text, at);
			add_unless_known(out, &(struct secret_span){(size_t)(found - text.data), at,
						      SECRET_FOREIGN, FORM_PRIVATE_KEY});
		}
	}
}

void foreign_find(struct text text, struct secret_spans *out)
{
	struct looking looking = {.text = text, .out = out};

	if (text.length < RUN_BYTES_LEAST)
		return;
	looking.left = text.length > SIZE_MAX / (2 * LOOKED_FACTOR)
			       ? SIZE_MAX
			       : LOOKED_FACTOR * text.length + LOOKED_LETTERS_LEAST;
	look_for_keys(text, out);
	look_at_runs(&looking);
}
