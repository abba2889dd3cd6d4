/* An identity that acts while the organisation has no guardrail is held by its charter alone.
 * remit forces none on anybody: it says so, at the start and at each change of the registry
 * while it is so. */

#include "base/log.h"
#include "services/finding/finding_private.h"

static bool is_no_guardrail(void *context, const struct registry_entry *entry)
{
	bool *found = context;

	*found = entry->in_force != NULL &&
		 text_is(object_unit(entry->in_force), REGISTRY_ORGANISATION);
	return !*found;
}

static bool is_not_active(void *context, const struct registry_entry *entry)
{
	bool *found = context;

	*found = entry->in_force != NULL && entry->state == IDENTITY_ACTIVE;
	return !*found;
}

void finding_check_guardrails(struct finding_service *service)
{
	const struct finding_draft draft = {.kind = FINDING_NO_GUARDRAILS,
		.subject = TEXT(REGISTRY_ORGANISATION),
		.control = "G-34",
		.what = TEXT("Identities act, and no guardrail of the organisation is in force; "
			     "remit policy publish --shipped proposes those that come with "
			     "remit.")};
	bool is_guarded = false, has_active = false;
	struct error err;

	registry_each(service->registry, OBJECT_POLICY, TEXT(""), is_no_guardrail, &is_guarded);
	if (is_guarded)
		return;
	registry_each(service->registry, OBJECT_IDENTITY, TEXT(""), is_not_active, &has_active);
	if (has_active && !finding_report(service, &draft, &err))
		log_warn("no_guardrails_not_reported", LOG_STRING("why", err.text));
}

static bool look(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct finding_service *service = state;

	(void)record;
	(void)index;
	(void)err;
	if (!fold_is_loading(service->fold))
		finding_check_guardrails(service);
	return true;
}

bool finding_watch_registry(struct finding_service *service, struct error *err)
{
	const struct fold_handler changes = {.type = "registry", .apply = look, .state = service};
	const struct fold_handler states = {.type = "state", .apply = look, .state = service};

	return fold_add(service->fold, &changes, err) && fold_add(service->fold, &states, err);
}
