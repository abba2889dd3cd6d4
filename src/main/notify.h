#ifndef MAIN_NOTIFY_H
#define MAIN_NOTIFY_H

/* Tells the service manager, where one asks (NOTIFY_SOCKET; sd_notify(3)):
 * "READY=1", "RELOADING=1", "STOPPING=1".  It is a courtesy: failure is silent. */
void notify_manager(const char *state);

#endif
