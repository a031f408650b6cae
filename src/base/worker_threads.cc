#include "base/worker_threads.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace larder::inline LARDER_ABI {

void RunPieces(int thread_count, std::size_t piece_count,
               const std::function<void(std::size_t piece, std::size_t thread)>& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&](std::size_t thread) {
    for (std::size_t piece = next++; piece < piece_count; piece = next++) work(piece, thread);
  };
  const std::size_t wanted =
      std::min(static_cast<std::size_t>(std::max(thread_count, 1)), piece_count);
  std::vector<std::thread> threads;
  threads.reserve(wanted);
  for (std::size_t i = 1; i < wanted; ++i) {
    try {
      threads.emplace_back(run, i);
    } catch (const std::system_error&) {
      break;  // the threads there are share the pieces
    }
  }
  run(0);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace larder::inline LARDER_ABI
