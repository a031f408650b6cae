// One column as a NumPy array of its own.
#pragma once

#include <span>
#include <string>

#include "io/zip_writer.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"

namespace larder::inline LARDER_ABI {

// Adds `name`.npy, and `name`.mask.npy where the column has nulls: see CreateNpz.
absl::Status WriteNpzColumn(const std::string& name, const Column& column, ZipWriter* zip);

// Adds `name`.npy, fixed-width text without a null: a list of names.
absl::Status WriteNpzTexts(const std::string& name, std::span<const std::string> texts,
                           ZipWriter* zip);

}  // namespace larder::inline LARDER_ABI
