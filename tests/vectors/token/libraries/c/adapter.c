/* Puts each token of the file to the library; a process for each, for it may crash. */
#include "adapter.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS_MAX = 16, TAKES = 0, REFUSES = 1 };

struct named_key {
	char name[16];
	struct adapter_key key;
};

static const char *verdict(const json_t *token, const struct adapter_key *key)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		fclose(stdout);
		fclose(stderr);
		_exit(adapter_takes(json_string_value(token), json_string_length(token), key)
				? TAKES
				: REFUSES);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		exit(1);
	if (!WIFEXITED(status))
		return "crashes";
	return WEXITSTATUS(status) == TAKES ? "takes" : "refuses";
}

static void add_key(struct named_key *to, const json_t *line)
{
	snprintf(to->name, sizeof to->name, "%s", json_string_value(json_object_get(line, "key")));
	to->key = (struct adapter_key){
		.algorithm = json_string_value(json_object_get(line, "alg")),
		.pem = json_string_value(json_object_get(line, "pem")),
		.jwk = json_dumps(json_object_get(line, "jwk"), 0),
		.now_utc_s = (long)json_integer_value(json_object_get(line, "now")),
	};
}

static void put_case(const struct named_key *keys, size_t count, const json_t *line)
{
	const char *name = json_string_value(json_object_get(line, "key"));

	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i].name, name) == 0 && !adapter_lacks(keys[i].key.algorithm)) {
			printf("{\"case\":\"%s\",\"token\":\"%s\",\"twin\":\"%s\"}\n",
				json_string_value(json_object_get(line, "case")),
				verdict(json_object_get(line, "token"), &keys[i].key),
				verdict(json_object_get(line, "twin"), &keys[i].key));
			fflush(stdout);
		}
}

int main(int argc, char **argv)
{
	static struct named_key keys[KEYS_MAX];
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	size_t count = 0, room = 0;
	char *text = NULL;

	if (file == NULL)
		return 1;
	printf("{\"library\":\"%s\",\"asks\":%s}\n", adapter_library, adapter_asks);
	fflush(stdout);
	while (getline(&text, &room, file) > 0) {
		json_t *line = json_loads(text, JSON_ALLOW_NUL, NULL);

		if (line == NULL)
			return 1;
		if (json_object_get(line, "jwk") == NULL)
			put_case(keys, count, line);
		else if (count < KEYS_MAX)
			add_key(&keys[count++], line);
	}
	return 0;
}
