/* A thread a channel.
 *
 *	keys opened ▸ files given up ▸ thread of heads ▸ calls given up ▸ answering
 *
 * V1  Nothing of a channel is read before all is given up.
 * V2  The end of either channel, or one bad packet, ends the process: whoever asks starts
 *     another, and says so. */
#include "edges/signer/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "edges/signer/signer_private.h"

enum { REFUSALS_LOGGED_MAX = 100 }; /* of one process: who asks could fill the log */

struct serving {
	struct signer *signer;
	pthread_mutex_t *gate; /* of heads: held until all is given up */
	enum signer_channel channel;
	int fd;
	struct buffer reply;
	unsigned refusals;
	pthread_t thread;
};

/* ---- answering ---- */

static bool send_packet(int fd, struct text packet)
{
	ssize_t sent;

	do
		sent = send(fd, packet.data, packet.length, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)packet.length;
}

/* What is longer than out is cut, and so one byte longer than any message. */
static ssize_t receive_packet(int fd, char out[MESSAGE_REQUEST_BYTES_MAX + 1])
{
	ssize_t got;

	do
		got = recv(fd, out, MESSAGE_REQUEST_BYTES_MAX + 1, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

static void note_refusal(struct serving *serving)
{
	struct message reply;
	struct error err;

	if (!message_read(&reply, buffer_text(&serving->reply), &err) ||
		reply.status == ERROR_NONE || serving->refusals++ >= REFUSALS_LOGGED_MAX)
		return;
	log_warn("signer_refused", LOG_NUMBER("message", reply.type),
		LOG_TEXT("why", reply.payload));
}

static enum signer_exit answer_one(struct serving *serving, struct text packet)
{
	struct error err = {0};

	if (packet.length > MESSAGE_REQUEST_BYTES_MAX)
		error_set(&err, ERROR_LIMIT, "a message of more than %d bytes",
			MESSAGE_REQUEST_BYTES_MAX);
	else if (signer_handle(serving->signer, serving->channel, packet, &serving->reply, &err) ==
		 SIGNER_ANSWERED) {
		note_refusal(serving);
		return send_packet(serving->fd, buffer_text(&serving->reply)) ? SIGNER_EXIT_DONE
									      : SIGNER_EXIT_PEER;
	}
	log_error("signer_message_refused", LOG_NUMBER("channel", serving->channel),
		LOG_STRING("why", err.text));
	return SIGNER_EXIT_PEER;
}

/* Until the channel ends. */
static enum signer_exit answer_all(struct serving *serving)
{
	char packet[MESSAGE_REQUEST_BYTES_MAX + 1];
	enum signer_exit status = SIGNER_EXIT_DONE;

	while (status == SIGNER_EXIT_DONE) {
		ssize_t got = receive_packet(serving->fd, packet);

		if (got <= 0)
			break;
		status = answer_one(serving, (struct text){packet, (size_t)got});
	}
	return status;
}

static void *answer_heads(void *context)
{
	struct serving *serving = context;

	pthread_mutex_lock(serving->gate);
	pthread_mutex_unlock(serving->gate);
	_exit((int)answer_all(serving));
}

/* ---- starting ---- */

/* Outlives nobody; the terminal and the service manager end whoever asks, not us, so that
 * the last head can still be signed. */
static void follow_parent(void)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "remitd-signer", 0, 0, 0);
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		(void)signal(ignored[i], SIG_IGN);
}

/* Run by hand it has no channels, and must not make keys where somebody tried it. */
static bool is_channel(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* What OpenSSL loads at first use must be loaded while files can still be read. */
static bool try_keys(const struct signer *signer, struct error *err)
{
	const struct private_key *const keys[] = {signer->token.key, signer->checkpoint_key};
	uint8_t made[SIGNATURE_BYTES_MAX];
	size_t size;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (!private_key_sign(keys[i], TEXT("remit"), made, &size, err))
			return false;
		if (!public_key_verify(private_key_public(keys[i]), TEXT("remit"),
			    (struct text){(const char *)made, size}))
			return error_set(err, ERROR_CORRUPT, "a key does not verify what it signs");
	}
	return true;
}

static bool start(struct signer **out, struct serving *heads, const struct signer_serving *serving,
	struct error *err)
{
	const struct signer_settings settings = {
		.folder = serving->folder, .master = SIGNER_MASTER_LEFT};

	private_key_lock_memory();
	if (!signer_open(out, &settings, err) || !try_keys(*out, err) ||
		!serving->give_up_files(serving->folder, err))
		return false;
	(*out)->tokens.stage = STAGE_NEW;
	heads->signer = *out;
	pthread_mutex_lock(heads->gate); /* stays so on failure: the process ends */
	if (pthread_create(&heads->thread, NULL, answer_heads, heads) != 0)
		return error_set(err, ERROR_LIMIT, "no thread for the heads");
	if (!serving->give_up_calls(err))
		return false;
	pthread_mutex_unlock(heads->gate);
	return true;
}

/* Says to whoever greets why there will be no answer. */
static void tell_failure(int fd, const struct error *why)
{
	char packet[MESSAGE_REQUEST_BYTES_MAX + 1];
	const struct message reply = {.type = MESSAGE_HELLO, .status = why->code, .number = 1};
	struct buffer out;

	buffer_init(&out, MESSAGE_REPLY_BYTES_MAX);
	message_start(&out, &reply);
	buffer_append_string(&out, why->text);
	if (receive_packet(fd, packet) > 0)
		(void)send_packet(fd, buffer_text(&out));
	buffer_deinit(&out);
}

int signer_serve(const struct signer_serving *serving)
{
	struct serving tokens = {.channel = CHANNEL_TOKENS, .fd = SIGNER_TOKENS_FD};
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct serving heads = {.channel = CHANNEL_HEADS, .fd = SIGNER_HEADS_FD, .gate = &gate};
	struct error err = {0};

	if (!is_channel(SIGNER_TOKENS_FD) || !is_channel(SIGNER_HEADS_FD)) {
		log_error("signer_without_channels", LOG_STRING("why", "remitd starts it itself"));
		return SIGNER_EXIT_START;
	}
	follow_parent();
	buffer_init(&tokens.reply, MESSAGE_REPLY_BYTES_MAX);
	buffer_init(&heads.reply, MESSAGE_REPLY_BYTES_MAX);
	if (!start(&tokens.signer, &heads, serving, &err)) {
		tell_failure(tokens.fd, &err);
		return SIGNER_EXIT_START;
	}
	return (int)answer_all(&tokens);
}
