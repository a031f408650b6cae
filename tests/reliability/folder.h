// A temporary folder, and memory that a forked process shares with this one.
#pragma once

#include <stdlib.h>
#include <sys/mman.h>

#include <filesystem>
#include <new>
#include <string>

#include "support/catch.h"

namespace larder_test {

class Folder {
 public:
  // `in_memory` where the disk is not what is tested.
  explicit Folder(bool in_memory) {
    const std::filesystem::path parent = in_memory && std::filesystem::exists("/dev/shm")
                                             ? "/dev/shm"
                                             : std::filesystem::temp_directory_path();
    std::string name = (parent / "larder-reliability-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string store() const { return path_ + "/store"; }

 private:
  std::string path_;
};

template <class T>
class Shared {
 public:
  Shared() {
    void* memory =
        mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    value_ = new (memory) T();
  }
  ~Shared() { munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_ = nullptr;
};

}  // namespace larder_test
