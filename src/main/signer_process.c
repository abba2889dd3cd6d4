#include "main/signer_process.h"

#include "edges/confine/confine_keeper.h"
#include "edges/signer/serve.h"

/* The file that runs now, whatever lies at its path since. */
static const char own_program[] = "/proc/self/exe";

int signer_process_run(const char *folder)
{
	const struct signer_serving serving = {.folder = folder,
		.give_up_files = confine_keeper_files,
		.give_up_calls = confine_keeper_calls};

	return signer_serve(&serving);
}

bool signer_process_start(struct signer_child **out, const char *folder,
	const struct signer_child_settings *settings, struct error *err)
{
	const char *const arguments[] = {"remitd", SIGNER_PROCESS_OPTION, folder, NULL};
	struct signer_child_settings filled = *settings;

	filled.program = own_program;
	filled.arguments = arguments;
	return signer_child_start(out, &filled, err);
}
