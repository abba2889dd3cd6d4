/* What people have to look at: a connector that is silent, or that would take most of its
 * inventory away. */
#include <stdio.h>

#include "base/log.h"
#include "services/connector/connector_private.h"

enum { SUBJECT_BYTES = 128 };

static struct text subject_of(const struct refresh *refresh, char buffer[SUBJECT_BYTES])
{
	int length = snprintf(buffer, SUBJECT_BYTES, "connector/%.*s",
		TEXT_ARGS(refresh_connector(refresh)->name));

	return (struct text){buffer, length < 0 ? 0 : (size_t)length};
}

void connector_report(struct refresh *refresh, enum finding_kind kind, const char *what)
{
	char buffer[SUBJECT_BYTES];
	const struct connector *connector = refresh_connector(refresh);
	const struct finding_draft draft = {.kind = kind,
		.subject = subject_of(refresh, buffer),
		.control = "G-12",
		.what = text_of(what),
		.unit = connector->unit,
		.causer = connector->owner};
	struct error err = {0};

	if (!finding_report(refresh->service->parts.finding, &draft, &err))
		log_warn("finding_lost", LOG_TEXT("connector", connector->name),
			LOG_STRING("why", err.text));
}

static void settle(struct finding_service *findings, enum finding_kind kind, struct text subject,
	const char *reason)
{
	const struct finding *finding = finding_find_about(findings, kind, subject);
	struct error err = {0};

	if (finding != NULL && !finding_settle(findings, finding->id, reason, &err))
		log_warn("finding_kept", LOG_TEXT("finding", finding->id),
			LOG_STRING("why", err.text));
}

void connector_settle(struct refresh *refresh, enum finding_kind kind, const char *reason)
{
	char buffer[SUBJECT_BYTES];

	settle(refresh->service->parts.finding, kind, subject_of(refresh, buffer), reason);
}

/* ---- accounts ---- */

static struct text subject_of_account(struct text account, char buffer[FINDING_SUBJECT_BYTES_MAX])
{
	int length =
		snprintf(buffer, FINDING_SUBJECT_BYTES_MAX, "containment/%.*s", TEXT_ARGS(account));

	return (struct text){buffer, length < 0 ? 0 : (size_t)length};
}

void containment_report(struct connector_service *service, const struct connector *connector,
	struct text account, const char *what)
{
	char buffer[FINDING_SUBJECT_BYTES_MAX];
	struct finding_draft draft = {.kind = FINDING_CONTAINMENT_OPEN,
		.subject = subject_of_account(account, buffer),
		.control = "G-45",
		.what = text_of(what)};
	struct error err = {0};

	if (connector != NULL) {
		draft.unit = connector->unit;
		draft.causer = connector->owner;
	}
	if (!finding_report(service->parts.finding, &draft, &err))
		log_warn("finding_lost", LOG_TEXT("account", account), LOG_STRING("why", err.text));
}

void containment_settle(struct connector_service *service, struct text account)
{
	char buffer[FINDING_SUBJECT_BYTES_MAX];

	settle(service->parts.finding, FINDING_CONTAINMENT_OPEN,
		subject_of_account(account, buffer), "its provider says that the account is off");
}
