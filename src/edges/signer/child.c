/* The life of the signer's process.
 *
 *	DOWN ── start ──▶ STARTING ── keys told, issuer heard ──▶ READY
 *	  ▲                                                        │
 *	  └──────────── it ended, or was ended (pidfd) ◀───────────┘
 *
 * C1  Whatever it did wrong, it is killed, and all that follows happens when it has ended:
 *     so there is one way down, and never two of them on one folder of keys.
 * C2  It is started again a bounded number of times in a row, later each time, with a line
 *     in the log for each end; then on_lost is told.
 * C3  One that is started again has the same log's key, or it is ended. */
#include "edges/signer/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "domain/token/jwk.h"
#include "edges/signer/child_private.h"
#include "edges/signer/serve.h"

enum {
	DESCRIPTORS_FREE = 10, /* its ends lie above those that it finds them at */
	STOP_WAIT_MS = 1000,
};

/* ---- its process ---- */

struct ends {
	int tokens;
	int heads;
	int its_tokens;
	int its_heads;
};

static void ends_close(struct ends *ends)
{
	int *const all[] = {&ends->tokens, &ends->heads, &ends->its_tokens, &ends->its_heads};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}

static bool pair_open(int *ours, int *its, struct error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return error_set(err, ERROR_IO, "no channel to the signer: %s", strerror(errno));
	*ours = pair[0];
	*its = fcntl(pair[1], F_DUPFD_CLOEXEC, DESCRIPTORS_FREE);
	close(pair[1]);
	return *its >= 0 ||
	       error_set(err, ERROR_IO, "no channel to the signer: %s", strerror(errno));
}

/* Nothing of ours but its ends of the channels, and where the log goes. */
static int actions_fill(posix_spawn_file_actions_t *actions, const struct ends *ends)
{
	int failed = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDWR, 0);

	if (failed == 0)
		failed = posix_spawn_file_actions_adddup2(actions, 0, 1);
	if (failed == 0)
		failed = posix_spawn_file_actions_adddup2(
			actions, ends->its_tokens, SIGNER_TOKENS_FD);
	if (failed == 0)
		failed =
			posix_spawn_file_actions_adddup2(actions, ends->its_heads, SIGNER_HEADS_FD);
	if (failed == 0)
		failed = posix_spawn_file_actions_addclosefrom_np(actions, SIGNER_HEADS_FD + 1);
	return failed;
}

static int attributes_fill(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int failed;

	sigemptyset(&none);
	sigfillset(&all);
	failed = posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (failed == 0)
		failed = posix_spawnattr_setsigmask(attributes, &none);
	return failed != 0 ? failed : posix_spawnattr_setsigdefault(attributes, &all);
}

static int spawn(struct signer_child *child, const struct ends *ends)
{
	char *const nothing[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed != 0)
		return failed;
	failed = posix_spawnattr_init(&attributes);
	if (failed == 0) {
		failed = actions_fill(&actions, ends);
		if (failed == 0)
			failed = attributes_fill(&attributes);
		if (failed == 0)
			failed = posix_spawn(&child->pid, child->settings.program, &actions,
				&attributes, (char *const *)(uintptr_t)child->arguments, nothing);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static void on_ended(struct loop_watch *watch, unsigned events);

/* Runs it, and gives the ends of ours; the caller closes them. */
static bool process_begin(struct signer_child *child, struct ends *ends, struct error *err)
{
	int failed;

	if (!pair_open(&ends->tokens, &ends->its_tokens, err) ||
		!pair_open(&ends->heads, &ends->its_heads, err))
		return false;
	failed = spawn(child, ends);
	if (failed != 0) {
		child->pid = 0;
		return error_set(
			err, ERROR_IO, "the signer cannot be started: %s", strerror(failed));
	}
	child->started_ms = loop_now_ms(child->settings.loop);
	child->ended = (struct loop_watch){.fd = pidfd_open(child->pid, 0),
		.events = LOOP_READ,
		.on_event = on_ended,
		.context = child};
	if (child->ended.fd < 0)
		return error_set(
			err, ERROR_IO, "the signer cannot be watched: %s", strerror(errno));
	return loop_watch_add(child->settings.loop, &child->ended, err);
}

/* Waits for a process that was killed, or has ended.  Its number is nobody's after. */
static int process_reap(struct signer_child *child)
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	child->pid = 0;
	if (child->ended.is_watched)
		loop_watch_remove(child->settings.loop, &child->ended);
	if (child->ended.fd >= 0)
		close(child->ended.fd);
	child->ended.fd = -1;
	return status;
}

static void process_kill(struct signer_child *child)
{
	if (child->pid > 0)
		(void)kill(child->pid, SIGKILL);
}

/* ---- what it tells ---- */

static const struct json *find_use(const struct json *keys, const char *use)
{
	for (uint32_t i = 0; keys != NULL && keys->type == JSON_ARRAY && i < keys->count; i++)
		if (text_is(json_text_or(&keys->items[i], "use", ""), use))
			return &keys->items[i];
	return NULL;
}

static bool take_first_keys(struct signer_child *child, const struct json *keys,
	const struct json *jwk, const struct note_key *key, struct error *err)
{
	struct buffer text;

	buffer_init_in(&text, sizeof child->keys_text, child->keys_text, sizeof child->keys_text);
	json_canonical(&text, keys);
	child->public_keys = buffer_text(&text);
	if (buffer_failed(&text))
		return error_set(err, ERROR_LIMIT, "no room for the signer's keys");
	child->note_key = *key;
	return jwk_parse(&child->token_key, jwk, err);
}

bool child_take_keys(struct signer_child *child, struct text payload, struct error *err)
{
	struct arena *arena = arena_create(CHILD_ARENA_BYTES_MAX);
	const struct json *keys, *token, *log, *jwk;
	struct note_key key;
	struct json told;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the signer's keys");
	if (!json_parse(&told, arena, payload, &json_limits_default, err))
		goto done;
	keys = json_find(&told, "keys");
	token = find_use(keys, "token");
	log = find_use(keys, "checkpoint");
	jwk = token == NULL ? NULL : json_find(token, "jwk");
	if (jwk == NULL || log == NULL)
		error_set(err, ERROR_CORRUPT, "the signer told no keys");
	else if (!note_key_parse(&key, json_text_or(log, "vkey", ""), err))
		ok = false;
	else if (child->token_key == NULL)
		ok = take_first_keys(child, keys, jwk, &key, err);
	else
		ok = (strcmp(key.name, child->note_key.name) == 0 &&
			     key.id == child->note_key.id) ||
		     error_set(err, ERROR_CORRUPT, "its log's key is another now");
done:
	arena_destroy(&arena);
	return ok;
}

/* ---- down ---- */

void child_end(struct signer_child *child, const char *why)
{
	if (child->state != CHILD_DOWN)
		log_error("signer_ending", LOG_STRING("why", why));
	child->state = CHILD_DOWN;
	if (child->tokens.is_watched)
		loop_watch_remove(child->settings.loop, &child->tokens);
	process_kill(child);
}

static void plan_restart(struct signer_child *child)
{
	struct loop *loop = child->settings.loop;
	int64_t delay_ms;

	if (loop_now_ms(loop) - child->started_ms >= SIGNER_STEADY_MS)
		child->restarts = 0;
	if (child->restarts < SIGNER_RESTARTS_MAX) {
		delay_ms = child->settings.backoff_ms << child->restarts;
		child->restarts++;
		if (loop_timer_start(loop, &child->restart, delay_ms))
			return;
	}
	log_error("signer_lost", LOG_NUMBER("restarts", SIGNER_RESTARTS_MAX));
	if (child->settings.on_lost != NULL)
		child->settings.on_lost(child->settings.context);
}

static void on_ended(struct loop_watch *watch, unsigned events)
{
	struct signer_child *child = watch->context;
	int status = process_reap(child);

	(void)events;
	child->ended_count++;
	log_error("signer_ended",
		LOG_NUMBER("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
		LOG_NUMBER("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
		LOG_NUMBER("in_flight", child->flights_count));
	child_heads_change(&child->heads, -1);
	/* Before its questions are answered by no: their callers may ask again. */
	plan_restart(child);
	child_tokens_close(child, "see the log");
}

static void on_restart(struct loop_timer *timer)
{
	struct signer_child *child = timer->context;
	struct ends ends = {-1, -1, -1, -1};
	struct error err = {0};
	bool ok = process_begin(child, &ends, &err) && child_tokens_open(child, ends.tokens, &err);

	if (ok) {
		child_heads_change(&child->heads, ends.heads);
		ends.tokens = ends.heads = -1;
		child->state = CHILD_STARTING;
		ok = child_ask(child, MESSAGE_HELLO, TEXT(""), &err);
	}
	ends_close(&ends);
	if (ok) {
		log_info("signer_started", LOG_NUMBER("process", child->pid),
			LOG_NUMBER("restart", child->restarts));
		return;
	}
	log_error("signer_not_started", LOG_STRING("why", err.text));
	if (child->pid > 0)
		child_end(child, err.text);
	else
		plan_restart(child);
}

/* ---- the first start, which waits ---- */

/* One question, and its answer in bytes.  Nothing else is on its way. */
static bool ask_and_wait(struct signer_child *child, int fd, const struct message *asked,
	char bytes[MESSAGE_REPLY_BYTES_MAX], struct text *out_payload, struct error *err)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	struct buffer packet;
	ssize_t got = -1;

	buffer_init_in(&packet, MESSAGE_REPLY_BYTES_MAX, bytes, MESSAGE_REPLY_BYTES_MAX);
	message_start(&packet, asked);
	buffer_append_text(&packet, asked->payload);
	child->number = asked->number;
	if (send(fd, packet.data, packet.length, MSG_NOSIGNAL) != (ssize_t)packet.length)
		return error_set(err, ERROR_IO, "the signer cannot be asked: %s", strerror(errno));
	while (poll(&ready, 1, SIGNER_START_MS) < 0 && errno == EINTR)
		continue;
	if (ready.revents == 0)
		return error_set(err, ERROR_TIMEOUT, "the signer did not answer within %d ms",
			SIGNER_START_MS);
	got = recv(fd, bytes, MESSAGE_REPLY_BYTES_MAX, 0);
	if (got <= 0)
		return error_set(err, ERROR_IO, "the signer ended at its start: see the log");
	return message_take_reply(out_payload, asked, (struct text){bytes, (size_t)got}, err);
}

static bool hear_keys(struct signer_child *child, int fd, struct error *err)
{
	char bytes[MESSAGE_REPLY_BYTES_MAX] NOT_ZEROED;
	const struct message asked = {.type = MESSAGE_HELLO, .number = 1};
	struct text payload;

	return ask_and_wait(child, fd, &asked, bytes, &payload, err) &&
	       child_take_keys(child, payload, err);
}

/* Waits too: whoever hears that we listen may ask for a token at once. */
static bool tell_issuer(struct signer_child *child, struct error *err)
{
	char bytes[MESSAGE_REPLY_BYTES_MAX] NOT_ZEROED;
	const struct message asked = {.type = MESSAGE_SET_ISSUER,
		.number = child->number + 1,
		.payload = text_of(child->issuer)};
	struct text nothing;

	if (child->flights_count > 0)
		return child_ask(child, MESSAGE_SET_ISSUER, asked.payload, err);
	if (!ask_and_wait(child, child->tokens.fd, &asked, bytes, &nothing, err))
		return false;
	child->state = CHILD_READY;
	return true;
}

static bool start(struct signer_child *child, struct error *err)
{
	struct ends ends = {-1, -1, -1, -1};
	bool ok = process_begin(child, &ends, err);

	if (ok) {
		/* Else its death would leave an open channel. */
		close(ends.its_tokens);
		close(ends.its_heads);
		ends.its_tokens = ends.its_heads = -1;
		ok = hear_keys(child, ends.tokens, err) &&
		     child_tokens_open(child, ends.tokens, err);
	}
	if (ok) {
		child_heads_change(&child->heads, ends.heads);
		ends.tokens = ends.heads = -1;
		child->state = CHILD_STARTING;
		child->is_greeted = true;
	}
	ends_close(&ends);
	return ok;
}

static bool arguments_copy(struct signer_child *child, const char *const *arguments)
{
	size_t count = 0;

	for (; count < SIGNER_ARGUMENTS_MAX && arguments[count] != NULL; count++)
		child->arguments[count] = arguments[count];
	return arguments[count] == NULL;
}

bool signer_child_start(
	struct signer_child **out, const struct signer_child_settings *settings, struct error *err)
{
	struct signer_child *child = calloc(1, sizeof *child);

	*out = NULL;
	if (child == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the signer");
	child->settings = *settings;
	if (child->settings.backoff_ms == 0)
		child->settings.backoff_ms = SIGNER_BACKOFF_MS;
	if (child->settings.answer_ms == 0)
		child->settings.answer_ms = SIGNER_ANSWER_MS;
	child->ended.fd = -1;
	child->restart = (struct loop_timer){.on_due = on_restart, .context = child};
	child_tokens_init(child);
	child_heads_init(&child->heads);
	child->scratch = arena_create(CHILD_ARENA_BYTES_MAX);
	if (child->scratch == NULL || !arguments_copy(child, settings->arguments))
		error_set(err, ERROR_LIMIT, "no memory for the signer");
	else if (start(child, err))
		*out = child;
	if (*out == NULL)
		signer_child_stop(&child);
	return *out != NULL;
}

/* Its channels closed, it ends by itself; one that does not is killed. */
void signer_child_stop(struct signer_child **handle)
{
	struct signer_child *child = *handle;
	struct pollfd ended = {.events = POLLIN};

	if (child == NULL)
		return;
	loop_timer_stop(child->settings.loop, &child->restart);
	child_heads_change(&child->heads, -1);
	child_tokens_deinit(child);
	if (child->pid > 0) {
		ended.fd = child->ended.fd;
		if (ended.fd < 0 || poll(&ended, 1, STOP_WAIT_MS) <= 0)
			process_kill(child);
		(void)process_reap(child);
	}
	pthread_mutex_destroy(&child->heads.lock);
	public_key_destroy(&child->token_key);
	arena_destroy(&child->scratch);
	free(child);
	*handle = NULL;
}

/* ---- what else is asked of it ---- */

bool signer_child_set_issuer(struct signer_child *child, struct text issuer, struct error *err)
{
	if (child->issuer[0] != '\0')
		return error_set(err, ERROR_CONFLICT, "the issuer is set already");
	if (issuer.length == 0 || issuer.length >= sizeof child->issuer)
		return error_set(err, ERROR_INVALID, "the issuer is not an http(s) URL");
	memcpy(child->issuer, issuer.data, issuer.length);
	/* One that has not greeted yet hears it then. */
	return !child->is_greeted || tell_issuer(child, err);
}

struct text signer_child_public_keys(const struct signer_child *child)
{
	return child->public_keys;
}

void signer_child_status(const struct signer_child *child, struct signer_child_status *out)
{
	*out = (struct signer_child_status){.is_ready = child->state == CHILD_READY,
		.in_flight = child->flights_count,
		.ended = child->ended_count,
		.process = child->pid};
}
