/* Published files are linked, not copied. */
#include "cedar_apps.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cedar_files.h"
#include "hospital.h"

const char *const cedar_apps[CEDAR_APPS] = {"github", "gdrive", "tinytodo", "github-templates",
	"gdrive-templates", "hospital-38", "hospital-9905"};

static bool link_file(const char *from, const char *root, const char *app, const char *name)
{
	char path[2 * FILES_PATH_BYTES];

	(void)snprintf(path, sizeof path, "%s/apps/%s/%s", root, app, name);
	return symlink(from, path) == 0;
}

/* The policies of one published app have another name than those of the rest. */
static bool link_app(const char *vectors, const char *root, const char *app)
{
	char from[2 * FILES_PATH_BYTES], name[NAME_MAX];

	(void)snprintf(from, sizeof from, "%s/apps/%s", root, app);
	if (mkdir(from, S_IRWXU) != 0)
		return false;
	(void)snprintf(name, sizeof name, "%s.cedarschema.json", app);
	(void)snprintf(from, sizeof from, "%s/apps/%s/%s", vectors, app, name);
	if (!link_file(from, root, app, name))
		return false;
	(void)snprintf(from, sizeof from, "%s/apps/%s/policies.cedar", vectors, app);
	if (access(from, R_OK) != 0)
		(void)snprintf(from, sizeof from, "%s/apps/%s/%s.cedar", vectors, app, app);
	return link_file(from, root, app, "policies.cedar");
}

bool cedar_apps_lay_out(const char *vectors, const char *root)
{
	char path[2 * FILES_PATH_BYTES];
	bool ok;

	(void)snprintf(path, sizeof path, "%s/apps", root);
	ok = mkdir(path, S_IRWXU) == 0;
	for (size_t i = 0; ok && i < CEDAR_APPS_PUBLISHED; i++)
		ok = link_app(vectors, root, cedar_apps[i]);
	return ok && hospital_write(root, "hospital-38", 1) &&
	       hospital_write(root, "hospital-9905", 300);
}
