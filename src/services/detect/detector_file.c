/* DIR/keys/fingerprints (docs/formats/fingerprints.md): what is known, sealed as a whole.
 * It is written anew each time, which is seldom: a credential was set or changed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "services/detect/detector_private.h"

static const char file_name[] = "fingerprints";
static const char magic[] = "remit-fingerprints-1\n";
static const struct text seal_context = {"fingerprints", 12};

enum {
	MAGIC_BYTES = sizeof magic - 1,
	SECRET_HEAD_BYTES = 1 + 8 + 16 + 2 + 1,
	SPELLING_BYTES = 4 + 16 + 8 * FINGERPRINT_OFFSETS,
	/* check-source: bound: what the most that are known take */
	FILE_BYTES_MAX = KNOWN_MAX * (SECRET_HEAD_BYTES + DETECTOR_NAME_BYTES_MAX +
					     FINGERPRINT_SPELLINGS_MAX * SPELLING_BYTES) +
			 1024,
};

/* ---- writing ---- */

static void put_number(struct buffer *out, uint64_t number, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buffer_append_byte(out, (char)(number >> 8 * i & 255));
}

static void put_known(struct buffer *out, const struct known *known)
{
	put_number(out, known->sort, 1);
	put_number(out, (uint64_t)known->ends_utc_ms, 8);
	put_number(out, known->digest.low, 8);
	put_number(out, known->digest.high, 8);
	put_number(out, known->name_length, 2);
	buffer_append(out, known->name, known->name_length);
	put_number(out, known->fingerprint.count, 1);
	for (uint32_t i = 0; i < known->fingerprint.count; i++) {
		const struct spelling *spelling = &known->fingerprint.spellings[i];

		put_number(out, spelling->length, 4);
		put_number(out, spelling->digest.low, 8);
		put_number(out, spelling->digest.high, 8);
		for (size_t back = 0; back < FINGERPRINT_OFFSETS; back++)
			put_number(out, spelling->anchors[back], 8);
	}
}

static bool seal_into(
	struct buffer *file, const struct detector *detector, struct text plain, struct error *err)
{
	size_t size = plain.length + SEAL_OVERHEAD_BYTES;

	buffer_append(file, magic, MAGIC_BYTES);
	if (!buffer_reserve(file, size))
		return error_set(err, ERROR_LIMIT, "no memory to keep fingerprints");
	if (!seal_encrypt(&detector->master, plain, seal_context,
		    (uint8_t *)file->data + file->length, err))
		return false;
	file->length += size;
	return true;
}

bool detector_save(struct detector *detector, struct error *err)
{
	struct buffer plain, file;
	bool ok;

	buffer_init(&plain, FILE_BYTES_MAX);
	buffer_init(&file, FILE_BYTES_MAX + MAGIC_BYTES + SEAL_OVERHEAD_BYTES);
	buffer_append(&plain, detector->key.bytes, sizeof detector->key.bytes);
	for (uint32_t i = 0; i < KNOWN_MAX; i++)
		if (detector->known[i] != NULL)
			put_known(&plain, detector->known[i]);
	ok = !buffer_failed(&plain) ||
	     error_set(err, ERROR_LIMIT, "no memory to keep fingerprints");
	ok = ok && seal_into(&file, detector, buffer_text(&plain), err) &&
	     file_put(detector->folder_fd, file_name, buffer_text(&file), err);
	if (plain.data != NULL)
		explicit_bzero(plain.data, plain.length);
	buffer_deinit(&plain);
	buffer_deinit(&file);
	return ok;
}

/* ---- reading ---- */

struct reading {
	const unsigned char *at, *end;
	bool has_failed;
};

static const unsigned char *take(struct reading *reading, size_t size)
{
	const unsigned char *taken = reading->at;

	if ((size_t)(reading->end - reading->at) < size) {
		reading->has_failed = true;
		return NULL;
	}
	reading->at += size;
	return taken;
}

static uint64_t take_number(struct reading *reading, unsigned bytes)
{
	const unsigned char *taken = take(reading, bytes);
	uint64_t number = 0;

	for (unsigned i = 0; taken != NULL && i < bytes; i++)
		number |= (uint64_t)taken[i] << 8 * i;
	return number;
}

static void take_spellings(struct reading *reading, struct fingerprint *out)
{
	out->count = (uint32_t)take_number(reading, 1);
	if (out->count > FINGERPRINT_SPELLINGS_MAX)
		reading->has_failed = true;
	for (uint32_t i = 0; i < out->count && !reading->has_failed; i++) {
		struct spelling *spelling = &out->spellings[i];

		spelling->length = (uint32_t)take_number(reading, 4);
		spelling->digest.low = take_number(reading, 8);
		spelling->digest.high = take_number(reading, 8);
		for (size_t back = 0; back < FINGERPRINT_OFFSETS; back++)
			spelling->anchors[back] = take_number(reading, 8);
		if (spelling->length < FINGERPRINT_SECRET_BYTES_MIN ||
			spelling->length > 2 * FINGERPRINT_SECRET_BYTES_MAX)
			reading->has_failed = true;
	}
}

/* One secret; NULL: it is malformed, or there is no memory. */
static struct known *take_known(struct reading *reading)
{
	uint64_t sort = take_number(reading, 1);
	int64_t ends_utc_ms = (int64_t)take_number(reading, 8);
	struct siphash digest;
	struct known *known;
	size_t length;
	const unsigned char *name;

	digest.low = take_number(reading, 8);
	digest.high = take_number(reading, 8);
	length = take_number(reading, 2);
	name = take(reading, length);
	if (reading->has_failed || sort < KNOWN_CREDENTIAL || sort > KNOWN_CODE || length == 0 ||
		length > DETECTOR_NAME_BYTES_MAX)
		return NULL;
	known = known_create((enum known_sort)sort, (struct text){(const char *)name, length});
	if (known == NULL)
		return NULL;
	known->ends_utc_ms = ends_utc_ms;
	known->digest = digest;
	take_spellings(reading, &known->fingerprint);
	if (reading->has_failed) {
		free(known);
		return NULL;
	}
	return known;
}

/* Two in use by one key would be one too many. */
static bool is_there_already(const struct detector *detector, const struct known *known)
{
	char room[KNOWN_KEY_BYTES];
	struct text key = known_key(known, room);

	return key.length != 0 && name_table_find(detector->in_use, key) != NULL;
}

static bool read_known(struct detector *detector, struct reading *reading, struct error *err)
{
	int64_t now_utc_ms = detector_now_utc_ms(detector);

	while (reading->at < reading->end) {
		struct known *known = take_known(reading);
		bool ok = known != NULL && !is_there_already(detector, known);

		if (!ok)
			error_set(err, ERROR_CORRUPT, "keys/fingerprints is malformed");
		else if (known->ends_utc_ms > now_utc_ms)
			ok = detector_add(detector, &known, err);
		free(known);
		if (!ok)
			return false;
	}
	return true;
}

static bool read_plain(struct detector *detector, struct text plain, struct error *err)
{
	struct reading reading = {(const unsigned char *)plain.data,
		(const unsigned char *)plain.data + plain.length, false};
	const unsigned char *key = take(&reading, sizeof detector->key.bytes);

	if (key == NULL)
		return error_set(err, ERROR_CORRUPT, "keys/fingerprints is malformed");
	memcpy(detector->key.bytes, key, sizeof detector->key.bytes);
	return fingerprint_index_create(&detector->index, &detector->key, err) &&
	       read_known(detector, &reading, err);
}

static bool open_sealed(struct detector *detector, struct text file, struct error *err)
{
	struct text sealed = {file.data + MAGIC_BYTES, file.length - MAGIC_BYTES};
	size_t size = sealed.length - SEAL_OVERHEAD_BYTES;
	uint8_t *plain;
	bool ok;

	plain = calloc(1, size + 1);
	if (plain == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for fingerprints");
	ok = seal_decrypt(&detector->master, sealed, seal_context, plain, err) &&
	     read_plain(detector, (struct text){(const char *)plain, size}, err);
	explicit_bzero(plain, size);
	free(plain);
	return ok;
}

static bool read_file(const struct detector *detector, struct buffer *out, struct error *err)
{
	int fd = openat(detector->folder_fd, file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat about;
	size_t size;
	bool ok = false;

	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s",
			file_name, strerror(errno));
	if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode) || about.st_size > FILE_BYTES_MAX ||
		about.st_size < MAGIC_BYTES + SEAL_OVERHEAD_BYTES)
		error_set(err, ERROR_CORRUPT, "%s: not a file of fingerprints", file_name);
	else if (!buffer_reserve(out, (size_t)about.st_size))
		error_set(err, ERROR_LIMIT, "no memory for fingerprints");
	else if (!file_read_all(fd, out->data, (size_t)about.st_size, &size) ||
		 size != (size_t)about.st_size)
		error_set(err, ERROR_IO, "%s: cannot be read", file_name);
	else {
		out->length = size;
		ok = memcmp(out->data, magic, MAGIC_BYTES) == 0 ||
		     error_set(err, ERROR_CORRUPT, "%s: of another version", file_name);
	}
	(void)close(fd);
	return ok;
}

/* Nothing of a file that was read in part stays. */
static void undo(struct detector *detector)
{
	name_table_destroy(&detector->in_use, NULL);
	fingerprint_index_destroy(&detector->index);
	for (uint32_t i = 0; i < KNOWN_MAX; i++) {
		free(detector->known[i]);
		detector->known[i] = NULL;
	}
	detector->figures = (struct detector_figures){0};
	detector->in_use = name_table_create();
}

bool detector_load(struct detector *detector, struct error *err)
{
	struct buffer file;
	bool ok;

	buffer_init(&file, FILE_BYTES_MAX);
	ok = read_file(detector, &file, err) && open_sealed(detector, buffer_text(&file), err);
	buffer_deinit(&file);
	if (!ok)
		undo(detector);
	return ok;
}
