#include "edges/cli/command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "edges/cli/shipped.h"
#include "services/policy/policy_bundle.h"

/* Files the commands read and write. */

enum { YAML_FILE_BYTES_MAX = 8 * 1024 * 1024 };

/* A file, or those of a folder that are wanted. */
struct file_choice {
	const char *path;
	int (*is_wanted)(const struct dirent *entry);
};

static bool read_whole(struct cli *cli, const char *path, struct text *out, struct error *err)
{
	struct stat status;
	char *content;
	bool ok;
	/* A pipe is refused, and not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", path,
			strerror(errno));
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
		status.st_size > YAML_FILE_BYTES_MAX) {
		close(fd);
		return error_set(err, ERROR_LIMIT, "%s: is not a file of at most %d bytes", path,
			YAML_FILE_BYTES_MAX);
	}
	content = arena_alloc(cli->arena, (size_t)status.st_size + 1, 1);
	if (content == NULL)
		ok = error_set(err, ERROR_LIMIT, "%s: no memory to read it", path);
	else
		ok = file_read_all(fd, content, (size_t)status.st_size, &out->length) ||
		     error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
	close(fd);
	out->data = content;
	return ok;
}

static bool add_file(struct cli *cli, struct json_builder *list, const char *path, const char *name,
	struct error *err)
{
	struct json_builder object;
	struct text content = {0};
	struct json item;

	if (!read_whole(cli, path, &content, err))
		return false;
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "file", name);
	json_put_text(&object, "yaml", content);
	if (!json_object_seal(&object, &item, err))
		return false;
	json_add(list, item);
	return true;
}

/* Cases lie beside the policies they are about, and are no documents. */
static int is_document(const struct dirent *entry)
{
	struct text name = text_of(entry->d_name);

	return entry->d_name[0] != '.' && !text_ends_with(name, POLICY_CASE_FILE_END) &&
	       (text_ends_with(name, ".yaml") || text_ends_with(name, ".yml"));
}

static int is_policy_file(const struct dirent *entry)
{
	struct text name = text_of(entry->d_name);

	return is_document(entry) ||
	       (entry->d_name[0] != '.' && (text_ends_with(name, POLICY_CASE_FILE_END) ||
						   text_ends_with(name, POLICY_TEXT_FILE_END)));
}

static bool add_folder(struct cli *cli, struct json_builder *list, const struct file_choice *choice,
	struct error *err)
{
	const char *folder = choice->path;
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, choice->is_wanted, alphasort);
	bool ok = count >= 0;

	if (!ok)
		return error_set(err, ERROR_IO, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		struct text path = text_format(cli->arena, "%s/%s", folder, entries[i]->d_name);

		/* The whole path, so that what is wrong can be opened where it stands. */
		ok = ok && path.data != NULL && add_file(cli, list, path.data, path.data, err);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

const char cli_shipped[] = "shipped";

static bool read_shipped(struct cli *cli, bool with_cases, struct json *out, struct error *err)
{
	static const struct {
		const char *name;
		const char *yaml;
		bool is_cases;
	} files[] = {{"shipped/flow.yaml", shipped_flow, false},
		{"shipped/flow.test.yaml", shipped_flow_test, true},
		{"shipped/keep-secrets-in.yaml", shipped_secrets, false},
		{"shipped/keep-secrets-in.test.yaml", shipped_secrets_test, true},
		{"shipped/risk.yaml", shipped_risk, false},
		{"shipped/risk.test.yaml", shipped_risk_test, true}};
	struct json_builder list;

	json_array_start(&list, cli->arena);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct json_builder object;
		struct json item;

		if (files[i].is_cases && !with_cases)
			continue;
		json_object_start(&object, cli->arena);
		json_put_cstring(&object, "file", files[i].name);
		json_put_cstring(&object, "yaml", files[i].yaml);
		if (!json_object_seal(&object, &item, err))
			return false;
		json_add(&list, item);
	}
	return json_array_seal(&list, out, err);
}

static bool read_chosen(
	struct cli *cli, const struct file_choice *choice, struct json *out, struct error *err)
{
	const char *path = choice->path;
	struct json_builder list;
	struct stat status;
	bool ok;

	if (path == cli_shipped)
		return read_shipped(cli, choice->is_wanted == is_policy_file, out, err);
	if (stat(path, &status) != 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", path,
			strerror(errno));
	json_array_start(&list, cli->arena);
	ok = S_ISDIR(status.st_mode) ? add_folder(cli, &list, choice, err)
				     : add_file(cli, &list, path, path, err);
	if (!ok || !json_array_seal(&list, out, err))
		return false;
	if (out->count == 0)
		return error_set(err, ERROR_NOT_FOUND, "%s: holds no .yaml file", path);
	return true;
}

bool cli_read_files(struct cli *cli, const char *path, struct json *out, struct error *err)
{
	const struct file_choice choice = {path, is_document};

	return read_chosen(cli, &choice, out, err);
}

bool cli_read_policy_files(struct cli *cli, const char *path, struct json *out, struct error *err)
{
	const struct file_choice choice = {path, is_policy_file};

	return read_chosen(cli, &choice, out, err);
}

bool cli_documents_of(
	struct cli *cli, const struct json *files, struct json *out, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, cli->arena);
	for (uint32_t i = 0; i < files->count; i++) {
		struct text name = json_text_or(&files->items[i], "file", "");

		if (!text_ends_with(name, POLICY_CASE_FILE_END) &&
			!text_ends_with(name, POLICY_TEXT_FILE_END))
			json_add(&list, files->items[i]);
	}
	return json_array_seal(&list, out, err);
}
