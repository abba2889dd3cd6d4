#include "edges/cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/private_key.h"

/* The person's key lies in $XDG_CONFIG_HOME/remit (0700): key.pem, and person,
 * a file with the name it was enrolled under. */

const char *cli_person_folder(struct cli *cli)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (config != NULL && config[0] == '/')
		return text_format(cli->arena, "%s/remit", config).data;
	if (home != NULL && home[0] == '/')
		return text_format(cli->arena, "%s/.config/remit", home).data;
	return NULL;
}

static const char *file_in(struct cli *cli, const char *name, struct error *err)
{
	const char *folder = cli_person_folder(cli);
	const char *path =
		folder == NULL ? NULL : text_format(cli->arena, "%s/%s", folder, name).data;

	if (path == NULL)
		(void)error_set(err, ERROR_INVALID, "there is no home folder to keep a key in");
	return path;
}

/* The one line of the file; empty where there is none. */
static bool read_name(struct cli *cli, const char *path, struct text *out, struct error *err)
{
	char line[512];
	size_t got;
	bool ok;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = (struct text){0};
	if (fd < 0)
		return errno == ENOENT ? true
				       : error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
	ok = file_read_all(fd, line, sizeof line, &got) ||
	     error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
	close(fd);
	if (!ok)
		return false;
	if (got < 2 || line[got - 1] != '\n')
		return error_set(
			err, ERROR_INVALID, "%s: does not hold a name; log in again", path);
	*out = text_copy(cli->arena, (struct text){line, got - 1});
	return true;
}

bool cli_person_load(struct cli *cli, struct cli_person *out, struct error *err)
{
	const char *name_path = file_in(cli, "person", err);
	const char *key_path = file_in(cli, "key.pem", err);

	*out = (struct cli_person){0};
	*err = (struct error){0};
	if (name_path == NULL || key_path == NULL)
		return false;
	if (!read_name(cli, name_path, &out->name, err) || out->name.length == 0)
		return false;
	return private_key_load(&out->key, key_path, err);
}

/* Creates the folder and those above it. */
static bool make_folders(const char *path, struct error *err)
{
	char part[PATH_MAX];

	if (path == NULL || strlen(path) >= sizeof part)
		return error_set(err, ERROR_LIMIT, "%s: the path is too long",
			path == NULL ? "no home folder" : path);
	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, S_IRWXU) != 0 && errno != EEXIST)
			return error_set(err, ERROR_IO, "%s: %s", part, strerror(errno));
	}
	return true;
}

bool cli_person_save(
	struct cli *cli, const char *name, const struct private_key *key, struct error *err)
{
	const char *name_path = file_in(cli, "person", err);
	const char *key_path = file_in(cli, "key.pem", err);
	struct text line = text_format(cli->arena, "%s\n", name);

	if (name_path == NULL || key_path == NULL)
		return false;
	return make_folders(cli_person_folder(cli), err) && private_key_save(key, key_path, err) &&
	       file_create(name_path, line, err);
}

bool cli_person_forget(struct cli *cli, struct error *err)
{
	static const char *const names[] = {"person", "key.pem"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *path = file_in(cli, names[i], err);

		if (path == NULL)
			return false;
		if (unlink(path) != 0 && errno != ENOENT)
			return error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
	}
	return true;
}
