// O14: the same features from Redis on loopback, where its server and client library are installed.
#include "bar.h"
#include "online_bars.h"

#if defined(LARDER_HAVE_HIREDIS)
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <thread>

#include "larder/base/text.h"
#include "online_store.h"
#include "serving_sides.h"

namespace larder_bench {
namespace {

using larder::Concat;

constexpr std::size_t kFeatures = 5;
constexpr RequestShape kShape{"five_features", 1'000, false};

struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, ReplyDeleter>;

// A server of this program's own on a free port of 127.0.0.1, nothing written to disk, ended with it.
class RedisServer {
 public:
  static absl::StatusOr<std::unique_ptr<RedisServer>> Start() {
    std::unique_ptr<RedisServer> server(new RedisServer);
    LARDER_ASSIGN_OR_RETURN(const int port, FreePort());
    const std::string port_text = std::to_string(port);
    server->process_ = fork();
    if (server->process_ == 0) {
      execlp("redis-server", "redis-server", "--port", port_text.c_str(), "--bind", "127.0.0.1",
             "--save", "", "--appendonly", "no", "--logfile", "/dev/null",
             static_cast<char*>(nullptr));
      _exit(127);
    }
    for (int tries = 0; tries < 100; ++tries) {
      server->context_.reset(redisConnect("127.0.0.1", port));
      if (server->context_ != nullptr && server->context_->err == 0) return server;
      if (waitpid(server->process_, nullptr, WNOHANG) != 0) {
        server->process_ = -1;
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return larder::NotFoundError("redis-server is not installed or does not start");
  }
  ~RedisServer() {
    context_.reset();
    if (process_ <= 0) return;
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // A hash per entity: field = feature, value = the eight bytes of its float64, the cheapest to convert.
  absl::Status Load(uint64_t entities) {
    constexpr uint64_t kInFlight = 10'000;
    for (uint64_t first = 0; first < entities; first += kInFlight) {
      const uint64_t end = std::min(first + kInFlight, entities);
      for (uint64_t entity = first; entity < end; ++entity) {
        double features[kRowFeatures];
        RowOf(entity, 0, features);
        const std::string key = KeyOf(entity);
        const char* words[2 + 2 * kFeatures] = {"HSET", key.data()};
        std::size_t sizes[2 + 2 * kFeatures] = {4, key.size()};
        for (std::size_t i = 0; i < kFeatures; ++i) {
          words[2 + 2 * i] = kNames[i];
          sizes[2 + 2 * i] = 2;
          words[3 + 2 * i] = reinterpret_cast<const char*>(&features[i]);
          sizes[3 + 2 * i] = sizeof(double);
        }
        redisAppendCommandArgv(context_.get(), 2 + 2 * static_cast<int>(kFeatures), words, sizes);
      }
      for (uint64_t entity = first; entity < end; ++entity) {
        if (Next() == nullptr) return larder::InternalError("redis: the load failed");
      }
    }
    return absl::OkStatus();
  }

  bool Request(const RandomKeys& keys, std::size_t first, float* out) {
    for (std::size_t i = first; i < first + kShape.rows; ++i) {
      const std::string key = KeyOf(keys.entity(i));
      const char* words[2 + kFeatures] = {"HMGET", key.data()};
      std::size_t sizes[2 + kFeatures] = {5, key.size()};
      for (std::size_t f = 0; f < kFeatures; ++f) {
        words[2 + f] = kNames[f];
        sizes[2 + f] = 2;
      }
      redisAppendCommandArgv(context_.get(), 2 + static_cast<int>(kFeatures), words, sizes);
    }
    for (std::size_t i = 0; i < kShape.rows; ++i) {
      const Reply reply = Next();
      if (reply == nullptr || reply->elements != kFeatures) return false;
      for (std::size_t f = 0; f < kFeatures; ++f) {
        const redisReply& value = *reply->element[f];
        if (value.type != REDIS_REPLY_STRING || value.len != sizeof(double)) return false;
        double number = 0;
        std::memcpy(&number, value.str, sizeof(number));
        *out++ = static_cast<float>(number);
      }
    }
    return true;
  }

 private:
  struct ContextDeleter {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  static constexpr const char* kNames[kFeatures] = {"f0", "f1", "f2", "f3", "f4"};

  RedisServer() = default;

  static std::string KeyOf(uint64_t entity) { return Concat("item:", entity); }

  static absl::StatusOr<int> FreePort() {
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    const bool bound = descriptor >= 0 &&
                       bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (descriptor >= 0) close(descriptor);
    if (!bound) return larder::InternalError("no free port");
    return ntohs(address.sin_port);
  }

  Reply Next() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) return nullptr;
    return Reply(static_cast<redisReply*>(reply));
  }

  pid_t process_ = -1;
  std::unique_ptr<redisContext, ContextDeleter> context_;
};

absl::Status Measure(BarRun& run, RedisServer& redis) {
  const StoreSpec spec{.views = 1};
  const std::string path = run.options().scratch + "/redis";
  LARDER_RETURN_IF_ERROR(redis.Load(spec.entities));
  LARDER_RETURN_IF_ERROR(MakeStore(spec, path));
  LARDER_ASSIGN_OR_RETURN(const larder::FeatureStore store, OpenStore(path));
  const RandomKeys keys(spec, 0, spec.entities);
  LARDER_ASSIGN_OR_RETURN(const auto side, LarderSide::Make(store, keys, kShape));
  std::vector<float> tensor(kShape.rows * kFeatures);
  std::size_t next = 0;
  const Side requests = [&](benchmark::State& state) {
    for (auto _ : state) {
      if (next + kShape.rows > keys.size()) next = 0;
      if (!redis.Request(keys, next, tensor.data())) {
        state.SkipWithError("HMGET");
        break;
      }
      next += kShape.rows;
    }
  };
  const auto compare = [&]() -> absl::Status {
    for (std::size_t first = 0; first < 50 * kShape.rows; first += kShape.rows) {
      LARDER_RETURN_IF_ERROR(side->Request(first));
      if (!redis.Request(keys, first, tensor.data()) || tensor.size() != side->tensor().size() ||
          std::memcmp(tensor.data(), side->tensor().data(), side->tensor().size_bytes()) != 0) {
        return larder::InternalError("the tensors differ");
      }
    }
    return side->RunRequests(static_cast<int64_t>(keys.size() / kShape.rows));
  };
  return run.Measure("O14", SideOf(*side), requests, compare, "1 M entities, one connection");
}

}  // namespace

absl::Status RunRedisBar(BarRun& run) {
  if (!run.Wants("O14")) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<RedisServer>> redis = RedisServer::Start();
  if (!redis.ok()) {
    run.RecordNotRun("O14", std::string(redis.status().message()));
    return absl::OkStatus();
  }
  return Measure(run, **redis);
}

}  // namespace larder_bench

#else

namespace larder_bench {

absl::Status RunRedisBar(BarRun& run) {
  if (run.Wants("O14")) run.RecordNotRun("O14", "built without hiredis (libhiredis-dev)");
  return absl::OkStatus();
}

}  // namespace larder_bench

#endif
