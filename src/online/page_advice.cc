#include "online/page_advice.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace larder::inline LARDER_ABI {

bool AskForPages(std::string_view bytes, int advice) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(bytes.data()) & ~(page - 1);
  const auto end = reinterpret_cast<uintptr_t>(bytes.data()) + bytes.size();
  return madvise(reinterpret_cast<void*>(begin), end - begin, advice) == 0;
}

void BringPages(std::string_view bytes) {
#if defined(MADV_POPULATE_READ)
  if (AskForPages(bytes, MADV_POPULATE_READ)) return;
#endif
  AskForPages(bytes, MADV_WILLNEED);
  constexpr std::size_t kPageMin = 4096;
  for (std::size_t at = 0; at < bytes.size(); at += kPageMin)
    static_cast<void>(*static_cast<const volatile char*>(bytes.data() + at));
}

}  // namespace larder::inline LARDER_ABI
