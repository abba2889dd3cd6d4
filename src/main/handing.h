#ifndef MAIN_HANDING_H
#define MAIN_HANDING_H

#include "services/call/call_service.h"
#include "services/issue/issue.h"

/* The port through which services/call has tokens made for peers, by services/issue.  issue
 * points to where the service will stand once it is created. */
struct call_handing handing_port(struct issue **issue);

#endif
