// Random changes of a store against a plain model, while readers check that each picture they get is one commit.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

#include "larder/online/read_session.h"
#include "larder/online/verify.h"
#include "larder/registry/definitions_json.h"
#include "reliability/folder.h"
#include "reliability/world.h"
#include "support/catch.h"

namespace {

using larder::Concat;
using larder::FeatureStore;
using larder_test::Folder;
using larder_test::kKeys;
using larder_test::kNow;
using larder_test::Random;
using larder_test::ReadCatalogText;
using larder_test::ReadServed;
using larder_test::ReadText;
using larder_test::Step;
using larder_test::World;

// A sanitizer makes each step several times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSteps = 2'000;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int kSteps = 2'000;
#else
constexpr int kSteps = 10'000;
#endif
#else
constexpr int kSteps = 10'000;
#endif
constexpr int kReaders = 3;

// What each commit holds. A step's outcome is known before it is done, so that no reader can be ahead of it.
class Timeline {
 public:
  void Begin(World after) {
    const std::lock_guard lock(mutex_);
    pending_ = std::make_shared<const World>(std::move(after));
  }
  void End(uint64_t commit) {
    const std::lock_guard lock(mutex_);
    if (commit > last_) states_[commit] = pending_;
    last_ = commit;
  }
  [[nodiscard]] std::shared_ptr<const World> At(uint64_t commit) const {
    const std::lock_guard lock(mutex_);
    if (commit > last_) return pending_;
    const auto after = states_.upper_bound(commit);
    return after == states_.begin() ? nullptr : std::prev(after)->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<const World>> states_;  // each holds until the next
  std::shared_ptr<const World> pending_;
  uint64_t last_ = 0;
};

// The first thing that was wrong; checks are made on threads, where the test framework must not be used.
class Complaint {
 public:
  void Say(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (what_.empty()) what_ = what;
    wrong_ = true;
  }
  [[nodiscard]] bool wrong() const { return wrong_; }
  [[nodiscard]] std::string what() const {
    const std::lock_guard lock(mutex_);
    return what_;
  }

 private:
  mutable std::mutex mutex_;
  std::string what_;
  std::atomic<bool> wrong_{false};
};

class Reader {
 public:
  Reader(const FeatureStore& store, const Timeline& timeline, Complaint& complaint, uint64_t seed)
      : store_(store), timeline_(timeline), complaint_(complaint), random_(seed) {}

  void Run(const std::atomic<bool>& stop) {
    while (!stop && !complaint_.wrong()) {
      if (random_.OneIn(3)) {
        ReadTensor();
      } else {
        ReadFeatures();
      }
    }
  }
  [[nodiscard]] int64_t checks() const { return checks_; }

 private:
  std::string AnyService() {
    constexpr const char* kServices[] = {"m0", "m1", "m2", "md"};
    return kServices[random_.Between(0, 3)];
  }
  // Whether such an error may be: md comes and goes, m2 is not loaded at first.
  static bool MayFail(const std::string& service, const absl::Status& status) {
    if (service == "md") return status.code() == absl::StatusCode::kNotFound;
    return service == "m2" && larder::KindOf(status) == larder::ErrorKind::kNotReady;
  }

  // The service's name and version, the revision and the values of one answer must be of one commit.
  void ReadFeatures() {
    const std::string service = AnyService();
    larder::OnlineResponse response;
    const auto served = ReadServed(store_, service, &response);
    if (!served.ok()) {
      if (!MayFail(service, served.status())) complaint_.Say(served.status().ToString());
      return;
    }
    if (*served == "not ready") return;
    const std::shared_ptr<const World> world = timeline_.At(response.commit_seq);
    if (world == nullptr) return complaint_.Say("an answer from before the first step");
    const int version = world->Current(service);
    const std::string expected = version == 0
                                     ? "nothing"
                                     : Concat(service, "@", version, " of ", world->revision(),
                                              ": ", world->Served(service, version));
    Compare(response.commit_seq, expected,
            Concat(response.service, " of ", response.revision, ": ", *served));
  }

  // A bound plan keeps its meaning while names move, and reads each commit whole.
  void ReadTensor() {
    if (!session_ || random_.OneIn(20)) {
      service_ = AnyService();
      const auto plan = store_.Bind(service_);
      if (!plan.ok()) {
        if (!MayFail(service_, plan.status())) complaint_.Say(plan.status().ToString());
        session_.reset();
        return;
      }
      const std::string bound = plan->service();
      version_ = std::atoi(bound.substr(bound.find('@') + 1).c_str());
      auto session = store_.OpenSession(*plan);
      if (!session.ok()) return complaint_.Say(session.status().ToString());
      session_ = *std::move(session);
    }
    if (const absl::Status status = session_->Refresh(); !status.ok()) {
      return complaint_.Say(status.ToString());
    }
    std::vector<int64_t> keys(kKeys);
    for (int key = 0; key < kKeys; ++key) keys[static_cast<std::size_t>(key)] = key;
    std::vector<double> found(kKeys);
    const larder::InputColumn input = larder::InputColumn::Of(std::span<const int64_t>(keys));
    const absl::Status status =
        session_->Fill({&input, 1}, kNow, larder::Tensor<double>{found.data(), kKeys, 0});
    if (!status.ok()) return complaint_.Say(status.ToString());
    const std::shared_ptr<const World> world = timeline_.At(session_->commit_seq());
    if (world == nullptr) return complaint_.Say("a tensor from before the first step");
    const std::vector<double> expected = world->Numbers(service_, version_);
    std::string expected_text = Concat(service_, "@", version_, " tensor");
    std::string found_text = expected_text;
    for (std::size_t i = 0; i < kKeys; ++i) {
      expected_text += Concat(" ", std::isnan(expected[i]) ? "-" : std::to_string(expected[i]));
      found_text += Concat(" ", std::isnan(found[i]) ? "-" : std::to_string(found[i]));
    }
    Compare(session_->commit_seq(), expected_text, found_text);
  }

  void Compare(uint64_t commit, const std::string& expected, const std::string& found) {
    ++checks_;
    if (expected == found) return;
    complaint_.Say(Concat("commit ", commit, "\nexpected ", expected, "\nfound    ", found));
  }

  const FeatureStore& store_;
  const Timeline& timeline_;
  Complaint& complaint_;
  Random random_;
  int64_t checks_ = 0;
  std::string service_;
  int version_ = 0;
  std::optional<larder::ServingSession> session_;
};

// Objects in order of name, so that only content counts.
std::string Sorted(larder::Definitions d) {
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(d.sources.begin(), d.sources.end(), by_name);
  std::sort(d.feature_views.begin(), d.feature_views.end(), by_name);
  std::sort(d.on_demand_views.begin(), d.on_demand_views.end(), by_name);
  std::sort(d.feature_services.begin(), d.feature_services.end(), by_name);
  return larder::DefinitionsToJson(d);
}

int Steps() {
  const char* given = std::getenv("LARDER_ROUNDS");
  return given != nullptr ? std::atoi(given) : kSteps;
}

}  // namespace

TEST_CASE("ten thousand random changes agree with a plain model and readers see each whole",
          "[reliability][random][slow]") {
  // LARDER_ROUNDS changes the number of steps, LARDER_SEED repeats a run as far as threads allow.
  Random random;
  std::cout << random.Describe() << "\n";
  INFO(random.Describe());
  const Folder folder(/*in_memory=*/true);
  larder::StoreOptions options;
  options.clock = [] { return kNow; };
  options.durability = larder::Durability::kRelaxed;
  auto opened = FeatureStore::Open(folder.store(), options);
  INFO(opened.status());
  REQUIRE(opened.ok());
  FeatureStore store = *std::move(opened);

  World world;
  Timeline timeline;
  Complaint complaint;
  std::atomic<bool> stop{false};
  std::vector<Reader> readers;
  for (int i = 0; i < kReaders; ++i)
    readers.emplace_back(store, timeline, complaint, random.Bits());
  std::vector<std::thread> threads;
  // Stops the readers however the test ends.
  struct Join {
    std::atomic<bool>& stop;
    std::vector<std::thread>& threads;
    ~Join() { End(); }
    void End() {
      stop = true;
      for (std::thread& thread : threads) {
        if (thread.joinable()) thread.join();
      }
    }
  } join{stop, threads};

  const int steps = Steps();
  for (int i = 1; i <= steps && !complaint.wrong(); ++i) {
    Step step = world.Next(random);
    step.number = static_cast<uint64_t>(i);
    INFO(ToString(step));
    World after = world;
    after.Do(step);
    timeline.Begin(after);
    const absl::Status status = RunStep(store, folder.path(), step);
    INFO(status);
    REQUIRE(status.ok());
    world = std::move(after);
    const auto session = larder::ReadSession::Open(store.environment());
    REQUIRE(session.ok());
    timeline.End(session->commit_seq());
    const auto catalog = store.GetCatalog();
    REQUIRE(catalog.ok());
    REQUIRE(*ReadCatalogText(*catalog) == world.CatalogText());
    if (i == 1) {
      for (Reader& reader : readers) {
        threads.emplace_back([&reader, &stop] { reader.Run(stop); });
      }
    }
    if (i % 50 == 0) {
      const auto expected = larder::ParseDefinitions(DefinitionsText(world.now()), "world.json");
      REQUIRE(expected.ok());
      REQUIRE(Sorted(catalog->DefinitionsOf("p")) == Sorted(*expected));
    }
    if (i % 500 == 0 || i == steps) {
      const auto found = ReadText(store);
      INFO(found.status());
      REQUIRE(found.ok());
      REQUIRE(*found == world.Text());
    }
  }
  join.End();
  INFO(complaint.what());
  CHECK_FALSE(complaint.wrong());
  int64_t checks = 0;
  for (const Reader& reader : readers) checks += reader.checks();
  std::cout << steps << " steps, " << checks << " answers checked by " << kReaders << " readers\n";
  CHECK(checks > steps / 10);
  const auto report = larder::VerifyStore(folder.store());
  REQUIRE(report.ok());
  CHECK(report->ok());
}
