/* Whether what is enforced of a charter is what the log says of it. */
#include "domain/charter/nearest.h"
#include "domain/charter/proof.h"
#include "domain/charter/registry_fold.h"
#include "services/living/living_private.h"

/* What the record put under the identity's name as that version; NULL: nothing. */
static const struct json *document_of(
	const struct json *record, struct text identity, uint32_t version)
{
	const struct json *changes = json_find(record, "changes");

	for (uint32_t i = 0; changes != NULL && changes->type == JSON_ARRAY && i < changes->count;
		i++) {
		const struct json *change = &changes->items[i];

		if (text_is(json_text_or(change, "kind", ""), "identity") &&
			text_equal(json_text_or(change, "name", ""), identity) &&
			registry_change_number(change, "version") == version)
			return json_find(change, "object");
	}
	return NULL;
}

static bool put_proof(struct json *out, struct arena *arena, const struct registry_entry *entry,
	const struct charter_proof proofs[2], struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "identity", entry->name);
	json_put_integer(&object, "version", entry->in_force->version);
	json_put_integer(&object, "revision", (int64_t)entry->in_force->revision);
	json_put_digest(&object, "document", &proofs[0].document);
	json_put_digest(&object, "held", &proofs[1].document);
	json_put_digest(&object, "permits", &proofs[0].enforced);
	json_put_digest(&object, "enforced", &proofs[1].enforced);
	json_put_boolean(&object, "equal", charter_proof_equal(&proofs[0], &proofs[1]));
	return json_object_seal(&object, out, err);
}

bool living_prove(const struct living_service *living, const struct living_proof_query *asked,
	struct arena *arena, struct json *out, struct error *err)
{
	const struct registry_entry *entry =
		registry_find_identity(living->registry, asked->identity);
	struct charter_proof proofs[2]; /* of the record, of what is held */
	const struct json *document;

	if (entry == NULL)
		return name_unknown(living->registry, OBJECT_IDENTITY, asked->identity, err);
	if (entry->ceiling == NULL)
		return error_set(err, ERROR_CONFLICT, "%.*s is %s: nothing of it is enforced",
			TEXT_ARGS(entry->name), identity_state_word(entry->state));
	document = document_of(asked->record, asked->identity, entry->in_force->version);
	if (document == NULL)
		return error_set(err, ERROR_INVALID,
			"that record did not put %.*s@%u there; the registry's record of revision "
			"%llu did",
			TEXT_ARGS(entry->name), entry->in_force->version,
			(unsigned long long)entry->in_force->revision);
	return charter_prove_document(&proofs[0], document, entry->in_force->version, err) &&
	       charter_prove(&proofs[1], entry->in_force, entry->ceiling, err) &&
	       put_proof(out, arena, entry, proofs, err);
}
