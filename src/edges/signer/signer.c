/* The keeper of keys (README.md here).
 *
 * S1  A key file is only ever created, never overwritten.
 * S2  The head on disk is never smaller than any head that was signed: it is
 *     durable before the signature leaves.
 * S3  Nothing is signed that the checks of its message did not pass.
 * S4  The struct lies in pages of its own, kept out of core dumps and locked
 *     where the system allows it. */
#include "edges/signer/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/private_key.h"
#include "base/random.h"
#include "domain/charter/charter.h"
#include "domain/token/claims.h"
#include "domain/token/jwk.h"

enum {
	PATH_BYTES_MAX = 4000,
	ORIGIN_BYTES_MAX = 64,
	ISSUER_BYTES_MAX = 256,
	SMALL_FILE_BYTES_MAX = 512,
	ARENA_BYTES_MAX = 64 * 1024,
	RANDOM_LETTERS_PREFIX = 2, /* of random_id */
};

static const char token_file[] = "token.pem";
static const char checkpoint_file[] = "checkpoint.pem";
static const char master_file[] = "master.key";
static const char origin_file[] = "origin";
static const char head_file[] = "head";

struct signer {
	char folder[PATH_BYTES_MAX];
	int folder_fd;
	int64_t (*wall_utc_ms)(void *context);
	void *clock_context;
	/* For tokens; the loop's thread. */
	struct private_key *token_key;
	char token_key_id[JWK_THUMBPRINT_BYTES];
	char issuer[ISSUER_BYTES_MAX]; /* empty until set */
	/* For checkpoints; the log writer's thread. */
	struct private_key *checkpoint_key;
	struct note_key note_key;
	struct tree_head head;
	/* For wrapping. */
	struct seal_key master;
};

/* ---- files ---- */

static bool io_error(struct error *err, const char *what, const char *name)
{
	int os_errno = errno;

	error_set(err, ERROR_IO, "cannot %s %s: %s", what, name, strerror(os_errno));
	err->os_errno = os_errno;
	return false;
}

static bool folder_open(struct signer *signer, struct error *err)
{
	struct stat found;

	if (mkdir(signer->folder, 0700) != 0 && errno != EEXIST)
		return io_error(err, "create", signer->folder);
	signer->folder_fd = open(signer->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (signer->folder_fd < 0 || fstat(signer->folder_fd, &found) != 0)
		return io_error(err, "open", signer->folder);
	if (found.st_uid != geteuid())
		return error_set(err, ERROR_INVALID, "%s belongs to another user", signer->folder);
	if ((found.st_mode & 077) != 0)
		return error_set(err, ERROR_INVALID, "others may enter %s: its mode must be 0700",
			signer->folder);
	return true;
}

static bool file_exists(const struct signer *signer, const char *name)
{
	struct stat found;

	return fstatat(signer->folder_fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Reads a small file of ours whole; *length is what it holds. */
static bool file_read(const struct signer *signer, const char *name, char out[SMALL_FILE_BYTES_MAX],
	size_t *length, struct error *err)
{
	int fd = openat(signer->folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat found;
	bool is_ok = false;

	*length = 0;
	if (fd < 0)
		return io_error(err, "open", name);
	if (fstat(fd, &found) == 0 && (!S_ISREG(found.st_mode) || found.st_uid != geteuid() ||
					      (found.st_mode & 077) != 0)) {
		close(fd);
		return error_set(err, ERROR_INVALID, "%s/%s must be a file of ours, mode 0600",
			signer->folder, name);
	}
	is_ok = file_read_all(fd, out, SMALL_FILE_BYTES_MAX, length) || io_error(err, "read", name);
	close(fd);
	return is_ok;
}

/* Puts name in place, new or replaced, durable on return. */
static bool file_write(
	const struct signer *signer, const char *name, struct text bytes, struct error *err)
{
	return file_put(signer->folder_fd, name, bytes, err) ||
	       error_wrap(err, "%s", signer->folder);
}

static void path_of(const struct signer *signer, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", signer->folder, name);
}

/* ---- first start ---- */

static bool key_make(const struct signer *signer, const char *name,
	enum signature_algorithm algorithm, struct error *err)
{
	struct private_key *key = NULL;
	char path[PATH_MAX];
	bool is_ok = false;

	if (file_exists(signer, name))
		return true;
	path_of(signer, name, path);
	is_ok = private_key_generate(&key, algorithm, err) && private_key_save(key, path, err);
	private_key_destroy(&key);
	return is_ok;
}

static bool master_make(const struct signer *signer, struct error *err)
{
	struct seal_key key;
	bool is_ok = false;

	if (file_exists(signer, master_file))
		return true;
	is_ok = seal_key_generate(&key, err) &&
		file_write(signer, master_file,
			(struct text){(const char *)key.bytes, sizeof key.bytes}, err);
	seal_key_clear(&key);
	return is_ok;
}

static bool origin_make(const struct signer *signer, struct error *err)
{
	char id[RANDOM_ID_BYTES];
	char origin[ORIGIN_BYTES_MAX];

	random_id(id, "o-");
	snprintf(origin, sizeof origin, "remit-%s", id + RANDOM_LETTERS_PREFIX);
	return file_write(signer, origin_file, text_of(origin), err);
}

/* Makes what is missing, unless a first start was finished before. */
static bool keys_make(const struct signer *signer, struct error *err)
{
	static const char *const needed[] = {token_file, checkpoint_file, master_file};

	if (file_exists(signer, origin_file)) {
		for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
			if (!file_exists(signer, needed[i]))
				return error_set(err, ERROR_CORRUPT, "%s/%s is missing",
					signer->folder, needed[i]);
		return true;
	}
	if (file_exists(signer, head_file))
		return error_set(err, ERROR_CORRUPT, "%s has a head but no origin", signer->folder);
	return key_make(signer, token_file, SIGNATURE_ES256, err) &&
	       key_make(signer, checkpoint_file, SIGNATURE_ED25519, err) &&
	       master_make(signer, err) && origin_make(signer, err);
}

/* ---- loading ---- */

static bool key_load(struct private_key **out, const struct signer *signer, const char *name,
	enum signature_algorithm algorithm, struct error *err)
{
	char path[PATH_MAX];

	path_of(signer, name, path);
	if (!private_key_load(out, path, err))
		return false;
	if (public_key_algorithm(private_key_public(*out)) == algorithm)
		return true;
	return error_set(err, ERROR_CORRUPT, "%s holds a key of another algorithm", path);
}

static bool master_load(struct signer *signer, struct error *err)
{
	char bytes[SMALL_FILE_BYTES_MAX];
	size_t length = 0;
	bool is_ok = file_read(signer, master_file, bytes, &length, err);

	if (is_ok && length != SEAL_KEY_BYTES)
		is_ok = error_set(err, ERROR_CORRUPT, "%s/%s has not %d bytes", signer->folder,
			master_file, SEAL_KEY_BYTES);
	if (is_ok)
		memcpy(signer->master.bytes, bytes, SEAL_KEY_BYTES);
	explicit_bzero(bytes, sizeof bytes);
	return is_ok;
}

static bool origin_load(struct signer *signer, struct error *err)
{
	char bytes[SMALL_FILE_BYTES_MAX];
	size_t length = 0;
	struct public_key_numbers numbers;

	if (!file_read(signer, origin_file, bytes, &length, err))
		return false;
	public_key_numbers(private_key_public(signer->checkpoint_key), &numbers);
	return note_key_init(&signer->note_key, (struct text){bytes, length}, NOTE_ED25519,
		(const uint8_t *)numbers.x.data, err);
}

static bool head_load(struct signer *signer, struct error *err)
{
	char bytes[SMALL_FILE_BYTES_MAX];
	size_t length = 0;
	struct checkpoint checkpoint;

	signer->head = (struct tree_head){.size = 0, .root = merkle_empty_root()};
	if (!file_exists(signer, head_file))
		return true;
	if (!file_read(signer, head_file, bytes, &length, err))
		return false;
	if (!checkpoint_parse(&checkpoint, (struct text){bytes, length}, err) ||
		!text_is(checkpoint.origin, signer->note_key.name)) {
		error_set(err, ERROR_CORRUPT, "%s/%s is not a head of this log", signer->folder,
			head_file);
		return false;
	}
	signer->head = checkpoint.head;
	return true;
}

static bool keys_load(struct signer *signer, struct error *err)
{
	return key_load(&signer->token_key, signer, token_file, SIGNATURE_ES256, err) &&
	       jwk_thumbprint(signer->token_key_id, private_key_public(signer->token_key), err) &&
	       key_load(&signer->checkpoint_key, signer, checkpoint_file, SIGNATURE_ED25519, err) &&
	       master_load(signer, err) && origin_load(signer, err) && head_load(signer, err);
}

static int64_t system_utc_ms(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct signer *signer_allocate(void)
{
	void *pages = mmap(NULL, sizeof(struct signer), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	if (madvise(pages, sizeof(struct signer), MADV_DONTDUMP) != 0) {
		munmap(pages, sizeof(struct signer));
		return NULL;
	}
	/* A limit of zero locked pages must not stop the daemon. */
	(void)mlock(pages, sizeof(struct signer));
	return pages;
}

bool signer_open(struct signer **out, const struct signer_settings *settings, struct error *err)
{
	struct signer *signer = NULL;
	bool is_ok = false;

	*out = NULL;
	if (strlen(settings->folder) >= PATH_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "the path of the keys is too long");
	signer = signer_allocate();
	if (signer == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the signer");
	signer->folder_fd = -1;
	memcpy(signer->folder, settings->folder, strlen(settings->folder) + 1);
	signer->wall_utc_ms = settings->wall_utc_ms == NULL ? system_utc_ms : settings->wall_utc_ms;
	signer->clock_context = settings->clock_context;
	if (!folder_open(signer, err) || !keys_make(signer, err) || !keys_load(signer, err))
		goto done;
	*out = signer;
	signer = NULL;
	is_ok = true;
done:
	signer_close(&signer);
	return is_ok ? true : error_wrap(err, "keys");
}

void signer_close(struct signer **signer)
{
	if (*signer == NULL)
		return;
	private_key_destroy(&(*signer)->token_key);
	private_key_destroy(&(*signer)->checkpoint_key);
	if ((*signer)->folder_fd >= 0)
		close((*signer)->folder_fd);
	explicit_bzero(*signer, sizeof **signer);
	munmap(*signer, sizeof **signer);
	*signer = NULL;
}

bool signer_set_issuer(struct signer *signer, struct text issuer, struct error *err)
{
	if (signer->issuer[0] != '\0')
		return error_set(err, ERROR_CONFLICT, "the issuer is set already");
	if (issuer.length == 0 || issuer.length >= ISSUER_BYTES_MAX ||
		text_ends_with(issuer, "/") ||
		!(text_starts_with(issuer, "http://") || text_starts_with(issuer, "https://")))
		return error_set(err, ERROR_INVALID, "the issuer is not an http(s) URL");
	memcpy(signer->issuer, issuer.data, issuer.length);
	return true;
}

/* ---- messages ---- */

enum signer_message_type { MESSAGE_SIGN_TOKEN = 0, MESSAGE_SIGN_CHECKPOINT, MESSAGE_TYPES };

struct signer_message {
	enum signer_message_type type;
	union {
		const struct access_token *token;
		struct {
			const struct tree_head *newer;
			const struct merkle_proof *proof;
		} checkpoint;
	};
};

/* A plain name below the folder of the issuer. */
static bool is_below(struct text rest, const char *folder)
{
	size_t length = strlen(folder);

	if (!text_starts_with(rest, folder) || rest.length == length ||
		rest.length > length + CHARTER_NAME_BYTES_MAX)
		return false;
	for (size_t i = length; i < rest.length; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-._", rest.data[i]) == NULL ||
			rest.data[i] == '\0')
			return false;
	return true;
}

/* The issuer's own decision point, or a server or application below it. */
static bool is_audience(const char *issuer, struct text audience)
{
	size_t length = strlen(issuer);
	struct text rest;

	if (audience.length < length || memcmp(audience.data, issuer, length) != 0)
		return false;
	rest = (struct text){audience.data + length, audience.length - length};
	return rest.length == 0 || is_below(rest, "/mcp/") || is_below(rest, "/llm/") ||
	       is_below(rest, "/applications/");
}

static bool check_token(
	const struct signer *signer, const struct access_token *token, struct error *err)
{
	int64_t now_utc_s = signer->wall_utc_ms(signer->clock_context) / 1000;
	int64_t lifetime_s = 0;

	if (signer->issuer[0] == '\0' || !text_is(token->issuer, signer->issuer))
		return error_set(err, ERROR_INVALID, "not a token of this issuer");
	if (!is_audience(signer->issuer, token->audience))
		return error_set(err, ERROR_INVALID, "not an audience of this issuer");
	if (token->issued_utc_s > now_utc_s + TOKEN_SKEW_S ||
		token->issued_utc_s < now_utc_s - TOKEN_SKEW_S)
		return error_set(err, ERROR_INVALID, "not issued now");
	if (__builtin_sub_overflow(token->expires_utc_s, token->issued_utc_s, &lifetime_s) ||
		lifetime_s <= 0 || lifetime_s > CHARTER_TASK_S_MAX)
		return error_set(err, ERROR_INVALID, "not a lifetime a token may have");
	if (!random_id_is(token->task, "t-") || token->identity.length == 0 ||
		token->id.length == 0 || token->environment == ENVIRONMENT_NONE ||
		!text_is(token->scope, ACCESS_TOKEN_SCOPE) ||
		binding_word(token->binding.kind) == NULL)
		return error_set(err, ERROR_INVALID, "not the claims of an access token");
	return true;
}

static bool sign_token(struct signer *signer, const struct signer_message *message,
	struct buffer *out, struct error *err)
{
	struct arena *arena = NULL;
	struct json claims;
	bool is_ok = false;

	if (!check_token(signer, message->token, err))
		return false;
	arena = arena_create(ARENA_BYTES_MAX);
	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to sign a token");
	is_ok = access_token_claims(&claims, arena, message->token, err) &&
		jws_sign(out, signer->token_key, ACCESS_TOKEN_TYPE, text_of(signer->token_key_id),
			&claims, err);
	arena_destroy(&arena);
	return is_ok;
}

static bool append_note(
	const struct signer *signer, struct text text, struct buffer *out, struct error *err)
{
	uint8_t signature[SIGNATURE_BYTES_MAX];
	size_t size = 0;

	if (!private_key_sign(signer->checkpoint_key, text, signature, &size, err))
		return false;
	buffer_append_text(out, text);
	buffer_append_byte(out, '\n');
	note_append_signature(out, &signer->note_key, signature, size);
	return buffer_failed(out) ? error_set(err, ERROR_LIMIT, "no memory for a note") : true;
}

static bool sign_checkpoint(struct signer *signer, const struct signer_message *message,
	struct buffer *out, struct error *err)
{
	const struct tree_head *newer = message->checkpoint.newer;
	const struct merkle_proof *proof = message->checkpoint.proof;
	const struct merkle_hashes hashes = {
		proof == NULL ? NULL : proof->hashes, proof == NULL ? 0 : proof->count};
	const struct checkpoint checkpoint = {text_of(signer->note_key.name), *newer};
	struct buffer text;
	bool is_ok = false;

	if (!checkpoint_extends(&signer->head, newer, hashes))
		return error_set(err, ERROR_CONFLICT,
			"the head of %llu entries does not extend the last signed one of %llu",
			(unsigned long long)newer->size, (unsigned long long)signer->head.size);
	buffer_init(&text, SMALL_FILE_BYTES_MAX);
	checkpoint_format(&text, &checkpoint);
	if (buffer_failed(&text))
		error_set(err, ERROR_LIMIT, "no memory for a checkpoint");
	else if (file_write(signer, head_file, buffer_text(&text), err)) {
		signer->head = *newer;
		is_ok = append_note(signer, buffer_text(&text), out, err);
	}
	buffer_deinit(&text);
	return is_ok;
}

static bool (*const handlers[MESSAGE_TYPES])(struct signer *signer,
	const struct signer_message *message, struct buffer *out, struct error *err) = {
	[MESSAGE_SIGN_TOKEN] = sign_token,
	[MESSAGE_SIGN_CHECKPOINT] = sign_checkpoint,
};

/* ---- ports ---- */

static void token_port_sign(
	void *context, const struct access_token *token, struct token_signing *signing)
{
	const struct signer_message message = {.type = MESSAGE_SIGN_TOKEN, .token = token};
	struct buffer out;

	buffer_init(&out, TOKEN_BYTES_MAX);
	signing->is_signed = handlers[message.type](context, &message, &out, &signing->err);
	signing->token = buffer_text(&out);
	signing->done(signing);
	if (out.data != NULL)
		explicit_bzero(out.data, out.length);
	buffer_deinit(&out);
}

struct token_signer signer_tokens(struct signer *signer)
{
	return (struct token_signer){
		.context = signer,
		.key = private_key_public(signer->token_key),
		.sign = token_port_sign,
	};
}

static bool checkpoint_port_last(void *context, struct tree_head *out, struct error *err)
{
	const struct signer *signer = context;

	(void)err;
	*out = signer->head;
	return true;
}

static bool checkpoint_port_sign(void *context, const struct tree_head *newer,
	const struct merkle_proof *proof, struct buffer *out_note, struct error *err)
{
	const struct signer_message message = {
		.type = MESSAGE_SIGN_CHECKPOINT, .checkpoint = {newer, proof}};

	return handlers[message.type](context, &message, out_note, err);
}

struct checkpoint_signer signer_checkpoints(struct signer *signer)
{
	return (struct checkpoint_signer){
		.context = signer,
		.key = &signer->note_key,
		.last = checkpoint_port_last,
		.sign = checkpoint_port_sign,
	};
}

const struct seal_key *signer_master_key(const struct signer *signer)
{
	return &signer->master;
}

/* C2SP text without a line end. */
static bool verifier_key(
	const struct signer *signer, struct arena *arena, struct text *out, struct error *err)
{
	struct buffer text;

	buffer_init(&text, NOTE_KEY_TEXT_BYTES_MAX);
	note_key_format(&text, &signer->note_key);
	*out = buffer_failed(&text) ? (struct text){0} : text_copy(arena, buffer_text(&text));
	buffer_deinit(&text);
	return out->data != NULL ? true : error_set(err, ERROR_LIMIT, "no memory for a key");
}

bool signer_public_keys(
	const struct signer *signer, struct arena *arena, struct text *out, struct error *err)
{
	struct json_builder array, object;
	struct json jwk, token, checkpoint, all;
	struct text verifier;

	if (!jwk_format(&jwk, arena, private_key_public(signer->token_key), err) ||
		!verifier_key(signer, arena, &verifier, err))
		return false;
	json_object_start(&object, arena);
	json_put_cstring(&object, "use", "token");
	json_put(&object, "jwk", jwk);
	if (!json_object_seal(&object, &token, err))
		return false;
	json_object_start(&object, arena);
	json_put_cstring(&object, "use", "checkpoint");
	json_put_text(&object, "vkey", verifier);
	if (!json_object_seal(&object, &checkpoint, err))
		return false;
	json_array_start(&array, arena);
	json_add(&array, token);
	json_add(&array, checkpoint);
	if (!json_array_seal(&array, &all, err))
		return false;
	*out = json_canonical_text(arena, &all);
	return out->data != NULL ? true : error_set(err, ERROR_LIMIT, "no memory for the keys");
}

/* ---- restore ---- */

/* name becomes name-ORIGIN; one that is not there is fine. */
static bool set_aside(
	const struct signer *signer, const char *name, struct text origin, struct error *err)
{
	char aside[SMALL_FILE_BYTES_MAX + 32];

	snprintf(aside, sizeof aside, "%s-%.*s", name, TEXT_ARGS(origin));
	if (renameat(signer->folder_fd, name, signer->folder_fd, aside) != 0 && errno != ENOENT)
		return io_error(err, "set aside", name);
	return true;
}

bool signer_retire_checkpoint_key(const char *folder, struct error *err)
{
	struct signer *signer = signer_allocate();
	char origin[SMALL_FILE_BYTES_MAX];
	size_t length = 0;
	bool is_ok = false;

	if (signer == NULL || strlen(folder) >= PATH_BYTES_MAX) {
		error_set(err, ERROR_LIMIT, "no memory for the signer");
		goto done;
	}
	signer->folder_fd = -1;
	memcpy(signer->folder, folder, strlen(folder) + 1);
	if (!folder_open(signer, err))
		goto done;
	if (!file_exists(signer, origin_file)) {
		error_set(err, ERROR_NOT_FOUND, "%s has no origin", folder);
		goto done;
	}
	if (!file_read(signer, origin_file, origin, &length, err))
		goto done;
	if (length == 0 || length > ORIGIN_BYTES_MAX || memchr(origin, '/', length) != NULL) {
		error_set(err, ERROR_CORRUPT, "%s/%s is not a name", folder, origin_file);
		goto done;
	}
	/* The origin goes last: without it the next start makes the missing key. */
	is_ok = set_aside(signer, head_file, (struct text){origin, length}, err) &&
		set_aside(signer, checkpoint_file, (struct text){origin, length}, err) &&
		set_aside(signer, origin_file, (struct text){origin, length}, err);
	if (is_ok && fsync(signer->folder_fd) != 0)
		is_ok = io_error(err, "sync", folder);
done:
	signer_close(&signer);
	return is_ok;
}
