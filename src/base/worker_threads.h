// Running numbered pieces of work on several threads.
#pragma once

#include <cstddef>
#include <functional>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Calls work(piece, thread) for every piece in [0, piece_count), pieces in no order, threads numbered from 0; returns
// when all are done. Uses the calling thread too; when the system refuses more threads, only that one.
void RunPieces(int thread_count, std::size_t piece_count,
               const std::function<void(std::size_t piece, std::size_t thread)>& work);

}  // namespace larder::inline LARDER_ABI
