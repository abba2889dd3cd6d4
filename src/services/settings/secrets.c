/* Sealed values are read once, at opening, and kept sealed in memory; a value is
 * opened for each use, which costs a microsecond, and cleared by its user.
 *
 * A change is written to a new file, synced, renamed over the old one, and the
 * folder synced; only then does memory change.  So a crash leaves the old
 * value or the new one (docs/formats/secrets.md).
 * Invariants: names are plain (is_name), so no name leaves the folder; entries
 * are sorted by name; where any are counted, they are there. */
#include "services/settings/secrets.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/file.h"
#include "domain/charter/credential.h"

enum { SEALED_BYTES_MAX = SECRET_BYTES_MAX + SEAL_OVERHEAD_BYTES };

static const char magic[] = "remit-secret-1\n";
enum { MAGIC_BYTES = sizeof magic - 1, FILE_BYTES_MAX = MAGIC_BYTES + SEALED_BYTES_MAX };

struct entry {
	char name[SECRET_NAME_BYTES_MAX + 1];
	char *sealed;
	size_t size;
};

struct secrets {
	int folder_fd;
	struct seal_key master;
	struct entry *entries;
	size_t count;
};

void secret_clear(struct secret *secret)
{
	if (secret->bytes != NULL)
		explicit_bzero(secret->bytes, secret->size);
	free(secret->bytes);
	*secret = (struct secret){0};
}

static bool is_name(struct text name)
{
	size_t i;

	if (name.length == 0 || name.length > SECRET_NAME_BYTES_MAX)
		return false;
	for (i = 0; i < name.length; i++) {
		char c = name.data[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!is_plain && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

/* Index of the name, or of where it would be. */
static size_t entry_find(const struct secrets *secrets, struct text name, bool *is_there)
{
	size_t low = 0, high = secrets->count;

	assert(high == 0 || secrets->entries != NULL);
	*is_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = text_compare(text_of(secrets->entries[middle].name), name);

		if (order == 0) {
			*is_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- files ---- */

/* The file's bytes in a new block, at most limit; the caller clears it. */
static bool file_read(
	struct secret *out, int folder_fd, const char *path, size_t limit, struct error *err)
{
	int fd = openat(folder_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat about;
	bool ok = false;

	*out = (struct secret){0};
	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "open: %s",
			strerror(errno));
	if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode)) {
		error_set(err, ERROR_INVALID, "not a plain file");
		goto done;
	}
	out->bytes = calloc(1, limit + 1);
	if (out->bytes == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a secret");
		goto done;
	}
	out->size = limit + 1; /* cleared whole, whatever was read */
	if (!file_read_all(fd, out->bytes, limit + 1, &out->size)) {
		error_set(err, ERROR_IO, "read: %s", strerror(errno));
		goto done;
	}
	ok = out->size <= limit || error_set(err, ERROR_LIMIT, "longer than %zu bytes", limit);
done:
	(void)close(fd);
	if (!ok)
		secret_clear(out);
	return ok;
}

/* ---- entries ---- */

/* Takes sealed. */
static bool entry_put(struct secrets *secrets, struct text name, char *sealed, size_t size)
{
	bool is_there;
	size_t index = entry_find(secrets, name, &is_there);
	struct entry *entries;

	if (!is_there) {
		entries = realloc(secrets->entries, (secrets->count + 1) * sizeof *entries);
		if (entries == NULL) {
			free(sealed);
			return false;
		}
		secrets->entries = entries;
		memmove(&entries[index + 1], &entries[index],
			(secrets->count - index) * sizeof *entries);
		entries[index] = (struct entry){0};
		memcpy(entries[index].name, name.data, name.length);
		secrets->count++;
	}
	assert(secrets->entries != NULL);
	free(secrets->entries[index].sealed);
	secrets->entries[index].sealed = sealed;
	secrets->entries[index].size = size;
	return true;
}

static bool entry_load(struct secrets *secrets, const char *name, struct error *err)
{
	struct secret file;
	char *sealed;
	size_t size;

	if (secrets->count == SECRETS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d secrets", SECRETS_MAX);
	if (!file_read(&file, secrets->folder_fd, name, FILE_BYTES_MAX, err))
		return false;
	size = file.size < MAGIC_BYTES ? 0 : file.size - MAGIC_BYTES;
	if (size <= SEAL_OVERHEAD_BYTES || memcmp(file.bytes, magic, MAGIC_BYTES) != 0) {
		secret_clear(&file);
		return error_set(err, ERROR_CORRUPT, "not a sealed secret");
	}
	sealed = calloc(1, size);
	if (sealed != NULL)
		memcpy(sealed, file.bytes + MAGIC_BYTES, size);
	secret_clear(&file);
	if (sealed == NULL || !entry_put(secrets, text_of(name), sealed, size))
		return error_set(err, ERROR_LIMIT, "no memory for secrets");
	return true;
}

static bool folder_load(struct secrets *secrets, struct error *err)
{
	int fd = openat(secrets->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *item;
	bool ok = true;

	if (folder == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return error_set(err, ERROR_IO, "opendir: %s", strerror(errno));
	}
	while (ok && (item = readdir(folder)) != NULL) {
		if (item->d_name[0] == '.') /* also what a crash left half written */
			continue;
		if (!is_name(text_of(item->d_name)))
			ok = error_set(
				err, ERROR_CORRUPT, "%.100s: not a secret's name", item->d_name);
		else if (!entry_load(secrets, item->d_name, err))
			ok = error_wrap(err, "%s", item->d_name);
	}
	(void)closedir(folder);
	return ok;
}

bool secrets_open(
	struct secrets **out, const char *folder, const struct seal_key *master, struct error *err)
{
	struct secrets *secrets = calloc(1, sizeof *secrets);

	*out = NULL;
	if (secrets == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for secrets");
	secrets->master = *master;
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		error_set(err, ERROR_IO, "%s: %s", folder, strerror(errno));
	secrets->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (secrets->folder_fd < 0) {
		error_set(err, ERROR_IO, "%s: %s", folder, strerror(errno));
		secrets_close(&secrets);
		return false;
	}
	if (!folder_load(secrets, err)) {
		secrets_close(&secrets);
		return error_wrap(err, "%s", folder);
	}
	*out = secrets;
	return true;
}

void secrets_close(struct secrets **secrets)
{
	size_t i;

	if (*secrets == NULL)
		return;
	if ((*secrets)->folder_fd >= 0)
		(void)close((*secrets)->folder_fd);
	for (i = 0; i < (*secrets)->count; i++)
		free((*secrets)->entries[i].sealed);
	free((*secrets)->entries);
	seal_key_clear(&(*secrets)->master);
	free(*secrets);
	*secrets = NULL;
}

bool secrets_set(struct secrets *secrets, struct text name, struct text value, struct error *err)
{
	char file[FILE_BYTES_MAX], plain_name[SECRET_NAME_BYTES_MAX + 1] = "";
	size_t size = value.length + SEAL_OVERHEAD_BYTES;
	bool is_there;
	char *sealed;

	if (!is_name(name))
		return error_set(err, ERROR_INVALID,
			"a secret's name has 1 to %d of a-z 0-9 . _ - and starts with a letter or "
			"digit",
			SECRET_NAME_BYTES_MAX);
	if (value.length == 0 || value.length > SECRET_BYTES_MAX)
		return error_set(err, value.length == 0 ? ERROR_INVALID : ERROR_LIMIT,
			"a secret has 1 to %d bytes", SECRET_BYTES_MAX);
	(void)entry_find(secrets, name, &is_there);
	if (!is_there && secrets->count == SECRETS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d secrets", SECRETS_MAX);
	memcpy(plain_name, name.data, name.length);
	memcpy(file, magic, MAGIC_BYTES);
	if (!seal_encrypt(&secrets->master, value, name, (uint8_t *)file + MAGIC_BYTES, err))
		return false;
	sealed = calloc(1, size);
	if (sealed == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a secret");
	memcpy(sealed, file + MAGIC_BYTES, size);
	if (!file_put(
		    secrets->folder_fd, plain_name, (struct text){file, MAGIC_BYTES + size}, err)) {
		free(sealed);
		return error_wrap(err, "secret %s", plain_name);
	}
	if (!entry_put(secrets, name, sealed, size))
		return error_set(err, ERROR_LIMIT, "no memory for a secret");
	return true;
}

bool secrets_remove(struct secrets *secrets, struct text name, struct error *err)
{
	bool is_there;
	size_t index = entry_find(secrets, name, &is_there);
	struct entry *entry = &secrets->entries[index];

	if (!is_there)
		return error_set(err, ERROR_NOT_FOUND, "no secret %.*s", TEXT_ARGS(name));
	if (unlinkat(secrets->folder_fd, entry->name, 0) < 0 || fsync(secrets->folder_fd) < 0)
		return error_set(err, ERROR_IO, "secret %s: %s", entry->name, strerror(errno));
	free(entry->sealed);
	memmove(entry, entry + 1, (secrets->count - index - 1) * sizeof *entry);
	secrets->count--;
	return true;
}

bool secrets_list(
	const struct secrets *secrets, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder names;
	size_t i;

	json_array_start(&names, arena);
	for (i = 0; i < secrets->count; i++) {
		struct text name = text_copy(arena, text_of(secrets->entries[i].name));

		if (name.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a list");
		json_add(&names, json_string(name));
	}
	return json_array_seal(&names, out, err);
}

/* ---- resolving ---- */

static bool resolve_stored(
	const struct secrets *secrets, struct text name, struct secret *out, struct error *err)
{
	bool is_there;
	const struct entry *entry = &secrets->entries[entry_find(secrets, name, &is_there)];

	if (!is_there)
		return error_set(err, ERROR_NOT_FOUND, "no secret %.*s", TEXT_ARGS(name));
	out->size = entry->size - SEAL_OVERHEAD_BYTES;
	out->bytes = calloc(1, out->size);
	if (out->bytes == NULL) {
		*out = (struct secret){0};
		return error_set(err, ERROR_LIMIT, "no memory for a secret");
	}
	if (seal_decrypt(&secrets->master, (struct text){entry->sealed, entry->size}, name,
		    (uint8_t *)out->bytes, err))
		return true;
	secret_clear(out);
	return error_wrap(err, "secret %.*s", TEXT_ARGS(name));
}

/* True if the file lies in the data folder, which holds our own keys: a
 * registration may not send those away.  link is the open file's, so no other
 * file is judged than is read. */
static bool is_our_own(const struct secrets *secrets, const char *link)
{
	char upper[64];
	char *folder, *real = realpath(link, NULL);
	size_t length;
	bool is_own;

	(void)snprintf(upper, sizeof upper, "/proc/self/fd/%d/..", secrets->folder_fd);
	folder = realpath(upper, NULL);
	length = folder == NULL ? 0 : strlen(folder);
	is_own = folder == NULL || real == NULL || /* it cannot be told */
		 (strncmp(real, folder, length) == 0 && real[length] == '/');
	free(real);
	free(folder);
	return is_own;
}

/* Opens what a reference names, if it may be read; -1 if not. */
static int reference_open(
	const struct secrets *secrets, const char *path, char link[64], struct error *err)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat about;

	if (fd < 0) {
		error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s", strerror(errno));
		return -1;
	}
	(void)snprintf(link, 64, "/proc/self/fd/%d", fd);
	if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))
		error_set(err, ERROR_INVALID, "not a plain file");
	else if ((about.st_mode & 077) != 0 || (about.st_uid != geteuid() && about.st_uid != 0))
		error_set(err, ERROR_INVALID, "others may open it: chown it to us, chmod 600");
	else if (is_our_own(secrets, link))
		error_set(err, ERROR_INVALID, "lies in the data folder");
	else
		return fd;
	(void)close(fd);
	return -1;
}

static bool resolve_file(
	const struct secrets *secrets, struct text path, struct secret *out, struct error *err)
{
	char plain[CREDENTIAL_BYTES_MAX + 1], link[64];
	bool ok;
	int fd;

	memcpy(plain, path.data, path.length);
	plain[path.length] = '\0';
	fd = reference_open(secrets, plain, link, err);
	if (fd < 0)
		return error_wrap(err, "file:%s", plain);
	ok = file_read(out, AT_FDCWD, link, SECRET_BYTES_MAX + 1, err); /* one for the line end */
	(void)close(fd);
	if (!ok)
		return error_wrap(err, "file:%s", plain);
	if (out->size > 0 && out->bytes[out->size - 1] == '\n')
		out->size--;
	if (out->size > 0 && out->size <= SECRET_BYTES_MAX)
		return true;
	error_set(err, out->size == 0 ? ERROR_INVALID : ERROR_LIMIT,
		"file:%s: a secret has 1 to %d bytes", plain, SECRET_BYTES_MAX);
	secret_clear(out);
	return false;
}

/* The daemon never changes its environment, so this is what it was started with. */
static bool resolve_environment(struct text name, struct secret *out, struct error *err)
{
	char plain[CREDENTIAL_VARIABLE_BYTES_MAX + 1];
	const char *value;

	memcpy(plain, name.data, name.length);
	plain[name.length] = '\0';
	value = getenv(plain);
	if (value == NULL || *value == '\0')
		return error_set(err, ERROR_NOT_FOUND, "env:%s: not set", plain);
	out->size = strlen(value);
	if (out->size <= SECRET_BYTES_MAX)
		out->bytes = calloc(1, out->size);
	if (out->bytes == NULL) {
		*out = (struct secret){0};
		return error_set(err, ERROR_LIMIT, "env:%s: too long", plain);
	}
	memcpy(out->bytes, value, out->size);
	return true;
}

bool secrets_resolve(
	const struct secrets *secrets, struct text reference, struct secret *out, struct error *err)
{
	struct credential credential;

	*out = (struct secret){0};
	if (!credential_parse(&credential, reference, err))
		return false;
	switch (credential.kind) {
	case CREDENTIAL_STORED: return resolve_stored(secrets, credential.name, out, err);
	case CREDENTIAL_FILE: return resolve_file(secrets, credential.name, out, err);
	case CREDENTIAL_ENVIRONMENT: return resolve_environment(credential.name, out, err);
	case CREDENTIAL_VAULT:
	case CREDENTIAL_NONE: break;
	}
	return error_set(err, ERROR_INVALID, "vault: is not read from this machine");
}
