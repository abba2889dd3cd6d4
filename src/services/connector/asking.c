/* One request.  429, 503, and 403 with Retry-After (as GitHub answers) mean "later": it waits as
 * long as it is told, within bounds, and asks again. */
#include <string.h>

#include "services/connector/connector_private.h"

static void finish(
	struct asking *asking, const struct connector_answer *answer, const struct error *err)
{
	static const struct connector_answer none = {0};

	asking->done(asking, answer == NULL ? &none : answer, err);
}

static bool is_later(const struct connector_answer *answer)
{
	return answer->status == 429 || answer->status == 503 ||
	       (answer->status == 403 && answer->retry_after.length > 0);
}

/* Retry-After in seconds (RFC 9110 §10.2.3).  A date, which none of these providers sends, counts
 * as not said. */
static int64_t wait_of(const struct asking *asking, const struct connector_answer *answer)
{
	int64_t seconds;

	if (text_to_int64(answer->retry_after, &seconds) && seconds >= 0)
		return seconds > CONNECTOR_WAIT_MS_MAX / 1000 ? (int64_t)CONNECTOR_WAIT_MS_MAX + 1
							      : seconds * 1000;
	return (int64_t)CONNECTOR_WAIT_MS << (asking->tries - 1);
}

static void wait_for_it(struct asking *asking, const struct connector_answer *answer)
{
	struct error err = {0};
	int64_t wait_ms = wait_of(asking, answer);

	if (asking->tries >= CONNECTOR_TRIES_MAX)
		(void)error_set(&err, ERROR_LIMIT,
			"it still says \"later\" (HTTP %u) after %d requests", answer->status,
			CONNECTOR_TRIES_MAX);
	else if (wait_ms > CONNECTOR_WAIT_MS_MAX)
		(void)error_set(&err, ERROR_LIMIT,
			"it wants to be asked again in more than %d s (HTTP %u)",
			CONNECTOR_WAIT_MS_MAX / 1000, answer->status);
	else if (!loop_timer_start(asking->service->parts.loop, &asking->timer, wait_ms))
		(void)error_set(&err, ERROR_LIMIT, "no memory for a timer");
	else
		asking->is_waiting = true;
	if (!asking->is_waiting)
		finish(asking, NULL, &err);
}

static void on_done(struct connector_fetch *fetch, const struct connector_answer *answer,
	const struct error *err)
{
	struct asking *asking = fetch->context;

	asking->is_out = false;
	if (err->code == ERROR_NONE && is_later(answer))
		wait_for_it(asking, answer);
	else
		finish(asking, answer, err);
}

static bool send(struct asking *asking, struct error *err)
{
	const struct connector_fetcher *fetcher = &asking->service->parts.fetcher;
	const struct connector_question question = {.connector = asking->connector,
		.method = asking->method,
		.url = asking->url,
		.body = asking->body,
		.bytes_max = EXPORT_PAGE_BYTES_MAX,
		.deadline_ms = CONNECTOR_DEADLINE_MS,
		.is_containing = asking->is_containing};

	asking->tries++;
	asking->fetch = (struct connector_fetch){.done = on_done, .context = asking};
	asking->is_out = fetcher->begin(fetcher->context, &question, &asking->fetch, err);
	return asking->is_out;
}

static void on_due(struct loop_timer *timer)
{
	struct asking *asking = timer->context;
	struct error err = {0};

	asking->is_waiting = false;
	if (!send(asking, &err))
		finish(asking, NULL, &err);
}

bool asking_begin(struct asking *asking, struct error *err)
{
	asking->timer = (struct loop_timer){.on_due = on_due, .context = asking};
	asking->tries = 0;
	asking->is_waiting = false;
	return send(asking, err);
}

void asking_cancel(struct asking *asking)
{
	const struct connector_fetcher *fetcher;

	if (asking->service == NULL)
		return;
	fetcher = &asking->service->parts.fetcher;
	if (asking->is_out)
		fetcher->cancel(fetcher->context, &asking->fetch);
	if (asking->is_waiting)
		loop_timer_stop(asking->service->parts.loop, &asking->timer);
	asking->is_out = asking->is_waiting = false;
}

/* ---- what it says of a refusal ---- */

/* {error: {message}} (Google, Microsoft), {message} (GitHub, n8n), {error} (Slack, OAuth). */
static struct text said_in(const struct json *body)
{
	const struct json *error = json_find(body, "error");
	struct text message = json_text_or(error, "message", "");

	if (message.length == 0)
		message = json_text_or(body, "message", "");
	if (message.length == 0)
		message = json_text_or(body, "error", "");
	return message;
}

static void put_said(struct buffer *out, const struct connector_answer *answer)
{
	struct arena *arena = arena_create_small((size_t)4 * 1024 * 1024, 4096);
	struct error ignored;
	struct json body;
	struct text said = {NULL, 0};

	if (arena != NULL && json_parse(&body, arena, answer->body, &json_limits_default, &ignored))
		said = said_in(&body);
	if (said.length > CONNECTOR_SAID_BYTES_MAX)
		said.length = CONNECTOR_SAID_BYTES_MAX;
	buffer_append_visible(out, said);
	arena_destroy(&arena);
}

static const char *meaning_of(unsigned status)
{
	switch (status) {
	case 401: return "the credential was not taken";
	case 403: return "the credential may not do this";
	case 404: return "there is no such thing there";
	default:
		return status / 100 == 3 ? "it sends us elsewhere, which is not followed"
					 : "it refused";
	}
}

bool asking_refused(const struct connector_answer *answer, struct error *err)
{
	struct buffer said;

	buffer_init(&said, (size_t)4 * CONNECTOR_SAID_BYTES_MAX);
	put_said(&said, answer);
	(void)error_set(err, answer->status == 404 ? ERROR_NOT_FOUND : ERROR_IO,
		"%s (HTTP %u)%s%.*s", meaning_of(answer->status), answer->status,
		said.length > 0 ? ": " : "", (int)said.length, said.length > 0 ? said.data : "");
	buffer_deinit(&said);
	return false;
}
