/* Everything an embedder needs. */
#ifndef MOONBOOK_MOONBOOK_H
#define MOONBOOK_MOONBOOK_H

#include <moonbook/error.h>
#include <moonbook/event.h>
#include <moonbook/host.h>
#include <moonbook/primitive.h>
#include <moonbook/run.h>
#include <moonbook/sim.h>
#include <moonbook/value.h>
#include <moonbook/version.h>

#endif
