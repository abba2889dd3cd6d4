#include "main/children.h"

#include <string.h>

#include "base/log.h"
#include "main/folder.h"

static void say(enum confine_mode mode, const struct confine_features *features)
{
	if (mode == CONFINE_NOTHING)
		log_warn(
			"stdio_servers_unconfined", LOG_STRING("why", "stdio-servers: unconfined"));
	else if (features->landlock_version == 0 || !features->has_filter)
		log_warn("stdio_servers_refused",
			LOG_STRING("why", features->has_filter ? "this kernel has no Landlock"
							       : "this kernel has no seccomp"));
	else
		log_info("stdio_servers_confined",
			LOG_NUMBER("landlock", features->landlock_version));
}

bool children_open(struct confiner **out, const struct settings *settings, const char *search_path,
	struct error *err)
{
	struct confine_settings confine = {.directory = settings->data,
		.is_own = folder_is_own,
		.search_path = search_path,
		.mode = strcmp(settings->stdio_servers, "unconfined") == 0 ? CONFINE_NOTHING
									   : CONFINE_CHILDREN};

	confine_probe(&confine.features);
	say(confine.mode, &confine.features);
	return confiner_create(out, &confine, err);
}

static bool prepare(void *context, const struct upstream_child *child, struct upstream_hold *out,
	struct error *err)
{
	const struct confine_child named = {
		.name = child->server, .program = child->program, .arguments = child->arguments};
	struct confinement *confinement;

	if (!confine_prepare(&confinement, context, &named, err))
		return false;
	*out = (struct upstream_hold){.home = confinement_home(confinement),
		.enter = confinement_enter,
		.held = confinement};
	return true;
}

static void release(void *held)
{
	struct confinement *confinement = held;

	confinement_release(&confinement);
}

struct upstream_confiner children_port(struct confiner *confiner)
{
	return (struct upstream_confiner){
		.context = confiner, .prepare = prepare, .release = release};
}
