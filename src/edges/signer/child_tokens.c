/* Questions about tokens, many on their way at once.
 *
 * What one turn of the loop asks goes out together at its end; answers come in the order of
 * the questions, so the oldest flight is whose the next answer is.
 *
 * T1  done runs exactly once for each question: by its answer, or by no where the signer
 *     ends, is stuck, or answers what nobody asked.
 * T2  No answer stays in our memory once done has run. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edges/signer/child_private.h"

enum {
	BATCH = 32,       /* packets handed to the system at once */
	ANSWERS_MAX = 64, /* taken in one event, so that others have their turn */
	LENGTH_BYTES = 2, /* before each packet of the queue */
	QUEUE_SENT_BYTES_MAX = 64 * 1024,
	OVERDUE_LOOKS = 10, /* within the time it has to answer */
};

/* ---- sending ---- */

/* The packet at place, and how many bytes it takes there. */
static size_t queued_at(const struct signer_child *child, size_t place, struct iovec *out)
{
	const uint8_t *bytes = (const uint8_t *)child->queue.data + place;
	size_t length = (size_t)bytes[0] << 8 | bytes[1];

	*out = (struct iovec){child->queue.data + place + LENGTH_BYTES, length};
	return LENGTH_BYTES + length;
}

/* Sends some; false: no more can be sent now. */
static bool send_batch(struct signer_child *child)
{
	struct mmsghdr headers[BATCH] = {0};
	struct iovec packets[BATCH];
	size_t ends[BATCH];
	unsigned count = 0;
	int sent;

	for (size_t at = child->queue_sent; at < child->queue.length && count < BATCH; count++) {
		at += queued_at(child, at, &packets[count]);
		ends[count] = at;
		headers[count].msg_hdr.msg_iov = &packets[count];
		headers[count].msg_hdr.msg_iovlen = 1;
	}
	do
		sent = sendmmsg(child->tokens.fd, headers, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent > 0)
		child->queue_sent = ends[sent - 1];
	return sent > 0;
}

/* Where it cannot be sent for good, the signer is ending, which is heard elsewhere. */
static void flush(struct signer_child *child)
{
	struct error err;
	bool is_blocked = false;

	while (!is_blocked && child->queue_sent < child->queue.length)
		is_blocked = !send_batch(child);
	/* What was sent goes, though not for each packet, as the rest is moved. */
	if (!is_blocked || child->queue_sent >= QUEUE_SENT_BYTES_MAX) {
		buffer_consume(&child->queue, child->queue_sent);
		child->queue_sent = 0;
	}
	if (is_blocked == child->is_blocked)
		return;
	child->is_blocked = is_blocked;
	if (!loop_watch_change(child->settings.loop, &child->tokens,
		    is_blocked ? LOOP_READ | LOOP_WRITE : LOOP_READ, &err))
		child_end(child, err.text);
}

static void on_flush(struct loop_post *post)
{
	struct signer_child *child = post->context;

	child->is_flush_due = false;
	if (child->tokens.is_watched)
		flush(child);
}

/* ---- asking ---- */

static bool has_room(struct signer_child *child, struct error *err)
{
	if (child->state == CHILD_DOWN || !child->tokens.is_watched)
		return error_set(err, ERROR_IO, "the signer is not running");
	if (child->flights_count == SIGNER_IN_FLIGHT_MAX)
		return error_set(
			err, ERROR_LIMIT, "%d questions wait for the signer", SIGNER_IN_FLIGHT_MAX);
	return true;
}

static bool queue_packet(struct signer_child *child, struct error *err)
{
	size_t length = child->packet.length;
	const uint8_t prefix[LENGTH_BYTES] = {(uint8_t)(length >> 8), (uint8_t)length};
	size_t before = child->queue.length;

	if (!buffer_failed(&child->packet)) {
		buffer_append(&child->queue, prefix, sizeof prefix);
		buffer_append_text(&child->queue, buffer_text(&child->packet));
		if (!buffer_failed(&child->queue))
			return true;
	}
	child->queue.length = before;
	child->queue.failed = false;
	return error_set(err, ERROR_LIMIT, "no memory to ask the signer");
}

static int64_t now_ms(const struct signer_child *child)
{
	return loop_now_ms(child->settings.loop);
}

static int64_t look_ms(const struct signer_child *child)
{
	return child->settings.answer_ms / OVERDUE_LOOKS + 1;
}

/* The packet that is made goes on its way. */
static bool depart(struct signer_child *child, enum message_type type,
	struct token_signing *signing, struct error *err)
{
	uint32_t place = (child->flights_first + child->flights_count) % SIGNER_IN_FLIGHT_MAX;

	if (!loop_timer_is_armed(&child->overdue) &&
		!loop_timer_start(child->settings.loop, &child->overdue, look_ms(child)))
		return error_set(err, ERROR_LIMIT, "no memory to ask the signer");
	if (!queue_packet(child, err))
		return false;
	child->number++;
	child->flights[place] = (struct flight){type, child->number, signing, now_ms(child)};
	child->flights_count++;
	if (!child->is_flush_due && !child->is_blocked) {
		child->is_flush_due = true;
		loop_defer(child->settings.loop, &child->flush);
	}
	return true;
}

bool child_ask(
	struct signer_child *child, enum message_type type, struct text payload, struct error *err)
{
	const struct message asked = {.type = type, .number = child->number + 1};

	if (!has_room(child, err))
		return false;
	buffer_reset(&child->packet);
	message_start(&child->packet, &asked);
	buffer_append_text(&child->packet, payload);
	return depart(child, type, NULL, err);
}

/* ---- answers ---- */

static void refuse(struct token_signing *signing)
{
	signing->is_signed = false;
	signing->token = (struct text){0};
	signing->done(signing);
}

/* An answer to a question of our own. */
static void take_own(struct signer_child *child, enum message_type type, bool is_yes,
	struct text payload, struct error *err)
{
	struct text issuer = text_of(child->issuer);

	if (is_yes && type == MESSAGE_HELLO) {
		child->is_greeted = true;
		is_yes = child_take_keys(child, payload, err) &&
			 (issuer.length == 0 || child_ask(child, MESSAGE_SET_ISSUER, issuer, err));
	} else if (is_yes && type == MESSAGE_SET_ISSUER) {
		child->state = CHILD_READY;
	}
	if (!is_yes)
		child_end(child, err->text);
}

static void take_answer(struct signer_child *child, struct text packet)
{
	const struct flight flight = child->flights[child->flights_first];
	const struct message asked = {.type = flight.type, .number = flight.number};
	struct message reply;
	struct text payload;
	struct error err = {0};
	bool is_yes;

	if (child->flights_count == 0 || packet.length > MESSAGE_REPLY_BYTES_MAX ||
		!message_read(&reply, packet, &err) || reply.type != asked.type ||
		reply.number != asked.number) {
		child_end(child, "it answered what nobody asked");
		return;
	}
	child->flights_first = (child->flights_first + 1) % SIGNER_IN_FLIGHT_MAX;
	child->flights_count--;
	is_yes = message_take_reply(&payload, &asked, packet, &err);
	if (flight.signing == NULL && flight.type != MESSAGE_HELLO &&
		flight.type != MESSAGE_SET_ISSUER)
		return; /* forgotten */
	if (flight.signing == NULL) {
		take_own(child, flight.type, is_yes, payload, &err);
		return;
	}
	flight.signing->is_signed = is_yes;
	flight.signing->token = payload;
	flight.signing->err = err;
	flight.signing->done(flight.signing);
}

static void read_answers(struct signer_child *child)
{
	char bytes[MESSAGE_REPLY_BYTES_MAX + 1] NOT_ZEROED;

	for (int i = 0; i < ANSWERS_MAX && child->tokens.is_watched; i++) {
		ssize_t got = recv(child->tokens.fd, bytes, sizeof bytes, MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			child_end(child, "it closed its channel");
			return;
		}
		take_answer(child, (struct text){bytes, (size_t)got});
		explicit_bzero(bytes, (size_t)got);
	}
}

static void on_tokens(struct loop_watch *watch, unsigned events)
{
	struct signer_child *child = watch->context;

	if (events & (LOOP_READ | LOOP_HANGUP))
		read_answers(child);
	if ((events & LOOP_WRITE) && child->tokens.is_watched)
		flush(child);
}

/* ---- stuck ---- */

static void on_overdue(struct loop_timer *timer)
{
	struct signer_child *child = timer->context;
	const struct flight *oldest = &child->flights[child->flights_first];
	/* Only a signature needs no disk. */
	bool is_signature = oldest->type == MESSAGE_SIGN_TOKEN ||
			    oldest->type == MESSAGE_SIGN_CARD ||
			    oldest->type == MESSAGE_SIGN_IDENTITY;
	int64_t patience_ms = is_signature ? child->settings.answer_ms : SIGNER_START_MS;

	if (child->flights_count == 0)
		return;
	if (now_ms(child) - oldest->asked_ms >= patience_ms)
		child_end(child, "it does not answer");
	else if (!loop_timer_start(child->settings.loop, timer, look_ms(child)))
		child_end(child, "no memory to wait for it");
}

/* ---- the channel ---- */

void child_tokens_init(struct signer_child *child)
{
	child->tokens = (struct loop_watch){
		.fd = -1, .events = LOOP_READ, .on_event = on_tokens, .context = child};
	child->overdue = (struct loop_timer){.on_due = on_overdue, .context = child};
	child->flush = (struct loop_post){.run = on_flush, .context = child};
	buffer_init(&child->queue, CHILD_QUEUE_BYTES_MAX);
	buffer_init(&child->packet, MESSAGE_REQUEST_BYTES_MAX);
}

bool child_tokens_open(struct signer_child *child, int fd, struct error *err)
{
	child->tokens.fd = fd;
	child->tokens.events = LOOP_READ;
	return loop_watch_add(child->settings.loop, &child->tokens, err);
}

void child_tokens_close(struct signer_child *child, const char *why)
{
	if (child->tokens.is_watched)
		loop_watch_remove(child->settings.loop, &child->tokens);
	if (child->tokens.fd >= 0)
		close(child->tokens.fd);
	child->tokens.fd = -1;
	child->state = CHILD_DOWN;
	child->is_blocked = false;
	child->is_greeted = false;
	child->number = 0;
	buffer_reset(&child->queue);
	child->queue_sent = 0;
	loop_timer_stop(child->settings.loop, &child->overdue);
	while (child->flights_count > 0) {
		struct token_signing *signing = child->flights[child->flights_first].signing;

		child->flights_first = (child->flights_first + 1) % SIGNER_IN_FLIGHT_MAX;
		child->flights_count--;
		if (signing == NULL)
			continue;
		error_set(&signing->err, ERROR_IO, "the signer ended: %s", why);
		refuse(signing);
	}
}

void signer_child_forget(struct signer_child *child)
{
	for (uint32_t i = 0; child != NULL && i < child->flights_count; i++)
		child->flights[(child->flights_first + i) % SIGNER_IN_FLIGHT_MAX].signing = NULL;
}

void child_tokens_deinit(struct signer_child *child)
{
	child_tokens_close(child, "remit stops");
	buffer_deinit(&child->queue);
	buffer_deinit(&child->packet);
}

/* ---- the port ---- */

static bool port_is_ready(void *context)
{
	const struct signer_child *child = context;

	return child->state == CHILD_READY;
}

/* Ready, with room, and an empty packet to make; else signing is refused. */
static bool port_begins(struct signer_child *child, struct token_signing *signing)
{
	buffer_reset(&child->packet);
	if (child->state == CHILD_READY && has_room(child, &signing->err))
		return true;
	if (child->state != CHILD_READY)
		error_set(&signing->err, ERROR_IO, "the signer is not running");
	refuse(signing);
	return false;
}

static void port_departs(
	struct signer_child *child, enum message_type type, struct token_signing *signing)
{
	if (!depart(child, type, signing, &signing->err))
		refuse(signing);
}

static void port_sign(
	void *context, const struct access_token *token, struct token_signing *signing)
{
	struct signer_child *child = context;
	bool ok;

	if (!port_begins(child, signing))
		return;
	ok = message_put_token(
		&child->packet, child->scratch, child->number + 1, token, &signing->err);
	arena_reset(child->scratch);
	if (ok)
		port_departs(child, MESSAGE_SIGN_TOKEN, signing);
	else
		refuse(signing);
}

static void port_sign_card(void *context, const struct json *card, struct token_signing *signing)
{
	struct signer_child *child = context;
	bool ok;

	if (!port_begins(child, signing))
		return;
	ok = message_put_card(
		&child->packet, child->scratch, child->number + 1, card, &signing->err);
	arena_reset(child->scratch);
	if (ok)
		port_departs(child, MESSAGE_SIGN_CARD, signing);
	else
		refuse(signing);
}

static void port_sign_identity(
	void *context, const struct identity_token *token, struct token_signing *signing)
{
	struct signer_child *child = context;
	bool ok;

	if (!port_begins(child, signing))
		return;
	ok = message_put_identity(
		&child->packet, child->scratch, child->number + 1, token, &signing->err);
	arena_reset(child->scratch);
	if (ok)
		port_departs(child, MESSAGE_SIGN_IDENTITY, signing);
	else
		refuse(signing);
}

static void port_make_key(void *context, struct token_signing *making)
{
	struct signer_child *child = context;
	const struct message asked = {.type = MESSAGE_MAKE_KEY, .number = child->number + 1};

	if (!port_begins(child, making))
		return;
	message_start(&child->packet, &asked);
	port_departs(child, MESSAGE_MAKE_KEY, making);
}

static void port_use_key(
	void *context, struct text kid, int64_t from_utc_ms, struct token_signing *using)
{
	struct signer_child *child = context;

	if (!port_begins(child, using))
		return;
	message_put_use(&child->packet, child->number + 1, kid, from_utc_ms);
	port_departs(child, MESSAGE_USE_KEY, using);
}

struct token_signer signer_child_tokens(struct signer_child *child)
{
	return (struct token_signer){
		.context = child,
		.key = child->token_key,
		.sign = port_sign,
		.is_ready = port_is_ready,
		.make_key = port_make_key,
		.use_key = port_use_key,
	};
}

struct card_signer signer_child_cards(struct signer_child *child)
{
	return (struct card_signer){child, port_sign_card};
}

struct identity_signer signer_child_identities(struct signer_child *child)
{
	return (struct identity_signer){child, port_sign_identity};
}
