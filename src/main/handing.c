#include "main/handing.h"

#include <stdlib.h>

/* Freed when its token was made or refused. */
struct handing {
	struct issue_hand made;
	struct call_hand *asked;
};

static void on_made(struct issue_hand *made)
{
	struct handing *handing = made->context;
	const struct token_signing *signing = &made->signing;

	handing->asked->done(handing->asked, signing->is_signed ? signing->token : TEXT(""),
		signing->is_signed ? NULL : &signing->err);
	free(handing);
}

static bool make(void *context, struct text task, struct text peer, struct call_hand *hand,
	struct error *err)
{
	struct issue *const *issue = context;
	struct handing *handing = calloc(1, sizeof *handing);

	if (handing == NULL || *issue == NULL) {
		free(handing);
		return error_set(err, ERROR_LIMIT, "no token can be made just now");
	}
	*handing = (struct handing){.made = {.done = on_made, .context = handing}, .asked = hand};
	issue_hand_on(*issue, task, peer, &handing->made);
	return true;
}

struct call_handing handing_port(struct issue **issue)
{
	return (struct call_handing){.context = issue, .make = make};
}
