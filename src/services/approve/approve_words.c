/* The words of the states of an approval. */

#include "services/approve/approve.h"

static const char *const state_words[] = {
	[APPROVAL_NONE] = "none",
	[APPROVAL_PENDING] = "pending",
	[APPROVAL_APPROVED] = "approved",
	[APPROVAL_REJECTED] = "rejected",
	[APPROVAL_STALE] = "stale",
	[APPROVAL_EXPIRED] = "expired",
	[APPROVAL_USED] = "used",
	[APPROVAL_EDITED] = "edited",
};

const char *approval_state_word(enum approval_state value)
{
	return (size_t)value < sizeof(state_words) / sizeof(*state_words) ? state_words[value]
									  : state_words[0];
}

const char *approval_event_word(enum approval_event event)
{
	static const char *const words[] = {
		[APPROVAL_EVENT_ASKED] = "asked",
		[APPROVAL_EVENT_ANSWERED] = "answered",
		[APPROVAL_EVENT_CLOSED] = "closed",
	};

	return (size_t)event < sizeof words / sizeof *words ? words[event] : NULL;
}
