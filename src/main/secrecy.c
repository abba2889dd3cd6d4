#include "main/secrecy.h"

#include <string.h>

enum { DAY_S = 24 * 60 * 60, NAMES_ARENA_BYTES = 1024 * 1024 };

static enum secret_handling handling_of(const char *word)
{
	if (strcmp(word, "pass") == 0)
		return SECRETS_PASSED;
	return strcmp(word, "redact") == 0 ? SECRETS_REDACTED : SECRETS_BLOCKED;
}

bool secrecy_open(struct detector **out, const struct settings *settings, const char *folder,
	const struct seal_key *master, struct error *err)
{
	const struct detector_settings detector = {
		.folder = folder,
		.master = master,
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
