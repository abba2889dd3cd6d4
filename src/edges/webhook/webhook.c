/* Design: a list of notices, each with the moment it is due; one is under way at a time, and
 * a receiver that hangs holds the others up for its deadline at most.
 *
 * Invariants:
 *  W1  a notice leaves the list once: delivered, or lost, which is said;
 *  W2  the list is bounded, and so is the time a notice stays in it;
 *  W3  the secret is read for each try and cleared after it, so that a new one counts at once;
 *      it never stands in a log line or an error;
 *  W4  nothing of an answer is read but its status. */
#include "edges/webhook/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/digest.h"

enum {
	SIGNATURE_HEADER_BYTES = 64,
	STAMP_BYTES = 24,
	WHY_BYTES = 96,
	REPLY_BYTES_MAX = 64 * 1024,
	BUILD_BYTES_MAX = 4 * WEBHOOK_BODY_BYTES_MAX,
};

struct notice {
	struct notice *next;
	char id[WEBHOOK_ID_BYTES_MAX + 1];
	char event[WEBHOOK_EVENT_BYTES_MAX + 1];
	char subject[WEBHOOK_ID_BYTES_MAX + 1];
	char *body;
	size_t body_length;
	unsigned tries;
	bool is_minor;
	int64_t due_ms; /* monotonic */
	char why[WHY_BYTES];
};

struct webhook {
	struct webhook_settings settings;
	struct notice *first;
	struct notice *last;
	struct notice *sending; /* in the list, too */
	struct http_call *call;
	struct loop_timer timer;
	struct webhook_status status;
};

static void pump(struct webhook *webhook);

/* ---- notices --------------------------------------------------------------------------- */

static void notice_destroy(struct notice **notice)
{
	if (*notice == NULL)
		return;
	free((*notice)->body);
	free(*notice);
	*notice = NULL;
}

static bool copy_word(char *out, size_t capacity, struct text from)
{
	size_t i;

	if (from.length >= capacity)
		return false;
	for (i = 0; i < from.length; i++) {
		if (from.data[i] <= ' ' || from.data[i] > '~')
			return false;
		out[i] = from.data[i];
	}
	out[i] = '\0';
	return true;
}

static bool put_members(
	struct json *out, struct arena *arena, const struct webhook_notice *from, int64_t utc_ms)
{
	struct json_builder object;
	struct error err;

	json_object_start(&object, arena);
	json_put_text(&object, "id", from->id);
	json_put_text(&object, "event", from->event);
	json_put_integer(&object, "at", utc_ms);
	for (uint32_t i = 0; i < from->body.count; i++)
		json_put_named(&object, from->body.members[i].name, from->body.members[i].value);
	return json_object_seal(&object, out, &err);
}

/* False: no memory, or too large. */
static bool make_body(
	struct webhook *webhook, struct notice *notice, const struct webhook_notice *from)
{
	const struct webhook_settings *settings = &webhook->settings;
	struct arena *arena = arena_create(BUILD_BYTES_MAX);
	struct text text = {0};
	struct json whole;

	if (arena != NULL && put_members(&whole, arena, from, settings->utc_ms(settings->context)))
		text = json_canonical_text(arena, &whole);
	if (text.data != NULL && text.length <= WEBHOOK_BODY_BYTES_MAX) {
		notice->body = calloc(1, text.length + 1);
		notice->body_length = text.length;
		if (notice->body != NULL)
			memcpy(notice->body, text.data, text.length);
	}
	arena_destroy(&arena);
	return notice->body != NULL;
}

static struct notice *notice_create(struct webhook *webhook, const struct webhook_notice *from)
{
	struct notice *notice = calloc(1, sizeof *notice);

	if (notice == NULL)
		return NULL;
	if (!copy_word(notice->id, sizeof notice->id, from->id) ||
		!copy_word(notice->event, sizeof notice->event, from->event) ||
		!copy_word(notice->subject, sizeof notice->subject, from->subject) ||
		!make_body(webhook, notice, from))
		notice_destroy(&notice);
	return notice;
}

static void say_lost(struct webhook *webhook, const struct webhook_letter *letter)
{
	webhook->status.lost++;
	if (webhook->settings.on_lost != NULL)
		webhook->settings.on_lost(webhook->settings.context, letter);
}

/* Out of the list, without a word. */
static void take_out(struct webhook *webhook, struct notice *notice)
{
	struct notice **link = &webhook->first;
	struct notice *before = NULL;

	while (*link != notice) {
		before = *link;
		link = &(*link)->next;
	}
	*link = notice->next;
	if (webhook->last == notice)
		webhook->last = before;
	webhook->status.queued--;
}

static void give_up(struct webhook *webhook, struct notice *notice)
{
	const struct webhook_letter letter = {.id = text_of(notice->id),
		.event = text_of(notice->event),
		.subject = text_of(notice->subject),
		.tries = notice->tries,
		.why = notice->why};

	take_out(webhook, notice);
	say_lost(webhook, &letter);
	notice_destroy(&notice);
}

/* ---- one try --------------------------------------------------------------------------- */

static int64_t pause_ms(const struct webhook *webhook, unsigned tries)
{
	int64_t first = webhook->settings.retry_ms;
	int64_t pause = first == 0 ? WEBHOOK_RETRY_MS : first;

	for (unsigned i = 1; i < tries && pause < WEBHOOK_RETRY_MS_MAX; i++)
		pause *= 2;
	return pause < WEBHOOK_RETRY_MS_MAX ? pause : WEBHOOK_RETRY_MS_MAX;
}

static void try_failed(struct webhook *webhook, struct notice *notice)
{
	if (notice->tries >= WEBHOOK_TRIES_MAX) {
		give_up(webhook, notice);
		return;
	}
	webhook->status.retried++;
	notice->due_ms = loop_now_ms(webhook->settings.loop) + pause_ms(webhook, notice->tries);
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct webhook *webhook = context;
	struct notice *notice = webhook->sending;

	webhook->sending = NULL;
	webhook->call = NULL;
	if (reply->status / 100 == 2) {
		webhook->status.delivered++;
		take_out(webhook, notice);
		notice_destroy(&notice);
	} else {
		if (reply->status == 0)
			(void)snprintf(notice->why, sizeof notice->why, "no answer came");
		else
			(void)snprintf(notice->why, sizeof notice->why, "it answered HTTP %u",
				reply->status);
		try_failed(webhook, notice);
	}
	pump(webhook);
}

/* HMAC-SHA256 of "ID.SECONDS.BODY", as Standard Webhooks 1.0 signs. */
static bool sign(const struct webhook *webhook, const struct notice *notice, const char *stamp,
	char out[SIGNATURE_HEADER_BYTES])
{
	struct secret secret = {0};
	struct buffer message, header;
	struct error err;
	struct sha256 mac;
	bool ok =
		secrets_resolve(webhook->settings.secrets, webhook->settings.secret, &secret, &err);

	buffer_init(&message, WEBHOOK_BODY_BYTES_MAX + 256);
	buffer_init(&header, SIGNATURE_HEADER_BYTES);
	buffer_append_format(&message, "%s.%s.", notice->id, stamp);
	buffer_append(&message, notice->body, notice->body_length);
	ok = ok && !buffer_failed(&message);
	if (ok) {
		mac = hmac_sha256(
			(const uint8_t *)secret.bytes, secret.size, message.data, message.length);
		buffer_append_string(&header, "v1,");
		base64_append(&header, mac.bytes, sizeof mac.bytes);
		buffer_append_byte(&header, '\0');
		ok = !buffer_failed(&header);
	}
	if (ok)
		memcpy(out, header.data, header.length);
	secret_clear(&secret);
	buffer_deinit(&message);
	buffer_deinit(&header);
	return ok;
}

static bool send_notice(struct webhook *webhook, struct notice *notice)
{
	const struct webhook_settings *settings = &webhook->settings;
	char signature[SIGNATURE_HEADER_BYTES];
	char stamp[STAMP_BYTES];
	const struct http_header headers[] = {{"Content-Type", "application/json"},
		{"webhook-id", notice->id}, {"webhook-timestamp", stamp},
		{"webhook-signature", signature}};
	struct error err;

	(void)snprintf(stamp, sizeof stamp, "%lld",
		(long long)(settings->utc_ms(settings->context) / 1000));
	notice->tries++;
	(void)snprintf(notice->why, sizeof notice->why, "its secret cannot be had");
	if (!sign(webhook, notice, stamp, signature))
		return false;
	(void)snprintf(notice->why, sizeof notice->why, "it could not be sent");
	return http_client_send(settings->http,
		&(struct http_call_request){.method = "POST",
			.url = settings->url,
			.headers = headers,
			.header_count = sizeof headers / sizeof headers[0],
			.body = {notice->body, notice->body_length},
			.deadline_ms = WEBHOOK_DEADLINE_MS,
			.reply_bytes_max = REPLY_BYTES_MAX,
			.context = webhook,
			.on_done = on_done},
		&webhook->call, &err);
}

/* ---- the list -------------------------------------------------------------------------- */

/* Whether the first goes before the second: of those that are due, what is not minor. */
static bool goes_before(const struct notice *first, const struct notice *second, int64_t now_ms)
{
	bool is_due = first->due_ms <= now_ms;

	if (is_due && second->due_ms <= now_ms && first->is_minor != second->is_minor)
		return second->is_minor;
	return first->due_ms < second->due_ms;
}

static struct notice *next_due(const struct webhook *webhook)
{
	const int64_t now_ms = loop_now_ms(webhook->settings.loop);
	struct notice *next = webhook->first;

	for (struct notice *notice = next; notice != NULL; notice = notice->next)
		if (goes_before(notice, next, now_ms))
			next = notice;
	return next;
}

/* Sends what is due, or sets the timer for it.  Without memory for the timer the next notice
 * starts it. */
static void pump(struct webhook *webhook)
{
	while (webhook->sending == NULL) {
		struct notice *notice = next_due(webhook);
		int64_t wait_ms;

		if (notice == NULL)
			return;
		wait_ms = notice->due_ms - loop_now_ms(webhook->settings.loop);
		if (wait_ms > 0) {
			if (!loop_timer_start(webhook->settings.loop, &webhook->timer, wait_ms))
				return;
			return;
		}
		webhook->sending = notice;
		if (send_notice(webhook, notice))
			return;
		webhook->sending = NULL;
		try_failed(webhook, notice);
	}
}

static void on_timer(struct loop_timer *timer)
{
	pump(timer->context);
}

bool webhook_put(struct webhook *webhook, const struct webhook_notice *notice)
{
	const struct webhook_letter letter = {.id = notice->id,
		.event = notice->event,
		.subject = notice->subject,
		.why = "too many others wait"};
	struct notice *kept = NULL;

	if (notice->is_minor && webhook->status.queued >= WEBHOOK_QUEUE_MAX / 2)
		return false;
	if (webhook->status.queued < WEBHOOK_QUEUE_MAX)
		kept = notice_create(webhook, notice);
	if (kept == NULL) {
		say_lost(webhook, &letter);
		return true;
	}
	kept->is_minor = notice->is_minor;
	kept->due_ms = loop_now_ms(webhook->settings.loop);
	if (webhook->last == NULL)
		webhook->first = kept;
	else
		webhook->last->next = kept;
	webhook->last = kept;
	webhook->status.queued++;
	/* Not from within whoever tells us. */
	if (webhook->sending == NULL &&
		!loop_timer_start(webhook->settings.loop, &webhook->timer, 0))
		pump(webhook);
	return true;
}

struct webhook_status webhook_status(const struct webhook *webhook)
{
	return webhook->status;
}

bool webhook_create(
	struct webhook **out, const struct webhook_settings *settings, struct error *err)
{
	struct webhook *webhook = calloc(1, sizeof *webhook);
	struct secret secret = {0};

	*out = NULL;
	if (webhook == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the webhook");
	webhook->settings = *settings;
	webhook->timer = (struct loop_timer){.on_due = on_timer, .context = webhook};
	if (!secrets_resolve(settings->secrets, settings->secret, &secret, err)) {
		free(webhook);
		return error_wrap(err, "webhook-secret");
	}
	secret_clear(&secret);
	*out = webhook;
	return true;
}

void webhook_destroy(struct webhook **webhook)
{
	struct notice *notice;

	if (*webhook == NULL)
		return;
	http_call_cancel(&(*webhook)->call);
	loop_timer_stop((*webhook)->settings.loop, &(*webhook)->timer);
	notice = (*webhook)->first;
	while (notice != NULL) {
		struct notice *next = notice->next;

		notice_destroy(&notice);
		notice = next;
	}
	free(*webhook);
	*webhook = NULL;
}
