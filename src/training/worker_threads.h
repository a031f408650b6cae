// Where this was: see base/worker_threads.h.
#pragma once

#include "base/worker_threads.h"
