/* The list of identities that somebody has to answer for. */
#include "domain/charter/owner.h"
#include "services/registry/registrar_private.h"

struct needing {
	const struct registry *registry;
	const struct registrar_need_query *asked;
	struct arena *arena;
	struct json_builder items;
	struct error *err;
	struct text last;
	uint32_t count;
	uint32_t looked;
	bool has_more;
	bool has_failed;
};

/* From when it is refused what. */
static void put_ends(const struct needing *needing, struct json_builder *object, int64_t left_utc_s)
{
	if (left_utc_s == 0)
		return;
	json_put_time(object, "left", left_utc_s * 1000);
	json_put_time(object, "writes_end", (left_utc_s + needing->asked->writes_s) * 1000);
	json_put_time(object, "all_ends", (left_utc_s + needing->asked->all_s) * 1000);
}

static bool need_json(struct needing *needing, const struct registry_entry *identity,
	enum owner_need need, struct json *out)
{
	struct json_builder object;

	json_object_start(&object, needing->arena);
	json_put_text(&object, "identity", identity->name);
	json_put_cstring(&object, "need", owner_need_word(need));
	json_put_text(&object, "unit", charter_of(identity->in_force)->unit);
	json_put_cstring(&object, "state", identity_state_word(identity->state));
	json_put_text(&object, "owner", owner_of(identity));
	json_put_text(&object, "backup_owner", owner_backup_of(needing->registry, identity));
	put_ends(needing, &object, owner_left_utc_s(needing->registry, identity));
	return json_object_seal(&object, out, needing->err);
}

static bool look(void *context, const struct registry_entry *identity)
{
	struct needing *needing = context;
	enum owner_need need = owner_need_of(needing->registry, identity);
	struct json item;

	if (needing->count == needing->asked->count || needing->looked++ == REGISTRAR_NEEDS_LOOKS) {
		needing->has_more = true;
		return false;
	}
	needing->last = identity->name;
	if (need == OWNER_NEED_NONE)
		return true;
	needing->has_failed = !need_json(needing, identity, need, &item);
	if (needing->has_failed)
		return false;
	json_add(&needing->items, item);
	needing->count++;
	return true;
}

bool registrar_needs(const struct registrar *registrar, const struct registrar_need_query *asked,
	struct arena *arena, struct json *out, struct text *next, struct error *err)
{
	struct needing needing = {
		.registry = registrar->registry, .asked = asked, .arena = arena, .err = err};

	json_array_start(&needing.items, arena);
	registry_each(registrar->registry, OBJECT_IDENTITY, asked->after, look, &needing);
	*next = needing.has_more ? needing.last : TEXT("");
	return !needing.has_failed && json_array_seal(&needing.items, out, err);
}
