/* A person looked at an identity again. */
#include "services/living/living_private.h"

#include "domain/charter/nearest.h"

bool living_put_done(const struct living_service *living, struct text identity, uint64_t through,
	struct json_builder *record, struct error *err)
{
	const struct living_node *node = living_find(living, identity);
	struct json_builder array;
	struct json causes;

	json_array_start(&array, record->arena);
	for (uint32_t i = 0; node != NULL && i < node->dues_count; i++)
		if (node->dues[i].index <= through)
			json_add(&array,
				json_string(text_of(review_cause_word(node->dues[i].cause))));
	if (!json_array_seal(&array, &causes, err))
		return false;
	json_put(record, "causes", causes);
	json_put_integer(record, "through", (int64_t)through);
	json_put_text(record, "identity", text_copy(record->arena, identity));
	return true;
}

/* What is due of it when the person says so; a later one is another question. */
static uint64_t newest_due(const struct living_service *living, struct text identity)
{
	const struct living_node *node = living_find(living, identity);
	uint64_t through = 0;

	for (uint32_t i = 0; i < node->dues_count; i++)
		if (node->dues[i].index > through)
			through = node->dues[i].index;
	return through;
}

static bool check(
	const struct living_service *living, const struct living_look *request, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(living->registry, OBJECT_IDENTITY, request->identity);
	const struct living_node *node = living_find(living, request->identity);

	if (entry == NULL)
		return name_unknown(living->registry, OBJECT_IDENTITY, request->identity, err);
	if (!registry_may(living->registry, request->actor, PEOPLE_LOOK, entry, err))
		return false;
	if (request->reason.length == 0 || request->reason.length > LIVING_REASON_BYTES_MAX ||
		!text_is_utf8(request->reason))
		return error_set(err, ERROR_INVALID, "say what came of it, in 1 to %d bytes",
			LIVING_REASON_BYTES_MAX);
	return (node != NULL && node->dues_count > 0) ||
	       error_set(
		       err, ERROR_CONFLICT, "nothing is due of %.*s", TEXT_ARGS(request->identity));
}

bool living_look(
	struct living_service *living, const struct living_look *request, struct error *err)
{
	struct json_builder *object;
	struct living_work *work;

	if (!check(living, request, err) ||
		!living_work_create(&work, living, "review-done", request->actor, err))
		return false;
	work->context = request->context;
	work->done = request->done;
	object = &work->record->object;
	json_put_text(object, "reason", request->reason);
	if (living_put_done(
		    living, request->identity, newest_due(living, request->identity), object, err))
		return living_work_submit(work, err);
	living_work_destroy(work);
	return false;
}
