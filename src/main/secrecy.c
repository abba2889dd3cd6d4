#include "main/secrecy.h"

#include <string.h>

enum {
	DAY_S = 24 * 60 * 60,
	NAMES_ARENA_BYTES = 1024 * 1024,
	SIGHTING_ARENA_BYTES = 16 * 1024,
};

static enum secret_handling handling_of(const char *word)
{
	if (strcmp(word, "pass") == 0)
		return SECRETS_PASSED;
	return strcmp(word, "redact") == 0 ? SECRETS_REDACTED : SECRETS_BLOCKED;
}

/* One sentence for whoever looks at the finding; nothing of the secret is in it. */
static void report_sighting(void *context, const struct secret_sighting *sighting)
{
	struct finding_service *const *findings = context;
	const char *kind = secret_kind_word(sighting->kind);
	struct arena *arena = *findings == NULL ? NULL : arena_create(SIGHTING_ARENA_BYTES);
	struct finding_draft draft = {
		.kind = FINDING_SECRET_SEEN, .control = "G-21", .task = sighting->task};
	struct error err = {0};

	if (arena == NULL)
		return;
	draft.subject = text_format(arena, "%s/%.*s", kind, TEXT_ARGS(sighting->subject));
	draft.what = text_format(arena, "A secret (%s: %.*s%s%.*s) was seen in %s%s%.*s%s%.*s.",
		kind, TEXT_ARGS(sighting->subject), sighting->fingerprint.length > 0 ? ", " : "",
		TEXT_ARGS(sighting->fingerprint), secret_place_word(sighting->place),
		sighting->identity.length > 0 ? " of a call of " : "",
		TEXT_ARGS(sighting->identity), sighting->tool.length > 0 ? " to " : "",
		TEXT_ARGS(sighting->tool));
	if (draft.subject.data != NULL && draft.what.data != NULL &&
		!finding_report(*findings, &draft, &err))
		log_warn("sighting_not_reported", LOG_STRING("why", err.text));
	arena_destroy(&arena);
}

bool secrecy_open(struct detector **out, const struct settings *settings,
	const struct secrecy_place *place, struct error *err)
{
	const struct detector_settings detector = {
		.folder = place->folder,
		.master = place->master,
		.sightings = {(void *)(uintptr_t)place->findings, report_sighting},
		.kept_ms = settings->fingerprints_kept_days * DAY_S * 1000,
		.own = handling_of(settings->own_secrets),
		.foreign = handling_of(settings->foreign_secrets),
	};

	if (!detector_open(out, &detector, err))
		return false;
	if (detector_was_lost(*out))
		log_warn("fingerprints_lost",
			LOG_STRING("why", "keys/fingerprints cannot be read; secrets are known "
					  "again as they are used"));
	return true;
}

void secrecy_change(struct detector *detector, const struct settings *settings)
{
	detector_handle(detector, handling_of(settings->own_secrets),
		handling_of(settings->foreign_secrets));
}

void secrecy_learn_stored(struct detector *detector, const struct secrets *secrets)
{
	struct arena *arena = arena_create(NAMES_ARENA_BYTES);
	struct json names = {.type = JSON_NULL};
	struct secret secret;
	struct error err;

	if (arena == NULL || !secrets_list(secrets, arena, &names, &err))
		names.count = 0;
	for (uint32_t i = 0; i < names.count; i++) {
		if (!secrets_resolve(secrets, names.items[i].string, &secret, &err)) {
			log_warn("secret_not_looked_for",
				LOG_TEXT("reference", names.items[i].string),
				LOG_STRING("why", err.text));
			continue;
		}
		detector_learn_credential(
			detector, names.items[i].string, (struct text){secret.bytes, secret.size});
		secret_clear(&secret);
	}
	arena_destroy(&arena);
}

/* ---- ports ---- */

static void credential_used(void *context, struct text reference, struct text value)
{
	detector_learn_credential(context, reference, value);
}

struct credential_listener secrecy_credentials(struct detector *detector)
{
	return (struct credential_listener){detector, credential_used};
}

static void code_issued(void *context, struct text code, int64_t ends_utc_ms)
{
	detector_learn_code(context, code, ends_utc_ms);
}

struct code_listener secrecy_codes(struct detector *detector)
{
	return (struct code_listener){detector, code_issued};
}

static unsigned look_at_question(void *context, const struct json *arguments)
{
	struct secret_tally tally = {0};

	detector_count(context, arguments, &tally);
	return tally.kinds;
}

struct decide_secrets secrecy_questions(struct detector *detector)
{
	return (struct decide_secrets){detector, look_at_question};
}

static bool hides(void *context, struct text value)
{
	return detector_sees(context, value);
}

struct log_filter secrecy_log(struct detector *detector)
{
	return (struct log_filter){detector, hides};
}

void secrecy_token(void *detector, struct text token, int64_t expires_utc_s)
{
	detector_learn_token(detector, token, expires_utc_s * 1000);
}
