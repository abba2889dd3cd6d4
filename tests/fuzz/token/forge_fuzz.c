/* Forgeries: good tokens of each kind, edited, cut and put together from parts of each
 * other as the input says.  Nothing but the very token of a kind is accepted as one.
 *
 * The input: which token, then edits of four bytes: what, where (two), with what. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/token/access_token.h"
#include "domain/token/client_assertion.h"
#include "domain/token/request_signature.h"

enum { NOW_S = 1793491200, FORGED_BYTES_MAX = 4096, EDIT_BYTES = 4, KINDS = 4 };
enum kind { ACCESS, ASSERTION, EDWARDS, REQUEST };
enum { EDIT_BYTE, EDIT_BIT, EDIT_INSERT, EDIT_REMOVE, EDIT_PART, EDIT_CUT, EDITS };

static const struct text issuer = {"https://remit.example", 21};
static const struct text audience = {"https://remit.example/mcp/files", 31};
static const struct signed_request request = {.audience = {"remit-one", 9},
	.method = {"GET", 3},
	.url = {"https://remit.example/v1/x", 26}};

struct made {
	struct private_key *keys[KINDS];
	char texts[KINDS][FORGED_BYTES_MAX];
	size_t sizes[KINDS];
};

static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

static void keep(struct made *made, enum kind kind, const struct buffer *out)
{
	must(!buffer_failed(out) && out->length < FORGED_BYTES_MAX);
	memcpy(made->texts[kind], out->data, out->length);
	made->sizes[kind] = out->length;
}

static void build(struct made *made, enum kind kind, struct arena *arena, struct buffer *out)
{
	const struct access_token said = {
		.issuer = issuer,
		.identity = TEXT("a1"),
		.audience = audience,
		.id = TEXT("one"),
		.task = TEXT("t-1"),
		.scope = TEXT(ACCESS_TOKEN_SCOPE),
		.environment = ENVIRONMENT_STAGING,
		.issued_utc_s = NOW_S,
		.expires_utc_s = NOW_S + 900,
	};
	const struct private_key *key = made->keys[kind];
	struct error err = {0};
	struct json claims;

	if (kind == REQUEST)
		must(request_signature_build(out, key, TEXT("ana"), &request, NOW_S, &err));
	else if (kind == ACCESS)
		must(access_token_claims(&claims, arena, &said, &err) &&
			jws_sign(out, key, ACCESS_TOKEN_TYPE, TEXT("k"), &claims, &err));
	else
		must(client_assertion_build(out, key, TEXT("a1"), issuer, NOW_S, &err));
}

/* Made once: keys are fresh in each run, and an input edits what it finds. */
static const struct made *make(void)
{
	/* What each call needs and the first makes. */
	static struct made made;

	if (made.sizes[0] != 0)
		return &made;
	for (int kind = 0; kind < KINDS; kind++) {
		struct arena *arena = arena_create(TOKEN_ARENA_BYTES_MAX);
		struct error err = {0};
		struct buffer out;

		must(private_key_generate(&made.keys[kind],
			kind == EDWARDS ? SIGNATURE_ED25519 : SIGNATURE_ES256, &err));
		buffer_init(&out, FORGED_BYTES_MAX);
		build(&made, (enum kind)kind, arena, &out);
		keep(&made, (enum kind)kind, &out);
		buffer_deinit(&out);
		arena_destroy(&arena);
	}
	return &made;
}

/* ---- edits ---- */

struct forged {
	char bytes[FORGED_BYTES_MAX];
	size_t size;
};

/* The part between two dots, or as much of it as there is. */
static struct text part_of(struct text token, unsigned number)
{
	ptrdiff_t dot;

	for (; number > 0 && (dot = text_find_byte(token, '.')) >= 0; number--)
		token = text_after(token, (size_t)dot + 1);
	dot = text_find_byte(token, '.');
	return dot < 0 ? token : (struct text){token.data, (size_t)dot};
}

static void replace(struct forged *forged, struct text old, struct text new)
{
	size_t at = (size_t)(old.data - forged->bytes), behind = at + old.length;

	if (forged->size - old.length + new.length > FORGED_BYTES_MAX)
		return;
	memmove(forged->bytes + at + new.length, forged->bytes + behind, forged->size - behind);
	memcpy(forged->bytes + at, new.data, new.length);
	forged->size += new.length - old.length;
}

static void edit(struct forged *forged, const struct made *made, const uint8_t *how)
{
	size_t at = forged->size == 0 ? 0 : (how[1] * 256U + how[2]) % forged->size;
	struct text whole = {forged->bytes, forged->size};
	unsigned other = how[3] % KINDS;

	if (forged->size == 0)
		return;
	switch (how[0] % EDITS) {
	case EDIT_BYTE: forged->bytes[at] = (char)how[3]; break;
	case EDIT_BIT: forged->bytes[at] = (char)(forged->bytes[at] ^ 1 << how[3] % 8); break;
	case EDIT_INSERT:
		replace(forged, (struct text){forged->bytes + at, 0},
			(struct text){(const char *)how + 3, 1});
		break;
	case EDIT_REMOVE: replace(forged, (struct text){forged->bytes + at, 1}, TEXT("")); break;
	case EDIT_PART:
		replace(forged, part_of(whole, how[1] % 3),
			part_of((struct text){made->texts[other], made->sizes[other]}, how[2] % 3));
		break;
	case EDIT_CUT: forged->size = at; break;
	}
}

/* ---- what is made of it ---- */

static enum token_reason shown(
	const struct made *made, enum kind door, struct arena *arena, struct text token)
{
	const struct public_key *key = private_key_public(made->keys[door]);
	const struct access_token_rules rules = {issuer, audience, 86400, NOW_S};
	struct request_signature signature;
	struct client_assertion assertion;
	struct access_token said;
	enum token_reason reason;

	if (door == ACCESS)
		return access_token_check(&said, arena, token, key, &rules);
	if (door == REQUEST) {
		reason = request_signature_parse(&signature, arena, token);
		return reason != TOKEN_ACCEPTED
			       ? reason
			       : request_signature_check(&signature, key, &request, NOW_S);
	}
	reason = client_assertion_parse(&assertion, arena, token);
	return reason != TOKEN_ACCEPTED
		       ? reason
		       : client_assertion_check(&assertion, key, TEXT("a1"), issuer, NOW_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct made *made = make();
	struct arena *arena = arena_create(4 * TOKEN_ARENA_BYTES_MAX);
	struct forged forged;
	unsigned of = size == 0 ? 0 : data[0] % KINDS;

	must(arena != NULL);
	memcpy(forged.bytes, made->texts[of], made->sizes[of]);
	forged.size = made->sizes[of];
	for (size_t i = 1; i + EDIT_BYTES <= size; i += EDIT_BYTES)
		edit(&forged, made, data + i);
	for (int door = 0; door < KINDS; door++) {
		struct text token = {forged.bytes, forged.size};
		struct text own = {made->texts[door], made->sizes[door]};
		bool is_accepted = shown(made, (enum kind)door, arena, token) == TOKEN_ACCEPTED;

		/* Unless edits led back to the token itself; and then it must hold. */
		assert(is_accepted == text_equal(token, own));
		arena_reset(arena);
	}
	arena_destroy(&arena);
	return 0;
}
