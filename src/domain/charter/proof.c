#include "domain/charter/proof.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "cedar/from_json.h"
#include "remit/cedar.h"

enum { PROOF_BYTES_MAX = 16 * 1024 * 1024, PROOF_POLICY_BYTES_MAX = 1024 * 1024 };

static struct text text_from(struct cedar_text t)
{
	return (struct text){t.data, t.length};
}

/* The id and the text of one permit, each with its length before it, so that no two lists of
 * permits make the same bytes. */
static bool append_policy(struct buffer *out, const struct cedar_policy_set *policies, size_t index,
	struct arena *arena)
{
	struct text id = text_from(cedar_policy_set_get(policies, index).id);
	struct text policy =
		text_from(cedar_policy_format(policies, index, cedar_arena_from(arena)));

	if (policy.data == NULL)
		return false;
	buffer_append_format(out, "%zu %zu\n", id.length, policy.length);
	buffer_append_text(out, id);
	buffer_append_text(out, policy);
	arena_reset(arena);
	return !buffer_failed(out);
}

static bool digest_ceiling(struct sha256 *out, struct ceiling *ceiling, struct error *err)
{
	const struct cedar_policy_set *policies = ceiling_policies(ceiling);
	struct arena *arena = arena_create_small(PROOF_POLICY_BYTES_MAX, 4096);
	struct buffer permits;
	bool ok = arena != NULL && policies != NULL;

	buffer_init(&permits, PROOF_BYTES_MAX);
	for (size_t i = 0; ok && i < cedar_policy_set_count(policies); i++)
		ok = append_policy(&permits, policies, i, arena);
	if (ok)
		*out = sha256_of(buffer_text(&permits).data, buffer_text(&permits).length);
	buffer_deinit(&permits);
	arena_destroy(&arena);
	return ok || error_set(err, ERROR_LIMIT, "no memory for the proof of a charter");
}

static bool digest_charter(struct sha256 *out, const struct object *identity, struct error *err)
{
	const struct object *whole = object_whole(identity);
	bool ok = whole != NULL
			  ? json_digest(out, object_charter_document(whole, &whole->as_read),
				    OBJECT_BYTES_MAX, err)
			  : error_set(err, ERROR_LIMIT, "no memory for the proof of a charter");

	object_release(&whole);
	return ok;
}

bool charter_prove(struct charter_proof *out, const struct object *identity,
	struct ceiling *ceiling, struct error *err)
{
	return digest_charter(&out->document, identity, err) &&
	       digest_ceiling(&out->enforced, ceiling, err);
}

static bool prove_object(struct charter_proof *out, const struct object *identity, uint32_t version,
	struct error *err)
{
	struct ceiling *ceiling = NULL;
	bool ok = ceiling_compile(&ceiling, NULL, identity, version, err) &&
		  charter_prove(out, identity, ceiling, err);

	ceiling_destroy(&ceiling);
	return ok;
}

bool charter_prove_document(
	struct charter_proof *out, const struct json *document, uint32_t version, struct error *err)
{
	struct arena *arena = arena_create_small(PROOF_POLICY_BYTES_MAX, 4096);
	struct problems problems = {.arena = arena};
	struct object *object = NULL;
	const struct object *held;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the proof of a charter");
	if (!object_parse(&object, document, TEXT("record"), &problems))
		error_set(err, ERROR_INVALID, "the document on record is no charter: %.*s",
			TEXT_ARGS(problems.items[0].what));
	else if (object->kind != OBJECT_IDENTITY)
		error_set(err, ERROR_INVALID, "the document on record is no charter");
	else
		ok = prove_object(out, object, version, err);
	held = object;
	object_release(&held);
	arena_destroy(&arena);
	return ok;
}

bool charter_proof_equal(const struct charter_proof *a, const struct charter_proof *b)
{
	return sha256_equal(&a->document, &b->document) && sha256_equal(&a->enforced, &b->enforced);
}
