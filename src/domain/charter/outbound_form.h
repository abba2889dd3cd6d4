#ifndef DOMAIN_CHARTER_OUTBOUND_FORM_H
#define DOMAIN_CHARTER_OUTBOUND_FORM_H

#include "domain/charter/form.h"

/* [struct outbound_exchange] the part `exchange` of a transport. */
extern const struct form outbound_form;

#endif
