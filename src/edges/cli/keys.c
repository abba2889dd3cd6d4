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

/* The person's key lies in $XDG_CONFIG_HOME/remit (0700): key.pem; person, a file
 * with the name it was enrolled under; and installation, a file with the name of
 * the one installation it signs for; issuer, where it was enrolled by signing in, with the name
 * of the registered issuer.  next.pem is a key that waits for an id_token. */

static const char *const file_names[] = {"person", "installation", "issuer", "key.pem"};
#define NEXT_KEY "next.pem"

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
	const char *installation_path = file_in(cli, "installation", err);
	const char *issuer_path = file_in(cli, "issuer", err);
	const char *key_path = file_in(cli, "key.pem", err);

	*out = (struct cli_person){0};
	*err = (struct error){0};
	if (name_path == NULL || installation_path == NULL || issuer_path == NULL ||
		key_path == NULL)
		return false;
	if (!read_name(cli, name_path, &out->name, err) || out->name.length == 0)
		return false;
	return read_name(cli, installation_path, &out->installation, err) &&
	       read_name(cli, issuer_path, &out->issuer, err) &&
	       private_key_load(&out->key, key_path, err);
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

static bool save_line(struct cli *cli, const char *name, struct text line, struct error *err)
{
	const char *path = file_in(cli, name, err);
	struct text content = text_format(cli->arena, "%.*s\n", TEXT_ARGS(line));

	if (content.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a file");
	return path != NULL && file_create(path, content, err);
}

bool cli_person_save(struct cli *cli, const struct cli_person *person, struct error *err)
{
	const char *key_path = file_in(cli, "key.pem", err);

	return key_path != NULL && make_folders(cli_person_folder(cli), err) &&
	       private_key_save(person->key, key_path, err) &&
	       save_line(cli, "installation", person->installation, err) &&
	       (person->issuer.length == 0 || save_line(cli, "issuer", person->issuer, err)) &&
	       save_line(cli, "person", person->name, err);
}

bool cli_person_rebind(struct cli *cli, struct text installation, struct error *err)
{
	struct text content = text_format(cli->arena, "%.*s\n", TEXT_ARGS(installation));
	const char *folder = cli_person_folder(cli);
	int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_ok;

	if (fd < 0)
		return error_set(err, ERROR_IO, "%s: %s", folder == NULL ? "no home" : folder,
			strerror(errno));
	is_ok = content.data == NULL ? error_set(err, ERROR_LIMIT, "no memory for a file")
				     : file_put(fd, "installation", content, err);
	close(fd);
	return is_ok;
}

bool cli_person_forget(struct cli *cli, struct error *err)
{
	for (size_t i = 0; i < sizeof file_names / sizeof file_names[0]; i++) {
		const char *path = file_in(cli, file_names[i], err);

		if (path == NULL)
			return false;
		if (unlink(path) != 0 && errno != ENOENT)
			return error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
	}
	return true;
}

/* ---- a key that waits ---- */

const char *cli_next_key_path(struct cli *cli, struct error *err)
{
	return file_in(cli, NEXT_KEY, err);
}

bool cli_next_key_forget(struct cli *cli, struct error *err)
{
	const char *path = cli_next_key_path(cli, err);

	return path != NULL && (unlink(path) == 0 || errno == ENOENT ||
				       error_set(err, ERROR_IO, "%s: %s", path, strerror(errno)));
}

bool cli_next_key_save(struct cli *cli, const struct private_key *key, struct error *err)
{
	return make_folders(cli_person_folder(cli), err) && cli_next_key_forget(cli, err) &&
	       private_key_save(key, cli_next_key_path(cli, err), err);
}
