#ifndef TESTS_SUPPORT_ISSUING_H
#define TESTS_SUPPORT_ISSUING_H

#include "base/private_key.h"
#include "domain/task/task.h"
#include "services/issue/issue.h"
#include "support/fake_keys.h"
#include "support/governed.h"

/* A governed registry with a token service on it: identity a1 (active, key
 * a1_key, staging), server files, and people who can sign. */

#define ISSUING_ISSUER "http://127.0.0.1:8470"
#define ISSUING_FILES ISSUING_ISSUER "/mcp/files"
#define ISSUING_INSTALLATION "remit-one"

struct issuing {
	struct governed governed;
	struct task_table *tasks;
	struct fake_keys keys; /* of registered issuers */
	struct trust_service *trust;
	struct issue *issue;
	struct private_key *token_key;
	struct private_key *a1_key;
	struct private_key *ana_key;
	bool refuses_to_sign; /* the signer's fault, when set */
	/* The signer's next key, made and then used from a moment on (0: not used). */
	struct private_key *next_key;
	int64_t next_from_utc_ms;
	unsigned uses_told;  /* how often it was told to use one */
	bool refuses_keys;   /* makes none and uses none, when set */
	struct text parent;  /* of the tasks that are opened; empty: none */
	struct text details; /* authorization_details, likewise */
	struct text instance;
	struct text session;
	/* What comes with the next openings, and where nonces are due (before issuing_init_with).
	 */
	struct text proof;
	struct text certificate;
	struct text client;
	enum issue_nonces nonces;
	enum issue_assertion_form form;
	struct issue_request *request; /* the last */
	/* The answer to the last opening. */
	bool is_answered;
	enum issue_refusal refusal;
	enum token_reason reason;
	char detail[ERROR_TEXT_BYTES];
	struct text token; /* in the governed arena */
	struct text task;
	struct text details_granted;
	int64_t lifetime_s;
	enum binding bound;
	/* What was told of tokens: signed, or accepted for the first time. */
	unsigned told;
	size_t told_bytes;
	int64_t told_until_s;
};

void issuing_init(struct issuing *issuing);
void issuing_init_with(struct issuing *issuing, enum issue_nonces nonces);
void issuing_deinit(struct issuing *issuing);
/* Enrols the key for the person, who is registered. */
void issuing_enrol(struct issuing *issuing, const char *person, const struct private_key *key);
/* Puts a1's charter in force anew: with these keys (YAML of the list's items; NULL: as it is)
 * and more at its end. */
void issuing_recharter(struct issuing *issuing, const char *keys, const char *more);
/* The clock of log and service. */
int64_t issuing_now_s(const struct issuing *issuing);
void issuing_pass(struct issuing *issuing, int64_t seconds);

/* An assertion of a1 for our issuer, signed by key (NULL: a1's own). */
struct text issuing_assertion(struct issuing *issuing, const struct private_key *key);
/* The same of any identity, signed by key. */
struct text issuing_assertion_of(
	struct issuing *issuing, const char *name, const struct private_key *key);
/* The keys line of a charter with this key, for staging. */
const char *issuing_key_yaml(struct issuing *issuing, const struct private_key *key);
/* For issuing_recharter: a1's own key, which ends so many seconds from now. */
const char *issuing_ending_key(struct issuing *issuing, int64_t seconds);
/* Asks for what the request says; true if GRANTED.  It must live until the log answers. */
bool issuing_request(struct issuing *issuing, struct issue_request *request);
/* Asks for a task with these; true if GRANTED.  The log decides when it answers. */
bool issuing_open(struct issuing *issuing, struct text assertion, const char *resource);
/* The same with everything right. */
bool issuing_open_good(struct issuing *issuing);
/* Who the token is for files now. */
enum token_reason issuing_ask(struct issuing *issuing, struct text token);
/* Kills the identity or task, as the record says it. */
void issuing_kill(struct issuing *issuing, const char *identity, struct text task);
/* The same of any node; who and why is filled in. */
void issuing_kill_node(struct issuing *issuing, struct task_kill kill);
/* A new version of a1's charter with these limits, "{idle: 10s}", in force. */
void issuing_limit(struct issuing *issuing, const char *limits);
/* The whole log of first into second, as at a start.  Before issuing_deinit of the second its
 * token_key, which is the first's, is set to NULL. */
void issuing_live_again(const struct issuing *first, struct issuing *second);

/* Makes tasks and issue over what governed has now, after the registry and
 * before loading is over: for a second life over the first one's log. */
void issuing_attach(struct issuing *issuing);

#endif
