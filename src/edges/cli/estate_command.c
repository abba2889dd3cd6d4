/* A sample estate (domain/estate), written into a new folder.  Needs no daemon. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "domain/charter/form.h"
#include "domain/estate/estate.h"
#include "edges/cli/command.h"

enum { DAY_S = 86400, PEOPLE_DEFAULT = 200, IDENTITIES_DEFAULT = 2000 };

/* The file that is being written. */
struct writing {
	const char *folder;
	char path[PATH_MAX];
	int fd; /* -1: none is open */
	uint64_t files;
	uint64_t bytes;
};

static bool refuse(const struct writing *writing, struct error *err)
{
	return error_set(err, ERROR_IO, "%s: %s", writing->path, strerror(errno));
}

/* Each folder on the way to the file. */
static bool make_folders(struct writing *writing, struct error *err)
{
	for (char *at = writing->path + strlen(writing->folder) + 1; *at != '\0'; at++) {
		bool is_made;

		if (*at != '/')
			continue;
		*at = '\0';
		is_made = mkdir(writing->path, S_IRWXU) == 0 || errno == EEXIST;
		if (!is_made)
			return refuse(writing, err);
		*at = '/';
	}
	return true;
}

static void end_file(struct writing *writing)
{
	if (writing->fd >= 0)
		(void)close(writing->fd);
	writing->fd = -1;
}

static bool begin_file(struct writing *writing, const char *file, struct error *err)
{
	int length = snprintf(writing->path, sizeof writing->path, "%s/%s", writing->folder, file);

	if (length < 0 || (size_t)length >= sizeof writing->path)
		return error_set(err, ERROR_LIMIT, "%s: the path is too long", file);
	if (!make_folders(writing, err))
		return false;
	writing->fd = open(writing->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	writing->files++;
	return writing->fd >= 0 || refuse(writing, err);
}

static bool is_open(const struct writing *writing, const char *file)
{
	return writing->fd >= 0 && strcmp(writing->path + strlen(writing->folder) + 1, file) == 0;
}

static bool put(void *context, const char *file, struct text bytes, struct error *err)
{
	struct writing *writing = context;

	if (!is_open(writing, file)) {
		end_file(writing);
		if (!begin_file(writing, file, err))
			return false;
	}
	writing->bytes += bytes.length;
	return file_write_all(writing->fd, bytes.data, bytes.length) || refuse(writing, err);
}

/* A folder that is new, or empty. */
static bool open_folder(const char *folder, struct error *err)
{
	const struct dirent *entry;
	bool is_empty = true;
	DIR *listing;

	if (mkdir(folder, S_IRWXU) != 0 && errno != EEXIST)
		return error_set(err, ERROR_IO, "%s: %s", folder, strerror(errno));
	listing = opendir(folder);
	if (listing == NULL)
		return error_set(err, ERROR_IO, "%s: %s", folder, strerror(errno));
	while (is_empty && (entry = readdir(listing)) != NULL)
		is_empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	(void)closedir(listing);
	return is_empty ||
	       error_set(err, ERROR_CONFLICT, "%s is not empty: name a folder that is new", folder);
}

static bool read_number(struct cli *cli, enum cli_option option, uint64_t most, uint64_t *out)
{
	const char *given = cli->values[option];
	int64_t number;

	if (given == NULL)
		return true;
	if (!text_to_int64(text_of(given), &number) || number < 0 || (uint64_t)number > most)
		return false;
	*out = (uint64_t)number;
	return true;
}

static int64_t today_utc_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec / DAY_S * DAY_S;
}

static bool read_order(struct cli *cli, struct estate_order *out, const char **wrong)
{
	uint64_t people = PEOPLE_DEFAULT, identities = IDENTITIES_DEFAULT;

	out->seed = 1;
	out->at_utc_s = today_utc_s();
	*wrong = "--people and --identities are numbers";
	if (!read_number(cli, OPTION_PEOPLE, UINT32_MAX, &people) ||
		!read_number(cli, OPTION_IDENTITIES, UINT32_MAX, &identities))
		return false;
	*wrong = "--seed is a number, 0 or above";
	if (!read_number(cli, OPTION_SEED, INT64_MAX, &out->seed))
		return false;
	*wrong = "--at is a day or a time, as 2026-11-26 or 2026-11-26T12:00:00Z";
	if (cli->values[OPTION_AT] != NULL &&
		!time_of_text(text_of(cli->values[OPTION_AT]), &out->at_utc_s))
		return false;
	out->people = (uint32_t)people;
	out->identities = (uint32_t)identities;
	return true;
}

static int print_written(
	struct cli *cli, const struct estate_order *order, const struct writing *writing)
{
	struct json_builder object;
	struct json result;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "folder", writing->folder);
	json_put_integer(&object, "people", order->people);
	json_put_integer(&object, "identities", order->identities);
	json_put_integer(&object, "seed", (int64_t)order->seed);
	json_put_integer(&object, "files", (int64_t)writing->files);
	json_put_integer(&object, "bytes", (int64_t)writing->bytes);
	json_put_text(
		&object, "next", text_format(cli->arena, "read %s/README.md", writing->folder));
	if (!json_object_seal(&object, &result, &err))
		return cli_fail(cli, &err);
	cli_print(cli, &result);
	return EXIT_DONE;
}

int command_estate(struct cli *cli)
{
	struct writing writing = {.folder = cli->values[OPTION_OUT], .fd = -1};
	const struct estate_sink sink = {&writing, put};
	struct estate_order order = {0};
	struct error err = {0};
	const char *wrong;
	bool ok;

	if (writing.folder == NULL)
		return cli_usage(cli, "--out names the folder, which is new");
	if (!read_order(cli, &order, &wrong))
		return cli_usage(cli, wrong);
	if (!open_folder(writing.folder, &err))
		return cli_fail(cli, &err);
	ok = estate_write(&order, &sink, &err);
	end_file(&writing);
	return ok ? print_written(cli, &order, &writing) : cli_fail(cli, &err);
}
