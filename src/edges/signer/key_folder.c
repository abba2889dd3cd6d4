/* DIR/keys: the files, and what they hold.
 *
 * S1  A key file is only ever created; token.pem alone is replaced, by the key that was
 *     scheduled to follow it, in one step.
 * S2  The head on disk is never smaller than any head that was signed: it is durable before
 *     the signature leaves. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "edges/signer/signer_private.h"

enum {
	ORIGIN_BYTES_MAX = 64,
	RANDOM_LETTERS_PREFIX = 2, /* of random_id */
};

static const char token_file[] = "token.pem";
static const char next_file[] = "token-next.pem";
static const char schedule_file[] = "token-next"; /* "KID MILLISECOND\n" */
static const char checkpoint_file[] = "checkpoint.pem";
static const char master_file[] = "master.key";
static const char origin_file[] = "origin";
static const char head_file[] = "head";

/* ---- files ---- */

static bool io_error(struct error *err, const char *what, const char *name)
{
	int os_errno = errno;

	error_set(err, ERROR_IO, "cannot %s %s: %s", what, name, strerror(os_errno));
	err->os_errno = os_errno;
	return false;
}

bool key_folder_open(struct signer *signer, struct error *err)
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
static bool file_read(const struct signer *signer, const char *name,
	char out[SIGNER_SMALL_FILE_BYTES_MAX], size_t *length, struct error *err)
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
	is_ok = file_read_all(fd, out, SIGNER_SMALL_FILE_BYTES_MAX, length) ||
		io_error(err, "read", name);
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

bool key_folder_make(const struct signer *signer, struct error *err)
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

bool key_folder_load_master(struct signer *signer, struct error *err)
{
	char bytes[SIGNER_SMALL_FILE_BYTES_MAX];
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
	char bytes[SIGNER_SMALL_FILE_BYTES_MAX];
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
	char bytes[SIGNER_SMALL_FILE_BYTES_MAX];
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

/* ---- the next key for tokens ---- */

static void token_key_clear(struct token_key *key)
{
	private_key_destroy(&key->key);
	memset(key->id, 0, sizeof key->id);
}

static bool token_key_load(
	struct token_key *out, const struct signer *signer, const char *name, struct error *err)
{
	if (key_load(&out->key, signer, name, SIGNATURE_ES256, err) &&
		jwk_thumbprint(out->id, private_key_public(out->key), err))
		return true;
	token_key_clear(out);
	return false;
}

static bool file_remove(const struct signer *signer, const char *name, struct error *err)
{
	if (unlinkat(signer->folder_fd, name, 0) != 0 && errno != ENOENT)
		return io_error(err, "remove", name);
	return true;
}

/* The schedule is for the key beside it, or is nobody's any more. */
static bool schedule_load(struct signer *signer, struct error *err)
{
	char bytes[SIGNER_SMALL_FILE_BYTES_MAX];
	struct text whole, kid, from;
	size_t length = 0;
	ptrdiff_t blank;

	signer->next_from_utc_ms = 0;
	if (!file_exists(signer, schedule_file))
		return true;
	if (!file_read(signer, schedule_file, bytes, &length, err))
		return false;
	whole = (struct text){bytes, length};
	blank = text_find_byte(whole, ' ');
	if (blank < 0 || !text_ends_with(whole, "\n"))
		return error_set(err, ERROR_CORRUPT, "%s/%s is not a schedule", signer->folder,
			schedule_file);
	kid = (struct text){bytes, (size_t)blank};
	from = (struct text){bytes + blank + 1, length - (size_t)blank - 2};
	if (!text_is(kid, signer->next.id))
		return file_remove(signer, schedule_file, err);
	return text_to_int64(from, &signer->next_from_utc_ms) ||
	       error_set(err, ERROR_CORRUPT, "%s/%s is not a schedule", signer->folder,
		       schedule_file);
}

static bool next_load(struct signer *signer, struct error *err)
{
	if (!file_exists(signer, next_file))
		return file_remove(signer, schedule_file, err);
	return token_key_load(&signer->next, signer, next_file, err) && schedule_load(signer, err);
}

bool key_folder_make_next(struct signer *signer, struct error *err)
{
	token_key_clear(&signer->next);
	return file_remove(signer, schedule_file, err) && file_remove(signer, next_file, err) &&
	       key_make(signer, next_file, SIGNATURE_ES256, err) &&
	       token_key_load(&signer->next, signer, next_file, err);
}

bool key_folder_schedule(const struct signer *signer, int64_t from_utc_ms, struct error *err)
{
	char line[SIGNER_SMALL_FILE_BYTES_MAX];

	snprintf(line, sizeof line, "%s %lld\n", signer->next.id, (long long)from_utc_ms);
	return file_write(signer, schedule_file, text_of(line), err);
}

bool key_folder_promote(struct signer *signer, struct error *err)
{
	if (renameat(signer->folder_fd, next_file, signer->folder_fd, token_file) != 0)
		return io_error(err, "replace", token_file);
	token_key_clear(&signer->token);
	signer->token = signer->next;
	signer->next = (struct token_key){0};
	signer->next_from_utc_ms = 0;
	if (fsync(signer->folder_fd) != 0)
		return io_error(err, "sync", signer->folder);
	return file_remove(signer, schedule_file, err);
}

bool key_folder_load(struct signer *signer, struct error *err)
{
	return token_key_load(&signer->token, signer, token_file, err) && next_load(signer, err) &&
	       key_load(&signer->checkpoint_key, signer, checkpoint_file, SIGNATURE_ED25519, err) &&
	       origin_load(signer, err) && head_load(signer, err);
}

bool key_folder_put_head(const struct signer *signer, struct text checkpoint, struct error *err)
{
	return file_write(signer, head_file, checkpoint, err);
}

/* ---- restore ---- */

/* name becomes name-ORIGIN; one that is not there is fine. */
static bool set_aside(
	const struct signer *signer, const char *name, struct text origin, struct error *err)
{
	char aside[SIGNER_SMALL_FILE_BYTES_MAX + 32];

	snprintf(aside, sizeof aside, "%s-%.*s", name, TEXT_ARGS(origin));
	if (renameat(signer->folder_fd, name, signer->folder_fd, aside) != 0 && errno != ENOENT)
		return io_error(err, "set aside", name);
	return true;
}

bool key_folder_retire(struct signer *signer, struct error *err)
{
	char origin[SIGNER_SMALL_FILE_BYTES_MAX];
	struct text name = {origin, 0};

	if (!file_exists(signer, origin_file))
		return error_set(err, ERROR_NOT_FOUND, "%s has no origin", signer->folder);
	if (!file_read(signer, origin_file, origin, &name.length, err))
		return false;
	if (name.length == 0 || name.length > ORIGIN_BYTES_MAX || text_find_byte(name, '/') >= 0)
		return error_set(
			err, ERROR_CORRUPT, "%s/%s is not a name", signer->folder, origin_file);
	/* The origin goes last: without it the next start makes the missing key. */
	if (!set_aside(signer, head_file, name, err) ||
		!set_aside(signer, checkpoint_file, name, err) ||
		!set_aside(signer, origin_file, name, err))
		return false;
	return fsync(signer->folder_fd) == 0 || io_error(err, "sync", signer->folder);
}
