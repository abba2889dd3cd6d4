#include "main/verify_charter.h"

#include "domain/charter/proof.h"

static bool prove(struct charter_proof *out, const struct registry_entry *entry)
{
	struct error err;

	return entry != NULL && entry->in_force != NULL && entry->ceiling != NULL &&
	       charter_prove(out, entry->in_force, entry->ceiling, &err);
}

void verify_charter_append(
	struct buffer *out, const struct registry *registry, const char *identity)
{
	const struct registry_entry *entry = registry_find_identity(registry, text_of(identity));
	char document[DIGEST_TEXT_BYTES], enforced[DIGEST_TEXT_BYTES];
	struct charter_proof proof;

	if (!prove(&proof, entry)) {
		buffer_append_string(out, "charter: nothing is in force of ");
		buffer_append_visible(out, text_of(identity));
		buffer_append_string(out, "\n");
		return;
	}
	digest_format(document, &proof.document);
	digest_format(enforced, &proof.enforced);
	buffer_append_format(out,
		"charter: %.*s@%u, revision %llu\n  document  %s\n  enforced  %s\n",
		TEXT_ARGS(entry->name), entry->in_force->version,
		(unsigned long long)entry->in_force->revision, document, enforced);
}

void verify_charter_put(
	struct json_builder *report, const struct registry *registry, const char *identity)
{
	const struct registry_entry *entry = registry_find_identity(registry, text_of(identity));
	struct json value = {.type = JSON_NULL};
	struct charter_proof proof;
	struct json_builder object;
	struct error err;

	if (prove(&proof, entry)) {
		json_object_start(&object, report->arena);
		json_put_text(&object, "identity", entry->name);
		json_put_integer(&object, "version", entry->in_force->version);
		json_put_integer(&object, "revision", (int64_t)entry->in_force->revision);
		json_put_digest(&object, "document", &proof.document);
		json_put_digest(&object, "enforced", &proof.enforced);
		if (!json_object_seal(&object, &value, &err))
			value = (struct json){.type = JSON_NULL};
	}
	json_put(report, "charter", value);
}
