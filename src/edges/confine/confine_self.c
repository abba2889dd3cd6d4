#include "edges/confine/confine_self.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

bool confine_self(struct error *err)
{
	const struct rlimit no_core = {0, 0};

	(void)umask(S_IRWXG | S_IRWXO);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return error_set(err, ERROR_IO, "cannot give up gaining privileges");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &no_core) != 0)
		return error_set(err, ERROR_IO, "cannot switch core dumps off");
	return true;
}
