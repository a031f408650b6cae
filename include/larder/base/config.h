// Compile-time switches and attributes every larder header may use.
#pragma once

// The inline namespace carries every switch that changes layout, so that objects built with
// different settings fail to link instead of disagreeing at run time.
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
#define LARDER_ABI v0_checked
#else
#define LARDER_ABI v0
#endif

// The returned (or stored) value borrows from the annotated parameter. Clang warns when it dangles.
#if defined(__clang__)
#define LARDER_LIFETIME_BOUND [[clang::lifetimebound]]
#define LARDER_VIEW [[gsl::Pointer]]
#else
#define LARDER_LIFETIME_BOUND
#define LARDER_VIEW
#endif

// Checks a caller contract in builds without NDEBUG. Never used for data, disk or user definitions.
#include <cassert>
#define LARDER_DCHECK(condition) assert(condition)
