#ifndef DOMAIN_CHARTER_FEDERATION_FORMS_H
#define DOMAIN_CHARTER_FEDERATION_FORMS_H

#include "domain/charter/federation.h"
#include "domain/charter/form.h"

/* How an issuer and the rules of a charter are written, for the tables of object.c. */

enum { ISSUER_FIELDS = 14 };
extern const struct form_field issuer_fields[ISSUER_FIELDS];
void finish_issuer(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body);

/* The clause `people` of an issuer, in the issuer (sign_in_forms.c); and what only the whole
 * document tells of it. */
extern const struct form people_form;
void finish_people(struct form_reader *reader, const struct json *value,
	const struct form_path *path, struct issuer *issuer);

/* A list of rules: struct federation_rule. */
extern const struct form federation_form;

#endif
