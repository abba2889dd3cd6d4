/* Heads, one question at a time, by the log writer's thread, which may wait.
 *
 * H1  An answer that came too late is passed over by its number, so it is never taken for
 *     the next one's. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "edges/signer/child_private.h"

void child_heads_init(struct child_heads *heads)
{
	pthread_mutex_init(&heads->lock, NULL);
	heads->fd = -1;
}

void child_heads_change(struct child_heads *heads, int fd)
{
	const struct timeval patience = {.tv_sec = SIGNER_HEAD_MS / 1000};

	pthread_mutex_lock(&heads->lock);
	if (heads->fd >= 0)
		close(heads->fd);
	heads->fd = fd;
	heads->number = 0;
	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	pthread_mutex_unlock(&heads->lock);
}

static bool transport_error(struct error *err, ssize_t got)
{
	int os_errno = got == 0 ? ECONNRESET : errno;

	error_set(err, ERROR_IO, "the signer does not answer: %s", strerror(os_errno));
	err->os_errno = os_errno;
	return false;
}

/* The reply to asked, in bytes.  Its lock is held. */
static bool receive(struct child_heads *heads, const struct message *asked,
	char bytes[MESSAGE_REPLY_BYTES_MAX], struct text *out, struct error *err)
{
	for (;;) {
		ssize_t got = recv(heads->fd, bytes, MESSAGE_REPLY_BYTES_MAX, 0);
		struct message reply;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return transport_error(err, got);
		*out = (struct text){bytes, (size_t)got};
		if (message_read(&reply, *out, err) && (int32_t)(reply.number - asked->number) < 0)
			continue;
		return true;
	}
}

static bool ask(struct child_heads *heads, struct text packet, struct buffer *out_payload,
	struct error *err)
{
	char bytes[MESSAGE_REPLY_BYTES_MAX] NOT_ZEROED;
	struct message asked;
	struct text reply, payload;

	if (heads->fd < 0)
		return error_set(err, ERROR_IO, "the signer is not running");
	if (send(heads->fd, packet.data, packet.length, MSG_NOSIGNAL) != (ssize_t)packet.length)
		return transport_error(err, -1);
	heads->number++;
	if (!message_read(&asked, packet, err) || !receive(heads, &asked, bytes, &reply, err))
		return false;
	/* What is none of the answers must not be taken for a fork of the log. */
	if (!message_take_reply(&payload, &asked, reply, err))
		return false;
	buffer_append_text(out_payload, payload);
	return buffer_failed(out_payload) ? error_set(err, ERROR_LIMIT, "no memory for an answer")
					  : true;
}

static bool port_last(void *context, struct tree_head *out, struct error *err)
{
	struct child_heads *heads = &((struct signer_child *)context)->heads;
	struct message asked = {.type = MESSAGE_LAST_HEAD};
	struct buffer packet, payload;
	bool ok;

	buffer_init(&packet, MESSAGE_REQUEST_BYTES_MAX);
	buffer_init(&payload, MESSAGE_REPLY_BYTES_MAX);
	pthread_mutex_lock(&heads->lock);
	asked.number = heads->number + 1;
	message_start(&packet, &asked);
	ok = buffer_failed(&packet) ? error_set(err, ERROR_LIMIT, "no memory to ask the signer")
				    : ask(heads, buffer_text(&packet), &payload, err);
	pthread_mutex_unlock(&heads->lock);
	if (ok && payload.length != MESSAGE_HEAD_BYTES)
		ok = error_set(err, ERROR_IO, "the signer told no head");
	if (ok)
		message_get_head(out, payload.data);
	buffer_deinit(&packet);
	buffer_deinit(&payload);
	return ok;
}

static bool port_sign(void *context, const struct tree_head *newer,
	const struct merkle_proof *proof, struct buffer *out_note, struct error *err)
{
	struct child_heads *heads = &((struct signer_child *)context)->heads;
	struct buffer packet;
	bool ok;

	buffer_init(&packet, MESSAGE_REQUEST_BYTES_MAX);
	pthread_mutex_lock(&heads->lock);
	message_put_head(&packet, heads->number + 1, newer, proof);
	ok = buffer_failed(&packet) ? error_set(err, ERROR_LIMIT, "no memory to ask the signer")
				    : ask(heads, buffer_text(&packet), out_note, err);
	pthread_mutex_unlock(&heads->lock);
	buffer_deinit(&packet);
	return ok;
}

struct checkpoint_signer signer_child_checkpoints(struct signer_child *child)
{
	return (struct checkpoint_signer){
		.context = child, .key = &child->note_key, .last = port_last, .sign = port_sign};
}
